//! Encryption of values.

use std::num::NonZeroU32;

use dskpp_crypto::{
    CbcKey, Hash, HmacKey, Pbkdf2Prf, Random, RsaEncryption, RsaPublicKey, Secret, aes_wrap, aes_wrap_pad,
};

use super::algorithm::{ValueAlgorithm, mac_uri};
use super::{DerivedKey, ProtectionError};
use crate::{EncryptedData, EncryptedValue, KeyData, KeyInfo, MacMethod, Value};

/// The strength of password protection: the cost of each guess, and the cipher of the derived key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasswordStrength {
    /// Rounds of PBKDF2.
    pub iterations: NonZeroU32,
    /// The pseudorandom function of PBKDF2.
    pub prf: Pbkdf2Prf,
    /// The cipher of the values: AES-CBC or a key wrap.
    pub algorithm: ValueAlgorithm,
    /// The hash of the MAC over each value, if the algorithm needs one.
    pub mac: Hash,
}

impl PasswordStrength {
    /// For files that attackers may try to decrypt for years: 600,000 rounds of HMAC-SHA-256, AES-256-CBC, HMAC-SHA-256.
    pub const TODAY: Self = Self {
        iterations: NonZeroU32::new(600_000).expect("not 0"),
        prf: Pbkdf2Prf::HmacSha256,
        algorithm: ValueAlgorithm::AesCbc(32),
        mac: Hash::Sha256,
    };
    /// For readers that support only the defaults of PKCS #5 and figure 7 of RFC 6030: 100,000 rounds of HMAC-SHA-1,
    /// AES-128-CBC, HMAC-SHA-1.
    pub const OLD: Self = Self {
        iterations: NonZeroU32::new(DerivedKey::FEW_ITERATIONS).expect("not 0"),
        prf: Pbkdf2Prf::HmacSha1,
        algorithm: ValueAlgorithm::AesCbc(16),
        mac: Hash::Sha1,
    };
}

/// Encrypts the secrets of a container (RFC 6030 §6). Only safe combinations can be created: CBC always
/// has a MAC, with a separate random key that is encrypted in the file.
#[derive(Debug)]
pub struct Protector {
    key: ProtectingKey,
    algorithm: ValueAlgorithm,
    encryption_key: KeyInfo,
    mac: Option<(HmacKey, MacMethod)>,
}

#[derive(Debug)]
enum ProtectingKey {
    Cbc(Box<CbcKey>),
    Symmetric(Secret),
    Public(RsaPublicKey),
}

impl Protector {
    /// The length of a salt in octets.
    const SALT_LEN: usize = 16;

    /// AES-CBC with a key of 16, 24 or 32 octets, whose name the receiver knows (§6.1), and HMAC with `mac`.
    ///
    /// # Errors
    /// [`ProtectionError::KeyLength`]
    pub fn aes_cbc(key: Secret, key_name: &str, mac: Hash, rng: &mut dyn Random) -> Result<Self, ProtectionError> {
        let algorithm = ValueAlgorithm::AesCbc(key.len());
        Self::symmetric(key, algorithm, KeyInfo::from_key_name(key_name), Some(mac), rng)
    }

    /// AES key wrap with a key of 16, 24 or 32 octets, whose name the receiver knows: RFC 3394, or RFC 5649 for secrets
    /// that are not 16, 24, … octets long and, under its own name, if `padded`.
    ///
    /// # Errors
    /// [`ProtectionError::KeyLength`]
    pub fn aes_key_wrap(key: Secret, key_name: &str, padded: bool) -> Result<Self, ProtectionError> {
        let algorithm = if padded { ValueAlgorithm::AesWrapPad(key.len()) } else { ValueAlgorithm::AesWrap(key.len()) };
        let rng = &mut dskpp_crypto::SeededRandom::new(b"not used: a key wrap draws nothing");
        Self::symmetric(key, algorithm, KeyInfo::from_key_name(key_name), None, rng)
    }

    /// A password-derived key (§6.2), optionally with a `name`. Blocks for the duration of PBKDF2.
    ///
    /// # Errors
    /// [`ProtectionError::Algorithm`] for a read-only algorithm.
    pub fn passphrase(
        password: &Secret,
        name: Option<&str>,
        strength: PasswordStrength,
        rng: &mut dyn Random,
    ) -> Result<Self, ProtectionError> {
        use ValueAlgorithm::*;
        let PasswordStrength { iterations, prf, algorithm, mac } = strength;
        let (AesCbc(len) | AesWrap(len) | AesWrapPad(len)) = algorithm else {
            return Err(ProtectionError::Algorithm(format!("{algorithm:?}")));
        };
        let salt = rng.bytes(Self::SALT_LEN);
        let derived = DerivedKey { salt, iterations, key_len: Some(len), prf, name: name.map(str::to_owned) };
        let key = derived.derive(password, len);
        let mac = algorithm.needs_mac().then_some(mac);
        Self::symmetric(key, algorithm, derived.to_key_info(), mac, rng)
    }

