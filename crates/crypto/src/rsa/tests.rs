//! RSA with keys and ciphertexts of OpenSSL, and with damaged inputs.

use std::sync::LazyLock;

use super::*;
use crate::SeededRandom;

/// Keys of OpenSSL, with their bits.
const KEYS: [(usize, &str); 4] = [
    (2048, include_str!("../../tests/data/rsa-2048.pem")),
    (2050, include_str!("../../tests/data/rsa-2050-e3.pem")), // no whole number of octets; e is 3
    (3072, include_str!("../../tests/data/rsa-3072.pem")),
    (4096, include_str!("../../tests/data/rsa-4096.pem")),
];

static KEY: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| RsaPrivateKey::from_pkcs8_pem(KEYS[0].1).expect("a key of OpenSSL"));

#[test]
fn p20_an_invalid_v15_padding_gives_a_stable_substitute_and_no_error() {
    let (key, mut rng) = (&*KEY, SeededRandom::new(b"padding"));
    let good = |rng: &mut SeededRandom| pad_pkcs1v15(256, b"the message", rng).expect("fits").expose().to_vec();
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 6] = [
        ("first octet", |em| em[0] = 1),
        ("block type 1", |em| em[1] = 1),
        ("block type 0", |em| em[1] = 0),
        ("separator too early", |em| em[9] = 0),
        ("no separator", |em| em[2..].fill(7)),
        ("separator at once", |em| em[2] = 0),
    ];
    let zero_in_front = (2..10).map(|at| ("zero among the first eight", at));
    let zeroed = zero_in_front.map(|(what, at)| {
        let mut padded = good(&mut SeededRandom::new(b"zero"));
        padded[at] = 0;
        (what, padded)
    });
    let damaged = damages.into_iter().map(|(what, damage)| {
        let mut padded = good(&mut SeededRandom::new(b"damage"));
        damage(&mut padded);
        (what, padded)
    });
    for (what, padded) in damaged.chain(zeroed) {
        let ciphertext = key.public().raw.apply(&padded).expect("less than the modulus");
        let first = key.decrypt_pkcs1v15(&ciphertext, 32).expect("no error");
        assert_eq!(first.len(), 32, "{what}");
        assert_eq!(first, key.decrypt_pkcs1v15(&ciphertext, 32).expect("no error"), "{what}: stable");
        assert!(!padded.windows(32).any(|window| window == first.expose()), "{what}: nothing of the plaintext");
    }
    let random: Vec<u8> = std::iter::once(0).chain(rng.bytes(255)).collect();
    assert_eq!(key.decrypt_pkcs1v15(&random, 16).expect("no error").len(), 16);
}

