//! Hash functions, and a SHA-256 whose state can be saved mid-message.

use sha2::Digest;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};

use crate::{Error, Hash, backend};

impl Hash {
    /// The hash of the concatenated parts.
    pub fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        backend::digest(self, parts)
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
