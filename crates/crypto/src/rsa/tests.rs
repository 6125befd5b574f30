//! RSA compared with the library's own paddings, and with damaged inputs.

use std::sync::LazyLock;

use aws_lc_rs::rsa::{OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey};

use super::*;
use crate::SeededRandom;

static KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate(2048).expect("a key"));

fn library_public(key: &RsaPrivateKey) -> PublicEncryptingKey {
    PublicEncryptingKey::from_der(&key.public().to_spki_der()).expect("our own encoding")
}

#[test]
fn both_paddings_interoperate_with_the_library() {
    let (key, mut rng) = (&*KEY, SeededRandom::new(b"agree"));
    let decrypting = || PrivateDecryptingKey::from_pkcs8(key.to_pkcs8_der().expose()).expect("our own encoding");
    for len in [0, 1, 16, 32, 64, 190] {
        let message = rng.bytes(len);
        let mut out = [0; 256];
        let ours = key.public().encrypt(RsaEncryption::Pkcs1v15, &message, &mut rng).expect("fits");
        let theirs = Pkcs1PrivateDecryptingKey::new(decrypting()).expect("a key");
        assert_eq!(theirs.decrypt(&ours, &mut out).expect("right padding"), message);
        let library = Pkcs1PublicEncryptingKey::new(library_public(key)).expect("a key");
        let theirs = library.encrypt(&message, &mut out).expect("fits");
        assert_eq!(key.decrypt_pkcs1v15(theirs, 32).expect("right length").expose(), message);

        for (padding, algorithm) in
            [(RsaEncryption::OaepSha1, &OAEP_SHA1_MGF1SHA1), (RsaEncryption::OaepSha256, &OAEP_SHA256_MGF1SHA256)]
        {
            let ours = key.public().encrypt(padding, &message, &mut rng).expect("fits");
            assert_eq!(key.decrypt_oaep(padding, &ours).expect("right padding").expose(), message);
            let library = OaepPublicEncryptingKey::new(library_public(key)).expect("a key");
            let theirs = library.encrypt(algorithm, &message, &mut out, None).expect("fits");
            assert_eq!(key.decrypt_oaep(padding, theirs).expect("right padding").expose(), message);
        }
    }
}

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
        let ciphertext = key.public().raw.encrypt(&padded).expect("less than the modulus");
        let first = key.decrypt_pkcs1v15(&ciphertext, 32).expect("no error");
        assert_eq!(first.len(), 32, "{what}");
        assert_eq!(first, key.decrypt_pkcs1v15(&ciphertext, 32).expect("no error"), "{what}: stable");
        assert!(!padded.windows(32).any(|window| window == first.expose()), "{what}: nothing of the plaintext");
    }
    let random: Vec<u8> = std::iter::once(0).chain(rng.bytes(255)).collect();
    assert_eq!(key.decrypt_pkcs1v15(&random, 16).expect("no error").len(), 16);
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

#[test]
fn sizes_from_2048_to_4096_bits() {
    for bits in [2048, 3072, 4096] {
        let key = RsaPrivateKey::generate(bits).expect("a supported size");
        assert_eq!((key.public().bits(), key.public().modulus().len()), (bits, bits / 8));
        let ciphertext =
            key.public().encrypt(RsaEncryption::Pkcs1v15, b"m", &mut SeededRandom::new(b"s")).expect("fits");
        assert_eq!(key.decrypt_pkcs1v15(&ciphertext, 32).expect("right length").expose(), b"m");
    }
    for bits in [0, 512, 1024, 2047, 8192] {
        assert!(RsaPrivateKey::generate(bits).is_err());
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
