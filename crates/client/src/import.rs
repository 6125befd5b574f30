//! A key out of a PSKC file, as a token.

use dskpp::algorithm::KeyType;
use dskpp_crypto::Secret;
use jiff::Timestamp;
use pskc::{Key, KeyPackage, Unusable, Usable};

use crate::enroll::key_type_name;
use crate::token_store::package::{Parameters, Terms, Unkept};
use crate::token_store::{NOT_A_NAME, Token};

/// Why a key package makes no token. None of them tells anything secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The package describes a device without a key.
    #[error("the package has no key")]
    NoKey,
    /// The key has no `Id`, or an empty one.
    #[error("the key has no id")]
    NoId,
    /// The `Id` could not be shown or typed.
    #[error("the key's id {NOT_A_NAME}")]
    Id,
    /// Another text of the key could not be shown.
    #[error("the {what} of the key '{id}' {NOT_A_NAME}")]
    Text {
        /// The key's id.
        id: String,
        /// Which text it is.
        what: &'static str,
    },
    /// Nothing says what the key is for.
    #[error("the key '{0}' has no algorithm")]
    NoAlgorithm(String),
    /// There is no secret, or it is empty.
    #[error("the key '{0}' has no secret")]
    NoSecret(String),
    /// The secret, or a value that codes are made with, is encrypted.
    #[error("the key '{0}' is encrypted: decrypt the file with its key or passphrase first")]
    Encrypted(String),
    /// The secret has a length that does not go with the algorithm.
    #[error("the key '{id}' has a secret of length {len} (in octets), which does not go with its algorithm")]
    SecretLength {
        /// The key's id.
        id: String,
        /// Octets of the secret.
        len: usize,
    },
    /// The policy has parts that are not understood (RFC 6030 §5).
    #[error("the key '{0}' comes with a policy that this client does not understand, so it must not be used")]
    Policy(String),
    /// The policy wants a PIN, which this client could not ask for.
    #[error("the key '{0}' must be used with a PIN, which this client cannot ensure")]
    Pin(String),
    /// The parameters are contradictory, or ask for what this client cannot make.
    #[error("the key '{id}' cannot be used: {reason}")]
    Parameters {
        /// The key's id.
        id: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// The token of a key package whose secret is plain, or was decrypted (`pskc::Opener`). Every limit of its policy comes
/// along; a key whose limits could not be kept is refused, as is one whose codes would be wrong.
///
/// Types other than HOTP, TOTP and OCRA are kept as they are: a type that is not known has its URI for a name.
pub fn token_from_package(package: &KeyPackage) -> Result<Token, ImportError> {
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
    let parameters = Parameters::taken(&usable.parameters, usable.kind);
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let of_device = || package.device_info.as_ref().and_then(|device| text(&device.user_id));
    let token = Token {
        id,
        label: text(&key.friendly_name),
        key_type: key_type_name(&key_type).to_owned(),
        algorithm_uri: key_type.uri().to_owned(),
        secret,
        k_mac: None,
        mac_algorithm: None,
        server_url: None,
        server_id: None,
        k_server: None,
        k_server_exponent: None,
        k_server_issuer: None,
        manufacturer: package.device_info.as_ref().and_then(|device| text(&device.manufacturer)),
        serial: package.device_info.as_ref().and_then(|device| text(&device.serial_no)),
        issuer: text(&key.issuer),
        user: text(&key.user_id).or_else(of_device),
        digits: parameters.digits,
        period_s: parameters.period_s,
        drift: parameters.drift,
        old_of: None,
        hash: parameters.hash,
        counter: parameters.counter,
        suite: parameters.suite,
        start: terms.start,
        expiry: terms.expiry,
        uses_left: terms.uses_left,
        usages: terms.usages,
        created_at: Timestamp::now().to_string(),
    };
    match token.not_a_name() {
        None => Ok(token),
        Some(what) => Err(ImportError::Text { id: token.id, what }),
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
