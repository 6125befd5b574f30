//! The TOTP engine of OpenBao: `POST /v1/MOUNT/keys/NAME`, which takes the place of a key of that name.

use data_encoding::BASE32_NOPAD;
use dskpp_api::HashName;
use dskpp_crypto::Secret;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::http::{Server, check, send};
use super::{Change, Delivered, Failure, secret};
use crate::config::OpenBaoSink;
use crate::model::{KeyRecord, KeyType};

/// A TOTP engine.
pub(super) struct OpenBao {
    server: Server,
    mount: Vec<String>,
    token: Secret,
    issuer: String,
}

impl std::fmt::Debug for OpenBao {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenBao({})", self.shown())
    }
}

impl OpenBao {
    pub(super) fn load(section: &OpenBaoSink) -> Result<Self, (&'static str, String)> {
        let server = Server::new(&section.url, &section.ca_file, section.timeout_s)?;
        let token = secret(&section.token_file, &section.token_env).map_err(|why| ("token_file", why))?;
        let mount: Vec<String> = section.mount.split('/').map(str::to_owned).collect();
        if mount.iter().any(|part| part.is_empty() || part == "." || part == "..") {
            return Err(("mount", "is no path of an engine".to_owned()));
        }
        Ok(OpenBao { server, mount, token, issuer: section.issuer.clone() })
    }

    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.server.shown(), self.mount.join("/"))
    }

    fn request(&self, method: Method, key: &KeyRecord) -> RequestBuilder {
        let mut path = vec!["v1"];
        path.extend(self.mount.iter().map(String::as_str));
        path.extend(["keys", &key.id]);
        self.with_token(self.server.request_below(method, &path))
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        let token = Zeroizing::new(String::from_utf8_lossy(self.token.expose()).into_owned());
        request.header("x-vault-token", token.as_str())
    }

    /// A change that comes twice has the same effect.
    pub(super) async fn deliver(&self, change: &Change) -> Delivered {
        let key = &change.key;
        if matches!(key.id.as_str(), "." | "..") {
            return Err(Failure::Never("the key's identifier is no name there".to_owned()));
        }
        let request = match &change.secret {
            None => self.request(Method::DELETE, key),
            Some(secret) => {
                let value = Zeroizing::new(BASE32_NOPAD.encode(secret.expose()));
                self.request(Method::POST, key).json(&self.body(key, &value)?)
            }
        };
        check(send(request).await?.status())
    }

    fn body(&self, key: &KeyRecord, secret: &str) -> Result<Value, Failure> {
        if key.key_type != KeyType::Totp {
            return Err(Failure::Never("it takes TOTP keys only".to_owned()));
        }
        let digits = key.params.digits.unwrap_or(6);
        if !matches!(digits, 6 | 8) {
            return Err(Failure::Never("it takes 6 or 8 digits only".to_owned()));
        }
        let algorithm = match key.params.hash.unwrap_or(HashName::Sha1) {
            HashName::Sha1 => "SHA1",
            HashName::Sha256 => "SHA256",
            HashName::Sha512 => "SHA512",
        };
        Ok(json!({
            "key": secret, "issuer": self.issuer, "account_name": key.user, "period": key.params.period_s(),
            "algorithm": algorithm, "digits": digits,
        }))
    }

    pub(super) fn sample(&self, key: &KeyRecord) -> String {
        match self.body(key, "…") {
            Ok(body) => format!("POST {}/keys/{}\n{body:#}", self.shown(), key.id),
            Err(why) => why.to_string(),
        }
    }

    /// Whether its token is good.
    pub(super) async fn reach(&self) -> Delivered {
        let path = ["v1", "auth", "token", "lookup-self"];
        let status = send(self.with_token(self.server.request_below(Method::GET, &path))).await?.status();
        match status {
            StatusCode::NOT_FOUND => Err(Failure::Down("it is no OpenBao server".to_owned())),
            status => check(status),
        }
    }
}
