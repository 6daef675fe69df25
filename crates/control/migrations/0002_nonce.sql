-- Nonces of signed requests that changed something, until nobody takes their signatures any more. Written together
-- with the change. `at` is in microseconds since 1970.
CREATE TABLE nonce (
    key_id TEXT NOT NULL,
    nonce TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (key_id, nonce)
) WITHOUT ROWID;

CREATE INDEX nonce_at ON nonce (at);
