//! PKCS #12 (RFC 7292) with one key, as DSKPP uses it.

use dskpp_crypto::{Random, Secret};
use pskc::{DecryptionKey, KeyPackage};

use super::asn1::{UNREADABLE, from_der, to_der};
use super::bags::{self, SECRET_BAG, SafeBag, SecretBag};
use super::pfx::{self, Sealing};
use super::reading::ReadRules;
use super::{OpenedPackage, PackageCodec, PackageError, PackageProtection, ProtectionKind, skpc};
use crate::algorithm::PackageFormat;

/// A password-protected PFX: one secret bag whose value is the `SymmetricKeyPackage` of RFC 6031 (its type is
/// id-ct-KP-sKeyPackage), encrypted with PBES2, and the MAC of RFC 7292 with HMAC-SHA-256, which every
/// program supports. PBMAC1 (RFC 9579) is read too; a file without a MAC is refused. The password is UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct Pkcs12;

impl PackageCodec for Pkcs12 {
    fn format(&self) -> PackageFormat {
        PackageFormat::Pkcs12
    }

    /// Only a password: no program reads PKCS #12's privacy mode for public keys.
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
        let bags = Secret::new(to_der(&vec![bags::of_package(package)?])?);
        Sealing::new(password, *iterations, false, rng)?.seal(&bags, rng)
    }

    fn open(&self, octets: &[u8], unlock: Option<&DecryptionKey>) -> Result<OpenedPackage, PackageError> {
        let Some(DecryptionKey::Password(password)) = unlock else { return Err(PackageError::Protection) };
        let reading = ReadRules::of_package();
        let parts = pfx::open(&reading.der(octets)?, password, &reading)?;
        let [Some(bags)] = &parts[..] else { return Err(UNREADABLE) };
        let bags: Vec<SafeBag> = from_der(bags.expose())?;
        let [bag] = &bags[..] else { return Err(PackageError::Unreadable("it does not hold exactly one key")) };
        let secret: SecretBag = from_der(&to_der(&bag.value)?)?;
        if bag.kind != SECRET_BAG || secret.kind != skpc::KEY_PACKAGE {
            return Err(UNREADABLE);
        }
        let package = skpc::read(&Secret::new(to_der(&secret.value)?))?;
        Ok(OpenedPackage { package, iterations: reading.fewest() })
    }
}
