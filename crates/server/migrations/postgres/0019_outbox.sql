-- Keys on their way to other systems, the sinks: what each sink has of a key, or is to have. One row per key and sink,
-- whose number grows with each change of the key; the secret is read from the key when it is sent.
CREATE TABLE outbox (
    id TEXT COLLATE "C" PRIMARY KEY,
    key_id TEXT COLLATE "C" NOT NULL REFERENCES key (id),
    sink TEXT COLLATE "C" NOT NULL,                         -- its name in the configuration
    operation TEXT COLLATE "C" NOT NULL CHECK (operation = 'put' OR operation = 'delete'),
    seq BIGINT NOT NULL,                                    -- of the last change, from 1
    state TEXT COLLATE "C" NOT NULL CHECK (state = 'pending' OR state = 'delivered' OR state = 'dead'),
    attempts BIGINT NOT NULL,                               -- at the last change
    queued_at BIGINT NOT NULL,                              -- the last change
    next_at BIGINT NOT NULL,                                -- not to be sent before; while leased, the lease's end
    lease TEXT COLLATE "C",                                 -- of the server that sends it
    error TEXT,                                             -- why the last attempt failed
    UNIQUE (key_id, sink)
);
CREATE INDEX outbox_due ON outbox (sink, next_at) WHERE state = 'pending';
CREATE INDEX outbox_by_state ON outbox (state, id);
CREATE INDEX outbox_by_sink ON outbox (sink, id);
-- The sinks of the enrolment's key, a JSON array of names.
ALTER TABLE enrolment ADD COLUMN sinks TEXT;
