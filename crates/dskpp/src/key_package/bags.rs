//! The bags of PKCS #12 (RFC 7292 §4.2), of which secret bags hold symmetric keys.

use std::collections::BTreeMap;

use der::Sequence;
use der::asn1::{Any, BmpString, OctetString, SetOfVec};
use dskpp_crypto::{Hash, Secret};
use pskc::{Key, KeyData, KeyPackage};

use super::asn1::{Algorithm, CmsAttribute, Oid, UNREADABLE, UNWRITABLE, algorithm, from_der, to_der};
use super::file::FileError;
use super::pfx::{self, Sealing};
use super::reading::ReadRules;
use super::{PackageError, attributes, hash_of_suite, pbes2, secret_of, skpc};
use crate::algorithm::KeyType;

pub(super) const SECRET_BAG: Oid = Oid::new_unwrap("1.2.840.113549.1.12.10.1.5");
/// Java's secret bags: an `EncryptedPrivateKeyInfo` in an OCTET STRING.
const SHROUDED: Oid = Oid::new_unwrap("1.2.840.113549.1.12.10.1.2");
const SAFE_CONTENTS: Oid = Oid::new_unwrap("1.2.840.113549.1.12.10.1.6");
/// The other bags, and their names.
const OTHERS: [(Oid, &str); 4] = [
    (Oid::new_unwrap("1.2.840.113549.1.12.10.1.1"), "private key"),
    (SHROUDED, "private key"),
    (Oid::new_unwrap("1.2.840.113549.1.12.10.1.3"), "certificate"),
    (Oid::new_unwrap("1.2.840.113549.1.12.10.1.4"), "revocation list"),
];
/// The deepest nesting of safes.
const MAX_DEPTH: usize = 8;

const FRIENDLY_NAME: Oid = Oid::new_unwrap("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: Oid = Oid::new_unwrap("1.2.840.113549.1.9.21");

const AES: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.1");
const DES3: [Oid; 2] = [Oid::new_unwrap("1.3.14.3.2.17"), Oid::new_unwrap("1.2.840.113549.3.7")];
const HMAC: [(Oid, Hash); 5] = [
    (Oid::new_unwrap("1.2.840.113549.2.7"), Hash::Sha1),
    (Oid::new_unwrap("1.2.840.113549.2.8"), Hash::Sha224),
    (Oid::new_unwrap("1.2.840.113549.2.9"), Hash::Sha256),
    (Oid::new_unwrap("1.2.840.113549.2.10"), Hash::Sha384),
    (Oid::new_unwrap("1.2.840.113549.2.11"), Hash::Sha512),
];
/// pbeWithMD5AndDES-CBC: the type for `keytool -importpass`, which stores any text.
const PASSWORD: Oid = Oid::new_unwrap("1.2.840.113549.1.5.3");
/// id-pskc-algorithm: the attribute of that name has the algorithm (RFC 6031 §3.2.2).
const BY_ATTRIBUTE: Oid = Oid::new_unwrap("1.2.840.113549.1.9.16.12.10");

#[derive(Sequence)] // no Debug: it holds the key
pub(super) struct SafeBag {
    pub(super) kind: Oid,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) value: Any,
    #[asn1(optional = "true")]
    pub(super) attributes: Option<SetOfVec<CmsAttribute>>,
}

#[derive(Sequence)]
pub(super) struct SecretBag {
    pub(super) kind: Oid,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) value: Any,
}

#[derive(Sequence)]
struct EncryptedPrivateKeyInfo {
    algorithm: Algorithm,
    octets: OctetString,
}

#[derive(Sequence)]
struct PrivateKeyInfo {
    version: u8,
    algorithm: Algorithm,
    key: OctetString,
}

/// A secret bag with the `SymmetricKeyPackage` of RFC 6031, as DSKPP requires.
pub(super) fn of_package(package: &KeyPackage) -> Result<SafeBag, PackageError> {
    let value = SecretBag { kind: skpc::KEY_PACKAGE, value: from_der(skpc::write(&[package])?.expose())? };
    let key = package.key.as_ref().ok_or(UNWRITABLE)?;
    let mut attributes = SetOfVec::new();
    add_name(&mut attributes, key.friendly_name.as_ref().unwrap_or(&key.id))?;
    let id = pbes2::octet_string(key.id.as_bytes())?;
    attributes.insert(CmsAttribute::new(LOCAL_KEY_ID, &id)?).map_err(|_| UNWRITABLE)?;
    Ok(SafeBag { kind: SECRET_BAG, value: from_der(&to_der(&value)?)?, attributes: Some(attributes) })
}

