//! What an `Accept` header asks for (RFC 9110 §12.5.1): the trigger, the page or neither.

use axum::http::{HeaderMap, header};

use crate::dskpp_http::MEDIA_TYPE;

/// What is sent to somebody who asks for a trigger's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The trigger: its type is named (profile P27). A wildcard is a browser's.
    Trigger,
    /// The page for people.
    Page,
    /// Nothing that there is: 406.
    Neither,
}

impl Wanted {
    /// Reads every `Accept` header; none at all, or an empty one, takes anything and so gets the page.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter();
        let lines = values.map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase());
        let line = lines.collect::<Vec<_>>().join(",");
        let members = || line.split(',').map(str::trim).filter(|member| !member.is_empty());
        if members().next().is_none() {
            return Wanted::Page;
        }
        // Of several ranges that fit, the most exact one counts, whatever the others say.
        let weight = |exact_first: &[&str]| {
            let of = |range: &&str| members().filter_map(read).filter(|(name, _)| name == range).map(|(_, w)| w).max();
            exact_first.iter().find_map(of).unwrap_or(0)
        };
        if weight(&[MEDIA_TYPE]) > 0 {
            Wanted::Trigger
        } else if weight(&["text/html", "text/*", "*/*"]) > 0 {
            Wanted::Page
        } else {
            Wanted::Neither
        }
    }
}

/// A media range in lower case without its parameters, and its weight in thousandths; `None`: its weight is no number
/// from 0 to 1.
fn read(member: &str) -> Option<(&str, u16)> {
    let mut parts = member.split(';').map(str::trim);
    let range = parts.next()?;
    let given = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        (name.trim_end() == "q").then(|| value.trim_start())
    });
    Some((range, given.map_or(Some(1000), thousandths)?))
}

/// A `qvalue`: 0 or 1 with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || decimals.len() > 3 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{decimals:0<3}").parse().ok().filter(|weight| *weight <= 1000)
}

#[cfg(test)]
mod tests {
    use super::Wanted::{Neither, Page, Trigger};
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn p27_rfc9110_12_5_1_what_an_accept_header_gets() {
        let cases: &[(&[&[u8]], Wanted)] = &[
            (&[], Page),
            (&[b""], Page),
            (&[b" , ,"], Page),
            (&[b"application/dskpp+xml"], Trigger),
            (&[b"Application/DSKPP+XML;charset=utf-8 ; Q=0.001"], Trigger),
            (&[b"text/html, application/dskpp+xml;q=0.5"], Trigger),
            (&[b"text/html", b"application/dskpp+xml"], Trigger),
            (&[b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], Page),
            (&[b"text/html;level=1"], Page),
            (&[b"text/*;q=0.1"], Page),
            (&[b"*/*"], Page),
            (&[b"application/dskpp+xml;q=0, */*"], Page),
            (&[b"application/dskpp+xml; q = 0.000, text/html"], Page),
            (&[b"application/dskpp+xml;q=0"], Neither),
            (&[b"text/html;q=0, */*"], Neither),
            (&[b"*/*, text/*;q=0"], Neither),
            (&[b"text/*;q=0, text/html"], Page),
            (&[b"*/*;q=0.0"], Neither),
            (&[b"application/*"], Neither),
            (&[b"application/json, image/png"], Neither),
            (&[b"application/dskpp+xml2"], Neither),
            (&[b"application/dskpp+xml;q=2"], Neither),
            (&[b"application/dskpp+xml;q=1.001"], Neither),
            (&[b"application/dskpp+xml;q=nan"], Neither),
            (&[b"application/dskpp+xml;q=-1"], Neither),
            (&[b"application/dskpp+xml;q="], Neither),
            (&[b"application/dskpp+xml;q=0.0001"], Neither),
            (&[b"application/dskpp+xml;q=\xff, text/html"], Page),
            (&[b"\xff\xfe"], Neither),
            (&[b";;;=;q"], Neither),
        ];
        for (values, wanted) in cases {
            let mut headers = HeaderMap::new();
            for value in *values {
                headers.append(header::ACCEPT, HeaderValue::from_bytes(value).unwrap());
            }
            let shown: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value)).collect();
            assert_eq!(Wanted::of(&headers), *wanted, "{shown:?}");
        }
    }
}
