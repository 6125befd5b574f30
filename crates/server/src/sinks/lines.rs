//! The lines that files have of keys, and how to find them again.

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use dskpp_api::HashName;
use dskpp_crypto::Secret;

use super::Failure;
use crate::model::{KeyRecord, KeyType};

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A users file of liboath: `TYPE USER - HEX`, and behind it what pam_oath writes there itself.
    Liboath,
    /// Microsoft Entra ID: user, serial number, Base32, time step, manufacturer, model.
    Entra,
    /// Duo: serial number, hexadecimal, and the counter of HOTP.
    Duo,
}

/// The first line of a file for Entra ID, which it wants.
const ENTRA_HEADER: &str = "upn,serial number,secret key,time interval,manufacturer,model";
/// What stands before a line for liboath: it says of which key that is. liboath and pam_oath take it as a comment.
const MARK: &str = "#dskpp:";

impl Format {
    /// The line of a key, without its end. `secret`: in place of the secret.
    ///
    /// # Errors
    /// [`Failure::Never`] for a key or a name that the format cannot have.
    pub(super) fn line(self, key: &KeyRecord, secret: &Secret) -> Result<String, Failure> {
        self.line_with(key, &self.encode(secret))
    }

    /// The same with a text in the place of the secret.
    pub(super) fn line_with(self, key: &KeyRecord, secret: &str) -> Result<String, Failure> {
        let never = |why: &str| Err(Failure::Never(why.to_owned()));
        let is_sha1 = key.params.hash.is_none_or(|hash| hash == HashName::Sha1);
        let digits = key.params.digits.unwrap_or(6);
        if !matches!(key.key_type, KeyType::Hotp | KeyType::Totp) || !is_sha1 {
            return never("it takes HOTP and TOTP keys with SHA-1 only");
        }
        let is_totp = key.key_type == KeyType::Totp;
        let user = key.user.as_deref().unwrap_or_default();
        Ok(match self {
            Format::Liboath => {
                // White space separates, and nothing escapes it.
                if user.is_empty()
                    || user.starts_with('#')
                    || user.contains(|c: char| c.is_whitespace() || c.is_control())
                {
                    return never("the user's name has white space or control characters, or begins with #");
                }
                let kind = match (is_totp, key.params.period_s(), digits) {
                    (false, _, 6..=8) => format!("HOTP/E/{digits}"),
                    (true, period @ (30 | 60), 6..=8) => format!("HOTP/T{period}/{digits}"),
                    _ => return never("it takes 6 to 8 digits, and time steps of 30 or 60 seconds"),
                };
                let counter = if is_totp { String::new() } else { format!("\t{}", key.counter) };
                format!("{kind}\t{user}\t-\t{secret}{counter}")
            }
            Format::Entra => {
                let period = key.params.period_s();
                if !is_totp || digits != 6 || !matches!(period, 30 | 60) {
                    return never("it takes TOTP keys with 6 digits and time steps of 30 or 60 seconds only");
                }
                if secret.len() > 128 {
                    return never("it takes secrets of up to 128 characters in Base32");
                }
                if user.is_empty() {
                    return never("the key has no user");
                }
                let (manufacturer, model) = match &key.device {
                    Some(device) => (device.manufacturer.as_str(), "DSKPP"),
                    None => ("DSKPP", "DSKPP"),
                };
                let period = period.to_string();
                let fields = [user, serial(key), secret, &period, manufacturer, model];
                fields.iter().map(|text| field(text)).collect::<Result<Vec<_>, _>>()?.join(",")
            }
            Format::Duo => {
                if !matches!((is_totp, digits, key.params.period_s()), (false, 6 | 8, _) | (true, 6, 30)) {
                    return never("it takes HOTP keys with 6 or 8 digits, and TOTP keys with 6 digits and 30 seconds");
                }
                let serial = field(serial(key))?;
                match is_totp {
                    true => format!("{serial},{secret}"),
                    false => format!("{serial},{secret},{}", key.counter),
                }
            }
        })
    }

    fn encode(self, secret: &Secret) -> String {
        match self {
            Format::Entra => BASE32_NOPAD.encode(secret.expose()),
            Format::Liboath | Format::Duo => HEXLOWER.encode(secret.expose()),
        }
    }

