//! A key from a server into the store, in one call.

use std::path::PathBuf;

use dskpp::algorithm::{EncryptionAlgorithm, KeyType};
use dskpp::auth_data::MIN_ITERATIONS;
use dskpp::client::{ChooseK, Credential, Failed, FourPass, K, Offer, Provisioned, Renewal};
use dskpp::prf::Prf;
use dskpp::status::Status;
use dskpp_crypto::{Pbkdf2Prf, Secret, SystemRandom};
use pskc::DeviceInfo;

use crate::token_store::{StoreError, Token, TokenStore};
use crate::transport::{Transport, TransportError};
use crate::trust::Trust;

mod fields;

pub use fields::{key_type_from_name, key_type_name};

/// What is offered where nothing else is asked for, in this order.
pub const DEFAULT_KEY_TYPES: [KeyType; 6] =
    [KeyType::Totp, KeyType::Hotp, KeyType::Ocra, KeyType::Aes128Cbc, KeyType::Aes192Cbc, KeyType::Aes256Cbc];

/// What to ask a server for, and how.
#[derive(Clone, Debug)]
pub struct EnrollRequest {
    /// URL_S, exactly as it was given (profile P13). A trigger's `ServerUrl` is used where this is absent.
    pub url_s: Option<String>,
    /// The user's right to a key.
    pub credential: Credential,
    /// Types of key that are welcome, in order of preference; empty: [`DEFAULT_KEY_TYPES`], or, at a renewal, the
    /// type that the key has.
    pub key_types: Vec<KeyType>,
    /// This device: manufacturer and serial number.
    pub device: Option<(String, String)>,
    /// K_SHARED and the name by which the server knows it. With it, no other K is used.
    pub device_key: Option<(String, Secret)>,
    /// The id of the stored key that this run replaces. A trigger's `KeyID` says the same.
    pub renew: Option<String>,
    /// A name for people; a renewed key keeps its own if there is none here.
    pub label: Option<String>,
    /// PBKDF2 iterations, at least 100,000 (profile P3).
    pub iterations: u32,
    /// PBKDF2's PRF (profile P2).
    pub pbkdf2_prf: Pbkdf2Prf,
    /// A PEM file with anchors for the certificate of K_SERVER (profile P29). It is not about TLS.
    pub k_server_ca: Option<PathBuf>,
    /// Whether another K_SERVER than the remembered one is accepted: a person's decision (profile P29).
    pub accept_new_k_server: bool,
}

impl EnrollRequest {
    /// A request that asks for any type of key, with the defaults of the profile.
    pub fn new(url_s: Option<String>, credential: Credential) -> Self {
        EnrollRequest {
            url_s,
            credential,
            key_types: Vec::new(),
            device: None,
            device_key: None,
            renew: None,
            label: None,
            iterations: MIN_ITERATIONS,
            pbkdf2_prf: Pbkdf2Prf::HmacSha1,
            k_server_ca: None,
            accept_new_k_server: false,
        }
    }
}

/// A key that is in the store now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// The key's `Id`.
    pub key_id: String,
    /// Its type.
    pub key_type: KeyType,
    /// Its name for people.
    pub label: Option<String>,
    /// `Issuer`
    pub issuer: Option<String>,
    /// `ServerID`
    pub server_id: Option<String>,
    /// Whether it took the place of an older key of the same id.
    pub replaced: bool,
}

