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
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
, delivers TEXT REFERENCES key (id), answer TEXT, key_location TEXT CHECK (key_location IN ('hardware', 'software')), algorithm_location TEXT CHECK (algorithm_location IN ('hardware', 'software')), sealed_trigger BLOB) STRICT;
CREATE INDEX enrolment_by_user ON enrolment (user_id);
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
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'072D6996366E08BF4EFA345FB3B008E7FC97D1C6573511307E5E4CE46A531009AC');
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'11b946e89c214bde499f599fc31fa18a4ce08fd35399f0ce747dfa45b0e8dc529e0949280e55cff0456b1b489af5d540', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'bab3345a0e1122a1d669efeaf1cbcfbc06dfc3786d551df64426053ac1d213aa7b332d595864983490eb08200088ab6f', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'43f1a653600b1da870f21ff0687e743bac69af847c41a706c03b71fb362c5a757574f42c9125a625ef385ecc35d581acd8aa492c13d675fe8c66c333', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'71de6c63b0f5663502d86e2a49960af395aca5e8eaab0ede68f7e44a6ec20f9a081cdbf30e3e4e2378d21594d4f34d82', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'23583158a4f2f298931780d0f6a36a381bf4431be819307bc6cb0030285db79b2bf773c3388d061371b81078203893341132bed7bf6ea2ae74896d04', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'1bbe1f61dafde74d3a2a84a1fe43b1b5ef4c8b4eac86c341f4f8f2570a9dc0df32092317f1f737b32b8d29292bfcc398', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'3b704252fbc7839d82d41fd825ebbc83a7ab90fc54e9585dd3c1a3f4fbd6d6077a7a726164f6d532bedee2b0298f02fabad2ced3f400dfa17654c488', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'8113e6424f6f46674e9c1f79a29280a75cf6a4e34a2b560f9b2e54c84734b5366a1955046a3127c4b090b5e6c6c29de9', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'f7987b8f7b3cf9806542267748d0bf5c8847a18bc1ab44d339053fc534b53a8fceb801956da6f841e9cf1bf0a37159cc837735dacac35f9bfc1cffc1', 'd1');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'67da752c5bb9cfc0e8064ceccef3f12a2161f68d13ae56f891eba48c450572baa6010fabd1ca440b1cf45c64aa33dd2d', 'imported', 3, 4, x'bb5408694ff182febb646bac2f40be6f6df59d373fc71fab8074d09618c9ccfdbb4217dc23079defab79821a10b561147091236fbfa6a6bcc292e9448cbe9eeebd5413cb973a8dfaa50a320f82a9c5c367a63953f8fa24aa4c8ae9bdd688284b2bdac2b18dd9fa5e822305b4b2078ad996f554cb43018f94562e3ea7cebe4f1f3e71be33a661cfe26fe50f95a46fce97313d93fff8defdc59724824c8692ceed68dcebe183385a8bf27ac101d37d12747031f15a849f26eab235c2b2842e157dc5020a1dbf39cc8e4ea644856f43ce1c65f44ee509198df4699234a5bad79b4c61b9f8a3610d343b665a88962c8b6337e2f575eefc96ec0d5b4bfaca24333680eabd5fd8abf22140131e239719e911e7ee133bf350b4925263b7da70fd0e13ad4856108af4838495d8ed3ab4ce221a103dfe6f8632b30c5aab3d546a27ac22bf3e3748d92c324caa5188f552f5bbedd21f6b1ea49b84f98e585a130b28c5fc149e6835041e38018e937ad5e0b2a587943225a45f83d1ed');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'aec8c1a2462368e92af2e44acb595485e52ceacc7f7edfa3fbb3d13ee0529e470688b670', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'293999e16be8a43b9117d5870021e65cc4b47f409fea306b085bf09180e4e07ac7496749e186510ab87b94c738d2490c8de037d0f08bd66551cbee5106f0fd9319f39d78479f367140c66b6ee77bc2f31848da1555d8f66e6f3f71a6a6c1', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'437877386e543bdc3c1182fff1877a2fddde6cec32bea4b7bf5e51697e19c446a09b99a6', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'e0bc5bb3ad9a55ea18800a9f9fa35ea97d06abfb07afea06a3bc0735a1cb8069244d36d9b77a54f35b5da2bc295f89e095bad076cb3a101c5341ceecd986bd5d8f7eca747122c830c36efcc43e8e1403bd315d5a19d0e517aad8c1b3c65e', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'2c705d82bced1e8bc1850e7bcf580d311df840e6022b64d207c3f15f55fbc539652cbab4', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'11b49562c002bbd156d08af945bfad8ca1aab412571deda5bfe2981b4c7ffdb56313d42f088b52a11d504d9f882bb686dc13659ab2d169492135c2e890200b29c7d948de34676a75415ec6a3eba0049ae3571e4f10677d3a6d3be4bf1a47', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'9ec50ac5a5730ab261bbed5dcfa075d8c5f7791fe38fad0f5f19fd99d325562d9215ec15', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'6c4f5e2432177ce8da8859512a285b944db66f2eeaa4e38ec041f279876ff63b37502e59612cfa21a3be703caed07494f058cf3a4fafdf5fdb5c33f7180d6ef4173411c59ad4ef7b872debdaea1144c062ad05634ae1c0187ca71bd968be', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'a0b4ea0a1ff7f84d337bec32e537a2ea6b172bdf81252df14cf911ae2827130dff40eb5e', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'a3a117995da14347783dd3e6d55f64b894053fe62ecf751f5fdabb74a41f519cdbf0c334daba37a59deb766dd7b0733cfa50e5d366a532cea4533fe62dfe249705f4e1fadc9581d9f37e77e17f8e93baf4a41fd0d8dbf3bdf1d71ac34c82', 5, 4000000000, 'active', 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-locked', 'u1', 'client of e-locked', x'7983992bc4eac06ad06838fa459d48f6e2f07c2973b49b098fdce416fef9b8c6c6af39af', 'hotp', '{"digits":6,"counter":0}', '[]', 'locked', 'at-once', x'3249f9deb0be96f92d15449f558442b26b0332abc51a9c9ebe7863b085c10bc5', x'4860f172eac613b330ee76ee36317bdbfc6cf3940f7d9fe869c521ef38d4c4fcacdf13fc904f4df093e4f83ba9a1c42e951f7c49c8bee8b035b1a4d0d603b07c4b5026ed7ed206b7a91063c6a25919f2dade1eef171b862f09ba444f6e36', 5, 4000000000);
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'52d0b84e8740654d9ea5658447bbc2590a6e3430591a21a60747e119b3531aaef7fde0bfd4774ccc46ede9dc52818499b0', x'173ef2ea9aa88672463342256078e13abc5e61b23b24eece71d888578a09488b92853ca2b0bacf208fe9a5b3b5b7862126e79a724032964ba240d71c', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'24ff816f229ddbf8c56dded55473fc8e940efce17e79bd68fceb337e66170a11be8f007c2d', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'310c8c3c7ebf9277fbbaccb1958510b907e7439ae8f1d13095945748c23f6e41dfa08466495a5c13c18ea4aac601aac9a76ada809a52b2687f25096e');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (1, 1, 'user.created', '{}', x'b44d99c87a5672094b315ec493b6354db488e836959e6e4ad8e813cf579691b6');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (2, 2, 'key.provisioned', '{}', x'96271b88a268b5be90dc8e6c4071783834e906b769b3e1713741784785ac5b57');
INSERT INTO "audit" (seq, at, event, subject, hash)
    VALUES (3, 3, 'key.revoked', '{}', x'58df5c4a355d74049060df09667d942c0553f246d185c1f72e3042a409de66be');
INSERT INTO "import" (id, done, accepted, duplicate, refused, created_at)
    VALUES ('a file', 1, 1, 0, 0, 8);
PRAGMA user_version = 7;
