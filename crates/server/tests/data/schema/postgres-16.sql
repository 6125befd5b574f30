INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', '\xac93ad120033efd94029571c2ad79896bdecc63268959813433604d2fd5bc5a3bf94ee6243b97744124b0b8c1f12c5f3', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', '\x5dddc19152031080a6e8ec8254bb6c0f523903731cdca81fb5b70432fd35da17a089b58b67b6864ce5521293f9596a64', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', '\xfdcb17dd320973aa90836d66ddeff9a5c66b249301f86e0fc56f010108a3d0fcf69c6a4cb55883a32ef745ad34fe3cda37fdc9a956c364391a83e3d3', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', '\x0e708a7882ae259744080d1d7da517a7c83c25706935f5bc141cf036606c669dc60a79534a953d4fb92b94bfe35c05a8', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', '\xe05a1df73b0b7c6d937cd308fe5e67087a5c9d2c2920612fed2f723a892fae2fca7f1950deb7626acb215bf96e2995c1f22f5b2e74fe300901d63094', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', '\x9de296cd350556a4ff1285e547ab7ce986e6ff27c8d6924b015240a00eda98751b73f03390eacb7f23e94029bc5e939c', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', '\x8012ef37b26040a036a744de27bdc786f597d4216c328ba203b5c3129a114b9633ea01a73e66493a4ecaf3b2ded9996d4d241a85216a9c1ae9dd2b87', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', '\x11d706674440580f3e46680d87791d45a793ac20796369e4bd5cc864c81ebe958991baefa1210b5802f61fdd19dbefc0', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', '\x874b1d667c7599831f9a966944f73e7736a6d59830b99f9712aa2f7277dbf0977f625028294a07bce9c01d0a3069396ec80e74b9c792fa050e4e30e5', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', '\xf31307d2f847d8233ba979a3307272b78c5dea0f7c640700f44b56e5ada60f18cc4b97f984c06b051b8e4c62991279a5', 'imported', 3, 4, '\xd0a76b677308fd9f88d63c2eea665d495e66e794de43691295e08989616808d2c80b61cb442bbe104bfde388ef1a93f519fbde0c9e8c8a88c6f8651981065cf1bd0b69ffe30362d4cb7a995a121040ce65435e1fe3c66bb7cd07f560742df54cbc5f613c877a42cd8a8d791b462f5096ce64b81c0cba727b27df54d029e89eac50fecc4aa7d0dd6a9b01c1a3f96f6838b5a2981321c616a00efb29009a444619dd9fff2b2750b5f2f9d1cd8d0a2e75495a0c1ffb8ff93779912c8713d876e71e94849bf34a73f66623ec9158f1a2a67e06e53cbe4e65021625d1d09d5b8f805e053da80d5af568ccdb74976925493b1cde0dfebad2827b1565a22c1def0d390d4b514132b9bc61404e648b3c2170d861ba5e7dd5864c2d57057be7ca3d8a1bd8f04543247c52591eff6e8aae78a76a00f5bd75d742f68c7ba923fd2d6c08b3ee74549fbc45c9e0a0ac8a68bd2037ec9480116718272675d47b5b75ffff30f1f4cb129135bd5feafe320dd2a789940b500f6c05a465e0c1');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', '\xe42ec6a45927b71b051e9552b57d4837290c2a752c8ff6c95d933d57ce3ed896550df2c9', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', '\x841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', '\x7ad4211a54fc65d24c565d6e83f4b87f31a8df930324d44772aa26024d07dc74931cc53947c6452a2d106ac09d02bfdbc53d62bf04695dcd7674582d8256705e40e8aa0f37849b67a3dff51caba5d5022e441c3ff961576dab2882c9a95e', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', '\x873279f8589e2427bbbe8bd8068dc8dcbd2062f965d130059b87d93d0e9632509783bc13', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', '\xfc87c2ad3c50d9c2b00ec8675dd4c7bf5da36f390dcc60ca23bbae8947a2ba352df503e90adcabdde84c231c324a90205fbdb550b26d77af57146819b1b75b61517c93a1d7a17ed0e80a38886372075c901f9f0d8d5ad9e81822fe874c2d', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', '\xda833481e540fe59c75d035feb812963101a0c97e97490cfc26e5eb700f7b7602fa258ac', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', '\xb53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', '\x941d7bf0375d8f2cf076555645f78a12a626d6fc7c4565681c67ec932efb39976a27554d20be9d864adec9b21b8745e1fc758df8749a9e068225a5084e7e11839dd3a202a0a91ed59e7f13b51384ca7e20ae69b63c2314234468dd1a224b', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', '\xe9c96ca0bb1640ae5b1f6f486e98eb8f02bbd58be2c11666b82039659d599d1407f478f5', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', '\x2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', '\xc8bcff4f1944cc7222e573bad13c40382c1511a55b4acaecbc41205897fd19d2ffc0e51679e27b8e668eefed21b8e0c73e2336360ac2aa1a5413aff5b0c4463a436c0006d001ba9217af0a1a7b1e6c15d9d950b0998d14ee97d89ffde38a', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', '\xffa181fc4bea03a158cf19cedc4cd47969e04deb98a55c67337984d56c985837b59db14a', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', '\x2f25de4dd49eebc04b957e321f746d95e7e45d4e1a8ffb6863be665fa7a41712fd4f1391c6c4900fe9e2a67f0fb7a2247b5b57163d8b0dff974f0e462ac8f74645bfa254e5a2711e658d7d1f95813537315a2bf1361f96ae142bc797a05f', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', '\x1b643587ccd967dd285496ac5991e6c752c00888c19294bdf2b9d1e918f8158d8b0fb1f66b57ead23057cccb5e71aecf71', '\x28454830b2edb7adce2cadaff48af98e7326776a1e93d775b5fafc9e1ecde4cfd53481f8e96a7e9370a67c44e540ef2b7871b17018e22003e2eaf628', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', '\x0707070707070707070707070707070707070707070707070707070707070707', '\xab90dc4e8a299fe29a2568ba198b3bf2eb3cc7c6d356a68dc9d62bf2a3c7301f3035540bf5', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', '\x3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', '\x5bbf3cd05662ab0adfca7362698c093c1afbe06d8bc3a309391a822419a64f2623fd0c5fc63f541152f67f14e3f477c008402c3eefb733a4a4c4f371');
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
