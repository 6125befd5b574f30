-- What a creating call of the admin API answered, for the same call with the same Idempotency-Key.
CREATE TABLE idempotent (
    id TEXT PRIMARY KEY,                                    -- SHA-256 of the caller and its key, hexadecimal
    request_hash BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state = 'begun' OR state = 'committed' OR state = 'answered'),
    lease TEXT NOT NULL,                                    -- of the call that is at work
    lease_until INTEGER NOT NULL,
    status INTEGER,                                         -- of the answer, once there is one
    sealed_answer BLOB,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotent_by_expiry ON idempotent (expires_at);
-- What operators call a key, and a state out of which it comes back. Only the table's text changes, as in schema 18.
ALTER TABLE key ADD COLUMN label TEXT;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'state = ''replaced'' OR state = ''revoked''',
    'state = ''replaced'' OR state = ''revoked'' OR state = ''disabled''')
    WHERE type = 'table' AND name = 'key';
PRAGMA writable_schema = RESET;
