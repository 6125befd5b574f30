//! `[sinks]` and `[[sink]]`: other systems that get keys.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigFault;
use super::arrays::{NAME_REMEDY, is_name};
use super::more_sinks::{GraphSink, KeycloakSink, OpenBaoSink};

/// `[sinks]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SinksSection {
    /// The sinks of enrolments that name none.
    pub default: Vec<String>,
    /// Seconds until a failed delivery is tried again; each further time takes twice as long, up to an hour.
    pub retry_s: u64,
    /// Seconds after which a delivery that still fails is given up.
    pub give_up_after_s: u64,
}

impl Default for SinksSection {
    fn default() -> Self {
        SinksSection { default: Vec::new(), retry_s: 5, give_up_after_s: 3 * 86_400 }
    }
}

/// `[[sink]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SinkSection {
    /// Signed HTTP requests.
    Webhook(WebhookSink),
    /// A privacyIDEA server.
    Privacyidea(PrivacyIdeaSink),
    /// A users file of liboath (pam_oath, FreeRADIUS).
    Liboath(FileSink),
    /// A CSV file for Microsoft Entra ID.
    CsvEntra(FileSink),
    /// A CSV file for Duo.
    CsvDuo(FileSink),
    /// A folder for encrypted PSKC files.
    PskcFolder(PskcFolderSink),
    /// A realm of a Keycloak server. Not yet verified with the real server.
    Keycloak(KeycloakSink),
    /// The TOTP engine of an OpenBao server. Not yet verified with the real server.
    Openbao(OpenBaoSink),
    /// Microsoft Entra ID, by Microsoft Graph (beta). Not yet verified with the real service.
    Graph(GraphSink),
}

/// Seconds for a request to a sink and its answer.
const TIMEOUT_S: u64 = 20;

pub(super) fn timeout_s() -> u64 {
    TIMEOUT_S
}

/// `kind = "webhook"`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSink {
    /// The sink's name.
    pub name: String,
    /// Where requests are posted; https, or http to this machine.
    pub url: String,
    /// PEM file with the CA certificates to trust; empty: those of the system.
    #[serde(default)]
    pub ca_file: PathBuf,
    /// PEM file with the receiver's RSA public key or certificate, under which secrets are encrypted.
    pub public_key_file: PathBuf,
    /// File with the key of the signature: `whsec_` and Base64, as Standard Webhooks have it.
    #[serde(default)]
    pub signing_key_file: PathBuf,
    /// The environment variable with it instead.
    #[serde(default)]
    pub signing_key_env: String,
    /// Seconds for a request and its answer.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
}

/// `kind = "privacyidea"`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacyIdeaSink {
    /// The sink's name.
    pub name: String,
    /// The server's URL, without a path behind that of the installation; https, or http to this machine.
    pub url: String,
    /// PEM file with the CA certificates to trust; empty: those of the system.
    #[serde(default)]
    pub ca_file: PathBuf,
    /// The realm of the users; empty: the server's default.
    #[serde(default)]
    pub realm: String,
    /// An administrator of the server, who may enrol and delete tokens; with a password. Empty: an API key instead.
    #[serde(default)]
    pub admin: String,
    /// File with the administrator's password.
    #[serde(default)]
    pub password_file: PathBuf,
    /// The environment variable with it instead.
    #[serde(default)]
    pub password_env: String,
    /// File with an API key (`X-API-Key`, from privacyIDEA 3.14), instead of an administrator.
    #[serde(default)]
    pub api_key_file: PathBuf,
    /// The environment variable with it instead.
    #[serde(default)]
    pub api_key_env: String,
    /// Seconds for a request and its answer.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
}

/// Kinds that keep a line per key in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSink {
    /// The sink's name.
    pub name: String,
    /// The file, created if it is not there.
    pub file: PathBuf,
}

/// `kind = "pskc-folder"`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PskcFolderSink {
    /// The sink's name.
    pub name: String,
    /// The folder, which must be there.
    pub folder: PathBuf,
    /// PEM file with the RSA certificate under which keys are encrypted.
    #[serde(default)]
    pub certificate_file: PathBuf,
    /// File with an AES key of 16, 24 or 32 octets in hexadecimal instead.
    #[serde(default)]
    pub key_file: PathBuf,
    /// The environment variable with that instead.
    #[serde(default)]
    pub key_env: String,
}

impl SinkSection {
    /// The sink's name.
    pub fn name(&self) -> &str {
        match self {
            SinkSection::Webhook(sink) => &sink.name,
            SinkSection::Privacyidea(sink) => &sink.name,
            SinkSection::Liboath(sink) | SinkSection::CsvEntra(sink) | SinkSection::CsvDuo(sink) => &sink.name,
            SinkSection::PskcFolder(sink) => &sink.name,
            SinkSection::Keycloak(sink) => &sink.name,
            SinkSection::Openbao(sink) => &sink.name,
            SinkSection::Graph(sink) => &sink.name,
        }
    }

