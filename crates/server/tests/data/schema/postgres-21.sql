INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', '\x07eead38faf6504484752fb8e294bd66b09d6ebf5459e2cee63af658157d22af44630a9c657548fd7249a28c2f7b1066', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s, label)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', '\x3c85836bea1eb53ab0c1bc2f8bfa8440aea73564a7928e90090c39f7576dd1b634d0f0b43812cf9b9266835898cf6bb9', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', '\x3bc2148f17aa128df7d1f67e01e52063b8d49b9faead35ba5c48730210fbf41f7d0e8a0f920f0c9330ab979c7194a4a77c98e0522582c1864de738a4', 'd1', 'https://keys.example/dskpp', 'spare');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s, label)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', '\x14be756fb67fefcc2c7d45cd8de91ab40906557b259f4beb85fb8a3eb64f5236ebe45c23a871dfac8acc5d0d66b2c38c', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', '\x3d3c514d400ae8e01661d430a83c43034f9f03ad1c011b511cf835e09888d8473cfc5bed8f5bf517ce04651309d620b4d3b47ce53b988242f0ac26c8', 'd1', 'https://keys.example/dskpp', 'spare');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s, label)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', '\x00de78f76c54a42e2ee33452bfdf5472ce09ef01feea3da95a55dc8764c1dd18f584b4e9f14de2cdc27be99b17204db8', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', '\xf61eb6f975e0dee7667cca84f668c7672ce3f9fd88dbbeeb96f2332a191c74f483d087ef226bbc5aea6539f6fd59b55593febf78072c0e7d0db15d7f', 'd1', 'https://keys.example/dskpp', 'spare');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s, label)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', '\x129b80ed56a1c21d228032c35ff96fd50b36dafbb1be2dafed5f9f0f7d9a87d2ddb1af0887943517af712eb912b2b8e2', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', '\x674bdafcd577a6e66bd3a38bcae220eb33834f127d7f87e949314336e2acb27556831535cdb5d65e0e228f83270acb9a8215bf270e62f7909c9ff8d2', 'd1', 'https://keys.example/dskpp', 'spare');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', '\xf9850b835070cffcd0c4199d6dc465d3ccf600bd6eece49bbfcb156e2edb1a10d2a1edcad4829b739d22448ff1017a7d', 'imported', 3, 4, '\x8cbfa3349f861d4cced145ca616c0a9864e3f7238e79d5a3be410baaf84c73e1b2e6e10bc1cee237ad1cd5685f9e7e3730e3d7fe8555d21acc87d8472e8af20992614ab8594d4e103dee7ec7c85914d65958cb1b29ac5e3f115dfc58fd5ed6ff3ddc582c7e1f1c65cf6bb032de249dfa6d8532a013e686a5f697d55618dc1352ab471cdabd923b06780761f33aefc83ce19ae08b77dc3fceeb861837c446fe3ea8ade2fc2e593946a7be4d618ad6b36fd2d5eed71aed493e40f56a7f7678b361c9372cb2c3c3cd5827faeb08cb3ea39a1dbf32e8266c886611a4abddd4c6dab93f310342cccf7af9187cd066a98e5a1be8bba3dcd4007400ec2405ce652678a4d321c629adabcae79cccf94275d85889d7f4476b588b6af450631a7439567fc671ef3411b05904c08df86e7101af064bedf5daac260aefba74328be7b50b9a753dc7690f1b72f14e3697f1093f2b028db3a7984135deda82344a73d3ea8cca3eaed9967a5489e0bb8ff2d80f01ec2671693ec7fe937a8e');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s, label)
    VALUES ('disabled', 'hotp', '{"digits":6,"counter":0}', '\x6faeab22e210167aa5f1c30f1399e25e7fd57e8daa6d375700400482dd0824a4d5b03584f87524ddfd5fd39a9a2330bb', 'disabled', 3, 4, 'u1', 'e-active', 'urn:prf', '\x7f031ae1c06017e1755ff9bf307683ea24cc2a897426693d5a80f1e9223eb5058abfe61be09f195e08a441364e8564e2a5c9f00469f613a67d3e2bff', 'd1', 'https://keys.example/dskpp', 'spare');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', '\xda5e7ec605e8780c52c097cb47d086286f8a5af27080c3c173364d5a32f08c9768dc4ded', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', '\x841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', '\xa047e3691c5e86d7504f343c41882d35336411474544989f0e704600fb5c962e43ff3ef662e2a9b794c330ad78c893293410fffb20ed2381e04a2def6e4beba622edd2e0a8a611e582834ccbbc0f6ed058c85527d588c3aef0b85f3d9b58', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', '\x5d2e41fcd8d4b1aa3ce8735bb1a32b3ebb9d5ce7241a88ba39cc382dd5a669a8eaeade9a', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', '\x94458e5895a25099ddd6e6ccf60d58bd4378e3cc9ba88096f3fa81a1cbc04d65b570629240b18711c415c4f757e65e1cffd7ad4bd650ef45dc754e988f93c34fd328e99f61d01bccb3d570f4121ef927ce4d439114dcef1ee1599e6f4bd2', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', '\x0c12c6c6405d70412468458fde069b0471e04b70a980bc9aa40ab75f1e8d088c11bb375e', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', '\xb53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', '\x14a211b88ff17d1ca7f2870f5b6732a1956d083f99c35a700fe37ae163fdf9df8fdc690578c40e6729c44eaa93b1e39660c24eb3aecf19c586acbbb17c0e0a50f67aa2a2836286ddf535a02b25c4d4bb1ff9b090fb39e38c4f06ea1187d1', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', '\x9cc9e8e91d1360c3a3d90943161d82e2651f506ccbc95405fd186b582e2c8e972a783373', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', '\x2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', '\xdf7988b9b4a645e6f9a34a0929e17e86135cc770459d0b28ed6ffe69840a72f51e2ad216597188f22491ba3a20db9e90f3461113a24a0fcbef31be25ac046080a85d37d82c28f372c9426ae766cba17a04bc7d8cd3623a4f67cfc64cac87', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', '\xf7ce7d9cc3b261bbc3c5480a07315f2453098b809b3b9339f4c04e1c3620e22683444cac', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', '\x6012752cb2a66a3dd2a1bb7fdfec3da3483eb2f26eb5f9ac4c58bb338f0e2137fe23edd526f10ec9b5cddaab153b6984d8853d735ea45c763eee56e8e4e76f108229f551977c744058772ef7c521ffdee341888b0d30ec3e7e811816aba6', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', '\x4c3405936b24074fc2bd27e4a338975bef0bf9ed98a1650dbf482bf79bb19c4c1d9f74c3d45736fc23d1f3a6ccbc12670e', '\x712aff9114656227eda963e632fa3a36ca47be3763fb6b1c3856e6cfc4cd73dadb16832fc54cced3cb1bd75c639c46d686f9e4241899d25828fd5062', 6);
INSERT INTO "outbox" (id, key_id, sink, operation, seq, state, attempts, queued_at, next_at)
    VALUES ('o1', 'active', 'pam', 'put', 1, 'pending', 0, 6, 6);
INSERT INTO "idempotent" (id, request_hash, state, lease, lease_until, status, sealed_answer, expires_at)
    VALUES ('c1', '\x0707070707070707070707070707070707070707070707070707070707070707', 'answered', 'l1', 6, 201, '\x790b0a4e2efde65597ad93543b3a44d75f9bbdacca49739a4fb149ac2ba0', 4000000000);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', '\x0707070707070707070707070707070707070707070707070707070707070707', '\xfc04febd5f9639551d5a11e2c38094426f1e9dfebe9a8928a73d22214f8db86978857810e1', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', '\x3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', '\x5a1c92cbadebf8a1ec2684a97d1dfd60b1dfad853b15b286a31e377de8ddc9d8699c526a5e301f1d40ea87d84ee4352dabba72361a55222b717b6fe4');
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
