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
    only INTEGER PRIMARY KEY CHECK (only = 1),
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
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'AD6F1045BB63FC364B16584E7AEDFC724635E3C69804C0D3A5B159FDF9F0F1D190');
INSERT INTO store VALUES (1, '0123456789abcdef', 0);
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
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'156db11b7c41e858aab11b866bac665ee420912092b251e2460cbf7de786a3cb601e4dd65990bba28c2a5fbe0fb81b77', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'f65edad89fdad5a6b0a3ede35cf2ef8a3fee90a0ea32de7f452640bf55f6b1b3e8d8e55d3d25ef65b829b483ad8615ff', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'72e8b3a9e3efc122aedbbad60407197af04f8cfab54926bb74e88a0dd071d91529040451f76ca7d9940560455c408cc9009f7477d35aa0d7f7d350ea', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'1e9ff29e48da9a882fc4f8aca1a1e909a286505430f1817627dff35b1cd6b28e655b7542abe47eda169400e103fa9e92', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'dae388a92f93e71a73f18f5e75d358318466cfa34043f9e883a48da2416bf9e1e5b8e6a9c93bbd5db555471c801c589080a17935a9ef3f1ae1933ed6', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'5c122e35e308484f9dd555cc1ed8ef4f3382d56b261ba7fda05996a9f0236d4da45cfd2d555b70bcf1b4dc6ffdb670f2', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'cef424cba5376e7e77cb00b551a334e90ee756436f7c8dbd8b02ae5966af1939a6a53f71c55891819e1c8a3abd6e1728203e8afac223d02cf8313e9a', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'a4ea7e678f5c08b64503024704317f2748592d55e40d3ab73abc8641cc8a22e3230cc01b8cfc92f041d21e245f946596', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'113a98c935976385b3a052f58d69c755e8c27e3a5f6cd5509158e6aebbcb314cf63904cee8c4f390e6fcf55413cf0c3cdbf49cbf555aa3fd5a883ff1', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'77e4fa685bc50a4c7227719c95fe2ec4af42a3401ab9756f28fd2f6fd45d59f4caa0fc7d5ebe0e6cfdb75e58748c102c', 'imported', 3, 4, x'2413c9d06c5a3f1a202c75fb4fa66c4bbdc6e71973cb980b9e890fa4404984c8c757d6159c9714a0be12dc2b0c8a928feb1170769c1f56798a6465d675ca8d17c07b445754ff592101c17d486258b6e686b77a8c039745212bcd1f3a089c61aba92d534970928d62f5d308528651a9cdebd05c1de88d272c2b4ba303ce27dbf8fc634f8d91135843980b17d12fe8f34375429ac2db5fe32a25eb976e356970cd55513bf742efff2de551539938b6d0fc7e2d9ad235d16b30634dc9927eb0d16bf2342cf29871ae1dfdba1bb49a71c7a15303c129fff2c981b7fded56e1506b37cce215858181c8f549326cc720c995aea87281746af796fed4c302311c3ff6c8f97d36cb5ebba3eb2ac8ec2ceb33b69662fd8482e98c3d3c211b02ceaf3bce5885e5a863c3c209cdbd082fb9da9818e1144889fe1fc2736691ef552042bcb73469cf5c4b21e16c03a9f56dd2464879496db9579218c3888743063ba5d2fc3af5b6123f7540adf489c967546b5f161bbbcd7ad953b68d83');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'9e1b70b48beaa5cbf8c03f01a3f437fd5fe719720c9aba1c72abde88d5281cbd7b9a0462', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'34433f59fcdfe9df1279c99e8fed5f4ec148432299fb144a3cc17c37da72cbd289522f1fe84c7315e440861f553268a9b40c407bf4b0c7c308462eadf21670d735d3e90ac36fa67c5947811715aec05c0a8e2204852518bf0c26347d3492', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'e1e59edbd43662bf6ae1462915c3af0583691dbfa2ee81e3b69e1168f685d2fe7dcd7b01', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'a917881ed4de426d9cc98e0383eead35285fc39b4dc9f6ee52cbe4001ed117b4012ac9f191d8f0c47323493390c311a5b87b55990bb36586394d87c19c382a60e531802993b41bb9ef707356931c00d007d6a487a319b1eca8f5e45324a6', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'13a9eae737305ef35e9247b877ccc9bee580ec7a9d1da6cd135ce4f659e7515df7920449', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'6bed0c37a7804b3d43233c2ee29e0fb6b398a4b62f980307e96e5767e50f6ca6600a8f0d6aa98e8d541144777dadfa27b893384db16dabb05cdbe2aec64a0383f59c3b929eb1bae9ee119131550dc7cf3dd6f0366bdaed5ed3f735ede930', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'b5741d933b8ec27c5906d00998bd2ff625261f289d37a94cc7ef85d15c7afd8c698eb73c', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'b3dfbcc5ca1168518ba4f720c3e19f1c7eda9d94b03ce566ef422472c265ee0f5c5dab4770dc65055da451ef66b90f1c005ec7cbca41fe77e0b7216f626f33fdbe3055b1f0548fffbe49a89f21543187c28e0f792a0152e9bfc8d64a11b7', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'8ed0d6ce0d23a28caac75ed2301a89015324230de00d5a2fd1cef498a75a2cbcf98d443c', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'e22b7a4efb8011be8d2b61b268514e7ac5b2887d2aa21b53fa426c496688e6313ba5df2d896a0f75bcedf0e7b8197b3404429a862867f6f8ba74f447a27b9f8448316c482c9d1dcec3468a83654b7d8b395531f2c4e4e370fca1d072d454', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'3a8cbe035b2a173bdef34efdbbc38b8e1e5fe1c21d6bbe7ae971b380cee710409424df26ef04ab7840a5dffa6a40899fef', x'7e151cd4b69fa21d041e1dfcdbac3934913864c7aed1807c23aea379ce06d84ffb7fc9af89fc1a80f5b36771795d00be2309a582c665405d4f272d66', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'5def6a11fae49b4d9084a92696ad7a65fe126c0d448c8b9224cfda4ad119eb99d334a843ce', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'23daa04c1e7e281870eee84d6a74075099482e19fdd2bcc3dbc792cff424054b8b8d8b30e76db4e89abb26c47c8073876e0cee212422068f009a9fb0');
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
