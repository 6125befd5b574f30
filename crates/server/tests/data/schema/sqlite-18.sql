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
) STRICT;
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
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'EBFAB963BC31C58A5ACE0D874710DA106F61AB0AA9FEB7AB5DBEE2E84086C7E2FD');
INSERT INTO store (is_only, id, tried_at) VALUES (1, '0123456789abcdef', 0);
INSERT INTO migration VALUES (1, 1795936415);
INSERT INTO migration VALUES (2, 1795936415);
INSERT INTO migration VALUES (3, 1795936415);
INSERT INTO migration VALUES (4, 1795936415);
INSERT INTO migration VALUES (5, 1795936415);
INSERT INTO migration VALUES (6, 1795936415);
INSERT INTO migration VALUES (7, 1795936415);
INSERT INTO migration VALUES (8, 1795936415);
INSERT INTO migration VALUES (9, 1795936415);
INSERT INTO migration VALUES (10, 1795936415);
INSERT INTO migration VALUES (11, 1795936415);
INSERT INTO migration VALUES (12, 1795936415);
INSERT INTO migration VALUES (13, 1795936415);
INSERT INTO migration VALUES (14, 1795936415);
INSERT INTO migration VALUES (15, 1795936415);
INSERT INTO migration VALUES (16, 1795936415);
INSERT INTO migration VALUES (17, 1795936415);
INSERT INTO migration VALUES (18, 1795936415);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'79bbb37b1bdd31d88c30ad5c35ae08ef8432f8fa14a5735dffef4c2b38667258fb6e6f3ef3a20f1105241b672c8fa0c9', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'54ddd0a15c2f6467744136db5c8b29512a625bf9f3cb5da2100b323945a7315fe09b988ff8404cdde3a46d8d516097b4', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'8819c1153f8d9d6c44717309db112da14ca7ecdc8d9a340eec748578ee3159818c849a709d428b1f5a7c24b78705bfc8d9115271731c989fcb19616e', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'b69146f401873656cc53238d14de86c02ed2e9e3af7d77af4bf30deb85859e0c8067098e413ab68d4aa7d422d5b54c11', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'73c6010d2df6fc7ded648de688ac0f2ae3bce34516ead7d4d95648df8cb65f49a25a130116def5cdb1da773774bc58d73ca2c61de4ed74560522e57d', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'e4261aabdf43f91a273a188d1a0ad7826eaffe151e236c40d04403c3f85076d5c9a3d7a76d21235455f4f74e090a4450', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'8caa80aec2402377a07c1bfcff562924310795c0fa2bbb00396778ce02d1c035e8ea55a2fc215e5aa45a2de8320770924e50994ae6c3e0702c0fe61d', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'73627b62d1ed1618fe0580f1b8fc4e1d73c7b17493d1cba56b83e9e727b5dd59df45da020f3868f97fdafa4b75dc1596', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'1972273981b4d822c21843464a761b0b79cda7de828062041afabcaff8ceaa7f2b8ca01f8d52c4d218d0a6e6a654eec43a805c7b19b4aa37d5afc6f5', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'bb4d852abf66ccf39927b95ff875b6c783e4a5d1aead8b5707ac445023d298fc59858569dd696676952f9381edf3e02a', 'imported', 3, 4, x'd15ec5db45a06ebbf20de75e6a4891ab4f32ac72cc022f978f8db57c48cf886401cfce8d87b0c480bf10419717e1af31cd675627eade786ea32e436d507973575f428820f1400a00f618d9205ec82ec813f1f2442a8480dc4601fa19e7a693848cdad9916220a463eaeee6c955c37da69c28e9d2196a1861ebe88f895aa6977d72fb2b2dc7557a63b60e278bfb7aa8ff83cf48ee25bdcb7dc2ec102c50c3d81f9baf3a5612e2c6d4ff320b58b455377dca5b298ab9e486f2897d7fcb2ca50ae3da093d6f71b39a17f00ebdf7d1a990077a6e72b9350e7423f3f157d2b49a70a523cbb6a5de97e99b7c58485519e27695907bd7dd6796d7a152916cbde8ddc64e54b229a63933822fca752151de94d80964851b33286a6c8a08bbc0c3e6c19d03b42bdbe76a7dbc554a173c4bb09641d031241a50a4cedd0a4fec64d2ce0084ec7eca08ec8a749cc84f3c064a7dddb0cf062179c7e059c4828270178f8986f43362c14a12a002573fcbe59b49bb538aba6139f38a442cc2');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'adceacc717d789277e1725b9c2cb756104cf68972b4856e84f51200b664069d8d2f4207d', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'db389818fba424616e7d88e02b0dcfc5216a3c92787075ba2a7673397b72422dfdd6e6e896b74ee5d03262d95c85eb09cd27ba7498d7a43df06f0d38e6a7ccd7edb034bb819c64eeb3d884486b827fee7a922b7b05f7a84a72c81afe51bf', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'1f19b828889c450188e343df8feee3ec1d3b0e6296f1d37c77c73f7fa014fee106b329dc', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'8638a6f190faa03e47f1f34c9d6858039b7b4c4e51f50fac0158370f7f9989d1a9b40d53187ea1c4d3b188d4c3cfb18d7a02838edd517ece8007de690969c7589ba21a98a86f8ac867e652d28a4020838d7b5025a22757c8b0e23a98efee', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'd5c0fc14301436548b06eb5b61dc46bf1958a5128c7a37a33ddc3041c7c5bb5ac91a753c', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'a0d13c593ee0cd8cc31f5a887e6df106e9a7e8d05357ed70411a93c2cc0d44903a7c91f8a5cc73eacb80a82361da802477bfd56116c668c048cd1f368e6b49f3fcf8f6ed318aa412a82c88506bc6ddb2feefebd8a0837ad5ff6b8a88ba2d', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'7f3bedb9aa0114d298d58937c51538e6424fe699d517d0d8518223de6dfe9899b887423c', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'114101bb06c1bddbd3e7b81429d3749faf92bed363e20f8d03c63610199a9b85f9241c3b70c94dd3696e72b816f794232a2e8ceb60f5474872f0e65b17e4d0cf4b5e452f43748afd2f8e162f5a65defc276056c74f21d6211d4b0a3f24d3', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'1a90a4fd3300c375797c19644bcd6426b83127e59032772b047e575cde58d7609e65ce68', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'd2ca195f8c22f17bf30ab95128ee8d66a42cc6e86f95660aae070507a04603d3e39a429eaa9032298975aa6b243a385a4f1227a44e91a47a1370db08fcf60630f21e6f8899fa5dac0a61994ef787a388725e9b0dd3c039974ef4018bae34', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'83b6bfd5d9ceb4fac1cd0f5abcf6e1b2c156f87107a7d6d6781d1c99edec3e9885d9880618b1f8ee9715e1f44092d28b5a', x'2276b343a9b0408ffd9c91942a25a917f845fdbafc96f7671b69bbb3bab18c252c67877c2761cc130e77cb9d516518221d96001d74ebfefb24c58613', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'f801dc5b649a3be4b2247406cc55f08fc5b49eebf11f9218192ebddc927cd1531fde178f26', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'056d3f632a230a5441e4d633adb2b7a508d0a635a72dd2e927b04e80df0a2e2e630c4d3b5f6cee86aca191244c25bc65fe117c4f85509eb290dae87f');
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
