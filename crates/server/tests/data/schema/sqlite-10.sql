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
    only INTEGER PRIMARY KEY CHECK (only = 1),
    id TEXT NOT NULL,
    tried_at INTEGER NOT NULL
) STRICT;
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'361C77C3155D50727A4036FAB0F87CC620BFA6F6139EAB0BBEFF1BA26CDBA261E2');
INSERT INTO store VALUES (1, '0123456789abcdef', 0);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'5540a3a6d08236ee854a86aef85ebebb8fc99ff0f14e4aee05c4c748b9b0ffbc681e52a9489ffa750ae311ee06cd7dab', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'f38ec66ca46f5a2f50110c65b0bafdb7c086e08b5a4f3f821bdb72b7d3c2430fc02ce3574cc19d791bb14d0b5850883f', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'08a8b61f8b22ce4327bc7ee54deb3161d65ca5075596d3a1add1168dbf21b308a3177dc9d231e9e9760909ad955ae0c4e8f20b1a88dc00ad831d2f69', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'a1f6b3192e5dd406a20b8020843db757525c871a56bca56132b30b43faf2a6456aa0e90ec885a769fd87c230c07a12a0', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'40912f5a4f2b32c16e525e779004dfc883fed4a359765593a687de9b79fd4b4b032cdd5a9cb660245230b8d0f73147c03a6b5ae4dc74676142fe326d', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'1f0b3a6cd16dbdc785865872dc828e46ae426fedd4673bb58ac22fdb3ac29ab3b73430dd126d5b0db19d750580185990', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'6ed9c5f641781e0a8ff0593d80f4dd558778235a82e8041430ddd3a15df305edee7d4e741175b46c99f1d81f21eab8471c4271c2f10b9d95e6ff3e1b', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'0be5b321d25cd140d48ba0baf804b76656bef4a055813535a171bce74ab626e94f673ea02472cc61141c7f1222ee94e4', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'b9e5df35dfe147ec7fe550990db27b082cbea22d256e44c3e30d3f02ad69536f995d0e7659a1d6396cb91857cb1aade7d2c94a216352fb8c14d052b1', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'7e6c85ca55a5b20daabdb289bf2051c26c2ab53737e303400da9d461d3a8c1b0d29e6bcd3069f549653283ca711d07e4', 'imported', 3, 4, x'bcf9da924cbee7f4463af944da3b812ec1179e3b5de8eb63ff3e4d4ac0093960a47b086f75785a346f4a926c0c80fca147ea52dabb92af750ceef07a51aec63f42a1d7fc81a67038783fd36990a3a4e50b52118ca41c0b7633192e46ed852d5307089f02f1cf620deb9d52aa5224fe1ca5f14ea944b092da0412e6db07b73e8307d74a9a87bd84a2e9724b2daeb8a6dd19bd14e4a30d75f23e5d321d232c97866a0a4fa8b5fd99fb242a6f0a8b534386119729712a7738540995b00bae7009b4936339486b028612f635d52453f7216b67cfb5c33ce658c715f211b4fa1f13c9e7f02a1aa5d840d8274a6f2763ea3254a639b220adafd2809597ea50ccc64f8587059200a9644721463f46839e9459ed20b8fd79ded5abcdfc392f12f00223bf78a5a19e0fbe49e0ddd706403587b013f0dc023cb899c465a0bbe058953c2a9875b81124f7e4b7b0a4150395a446c9497555fd35bf64700b99333ac4522a2bcfad83c1ca0ef3c5823da0ae41410a51ff5fdf36f12489f0');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'3b2efd21029d4f9ab46ad7b103f35209106bf5645a2a6225598a6fd9ec11bd1fdc4ab212', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'067fb8ca00815adc464f3f2858c9987f29beac2e4ae4658b03c308d9c9de3d84eec451316189fb6296168d9d898b62bf7d1905353b61943d3fdfac763860708d0672500b3c92edd145a7f0cd516cac52364199bb2ff16d5550dbe4c02520', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'53f4d48fcde82a0cee4c716b3f80a157ba9989e2e81c2838c2ed91b39d5af7383d8e0158', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'8577d6ce0b49591dc9e25f8a56578dab6ddd183dbd14bcd16efedf6e50de097b4ec47f4f6647464b74cfd6ec561cecd2b4c2709b832652c23b8f8948275aa0fa239bfed6266f5de0c1ba05c49bc0bb1470549614497f53f828145c5d2cc6', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'3917c51406ffd741b9c9ecc3cad2f94c8c538f4df24132d2380fad9aafeb6b88763988d9', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'1e5e1cceddb945ee323b4e7549a66f173cbf342218fe169b583edd4d65e672cfd4221d1deccc32c0f93feaa441a98d3057420556af82d23e747011946098bd8cfef0f647d7d10606a8db9831f9bfa6eebc05c4cfa5d51e3accc51439d998', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'16ea49b361777559ce74a25dc040321d58fb0b3cf9bb0635c6585acca3f2f66dafa64cea', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'c395e0f9776b55c3aa56cc83dc6460f537855e399eb8a29c5b88917d1bf48d5ba4bdf1fee08b951ac42b4815456669dc2ab017343162560edf6481ca06e27cbcf23dbca44c5299c8cca2747d6bc68d144aca56c96a7ea8487e2c252169ee', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'7f21ada974c54dc9cf75515146ab71c987fc19a31ce30db6de22e6feb4217ea7d2e76690', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'47d757865d5ad3e80d998e2a04e07d3957e377f799b891f043695105ecae0821db7ef64821e50c77bea07f4eda57fd4760f2b5d954a4243104cf1dbc02803cc2f7e2a4ea2281591ca94d4fe15e26f78f1f95003434bf5df25cc0078e32f6', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'46555a0f142e313b19c4b6ec59baf48c367ea2d0af71858e4eafd1f9cfaa4f580bbe4c04319b45e7d32494ead448a6eb61', x'c75f6070e29c82893d46bd0dc980ac844089aed7c04d1bbf69363354883da9bb496f78146c3a4361df558b156e8e8c511d137d0d8089dee0e437223e', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'026ceb98fdb63cca145c9e812f7c832479700af90103e2a9723edda9400a5f1f96df71d0b3', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'07982f298f9a3c29e97df8e01632e2503066a9ae5b8af86cc3d2b86a108d4a08dc42bb2a0c1e5c58034c0880583fb47e388902bed0c9b7e9c3bef80f');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (1, 1, 'user.created', '{}', x'b44d99c87a5672094b315ec493b6354db488e836959e6e4ad8e813cf579691b6');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (2, 2, 'key.provisioned', '{}', x'96271b88a268b5be90dc8e6c4071783834e906b769b3e1713741784785ac5b57');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (3, 3, 'key.revoked', '{}', x'58df5c4a355d74049060df09667d942c0553f246d185c1f72e3042a409de66be');
INSERT INTO "import" (id, done, accepted, duplicate, refused, created_at)
    VALUES ('a file', 1, 1, 0, 0, 8);
INSERT INTO "wrong_try" (enrolment_id, address, count, at)
    VALUES ('e-open', '192.0.2.1', 1, 9);
INSERT INTO "refusal" (enrolment_id, hour, count, cause, at)
    VALUES ('e-open', 1, 1, 'wrong-code', 9);
PRAGMA user_version = 10;
