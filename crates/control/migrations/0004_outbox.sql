-- What others are to be told, in the order it happened: a lane is one stream and one URL. Kept for a while after it
-- was delivered, so that what is posted again after a crash is known. Times are in microseconds since 1970.
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    domain TEXT NOT NULL,
    app TEXT NOT NULL,
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    url TEXT NOT NULL,
    method TEXT NOT NULL,
    body TEXT NOT NULL,
    signed BIGINT NOT NULL,
    created BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- when it may be sent; NULL: it was delivered or given up
    due BIGINT
);

CREATE INDEX outbox_waiting ON outbox (domain, app, stream, url, number) WHERE due IS NOT NULL;
CREATE INDEX outbox_created ON outbox (created);

-- Every call that was made for one, and what came of it.
CREATE TABLE attempt (
    number INTEGER PRIMARY KEY,
    post BIGINT NOT NULL,
    at BIGINT NOT NULL,
    header TEXT NOT NULL,
    content TEXT NOT NULL,
    response TEXT NOT NULL,
    ok BIGINT NOT NULL,
    description TEXT NOT NULL
);

CREATE INDEX attempt_at ON attempt (at);
