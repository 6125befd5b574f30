//! Password-based key derivation: PBKDF2 where the RFC requires it, Argon2id for our own files.

use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Params, Version};

use crate::{Error, Pbkdf2Prf, Secret, backend};

#[cfg(feature = "aws-lc")]
mod lanes;

/// PBKDF2 (RFC 8018 §5.2): `len` octets.
pub fn pbkdf2(prf: Pbkdf2Prf, password: &[u8], salt: &[u8], iterations: NonZeroU32, len: usize) -> Secret {
    let mut out = vec![0; len];
    backend::pbkdf2(prf, password, salt, iterations, &mut out);
    Secret::new(out)
}

/// The input of one of many derivations.
#[derive(Clone, Copy)]
pub struct Derivation<'a> {
    /// Octets of any number.
    pub password: &'a [u8],
    /// Octets of any number.
    pub salt: &'a [u8],
    /// Octets to derive.
    pub len: usize,
}

/// PBKDF2 of each input, as [`pbkdf2()`] gives it, in the order of the inputs.
///
/// With the back end `aws-lc` and a PRF of SHA-1 or SHA-256, the processor's widest instructions compute several
/// derivations at once, and one alone in less time than [`pbkdf2()`]: AVX-512, AVX2, or the SHA instructions of x86-64 and
/// ARMv8. Without these, one derivation follows another.
pub fn pbkdf2_many(prf: Pbkdf2Prf, iterations: NonZeroU32, inputs: &[Derivation<'_>]) -> Vec<Secret> {
    #[cfg(feature = "aws-lc")]
    let at_once = match prf {
        Pbkdf2Prf::HmacSha1 => lanes::SHA1.derive(iterations, inputs),
        Pbkdf2Prf::HmacSha256 => lanes::SHA256.derive(iterations, inputs),
        Pbkdf2Prf::HmacSha384 | Pbkdf2Prf::HmacSha512 => None,
    };
    #[cfg(feature = "aws-lc")]
    if let Some(derived) = at_once {
        return derived;
    }
    inputs.iter().map(|one| pbkdf2(prf, one.password, one.salt, iterations, one.len)).collect()
}

/// How many derivations [`pbkdf2_many`] computes at once on this processor, if each has no more octets than the PRF's
/// hash; 1 if it computes one after another.
pub fn pbkdf2_lanes(prf: Pbkdf2Prf) -> usize {
    #[cfg(feature = "aws-lc")]
    match prf {
        Pbkdf2Prf::HmacSha1 => return lanes::SHA1.lanes(),
        Pbkdf2Prf::HmacSha256 => return lanes::SHA256.lanes(),
        Pbkdf2Prf::HmacSha384 | Pbkdf2Prf::HmacSha512 => {}
    }
    _ = prf;
    1
}

/// The cost of [`argon2id`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Params {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub lanes: u32,
}

/// Argon2id, version 0x13 (RFC 9106): `len` octets. The salt has at least 8 octets.
pub fn argon2id(passphrase: &[u8], salt: &[u8], cost: &Argon2Params, len: usize) -> Result<Secret, Error> {
    let params = Params::new(cost.memory_kib, cost.iterations, cost.lanes, Some(len))
        .map_err(|_| Error::Parameters("Argon2 memory, iterations, lanes or length"))?;
    let mut out = vec![0; len];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase, salt, &mut out)
        .map_err(|_| Error::Parameters("Argon2 salt or passphrase"))?;
    Ok(Secret::new(out))
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn derived(prf: Pbkdf2Prf, password: &str, salt: &str, iterations: u32, len: usize) -> String {
        let iterations = NonZeroU32::new(iterations).expect("not zero");
        HEXLOWER.encode(pbkdf2(prf, password.as_bytes(), salt.as_bytes(), iterations, len).expose())
    }

    #[test]
    fn rfc6070_hmac_sha1() {
        for (password, salt, iterations, len, expected) in [
            ("password", "salt", 1, 20, "0c60c80f961f0e71f3a9b524af6012062fe037a6"),
            ("password", "salt", 2, 20, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"),
            ("password", "salt", 4096, 20, "4b007901b765489abead49d926f721d065a429c1"),
            (
                "passwordPASSWORDpassword",
                "saltSALTsaltSALTsaltSALTsaltSALTsalt",
                4096,
                25,
                "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
            ),
            ("pass\0word", "sa\0lt", 4096, 16, "56fa6aa75548099dcc37d7f03425e0c3"),
        ] {
            assert_eq!(derived(Pbkdf2Prf::HmacSha1, password, salt, iterations, len), expected);
        }
    }

    #[test]
    fn rfc7914_section_11_hmac_sha256() {
        assert_eq!(
            derived(Pbkdf2Prf::HmacSha256, "passwd", "salt", 1, 32),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        );
    }

    #[test]
    fn hmac_sha384_and_sha512_known_answers_of_openssl() {
        for (prf, expected) in [
            (Pbkdf2Prf::HmacSha384, "559726be38db125bc85ed7895f6e3cf574c7a01c"),
            (Pbkdf2Prf::HmacSha512, "d197b1b33db0143e018b12f3d1d1479e6cdebdcc"),
        ] {
            assert_eq!(derived(prf, "password", "salt", 4096, 20), expected);
        }
    }

    #[test]
    fn argon2id_known_answers_of_the_reference_implementation() {
        for (salt, memory_kib, iterations, lanes, expected) in [
            ("somesalt", 65536, 2, 1, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"),
            ("somesaltsomesalt", 64, 3, 4, "9cb56f6cad0c84f51536569e63acbc47d2fdefaeea4b4f711efb5409e37f34ca"),
        ] {
            let cost = Argon2Params { memory_kib, iterations, lanes };
            let key = argon2id(b"password", salt.as_bytes(), &cost, 32).expect("sound parameters");
            assert_eq!(HEXLOWER.encode(key.expose()), expected);
        }
    }

    #[test]
    fn argon2id_refuses_unsupported_parameters() {
        let cost = Argon2Params { memory_kib: 64, iterations: 1, lanes: 1 };
        let one = argon2id(b"passphrase", b"12345678", &cost, 32).expect("sound parameters");
        assert_eq!(one.len(), 32);
        assert_ne!(one, argon2id(b"passphrasf", b"12345678", &cost, 32).expect("sound parameters"));
        assert!(argon2id(b"passphrase", b"1234567", &cost, 32).is_err(), "short salt");
        assert!(argon2id(b"p", b"12345678", &Argon2Params { memory_kib: 1, ..cost }, 32).is_err());
        assert!(argon2id(b"p", b"12345678", &Argon2Params { lanes: 0, ..cost }, 32).is_err());
    }
}
