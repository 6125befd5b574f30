//! Pages for people: what a trigger's URL is for and how to use it, and what to do if it does not work.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use qrcode::{Color, QrCode};

use super::facts::Facts;
use crate::pages::html::{escape, fill, source_of};
use crate::pages::language::Language;
use crate::pages::portal::Portal;

const LAYOUT: &str = include_str!("layout.html");
const READY: &str = include_str!("ready.html");
const HERE: &str = include_str!("here.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");

/// A page may use its own style and script and show the logo, but load, run or send nothing else, and disclose its URL
/// to nobody: the URL is a secret.
static HEADERS: LazyLock<[(HeaderName, HeaderValue); 5]> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; img-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        source_of(STYLE),
        source_of(SCRIPT)
    );
    [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::try_from(policy).expect("it is ASCII")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ]
});

/// How to use the trigger at `url`. The page contains nothing of the trigger itself.
pub(super) fn ready(url: &str, facts: &Facts, portal: &Portal, language: Language) -> Response {
    let note = |text: &str| format!("<p class=\"note\">{}</p>\n", escape(text));
    let here = match (&facts.device, facts.is_for_browser) {
        (_, true) => fill(HERE, |name| language.find(name)),
        (Some(device), false) => note(&language.message("link_for_device").replace("{device}", device)),
        (None, false) => note(language.message("link_not_here")),
    };
    let qr = qr(url, language.message("link_qr"));
    let until_text = facts.until.replace('T', " ").replace('Z', " UTC");
    let [url, user, what, until_text, issuer] =
        [url, &facts.user, &facts.what, &until_text, &portal.issuer].map(escape);
    let main = fill(READY, |name| match name {
        "url" => Some(&url),
        "user" => Some(&user),
        "what" => Some(&what),
        "until" => Some(&facts.until),
        "until_text" => Some(&until_text),
        "issuer" => Some(&issuer),
        "qr" => Some(&qr),
        "here" => Some(&here),
        name => language.find(name),
    });
    let script = format!("<script>{SCRIPT}</script>");
    page(StatusCode::OK, language.message("link_title"), &main, portal, language, &script)
}

/// What went wrong and what to do next: the names of two messages.
pub(super) fn refusal(status: StatusCode, title: &str, next: &str, portal: &Portal, language: Language) -> Response {
    let main = format!("<p>{}</p>", escape(language.message(next)));
    page(status, language.message(title), &main, portal, language, "")
}

fn page(status: StatusCode, title: &str, main: &str, portal: &Portal, language: Language, script: &str) -> Response {
    let issuer = escape(&portal.issuer);
    let logo = match portal.logo {
        Some(_) => format!("<img src=\"../token/logo\" alt=\"\"><span>{issuer}</span>"),
        None => format!("<span>{issuer}</span>"),
    };
    let (title, footer) = (escape(title), footer(portal, language));
    let text = fill(LAYOUT, |name| match name {
        "language" => Some(language.tag()),
        "title" => Some(&title),
        "style" => Some(STYLE),
        "issuer" => Some(&logo),
        "main" => Some(main),
        "footer" => Some(&footer),
        "script" => Some(script),
        _ => None,
    });
    (status, HEADERS.clone(), text).into_response()
}

/// Where to get help, and the page in other languages.
fn footer(portal: &Portal, language: Language) -> String {
    let mut footer = String::new();
    if !portal.help.is_empty() {
        let help = escape(&portal.help);
        let help = match portal.help_link() {
            Some(link) => format!("<a href=\"{}\">{help}</a>", escape(&link)),
            None => help,
        };
        _ = write!(footer, "<p>{} {help}</p>", escape(language.message("link_help")));
    }
    _ = write!(footer, "<nav aria-label=\"{}\">", escape(language.message("language")));
    for other in Language::ALL.into_iter().filter(|other| *other != language) {
        let (tag, name) = (other.tag(), other.name());
        _ = write!(footer, "<a href=\"?lang={tag}\" lang=\"{tag}\" hreflang=\"{tag}\">{name}</a>");
    }
    footer + "</nav>"
}

