//! `dskpp admin key import` and `export`: bulk import and export of keys.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use data_encoding::HEXLOWER;
use dskpp_api::{
    Assign, ExportEnd, ExportProtection, ImportProgress, ImportQuery, LeftOut, LeftOutKey, RejectedKey, Rejection,
    paths,
};
use pskc::{ContainerWriter, Header};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::api::Api;
use crate::output::{Failure, Output};
use crate::pskc::atomic_output::printed;
use crate::pskc::carried::carries;
use crate::pskc::input::{Input, KeyFile};
use crate::pskc::material::{certificate_pem, first_line, key_file};
use crate::pskc::protect::To;
use crate::shown::{count, note, shown};

/// Keys per request.
const BATCH: u64 = 2000;
/// At most this many lines of a text report; `--json` lists all.
const MOST: usize = 50;

#[derive(Args)]
pub(super) struct KeyImportArgs {
    #[command(flatten)]
    input: Input,

    /// Assign all keys to this user; the server creates the user if needed
    #[arg(long, value_name = "NAME", conflicts_with = "assign_user_ids", help_heading = "Users")]
    user: Option<String>,

    /// Assign each key to the user that its UserId names (CN= or UID= of a distinguished name, or the plain text)
    #[arg(long, help_heading = "Users")]
    assign_user_ids: bool,
}

struct PackageBatch {
    first: u64,
    /// The keys in plaintext, for the server only.
    body: Zeroizing<Vec<u8>>,
}

impl KeyImportArgs {
    /// Sends the keys in batches. Batches that the server has from an earlier attempt are skipped, so an interrupted import
    /// resumes.
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        let more = match (&self.user, self.assign_user_ids) {
            (Some(user), _) => format!("&user={}", paths::escaped(user)),
            (None, true) => "&assign=user-id".to_owned(),
            (None, false) => String::new(),
        };
        let (file, id) = self.input.open_with_digest(&more)?; // with other options it is another import
        file.warn();
        file.warn_of_assumed();
        let path = paths::of(paths::IMPORT, &id);
        let assign = self.assign_user_ids.then_some(Assign::UserId);
        let mut query = ImportQuery { import: id, first: 0, user: self.user, assign };
        let total = file.summary.keys;
        let before: Option<ImportProgress> = api.get_if_there(&path).await?;
        let done = before.as_ref().map_or(0, |before| before.done).min(total);
        if done > 0 {
            output.say(format!("resuming: {done} of {} sent before", count(total, "key")));
        }
        let (sender, mut batches) = mpsc::channel(2);
        let reading = tokio::task::spawn_blocking(move || read(&file, done, &sender));
        let accepted_before = before.as_ref().map_or(0, |before| before.accepted);
        let mut rejected = before.map_or(Vec::new(), |before| before.rejected);
        while let Some(PackageBatch { first, body }) = batches.recv().await {
            query.first = first;
            let waiting = |wait: Duration| note(format!("the server is busy: waiting {} s", wait.as_secs()));
            let answer = api.import(&query, body.to_vec(), waiting).await?;
            rejected.extend(answer.refused.into_iter().chain(answer.duplicate));
        }
        reading.await.map_err(|_| Failure::new("cannot read the file to its end"))??;
        let ImportProgress { id: import, accepted, duplicate, refused, .. } = api.get(&path).await?;
        let (refusals, duplicates) = rejected.into_iter().partition(|key| key.kind == Rejection::Refused);
        let report = KeyImportReport { import, accepted, accepted_before, duplicate, refused, duplicates, refusals };
        report.print(!more.is_empty(), output)
    }
}

