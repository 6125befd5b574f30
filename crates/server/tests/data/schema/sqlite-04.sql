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
, delivers TEXT REFERENCES key (id), answer TEXT) STRICT;
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
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'B2F7264B5B53C9C1AFB66E124D5590A360EC737BFEE0F745DAEA20B9033A11F3F6');
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'933855305d0f6a00c2ec32098e4f8272392d85b4eee2a5ca106589d45feda7b981306f16ae12a202819c9947aa4b9b25', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'a92de52fcbe321559f543e0bc2c454603b4dda7313e83ed18882892993508edad8b55a1d00010fdf83fa4776d8dbe98c', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'414b15df8eb0793d4eb24854e53cdbf1652edc9885140261d017f72b8f06f7b277b53a7249941fb40825137bc4c0970ae168162cda27f7ada6e3cb29', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'6b4d81e6fa2655299201ff8b6f7821045f435a58b73802813ebca4614080db0e0d42587c988eb0328ce00b43c2c2e110', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'ce38586dfc311ed5de5bccc09435ade64cbd1587813cd095dbc8e8110728286050150d6b269db8910a55b49ffdf2664baf7dbec98fc259bcc043c70a', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'10c77569f9181800286fedec3ec7023b3711280825eaf42d3064640089147e416874d6f2850e335457ab1ceffdd23aa6', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'8c67f5c920ebf5bf6007c04d8dedd13adb0fe720c1e7c1285d85b8717f2b9ba6a7e7c8975fb485a80de6032784274c391fee07b6fd98b7b350f4d84f', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'0a51ebcdc289dc12d42e0055990bbb0760aa13b468b392afcc1069f204ee77c05682a8f6fddea990194486ed0910a530', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'cfb44e33ae64af4baeda63e3d111de6a7022f198b81ae0a986f17e3d4da64e0f192d09f2439ed7990629180b9daf3ad09941109d2a787767fc84464e', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'556d95afabc2e67b41e8cd68d276f971061bb5a80a285439b9b9ff8966f9bb8a016c9226a45ad796fcf38812cff9c37b', 'imported', 3, 4, x'7e47272ae28ef34a88289f6cbcf9ae321b503772d93cafbd3c4afaf6d29ee9a6b17c382e174a1478873a67510c28af13e515db0458f9d8179644487e7a9ca7d44465ce889983ef2d04f7f6f2081a2ba8a4b754b7004454eddaf68f39be424d57dbd628a971e916163f26eb2a75c7160feab23c307254f39d0dad3b11bc672777d564662b733871256fff17f176aabc2c4249bc08a5e9f9400ed2026bb4d0ac5abb967603e70d8a2601b8dd87c4a00284478dba570a7dc9c043a374d458a495a01b007d9f91f05f18e3b7ad6dcb81f56b5f39951288aeb3f331fc7824816c6b931eb6b96347d7709253680fbaf244558cd3071ecb7a780debbe920ffee97e82dbc5afb195773fdeda78f6d94a01868d73e78caebfe73c2dc279eecc150ffd5ca8dd840198c9ad1972bd852957f62f44211e9cbaf12e472d8c28f89af82b0bfdc6ac1de4e15786a7c2ded12e3b513a66b1303dab040c1fad0d1cbe46bce9bf20fcb6e068e710f12c31c3eda2fe74274bfff11a262c9cd9b5');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'c7e459c8f37c613616a327fcceeed590850d9aa80eb3e2fa274688e3dd15c23eb8e3ccbe', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'a9d17bfa1d94d5db83b4f7af8b154270591efe99352b300cd611ea32be9dc7ad5d6faac4', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'c4ef29a674f0b858c46911009d5958ce1ea5ba8010158195a3da046ea21d85f8644c69bd', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'd4b511c6697eb6e16bab1fba8082129a0080cad69bcd130bf7eceda033edc17101cc77ad', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'e748675bb033b42360133c4fcd15622070a37fe5eaea20685f4e84ca1322d66d3eb8754a', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'active', 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at)
    VALUES ('e-locked', 'u1', 'client of e-locked', x'd83fb54f52f47198b0a56c6dcc6cf8efeff0ed64f9d7ac63655055f60419d10d9aba07a8', 'hotp', '{"digits":6,"counter":0}', '[]', 'locked', 'at-once', x'3249f9deb0be96f92d15449f558442b26b0332abc51a9c9ebe7863b085c10bc5', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000);
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'32af6c24fb914403cc53fc54baae851fb9263d523ba5d06305800c7f20cf800d4352ecc747fdc6d83bddeb50b842d56206', x'6fb5941b379b10c54e77f2101d498c0074d3a208d2cd494bb0d271f95520c883dc52b6abe808ffb3627dac019b51df885c7d60c2da83b70784f5a7d2', 6);
INSERT INTO "answer" (session_id, request_hash, response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'616e20616e73776572', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'0ad5f4df8b6961dbad3e48f63f9d4305dbf9abdb0d230795b9c318960b8a918672e9e40809efb3bd17a20eacf75a33087213a86cb01833dcb930a3f4');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (1, 1, 'user.created', '{}', x'b44d99c87a5672094b315ec493b6354db488e836959e6e4ad8e813cf579691b6');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (2, 2, 'key.provisioned', '{}', x'96271b88a268b5be90dc8e6c4071783834e906b769b3e1713741784785ac5b57');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (3, 3, 'key.revoked', '{}', x'58df5c4a355d74049060df09667d942c0553f246d185c1f72e3042a409de66be');
INSERT INTO "import" (id, done, accepted, duplicate, refused, created_at)
    VALUES ('a file', 1, 1, 0, 0, 8);
PRAGMA user_version = 4;
