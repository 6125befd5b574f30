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
    state TEXT NOT NULL CHECK (state = 'imported' OR state = 'provisioned' OR state = 'active' OR state = 'replaced' OR state = 'revoked' OR state = 'disabled'),
    counter INTEGER NOT NULL DEFAULT 0,     -- HOTP and OCRA: the next counter
    last_step INTEGER,                      -- TOTP: the last step that was accepted
    drift INTEGER NOT NULL DEFAULT 0,       -- TOTP: steps by which the token's clock is off
    created_at INTEGER NOT NULL,
    sealed_package BLOB,                    -- its KeyPackage without the secret; sealed: extensions may tell anything
    manufacturer TEXT,                      -- what the package says of the device
    serial TEXT,
    start_at INTEGER,                       -- the policy of RFC 6030 section 5
    expires_at INTEGER,
    uses_left INTEGER CHECK (uses_left >= 0), url_s TEXT, label TEXT,
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
CREATE TABLE idempotent (
    id TEXT PRIMARY KEY,                                    -- SHA-256 of the caller and its key, hexadecimal
    request_hash BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state = 'begun' OR state = 'committed' OR state = 'answered'),
    lease TEXT NOT NULL,                                    -- of the call that is at work
    lease_until INTEGER NOT NULL,
    status INTEGER,                                         -- of the answer, once there is one
    sealed_answer BLOB,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotent_by_expiry ON idempotent (expires_at);
