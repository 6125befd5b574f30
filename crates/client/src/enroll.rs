//! A key from a server into the store, in one call.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use dskpp::algorithm::{KeyType, PackageFormat, ProtectionMethod};
use dskpp::auth_data::MIN_ITERATIONS;
use dskpp::client::{Credential, Failed, Provisioned};
use dskpp_crypto::{Pbkdf2Prf, RsaPrivateKey, Secret};

use crate::token_store::{Token, TokenStore, Unfinished};
use crate::transport::Transport;
use run::Runner;

mod error;
mod fields;
mod offer;
mod run;
mod server;
mod trigger;

pub use error::EnrollError;
pub use fields::{key_type_from_name, key_type_name};
pub use server::ServerChange;

/// The variants of the protocol (RFC 6063 §1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Both sides make the key.
    FourPass,
    /// The server sends it.
    TwoPass,
}

/// What is offered where nothing else is asked for, in this order.
pub const DEFAULT_KEY_TYPES: [KeyType; 6] =
    [KeyType::Totp, KeyType::Hotp, KeyType::Ocra, KeyType::Aes128Cbc, KeyType::Aes192Cbc, KeyType::Aes256Cbc];

/// What to ask a server for, and how.
#[derive(Clone, Debug)]
pub struct EnrollRequest {
    /// URL_S, exactly as it was given (profile P13). A trigger's `ServerUrl` is used where this is absent; where both
    /// are there they must be the same.
    pub url_s: Option<String>,
    /// The user's right to a key.
    pub credential: Credential,
    /// Types of key that are welcome, in order of preference; empty: [`DEFAULT_KEY_TYPES`], or, at a renewal, the
    /// type that the key has.
    pub key_types: Vec<KeyType>,
    /// This device: manufacturer and serial number. A trigger that names another one is refused.
    pub device: Option<(String, String)>,
    /// K_SHARED and the name by which the server knows it. With it, no other K is used, and four-pass only where the
    /// device is named. Where it is absent, the store may have it: an imported key of this device, or the one named by
    /// `device_key_name`.
    pub device_key: Option<(String, Secret)>,
    /// The id in the store of the key to be used as K_SHARED; it is its name at the server, too.
    pub device_key_name: Option<String>,
    /// The private key for key transport, and its certificate with those above it in DER, the former first; none: the
    /// server is sent the bare public key.
    pub private_key: Option<(Arc<RsaPrivateKey>, Vec<Vec<u8>>)>,
    /// The name by which the server knows that key; it is sent in place of certificates and key.
    pub private_key_name: Option<String>,
    /// The only variant that is offered; absent: both, where a key protection method is at hand.
    pub variant: Option<Variant>,
    /// The key protection methods of two-pass that are offered, in order of preference; empty: all that are at hand.
    /// Key transport without a private key makes one for this run.
    pub methods: Vec<ProtectionMethod>,
    /// The formats of key packages that are offered, in order of preference. Four-pass is offered only with PSKC.
    pub package_formats: Vec<PackageFormat>,
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
    /// Servers that a person has accepted beforehand, by URL_S or by the fingerprint of K_SERVER (profile P29,
    /// [`ServerChange`]). With a fingerprint no other key is taken, unless it is remembered or certified.
    pub accepted: Vec<String>,
    /// Asks a person whether the run may go on with a server for which nothing vouches. It may block. None: nobody is
    /// there to be asked, and the run ends.
    pub ask: Option<fn(&ServerChange) -> bool>,
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
            device_key_name: None,
            private_key: None,
            private_key_name: None,
            variant: None,
            methods: Vec::new(),
            package_formats: vec![PackageFormat::Pskc],
            renew: None,
            label: None,
            iterations: MIN_ITERATIONS,
            pbkdf2_prf: Pbkdf2Prf::HmacSha1,
            k_server_ca: None,
            accepted: Vec::new(),
            ask: None,
        }
    }

    /// Whether its trigger, if it has one, fits this device, this client and the server that was asked for (RFC 6063
    /// §4.2.1): what [`enroll`] begins with, for a caller that wants to know before there is a store.
    ///
    /// # Errors
    /// [`EnrollError::AnotherDevice`], [`EnrollError::AnotherServer`], [`EnrollError::Hardware`] and
    /// [`TransportError::BadUrl`](crate::transport::TransportError::BadUrl).
    pub fn check(&self) -> Result<(), EnrollError> {
        if self.label.as_deref().is_some_and(|label| !pskc::is_name(label)) {
            return Err(EnrollError::Label);
        }
        trigger::check(self)
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
    /// The id under which the store now has that one.
    pub old_key_id: Option<String>,
    /// How it travelled in two-pass; `None`: it was made by both sides, in four-pass.
    pub method: Option<ProtectionMethod>,
    /// The iterations that protected it on its way under the code's password, which has to make up for them where they
    /// were fewer than 100,000 (profile P15). Of the encryption or of the MAC, where one of them had fewer.
    pub few_iterations: Option<u32>,
}

