//! The outer structure of PKCS #12 (RFC 7292 §§4, 5): the MAC, and password-encrypted contents.

use std::num::NonZeroU32;

use der::Sequence;
use der::asn1::{Any, OctetString};
use dskpp_crypto::{
    Hash, HmacKey, Random, Secret, des3_cbc_decrypt, des3_cbc_encrypt, pkcs12_des3_key, pkcs12_mac_key,
};

use super::asn1::{Algorithm, ContentInfo, Oid, UNREADABLE, algorithm, from_der, to_der};
use super::reading::ReadRules;
use super::{PackageError, cms, pbes2};

pub(super) const DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.1");
const PBMAC1: Oid = Oid::new_unwrap("1.2.840.113549.1.5.14");
const HMAC_SHA256: Oid = Oid::new_unwrap("1.2.840.113549.2.9");
/// pbeWithSHAAnd3-KeyTripleDES-CBC
const DES3: Oid = Oid::new_unwrap("1.2.840.113549.1.12.1.3");
/// RC4 with 128 and 40 bits, and PBES1 (RFC 8018 appendix A.3).
const RC4: [Oid; 2] = [Oid::new_unwrap("1.2.840.113549.1.12.1.1"), Oid::new_unwrap("1.2.840.113549.1.12.1.2")];
const TWO_KEY_DES3: Oid = Oid::new_unwrap("1.2.840.113549.1.12.1.4");
const PBES1: Oid = Oid::new_unwrap("1.2.840.113549.1.5");
/// pbeWithSHAAnd128BitRC2-CBC and pbeWithSHAAnd40BitRC2-CBC: only for certificates in old files.
const RC2: [Oid; 2] = [Oid::new_unwrap("1.2.840.113549.1.12.1.5"), Oid::new_unwrap("1.2.840.113549.1.12.1.6")];
const HASHES: [(Oid, Hash); 5] = [
    (Oid::new_unwrap("1.3.14.3.2.26"), Hash::Sha1),
    (Oid::new_unwrap("2.16.840.1.101.3.4.2.4"), Hash::Sha224),
    (Oid::new_unwrap("2.16.840.1.101.3.4.2.1"), Hash::Sha256),
    (Oid::new_unwrap("2.16.840.1.101.3.4.2.2"), Hash::Sha384),
    (Oid::new_unwrap("2.16.840.1.101.3.4.2.3"), Hash::Sha512),
];
const MAC_KEY_LEN: usize = 32;
const SALT_LEN: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct Pfx {
    version: u8,
    safe: ContentInfo,
    #[asn1(optional = "true")]
    mac: Option<MacData>,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct MacData {
    mac: DigestInfo,
    /// Unused with PBMAC1, which has its own salt and count.
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

/// `pkcs-12PbeParams`
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct PbeParams {
    salt: OctetString,
    iterations: u32,
}

/// Password-based encryption and MAC.
pub(super) struct Sealing<'a> {
    password: &'a Secret,
    iterations: NonZeroU32,
    /// PBKDF2 and its PBES2 key; `None` for Triple-DES and SHA-1, for old readers.
    derived: Option<(Algorithm, Secret)>,
}

impl<'a> Sealing<'a> {
    /// Derives the key of all contents, unless for `old` readers.
    pub(super) fn new(
        password: &'a Secret,
        iterations: NonZeroU32,
        old: bool,
        rng: &mut dyn Random,
    ) -> Result<Self, PackageError> {
        let derived = (!old).then(|| pbes2::derive_new(password, iterations, rng)).transpose()?;
        Ok(Self { password, iterations, derived })
    }

    /// The encrypted content, and its algorithm.
    pub(super) fn encrypt(&self, content: &Secret, rng: &mut dyn Random) -> Result<(Algorithm, Vec<u8>), PackageError> {
        if let Some((kdf, key)) = &self.derived {
            return pbes2::encrypt_derived(kdf.clone(), key, content, rng);
        }
        // A new salt for each content, since the initialization vector is derived from it too.
        let salt = rng.bytes(SALT_LEN);
        let (key, iv) = pkcs12_des3_key(self.password.expose(), &salt, self.iterations).map_err(|_| NOT_TEXT)?;
        let octets = des3_cbc_encrypt(key.expose(), &iv, content.expose()).map_err(|_| NOT_TEXT)?;
        let params = PbeParams { salt: pbes2::octet_string(&salt)?, iterations: self.iterations.get() };
        Ok((algorithm(DES3, Some(&params))?, octets))
    }

    /// A PFX of `bags`, the DER of SafeContents.
    pub(super) fn seal(&self, bags: &Secret, rng: &mut dyn Random) -> Result<Vec<u8>, PackageError> {
        let (scheme, octets) = self.encrypt(bags, rng)?;
        let encrypted: ContentInfo = from_der(&cms::encrypted_data(DATA, scheme, &octets)?)?;
        let safe = to_der(&vec![encrypted])?;
        let mac = self.mac(&safe, rng)?;
        let safe: ContentInfo = from_der(&ContentInfo::write(DATA, &pbes2::octet_string(&safe)?)?)?;
        to_der(&Pfx { version: 3, safe, mac: Some(mac) })
    }

    fn mac(&self, content: &[u8], rng: &mut dyn Random) -> Result<MacData, PackageError> {
        let (oid, hash) = if self.derived.is_some() { HASHES[2] } else { HASHES[0] };
        let salt = rng.bytes(SALT_LEN);
        let key = pkcs12_mac_key(hash, self.password.expose(), &salt, self.iterations).map_err(|_| NOT_TEXT)?;
        let digest = HmacKey::new(hash, key.expose()).sign(&[content]);
        let algorithm = algorithm(oid, Some(&Any::null()))?;
        let mac = DigestInfo { algorithm, digest: pbes2::octet_string(digest.as_ref())? };
        Ok(MacData { mac, salt: pbes2::octet_string(&salt)?, iterations: self.iterations.get() })
    }
}

const NOT_TEXT: PackageError = PackageError::Unfit("the password of PKCS #12 is UTF-8");

/// The MACed parts with bags, each the DER of SafeContents; `None` for one that old programs encrypt
/// with RC2.
pub(super) fn open(der: &Secret, password: &Secret, reading: &ReadRules) -> Result<Vec<Option<Secret>>, PackageError> {
    let pfx: Pfx = from_der(der.expose())?;
    if pfx.version != 3 || pfx.safe.content_type != DATA {
        return Err(PackageError::Unreadable("it is not a password-protected PKCS #12 file"));
    }
    let safe: OctetString = pfx.safe.content.decode_as().map_err(|_| UNREADABLE)?;
    match &pfx.mac {
        Some(mac) => verify(mac, password, safe.as_bytes(), reading)?,
        None if reading.takes_no_mac => reading.has_no_mac.set(true),
        None => return Err(PackageError::NoMac),
    }
    let safes: Vec<ContentInfo> = from_der(reading.der(safe.as_bytes())?.expose())?;
    let part = |safe: &ContentInfo| match safe.content_type {
        DATA => {
            let bags: OctetString = safe.content.decode_as().map_err(|_| UNREADABLE)?;
            reading.der(bags.as_bytes()).map(Some)
        }
        cms::ENCRYPTED_DATA => {
            let (algorithm, content) = cms::encrypted_content(safe, DATA, reading)?;
            if RC2.contains(&algorithm.oid) {
                return Ok(None);
            }
            let bags = decrypt(&algorithm, password, content.as_bytes(), reading)?;
            reading.der(bags.expose()).map(Some)
        }
        _ => Err(PackageError::Unreadable("a part of it is not encrypted with a password")),
    };
    safes.iter().map(part).collect()
}

/// Reverses [`Sealing::encrypt`].
pub(super) fn decrypt(
    algorithm: &Algorithm,
    password: &Secret,
    octets: &[u8],
    reading: &ReadRules,
) -> Result<Secret, PackageError> {
    if algorithm.oid != DES3 || !reading.is_of_file() {
        return match old_cipher(algorithm.oid) {
            Some(cipher) => Err(PackageError::Cipher(cipher)),
            None => pbes2::decrypt_with_password(algorithm, password, octets, reading),
        };
    }
    let params: PbeParams = pbes2::decode(algorithm, UNREADABLE)?;
    let salt = pbes2::salt_of(&params.salt)?;
    let wrong = |_| PackageError::WrongKeyOrDamaged;
    let both = reading.derived(to_der(algorithm)?, params.iterations, |iterations| {
        let (key, iv) = pkcs12_des3_key(password.expose(), salt, iterations).map_err(wrong)?;
        Ok(Secret::new([key.expose(), &iv].concat()))
    })?;
    let (key, iv) = both.expose().split_last_chunk().ok_or(UNREADABLE)?;
    des3_cbc_decrypt(key, iv, octets).map_err(wrong)
}

/// The name of a known but unsupported cipher.
fn old_cipher(oid: Oid) -> Option<&'static str> {
    // Arcs of PKCS #5 up to 11 are version 1.5; later ones are version 2.
    let is_pbes1 = oid.parent() == Some(PBES1) && oid.arcs().last().is_some_and(|arc| arc <= 11);
    match oid {
        oid if RC2.contains(&oid) => Some("RC2"),
        oid if RC4.contains(&oid) => Some("RC4"),
        TWO_KEY_DES3 => Some("two-key Triple-DES"),
        _ if is_pbes1 => Some("DES or RC2 (PBES1)"),
        _ => None,
    }
}

