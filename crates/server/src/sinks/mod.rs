//! Sinks: other systems that get keys. Each kind has a file here; `worker` brings them what is due in the outbox.
//!
//! A sink sees a change at least once, and the changes of one key in order. It does not see those that a later one has
//! overtaken.

mod graph;
mod http;
mod jwe;
mod keycloak;
mod line_file;
mod lines;
mod oauth;
mod openbao;
mod privacyidea;
mod pskc_folder;
mod webhook;
pub(crate) mod worker;

use std::path::Path;
use std::sync::Arc;

use dskpp_api::{SinkSummary, SinkTest};
use dskpp_crypto::Secret;
use futures_util::future::join_all;

use lines::Format;
pub(crate) use webhook::SignedWebhook;

use crate::config::{FileSink, SinkSection, SinksSection};
use crate::metrics::{Collectors, Counters};
use crate::model::clock::now;
use crate::model::{HashName, KeyRecord, KeyState, KeyType, Params};
use crate::{Config, ConfigError, ConfigFault, files};

/// Results of an attempt to deliver a change.
const DELIVERED: &str = "delivered";
const FAILED: &str = "failed";
const GIVEN_UP: &str = "given-up";

/// The sinks of the configuration.
#[derive(Debug)]
pub(crate) struct Sinks {
    sinks: Vec<Arc<Sink>>,
    section: SinksSection,
    deliveries: Counters,
}

/// A sink.
#[derive(Debug)]
pub(crate) struct Sink {
    name: String,
    kind: &'static str,
    target: String,
    to: Target,
}

#[derive(Debug)]
enum Target {
    Webhook(Box<webhook::Webhook>),
    PrivacyIdea(privacyidea::PrivacyIdea),
    Lines(line_file::LineFile),
    PskcFolder(pskc_folder::PskcFolder),
    Keycloak(Box<keycloak::Keycloak>),
    OpenBao(openbao::OpenBao),
    Graph(Box<graph::Graph>),
}

/// What a sink gets.
#[derive(Debug)]
pub(crate) struct Change {
    /// The delivery's identifier: of one key and this sink.
    pub(crate) id: String,
    /// The number of the change.
    pub(crate) number: u64,
    /// The key as it is now.
    pub(crate) key: KeyRecord,
    /// Its secret; `None`: the sink is to forget the key.
    pub(crate) secret: Option<Secret>,
}

/// Why a change was not delivered. No text has a secret, or anything that the sink has said, which might have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The sink does not work, whatever it gets.
    Down(String),
    /// It does not take this change; later, it may.
    Refused(String),
    /// It can never take this change.
    Never(String),
}

type Delivered = Result<(), Failure>;

