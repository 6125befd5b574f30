//! Decryption of values.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use dskpp_crypto::{CbcKey, Hash, HmacKey, RsaEncryption, RsaPrivateKey, RsaPublicKey, Secret};

use super::algorithm::{ValueAlgorithm, mac_hash};
use super::{DecryptionKey, DerivedKey, ProtectionError};
use crate::{EncryptedData, EncryptedValue, KeyContainer, KeyData, KeyInfo, MacMethod, Value};

/// Options of an [`Opener`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OpenerOptions {
    /// The MAC key, if the container only names one (§6.1.1).
    pub mac_key: Option<Secret>,
    /// For old files: accepts the [`Deviation`]s.
    pub lenient: bool,
    /// For old files: the initialization vector of all values, if they do not start with it. MACs do not cover it.
    pub iv: Option<Vec<u8>>,
    /// The length of a secret under RSA v1.5 in octets, if known: an invalid ciphertext then yields a random secret of this
    /// length instead of an error, so that errors are no decryption oracle.
    pub hidden_len: Option<usize>,
}

/// An accepted violation of RFC 6030.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Deviation {
    /// MACs over the plaintext.
    MacOverPlaintext,
    /// The encryption key used as MAC key.
    EncryptionKeyAsMacKey,
    /// Values without MAC whose algorithm needs one.
    NoMac,
    /// Encrypted numbers as big-endian octets instead of digits. The RFC does not specify the form.
    BinaryNumber,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Deviation::MacOverPlaintext => "MACs cover the plaintext, not the ciphertext",
            Deviation::EncryptionKeyAsMacKey => "there is no MAC key: the encryption key is used instead",
            Deviation::NoMac => "encrypted values have no MAC: changes go unnoticed",
            Deviation::BinaryNumber => "encrypted numbers are binary, not decimal digits",
        })
    }
}

/// Checks MACs and decrypts (RFC 6030 §6). Creating it is the expensive step, once per container; each key is then
/// cheap.
///
/// ```
/// use dskpp_crypto::{CbcKey, Hash, Secret, SeededRandom};
/// use pskc::{KeyData, Opener, OpenerOptions, Protector, DecryptionKey, Value};
/// let (key, rng) = (Secret::from_slice(&[7; 16]), &mut SeededRandom::new(b"example"));
/// let mut data = KeyData { secret: Some(Value::Plain(Secret::from_slice(b"secret"))), ..KeyData::default() };
/// let mut protector = Protector::aes_cbc(key.clone(), "name", Hash::Sha256, rng)?;
/// protector.protect(&mut data, rng)?;
/// let (named, mac) = (protector.encryption_key(), protector.mac_method());
/// let mut opener = Opener::new(Some(named), mac, &DecryptionKey::Key(key), OpenerOptions::default())?;
/// opener.open(&mut data)?;
/// assert_eq!(data.secret, Some(Value::Plain(Secret::from_slice(b"secret"))));
/// # Ok::<(), pskc::ProtectionError>(())
/// ```
#[derive(Debug)]
pub struct Opener {
    key: OpeningKey,
    mac: Option<HmacKey>,
    options: OpenerOptions,
    deviations: BTreeSet<Deviation>,
}

#[derive(Debug)]
enum OpeningKey {
    /// Also prepared for AES-CBC, if the length allows it.
    Symmetric(Secret, Option<Box<CbcKey>>),
    Private(Arc<RsaPrivateKey>),
    /// A password whose derived key gets its length from the first value.
    Password(Box<DerivedKey>, Secret),
}

impl Opener {
    /// Derives the key and decrypts the MAC key of a container with this `EncryptionKey` and `MACMethod`. Blocks
    /// for the duration of PBKDF2.
    ///
    /// # Errors
    /// [`ProtectionError`]
    pub fn new(
        encryption_key: Option<&KeyInfo>,
        mac_method: Option<&MacMethod>,
        unlock: &DecryptionKey,
        options: OpenerOptions,
    ) -> Result<Self, ProtectionError> {
        let key = key_of(encryption_key, mac_method, unlock)?;
        let mut opener = Self { key, mac: None, options, deviations: BTreeSet::new() };
        if let Some(method) = mac_method {
            opener.mac = Some(opener.mac_key(method)?);
        }
        Ok(opener)
    }

    /// The deviations accepted so far: with [`OpenerOptions::lenient`], or [`Deviation::BinaryNumber`].
    pub fn deviations(&self) -> &BTreeSet<Deviation> {
        &self.deviations
    }

