//! Many enrolments from a file with one request per line, and keys that are revoked together.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use dskpp_api::{BulkEnrolment, DeviceName, KeyRevocation, KeyState, KeyType, RevokedKeys, paths};

use super::{delete, device_name, one_of};
use crate::api::Api;
use crate::output::{Failure, Output};
use crate::shown::shown;

/// Lines in one call.
const LINES: usize = 1000;
/// Octets of a line that are read: the server refuses shorter ones than this.
const MAX_LINE_LEN: u64 = 128 * 1024;

/// Creates an enrolment for each line of a file, or of standard input for `-`.
pub(super) async fn create(api: &Api, output: &Output, path: &Path) -> Result<(), Failure> {
    let unreadable = |why| Failure::new(format!("cannot read {}: {why}", path.display()));
    let mut lines: Box<dyn BufRead> = match path.as_os_str() == "-" {
        true => Box::new(BufReader::new(std::io::stdin())),
        false => Box::new(BufReader::new(File::open(path).map_err(unreadable)?)),
    };
    let (mut done, mut created, mut failed) = (0, 0, 0);
    loop {
        let (body, count) = next_lines(&mut lines).map_err(unreadable)?;
        if count == 0 {
            break;
        }
        for mut result in
            api.create_enrolments(body).await.map_err(|why| why.within(&format!("from line {}", done + 1)))?
        {
            result.line += done;
            match result.problem {
                Some(_) => failed += 1,
                None => created += 1,
            }
            output.print(&result, || text(&result))?;
        }
        done += count;
    }
    output.remark(format!("{created} created, {failed} refused"));
    match failed {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{failed} lines were refused"))
            .next("correct those lines, and run the command with them alone: the others are done")),
    }
}

/// The next lines, and how many.
fn next_lines(lines: &mut dyn BufRead) -> std::io::Result<(Vec<u8>, u64)> {
    let (mut body, mut count) = (Vec::new(), 0);
    while count < LINES as u64 {
        let before = body.len();
        if (&mut *lines).take(MAX_LINE_LEN).read_until(b'\n', &mut body)? == 0 {
            break;
        }
        if body.last() != Some(&b'\n') {
            if (body.len() - before) as u64 == MAX_LINE_LEN {
                lines.skip_until(b'\n')?; // too long: what is there of it is refused
            }
            body.push(b'\n');
        }
        count += 1;
    }
    Ok((body, count))
}

fn text(result: &BulkEnrolment) -> String {
    match (&result.created, &result.problem) {
        (Some(created), _) => {
            let trigger = created.trigger_url.as_ref().map_or("-", |url| url.expose());
            let (id, user) = (shown(&created.enrolment.id), shown(&created.enrolment.user));
            let code = shown(created.authentication_code.expose());
            format!("line {}: {id}  {user}  {code}  {}", result.line, shown(trigger))
        }
        (None, problem) => {
            let detail = problem.as_ref().and_then(|problem| problem.detail.as_deref()).unwrap_or("no reason given");
            format!("line {}: refused: {}", result.line, shown(detail))
        }
    }
}

/// Which keys to revoke.
#[derive(Args)]
pub(super) struct RevocationArgs {
    /// The key's Id, as `admin key list` shows it
    #[arg(required_unless_present_any = ["user", "device", "key_type", "state", "created_since", "created_until"],
        conflicts_with_all = ["user", "device", "key_type", "state", "created_since", "created_until"])]
    id: Option<String>,
    /// All keys of this user
    #[arg(long, help_heading = "Filter")]
    user: Option<String>,
    /// All keys in this device
    #[arg(long, value_name = "MANUFACTURER:SERIAL", help_heading = "Filter")]
    device: Option<String>,
    /// Keys of this type
    #[arg(long, value_parser = one_of::<KeyType>(KeyType::NAMES), help_heading = "Filter")]
    key_type: Option<KeyType>,
    /// Keys in this state
    #[arg(long, value_parser = one_of::<KeyState>(KeyState::NAMES), help_heading = "Filter")]
    state: Option<KeyState>,
    /// Keys that were made or imported at or after this time (RFC 3339)
    #[arg(long, value_name = "TIME", help_heading = "Filter")]
    created_since: Option<String>,
    /// Keys that were made or imported before this time (RFC 3339)
    #[arg(long, value_name = "TIME", help_heading = "Filter")]
    created_until: Option<String>,
}

impl RevocationArgs {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        let RevocationArgs { id, user, device, key_type, state, created_since, created_until } = self;
        if let Some(id) = id {
            return delete(api, output, "key", paths::KEY, &id).await;
        }
        let device = device.as_deref().map(device_name).transpose()?;
        let device = device.map(|(manufacturer, serial)| DeviceName { manufacturer, serial });
        let wanted = KeyRevocation { user, device, key_type, state, created_since, created_until };
        let done: RevokedKeys = api.post(paths::KEYS_REVOKE, &wanted).await?;
        output.print(&done, || format!("{} keys revoked", done.revoked))
    }
}

/// Arguments that concern one enrolment.
const OF_ONE: [&str; 21] = [
    "user",
    "template",
    "group",
    "key_type",
    "variant",
    "methods",
    "device",
    "renews",
    "delivers",
    "key_location",
    "algorithm_location",
    "expires_in",
    "key_lifetime",
    "activate",
    "digits",
    "period",
    "hash",
    "counter",
    "suite",
    "sinks",
    "no_sinks",
];

/// A file of requests.
#[derive(Args)]
pub(super) struct BulkArg {
    /// Create an enrolment for each line of this file, a JSON document as of POST /api/v1/enrolments; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_ONE, help_heading = "Bulk")]
    pub(super) bulk: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_pieces_and_one_that_is_too_long_is_cut() {
        let mut text = "x\n".repeat(LINES + 1).into_bytes();
        text.extend(vec![b'y'; 300 * 1024]);
        text.extend(b"\nlast");
        let mut lines = &*text;
        let (first, count) = next_lines(&mut lines).unwrap();
        assert_eq!((first.len(), count), (2 * LINES, LINES as u64));
        let (rest, count) = next_lines(&mut lines).unwrap();
        assert_eq!((rest.len(), count), (2 + 128 * 1024 + 1 + 5, 3));
        assert_eq!(next_lines(&mut lines).unwrap().1, 0);
    }
}
