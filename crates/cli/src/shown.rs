//! Makes untrusted text safe for a terminal, a program or a shell.

use std::fmt::{Display, Write as _};

use pskc::{Shown, escaped, is_deceptive, shortened};

/// The longest message, in characters.
const MOST: usize = 1_500;

/// An untrusted value in a table or a sentence.
pub(crate) fn shown(text: impl AsRef<str>) -> String {
    Shown(text.as_ref()).to_string()
}

/// A message on one line, whatever it contains: the last step before a terminal.
pub(crate) fn line(message: impl Display) -> String {
    escaped(&shortened(&message.to_string(), MOST), |_| false)
}

/// The text of a result: it keeps its line breaks, and nothing else in it moves the cursor.
pub(crate) fn block(text: &str) -> String {
    escaped(text, |c| c == '\n' || c == '\t')
}

/// A number of things in words: `1 key`, `2 keys`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Prints a note on standard error.
pub(crate) fn note(message: impl Display) {
    eprintln!("dskpp: {}", line(message));
}

/// An equivalent JSON document that cannot deceive in a terminal: what [`is_deceptive`] occurs only in strings, and is
/// escaped there, such as `\u202e`.
pub(crate) fn json(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    let mut rest = document;
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_deceptive(*c)) {
        out.push_str(&rest[..at]); // a character boundary
        c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(out, "\\u{unit:04x}"));
        rest = &rest[at + c.len_utf8()..];
    }
    out + rest
}

/// The last argument of a suggested command, for a POSIX shell: quoted if needed, and after `--` if it looks like an
/// option.
pub(crate) fn argument(text: impl AsRef<str>) -> String {
    let text = shown(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '@' | '%' | '+' | ',');
    let quoted = match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    };
    if quoted.trim_start_matches('\'').starts_with('-') { format!("-- {quoted}") } else { quoted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_a_single_shell_word() {
        for (text, expected) in [
            ("key-1", "key-1"),
            ("https://h:8443/a", "https://h:8443/a"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(rm -rf ~)", "'$(rm -rf ~)'"),
            ("`id`;&|<>*?!#\\\"", "'`id`;&|<>*?!#\\\"'"),
            ("it's", r"'it'\''s'"),
            ("~", "'~'"),
            ("-rf", "-- -rf"),
            ("--yes; id", "-- '--yes; id'"),
            ("a\nb", r"'a\nb'"),
            ("K\u{e9}y", "'K\u{e9}y'"),
        ] {
            assert_eq!(argument(text), expected);
        }
        // As a shell parses it.
        for text in ["a b", "$(id)", "it's", "\\", "*", "a\"b", "#"] {
            let echo = format!("printf %s {}", argument(text));
            let said = std::process::Command::new("sh").args(["-c", &echo]).output();
            assert_eq!(String::from_utf8_lossy(&said.expect("a shell").stdout), text);
        }
    }

    #[test]
    fn json_is_equivalent_and_moves_no_cursor() {
        let document = serde_json::json!({ "a\u{9b}": "\u{202e}\u{7f}\u{e0041}\u{1b}é\n" });
        let written = json(&document.to_string());
        assert!(!written.chars().any(is_deceptive), "{written}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).expect("JSON"), document);
    }
}
