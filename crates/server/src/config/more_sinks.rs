//! `[[sink]]` of further kinds of servers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::sinks::timeout_s;

/// `kind = "keycloak"`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeycloakSink {
    /// The sink's name.
    pub name: String,
    /// The server's URL, without a path behind that of the installation; https, or http to this machine.
    pub url: String,
    /// PEM file with the CA certificates to trust; empty: those of the system.
    #[serde(default)]
    pub ca_file: PathBuf,
    /// The realm of the users, and of the client.
    pub realm: String,
    /// A confidential client with a service account that may manage the realm's users.
    pub client_id: String,
    /// File with the client's secret.
    #[serde(default)]
    pub client_secret_file: PathBuf,
    /// The environment variable with it instead.
    #[serde(default)]
    pub client_secret_env: String,
    /// Seconds for a request and its answer.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
}

/// `kind = "openbao"`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenBaoSink {
    /// The sink's name.
    pub name: String,
    /// The server's URL; https, or http to this machine.
    pub url: String,
    /// PEM file with the CA certificates to trust; empty: those of the system.
    #[serde(default)]
    pub ca_file: PathBuf,
    /// The path of the TOTP engine; by default `totp`.
    #[serde(default = "mount")]
    pub mount: String,
    /// The issuer that keys have there.
    #[serde(default)]
    pub issuer: String,
    /// File with a token that may write and delete the engine's keys.
    #[serde(default)]
    pub token_file: PathBuf,
    /// The environment variable with it instead.
    #[serde(default)]
    pub token_env: String,
    /// Seconds for a request and its answer.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
}

/// `kind = "graph"`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphSink {
    /// The sink's name.
    pub name: String,
    /// Microsoft Graph's URL; by default `https://graph.microsoft.com`.
    #[serde(default = "graph_url")]
    pub url: String,
    /// The URL where the tenant gives out tokens; by default `https://login.microsoftonline.com`.
    #[serde(default = "login_url")]
    pub login_url: String,
    /// PEM file with the CA certificates to trust; empty: those of the system.
    #[serde(default)]
    pub ca_file: PathBuf,
    /// The tenant's identifier or domain.
    pub tenant: String,
    /// An application with the permissions `Policy.ReadWrite.AuthenticationMethod` and `User.Read.All`.
    pub client_id: String,
    /// File with the application's secret.
    #[serde(default)]
    pub client_secret_file: PathBuf,
    /// The environment variable with it instead.
    #[serde(default)]
    pub client_secret_env: String,
    /// Seconds for a request and its answer.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
}

fn mount() -> String {
    "totp".to_owned()
}

fn graph_url() -> String {
    "https://graph.microsoft.com".to_owned()
}

fn login_url() -> String {
    "https://login.microsoftonline.com".to_owned()
}
