//! The admin API's client, shared by `admin`, `demo` and `bench`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use dskpp_api::{
    BulkEnrolment, ExportRequest, ImportQuery, ImportReport, MEDIA_TYPE_NDJSON, MEDIA_TYPE_PSKC, Problem, paths,
};
use dskpp_client::transport::{CertificateFault, HttpClient, TransportError, check_url};
use hyper::body::Bytes;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use zeroize::Zeroizing;

use crate::output::Failure;
use crate::shown::shown;

/// How to reach a server's admin API.
#[derive(Args, Clone)]
pub(crate) struct Connection {
    /// Server URL, such as https://host:8443, or https://host/keys under a path
    #[arg(
        long,
        global = true,
        env = "DSKPP_ADMIN_SERVER",
        default_value = "https://127.0.0.1:8443",
        value_name = "URL",
        help_heading = "Connection"
    )]
    pub(crate) server: String,

    /// File with the admin API token
    #[arg(
        long,
        global = true,
        env = "DSKPP_ADMIN_TOKEN_FILE",
        default_value = "dskpp-data/admin-token",
        value_name = "FILE",
        help_heading = "Connection"
    )]
    pub(crate) token_file: PathBuf,

    /// CA certificates (PEM) to trust instead of the system's [default: dskpp-data/tls/ca.pem if it exists]
    #[arg(long, global = true, env = "DSKPP_CA", value_name = "FILE", help_heading = "Connection")]
    pub(crate) ca: Option<PathBuf>,
}

/// A connection to the admin API.
#[derive(Clone)]
pub(crate) struct Api {
    client: HttpClient,
    server: String,
    token: String,
    /// The file with the trusted certificates, if not the system's.
    ca: Option<PathBuf>,
}

/// How long to retry a document while the server is busy.
const MOST_WAIT: Duration = Duration::from_secs(15 * 60);
/// The private CA of `dskpp serve` in its default data folder.
const DEFAULT_CA: &str = "dskpp-data/tls/ca.pem";

impl Connection {
    pub(crate) fn open(&self) -> Result<Api, Failure> {
        let token = std::fs::read_to_string(&self.token_file).map_err(|why| {
            Failure::new(format!("cannot read the admin token from {}: {why}", here(&self.token_file)))
                .next("run this in the folder where `dskpp serve` runs, or name the file with --token-file")
        })?;
        let token = token.trim_start_matches('\u{FEFF}').trim();
        if token.is_empty() || !token.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(Failure::new(format!("{} holds no admin token, which is one word", here(&self.token_file)))
                .next("put nothing into the file but what `dskpp admin token create` prints on standard output"));
        }
        let default_ca = Path::new(DEFAULT_CA);
        let ca = self.ca.as_deref().or(default_ca.exists().then_some(default_ca));
        Api::new(&self.server, token, ca)
    }
}

impl Api {
    pub(crate) fn new(server: &str, token: &str, ca: Option<&Path>) -> Result<Self, Failure> {
        check_url(server).map_err(|why| {
            Failure::new(why).next("the token is only for the server: name its https:// URL with --server")
        })?;
        let client = HttpClient::new(ca)?;
        let server = server.trim_end_matches('/').to_owned();
        Ok(Api { client, server, token: token.to_owned(), ca: ca.map(Path::to_owned) })
    }

    /// The CA file that is trusted instead of the system's.
    pub(crate) fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    pub(crate) async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, Failure> {
        self.send(self.request(Method::GET, path)?).await
    }

    pub(crate) async fn get_by<A: DeserializeOwned>(&self, path: &str, query: &impl Serialize) -> Result<A, Failure> {
        self.send(self.request(Method::GET, path)?.query(query)).await
    }

    pub(crate) async fn post<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A, Failure> {
        self.send(self.request(Method::POST, path)?.json(body)).await
    }

    pub(crate) async fn patch<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A, Failure> {
        self.send(self.request(Method::PATCH, path)?.json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), Failure> {
        self.success(self.request(Method::DELETE, path)?).await.map(drop)
    }

    /// Like [`get`](Self::get); `None` if the server answers 404.
    pub(crate) async fn get_if_there<A: DeserializeOwned>(&self, path: &str) -> Result<Option<A>, Failure> {
        let answer = self.request(Method::GET, path)?.send().await.map_err(|why| self.unreachable(&why))?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            _ => self.read(self.checked(answer).await?).await.map(Some),
        }
    }

