//! Whether a run stays with the server that is known (profile P29). The renewal MAC proves that the server's message is
//! of somebody who knows the old key, or has just asked somebody who does: it vouches for no URL and no K_SERVER.

use std::fmt;

use super::{EnrollError, EnrollRequest, run::blocking};
use crate::token_store::{MOST_OLD, Token};
use crate::transport::printable;
use crate::trust::{FINGERPRINT, KServer, Trust};

/// A server for which nothing vouches: only a person can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerChange {
    /// A key would be renewed at another URL than it came from. Nothing has been sent.
    Url {
        /// The key's id.
        key_id: String,
        /// URL_S of the server that it came from, where one is known.
        old: Option<String>,
        /// URL_S of this run.
        new: String,
    },
    /// The server has another K_SERVER than is remembered, and no certificate of the remembered issuer.
    KServer {
        /// URL_S
        url: String,
        /// The fingerprints of those that are remembered.
        old: Vec<String>,
        /// The fingerprint of the one that it sent: `sha256:` and the SHA-256 of its SubjectPublicKeyInfo in DER, 64
        /// lower-case hexadecimal digits.
        new: String,
    },
}

impl ServerChange {
    /// What a person names to accept it beforehand.
    pub fn new_name(&self) -> &str {
        match self {
            ServerChange::Url { new, .. } | ServerChange::KServer { new, .. } => new,
        }
    }

    /// Whether it was accepted beforehand. A URL stands for whatever key its server has, unless a key is named as well.
    fn is_named_in(&self, accepted: &[String]) -> bool {
        let names = |wanted: &str| accepted.iter().any(|name| name == wanted);
        match self {
            ServerChange::Url { new, .. } => names(new),
            ServerChange::KServer { url, new, .. } => names(new) || (!names_a_key(accepted) && names(url)),
        }
    }
}

impl fmt::Display for ServerChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerChange::Url { key_id, old: Some(old), new } => {
                let [key_id, old, new] = [key_id, old, new].map(|text| printable(text));
                write!(f, "the key '{key_id}' came from the server {old}, and would be renewed at {new}")
            }
            ServerChange::Url { key_id, old: None, new } => {
                let [key_id, new] = [key_id, new].map(|text| printable(text));
                write!(f, "the key '{key_id}' came from no server that is known, and would be renewed at {new}")
            }
            ServerChange::KServer { url, old, new } => {
                let old = if old.is_empty() { "none".to_owned() } else { old.join(", ") };
                let url = printable(url);
                write!(f, "the server {url} has the public key {new}, and of those known before ({old}) it is none")
            }
        }
    }
}

fn names_a_key(accepted: &[String]) -> bool {
    accepted.iter().any(|name| name.starts_with(FINGERPRINT))
}

/// What the run may take for its K, after all that can be refused before anything is sent.
pub(super) async fn trust(
    request: &EnrollRequest,
    renewed: Option<&Token>,
    tokens: &[Token],
    url_s: &str,
) -> Result<Trust, EnrollError> {
    let mut moved = false;
    if let Some(old) = renewed {
        let kept = tokens.iter().filter(|token| token.old_of.as_ref() == Some(&old.id)).count();
        if kept >= MOST_OLD {
            return Err(EnrollError::TooManyOld(old.id.clone()));
        }
        moved = old.server_url.as_deref() != Some(url_s);
        if moved {
            let (key_id, old) = (old.id.clone(), old.server_url.clone());
            accept(request, ServerChange::Url { key_id, old, new: url_s.to_owned() }).await?;
        }
    }
    let of_server = tokens.iter().filter(|token| token.server_url.as_deref() == Some(url_s));
    let remembered: Vec<_> = match renewed {
        Some(old) => KServer::of(old).into_iter().collect(),
        None => of_server.filter_map(KServer::of).collect(),
    };
    let is_new = moved || (renewed.is_none() && remembered.is_empty());
    Ok(Trust {
        anchors: Trust::read_anchors(request.k_server_ca.as_deref())?,
        device_key: request.device_key.clone(),
        remembered,
        takes_any: is_new && !names_a_key(&request.accepted),
    })
}

/// Goes on where a person has accepted the change beforehand, or does now.
pub(super) async fn accept(request: &EnrollRequest, change: ServerChange) -> Result<(), EnrollError> {
    if change.is_named_in(&request.accepted) {
        return Ok(());
    }
    if let Some(ask) = request.ask {
        let asked = change.clone();
        if blocking(move || ask(&asked)).await? {
            return Ok(());
        }
    }
    Err(EnrollError::ServerChanged(change))
}
