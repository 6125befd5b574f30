//! PKCS #12 (RFC 7292): the key in a secret bag.

use std::num::NonZeroU32;

use der::Sequence;
use der::asn1::{Any, BmpString, OctetString, SetOfVec};
use dskpp_crypto::{Hash, HmacKey, Pbkdf2Prf, Random, Secret, pbkdf2, pkcs12_mac_key};
use pskc::{KeyPackage, Unlock};

use super::asn1::{Algorithm, Attribute, ContentInfo, Oid, UNREADABLE, UNWRITABLE, algorithm, from_der, to_der};
use super::{ITERATIONS, Protection, ProtectionKind, Vessel, VesselError, cms, pbes2, skpc};
use crate::algorithm::PackageFormat;

const DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.1");
const SECRET_BAG: Oid = Oid::new_unwrap("1.2.840.113549.1.12.10.1.5");
const FRIENDLY_NAME: Oid = Oid::new_unwrap("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: Oid = Oid::new_unwrap("1.2.840.113549.1.9.21");
const PBMAC1: Oid = Oid::new_unwrap("1.2.840.113549.1.5.14");
const PBKDF2: Oid = Oid::new_unwrap("1.2.840.113549.1.5.12");
const HMAC_SHA256: Oid = Oid::new_unwrap("1.2.840.113549.2.9");
const SHA256: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.2.1");
const MAC_KEY_LEN: usize = 32;

/// A PFX under a password: one secret bag whose value is the `SymmetricKeyPackage` of RFC 6031 (its type is
/// id-ct-KP-sKeyPackage), encrypted with PBES2, and over all the MAC of RFC 7292 with HMAC-SHA-256, which every
/// program reads. PBMAC1 (RFC 9579) is read too; a file without a MAC is refused. The password is UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct Pkcs12;

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct Pfx {
    version: u8,
    safe: ContentInfo,
    mac: MacData,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct MacData {
    mac: DigestInfo,
    /// Not used with PBMAC1, which has its own; nor is the count behind it.
    salt: OctetString,
    #[asn1(default = "one")]
    iterations: u32,
}

fn one() -> u32 {
    1
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct DigestInfo {
    algorithm: Algorithm,
    digest: OctetString,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct Pbmac1Params {
    kdf: Algorithm,
    mac: Algorithm,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct Pbkdf2Params {
    salt: OctetString,
    iterations: u32,
    key_len: u32,
    prf: Algorithm,
}

#[derive(Sequence)] // no Debug: it holds the key
struct SafeBag {
    kind: Oid,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: SecretBag,
    #[asn1(optional = "true")]
    attributes: Option<SetOfVec<Attribute>>,
}

#[derive(Sequence)]
struct SecretBag {
    kind: Oid,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: Any,
}

impl Vessel for Pkcs12 {
    fn format(&self) -> PackageFormat {
        PackageFormat::Pkcs12
    }

    /// A password only: PKCS #12 has a privacy mode for public keys too, which nobody reads.
    fn supports(&self, kind: ProtectionKind) -> bool {
        kind == ProtectionKind::Password
    }

    fn seal(
        &self,
        package: &KeyPackage,
        protection: &Protection,
        rng: &mut dyn Random,
    ) -> Result<Vec<u8>, VesselError> {
        let Protection::Password { password, iterations } = protection else { return Err(VesselError::Protection) };
        let value = SecretBag { kind: skpc::KEY_PACKAGE, value: from_der(skpc::write(package)?.expose())? };
        let name = package.key.as_ref().map(|key| key.friendly_name.as_ref().unwrap_or(&key.id));
        let mut attributes = SetOfVec::new();
        if let Some(name) = name.and_then(|name| BmpString::from_utf8(name).ok()) {
            attributes.insert(Attribute::new(FRIENDLY_NAME, &name)?).map_err(|_| UNWRITABLE)?;
        }
        if let Some(key) = &package.key {
            let id = pbes2::octet_string(key.id.as_bytes())?;
            attributes.insert(Attribute::new(LOCAL_KEY_ID, &id)?).map_err(|_| UNWRITABLE)?;
        }
        let bag = SafeBag { kind: SECRET_BAG, value, attributes: Some(attributes).filter(|set| !set.is_empty()) };
        let bags = Secret::new(to_der(&vec![bag])?);
        let (scheme, octets) = pbes2::encrypt_with_password(password, *iterations, &bags, rng)?;
        let encrypted: ContentInfo = from_der(&cms::encrypted_data(DATA, scheme, &octets)?)?;
        let safe = to_der(&vec![encrypted])?;
        let mac = mac(password, *iterations, &safe, rng)?;
        let safe: ContentInfo = from_der(&ContentInfo::write(DATA, &pbes2::octet_string(&safe)?)?)?;
        to_der(&Pfx { version: 3, safe, mac })
    }

    fn open(&self, octets: &[u8], unlock: Option<&Unlock>) -> Result<KeyPackage, VesselError> {
        let Some(Unlock::Password(password)) = unlock else { return Err(VesselError::Protection) };
        let pfx: Pfx = from_der(octets)?;
        if pfx.version != 3 || pfx.safe.content_type != DATA {
            return Err(UNREADABLE);
        }
        let safe: OctetString = pfx.safe.content.decode_as().map_err(|_| UNREADABLE)?;
        verify(&pfx.mac, password, safe.as_bytes())?;
        let safes: Vec<ContentInfo> = from_der(safe.as_bytes())?;
        let [safe] = &safes[..] else { return Err(UNREADABLE) };
        if safe.content_type != cms::ENCRYPTED_DATA {
            return Err(UNREADABLE);
        }
        let bags = cms::open_encrypted(safe, DATA, password)?;
        let bags: Vec<SafeBag> = from_der(bags.expose())?;
        let [bag] = &bags[..] else { return Err(VesselError::Unreadable("it does not hold exactly one key")) };
        if bag.kind != SECRET_BAG || bag.value.kind != skpc::KEY_PACKAGE {
            return Err(UNREADABLE);
        }
        skpc::read(&Secret::new(to_der(&bag.value.value)?))
    }
}

fn mac(
    password: &Secret,
    iterations: NonZeroU32,
    content: &[u8],
    rng: &mut dyn Random,
) -> Result<MacData, VesselError> {
    const NOT_TEXT: VesselError = VesselError::Unfit("the password of PKCS #12 is UTF-8");
    let salt = rng.bytes(16);
    let key = pkcs12_mac_key(Hash::Sha256, password.expose(), &salt, iterations).map_err(|_| NOT_TEXT)?;
    let digest = HmacKey::new(Hash::Sha256, key.expose()).sign(&[content]);
    let algorithm = algorithm(SHA256, Some(&Any::null()))?;
    let mac = DigestInfo { algorithm, digest: pbes2::octet_string(digest.as_ref())? };
    Ok(MacData { mac, salt: pbes2::octet_string(&salt)?, iterations: iterations.get() })
}

fn verify(data: &MacData, password: &Secret, content: &[u8]) -> Result<(), VesselError> {
    const WRONG: VesselError = VesselError::WrongKeyOrDamaged;
    let info = &data.mac;
    let key = match info.algorithm.oid {
        SHA256 => {
            let iterations = NonZeroU32::new(data.iterations).filter(|count| ITERATIONS.contains(&count.get()));
            let iterations = iterations.filter(|_| data.salt.as_bytes().len() <= 1024);
            let iterations =
                iterations.ok_or(VesselError::Unreadable("its MAC asks for too little or too much work"))?;
            pkcs12_mac_key(Hash::Sha256, password.expose(), data.salt.as_bytes(), iterations).map_err(|_| WRONG)?
        }
        _ => key_of_pbmac1(info, password)?,
    };
    match HmacKey::new(Hash::Sha256, key.expose()).verify(&[content], info.digest.as_bytes()) {
        true => Ok(()),
        false => Err(WRONG),
    }
}

fn key_of_pbmac1(info: &DigestInfo, password: &Secret) -> Result<Secret, VesselError> {
    const OTHER: VesselError = VesselError::Unreadable("its MAC is not one with HMAC-SHA-256");
    let decode = |algorithm: &Algorithm| to_der(algorithm.parameters.as_ref().ok_or(OTHER)?);
    if info.algorithm.oid != PBMAC1 {
        return Err(OTHER);
    }
    let params: Pbmac1Params = from_der(&decode(&info.algorithm)?)?;
    if params.kdf.oid != PBKDF2 || params.mac.oid != HMAC_SHA256 {
        return Err(OTHER);
    }
    let kdf: Pbkdf2Params = from_der(&decode(&params.kdf)?)?;
    let iterations = NonZeroU32::new(kdf.iterations).filter(|count| ITERATIONS.contains(&count.get()));
    let fits = kdf.prf.oid == HMAC_SHA256 && kdf.key_len as usize == MAC_KEY_LEN && kdf.salt.as_bytes().len() <= 1024;
    let iterations = iterations.filter(|_| fits).ok_or(OTHER)?;
    Ok(pbkdf2(Pbkdf2Prf::HmacSha256, password.expose(), kdf.salt.as_bytes(), iterations, MAC_KEY_LEN))
}
