//! The admin API's client, shared by `admin`, `demo` and `bench`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use dskpp_client::transport::{CertificateFault, HttpClient, TransportError, check_url};
use hyper::body::Bytes;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::output::Failure;
use crate::shown::shown;

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
    client: HttpClient,
    server: String,
    token: String,
    /// The file with the trusted certificates, where it is not the system's.
    ca: Option<PathBuf>,
}

/// How long a document is sent again to a server that has no room for it.
const MOST_WAIT: Duration = Duration::from_secs(15 * 60);
/// Where `dskpp serve` puts its private CA unless it is told otherwise.
const DEFAULT_CA: &str = "dskpp-data/tls/ca.pem";

impl Connection {
    pub(crate) fn open(&self) -> Result<Api, Failure> {
        let token = std::fs::read_to_string(&self.token_file).map_err(|why| {
            Failure::new(format!("the admin token cannot be read from {}: {why}", here(&self.token_file)))
                .next("run this in the folder where `dskpp serve` runs, or name the file with --token-file")
        })?;
        let default_ca = Path::new(DEFAULT_CA);
        let ca = self.ca.as_deref().or(default_ca.exists().then_some(default_ca));
        Api::new(&self.server, token.trim_start_matches('\u{FEFF}').trim(), ca)
    }
}

impl Api {
    pub(crate) fn new(server: &str, token: &str, ca: Option<&Path>) -> Result<Self, Failure> {
        check_url(server).map_err(|why| {
            Failure::new(why).next("the token is for the server alone: name its https:// URL with --server")
        })?;
        let client = HttpClient::new(ca)?;
        let server = server.trim_end_matches('/').to_owned();
        Ok(Api { client, server, token: token.to_owned(), ca: ca.map(Path::to_owned) })
    }

    /// The file with the certificates that are trusted instead of the system's.
    pub(crate) fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::DELETE, path, None).await
    }

    /// As [`get`](Self::get); `None` where the server has no such thing.
    pub(crate) async fn get_if_there(&self, path: &str) -> Result<Option<Value>, Failure> {
        let answer = self.request(Method::GET, path)?.send().await.map_err(|why| self.unreachable(&why))?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            _ => self.document(answer).await.map(Some),
        }
    }

    /// Sends something else than JSON. While the server has no room for it, this waits as it asks, after `waiting`.
    pub(crate) async fn post_document(
        &self,
        path: &str,
        kind: &str,
        body: Vec<u8>,
        mut waiting: impl FnMut(Duration),
    ) -> Result<Value, Failure> {
        let (body, begun) = (Bytes::from(body), Instant::now());
        loop {
            let request = self.request(Method::POST, path)?.header(CONTENT_TYPE, kind).body(body.clone());
            let answer = request.send().await.map_err(|why| self.unreachable(&why))?;
            match retry_after(&answer).filter(|wait| *wait <= MOST_WAIT.saturating_sub(begun.elapsed())) {
                None => return self.document(answer).await,
                Some(wait) => {
                    waiting(wait);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// Asks for something else than JSON, however long it takes to come.
    pub(crate) async fn post_for_document(&self, path: &str, body: &Value) -> Result<Response, Failure> {
        let request = self.request(Method::POST, path)?.json(body).timeout(Duration::from_secs(24 * 3600));
        let answer = request.send().await.map_err(|why| self.unreachable(&why))?;
        if answer.status().is_success() { Ok(answer) } else { Err(self.refusal(answer).await) }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let mut request = self.request(method, path)?;
        if let Some(body) = body {
            request = request.json(body);
        }
        self.document(request.send().await.map_err(|why| self.unreachable(&why))?).await
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let request = self.client.request(method, &format!("{}/api/v1{path}", self.server))?;
        Ok(request.bearer_auth(&self.token))
    }

    /// The JSON of a success.
    async fn document(&self, answer: Response) -> Result<Value, Failure> {
        if !answer.status().is_success() {
            return Err(self.refusal(answer).await);
        }
        let text = answer.text().await.map_err(|why| self.unreachable(&why))?;
        let document = if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text) };
        document.map_err(|_| Failure::new(format!("{} answers with something else than JSON", self.server)))
    }

    async fn refusal(&self, answer: Response) -> Failure {
        let status = answer.status();
        let problem: Value = serde_json::from_str(&answer.text().await.unwrap_or_default()).unwrap_or_default();
        let detail = shown(problem["detail"].as_str().unwrap_or("no reason was given"));
        Failure::new(format!("the server refused ({status}): {detail}")).next(match status.as_u16() {
            401 => "name the file of a valid token with --token-file",
            403 => "use a token with a role that allows this: see `dskpp admin token create --help`",
            404 => "check the id or name, and that --server is a dskpp server",
            409 => "look at what is there already, and change or revoke that first",
            413 => "send less at once",
            429 | 503 => "run the same command again in some seconds",
            500.. => "run the same command again later; the server's log has the reason",
            _ => "correct it and run the command again",
        })
    }

    fn unreachable(&self, why: &reqwest::Error) -> Failure {
        let error = match check_url(&self.server) {
            Ok(url) => TransportError::of(&url, why),
            Err(error) => error,
        };
        match &error {
            TransportError::Certificate { fault: CertificateFault::UnknownIssuer, .. } if self.ca.is_none() => {
                let default = here(Path::new(DEFAULT_CA));
                Failure::new(&error).next(format!(
                    "name the server's CA certificate with --ca: none was given, and there is no {default}"
                ))
            }
            TransportError::Unreachable { .. } => {
                Failure::new(&error).next("start the server with `dskpp serve`, or name another with --server")
            }
            _ => error.into(),
        }
    }
}

/// A path for a message; a relative one with the folder that it is relative to.
fn here(path: &Path) -> String {
    match std::env::current_dir() {
        Ok(folder) if path.is_relative() => format!("{} in {}", path.display(), folder.display()),
        _ => path.display().to_string(),
    }
}

/// How long a server without room asks us to stay away.
fn retry_after(answer: &Response) -> Option<Duration> {
    let is_busy = answer.status() == StatusCode::TOO_MANY_REQUESTS;
    let seconds = answer.headers().get(RETRY_AFTER).filter(|_| is_busy)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).max(Duration::from_secs(1)))
}

/// A number that an answer always has.
pub(crate) fn number(answer: &Value, name: &str) -> Result<u64, Failure> {
    answer[name].as_u64().ok_or_else(|| incomplete(name))
}

/// A list that an answer always has.
pub(crate) fn list(answer: &Value, name: &str) -> Result<Vec<Value>, Failure> {
    answer[name].as_array().cloned().ok_or_else(|| incomplete(name))
}

fn incomplete(name: &str) -> Failure {
    Failure::new(format!("the server's answer has no '{name}' that can be read"))
        .next("is it a dskpp server, and of this version?")
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
