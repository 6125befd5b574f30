//! A server that is not the known one (profile P29).

use std::fmt;

use pskc::Shown;

use crate::token::k_server::FINGERPRINT;

/// A server that nothing vouches for: a person must decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerChange {
    /// The renewal goes to a different URL than the key came from. Nothing was sent.
    Url {
        /// The key's id.
        key_id: String,
        /// URL_S of the server that it came from, if known.
        old: Option<String>,
        /// URL_S of this run.
        new: String,
    },
    /// The K_SERVER of the server is not one that is remembered, nor certified by the remembered issuer.
    KServer {
        /// URL_S
        url: String,
        /// The fingerprints of the remembered keys.
        old: Vec<String>,
        /// The fingerprint of the key that the server sent: `sha256:` and the SHA-256 of its SubjectPublicKeyInfo in DER, 64
        /// lower-case hexadecimal digits.
        new: String,
    },
}

impl ServerChange {
    /// The value that accepts it in advance ([`EnrollRequest::accepted`](super::EnrollRequest::accepted)).
    pub fn new_name(&self) -> &str {
        match self {
            ServerChange::Url { new, .. } | ServerChange::KServer { new, .. } => new,
        }
    }

    /// Whether it was accepted in advance. A URL accepts any key of its server, unless a key is named as well.
    pub(super) fn is_named_in(&self, accepted: &[String]) -> bool {
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
                let [key_id, old, new] = [key_id, old, new].map(|text| Shown(text));
                write!(f, "the key '{key_id}' came from the server {old} and would be renewed at {new}")
            }
            ServerChange::Url { key_id, old: None, new } => {
                let [key_id, new] = [key_id, new].map(|text| Shown(text));
                write!(f, "the key '{key_id}' has no known server and would be renewed at {new}")
            }
            ServerChange::KServer { url, old, new } => {
                let old = if old.is_empty() { "none".to_owned() } else { old.join(", ") };
                let url = Shown(url);
                write!(f, "the server {url} has the public key {new}, which is not a known one ({old})")
            }
        }
    }
}

pub(super) fn names_a_key(accepted: &[String]) -> bool {
    accepted.iter().any(|name| name.starts_with(FINGERPRINT))
}