/// Why no key was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrollError {
    /// Neither the request nor the trigger names the server.
    #[error("the trigger names no server: give the server's URL as well")]
    NoUrl,
    /// No answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The last answer was lost twice.
    #[error(
        "the server's last answer was lost ({0}): it may have registered the key, but this side has none; try again, \
         and ask for a new authentication code if this one turns out to be used"
    )]
    AnswerLost(#[source] TransportError),
    /// The run failed.
    #[error(transparent)]
    Failed(#[from] Failed),
    /// The anchors for K_SERVER cannot be read.
    #[error("the file {path} with CA certificates for the server's key cannot be used: {reason}")]
    KServerCa {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The server's key cannot be used.
    #[error("the server's public key cannot be used ({0}): tell its operator")]
    KServer(String),
    /// The certificate of K_SERVER is not valid.
    #[error(
        "the certificate of the server's key was not accepted ({0}): check the CA file that was given for it, or ask \
         the server's operator"
    )]
    KServerCertificate(String),
    /// Another K_SERVER than with earlier tokens.
    #[error(
        "the server has another public key than when earlier tokens were made, and no certificate that this client \
         trusts: ask its operator whether the key was changed, and accept the new key only then"
    )]
    KServerChanged,
    /// A shared key that this device does not have.
    #[error("the server wants to use a device key named '{0}', which was not given: give the key of that name")]
    DeviceKeyName(String),
    /// A device key that is too short.
    #[error("the device key has {0} octets: 16 are the least")]
    DeviceKeyLength(usize),
    /// The key to be renewed is not in the store.
    #[error("there is no key '{0}' to renew in the store: check its id, or enroll without renewing")]
    NothingToRenew(String),
    /// No PRF takes the key to be renewed (profile P6).
    #[error("the key '{0}' is too short for a server to prove that it knows it: enroll a new key instead")]
    TooShortToRenew(String),
    /// Request and trigger name different keys.
    #[error("the trigger renews the key '{0}', not the one that was asked for")]
    RenewsAnother(String),
    /// A key of this id is there, and the server did not prove that it knows it.
    #[error(
        "the store already has a key '{0}', and this run was not its renewal: the old key stays; delete it, or ask \
         for its renewal, and enroll again with a new authentication code"
    )]
    KeyExists(String),
    /// The key's policy has parts that are not understood (RFC 6030 §5).
    #[error("the key '{0}' comes with a policy that this client does not understand, so it must not be used")]
    Policy(String),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server has the key, but it cannot be stored here.
    #[error(
        "the key '{key_id}' could not be stored ({source}): the server has registered it, so ask for a new \
         authentication code when the cause is removed"
    )]
    NotStored {
        /// The key's id.
        key_id: String,
        /// Why.
        source: StoreError,
    },
    /// A computation ended early; the program is being shut down.
    #[error("the run was interrupted; nothing was stored")]
    Interrupted,
}

/// Gets a key from a server with four-pass, and stores it once its confirmation was verified.
///
/// The server learns which key is meant only from the last request. So where it refuses the type of key that it chose
/// itself, another run offers the remaining types. An error leaves the store as it was.
pub async fn enroll(
    transport: &Transport,
    store: &mut TokenStore,
    request: EnrollRequest,
) -> Result<Enrolled, EnrollError> {
    store.ensure_writable()?; // a code is good once: it must not be spent on a key that cannot be kept
    let url_s = url_s(&request)?;
    let renewed = renewed(&request, store)?;
    let trust = Trust {
        anchors: Trust::read_anchors(request.k_server_ca.as_deref())?,
        device_key: request.device_key.clone(),
        remembered: remembered(store, &url_s)?,
        accept_new: request.accept_new_k_server || renewed.is_some(),
    };
    let provisioned = negotiate(transport, &trust, offer(&request, &url_s, renewed.as_ref())?).await?;
    let token = fields::token(&provisioned, &request, url_s, renewed.as_ref())?;
    keep(store, token, renewed.is_some(), provisioned)
}

fn url_s(request: &EnrollRequest) -> Result<String, EnrollError> {
    let of_trigger = match &request.credential {
        Credential::Trigger(trigger) => trigger.server_url.clone(),
        Credential::Code(_) => None,
    };
    of_trigger.or_else(|| request.url_s.clone()).ok_or(EnrollError::NoUrl)
}

/// The stored key that the run replaces.
fn renewed(request: &EnrollRequest, store: &TokenStore) -> Result<Option<Token>, EnrollError> {
    let of_trigger = match &request.credential {
        Credential::Trigger(trigger) => trigger.key_id.as_deref().map(String::from_utf8_lossy),
        Credential::Code(_) => None,
    };
    let key_id = match (of_trigger, &request.renew) {
        (Some(named), Some(asked)) if named != *asked => return Err(EnrollError::RenewsAnother(named.into_owned())),
        (Some(named), _) => named.into_owned(),
        (None, Some(asked)) => asked.clone(),
        (None, None) => return Ok(None),
    };
    let found = store.list()?.into_iter().find(|token| token.id == key_id);
    found.map(Some).ok_or(EnrollError::NothingToRenew(key_id))
}

/// The moduli that tokens of the same server remember.
fn remembered(store: &TokenStore, url_s: &str) -> Result<Vec<Vec<u8>>, EnrollError> {
    let tokens = store.list()?.into_iter().filter(|token| token.server_url.as_deref() == Some(url_s));
    Ok(tokens.filter_map(|token| token.k_server).collect())
}

