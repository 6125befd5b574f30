//! Entity tags (RFC 9110 §8.8.3, §13.1): each answer that shows one thing has a strong one, a digest of what it shows. A
//! call that changes that thing can name the tag that it has seen, and is refused where something else is there by then.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use data_encoding::HEXLOWER;
use dskpp_crypto::Sha256;
use serde::Serialize;

use super::problem::{ApiProblem, json_answer, members};

/// The tag of what an answer shows.
pub(super) fn tag_of(shown: &impl Serialize) -> String {
    let digest = Sha256::digest(&[members(shown).to_string().as_bytes()]);
    format!("\"{}\"", HEXLOWER.encode(&digest[..16]))
}

/// Tags of a header: any, or these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tags {
    Any,
    These(Vec<String>),
}

impl Tags {
    /// Whether they name what is shown.
    pub(super) fn name(&self, shown: &impl Serialize) -> bool {
        match self {
            Tags::Any => true,
            Tags::These(tags) => tags.contains(&tag_of(shown)),
        }
    }

    /// The tags of a header, if there is one. `weak` ones are compared without their mark, or match nothing.
    fn of(headers: &HeaderMap, name: &HeaderName, weak: bool) -> Result<Option<Self>, ApiProblem> {
        let values = headers.get_all(name).iter().map(|value| value.to_str().ok());
        let Some(text) = values.collect::<Option<Vec<_>>>().map(|values| values.join(",")) else {
            return Err(unreadable(name));
        };
        match text.trim() {
            "" if !headers.contains_key(name) => Ok(None),
            "*" => Ok(Some(Tags::Any)),
            list => list_of(list, weak).map(|tags| Some(Tags::These(tags))).ok_or_else(|| unreadable(name)),
        }
    }
}

fn unreadable(name: &HeaderName) -> ApiProblem {
    ApiProblem::header(format!("{name} must be * or a list of entity tags in quotes (RFC 9110)"))
}

/// A list may have empty elements, or none (RFC 9110 §5.6.1.2): none names anything.
fn list_of(list: &str, weak: bool) -> Option<Vec<String>> {
    let (mut tags, mut rest) = (Vec::new(), list);
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        if rest.is_empty() {
            return Some(tags);
        }
        let (is_weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let (inner, behind) = quoted.strip_prefix('"')?.split_once('"')?;
        if !inner.bytes().all(|octet| octet == b'!' || (b'#'..=b'~').contains(&octet)) {
            return None;
        }
        tags.extend((weak || !is_weak).then(|| format!("\"{inner}\"")));
        rest = behind.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

/// `If-Match`: the call is carried out only if one of these tags names what is there (RFC 9110 §13.1.1).
pub(super) struct IfMatch(pub(super) Option<Tags>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        Tags::of(&parts.headers, &header::IF_MATCH, false).map(IfMatch)
    }
}

/// `If-None-Match`: what is named need not be shown (RFC 9110 §13.1.2).
pub(super) struct IfNoneMatch(Option<Tags>);

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        Tags::of(&parts.headers, &header::IF_NONE_MATCH, true).map(IfNoneMatch)
    }
}

impl IfNoneMatch {
    /// What is shown, with its tag; 304 where the caller has it.
    pub(super) fn answer(&self, shown: &impl Serialize) -> Response {
        match &self.0 {
            Some(tags) if tags.name(shown) => {
                let headers = [(header::ETAG, tag_of(shown)), (header::CACHE_CONTROL, "no-store".to_owned())];
                (StatusCode::NOT_MODIFIED, headers).into_response()
            }
            _ => tagged(shown),
        }
    }
}

/// What is shown, with its tag.
pub(super) fn tagged(shown: &impl Serialize) -> Response {
    let mut response = json_answer(StatusCode::OK, shown);
    if let Ok(tag) = HeaderValue::from_str(&tag_of(shown)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9110_s8_8_3_tags_stand_in_lists_and_weak_ones_match_only_what_is_shown() {
        let of = |values: &[&str], weak| {
            let header = |value: &&str| (header::IF_MATCH, value.parse().unwrap());
            Tags::of(&values.iter().map(header).collect(), &header::IF_MATCH, weak).ok()
        };
        let these = |tags: &[&str]| Some(Some(Tags::These(tags.iter().map(|tag| format!("\"{tag}\"")).collect())));
        assert_eq!(of(&[], true), Some(None));
        assert_eq!(of(&["*"], true), Some(Some(Tags::Any)));
        assert_eq!(of(&["\"a\""], false), these(&["a"]));
        assert_eq!(of(&["\"a\" , W/\"b\",\"c,d\""], true), these(&["a", "b", "c,d"]));
        assert_eq!(of(&["\"a\"", "W/\"b\""], false), these(&["a"]));
        assert_eq!(of(&[""], true), these(&[]), "an empty list names nothing");
        assert_eq!(of(&[",\"a\",, \"b\","], true), these(&["a", "b"]));
        for unreadable in ["a", "\"a", "\"a\"b", "\"a\" \"b\"", "\"a b\"", "w/\"a\"", "*, \"a\""] {
            assert_eq!(of(&[unreadable], true), None, "{unreadable}");
        }
    }
}
