INSERT INTO "user" (id, name, created_at)
    VALUES ('u1', 'alice', 1);
INSERT INTO "user" (id, name, created_at)
    VALUES ('u2', 'bob', 1);
INSERT INTO "device" (id, manufacturer, serial, key_name, sealed_shared_key, created_at)
    VALUES ('d1', 'acme', '7', 'acme 7', '\xd5d7ce47b349ee93167260eabd297523d2f39eb99abc090e484e69daea06f85394592279a849d7f9cd42261ad71b525a', 2);
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('active', 'hotp', '{"digits":6,"counter":0}', '\x60ec26462970efac8dea2563b3d5cf455b85c5eb4be44342ffe8b8cf3d879166fef3f65cc473d7da942f5e82596c4eaf', 'active', 3, 4, 'u1', 'e-active', 'urn:prf', '\xbc6fc14d1f7c150b509401843a30acd8c35c4550c1d1c87f0d5f2b981106912004e0ceb64606c65f428f008c778ca6cae8947fac9921a1e6b5d7c152', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('waiting', 'hotp', '{"digits":6,"counter":0}', '\xb28e085a11dad60918f99f9860a2f7404569993a27b47ab8e1889cb1a56741753f46c3aef6e5046277c943b31766a3d6', 'provisioned', 3, 4, 'u1', 'e-provisioned', 'urn:prf', '\x7b38e26aac53db16674edb52aeebf8ff623375e2d051b5d59cbabb566450f22d610c1633bfa8f64439619231f328a193abae488abc6ba05dc084016f', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('replaced', 'hotp', '{"digits":6,"counter":0}', '\x2b08d9ccebbc8da5f81fe2c52839fdb35261988ef8609bf722e4939619f83ce5e66e9a842cbc6a5a74d5d467c6be7b47', 'replaced', 3, 4, 'u1', 'e-active', 'urn:prf', '\x57955efe1dcdc3907941513981e423b2d44041da3414f55653f038d026e5c33b1e06a5792addbaa93103ff511934e556b86c5c286a24fa8ff8557875', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, user_id, enrolment_id, mac_algorithm, sealed_k_mac, device_id, url_s)
    VALUES ('revoked', 'hotp', '{"digits":6,"counter":0}', '\xefef4e9c701e427068dcbd78667dcd4933b6f316e0d69f6d3b53fcfc8efc9e01d4c4a3b314ba67403d9070e571e52b5f', 'revoked', 3, 4, 'u1', 'e-revoked', 'urn:prf', '\xa0b26705d67c817f8503894a7d995ee8addf12e425d4e81100d78cb19964a53efe65adc138e35c4a29825a28c2219fa29ff0eff47bd745ca8c08e8ae', 'd1', 'https://keys.example/dskpp');
INSERT INTO "key" (id, key_type, params, sealed_k_token, state, counter, created_at, sealed_package)
    VALUES ('imported', 'hotp', '{"digits":6,"counter":0}', '\x76ce7596567293f24bd4b40aee4e156177d2dca4a36a97638e26f02f5da51f28a38cb3cdf3f15905fec64a004eec0282', 'imported', 3, 4, '\x923b3933b3b8ebb90e8736cbda500ccb5b7da6c2d8c686a3337d4825d293210dc0f3dad5c591f80dcc3b8f440bba111d2541d0f117b3852795bbea0bbc34a31fbf5b2052031be3c7332a769b29812a0fa13330ca5e9ec7b8bc92966790596c405bc25cbd18467b30640356465446721e093111e7a4b223f1de53addf58a8ea82466d5f5823c4d0a70e36a0c5341e1ce49a4a129c76981d33b1526faed43a27a418ac7394ce5eb4d127205257a9321bdf4dbc8aa6511509963973c9b11e5a4f9e864dcf8b6ddcdcaed846fa027c8b2cf155e8fbbc276f1d3adba8aa6bb51f4936bd3a63fbf68059809020c7a08ff148421926b5cd4e380097b9555e0c51abbc9283c035179ef346440840d812a9ab719ddc018bc9780aa78fcdc808ae65be246f914ad6bee8857db4c5b1a92524df93af8c43422097fb63bca171deb83e4599be7f96cb2ec282b80a7c0861011338b5ef7493132dc53665b8102e3c55daa845f33821b0336a5c99014cd51671d66c00aaae16fbb8388142');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at)
    VALUES ('e-open', 'u1', 'client of e-open', '\x7656e1d3bed577fd26b25d3c408964d81b087c2e8ca6d548b3140116346ae4e17828c702', 'hotp', '{"digits":6,"counter":0}', '[]', 'open', 'at-once', '\x841e23c18e828362402ad1736f4893ac31707412f2ee50c54b4efa37299f449b', '\x3aa3fa50527167be4b6681d01ebc2fc0063000905e0d58f560d33f6aaa66fa9c4e8699933ce79e828389987fd3ea030ee493a486feb97733edafc60391ce1e97b79af5c41fcc0e83dafa860dc99f89d68a2ea6a78703aa325d806a04c0a8', 5, 4000000000);
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-provisioned', 'u1', 'client of e-provisioned', '\xb4bc3219526383dee6eebba2446efff6c54b1f305abf6a00422357cc5655d424bce913fd', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x93faad703bf97fb7c1ab9b603242c1fa9b4194715e48bf5d2919b20e01ce17e1', '\xfee3dd9220a1ab1a76cee7c0e4463ea7881cd31be20ff17ec2fa4b981cae50ab3060428174bcb08726d94b118d3e53f40fc8a9d77b802c9e0560faab5fc0d995858ba4ead8badad649737ecd91692faddf9c8ae85549dce86aaa95664128', 5, 4000000000, 'waiting');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-active', 'u1', 'client of e-active', '\xbf7ba69884834a21efe9cc3c2ad9b13e04e9102497ba1334610df7170f8cb839948155cb', 'hotp', '{"digits":6,"counter":0}', '[]', 'active', 'at-once', '\xb53c2e09f339da74dd71b3eb7bccc1b1d360e6b74ead01d5977c359241486a6c', '\x0c9e93f6b5123ef320d21cf432c1c9f0cb270068c1f0e7e250b41a1e761663d9733843352185a34941691ec197453d5b5f05af88c58be1b45856e05e36f7dfdabfbb1c02ccaf6d0e3fa6398a58465a23ff9a5f7150f578909504da673975', 5, 4000000000, 'active');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id)
    VALUES ('e-revoked', 'u1', 'client of e-revoked', '\x182c4bdfc9c896665832b1aeadd536864225af604d869eda901672fb2d70418fccde3b16', 'hotp', '{"digits":6,"counter":0}', '[]', 'revoked', 'at-once', '\x2b8620598fa73796715962f56699e133e12f5abf0ee4ecc3dec809221e836e26', '\xd7010ca4f5a95a77352be55df90443de7c7966be81de76ca73f100d785bdaf43e77557947c9ca4937e4cd6df9a160b3acc29884ce41870e9719264af1704f7b53008e4233bf3730647d254c3a4a335f11c4dd5e9050eaa7598f242f385e3', 5, 4000000000, 'revoked');
