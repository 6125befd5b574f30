INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', '\x9178fb7e5967c5103412e7bca2b47b3be6bf8fd00994d831b98fa8ac4f1ae6bb625b22e402fecea6d2df898618b1dfb8', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', '\x05b1720d08952e17d8fb30a358ff05fad5cc79a625fa5f7b5a76b1e3f277b8d2fe9a65f94dcdc19fab06f526b9f3ff5f', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', '\x1f8997bbd54e517c91f3377b91e6c526f457990562f7d774522546790c396d3605d210c58505ce8911963fb37193063c417a8a44b3a2f2ca17f47dee', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', '\xbd2a03e56310f03f1179e453eed53d7fc1cab53d9c2d7f3e86fe5150dd7893c79842f4dffa9a291ce71ce8a988aa04f8', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', '\xc16e3c9b2db94294c967c136e8be588f585611c9460b9f7f320681aebc8dbbbeab9570dccbebd7b428fbc8a8d2d2202e966b75b1519ae2231c31e38f', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', '\x9bcffcc82e45da2e4eeee0152ace9bac6d735c2cd4d369238e896e84074db1ffd499e10a1042c047b936e55a5160516c', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', '\x0d1e13ad8497baf0e971d58b22e0c81f414e34648b5c6361e0cb4b70ba71ec626b560dde39acfe3b5efea7c8cbb170d5651eaff2e668001dfecf3b9c', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', '\xe7f9c23f50143ac8a7beb835d40a8d427b12a54f03d4ef4b04ae085f432be99727dfee76af1b922066f38dc11ee0112e', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', '\xd53c2c6e2a866572a7383ff870d7a6bb76a383f061f25b39a824c71ec5c084704db9a29259efaee6035a00912141bc3e48639fe51bca518ca8545400', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', '\x941b9e9854a2f9dcd6c27ab3fc9721c0832306121be45f89ecfb615922f6d31882531ab316e6691540b83e06e228b220', 'imported', 3, 4, '\x5580a5de309f3c1950d98e4ac8f16dce50cffe8d16534607403a66fc8bb0cfeac0a9360cbc4bff3aefaa73017413e24fdfdfc3caa2e4483ba422645fe3df1d44d70988b6c447901bad494717740baba31db615e62fbb87a6b3f3da04ee91b6487a566bb9828f82e87e10905282a28fede5d07de0c6c4564c38f7cdd67c1283b151b4a39227ad5895a562fc335bec24ca82e6ebea15aa175a44ce52d5a98b068f35446f35a920d2af47dfc46b204b06c6985623f2d1caac6dd9b1b29f09098ffec171f053b7618010f73307c75d8145653f93d5da19e787a8faec0ca8e5fdb2b5f87ac6676dbedc12c38eedd61645623cca3d68b814c14160473b27be271a5c9507bc60453a957c178201a676f29da58d88287f003a51f3d7efc4673e398db1bfcf7b9f3e97e7c4c3d23d0437031ee604218664bf17480fda34b5fb30ec14bc905942c04fe16b54c2f842642b35e126916474988c486f5300d52e45b2cb3cff2a6b180a0d7efa827c0e6dfda952223b241bca3378252dd6');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', '\x741233ecf556ae4abb24eecd47a9ec1484d6e592a5030d2d3c2492ed5054caf602aedd7b', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', '\x841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', '\x510b066c1e60556b4e960d42c4cd147c01b58317f2aa39bd5e50c43d2233741e5d21594a28021e14710eac8e1637772af36d063553201abcb038781e1dbd487bbc34904ac014aeef8984e6893e078966b77b5743c3016df7b216b95d8fac', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', '\x87e9694eab01fb277d5c6125d78089d2fbb90ec7c64be6cbf0d6a144d7da059008e19d5f', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', '\xdd49d54ff27738ad8b713e77d45d5f71a915828413f111bd6ccd08b938585e119a1d9f03f79e381890cb92b42f3c5ca6abb00309f02e2f78a93732ff35dc4d625c5db9168a1b8ebc3f9f8716fa76b806d6a15f96bad8ea095761f05d42f9', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', '\xdf8518e42f61dd0ca22cb945d019c975a8e4047cccb1534bb2252ea69716d1e11e2018d1', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', '\xb53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', '\x5c3ca78372b47360cc8d6924aefd59b04dbb3be77783156eaeb7717dec7722a4c5f7e5b313469d6dd901c4119bdb8e6e7c9372b716bae4780ae9670fcf28f493cd4790ed176bb49aa1c1c0cdd93bfaa559d03524f814ebd2d829c5641011', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', '\xfa200dbfaf98e4ca5a05a86f0712b2e817befe57c1b19b0aae1397e69dd64bbaf0c41ec1', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', '\x2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', '\xd977420d3822cefbb028ab5144032d50e9ce05f813ecc92de6a06f4947fdb990bbfc2c0f6f0b15b0586f03e4176823ba41ca82f90f10f2635001758ccd308d58ff1cdce5f6f6573076a977e8b53f9041dfd3dd43abf13460d8ff5f1a674d', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', '\x89639eb88c90011dcdbc41a1f172d4937d08677b4016933e3d0fe2c32aa72a10a7c032e0', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', '\xed4a2f84c574c09c0f2ba55ccf8d527155e7908549c1ce0f0af57f9d2800a2df8fa72e7f397ac5f671b3b32d6a45f8d34e12cb467e7b14ab27d6e35ecd30e303f266239a0cdf3c64f25c376a711ca10bc10aef97848ca4122985e8f70d2c', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', '\xaf4587e3802cf11153e28665a338ab86aea72d0780f80c0cc95b20f8ce712e2f6df5226f0b78308d69eff4feedba19ba7e', '\xc2034168c740b4a7f49f1e1a882e54419fad3c2c0df395ef505d884e41e65bc12d921e81b5d3ed2755eb4efe5e37407187801eac69b47c2893be21d5', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', '\x0707070707070707070707070707070707070707070707070707070707070707', '\x87562c6b34d253f429157ee0b5c1e0234c16a054c3d35114390b13d8bbde7bba6819bfcc25', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', '\x3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', '\x8cb6a0389c9e44a0b8a36a8805874b61abb940052357a4bc36bfd783f3b58be60fe4c1355489ddda9824e31795a305b0efe1c7fc53befaf7ca691300');
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