fn verify(data: &MacData, password: &Secret, content: &[u8], reading: &ReadRules) -> Result<(), PackageError> {
    const WRONG: PackageError = PackageError::WrongKeyOrDamaged;
    let info = &data.mac;
    let known =
        |(oid, hash): &&(Oid, Hash)| *oid == info.algorithm.oid && (*hash == Hash::Sha256 || reading.is_of_file());
    let (hash, key) = match HASHES.iter().find(known) {
        Some((_, hash)) => {
            let salt = pbes2::salt_of(&data.salt)?;
            let key = reading.derived(to_der(data)?, data.iterations, |iterations| {
                pkcs12_mac_key(*hash, password.expose(), salt, iterations).map_err(|_| WRONG)
            })?;
            (*hash, key)
        }
        None => (Hash::Sha256, key_of_pbmac1(info, password, reading)?),
    };
    match HmacKey::new(hash, key.expose()).verify(&[content], info.digest.as_bytes()) {
        true => Ok(()),
        false => Err(WRONG),
    }
}

fn key_of_pbmac1(info: &DigestInfo, password: &Secret, reading: &ReadRules) -> Result<Secret, PackageError> {
    const OTHER: PackageError = PackageError::Unreadable("its MAC is not HMAC with SHA-1 or SHA-2 under a password");
    if info.algorithm.oid != PBMAC1 {
        return Err(OTHER);
    }
    let params: Pbmac1Params = pbes2::decode(&info.algorithm, OTHER)?;
    if params.mac.oid != HMAC_SHA256 {
        return Err(OTHER);
    }
    pbes2::derive(&params.kdf, password, MAC_KEY_LEN, reading)
}