/// Gets a key from a server, and stores it once its confirmation was verified.
///
/// In four-pass the server learns which key is meant only from the last request. So where it refuses the type of key
/// that it chose itself, another run offers the remaining types. An error leaves the store as it was.
///
/// A trigger for another device or server, for a key that is not in the store, or for one in hardware, is refused before
/// anything is sent.
///
/// A renewal stays with the server of its key (profile P29): at the URL_S that is stored with it, and with K_SHARED, the
/// stored K_SERVER, or one that is certified under an anchor that was configured for it or under the stored issuer. For
/// anything else a person has to say yes, by [`EnrollRequest::accepted`] or [`EnrollRequest::ask`]; the server's proof
/// that it knows the old key is needed as well. The replaced key stays in the store; a ninth renewal is refused before
/// anything is sent ([`TokenStore::forget_replaced`]).
///
/// A run that was cut short is noted beside the store, sealed: the program crashed, no answer came, one came that is no
/// DSKPP message, or the key could not be stored. The same call with the same code then ends it: the server gives its
/// answer again for ten minutes (profile P28), this one for a month where the run was a renewal. All other errors end
/// the run, and nothing of it stays, in memory or beside the store (RFC 6063 §§3.3, 4.2.3, 4.2.5, 5.2.3).
pub async fn enroll(
    transport: &Transport,
    store: &mut TokenStore,
    mut request: EnrollRequest,
) -> Result<Enrolled, EnrollError> {
    request.check()?;
    if !request.package_formats.contains(&PackageFormat::Pskc) {
        if request.variant == Some(Variant::FourPass) {
            return Err(EnrollError::PackageOfFourPass);
        }
        request.variant = Some(Variant::TwoPass);
    }
    store.ensure_writable()?; // a code is good once: it must not be spent on a key that cannot be kept
    let url_s = offer::url_s(&request)?;
    let tokens = store.list()?;
    let renewed = offer::renewed(&request, &tokens)?;
    if request.device_key.is_none() {
        request.device_key = offer::device_key(&request, &tokens)?;
    }
    if request.variant.is_none() && request.device_key.is_some() && !offer::names_a_device(&request) {
        request.variant = Some(Variant::TwoPass); // four-pass finds the key by the device
    }
    let has_code = matches!(request.credential, Credential::Code(_));
    if let Some((old, _)) = renewed.as_ref().filter(|(old, _)| has_code && old.k_mac.is_none()) {
        match request.variant {
            Some(Variant::FourPass) => return Err(EnrollError::NotByFourPass(old.id.clone())),
            _ => request.variant = Some(Variant::TwoPass), // no server proves itself with a K_TOKEN (profile P6)
        }
    }
    let trust = server::trust(&request, renewed.as_ref().map(|(old, _)| old), &tokens, &url_s).await?;
    let offer = offer::offer(&request, &url_s, renewed.as_ref())?;
    let renewed = renewed.map(|(token, _)| token);
    let client_id = offer::client_id(&request.credential).to_owned();
    let is_same = |run: &Unfinished| run.url_s == url_s && run.client_id == client_id;
    let (noted, others): (Vec<_>, Vec<_>) = store.unfinished().into_iter().partition(is_same);
    let made = offer::own_key(&mut request, noted.first()).await?;
    let unfinished = Unfinished::new(&url_s, client_id.clone(), made);
    let (variant, protections) = (request.variant, offer::protections(&request)?);
    let k_server = None;
    let mut runner = Runner {
        transport,
        request: &request,
        trust: &trust,
        store,
        offer,
        variant,
        protections,
        unfinished,
        k_server,
    };
    let provisioned = runner.provision(noted).await.map_err(|error| match (error, &renewed) {
        (EnrollError::Failed(Failed::NotAuthenticated), Some(old)) => not_proved(&old.id, &url_s, &others),
        (error, _) => error,
    })?;
    // Only what a confirmed run has sent is remembered: before two-pass, four-pass may have been refused.
    let k_server = runner.k_server.take().filter(|_| provisioned.method.is_none());
    let token = fields::token(&provisioned, &request, url_s.clone(), renewed.as_ref(), k_server.as_ref());
    let enrolled = token.and_then(|token| keep(store, token, renewed.is_some(), provisioned));
    // Only a key that could not be stored is asked for again.
    if enrolled.as_ref().err().is_none_or(EnrollError::ends_the_run)
        && let Err(why) = store.forget_unfinished(|run| run.url_s == url_s && run.client_id == client_id)
    {
        tracing::warn!(%why, "the notes of the run stay beside the store"); // sealed, and of no more use
    }
    enrolled
}

/// The server has another key than this side, maybe since an earlier renewal did not come to its end here.
fn not_proved(key_id: &str, url_s: &str, unfinished: &[Unfinished]) -> EnrollError {
    let begun = unfinished.iter().find(|run| run.url_s == url_s);
    EnrollError::NotProved { key_id: key_id.to_owned(), begun: begun.map(|run| run.client_id.clone()) }
}

/// Puts the token into the store, in place of the old one only where this run was its renewal.
fn keep(
    store: &mut TokenStore,
    token: Token,
    renewal: bool,
    provisioned: Provisioned,
) -> Result<Enrolled, EnrollError> {
    let key_id = token.id.clone();
    let old = store.list()?.into_iter().find(|old| old.id == key_id);
    let is_there = old.as_ref().is_some_and(|old| old.secret == token.secret); // a run that was ended once more
    let exists = old.is_some();
    if exists && !renewal && !is_there {
        return Err(EnrollError::KeyExists(key_id));
    }
    let (label, issuer) = (token.label.clone(), token.issuer.clone());
    let stored = match exists {
        true if is_there => Ok(None),
        true => store.renew(token).map(Some),
        false => store.insert(token).map(|()| None),
    };
    let old_key_id = stored.map_err(|source| EnrollError::NotStored { key_id: key_id.clone(), source })?;
    let Provisioned { key_type, server_id, method, iterations, .. } = provisioned;
    let few_iterations = iterations.map(NonZeroU32::get).filter(|count| *count < MIN_ITERATIONS);
    let replaced = exists && renewal;
    Ok(Enrolled { key_id, key_type, label, issuer, server_id, replaced, old_key_id, method, few_iterations })
}

#[cfg(test)]
mod tests;
