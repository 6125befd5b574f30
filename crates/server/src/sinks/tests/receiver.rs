//! A receiver of webhooks.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use data_encoding::BASE64;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

const SIGNING_KEY: &[u8] = &[9; 32];

/// The receiver's RSA key, and the folder with the files that a configuration names.
static KEY: LazyLock<(RsaPrivateKey, TempDir)> = LazyLock::new(|| {
    let (key, folder) = (RsaPrivateKey::generate(2048).unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("key.pem"), pem("PUBLIC KEY", &key.public().to_spki_der())).unwrap();
    std::fs::write(folder.path().join("secret.pem"), pem("PRIVATE KEY", key.to_pkcs8_der().expose())).unwrap();
    std::fs::write(folder.path().join("signing"), format!("whsec_{}\n", BASE64.encode(SIGNING_KEY))).unwrap();
    (key, folder)
});

fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", BASE64.encode(der))
}

pub(super) fn key() -> &'static RsaPrivateKey {
    &KEY.0
}

/// The folder with `key.pem`, `secret.pem` and `signing`.
pub(super) fn folder() -> &'static Path {
    KEY.1.path()
}

/// A configuration with the sink `web`.
pub(super) fn config(url: &str, more: &str) -> String {
    let folder = folder().display();
    format!(
        "[sinks]\ndefault = ['web']\nretry_s = 1\n[[sink]]\nname = 'web'\nkind = 'webhook'\nurl = '{url}'\n\
         public_key_file = '{folder}/key.pem'\nsigning_key_file = '{folder}/signing'\n{more}\n"
    )
}

/// What was posted, with a right signature.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) id: String,
    pub(super) at: i64,
    pub(super) text: String,
    pub(super) body: serde_json::Value,
}

type Log = Arc<Mutex<Vec<Got>>>;

pub(super) struct Receiver {
    address: SocketAddr,
    log: Log,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    pub(super) async fn start() -> Self {
        Self::on("127.0.0.1:0".parse().unwrap()).await
    }

    /// A receiver that begins when it is awaited, at that address.
    pub(super) async fn later() -> (impl Future<Output = Self>, SocketAddr) {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        (Self::on(address), address)
    }

    async fn on(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, log) = (listener.local_addr().unwrap(), Log::default());
        let router = Router::new().route("/", post(take)).with_state(Arc::clone(&log));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Receiver { address, log, task }
    }

    pub(super) fn config(&self, more: &str) -> String {
        config(&format!("http://{}/", self.address), more)
    }

    pub(super) fn got(&self) -> Vec<Got> {
        self.log.lock().unwrap().clone()
    }
}

async fn take(State(log): State<Log>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
    let right = HmacKey::new(Hash::Sha256, SIGNING_KEY).sign(&[format!("{id}.{at}.").as_bytes(), &body]);
    if header("webhook-signature") != format!("v1,{}", BASE64.encode(right.as_ref())) {
        return StatusCode::BAD_REQUEST;
    }
    let text = String::from_utf8(body.to_vec()).unwrap();
    let got = Got { id, at: at.parse().unwrap(), body: serde_json::from_str(&text).unwrap(), text };
    log.lock().unwrap().push(got);
    StatusCode::NO_CONTENT
}
