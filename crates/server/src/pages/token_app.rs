//! `GET /token/`: the token in the browser, from files in this binary. `packages/js/build-token` puts them there.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use data_encoding::HEXLOWER;
use dskpp_crypto::Sha256;
use serde_json::json;

use super::html::{source_of, text_of};
use super::portal::Portal;

const INDEX: &str = include_str!("../../assets/token/index.html");

/// A file: its name below `/token/`, its media type, its content.
type File = (&'static str, &'static str, &'static [u8]);

macro_rules! files {
    ($($media_type:literal: $($name:literal)*;)*) => {
        &[$($(($name, $media_type, include_bytes!(concat!("../../assets/token/", $name)))),*),*]
    };
}

const FILES: &[File] = files! {
    "text/javascript; charset=utf-8": "sw.js" "worker.js";
    "application/wasm": "dskpp.wasm";
    "application/manifest+json": "manifest.webmanifest";
    "image/svg+xml": "icon.svg";
    "image/png": "icon-192.png" "icon-512.png" "icon-maskable-512.png";
};

/// What the app's page and workers may do: run the page's script, the worker and the module, speak with this server, show
/// its pictures. No text becomes HTML or a script, but for the names of the two scripts that `dom.js` starts
/// (Trusted Types). A logo may do nothing.
fn app_policy() -> String {
    let [script, style] = INLINE.map(|(start, end)| text_of(INDEX, start, end).map(source_of).unwrap_or_default());
    format!(
        "default-src 'none'; script-src {script} 'wasm-unsafe-eval'; style-src {style}; img-src 'self'; \
         connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types dskpp"
    )
}

/// The page's script and its style.
const INLINE: [(&str, &str); 2] = [("<script>", "</script>"), ("<style>", "</style>")];

const LOGO_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

/// An answer that a browser may keep as long as it asks whether it is still the same.
struct Served {
    media_type: &'static str,
    content: Bytes,
    policy: HeaderValue,
    etag: HeaderValue,
}

impl Served {
    fn new(media_type: &'static str, content: Bytes, policy: &HeaderValue) -> Self {
        let hash = &HEXLOWER.encode(&Sha256::digest(&[&content]))[..32];
        let etag = HeaderValue::try_from(format!("\"{hash}\"")).expect("it is ASCII");
        Served { media_type, content, policy: policy.clone(), etag }
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let given = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_same =
            given.split(',').any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == self.etag.as_bytes());
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(self.media_type)),
            (header::ETAG, self.etag.clone()),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (header::CONTENT_SECURITY_POLICY, self.policy.clone()),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
            (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
        ];
        match is_same {
            true => (StatusCode::NOT_MODIFIED, headers).into_response(),
            false => (headers, self.content.clone()).into_response(),
        }
    }
}

/// The app's files, `logo`, and `server.json`: what the app says of the server.
pub(crate) fn router(portal: &Portal) -> Router {
    let policy = HeaderValue::try_from(app_policy()).expect("it is ASCII");
    let mut files = vec![("", Served::new("text/html; charset=utf-8", INDEX.as_bytes().into(), &policy))];
    for (name, media_type, content) in FILES {
        files.push((name, Served::new(media_type, Bytes::from_static(content), &policy)));
    }
    let server = json!({
        "issuer": portal.issuer,
        "help": portal.help,
        "help_link": portal.help_link(),
        "has_logo": portal.logo.is_some(),
        "urls": portal.url_s,
        "owners_renew": portal.owners_renew,
    });
    files.push(("server.json", Served::new("application/json", server.to_string().into(), &policy)));
    if let Some(logo) = &portal.logo {
        let policy = HeaderValue::from_static(LOGO_POLICY);
        files.push(("logo", Served::new(logo.media_type, logo.octets.clone(), &policy)));
    }
    Router::new()
        .route("/token", get(to_folder))
        .route("/token/", get(index))
        .route("/token/{*name}", get(file))
        .with_state(Arc::new(files))
}

type Files = Arc<Vec<(&'static str, Served)>>;

/// The links of the app are relative to its folder.
async fn to_folder() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, HeaderValue::from_static("token/"))]).into_response()
}

async fn index(state: State<Files>, headers: HeaderMap) -> Response {
    file(state, Path(String::new()), headers).await
}

async fn file(State(files): State<Files>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match files.iter().find(|(known, _)| *known == name) {
        Some((_, served)) => served.answer(&headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file of the folder, relative to it.
    fn found(folder: &std::path::Path, prefix: &str) -> Vec<String> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => names.extend(found(&entry.path(), &format!("{name}/"))),
                false => names.push(name),
            }
        }
        names.sort();
        names
    }

    #[test]
    fn every_file_of_the_app_is_served() {
        let mut served: Vec<_> = FILES.iter().map(|(name, ..)| (*name).to_owned()).collect();
        served.push("index.html".into());
        served.sort();
        assert_eq!(found(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/token").as_ref(), ""), served);
    }

    #[test]
    fn the_page_has_only_the_inline_text_that_its_policy_names() {
        let policy = app_policy();
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        let mut rest = INDEX.to_owned();
        for (start, end) in INLINE {
            let text = text_of(INDEX, start, end).unwrap();
            assert!(policy.contains(&source_of(text)) && text.len() > 1000, "{start}");
            rest = rest.replace(text, "");
            assert_eq!(rest.matches(start.trim_end_matches('>')).count(), 1, "{start}");
        }
        for foreign in ["//", " style=", " onload=", " onclick=", "{{"] {
            assert!(!rest.contains(foreign), "{foreign}");
        }
    }
}
