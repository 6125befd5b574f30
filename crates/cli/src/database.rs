//! `dskpp database …`

mod backup;
mod check;
mod copy;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use dskpp_server::{Config, Error, database};
use serde_json::json;

use crate::output::{Failure, Output};
use crate::serve::fault;

/// The command's subcommands.
#[derive(Subcommand)]
pub(crate) enum Database {
    /// Migrate a database to this version's schema, or create one
    #[command(after_help = "If the deployment supplies the key-encryption key (DSKPP_KEK, seal.kek_file or a systemd \
                            credential), `dskpp serve` never creates a database: a missing one may be a lost one. Run \
                            `dskpp database migrate --init` first; it is idempotent, and several nodes can run it at \
                            once. A server that starts also migrates, unless database.migrate \
                            (DSKPP_DATABASE_MIGRATE) is \"by-command\".")]
    Migrate(Migrate),
    /// Compare a database with its schema, read every row and follow the audit trail
    #[command(after_help = check::HELP)]
    Check(check::Check),
    /// Copy a store into another database, SQLite or PostgreSQL
    #[command(after_help = copy::HELP)]
    Copy(copy::Copy),
    /// Write a backup of a SQLite database while servers use it
    #[command(after_help = backup::BACKUP_HELP)]
    Backup(backup::Backup),
    /// Put a backup in the place of a SQLite database
    #[command(after_help = backup::RESTORE_HELP)]
    Restore(backup::Restore),
}

#[derive(Args)]
pub(crate) struct Migrate {
    /// Configuration file (the documented dskpp.toml lists every key)
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    config: Option<PathBuf>,

    /// Folder for the database, keys and certificates; overrides the file
    #[arg(long, value_name = "DIR", help_heading = "Configuration")]
    data_dir: Option<PathBuf>,

    #[command(flatten)]
    database: Url,

    /// Create an empty database
    #[arg(long, help_heading = "Store")]
    init: bool,
}

/// Which database, where not the configuration's.
#[derive(Args)]
pub(crate) struct Url {
    /// Database: sqlite:PATH or postgres://USER@HOST/NAME; overrides the file
    #[arg(long = "database", value_name = "URL", help_heading = "Configuration")]
    url: Option<String>,
}

impl Url {
    pub(crate) fn is_set(&self) -> bool {
        self.url.is_some()
    }

    pub(crate) fn set(&self, config: &mut Config) {
        if let Some(url) = &self.url {
            config.database.url.clone_from(url);
        }
    }
}

/// The configuration with the command line's overrides.
fn load(file: Option<&Path>, data_dir: Option<PathBuf>, url: &Url) -> Result<Config, Failure> {
    let mut config = Config::load(file).map_err(fault)?;
    if let Some(data_dir) = data_dir {
        config.server.data_dir = data_dir;
    }
    url.set(&mut config);
    Ok(config)
}

impl Database {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Database::Migrate(migrate) => migrate.run(output),
            Database::Copy(copy) => copy.run(output),
            Database::Backup(backup) => backup.run(output),
            Database::Restore(restore) => restore.run(output),
            Database::Check(check) => check.run(output),
        }
    }
}

impl Migrate {
    fn run(self, output: &Output) -> Result<(), Failure> {
        let Migrate { config: file, data_dir, database: url, init } = self;
        let config = load(file.as_deref(), data_dir, &url)?;
        let migrated = database::migrate(&config, init).map_err(|why| match why {
            Error::Config(why) => fault(why.located(file.as_deref())),
            why => Failure::new(why),
        })?;
        let folder = migrated.folder.display().to_string();
        let document = json!({
            "data_dir": folder,
            "store": migrated.store,
            "schema": migrated.schema,
            "begun": migrated.begun,
        });
        output.print(&document, || {
            let what = if migrated.begun { "created a new store" } else { "the store exists" };
            format!("{what} in {folder}: {}, schema {}", migrated.store, migrated.schema)
        })
    }
}
