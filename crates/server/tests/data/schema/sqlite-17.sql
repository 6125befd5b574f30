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
CREATE INDEX enrolment_by_user ON enrolment (user_id, id);
CREATE INDEX enrolment_by_state ON enrolment (state, expires_at, id);
CREATE INDEX audit_by_time ON audit (at, chain, seq);
CREATE INDEX audit_by_event ON audit (event, at, chain, seq);
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'29E22C334CA445F6BB81AEB43407C72E900A2E678C924CA001BE2B152BF557B3F0');
INSERT INTO store (is_only, id, tried_at) VALUES (1, '0123456789abcdef', 0);
INSERT INTO migration VALUES (1, 1795916027);
INSERT INTO migration VALUES (2, 1795916027);
INSERT INTO migration VALUES (3, 1795916027);
INSERT INTO migration VALUES (4, 1795916027);
INSERT INTO migration VALUES (5, 1795916027);
INSERT INTO migration VALUES (6, 1795916027);
INSERT INTO migration VALUES (7, 1795916027);
INSERT INTO migration VALUES (8, 1795916027);
INSERT INTO migration VALUES (9, 1795916027);
INSERT INTO migration VALUES (10, 1795916028);
INSERT INTO migration VALUES (11, 1795916028);
INSERT INTO migration VALUES (12, 1795916028);
INSERT INTO migration VALUES (13, 1795916028);
INSERT INTO migration VALUES (14, 1795916028);
INSERT INTO migration VALUES (15, 1795916028);
INSERT INTO migration VALUES (16, 1795916028);
INSERT INTO migration VALUES (17, 1795916028);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'de4480a462381d077f208f495d1b553a11e8d3d9aadc04cba8e81c40f5ee8b311082bc78c9e34269f77c04504bf0a638', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'35263f83971c793561841297024f2fc170302197ecb165258bbfd89c6f3a6e4f7a356623f535210d67c8d25b03a58e69', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'd633287a40701d099e01f716826fd5b7331c19a1ab3ce59918e7896c9060635913c068510343a5a1fdd9c4c570303e07b76fb27ed695ab04689eb210', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'12d7ea92b2eb311e3467cb514909c55633895d86a66b006cbd35fe5458b689b1958da2f01c56e9ce23227433d8dc702f', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'52e82811bc62269f105ffd7b3e2f8ac1ec60d7b37b0f0ddab34791461218278d4f62e6eb65dd73b638f960d695d583b5088e7d807c3e397c3b953999', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'60be12fb62d57f0d6d43ca1e137c379c17a3917b0dceb5c71fb9ae4d31c7f2afadf966d34518256ef4941b37f500dc19', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'5f35167607e38b430b2022a7e993ee3c6e00159b40a4527503137fac5a9cbed3916b7287c101f69512709270e0cefe1d144571bd5b8738829fcfcc8f', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'34f4b9fac12437d4519f97942d6b3e7192f364dd66f6f1b317e0af9a937a0f024908935f61028e714a76c389f06061be', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'4e6ea588abe54f74268a54a3131acf1368eafe26c8f9e4d50608d1d02d708d40ba492147ff4ed44743c96f2f2ee59d7ca2d4a4722441d380d695bf3f', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'b45bc33d44ba65a1d1c35e8c5ab199ee2801984f60e462700b1e16662e8666b0ae5ab74bf3c3646d5e078a0f13f4d09f', 'imported', 3, 4, x'b9c68fb47d13e326ac2976798e93bc977dffb9f83ee6ef79c01960176f4520d69e19bdc7f8b57a4e27665f3cacf0a93ce965ffd3aca4a29949cc8d45ba2849e852eea8d2bbe2364e68b1532072d134380630fb573c5c9a9c87fe26f12203e0540ccef1660f2b3e9ecfc1799229b8636988cdebb7a8baef762322cf23e5cfaea181d704f59e19b05131262c16fb639deee36c7f4829549c2bbc2c5b3d143f2d5aa5d576e817859b922288d211d165a9cfd7ab0317c93386b163bbc887458beb24ccf6c18a8b4d907f3d136ec9e2a7d00987e1f467086596a0ff1093b963e4d472d7fc96117ea9ede3098c4bea1a2fe74f60dedbf7d216e0670aa1c7abdb474ae86f7dd0395051ca86308ae2be7df826b43af3fc3a60eeb73be74d3ee6676526d5fecb13cde571cea7866d9c1b36da1ef88c349278cafb9607f4cb55cf5f3c3c39f27682c3d73a2804fd1e72c983f883c3bac98fc677bd755b6d3ed5ac8babab80e62d4cf9664b12b2be147e3ec33c37899c9e17f1da6533');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'9a4613ac8ba5c0cdff8465087965ead006329308e034cc810d0cf8a1db021d99885d2e00', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'df8578d7f7abfdff34f4c007b3b2930d67826747493c8684ccf331a0d7adebd4e4d693479bfb0d4c2c5e638f559c2fe336c96267de32811308d87b7d9edbba6e3316351e0e2f254a9700407649d9e57ca36e75ac4b8c1f6465f24b918fb5', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'9b00bbd6a0c6bccf91c4a5529d30cfbe47127f0cac94293a040674a092478765e113d376', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'd292c8346f2fb811b7746d4835d844d785849b631e34c41735f8e11585fbb2c99006391a0d6de63a4cdad1bb9df7571c5e8f75caa56e3b7279700a341e0c3619d5acdc691cd81f87df89d4e7d4cb63213b046ee8b7f25c8012146d170f5b', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'a6aaa5ac47a37cd827e0edcd6436f2b71513de1646f6820eb18e79ec952edbea3aa06eb6', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'c277c8059f32993891f5e04584052627fb179c574c1d0dd0002a0445c39279b0d38297c371aad629678fd0eaee8711c49e0bafc3b03f09c54d1e696c54c46a503dc310e66f52369e5a08979577a67ae8adc29f0c56b68189bfe318f45d2d', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'2697fca97f1d39bd5efca36cce543ee7e88c6bc5fe71dd5709ec731e51e0d87243bc51b0', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'e6801712c6dc64adca324d0a343997c22849392d1df6b21d33b47ce48fbc3ae81102eabddf0d0e511fec70716b6255134778296bfc5fb2149de6a856b4cc47313b82131ffb81d95f2348485b315efe9c04c56e8189790aba3abe3cf426fd', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'f53bf64e42d23d450d25870270d2984f2f18983eaa09e139168bce22ff1a1a15c206c016', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'ab41bca3d56b4057d18e0387eb4d8056873ffa4fc55b80b624e4ff1c9c168a2f8ee2cf65d9b5a0c71aa5ff450008f78ce30147766f2977f23e286e69bb2e7111dcf47c6810a19c2ccaf7c6359d389c457699be10d70fac7abf9c94711532', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'36448ac23b87b517a5a13d8995f251e8395ac92d021a64d90e4fd9352aadb0a96894cc89a502b5c50f95d04c09b2c2d4dd', x'a2a14c4d1e5f4862c5972913f4780fd87e8e41171fb06566360de12f63d486b49861b2ac5d33a6ab803ed313b4bcb4117e03f3111ba85f7a47d1d8d6', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'0665f08621721804b6878335a8b04d105257da8da2367a5125084a693258226eac3c08c762', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'84e4210523263176e8d7530b7a9b6844f6fee0b1b4cbc93cd0912e77d0c8786a3466a00262a1b049606a417429de1703c1f912d517c2f6275c150a6e');
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
