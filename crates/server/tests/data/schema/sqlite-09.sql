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
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'369DC794D83974C3485DE47895FCEDF6E31F43B913ABA6768F39CD057953D29E89');
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'd9d56fd8f44196a6208ed88b3d4c7c2e64e3f660d55507bc4ff532dce4e5bcdfdfa63db289d3ab7d47e4de29a6752c0c', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'dc30d7ad8995ec4ea380e9af8153f3cc6d6696a0f9055fcb0a00106a6984819b4f83d5b015a2859af9760c965c8eb48e', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'76a442e6ea1d4a13b4db2c5b3dc74542f46ec1e88d6c8840f9c0d84d6ff0254909c14242043d1f8273242e33935f237dd2c4a50d72b22c16972d1d75', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'9bfe3ef2da672d5a869361a4100d3bf49424cf3ef7cb4cb263f80b86197c17bacf505d354b33fd7a69697b8f79724314', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'42d9ba45c1592a9ea7d7676771ef5a5895c39b84f1cfd1a8e2b991265c83684b115cda7146e644c2d9e8a56094de98438bc97dc6acf33af28e969c49', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'87f1a6cf7bd929bf2a96033cf823c7d88157c29a28daff8a43157217a12859b4bcb5ef08f0cc0cc3e78e3bd6e122e1af', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'2670b5485a9724d2b64eeb4797213b4f0e49f729e6d01332f8e494f96d6f8079b915ced95421e9934e83d30f046f13e7dc1b1e090e3ba52f7496bfe0', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'b1ddabd55a1c4d1933e556ef1bdfa78a2eba733fb8c39dbc9f7d97ab062f106bc2176bbfd7c4cd6788154cccf2d38ff9', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'67fabea1d914696acef96e7b5f30fa4fe3822c1a4cf195620edf9bcbe210a8165e726d58bf85c010f181978eacd1a8b4c580e2d0b0fb48b1281240c4', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'73795f4762b4d78e2bfa6b3d1dd4053f5916dda37ab5d565789e8e009656fe2b20aa0d931eba1aedb88137a499bb22c1', 'imported', 3, 4, x'904bd137b0e2f33ad64986859beea3708fa277873c0d5f8d939fa91e522ffe6b5274561aa6e6e2c731a855396ba02bd019d9ed538783ada0f6522ade9d0e8df2ebbca98ad1ba9c340b0fc1e61da1416b6c94b0d4e0a6ccc7d44811acb4776a9d0e7f4fcd784d60b9bb2d70e1acbf62affcb6054a9d90d15bcccd6c40d269dec612c65b274de971a3c5bfd6d87a4c9b44349b707870fe424e433422c29dd7fc2f4f7406caa14221c08364bbca26f5ab688a970cd5d7d5d5567214a683036b402b92561d250be86f29aaadaf96bb5b06508a862b953bf49428df586d7103a4db653867af7cc37670c344611ed490ef14efae85e624ef537a4f064cd220134783ad2d555b23a8816e53d79d36c931c5ea90ffbc3f5d89479c9db1889a1f2d5d860bb6480a59f6995837dc82e3380469f7fe10006f806df1c7fe472ae72309a54d39941f68e05a6c96d1d726e839106edaafdf3d76e083296edbd2c45a25707cdfe540264fb636d9acf23c4a635b793203e3cd81a450322b1e');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'788c20a7d8e7fff5eab17049c508be4104442c7827f31557cff95ef79adf5eaac433f67e', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'e53ab2918f1abfcfcc254eb337a62962737555458b3304d28e6b91ae8cc6c73f515aef2d4789155e8dff2f1215cf254eb9b248ce14c205b95a7ba4eeafb44e577c949d3af3070555cf5f349be3f9ed6605dd5bd61b8a4cd6be9f7a500f0a', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'a98cd08bb1298d8c5c765c25e19c67d3acfe8f8be3ecaf853980f9f478b90c0dfdc89ecf', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'7d40ac71fc66bd51d34d488f14b7ba981bbc2f5fe745a65aaf17d95024f8b5f838058c0ca559d9898314718ce021bc77b056ce1c2934af2dd8368eb63c23b821bc7ba44026a73527dbdc8c427a77bcedaff1a34b4078d6cf8d468368c16e', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'5e2d4730fa0875fe5362f475626f89a25a0ab82d236a784fc8a2bfa5ee6264c9cfcfe636', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'2bef8af52fbc11f01cdecc3c9f6f10cc309208072c4c9879fbf8d30e85b816a17b142d5e030688e72e334b84f5b14ca98572865a7f88380f96fe46113911b540788aa835f3c4c90fe981e6f15ac9f1f6c588fabfde9aba4e5d11125df870', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'7c51d5a6ea60ec9c160925143de4c5f378332f7b83da0210ea90cbb009c9741ac7fbb6a8', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'a27aaa3bf1ae51a47db7d493253afba729d2e51ca94af2782e34d9406839058238dbc4099d93e212b3e84e0c6f36a1b41060b4cb66ba7ee567bfb0cfc5622b0600ff698d88f3d00fc7d82ee439e35a74c93ce05a73f87be9d9e79c3772fc', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'd25b3608cd49fd43ccbb98c3080fffad258e47cb91e888890aaad1870ce5edc791d19832', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'ede4b7009e06bd141647a10fbac347b6d7393c9474d4d93eeed62172859e7b5a6a04766b40496ab23c598f34fbf7ac13bb01c5a2963d685b50e70a6718050b0ac7eb65bb5af18f431cccce2673c861d6284361491a3945e94b920be77b7a', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'edf4c89884f2dc207f032054a4400ec7bd7f2b2e47e2a4d8a5aeea4441a1854af864fdc6022b601bcbb9e987120aa957c9', x'0c1777d6339707bbc15e67a83d5cef3841ff3b7447fe84a29b549f87e05dc0da1fc35f470b7ce7645ea3740da27162b3fe23440f6ae2903537748ec7', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'3c4d35abae043712974f6c5bc2a06065d83260369cdba545a9c5136105dd1c418311033c97', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'f71b0b776efb792cd0a4d6fe1dbf3ccb97f644313441c7399ae3947da0cef3094972e9d8c71e9d4fbb44e5a8a1015908d5a656d23673e02076d86ba3');
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
PRAGMA user_version = 9;
