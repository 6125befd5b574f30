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
CREATE TABLE pending_key (
    id TEXT PRIMARY KEY REFERENCES key (id),
    enrolment_id TEXT NOT NULL REFERENCES enrolment (id),
    mac_algorithm TEXT NOT NULL,
    sealed_k_token BLOB NOT NULL,
    sealed_k_mac BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
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
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'4198076E6CF37C03AA0776BE9EE35C2F2CC78664CF539DDE95E45C0A550E7FFF9E');
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'5abfa2426a5a4357497dba71433a118148e8d3b68724111a01e8447cf69f96c5c790535cfa79fd97e20df6d8c2701b49', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'1ae8505ca00de6c1fda3b5188db2d39bd12593b5450a45e4ce56dca3e46b199efe457c00d70600b7412b4a2ac4fec827', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'0718ea1c9f6ac5fd4d3c9691029afcb8a9677319314bf4abac2eeae5d23992b76946703218cca086ae62f990be9fb94e63cc6ee9eaa11b7436a92fc4', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'6e3c1bd4705088a9e074f8aa04c63ec6cb0a02928338ccdac44526e052e4abb4ba950a98f8e75e3ebc11d11daea9befd', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'061e661d77c7b727fd6ed9fd1f516627dd760b5d7984cf29318ff0cabdf071ea36d2caa10f49ae14346c6028876cebf5737d36e273e0a47d130af2d7', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'4fb2ac4d8223f0101fb9f3895e147fd376aaf1a335187feddfb14e2b0589de8803e7f571675230dc2cf7ef9a2afa2530', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'eceb8692a9189f68af9764c28e965a7b6f35088fcaa683c8d62cd998ba9e4d00940c0e7d2ac66547e57e71cd977352f99a7c420d757d84c98cf761ed', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'05344ef6577d712fbe7ccb0098c1cae72caf55bd506d67574430fb2a4411dd9f1985bd26e41509c7228e9714ee5cd172', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'7c95f235c14f087972f0f86f8c46de203a4e37730671633fd172bafb33358d41c6927c795a09f91efd225e31e151ebdbd6f4551c6cc4ecc31fb72c9a', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'31e8ebdeabfd06e45fcc6151eb0f2d95d2138329163302ecd95a6a7c63cd217200ff7069f2e32228757d606ba23452f8', 'imported', 3, 4, x'2500eecea30fd2cf06454f40ccd3f894e804bb6c4b4a55896c53112ac8e346361a7ae4be583abc8837c8a4bd1fe3fe8dd3dbcfb5dc35503d5ab0a48394fac5acba2ea4dce4835de175f9d8b4ccf081ec9870bf73df552a00a4aaa4ed025389dccfb0fcf600a82225a6aa14787b561e814b4f089d584dd321bb9d0c47d7b3daa5c6718ef4a8215a1a3e2f69122d760869134685a8ce7dc4b7f160dd73c3707e75eaf7192210df24bb38feff04b01041c2dc1600cddde4d29fbe9e549862f58413fa3bcda80f5c809b4716fd543b990e6ed1e97f21d770742e4a53895a75504084fb36041d466a6853092a4876acde61c77fa2faad258bb140ca11791593c71a023742fed62b79e4ffbb97dc8f5048b90da90f5d10e751198ce14bed94f7b98f9ea2b43d445815f8b6d44c293bf62dba90740d58de1a43fec287e021e3337d8231f9bfc9510524c9ce9e4d3c1b7ecdb34e82b793c0cb90f43b86d98f631c02c7c3ec0128ea52f5022806c4a15040be8150c6f12705c97ecf');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'27ce59acc93fd5db7c15d749f9dcc6d841952817dbecdce5bc6aa7df216447b63a94e89a', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'37c19ba6f4c74a30355c70c420a71eb48ae5c9eca2dd27cf363f9f6101d4d5a41bcbddbbeb044b414879e228e1f0d895310a822d40e51bd80a91390ff1dc86cf263122e2623bf16bc84cd36e328dcd6f2dab8689d6f723e858d9ec096861', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'454e016315c78ba86850b53144f549977b744154d5202ac9d3dc4e7a31c740916f105750', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'9e9b8acc173931def455cc1889b5ce98e47fc3f7d417538820d5e75e9c31ba2a43bb55c4edcd564ffa8efd8ea40e79096ca56ba6653b2f804b52cd32d39f30bd331abd557e2c03600a708533f7eef7e9dcb2fa6440fe352fa930c2318408', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'7018c403685aaff6acbf933b863c8ad29e1fe286310ccb457ef27e23a8a93e9140fd0ff0', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'fce505f4f4f036bab6b387cf26f72449e9cfb33899b8dff9723b58d41bd4c95b17b6a81e21505c9359d4c716d632e7279413c6ee4bcfead0a938f525e6a3b6a69ad4468f0230d28599a159e2c5084d2b08f7bdca33b51ae11886be8e6385', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'fc4659307c9ccae5ab6538827f32970723d265e294a7070d8d2944e7faa5c0f7404e3b55', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'0369f54ca1a4ac4ab8129c13db24184c6404fe81d92502fbc084bfc6bf91568f8271a7d85da80909744436f41e762668e55c1d96d01e0fae4f96e5b2a8579207ee413ef74048ee7fee48980f438391a0ac409b587943426dc36e008ecddd', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'4af7332880638bc34cd2c6a1b008df37115ac68ec93b0fb95e90cfa5fdf0edf0bc4c922c', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'5e061a03e16fe7c0779e202acc2be3e9b4e8dc8bf26bfa04fb1899c07fd5a7bb53ea8f622b350ad101b54725ec02e64915d72a1ded4cfbcee80341977a4df4fb7f362eeb92a9bd196e696472f86aa3d3bbad4eb57ce0e42a7ad9b9789699', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'a8371a3c8da887404a20ce6982f5f8c71355767855040358808847d1afdc86afb0952bb13b3034cdf533081bce4640bc51', x'a9b0859834e771d9ac893cc1a2df9f44ffd87d68498395ffc9d0f32095766b86acd6db53fee445e9599c286dbac9956eeb3aea67f359c1635aa26138', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'572b5905f35ed00ee61b759e611a2f28572c1c63b521429ba24e8aeae2138a21b7a258ddda', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'4e66d90826d429facc65bc9d4549fe691436bc32e2adac6d8c57c961b3e960446cd09260a475429cf65df832a0624a5547c44bae4cede0197389d817');
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
PRAGMA user_version = 8;
