//! The server's configuration: a TOML file, every key of which can also be set in the environment as
//! `DSKPP_<SECTION>_<KEY>`.
//!
//! `dskpp.toml` beside this crate's manifest lists every key with its default. All faults are reported at once, each
//! with its key, value and remedy.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

mod arrays;
mod audit;
mod check;
mod database;
mod devices;
mod environment;
mod explain;
mod faults;
mod log;
mod metrics;
mod more_sinks;
mod names;
mod notices;
mod place;
mod portal;
mod proxy;
mod sinks;
mod templates;
mod validate_check;

pub use audit::AuditSection;
pub use database::{DatabaseSection, Migrate};
pub use devices::DevicesSection;
pub use dskpp_api::KeyType;
use environment::{setting_of, typed};
pub use explain::{Origin, Setting};
pub use faults::{ConfigError, ConfigFault};
pub use log::{LogFormat, LogSection};
pub use metrics::MetricsSection;
pub use more_sinks::{GraphSink, KeycloakSink, OpenBaoSink};
pub use names::{EncryptionName, MacName, Pbkdf2Name};
pub use notices::{CleanupSection, MailSection, MailTls, NoticesSection};
pub use portal::PortalSection;
pub use proxy::{Network, ProxyHeader, ProxySection};
pub use sinks::{FileSink, PrivacyIdeaSink, PskcFolderSink, SinkSection, SinksSection, WebhookSink};
pub use templates::TemplateSection;
pub use validate_check::ValidateCheckSection;

/// The whole configuration. `Config::default()` runs without a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Addresses, folder and names of the server.
    pub server: ServerSection,
    /// The certificate of the HTTPS server.
    pub tls: TlsSection,
    /// The proxies in front of the server.
    pub proxy: ProxySection,
    /// K_SERVER, the key pair under which clients encrypt R_C.
    pub k_server: KServerSection,
    /// The store's database.
    pub database: DatabaseSection,
    /// The key-encryption key.
    pub seal: SealSection,
    /// The trust anchors for devices.
    pub devices: DevicesSection,
    /// Protocol policy.
    pub policy: PolicySection,
    /// Validation of one-time passwords.
    pub validate: ValidateSection,
    /// One-time passwords as clients of privacyIDEA show them.
    pub validate_check: ValidateCheckSection,
    /// What pages for people say about the operator.
    pub portal: PortalSection,
    /// When sinks get keys.
    pub sinks: SinksSection,
    /// The sinks: other systems that get keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sink: Vec<SinkSection>,
    /// The templates: defaults for enrolments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub template: Vec<TemplateSection>,
    /// Who is told what in time.
    pub notices: NoticesSection,
    /// The server that takes mail, and who gets it.
    pub mail: MailSection,
    /// What is forgotten after a while.
    pub cleanup: CleanupSection,
    /// Limits per address and in total.
    pub limits: LimitsSection,
    /// Checkpoints of the audit trail.
    pub audit: AuditSection,
    /// Metrics for Prometheus.
    pub metrics: MetricsSection,
    /// Logging.
    pub log: LogSection,
}

/// `[server]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSection {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Folder for the store, keys, certificates and the first admin token.
    pub data_dir: PathBuf,
    /// Every URL_S at which clients reach this server, exactly as clients spell it (profile P13); triggers name the
    /// first. Empty: `https://localhost:PORT/dskpp` and `https://127.0.0.1:PORT/dskpp`.
    pub public_urls: Vec<String>,
    /// Serve without TLS; loopback addresses only.
    pub http: bool,
    /// The `<ServerID>` of key packages (profile P8). Empty: the first public URL.
    pub server_id: String,
    /// The `<Issuer>` of key packages. Empty: none is sent.
    pub issuer: String,
    /// Threads that serve connections.
    pub workers: usize,
    /// Seconds at shutdown in which `/readyz` is 503 and everything is still served, so that balancers turn away.
    pub drain_s: u64,
    /// Seconds that running requests have to finish at shutdown.
    pub shutdown_grace_s: u64,
}

/// `[tls]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSection {
    /// PEM file with the certificate and its chain. Empty: a private CA in `data_dir/tls`.
    pub certificate: PathBuf,
    /// PEM file with the certificate's private key.
    pub key: PathBuf,
    /// Seconds between checks of the files; the server reloads changed files without a restart.
    pub reload_s: u64,
}

