//! DSKPP-PRF: the two realisations of RFC 6063 Appendix D.

use dskpp_crypto::{CmacKey, Hash, HmacKey, Secret};

use crate::algorithm::MacAlgorithm;

/// The supported DSKPP-PRFs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prf {
    /// DSKPP-PRF-AES (RFC 6063 §D.2): AES-128-CMAC.
    Aes128,
    /// DSKPP-PRF-SHA256 (RFC 6063 §D.3): HMAC-SHA-256.
    Sha256,
}

/// The PRF does not support keys of this length in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("DSKPP-PRF-AES needs a key of 16 octets, DSKPP-PRF-SHA256 one of at least 16, not {0}")]
#[non_exhaustive]
pub struct KeyLength(pub usize);

impl Prf {
    /// The PRF with this identifier; `None` if unknown.
    pub fn of(algorithm: &MacAlgorithm) -> Option<Prf> {
        match algorithm {
            MacAlgorithm::PrfAes128 => Some(Prf::Aes128),
            MacAlgorithm::PrfSha256 => Some(Prf::Sha256),
            MacAlgorithm::Unknown(_) => None,
        }
    }

    /// Its identifier.
    pub fn algorithm(self) -> MacAlgorithm {
        match self {
            Prf::Aes128 => MacAlgorithm::PrfAes128,
            Prf::Sha256 => MacAlgorithm::PrfSha256,
        }
    }

    /// Length in octets of the keys that a run derives for it, and of its nonces: 16 or 32 (profile P4, P5).
    pub fn key_len(self) -> usize {
        match self {
            Prf::Aes128 => 16,
            Prf::Sha256 => 32,
        }
    }

    /// Whether it supports keys of this length: exactly 16 for AES, at least 16 for HMAC (RFC 6063 §3.4.2).
    pub fn takes_key_of(self, len: usize) -> bool {
        match self {
            Prf::Aes128 => len == 16,
            Prf::Sha256 => len >= 16,
        }
    }

    /// Whether a received nonce of this length is acceptable as R_S, or as an R_C that keys it (profile P5).
    pub fn takes_nonce_of(self, len: usize) -> bool {
        match self {
            Prf::Aes128 => len == 16,
            Prf::Sha256 => (16..=64).contains(&len),
        }
    }

    /// `DSKPP-PRF(k, s, dsLen)`, where `s` is the concatenated parts:
    /// the first `ds_len` octets of `F(k, INT(1) || s) || F(k, INT(2) || s) || …`.
    pub fn derive(self, k: &[u8], s: &[&[u8]], ds_len: usize) -> Result<Secret, KeyLength> {
        match self {
            _ if !self.takes_key_of(k.len()) => Err(KeyLength(k.len())),
            Prf::Aes128 => {
                let key = CmacKey::new(k).map_err(|_| KeyLength(k.len()))?;
                Ok(blocks(s, ds_len, |parts| key.sign(parts)))
            }
            Prf::Sha256 => {
                let key = HmacKey::new(Hash::Sha256, k);
                Ok(blocks(s, ds_len, |parts| key.sign(parts)))
            }
        }
    }
}

fn blocks<Block: AsRef<[u8]>>(s: &[&[u8]], ds_len: usize, f: impl Fn(&[&[u8]]) -> Block) -> Secret {
    let mut ds = Vec::with_capacity(ds_len.next_multiple_of(32)); // no copies by reallocation
    for i in 1u32.. {
        if ds.len() >= ds_len {
            break;
        }
        let index = i.to_be_bytes();
        let parts: Vec<&[u8]> = std::iter::once(&index[..]).chain(s.iter().copied()).collect();
        ds.extend_from_slice(f(&parts).as_ref());
    }
    ds.truncate(ds_len);
    Secret::new(ds)
}