    /// The content of the file with one key's lines taken out, and `line` put in. Everything else stays as it is.
    pub(super) fn change(self, content: &str, key: &KeyRecord, line: Option<&str>) -> String {
        match self {
            Format::Liboath => change_marked(content, key, line),
            Format::Entra | Format::Duo => self.change_table(content, key, line),
        }
    }

    /// The key's line begins with its serial number, or has it second.
    fn change_table(self, content: &str, key: &KeyRecord, line: Option<&str>) -> String {
        let serial = field(serial(key)).unwrap_or_default();
        let is_of_key = |row: &str| match self {
            Format::Entra => columns(row).nth(1).is_some_and(|column| column == serial),
            _ => columns(row).next().is_some_and(|column| column == serial),
        };
        let mut changed = String::with_capacity(content.len() + 256);
        if self == Format::Entra && content.is_empty() {
            changed = format!("{ENTRA_HEADER}\n");
        }
        for row in content.split_inclusive('\n').filter(|row| !is_of_key(row)) {
            push_line(&mut changed, row);
        }
        if let Some(line) = line {
            push_line(&mut changed, line);
        }
        changed
    }
}

/// liboath looks at the first line of a user, so there is one. A line of the same secret stays as it is: what pam_oath has
/// written behind it, the counter and the last password, must not be lost when a change comes again.
fn change_marked(content: &str, key: &KeyRecord, line: Option<&str>) -> String {
    let mark = format!("{MARK}{}", dskpp_api::paths::escaped(&key.id));
    let user = key.user.as_deref().unwrap_or_default();
    let (mut changed, mut kept) = (String::with_capacity(content.len() + 256), None);
    let mut mark_before = None;
    for row in content.split_inclusive('\n') {
        if row.starts_with(MARK) {
            mark_before = Some(row);
            continue;
        }
        let row_mark = mark_before.take();
        let is_of_key = row_mark.is_some_and(|before| before.trim_end() == mark);
        let is_of_user = !row.starts_with('#') && row.split_whitespace().nth(1) == Some(user);
        if is_of_key || (is_of_user && line.is_some()) {
            let is_same = line.is_some_and(|line| row.split_whitespace().take(4).eq(line.split_whitespace().take(4)));
            kept = kept.or(is_same.then_some(row));
            continue;
        }
        row_mark.into_iter().chain([row]).for_each(|row| push_line(&mut changed, row));
    }
    if let Some(line) = line {
        push_line(&mut changed, &mark);
        push_line(&mut changed, kept.unwrap_or(line));
    }
    changed
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    if !line.ends_with('\n') {
        text.push('\n');
    }
}

/// What a table calls a key.
fn serial(key: &KeyRecord) -> &str {
    key.device.as_ref().map_or(&key.id, |device| &device.serial)
}

/// A column as CSV (RFC 4180) has it. What a spreadsheet would compute is refused.
fn field(text: &str) -> Result<String, Failure> {
    if text.contains(char::is_control) || text.starts_with(['=', '+', '-', '@']) {
        return Err(Failure::Never("a name has control characters, or begins as a formula does".to_owned()));
    }
    Ok(match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    })
}

