//! The admin API's client, shared by `admin`, `demo` and `bench`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use crate::output::Failure;

/// How to reach a server's admin API.
#[derive(Args, Clone)]
pub(crate) struct Connection {
    /// The server, as scheme, host and port
    #[arg(
        long,
        global = true,
        env = "DSKPP_ADMIN_SERVER",
        default_value = "https://127.0.0.1:8443",
        value_name = "URL"
    )]
    pub(crate) server: String,

    /// File with the token of the admin API
    #[arg(
        long,
        global = true,
        env = "DSKPP_ADMIN_TOKEN_FILE",
        default_value = "dskpp-data/admin-token",
        value_name = "FILE"
    )]
    pub(crate) token_file: PathBuf,

    /// Certificates (PEM) to trust instead of the system's [default: dskpp-data/tls/ca.pem where that exists]
    #[arg(long, global = true, env = "DSKPP_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

/// A connection to the admin API.
#[derive(Clone)]
pub(crate) struct Api {
    client: reqwest::Client,
    server: String,
    token: String,
}

/// Where `dskpp serve` puts its private CA unless it is told otherwise.
const DEFAULT_CA: &str = "dskpp-data/tls/ca.pem";

impl Connection {
    pub(crate) fn open(&self) -> Result<Api, Failure> {
        let token = std::fs::read_to_string(&self.token_file).map_err(|why| {
            Failure::new(format!("the admin token cannot be read from {}: {why}", self.token_file.display()))
                .next("run this where `dskpp serve` runs, or name the file with --token-file")
        })?;
        let default_ca = Path::new(DEFAULT_CA);
        let ca = self.ca.as_deref().or(default_ca.exists().then_some(default_ca));
        Api::new(&self.server, token.trim(), ca)
    }
}

impl Api {
    pub(crate) fn new(server: &str, token: &str, ca: Option<&Path>) -> Result<Self, Failure> {
        let builder = reqwest::Client::builder()
            .use_preconfigured_tls(dskpp_client::transport::tls_config(ca).map_err(Failure::new)?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(30));
        let client = builder.build().map_err(|why| Failure::new(format!("no HTTP client: {why}")))?;
        Ok(Api { client, server: server.trim_end_matches('/').to_owned(), token: token.to_owned() })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::DELETE, path, None).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let url = format!("{}/api/v1{path}", self.server);
        let mut request = self.client.request(method, &url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|why| self.unreachable(&why))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|why| self.unreachable(&why))?;
        if status.is_success() {
            let document = if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text) };
            return document.map_err(|_| Failure::new(format!("{url} answers with something else than JSON")));
        }
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("no reason was given");
        Err(Failure::new(format!("the server refused ({status}): {detail}")))
    }

    fn unreachable(&self, why: &reqwest::Error) -> Failure {
        let mut reason = why.to_string();
        let mut source = std::error::Error::source(why);
        while let Some(inner) = source {
            reason = inner.to_string();
            source = inner.source();
        }
        Failure::new(format!("{} cannot be reached: {reason}", self.server))
            .next("is the server running? Name another with --server, its CA with --ca")
    }
}

/// A part of a URL's path or query, percent-encoded.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|octet| match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(octet).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
