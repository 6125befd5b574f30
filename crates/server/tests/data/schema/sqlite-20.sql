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
    state TEXT NOT NULL CHECK (state = 'imported' OR state = 'provisioned' OR state = 'active' OR state = 'replaced' OR state = 'revoked'),
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
    state TEXT NOT NULL CHECK (state = 'open' OR state = 'provisioned' OR state = 'active' OR state = 'revoked'),
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
, sinks TEXT) STRICT;
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
CREATE INDEX audit_by_time ON audit (at, chain, seq);
CREATE INDEX audit_by_rare_event ON audit (event, at, chain, seq)
    WHERE event <> 'enrolment.created' AND event <> 'key.provisioned';
CREATE INDEX enrolment_by_state ON enrolment (state, expires_at, id) WHERE state <> 'active';
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES key (id),
    sink TEXT NOT NULL,                                     -- its name in the configuration
    operation TEXT NOT NULL CHECK (operation = 'put' OR operation = 'delete'),
    seq INTEGER NOT NULL,                                   -- of the last change, from 1
    state TEXT NOT NULL CHECK (state = 'pending' OR state = 'delivered' OR state = 'dead'),
    attempts INTEGER NOT NULL,                              -- at the last change
    queued_at INTEGER NOT NULL,                             -- the last change
    next_at INTEGER NOT NULL,                               -- not to be sent before; while leased, the lease's end
    lease TEXT,                                             -- of the server that sends it
    error TEXT,                                             -- why the last attempt failed
    UNIQUE (key_id, sink)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (sink, next_at) WHERE state = 'pending';
