//! PKCS #5 XML: a password-protected key in XML.
//!
//! PKCS #5's XML schema describes parameters but no container. RFC 6063 names the format without specifying
//! it. Here it is an `xenc:EncryptedData` in UTF-8:
//! - its `EncryptionMethod` has the algorithm `…pkcs-5#pbes2` and one `pkcs5:PBES2-params`, with a `KeyDerivationFunc`
//!   (`…pkcs-5v2-0#pbkdf2` with `PBKDF2-params`) and an `EncryptionScheme` (AES-CBC by its XML Encryption URI);
//! - its plaintext is a PSKC container with the one key in the clear; the ciphertext starts with the IV;
//! - its `EncryptionProperties` hold one `pskc:ValueMAC`, an HMAC-SHA-256 over the ciphertext with a key that PBKDF2
//!   derives after the encryption key: 48 octets, 16 for AES-128 and 32 for the MAC.

use std::num::NonZeroU32;

use dskpp_crypto::{CbcKey, Hash, HmacKey, Pbkdf2Prf, Random, Secret, pbkdf2};
use pskc::xml::{Element, Reader, Writer, XmlLimits, ns};
use pskc::{DecryptionKey, KeyContainer, KeyPackage};

use super::{
    ITERATIONS, MAX_LEN, OpenedPackage, PackageCodec, PackageError, PackageProtection, ProtectionKind, secret_of,
};
use crate::algorithm::PackageFormat;

const PBES2: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5#pbes2";
const PBKDF2: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2";
const AES128_CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes128-cbc";
const HMAC_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
const KEY_LEN: usize = 16;
const DERIVED_LEN: usize = KEY_LEN + 32;
const WRONG: PackageError = PackageError::Unreadable("it is not PKCS #5 XML of this format");

/// PBES2 in XML; see the module for its form.
#[derive(Clone, Copy, Debug)]
pub struct Pkcs5Xml;

impl PackageCodec for Pkcs5Xml {
    fn format(&self) -> PackageFormat {
        PackageFormat::Pkcs5Xml
    }

    fn supports(&self, kind: ProtectionKind) -> bool {
        kind == ProtectionKind::Password
    }

    fn seal(
        &self,
        package: &KeyPackage,
        protection: &PackageProtection,
        rng: &mut dyn Random,
    ) -> Result<Vec<u8>, PackageError> {
        let PackageProtection::Password { password, iterations } = protection else {
            return Err(PackageError::Protection);
        };
        secret_of(package)?;
        let container = KeyContainer { key_packages: vec![package.clone()], ..KeyContainer::default() };
        let plaintext = Secret::new(container.to_xml());
        let salt = rng.bytes(16);
        let keys = DerivedKeys::derive(password, &salt, *iterations)?;
        let mut iv = [0; 16];
        rng.fill(&mut iv);
        let encrypted = keys.cbc.encrypt(&iv, plaintext.expose()).map_err(|_| PackageError::Unfit("it is too long"))?;
        let cipher = [&iv[..], &encrypted].concat();
        let mac = keys.mac.sign(&[&cipher]);
        Ok(write(&salt, *iterations, &cipher, mac.as_ref()))
    }

    fn open(&self, octets: &[u8], unlock: Option<&DecryptionKey>) -> Result<OpenedPackage, PackageError> {
        let Some(DecryptionKey::Password(password)) = unlock else { return Err(PackageError::Protection) };
        if octets.len() > MAX_LEN {
            return Err(PackageError::Unreadable("it is too long"));
        }
        let parts = EncryptedParts::read(octets)?;
        let keys = DerivedKeys::derive(password, &parts.salt, parts.iterations)?;
        if !keys.mac.verify(&[&parts.cipher], &parts.mac) {
            return Err(PackageError::WrongKeyOrDamaged);
        }
        let (iv, ciphertext) = parts.cipher.split_first_chunk().ok_or(WRONG)?;
        let plaintext = keys.cbc.decrypt(iv, ciphertext).map_err(|_| PackageError::WrongKeyOrDamaged)?;
        let container = KeyContainer::from_xml(plaintext.expose()).map_err(|_| WRONG)?;
        let [package] = &container.key_packages[..] else { return Err(WRONG) };
        secret_of(package).map_err(|_| WRONG)?;
        Ok(OpenedPackage { package: package.clone(), iterations: Some(parts.iterations) })
    }
}

struct DerivedKeys {
    cbc: CbcKey,
    mac: HmacKey,
}

impl DerivedKeys {
    fn derive(password: &Secret, salt: &[u8], iterations: NonZeroU32) -> Result<Self, PackageError> {
        let derived = pbkdf2(Pbkdf2Prf::HmacSha256, password.expose(), salt, iterations, DERIVED_LEN);
        let (key, mac) = derived.split_at(KEY_LEN).ok_or(WRONG)?;
        Ok(DerivedKeys {
            cbc: CbcKey::new(key.expose()).map_err(|_| WRONG)?,
            mac: HmacKey::new(Hash::Sha256, mac.expose()),
        })
    }
}