/// `[k_server]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KServerSection {
    /// PEM file (PKCS #8) with an RSA key of 2048 to 4096 bits. Empty: generated at the first start and kept sealed in
    /// the store.
    pub key: PathBuf,
    /// PEM file with the key's certificate chain, sent to clients (profile P29). Empty: the private CA certifies the
    /// key.
    pub certificate: PathBuf,
}

/// `[seal]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SealSection {
    /// File with the key-encryption key, 64 hexadecimal digits. Empty: the systemd credential `dskpp-kek`, or
    /// `data_dir/kek`, generated at the first start. `DSKPP_KEK` in the environment overrides all of them. With any but
    /// the last, only [`crate::setup::database::migrate`] creates the store, never a start.
    pub kek_file: PathBuf,
    /// Files with further keys, which open what they have sealed, while the key is changed: the database says which of
    /// all keys seals. See [`crate::seal::rotate`].
    pub further_kek_files: Vec<PathBuf>,
}

/// `[policy]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicySection {
    /// Key types that may be provisioned.
    pub key_types: Vec<KeyType>,
    /// Algorithms that may encrypt R_C (profile P19).
    pub encryption_algorithms: Vec<EncryptionName>,
    /// DSKPP-PRFs that may be used (RFC 6063 appendix D).
    pub mac_algorithms: Vec<MacName>,
    /// The PRF of PBKDF2; not negotiated, so configure clients identically (profile P2).
    pub pbkdf2_prf: Pbkdf2Name,
    /// Maximum PBKDF2 iterations that a client may request (profile P3); the minimum of 100,000 is fixed.
    pub iteration_ceiling: u32,
    /// Seconds from ClientHello until the session expires (profile P28).
    pub session_lifetime_s: u64,
    /// Default lifetime of an enrolment, in seconds.
    pub enrolment_lifetime_s: u64,
    /// The template of enrolments that name none and are for no group. Empty: they have none.
    pub template: String,
    /// Wrong tries from one address after which every code of the enrolment is rejected from there for 15 minutes.
    pub lock_after: u32,
}

/// `[validate]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidateSection {
    /// HOTP counter values to try beyond the expected one.
    pub hotp_look_ahead: u32,
    /// TOTP time steps to try before and after the expected one.
    pub totp_window: u32,
}

/// `[limits]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSection {
    /// DSKPP requests, and admin API calls with tokens that were not valid before, per second from one address (IPv6:
    /// one /64); 0 is no limit.
    pub requests_per_address_per_s: u32,
    /// The burst size.
    pub requests_per_address_burst: u32,
    /// DSKPP requests per second in total; 0 is no limit.
    pub requests_per_s: u32,
    /// Admin API calls per second with one token, in bursts of at most twice as many; 0 is no limit.
    pub requests_per_token_per_s: u32,
    /// Open connections in total; fewer if the system allows fewer open files.
    pub max_connections: usize,
    /// Open connections from one address (IPv6: one /64).
    pub max_connections_per_address: usize,
    /// Seconds for a TLS handshake, and for a proxy's header before it.
    pub handshake_timeout_s: u64,
    /// Seconds for a request's headers; also the lifetime of an idle connection.
    pub header_timeout_s: u64,
    /// Seconds for a request's body.
    pub body_timeout_s: u64,
    /// Seconds within which a client must take some of an answer.
    pub write_timeout_s: u64,
    /// Seconds from a request's first octet until its answer is written; an export of keys may take longer.
    pub request_timeout_s: u64,
    /// Threads for PBKDF2 and RSA; 0 is one per processor.
    pub crypto_threads: usize,
    /// Runs that may wait for each of these threads, at most half of them from one address; beyond that the answer is
    /// 429.
    pub crypto_queue: usize,
    /// Seconds that a run may wait; then the answer is 429.
    pub crypto_wait_s: u64,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            data_dir: "./dskpp-data".into(),
            public_urls: Vec::new(),
            http: false,
            server_id: String::new(),
            issuer: String::new(),
            workers: 2,
            drain_s: 0,
            shutdown_grace_s: 10,
        }
    }
}

impl Default for TlsSection {
    fn default() -> Self {
        Self { certificate: PathBuf::new(), key: PathBuf::new(), reload_s: 10 }
    }
}

