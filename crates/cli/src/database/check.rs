//! `dskpp database check`.

use std::path::PathBuf;

use clap::Args;
use dskpp_server::{Error, database};
use serde_json::json;

use super::{Url, load};
use crate::output::{Failure, Output};
use crate::serve::fault;

pub(crate) const HELP: &str = "Checks that migrations are done; that every table, column, type, constraint and index is \
    there as this version's migrations make them; that every row can be read and every secret unsealed; that rows refer \
    to rows that exist; that the hash chains of the audit trail are unbroken; for SQLite also the file's integrity. \
    Lists all findings, each with its place; the exit code is 1 if there are any. Only reads, and works beside running \
    servers. It reads everything: allow a minute for a million keys.";

#[derive(Args)]
pub(crate) struct Check {
    /// Configuration file (the documented dskpp.toml lists every key)
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    config: Option<PathBuf>,

    /// Folder for the database, keys and certificates; overrides the file
    #[arg(long, value_name = "DIR", help_heading = "Configuration")]
    data_dir: Option<PathBuf>,

    #[command(flatten)]
    database: Url,
}

impl Check {
    pub(super) fn run(self, output: &Output) -> Result<(), Failure> {
        let file = self.config;
        let config = load(file.as_deref(), self.data_dir, &self.database)?;
        let (name, checked) = database::check(&config).map_err(|why| match why {
            Error::Config(why) => fault(why.located(file.as_deref())),
            why => Failure::new(why),
        })?;
        let findings: Vec<_> =
            checked.findings.iter().map(|it| json!({ "place": it.place, "what": it.what })).collect();
        let rows: serde_json::Map<_, _> =
            checked.rows.iter().map(|(table, count)| ((*table).to_owned(), json!(count))).collect();
        let document = json!({
            "database": name,
            "schema": checked.schema,
            "oldest": checked.oldest,
            "rows": rows,
            "findings": findings,
        });
        if !checked.findings.is_empty() {
            let next = "correct what is listed, or restore a backup; docs/database.md says what the findings mean";
            let failure = Failure::new(format!("{name}: {} findings", checked.findings.len()));
            return Err(failure.details(checked.findings).next(next).with(document));
        }
        output.print(&document, || {
            let rows: u64 = checked.rows.iter().map(|(_, count)| count).sum();
            let (schema, oldest) = (checked.schema, checked.oldest);
            format!("{name} is whole: schema {schema}, for versions with schema {oldest} and newer; {rows} rows read")
        })
    }
}
