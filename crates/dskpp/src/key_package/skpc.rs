//! RFC 6031: a symmetric key package in CMS.

use der::Sequence;
use der::asn1::OctetString;
use dskpp_crypto::{Random, Secret};
use pskc::{DecryptionKey, KeyPackage};

use super::asn1::{CmsAttribute, ContentInfo, Oid, UNREADABLE, from_der, to_der};
use super::authenticated::{self, AUTH_ENVELOPED_DATA};
use super::file::FileError;
use super::reading::ReadRules;
use super::{
    OpenedPackage, PackageCodec, PackageError, PackageProtection, ProtectionKind, attributes, cms, pbes2, secret_of,
};
use crate::algorithm::PackageFormat;

/// id-ct-KP-sKeyPackage
pub(super) const KEY_PACKAGE: Oid = Oid::new_unwrap("1.2.840.113549.1.9.16.1.25");

/// `SymmetricKeyPackage` (RFC 6031 §2) in a `ContentInfo`: in the clear, or encrypted.
#[derive(Clone, Copy, Debug)]
pub struct Skpc {
    /// Whether encrypted packages must be `AuthEnvelopedData` (RFC 5083), as DSKPP requires.
    /// If not, a package is `EncryptedData` under a password, and `EnvelopedData` for a shared or a public key, whose
    /// AES-CBC does not detect every change: [`sign`](super::sign) adds `SignedData` around it.
    pub authenticated: bool,
}

#[derive(Sequence)] // no Debug: it holds the key
struct SymmetricKeyPackage {
    /// 1, which DER omits.
    #[asn1(optional = "true")]
    version: Option<u8>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    attributes: Option<Vec<CmsAttribute>>,
    keys: Vec<OneSymmetricKey>,
}

#[derive(Sequence)]
struct OneSymmetricKey {
    #[asn1(optional = "true")]
    attributes: Option<Vec<CmsAttribute>>,
    #[asn1(optional = "true")]
    key: Option<OctetString>,
}

/// The DER of a `SymmetricKeyPackage`: a secret. Device attributes that all keys share are written once.
pub(super) fn write(packages: &[&KeyPackage]) -> Result<Secret, PackageError> {
    let some = |attributes: Vec<CmsAttribute>| Some(attributes).filter(|attributes| !attributes.is_empty());
    let devices = packages.iter().map(|package| attributes::of_device(package)).collect::<Result<Vec<_>, _>>()?;
    let one_device = devices.windows(2).all(|pair| pair[0] == pair[1]);
    let one_key = |(package, device): (&&KeyPackage, &Vec<CmsAttribute>)| {
        let secret = secret_of(package)?;
        let key = package.key.as_ref().ok_or(PackageError::Unfit("there is no key in it"))?;
        let mut attributes = if one_device { Vec::new() } else { device.clone() };
        attributes.extend(attributes::of_key(key)?);
        Ok(OneSymmetricKey { attributes: some(attributes), key: Some(pbes2::octet_string(secret.expose())?) })
    };
    let keys = packages.iter().zip(&devices).map(one_key).collect::<Result<_, PackageError>>()?;
    let attributes = devices.into_iter().next().filter(|_| one_device).and_then(some);
    to_der(&SymmetricKeyPackage { version: None, attributes, keys }).map(Secret::new)
}

/// The only key of a package, with its secret.
pub(super) fn read(der: &Secret) -> Result<KeyPackage, PackageError> {
    let package: SymmetricKeyPackage = from_der(der.expose())?;
    let [key] = &package.keys[..] else { return Err(PackageError::Unreadable("it does not hold exactly one key")) };
    if package.version.is_some() {
        return Err(PackageError::Unreadable("its version is not 1, or is written out (DER omits the default)"));
    }
    let package = key.package(package.attributes.as_deref())?;
    secret_of(&package).map_err(|_| PackageError::Unreadable("there is no key in it"))?;
    Ok(package)
}

/// All keys of a package, with or without secrets.
pub(super) fn read_all(der: &Secret) -> Result<Vec<KeyPackage>, FileError> {
    let package: SymmetricKeyPackage = from_der(der.expose())?;
    if package.version.is_some_and(|version| version != 1) {
        return Err(PackageError::Unreadable("its version is not 1").into());
    }
    let keys = package.keys.iter().zip(1..);
    let keys = keys.map(|(key, number)| {
        let package = key.package(package.attributes.as_deref());
        package.map_err(|why| FileError { key: Some(number), why })
    });
    keys.collect()
}

