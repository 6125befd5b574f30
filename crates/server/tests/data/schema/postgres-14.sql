INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', '\x6752653ac72640e267ce321effb3ad480f2c1443f225130ff4d6f6ce28f395978176c5470255a0b291ac6d96d5e3ee81', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', '\x65039d212296de37db2da5bdf27f1f88848c2c701c13f43a74ba6ac73ff318d52d72f3cdeefa0acd5492a86a1f3808c0', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', '\x67e3960eeb0257a6eb8c59ddedda8bfcbbe93b539cc4afb331d82686f1fe11359ae0ad8c632fd95307224dbd9358c99f4630e4a97811bf01eb83692a', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', '\x29c34599e897a95eda0504bdb723f1008f37c44386ae7143886d2ad63037549794258a7afd75ee12808452ed8f723477', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', '\xec64742eda2b735514eac4f97db082f465ad2129902097d7d6476311f1c15bf6023967febe6af1adfa16235fc047e029df9ce37af9b56358c139bff2', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', '\xc567243e586cedb4f0e9a3a2d040ad10f2b17118b58204a57011b9330eee904af9c80c8c4f269e6d453710252735431d', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', '\xe4b6e35156d49a08e423fde5ce6bd956247c270a6c7bd6761deacb457f8fadfd54e0f3dff03dbce9c25bdc6f9f2f54b8482e0514c67db0f46299e842', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', '\x0d630e843ca51e049191b059a0c7f14e0fd1f99a0aad00f1c52a07758d355e89fabbcf288d479e8f6e8a95d9d6ed983a', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', '\xf7903afdff266ef73ba3b3d4f2d60508bd38fcbefc198d47deaa5a68dc30d0d53744a6396854d8b0c57885db5f801c770968edfc8c1854dd7bffbc22', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', '\xa90d9df4413b1b0a72f7d81d82ee685d4ccf64e683e44aedca13c8f54e7e4e24c43409f1b10b475b179aeec71e040d9b', 'imported', 3, 4, '\x5a814b12f3d3bcf77894906932d0b7491a575aa286c8de5194f81898936971366b03791e0170713c659aaaa28a61371b47bea3b6d750fc0a1db32a9e56e1ca590cd5d90c0de75eced5c3692ac0c10b27e0ea7bab8ed0cd0b290ee1e9eb4d59d38070c3e40780cf3ce9c463afbc8a88f914969eaca8b6ce95031ce383a946265c154f4e8d2688d7413e0ddd83aac22f899d645e7aeb3c27656e2972cdb0fc4670685547d592bfdff15953da1ce8c608a635afbd2e999cdf1048f91f4b30ab4de0bb1fdc470503eb69d2b24609d6d78baa4875a7f07e26b37be2c1881d8b1f2b7301f2f95ebf9c92d4c886a9f91f005cf1dec1efcd1786e51826cf29b1e70423412dca2bf625a3b087fc33f72612b7293975ac0aeef73db31243d86d97bd4dda946e96774251313ac0322ef37ed1b909b4f40ce34247973d75952ccfdb4e752ed7fc228390be0feea02d42f0fabb62223b0613702aa016ddc56741dad222c447b60e74cccba05580abf1273e7fb0927000157b0219e96392');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', '\x5fe1c1513356879a94f5aae988aaeb63383aaaba6bbb085b866df7d58f34f714152c2eef', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', '\x841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', '\xac90d46e5d328ed2481e46314fea927ca90c09b6ef650e9ba4ec80d6ba97df69c5c7a531bb213cad6727d5b0d661a0ccf10b998e60b145c572602cf95939d862659039e39a8d7f0007bcdec55d29dee6b2e204b0edad6cc2eae41ca54eb3', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', '\x92657ef405b212171959a05333f976011ecc79d4c9c0ff4a3fbab14c198a541ae355e2e2', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', '\xfab7cdb5eecf44fb747db46a4a2cad7b377964886335e905f3a364d881237c7bd08509dabe4d742ba44b0fa05d06c3ebdf1c7e37c3d55480b71200df2b0dd64cf836ebe35974f4889ecada9ef2aac04c868bc39948585d4d724d986e49a9', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', '\x2dd660ec1978e188a0253c5ee2e89b9d5b1532631fb74ca0cb303a90f4ab9fee1724775c', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', '\xb53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', '\x3a77e6b879ed91d417f9d76253954c11cb165a15d27e745e5771397b6b076ec52e75019a033f37a60cdaafd028eab3162cd297efc13704d2fa5c21eda84e887debdce5ab4aeb0682b41631037f12872eebe0a06a8230bbbae7e39784031a', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', '\xa204b196483b36347f191884280eb3c00354aa4b87fa17214e0a5e0d0053fe3e289dcfa0', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', '\x2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', '\x52cf30a160f0fe28ffe9705e9957224df3bd5e5b7a626233f350106a8750324d4ee0c543368f19f17871da88235d90b80b2d68911a0c6701b086b98e96789965c9d0ccbed168ac07375846620e43902a8fd20cde1432ca506f4f3319ebcb', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', '\xaa81ba96dbc0febb3e873d9dbadb00434d4dbf22a0a75b04310f563be3a3496b4c803ae9', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', '\xcba716f8595e95ce11d25877ebddd551d12d4bba71582b53d694e601a7b0cac4574fb00d7d92b1c13e71aedbabae98983fb5487c4f58c2e8331262d0da2f431c99b8635a5a774ecdb7735dc1a26861385e5d4bbd55d1358a4b26803d2a70', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', '\xf81c1a962d8fc05e2a4cbbca0b91cb98d92e260fcad45d7afefcf086cd11afa9d3a695a3ec06fd1776d814e5c05869e439', '\xb7dac959b01c315b28e8a178c56f04ed60c10da4e122032ac91a2ac98f070832508887f28f7987625b83a45b8a20dfb3e970b15ce22e644f7212a761', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', '\x0707070707070707070707070707070707070707070707070707070707070707', '\x4f0c45c05af3b01038a79fe40b206e325c471dbc97d4dcb7d2ec3c8bb63cbe435085944380', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', '\x3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', '\x5f2daddd27b86176299072e1fb19a2856f2cc5cb5bb78da62e635934addce8234452c5fb79fdfc49ad956db0d5e83f24d35fe8368116afcf4de061ef');
INSERT INTO "audit" (seq, at, event, subject, hash, chain)
    VALUES (1, 1, 'user.created', '{}', '\xb44d99c87a5672094b315ec493b6354db488e836959e6e4ad8e813cf579691b6', 'of a connection');
INSERT INTO "audit" (seq, at, event, subject, hash, chain)
    VALUES (2, 2, 'key.provisioned', '{}', '\x96271b88a268b5be90dc8e6c4071783834e906b769b3e1713741784785ac5b57', 'of a connection');
INSERT INTO "audit" (seq, at, event, subject, hash, chain)
    VALUES (3, 3, 'key.revoked', '{}', '\x58df5c4a355d74049060df09667d942c0553f246d185c1f72e3042a409de66be', 'of a connection');
INSERT INTO "import" (id, done, accepted, duplicate, refused, created_at)
    VALUES ('a file', 1, 1, 0, 0, 8);
INSERT INTO "wrong_try" (enrolment_id, address, count, at)
    VALUES ('e-open', '192.0.2.1', 1, 9);
INSERT INTO "refusal" (enrolment_id, hour, count, cause, at)
    VALUES ('e-open', 1, 1, 'wrong-code', 9);