#[cfg(test)]
mod tests {
    use dskpp_crypto::SeededRandom;

    use super::*;

    /// An attacker guesses passwords against the cheaper of the two.
    #[test]
    fn p15_the_lower_iteration_count_of_encryption_and_mac_is_reported() {
        let (password, rng) = (Secret::from_slice(b"password"), &mut SeededRandom::new(b"pfx"));
        let count = |count: u32| NonZeroU32::new(count).expect("not 0");
        for (encryption, mac, fewest) in [(1_000, 5_000, 1_000), (5_000, 1_000, 1_000), (5_000, 5_000, 5_000)] {
            let derived = pbes2::derive_new(&password, count(encryption), rng).unwrap();
            let sealing = Sealing { password: &password, iterations: count(mac), derived: Some(derived) };
            let pfx = Secret::new(sealing.seal(&Secret::from_slice(b"bags"), rng).unwrap());
            let reading = ReadRules::of_package();
            assert!(open(&pfx, &password, &reading).is_ok());
            assert_eq!(reading.fewest(), Some(count(fewest)), "{encryption}, {mac}");
        }
    }

    #[test]
    fn rfc7292_a_file_without_a_mac_is_read_only_if_allowed() {
        let (password, rng) = (Secret::from_slice(b"password"), &mut SeededRandom::new(b"pfx"));
        let sealing = Sealing::new(&password, NonZeroU32::MIN.saturating_add(1999), false, rng).unwrap();
        let whole = sealing.seal(&Secret::from_slice(&[0x30, 0]), rng).unwrap();
        let pfx: Pfx = from_der(&whole).unwrap();
        let bare = Secret::new(to_der(&Pfx { mac: None, ..pfx }).unwrap());
        for reading in [ReadRules::of_package(), ReadRules::of_file()] {
            assert!(matches!(open(&bare, &password, &reading), Err(PackageError::NoMac)));
        }
        let reading = ReadRules::of_file().without_mac();
        assert!(open(&bare, &password, &reading).is_ok() && reading.has_no_mac.get());
        let reading = ReadRules::of_file().without_mac();
        assert!(open(&Secret::new(whole), &password, &reading).is_ok() && !reading.has_no_mac.get());
    }

