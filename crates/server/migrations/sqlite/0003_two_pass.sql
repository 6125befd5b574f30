-- A key in stock that an enrolment delivers by two-pass, as it is.
ALTER TABLE enrolment ADD COLUMN delivers TEXT REFERENCES key (id);
CREATE INDEX enrolment_by_delivery ON enrolment (delivers) WHERE delivers IS NOT NULL;

-- The session of the last answer to one of its runs: a two-pass run that is sent again finds it there.
ALTER TABLE enrolment ADD COLUMN answer TEXT;

-- What a renewal has made of a key that stays as it was until its owner has shown the first password of the new one.
CREATE TABLE pending_key (
    id TEXT PRIMARY KEY REFERENCES key (id),
    enrolment_id TEXT NOT NULL REFERENCES enrolment (id),
    mac_algorithm TEXT NOT NULL,
    sealed_k_token BLOB NOT NULL,
    sealed_k_mac BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
