//! Unfinished runs: enough to ask for the lost answer again after a crash.
//!
//! A server answers the last request of a run again, octet for octet, until the session expires (profile P28). The notes
//! here reproduce the octets of that request.

use dskpp_crypto::Secret;

use crate::json::{Fields, Json, JsonWriter};

/// One run. It has no `Debug`: most of it is secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UnfinishedRun {
    /// URL_S
    pub(crate) url_s: String,
    /// `ClientID`
    pub(crate) client_id: String,
    /// URIs of the offered key types.
    pub(crate) key_types: Vec<String>,
    /// The seed of all random octets of the run: 32 octets.
    pub(crate) seed: Secret,
    /// The RSA key generated for the run, PKCS #8.
    pub(crate) private_key: Option<Secret>,
    /// SHA-256 of ClientHello.
    pub(crate) hello_hash: [u8; 32],
    /// ServerHello, once received.
    pub(crate) server_hello: Option<Vec<u8>>,
}

impl UnfinishedRun {
    /// A run before its ClientHello.
    pub(crate) fn new(url_s: &str, client_id: String, private_key: Option<Secret>) -> Self {
        UnfinishedRun {
            url_s: url_s.to_owned(),
            client_id,
            key_types: Vec::new(),
            seed: Secret::new(Vec::new()),
            private_key,
            hello_hash: [0; 32],
            server_hello: None,
        }
    }

    fn write(&self, to: &mut JsonWriter) {
        to.begin(b'{');
        to.text("url_s", Some(&self.url_s));
        to.text("client_id", Some(&self.client_id));
        to.texts("key_types", &self.key_types);
        to.octets("seed", Some(self.seed.expose()));
        to.octets_or_null("private_key", self.private_key.as_ref().map(|key| key.expose()));
        to.name("hello_hash").begin(b'[');
        self.hello_hash.iter().for_each(|octet| to.word(&octet.to_string()));
        to.end(b']');
        to.octets_or_null("server_hello", self.server_hello.as_deref());
        to.end(b'}');
    }

    fn read(json: Json) -> Option<Self> {
        let mut from = Fields::of(json);
        let hello_hash = from.octet_list("hello_hash").try_into().ok()?;
        from.must_have(&["key_types", "private_key", "server_hello"]);
        let run = UnfinishedRun {
            url_s: from.required_text("url_s"),
            client_id: from.required_text("client_id"),
            key_types: from.texts("key_types"),
            seed: from.required_secret("seed"),
            private_key: from.secret("private_key"),
            hello_hash,
            server_hello: from.octets("server_hello"),
        };
        from.end().ok().map(|()| run)
    }

    /// Whether it is a run with this server for this code.
    pub(crate) fn is_of(&self, url_s: &str, client_id: &str) -> bool {
        self.url_s == url_s && self.client_id == client_id
    }
}

/// How many runs are kept; the oldest is dropped first.
const MOST: usize = 8;

/// Notes of unfinished runs, the last one first. They are secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Runs(Vec<UnfinishedRun>);

impl Runs {
    /// Whether no run is unfinished.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// JSON for a store, secrets in the clear: encrypt it.
    pub fn to_json(&self) -> Secret {
        let mut to = JsonWriter::default();
        to.begin(b'[');
        self.0.iter().for_each(|run| run.write(&mut to));
        to.end(b']');
        Secret::new(to.finish())
    }

    /// Reads [`to_json`](Self::to_json). `None` if it is not that, or has fields of a later version.
    pub fn from_json(json: &Secret) -> Option<Self> {
        let Json::List(runs) = Json::parse(json.expose()).ok()? else { return None };
        runs.into_iter().map(UnfinishedRun::read).collect::<Option<Vec<_>>>().map(Runs)
    }

    /// The runs, the last one first.
    pub(crate) fn into_vec(self) -> Vec<UnfinishedRun> {
        self.0
    }

    /// Keeps how far a run has come. Other runs stay: their lost answers can still be requested.
    pub(crate) fn keep(&mut self, run: &UnfinishedRun) {
        self.0.retain(|other| other.seed != run.seed);
        self.0.insert(0, run.clone());
        self.0.truncate(MOST);
    }

    /// Drops finished runs.
    pub(crate) fn forget(&mut self, is_over: impl Fn(&UnfinishedRun) -> bool) {
        self.0.retain(|run| !is_over(run));
    }
}

impl std::fmt::Debug for Runs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Runs({})", self.0.len())
    }
}