    /// Output of `openssl pkcs8 -topk8 -v2 des3`, 1000 rounds of HMAC-SHA-256.
    #[test]
    fn rfc8018_b_2_2_pbes2_with_triple_des_is_read_in_files_only() {
        let encrypted = b"30818a304e06092a864886f70d01050d3041302906092a864886f70d01050c301c0408d829fd2ea7061f6c020203e8300c06082a86\
                          4886f70d02090500301406082a864886f70d0307040878ef1b533f69e8c60438eb48f4eff4fb58a63bede311a27268ee40f2f9fc\
                          c353d4004b7fc5065b553e63db40dfec4e7907daea4203d59f053496abadd0d77543626c";
        let key = b"302e020100300506032b65700422042007fd43335a4c502f577aac93301b25cc8d1562763c5daa5023d4097d401b466d";
        let octets = |text: &[u8]| data_encoding::HEXLOWER.decode(text).unwrap();
        let info: DigestInfo = from_der(&octets(encrypted)).unwrap(); // the same structure
        let open = |password: &[u8], reading: &ReadRules| {
            decrypt(&info.algorithm, &Secret::from_slice(password), info.digest.as_bytes(), reading)
        };
        assert_eq!(open(b"password", &ReadRules::of_file()).unwrap().expose(), octets(key));
        assert!(open(b"passwort", &ReadRules::of_file()).map_or(true, |other| other.expose() != octets(key)));
        assert!(matches!(open(b"password", &ReadRules::of_package()), Err(PackageError::Unreadable(_))));
    }

    #[test]
    fn legacy_ciphers_are_named() {
        for (oid, name) in [
            ("1.2.840.113549.1.12.1.1", "RC4"),
            ("1.2.840.113549.1.12.1.2", "RC4"),
            ("1.2.840.113549.1.12.1.4", "two-key Triple-DES"),
            ("1.2.840.113549.1.12.1.5", "RC2"),
            ("1.2.840.113549.1.12.1.6", "RC2"),
            ("1.2.840.113549.1.5.3", "DES or RC2 (PBES1)"),
            ("1.2.840.113549.1.5.11", "DES or RC2 (PBES1)"),
        ] {
            let params = PbeParams { salt: OctetString::new(&[1; 8][..]).unwrap(), iterations: 2000 };
            let algorithm = algorithm(Oid::new_unwrap(oid), Some(&params)).unwrap();
            let opened = decrypt(&algorithm, &Secret::from_slice(b"password"), &[0; 16], &ReadRules::of_file());
            assert_eq!(opened, Err(PackageError::Cipher(name)), "{oid}");
        }
    }
}
