//! The cryptographic primitives of DSKPP and PSKC, behind typed functions.
//!
//! - Algorithms are types, not strings, and the underlying libraries are hidden.
//! - Secrets are [`Secret`]: wiped when dropped, compared in constant time, never printed.
//! - Randomness is passed in as [`Random`], so that every run can be replayed from a seed.
//!   The only exceptions are `RsaPrivateKey::generate` and `SigningKey::sign`, where AWS-LC generates primes and ECDSA
//!   nonces.
//! - It does no I/O, reads no clock and makes no protocol decisions.
//!
//! # Back ends
//!
//! `backend/` has the primitives twice, and one of both is compiled in:
//!
//! - `aws-lc` (the default): AWS-LC, which compiles C. It also brings the system's randomness (`SystemRandom`), the
//!   generation of RSA keys and, with `signatures`, signatures and paths of certificates (rustls-webpki, x509-parser).
//! - `pure`: RustCrypto, without C. For WebAssembly it imports nothing: randomness comes from the caller. Both back ends
//!   pass the same tests, and are compared with each other for random inputs.
//! - Neither: hashes and HMAC, which is all that one-time passwords need.
//!
//! Key wrap, Argon2id, the resumable SHA-256 and the old ciphers of `legacy` are always RustCrypto's, because AWS-LC's Rust
//! interface lacks them. [`pbkdf2_many`] with `aws-lc` does the rounds of PBKDF2 by the processor's vectors in this crate,
//! because no library computes several derivations at once; it is compared with AWS-LC for random inputs.
//!
//! # RSA without AWS-LC
//!
//! Only private operations are at risk from measurements of time (RUSTSEC-2023-0071, the Marvin attack): the decryption
//! of a key that a server sent for the client's public key. `pure` relies on the crate `rsa` from version 0.10 on, whose
//! exponentiation takes constant time; which blinds base, exponents and primes, here with factors that only the owner
//! of the key can predict; and which compares the result with the ciphertext. Its authors say that 0.10 removes the
//! attack's side channels; the advisory's text that was at hand (September 2026) precedes that release. The padding of PKCS #1
//! v1.5 is removed by this crate, with implicit rejection ([`RsaPrivateKey::decrypt_pkcs1v15`]); that of OAEP, which has
//! no such oracle in one run, by `rsa`. In WebAssembly nobody promises constant time: the engine compiles as it likes.
//! A server, which strangers can ask repeatedly, uses `aws-lc`.
#![cfg_attr(feature = "aws-lc", doc = "\n# Example\n")]
#![cfg_attr(feature = "aws-lc", doc = concat!("```\n", include_str!("../examples/wrap_key.rs"), "```"))]

#[cfg(all(feature = "encryption", not(any(feature = "aws-lc", feature = "pure-public"))))]
compile_error!("dskpp-crypto needs a back end for encryption: the feature `aws-lc`, `pure` or `pure-public`");

mod algorithm;
mod backend;
mod hash;
mod mac;
mod random;
mod secret;

#[cfg(feature = "encryption")]
mod aead;
#[cfg(feature = "encryption")]
mod certificate;
#[cfg(feature = "encryption")]
mod cipher;
#[cfg(feature = "encryption")]
mod cmac;
#[cfg(feature = "encryption")]
mod kdf;
#[cfg(feature = "encryption")]
mod rsa;

#[cfg(feature = "legacy")]
mod cms;
#[cfg(feature = "legacy")]
mod legacy;
#[cfg(feature = "legacy")]
mod pkcs12;

#[cfg(feature = "signatures")]
mod cert_path;
#[cfg(feature = "signatures")]
mod distrust;
#[cfg(feature = "signatures")]
mod signature;
#[cfg(feature = "signatures")]
mod x509;

pub use algorithm::{Hash, Pbkdf2Prf, RsaEncryption, Tag};
pub use hash::Sha256;
pub use mac::HmacKey;
#[cfg(feature = "aws-lc")]
pub use random::SystemRandom;
pub use random::{Random, SeededRandom};
pub use secret::{Secret, ct_eq};

#[cfg(feature = "encryption")]
pub use {
    aead::AeadKey,
    certificate::PathError,
    cipher::{CbcKey, aes_cbc_decrypt, aes_cbc_encrypt, aes_unwrap, aes_unwrap_pad, aes_wrap, aes_wrap_pad},
    cmac::CmacKey,
    kdf::{Argon2Params, Derivation, argon2id, pbkdf2, pbkdf2_lanes, pbkdf2_many},
    rsa::{RsaPrivateKey, RsaPublicKey},
};

#[cfg(feature = "legacy")]
pub use {
    cms::{pwri_unwrap, pwri_wrap},
    legacy::{
        camellia_cbc_decrypt, camellia_unwrap, camellia_unwrap_pad, des3_cbc_decrypt, des3_cbc_encrypt, des3_unwrap,
    },
    pkcs12::{pkcs12_des3_key, pkcs12_mac_key},
};

#[cfg(feature = "signatures")]
pub use {
    cert_path::{RevocationList, TrustAnchors, can_be_anchor},
    distrust::{Distrust, DistrustCause, distrust, distrust_of_signer},
    signature::{SignatureAlgorithm, SigningKey, VerifyingKey},
    x509::{SignerUse, verify_chain},
};

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
    #[cfg(feature = "encryption")]
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
