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
    state TEXT NOT NULL CHECK (state IN ('open', 'provisioned', 'active', 'revoked')),
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
CREATE INDEX enrolment_by_user ON enrolment (user_id);
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
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'25A6CFA05E98DD20120F042D20BB4F22629668676714BA714B5E3D2F5292BD9848');
INSERT INTO store (is_only, id, tried_at) VALUES (1, '0123456789abcdef', 0);
INSERT INTO migration VALUES (1, 1795905085);
INSERT INTO migration VALUES (2, 1795905085);
INSERT INTO migration VALUES (3, 1795905085);
INSERT INTO migration VALUES (4, 1795905085);
INSERT INTO migration VALUES (5, 1795905085);
INSERT INTO migration VALUES (6, 1795905085);
INSERT INTO migration VALUES (7, 1795905085);
INSERT INTO migration VALUES (8, 1795905085);
INSERT INTO migration VALUES (9, 1795905085);
INSERT INTO migration VALUES (10, 1795905085);
INSERT INTO migration VALUES (11, 1795905085);
INSERT INTO migration VALUES (12, 1795905085);
INSERT INTO migration VALUES (13, 1795905085);
INSERT INTO migration VALUES (14, 1795905085);
INSERT INTO migration VALUES (15, 1795905085);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'39c8c6184ce525ef5a1661a6a1f1f64d35bc10ecc571fc83a0f41aec0560e0d163aef8a8944cf2a70f40ec711af418de', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'c0b08111e1f9138a1b4fc350f1493b6564b511fa1e103f4878e2ae41f9a41a136d3feb146075481edfcf94598d0f5595', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'955031ef3bead156567583773584a97319f5c1df592d06e6857694da607da1ad3a3adc5b2b9b66a1ed6f315f2fd2979de79a02661f35b3574c896a86', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'26e36fb0718b66e1743f2475d1585d199a422e77a57c3f5e1e27544f41ea82b2df837e166079d171c93007270f71bce4', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'891860297fb3024c9d91779e02a8672420041366b11b0b27e6c322fd8393fc18b0391785052195bbbf3de43fd0bec026e23dc146ed28d56abb670a73', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'ddcd67eee1562858ef2244335d8a2f0507743beefe9b817a8b57c1bc1becbe003b86969a79ec66ff5cc21eeae85b54d0', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'784d6e96ba1d73119ccc6387267a4444db4d18c1c2f5df32116662820d8a53e26e40cd594361d59011a12d9afda2386a6e0d81f2429a9f23471ae6b4', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'0eebbdc7c02e001d0a673299e21367984271131fb7bdfda95c60b9febae0aaa3980c98f2e581f512f49e9eda819aa107', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'0ec82c9c159a6df70c931604c1d6f7f464f527abbc2b09a28a32bff8c641fbdc92315dc67d2e593eae3213bb5be337d8c4ba2dae8ba46f493ea1116c', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'ff070c306d629bf1546efa2b8eba071fb45b4631a31928ffaf6aa5a35883c78daa8290f7a9919555013fd3575a635bf8', 'imported', 3, 4, x'e9bb3af353ff9d9ed05c4b43fac162bdc4da6e10c07c683358e569b360661e67468efd597bd43b059364d11c6f3d258a7a801690c1acf2fa77862dd08021c5739e93b6ca6e47eacaa16444a0ba5be9423fe9dee66ea6e4d13b869b867438f4941f737005a41af1d4f6eab22fa2020b79d7e774182e7b1291b987567ad1b853b56a1a3443cd969c939a9296035e59ac0aa138b409827cf851cb7b25e7bb703fe35ca7e2ae5ddaec63721e90dd1c89f2bd233198bf7136a90854d23e91d4ab6b3199d2827e76a0866f745840d14de2565c39f8a625cb39754ca1ac8e02dd2827f9b19125ba9116437a65bb31436f6c5956feec75b121c223b35fda05e8d395f3f30ec484b895c267eec52c209f845da2f4172bbaf286a51a30a03f5cea3f23be3242ab97c2fb823e30dabe3ae8c5382fdf0a2761a0b6610b718ade40cc25dc56f6bb0fc2d0ef2f41f983eea2bbc4a68143d06ee37cce7370754770289617ffd7ab89b146debed5a3c742b95c54c6c586f36d343fece8c352');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'1eff69a651e89a075bbd058eb809d44a18b573bdaeffab81859a18ed0f026338f038e528', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'fc3ae8432080e006e9ddafb7cfc2fcd656982b2827a42b34c93a26d6277c793560af9bb4e53dd7f00f2c3acca43df587844d7406cc81702663ff629757a23b197c08120ec6679847102d6e507027ac917d540a4404f0da7c8f95bc5b0554', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'd2795113ea8ddd171df60757579faac740f85f9cc95965272b83a6b124ac33ef0a0fb661', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'3de1ec6fc42f8d5ed2c7e5b5db2812d3dd7b2d8f35bcffb8fe2c19b29377cc4084fb95c2dede87ae445e0a17e4e9e27583eae4c42c23a5b2271ef6bc8b71c6ed8de2598931a82aa0f37b734f668eaee0cf922a626a0d2e45ab8b73a16a9c', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'c1128606b8b3379fa4a1a9443569a08e4c2e0468b5d25d16995fd12e641a572377ccf3b1', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'37eb57d026b16c849974ebf28b5e9b044f7a7ed4646fce24ea8d93f956802b74971dc4a5f16cd3c21ecc96fbf9445e9f74f12201182166e590844d5c0709110e4658ce6ce11230ac42a5322c08453e9add3d7d9246b91324837838b73e1b', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'db8c983796e3d80c743af0e86eb123bafb2bf25686d2116c9fb9ee11eaa637e8f80df149', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'55dbb304c6e23fe122779aa786d93e25a36dabd8ae866325c4e6cef25d2bb6118369e29b2934b508b18f5a86dd0fffb7a149ae25bd7fda29b336010fb73ec3b0ebe85ae9a9afa7d6349fd943d9ed90ac90430394f9f4839e89c3e28166f5', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'e3eee7f0f40e469315ca10dd1eb14cfbb9e95feeef9d200c27b0a64abcd25e47db70003c', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'50b534ea39d69628c119f75055dc942853affcb76caca45711720677f1b1954be9ac3a6535b670a272f7f190fdf7de13e235fcb392bc722ad11f290cc273da2c176cd71299467be002842bdf08c5d1ae48586fe31b532e261c358e0c5127', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'0451238a0c8e63d0ceb0eef77d9b0cb97ac4ac990ff301eeeb44e3caa3bdd76e518d2edc77438c9d80871ec931beebb0cf', x'81543e5c3e44be2429020226b813bd0f25cc033991d67dcb07e8cff7fd309906c884ee9c78969a532dbcdef71c0493c7aaa7b26911542159b853594b', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'36ce58b368abcaa894d3a90f5a3645cce9191fdd1d2a32213a6517103c5441be4447cbcf15', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'39a68de2b5cfe0411b6922bbe62294329ed91354d17418f43739a2168def769d65ff7ab668b80e92472fdf21280ec32f46e1f34482db8d3233566bbd');
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