INSERT INTO setting (name, sealed_value) VALUES ('kek_check', X'3D20A0F36E850B939A57DCF213035D53D490FF3F6DA8E837B844128849858C5075');
INSERT INTO store (is_only, id, tried_at) VALUES (1, '0123456789abcdef', 0);
INSERT INTO migration VALUES (1, 1795947034);
INSERT INTO migration VALUES (2, 1795947034);
INSERT INTO migration VALUES (3, 1795947034);
INSERT INTO migration VALUES (4, 1795947034);
INSERT INTO migration VALUES (5, 1795947034);
INSERT INTO migration VALUES (6, 1795947034);
INSERT INTO migration VALUES (7, 1795947034);
INSERT INTO migration VALUES (8, 1795947034);
INSERT INTO migration VALUES (9, 1795947034);
INSERT INTO migration VALUES (10, 1795947034);
INSERT INTO migration VALUES (11, 1795947034);
INSERT INTO migration VALUES (12, 1795947034);
INSERT INTO migration VALUES (13, 1795947034);
INSERT INTO migration VALUES (14, 1795947034);
INSERT INTO migration VALUES (15, 1795947034);
INSERT INTO migration VALUES (16, 1795947034);
INSERT INTO migration VALUES (17, 1795947034);
INSERT INTO migration VALUES (18, 1795947035);
INSERT INTO migration VALUES (19, 1795947035);
INSERT INTO migration VALUES (20, 1795947035);
INSERT INTO migration VALUES (21, 1795947035);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', x'7832df9c1261112209d29c84947a74d291958a6038bc1908731a2cba02d5f861214217e5d96856d989370a285f488903', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s, label)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', x'70e3689386fa57aa78ed492c304b0090be2edd073316bb57c1eef8ff9bd4ae72d2a785c3e45209b6d6146c21b924d481', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', x'5e04ede3b7b6dffdc0b31b4ad2eeb273b5f3081e8a001f7b6f5b88165f211afd3fabed1f15e52dd891b3beb9035f03f65021fff033f29cec4b0db425', 'd1', 'https://keys.example/dskpp', 'spare');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s, label)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', x'1edb813bf801b7fa59ef1a9b001017b2d0438fae8ea3bbc854215c6faab6601da5d8b4fd4f8c1146711210c2973ae000', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', x'a5936b9a7b6c94e42e3620d1bb66c1b13d393ebb99b1aabb1f861c43ad6ffc7407110fc211042e7d469b66d4bd3710cdd54d8c24fb2520faff7c9c1b', 'd1', 'https://keys.example/dskpp', 'spare');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s, label)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', x'4735d4a0ee880ea7971478ec380d7599f0747481b21634c1f31cf7bc429cc9f8dc68e5b30d243b84be3b6d50869856c6', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', x'e2377ebbb1922d139e20cb2d761ae53fd0b42c2b987d1a8514155e399d31a0ee7099d8159f42ddfb5b559bc49e8680c61f668da8a311184d32921c8c', 'd1', 'https://keys.example/dskpp', 'spare');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s, label)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', x'5ed4cde282b08eed1db48da6ce0532e9dcab0fdcff34c88c0a5b6c842fee2e4ec1270daebbbc23b985a31d2e740a4206', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', x'c7a3b11ab6082099b9e67316730e08aafba51eee819bcb867ddf3748a462b7f2fc4c5e2b260c8e7dfe8e54c34eee9d8d66dfd0b46ee7144e1ab81501', 'd1', 'https://keys.example/dskpp', 'spare');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', x'0831709a13ab43b492473988a11ba8a64bb242ccd10563ce73d794b8a7c8a46c3b7a874244de03b27af15e962239d8ad', 'imported', 3, 4, x'8b7670834e213ad9409bc32e6e48d5d499ce5699f76f675a4b6b822443d47e092115c06756d45dc54d73badc8be9c43b2ba4162f105b8ce04ecb1f0024b8a8441cd6598b9f1ab93a98081213c35c61a80d6684fc9f78b260028f820c2c0c430f528e328814076f1e13b2a9668bd62c87ffed6bf8f2f7b909c223ef2086291b7b68f63b2ed6e0e0b7b51a60319ead994b4ffb88eb1664d881af6238088d7ee5fa858364371b0fe6e42f8582bbc53d356e7e506fba527871a033d2bb9ffa4c36f335f9efd9256d23460abe8f422b7fd79fc591c93ce96446b8c32ffbf1c0ded5da996674fefa9726d904640daad98a29d2b96dbc9e56f4e0009f92788b13be1cf1b2107af3bcd035c4645082efd56b7ae7377742400d4c17596b40ecb8992cb466fb4ee9e6937ba6821f9c30d40478a1ed98ccbf4026c91fcddf3cb5e3bffd8ffd010dce7ab071559620e053d2aac88be21733b9e3bde934a626a9fe485209241042d01530314a3b179bd8ad4fb66e1df80d8f3ee4767ad2');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s, label)
    VALUES ('disabled', 'hotp', '{"digits":6,"counter":0}', x'dc23d23ce8d6ef226f23436a51d27c7823e19b6ed1cb135fba38c98c1f5f235eb0c2cecdb11f79981dd67a43551e9431', 'disabled', 3, 4, 'u1', 'e-active', 'urn:prf', x'c411abf7695320b2117eb008866c91304a4f2f876612b58311a7a2da913ebccd7b0cc6092552b73a43167726613ae5e43ea607d42506ef5520b689b4', 'd1', 'https://keys.example/dskpp', 'spare');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', x'1baf1faa998c9db162bb39d79b01add6b79c60c4a57c631f560c1aa7a183f538866d701b', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', x'841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', x'f9d5c2078598e53b7db585b926472a24c0df8c3bb62cc3e830b416ac796c977b910ca70dcffd2bac5c00dbfa36ecb781896f44a38ce07c07a8fd14ae7afbca925031ba3bc4e0c72805782db690adcc9f70c7b82224ed6a17efb8804b905b', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', x'618236e750aa69412380b9df0faaf17598bc5eefbd4b93dd1167bf4032938365ed3be393', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', x'b7063f5f63467c6d6ad6fa29917fd799095eecee23198c735360f8164b7c14874c0f72c9b36129501dcfc879ca5c4cba00168f763c050f0c92e0978e23ef143aeed796fe3783c37cad44e6a3f34f6fd0f4f5e847234e84991f82b3846b89', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', x'643c1a1cd90eaf4d989962eddf110c8fad1e2658951e15d56a5dab05616c129776368154', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', x'b53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', x'7b3b0984dfcfbb9b6d41bf4e6315207d51314c147252aed2f67c5272ab9438fca80c07df5c40cf63c7be059b2d59cf3ee05aa98938190c275b7b7a85d4eb68760143cf905ec62509f57932bb112a7ca26f92a9743a5ae731e433d0481983', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', x'cc7d74108183e9fd175f969862a94446c11770c9f8b802c416136679c41e941e2a38d2de', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', x'2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', x'68693b259f884fe2c964e16825a240ed47e934efc2ea05786b4493f679ef8967a84f3b7ae472f191519fca451aadca1c27fecb1aa4324378909bf6f539ca618123dec8f8b77c8303176560439fce008ea76c0163d241d27c832a0a102464', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', x'e10f7a3e92037e3f027abeb09afdfaa0fe4dd1f61751005ac26d25c84278554f62228a1e', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', x'2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', x'9de44ecd5cebb3f9c0d917a1c3ffa98dd56726a8d429df4285ffa95589c7109eb7fb5f9ed63ac4de0267f231ed13c2577fd7d46fbcff2e9d0cae607e5e081a62b281139bfd736e30b40adbf4ea68030bc8a4863df6d9941d6e517e6cc9b1', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', x'2fa1c9f47b5288f4138ac6a9b9c28f54698eeabaf7ef1ae1bc8c3b820519073039e70ed6c72fe24d4512cee221e4d205da', x'1972dacf31e90b2be7aa9c97c98aff465dbe092c836e6059057694e93fe2a849f8fb08bbf720feea4b4e1396b3f738fdee90848b32a2b497388f585e', 6);
INSERT INTO "outbox" (id, key_id, sink, operation, seq, state, attempts, queued_at, next_at)
    VALUES ('o1', 'active', 'pam', 'put', 1, 'pending', 0, 6, 6);
INSERT INTO "idempotent" (id, request_hash, state, lease, lease_until, status, sealed_answer, expires_at)
    VALUES ('c1', x'0707070707070707070707070707070707070707070707070707070707070707', 'answered', 'l1', 6, 201, x'ee36b9f8b315164936965f6f3757c4f5d9eea2eacef1a150532882b1d0bf', 4000000000);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', x'0707070707070707070707070707070707070707070707070707070707070707', x'86537693c9da82fe11b7748de03b741265ac5c1df77341b822d1704542d915453787e92ef0', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', x'3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', x'9993aece4547cf259069b33d8a4109e7b6e4a89098b7d6735777be4415bcd63fef9068d6bffa685f58488b328abb21485eb8cadb7422fc0e47779a78');
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
