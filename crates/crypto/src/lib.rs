//! The cryptographic primitives of DSKPP and PSKC, behind typed functions.
//!
//! - Algorithms are types, not strings, and the underlying libraries are hidden.
//! - Secrets are [`Secret`]: wiped when dropped, compared in constant time, never printed.
//! - Randomness is passed in as [`Random`], so that every run can be replayed from a seed.
//!   The only exceptions are [`RsaPrivateKey::generate`] and [`SigningKey::sign`], where the library generates primes
//!   and ECDSA nonces.
//! - It does no I/O, reads no clock and makes no protocol decisions.
//!
//! The primitives are those of AWS-LC; key wrap, Argon2id, the resumable SHA-256, the legacy ciphers and the key
//! derivation of PKCS #12 are RustCrypto's, because AWS-LC's Rust interface lacks them. rustls-webpki and x509-parser
//! parse certificates.
//!
//! ```
#![doc = include_str!("../examples/wrap_key.rs")]
//! ```

mod aead;
mod cert_path;
mod cipher;
mod cms;
mod distrust;
mod hash;
mod kdf;
mod legacy;
mod mac;
mod pkcs12;
mod random;
mod raw_rsa;
mod rsa;
mod secret;
mod signature;
mod x509;

pub use aead::AeadKey;
pub use cert_path::{PathError, RevocationList, TrustAnchors, can_be_anchor};
pub use cipher::{CbcKey, aes_cbc_decrypt, aes_cbc_encrypt, aes_unwrap, aes_unwrap_pad, aes_wrap, aes_wrap_pad};
pub use cms::{pwri_unwrap, pwri_wrap};
pub use distrust::{Distrust, DistrustCause, distrust, distrust_of_signer};
pub use hash::{Hash, Sha256};
pub use kdf::{Argon2Params, Pbkdf2Prf, argon2id, pbkdf2};
pub use legacy::{
    camellia_cbc_decrypt, camellia_unwrap, camellia_unwrap_pad, des3_cbc_decrypt, des3_cbc_encrypt, des3_unwrap,
};
pub use mac::{CmacKey, HmacKey, Tag};
pub use pkcs12::{pkcs12_des3_key, pkcs12_mac_key};
pub use random::{Random, SeededRandom, SystemRandom};
pub use rsa::{RsaEncryption, RsaPrivateKey, RsaPublicKey};
pub use secret::{Secret, ct_eq};
pub use signature::{SignatureAlgorithm, SigningKey, VerifyingKey};
pub use x509::{SignerUse, verify_chain};

/// Why an operation failed. No variant contains or reveals a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The algorithm does not support keys of this length.
    #[error("the algorithm does not support keys of {0} octets")]
    KeyLength(usize),
    /// The algorithm does not support inputs of this length.
    #[error("the algorithm does not support inputs of {0} octets")]
    InputLength(usize),
    /// Decryption failed: wrong key, or damaged data. It does not say which.
    #[error("decryption failed: wrong key, or the data is damaged")]
    Decryption,
    /// An RSA key outside 2048 to 4096 bits, or an invalid one.
    #[error("not a usable RSA key: {0}")]
    RsaKey(&'static str),
    /// A signature does not verify with the key.
    #[error("the signature does not verify")]
    Signature,
    /// An unusable signature key.
    #[error("not a usable signature key: {0}")]
    SignatureKey(&'static str),
    /// An untrusted certificate.
    #[error("the certificate is not trusted: {0}")]
    Path(#[from] PathError),
    /// A certificate that is not for signing documents.
    #[error("the certificate is not valid for signing documents: {0}")]
    KeyUse(&'static str),
    /// Parameters of a derivation are out of range.
    #[error("unusable parameters: {0}")]
    Parameters(&'static str),
    /// A saved hash state cannot be resumed.
    #[error("not a saved SHA-256 state")]
    HashState,
}