/// Adds the friendly name, unless a BMPString cannot represent it.
fn add_name(attributes: &mut SetOfVec<CmsAttribute>, name: &str) -> Result<(), PackageError> {
    match BmpString::from_utf8(name) {
        Ok(name) => attributes.insert(CmsAttribute::new(FRIENDLY_NAME, &name)?).map_err(|_| UNWRITABLE),
        Err(_) => Ok(()),
    }
}

/// A secret bag as Java writes it, with additional attributes of RFC 6031.
pub(super) fn of_java(
    package: &KeyPackage,
    sealing: &Sealing<'_>,
    rng: &mut dyn dskpp_crypto::Random,
) -> Result<SafeBag, PackageError> {
    let key = package.key.as_ref().ok_or(PackageError::Unfit("there is no key in it"))?;
    let secret = secret_of(package)?;
    let oid = type_of(key);
    let info = PrivateKeyInfo {
        version: 0,
        algorithm: algorithm(oid, None::<&Any>)?,
        key: pbes2::octet_string(secret.expose())?,
    };
    let (algorithm, octets) = sealing.encrypt(&Secret::new(to_der(&info)?), rng)?;
    let shrouded = EncryptedPrivateKeyInfo { algorithm, octets: pbes2::octet_string(&octets)? };
    let shrouded = pbes2::octet_string(&to_der(&shrouded)?)?;
    let value = SecretBag { kind: SHROUDED, value: from_der(&to_der(&shrouded)?)? };
    let mut attributes = SetOfVec::new();
    for attribute in attributes::of_device(package)?.into_iter().chain(attributes::of_key(key)?) {
        attributes.insert(attribute).map_err(|_| UNWRITABLE)?;
    }
    add_name(&mut attributes, &key.id)?;
    Ok(SafeBag { kind: SECRET_BAG, value: from_der(&to_der(&value)?)?, attributes: Some(attributes) })
}

/// Java's type for a key.
fn type_of(key: &Key) -> Oid {
    let suite = key.algorithm_parameters.as_ref().and_then(|parameters| parameters.suite.as_deref());
    let named = key.algorithm.as_deref().unwrap_or_default();
    let hash = match KeyType::from_uri(named) {
        KeyType::Hotp => Some(Hash::Sha1),
        KeyType::Totp | KeyType::Ocra => hash_of_suite(suite).or(suite.is_none().then_some(Hash::Sha1)),
        KeyType::Aes128Cbc | KeyType::Aes192Cbc | KeyType::Aes256Cbc => return AES,
        _ => pskc::mac_hash(named),
    };
    let hmac = |hash| HMAC.iter().find(|(_, known)| *known == hash).map(|(oid, _)| *oid);
    hash.and_then(hmac).unwrap_or(BY_ATTRIBUTE)
}

/// The content of a file's bags.
#[derive(Default)]
pub(super) struct BagContents {
    pub(super) packages: Vec<KeyPackage>,
    /// The kinds of bags other than symmetric keys, with their numbers.
    pub(super) others: BTreeMap<&'static str, usize>,
}

impl BagContents {
    /// Reads `bags`, the DER of SafeContents.
    pub(super) fn read(&mut self, bags: &Secret, password: &Secret, reading: &ReadRules) -> Result<(), FileError> {
        self.read_at(bags.expose(), password, reading, MAX_DEPTH)
    }

    fn read_at(&mut self, bags: &[u8], password: &Secret, reading: &ReadRules, depth: usize) -> Result<(), FileError> {
        let depth = depth.checked_sub(1).ok_or(PackageError::Unreadable("it is nested too deeply"))?;
        let bags: Vec<SafeBag> = from_der(bags)?;
        for bag in bags {
            match bag.kind {
                SECRET_BAG => {
                    let number = self.packages.len() + 1;
                    let found = secrets(&bag, password, reading);
                    self.packages.extend(found.map_err(|why| why.or_in(number))?);
                }
                SAFE_CONTENTS => self.read_at(&to_der(&bag.value)?, password, reading, depth)?,
                kind => {
                    let name = OTHERS.iter().find(|(oid, _)| *oid == kind);
                    let (_, name) = name.ok_or(PackageError::Unreadable("it has an unknown kind of bag"))?;
                    *self.others.entry(name).or_default() += 1;
                }
            }
        }
        Ok(())
    }
}