impl Sinks {
    /// Reads the files that the configuration names; it connects to nothing.
    ///
    /// # Errors
    /// Every sink that cannot work so.
    pub(crate) fn load(config: &Config) -> Result<Self, ConfigError> {
        let (mut sinks, mut faults) = (Vec::new(), Vec::new());
        for (i, section) in config.sink.iter().enumerate() {
            match target(section) {
                Ok((to, target)) => {
                    let (name, kind) = (section.name().to_owned(), section.kind());
                    sinks.push(Arc::new(Sink { name, kind, target, to }));
                }
                Err((key, why)) => {
                    let (key, name) = (format!("sink.{}.{key}", i + 1), section.name());
                    faults.push(ConfigFault::new(key, name, why));
                }
            }
        }
        let help = "Attempts to deliver keys to sinks, by sink and result.";
        let deliveries = Counters::new("dskpp_deliveries_total", help, ["sink", "result"], []);
        for sink in &sinks {
            [DELIVERED, FAILED, GIVEN_UP].iter().for_each(|result| deliveries.begin_named(&sink.name, result));
        }
        match faults.is_empty() {
            true => Ok(Sinks { sinks, section: config.sinks.clone(), deliveries }),
            false => Err(ConfigError(faults)),
        }
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> Collectors {
        vec![self.deliveries.collector()]
    }

    /// Every sink.
    pub(crate) fn all(&self) -> &[Arc<Sink>] {
        &self.sinks
    }

    /// The names of the sinks of enrolments that name none.
    pub(crate) fn default_names(&self) -> &[String] {
        &self.section.default
    }

    /// The sinks of an enrolment that names these, or none.
    ///
    /// # Errors
    /// A name that no sink has, or twice the same, in words for people.
    pub(crate) fn chosen(&self, names: Option<&[String]>) -> Result<Vec<String>, String> {
        let Some(names) = names else { return Ok(self.section.default.clone()) };
        for (i, name) in names.iter().enumerate() {
            if !self.sinks.iter().any(|sink| sink.name == *name) {
                return Err(format!("there is no sink {}", pskc::Shown(name)));
            }
            if names[..i].contains(name) {
                return Err(format!("sinks names {name} twice"));
            }
        }
        Ok(names.to_vec())
    }

    /// What they are.
    pub(crate) fn summaries(&self) -> Vec<SinkSummary> {
        let summary = |sink: &Arc<Sink>| SinkSummary {
            name: sink.name.clone(),
            kind: sink.kind.to_owned(),
            target: sink.target.clone(),
            is_default: self.section.default.contains(&sink.name),
        };
        self.sinks.iter().map(summary).collect()
    }

    /// A dry run: what the sink would get of a sample key, and whether it can be reached.
    pub(crate) async fn test(&self, name: &str) -> Option<SinkTest> {
        let sink = self.sinks.iter().find(|sink| sink.name == name)?;
        let would_send = sink.sample(&sample());
        let reached = sink.reach().await;
        Some(SinkTest {
            sink: sink.name.clone(),
            would_send,
            reached: reached.is_ok(),
            error: reached.err().map(|why| why.to_string()),
        })
    }
}

impl Sink {
    /// Brings changes, each of another key; gives what became of each.
    async fn deliver(&self, changes: &[Change]) -> Vec<Delivered> {
        match &self.to {
            Target::Webhook(to) => join_all(changes.iter().map(|change| to.deliver(change))).await,
            Target::PrivacyIdea(to) => join_all(changes.iter().map(|change| to.deliver(change))).await,
            Target::Lines(to) => to.deliver(changes).await,
            Target::PskcFolder(to) => join_all(changes.iter().map(|change| to.deliver(change))).await,
            Target::Keycloak(to) => join_all(changes.iter().map(|change| to.deliver(change))).await,
            Target::OpenBao(to) => join_all(changes.iter().map(|change| to.deliver(change))).await,
            Target::Graph(to) => join_all(changes.iter().map(|change| to.deliver(change))).await,
        }
    }

    /// How many changes it takes at a time.
    fn batch(&self) -> usize {
        match &self.to {
            Target::Webhook(_) => 8,
            Target::PrivacyIdea(_) | Target::Keycloak(_) | Target::OpenBao(_) | Target::Graph(_) => 4,
            Target::PskcFolder(_) => 20,
            Target::Lines(_) => 200,
        }
    }

    /// What it would get of a key, with `…` for every secret.
    fn sample(&self, key: &KeyRecord) -> String {
        match &self.to {
            Target::Webhook(to) => to.sample(key),
            Target::PrivacyIdea(to) => to.sample(key),
            Target::Lines(to) => to.sample(key),
            Target::PskcFolder(to) => to.sample(key),
            Target::Keycloak(to) => to.sample(key),
            Target::OpenBao(to) => to.sample(key),
            Target::Graph(to) => to.sample(key),
        }
    }