    /// The kind's name.
    pub fn kind(&self) -> &'static str {
        match self {
            SinkSection::Webhook(_) => "webhook",
            SinkSection::Privacyidea(_) => "privacyidea",
            SinkSection::Liboath(_) => "liboath",
            SinkSection::CsvEntra(_) => "csv-entra",
            SinkSection::CsvDuo(_) => "csv-duo",
            SinkSection::PskcFolder(_) => "pskc-folder",
            SinkSection::Keycloak(_) => "keycloak",
            SinkSection::Openbao(_) => "openbao",
            SinkSection::Graph(_) => "graph",
        }
    }

    fn timeout_s(&self) -> u64 {
        match self {
            SinkSection::Webhook(sink) => sink.timeout_s,
            SinkSection::Privacyidea(sink) => sink.timeout_s,
            SinkSection::Keycloak(sink) => sink.timeout_s,
            SinkSection::Openbao(sink) => sink.timeout_s,
            SinkSection::Graph(sink) => sink.timeout_s,
            _ => TIMEOUT_S,
        }
    }
}

impl super::Config {
    pub(super) fn check_sinks(&self, faults: &mut Vec<ConfigFault>) {
        let mut fault = |holds: bool, key: String, value: &str, remedy: &str| {
            if !holds {
                faults.push(ConfigFault::new(key, value, remedy));
            }
        };
        for (i, sink) in self.sink.iter().enumerate() {
            let (key, name) = (format!("sink.{}", i + 1), sink.name());
            fault(is_name(name), format!("{key}.name"), name, NAME_REMEDY);
            let is_first = !self.sink[..i].iter().any(|other| other.name() == name);
            fault(is_first, format!("{key}.name"), name, "each sink needs a name of its own");
            let timeout_s = sink.timeout_s();
            fault((1..=60).contains(&timeout_s), format!("{key}.timeout_s"), &timeout_s.to_string(), "use 1 to 60");
        }
        let sinks = &self.sinks;
        for name in &sinks.default {
            let is_there = self.sink.iter().any(|sink| sink.name() == name);
            fault(is_there, "sinks.default".into(), name, "there is no [[sink]] of this name");
        }
        for (key, value, most) in
            [("sinks.retry_s", sinks.retry_s, 3600), ("sinks.give_up_after_s", sinks.give_up_after_s, 366 * 86_400)]
        {
            fault((1..=most).contains(&value), key.into(), &value.to_string(), &format!("use 1 to {most}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn a_sink_is_read_strictly_and_every_fault_has_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dskpp.toml");
        let shown = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let checked = Config::load(Some(&path)).and_then(|config| config.check().map(|()| config));
            let text = checked.map_err(|why| why.located(Some(&path))).map(|_| ()).unwrap_err().to_string();
            text.replace(&path.display().to_string(), "FILE")
        };
        let first = "[[sink]]\nkind = 'liboath'\nname = 'pam'\nfile = '/etc/users.oath'\n";
        for (text, expected) in [
            ("[[sink]]\nkind = 'liboath'\nname = 'pam'\n", "FILE, line 1: sink.1 = \"pam\": missing field `file`"),
            ("[[sink]]\nname = 'pam'\nkind = 'pam'\n", "FILE, line 1: sink.1 = \"pam\": unknown variant `pam`"),
            ("sink = 1\n", "FILE, line 1: sink = 1: write [[sink]]"),
            ("[sinks]\ndefault = ['pam']\n", "FILE, line 2: sinks.default = pam: there is no [[sink]]"),
            ("[sinks]\nretry_s = 0\n", "FILE, line 2: sinks.retry_s = 0: use 1 to 3600"),
        ] {
            let shown = shown(text);
            assert!(shown.contains(expected), "{text}: {shown}");
        }
        for (more, expected) in [
            (
                "\n[[sink]]\nkind = 'liboath'\nname = 'b'\nfile = 'x'\nfiles = 1\n",
                "FILE, line 10: sink.2.files = 1: unknown",
            ),
            ("\n[[sink]]\nkind = 'liboath'\nname = 'pam'\nfile = 'x'\n", "FILE, line 8: sink.2.name = pam: each sink"),
            (
                "\n[[sink]]\nkind = 'liboath'\nname = 'Pam'\nfile = 'x'\n",
                "FILE, line 8: sink.2.name = Pam: use 1 to 64",
            ),
        ] {
            let shown = shown(&format!("{first}{more}"));
            assert!(shown.contains(expected), "{more}: {shown}");
        }
        let environment = [("DSKPP_SINKS_DEFAULT", "pam"), ("DSKPP_SINK_SECRET", "of a sink, and no setting")];
        let config = Config::read(first, environment.map(|(name, value)| (name.into(), value.into()))).unwrap();
        assert_eq!((config.sinks.default, config.sink.len()), (vec!["pam".to_owned()], 1));
    }
}
