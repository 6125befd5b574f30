-- The schema as SQLite has it in version 11. Times are seconds since 1970-01-01 UTC. Columns named "sealed_" are
-- ciphertext under the key-encryption key, with table, column and row as associated data. Texts are compared octet by
-- octet, as SQLite does it, so that pages of lists have the same order.

CREATE TABLE setting (
    name TEXT COLLATE "C" PRIMARY KEY,
    sealed_value BYTEA NOT NULL
);

CREATE TABLE "user" (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE device (
    id TEXT COLLATE "C" PRIMARY KEY,
    manufacturer TEXT COLLATE "C" NOT NULL,
    serial TEXT COLLATE "C" NOT NULL,
    key_name TEXT COLLATE "C" NOT NULL UNIQUE,
    sealed_shared_key BYTEA,
    certificate BYTEA,
    created_at BIGINT NOT NULL,
    UNIQUE (manufacturer, serial)
);

CREATE TABLE key (
    id TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" REFERENCES "user" (id),       -- NULL: in the inventory
    enrolment_id TEXT COLLATE "C",                         -- NULL: imported
    device_id TEXT COLLATE "C" REFERENCES device (id),
    key_type TEXT COLLATE "C" NOT NULL,
    params TEXT NOT NULL,                                  -- JSON: digits, period, hash, counter, suite
    mac_algorithm TEXT,
    sealed_k_token BYTEA NOT NULL,
    sealed_k_mac BYTEA,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('imported', 'provisioned', 'active', 'replaced', 'revoked')),
    counter BIGINT NOT NULL DEFAULT 0,                     -- HOTP and OCRA: the next counter
    last_step BIGINT,                                      -- TOTP: the last step that was accepted
    drift BIGINT NOT NULL DEFAULT 0,                       -- TOTP: steps by which the token's clock is off
    created_at BIGINT NOT NULL,
    sealed_package BYTEA,                                  -- its KeyPackage without the secret
    manufacturer TEXT,                                     -- what the package says of the device
    serial TEXT,
    start_at BIGINT,                                       -- the policy of RFC 6030 section 5
    expires_at BIGINT,
    uses_left BIGINT CHECK (uses_left >= 0),
    url_s TEXT,                                            -- the URL_S at which it was made
    CHECK ((user_id IS NULL) = (state = 'imported') OR state IN ('replaced', 'revoked'))
);
CREATE INDEX key_by_user ON key (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX key_by_device ON key (device_id) WHERE device_id IS NOT NULL;

CREATE TABLE enrolment (
    id TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES "user" (id),
    client_id TEXT COLLATE "C" NOT NULL UNIQUE,
    sealed_password BYTEA NOT NULL,
    key_type TEXT COLLATE "C" NOT NULL,
    params TEXT NOT NULL,                                  -- JSON: digits, period, hash, counter, suite
    variant TEXT,
    methods TEXT NOT NULL,                                 -- JSON array
    device_id TEXT COLLATE "C" REFERENCES device (id),
    renews TEXT COLLATE "C" REFERENCES key (id),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'provisioned', 'active', 'revoked')),
    activate TEXT COLLATE "C" NOT NULL CHECK (activate IN ('at-once', 'on-otp')),
    failed_attempts BIGINT NOT NULL DEFAULT 0,             -- wrong codes, or first passwords, since it was last used
    key_id TEXT COLLATE "C",
    trigger_token_hash BYTEA NOT NULL UNIQUE,
    sealed_trigger BYTEA,                                  -- nonce, MAC and URL of the trigger that was given out
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    delivers TEXT COLLATE "C" REFERENCES key (id),
    answer TEXT COLLATE "C",                               -- the session of the last answer that was kept
    key_location TEXT CHECK (key_location IN ('hardware', 'software')),
    algorithm_location TEXT CHECK (algorithm_location IN ('hardware', 'software'))
);
CREATE INDEX enrolment_by_user ON enrolment (user_id);
CREATE INDEX enrolment_by_delivery ON enrolment (delivers) WHERE delivers IS NOT NULL;
CREATE INDEX enrolment_by_device ON enrolment (device_id) WHERE device_id IS NOT NULL;

-- What a renewal has made of a key that stays as it was until its owner has shown the first password of the new one.
CREATE TABLE pending_key (
    id TEXT COLLATE "C" PRIMARY KEY REFERENCES key (id),
    enrolment_id TEXT COLLATE "C" NOT NULL REFERENCES enrolment (id),
    mac_algorithm TEXT NOT NULL,
    sealed_k_token BYTEA NOT NULL,
    sealed_k_mac BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    url_s TEXT
);

-- Answers to ClientNonce, for retransmissions (profile P28).
CREATE TABLE answer (
    session_id TEXT COLLATE "C" PRIMARY KEY,
    request_hash BYTEA NOT NULL,
    sealed_response BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX answer_by_expiry ON answer (expires_at);

CREATE TABLE api_token (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    roles TEXT NOT NULL,                                   -- JSON array
    created_at BIGINT NOT NULL
);

-- Append-only; each hash covers the one before it in its chain. Each connection that writes has a chain of its own.
CREATE TABLE audit (
    chain TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,                                 -- JSON
    hash BYTEA NOT NULL,
    PRIMARY KEY (chain, seq)
);

-- How far the import of a file has come, so that it goes on after an interruption.
CREATE TABLE import (
    id TEXT COLLATE "C" PRIMARY KEY,                       -- the client's: the SHA-256 of the file
    done BIGINT NOT NULL,                                  -- the index of the first package that has not been dealt with
    accepted BIGINT NOT NULL,
    duplicate BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    rejected TEXT NOT NULL DEFAULT '[]'                    -- JSON: index, key_id, kind and reason
);

-- Wrong codes and first passwords, by the address that they came from. A lock follows from them and ends by itself.
CREATE TABLE wrong_try (
    enrolment_id TEXT COLLATE "C" NOT NULL REFERENCES enrolment (id),
    address TEXT COLLATE "C" NOT NULL,                     -- IPv4, IPv6 /64, or 'first password'
    count BIGINT NOT NULL,
    at BIGINT NOT NULL,                                    -- the last one
    PRIMARY KEY (enrolment_id, address)
);
CREATE INDEX wrong_try_by_time ON wrong_try (at);

-- Refused runs of an enrolment in the hour of the last one. Hours that are over are in the audit trail.
CREATE TABLE refusal (
    enrolment_id TEXT COLLATE "C" PRIMARY KEY REFERENCES enrolment (id),
    hour BIGINT NOT NULL,                                  -- since 1970
    count BIGINT NOT NULL,                                 -- 0: it is in the audit trail
    cause TEXT NOT NULL,                                   -- of the last one
    at BIGINT NOT NULL                                     -- the last one
);
CREATE INDEX refusal_by_hour ON refusal (hour) WHERE count <> 0;

-- The store's identity, and when a write was last tried only to see whether one succeeds.
CREATE TABLE store (
    is_only BIGINT PRIMARY KEY CHECK (is_only = 1),
    id TEXT NOT NULL,
    tried_at BIGINT NOT NULL
);
