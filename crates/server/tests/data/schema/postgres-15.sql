INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', '\x9434749684dbe7bba60903f1de81d76f5fb1c4364e5e1edd41e002ebe4abbe31ce8f89011462bc94055c46d2645a0407', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', '\xd4f9c1af77701eba63a5f663aee8cf1b6cc4e4745f6b05bfe2f83f4d6a7ed76ac657a4520a842858edd80ea9eecc7d29', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', '\xa8c42d30c71a495ba2b71dad025c4f98a6dab5b510b207701e4ff87f464ff4e4cdd8b73e7ca2c8a936d5166de2d9fdad6a94d4ee68b75d53dec31b0e', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', '\x4c5e43c81e35ddc9c471b86225dac31f71d2ace981ccee1e128423356824275a615802aec7ca247b17ee118837c6894d', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', '\xf50efb8772cf01a17ba736b7caa43e1865087c00542bf837e6fce2cbb1a34856908f6c30464254a43ca672d27c61e5a7b47e27a9d6bb8b92f538df26', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', '\x6cb9005796a6f0849ce02ff4bf35e2f43a2c3e25720a2485cfc4dea42a22d00d07908bfa993b874589f01d19e4f7c804', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', '\x4cede38317380ed2469466b6c93cc7ddad0cbae2f878a45969f846cf912e635c1a59551a4e40087f1e0182ee966358f04ac1513ba3ffb68c1c84fada', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', '\xe60463bfff70076caea1fc3da08f62976f5e29b91742def3957d0cfb794a62b593d21998820c5a00807c6ba736eb52e7', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', '\x56283ab0a6dfc6f6c9ed2b34d6ce01e8ec7868f4ad094208127c1f441849e6b1d7c530362ea44b8f7e81f8978e66b1f01c62f027566ce65dd08f6d33', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', '\x475cd93eb32af249ec7f608cfa7ef0115188791e7a9f8c0c03feeccd70797fcd850613425ae587fec2b2702f032f60f3', 'imported', 3, 4, '\xa0e5bf48a463eb0e26ce069ab4155956eb79757c32a48dac7bdd62ec1efb20fa708caff4c5491f438d9380f54d1f7391796f16d747ba3034baee506bbab244b5c4798a971e7cc9f78c38c836dd32442f39aa3c4febf98698a3b6f187985045b4a8e3d75df57156eb20012b33ca3960e105a11556eeccbc600c10bc45d378621118d27d47574b57c613053c116556bb5c2168b63034f279dedfc2157c3c51b9ac763fe711816f6f88fc505714265f1c446d5d0ffed285973e4fb0b75cbd9315030fd01b231f2eb3db5044e257d3b1ba3df485a8c01d7e82fad9727367105d14f3852a7d708d77d52f1715089cc189cd44187fa87c3495c5877f218e5ff35526f3a491fd1c99b92efbdd0967b97e8964d2c9fe3bf579c8c34feeed11b9800951239581b6d0314ef4696d9688afed29e772931d77efb9e03d4a75539faa40e705d5ce1f38b37d012e9341d3667ff2ba2b24c9a952c7cbefd645d2c2d01deeb42801c22a5ba9b23958261940e79f1208f25e7d490100a60897');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', '\xd8a566ee5d3280115b2921a995b94336196af0e67eecec7b16d87ca1d1fd37914681efcc', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', '\x841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', '\x29bad1536e878ac3d2951a9becbaf0080ca0847477a72855b32dbb5c483ccd14d2a2d5f7262a715573e33b40ccb97f1eecd2a4aabfd87e579e50fc38c90a23b80dc08fd49d4e0f5e020fa0e1021214454058d66bfba84f43840fe96acd6d', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', '\xec8024708740f18091e4b31f5276e145e63e8d1629656fb6edb1559a8f21728c16cb1c51', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', '\x6361be601b30e0cfd625d3e174bb451738b3f1cf89f0e5e34ca7885b7be3ddf925e2f576a5f4cf373a8672df0e8089832c5ebf21b28dfe256ed59a1440714618e6532a8f1eb7a77caa3cfe7ef91e8c4a31d6d30d6ef946bb2f2f52afde1d', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', '\x35efb67acd82cf77b779c938ea837787711c56a28e335ec2a6e97a22233370c8f34d9222', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', '\xb53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', '\xff3ef6ca288b95b7bf3e3e496014be7b73f4ec686ad710019c16e2719562c320310c8288a9b438cfa04a0f3224e39a36d95d05eb94e921e163ad10079ce684ef1190f0b91024d3a44d611ac4733de5841e28821d460cd6c0c005e6352a18', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', '\x2dbdf8b38511f6dc3b995415ff2b87a0725957f54d6e8247301116dd61b9104ea804df68', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', '\x2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', '\x8a6f9a79923a957d78165474757d13e2a86eaf47deaebc13ba6ea353cc9f9b8e495e7c5106f807160c882ab4c4b1e93df268309cd36ee1c508db190e6a171b3cd2de12b536d15ecd7d4f64bf79b90b110789fd2462c62aaa5d247f713475', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', '\xa1c9bc3e9014d1c1ec6201cc9c5f898d7f3ea5067e032283220d28b8be3f3e72bd14ec4a', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', '\xc00bce7fb62f79a48cd4401a1335fbb4960d3e0052abe65278aa617778fd01ef23115732ea2b2fce4052e718cad7555a68a439a9fc06a7ad5e838802da6898eb18c044b3495ce76b8d99250ef8819e93fd5c2748ce73681abf97962b0e95', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', '\x0146da7b9ed29cb65ddbb8e3524f51e7b653e96d867d59c5d3a363425456fd22b1af9ab4e2aa13f0401dcc431c5412d295', '\x8b817ca3db697c9e8c53e320af41621a08acb64107e44ebbc55b27227750f92d44f76b221e66b22faad2e4a63d3878e3da58acdf18b5a980b45c7b7e', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', '\x0707070707070707070707070707070707070707070707070707070707070707', '\x5bc27d3c75b698fdf4fb3f2e1a157d4097c758039410c447e910e856caa3d4b98fc012aa9a', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', '\x3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', '\xae6482203750d1f701ab934cca1651d3bc191c9f8cd76935ef3c4f60ae3afb8aa1265c57c9578b63fe6b19d83c862f157baffd267c1d8a0b424fad3b');
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
