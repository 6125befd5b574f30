//! Checks whether an `Accept` header names a media type (RFC 9110 §12.5.1).

use axum::http::{HeaderMap, header};

/// Whether it names that type with a non-zero weight (profile P27); browsers send wildcards.
pub(super) fn names(headers: &HeaderMap, media_type: &str) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|value| {
        let line = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        let mut members = line.split(',').filter_map(|member| read(member.trim()));
        members.any(|(range, weight)| range == media_type && weight > 0)
    })
}

/// A media range in lower case without its parameters, and its weight in thousandths; `None` if its weight is not a
/// number from 0 to 1.
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
    use super::*;
    use crate::dskpp::http::MEDIA_TYPE;
    use axum::http::HeaderValue;

    #[test]
    fn p27_rfc9110_12_5_1_accept_headers_that_request_a_trigger() {
        let cases: &[(&[&[u8]], bool)] = &[
            (&[b"application/dskpp+xml"], true),
            (&[b"Application/DSKPP+XML;charset=utf-8 ; Q=0.001"], true),
            (&[b"text/html, application/dskpp+xml;q=0.5"], true),
            (&[b"text/html", b"application/dskpp+xml"], true),
            (&[], false),
            (&[b""], false),
            (&[b" , ,"], false),
            (&[b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], false),
            (&[b"*/*"], false),
            (&[b"application/*"], false),
            (&[b"application/json, image/png"], false),
            (&[b"application/dskpp+xml; q = 0.000, text/html"], false),
            (&[b"application/dskpp+xml2"], false),
            (&[b"application/dskpp+xml;q=2"], false),
            (&[b"application/dskpp+xml;q=1.001"], false),
            (&[b"application/dskpp+xml;q=nan"], false),
            (&[b"application/dskpp+xml;q=-1"], false),
            (&[b"application/dskpp+xml;q="], false),
            (&[b"application/dskpp+xml;q=0.0001"], false),
            (&[b"application/dskpp+xml;q=\xff, text/html"], false),
            (&[b"\xff\xfe"], false),
            (&[b";;;=;q"], false),
        ];
        for (values, wanted) in cases {
            let mut headers = HeaderMap::new();
            for value in *values {
                headers.append(header::ACCEPT, HeaderValue::from_bytes(value).unwrap());
            }
            let shown: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value)).collect();
            assert_eq!(names(&headers, MEDIA_TYPE), *wanted, "{shown:?}");
        }
    }
}
