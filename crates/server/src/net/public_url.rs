//! What the path of a public URL says: `https://host/keys/dskpp` has the prefix `/keys`, and everything else that the
//! server serves is under the same prefix, such as `/keys/enroll/TOKEN`.

use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use dskpp_api::paths;

/// A URL without its last segment and what follows: `https://host/keys` for `https://host/keys/dskpp`.
pub(crate) fn base(url: &str) -> &str {
    let url = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    let authority = url.find("://").map_or(0, |at| at + 3);
    url[authority..].rfind('/').map_or(url, |at| &url[..authority + at])
}

/// The host of a URL, with its port: `host:8443`.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// The prefixes of the public URLs; requests are served with and without them, so a balancer may strip them or not.
pub(crate) struct Prefixes(Vec<String>);

impl Prefixes {
    pub(crate) fn of(urls: &[String]) -> Self {
        let prefix = |url: &String| {
            let base = base(url);
            let authority = base.find("://").map_or(0, |at| at + 3);
            base[authority..].find('/').map(|at| base[authority + at..].to_owned())
        };
        Prefixes(urls.iter().filter_map(prefix).collect())
    }

    /// The request's URI without a prefix, if the server serves what remains.
    pub(crate) fn strip(&self, uri: &mut Uri) {
        let Some(asked) = uri.path_and_query() else { return };
        let stripped = |prefix: &String| {
            let rest = asked.as_str().strip_prefix(prefix.as_str()).filter(|rest| is_served(rest))?;
            rest.parse::<PathAndQuery>().ok()
        };
        if let Some(rest) = self.0.iter().find_map(stripped) {
            *uri = Uri::from(rest);
        }
    }
}

fn is_served(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let is_api = |rest: &str| rest.is_empty() || rest.starts_with('/');
    matches!(path, "/dskpp" | paths::ACTIVATE | paths::RENEW | "/healthz" | "/readyz")
        || path.starts_with("/enroll/")
        || path == "/token"
        || path.starts_with("/token/")
        || path.strip_prefix(paths::ROOT).is_some_and(is_api)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_of_a_url_is_all_but_its_last_segment() {
        for (url, of) in [
            ("https://host/dskpp", "https://host"),
            ("https://host:8443/keys/dskpp", "https://host:8443/keys"),
            ("https://[::1]/a/b/dskpp", "https://[::1]/a/b"),
            ("https://host/keys/dskpp?site=/a#b/c", "https://host/keys"),
            ("https://host", "https://host"),
            ("https://host?a=/b", "https://host"),
        ] {
            assert_eq!(base(url), of, "{url}");
            assert!(url.starts_with(&format!("https://{}", host(url))) && !host(url).contains('/'), "{url}");
        }
    }

    #[test]
    fn a_prefix_is_stripped_only_before_a_path_that_the_server_has() {
        let urls =
            ["https://host/keys/dskpp", "https://host/dskpp", "https://host/keys/api/dskpp", "https://host/api/dskpp"];
        let prefixes = Prefixes::of(&urls.map(String::from));
        for (asked, served) in [
            ("/keys/dskpp", "/dskpp"),
            ("/keys/enroll/AB12?download", "/enroll/AB12?download"),
            ("/keys/api/v1/users?a=b", "/api/v1/users?a=b"),
            ("/keys/readyz", "/readyz"),
            ("/keys/activate", "/activate"),
            ("/keys/token/app.js", "/token/app.js"),
            ("/keys/token", "/token"),
            ("/keys/tokens", "/keys/tokens"),
            ("/keys/api/dskpp", "/dskpp"),
            ("/api/api/v1/keys", "/api/v1/keys"),
            ("/dskpp", "/dskpp"),
            ("/api/v1/users", "/api/v1/users"),
            ("/keys", "/keys"),
            ("/keys/", "/keys/"),
            ("/keysdskpp", "/keysdskpp"),
            ("/keys/other", "/keys/other"),
            ("/keys//dskpp", "/keys//dskpp"),
            ("/keys/dskpp/", "/keys/dskpp/"),
            ("/keys/../dskpp", "/keys/../dskpp"),
            ("/Keys/dskpp", "/Keys/dskpp"),
            ("https://other/keys/dskpp", "/dskpp"),
            ("*", "*"),
        ] {
            let mut uri = asked.parse().unwrap();
            prefixes.strip(&mut uri);
            assert_eq!(uri.to_string(), served, "{asked}");
        }
    }
}
