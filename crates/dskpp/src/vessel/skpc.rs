//! RFC 6031: a symmetric key package in CMS.

use der::Sequence;
use der::asn1::OctetString;
use dskpp_crypto::{Random, Secret};
use pskc::{KeyPackage, Unlock};

use super::asn1::{Attribute, ContentInfo, Oid, UNREADABLE, from_der, to_der};
use super::authenticated::{self, AUTH_ENVELOPED_DATA};
use super::{Protection, ProtectionKind, Vessel, VesselError, attributes, cms, pbes2, secret_of};
use crate::algorithm::PackageFormat;

/// id-ct-KP-sKeyPackage
pub(super) const KEY_PACKAGE: Oid = Oid::new_unwrap("1.2.840.113549.1.9.16.1.25");

/// `SymmetricKeyPackage` (RFC 6031 §2) in a `ContentInfo`: in the clear, or encrypted.
#[derive(Clone, Copy, Debug)]
pub struct Skpc {
    /// Whether every encrypted package is `AuthEnvelopedData` (RFC 5083), as DSKPP has it: nothing else is opened then.
    ///
    /// Else a package is `EncryptedData` under a password, and `EnvelopedData` for a shared or a public key, whose
    /// AES-CBC does not notice every change by itself: [`sign`](super::sign) puts `SignedData` around it.
    pub authenticated: bool,
}

#[derive(Sequence)] // no Debug: it holds the key
struct SymmetricKeyPackage {
    #[asn1(default = "v1")]
    version: u8,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    attributes: Option<Vec<Attribute>>,
    keys: Vec<OneSymmetricKey>,
}

#[derive(Sequence)]
struct OneSymmetricKey {
    #[asn1(optional = "true")]
    attributes: Option<Vec<Attribute>>,
    #[asn1(optional = "true")]
    key: Option<OctetString>,
}

fn v1() -> u8 {
    1
}

/// The DER of a `SymmetricKeyPackage`: a secret.
pub(super) fn write(package: &KeyPackage) -> Result<Secret, VesselError> {
    let secret = secret_of(package)?;
    let key = package.key.as_ref().ok_or(VesselError::Unfit("there is no key in it"))?;
    let some = |attributes: Vec<Attribute>| Some(attributes).filter(|attributes| !attributes.is_empty());
    let key = OneSymmetricKey {
        attributes: some(attributes::of_key(key)?),
        key: Some(pbes2::octet_string(secret.expose())?),
    };
    let package =
        SymmetricKeyPackage { version: 1, attributes: some(attributes::of_device(package)?), keys: vec![key] };
    to_der(&package).map(Secret::new)
}

/// Undoes [`write`].
pub(super) fn read(der: &Secret) -> Result<KeyPackage, VesselError> {
    let package: SymmetricKeyPackage = from_der(der.expose())?;
    let [key] = &package.keys[..] else { return Err(VesselError::Unreadable("it does not hold exactly one key")) };
    if package.version != 1 {
        return Err(VesselError::Unreadable("its version is not 1"));
    }
    let (device, of_key) = (package.attributes.as_deref(), key.attributes.as_deref());
    attributes::package(device.unwrap_or_default(), of_key.unwrap_or_default(), key.key.as_ref())
}

impl Vessel for Skpc {
    fn format(&self) -> PackageFormat {
        PackageFormat::Skpc
    }

    fn supports(&self, _kind: ProtectionKind) -> bool {
        true
    }

    fn seal(
        &self,
        package: &KeyPackage,
        protection: &Protection,
        rng: &mut dyn Random,
    ) -> Result<Vec<u8>, VesselError> {
        let content = write(package)?;
        let key = rng.secret(32);
        let recipient = match protection {
            Protection::None => {
                let content = from_der(content.expose())?;
                return to_der(&ContentInfo { content_type: KEY_PACKAGE, content });
            }
            Protection::Password { password, iterations } if !self.authenticated => {
                let (algorithm, octets) = pbes2::encrypt_with_password(password, *iterations, &content, rng)?;
                return cms::encrypted_data(KEY_PACKAGE, algorithm, &octets);
            }
            Protection::Password { password, iterations } => cms::for_password(password, *iterations, &key, rng)?,
            Protection::Shared { name, key: kek } => cms::for_shared_key(name, kek, &key)?,
            Protection::Public { key: public, encryption } => cms::for_public_key(public, *encryption, &key, rng)?,
        };
        match self.authenticated {
            true => authenticated::seal(KEY_PACKAGE, &content, &key, &recipient, rng),
            false => cms::enveloped(KEY_PACKAGE, &content, &key, &recipient, rng),
        }
    }

    fn open(&self, octets: &[u8], unlock: Option<&Unlock>) -> Result<KeyPackage, VesselError> {
        let info: ContentInfo = from_der(octets)?;
        let content = match (info.content_type, unlock) {
            (KEY_PACKAGE, None) => Secret::new(to_der(&info.content)?),
            (AUTH_ENVELOPED_DATA, Some(unlock)) => return authenticated::open(&info, KEY_PACKAGE, unlock, read),
            _ if self.authenticated => return Err(VesselError::Protection),
            (cms::ENCRYPTED_DATA, Some(Unlock::Password(password))) => {
                cms::open_encrypted(&info, KEY_PACKAGE, password)?
            }
            (cms::ENCRYPTED_DATA, Some(Unlock::Key(key))) => cms::open_encrypted_with_key(&info, KEY_PACKAGE, key)?,
            (cms::ENVELOPED_DATA, Some(unlock)) => return cms::open_enveloped(&info, KEY_PACKAGE, unlock, read),
            (KEY_PACKAGE | cms::ENCRYPTED_DATA | cms::ENVELOPED_DATA | AUTH_ENVELOPED_DATA, _) => {
                return Err(VesselError::Protection);
            }
            _ => return Err(UNREADABLE),
        };
        // What was decrypted may be anything, as AES-CBC does not tell.
        read(&content).map_err(|why| if unlock.is_some() { VesselError::WrongKeyOrDamaged } else { why })
    }
}
