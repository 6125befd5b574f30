//! The operators' webhook: JSON, signed as the webhooks of sinks are.

use data_encoding::HEXLOWER;
use dskpp_crypto::Sha256;
use serde_json::{Value, json};

use super::text::time;
use crate::model::notice::Notice;
use crate::sinks::{Failure, SignedWebhook};
use crate::{Config, ConfigFault};

/// Seconds for a request and its answer.
const TIMEOUT_S: u64 = 20;

/// A receiver of notices.
#[derive(Debug)]
pub(super) struct Webhook(SignedWebhook);

impl Webhook {
    pub(super) fn load(config: &Config) -> Result<Option<Self>, ConfigFault> {
        let section = &config.notices;
        if section.webhook_url.is_empty() {
            return Ok(None);
        }
        let key = (section.webhook_signing_key_file.as_path(), section.webhook_signing_key_env.as_str());
        let loaded = SignedWebhook::load(&section.webhook_url, &section.webhook_ca_file, TIMEOUT_S, key);
        let fault = |(key, why)| ConfigFault::new(format!("notices.webhook_{key}"), "", why);
        loaded.map(|webhook| Some(Webhook(webhook))).map_err(fault)
    }

    pub(super) async fn send(&self, notice: &Notice) -> Result<(), Failure> {
        let mut data = Value::Object(notice.data.clone());
        data["user"] = notice.user.clone().into();
        let body = json!({ "type": notice.event, "timestamp": time(notice.at), "data": data }).to_string();
        // The identity may have any characters; a header may not.
        let id = HEXLOWER.encode(&Sha256::digest(&[notice.id.as_bytes()])[..16]);
        self.0.post(&id, body).await
    }
}
