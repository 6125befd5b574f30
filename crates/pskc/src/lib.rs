//! PSKC, the Portable Symmetric Key Container (RFC 6030): model, reader and writer, and the XML
//! layer below.
//!
//! - [`KeyContainer`] is a complete document; [`ContainerReader`] and [`ContainerWriter`] handle documents of any size,
//!   one package at a time; [`ParallelReader`] uses several threads. [`LenientReader`] reads vendors' files and old
//!   drafts, and reports every deviation.
//! - [`Opener`] checks MACs and decrypts, [`Protector`] encrypts (§6). `signature` verifies and signs (§7).
//!
//! Every document is read to the values that RFC 6030 and its schema define, or refused with
//! position and reason. No input causes a panic, or exceeds the nesting and sizes of [`xml::XmlLimits`].
//! Output is valid by the schema and reads back to the same values, except for the languages of names.
//! The crate does no I/O, and has no clock and no randomness. Reading neither decrypts values nor verifies
//! signatures: verify a signed document first, then read the result of `signature::verify`. Secrets
//! are wiped in the model, but not in the document.
//!
//! Two types of other crates are part of the API: [`jiff::Timestamp`](Timestamp), so that times have an unambiguous
//! unit, and [`compact_str::CompactString`](xml::CompactString) for names of XML elements, which are nearly always
//! short enough to need no allocation. Both are re-exported, and so is `dskpp_crypto`, whose secrets and keys are
//! arguments.
//!
//! Features: a back end for cryptography, `aws-lc` or `pure` (Rust alone, also for WebAssembly), see [`dskpp_crypto`];
//! `signatures` is the module `signature`; `legacy` opens old files with Triple-DES and Camellia. The default is `aws-lc`,
//! `signatures` and `legacy`.
#![cfg_attr(feature = "aws-lc", doc = "\n# Example\n")]
#![cfg_attr(feature = "aws-lc", doc = concat!("```\n", include_str!("../examples/read_key_file.rs"), "```"))]

mod codec;
mod container;
mod date;
mod error;
mod extensions;
mod key;
mod key_info;
mod key_package;
mod kind;
mod lenient;
mod looks;
mod parallel;
mod parts;
mod policy;
mod protection;
mod shown;
#[cfg(feature = "signatures")]
pub mod signature;
mod stream;
mod unshown;
mod usable;
mod validity;
mod value;
pub mod xml;

pub use container::KeyContainer;
pub use date::{DateTime, DateTimeError};
pub use dskpp_crypto;
pub use error::Error;
pub use extensions::Extensions;
pub use jiff::Timestamp;
pub use key::{AlgorithmParameters, ChallengeFormat, Key, KeyData, ResponseFormat, ValueFormat};
pub use key_info::{KeyInfo, RsaKeyValue};
pub use key_package::{CryptoModuleInfo, DeviceInfo, KeyPackage};
pub use kind::{KeyKind, algorithm_uri};
pub use lenient::{Irregularity, LenientReader, Warning};
pub use parallel::ParallelReader;
pub use parts::{Header, Trailer};
pub use policy::{KeyUsage, PinPolicy, PinUsageMode, Policy};
pub use protection::{
    DecryptionKey, DerivedKey, Deviation, Opener, OpenerOptions, PasswordStrength, ProtectionError, Protector,
    ValueAlgorithm, is_misnamed, mac_hash, mac_uri,
};
pub use shown::{MAX_LONG_NAME_LEN, MAX_NAME_LEN, Shown, escaped, is_deceptive, is_name, is_visible, shortened};
pub use stream::{ContainerReader, ContainerWriter};
pub use unshown::{Unshown, unshown};
pub use usable::{MAX_COUNTER, MAX_SECRET_LEN, OtpParameters, Unusable, Usable};
pub use validity::validity_problems;
pub use value::{EncryptedData, EncryptedValue, MacMethod, Value};