fn secrets(bag: &SafeBag, password: &Secret, reading: &ReadRules) -> Result<Vec<KeyPackage>, FileError> {
    let secret: SecretBag = from_der(&to_der(&bag.value)?)?;
    match secret.kind {
        skpc::KEY_PACKAGE => skpc::read_all(&Secret::new(to_der(&secret.value)?)),
        SHROUDED => {
            let shrouded: OctetString = secret.value.decode_as().map_err(|_| UNREADABLE)?;
            let shrouded: EncryptedPrivateKeyInfo = from_der(reading.der(shrouded.as_bytes())?.expose())?;
            let info = pfx::decrypt(&shrouded.algorithm, password, shrouded.octets.as_bytes(), reading)?;
            // The MAC was valid, so this was encrypted with a different password.
            let opened = reading.der(info.expose()).and_then(|info| from_der::<PrivateKeyInfo>(info.expose()));
            let info = opened.map_err(|_| PackageError::WrongKeyOrDamaged)?;
            let attributes = bag.attributes.as_ref().map(SetOfVec::as_slice).unwrap_or_default();
            Ok(vec![package(&info, attributes)?])
        }
        _ => Err(PackageError::Unreadable("its secret has an unknown type").into()),
    }
}

/// The key in a bag of Java's, with its attributes of RFC 6031, if any.
fn package(info: &PrivateKeyInfo, attributes: &[CmsAttribute]) -> Result<KeyPackage, PackageError> {
    if attributes.iter().any(|attribute| attributes::is_one(attribute.kind)) {
        return attributes::package(&[], attributes, Some(&info.key));
    }
    let id = name_of(attributes)?.ok_or(PackageError::Unreadable("it has no name"))?;
    let secret = Secret::from_slice(info.key.as_bytes());
    let algorithm = algorithm_of(info.algorithm.oid, secret.len());
    let data = Some(KeyData { secret: Some(secret.into()), ..KeyData::default() });
    let key = Key { id, algorithm, data, ..Key::default() };
    Ok(KeyPackage { key: Some(key), ..KeyPackage::default() })
}

/// The friendly name, or the local identifier if it is text.
fn name_of(attributes: &[CmsAttribute]) -> Result<Option<String>, PackageError> {
    let value = |kind| {
        let attribute = attributes.iter().find(|attribute| attribute.kind == kind)?;
        attribute.values.get(0)
    };
    let name = match (value(FRIENDLY_NAME), value(LOCAL_KEY_ID)) {
        (Some(name), _) => name.decode_as::<BmpString>().map_err(|_| UNREADABLE)?.to_string(),
        (None, Some(id)) => {
            let id: OctetString = id.decode_as().map_err(|_| UNREADABLE)?;
            String::from_utf8(id.as_bytes().to_vec()).map_err(|_| PackageError::Unreadable("its name is not text"))?
        }
        (None, None) => return Ok(None),
    };
    match pskc::xml::is_text(&name) {
        true => Ok(Some(name).filter(|name| !name.is_empty())),
        false => Err(PackageError::Unreadable("its name has invalid characters")),
    }
}

/// The algorithm of a key of Java's; `None` if its type does not determine the use.
fn algorithm_of(oid: Oid, len: usize) -> Option<String> {
    if let Some((_, hash)) = HMAC.iter().find(|(known, _)| *known == oid) {
        return Some(pskc::mac_uri(*hash).to_owned());
    }
    let aes = match len {
        16 => Some(KeyType::Aes128Cbc),
        24 => Some(KeyType::Aes192Cbc),
        32 => Some(KeyType::Aes256Cbc),
        _ => None,
    };
    match (oid, aes) {
        (PASSWORD, _) => None,
        (AES, Some(kind)) => Some(kind.uri().to_owned()),
        _ if DES3.contains(&oid) => Some("http://www.w3.org/2001/04/xmlenc#tripledes-cbc".to_owned()),
        _ => Some(format!("urn:oid:{oid}")),
    }
}
