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
, chain TEXT NOT NULL DEFAULT '') STRICT;
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
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'2CA1DB38B944CD8C106BEE68551EA63653343F1F226AE9447AA2F6BC49C882B5E0');
INSERT INTO store VALUES (1, '0123456789abcdef', 0);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'b8495e6b5f97743be3b9ab5962627dccf0cbca1fa1b2805b0eb40398c3c04d74bd3a39c10af707da75bdd2aa815b12fb', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'7833e92bc6e7392c8879d0eaf28244958a41301c185db9705eec05b713135fe2502392a342908d2dc9283cfa4150757f', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'f882bc1046c7f14e7730aa986f6a477fa72f980d9ac35c8f8220b7d14855d35d3dd0de90d529c8d0762c1c83b6ea537a252adff2117cdcc158c21359', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'9d011c3d88fd7d843b30b7849ec5c5b5bff2386f0a7fdfcb9269e6e4acc506910cf264cc9ab1ba46503d60cf313ec317', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'5b1f5e923ab8fe8dc653f0bfb19606f71f2e409d68b9af0894ceafcb42f5fb007152da6a4da013f6fa12260e73120cf0282fa51487183533d40eb551', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'786cbb011d4d95189b45c997b16d4b39cb3fe22acb9df179a0ae492a53406fd817bf8e5820ef0ba8b0737583f9557f7c', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'b2dce6dfb3e4bc272d7e1b61edae2f0fe8d6c17467d705e0501fe52016032f75c341349ef34ade348dbe93de0784e5b1e37c5492d370314d401b225f', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'50ee934ccbe40bedbbfb7b8afe4a328224fbbca762d1d33511687c7ddaf6f4b2da90099b8ad432ee5d6740c17490ccf8', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'5f5cbaa2287f0b5587b4d9717b91136d10f78391f49e71bd28fc70d1c65346a93aacc5103f4bbb2a5d7738da7d0ac261ce509c691e12d829b8dcf751', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'ff6ebd29d2bd82fdac3a2fd66674dbc65bee9f145287f7cc887af4a7507293ba601f6eb3249759cfcf08660048b8e61c', 'imported', 3, 4, x'ab2c815376032a82c2b1409c76c984012022e1e3fccc6ebcb6ac678d12f25d9233a46fde92da135535a5379ea26abf8ebd737328b3ca5b4bf4cbcb537772de0e190da9f1c8a4d58fcf12a6357231f2affb3515922bc5ca3702debd3a8618858286dcf2f8bb21b57b18264eed856b8446d81f5b0f17e2a6e02ce85698c28e613a99f60fb7e3b9dfec5db4464ecb3fdd55b7609e2d15ad66400dddb959cc96edbaaa7153d621fb81ab3a48c88ddee08319b87287b8ada4132be88645400d02726efc7689db5fbf91356b12a7ced2ca8a4edbee55cf26e0628872c6865f670c77a614ae18789321b8359fd69ebc2204eb067aa3223074b94d48bf17c03ac52862dff47d4d37648e625d8ba9fe1162a8f59440adeb2ba608a0a80361dc73d3dbcbea918fa0172ad1216a5d4f661b5954820d576c7cec4b09f7474ef373966a5a5051f3555a8186ddf1616973dc4b2a5db9681a26d30a4b677401bbc2489942e0d9e822c73c1cda1dfa3ff56c834b0bbf29479495c33be12888');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'899d9c3875cb46330ff2f57c62f2d1d3706edbd3a7d905ef111a62f5c7a593e217305f55', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'e54d742ff5213db15016e123f7d7e566c8f4e50dea556c82fabe595015b0ee134d0e644e3f6c0af0db0a37012cf82562681fef14d4d853b6ae7f8f08f94fcc0d28c29af280a7b005735057192176c464a65ca58923dbe6c57f4630d343f4', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'6214c0c6cb3c5e5ec94bf41580cad8f70113377c9d2719ae1572e644b0dc2a46ff886231', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'e717a617d8eec02e50b4f37e7a5588400f23e1d93dea4eafb9830f2d9e51dddce0c2f03d83b48ba1ca9b781f6f24fd1d54933bbe1a1a9e9e0afbe2386aca4c355fbd6b30b34285d16704e85d4cd72a249cfd4ddc00a3f4e342aca498ee17', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'3f3b9e4f7f4572cba47a9922052b265c6627cede58dfd0e963a295254392f1225306fc0b', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'2becb89291f80bc458e5fdb5298ae521a3605b7555bf180eed4c60808757467fe9390c3de5fcd0cb4f1dd1fb9018a30766ca743c110f7f32e5b18c43a3c9e464511f6cf3c58177c14f50375fba294d2635249dc792b90a6bd4b0551ea8eb', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'84932176aaca4b4e60e8e50c6caec827b85cf4fc86a44e0bfb289ffae12abe89ec6e8ff8', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'98c2791506963771ff6dab801f3712809ca81a37f7d74b745e48c850f8956f88022968d3bc7afec81cad66bac2d2e636813caaf8557c4a2e4282b0ff7637d4fcfbc6a96a546636cb99249449669286a34a877ddb426d64945ff3573e2fd8', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'd8ff6e673e03b7de722fff1fe319da0444aa51097b422fea6d6cbfc339922a692362e44d', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'997e2ba0c299fe77a002ef8aa0c7df0defc41fcde70a92d5ec728962296553b381b1d6335257441fa507d70350bdcc12ab5d42717e07b3b54ef4e5f684ae2e70b966af78546257de5afddde43702f88d54a83ab7a3b69376f06cb28df430', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'515ec49f0a0202386781829526e69116796fdcdd48102f9218a82bc8d385e897c1c22e919282f8b51d789e3d3c856cd9a2', x'2028e01c4fe6c438d15b8b104b4258afeb234af9b360f3a3a0562bfb91d98666505c990169bc5b6bd8ea35f384d4719f6a86a5b0b89b40edad5ef587', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'543f53a022b8fc17e69eab26461e5c003fa943d46bebfaaf2e126d6eb3b758a101dab1ea67', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'4fe5a11c699c3c553a8b884e35819724414bc38627e861cb27024db627ae857140c10bf2e56156dd0aea54ab084a829352a598c0e98fb6cdb164e4ec');
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
