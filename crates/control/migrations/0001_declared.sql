-- What operators declared through an API: one row for each template, config, domain and forbidden stream.
-- `value` is JSON that catalog writes and reads; `kind` and `key` are its words, too.
CREATE TABLE declared (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, key)
);

-- Access keys beside those of the config file. Signatures are HMACs, so the secret is kept as it is.
CREATE TABLE access_key (
    id TEXT NOT NULL PRIMARY KEY,
    secret TEXT NOT NULL,
    policy TEXT NOT NULL,
    active BIGINT NOT NULL,
    created BIGINT NOT NULL
);

-- Who changed what, when. Written together with the change. `at` is in microseconds since 1970.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    address TEXT NOT NULL,
    request_id TEXT NOT NULL,
    action TEXT NOT NULL,
    changed TEXT NOT NULL
);