fn offer(request: &EnrollRequest, url_s: &str, renewed: Option<&Token>) -> Result<Offer, EnrollError> {
    let key_types = match (&request.key_types[..], renewed) {
        ([], Some(old)) => vec![KeyType::from_uri(&old.algorithm_uri)],
        ([], None) => DEFAULT_KEY_TYPES.to_vec(),
        (given, _) => given.to_vec(),
    };
    let mut offer = Offer::new(url_s, request.credential.clone(), key_types);
    offer.iterations = request.iterations;
    offer.pbkdf2_prf = request.pbkdf2_prf;
    offer.device = request.device.as_ref().map(|(manufacturer, serial)| DeviceInfo {
        manufacturer: Some(manufacturer.clone()),
        serial_no: Some(serial.clone()),
        ..DeviceInfo::default()
    });
    if let Some((_, key)) = &request.device_key {
        offer.encryption_algorithms = with_shared_key(key)?;
    }
    if let Some(old) = renewed {
        let k_mac_old = old.k_mac.clone().unwrap_or_else(|| old.secret.clone()); // profile P6
        let fits = |prf: Prf| prf.takes_key_of(k_mac_old.len());
        offer.mac_algorithms.retain(|algorithm| Prf::of(algorithm).is_some_and(fits));
        if offer.mac_algorithms.is_empty() {
            return Err(EnrollError::TooShortToRenew(old.id.clone()));
        }
        offer.renewal = Some(Renewal { key_id: old.id.clone(), k_mac_old });
    }
    Ok(offer)
}

/// The algorithms that take a K_SHARED of this length.
fn with_shared_key(key: &Secret) -> Result<Vec<EncryptionAlgorithm>, EnrollError> {
    use EncryptionAlgorithm::*;
    match key.len() {
        16 => Ok(vec![KwAes128, Aes128Cbc, PrfSha256, PrfAes128]),
        24 => Ok(vec![KwAes192, Aes192Cbc, PrfSha256]),
        32 => Ok(vec![KwAes256, Aes256Cbc, PrfSha256]),
        17.. => Ok(vec![PrfSha256]),
        len => Err(EnrollError::DeviceKeyLength(len)),
    }
}

/// Runs until one is not refused for its type of key. What the server chose before it refused is left out of the next
/// offer: it learns only from ClientNonce which enrolment, and so which type, is meant.
async fn negotiate(transport: &Transport, trust: &Trust, mut offer: Offer) -> Result<Provisioned, EnrollError> {
    let mut refused = false;
    loop {
        let (chosen, done) = match run(transport, trust, offer.clone()).await {
            // A server that has nothing else to offer: what it said first is the reason.
            Err(EnrollError::Failed(Failed::Refused(Status::NoSupportedKeyTypes) | Failed::Misbehaved(_)))
                if refused =>
            {
                return Err(Failed::Refused(Status::AccessDenied).into());
            }
            ran => ran?,
        };
        match done {
            Err(EnrollError::Failed(Failed::Refused(Status::AccessDenied))) if offer.key_types.len() > 1 => {
                tracing::debug!(%chosen, "type of key refused");
                offer.key_types.retain(|key_type| *key_type != chosen);
                refused = true;
            }
            done => return done,
        }
    }
}

/// One run: the type of key that the server chose, and what came of it.
async fn run(
    transport: &Transport,
    trust: &Trust,
    offer: Offer,
) -> Result<(KeyType, Result<Provisioned, EnrollError>), EnrollError> {
    let url_s = offer.url_s.clone();
    let (request, state) = FourPass::start(offer, &mut SystemRandom);
    let state = state.receive(&transport.post(&url_s, &request).await?)?;
    let chosen = state.key_type().clone();
    Ok((chosen, finish(transport, trust, &url_s, state).await))
}

async fn finish(transport: &Transport, trust: &Trust, url_s: &str, state: ChooseK) -> Result<Provisioned, EnrollError> {
    let k: K = trust.choose(state.encryption_key())?;
    let proceed = tokio::task::spawn_blocking(move || state.proceed(k, &mut SystemRandom)); // PBKDF2 and RSA
    let (request, state) = proceed.await.map_err(|_| EnrollError::Interrupted)??;
    let answer = match transport.post(url_s, &request).await {
        Err(error) if error.is_lost() => {
            tracing::debug!(%error, "sending ClientNonce again");
            transport.post(url_s, &request).await.map_err(EnrollError::AnswerLost)?
        }
        other => other?,
    };
    Ok(state.receive(&answer)?)
}

/// Puts the token into the store, in place of the old one only where this run was its renewal.
fn keep(
    store: &mut TokenStore,
    token: Token,
    renewal: bool,
    provisioned: Provisioned,
) -> Result<Enrolled, EnrollError> {
    let key_id = token.id.clone();
    let exists = store.list()?.iter().any(|token| token.id == key_id);
    if exists && !renewal {
        return Err(EnrollError::KeyExists(key_id));
    }
    let (label, issuer) = (token.label.clone(), token.issuer.clone());
    let stored = match exists {
        true => store.replace(&key_id, token),
        false => store.insert(token),
    };
    stored.map_err(|source| EnrollError::NotStored { key_id: key_id.clone(), source })?;
    let Provisioned { key_type, server_id, .. } = provisioned;
    Ok(Enrolled { key_id, key_type, label, issuer, server_id, replaced: exists })
}

#[cfg(test)]
mod tests;
