//! Runs that were begun: enough to ask for their end again after a crash.
//!
//! A server answers the last request of a run once more, octet for octet, until the session expires (profile P28). What
//! is kept here makes the same octets again. It is sealed like the store, in a file of its own beside it.

use dskpp_crypto::Secret;
use serde::{Deserialize, Serialize};

use super::file::{self, Locked};
use super::{StoreError, TokenStore};

/// One run. `Debug` is left out: most of it is secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unfinished {
    /// URL_S
    pub(crate) url_s: String,
    /// `ClientID`
    pub(crate) client_id: String,
    /// URIs of the types that were offered.
    pub(crate) key_types: Vec<String>,
    /// What all random octets of the run come from: 32 octets.
    #[serde(with = "file::secret")]
    pub(crate) seed: Secret,
    /// The RSA key that was made for the run, PKCS #8.
    #[serde(with = "file::optional_secret")]
    pub(crate) private_key: Option<Secret>,
    /// SHA-256 of ClientHello.
    pub(crate) hello_hash: [u8; 32],
    /// ServerHello, once it came.
    #[serde(with = "file::optional_octets")]
    pub(crate) server_hello: Option<Vec<u8>>,
}

impl Unfinished {
    /// A run that is about to begin.
    pub(crate) fn new(url_s: &str, client_id: String, private_key: Option<Secret>) -> Self {
        Unfinished {
            url_s: url_s.to_owned(),
            client_id,
            key_types: Vec::new(),
            seed: Secret::new(Vec::new()),
            private_key,
            hello_hash: [0; 32],
            server_hello: None,
        }
    }
}

/// As many runs are noted; the oldest makes room for another one.
const MOST: usize = 8;

impl TokenStore {
    /// The runs that did not come to an end, the last one first. Notes that cannot be read end nothing, which is told:
    /// a new run does no harm, but a renewal whose answer was lost cannot come to its end without them.
    pub(crate) fn unfinished(&self) -> Vec<Unfinished> {
        self.noted().unwrap_or_else(|why| {
            tracing::warn!("runs that were begun cannot be gone on with: {why}");
            Vec::new()
        })
    }

    fn noted(&self) -> Result<Vec<Unfinished>, StoreError> {
        let Some(body) = file::read_beside(&self.path, &self.header, &self.key)? else { return Ok(Vec::new()) };
        serde_json::from_slice(body.expose()).map_err(|_| StoreError::Damaged {
            path: file::beside(&self.path, ".run"),
            reason: "its content is of another version",
        })
    }

    /// Notes how far a run has come. Others stay as they are: a lost answer of theirs can still be asked for.
    pub(crate) fn keep_unfinished(&mut self, run: &Unfinished) -> Result<(), StoreError> {
        let _lock = Locked::take(&self.path)?;
        let mut runs = self.unfinished();
        runs.retain(|other| other.seed != run.seed);
        runs.insert(0, run.clone());
        runs.truncate(MOST);
        file::write_beside(&self.path, &self.header, &self.key, &file::json(&runs))
    }

    /// Forgets runs that are over; the file goes with the last one.
    pub(crate) fn forget_unfinished(&mut self, is_over: impl Fn(&Unfinished) -> bool) -> Result<(), StoreError> {
        let _lock = Locked::take(&self.path)?;
        let mut runs = self.unfinished();
        let noted = runs.len();
        runs.retain(|run| !is_over(run));
        match (runs.len(), noted) {
            (0, 1..) => file::remove_beside(&self.path),
            (left, _) if left == noted => Ok(()),
            _ => file::write_beside(&self.path, &self.header, &self.key, &file::json(&runs)),
        }
    }
}
