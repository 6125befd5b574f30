INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', '\x181c46593a574dd60bc356d608ef3e2806ff8c0a3b933b471d95b55093ce08dce897ee54dd3c3ba4ae660c843ae697cf', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', '\x85e7d9f82220cf11e5603e14e5b4f051ae5bb83930c69fd54e3f08debbe6928309a0897c20e023990194529e85a547d4', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', '\x14d92607f792b05b87318c0693ea33a6daddfb0ce895a3db41d8aa02fa64a04b57f621fc79ce170bd43be13cdcf8ad5ac37df1aaa085716bfd8a3522', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', '\x5a6fddde4cb0f01701be3c94bc710168766ca295c299f5c2fa2a07cf4ac404c72bd1a24a3a184884060f654268b89acf', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', '\x4f85e2d84bbbafd9d563dd00bb4359f57c9b1b8e14af7b9c7386ed5cb6ccecc95850ae091086b47a9a199ad85bb1fd11829b075923db1f7e35eeb34e', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', '\x636a6514eca272c02ee1f3be713e82e8bca8d4b8558ec1f24fab2a55292a40d853f53ee32aac037576af8026ceb20a99', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', '\xb762d76a2e915c0c7ee41bc613c7128f3f19f6a6493b0db3fff8a9dbd8078f9b61d74b423762731a31bba0497caff37af1728bc0eb69ec9727230a96', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', '\x4fd0d0e21cb419b9f64eb08bf4c15067ec1abe8b11b7fde7d33094e04315db7a9c6c2821e55d54c960583f6a455e56ce', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', '\xd19716173efc09b0cec398fcfcec2f2d07c0d71e7d8f98f5920a5f182a7ffb69aea1bde91a347f1c2b055ca9028feb69db1bbd7391735a45f2ef639f', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', '\x1307ff54098c1ef55a01d571770c3dde378fd30bf0f6c0e969cdb0bc1289aff611db839552a3dab0611ab440adb1fdf2', 'imported', 3, 4, '\xebb400ebbebc4ca8a5be88ccef629a735364d0653b9e6bb597eda16e0a488433f4f568693c8d3bb55584df7e0300a29eadd602279c29d71d15b3edc846ff19e3056a0db4218d6802a16719d20a4ceb20a04bd9edbbb29ad04fe3602f0e998fd686ac834721247cecf96ad1d718ef5b24fee70f5a734c7ac53cc268a810c14f4963215f792dc4d1d17ca19b4fbbfb416667d7d83c0a155104ea3c00a8fd4df8e423c554b1e2e4f8510701d1a5836b16f1f428ffc0667a282737de54e77755dbb52a9027e45eebec7aa6bfe6982c7aa574b5da5950567d4699f705831b54baf54906ca79c94b282ad6a23923aec5c8edbc048121d45b60ec2c52ddb899936e5d0f3b249cff63f00dde0599027aa13f9d810db61740986ab14f66c77bd258fdd538ca7cee2119cb8dbc8b7d82c2b12c94503d4561d208dc73277bcb7ece5445dd9b80b3728260df6c1b7a300bbecd7c642196ad4ca2a4879124417cc94b13042747be2985b082d9bc324a02d8dd8e13d0b038220f595c3e3b');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', '\xca77b03b8e729f8e4d73dae75006aeed4e55d86088b5400654d1cce75faa90ba8cd2a181', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', '\x841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', '\x727a5f3e18b82bab161bb80f813d223f87f9c6fa37ee442f1eeb697fbc316bf1c705df95945775fa0ce28d81cc1e8bcaa79b489597f2f289b28e62e829125566995914eafcd7d6b5f5126b108274c1bf85fa9ad83ec2ed8f08fb95ca2ef8', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', '\xa3802e19d6facd5bd8927e4b017dc05f267321668d20cc53fc4e91f353dd31625cd89180', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', '\xd7021fb0afdbbc1e4d29ad7351ee6f81e85b144782cd6781fcf00562e36951107b4de4bfe98aad1e2e22d464d993f6ba6b96933fc010d7180aa9dccfd60501bcac35ac4fa4c8d576d9929fd98fac76a28e52389a1142ae1578315394c029', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', '\x7e3eac653ee7d1016b7a2ef7659b1ad75319fa6e5015fd4150d681cda8c905e583c1ee80', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', '\xb53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', '\x57df25080923501672411003725d00c555113484c269fa86333d24fe42d6cbff1c650a93f608211d7079fbf138e90bf378ab4ece51000df1b682b146dff2f84be60b21716bd1383f39c1d80090e42aa3aa4a4a133243e9ac83ea1d5e20d5', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', '\x356d7405f2b339a158b0830a06698b21969dcda3f4fdf3e4039255c05fc84fcb67272a27', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', '\x2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', '\xc46be3633a615c477064c20e07a8edf01a2f3e18c2f1c1fc6609e4f91894fa29b662efe92eaf66112de3ecb94c1c5dce0c68ee395073fc9d63f3daf9c7da1613439d31d76c1b7128b226e0647ff98db1ddb7ad7d6b0dcffdf1f3ecf94f77', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', '\x77cbb0e77ddc44a13cb06b07fc030f1151c2424832a9907e06187a1f0a671d7a6b8be400', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', '\x6375ec9bd74283f89d353a4cc1fa856d5378deb7cfdc569977c87ec7302eadce264333739ac2572c09e3b2f506669f0125aa273a58420a0d34fd4e15142c6347320d4f80007cdad0d1f5a2a921fbc04555c08ac01d686836d36fca61a232', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', '\x2fd9258d17391f3f22edab1e3c877daa1f4169c7f91dc02809d15a94271db539d560d6213cb0d3b7db4fec9b6f2fbf4c1b', '\xb138d158721cf4a38d592a5ff616d5d8ebe6555f24ce8103253e2034cda55503b92bc36f210381fc7aee7de3ed9f45bde462b09e14b7ecca0516a840', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', '\x0707070707070707070707070707070707070707070707070707070707070707', '\x5733b002c4e39e0077f13c41406b36968bd9e5d0bac554d81153184ee526fd69636f8e8a8c', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', '\x3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', '\x25bb058a096a831ca2432d3296d3db2a07c31d6cd895b0c1410457f321050531e4f3c47f135dc040464f55b23d9120b89f1786e20dd4dd8572d4b36a');
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