fn write(salt: &[u8], iterations: NonZeroU32, cipher: &[u8], mac: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    let w = &mut writer;
    w.declaration().start("xenc:EncryptedData");
    for (prefix, name) in [("xmlns:xenc", ns::XENC), ("xmlns:pkcs5", ns::PKCS5), ("xmlns:pskc", ns::PSKC)] {
        w.attr(prefix, name);
    }
    w.start("xenc:EncryptionMethod").attr("Algorithm", PBES2).start("pkcs5:PBES2-params");
    w.start("KeyDerivationFunc").attr("Algorithm", PBKDF2).start("pkcs5:PBKDF2-params");
    w.start("Salt").start("Specified").base64(salt).end().end();
    w.element("IterationCount", &iterations.to_string()).element("KeyLength", &DERIVED_LEN.to_string());
    w.start("PRF").attr("Algorithm", HMAC_SHA256).end();
    w.end().end();
    w.start("EncryptionScheme").attr("Algorithm", AES128_CBC).end();
    w.end().end();
    w.start("xenc:CipherData").start("xenc:CipherValue").base64(cipher).end().end();
    w.start("xenc:EncryptionProperties").start("xenc:EncryptionProperty");
    w.start("pskc:ValueMAC").base64(mac).end();
    writer.finish()
}

struct EncryptedParts {
    salt: Vec<u8>,
    iterations: NonZeroU32,
    cipher: Vec<u8>,
    mac: Vec<u8>,
}

/// A reader that descends a fixed path.
struct Walk<'a>(Reader<&'a [u8]>);

impl Walk<'_> {
    /// Opens the next child, which must be `local` in `ns`.
    fn down(&mut self, ns: &str, local: &str) -> Result<Element, PackageError> {
        let child = self.0.next().map_err(|_| WRONG)?;
        child.filter(|child| child.is(ns, local)).ok_or(WRONG)
    }

    fn down_to(&mut self, ns: &str, local: &str, algorithm: &str) -> Result<(), PackageError> {
        let child = self.down(ns, local)?;
        if child.attr("Algorithm") == Some(algorithm) { Ok(()) } else { Err(WRONG) }
    }

    fn up(&mut self) -> Result<(), PackageError> {
        self.0.end().map_err(|_| WRONG)
    }

    fn base64(&mut self) -> Result<Vec<u8>, PackageError> {
        self.0.base64().map_err(|_| WRONG)
    }

    fn number(&mut self, local: &str) -> Result<u32, PackageError> {
        self.down("", local)?;
        let text = self.0.text().map_err(|_| WRONG)?;
        text.trim().parse().map_err(|_| WRONG)
    }
}

impl EncryptedParts {
    fn read(octets: &[u8]) -> Result<Self, PackageError> {
        let mut w = Walk(Reader::from_slice(octets, XmlLimits::FILE).map_err(|_| WRONG)?);
        let root = w.0.root().map_err(|_| WRONG)?;
        if !root.is(ns::XENC, "EncryptedData") {
            return Err(WRONG);
        }
        w.down_to(ns::XENC, "EncryptionMethod", PBES2)?;
        w.down(ns::PKCS5, "PBES2-params")?;
        w.down_to("", "KeyDerivationFunc", PBKDF2)?;
        w.down(ns::PKCS5, "PBKDF2-params")?;
        w.down("", "Salt")?;
        w.down("", "Specified")?;
        let salt = w.base64()?;
        w.up()?;
        let iterations = w.number("IterationCount")?;
        let key_len = w.number("KeyLength")?;
        w.down_to("", "PRF", HMAC_SHA256)?;
        (0..3).try_for_each(|_| w.up())?; // PRF, PBKDF2-params, KeyDerivationFunc
        w.down_to("", "EncryptionScheme", AES128_CBC)?;
        (0..3).try_for_each(|_| w.up())?; // EncryptionScheme, PBES2-params, EncryptionMethod
        w.down(ns::XENC, "CipherData")?;
        w.down(ns::XENC, "CipherValue")?;
        let cipher = w.base64()?;
        w.up()?;
        w.down(ns::XENC, "EncryptionProperties")?;
        w.down(ns::XENC, "EncryptionProperty")?;
        w.down(ns::PSKC, "ValueMAC")?;
        let mac = w.base64()?;
        (0..3).try_for_each(|_| w.up())?; // EncryptionProperty, EncryptionProperties, EncryptedData
        w.0.finish().map_err(|_| WRONG)?;
        let iterations = NonZeroU32::new(iterations).filter(|count| ITERATIONS.contains(&count.get())).ok_or(WRONG)?;
        match key_len as usize == DERIVED_LEN && salt.len() <= 1024 {
            true => Ok(EncryptedParts { salt, iterations, cipher, mac }),
            false => Err(WRONG),
        }
    }
}
