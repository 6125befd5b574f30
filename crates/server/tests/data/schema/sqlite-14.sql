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
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'FE958567BDDC72D2C4D0C2455F9529D312CEE4CA2347AC34CAA442EE13D3FC72C7');
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
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'32b2adf6a24da9461fc5ec8029a6063f46cbf8bc9d178c9422647fc43bca961772813e2602b70057463a95c247e0210c', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'521cd6ff6a6e4a64fdd1ae54299567df56585707432dfeff9d7b38e5ed9b33e82aef860b9373f3c0b406dfb806055c9d', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'38ba81397bba9fb93876043179fbae4c6b174a1613e27d2ec71021177f683c8c4c40f894a71578a93d0b69705fe6688363b70385c69b1b7a4ac7f400', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'ad99dffef726f44cb9c0e3ea139c15867826cf85e1bb3d3a9935e80d89e2b80b598696343db93cc6c9dda99a5565ad8b', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'55c1e9fa2afca9527e1c9d64b69393da052cda58b515b8ba0cb6fc1fe420c10d09c489a74025dceec4ed93ed65da8fc6b0794f97f4ab0f3103df7848', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'f48bd8f47c4d9ed776b4cb187637192585775a05bfdebb2c2e06b063c57f8eec0e1a047c226444cb655b9a64c7848ad2', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'442bec4bdce3beb46c3ff0ca5054700fbda24aee097b3693643cdfef8e09725a67b8996dafe8247ca11d4524da1d87d580bb0891373cb46eb4b03057', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'98a4c7a43c6b057cf70b011e30b38cde3e2db9974589e1758083d00a2a24e0fc4c7f2be3c42c46fe0b2e0f237dc2d8bf', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'c962e642fda420829a1b102571b56b4627355b943975c188ab901edec40c832810b0325a34868dca7a6d902e1550678a2c07d0ed5e277ee100263e81', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'1ab556c61ad8baa7b6006e3585357a3d2817f9d806473623929709c6765ee1440383013001bb8ea7e4539c23299ca93e', 'imported', 3, 4, x'890e31db0d5196fbd9c016bf40a63ad0a4520211093d92441153a7b3c8cd4ba07296c57c2597cc5db66761286dbca8569dd3638bfb04ac88603de744b127c6f7657f3c3d83911f406a4093d19cc97718a33c7dd0a04c133187540af8d03b9d50b9465bfc726569d127049e134835978904d425a79f9a77254fc0d9e6eefc28d6843481dbbca62a38faaf574f34fc6440d05acbb3b136733b44802745aba7c8bd9258ed2ee92f273e64a0805de08ce2d8d250c3a20f66482506192cd4535aac0debf9ef0aea4430401d3b67ff0985045ca422c5db961cd78689352ad1e93291cfe4bde585302b174933a646f99c89b7d7909e51f159259db78996ad6d74905bab27a46317c9c0aa47bbca683ba7a2d03d17a9f27921c5afeac28b8d9e02f3bb99a733685ef3e0029fc391a486ce8e41a614395aac48939e27b69c1b6ae51ef8c9ccc08b96c06e5991a3d52445f4225606daad2dd277bbf811bce5c90d424ed54e523b52b14d2fcf1d5053392f75830f1e46121f03401e26');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'a43278e3830da571a31401fc930ebe75c8a779b41df78614d2101ceac9dec2eac84882fb', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'1c0c9b3fbf5e47b828fb1d060f331fba5470708e5b21a610d3b96996c1a7d56a6188fc83b649f2f4ffe007f7303f57c3041005f1d456501a9efdc959d5af5827fedcf4bb8d648e7664f4e510b200a3b07a32343ee5616cc92f0027d6a702', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'6b66cd86e00836441591071b8c0fc841fde39e0770963f95890744bd3868b966d1987f5c', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'301fa83e13ceb9183b51b992d1d3db510399c419cdc83206e5e138abf9881099443ed8c5f719b1edc42fac0ae9be65bb1cdb8986ef8a1ad35a7181e90c915923f79575e109de55ea6a789b89569f1f375282f07b9164e8b7d06e1c675f03', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'7445c2bba6127bcb5bf50853f91693581f4967351ae0b3237668fa8a6a2652198d78b1a2', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'3e7d94b0726542070db325959866779704646c99e3e633ecdb82b88ab845b8a01395b4c3dfe244a13eb5b0b6df4c53f133a5f43cf916e44ab683e72d4e27d618a024a537ed0853075715819f594fd11d9ab0a8b1732308629bfd91c792b4', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'3a6579bfa6cf0fe773b7410d1d103d7e735f1456f65a798c9a509d6e26911ea4eba61be5', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'6354eb98ab4e01bfc4fb08f7396c54d088434cb4591af99bb2e80197126196546ad1c2bc26e0ffbcbd5ef75d344bd3b57b25b5c4f6366e5f6322fe06f629e440b0e2bb454582c06d7c5da6e95f38e72553585b9626eb1e0875b920b12cfb', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'666ad73e75eec56f68bb9cbedd4079082c48831639d167b9ff58cdd919f2a11d8d445694', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'07f880b525b6b48540222882a3de6b6bbff503d77ca967adb86841387e2e722cb485094afd5621261dd50679d045ea19d24d3ee683aa9dc4ab7677b08253a3af21545c434d3012a0ab0acd8b1a32aa4d5b31836cec11603760e6f71fc4fa', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'cc1c932aaf164fc120f53f7a56291bca887c8bc47cb7d21cef39672aaa512ec562d17e10dbba00b90108a231f92f7c6f57', x'191ba0e96ddee896ea32db519c0c4e4c7c28805e5d5de70c36ee5bf9c6687f45c92f4329e40168359ac4d4123fa3cd6f8fe0a51cf508302f9ea8130f', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'f603dddd5ec2aef124345490125b32261c8d3f1429aede13dbe8a202ea58f027a4dac6e3e5', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'e6f8a8b026bdc7d6b7cff16290c339c45085c57673145cef1ac06bdf62d348b27d27ff1cc9127b1964d196d9d6e67bce76a579453a48b7a4483f2383');
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
