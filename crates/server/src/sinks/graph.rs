//! Microsoft Entra ID by Microsoft Graph: `POST …/hardwareOathDevices` (beta), assigned to the user. A device cannot be
//! changed: a renewed key's old one is deleted first.

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
use crate::config::GraphSink;
use crate::model::{KeyRecord, KeyType};

/// Below Graph's URL.
const DEVICES: [&str; 4] = ["beta", "directory", "authenticationMethodDevices", "hardwareOathDevices"];
const SCOPE: &str = "https://graph.microsoft.com/.default";
/// Longest secret in Base32.
const MAX_SECRET_LEN: usize = 128;

/// A tenant.
pub(super) struct Graph {
    client: Client,
    graph: Server,
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Graph({})", self.shown())
    }
}

#[derive(Deserialize)]
struct Device {
    id: String,
    #[serde(rename = "displayName")]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Devices {
    value: Vec<Device>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

impl Graph {
    pub(super) fn load(section: &GraphSink) -> Result<Self, (&'static str, String)> {
        let graph = Server::new(&section.url, &section.ca_file, section.timeout_s)?;
        let login = Server::new(&section.login_url, &section.ca_file, section.timeout_s);
        let server = login.map_err(|(key, why)| (if key == "url" { "login_url" } else { key }, why))?;
        let secret = secret(&section.client_secret_file, &section.client_secret_env);
        let secret = secret.map_err(|why| ("client_secret_file", why))?;
        let path = [&section.tenant, "oauth2", "v2.0", "token"].map(str::to_owned).to_vec();
        let (id, scope, token) = (section.client_id.clone(), Some(SCOPE), Mutex::default());
        Ok(Graph { client: Client { server, path, id, secret, scope, token }, graph })
    }

    pub(super) fn shown(&self) -> String {
        self.graph.shown()
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.graph.request_below(method, path)
    }

    /// A change that comes twice finds its name there.
    pub(super) async fn deliver(&self, change: &Change) -> Delivered {
        let key = &change.key;
        let serial = serial(key);
        let name = format!("dskpp {}.{}", change.id, change.number);
        let filter = [("$filter", format!("serialNumber eq '{}'", serial.replace('\'', "''")))];
        let found = self.client.ask(|| self.request(Method::GET, &DEVICES).query(&filter)).await?;
        let found: Devices = read(found).await?;
        if change.secret.is_some() && found.value.iter().any(|device| device.name.as_deref() == Some(&name)) {
            return Ok(());
        }
        // What it can never take must not cost the device that it has.
        let body = match &change.secret {
            None => None,
            Some(secret) => {
                let value = Zeroizing::new(BASE32_NOPAD.encode(secret.expose()));
                let user = self.user(key).await?;
                Some(body(key, &name, &user, &value)?)
            }
        };
        for device in &found.value {
            let path = [&DEVICES[..], &[&device.id]].concat();
            let answer = self.client.call(|| self.request(Method::DELETE, &path)).await?;
            if answer.status() != StatusCode::NOT_FOUND {
                check(answer.status())?;
            }
        }
        match body {
            None => Ok(()),
            Some(body) => self.client.ask(|| self.request(Method::POST, &DEVICES).json(&body)).await.map(drop),
        }
    }

    /// The identifier of the key's user, whose name is the user principal name.
    async fn user(&self, key: &KeyRecord) -> Result<String, Failure> {
        let name = key.user.as_deref().filter(|name| !matches!(*name, "." | ".."));
        let name = name.ok_or_else(|| Failure::Never("the key has no user that it can have".to_owned()))?;
        let query = [("$select", "id")];
        let answer = self.client.call(|| self.request(Method::GET, &["v1.0", "users", name]).query(&query)).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Err(Failure::Refused("it has no user of that name".to_owned())),
            status => {
                check(status)?;
                Ok(read::<User>(answer).await?.id)
            }
        }
    }

    pub(super) fn sample(&self, key: &KeyRecord) -> String {
        match body(key, "dskpp DELIVERY.1", "USER", "…") {
            Ok(body) => format!("POST {}{}\n{body:#}", self.shown(), DEVICES.join("/")),
            Err(why) => why.to_string(),
        }
    }

    /// Whether the tenant lets the client in.
    pub(super) async fn reach(&self) -> Delivered {
        self.client.authenticate().await.map(drop)
    }
}

/// The serial number of the key's device, or else the key's identifier.
fn serial(key: &KeyRecord) -> String {
    key.device.as_ref().map_or_else(|| key.id.clone(), |device| device.serial.clone())
}

fn body(key: &KeyRecord, name: &str, user: &str, secret: &str) -> Result<Value, Failure> {
    let never = |why: &str| Err(Failure::Never(why.to_owned()));
    if key.key_type != KeyType::Totp {
        return never("it takes TOTP keys only");
    }
    if key.params.digits.unwrap_or(6) != 6 || !matches!(key.params.period_s(), 30 | 60) {
        return never("it takes 6 digits and time steps of 30 or 60 seconds only");
    }
    let hash = match key.params.hash.unwrap_or(HashName::Sha1) {
        HashName::Sha1 => "hmacsha1",
        HashName::Sha256 => "hmacsha256",
        HashName::Sha512 => return never("it takes SHA-1 and SHA-256 only"),
    };
    if secret.len() > MAX_SECRET_LEN {
        return never("its secrets have at most 128 characters in Base32");
    }
    let manufacturer = key.device.as_ref().map_or("dskpp", |device| device.manufacturer.as_str());
    Ok(json!({
        "displayName": name, "serialNumber": serial(key), "manufacturer": manufacturer, "model": "dskpp",
        "secretKey": secret, "timeIntervalInSeconds": key.params.period_s(), "hashFunction": hash,
        "assignTo": { "id": user },
    }))
}