    /// Sends a PSKC document for import. While the server is busy, calls `waiting` and waits as long as it asks.
    pub(crate) async fn import(
        &self,
        query: &ImportQuery,
        document: Vec<u8>,
        mut waiting: impl FnMut(Duration),
    ) -> Result<ImportReport, Failure> {
        let (document, begun) = (Bytes::from(document), Instant::now());
        loop {
            let request = self.request(Method::POST, paths::KEYS_IMPORT)?.query(query);
            let request = request.header(CONTENT_TYPE, MEDIA_TYPE_PSKC).body(document.clone());
            let answer = request.send().await.map_err(|why| self.unreachable(&why))?;
            match retry_after(&answer).filter(|wait| *wait <= MOST_WAIT.saturating_sub(begun.elapsed())) {
                None => return self.read(self.checked(answer).await?).await,
                Some(wait) => {
                    waiting(wait);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// Creates an enrolment for each line; gives the result of each.
    pub(crate) async fn create_enrolments(&self, lines: Vec<u8>) -> Result<Vec<BulkEnrolment>, Failure> {
        let request = self.request(Method::POST, paths::ENROLMENTS_BULK)?.header(CONTENT_TYPE, MEDIA_TYPE_NDJSON);
        let answer = self.success(request.timeout(Duration::from_secs(600)).body(lines)).await?;
        let text = Zeroizing::new(answer.bytes().await.map_err(|why| self.unreachable(&why))?.to_vec());
        let lines = text.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
        let read = |line| {
            serde_json::from_slice(line).map_err(|_| Failure::new(format!("unexpected answer from {}", self.server)))
        };
        lines.map(read).collect()
    }

    /// Requests a PSKC document, without a time limit.
    pub(crate) async fn export(&self, export: &ExportRequest) -> Result<Response, Failure> {
        let request = self.request(Method::POST, paths::KEYS_EXPORT)?.json(export);
        self.success(request.timeout(Duration::from_secs(24 * 3600))).await
    }

    async fn send<A: DeserializeOwned>(&self, request: RequestBuilder) -> Result<A, Failure> {
        self.read(self.success(request).await?).await
    }

    async fn success(&self, request: RequestBuilder) -> Result<Response, Failure> {
        self.checked(request.send().await.map_err(|why| self.unreachable(&why))?).await
    }

    async fn checked(&self, answer: Response) -> Result<Response, Failure> {
        if answer.status().is_success() { Ok(answer) } else { Err(self.refusal(answer).await) }
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let request = self.client.request(method, &format!("{}{}{path}", self.server, paths::ROOT))?;
        Ok(request.bearer_auth(&self.token))
    }

    async fn read<A: DeserializeOwned>(&self, answer: Response) -> Result<A, Failure> {
        let text = Zeroizing::new(answer.bytes().await.map_err(|why| self.unreachable(&why))?.to_vec());
        serde_json::from_slice(&text).map_err(|why| match why.classify() {
            Category::Data => {
                Failure::new(format!("unexpected answer from {}: {}", self.server, shown(why.to_string())))
                    .next("check that --server is a dskpp server of this version")
            }
            _ => Failure::new(format!("the answer from {} is not JSON", self.server)),
        })
    }

    async fn refusal(&self, answer: Response) -> Failure {
        let status = answer.status();
        let problem = serde_json::from_slice(&answer.bytes().await.unwrap_or_default());
        let detail = problem.ok().and_then(|problem: Problem| problem.detail);
        let detail = shown(detail.as_deref().unwrap_or("no reason given"));
        Failure::new(format!("the server refused ({status}): {detail}")).next(match status.as_u16() {
            401 => "name a file with a valid token with --token-file",
            403 => "use a token whose role allows this: see `dskpp admin token create --help`",
            404 => "check the id or name, and check that --server is a dskpp server",
            409 => "check the existing entry, and change or revoke it first",
            413 => "send less per request",
            429 | 503 => "run the same command again in a few seconds",
            500.. => "run the same command again later; the server's log has the reason",
            _ => "correct the request and run the command again",
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
                    "name the server's CA certificate with --ca: --ca is not set and {default} does not exist"
                ))
            }
            TransportError::Unreachable { .. } => {
                Failure::new(&error).next("start the server with `dskpp serve`, or name another with --server")
            }
            _ => error.into(),
        }
    }
}

/// A path for a message; a relative one with its folder.
fn here(path: &Path) -> String {
    match std::env::current_dir() {
        Ok(folder) if path.is_relative() => format!("{} in {}", path.display(), folder.display()),
        _ => path.display().to_string(),
    }
}

/// How long a busy server asks to wait.
fn retry_after(answer: &Response) -> Option<Duration> {
    let is_busy = answer.status() == StatusCode::TOO_MANY_REQUESTS;
    let seconds = answer.headers().get(RETRY_AFTER).filter(|_| is_busy)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).max(Duration::from_secs(1)))
}
