PRAGMA foreign_keys = OFF;
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    sealed_value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE user (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE device (
    id TEXT PRIMARY KEY,
    manufacturer TEXT NOT NULL,
    serial TEXT NOT NULL,
    key_name TEXT NOT NULL UNIQUE,
    sealed_shared_key BLOB,
    certificate BLOB,
    created_at INTEGER NOT NULL,
    UNIQUE (manufacturer, serial)
) STRICT;
CREATE TABLE api_token (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    roles TEXT NOT NULL,            -- JSON array
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE migration (version BIGINT PRIMARY KEY, done_at BIGINT NOT NULL);
CREATE TABLE "key" (
    id TEXT PRIMARY KEY,
    user_id TEXT REFERENCES user (id),      -- NULL: in stock
    enrolment_id TEXT,                      -- NULL: imported
    device_id TEXT REFERENCES device (id),
    key_type TEXT NOT NULL,
    params TEXT NOT NULL,
    mac_algorithm TEXT,
    sealed_k_token BLOB NOT NULL,
    sealed_k_mac BLOB,
    state TEXT NOT NULL CHECK (state = 'imported' OR state = 'provisioned' OR state = 'active' OR state = 'replaced' OR state = 'revoked'),
    counter INTEGER NOT NULL DEFAULT 0,     -- HOTP and OCRA: the next counter
    last_step INTEGER,                      -- TOTP: the last step that was accepted
    drift INTEGER NOT NULL DEFAULT 0,       -- TOTP: steps by which the token's clock is off
    created_at INTEGER NOT NULL,
    sealed_package BLOB,                    -- its KeyPackage without the secret; sealed: extensions may tell anything
    manufacturer TEXT,                      -- what the package says of the device
    serial TEXT,
    start_at INTEGER,                       -- the policy of RFC 6030 section 5
    expires_at INTEGER,
    uses_left INTEGER CHECK (uses_left >= 0), url_s TEXT,
    CHECK ((user_id IS NULL) = (state = 'imported') OR state IN ('replaced', 'revoked'))
) STRICT;
CREATE INDEX key_by_user ON key (user_id, id) WHERE user_id IS NOT NULL;
CREATE TABLE import (
    id TEXT PRIMARY KEY,                    -- the client's: the SHA-256 of the file, 64 hexadecimal digits
    done INTEGER NOT NULL,                  -- the index of the first package that has not been dealt with
    accepted INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    created_at INTEGER NOT NULL
, rejected TEXT NOT NULL DEFAULT '[]') STRICT, WITHOUT ROWID;
CREATE TABLE pending_key (
    id TEXT PRIMARY KEY REFERENCES key (id),
    enrolment_id TEXT NOT NULL REFERENCES enrolment (id),
    mac_algorithm TEXT NOT NULL,
    sealed_k_token BLOB NOT NULL,
    sealed_k_mac BLOB NOT NULL,
    created_at INTEGER NOT NULL
, url_s TEXT) STRICT;
CREATE INDEX key_by_device ON key (device_id) WHERE device_id IS NOT NULL;
CREATE TABLE "answer" (
    session_id TEXT PRIMARY KEY,
    request_hash BLOB NOT NULL,
    sealed_response BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_by_expiry ON answer (expires_at);
CREATE TABLE rewrite (
    schema INTEGER PRIMARY KEY -- the migration that asks for it
) STRICT;
CREATE TABLE wrong_try (
    enrolment_id TEXT NOT NULL REFERENCES enrolment (id),
    address TEXT NOT NULL,                  -- IPv4, IPv6 /64, or 'first password'
    count INTEGER NOT NULL,
    at INTEGER NOT NULL,                    -- the last one
    PRIMARY KEY (enrolment_id, address)
) STRICT;
CREATE INDEX wrong_try_by_time ON wrong_try (at);
CREATE TABLE refusal (
    enrolment_id TEXT PRIMARY KEY REFERENCES enrolment (id),
    hour INTEGER NOT NULL,                  -- since 1970
    count INTEGER NOT NULL,                 -- 0: it is in the audit trail
    cause TEXT NOT NULL,                    -- of the last one
    at INTEGER NOT NULL                     -- the last one
) STRICT, WITHOUT ROWID;
CREATE INDEX refusal_by_hour ON refusal (hour) WHERE count <> 0;
CREATE TABLE "enrolment" (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user (id),
    client_id TEXT NOT NULL UNIQUE,
    sealed_password BLOB NOT NULL,
    key_type TEXT NOT NULL,
    params TEXT NOT NULL,                   -- JSON: digits, period, hash, counter, suite
    variant TEXT,
    methods TEXT NOT NULL,                  -- JSON array
    device_id TEXT REFERENCES device (id),
    renews TEXT REFERENCES key (id),
    state TEXT NOT NULL CHECK (state = 'open' OR state = 'provisioned' OR state = 'active' OR state = 'revoked'),
    activate TEXT NOT NULL CHECK (activate IN ('at-once', 'on-otp')),
    failed_attempts INTEGER NOT NULL DEFAULT 0, -- wrong codes, or first passwords, since it was last used
    key_id TEXT,
    trigger_token_hash BLOB NOT NULL UNIQUE,
    sealed_trigger BLOB,                    -- nonce, MAC and URL of the trigger that was given out
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    delivers TEXT REFERENCES key (id),
    answer TEXT,                            -- the session of the last answer that was kept
    key_location TEXT CHECK (key_location IN ('hardware', 'software')),
    algorithm_location TEXT CHECK (algorithm_location IN ('hardware', 'software'))
, sinks TEXT) STRICT;
CREATE INDEX enrolment_by_delivery ON enrolment (delivers) WHERE delivers IS NOT NULL;
CREATE INDEX enrolment_by_device ON enrolment (device_id) WHERE device_id IS NOT NULL;
CREATE TABLE store (
    is_only INTEGER PRIMARY KEY CHECK (is_only = 1),
    id TEXT NOT NULL,
    tried_at INTEGER NOT NULL
) STRICT;
CREATE TABLE session_key (
    day TEXT PRIMARY KEY,
    sealed_key BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE k_server (
    id TEXT PRIMARY KEY,                    -- the first octets of the digest of the modulus, hexadecimal
    sealed_key BLOB NOT NULL,               -- PKCS #8
    created_at INTEGER NOT NULL,
    retired_at INTEGER                      -- NULL: in use
) STRICT, WITHOUT ROWID;
CREATE TABLE "audit" (
    chain TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,          -- JSON
    hash BLOB NOT NULL,
    PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_by_manufacturer ON device (manufacturer, id);
CREATE INDEX device_by_serial ON device (serial, id);
CREATE TABLE wrong_password (
    subject TEXT PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    at INTEGER NOT NULL                                     -- the last one
) STRICT, WITHOUT ROWID;
CREATE INDEX wrong_password_by_time ON wrong_password (at);
CREATE INDEX enrolment_by_user ON enrolment (user_id, id);
CREATE INDEX audit_by_time ON audit (at, chain, seq);
CREATE INDEX audit_by_rare_event ON audit (event, at, chain, seq)
    WHERE event <> 'enrolment.created' AND event <> 'key.provisioned';
CREATE INDEX enrolment_by_state ON enrolment (state, expires_at, id) WHERE state <> 'active';
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES key (id),
    sink TEXT NOT NULL,                                     -- its name in the configuration
    operation TEXT NOT NULL CHECK (operation = 'put' OR operation = 'delete'),
    seq INTEGER NOT NULL,                                   -- of the last change, from 1
    state TEXT NOT NULL CHECK (state = 'pending' OR state = 'delivered' OR state = 'dead'),
    attempts INTEGER NOT NULL,                              -- at the last change
    queued_at INTEGER NOT NULL,                             -- the last change
    next_at INTEGER NOT NULL,                               -- not to be sent before; while leased, the lease's end
    lease TEXT,                                             -- of the server that sends it
    error TEXT,                                             -- why the last attempt failed
    UNIQUE (key_id, sink)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (sink, next_at) WHERE state = 'pending';
CREATE INDEX outbox_by_state ON outbox (state, id);
CREATE INDEX outbox_by_sink ON outbox (sink, id);
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'2B9240FB8A6A1CEB81496C7C685B885A5D1E2F0FDB59FEE78AE5C68A617A90FCDC');
INSERT INTO store (is_only, id, tried_at) VALUES (1, '0123456789abcdef', 0);
INSERT INTO migration VALUES (1, 1795937781);
INSERT INTO migration VALUES (2, 1795937781);
INSERT INTO migration VALUES (3, 1795937781);
INSERT INTO migration VALUES (4, 1795937781);
INSERT INTO migration VALUES (5, 1795937781);
INSERT INTO migration VALUES (6, 1795937781);
INSERT INTO migration VALUES (7, 1795937781);
INSERT INTO migration VALUES (8, 1795937781);
INSERT INTO migration VALUES (9, 1795937781);
INSERT INTO migration VALUES (10, 1795937781);
INSERT INTO migration VALUES (11, 1795937781);
INSERT INTO migration VALUES (12, 1795937781);
INSERT INTO migration VALUES (13, 1795937781);
INSERT INTO migration VALUES (14, 1795937781);
INSERT INTO migration VALUES (15, 1795937781);
INSERT INTO migration VALUES (16, 1795937781);
INSERT INTO migration VALUES (17, 1795937781);
INSERT INTO migration VALUES (18, 1795937781);
INSERT INTO migration VALUES (19, 1795937781);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'4546288469edbb233645d335e0ff1c2f8ab2a42a425f81cac15ad6cd6c49b022e287f33e9a3f7a256257717d4b3a55b3', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'6bb2e9963eefa73a4e7714f2f4f871c40b3a7ef631e19f72e41e30929949e36115cb571e02c887ff1d669b4fb801ad2c', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'8dc0335085a8112be0e6394b04e099c094c4bcb43e926b4dd2e0af70e9b5b05978ec39f0d9a417a34e7b648983435b27e28512df132fbf2c547c30e9', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'85a4b963ffd99078cda9747aa3fc894a5f273dce444735632c57af5b5759eaeb10ded62a83aa8a6ea59d4c668934bf3a', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'0ff6a29bfeccd6eeab413d46b02d44aba866932631586cd30c48cc662d47ba4128b1edf4bf9b3f52f85f002a1083ec16237e507b604708643f62fc5c', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'a4be9ff4d8904df48c03a183ef0b06e0f3de6594aacfc71a0d0fb946e72ba645384e059c79f60e26b5377e68727098f3', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'14ebf9271c0db68e60776bb9be0826d5823c7803128fb091ce9018174d6995c7ab5d43433118a1132a6b55a5f34199117bd9826b118ce4bf201f6c1c', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'7879a3368577c44963e22f85dd56cf9515abbfafe572e0f126d8b058a75929940b9bad2fd2eeedb3584f90047f27ad6e', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'64fd3c57ba494a779aa9a53526846a4b69230af336155ae13749faa6ac8ff8e0ae642501846ef3a24f97a37a8381481bf71e06119cb792485c34f07a', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'fdd73eeccd4cafc77b63db2ede642c3653717927ab4ff65ddd638aceb39bdbdcc1244237e2c024d264e358453f864acf', 'imported', 3, 4, x'9618ad618cd29a683465ccc934ee8f192c3b305f57f0098238f57b55b2bc923bd9120d029202794a145481688bed5294ab086e9453e0d08d61bb01bc577aa64f911054b1799de0f9cde5a13fe88f26bdfe4c7f697a99833bb8811ffcc20f08d1cc56a6a42aafd23ba24808e0bad418773edcee351793521d2bd1a18be911a73e8c48b30431f3778d5cb031dbff615d3d837fa6943c178d6ef7ec0e800ce5c6580d09e11d7377b4e7251775e38d5177c47c7274229c2307b414b82a35428fecc50cb801b40851b212551b13edbe1262db6463cf9270015cf6b3df57b7e3082cb2ca59810be7fadf9b36baa9b2c46d7aed9a2b2bb429e169f8fbee639008414c53ec8b0819d0263823489766db8d3a0c099d25cf56b579706a78080fb8d52aac7d3190d54b28fee503a7554480e66de0b2289c1d66e39f9fd1a25e7882031ecea158f36a69b7aeac0f6284bd098631f9df19fe3737bfe777238c0a3f848313181f8e8ce039d49bb9c305983b84ab254c40f02345a328999c');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'dcb4c436967e50f2575689fe6ff523418c24f00b0cc429ea43f78d8a8fbe2777b2a9fd3a', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'a065ce8717bb194efd78d37ba0c82322a4f84bc217ac1d1f5dcc5fc201f1115e23814802b552687fa883364bd96fbe394f84c04ef54886ca89583168beaaf5d99873edc39fbbe912ae0b0015ec350865b3116af4642636d9924c8901b45e', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'5bef86ad4fd76bcb908643f076a530025cc63c65412bcb1f1c624a8b3f295c22296c08f1', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'0dc644e040f8362294484ff9917c12efd0c365c4145fa365cfdedabd9e1e0a2e6c41d9e426d305b74852e251cf7fb8394766af367a859688d754b552e5ea20cff34348e81425f738d4c555f5c90eef53654e8dc490637bacdfe9306f0945', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'4b1fb7bf8d7bb7b0a57c851ff47761ef1766130cb238bd74fc1a5ffca52f823ebded76a0', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'4f8c0222e0a5ac399cc7e7349f4faf71d673aeaec2f40bdbad009b8d1c25dbdee2d8dea6ac1db2542f234e09bfb12cbe9a18abe7220ce0bae4932415fe6d046b6dabfcc7709a006dc35f75969c83f73c4c0f808d7c3008f0e63ca57c178b', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'8a3cf3b7ce7b501cad2928f213f52cf6957c28204cd981bd0936de17128009d26f5bebfe', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'2149c9e0f1d187877eca056991507f899d41a77e043233a33b031d0e105fcdef7cde86a10d760c679321aeac034ce28a9f66e45b8ecbf9d465b780dffe580832060cb4a34c609bd1b8b9198c36d6d62cf0832f2eaf2881d9e6129bc49336', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'575515fb8197ce7d0eff3edce21d1c8ad7c802790a8b4ae65e4105fa52eaf016ba02ab0c', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'7663a1f5cfb218869a86d7ef071daa89bb941947d5f87046193304dfa5562ea076e251de16bcbdf3ba305ce270cb475b675f4850c26fcb8877c4d3be703f3b3c885bb1b404c127938d9f7444e6104f08ea97dba27c8a88b14f8514d16ffe', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'8006cd61529e4635ebfc5b7ff7970fbd5ba234561f730c14b6aefae1283f84a00ef541071691aa9455c38d6ef18e97fffb', x'eb5e4736bd0094a94d6e32cb548558f57becaab9fbc3e1636ed48b8a6636a87ad461b16b6e593829041f43a1dd1a042b9d3ee7cf167024ffb29b2260', 6);
INSERT INTO "outbox" (id, key_id, sink, operation, seq, state, attempts, queued_at, next_at)
    VALUES ('o1', 'active', 'pam', 'put', 1, 'pending', 0, 6, 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'aac9d310efea0ce58941b37a71967752f3928e58786d0b1d490ca8c6688eca7f4f30426f4d', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'77ed5cc79d812a25b881a3e37dbf9958a954320cee4e0290dd7aeb3f2838799303b9b97a887d28ecc9b5fac5691966526f504c017983a1a0568cd291');
INSERT INTO "audit" (seq, at, event, subject, hash, chain)
    VALUES (1, 1, 'user.created', '{}', x'b44d99c87a5672094b315ec493b6354db488e836959e6e4ad8e813cf579691b6', '');
INSERT INTO "audit" (seq, at, event, subject, hash, chain)
    VALUES (2, 2, 'key.provisioned', '{}', x'96271b88a268b5be90dc8e6c4071783834e906b769b3e1713741784785ac5b57', '');
INSERT INTO "audit" (seq, at, event, subject, hash, chain)
    VALUES (3, 3, 'key.revoked', '{}', x'58df5c4a355d74049060df09667d942c0553f246d185c1f72e3042a409de66be', '');
INSERT INTO "import" (id, done, accepted, duplicate, refused, created_at)
    VALUES ('a file', 1, 1, 0, 0, 8);
INSERT INTO "wrong_try" (enrolment_id, address, count, at)
    VALUES ('e-open', '192.0.2.1', 1, 9);
INSERT INTO "refusal" (enrolment_id, hour, count, cause, at)
    VALUES ('e-open', 1, 1, 'wrong-code', 9);
PRAGMA user_version = 11;
