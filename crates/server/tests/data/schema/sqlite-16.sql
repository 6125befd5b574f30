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
CREATE INDEX device_by_manufacturer ON device (manufacturer, id);
CREATE INDEX device_by_serial ON device (serial, id);
CREATE TABLE wrong_password (
    subject TEXT PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    at INTEGER NOT NULL                                     -- the last one
) STRICT, WITHOUT ROWID;
CREATE INDEX wrong_password_by_time ON wrong_password (at);
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'3C3C71075EF5BDD3B7AE71D60B108E65C3BFA1CBB50EAFE86B4C9848F8730D0118');
INSERT INTO store (is_only, id, tried_at) VALUES (1, '0123456789abcdef', 0);
INSERT INTO migration VALUES (1, 1795905803);
INSERT INTO migration VALUES (2, 1795905803);
INSERT INTO migration VALUES (3, 1795905803);
INSERT INTO migration VALUES (4, 1795905803);
INSERT INTO migration VALUES (5, 1795905803);
INSERT INTO migration VALUES (6, 1795905803);
INSERT INTO migration VALUES (7, 1795905803);
INSERT INTO migration VALUES (8, 1795905803);
INSERT INTO migration VALUES (9, 1795905803);
INSERT INTO migration VALUES (10, 1795905803);
INSERT INTO migration VALUES (11, 1795905803);
INSERT INTO migration VALUES (12, 1795905803);
INSERT INTO migration VALUES (13, 1795905803);
INSERT INTO migration VALUES (14, 1795905803);
INSERT INTO migration VALUES (15, 1795905803);
INSERT INTO migration VALUES (16, 1795905803);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'fa348d3c2ce1b90a4abd1774270f2b6dd5091b825ff6321101900e29be2f26111c92ad84df8583936741385085acf5b6', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'afaae61392d161e3a202dd3b4592abe94202e40f2f119b42fc9348ac43ef178a767e0ad4478d861c4efbb06f9c65e6d8', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'7433797f10d63ba76995476c7f0e89a1115f43b18b5b582fa832d8d161cd3f671f5059591c55f273701720606e0b0e0c37c7217755a8489d48ffe0ee', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'963564efd880b2f171361de30a1f4c45f8e6a739b2590ec39318771bc84713ae356d5fda9093aad6fc508097c2f4e2b0', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'd095a02fd6d5524599108345c58048813bd4c7715ca3a89d01ad5bb290f852bd929bb0c58c00d69378e02dc83706baa0da9503d4185c39f9e7d89700', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'ef44768986b3141ae14097c7717b3fa85e3840ebbd539c95b7b3105998d6f8605087117b9b5444e1d4086310875d1d78', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'8b4a54b5231fa54f78b9f02bc0816f201680bdd6707b8afa08a8db366ced911e4f963ca729ac2613c23b794af833df0088310df0440513ce170175d0', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'c8dc2f5e7f72d0892a9a81c958876c9a6c4412a7a4ad02c6a801300cfb933458765b82ddd3c44604bf543fcb5ec929ae', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'bfc24c92d6ff3939954ead83909d8bbcbe5a41c7d1334d74773051943c2663281e14674cf7a5fd510406b11fc26ef44c5e67977287672967659cd3a7', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'd77a9b8571bb73935186d9b48c510f914c81452872f5490251501acd05be8617f3d68448ab94a1d14bc5669fb41d58f4', 'imported', 3, 4, x'6fe51e193320cdb344a02c11ce23eb7100f3337e180c94f2e2f736250a39e60ae051c616520131f38cb98e23b75432724ae2623ee6a48d84a3c3de06c6f962973addbff1aac4e3c37c5131d4743fe2fb480570745bfc87f36f8b98c9a462621fb554f6e4028005c5252252882c8bd08c4ef3faf2434cd7b33ff1b4894ef560ba47f79ca8c095816c1fc582851e334c91fa1a372df3a2867764f3b89922336682432e98b0b7bd63315c7b6781a86889ae3b15d03201ff3f8293032a75fe52301ea3e22f06800d37e3b3db8cd59ac46a02c97ddabfbaec32fcd5dd94c0b13d24c94b39e36706a2cd137f008aa0d1f043330103cb635d8bcadc812779f0c462ba388274fb92e5b74eba9661d6b0a74590e11d9abf83ffea44f6f8d9eb74c0123a88819e1ff4dbd9eb99988e8459ce9faa8a7779ef16a9674818db58de5189d4a6f335b9a68f99755eebd25aed155c6a7594b8e9213637df7e28cc496d3eb4c24905d66d64970a9a97c79d327bc36f10e2e3bd7165b847c601');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'c5d6b28e1393dff61a1cf4c1a040b6d132bdf7edf591db7aa01390653a13f018ecd8088f', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'1b814b5f88aeff8cfdcaabf7a73e5b84e4811060fa73c93a51a6db669add2509eeaf8b931344e074064fcc12ce2cf716d425adedcd7e9b06802dc6a3797702dc7ac1d6aff9a63742e73866435a18404492c2c35e22db7fa27539cae6c0cb', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'fbfb0f8f733e2f128ed9d76cdcbd982ff497c21d8775aa1352f6ed5622445861aabf73f1', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'348b3a82fb2737bb02fb569f750760ca69867c191a82b86c5336ef6cee81c22e5c73ac477d7d09bd0990f8fb72cac7f6752e8c9629c7396215276885a43e0959dda8f4b55e3b23cf104481f296a90d35c58f17d625158d268ee70cee6f45', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'93f756dcdddfe4010f8b6da0d89dc7bf96b7eb2db5eb32fc10ab61c1c751fe29724b4ea0', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'f5efe1d1f2f6c9d2d395a222ae6b6ce17e90ee2d11806290b0df390e40cfec8b4181ec09b17bf5dc049f7a64b36d0eb9c2f762ce51b48450eb4b2a7efa3f4199c42d5df37c76797428e76a864532180d3f6d08cb56030b2a13a1439d3b73', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'0b938aeeff5e452780ca47b1085f7d1d994bbc96c623447f164de66d98c6a5acabaa3291', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'011cacf3a951612e40e5860f9f5d926d7e7ab0031710484a1ab371c18c8615c507c96ea90405c80aa9b9ef9f0facd4388044e8da348d9e931c12853e5fc09baca8dfdfe086b3bf8c2f13be7e0b212a891c78f2d42f7ef19a2954e4cc1930', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'e736cf1ecf3347f7e2d1ea23371c1e1855193d59b21b087012849bff9dee313621970e3b', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'dcf86a1383e6e6e5f44a78b21598db1e3b9a43817ec2948d2a6a855fba9e5d727279856dfec170fd053c4f7e3481bbcd6313c4e563cdca4cb3d232171fa4b19197866a3dfc1ad41fdb43c625f7f35c1444d3ea328b89b0e30e1f968f6b09', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'4618af385e666e50fc21834dc6255e4556fd97d2b6c99bacad1a19cd9cb6d72553494043ea84758a1c93074c58ea94dfdf', x'a138f6d7f7c76a6a1bf39c546444864f96604db69193b34d0eae69fc60f67f7f6127106121628c700aa7ac61f44828d32cc9a421e4ce1bccc4944952', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'c73bd3549478cb972f6cec1326938cadf02c648e7f649780a4d3f4da43b387506a3743cbfa', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'1240ce81c8204c0a431bfabc8858f259c79ee98ae44395bfc6515aa14ab62adc4dd70cb52b1930b97cf5e251cfb8a0af10186d7faf884b5782c2c27c');
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
