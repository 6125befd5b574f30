//! A token from a key package of a PSKC file (RFC 6030).

use std::time::SystemTime;

use dskpp::algorithm::KeyType;
use dskpp_crypto::Secret;
use pskc::{DateTime, Key, KeyPackage, Unusable, Usable};

use super::parameters::{Terms, TokenParameters, Unkept};
use super::{NOT_A_NAME, Token};

/// Why a key package makes no token. No text contains a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The package describes a device without a key.
    #[error("the package has no key")]
    NoKey,
    /// The key has no `Id`, or an empty one.
    #[error("the key has no id")]
    NoId,
    /// The `Id` cannot be shown or typed.
    #[error("the key's id {NOT_A_NAME}")]
    Id,
    /// Another text of the key cannot be shown.
    #[error("the {what} of the key '{id}' {NOT_A_NAME}")]
    Text {
        /// The key's id.
        id: String,
        /// Which text it is.
        what: &'static str,
    },
    /// The key has no `Algorithm`.
    #[error("the key '{0}' has no algorithm")]
    NoAlgorithm(String),
    /// There is no secret, or it is empty.
    #[error("the key '{0}' has no secret")]
    NoSecret(String),
    /// The secret, or a value that codes depend on, is encrypted.
    #[error("the key '{0}' is encrypted: decrypt the file with its key or passphrase first")]
    Encrypted(String),
    /// The length of the secret does not fit the algorithm.
    #[error("the key '{id}' has a secret of {len} octets, which does not fit its algorithm")]
    SecretLength {
        /// The key's id.
        id: String,
        /// Octets of the secret.
        len: usize,
    },
    /// The policy has unknown parts (RFC 6030 §5).
    #[error("the key '{0}' has a policy that this client does not understand, so it must not be used")]
    Policy(String),
    /// The policy demands a PIN, which this client does not enforce.
    #[error("the key '{0}' must be used with a PIN, which this client cannot ensure")]
    Pin(String),
    /// The clock is before 1970 or after 9999.
    #[error("the clock of this machine is wrong")]
    Clock,
    /// The parameters contradict each other, or this client does not support them.
    #[error("the key '{id}' cannot be used: {reason}")]
    Parameters {
        /// The key's id.
        id: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Token {
    /// The token of a key package whose secret is plain or was decrypted (`pskc::Opener`), stored at the time `now`. It
    /// keeps every limit of the policy; a key with limits that cannot be enforced is an error, and so is a key whose
    /// codes would be wrong.
    ///
    /// Key types other than HOTP, TOTP and OCRA are stored as they are; the name of an unknown type is its URI.
    pub fn from_package(package: &KeyPackage, now: SystemTime) -> Result<Token, ImportError> {
        let key = package.key.as_ref().ok_or(ImportError::NoKey)?;
        let refused = |why| ImportError::of(why, key);
        let usable = Usable::of(key).and_then(Usable::opened).map_err(refused)?;
        let id = key.id.clone();
        let terms = Terms::of(key).map_err(|why| match why {
            Unkept::NotUnderstood => ImportError::Policy(id.clone()),
            Unkept::Pin => ImportError::Pin(id.clone()),
        })?;
        let key_type = KeyType::from_uri(usable.algorithm);
        let secret = usable.secret.cloned().ok_or_else(|| refused(Unusable::NoSecret))?;
        let parameters = TokenParameters::taken(&usable.parameters, usable.kind);
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let of_device = || package.device_info.as_ref().and_then(|device| text(&device.user_id));
        let created_at = DateTime::from_clock(now).ok_or(ImportError::Clock)?;
        let token = Token {
            label: text(&key.friendly_name),
            manufacturer: package.device_info.as_ref().and_then(|device| text(&device.manufacturer)),
            serial: package.device_info.as_ref().and_then(|device| text(&device.serial_no)),
            issuer: text(&key.issuer),
            user: text(&key.user_id).or_else(of_device),
            ..Token::new(id, &key_type, secret, parameters, terms, created_at)
        };
        match token.not_a_name() {
            None => Ok(token),
            Some(what) => Err(ImportError::Text { id: token.id, what }),
        }
    }
}

impl ImportError {
    fn of(why: Unusable, key: &Key) -> Self {
        let id = key.id.clone();
        let len = || key.data.as_ref().and_then(|data| data.secret.as_ref()?.plain()).map_or(0, Secret::len);
        match why {
            Unusable::NoId => ImportError::NoId,
            Unusable::Id => ImportError::Id,
            Unusable::Policy => ImportError::Policy(id),
            Unusable::NoAlgorithm => ImportError::NoAlgorithm(id),
            Unusable::NoSecret | Unusable::EmptySecret => ImportError::NoSecret(id),
            Unusable::EncryptedSecret | Unusable::Encrypted => ImportError::Encrypted(id),
            Unusable::LongSecret | Unusable::SecretLength => ImportError::SecretLength { id, len: len() },
            why => ImportError::Parameters { id, reason: why.reason() },
        }
    }
}

#[cfg(test)]
mod tests;