/// Reads the packages after the first `done` and sends them in batches.
fn read(file: &KeyFile, done: u64, sender: &mpsc::Sender<PackageBatch>) -> Result<(), Failure> {
    let (mut number, mut batch) = (0, None);
    let send = |batch: &mut Option<(u64, ContainerWriter<Vec<u8>>)>| -> Result<(), Failure> {
        let Some((first, writer)) = batch.take() else { return Ok(()) };
        let body = Zeroizing::new(writer.finish(&[]).map_err(Failure::new)?);
        // If nobody receives it, the receiver reports why.
        let _ = sender.blocking_send(PackageBatch { first, body });
        Ok(())
    };
    file.for_each(|package| {
        if package.key.is_none() {
            return Ok(());
        }
        number += 1;
        if number <= done {
            return Ok(());
        }
        if sender.is_closed() {
            return Err(Failure::new("the server stopped accepting keys"));
        }
        if batch.is_none() {
            batch = Some((number - 1, ContainerWriter::new(Vec::new(), &Header::default()).map_err(Failure::new)?));
        }
        if let Some((first, writer)) = &mut batch {
            carries(&package).map_err(|why| Failure::new(format!("key {number}: {why}")))?;
            writer.package(&package).map_err(Failure::new)?;
            if number - *first == BATCH {
                send(&mut batch)?;
            }
        }
        Ok(())
    })?;
    send(&mut batch)
}

/// The outcome for the whole file, including earlier attempts.
#[derive(Serialize)]
struct KeyImportReport {
    import: String,
    accepted: u64,
    accepted_before: u64,
    duplicate: u64,
    refused: u64,
    duplicates: Vec<RejectedKey>,
    refusals: Vec<RejectedKey>,
}

impl KeyImportReport {
    fn print(&self, has_owners: bool, output: &Output) -> Result<(), Failure> {
        let KeyImportReport { accepted, accepted_before, duplicate, refused, duplicates, refusals, .. } = self;
        output.print(self, || {
            let mut lines =
                vec![format!("{} accepted, {duplicate} already present, {refused} refused", count(*accepted, "key"))];
            if *accepted_before > 0 {
                lines.push(format!("  including {accepted_before} accepted in an earlier run"));
            }
            let told = refusals.iter().map(|key| line("refused", key));
            lines.extend(told.chain(duplicates.iter().map(|key| line("already present", key))).take(MOST));
            if refusals.len() + duplicates.len() > MOST {
                lines.push("  … (--json lists all)".to_owned());
            }
            if !has_owners && *accepted > 0 {
                let (it_is, validates, it) = match accepted {
                    1 => ("it is", "validates", "it"),
                    _ => ("they are", "validate", "them"),
                };
                lines.push(format!(
                    "  {it_is} unassigned, and {validates} nothing until `dskpp admin key assign` or an\n  enrolment \
                     with --delivers assigns {it} to a user"
                ));
            }
            lines.join("\n")
        })?;
        // Everything is reported: only the exit code remains.
        if *refused == 0 { Ok(()) } else { std::process::exit(1) }
    }
}

fn line(kind: &str, key: &RejectedKey) -> String {
    let reason = key.reason.as_ref().map(|reason| format!(": {}", shown(reason))).unwrap_or_default();
    format!("  key {} ({}) {kind}{reason}", key.index.saturating_add(1), shown(&key.key_id))
}

/// Larger than the comment at the end of an export.
const MAX_END: usize = 256 * 1024;

/// The keys that the server could not read, from a comment after the last element. Nothing else in the document
/// starts like this: `<` is escaped in texts.
fn left_out(end: &[u8]) -> Result<LeftOut, Failure> {
    let end = String::from_utf8_lossy(end);
    let Some((_, comment)) = end.rsplit_once("<!-- {") else { return Ok(LeftOut::default()) };
    let said = comment.trim_end().strip_suffix(" -->").map(|comment| format!("{{{comment}"));
    let said = said.and_then(|said| serde_json::from_str::<ExportEnd>(&said).ok());
    let unreadable = || Failure::new("cannot read the export's last line, which lists the keys left out");
    Ok(said.ok_or_else(unreadable)?.left_out)
}