    /// RSA for the owner of the certificate or key value in `key` (§6.3). With `mac`, values also have a MAC:
    /// neither encoding needs one for safe decryption, but RSA v1.5 does not authenticate a value.
    ///
    /// # Errors
    /// [`ProtectionError::Unfit`] if `key` holds no RSA key of 2048 to 4096 bits.
    pub fn rsa(
        key: KeyInfo,
        encryption: RsaEncryption,
        mac: Option<Hash>,
        rng: &mut dyn Random,
    ) -> Result<Self, ProtectionError> {
        const UNFIT: ProtectionError = ProtectionError::Unfit("the receiver's certificate has no usable RSA key");
        let public = match (&key.rsa_key_value, key.x509_certificates.first()) {
            (Some(rsa), _) => RsaPublicKey::from_components(&rsa.modulus, &rsa.exponent),
            (None, Some(certificate)) => RsaPublicKey::from_certificate_der(certificate),
            (None, None) => return Err(UNFIT),
        };
        Self::rsa_named(public.map_err(|_| UNFIT)?, key, encryption, mac, rng)
    }

    /// Like [`rsa`](Self::rsa), for a public key that `key` identifies in any way.
    pub fn rsa_named(
        public: RsaPublicKey,
        key: KeyInfo,
        encryption: RsaEncryption,
        mac: Option<Hash>,
        rng: &mut dyn Random,
    ) -> Result<Self, ProtectionError> {
        Self::new(ProtectingKey::Public(public), ValueAlgorithm::Rsa(encryption), key, mac, rng)
    }

    fn symmetric(
        key: Secret,
        algorithm: ValueAlgorithm,
        named: KeyInfo,
        mac: Option<Hash>,
        rng: &mut dyn Random,
    ) -> Result<Self, ProtectionError> {
        if !matches!(key.len(), 16 | 24 | 32) {
            return Err(ProtectionError::KeyLength(key.len()));
        }
        let unfit = |_| ProtectionError::KeyLength(key.len());
        let key = match algorithm {
            ValueAlgorithm::AesCbc(_) => ProtectingKey::Cbc(Box::new(CbcKey::new(key.expose()).map_err(unfit)?)),
            _ => ProtectingKey::Symmetric(key),
        };
        Self::new(key, algorithm, named, mac, rng)
    }

    fn new(
        key: ProtectingKey,
        algorithm: ValueAlgorithm,
        encryption_key: KeyInfo,
        mac: Option<Hash>,
        rng: &mut dyn Random,
    ) -> Result<Self, ProtectionError> {
        let mut protector = Self { key, algorithm, encryption_key, mac: None };
        if let Some(hash) = mac {
            let mac_key = rng.secret(hash.output_len());
            let method = MacMethod {
                algorithm: mac_uri(hash).to_owned(),
                mac_key: Some(protector.encrypt(&mac_key, rng)?),
                mac_key_reference: None,
                other: Vec::new(),
            };
            protector.mac = Some((HmacKey::new(hash, mac_key.expose()), method));
        }
        Ok(protector)
    }

    /// The container's `EncryptionKey`.
    pub fn encryption_key(&self) -> &KeyInfo {
        &self.encryption_key
    }

    /// The container's `MACMethod`.
    pub fn mac_method(&self) -> Option<&MacMethod> {
        self.mac.as_ref().map(|(_, method)| method)
    }

    /// Encrypts the secret of a key, if it is plain. Counters and times stay readable, as in all examples of
    /// the RFC.
    ///
    /// # Errors
    /// [`ProtectionError::Unfit`] if the algorithm does not support the secret's length.
    pub fn protect(&self, data: &mut KeyData, rng: &mut dyn Random) -> Result<(), ProtectionError> {
        let Some(Value::Plain(secret)) = &data.secret else { return Ok(()) };
        let encrypted = self.encrypt(secret, rng)?;
        let mac = self.mac.as_ref().map(|(key, _)| key.sign(&[&encrypted.cipher_value]).as_ref().to_vec());
        data.secret = Some(Value::Encrypted(Box::new(EncryptedValue { data: encrypted, mac })));
        Ok(())
    }

    fn encrypt(&self, secret: &Secret, rng: &mut dyn Random) -> Result<EncryptedData, ProtectionError> {
        const UNFIT: ProtectionError =
            ProtectionError::Unfit("the secret is empty, or longer than the algorithm takes");
        let algorithm = self.algorithm.uri().ok_or_else(|| ProtectionError::Algorithm(format!("{:?}", self.algorithm)));
        let octets = secret.expose();
        let encrypted = match (&self.key, self.algorithm) {
            (ProtectingKey::Cbc(key), _) => {
                let mut iv = [0; 16];
                rng.fill(&mut iv);
                key.encrypt(&iv, octets).map(|ciphertext| [&iv[..], &ciphertext].concat())
            }
            (ProtectingKey::Symmetric(key), ValueAlgorithm::AesWrap(_))
                if octets.len() >= 16 && octets.len().is_multiple_of(8) =>
            {
                aes_wrap(key.expose(), octets)
            }
            (ProtectingKey::Symmetric(key), _) => aes_wrap_pad(key.expose(), octets),
            (ProtectingKey::Public(key), ValueAlgorithm::Rsa(encryption)) => key.encrypt(encryption, octets, rng),
            (ProtectingKey::Public(_), _) => return Err(UNFIT), // never: the constructors go together
        };
        Ok(EncryptedData {
            algorithm: algorithm?.to_owned(),
            parameters: Vec::new(),
            key_info: None,
            cipher_value: encrypted.map_err(|_| UNFIT)?,
        })
    }
}
