INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', '\xfe23da035bb44687ce795db394581575f413218f2fa194dd4f9a0569c13e1936e1867ce8a867e3ab0d9626a476515967', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', '\x84bdb7c699eb16634933b3be9c9dd2498f886dbd5ec196db52c332fa3c883776549ea943e5ab84ad6eb9a54a9c3404a1', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', '\x8ae8547991ad3f6f21d9016bfb7275b8d63495a7246fe5f216fd6ae719123922122934b101040a53b837c7c2e67d918f80e16da625332d0a1477b1d1', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', '\xcb4ca1fe0ebd49cd026dabe4e72f200f374ee1745024d310e6a2765aa00231a648c2a8ea40f9b1d6069b2c1cae5d7cda', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', '\x917e78e345dc73cacd3f89e28a3b66d43f0a9d621664a49c4da69e062f8ee96a4dd3c4ad5d4fbafceab9471577f146ef702b345539fd6b70fedd6da0', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', '\x7e946a92bc827dc7e2f2fd1288f68b9c3fcb3cc2c09c0d522ee5d7cc40326afc074fbfab807d5dea0a9d3c2e6cd0f0ac', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', '\x41b041822a79b7b9c0aabdb6261db83001fbe1029784ce74b8bb24583dc62e13236d9067f64fb33aad50a7358d033973fba4b093512fca5ec91a311f', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', '\xf184d09faaf0d13078fb4372dd36690643c66e8f83f9a6155cb4640174e376e3b2e68a1a844d903b940f30ebdb5279a9', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', '\x88d834380f74a98b88003931debb5dbff532a37135eb7213668d15d366fcfa1e94f341056eb998a3bda7e9b1d091133e664465e8ea75dfa23460167e', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', '\xc51623fc0c852ef44cb7d6c62d990e507e2141564e0f11e811751dee353534bf845da0cdb22827ea7c7d315447cf5f05', 'imported', 3, 4, '\x2ffcbc075ac4f59282aff849e80b16a75f9fff5e07ad2b304408668095a202b6bb38e08cacdd242a58624c7b455bc697f05976781a8c319d8a41e83101be9ebc8cf54d5d6038ed1ea84bab2a72ce1dece558583cb33721f4b85c53221cc5d8905d0dc238025c123846037b3bf8d6818355643cdc9513fad6c8b9811353ea1b91e8c7a3a49d5e6a438072e3db05ad9836c6196e584db05a7e9ba01ce04746614ced2def3a7a5c2cc90cc9d286314da01f22f0727ae5e7906c0d405b8419299b12124fe58e8b17e026d50df5f1ba58c26c3ec66c92d0f3bdd8ec088b22d085c52742d9532ab65bfc8987d3c5ee6ad29f7eb7c15ff7d24d69674f5cbcb568d9b9388fb4850dd34de2d158a882ee993facfe37732699a9ff47d036a4f3fde7e24e476afc6cd33eba269541bf64e55cb586f408065a2e7fadc72429790c9020fa99923fc36a4733ea224d0ff7357895fcb7987cfb7322e37f8651a77a80adb2df8ba8876e450ddf4660831a4a795745a963e0b2438a23a697fd');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', '\xf94bdf3d86add04ab468eccfed6f4231012374db5701e3b2ecb057fd15f0bab0a94f3f66', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', '\x841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', '\x3aec82d6eb246e3bcae8d8679ecf4ce0f1a487d2910fcdda8df80cdbc2d13076ac9ecc44b32f44cfc5bcc9805211712203ded5592e50aefefb79b1adf20c6279a6e600b608b517c761cfa58520b787e88c028f6c66a712dd8d298872326f', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', '\xe3aa20e79e23d6df38c4e9a226ca827ddd242dfa6bd43fc5331487d4963a98e818e07829', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', '\x849764edbd195dadb74cea840495be9f2873b0767bac5233018810a106dec91cadca506b91843e7b6f2c2bc184f364f6b489f899113a77cb20666cb1ffb3812aae47db39481e198301e73478d02f21f765dd8b3a4bae1161ff2482f62273', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', '\x5ab1ed196c9f21d8e4ea662a8ac28b32f7ef9c0ecb5758d163630a67bdb923793bcec6d9', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', '\xb53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', '\x9432e7ccac45b14f63844e264f8e012a05c8d810225b1dbd2ebe82701d0f55637d24fa19341c7df565b169e52c6919312500c72293408b66747bd65e1925b50631d15d514d4b1f61326c66996c9039adece199282a2f764b769f277eefe5', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', '\xa744ed5bc492b9bd5199145ac131101f1aa698e07a5b17b2b0810c36ca17c2e126cbd208', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', '\x2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', '\x450170325398b4b98e4185139da28a04706c8fda5d47150a3ed82138b223f73d7be9f3253a492d8329ab40a6c1a5e3c692086976170f16d657794acde9e4427336e1ddafbae278f58d69fbef00e1234a0d71f39b6ff04fd6d80aed31c23d', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', '\xaa4e6f887afacf28a45b580c21c992a65e64cccff70f8ac65fa4f76e40d1b1f72c80b3f0', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', '\x32c18750a6782ff86d1f7a8e883c9a542ff9d5b8f404baa824886d56db5970e6b2a5a55ebc0b05be70dacff15dcd77356ec330734e0645a0e32b55328749386dee655423f2c71ea5c2383399b94df778340976ba54139b7c4ee3fb851cad', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', '\xc5241345f5b2bc8aa221a04c5d98c3568f6cb532fa8356559ba4e0863b78635d19a6b3ff6212138fc87dfee16f34bf3a37', '\xc9abf4d05da4f167a03698ef6c32c2720183782b66c715dc3109420db712956b0fe367d9e64dd5eb0b176c5cdb00e471ce779b903211813162fb209a', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', '\x0707070707070707070707070707070707070707070707070707070707070707', '\xb5af3879bdfca37804dd4f6126817abefe0b3bc1ba769af114681a2b6472bea53c2d6e1cad', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', '\x3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', '\x275a8401a0bb28e6e7df758f29d12e24e8c08b680258db938f47dc68ae3e836f1ae14ab19019dcfbfd744e7d9f9e53a640f3e911cd3e4bdf6a9b6168');
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