    /// Replaces every encrypted value by its plaintext, after checking its MAC. On error, nothing is
    /// changed.
    ///
    /// # Errors
    /// [`ProtectionError`]
    pub fn open(&mut self, data: &mut KeyData) -> Result<(), ProtectionError> {
        let secret = self.open_value(data.secret.as_ref(), "a secret")?;
        let counter = self.open_number(data.counter.as_ref(), "a counter")?;
        let time = self.open_number(data.time.as_ref(), "a time")?;
        let interval = self.open_number(data.time_interval.as_ref(), "a time interval")?;
        let drift = self.open_number(data.time_drift.as_ref(), "a time drift")?;
        if let Some(secret) = secret {
            data.secret = Some(Value::Plain(secret));
        }
        replace(&mut data.counter, counter);
        replace(&mut data.time, time);
        replace(&mut data.time_interval, interval);
        replace(&mut data.time_drift, drift);
        Ok(())
    }

    fn mac_key(&mut self, method: &MacMethod) -> Result<HmacKey, ProtectionError> {
        let unknown = || ProtectionError::MacAlgorithm(method.algorithm.clone());
        let hash: Hash = mac_hash(&method.algorithm).ok_or_else(unknown)?;
        if let Some(data) = &method.mac_key {
            return Ok(HmacKey::new(hash, self.decrypt(data, "the MAC key")?.expose()));
        }
        if let Some(key) = &self.options.mac_key {
            return Ok(HmacKey::new(hash, key.expose()));
        }
        match &self.key {
            OpeningKey::Symmetric(key, _) if self.options.lenient => {
                self.deviations.insert(Deviation::EncryptionKeyAsMacKey);
                Ok(HmacKey::new(hash, key.expose()))
            }
            _ => Err(ProtectionError::MacKeyNeeded(method.mac_key_reference.clone().unwrap_or_default())),
        }
    }

    fn open_value<T>(
        &mut self,
        value: Option<&Value<T>>,
        what: &'static str,
    ) -> Result<Option<Secret>, ProtectionError> {
        let Some(Value::Encrypted(value)) = value else { return Ok(None) };
        let EncryptedValue { data, mac } = value.as_ref();
        let algorithm = ValueAlgorithm::of(data)?;
        if let OpeningKey::Password(derived, password) = &self.key {
            self.key = symmetric(derived.derive(password, algorithm.key_len().unwrap_or(16)));
        }
        match (mac, &self.mac) {
            (Some(_), None) => return Err(ProtectionError::NoMacMethod),
            (Some(mac), Some(key)) => {
                if key.verify(&[&data.cipher_value], mac) {
                    return self.decrypt(data, what).map(Some);
                }
                if !self.options.lenient {
                    return Err(ProtectionError::WrongKeyOrDamaged(what));
                }
                let plain = self.decrypt(data, what)?;
                let (Some(key), true) = (&self.mac, algorithm.needs_mac()) else {
                    return Err(ProtectionError::WrongKeyOrDamaged(what));
                };
                if !key.verify(&[plain.expose()], mac) {
                    return Err(ProtectionError::WrongKeyOrDamaged(what));
                }
                self.deviations.insert(Deviation::MacOverPlaintext);
                return Ok(Some(plain));
            }
            // A MACMethod promises MACs: removing one must not make a value readable without it.
            (None, Some(_)) => return Err(ProtectionError::MacTakenAway(what)),
            (None, None) if algorithm.needs_mac() => {
                if !self.options.lenient {
                    return Err(ProtectionError::MissingMac);
                }
                self.deviations.insert(Deviation::NoMac);
            }
            (None, None) => {}
        }
        self.decrypt(data, what).map(Some)
    }

    fn open_number<T: TryFrom<i64>>(
        &mut self,
        value: Option<&Value<T>>,
        what: &'static str,
    ) -> Result<Option<T>, ProtectionError> {
        let Some(plain) = self.open_value(value, what)? else { return Ok(None) };
        let digits = std::str::from_utf8(plain.expose()).ok().and_then(|text| text.trim().parse::<i64>().ok());
        let number = match digits {
            Some(number) => Some(number),
            // The RFC does not specify how a number is encoded for encryption.
            None if (1..=8).contains(&plain.len()) => {
                self.deviations.insert(Deviation::BinaryNumber);
                let number = plain.expose().iter().fold(0_u64, |number, octet| number << 8 | u64::from(*octet));
                i64::try_from(number).ok()
            }
            None => None,
        };
        let number = number.and_then(|number| T::try_from(number).ok());
        number.map(Some).ok_or(ProtectionError::Content(what))
    }

