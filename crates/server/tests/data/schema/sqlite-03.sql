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
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'C7B206728BA68801E98B9CBE1D9FDE7AF771694C8DB7DEDB31B5DB8BA9B807B267');
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'5638aa9b440b584ff04504b15a925e108e88ff34f3f4fed9cedabeb32017a501dd1642aa82eb9e30cfe913304c430abc', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'54ff5dd352ca539d9c99b3e1bb6d89a61cea3f0f58ab94d2edb1a2fc8e70fcaa2a13901629f8cb7c25c49d4084524357', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'd23e6763c84f137cbb14d5572745f84f3b5034699f4542add7b52e94bbf04b6dad5b3746f79fd685d26eaef9f71188460bdd72d1192334d1c301a3c3', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'56f1202f26ca7f8670597446351ab442bf3c800730695d28d3551d0c0f8bc0a22a7337c49b8a1abf5138eadb004c1370', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'0f8fee6404c30dadfd554c0ca45003db16a8e7e19addba7e1491e3030f839d667074e8b25c018d49a893ab3d8b7c8e5460070625b3ea179c7341d971', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'7ba1bc1e31ea797f96bf129a6908bfde01014425828c375df6d2094fa10b5f23d688d7e26f35c776aaf0435b05c62941', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'bbfba9aad705dcc331774ee2b92d42da71aecccb7da16c7c76431a0e312c2d6c16b6554446d628bfdf597206599c967fc017c069f7082a308c049b2d', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'40de12cb70ae56352410e085e5cef99cc1d7656deb57693b3384f2ec99c4e82f07fd5e83f45d080f77a4388a1cea76de', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'59fbcbefc0144e8916126c3beff51072e5904dbb802d936b159cfd9008f9a293960e4c57c378a5194473a877eba304a6b1bdd08c9859ac6b21b016c4', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'2297d938e37efad3be39a5a0677b0bfbb270a2f077075fb01432a35f26d9f4cfe0377233908a3cbb81ff3323fefccc54', 'imported', 3, 4, x'aa425dfea8881f201f43e2307c140bf791caed212ab88e436bae1a473573f2694f35379667e6122b33ffafee1be46568c780695d6c092ff460ce263998d7e0ec93516e1f8f23b096d47cf997c41dc9557eb26e8533324876ce46c90287b6e097723fd1dfcf662791b2bb5b7c444764b47f6d82d94542d53678e0ce0e69799e4e22060e4e17aa6877597e2b165793d1bdae0dc20f35a17f256df4a506d1274e38594b9a486ab244e69acae9f7ba15ab35066f75a6a33a8103f8ad9f65193473e9c1f39da51736d6cab19706015789f461683a3fe55346aa63fe607908dea1ee8d164297d6487ab63ad582c370d77e70961b71cd3eae7f5c579b52196c9adf298c864ba5150d09a9904f874d7b20ac91e0aa9500f9bb0d9052fc3fe32322067faf8d25202b5a471e913b747ebaf982e9c38dfcc0a61f4506dbd53046b5102e7c093a992be4e54c6d2e1b302fac46e9615a8e25a1c0c8da6f60b7d0a76a02699cee611d6ba6ea84a051ba4a019b6fa599a40ad1d2912c7428');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'b2935cace0f9814c2f03b2fbef02c84dd809cd344a099fd9d2269da541819178b3807f50', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'c4a433548e7ab84af7095564036f28d3d9c89ac4927f38a4797072b9a7750ebf0880f138', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'8580598343192063edd4357356ab4dea60c111fa9f956b803a59cd2e054fe897e1a3d78a', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'6ce22eab1c89419550c0efeb97ebaf85995c8e888d6234a3ef7ad2a1a091dc19ed9853ac', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'065ee672f4a26926b959f16c1cc35bbe701d76c1b48cca58f0755415181f3e398d4d3e73', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000, 'active', 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at)
    VALUES ('e-locked', 'u1', 'client of e-locked', x'0bb29b249c2da6fee965aef3b7cef3bd465877de38100eafad3fb1eb29d6899a938d478a', 'hotp', '{"digits":6,"counter":0}', '[]', 'locked', 'at-once', x'3249f9deb0be96f92d15449f558442b26b0332abc51a9c9ebe7863b085c10bc5', x'01010101010101010101010101010101', x'02020202020202020202020202020202', 'https://keys.example/dskpp', 5, 4000000000);
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'c2e57cca7162bb78c7d4402f4de01cf1649ab19d84498ddc756f9d900be78c02c8d33564b46156602fbae86c2f2808ba2a', x'5c3a75fb3d5a6c4c41eb64e3ccd80bacd5660831b9ccef6358c0c525ff96b4c8136d5c6f9dc4a89587ec62767b872eca2d4a6a5503aa3a3dee4da9bd', 6);
INSERT INTO "answer" (session_id, request_hash, response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'616e20616e73776572', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'ec5489a8799a1dcb778617b4a927706b2b459fd9a8a5badbf40340ea56b5f3bc2d43eadac6c7c3dc7b8ef5a2ef4f55ed79c4d3dba57d9774f8ae3b89');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (1, 1, 'user.created', '{}', x'b44d99c87a5672094b315ec493b6354db488e836959e6e4ad8e813cf579691b6');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (2, 2, 'key.provisioned', '{}', x'96271b88a268b5be90dc8e6c4071783834e906b769b3e1713741784785ac5b57');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (3, 3, 'key.revoked', '{}', x'58df5c4a355d74049060df09667d942c0553f246d185c1f72e3042a409de66be');
INSERT INTO "import" (id, done, accepted, duplicate, refused, created_at)
    VALUES ('a file', 1, 1, 0, 0, 8);
PRAGMA user_version = 3;
