//! `dskpp database backup` and `restore`.

use std::path::PathBuf;

use clap::Args;
use dskpp_server::database::{self, BackedUp, BackupContent, Restored};
use dskpp_server::{Config, Error};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::Url;
use crate::output::{Failure, Output};
use crate::serve::fault;

pub(super) const BACKUP_HELP: &str = "For SQLite; servers may run meanwhile. The backup holds everything that was \
    acknowledged before it began. Save the key-encryption key apart from it: a backup is worthless without the key, and \
    open with it.\n\n\
    A PostgreSQL database is backed up with pg_dump or pg_basebackup: see docs/backup.md.";

pub(super) const RESTORE_HELP: &str = "For SQLite; stop the server first. The backup is checked before anything changes: \
    its structure, its schema, and that the key-encryption key of the data folder (or seal.kek_file) opens it. The old \
    database is set aside, not deleted.";

/// Which database.
#[derive(Args)]
struct Which {
    /// Configuration file (the documented dskpp.toml lists every key)
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    config: Option<PathBuf>,

    /// Folder for the database, keys and certificates; overrides the file
    #[arg(long, value_name = "DIR", help_heading = "Configuration")]
    data_dir: Option<PathBuf>,

    #[command(flatten)]
    database: Url,
}

impl Which {
    fn config(&self) -> Result<Config, Failure> {
        let mut config = Config::load(self.config.as_deref()).map_err(fault)?;
        if let Some(data_dir) = &self.data_dir {
            config.server.data_dir.clone_from(data_dir);
        }
        self.database.set(&mut config);
        Ok(config)
    }

    fn failure(&self, why: Error) -> Failure {
        match why {
            Error::Config(why) => fault(why.located(self.config.as_deref())),
            why => Failure::new(why),
        }
    }
}

#[derive(Args)]
pub(crate) struct Backup {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    which: Which,

    /// Replace the file if it exists
    #[arg(long, help_heading = "Output")]
    force: bool,
}

#[derive(Args)]
pub(crate) struct Restore {
    /// A backup
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    which: Which,
}

impl Backup {
    pub(super) fn run(self, output: &Output) -> Result<(), Failure> {
        let config = self.which.config()?;
        let bar = (!output.json).then(bar);
        let mut progress = |done: u64, all: u64| {
            if let Some(bar) = &bar {
                bar.set_length(all);
                bar.set_position(done);
            }
        };
        let done = database::back_up(&config, &self.file, self.force, &mut progress);
        bar.inspect(ProgressBar::finish_and_clear);
        let done = done.map_err(|why| self.which.failure(why))?;
        let document = json!({
            "file": done.file,
            "octets": done.octets,
            "store": done.content.store,
            "schema": done.content.schema,
            "tables": tables(&done.content),
            "kek": done.kek,
            "private_ca": done.folder.join("tls"),
        });
        output.print(&document, || backed_up(&done))
    }
}

impl Restore {
    pub(super) fn run(self, output: &Output) -> Result<(), Failure> {
        let config = self.which.config()?;
        let done = database::restore(&config, &self.file).map_err(|why| self.which.failure(why))?;
        let document = json!({
            "database": done.database,
            "store": done.content.store,
            "schema": done.content.schema,
            "tables": tables(&done.content),
            "aside": done.aside,
        });
        output.print(&document, || restored(&done))
    }
}

/// It draws on standard error, and only on a terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} pages {per_sec} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn tables(content: &BackupContent) -> Vec<serde_json::Value> {
    content.tables.iter().map(|(table, rows)| json!({ "table": table, "rows": rows })).collect()
}

fn rows(content: &BackupContent) -> u64 {
    content.tables.iter().map(|(_, rows)| rows).sum()
}

fn backed_up(done: &BackedUp) -> String {
    let content = &done.content;
    format!(
        "wrote {} ({} octets, schema {}): {} rows in {} tables, checked\n\
         the key-encryption key is not in it: save {} apart from the backup, as whoever has both has all keys\n\
         save the configuration too, and the private CA if there is one ({})",
        done.file.display(),
        done.octets,
        content.schema,
        rows(content),
        content.tables.len(),
        done.kek,
        done.folder.join("tls").display()
    )
}

fn restored(done: &Restored) -> String {
    let content = &done.content;
    let mut lines = vec![format!(
        "restored {} (schema {}): {} rows in {} tables, checked",
        done.database.display(),
        content.schema,
        rows(content),
        content.tables.len()
    )];
    lines.extend(done.aside.as_ref().map(|aside| format!("the old database is in {}", aside.display())));
    lines.push(match done.has_tls {
        true => "next: start the server, and try a one-time password".to_owned(),
        false => {
            "next: put the folder tls of the old data folder into the new one, if the store had a private CA; then \
                  start the server, and try a one-time password"
                .to_owned()
        }
    });
    lines.push(
        "what happened after the backup is unknown to it: keys that were made since must be made again, and \
                one-time passwords that were used since count again until their owners use later ones"
            .to_owned(),
    );
    lines.join("\n")
}