/// `openssl pkeyutl -encrypt` of "a message", with v1.5, OAEP of SHA-1, and OAEP of SHA-256.
#[test]
fn ciphertexts_of_openssl_are_decrypted_and_changed_ones_refused() {
    const V15: &str = "3fe26406151bce818528322c7824b5eaca9370abb34a703f5ddca3d514c561acb14108e5aba49c30777dd8fc403bc27d\
             db64fbd0bea366677ee847a9ca709dce4f00ee97b24f94104be3a3b37d335f6ae7435b61f0ed1bc662a4f4e6608717e3\
             5db38645ba799eb7a4deffac9b98b4e4e28b64702fb99ed8fb660b896bffd597444f32f8489bff7e743ce632768f57b2\
             2801d4b8f8522fdc1cf4c995384f7fc6effe6ab6e7cfa1323bc0b5dba46292436e0e58529e3c859f94a2dede23469415\
             1878365291922f1f9aaa232076998ff8a7ab2bb7162fc81c0336c4254b709fa4d84451b1c9d709396c27b0af364af44c\
             513bc609088efe0a2c62ff07fc1b9b00";
    const OAEP: [(RsaEncryption, &str); 2] = [
        (
            RsaEncryption::OaepSha1,
            "292fd0cf5f83331e03846908cfb3e9d260c518e05be0426718b6c9a612f186d7361622e28be9ddc4bd8c7d266cfb3aeb\
             ea546413b4e251add05074722ee51559c9cfc4c51d6f22cfdb7e16e90c997eb74542bbc2c999d0b625ae3c299cf85fb1\
             79e4429467b48596a848974f57ec0252e65fa3bad2028a624b6747a197bcefcd08e035c863f239b580d0d6bc64cf5414\
             6457ed6042d7e5dcf06e9f1604787fbea744db46e4e8b286961f13981d80e638277794c299cf4a8f09fb588080e0b2d9\
             9be4fe81d491a3ded90537b401a31a9748f4e7bb5c21bcbaf0a0f6c9cc5511d9b8714327006c9754b1b2e82e02eabec3\
             131c34180e96e8d5ca87c2fe9613d2d5",
        ),
        (
            RsaEncryption::OaepSha256,
            "2d4b0da965c4de21b45e2103478f2e509261ac94bcd29ed45473976aaf33fbd5f98ead81457123be4ab1fb74cd030ce3\
             07ba16ada6fbb952f210089c5d887d5de23bb6437f980815ea11ca3c84299fefb162850c1a0f9d4ecfacebfa0869cb85\
             56bbd24d1bf0b79ed30effd11bf0b4d9b53c6b424f9e1b9cfb10fe65ef313eb0f7c5ee482942a3d86632fce21b70b5d1\
             70d448894257412af11daf5a83c9825c32aeb57dd67a476add3637a86a28fb93473e8f10af65b2cf5c5aa51cc294322f\
             cd28e487577da70d9a2a3dee6b180e34485225463931e78f8fb868fd2ad5767d96d7e9f62f2d5bb1ae47fdcfadf8b75e\
             9033995908bf43b3b4505b3df54757cb",
        ),
    ];
    let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hexadecimal");
    let expected = Secret::from_slice(b"a message");
    assert_eq!(KEY.decrypt_pkcs1v15(&hex(V15), 32).as_ref(), Ok(&expected));
    for (padding, ciphertext) in OAEP {
        let mut ciphertext = hex(ciphertext);
        assert_eq!(KEY.decrypt_oaep(padding, &ciphertext).as_ref(), Ok(&expected));
        let other = if padding == OAEP[0].0 { OAEP[1].0 } else { OAEP[0].0 };
        assert_eq!(KEY.decrypt_oaep(other, &ciphertext), Err(Error::Decryption));
        for i in [1, 100, 255] {
            ciphertext[i] ^= 1;
            assert_eq!(KEY.decrypt_oaep(padding, &ciphertext), Err(Error::Decryption), "octet {i}");
            ciphertext[i] ^= 1;
        }
    }
}

#[test]
fn publicly_invalid_ciphertexts_are_refused() {
    let key = &*KEY;
    for len in [0, 255, 257] {
        assert_eq!(key.decrypt_pkcs1v15(&vec![1; len], 32), Err(Error::InputLength(len)));
        assert_eq!(key.decrypt_oaep(RsaEncryption::OaepSha1, &vec![1; len]), Err(Error::InputLength(len)));
    }
    assert!(key.decrypt_pkcs1v15(&[0xFF; 256], 32).is_err(), "not less than the modulus");
    assert_eq!(key.decrypt_oaep(RsaEncryption::OaepSha1, &[1; 256]), Err(Error::Decryption));
    assert!(key.decrypt_oaep(RsaEncryption::Pkcs1v15, &[1; 256]).is_err());
}

#[test]
fn messages_of_the_wrong_length_are_refused() {
    let (key, mut rng) = (KEY.public(), SeededRandom::new(b"long"));
    for (padding, longest) in
        [(RsaEncryption::Pkcs1v15, 245), (RsaEncryption::OaepSha1, 214), (RsaEncryption::OaepSha256, 190)]
    {
        assert_eq!(key.encrypt(padding, &vec![1; longest], &mut rng).expect("fits").len(), 256);
        let refused = key.encrypt(padding, &vec![1; longest + 1], &mut rng);
        assert_eq!(refused, Err(Error::InputLength(longest + 1)));
    }
}

#[test]
fn encryption_is_reproducible_from_a_seed() {
    for padding in [RsaEncryption::Pkcs1v15, RsaEncryption::OaepSha1, RsaEncryption::OaepSha256] {
        let encrypt = |seed: &[u8]| KEY.public().encrypt(padding, b"R_C", &mut SeededRandom::new(seed));
        assert_eq!(encrypt(b"a"), encrypt(b"a"));
        assert_ne!(encrypt(b"a"), encrypt(b"b"));
    }
}