CREATE INDEX outbox_by_state ON outbox (state, id);
CREATE INDEX outbox_by_sink ON outbox (sink, id);
CREATE TABLE "answer" (
    session_id TEXT PRIMARY KEY,
    request_hash BLOB NOT NULL,
    sealed_response BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX answer_by_expiry ON answer (expires_at);
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'1A964913DC5159F6045E82DFB9095778D5448D8DF618764F281D367753B93C5B74');
INSERT INTO store (is_only, id, tried_at) VALUES (1, '0123456789abcdef', 0);
INSERT INTO migration VALUES (1, 1795944983);
INSERT INTO migration VALUES (2, 1795944983);
INSERT INTO migration VALUES (3, 1795944983);
INSERT INTO migration VALUES (4, 1795944983);
INSERT INTO migration VALUES (5, 1795944983);
INSERT INTO migration VALUES (6, 1795944983);
INSERT INTO migration VALUES (7, 1795944983);
INSERT INTO migration VALUES (8, 1795944983);
INSERT INTO migration VALUES (9, 1795944983);
INSERT INTO migration VALUES (10, 1795944983);
INSERT INTO migration VALUES (11, 1795944983);
INSERT INTO migration VALUES (12, 1795944983);
INSERT INTO migration VALUES (13, 1795944983);
INSERT INTO migration VALUES (14, 1795944983);
INSERT INTO migration VALUES (15, 1795944983);
INSERT INTO migration VALUES (16, 1795944983);
INSERT INTO migration VALUES (17, 1795944983);
INSERT INTO migration VALUES (18, 1795944983);
INSERT INTO migration VALUES (19, 1795944983);
INSERT INTO migration VALUES (20, 1795944983);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'201b40c0422fa5413312c0be52e2bc6f2df22f99173259016e7086ad732f8cbd02daf76f973c5d3587257cf740aeb9a5', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'fc0c43fe2bacee4383a8402cd0c894a05e3d9f8b3ba76b6fbc7a1306ad6135d3221ea602091ed5afe2532bfedf4760fb', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'702c94572ff8ba2856a09caf28270b841fb8ecae4324cc43601ac7aa919642316ec07173480ecf00e98597c4b8850b7f2e72706ac35940d7e9eff766', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'37a5f5704747d3289eea084a4c982691f8c22ea60ad210c1ec144c5527e660cd311daaf27e6678645b7bd562432f4a10', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'75f756660c9c12cf3f05414062a3cddb1b77433d00fc821862f38390d6842b9e1a4a3528071b036fcba0282a790ccdcc393b0a7230e37cb3bde5451b', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'0df54a4b073dc4a1c42c9d96c1411f35810c319cbbd32461fb5a34e33532d2e2b764eb9353e9657a30000db1b3918cf4', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'dbe0062aae29903ede035472c49c457da7f5cadfb8d41ab69c7548700d22f10c1bd8e6d39649013e60ab8f77a7ce78ec19e927a3314c248d016ccf6c', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'e2302eb085b4f45403d5fe6fdc14bfe6f56ae707df438b7a56965aed58151315c6be4a9e4a0adf064210deafe83e6c03', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'02274248c66ba53a7e8745ad54d2bdb285686b61b7be3ae19d8479c8973bf193d4ac325ad42806a41f9021929f217fa78b72547a5eda95e26ca4f822', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'e0337bc231944d97f6019e14ebe7809fb063711bf61df5f24778b284b5279587ee46ac304cde5b5543af8c7c427b5df8', 'imported', 3, 4, x'e6b171d1053896fe3454f7409707e15e42da3f1e41abba13bb81b6647fc07c0a0f20bd6c42da1562ee5ebcf90dcc574e399372bbd41ebd738c0baf53789f2abde5159f8fb207056c38e59b9494990d805f2d30e8dafa1a1efa7caa9eb681986cba45689477c4fa31670c685b67c696159aca51e74f0f6a40a906eb8240746a4e330afef6558744cdc71f2e21fd803f5e751717b6924aa4851f058441ceb676464ee50951a31d5a2764555f4f5ba6be016c8f3dedb97c53250c36df9adbad18f9c76c2d484ab83b7d053dff949955c56871a48ae1d5c6ea04357005a17d1b7d4536b37aeb489d288ed7549e65cd7eaa148b5fbf47a6418208b51f970c67ffcb526eef19ffd60bba6acfdaa3e0c26c82b440bd4ab45fb4f23b0c126d4797fca188a4a4d839d1c6483fedd5be8070bd8b63bdf93ef75050668d1b811a7b62611844b257d8d4fb5fa6ae3c5c477305729b160eb028a77edc63986b3111212dc2af16253564d4b8645852fa1cdf410877935c433d85c69e3d94');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'8c6ad5c7c1f90721ec5215844778224cdf4a1a59a28c81de368bb61063a37b2748952f01', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'b1d31c67912ec36d81241ceb256f1cdd87109d971afaacce1a17fc2e489df6b50a8364cc56090727242e6f5c2232b374b9503eae4a85e91d5dbe5d2327d41acd970e33516e9f8ad9651e81b5a3b6a93cd9ca1372aab8441d3dfee94bf7b5', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'cb83ae20fb75f36d5932b2a486ec0b55a510bcbdfe2ddec27c051a022c698925391fc2c7', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'79a41e28caf348c552813fa90976e4eb558bb1dadb3d4942ef725453df2779eb7bd05b58d960265071e6ffcf771e202f0b5bbb8a99819f7239aebb243a98080f6e0c3a0dfd2b6f58aeeb05bf3d70f0bed36fb02d1ca2d951f181c1ee5c22', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'f1a288cbac53252271d33337d7051e3842982cd0f93c3c162e27fe6cd80c48185b6a9d85', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'446d40ea3148ebd914f4e0e5f93df476e1d17c7ea3b82d00f3b2822cdb682605545805d496fdfda93387cbf645edad40a14dfd575872e51ad366b35251e2c0b39954a5475deb77755d25aa47e8bce1934192a6462c5a7528ac364199b964', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'9df624d65ef3e6d41ebe71ae1d18ce46881d7f2ceb61c53e976bab4c61aa68e0c8098079', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'8e67b2c7f4d1846b6ca413dd3d8f6883c33a2943b495ce746c1090b7a4e3e55b36173592ce09b5518ff064df33c11ad8122dae1f85df22686bf0c0b59b05124b57168ec50d4455bd47131ba8bd141a8e98c1870eeee3ab983782eb2ef6aa', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'588d279ab51a9b58a728d8201c18b3447dd75251785d0d8b9b729d70824ea20de66205e5', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'8c83c6726890a0243b46dbefe533720e2d23a768c04898ee123f8d29a58d824cbb24b5eabde5192246daf885c6098bba369bd94f9e13e4f5fa14e437755cf0087f6e1ae2ebe8be66a245347430853b53a139246eacb7e9224fcb968c6ad6', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'ccfae2e89843d92017330a1f6957f7e786ce38385ae657a168758b1aebd3e0e8e287c91f84b25d72094e5c400cf1f4b7fa', x'17300e5a5dc5452e80ae59c20fa22b367cdee862eb98f881b46d8ecb560e86860809bf1b9e8162be4dc6a5230f3b2aa49fb5c74915902fab355ed408', 6);
INSERT INTO "outbox" (id, key_id, sink, operation, seq, state, attempts, queued_at, next_at)
    VALUES ('o1', 'active', 'pam', 'put', 1, 'pending', 0, 6, 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'7925223aabfa4bb0792b6ad49b4ebf0bfe6ad820d9b049d4f9da59da1fa3ad96af70ef0c67', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'624bd8dafd0c7ad47b25c6958ccc256672c765d02ec201f816ec13582c7b1cdda1580904982fb94de9280abfa18ef062a37399e3194abd73e8fdf936');
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
