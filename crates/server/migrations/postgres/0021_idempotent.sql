-- What a creating call of the admin API answered, for the same call with the same Idempotency-Key.
CREATE TABLE idempotent (
    id TEXT COLLATE "C" PRIMARY KEY,                        -- SHA-256 of the caller and its key, hexadecimal
    request_hash BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state = 'begun' OR state = 'committed' OR state = 'answered'),
    lease TEXT COLLATE "C" NOT NULL,                        -- of the call that is at work
    lease_until BIGINT NOT NULL,
    status BIGINT,                                          -- of the answer, once there is one
    sealed_answer BYTEA,
    expires_at BIGINT NOT NULL
);
CREATE INDEX idempotent_by_expiry ON idempotent (expires_at);
-- What operators call a key, and a state out of which it comes back. Every row fulfils the wider constraint, so none is
-- looked at.
ALTER TABLE key ADD COLUMN label TEXT;
ALTER TABLE key DROP CONSTRAINT key_state_check;
ALTER TABLE key ADD CONSTRAINT key_state_check
    CHECK (state IN ('imported', 'provisioned', 'active', 'replaced', 'revoked', 'disabled')) NOT VALID;
