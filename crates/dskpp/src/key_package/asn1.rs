//! Structures shared by all formats.

use der::asn1::{Any, SetOfVec};
use der::{Decode, Encode, Sequence, ValueOrd};
pub(super) use spki::AlgorithmIdentifierOwned as Algorithm;
pub(super) use spki::ObjectIdentifier as Oid;

use dskpp_crypto::Secret;

use super::PackageError;

/// `Attribute` (RFC 5652 §5.3).
#[derive(Clone, Debug, PartialEq, Eq, Sequence, ValueOrd)]
pub(super) struct CmsAttribute {
    pub(super) kind: Oid,
    pub(super) values: SetOfVec<Any>,
}

impl CmsAttribute {
    pub(super) fn new(kind: Oid, value: &impl Encode) -> Result<Self, PackageError> {
        let value = to_der(value)?;
        let mut values = SetOfVec::new();
        values.insert(from_der::<Any>(&value)?).map_err(|_| UNWRITABLE)?;
        Ok(Self { kind, values })
    }
}

/// `ContentInfo` (RFC 5652 §3).
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct ContentInfo {
    pub(super) content_type: Oid,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) content: Any,
}

impl ContentInfo {
    pub(super) fn write(content_type: Oid, content: &impl Encode) -> Result<Vec<u8>, PackageError> {
        let content = from_der::<Any>(&to_der(content)?)?;
        to_der(&Self { content_type, content })
    }
}

pub(super) const UNREADABLE: PackageError = PackageError::Unreadable("it is not valid DER of this format");
pub(super) const UNWRITABLE: PackageError = PackageError::Unfit("a value is too long or has an unsupported character");

/// Parses strict DER without trailing data. The library sorts an unsorted SET OF and accepts an explicit default:
/// neither is DER, and neither would be written back unchanged.
pub(super) fn from_der<'a, T: Decode<'a> + Encode>(octets: &'a [u8]) -> Result<T, PackageError> {
    let value = T::from_der(octets).map_err(|_| UNREADABLE)?;
    let again = Secret::new(to_der(&value)?);
    if again.expose() == octets { Ok(value) } else { Err(UNREADABLE) }
}

pub(super) fn to_der(value: &impl Encode) -> Result<Vec<u8>, PackageError> {
    value.to_der().map_err(|_| UNWRITABLE)
}

/// An algorithm with these parameters.
pub(super) fn algorithm(oid: Oid, parameters: Option<&impl Encode>) -> Result<Algorithm, PackageError> {
    let parameters = parameters.map(to_der).transpose()?;
    let parameters = parameters.map(|der| from_der::<Any>(&der)).transpose()?;
    Ok(Algorithm { oid, parameters })
}
