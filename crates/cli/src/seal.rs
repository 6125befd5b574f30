//! `dskpp seal`: the key-encryption key.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use dskpp_server::seal::{RotationStep, rotate};
use dskpp_server::{Config, Error};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::database::Url;
use crate::output::{Failure, Output};
use crate::serve::fault;
use crate::shown::shown;

/// The command's subcommands.
#[derive(Subcommand)]
pub(crate) enum Seal {
    /// Seal every secret of a database under a new key-encryption key, while servers run or none does
    #[command(after_help = "\
        1. Make a key: `openssl rand -hex 32 > kek.new`. Name its file in seal.further_kek_files of every server \
           (with a single server, DSKPP_SEAL_FURTHER_KEK_FILES will do), and restart one server after the other.\n\
        2. Run `dskpp seal rotate --to kek.new`. If it is interrupted, run it again: it goes on.\n\
        3. Name the file in seal.kek_file (or put it in the place of data_dir/kek), take the former key out of the \
           configuration, and restart the servers.\n\
        4. Run the command once more: it finds nothing left. Keep the former key with the backups that need it.\n\n\
        A server that lacks the new key makes the command fail before anything changes. Afterwards, a server that has \
        only the former key refuses to start.")]
    Rotate(Rotate),
}

#[derive(Args)]
pub(crate) struct Rotate {
    /// File with the new key-encryption key (64 hexadecimal digits)
    #[arg(long, value_name = "FILE", help_heading = "Key")]
    to: PathBuf,

    /// Configuration file of a server (the documented dskpp.toml lists every key)
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    config: Option<PathBuf>,

    /// Folder for the database, keys and certificates; overrides the file
    #[arg(long, value_name = "DIR", help_heading = "Configuration")]
    data_dir: Option<PathBuf>,

    #[command(flatten)]
    database: Url,
}

impl Seal {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let Seal::Rotate(Rotate { to, config: file, data_dir, database }) = self;
        let mut config = Config::load(file.as_deref()).map_err(fault)?;
        if let Some(data_dir) = data_dir {
            config.server.data_dir = data_dir;
        }
        database.set(&mut config);
        let bar = ProgressBar::new(0).with_style(style("{bar:40} {pos}/{len} rows {eta}"));
        let rotated = rotate(&config, &to, |step| show(&bar, step)).map_err(|why| match why {
            Error::Config(why) => fault(why.located(file.as_deref())),
            why => Failure::new(why),
        });
        bar.finish_and_clear();
        let rotated = rotated?;
        for value in &rotated.unreadable {
            eprintln!("warning: {} cannot be opened by any key, and stays as it is", shown(value));
        }
        let document = json!({
            "checked": rotated.checked,
            "resealed": rotated.resealed,
            "unreadable": rotated.unreadable,
        });
        output.print(&document, || {
            format!(
                "{} rows were sealed anew; all {} are under the key in {}",
                rotated.resealed,
                rotated.checked,
                shown(to.display().to_string())
            )
        })
    }
}

/// Shows a step where standard error is a terminal.
fn show(bar: &ProgressBar, step: RotationStep) {
    let pause = |what: &str, left: Duration| {
        bar.set_style(style("{msg}"));
        bar.set_message(format!("{what} ({} s)", left.as_secs()));
        bar.tick();
    };
    match step {
        RotationStep::Asking(left) => pause("asking the running servers whether they have the new key", left),
        RotationStep::Waiting(left) => pause("waiting until no running server seals with the former key", left),
        RotationStep::Sealing { done, of } => {
            bar.set_style(style("{bar:40} {pos}/{len} rows {eta}"));
            bar.set_length(of.max(done));
            bar.set_position(done);
        }
        _ => {}
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
