//! Messages as text.

use super::Pass;

/// A link that changes one message by text.
pub(crate) fn replacing(pass: Pass, from: &str, to: &str) -> impl FnMut(Pass, Vec<u8>) -> Vec<Vec<u8>> + use<> {
    let (from, to) = (from.to_owned(), to.to_owned());
    move |at, message| match at == pass {
        true => vec![replaced(&message, &from, &to)],
        false => vec![message],
    }
}

/// The message with its one `from` replaced.
pub(crate) fn replaced(message: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(message).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
    text.replace(from, to).into_bytes()
}

/// The text between the first `from` and the next `to`.
pub(crate) fn between<'m>(message: &'m [u8], from: &str, to: &str) -> &'m str {
    let text = std::str::from_utf8(message).unwrap();
    let rest = text.split_once(from).unwrap_or_else(|| panic!("{from} in {text}")).1;
    rest.split_once(to).unwrap_or_else(|| panic!("{to} in {rest}")).0
}
