-- Keys that came in a file: they have no enrolment, and no user before somebody is given them. SQLite changes no
-- constraint of a table that exists, so the table is made anew; foreign keys are off meanwhile, and checked at the end.

CREATE TABLE new_key (
    id TEXT PRIMARY KEY,
    user_id TEXT REFERENCES user (id),      -- NULL: in stock
    enrolment_id TEXT,                      -- NULL: imported
    device_id TEXT REFERENCES device (id),
    key_type TEXT NOT NULL,
    params TEXT NOT NULL,
    mac_algorithm TEXT,
    sealed_k_token BLOB NOT NULL,
    sealed_k_mac BLOB,
    state TEXT NOT NULL CHECK (state IN ('imported', 'provisioned', 'active', 'replaced', 'revoked')),
    counter INTEGER NOT NULL DEFAULT 0,     -- HOTP and OCRA: the next counter
    last_step INTEGER,                      -- TOTP: the last step that was accepted
    drift INTEGER NOT NULL DEFAULT 0,       -- TOTP: steps by which the token's clock is off
    created_at INTEGER NOT NULL,
    sealed_package BLOB,                    -- its KeyPackage without the secret; sealed: extensions may tell anything
    manufacturer TEXT,                      -- what the package says of the device
    serial TEXT,
    start_at INTEGER,                       -- the policy of RFC 6030 section 5
    expires_at INTEGER,
    uses_left INTEGER CHECK (uses_left >= 0),
    CHECK ((user_id IS NULL) = (state = 'imported') OR state IN ('replaced', 'revoked'))
) STRICT;
INSERT INTO new_key (id, user_id, enrolment_id, device_id, key_type, params, mac_algorithm, sealed_k_token,
    sealed_k_mac, state, counter, last_step, drift, created_at)
SELECT id, user_id, enrolment_id, device_id, key_type, params, mac_algorithm, sealed_k_token,
    sealed_k_mac, state, counter, last_step, drift, created_at FROM key;
DROP TABLE key;
ALTER TABLE new_key RENAME TO key;
CREATE INDEX key_by_user ON key (user_id, id) WHERE user_id IS NOT NULL;

-- How far the import of a file has come, so that it goes on after an interruption.
CREATE TABLE import (
    id TEXT PRIMARY KEY,                    -- the client's: the SHA-256 of the file, 64 hexadecimal digits
    done INTEGER NOT NULL,                  -- the index of the first package that has not been dealt with
    accepted INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
