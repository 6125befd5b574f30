//! Writing: elements without white space between them, with the RFC's prefixes.

use pskc::xml::{Writer, ns};

use crate::message::RootKind;
use crate::status::Status;
use crate::version::Version;

/// Starts a document: declaration and open root, with the prefixes that any message needs.
pub(in crate::message) fn root(kind: RootKind) -> Writer {
    let mut writer = Writer::new();
    writer.declaration();
    writer.start(kind.element());
    for (name, uri) in [
        ("xmlns:dskpp", ns::DSKPP),
        ("xmlns:pskc", ns::PSKC),
        ("xmlns:ds", ns::DS),
        ("xmlns:xenc", ns::XENC),
        ("xmlns:xsi", ns::XSI),
    ] {
        writer.attr(name, uri);
    }
    writer
}

/// The attributes of a response's root.
pub(in crate::message) fn response_attributes(
    writer: &mut Writer,
    version: Version,
    session_id: Option<&str>,
    status: Status,
) {
    writer.attr("Version", &version.to_string()).attr_opt("SessionID", session_id).attr("Status", status.as_str());
}

/// `<outer><inner>text</inner>…</outer>`
pub(in crate::message) fn list<'t>(
    writer: &mut Writer,
    outer: &str,
    inner: &str,
    texts: impl IntoIterator<Item = &'t str>,
) {
    writer.start(outer);
    for text in texts {
        writer.element(inner, text);
    }
    writer.end();
}