/// Whether it has the form of a `SymmetricKeyPackage`.
pub(super) fn is_one(der: &Secret) -> bool {
    from_der::<SymmetricKeyPackage>(der.expose()).is_ok()
}

impl OneSymmetricKey {
    fn package(&self, of_all: Option<&[CmsAttribute]>) -> Result<KeyPackage, PackageError> {
        let attributes = self.attributes.as_deref().unwrap_or_default();
        attributes::package(of_all.unwrap_or_default(), attributes, self.key.as_ref())
    }
}

/// Applies `read` to the DER of the package in `info`.
pub(super) fn content<T>(
    info: &ContentInfo,
    authenticated: bool,
    unlock: Option<&DecryptionKey>,
    reading: &ReadRules,
    read: impl Fn(&Secret) -> Result<T, PackageError>,
) -> Result<T, PackageError> {
    let content = match (info.content_type, unlock) {
        (KEY_PACKAGE, None) => Secret::new(to_der(&info.content)?),
        (AUTH_ENVELOPED_DATA, Some(unlock)) => return authenticated::open(info, KEY_PACKAGE, unlock, reading, read),
        _ if authenticated => return Err(PackageError::Protection),
        (cms::ENCRYPTED_DATA, Some(DecryptionKey::Password(password))) => {
            cms::open_encrypted(info, KEY_PACKAGE, password, reading)?
        }
        (cms::ENCRYPTED_DATA, Some(DecryptionKey::Key(key))) => {
            cms::open_encrypted_with_key(info, KEY_PACKAGE, key, reading)?
        }
        (cms::ENVELOPED_DATA, Some(unlock)) => return cms::open_enveloped(info, KEY_PACKAGE, unlock, reading, read),
        (KEY_PACKAGE | cms::ENCRYPTED_DATA | cms::ENVELOPED_DATA | AUTH_ENVELOPED_DATA, _) => {
            return Err(PackageError::Protection);
        }
        _ => return Err(UNREADABLE),
    };
    // AES-CBC does not authenticate, so any octets may result.
    read(&content).map_err(|why| if unlock.is_some() { PackageError::WrongKeyOrDamaged } else { why })
}

impl Skpc {
    /// A package with this `content`.
    pub(super) fn seal_content(
        &self,
        content: &Secret,
        protection: &PackageProtection,
        rng: &mut dyn Random,
    ) -> Result<Vec<u8>, PackageError> {
        let key = rng.secret(32);
        let recipient = match protection {
            PackageProtection::None => {
                let content = from_der(content.expose())?;
                return to_der(&ContentInfo { content_type: KEY_PACKAGE, content });
            }
            PackageProtection::Password { password, iterations } if !self.authenticated => {
                let (algorithm, octets) = pbes2::encrypt_with_password(password, *iterations, content, rng)?;
                return cms::encrypted_data(KEY_PACKAGE, algorithm, &octets);
            }
            PackageProtection::Password { password, iterations } => {
                cms::for_password(password, *iterations, &key, rng)?
            }
            PackageProtection::Shared { name, key: kek } => cms::for_shared_key(name, kek, &key)?,
            PackageProtection::Public { key: public, encryption } => {
                cms::for_public_key(public, *encryption, &key, rng)?
            }
        };
        match self.authenticated {
            true => authenticated::seal(KEY_PACKAGE, content, &key, &recipient, rng),
            false => cms::enveloped(KEY_PACKAGE, content, &key, &recipient, rng),
        }
    }
}

impl PackageCodec for Skpc {
    fn format(&self) -> PackageFormat {
        PackageFormat::Skpc
    }

    fn supports(&self, _kind: ProtectionKind) -> bool {
        true
    }

    fn seal(
        &self,
        package: &KeyPackage,
        protection: &PackageProtection,
        rng: &mut dyn Random,
    ) -> Result<Vec<u8>, PackageError> {
        self.seal_content(&write(&[package])?, protection, rng)
    }

    fn open(&self, octets: &[u8], unlock: Option<&DecryptionKey>) -> Result<OpenedPackage, PackageError> {
        let reading = ReadRules::of_package();
        let info: ContentInfo = from_der(reading.der(octets)?.expose())?;
        let package = content(&info, self.authenticated, unlock, &reading, read)?;
        Ok(OpenedPackage { package, iterations: reading.fewest() })
    }
}
