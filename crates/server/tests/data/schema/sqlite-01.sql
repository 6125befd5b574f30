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
CREATE TABLE key (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user (id),
    enrolment_id TEXT NOT NULL,
    device_id TEXT REFERENCES device (id),
    key_type TEXT NOT NULL,
    params TEXT NOT NULL,
    mac_algorithm TEXT,
    sealed_k_token BLOB NOT NULL,
    sealed_k_mac BLOB,
    state TEXT NOT NULL CHECK (state IN ('provisioned', 'active', 'replaced', 'revoked')),
    counter INTEGER NOT NULL DEFAULT 0, -- HOTP and OCRA: the next counter
    last_step INTEGER,                  -- TOTP: the last step that was accepted
    drift INTEGER NOT NULL DEFAULT 0,   -- TOTP: steps by which the token's clock is off
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX key_by_user ON key (user_id);
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
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'B8D29B2A7421E5F4DE0CBF59B98CF2C083EC289A46C3D4004188E110430ED5C0BD');
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'2fa8d185fbe5a93d76a5f586a8df64af5047948729ad902496573048a5483655916190960cfa3da2f2c5e232f3ebd6a3', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'9fd71524c85af74492c564d78a790e8621320b8c5007c85bef75621545814d152dacb02f8748ddf01e253f45c7c3782d', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'bd60ccc3f13df4c13caee106c36b8d32faa24a925fabc97948a2b2e6f24f83d27981a84988ef227b7ee585187fbcf0c9c83af0d6a423ba84a20827fb', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'4eba434c633d94be3c870e9e959762361fc73c89a2c34c196f3980505137e7d5845811ff3de8a66ede057c94fad5e860', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'0b92f2b2c06c5962c3f8fb3bae7b865b248c434e6c8d0a27ef672e86b29ec4ca2c1804d6320cac107358c71263acb23b585c59ecad959a4abccb9d28', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'bee6f53524675fd5c1e9e0f70964fa50c348c70a88a0bbd2115a021e3c90c34cd693ce56033b0dce32a0b25c6d7f57a8', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'11f518cb84c2c26928a3b6a6857244ac251b1f53238c6603c4800fc695f5a083d26212f24f837fa458c50b36bbe1a405724d4c6526c984850f76fd9d', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'7edd9a7560dd82c05de06612c3f714b5b9b3ee967ae0ffa231bed0b2797737f924048c94c10884ee85691d893931b6ca', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'4b9d2cb1ee1675ba06d1eeabd581f17b0f50795afb369fbec9b23cb0d52cdf044fcf475ac12e91962beaaa0fdcd7c152cca881fc51dd0a5f13c62a1a', 'd1');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'41b5b3580642cb7b7aecfa5887c74fbf5319315fa40260b4c0a58d78fc78f0d2bff1a71d', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'9f318a7c804516a84e13a6f9007674bf04a74533c9af82ff260efc89ad9417b262365f85', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'c108fa265bdf07e957bd0d59442ff87507a40a48e0508737d8c1b37aec33213b17c8ebf8', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'52cd5d60eac2a1927a5c5fe96e0dda7266b3a56a21ecd63ae74da639987e66e61df05cb1', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'6e3e5e21227b01353b9c8e93966d8860406b20f9d9b4751de31a36ae71dfa83ee19f8526', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'active', 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at)
    VALUES ('e-locked', 'u1', 'client of e-locked', x'af3174da06ae24f97e8ffd672756092490f60cf48f326dcd176daf6594fd0dbbab05ee23', 'hotp', '{"digits":6,"counter":0}', '[]', 'locked', 'at-once', x'3249f9deb0be96f92d15449f558442b26b0332abc51a9c9ebe7863b085c10bc5', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000);
INSERT INTO "answer" (session_id, request_hash, response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'616e20616e73776572', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'70314c57796430737522c1275cd8249da47b36028b918c6c4e0213d0e06b6c9dd8ccca99d9d803f1ca5cd304ce5cc96a8b3c493f04ed960bd7cf315e');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (1, 1, 'user.created', '{}', x'b44d99c87a5672094b315ec493b6354db488e836959e6e4ad8e813cf579691b6');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (2, 2, 'key.provisioned', '{}', x'96271b88a268b5be90dc8e6c4071783834e906b769b3e1713741784785ac5b57');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (3, 3, 'key.revoked', '{}', x'58df5c4a355d74049060df09667d942c0553f246d185c1f72e3042a409de66be');
PRAGMA user_version = 1;
