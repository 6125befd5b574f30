//! `dskpp serve`.

use clap::Args;
use dskpp_server::{ConfigError, Error, ServerOptions};

use crate::config::Settings;
use crate::log;
use crate::output::{Failure, Output};

/// Run a server. Defaults: ./dskpp-data, SQLite, generated keys and certificates, https on 127.0.0.1:8443.
#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    settings: Settings,

    /// Create a new store; move the remains of an incomplete one (its key or its database) aside
    #[arg(long, help_heading = "Store and CA")]
    init: bool,

    /// Create a new private CA and move the old one aside; clients then need the new tls/ca.pem
    #[arg(long, help_heading = "Store and CA")]
    new_ca: bool,
}

impl Serve {
    pub(crate) fn run(self, _: &Output) -> Result<(), Failure> {
        let config = self.settings.load().map_err(fault)?;
        log::start(&config.log, self.settings.file.as_deref())?;
        let hint = |running: &dskpp_server::Running| {
            if running.has_admin_token() {
                tracing::info!("admin token in {}", running.admin_token_file().display());
            }
            if let Some(ca) = running.ca_file() {
                tracing::info!("clients need the private CA in {}", ca.display());
            }
        };
        let reload = || {
            let config = self.settings.load()?;
            config.check().map_err(|why| why.located(self.settings.file.as_deref()))?;
            if let Err(why) = log::set_level(&config.log.level) {
                tracing::error!("the log level stays unchanged: {why}");
            }
            Ok(config)
        };
        let options = ServerOptions { init: self.init, new_ca: self.new_ca, ..ServerOptions::default() };
        dskpp_server::run(config, options, hint, reload).map_err(|why| match why {
            Error::Config(why) => fault(why.located(self.settings.file.as_deref())),
            why => Failure::new(why),
        })
    }
}

/// The failure for a configuration error.
pub(crate) fn fault(why: ConfigError) -> Failure {
    Failure::new("invalid configuration:")
        .details(why.0)
        .next("correct these settings and start again; the documented dskpp.toml lists every key with its default")
}
