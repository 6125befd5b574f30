//! Keycloak: `PUT /admin/realms/REALM/users/ID` with a credential of the type `otp`, which adds it; an older one of the
//! same key is deleted after that.

use std::sync::Mutex;

use data_encoding::BASE32_NOPAD;
use dskpp_api::HashName;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::http::{Server, check};
use super::oauth::{Client, json as read};
use super::{Change, Delivered, Failure, secret};
use crate::config::KeycloakSink;
use crate::model::{KeyRecord, KeyType};

/// A realm of a Keycloak server.
pub(super) struct Keycloak {
    client: Client,
    realm: String,
}

impl std::fmt::Debug for Keycloak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keycloak({})", self.shown())
    }
}

/// What a list of credentials says of one.
#[derive(Deserialize)]
struct Credential {
    id: String,
    #[serde(rename = "userLabel")]
    label: Option<String>,
}

impl Keycloak {
    pub(super) fn load(section: &KeycloakSink) -> Result<Self, (&'static str, String)> {
        let server = Server::new(&section.url, &section.ca_file, section.timeout_s)?;
        let secret = secret(&section.client_secret_file, &section.client_secret_env);
        let secret = secret.map_err(|why| ("client_secret_file", why))?;
        let realm = section.realm.clone();
        let path = ["realms", &realm, "protocol", "openid-connect", "token"].map(str::to_owned).to_vec();
        let (id, token) = (section.client_id.clone(), Mutex::default());
        Ok(Keycloak { client: Client { server, path, id, secret, scope: None, token }, realm })
    }

    pub(super) fn shown(&self) -> String {
        format!("{} realm {}", self.client.server.shown(), self.realm)
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let path = [&["admin", "realms", &self.realm], path].concat();
        self.client.server.request_below(method, &path)
    }

    /// A change that comes twice finds its label there.
    pub(super) async fn deliver(&self, change: &Change) -> Delivered {
        let key = &change.key;
        let user = key.user.as_deref().ok_or_else(|| Failure::Never("the key has no user".to_owned()))?;
        let Some((user_id, mut document)) = self.user(user).await? else {
            return match change.secret {
                None => Ok(()),
                Some(_) => Err(Failure::Refused("it has no user of that name".to_owned())),
            };
        };
        let (of_key, label) = labels(key, &change.id, change.number);
        let path = ["users", &user_id, "credentials"];
        let found = self.client.ask(|| self.request(Method::GET, &path)).await?;
        let found: Vec<Credential> = read(found).await?;
        let is = |credential: &Credential, label: &str| credential.label.as_deref() == Some(label);
        if let Some(secret) = &change.secret
            && !found.iter().any(|credential| is(credential, &label))
        {
            let value = Zeroizing::new(BASE32_NOPAD.encode(secret.expose()));
            document["credentials"] = json!([credential(key, &label, &value)?]);
            let path = ["users", &user_id];
            self.client.ask(|| self.request(Method::PUT, &path).json(&document)).await?;
        }
        let is_old = |credential: &&Credential| {
            let own = credential.label.as_deref().is_some_and(|label| label.starts_with(&of_key));
            own && (change.secret.is_none() || !is(credential, &label))
        };
        for old in found.iter().filter(is_old) {
            let path = ["users", &user_id, "credentials", &old.id];
            let answer = self.client.call(|| self.request(Method::DELETE, &path)).await?;
            if answer.status() != StatusCode::NOT_FOUND {
                check(answer.status())?;
            }
        }
        Ok(())
    }

    /// The identifier and the whole representation of a user: what `PUT` does not get, it may remove.
    async fn user(&self, name: &str) -> Result<Option<(String, Value)>, Failure> {
        let query = [("username", name), ("exact", "true")];
        let found = self.client.ask(|| self.request(Method::GET, &["users"]).query(&query)).await?;
        let found: Vec<Value> = read(found).await?;
        let id = |user: &Value| user.get("id").and_then(Value::as_str).map(str::to_owned);
        let Some(id) = found.first().and_then(id).filter(|_| found.len() == 1) else { return Ok(None) };
        let whole = self.client.ask(|| self.request(Method::GET, &["users", &id])).await?;
        Ok(Some((id, read(whole).await?)))
    }

    pub(super) fn sample(&self, key: &KeyRecord) -> String {
        let (_, label) = labels(key, "DELIVERY", 1);
        match credential(key, &label, "…") {
            Ok(body) => format!("PUT {} users/ID\n{:#}", self.shown(), json!({ "credentials": [body] })),
            Err(why) => why.to_string(),
        }
    }

    /// Whether it lets the client in.
    pub(super) async fn reach(&self) -> Delivered {
        self.client.authenticate().await.map(drop)
    }
}

/// How the labels of a key begin, and that of a change.
fn labels(key: &KeyRecord, delivery: &str, number: u64) -> (String, String) {
    let of_key = format!("dskpp {delivery}.");
    let label = format!("{of_key}{number} {}", key.id);
    (of_key, label)
}

/// JSON in JSON, as Keycloak keeps it. Without `secretEncoding` it would take the secret as a text.
fn credential(key: &KeyRecord, label: &str, secret: &str) -> Result<Value, Failure> {
    let kind = match key.key_type {
        KeyType::Hotp => "hotp",
        KeyType::Totp => "totp",
        _ => return Err(Failure::Never("it takes HOTP and TOTP keys only".to_owned())),
    };
    let digits = key.params.digits.unwrap_or(6);
    if !matches!(digits, 6 | 8) {
        return Err(Failure::Never("it takes 6 or 8 digits only".to_owned()));
    }
    let algorithm = match key.params.hash.unwrap_or(HashName::Sha1) {
        HashName::Sha1 => "HmacSHA1",
        HashName::Sha256 => "HmacSHA256",
        HashName::Sha512 => "HmacSHA512",
    };
    let data = json!({
        "subType": kind, "digits": digits, "counter": key.counter, "period": key.params.period_s(),
        "algorithm": algorithm, "secretEncoding": "BASE32",
    });
    Ok(json!({
        "type": "otp", "userLabel": label, "secretData": json!({ "value": secret }).to_string(),
        "credentialData": data.to_string(),
    }))
}