    fn decrypt(&self, data: &EncryptedData, what: &'static str) -> Result<Secret, ProtectionError> {
        let algorithm = ValueAlgorithm::of(data)?;
        let octets = data.cipher_value.as_slice();
        let opened = match (&self.key, algorithm) {
            (OpeningKey::Private(key), ValueAlgorithm::Rsa(RsaEncryption::Pkcs1v15)) => match self.options.hidden_len {
                Some(len) => key.decrypt_pkcs1v15(octets, len),
                None => key.decrypt_pkcs1v15_openly(octets),
            },
            (OpeningKey::Private(key), ValueAlgorithm::Rsa(encryption)) => key.decrypt_oaep(encryption, octets),
            (OpeningKey::Private(_), _) => return Err(ProtectionError::NeedsNoPrivateKey),
            (OpeningKey::Password(..), _) => return Err(ProtectionError::NeedsKey), // never: derived just before
            (OpeningKey::Symmetric(..), ValueAlgorithm::Rsa(_)) => return Err(ProtectionError::NeedsPrivateKey),
            (OpeningKey::Symmetric(key, Some(cbc)), ValueAlgorithm::AesCbc(len))
                if len == key.len() && self.options.iv.is_none() =>
            {
                match octets.split_first_chunk() {
                    Some((iv, ciphertext)) => cbc.decrypt(iv, ciphertext),
                    None => Err(dskpp_crypto::Error::InputLength(octets.len())),
                }
            }
            (OpeningKey::Symmetric(key, _), algorithm) => algorithm.decrypt(key, self.options.iv.as_deref(), octets),
        };
        opened.map_err(|error| match error {
            dskpp_crypto::Error::KeyLength(len) => ProtectionError::KeyLength(len),
            _ => ProtectionError::WrongKeyOrDamaged(what),
        })
    }
}

impl KeyContainer {
    /// Decrypts every value of every key in place, after checking its MAC. Blocks for the duration of PBKDF2. For
    /// options for old files, or one package at a time, use an [`Opener`].
    ///
    /// # Errors
    /// [`ProtectionError`]; earlier keys are decrypted then.
    pub fn decrypt(&mut self, key: &DecryptionKey) -> Result<(), ProtectionError> {
        let mut opener =
            Opener::new(self.encryption_key.as_ref(), self.mac_method.as_ref(), key, OpenerOptions::default())?;
        let keys = self.key_packages.iter_mut().filter_map(|package| package.key.as_mut());
        keys.filter_map(|key| key.data.as_mut()).try_for_each(|data| opener.open(data))
    }
}

fn replace<T>(value: &mut Option<Value<T>>, opened: Option<T>) {
    if let Some(opened) = opened {
        *value = Some(Value::Plain(opened));
    }
}

/// The length of a derived key, if the derivation does not state it, in octets: that of the MAC key's algorithm, which
/// uses the same key, or else that of AES-128, as in the RFC.
fn derived_len(mac_method: Option<&MacMethod>) -> usize {
    let data = mac_method.and_then(|method| method.mac_key.as_ref());
    data.and_then(|data| ValueAlgorithm::of(data).ok()).and_then(ValueAlgorithm::key_len).unwrap_or(16)
}

fn key_of(
    encryption_key: Option<&KeyInfo>,
    mac_method: Option<&MacMethod>,
    unlock: &DecryptionKey,
) -> Result<OpeningKey, ProtectionError> {
    let derived = encryption_key.map(DerivedKey::of).transpose()?.flatten();
    let recipient = encryption_key.and_then(recipient);
    Ok(match (unlock, derived) {
        (DecryptionKey::Password(password), Some(derived)) if derived.key_len.is_none() && mac_method.is_none() => {
            OpeningKey::Password(Box::new(derived), password.clone())
        }
        (DecryptionKey::Password(password), Some(derived)) => {
            symmetric(derived.derive(password, derived_len(mac_method)))
        }
        (DecryptionKey::Password(_), None) => return Err(ProtectionError::NeedsKey),
        (DecryptionKey::Key(key), _) => symmetric(key.clone()), // may have been derived elsewhere
        (DecryptionKey::PrivateKey(_), Some(_)) => return Err(ProtectionError::NeedsNoPrivateKey),
        (DecryptionKey::PrivateKey(key), None) => match recipient {
            Some(modulus) if modulus != key.public().modulus() => return Err(ProtectionError::OtherRecipient),
            _ => OpeningKey::Private(Arc::clone(key)),
        },
    })
}

fn symmetric(key: Secret) -> OpeningKey {
    let cbc = CbcKey::new(key.expose()).ok().map(Box::new);
    OpeningKey::Symmetric(key, cbc)
}

/// The modulus of the recipient's key, if stated.
fn recipient(key: &KeyInfo) -> Option<Vec<u8>> {
    if let Some(rsa) = &key.rsa_key_value {
        return Some(rsa.modulus.clone());
    }
    let certificate = key.x509_certificates.first()?;
    RsaPublicKey::from_certificate_der(certificate).ok().map(|key| key.modulus().to_vec())
}
