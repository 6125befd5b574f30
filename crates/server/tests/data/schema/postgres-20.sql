INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', '\x12c927f0242368f7b315c2dbe40e78020ebf422341cee62d80a2b671b233e987a8e36df5fbf1a540f527a8776da0e474', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', '\xf43169e72ca07f6f47916be771873c56aa133e7218f00057977772bf4da99ff9156e0c92d41ab6aa285296bd4a63b5cd', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', '\x55cca8bbf7ddcb5289caf62d535b1ef37a315cd8edf7427118f4b303b505acd3dcb9af5f1a995c29bc961ce0992754e3c3a7c80b126a680d728099aa', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', '\xcc86fde8baf6913d9c9e36b6022f7cc74b7f67b65d22f3c75de77be588a38aeec6021c84385f887c87fff04b42a6390c', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', '\x474926da4024fa36faa70a23c8ad143a09f9d46d1cf9ec69f52dbc71d4639e17e921fdc68f96bfe21cb5419397e9300b5d9ae0b178dd58b13a0b9057', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', '\x9594af3d8f0ff91a0000e7a34b165ef5898c1112372103b96cfaecb15abfd9ad99aaa99f932151c11f165a8394dd2162', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', '\x016ff3a0544fee852efdc9ca740def3b3bbf3e634b58721a7bc647718a49147c281091f752f26bc5c00babd9b9c2b7b618c50295f3be6e1e2148f3a2', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', '\x69b34ca3e2b4ad7d1ae1711a5f617296e9b1f53680e1ef88220c37ad98a5389843ae1c0be9889fa1a8bfb47e8fab866d', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', '\x9a5ad2b10a75522761199d13a5adda5bdae2231a17a35f7a5cd0112cfdc430ee364baaf77f9c3a84e614a44b296961213ef82ddfc5e67347e72720c0', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', '\xc12c70d5b772aac714c659073cb81649c0211f0794df2d18909f830b7bbb5ac05c370eb16f7a050d05c4e90e6e2b821c', 'imported', 3, 4, '\x2ac06a12004088234b0664e599cad3e2f63416afb820aaa4979ac70eb0ef686c512f132d69d0058d0a72af7aad688ab024ea0640ed47f540ebe26011ec67476e9d1432910fe90ca428d0a500d04e99907f6acd516844214afc33c9e6fbd3ad14ff37b30c20a03202999c40962c1a11701a96603595d9dedc1daee799453a2b08042e50a6c037e09f2ef340897ffcd95b8bbb9d239e83420735e72465bf3f565f343a990b52540c49f83f8e2b948e7fe53d7c1eec0942de7865f086a4aa155efd88af7701fc85fd1c2cdf4b79651f97db2a5a12f4332028c5d763861db22944cd8bc738fffcfc59831fd1f2347dad4397b998d18b2308285dd1cd07659e872007cbe43e539ed8ca638700e15c0ff92e2206feb9f7af9ebfa8186fa8cb00efd2e5f93a8815f0b67bc6ff41af8745c643ce9a9517734b076d4602982117cb1c9183ec919450d29fc378d9247375bfd3e6113ed9c3f75cca192fed8b0df10a20f8db49145bd108c8717d945e138ddc1c12cb3c297802d26dd9');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', '\x027b125fbe17eddc8cc5aff890eb9dd26e293a832481913eb3692ce5dc480371ce6477c2', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', '\x841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', '\x3d449705da67c10897345603f8f0fefb2e29fc50cbf8ccc59cb4dcdb5b4c198493681445df68be5b051a65c3c0a5e187d147727bede20afd23742f702510c6382300ea15380139b36d5ec8c65974dc71f8d2cf8f67092c66363354304225', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', '\x9136e238c02fe2aa01deb0db424b50d2e230a187a8c5af11000792f07b593d454265a07c', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', '\xda68c3a368fee9c1a8558a91b8764e8ec580c39af84ddde8b9ba40653b0833d863839b6979f1059a003652cec0ab9adc0b3fea0468df256d17aca7aec7db1bb191f8bf7e6864fc3ded6f79c8a119050863c839b761881a8efa936dcca7fe', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', '\xc3cef26579b0699a57031e3bc60e9468a1c77fe1dfbf1594b41031e28ed2acc1a628681d', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', '\xb53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', '\xe27271123a311463d759626a1a4d68483942f5d5689f8239b5b7f64f92791df07f1c35e1b40fe452159dbf5cc61ff9ae4992d426cfc2a4bcbcabc88fd87e6332828bb5bd1d68a35fadc155107457283a72608bf14e09d40d4495da3873db', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', '\x40553e9d6dd4218895ff333b226625c74d86e2bf70ee8314d64fea63e8135f47ec256397', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', '\x2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', '\xf231faf987f1df13328e4af2c92dfdc15eef2dc586acaef6b525e3e248b55097650b5d31df6a1087f87c6dfe317387758d622f2c1a2f1b66e19d6dfc66171afc234653fa5652fed766c86a8a04af8fc1bfe6a872d194eeca953722c00557', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', '\x15aaa20b7d7e53e8517885ab613afa23093b9d7f515f326d6583b1643707fb1e6e3f6a3b', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', '\x8a8f4c83d3aa0ab8c4e9aa00c93becd350d7c48d07baa76937e35162d254054051fa2ea7a873ccd60f49a205722c99e76e9e46bd2d024dd2c806be60151ca0cdb0e9b0fb35b0dd557cbb29f026c9c8d61be8072fc9e4ea115fb400b91454', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', '\x9556c66dadb45d064298feb1aa46ffc1ecb183dd7a42f5c04a0864e6148dc8f52d9f4748aa6ea235c7687a34dc1b53a251', '\x48517b833b40b580b5e375b496395f7e0d877f4c892f4ca9bd5def517870c01d4267d1a02a5212655a16515a749fd4a5c031b00b27b0410d388fc9e7', 6);
INSERT INTO "outbox" (id, key_id, sink, operation, seq, state, attempts, queued_at, next_at)
    VALUES ('o1', 'active', 'pam', 'put', 1, 'pending', 0, 6, 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', '\x0707070707070707070707070707070707070707070707070707070707070707', '\x46ea51ffb2d69e92b7bda34305c93999373a5136c22509055dfc04699f5600dea3c5c444be', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', '\x3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', '\xfcb615cc86cb19c219c9190180f49941e9b06fc41b83eeb29d1881b9566462b6696c409feb729819e436cedcd377053c3f0c07a163b8ebe0d5ddb9a3');
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