/// The columns of a row as they stand, with their quotation marks.
fn columns(row: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    row.trim_end_matches(['\r', '\n']).split(move |c| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HashName, Params};

    fn hotp(id: &str, user: &str, counter: u64) -> KeyRecord {
        let params = Params { digits: Some(6), counter: Some(0), ..Params::default() };
        let sample = super::super::sample();
        KeyRecord { id: id.into(), user: Some(user.into()), key_type: KeyType::Hotp, params, counter, ..sample }
    }

    fn put(format: Format, content: &str, key: &KeyRecord, secret: &[u8]) -> String {
        format.change(content, key, Some(&format.line(key, &Secret::from_slice(secret)).unwrap()))
    }

    #[test]
    fn other_lines_of_a_users_file_stay_and_trailing_fields_are_kept() {
        let others = "# by hand\nHOTP\tbob\t-\tff\t7\t328482\t2026-01-01T00:00:00L\n\nHOTP dave - 00";
        let alice = hotp("k1", "alice", 5);
        let one = put(Format::Liboath, others, &alice, b"seed");
        assert_eq!(one, format!("{others}\n#dskpp:k1\nHOTP/E/6\talice\t-\t73656564\t5\n"));
        let used = one.replace("73656564\t5", "73656564\t9\t755224\t2026-11-29T10:00:00L");
        assert_eq!(put(Format::Liboath, &used, &alice, b"seed"), used, "a change that comes twice");
        let renewed = put(Format::Liboath, &used, &hotp("k1", "alice", 0), b"new");
        assert_eq!(renewed, format!("{others}\n#dskpp:k1\nHOTP/E/6\talice\t-\t6e6577\t0\n"));
        let second = put(Format::Liboath, &renewed, &hotp("k2", "alice", 0), b"two");
        assert_eq!(second, format!("{others}\n#dskpp:k2\nHOTP/E/6\talice\t-\t74776f\t0\n"), "one line a user");
        assert_eq!(Format::Liboath.change(&second, &alice, None), second, "its line has gone already");
        let gone = Format::Liboath.change(&second, &hotp("k2", "alice", 0), None);
        assert_eq!(gone, format!("{others}\n"));
        let by_hand = put(Format::Liboath, others, &hotp("k3", "bob", 0), b"b");
        assert!(!by_hand.contains("328482") && by_hand.contains("HOTP/E/6\tbob"), "{by_hand}");
    }

    #[test]
    fn what_a_file_cannot_have_is_refused_for_good() {
        for user in ["", "a b", "a\tb", "a\nHOTP\troot\t-\t00", "a\r", "#a", "a\u{2028}b", "a\0"] {
            let found = Format::Liboath.line_with(&hotp("k", user, 0), "00");
            assert!(matches!(found, Err(Failure::Never(_))), "{user:?}: {found:?}");
        }
        let key = hotp("k", "alice", 0);
        let sha256 = Params { hash: Some(HashName::Sha256), ..key.params.clone() };
        let digits = Params { digits: Some(9), ..key.params.clone() };
        let odd = [
            KeyRecord { params: sha256, key_type: KeyType::Totp, ..key.clone() },
            KeyRecord { params: digits, ..key.clone() },
            KeyRecord { key_type: KeyType::Ocra, ..key.clone() },
        ];
        for (key, format) in odd.iter().flat_map(|key| [(key, Format::Liboath), (key, Format::Duo)]) {
            assert!(matches!(format.line_with(key, "00"), Err(Failure::Never(_))), "{key:?} {format:?}");
        }
        assert!(matches!(Format::Entra.line_with(&key, "AA"), Err(Failure::Never(_))), "HOTP");
        for user in ["=cmd|' /C calc'!A0", "a\nb,c", "@alice", "-1"] {
            let totp = KeyRecord { user: Some(user.into()), ..super::super::sample() };
            assert!(matches!(Format::Entra.line_with(&totp, "AA"), Err(Failure::Never(_))), "{user}");
        }
    }

    #[test]
    fn tables_have_a_row_per_key_as_their_readers_want_it() {
        let alice = KeyRecord { id: "K1".into(), user: Some("a,\"b\"@example.com".into()), ..super::super::sample() };
        let one = put(Format::Entra, "", &alice, b"12345678901234567890");
        let header = "upn,serial number,secret key,time interval,manufacturer,model\n";
        let row = "\"a,\"\"b\"\"@example.com\",K1,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ,30,DSKPP,DSKPP\n";
        assert_eq!(one, format!("{header}{row}"));
        let two = put(Format::Entra, &one, &KeyRecord { id: "K2".into(), ..super::super::sample() }, b"two");
        assert_eq!(put(Format::Entra, &two, &alice, b"12345678901234567890").lines().count(), 3, "no row twice");
        assert!(!Format::Entra.change(&two, &alice, None).contains("K1"));
        let duo = put(Format::Duo, "", &hotp("H1", "alice", 3), b"seed");
        assert_eq!(duo, "H1,73656564,3\n");
        assert_eq!(put(Format::Duo, &duo, &hotp("H1", "alice", 4), b"seed"), "H1,73656564,4\n");
        assert_eq!(Format::Duo.change(&duo, &hotp("H1", "alice", 4), None), "");
    }
}
