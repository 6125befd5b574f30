//! Each back end gives the results of the other one, for random inputs. `cargo test --features pure` runs this.

#![cfg(all(feature = "aws-lc", feature = "pure"))]

use std::num::NonZeroU32;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{aws_lc, rust_crypto};
use crate::rsa::pkcs8_of_pem;
use crate::{Hash, Pbkdf2Prf, RsaEncryption, RsaPublicKey, Secret, SeededRandom};

const HASHES: [Hash; 5] = [Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512];
const PRFS: [Pbkdf2Prf; 4] = [Pbkdf2Prf::HmacSha1, Pbkdf2Prf::HmacSha256, Pbkdf2Prf::HmacSha384, Pbkdf2Prf::HmacSha512];

fn octets(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=longest)
}

fn aes_key() -> impl Strategy<Value = Vec<u8>> {
    select(&[16, 24, 32][..]).prop_flat_map(|len| vec(any::<u8>(), len))
}

proptest! {
    #[test]
    fn hashes_and_hmac(hash in select(&HASHES[..]), key in octets(300), a in octets(300), b in octets(300)) {
        let parts: &[&[u8]] = &[&a, &b];
        prop_assert_eq!(aws_lc::digest(hash, parts), rust_crypto::digest(hash, parts));
        let (one, other) = (aws_lc::HmacKey::new(hash, &key).sign(parts), rust_crypto::HmacKey::new(hash, &key).sign(parts));
        prop_assert_eq!(one.as_ref(), other.as_ref());
        prop_assert_eq!(one.as_ref().len(), hash.output_len());
    }

    #[test]
    fn cmac(key in aes_key(), a in octets(100), b in octets(100)) {
        let (one, other) = (aws_lc::CmacKey::new(&key).unwrap(), rust_crypto::CmacKey::new(&key).unwrap());
        prop_assert_eq!(one.sign(&[&a, &b]), other.sign(&[&a, &b]));
    }

    #[test]
    fn cbc(key in aes_key(), iv: [u8; 16], plaintext in octets(200), blocks in vec(any::<[u8; 16]>(), 1..8)) {
        let (one, other) = (aws_lc::CbcKey::new(&key).unwrap(), rust_crypto::CbcKey::new(&key).unwrap());
        prop_assert_eq!(one.encrypt(&iv, &plaintext), other.encrypt(&iv, &plaintext));
        let (mut of_one, mut of_other) = (blocks.concat(), blocks.concat());
        prop_assert_eq!(one.decrypt(&iv, &mut of_one), Ok(()));
        prop_assert_eq!(other.decrypt(&iv, &mut of_other), Ok(()));
        prop_assert_eq!(of_one, of_other);
    }

    #[test]
    fn pbkdf2(
        prf in select(&PRFS[..]), password in octets(200), salt in octets(50), rounds in 1..50_u32, len in 0..150_usize
    ) {
        let rounds = NonZeroU32::new(rounds).unwrap();
        let (mut one, mut other) = (vec![0; len], vec![0; len]);
        aws_lc::pbkdf2(prf, &password, &salt, rounds, &mut one);
        rust_crypto::pbkdf2(prf, &password, &salt, rounds, &mut other);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn aead(key: [u8; 32], nonce: [u8; 12], aad in octets(50), plaintext in octets(200), at: usize, bit in 0..8) {
        let gcm = (aws_lc::AeadKey::gcm(&key), rust_crypto::AeadKey::gcm(&key));
        let siv = (aws_lc::AeadKey::gcm_siv(&key), rust_crypto::AeadKey::gcm_siv(&key));
        for (one, other) in [gcm, siv] {
            let (mut of_one, mut of_other) = (plaintext.clone(), plaintext.clone());
            prop_assert_eq!(one.seal(nonce, &aad, &mut of_one), other.seal(nonce, &aad, &mut of_other));
            prop_assert_eq!(&of_one, &of_other);
            let mut sealed = plaintext.clone();
            let tag = one.seal(nonce, &aad, &mut sealed);
            sealed.extend(tag);
            let mut opened = sealed.clone();
            prop_assert!(other.open(nonce, &aad, &mut opened).is_ok());
            prop_assert_eq!(&opened[..plaintext.len()], &plaintext);
            let at = at % sealed.len();
            sealed[at] ^= 1_u8 << bit;
            prop_assert!(one.open(nonce, &aad, &mut sealed.clone()).is_err());
            prop_assert!(other.open(nonce, &aad, &mut sealed).is_err());
        }
    }
}

type Keys = (aws_lc::RsaPrivate, rust_crypto::RsaPrivate);

static KEYS: LazyLock<Vec<Keys>> = LazyLock::new(|| {
    let generated = aws_lc::generate_rsa(2048).expect("a key");
    let uneven = pkcs8_of_pem(include_str!("../../tests/data/rsa-2050-e3.pem")).expect("a key of OpenSSL");
    let of =
        |der: &[u8]| (aws_lc::RsaPrivate::from_pkcs8(der).unwrap(), rust_crypto::RsaPrivate::from_pkcs8(der).unwrap());
    [generated, uneven].iter().map(|der| of(der.expose())).collect()
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))] // private operations are slow

    #[test]
    fn rsa_of_numbers_of_any_size(number in vec(any::<u8>(), 257), zeros in 0..257_usize) {
        for (one, other) in &*KEYS {
            prop_assert_eq!(one.public(), other.public());
            let (n, e) = one.public();
            let publics = (aws_lc::RsaPublic::new(n, e).unwrap(), rust_crypto::RsaPublic::new(n, e).unwrap());
            let mut below = number[..n.len()].to_vec(); // may be too large too
            below[..zeros.min(n.len())].fill(0);
            let mut last = n.to_vec();
            *last.last_mut().unwrap() -= 1; // n is odd
            let short = &below[1..];
            let small = |number: u8| [vec![0; n.len() - 1], vec![number]].concat();
            for m in [&below[..], &last, n, &small(0), &small(1), &small(2), short, &vec![0xFF; n.len()]] {
                prop_assert_eq!(publics.0.apply(m), publics.1.apply(m));
                prop_assert_eq!(one.apply(m), other.apply(m));
            }
        }
    }

    #[test]
    fn rsa_oaep(message in octets(190), seed: [u8; 8], at: usize) {
        for (one, other) in &*KEYS {
            let (n, e) = one.public();
            let key = RsaPublicKey::from_components(n, e).unwrap();
            for padding in [RsaEncryption::OaepSha1, RsaEncryption::OaepSha256] {
                let mut c = key.encrypt(padding, &message, &mut SeededRandom::new(&seed)).unwrap();
                let decrypted = Ok(Secret::from_slice(&message));
                prop_assert_eq!(&one.decrypt_oaep(padding, &c), &decrypted);
                prop_assert_eq!(&other.decrypt_oaep(padding, &c), &decrypted);
                let last = c.len() - 1 - at % 200;
                c[last] ^= 1;
                prop_assert_eq!(one.decrypt_oaep(padding, &c), other.decrypt_oaep(padding, &c));
                prop_assert!(other.decrypt_oaep(padding, &c).is_err());
            }
        }
    }
}

