//! What others wrote, for people: which names are taken in, and how any text is shown.

use std::fmt;

/// The longest name of a key, a user or a device, in characters.
pub const MAX_NAME_LEN: usize = 256;

/// The longest name of a user as a certificate has it (a distinguished name), address of a server and name of an
/// algorithm, in characters.
pub const MAX_LONG_NAME_LEN: usize = 1024;

/// Characters of a text that are shown; a name always fits.
const MAX_SHOWN: usize = 300;

/// Whether a character does something else in a terminal, a log or a page than to be seen: controls, line ends, what
/// turns the direction of the text around it, blanks that are not U+0020, what is invisible
/// (`Default_Ignorable_Code_Point` of Unicode 16), and what has no meaning that people share (private use). The joiners
/// of Persian and Indic scripts and of emoji (U+200C, U+200D) are parts of words.
///
/// Letters that look like others, of one script or two, are none of these: every rule against them would be wrong about
/// names that people have. What must not be mistaken is compared by octets, and never by a person's eyes alone.
pub fn is_deceptive(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control() || (c.is_whitespace() && c != ' ') || is_invisible(c) || is_private(c)
}

/// What is to be ignored where it cannot be shown, but the joiners; and what is blank, or marks what is not shown.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}')
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
        || matches!(c, '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}')
        || matches!(c, '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Private use, and what is no character in any exchange.
fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{f0000}'..) || u32::from(c) & 0xfffe == 0xfffe
}

/// Whether `text` is a name as people write it: something [visible](is_visible) of at most [`MAX_NAME_LEN`] characters.
pub fn is_name(text: &str) -> bool {
    is_visible(text, MAX_NAME_LEN)
}

/// Whether `text` has something to see, at most `most` characters, none of them [deceptive](is_deceptive), no blanks
/// at its ends, and nothing that XML cannot carry.
pub fn is_visible(text: &str, most: usize) -> bool {
    let is_long = text.len() > most && text.chars().nth(most).is_some();
    let has_ends = !text.is_empty() && !text.starts_with(' ') && !text.ends_with(' ');
    has_ends && !is_long && (is_plain(text) || !text.chars().any(is_deceptive) && crate::xml::is_text(text))
}

/// Whether all is printable ASCII, as most names are: this is quickly seen.
fn is_plain(text: &str) -> bool {
    !crate::xml::has_octet(text, |octet| !matches!(octet, b' '..=b'~'))
}

/// A text of somebody else as it is shown: on one line, with `\u{202e}` for what is
/// [deceptive](is_deceptive), `\u{20}` for blanks at its ends, and shortened in the middle with `…`.
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

/// `text` in no more than `most` characters. What is left out is in the middle, since ends tell texts apart and say
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

/// `text` with `\n`, `\u{202e}` and so on for all that is [deceptive](is_deceptive), but for what `stays`.
pub fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_deceptive(*c) && !stays(*c)) {
        out.push_str(&rest[..at]); // where a character begins
        out.extend(c.escape_default());
        rest = &rest[at + c.len_utf8()..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What looks like something else, or like nothing, and is a part of no word.
    const UNSEEN: &str = "\u{a0}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{1680}\u{17b4}\u{180b}\u{180e}\u{2000}\u{2007}\u{200b}\
        \u{200e}\u{2028}\u{202e}\u{202f}\u{205f}\u{2060}\u{2066}\u{2800}\u{3000}\u{3164}\u{e000}\u{f8ff}\u{fdd0}\u{fe00}\
        \u{fe0f}\u{feff}\u{ffa0}\u{fff0}\u{fff9}\u{1bca0}\u{1d159}\u{1d173}\u{1fffe}\u{e0001}\u{e0041}\u{e0100}\u{e0fff}\
        \u{f0000}\u{10fffd}\0\t\n\r\u{1b}\u{7f}\u{85}\u{9b}";

    #[test]
    fn what_cannot_be_seen_is_shown_escaped_and_is_in_no_name() {
        for c in UNSEEN.chars() {
            for text in [format!("a{c}b"), format!("a{c}"), format!("{c}b"), c.to_string()] {
                assert!(!is_name(&text), "{text:?}");
                let shown = Shown(&text).to_string();
                assert!(shown.is_ascii() && shown.contains(&c.escape_default().to_string()), "{text:?}: {shown}");
            }
        }
    }

    #[test]
    fn blanks_at_the_ends_are_shown_and_are_in_no_name() {
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
    fn names_of_all_scripts_stay_as_they_are() {
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