impl Default for PolicySection {
    fn default() -> Self {
        Self {
            key_types: KeyType::ALL.iter().copied().filter(|key_type| *key_type != KeyType::Other).collect(),
            encryption_algorithms: EncryptionName::ALL.to_vec(),
            mac_algorithms: MacName::ALL.to_vec(),
            pbkdf2_prf: Pbkdf2Name::HmacSha1,
            iteration_ceiling: 200_000,
            session_lifetime_s: 600,
            enrolment_lifetime_s: 7 * 86_400,
            template: String::new(),
            lock_after: 10,
        }
    }
}

impl Default for ValidateSection {
    fn default() -> Self {
        Self { hotp_look_ahead: 10, totp_window: 1 }
    }
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self {
            requests_per_address_per_s: 500,
            requests_per_address_burst: 1000,
            requests_per_s: 20_000,
            requests_per_token_per_s: 1000,
            max_connections: 4096,
            max_connections_per_address: 1024,
            handshake_timeout_s: 10,
            header_timeout_s: 15,
            body_timeout_s: 10,
            write_timeout_s: 10,
            request_timeout_s: 60,
            crypto_threads: 0,
            crypto_queue: 64,
            crypto_wait_s: 10,
        }
    }
}

impl Config {
    /// Reads the file, if any, then the process's environment, which overrides it.
    ///
    /// # Errors
    /// Every fault of either; cross-checks between keys happen when the server starts, since command-line options may
    /// still override both.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let text = match file {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|why| {
                let fault = ConfigFault::new("", "", format!("cannot be read: {why}; name a readable file"));
                ConfigError(vec![ConfigFault { place: Some(path.display().to_string()), ..fault }])
            })?,
        };
        Self::read_os(&text, std::env::vars_os()).map_err(|why| why.located(file))
    }

    /// Reads TOML text and environment variables; the latter override. Variables without a prefix `DSKPP_<SECTION>_`
    /// are ignored.
    ///
    /// ```
    /// let variables = [("DSKPP_SERVER_LISTEN".to_owned(), "[::1]:9443".to_owned())];
    /// let config = dskpp_server::Config::read("[log]\nformat = 'json'", variables)?;
    /// assert_eq!(config.server.listen.port(), 9443);
    /// # Ok::<(), dskpp_server::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// Invalid TOML, unknown sections and keys, values of the wrong type.
    pub fn read(text: &str, variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut given: Table =
            text.parse().map_err(|why: toml::de::Error| ConfigError(vec![place::unreadable(text, &why)]))?;
        let mut faults = Vec::new();
        let defaults = Table::try_from(Config::default()).expect("every field has a TOML form");
        for (name, value) in variables {
            if let Some((section, key)) = setting_of(&name, &defaults) {
                let value = typed(&defaults, &section, &key, &value);
                // A plain value where a section belongs is reported below.
                if let Value::Table(section) = given.entry(section).or_insert_with(|| Value::Table(Table::new())) {
                    section.insert(key, value);
                }
            }
        }
        // Each key on its own, so that one fault does not hide the next.
        for (section, keys) in &given {
            let of_array = match section.as_str() {
                "sink" => Some(arrays::faults::<SinkSection>(section, keys)),
                "template" => Some(arrays::faults::<TemplateSection>(section, keys)),
                _ => None,
            };
            if let Some(of_array) = of_array {
                faults.extend(of_array);
                continue;
            }
            let Value::Table(keys) = keys else {
                faults.push(fault(section, keys, "not a section; write [section] and its keys"));
                continue;
            };
            for (key, value) in keys {
                let alone = Table::from_iter([(key.clone(), value.clone())]);
                let alone = Table::from_iter([(section.clone(), Value::Table(alone))]);
                if let Err(why) = alone.try_into::<Config>() {
                    faults.push(fault(&format!("{section}.{key}"), value, why.message()));
                }
            }
        }
        if faults.is_empty() {
            given.try_into().map_err(|why| ConfigError(vec![ConfigFault::new("", "", why)]))
        } else {
            Err(ConfigError(faults))
        }
    }

    /// Every accepted URL_S (profile P13), the first one for triggers. `port` is the port that the server listens on.
    pub fn public_urls(&self, port: u16) -> Vec<String> {
        if !self.server.public_urls.is_empty() {
            return self.server.public_urls.clone();
        }
        let scheme = if self.server.http { "http" } else { "https" };
        ["localhost", "127.0.0.1"].map(|host| format!("{scheme}://{host}:{port}/dskpp")).to_vec()
    }
}

fn fault(key: &str, value: &Value, remedy: &str) -> ConfigFault {
    ConfigFault::new(key, value, remedy.trim())
}
