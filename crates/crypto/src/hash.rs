//! Hash functions, and a SHA-256 whose state can be saved mid-message.

use aws_lc_rs::digest;
use sha2::Digest;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};

use crate::Error;

/// The hash functions that OTP, MAC and OAEP need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-1, 20 octets. Only for HMAC, PBKDF2 and OAEP.
    Sha1,
    /// SHA-224, 28 octets. Only for the MACs of key files.
    Sha224,
    /// SHA-256, 32 octets.
    Sha256,
    /// SHA-384, 48 octets.
    Sha384,
    /// SHA-512, 64 octets.
    Sha512,
}

impl Hash {
    /// Length of the output in octets.
    pub const fn output_len(self) -> usize {
        match self {
            Hash::Sha1 => 20,
            Hash::Sha224 => 28,
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
            Hash::Sha512 => 64,
        }
    }

    /// The hash with this name, in any spelling: `SHA-256`, `sha256`, `SHA_256`, `HMAC-SHA256`,
    /// `HmacSHA256`, `hmacWithSHA256`, or a URI with such a fragment. Key files, QR codes and tables use all
    /// of them; this is the only parser. `None` for every other name; similar names of other hashes
    /// (`SHA3-256`, `SHA-512/256`) never match.
    ///
    /// ```
    /// use dskpp_crypto::Hash;
    /// assert_eq!(Hash::from_name("HmacSHA256"), Some(Hash::Sha256));
    /// assert_eq!(Hash::from_name("SHA3-256"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        const LONGEST: usize = 200; // octets, of a URI
        if name.len() > LONGEST {
            return None;
        }
        let name = name.rsplit('#').next()?.trim().to_ascii_lowercase().replace(['-', '_', ' '], "");
        let name = name.strip_prefix("hmac").map_or(&*name, |rest| rest.strip_prefix("with").unwrap_or(rest));
        match name {
            "sha1" => Some(Hash::Sha1),
            "sha224" => Some(Hash::Sha224),
            "sha256" => Some(Hash::Sha256),
            "sha384" => Some(Hash::Sha384),
            "sha512" => Some(Hash::Sha512),
            _ => None,
        }
    }

    /// Its name in authenticators, such as `SHA256`.
    pub fn name(self) -> &'static str {
        let name = self.hmac_name();
        name.strip_prefix("HMAC-").unwrap_or(name)
    }

    /// Its name in `Suite` of RFC 6030, such as `HMAC-SHA256`.
    pub const fn hmac_name(self) -> &'static str {
        match self {
            Hash::Sha1 => "HMAC-SHA1",
            Hash::Sha224 => "HMAC-SHA224",
            Hash::Sha256 => "HMAC-SHA256",
            Hash::Sha384 => "HMAC-SHA384",
            Hash::Sha512 => "HMAC-SHA512",
        }
    }

    /// The hash of the concatenated parts.
    pub fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        let mut context = digest::Context::new(match self {
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha224 => &digest::SHA224,
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        });
        for part in parts {
            context.update(part);
        }
        context.finish().as_ref().to_vec()
    }
}

/// An incremental SHA-256 that can be saved and resumed elsewhere, as for the message hash of RFC 6063 §3.4.3.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Length of a saved state in octets.
    pub const SAVED_LEN: usize = size_of::<SerializedState<sha2::Sha256>>();

    /// An empty message.
    pub fn new() -> Self {
        Sha256::default()
    }

    /// Hashes further octets.
    pub fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    /// The hash, 32 octets.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// The state, [`Sha256::SAVED_LEN`] octets. It contains the end of the message, so it is as confidential as that.
    pub fn save(&self) -> Vec<u8> {
        self.0.serialize().to_vec()
    }

    /// Resumes from [`Sha256::save`].
    pub fn resume(saved: &[u8]) -> Result<Self, Error> {
        let state = SerializedState::<sha2::Sha256>::try_from(saved).map_err(|_| Error::HashState)?;
        sha2::Sha256::deserialize(&state).map(Sha256).map_err(|_| Error::HashState)
    }

    /// SHA-256 of the concatenated parts.
    pub fn digest(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        hash.finish()
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256(running)")
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn hash_names_are_read_in_every_spelling_and_never_confused() {
        let spellings =
            ["SHA{}", "sha{}", "Sha-{}", "SHA_{}", "SHA {}", " sha{} ", "HMAC-SHA{}", "HMAC-SHA-{}", "hmac-sha-{}"];
        let more = ["HmacSHA{}", "HMAC_SHA{}", "hmacWithSHA{}", "http://www.w3.org/2000/09/xmldsig#hmac-sha{}"];
        let bits = [
            ("1", Hash::Sha1),
            ("224", Hash::Sha224),
            ("256", Hash::Sha256),
            ("384", Hash::Sha384),
            ("512", Hash::Sha512),
        ];
        for (bits, hash) in bits {
            for spelling in spellings.iter().chain(&more) {
                let name = spelling.replace("{}", bits);
                assert_eq!(Hash::from_name(&name), Some(hash), "{name}");
            }
            assert_eq!(Hash::from_name(hash.hmac_name()), Some(hash));
        }
        let others =
            ["", "SHA", "SHA2", "SHA-2", "MD5", "SHA3-256", "SHA-512/256", "SHA512/224", "SHA0", "SHA-25", "SHA2566"];
        let more = ["TOTP-SHA3", "SHA1SHA256", "HMAC", "HMAC-", "SHA-\u{ff11}", "1", "256", "#", "SM3"];
        for name in others.into_iter().chain(more) {
            assert_eq!(Hash::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn fips_180_examples_of_abc() {
        for (hash, expected) in [
            (Hash::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Hash::Sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
            (Hash::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                Hash::Sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            ),
            (
                Hash::Sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ] {
            assert_eq!(HEXLOWER.encode(&hash.digest(&[b"a", b"bc"])), expected);
            assert_eq!(hash.output_len() * 2, expected.len());
        }
        assert_eq!(Sha256::digest(&[b"a", b"bc"]).to_vec(), Hash::Sha256.digest(&[b"abc"]));
    }

    #[test]
    fn a_saved_state_resumes_at_every_offset() {
        let message: Vec<u8> = (0..200).collect();
        let whole = Hash::Sha256.digest(&[&message]);
        for cut in 0..=message.len() {
            let mut first = Sha256::new();
            first.update(&message[..cut]);
            let saved = first.save();
            assert_eq!(saved.len(), Sha256::SAVED_LEN);
            let mut second = Sha256::resume(&saved).expect("just saved");
            second.update(&message[cut..]);
            assert_eq!(second.finish().to_vec(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn an_invalid_state_is_refused() {
        for len in [0, 1, Sha256::SAVED_LEN - 1, Sha256::SAVED_LEN + 1] {
            assert_eq!(Sha256::resume(&vec![0xFF; len]).err(), Some(Error::HashState));
        }
        assert_eq!(Sha256::resume(&[0xFF; Sha256::SAVED_LEN]).err(), Some(Error::HashState));
    }
}