INSERT INTO "enrolment" (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate, trigger_token_hash, sealed_trigger, created_at, expires_at, key_id, renews)
    VALUES ('e-renewal', 'u1', 'client of e-renewal', '\x39b60b1eb2fea77a37a13820caf8feeea9106f55930ca6a2dd599b4ad3fe3dedd5ed44fe', 'hotp', '{"digits":6,"counter":0}', '[]', 'provisioned', 'on-otp', '\x2b88a53d79f9f8fd0310a082340b93dcd599d98b72382874007b6e8fd7a1850d', '\x2a9f2dd3e027da0eee133f790e41ac44c5307b25c96e57e060c653aced0cb8a405c8d470cee51688f7864f6e0275dbe0798aee5c73485f2634dc0dfb9d7eeb3b149b4173d336d54059f9c3e554e403ee3d672a7724bd2272513a0727fccb', 5, 4000000000, 'active', 'active');
INSERT INTO "pending_key" (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
    VALUES ('active', 'e-renewal', 'urn:prf', '\xa0a389a6d37e17a2f14f452253258b3dedafe8c529dc35317d61e053072dbc3bf6559f448cd6f0b23ebf9e53d56d0e8614', '\xd65585ba41f2a8770bf2f2344292203aa3454d013e6d4405b995b962654f87fa19dad6b3ff94acd4f64703a45c8764df8fabb997fdd77696a0b0653e', 6);
INSERT INTO "answer" (session_id, request_hash, sealed_response, expires_at)
    VALUES ('s1', '\x0707070707070707070707070707070707070707070707070707070707070707', '\x78efacaeb651e8249691b4242bc4468faa0bb67e39b368626b49d3cee2540f39cbcc08ae1c', 4000000000);
INSERT INTO "api_token" (id, name, hash, roles, created_at)
    VALUES ('t1', 'reader', '\x3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0', '["read"]', 7);
INSERT INTO "setting" (name, sealed_value)
    VALUES ('session_key', '\x0d284ef9013a888ca78800e4302ad602198a14647176c8edf8663bb184591190f52d772c65d67a4b411440224bf837833ea897edf3d0f8ce4860df41');
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
