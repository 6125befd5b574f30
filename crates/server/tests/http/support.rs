//! A server with its own data folder, and a client.

use std::net::SocketAddr;
use std::sync::Once;

use dskpp::algorithm::KeyType;
use dskpp::auth_code::AuthCode;
use dskpp::client::{AwaitingServerFinished, ChooseK, Credential, Failed, FourPass, K, Provisioned, RunConfig};
use dskpp::message::{Response, Trigger};
use dskpp::status::Status;
use dskpp_crypto::{RsaPublicKey, Secret, SystemRandom};
use dskpp_server::{Config, Running, ServerOptions, serve};
use reqwest::{Client, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::database::Database;

pub(crate) const MEDIA_TYPE: &str = "application/dskpp+xml";

/// A running server; it stops when dropped.
pub(crate) struct Server {
    pub(crate) folder: TempDir,
    pub(crate) running: Running,
    pub(crate) client: Client,
    admin_token: String,
}

/// The default configuration of tests: plain HTTP on a free port.
pub(crate) fn config(folder: &TempDir) -> Config {
    let mut config = Config::default();
    config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.server.data_dir = folder.path().join("data");
    config.server.http = true;
    if let Database::Postgres(url) = Database::of(folder.path()) {
        config.database.url = url;
        config.seal.kek_file = folder.path().join("kek");
    }
    config
}

/// What a start may do: a shared database is created only where somebody says so.
pub(crate) fn options(config: &Config) -> ServerOptions {
    ServerOptions { init: !config.database.url.is_empty(), ..ServerOptions::default() }
}

pub(crate) fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::aws_lc_rs::default_provider().install_default().expect("the first and only one");
    });
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let folder = TempDir::new().unwrap();
        let mut config = config(&folder);
        adjust(&mut config);
        Self::start_in(folder, config).await
    }

    pub(crate) async fn start_in(folder: TempDir, config: Config) -> Self {
        install_crypto();
        let options = options(&config);
        let running = serve(config, options).await.unwrap();
        let token = std::fs::read_to_string(running.admin_token_file()).unwrap();
        assert_eq!(token.lines().count(), 1);
        Self::of(folder, running, &token)
    }

    /// A server that runs already.
    pub(crate) fn of(folder: TempDir, running: Running, token: &str) -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { folder, running, client, admin_token: token.trim().to_owned() }
    }

    /// Restarts the server on the same data folder.
    pub(crate) async fn restart(self, adjust: impl FnOnce(&mut Config)) -> Self {
        let Server { folder, running, client, .. } = self;
        drop(client); // shutdown would wait for its connections
        running.shutdown();
        running.wait().await.unwrap();
        let mut config = config(&folder);
        adjust(&mut config);
        Self::start_in(folder, config).await
    }

    /// The database, as another process sees it.
    pub(crate) fn database(&self) -> Database {
        Database::of(self.folder.path())
    }

    /// A client that sends from that address.
    pub(crate) fn client_at(&self, address: [u8; 4]) -> Client {
        Client::builder().local_address(std::net::IpAddr::from(address)).build().unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address())
    }

    pub(crate) fn url_s(&self) -> &str {
        &self.running.url_s()[0]
    }

    /// Posts a DSKPP body as a well-behaved client does.
    pub(crate) async fn post(&self, body: Vec<u8>) -> reqwest::Response {
        self.post_by(&self.client, body).await
    }

    /// Posts a DSKPP body from that client.
    pub(crate) async fn post_by(&self, client: &Client, body: Vec<u8>) -> reqwest::Response {
        let request = client.post(self.url("/dskpp")).header(header::CONTENT_TYPE, MEDIA_TYPE);
        request.body(body).send().await.unwrap()
    }

    /// The body of a 200.
    pub(crate) async fn exchange(&self, body: Vec<u8>) -> Vec<u8> {
        let response = self.post(body).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
        response.bytes().await.unwrap().to_vec()
    }

    /// Calls the admin API; the answer must have `status`.
    pub(crate) async fn api(&self, path: &str, body: Option<Value>, status: u16) -> Value {
        let url = self.url(&format!("/api/v1/{path}"));
        let request = match body {
            Some(body) => self.client.post(url).json(&body),
            None => self.client.get(url),
        };
        let response = request.bearer_auth(&self.admin_token).send().await.unwrap();
        let got = response.status().as_u16();
        let text = response.text().await.unwrap();
        assert_eq!(got, status, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Whether a one-time password is right; `false` too where the next try has to wait.
    pub(crate) async fn validate(&self, body: Value) -> bool {
        let request = self.client.post(self.url("/api/v1/validate")).bearer_auth(&self.admin_token).json(&body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["valid"] == true
    }

    /// Deletes something over the admin API.
    pub(crate) async fn delete(&self, path: &str) {
        let request = self.client.delete(self.url(&format!("/api/v1/{path}"))).bearer_auth(&self.admin_token);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::NO_CONTENT, "{path}");
    }

    /// Imports a HOTP key.
    pub(crate) async fn import(&self, id: &str, secret: &[u8]) {
        let file = format!(
            "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\"><KeyPackage><Key Id=\"{id}\" \
             Algorithm=\"{}\"><Data><Secret><PlainValue>{}</PlainValue></Secret></Data></Key></KeyPackage></KeyContainer>",
            KeyType::Hotp.uri(),
            data_encoding::BASE64.encode(secret)
        );
        let import = data_encoding::HEXLOWER.encode(&dskpp_crypto::Sha256::digest(&[file.as_bytes()]));
        let url = self.url(&format!("/api/v1/keys/import?import={import}&first=0"));
        let request = self.client.post(url).bearer_auth(&self.admin_token);
        let request = request.header(header::CONTENT_TYPE, "application/pskc+xml").body(file);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// A new enrolment; `more` is added to user and key type.
    pub(crate) async fn enrolment(&self, key_type: &str, more: Value) -> Value {
        let mut body = json!({"user": "alice", "key_type": key_type});
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        self.api("enrolments", Some(body), 201).await
    }

    /// The trigger of an enrolment.
    pub(crate) async fn trigger(&self, enrolment: &Value) -> Trigger {
        let url = enrolment["trigger_url"].as_str().unwrap();
        let url = self.url(&url[url.find("/enroll/").unwrap()..]); // without the public URL's origin
        let request = self.client.get(url).header(header::ACCEPT, MEDIA_TYPE);
        Trigger::read(&request.send().await.unwrap().bytes().await.unwrap()).unwrap()
    }

    /// A run's configuration with the code of an enrolment.
    pub(crate) fn offer(&self, enrolment: &Value, key_type: KeyType) -> RunConfig {
        let code = enrolment["authentication_code"].as_str().unwrap().parse::<AuthCode>().unwrap();
        RunConfig::new(self.url_s(), Credential::Code(code), vec![key_type])
    }

    /// Pass 1 and 2.
    pub(crate) async fn hello(&self, offer: RunConfig) -> Result<ChooseK, Failed> {
        let (request, state) = FourPass::start(offer, &mut SystemRandom);
        state.receive(&self.exchange(request).await)
    }

    /// Pass 1 to 3, without sending the last request.
    pub(crate) async fn until_nonce(&self, offer: RunConfig) -> (Vec<u8>, AwaitingServerFinished) {
        let choice = self.hello(offer).await.unwrap();
        let k = k_of(&choice);
        choice.proceed(k, &mut SystemRandom).unwrap()
    }

    /// A whole run with K_SERVER.
    pub(crate) async fn run(&self, offer: RunConfig) -> Result<Provisioned, Failed> {
        let choice = self.hello(offer).await?;
        let k = k_of(&choice);
        let (request, state) = choice.proceed(k, &mut SystemRandom)?;
        state.receive(&self.exchange(request).await)
    }

    /// A whole run that must be refused, with its status.
    pub(crate) async fn refused(&self, offer: RunConfig) -> Status {
        match self.run(offer).await {
            Err(Failed::Refused(status)) => status,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// The key's secret on the server.
    pub(crate) async fn secret_of(&self, key_id: &str) -> Secret {
        let answer = self.api(&format!("keys/{key_id}/secret"), None, 200).await;
        let hex = answer["secret_hex"].as_str().unwrap();
        Secret::new(data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).unwrap())
    }
}

/// K_SERVER as the server sent it.
pub(crate) fn k_of(choice: &ChooseK) -> K {
    let key = choice.encryption_key().rsa_key_value.as_ref().unwrap();
    K::Server(RsaPublicKey::from_components(&key.modulus, &key.exponent).unwrap())
}

/// An enrolment with a different password or client ID in its code.
pub(crate) fn with_code(client_id: &str, password: &str) -> Value {
    let code = AuthCode::new(client_id, &Secret::from_slice(password.as_bytes())).unwrap();
    let text = String::from_utf8(code.encode(true).expose().to_vec()).unwrap();
    json!({ "authentication_code": text })
}

/// The status of a response, and whether it is a ServerHello.
pub(crate) fn read(body: &[u8]) -> (Status, bool) {
    let response = Response::read(body).unwrap();
    (response.status(), matches!(response, Response::ServerHello(_)))
}