#[cfg(feature = "aws-lc")]
#[test]
fn keys_are_generated_with_2048_3072_or_4096_bits() {
    for bits in [2048, 3072, 4096] {
        let key = RsaPrivateKey::generate(bits).expect("a supported size");
        assert_eq!((key.public().bits(), key.public().modulus().len()), (bits, bits / 8));
    }
    for bits in [0, 512, 1024, 2047, 8192] {
        assert!(RsaPrivateKey::generate(bits).is_err());
    }
}

#[test]
fn sizes_from_2048_to_4096_bits() {
    for (bits, pem) in KEYS {
        let key = RsaPrivateKey::from_pkcs8_pem(pem).expect("a supported size");
        assert_eq!((key.public().bits(), key.public().modulus().len()), (bits, bits.div_ceil(8)));
        let mut rng = SeededRandom::new(b"sizes");
        for len in [0, 1, 16, 190] {
            let message = rng.bytes(len);
            let ciphertext = key.public().encrypt(RsaEncryption::Pkcs1v15, &message, &mut rng).expect("fits");
            assert_eq!(key.decrypt_pkcs1v15(&ciphertext, 32).expect("right length").expose(), message);
            assert_eq!(key.decrypt_pkcs1v15_openly(&ciphertext).expect("right padding").expose(), message);
            for padding in [RsaEncryption::OaepSha1, RsaEncryption::OaepSha256] {
                let ciphertext = key.public().encrypt(padding, &message, &mut rng).expect("fits");
                assert_eq!(key.decrypt_oaep(padding, &ciphertext).expect("right padding").expose(), message);
            }
        }
    }
    let mut odd = vec![0xFF; 128];
    assert!(RsaPublicKey::from_components(&odd, &[1, 0, 1]).is_err(), "1024 bits");
    odd.resize(513, 0xFF);
    assert!(RsaPublicKey::from_components(&odd, &[1, 0, 1]).is_err(), "4104 bits");
    assert!(RsaPublicKey::from_components(&[], &[]).is_err());
    let mut even = KEY.public().modulus().to_vec();
    for (n, e) in [(&even[..], &[2][..]), (&even, &[]), (&even, &[1]), (&even, &[0xFF; 9])] {
        assert!(RsaPublicKey::from_components(n, e).is_err(), "exponent {e:?}");
    }
    // Profile P1: odd, at least 3 and below 2^33.
    for (e, fits) in [(&[3][..], true), (&[4], false), (&[1, 0xFF, 0xFF, 0xFF, 0xFF], true), (&[2, 0, 0, 0, 1], false)]
    {
        assert_eq!(RsaPublicKey::from_components(&even, e).is_ok(), fits, "exponent {e:?}");
    }
    *even.last_mut().expect("not empty") &= 0xFE;
    assert!(RsaPublicKey::from_components(&even, &[1, 0, 1]).is_err(), "even modulus");
}

#[test]
fn encodings_round_trip() {
    let key = RsaPrivateKey::from_pkcs8_der(KEY.to_pkcs8_der().expose()).expect("our own encoding");
    assert_eq!(key.public(), KEY.public());
    let spki = RsaPublicKey::from_spki_der(&key.public().to_spki_der()).expect("our own encoding");
    assert_eq!(&spki, key.public());
    let zeros = [&[0, 0], key.public().modulus()].concat();
    assert_eq!(&RsaPublicKey::from_components(&zeros, &[0, 1, 0, 1]).expect("zeros in front"), key.public());
    let pem = format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", data_encoding::BASE64.encode(KEY.to_pkcs8_der().expose()));
    assert_eq!(RsaPrivateKey::from_pkcs8_pem(&pem).expect("PEM").public(), KEY.public());
    for bad in ["", PEM_BEGIN, &pem[..200], &pem.replace("PRIVATE", "PUBLIC")] {
        assert!(RsaPrivateKey::from_pkcs8_pem(bad).is_err());
    }
    let and_more = |der: &[u8]| [der, &[0]].concat();
    assert!(RsaPrivateKey::from_pkcs8_der(&and_more(key.to_pkcs8_der().expose())).is_err(), "an octet too many");
    assert!(RsaPublicKey::from_spki_der(&and_more(&key.public().to_spki_der())).is_err(), "an octet too many");
    assert!(RsaPrivateKey::from_pkcs8_der(&[]).is_err());
    assert!(RsaPublicKey::from_spki_der(b"0").is_err());
    assert_eq!(format!("{key:?}"), "RsaPrivateKey(2048 bits)");
}