    /// Whether it can be reached, without giving it a key.
    async fn reach(&self) -> Delivered {
        match &self.to {
            Target::Webhook(to) => to.reach().await,
            Target::PrivacyIdea(to) => to.reach().await,
            Target::Lines(to) => to.reach(),
            Target::PskcFolder(to) => to.reach(),
            Target::Keycloak(to) => to.reach().await,
            Target::OpenBao(to) => to.reach().await,
            Target::Graph(to) => to.reach().await,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Failure::Down(why) | Failure::Refused(why) | Failure::Never(why)) = self;
        f.write_str(why)
    }
}

/// What a section says, and how its target is shown; the faulty key and why, otherwise.
fn target(section: &SinkSection) -> Result<(Target, String), (&'static str, String)> {
    match section {
        SinkSection::Webhook(section) => {
            let to = webhook::Webhook::load(section)?;
            let shown = to.shown();
            Ok((Target::Webhook(Box::new(to)), shown))
        }
        SinkSection::Privacyidea(section) => {
            let to = privacyidea::PrivacyIdea::load(section)?;
            let shown = to.shown();
            Ok((Target::PrivacyIdea(to), shown))
        }
        SinkSection::Liboath(section) => Ok(lines_of(section, Format::Liboath)),
        SinkSection::CsvEntra(section) => Ok(lines_of(section, Format::Entra)),
        SinkSection::CsvDuo(section) => Ok(lines_of(section, Format::Duo)),
        SinkSection::PskcFolder(section) => {
            let to = pskc_folder::PskcFolder::load(section)?;
            let shown = to.shown();
            Ok((Target::PskcFolder(to), shown))
        }
        SinkSection::Keycloak(section) => {
            let to = keycloak::Keycloak::load(section)?;
            let shown = to.shown();
            Ok((Target::Keycloak(Box::new(to)), shown))
        }
        SinkSection::Openbao(section) => {
            let to = openbao::OpenBao::load(section)?;
            let shown = to.shown();
            Ok((Target::OpenBao(to), shown))
        }
        SinkSection::Graph(section) => {
            let to = graph::Graph::load(section)?;
            let shown = to.shown();
            Ok((Target::Graph(Box::new(to)), shown))
        }
    }
}

fn lines_of(section: &FileSink, format: Format) -> (Target, String) {
    let to = line_file::LineFile::new(&section.file, format);
    (Target::Lines(to), section.file.display().to_string())
}

/// The secret in a file or in an environment variable: one of both, without a line's end.
pub(crate) fn secret(file: &Path, variable: &str) -> Result<Secret, String> {
    let text = match (file.as_os_str().is_empty(), variable.is_empty()) {
        (false, true) => Secret::from(std::fs::read(file).map_err(|why| format!("{}: {why}", file.display()))?),
        (true, false) => match std::env::var(variable) {
            Ok(text) => Secret::from(text.into_bytes()),
            Err(_) => return Err(format!("the environment variable {variable} is not set")),
        },
        _ => return Err("name a file, or an environment variable instead".to_owned()),
    };
    let octets = text.expose();
    let octets = octets.strip_suffix(b"\n").unwrap_or(octets);
    let octets = octets.strip_suffix(b"\r").unwrap_or(octets);
    match octets.is_empty() {
        true => Err("it is empty".to_owned()),
        false => Ok(Secret::from_slice(octets)),
    }
}

/// The first certificate or public key of a PEM file, DER, as an RSA key.
fn rsa_key(path: &Path) -> Result<dskpp_crypto::RsaPublicKey, String> {
    use rustls_pki_types::pem::{PemObject as _, SectionKind};
    let text = files::read_text(path).map_err(|why| why.to_string())?;
    let (kind, der) = <(SectionKind, Vec<u8>)>::from_pem_slice(text.as_bytes()).map_err(|why| format!("{why:?}"))?;
    let key = match kind {
        SectionKind::PublicKey => dskpp_crypto::RsaPublicKey::from_spki_der(&der),
        SectionKind::Certificate => dskpp_crypto::RsaPublicKey::from_certificate_der(&der),
        _ => return Err("it has no PUBLIC KEY and no CERTIFICATE block".to_owned()),
    };
    key.map_err(|why| why.to_string())
}

/// A key that is nobody's.
fn sample() -> KeyRecord {
    KeyRecord {
        id: "0123456789ABCDEF0123456789ABCDEF".to_owned(),
        user: Some("sample-user".to_owned()),
        enrolment_id: None,
        key_type: KeyType::Totp,
        params: Params { digits: Some(6), period_s: Some(30), hash: Some(HashName::Sha1), ..Params::default() },
        device: None,
        state: KeyState::Active,
        counter: 0,
        last_step: None,
        drift: 0,
        created_at: now(),
        start_at: None,
        expires_at: None,
        uses_left: None,
        url_s: None,
        label: None,
    }
}

#[cfg(test)]
mod tests;
