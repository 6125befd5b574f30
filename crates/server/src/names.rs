//! What may be a name of something: of a user, a device, a key.

/// The longest name, in characters.
pub(crate) const MAX_NAME_LEN: usize = 256;

/// Whether `text` is a name as people write it: something visible, nothing that XML or a log line cannot carry.
pub(crate) fn is_name(text: &str) -> bool {
    let is_long = text.len() > MAX_NAME_LEN && text.chars().nth(MAX_NAME_LEN).is_some();
    !text.trim().is_empty() && !is_long && !text.chars().any(is_deceptive) && pskc::xml::is_text(text)
}

/// Controls, line ends, and what turns the direction of the text around it.
fn is_deceptive(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
