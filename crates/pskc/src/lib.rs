//! PSKC, the Portable Symmetric Key Container (RFC 6030): its model, reader and writer, and the XML
//! layer below them.
//!
//! - [`KeyContainer`] is a whole document; [`ContainerReader`] and [`ContainerWriter`] take documents of any size, one
//!   package at a time; [`ParallelReader`] has several threads do it. [`LenientReader`] reads what vendors ship and old drafts allow, and reports every deviation.
//! - [`Opener`] checks MACs and decrypts, [`Protector`] encrypts (§6). [`signature`] verifies and signs (§7).
//!
//! Every document is read to the same values that RFC 6030 and its schema give it, or refused with
//! the position and the reason. No input makes it panic, nest deeper or hold larger values than [`xml::XmlLimits`] allow.
//! What it writes is valid by the schema and reads back to the same values; the schema forgets the languages of names.
//! It does no I/O, and has no clock and no randomness of its own. Reading neither decrypts values nor verifies
//! signatures: a signed document is to be verified first, and what [`signature::verify`] gives is to be read. Secrets
//! are wiped in the model, not in the document that is read or written.
//!
//! Two types of other crates stand in signatures: [`jiff::Timestamp`](Timestamp), so that times carry no doubt about
//! their unit, and [`compact_str::CompactString`](xml::CompactString) in the names of XML elements, which are nearly always short
//! enough to need no allocation. Both are re-exported, and so is `dskpp_crypto`, whose secrets and keys are arguments.
//!
//! ```
#![doc = include_str!("../examples/read_key_file.rs")]
//! ```

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
