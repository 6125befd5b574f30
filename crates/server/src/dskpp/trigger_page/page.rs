//! Pages for people: how to use a trigger's URL, and what to do if it does not work.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

const LAYOUT: &str = include_str!("layout.html");
const READY: &str = include_str!("ready.html");
const STYLE: &str = include_str!("style.css");

/// A page may use its own style, but load, run or send nothing, and disclose its URL to nobody: the URL is a secret.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'sha256-I2vPRbEmvmhjfAiclMcOW7+S75l3uqMSSQZx6U1CG0A='; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// How to use the trigger at `url`. The page contains nothing of the trigger itself.
pub(super) fn ready(url: &str) -> Response {
    let main = fill(READY, &[("url", &escape(url))]);
    page(StatusCode::OK, "Your new key", &main)
}

/// What went wrong and what to do next; both are text.
pub(super) fn refusal(status: StatusCode, title: &str, next: &str) -> Response {
    page(status, title, &format!("<p>{}</p>", escape(next)))
}

fn page(status: StatusCode, title: &str, main: &str) -> Response {
    let text = fill(LAYOUT, &[("title", &escape(title)), ("style", STYLE), ("main", main)]);
    (status, HEADERS, text).into_response()
}

/// Replaces each `{{name}}` by its value; a value's own `{{name}}` stays as it is.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut pieces = template.split("{{");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        filled.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        filled.push_str(rest);
    }
    filled
}

/// Escapes text for an element or a quoted attribute.
fn escape(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    async fn text(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().into()).unwrap()
    }

    #[tokio::test]
    async fn the_content_security_policy_allows_only_the_pages_own_style() {
        let response = ready("https://host/enroll/AB12");
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        let page = text(response).await;
        let (_, rest) = page.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = data_encoding::BASE64.encode(&dskpp_crypto::Sha256::digest(&[style.as_bytes()])[..]);
        assert!(policy.contains(&format!("style-src 'sha256-{hash}';")), "{policy}: {hash}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.matches("<style").count(), 1);
        assert!(!page.contains(" style="), "the policy would not allow it");
    }

    #[tokio::test]
    async fn pages_escape_hostile_values() {
        let hostile = "'\"><script>alert(1)</script>&lt;{{style}}";
        for response in [ready(hostile), refusal(StatusCode::GONE, hostile, hostile)] {
            let page = text(response).await;
            assert!(!page.contains("<script") && !page.contains("'\"") && page.contains("&amp;lt;{{style}}"), "{page}");
        }
    }

    #[test]
    fn a_template_is_filled_once() {
        assert_eq!(fill("a{{x}}b{{y}}", &[("x", "{{y}}"), ("y", "1")]), "a{{y}}b1");
        assert_eq!(fill("{{unknown}}{{x", &[("x", "1")]), "1");
        assert_eq!(fill("", &[]), "");
    }
}
