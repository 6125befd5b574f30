//! Signed webhooks: JSON by `POST`, signed as Standard Webhooks are (HMAC-SHA256 over identifier, time and body), with
//! the secret as a JWE for the receiver's key.

use std::path::Path;

use data_encoding::BASE64;
use dskpp_api::HashName;
use dskpp_crypto::{Hash, HmacKey, Secret};
use pskc::DateTime;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName};
use serde_json::{Value, json};

use super::http::{Server, check, send};
use super::jwe::Recipient;
use super::{Change, Delivered, Failure, rsa_key, secret};
use crate::config::WebhookSink;
use crate::model::KeyRecord;
use crate::model::clock::now;

/// The beginning of a signing key.
const PREFIX: &[u8] = b"whsec_";
/// Octets of a signing key.
const KEY_LEN: std::ops::RangeInclusive<usize> = 24..=64;

/// Where signed requests are posted.
pub(crate) struct SignedWebhook {
    server: Server,
    signing_key: HmacKey,
}

impl std::fmt::Debug for SignedWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedWebhook({})", self.server.shown())
    }
}

impl SignedWebhook {
    /// `key`: the file with the signing key, or the environment variable. `Err`: the faulty key of the configuration and why.
    pub(crate) fn load(
        url: &str,
        ca_file: &Path,
        timeout_s: u64,
        key: (&Path, &str),
    ) -> Result<Self, (&'static str, String)> {
        let server = Server::new(url, ca_file, timeout_s)?;
        let key = secret(key.0, key.1).and_then(|text| signing_key(&text)).map_err(|why| ("signing_key_file", why))?;
        Ok(SignedWebhook { server, signing_key: key })
    }

    /// Posts JSON. `id`: what a receiver knows a repetition by.
    pub(crate) async fn post(&self, id: &str, body: String) -> Delivered {
        let at = now();
        let signature = self.signing_key.sign(&[format!("{id}.{at}.").as_bytes(), body.as_bytes()]);
        let request = self
            .server
            .request(Method::POST)
            .header(CONTENT_TYPE, "application/json")
            .header(HeaderName::from_static("webhook-id"), id)
            .header(HeaderName::from_static("webhook-timestamp"), at)
            .header(HeaderName::from_static("webhook-signature"), format!("v1,{}", BASE64.encode(signature.as_ref())))
            .body(body);
        check(send(request).await?.status())
    }
}

/// A receiver of keys.
#[derive(Debug)]
pub(super) struct Webhook {
    signed: SignedWebhook,
    recipient: Recipient,
}

impl Webhook {
    pub(super) fn load(section: &WebhookSink) -> Result<Self, (&'static str, String)> {
        let key = (section.signing_key_file.as_path(), section.signing_key_env.as_str());
        let signed = SignedWebhook::load(&section.url, &section.ca_file, section.timeout_s, key)?;
        let recipient = rsa_key(&section.public_key_file).map_err(|why| ("public_key_file", why))?;
        Ok(Webhook { signed, recipient: Recipient::new(recipient) })
    }

    pub(super) fn shown(&self) -> String {
        self.signed.server.shown()
    }

    pub(super) async fn deliver(&self, change: &Change) -> Delivered {
        let jwe = change.secret.as_ref().map(|secret| self.recipient.encrypt(secret)).transpose();
        let jwe = jwe.map_err(|why| Failure::Never(why.to_string()))?;
        let body = body(&change.key, change.number, now(), jwe).to_string();
        self.signed.post(&format!("{}.{}", change.id, change.number), body).await
    }

    pub(super) fn sample(&self, key: &KeyRecord) -> String {
        format!("POST {}\n{:#}", self.shown(), body(key, 1, now(), Some("…".to_owned())))
    }

    pub(super) async fn reach(&self) -> Delivered {
        self.signed.server.reach().await
    }
}

/// `whsec_` and Base64 of 24 to 64 octets.
fn signing_key(text: &Secret) -> Result<HmacKey, String> {
    let octets = text.expose().strip_prefix(PREFIX).and_then(|text| BASE64.decode(text).ok()).map(Secret::new);
    match octets {
        Some(octets) if KEY_LEN.contains(&octets.len()) => Ok(HmacKey::new(Hash::Sha256, octets.expose())),
        _ => Err("must be whsec_ and 24 to 64 octets in Base64".to_owned()),
    }
}

/// What a change says; without `secret` the receiver is to forget the key.
fn body(key: &KeyRecord, number: u64, at: i64, secret: Option<String>) -> Value {
    let mut data = json!({ "key_id": key.id, "user": key.user, "number": number });
    let event = match secret {
        None => "key.delete",
        Some(secret) => {
            let params = &key.params;
            let (manufacturer, serial) = key.device.as_ref().map(|it| (&it.manufacturer, &it.serial)).unzip();
            let mut more = json!({
                "key_type": key.key_type, "digits": params.digits, "period_s": params.period_s,
                "hash": params.hash.map(HashName::as_str), "suite": params.suite, "counter": key.counter,
                "manufacturer": manufacturer, "serial": serial, "secret": secret,
            });
            if let (Some(data), Some(more)) = (data.as_object_mut(), more.as_object_mut()) {
                data.append(more);
            }
            "key.put"
        }
    };
    let time = DateTime::from_unix_s(at).map(|time| time.to_string());
    json!({ "type": event, "timestamp": time, "data": data })
}
