INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', '\x97e56c962b39a92679fa378a5e27bf70436a03321dd02d0c5f7e860ae76fb12592cbaf60f25a7f6b68297420ae4fafa8', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', '\x9d813da35f62dc5e8545fd4039709412948012c2c109924e1400118682aa9c48d43ad7617a3a3d833f30d5a7eaf5e50d', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', '\xd76b2fca8f072dbfdfff33a496d05294dbc68bc054ea21cfcfd112ec33fe2a48e2caa26cd3317de688b43f5a5c311140d11d21f7a0144775118336bc', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', '\xb4941143c0be7e1e51635c813e11f970aab448ed4e9511fdfa718c3bd1adaeecee2c699914360882f59fa23fd5666583', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', '\xd468eb71ee42322e184d4ad23e7b69ac6f9ecb4c55cf8ebb85357f273a15534592b6c4687337697895bac455d25da0f9407778fb42c38129d4b717dc', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', '\x1ad8276286e74bf8671e8913a7617e064dece1102cc8a887d9524c65dbbbbc5ecf852ed0b97cd17e0bfd58cf5da7d873', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', '\x244c49ccd021752af560ff05186fc8b69d89296f62ae64b290a3f8227d165ccc656fb3bd89c0d40525e9687da361ebcde3c2ba4238606f00f51dd878', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', '\xa0a62520f48021dde0b8719d8b99aabe39947a494a75291c2085cb85efa9207b45d2a5d74acf1024b8f47637de03ccf0', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', '\x185805977041505b9702520ccb9b12cdb6ed1c23389bb0b6851413397120ccec1d00c33ce82fc00989ba24d0330f8cc2322a2514af3a26512d7020db', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', '\xf0dd5ccd5640fe480e79f88ad5a951a16cac864d3d4807269ce0636121f2633ce8bcf4746a7290d86e20d8b9b81988c5', 'imported', 3, 4, '\xaa2c5fe81242ac9d887824eb3f4c2a9e7e5f8fbbc69f06755b5f4f34428aa8c51f5ecaab46b07af27051b859dd59aa81ff0fad5079e789636f25ec01d10a04d98f3c171c0ee9fb9e890d9379a704ad9881bf89b83ac814f50e1297a88a7cf29b8d2c849e765f124ba28338c292935fc5dacdef4532b7214ca4c80bd451c855e606fd7c285ee555295a1a0c11a3354d8afc866b286530f7c4f1eb1ea877eb5ffe14ed9cd49d3ee5216ca8add04c51725daa7006a42ceb1139a36824f09bbad78669f0ad68ae5ce6ff7f717b4662683c4e747e704ffd3d75a4f7fa29e49fa7b5b062d58bbc9533ea7325052a6e122f64547342d120b7aeb2c7a73a85e44394e082553f82cc592be2e1a1ec27298d60d757c576623a7bec4927a4429cff22538c4fa1847ea7a4e66c87150c8a14e96e4375c19da43b99910088697ff798883dff9be9d6ecf223c7cdc89dc58576a1a9a3baccdc9cce3f526444e5440329dd609cd2c30bcd6245aef633d593bd0495cfdb9d66e634a425af0b');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', '\x2c1bcb222e6a2824c4bf166141b560552cdc5458828cd929a59a4b5e8381f19bd57c44fd', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', '\x841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', '\xce5b3cb4599c3080cf64f930a9baf5901feaa84b862d00efc72c8857dacb25aa85623405ac1845359beb60179b520bb0cec98c92e60d2b0df800aeb2df0d7337e4f447b85faef18981a5be80fb14b220580d84707fc69667e305e7acefb1', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', '\xdd7558124deb1e832f0197403d9fdbb6c79e4e37380b9f080b5c38f0269024807fed15b0', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', '\xecf2a06d17a842df4b7172f050a116b68d9579b9b713461144ed83a5708313a65bba0d4edf3f0b7502ba3dcb682e12d7bad11598e20631a7a6632f6fa1200137d3982dda190ffe02da5dbf548e9c488b75444f7a88e24a405baf8e5d6a6f', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', '\xe50a4c9272ed55a7bfc03feedaa93c0f8a716b84a23d2dd4a89742fc7c6d1a1c00a5f13d', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', '\xb53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', '\xc03ca7ae67ff25b234a290e66cd2dc8228a2f848721f58f0010afcfd4ed92658762ba04bd790e1821a22e276baf6da2e092f947fa07fb5df6bb936a8c2db39c5bf7516b898d2d89b8bd5018da0651b00a3339907c780f714a0678e40b482', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', '\x26e94471d02b18b0706bccec3a1acaf6fee3a336f635f5f039e4b69b4c5fedfc97c1913a', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', '\x2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', '\x72a14498e9e3bf88939fe9ecbb7668ea7881e73725795b7fc71aa3c29f27bc2113cf22f5a1fb9fc66005bbed0de45b8e5a57fda470bf641df52d9fec4c51b08f9f0ed60a22c11fc7f82877b06e8ab617634a85562d64866aade2f27a132f', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', '\xf9988631b42a9f45820a7f47ff10201766a26ae7d2a0b2f968d905d31f2f01632dea1b2f', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', '\x7d4b3049ca80bca3728d5a14240c7924e510bc7faf89ad31a9cf29f9c39e96dbed3a8c16eac79630a871459def376a69aa731889a5581720ee5fe6a6e3e77e040977c7e4dccdd36b59b12d80e1ef172def295fa91986c71ea363cf7619e5', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', '\x74a154bee0c88b6191431d3d39f0d9b4a55eeb3b74a95c63a4b7e0f601e3c0bdcfda4abc2dcaf76307295c76350987cf63', '\x5e2506b9c72522c7da809201c7c6133325a842b390b7cb66342ac7a0efa5078fe1241857750ddadbd7df970e8455984ba67568afd01cfa6c92d36063', 6);
INSERT INTO "outbox" (id, key_id, sink, operation, seq, state, attempts, queued_at, next_at)
    VALUES ('o1', 'active', 'pam', 'put', 1, 'pending', 0, 6, 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', '\x0707070707070707070707070707070707070707070707070707070707070707', '\x0075998ad822ce909e4dd3207f6b251b475e18a841e8db039f5a4f97355da29efea07df3f9', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', '\x3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', '\x94c35c283c3c8ca74306ec9447954472d91ecbf686b61fa5e010df2f9e509589ff28cd898f8c17ab2286bfc300abe7703e78e9c0c8dc94e607a54815');
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
