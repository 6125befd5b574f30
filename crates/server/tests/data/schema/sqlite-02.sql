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
CREATE TABLE enrolment (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user (id),
    client_id TEXT NOT NULL UNIQUE,
    sealed_password BLOB NOT NULL,
    key_type TEXT NOT NULL,
    params TEXT NOT NULL,           -- JSON: digits, period, hash, counter, suite
    variant TEXT,
    methods TEXT NOT NULL,          -- JSON array
    device_id TEXT REFERENCES device (id),
    renews TEXT REFERENCES key (id),
    state TEXT NOT NULL CHECK (state IN ('open', 'provisioned', 'active', 'locked', 'revoked')),
    activate TEXT NOT NULL CHECK (activate IN ('at-once', 'on-otp')),
    failed_attempts INTEGER NOT NULL DEFAULT 0,
    key_id TEXT,
    trigger_token_hash BLOB NOT NULL UNIQUE,
    trigger_nonce BLOB,
    trigger_mac BLOB,
    trigger_url TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX enrolment_by_user ON enrolment (user_id);
CREATE TABLE answer (
    session_id TEXT PRIMARY KEY,
    request_hash BLOB NOT NULL,
    response BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_by_expiry ON answer (expires_at);
CREATE TABLE api_token (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    roles TEXT NOT NULL,            -- JSON array
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,          -- JSON
    hash BLOB NOT NULL
) STRICT;
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
    uses_left INTEGER CHECK (uses_left >= 0),
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
) STRICT, WITHOUT ROWID;
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'D0C0D42F161B41D38387FC58495E4A452E696325B37D00F34AB7655563302A9894');
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'ffd1ad49a3274f374e13961294e907c260ed89424197a873b2145eefc95cc4fb362bd68cb31435963ee5e04446eae511', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'a5d7cf290cc88bec45698d84329d3fac435a74e2bab8c5235f9b637a7713fc90f9e394c9f481424c2e07919b852b161d', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'6c91d7adf688624a7d4092a5be709f687dd4cc9f361c428937b790d4115bfb41aa0e06e8b182f1a2aa6dc88a8fd70181485b2ac6b6c6b6e1e084f1f9', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'e248af80cba33494a60f1048218173fe01f6a06ef80f6b5224786c1a3182fe768fe7e4761cd52077b6a0654d1291d729', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'c43102f6768bed1c7a5ced555f544d15ba11ec4c289bcd625587c649802830578d937f756557fa02d7d07c7a16b95e995d1f27abcf7f208ff06e4c16', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'a2ef3d96de4e52335fcebbc7dada7a5b1e693c78f40255be82985bcbcace778e3a18d1611c90af5a523977af931a9604', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'7b53c838e4d2c0d5a21fff2af2381c02a2db0d18f7386cac9254440b501852fecd8ce7bdbb92465b8cd94f2a33d8504c549c9c4bb41c793329b63b37', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'0a1610ee7ac8a562a22889b0f845430216b5e2f8e085a9f97f48f8225a4dac43b08dc07213d2c8b51e604278a077a346', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'376a50cb6ca646574d779af46d4e83a3d5c35006277df87279386089875526bcb289bb4b1233c82c849a13bff7bd696f9b2e0f2b7445d72b91f803df', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'c4858bf90467ccd52c4e20c3a50a66bfb1257111fa1fa394977df477ae50a8dac487df1448cec4ea6005fe9e1b1948b0', 'imported', 3, 4, x'ab718261fa927dced49378320b0bf50da0b5fba039f5cc440a8acb683051024b966e1b0eed95ac9a40611e4ce1e8b05c0b61dd723ff790da36c1e17f3123bee5379b7b545cf52db2e775099d0392efdb3190344f0d2ff03c6592b3448a44f73bc1f52e0a9156caf7853e63a4c8b2b01349a8c7b486b56b9384ce62c034f1be3ce36e76e9591bcd6e46052c5a515c66d1618a81d9c7c0685ee75f05329b758905b8221f6a21a015422e9e0a987abcf15baea774d2673594f8901f88c75f9095c452626369c651c663aa3db08c53c06da7adb78769b20ab7360438efc4a976052d8b50244c8ddd0a6a02b31415249397a25e22ceee6d1227ffaf99061ddd909ae161ac7a61036ee15de3dfa87c0f458b003c8a58a57b60de47f2a62f14f19da9940cf56de609599d8c979b0b2aa9123b09b8fa9723a1a8f1ce2906439686138b5e7356a9c127cb928c212350ccdca936f1aaf27a83606f50e11fdbefa7584ca194fe91d189bf459fb52567b146219158dc6172bcc5557b53');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'5bf9e4193f0dc319bb5d33b219c28233a7a35500f604ab2ad7300a54fa6b83b9adede509', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'7d676cd36568f0150b0ee4720dfae712e1fc60f26087a7c76024b39debb8c8b8910035c6', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'20f7345f7ac4192765948921b16207df1f19ec4bade39ce4b9e3cd0c48a4ea4a04139861', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'9c2b3c188ded3cc2ceddf2144950f62f144a3949518d9a53f71bfb365c7f3b49b3ee63ec', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'854714ba89e3278f728d7cf2333e392fc496375d934e758a529ee92024ea19f88fc75ef0', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'active', 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at)
    VALUES ('e-locked', 'u1', 'client of e-locked', x'56910ba182d7cae2284fa6e147e612c4149361561245ae8b5a3b47dfcfafa2df7f5c39be', 'hotp', '{"digits":6,"counter":0}', '[]', 'locked', 'at-once', x'3249f9deb0be96f92d15449f558442b26b0332abc51a9c9ebe7863b085c10bc5', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000);
INSERT INTO "answer" (session_id, request_hash, response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'616e20616e73776572', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'21f2de977ec852c203da8533a1fb46c984a3fef21fe9de2daf9e2f80a046689f0dafb8b9d964ec35c6c3f4b833386243a0c6294c7d6e00ca997afda0');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (1, 1, 'user.created', '{}', x'b44d99c87a5672094b315ec493b6354db488e836959e6e4ad8e813cf579691b6');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (2, 2, 'key.provisioned', '{}', x'96271b88a268b5be90dc8e6c4071783834e906b769b3e1713741784785ac5b57');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (3, 3, 'key.revoked', '{}', x'58df5c4a355d74049060df09667d942c0553f246d185c1f72e3042a409de66be');
INSERT INTO "import" (id, done, accepted, duplicate, refused, created_at)
    VALUES ('a file', 1, 1, 0, 0, 8);
PRAGMA user_version = 2;
