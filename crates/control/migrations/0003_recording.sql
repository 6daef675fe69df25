-- The index of recordings: a row for every file, for every slice of a file, and for every list that an operator had
-- made of slices. Times are in microseconds since 1970, lengths in microseconds.
CREATE TABLE recording (
    id INTEGER PRIMARY KEY,
    -- RecordId
    record_id TEXT NOT NULL UNIQUE,
    domain TEXT NOT NULL,
    app TEXT NOT NULL,
    stream TEXT NOT NULL,
    -- file, slice or list
    kind TEXT NOT NULL,
    format TEXT NOT NULL,
    storage TEXT NOT NULL,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    template TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    begins BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    duration BIGINT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    size BIGINT NOT NULL,
    created BIGINT NOT NULL,
    -- when it may be deleted
    expires BIGINT,
    -- JSON
    pauses TEXT NOT NULL,
    -- of slices
    discontinuity BIGINT NOT NULL,
    init TEXT,
    audio BIGINT NOT NULL,
    -- row of the file that it belongs to; NULL while that is open, 0 once that is forgotten
    file BIGINT,
    UNIQUE (storage, bucket, key)
);

CREATE INDEX recording_stream ON recording (domain, app, stream, kind, begins);
CREATE INDEX recording_expires ON recording (expires) WHERE expires IS NOT NULL;
CREATE INDEX recording_file ON recording (file) WHERE file IS NOT NULL;
CREATE INDEX recording_init ON recording (init) WHERE init IS NOT NULL;
