//! `dskpp database copy`.

use std::path::PathBuf;

use clap::Args;
use dskpp_server::database::{self, Copied, CopyProgress, CopyStep};
use dskpp_server::{Config, Error};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::output::{Failure, Output};
use crate::serve::fault;

pub(super) const HELP: &str = "Stop the servers of the source first: the command refuses to copy a database that is in \
    use, and does not call a copy finished that differs from the source. The destination must be empty. After an \
    interruption run the same command again: it goes on where it was. No server opens the destination before the copy is \
    finished.\n\n\
    Secrets are copied as they are sealed: the key-encryption key stays the same.";

#[derive(Args)]
pub(crate) struct Copy {
    /// The source: sqlite:PATH or postgres://USER@HOST/NAME
    #[arg(long, value_name = "URL", help_heading = "Databases")]
    from: String,

    /// The destination, an empty database or an unfinished copy: sqlite:PATH or postgres://USER@HOST/NAME
    #[arg(long, value_name = "URL", help_heading = "Databases")]
    to: String,

    /// Configuration file, for seal.kek_file and database.password_file
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    config: Option<PathBuf>,
}

impl Copy {
    pub(super) fn run(self, output: &Output) -> Result<(), Failure> {
        let config = Config::load(self.config.as_deref()).map_err(fault)?;
        let bar = (!output.json).then(bar);
        let mut progress = |progress: CopyProgress<'_>| show(bar.as_ref(), progress);
        let copied = database::copy(&config, &self.from, &self.to, &mut progress);
        bar.inspect(ProgressBar::finish_and_clear);
        let copied = copied.map_err(|why| match why {
            Error::Config(why) => fault(why.located(self.config.as_deref())),
            why => Failure::new(why),
        })?;
        output.print(&document(&copied), || text(&copied))
    }
}

/// It draws on standard error, and only on a terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{msg:24} {wide_bar} {pos}/{len} rows {per_sec} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show(bar: Option<&ProgressBar>, progress: CopyProgress<'_>) {
    let Some(bar) = bar else { return };
    let verb = match progress.step {
        CopyStep::Verify => "verifying",
        _ => "copying",
    };
    if progress.done < bar.position() {
        bar.reset();
    }
    bar.set_message(format!("{verb} {}", progress.table));
    bar.set_length(progress.total);
    bar.set_position(progress.done);
}

fn document(copied: &Copied) -> serde_json::Value {
    let hex = |sha256: &[u8]| data_encoding::HEXLOWER.encode(sha256);
    let tables = copied
        .tables
        .iter()
        .map(|table| json!({ "table": table.table, "rows": table.rows, "sha256": hex(&table.sha256) }));
    json!({
        "from": copied.from,
        "to": copied.to,
        "store": copied.store,
        "schema": copied.schema,
        "copied": copied.copied,
        "tables": tables.collect::<Vec<_>>(),
        "kek": copied.kek,
    })
}

fn text(copied: &Copied) -> String {
    let rows: u64 = copied.tables.iter().map(|table| table.rows).sum();
    let done = match copied.copied {
        0 => "nothing was left to copy of".to_owned(),
        count => format!("copied {count} rows of"),
    };
    let mut lines = vec![
        format!("{done} the store {} (schema {}) from {} to {}", copied.store, copied.schema, copied.from, copied.to),
        format!("{rows} rows in {} tables are the same in both, by counts and SHA-256:", copied.tables.len()),
    ];
    lines.extend(copied.tables.iter().map(|table| {
        let sha256 = data_encoding::HEXLOWER.encode(&table.sha256);
        format!("  {:<16} {:>10}  {sha256}", table.table, table.rows)
    }));
    let key = match (&copied.kek, &copied.folder) {
        (Some(place), _) => format!("{place} opens the copy"),
        (None, Some(folder)) => {
            let kek = folder.join("kek");
            format!("copy the source's to {}, or name its file in seal.kek_file", kek.display())
        }
        (None, None) => "name a file with the source's in seal.kek_file of every server".to_owned(),
    };
    lines.push(format!("the key-encryption key stays the same: {key}"));
    lines.push(
        "a private CA is no part of the database: copy the folder tls of the old data folder into the new one before the \
         first start"
            .to_owned(),
    );
    lines.join("\n")
}
