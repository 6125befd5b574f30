//! privacyIDEA (3.14): `POST /token/init` with the key, `DELETE /token/SERIAL`. Its answers have the seed and QR codes
//! of it, so no more is read of them than whether it worked.

use std::path::PathBuf;
use std::sync::Mutex;

use data_encoding::HEXLOWER;
use dskpp_api::HashName;
use dskpp_crypto::{Secret, Sha256};
use dskpp_otp::Hotp;
use reqwest::header::{AUTHORIZATION, HeaderName};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::http::{Server, body, check, send};
use super::{Change, Delivered, Failure, secret};
use crate::config::PrivacyIdeaSink;
use crate::model::{KeyRecord, KeyType};

/// A privacyIDEA server.
pub(super) struct PrivacyIdea {
    server: Server,
    login: Login,
    realm: String,
    /// The token of the last `/auth`.
    token: Mutex<Option<Zeroizing<String>>>,
}

/// How it lets this server in.
enum Login {
    Password {
        admin: String,
        password: Secret,
    },
    /// `X-API-Key`, from 3.14 on.
    ApiKey(Secret),
}

impl std::fmt::Debug for PrivacyIdea {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivacyIdea({})", self.server.shown())
    }
}

/// What a token list says of a token.
#[derive(Deserialize)]
struct Token {
    description: Option<String>,
    count: u64,
}

impl PrivacyIdea {
    pub(super) fn load(section: &PrivacyIdeaSink) -> Result<Self, (&'static str, String)> {
        let server = Server::new(&section.url, &section.ca_file, section.timeout_s)?;
        let (password, api_key) =
            ((&section.password_file, &section.password_env), (&section.api_key_file, &section.api_key_env));
        let is_given = |(file, variable): (&PathBuf, &String)| !file.as_os_str().is_empty() || !variable.is_empty();
        let login = match (section.admin.is_empty(), is_given(password), is_given(api_key)) {
            (false, _, false) => {
                let password = secret(password.0, password.1).map_err(|why| ("password_file", why))?;
                Login::Password { admin: section.admin.clone(), password }
            }
            (true, false, true) => Login::ApiKey(secret(api_key.0, api_key.1).map_err(|why| ("api_key_file", why))?),
            _ => {
                return Err(("admin", "name an administrator with a password, or an API key, and not both".to_owned()));
            }
        };
        Ok(PrivacyIdea { server, login, realm: section.realm.clone(), token: Mutex::default() })
    }

    pub(super) fn shown(&self) -> String {
        self.server.shown()
    }

    /// A change that comes twice must not set back the counter of a token that is in use meanwhile: the token's
    /// description says which change it has.
    pub(super) async fn deliver(&self, change: &Change) -> Delivered {
        let (key, serial) = (&change.key, serial(&change.key));
        let token = self.token(&serial).await?;
        let Some(secret) = &change.secret else {
            return match token {
                None => Ok(()),
                Some(_) => self.call(Method::DELETE, &["token", &serial], None).await.map(drop),
            };
        };
        let mark = format!("dskpp {}.{}", change.id, change.number);
        let is_there = token.as_ref().is_some_and(|token| token.description.as_deref() == Some(&mark));
        if !is_there {
            let hex = Zeroizing::new(HEXLOWER.encode(secret.expose()));
            self.call(Method::POST, &["token", "init"], Some(self.init(key, &serial, &mark, &hex)?)).await?;
        }
        let count = token.filter(|_| is_there).map_or(0, |token| token.count);
        match resync(key, secret, count) {
            Some((first, second)) => {
                let body = json!({ "serial": serial, "otp1": first, "otp2": second });
                match self.call(Method::POST, &["token", "resync"], Some(body)).await? {
                    Value::Bool(true) => Ok(()),
                    _ => Err(Failure::Refused("it did not take over the counter".to_owned())),
                }
            }
            None => Ok(()),
        }
    }

    /// The body of `/token/init`.
    fn init(&self, key: &KeyRecord, serial: &str, mark: &str, secret: &str) -> Result<Value, Failure> {
        let kind = match key.key_type {
            KeyType::Hotp => "hotp",
            KeyType::Totp => "totp",
            _ => return Err(Failure::Never("it takes HOTP and TOTP keys only".to_owned())),
        };
        let hash = match key.params.hash.unwrap_or(HashName::Sha1) {
            HashName::Sha1 => "sha1",
            HashName::Sha256 => "sha256",
            HashName::Sha512 => "sha512",
        };
        let digits = key.params.digits.unwrap_or(6);
        if !matches!(digits, 6 | 8) {
            return Err(Failure::Never("it takes 6 or 8 digits only".to_owned()));
        }
        let mut body = json!({
            "type": kind, "genkey": 0, "otpkey": secret, "otplen": digits, "hashlib": hash, "serial": serial,
            "user": key.user, "description": mark,
        });
        if key.key_type == KeyType::Totp {
            body["timeStep"] = key.params.period_s().into();
        }
        if !self.realm.is_empty() {
            body["realm"] = self.realm.as_str().into();
        }
        Ok(body)
    }