#[test]
fn the_same_rsa_keys_are_accepted_and_encoded_alike() {
    for (one, _) in &*KEYS {
        let (n, e) = one.public();
        let spki = aws_lc::spki_of_rsa(n, e);
        assert_eq!(spki, rust_crypto::spki_of_rsa(n, e));
        let numbers = Some((n.to_vec(), e.to_vec()));
        assert_eq!((aws_lc::rsa_of_spki(&spki), rust_crypto::rsa_of_spki(&spki)), (numbers.clone(), numbers));
        for len in 0..spki.len() {
            assert_eq!((aws_lc::rsa_of_spki(&spki[..len]), rust_crypto::rsa_of_spki(&spki[..len])), (None, None));
        }
        for exponent in [&[1][..], &[2], &[3], &[4], &[17], &[1, 0, 1], &[1, 0, 0, 0, 1], &[1, 255, 255, 255, 255]] {
            let accepted = aws_lc::RsaPublic::new(n, exponent).is_ok();
            assert_eq!(rust_crypto::RsaPublic::new(n, exponent).is_ok(), accepted, "{exponent:?}");
        }
        for exponent in [&[][..], &[2, 0, 0, 0, 1], &[255; 9], n] {
            assert!(aws_lc::RsaPublic::new(n, exponent).is_err(), "{exponent:?}");
            assert!(rust_crypto::RsaPublic::new(n, exponent).is_err(), "{exponent:?}");
        }
    }
}
