//! What others wrote, for people: which names are taken in, and how any text is shown.

use std::fmt;

/// The longest name of a key, a user or a device, in characters.
pub const MAX_NAME_LEN: usize = 256;

/// Characters of a text that are shown; a name always fits.
const MAX_SHOWN: usize = 300;

/// Whether a character does something else in a terminal, a log or a page than to be seen: controls, line ends, what
/// turns the direction of the text around it, and what is invisible. The joiners of Persian and Indic scripts and of
/// emoji (U+200C, U+200D) are parts of words.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// Whether `text` is a name as people write it: something [visible](is_visible) of at most [`MAX_NAME_LEN`] characters.
pub fn is_name(text: &str) -> bool {
    is_visible(text, MAX_NAME_LEN)
}

/// Whether `text` has something to see, at most `most` characters, none of them [deceptive](is_deceptive), and nothing
/// that XML cannot carry.
pub fn is_visible(text: &str, most: usize) -> bool {
    let is_long = text.len() > most && text.chars().nth(most).is_some();
    !text.trim().is_empty() && !is_long && !text.chars().any(is_deceptive) && crate::xml::is_text(text)
}

/// A text of somebody else as it is shown: on one line, with `\u{202e}` for what is
/// [deceptive](is_deceptive), and shortened in the middle with `…`.
///
/// ```
/// use pskc::Shown;
/// assert_eq!(Shown("K\u{e9}y 1").to_string(), "K\u{e9}y 1");
/// assert_eq!(Shown("a\u{1b}[2J\nb").to_string(), r"a\u{1b}[2J\nb");
/// assert_eq!(Shown(&"x".repeat(5000)).to_string().chars().count(), 300);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escaped(&shortened(self.0, MAX_SHOWN), |_| false))
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
    for c in text.chars() {
        match is_deceptive(c) && !stays(c) {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    out
}