/// The link as a picture; empty for one that is too long.
fn qr(url: &str, label: &str) -> String {
    const MARGIN: usize = 4;
    let Ok(code) = QrCode::new(url) else { return String::new() };
    let (width, colors) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..].iter().take_while(|color| **color == Color::Dark).count();
            if run > 0 {
                _ = write!(path, "M{} {}h{run}v1h-{run}z", x + MARGIN, y + MARGIN);
            }
            x += run.max(1);
        }
    }
    let side = width + 2 * MARGIN;
    format!(
        "<svg role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>",
        escape(label)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    async fn text(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().into()).unwrap()
    }

    fn portal(text: &str) -> Portal {
        Portal { issuer: text.into(), help: text.into(), logo: None, url_s: Vec::new(), owners_renew: false }
    }

    fn facts(text: &str) -> Facts {
        let until = "2027-01-01T00:00:00Z".to_owned();
        Facts { user: text.into(), what: text.into(), until, device: None, is_for_browser: true }
    }

    #[tokio::test]
    async fn the_content_security_policy_allows_only_the_pages_own_style_and_script() {
        let response = ready("https://host/enroll/AB12", &facts("alice"), &portal("Example"), Language::German);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        let page = text(response).await;
        for (start, end, directive) in [("<style>", "</style>", "style-src"), ("<script>", "</script>", "script-src")] {
            let inline = crate::pages::html::text_of(&page, start, end).unwrap();
            assert!(policy.contains(&format!("{directive} {};", source_of(inline))), "{policy}: {inline}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!((page.matches("<style").count(), page.matches("<script").count()), (1, 1));
        assert!(!page.contains(" style=") && !page.contains(" onclick="), "the policy would not allow it");
        assert!(!page.contains("{{") && !page.contains("}}"));
        assert!(page.len() < 32 * 1024, "{}", page.len());
    }

    #[tokio::test]
    async fn pages_escape_hostile_values() {
        let hostile = "'\"><script>alert(1)</script>&lt;{{style}}";
        let gone = refusal(StatusCode::GONE, "link_over", "link_over_next", &portal(hostile), Language::English);
        for response in [ready(hostile, &facts(hostile), &portal(hostile), Language::English), gone] {
            let page = text(response).await;
            assert!(page.contains("&#39;&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;lt;{{style}}"), "{page}");
            assert!(!page.contains("<script>alert"), "{page}");
        }
    }

    #[tokio::test]
    async fn every_template_has_a_value_for_each_name_in_every_language() {
        for language in Language::ALL {
            let elsewhere = || Facts { is_for_browser: false, ..facts("alice") };
            let of_device = Facts { device: Some("Acme 7".into()), ..elsewhere() };
            let pages = [facts("alice"), elsewhere(), of_device];
            let pages = pages.map(|facts| ready("https://host/enroll/AB12", &facts, &portal("x"), language));
            let gone = refusal(StatusCode::GONE, "link_over", "link_over_next", &portal("x"), language);
            for page in pages.into_iter().chain([gone]) {
                let page = text(page).await;
                assert!(page.contains("</html>") && !page.contains("{{"), "{page}");
            }
        }
    }

    #[tokio::test]
    async fn a_key_that_no_browser_can_have_has_no_button() {
        let of_device = Facts { device: Some("Acme 7".into()), is_for_browser: false, ..facts("alice") };
        let page = text(ready("https://host/enroll/AB12", &of_device, &portal("x"), Language::English)).await;
        assert!(page.contains("Acme 7") && !page.contains("<button") && !page.contains("id=\"no-script"), "{page}");
        assert!(page.contains("href=\"?download\"") && page.contains("<svg role=\"img\""), "the other ways stay");
    }
}
