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
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'34412C00D2AE64DFB0CACDE64BE8DB5EEF03C98B4CF016707604C90462A6E77BD0');
INSERT INTO store VALUES (1, '0123456789abcdef', 0);
INSERT INTO migration VALUES (1, 1795905084);
INSERT INTO migration VALUES (2, 1795905084);
INSERT INTO migration VALUES (3, 1795905084);
INSERT INTO migration VALUES (4, 1795905084);
INSERT INTO migration VALUES (5, 1795905084);
INSERT INTO migration VALUES (6, 1795905084);
INSERT INTO migration VALUES (7, 1795905084);
INSERT INTO migration VALUES (8, 1795905084);
INSERT INTO migration VALUES (9, 1795905084);
INSERT INTO migration VALUES (10, 1795905084);
INSERT INTO migration VALUES (11, 1795905084);
INSERT INTO migration VALUES (12, 1795905084);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'77c1d6efa2a6ee920e94d72a117e46a34cf59dbf84e1b3f6746245bfedb574e1ec57332f97b14ea5a1843d374ce024dc', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'62ac5853685df2fc720261cd2f4ad26a8f07faa08c97e7a0e8fd61ed3c4926b201a44b2e208033e7f34517e58a3bb9e6', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'9f450dcaf31c4450d6b60a09add9d8a8c074c4cfeb5718f555d3eb834f3f6bb180692b30f26144bdeda77a80ffdf646598ae625bbe0bdb75f8fe8338', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'b9bf8ab6762f93cee722a9e3f524dc1096a9f7b211c63c268c0ce8b3caa848b9163ccd07df7fe93cbcc715a1a16943a2', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'0b8e290e57ea127963089b2a276ae3ac899c97ec95d7db8d6cf51adde91d5a1374ddf59de14fc8d45b1f82ea830ad4d2c2af58cafc98d8e4bd5a2911', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'913d4277304385726c1dec9d95d06f3cada482eb548b450f0b4740d457873bfab6370c7c3aa828b253f29811a5d82c72', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'6322f2e191dca659e46f515993a91d2e11b9ed09f3c2a8b9a66f1fb0efec19f1d59fc17b8a862a920628af93ff593f01bc4efca1e43ba8ebe82d9fc0', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'3b6169d7caf2e677a5c0e0ba6350a7b83c0099fa89067c1a898f5500aded973067d5c89b4a71e0848f2e3ac0607b5df5', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'5883abc49654a7c2f8f76e3ce6f95e704441f9b48117f70b3c815121389720d715c4f3d1dd27160f4d2d2b0ab988579ae98b236275fa0018efbc248f', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'0f74c4ef31a8ad06b951d49e7c032c6a88ee35104df1e501fa1e674b14c2389a17e76f80f9daeecc47e36d6e727b785b', 'imported', 3, 4, x'36494d3dd65d20cdf332dfad0fb144f44a4f622ce2bca1fc0f8647d932b3877a360233844ebeb12de16a5f0160a3a577532fa2cd76a37d1c1a283e619c86f28ee6516c248c91b78685c516bbaf7bc7394651166b3c3e186e30e81b546414d3333f363a5b4546d7f845afe462bd5233c5ae7028e429961a20729e81de20f0febb865ea6870a9c3b8cc33f481c7dc3e95d882b426b65f556c1517f0fa0c98517ef0026c39af6fed5d82e51c2a8cfd44a7ada103da844db8de0d5b7bd81ce5a32da1e8c265b850148dad889e9f84875ce97bccb0cfd910906562fa982e668b502e3127c1c0123bd342f0b8fabf7b205d7357bae32724507e7739c175d49c8d5a9a71ffc4ed7cdf9e295777a6dd888c7ebd892cf68dd70b271a077c5d627c3bf56f2b3e6092ac752edfa6dd83aee31d22063d0c74916f68adec11531146c5fcec34b63b45491fb9f9ca32f20a40378f2cf98554056a486d80c2a37c0cdb5aab4514de9a2bbf31800ef0831bc40d85515aeb2001d4025a65218');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'056ec36365797a79454f95d1c6c8e490613bf3ec977b46aa4a7c42a09b52c8dc8fea982a', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'd83464495693ed781deeb8a09ad9e2bb4fcf60d8bb25fc3e58612ac1f05acdea673d6e4e70bd410917780d3a23add5b5ff67e5e66ed9d9438cdd8b6f2c3bc3d3a0331160dc8289b87eec291ad4d94f736e49380790ca0e50a1391b3afc34', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'7b4ee1d5f92875668e01c9d9b2f23788112ce01676fdaf165b7e1d4fce8af47a9d67674e', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'39abc3fb92f0a3f7bfb3e0627a498f6ace1b42ce33d617c93f06c6506fcfc43236406f0a174135a43ebefd12effe9fe60497f4bcd747a105c39d3a34f755f86975c547a806e0fd412d292ba3cd14c830b0c2726922b4c5959497c4be62dc', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'51e3018aceb68820d164da4d856e2994413064ef0dcc038408551e1e92a84215ff62ebfd', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'5111e7d5667010d4643f747fb0eab6001911aba06406892d3383a643844198a984842beebcc0512ae13cbc6fedac55de4cef62d62f520fcc689c3d78532dc7f4df93f9290cc56d3e5813a376a8fc3147bf5a5cc1ec5349393ea27fa40338', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'0f706c21aac6a956565b045086d5940c9ac964dd10ea4c440a0be307e91c0f1d88634545', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'098b8f3748f1443f9e42c0f1fc6479773a2fe24f899d5a37f16581d544343581fa6c6ac3295df301339b0706d2595de572ce45d423e6655569e20f4449c1a286f4d790b67d4a58b9dccfded07e806ef639e0070645d6c8b835520569d226', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'13b47085f2ee67a3cef241249f772fcbea33955eefbc6c9ee2d8bad278bc5f5c72758af9', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'0f237ab7572786c9657ffd23d598c8facbafe53224f8da964751e4e0bcfbae8ba2cef0746357fe8198d8f6c8e224e3a833b730c04eba7b9382e85b5fb76e21dcfbeaa275bd17f56704d241c2a3a7588987534fc3bb786292e7f5d92736a2', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'e8068adadb584944791edc75995a2c1381661554b2028a672634c4f48c07a26a791155846e1df5535af61f9f922ab4a836', x'b75d9e5b6d95b610278e682873626accc7eb3f836f8e20cdd7406333659241ae98d2a204888ffbafae62dd39b2b761dcf923f8d0f85afac4624ebfd4', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'79b1670e095e0d77e2594c39c5b5eec668459968a76ebcd6f5422d3cdf988c02a454007fa6', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'06c85970f0df6e61038aedc7085a563b5a690b434b29e4c87ad3ea8f9b624b541183b459ee8b6f4c84191f5f8bb9c708b88ac30e0bf7df0607971786');
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