#[derive(Args)]
#[group(id = "protection", required = true, multiple = false, args = ["to_key_file", "to_password_file", "to_certificate", "in_the_clear"])]
pub(super) struct KeyExportArgs {
    /// Only this user's keys
    #[arg(long, value_name = "NAME", help_heading = "Filter")]
    user: Option<String>,

    /// File with the encryption key (16, 24 or 32 octets): hexadecimal, Base64 or raw octets
    #[arg(long, value_name = "FILE", help_heading = "Protection")]
    to_key_file: Option<PathBuf>,

    /// The receiver's name for that key
    #[arg(long, value_name = "NAME", default_value = "Pre-shared-key", help_heading = "Protection")]
    to_key_name: String,

    /// File whose first line is the encryption password
    #[arg(long, value_name = "FILE", help_heading = "Protection")]
    to_password_file: Option<PathBuf>,

    /// Use password protection that old programs can read: 100,000 rounds of HMAC-SHA-1, AES-128, SHA-1 MACs [default:
    /// 600,000 rounds of HMAC-SHA-256, AES-256, SHA-256 MACs]
    #[arg(long, conflicts_with_all = ["to_key_file", "to_certificate", "in_the_clear"], help_heading = "Protection")]
    for_old_readers: bool,

    /// The receiver's RSA certificate (PEM or DER)
    #[arg(long, value_name = "FILE", help_heading = "Protection")]
    to_certificate: Option<PathBuf>,

    /// Write all secrets unencrypted: anyone who reads the file has the keys
    #[arg(long, help_heading = "Protection")]
    in_the_clear: bool,

    #[command(flatten)]
    to: To,
}

impl KeyExportArgs {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        let protection = self.protection()?;
        let mut result = self.to.open_output(output)?;
        let export = dskpp_api::ExportRequest { user: self.user, protection, leave_out_unreadable: true };
        let mut answer = api.export(&export).await?;
        let cut = |why| Failure::new(format!("the export ended early: {why}")).next("no file was written; try again");
        let (mut octets, mut end) = (0, Vec::new());
        while let Some(chunk) = answer.chunk().await.map_err(cut)? {
            octets += chunk.len();
            printed(result.write_all(&chunk))?;
            end.extend_from_slice(&chunk);
            end.drain(..end.len().saturating_sub(MAX_END));
        }
        result.finish()?;
        let LeftOut { count, keys } = left_out(&end)?;
        if let Some(name) = self.to.name() {
            let document = json!({ "file": name, "octets": octets, "left_out": count, "left_out_keys": keys });
            output.print(&document, || format!("wrote the keys to {name} ({octets} octets)"))?;
        }
        for LeftOutKey { key_id, reason } in keys {
            note(format!("the key {} was left out: {}", shown(key_id), shown(reason)));
        }
        match count {
            0 => Ok(()),
            // Only the number of keys is known here; the exit code remains.
            _ => {
                note(format!("{count} unreadable keys are missing from the file; the server's log names them"));
                std::process::exit(1)
            }
        }
    }

    fn protection(&self) -> Result<ExportProtection, Failure> {
        let mut protection = ExportProtection::default();
        match (&self.to_key_file, &self.to_password_file, &self.to_certificate) {
            (Some(path), _, _) => {
                protection.key_hex = Some(HEXLOWER.encode(key_file(path)?.expose()).into());
                protection.key_name = Some(self.to_key_name.clone());
            }
            (_, Some(path), _) => {
                let passphrase = String::from_utf8_lossy(first_line(path)?.expose()).into_owned();
                protection.passphrase = Some(passphrase.into());
                protection.for_old_readers = Some(self.for_old_readers);
            }
            (_, _, Some(path)) => protection.certificate_pem = Some(certificate_pem(path)?),
            _ => protection.plain = Some(self.in_the_clear),
        }
        Ok(protection)
    }
}
