INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', '\x57de4b120e6dbd2c2c6f4f3b124b347ce64d9d319c512c4530aa11ad2a7da2e0a688a1e719186a1223db6ba577c8499b', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', '\xb64a924376e1501fe8c2c650ed4b8c75a9e0cfc45a8a943ed98e81a277e5d00a9aa0a050f674a05f1ecbb86f055f7f65', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', '\x31f8f2af94fb6ec57e5fcf9ee0b282a0191092a9aa33d3ebf264e85be14ca6f35ea753819f702ce73467d52738bdac7c11d548ef95692d31c7c4d1ae', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', '\xa4f3eaee0b66a50ab4c6a1de81f477bf9182d6c23e0750d6ca49b8c24ba2785458db7fda005ad39b1de06d64d9614d80', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', '\x8a383db522fa176115147ecc8a4857b3b4561d88479e22cd77c90b7cac7512c590ccdd70533504c511b38917f5a7fb7e7cb10a7f9ced0bae9f7c948d', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', '\x15a80346cd2e20b9aacf3e3d116282258d248f7c356889424bd4d182830f29d926996d774a38d0632d8bc75e7a925526', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', '\x5103aa1a581d7d5d19c22b93add13c7b811d8467362ab608aacd54d8c7e54cd8794526f6ad7f6c17acf129e2126251d797683dc8b851f88694dbde4f', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', '\xe6fdd8355d8d5e429f07f1d67a3ba67f20ca0fc9edcb27518e35884f84108c06c07261c0128f3f62d61c1f59160bc574', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', '\x19b170fda86c36e52b6f39c612d23de70cdffb4d15cd4cfc0209b8fdaccb21c859a66b539a11bb86ab0bbfc6ea92a950cbcf53ad98174b03d7ba111e', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', '\x49f66681402a69fe0832be5e17f7d6eff1b4a2c77862c44990610e2d5f9f970bee209d1012277635417e820beade0c5a', 'imported', 3, 4, '\x907027d43d7b30f627b91593a2124a9345ae74182c2c2111d737dfffb35edae6d4b32feb771ebc50dd53af695d53eb601b23056a1db59e01ac8f14794ceb4ef0f8b0aba576e6855da8d10b1aa569f5c90f720102991798c6202efc7d89c484ebde019764e54d2dc87b80e6b01973ab0ba5badbb057cbd1847b1ce9dd4db044f4687d6e3711f69c4137c78cb91c466d5bc4be5c051ffc15170db165e59506da523c2ea5baf3e3bb12dd0242fedb157d75392962562d25a0d6db3111010fe441ce0fd4b1a178353b931332aecf12479f75c0a75cfb663c8c4096a48614815486bf5412df6aa1e829642d30fa75dcb638c09cf983d837d142a9596ce3f7dabb740bb1de55d3c471711277dd87f438ac841a741f768133925eca626b6ec506005d66ae58c32802ec9a5988f2f305ff6f9317805f18e3cf78b919cdd1d599c8c8e25ff4b4ff3a02b689d6d200969116027c3e55a24f9d746e620a13a029e6437dc3697110da1a1bffc6e171a454af09f41229742a1b4202ee64');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', '\x9101aa3158641bb28dc8d4f52f115e089d8ccfcf6fd644804e898fb58fc6f45f4a16f2be', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', '\x841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', '\x392569b6b1894b7203ba065ce3fbbd24b98d26c9b728171466e05413b1ffe6e16f88e751f60e8757089672576ac725540f0dc36f13ad7f043a2a9a896daf9e12ce912b02ae051b70afc0a802384ec3254e92cad99458de3435d35ea55c77', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', '\x82d5d5e4fc607d38e6cb188915d3d8d7f96e71f532ea037cab01127f6ad4a17b64f604bd', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', '\xddb985ad70d889bccdf267a0947e4c4656e0a9c69584695b185172196db8f087eaa4705501c1e02fb64e09f0e5b98bfa01d541b410b4c0961256ff0764ff93e9b723da294f5b645dd3e4e70e100e2a35bd32c31f98c23253d27e995e5c21', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', '\x318f45d06f8d74b760341d6c5d7b952ae4fa807cab8638cb9c8c1302fdcf31f7611cd187', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', '\xb53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', '\x6ae28528f8cc2e586589f4ef3baacd3d9e89e8617b9a6f5503bbba655e632814ce761dcce9dc8a46c6b8ccd208935d13cb849f01ab27c4a4b48e1327d7a602507a1681b1baa74096883ee507429d5fe216dc68523ca6b801f75c61bec043', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', '\xaac632c40206ed536d0b061ff826f75bf70904971448b42840cd591f0cd04b571e70a8eb', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', '\x2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', '\xc9b97313d85620805486a15b2ddbe4e6bc4c5e756cc67cd8f98cf1961c30bf1344e12ee636163081d1916b816dbdad779cb7b5b6e510defb72f18fe592d6e7c546c0c0188797cb9f7f1dfe8a465394f421eb5f5426547716fba4034df58e', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', '\x9b995dea952b61620daa4642a51d801fcbcce7f07026ece5c943b2b31d637b732831c232', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', '\xb5e64e7ef3041b4f4a94f132da48e2436971270719b9fc1e201f6b7c25e931e7892c1e380e4e8ef536937c63f439902d7a5e05ce9af967c51fa3e3858145e475b37b9e72f2ba1e536cfd6450ac349af2a7e96e85fef6db72030945aa6891', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', '\x16a3d7742bbb845f001ffafe046fd303553dd6dda509429b88aa918de1238238e26738e165e4a6f43a977d34765db8f569', '\x453fe00af02634e309c3e20c6ede1dec1b3a8a0deec25edba437d96fba305c8a5fbc3622ed2dcb9ead28ef69bb25adef6929c2bb2489c59f55e22997', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', '\x0707070707070707070707070707070707070707070707070707070707070707', '\xb975caeceb8c4d5151d71481ccbe2c7984608714f54b4429f277c0c9d08d37404e0d79b3f0', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', '\x3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', '\x826e9d069b60bb6e4570b7a0304d34e398338c063cf5543d8219bf16d1a4d137b8457562c1261c8d41f5221e181ba7913af1b818ad8332739bdb4006');
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
