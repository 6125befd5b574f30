//! HTML from templates, and the policy for what stands in it.

use data_encoding::BASE64;
use dskpp_crypto::Sha256;

/// Replaces each `{{name}}` by its value; a value's own `{{name}}` stays as it is.
///
/// # Panics
/// If a name has no value, or a `{{` no end: the templates are part of the program, and a test fills all of them.
pub(crate) fn fill<'a>(template: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    try_fill(template, value).unwrap_or_else(|name| panic!("a template names '{name}', which has no value"))
}

/// As [`fill`]; the error is the first name without a value, or what follows a `{{` without an end.
fn try_fill<'a, 't>(template: &'t str, value: impl Fn(&str) -> Option<&'a str>) -> Result<String, &'t str> {
    let mut pieces = template.split("{{");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").ok_or(piece)?;
        filled.push_str(value(name).ok_or(name)?);
        filled.push_str(rest);
    }
    Ok(filled)
}

/// Escapes text for an element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Sources of a Content-Security-Policy that allow exactly this inline text: `'sha256-…'`.
pub(crate) fn source_of(inline: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(&Sha256::digest(&[inline.as_bytes()])[..]))
}

/// The text of the first element of a document with this start tag.
pub(crate) fn text_of<'a>(document: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(document.split_once(start)?.1.split_once(end)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_once_and_a_name_without_a_value_is_an_error() {
        let value = |name: &str| (name == "a").then_some("{{b}}");
        assert_eq!(try_fill("<{{a}}|{{a}}>", value).as_deref(), Ok("<{{b}}|{{b}}>"));
        for (wrong, name) in [("{{a}}{{c}}", "c"), ("{{}}", ""), ("{{ a }}", " a "), ("{{a", "a")] {
            assert_eq!(try_fill(wrong, value), Err(name));
        }
    }

    #[test]
    fn hostile_text_stays_text() {
        assert_eq!(escape("'\"><b>&"), "&#39;&quot;&gt;&lt;b&gt;&amp;");
    }
}
