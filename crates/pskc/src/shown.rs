//! Untrusted texts: which names are accepted, and how to display any text.

use std::fmt;

/// The longest name of a key, a user or a device, in characters.
pub const MAX_NAME_LEN: usize = 256;

/// The longest distinguished name, server URL and algorithm name, in
/// characters.
pub const MAX_LONG_NAME_LEN: usize = 1024;

/// The most characters displayed; a name always fits.
const MAX_SHOWN: usize = 300;

/// Whether a character does anything in a terminal, log or page other than being visible: controls, line ends,
/// bidirectional controls, spaces other than U+0020, invisible characters
/// (`Default_Ignorable_Code_Point` of Unicode 16), and private use. The joiners
/// of Persian and Indic scripts and of emoji (U+200C, U+200D) are allowed: they are parts of words.
///
/// Homoglyphs, in one script or across scripts, are not included: every rule against them would be wrong about
/// names of real people. Compare octets wherever confusion matters, and never rely on a person's eyes alone.
pub fn is_deceptive(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control() || (c.is_whitespace() && c != ' ') || is_invisible(c) || is_private(c)
}

/// Default-ignorable characters except the joiners, and characters that are blank.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}')
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
        || matches!(c, '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}')
        || matches!(c, '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Private use and noncharacters.
fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{f0000}'..) || u32::from(c) & 0xfffe == 0xfffe
}

/// Whether `text` is an acceptable name: [visible](is_visible), with at most [`MAX_NAME_LEN`] characters.
pub fn is_name(text: &str) -> bool {
    is_visible(text, MAX_NAME_LEN)
}

/// Whether `text` is not blank, has at most `most` characters, none of them [deceptive](is_deceptive), no spaces
/// at its ends, and nothing that XML cannot carry.
pub fn is_visible(text: &str, most: usize) -> bool {
    let is_long = text.len() > most && text.chars().nth(most).is_some();
    let has_ends = !text.is_empty() && !text.starts_with(' ') && !text.ends_with(' ');
    has_ends && !is_long && (is_plain(text) || !text.chars().any(is_deceptive) && crate::xml::is_text(text))
}

/// Fast path: whether all is printable ASCII, as in most names.
fn is_plain(text: &str) -> bool {
    !crate::xml::has_octet(text, |octet| !matches!(octet, b' '..=b'~'))
}

/// Displays an untrusted text: on one line, with `\u{202e}` for
/// [deceptive](is_deceptive) characters, `\u{20}` for spaces at its ends, and shortened in the middle with `…`.
///
/// ```
/// use pskc::Shown;
/// assert_eq!(Shown("K\u{e9}y 1").to_string(), "K\u{e9}y 1");
/// assert_eq!(Shown("a\u{1b}[2J\nb").to_string(), r"a\u{1b}[2J\nb");
/// assert_eq!(Shown("Key 1 ").to_string(), r"Key 1\u{20}");
/// assert_eq!(Shown(&"x".repeat(5000)).to_string().chars().count(), 300);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_visible(self.0, MAX_SHOWN) {
            return f.pad(self.0);
        }
        let text = shortened(self.0, MAX_SHOWN);
        let (begin, inside) = text.split_at(text.len() - text.trim_start_matches(' ').len());
        let (inside, end) = inside.split_at(inside.trim_end_matches(' ').len());
        let blanks = |blanks: &str| r"\u{20}".repeat(blanks.len());
        f.pad(&[blanks(begin), escaped(inside, |_| false), blanks(end)].concat())
    }
}

/// `text` in at most `most` characters. The middle is omitted, since the ends distinguish texts and say
/// what to do.
pub fn shortened(text: &str, most: usize) -> String {
    let len = text.chars().count();
    if len <= most {
        return text.to_owned();
    }
    let end = most / 3;
    let begin = most.saturating_sub(end + 1);
    text.chars().take(begin).chain(['…']).chain(text.chars().skip(len - end)).collect()
}

/// `text` with [deceptive](is_deceptive) characters escaped as `\n`, `\u{202e}` and so on, except those that `stays`.
pub fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_deceptive(*c) && !stays(*c)) {
        out.push_str(&rest[..at]); // a character boundary
        out.extend(c.escape_default());
        rest = &rest[at + c.len_utf8()..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Look like something else, or like nothing, and are not parts of words.
    const UNSEEN: &str = "\u{a0}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{1680}\u{17b4}\u{180b}\u{180e}\u{2000}\u{2007}\u{200b}\
        \u{200e}\u{2028}\u{202e}\u{202f}\u{205f}\u{2060}\u{2066}\u{2800}\u{3000}\u{3164}\u{e000}\u{f8ff}\u{fdd0}\u{fe00}\
        \u{fe0f}\u{feff}\u{ffa0}\u{fff0}\u{fff9}\u{1bca0}\u{1d159}\u{1d173}\u{1fffe}\u{e0001}\u{e0041}\u{e0100}\u{e0fff}\
        \u{f0000}\u{10fffd}\0\t\n\r\u{1b}\u{7f}\u{85}\u{9b}";

    #[test]
    fn invisible_characters_are_escaped_and_not_allowed_in_names() {
        for c in UNSEEN.chars() {
            for text in [format!("a{c}b"), format!("a{c}"), format!("{c}b"), c.to_string()] {
                assert!(!is_name(&text), "{text:?}");
                let shown = Shown(&text).to_string();
                assert!(shown.is_ascii() && shown.contains(&c.escape_default().to_string()), "{text:?}: {shown}");
            }
        }
    }

    #[test]
    fn spaces_at_the_ends_are_escaped_and_not_allowed_in_names() {
        for (text, shown) in [
            (" a", r"\u{20}a"),
            ("a ", r"a\u{20}"),
            ("  a b  ", r"\u{20}\u{20}a b\u{20}\u{20}"),
            (" ", r"\u{20}"),
            ("", ""),
        ] {
            assert_eq!(Shown(text).to_string(), shown);
            assert!(!is_name(text), "{text:?}");
        }
    }

    #[test]
    fn names_in_all_scripts_stay_unchanged() {
        for text in [
            "Key 1",
            "Schl\u{fc}ssel",
            "e\u{301}",
            "\u{41a}\u{43b}\u{44e}\u{447} VPN",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
            "\u{915}\u{94d}\u{200d}\u{937}",
            "\u{5c71}\u{7530} \u{592a}\u{90ce}",
            "\u{1f468}\u{200d}\u{1f4bb}",
            "\u{fffd}",
        ] {
            assert!(is_name(text), "{text:?}");
            assert_eq!(Shown(text).to_string(), text);
        }
    }
}
