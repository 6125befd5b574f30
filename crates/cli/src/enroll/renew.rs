//! `dskpp token renew`: a renewal without a link. The server gives the link for a one-time password, which it uses up, and a
//! MAC: only the client of the key can make both.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use dskpp::client::Credential;
use dskpp::message::{MAX_MESSAGE_LEN, Trigger};
use dskpp_api::{Renewal, RenewalRequest, paths};
use dskpp_client::transport::{HttpClient, Transport, TransportError, TransportOptions, check_url};
use dskpp_client::{EnrollRequest, OtpInput, Proof, TokenStore as _, enroll_asking};
use reqwest::{Method, StatusCode, header};

use super::{ask, fetch_trigger, is_answered, report, waiting};
use crate::output::{Failure, Output};
use crate::runtime;
use crate::shown::shown;
use crate::store::StoreOptions;

#[derive(Args)]
pub(crate) struct Renew {
    /// The key: its id, a prefix of its id, or its name
    id: String,

    /// CA certificates (PEM) to trust instead of the system's
    #[arg(long, env = "DSKPP_CA", value_name = "FILE", help_heading = "Connection")]
    ca: Option<PathBuf>,

    #[command(flatten)]
    store: StoreOptions,
}

impl Renew {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut store = self.store.open()?;
        let tokens = store.load()?;
        let token = tokens.find(&self.id)?;
        let needs_link = |why: &str| {
            Failure::new(format!("{} {why}", shown(&token.id)))
                .next("ask its issuer for a renewal link, and pass that to `dskpp enroll --trigger`")
        };
        if token.old_of.is_some() {
            return Err(Failure::new(format!("{} is a replaced key: renew its successor", shown(&token.id))));
        }
        let server_url = token.server_url.as_deref().ok_or_else(|| needs_link("came from no server"))?;
        if !matches!(token.key_type.as_str(), "hotp" | "totp") {
            return Err(needs_link("makes no one-time passwords without a challenge, so it cannot prove itself"));
        }
        let otp = store.otp(&token.id, &OtpInput::at(SystemTime::now()))?;
        let mac = token.proof(Proof::Renewal, otp.code.as_str()).ok_or_else(|| needs_link("came from no server"))?;
        let request = RenewalRequest {
            key_id: token.id.clone(),
            otp: otp.code.as_str().to_owned().into(),
            mac: data_encoding::HEXLOWER.encode(mac.expose()),
        };
        let runtime = runtime()?;
        let link = runtime.block_on(self.link(server_url, &request))?;
        let octets = runtime.block_on(fetch_trigger(link.trigger_url.expose(), self.ca.as_deref()))?;
        let trigger = Trigger::read(&octets).map_err(|why| Failure::new(format!("cannot read the trigger: {why}")))?;
        let mut request = EnrollRequest::new(None, Credential::Trigger(Box::new(trigger)));
        request.renew = Some(token.id.clone());
        let ask = if is_answered(output) { ask::accept_server } else { |_: &_| false };
        let mut options = TransportOptions::trusting(self.ca.clone());
        options.waiting = Some(waiting);
        let enrolled = runtime.block_on(enroll_asking(&Transport::new(&options)?, &mut store, request, ask))?;
        report(output, &enrolled, &self.store)
    }

    /// What the key's server answers.
    async fn link(&self, server_url: &str, request: &RenewalRequest) -> Result<Renewal, Failure> {
        let base = server_url.rsplit_once('/').map_or(server_url, |(base, _)| base);
        let url = format!("{base}{}", paths::RENEW);
        let unreachable = |why: reqwest::Error| match check_url(&url) {
            Ok(url) => Failure::from(TransportError::of(&url, &why)),
            Err(error) => error.into(),
        };
        let body = serde_json::to_vec(request).map_err(|why| Failure::new(why.to_string()))?;
        let post = HttpClient::new(self.ca.as_deref())?.request(Method::POST, &url)?;
        let post = post.header(header::CONTENT_TYPE, "application/json").body(body);
        let mut answer = post.send().await.map_err(unreachable)?;
        let refused = |next: &str| {
            Failure::new(format!("the server did not renew {}: {}", shown(&request.key_id), answer.status())).next(next)
        };
        match answer.status() {
            StatusCode::CREATED => {}
            StatusCode::CONFLICT | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                return Err(refused(
                    "if you have just used a one-time password, wait for the next one and try again; otherwise ask the \
                     issuer for a renewal link, and pass that to `dskpp enroll --trigger`",
                ));
            }
            _ => return Err(refused("try again later")),
        }
        let mut octets = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(unreachable)? {
            octets.extend_from_slice(&part);
            if octets.len() > MAX_MESSAGE_LEN {
                return Err(Failure::new("the server's answer is too long"));
            }
        }
        serde_json::from_slice(&octets).map_err(|why| Failure::new(format!("cannot read the server's answer: {why}")))
    }
}
