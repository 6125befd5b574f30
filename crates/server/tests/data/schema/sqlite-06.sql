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
, delivers TEXT REFERENCES key (id), answer TEXT, key_location TEXT CHECK (key_location IN ('hardware', 'software')), algorithm_location TEXT CHECK (algorithm_location IN ('hardware', 'software'))) STRICT;
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
, rejected TEXT NOT NULL DEFAULT '[]') STRICT, WITHOUT ROWID;
CREATE INDEX enrolment_by_delivery ON enrolment (delivers) WHERE delivers IS NOT NULL;
CREATE TABLE pending_key (
    id TEXT PRIMARY KEY REFERENCES key (id),
    enrolment_id TEXT NOT NULL REFERENCES enrolment (id),
    mac_algorithm TEXT NOT NULL,
    sealed_k_token BLOB NOT NULL,
    sealed_k_mac BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX enrolment_by_device ON enrolment (device_id) WHERE device_id IS NOT NULL;
CREATE INDEX key_by_device ON key (device_id) WHERE device_id IS NOT NULL;
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'89AD3B35AD050D9AA77414651AC8BDE3743B38E89CF3F0CDBF943B575FF2D0ECC6');
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'2c9bc4143add6ba5724da8e46587d66ffc82ee3448374ab9733e54c402cd4e206709ed35cecfe6dd4b961192baa6ac4b', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'0ac588a3e04b089a6059627b44e887eeb326d493ec32485223e22de0c7a995b7a3e1ff26894786c2c4d1c2e811e02587', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'fd68b4c6ee3b30e0111278df7f80655b074aa82ca4f33521ebe754334965385a0af18b5900337c1d5747964105a06a7f2bb12b3834cbf0b58c05b6a0', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'8c6ee1970bf809af6842f38215b5308da7e87598be0174dd9ce463478e2735ab882932e83d0ee02a8c74a692d12b179b', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'de1ccfed6bad49cc87ef8a191ad7b2c17ee8627cab907abd1bf459fadda74afa40311af03f59dc8c64dcd2f09b68696c523586d9787349b4291a63a2', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'0763cc6619b2fe67531d8863c8a63437e011c5f659415fb47e54694debeaaac039218185f3bc18e7924e0c652413c8fe', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'0565858f021cbaa37182504021d91acda57c65f8be9f0c8f90356ff6a07d1426c2011b07853e95468bd823540ad9f72408021524682c40b3b10f9b7a', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'75e546e5ed896128806effc6b379e7df5a118a17efa2006f6f9f68c8498b4d936d74be73cc291003a80be5369dc4a2d1', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'5fe856520178c67ca397baaa693c0138490508ab9ebac3b7fdfbc8289945464be9a72f9687b5877141ef8afbc0e6a4a993063cebfb87472e41d05347', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'630627488b0d2b7b559c9faa5debcc32b3224a5d0f5369be0c299dcb86d955f7233f0759c16f150f2718e62952cb82d0', 'imported', 3, 4, x'e49217ff19d33ca3dad844fbc69a75388a518eb21c8aabe321364860384b9dabb59f98299c583582da517b64219ebcc1dd2def326b6648db10649873b89089cd3cc872c0ba3146d64e28400b82ad8e9b9fd0deb624d335552d577cd1cada886232ca47a85a3f711ba3a40f3fbd6e349298b590e52b179299756d959ff11be6c01141ed873d970325a78d1b260534df4eb95a50eb20c04699419f05b1ab5bded79b06826d5f18c9a1126a9a509895601de4b49368fa094bd3449381c8f25e525ed7107c544154a9d60c02858f21c795c22ead53d29b5cf2171bf13a1e2ce06fad42aae44a24d9ebbc2a3fe08710255aa9654ae7aee6a948f182c06d60fbe7c6c7200e84cdd1e9a82e38095308f688691e4fd187ef76f8aa8e14efa93cfef90ca4a56b4d92f3fbf4f643d177482d8293a6326518ef21fbc2b5ebd434738063bb34a0ad6701e99423f3191f48f5b13ec5550fc84d429b2a247b8de22bfcf8124a2e69549de8f13f7a142cf2246c1cef1763bd724834c68840');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'65ffc9f2735f56dd99a11d4fa171df8d2d24d1c5e5efd383917af428e7f5e958d344c20c', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'2e6a8c259d872033d1a683903c469ad1a9280b349e249bd2bacc39ff1d85b6edcd1bd33b', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'765a874610d6f14de0006f8a02bd03c30cd86a5fbc0f55f287156a259c7b05fd36aac272', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'b40c05e935991a3a3a0910c0d92ec98936c8e6a00aa7eacf5e6bb5c4c2086942f03342a7', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'77871986066f8b1058f07b6eece1611d025344b2366a36d96b059c39eb44cf67539f7af6', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'active', 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at)
    VALUES ('e-locked', 'u1', 'client of e-locked', x'fbd2766186964f00078b35847416a1eb1e07fb00e81b743607c4bf713edda2df2d141c33', 'hotp', '{"digits":6,"counter":0}', '[]', 'locked', 'at-once', x'3249f9deb0be96f92d15449f558442b26b0332abc51a9c9ebe7863b085c10bc5', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000);
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'48cafb3c9797b8e9106dd11ebaed20eec1d06901b5507c33e178e013dc2320c396b360fc28f686af47d547afe5d3cb16f8', x'41e335cf334c62a4af6d24d8bccc36012a9e82150a3bc22166585a1c69c40dad60d8251409b67120d39ea63e21a40056f2e818e4339e8f73f242912b', 6);
INSERT INTO "answer" (session_id, request_hash, response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'616e20616e73776572', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'674da718ef411f216a098954984b066180e8d741bb8e5fd7da111e30543ccbce9682811e32a5d4e79742dcf59045b10fd22cb55376df9ed7c2bfd67d');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (1, 1, 'user.created', '{}', x'b44d99c87a5672094b315ec493b6354db488e836959e6e4ad8e813cf579691b6');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (2, 2, 'key.provisioned', '{}', x'96271b88a268b5be90dc8e6c4071783834e906b769b3e1713741784785ac5b57');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (3, 3, 'key.revoked', '{}', x'58df5c4a355d74049060df09667d942c0553f246d185c1f72e3042a409de66be');
INSERT INTO "import" (id, done, accepted, duplicate, refused, created_at)
    VALUES ('a file', 1, 1, 0, 0, 8);
PRAGMA user_version = 6;