    pub(super) fn sample(&self, key: &KeyRecord) -> String {
        match self.init(key, &serial(key), "dskpp DELIVERY.1", "…") {
            Ok(body) => format!("POST {}token/init\n{body:#}", self.shown()),
            Err(why) => why.to_string(),
        }
    }

    /// Whether it lets this server in.
    pub(super) async fn reach(&self) -> Delivered {
        match &self.login {
            Login::Password { admin, password } => self.authenticate(admin, password).await.map(drop),
            Login::ApiKey(_) => self.token("DSKPP").await.map(drop),
        }
    }

    /// The token of a serial number, if there is one.
    async fn token(&self, serial: &str) -> Result<Option<Token>, Failure> {
        let found = self.call(Method::GET, &["token", ""], Some(json!({ "serial": serial }))).await?;
        let tokens = found.get("tokens").cloned().unwrap_or_default();
        let tokens: Vec<Token> = serde_json::from_value(tokens).map_err(|_| unreadable())?;
        Ok(tokens.into_iter().next())
    }

    /// `result.value` of a call, whose parameters are a query or a JSON body. An authentication that has ended is renewed
    /// once.
    async fn call(&self, method: Method, path: &[&str], parameters: Option<Value>) -> Result<Value, Failure> {
        let request = |header: HeaderName, value: &str| {
            let request = self.server.request_below(method.clone(), path).header(header, value);
            match &parameters {
                Some(parameters) if method == Method::GET => request.query(parameters),
                Some(parameters) => request.json(parameters),
                None => request,
            }
        };
        let (admin, password) = match &self.login {
            Login::Password { admin, password } => (admin, password),
            Login::ApiKey(key) => {
                let key = Zeroizing::new(String::from_utf8_lossy(key.expose()).into_owned());
                return value(request(HeaderName::from_static("x-api-key"), &key)).await.map_err(Into::into);
            }
        };
        let known = self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let is_new = known.is_none();
        let token = match known {
            Some(token) => token,
            None => self.authenticate(admin, password).await?,
        };
        match value(request(AUTHORIZATION, &token)).await {
            Err(Answer::Status(StatusCode::UNAUTHORIZED)) if !is_new => {
                let token = self.authenticate(admin, password).await?;
                value(request(AUTHORIZATION, &token)).await.map_err(Into::into)
            }
            answer => answer.map_err(Into::into),
        }
    }

    async fn authenticate(&self, admin: &str, password: &Secret) -> Result<Zeroizing<String>, Failure> {
        let password = Zeroizing::new(String::from_utf8_lossy(password.expose()).into_owned());
        let body = json!({ "username": admin, "password": *password });
        let found = value(self.server.request_below(Method::POST, &["auth"]).json(&body)).await;
        let found = found.map_err(|why| match Failure::from(why) {
            Failure::Refused(why) => Failure::Down(format!("no authentication: {why}")),
            other => other,
        })?;
        let token = found.get("token").and_then(Value::as_str).ok_or_else(unreadable)?;
        let token = Zeroizing::new(token.to_owned());
        *self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }
}

/// Why there is no value.
enum Answer {
    Status(StatusCode),
    Failure(Failure),
}

impl From<Answer> for Failure {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Status(status) => check(status).err().unwrap_or_else(unreadable),
            Answer::Failure(failure) => failure,
        }
    }
}

/// `result.value`, where `result.status` is true. What else an answer says is dropped unseen.
async fn value(request: RequestBuilder) -> Result<Value, Answer> {
    #[derive(Deserialize)]
    struct Document {
        result: Outcome,
    }
    #[derive(Deserialize)]
    struct Outcome {
        status: bool,
        value: Option<Value>,
    }
    let answer = send(request).await.map_err(Answer::Failure)?;
    if !answer.status().is_success() {
        return Err(Answer::Status(answer.status()));
    }
    let body = body(answer).await.map_err(Answer::Failure)?;
    match serde_json::from_slice(body.expose()) {
        Ok(Document { result: Outcome { status: true, value: Some(value) } }) => Ok(value),
        _ => Err(Answer::Failure(unreadable())),
    }
}

fn unreadable() -> Failure {
    Failure::Refused("its answer is not privacyIDEA's".to_owned())
}

/// The serial number of a key there: its identifier if that can be one, else a digest of it.
fn serial(key: &KeyRecord) -> String {
    let is_serial = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    match (1..=40).contains(&key.id.len()) && key.id.bytes().all(is_serial) {
        true => key.id.clone(),
        false => format!("DSKPP{}", &HEXLOWER.encode(&Sha256::digest(&[key.id.as_bytes()]))[..32]),
    }
}

/// The two passwords before the key's counter, by which a token with a smaller one is brought there: a new token begins
/// with 0, and there is no other way.
fn resync(key: &KeyRecord, secret: &Secret, count: u64) -> Option<(String, String)> {
    if key.key_type != KeyType::Hotp || count >= key.counter || key.counter < 2 {
        return None;
    }
    let hotp = Hotp { digits: key.params.digits() };
    let [first, second] = [2, 1].map(|back| hotp.code(secret, key.counter - back).to_string());
    Some((first, second))
}
