//! `dskpp serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use dskpp_server::{Config, ConfigError, Error, ServerOptions};

use crate::database::Url;
use crate::log;
use crate::output::{Failure, Output};

/// Run a server. Defaults: ./dskpp-data, SQLite, generated keys and certificates, https on 127.0.0.1:8443.
#[derive(Args)]
pub(crate) struct Serve {
    /// Configuration file (the documented dskpp.toml lists every key)
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    config: Option<PathBuf>,

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

    /// Create a new store; move the remains of an incomplete one (its key or its database) aside
    #[arg(long, help_heading = "Store and CA")]
    init: bool,

    /// Create a new private CA and move the old one aside; clients then need the new tls/ca.pem
    #[arg(long, help_heading = "Store and CA")]
    new_ca: bool,
}

impl Serve {
    pub(crate) fn run(self, _: &Output) -> Result<(), Failure> {
        let config = self.config().map_err(fault)?;
        log::start(&config.log, self.config.as_deref())?;
        let hint = |running: &dskpp_server::Running| {
            if running.has_admin_token() {
                tracing::info!("admin token in {}", running.admin_token_file().display());
            }
            if let Some(ca) = running.ca_file() {
                tracing::info!("clients need the private CA in {}", ca.display());
            }
        };
        let reload = || {
            let config = self.config()?;
            config.check().map_err(|why| why.located(self.config.as_deref()))?;
            if let Err(why) = log::set_level(&config.log.level) {
                tracing::error!("the log level stays unchanged: {why}");
            }
            Ok(config)
        };
        let options = ServerOptions { init: self.init, new_ca: self.new_ca, ..ServerOptions::default() };
        dskpp_server::run(config, options, hint, reload).map_err(|why| match why {
            Error::Config(why) => fault(why.located(self.config.as_deref())),
            why => Failure::new(why),
        })
    }

    /// The current configuration with the command line's overrides.
    fn config(&self) -> Result<Config, ConfigError> {
        let mut config = Config::load(self.config.as_deref())?;
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
}

/// The failure for a configuration error.
pub(crate) fn fault(why: ConfigError) -> Failure {
    Failure::new("invalid configuration:")
        .details(why.0)
        .next("correct these settings and start again; the documented dskpp.toml lists every key with its default")
}
