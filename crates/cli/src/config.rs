//! `dskpp config`: the server's configuration, without a server.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use dskpp_server::config::{Origin, Setting};
use dskpp_server::{Config, ConfigError};
use serde_json::{Value, json};

use crate::admin::table;
use crate::database::Url;
use crate::output::{Failure, Output};
use crate::serve::fault;

/// The command's subcommands.
#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the whole configuration and every file that it names; starts nothing and changes nothing
    Check(Settings),
    /// Show every setting in force and where it comes from; shows no secret
    Show {
        #[command(flatten)]
        settings: Settings,
        /// Only settings that somebody has set
        #[arg(long, help_heading = "Filter")]
        changed: bool,
    },
}

/// A server's configuration: a file, the environment, and options.
#[derive(Args)]
pub(crate) struct Settings {
    /// Configuration file (the documented dskpp.toml lists every key)
    #[arg(long = "config", value_name = "FILE", help_heading = "Configuration")]
    pub(crate) file: Option<PathBuf>,

    /// Folder for the database, keys and certificates; overrides the file
    #[arg(long, value_name = "DIR", help_heading = "Configuration")]
    data_dir: Option<PathBuf>,

    #[command(flatten)]
    database: Url,

    /// Address to listen on; overrides the file. Port 0 picks a free port
    #[arg(long, value_name = "ADDR:PORT", help_heading = "Connection")]
    listen: Option<SocketAddr>,

    /// Serve without TLS; loopback addresses only
    #[arg(long, help_heading = "Connection")]
    http: bool,
}

impl Settings {
    /// The current configuration with the command line's overrides.
    pub(crate) fn load(&self) -> Result<Config, ConfigError> {
        let mut config = Config::load(self.file.as_deref())?;
        if let Some(data_dir) = &self.data_dir {
            config.server.data_dir.clone_from(data_dir);
        }
        self.database.set(&mut config);
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        }
        config.server.http |= self.http;
        Ok(config)
    }

    /// The keys that options override.
    fn options(&self) -> Vec<(&'static str, &'static str)> {
        let options = [
            (self.data_dir.is_some(), ("server.data_dir", "--data-dir")),
            (self.database.is_set(), ("database.url", "--database")),
            (self.listen.is_some(), ("server.listen", "--listen")),
            (self.http, ("server.http", "--http")),
        ];
        options.into_iter().filter_map(|(is_given, option)| is_given.then_some(option)).collect()
    }

    fn faulty(&self, why: ConfigError) -> Failure {
        let why = why.located(self.file.as_deref());
        let faults = why.0.iter().map(
            |fault| json!({ "key": fault.key, "value": fault.value, "remedy": fault.remedy, "place": fault.place }),
        );
        let document = json!({ "valid": false, "faults": faults.collect::<Value>() });
        fault(why).with(document)
    }
}

impl ConfigCommand {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            ConfigCommand::Check(settings) => {
                let checked = settings.load().and_then(|config| config.check_with_files());
                checked.map_err(|why| settings.faulty(why))?;
                output.print(&json!({ "valid": true, "faults": [] }), || "the configuration is valid".to_owned())
            }
            ConfigCommand::Show { settings, changed } => {
                let config = settings.load().map_err(|why| settings.faulty(why))?;
                let mut all = config.settings(settings.file.as_deref(), &settings.options());
                all.retain(|setting| !changed || setting.origin != Origin::Default);
                let document = json!({ "settings": all.iter().map(document).collect::<Value>() });
                output.print(&document, || {
                    let row = |setting: &Setting| {
                        vec![setting.key.clone(), setting.value.clone(), setting.origin.to_string()]
                    };
                    table(&["KEY", "VALUE", "FROM"], all.iter().map(row).collect())
                })
            }
        }
    }
}

fn document(setting: &Setting) -> Value {
    let (from, place) = match &setting.origin {
        Origin::Default => ("default", Value::Null),
        Origin::File(path, line) => ("file", json!(format!("{}, line {line}", path.display()))),
        Origin::Environment(variable) => ("environment", json!(variable)),
        Origin::Option(option) => ("option", json!(option)),
    };
    json!({ "key": setting.key, "value": setting.value, "from": from, "place": place })
}
