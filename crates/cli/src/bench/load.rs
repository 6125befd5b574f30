//! Complete four-pass runs, many at a time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm};
use dskpp::auth_code::AuthCode;
use dskpp::client::{Credential, Failed, FourPass, K, Offer};
use dskpp_crypto::{Random as _, RsaPublicKey, Secret, SystemRandom};
use indicatif::ProgressBar;
use serde_json::json;
use tokio::task::JoinSet;

use super::Target;
use super::link::{Endpoint, Link};
use crate::api::Api;
use crate::output::Failure;

/// What every run is made of.
#[derive(Clone)]
pub(super) struct Recipe {
    endpoint: Endpoint,
    url_s: String,
    /// The device and its shared key, for runs without the cost of PBKDF2 and RSA.
    device: Option<(pskc::DeviceInfo, Secret)>,
}

pub(super) struct Load {
    pub(super) recipe: Recipe,
    pub(super) concurrency: usize,
}

/// What came out.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) elapsed: Duration,
    /// Of whole runs, in microseconds.
    pub(super) run_us: Vec<u32>,
    /// Of ClientHello alone, in microseconds.
    pub(super) hello_us: Vec<u32>,
    /// How the runs ended.
    pub(super) statuses: BTreeMap<String, u64>,
}

type Codes = Arc<Mutex<VecDeque<AuthCode>>>;

/// Names of the device that runs without KDF cost use.
const MANUFACTURER: &str = "dskpp bench";
const KEY_NAME: &str = "dskpp-bench";
/// Requests to the admin API at the same time.
const PREPARING: usize = 32;

impl Recipe {
    pub(super) async fn new(api: &Api, target: &Target, no_kdf_cost: bool) -> Result<Self, Failure> {
        let url_s = format!("{}/dskpp", target.origin);
        let endpoint = Endpoint::new(&url_s, target.ca.as_deref())?;
        let device = match no_kdf_cost {
            false => None,
            true => {
                let key = SystemRandom.secret(32);
                let shared_key_hex = data_encoding::HEXLOWER.encode(key.expose());
                let device = json!({
                    "manufacturer": MANUFACTURER, "serial": "1", "key_name": KEY_NAME, "shared_key_hex": shared_key_hex,
                });
                api.post("/devices", &device).await?;
                let info = pskc::DeviceInfo {
                    manufacturer: Some(MANUFACTURER.into()),
                    serial_no: Some("1".into()),
                    ..pskc::DeviceInfo::default()
                };
                Some((info, key))
            }
        };
        Ok(Recipe { endpoint, url_s, device })
    }

    fn offer(&self, code: AuthCode) -> Offer {
        let mut offer = Offer::new(self.url_s.clone(), Credential::Code(code), vec![KeyType::Totp]);
        offer.mac_algorithms = vec![MacAlgorithm::PrfSha256];
        if let Some((device, _)) = &self.device {
            offer.device = Some(device.clone());
            offer.encryption_algorithms = vec![EncryptionAlgorithm::PrfSha256];
            offer.iterations = 1;
        }
        offer
    }
}

/// New enrolments at the server, with the codes to use them.
pub(super) async fn enrolments(api: &Api, count: u32, bar: Option<ProgressBar>) -> Result<Vec<AuthCode>, Failure> {
    let mut tasks = JoinSet::new();
    for first in 0..PREPARING as u32 {
        let (api, bar) = (api.clone(), bar.clone());
        tasks.spawn(async move {
            let mut codes = Vec::new();
            for _ in (first..count).step_by(PREPARING) {
                let enrolment = api.post("/enrolments", &json!({ "user": "bench", "key_type": "totp" })).await?;
                let code = enrolment["authentication_code"].as_str().unwrap_or_default();
                codes.push(code.parse::<AuthCode>().map_err(Failure::new)?);
                if let Some(bar) = &bar {
                    bar.inc(1);
                }
            }
            Ok::<_, Failure>(codes)
        });
    }
    let mut codes = Vec::new();
    while let Some(part) = tasks.join_next().await {
        codes.extend(part.map_err(Failure::new)??);
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(codes)
}

impl Load {
    /// Runs until the codes are used up or the time is over.
    pub(super) async fn run(
        &self,
        codes: Vec<AuthCode>,
        time: Option<Duration>,
        bar: Option<ProgressBar>,
    ) -> Result<Measured, Failure> {
        let codes: Codes = Arc::new(Mutex::new(codes.into()));
        let mut links = Vec::new();
        for _ in 0..self.concurrency {
            links.push(self.recipe.endpoint.connect().await?);
        }
        let begun = Instant::now();
        let deadline = time.map(|time| begun + time);
        let mut workers = JoinSet::new();
        for link in links {
            workers.spawn(work(self.recipe.clone(), link, Arc::clone(&codes), deadline, bar.clone()));
        }
        let mut measured = Measured::default();
        while let Some(part) = workers.join_next().await {
            let part = part.map_err(Failure::new)??;
            measured.run_us.extend(part.run_us);
            measured.hello_us.extend(part.hello_us);
            for (status, count) in part.statuses {
                *measured.statuses.entry(status).or_default() += count;
            }
        }
        measured.elapsed = begun.elapsed();
        measured.run_us.sort_unstable();
        measured.hello_us.sort_unstable();
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        Ok(measured)
    }
}

async fn work(
    recipe: Recipe,
    mut link: Link,
    codes: Codes,
    deadline: Option<Instant>,
    bar: Option<ProgressBar>,
) -> Result<Measured, Failure> {
    let mut measured = Measured::default();
    loop {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Ok(measured);
        }
        let code = codes.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(code) = code else { return Ok(measured) };
        let begun = Instant::now();
        let status = run(&recipe, &mut link, code, &mut measured.hello_us).await?;
        measured.run_us.push(begun.elapsed().as_micros() as u32);
        *measured.statuses.entry(status).or_default() += 1;
        if let Some(bar) = &bar {
            bar.inc(1);
        }
    }
}

/// One run; gives its status.
async fn run(recipe: &Recipe, link: &mut Link, code: AuthCode, hello_us: &mut Vec<u32>) -> Result<String, Failure> {
    let ended = |failed: Failed| match failed {
        Failed::Refused(status) => Ok(status.as_str().to_owned()),
        other => Err(Failure::new(other)),
    };
    let (hello, awaiting) = FourPass::start(recipe.offer(code), &mut SystemRandom);
    let sent = Instant::now();
    let (status, answer) = link.post(&recipe.endpoint, hello).await?;
    hello_us.push(sent.elapsed().as_micros() as u32);
    if status != 200 {
        return Ok(format!("HTTP {status}"));
    }
    let choice = match awaiting.receive(&answer) {
        Ok(choice) => choice,
        Err(failed) => return ended(failed),
    };
    let proceeded = match &recipe.device {
        Some((_, key)) => choice.proceed(K::Shared(key.clone()), &mut SystemRandom),
        None => {
            let key = choice.encryption_key().rsa_key_value.as_ref();
            let key = key.ok_or_else(|| Failure::new("the server sent no bare RSA key"))?;
            let key = RsaPublicKey::from_components(&key.modulus, &key.exponent).map_err(Failure::new)?;
            let derived = tokio::task::spawn_blocking(move || choice.proceed(K::Server(key), &mut SystemRandom));
            derived.await.map_err(Failure::new)?
        }
    };
    let (nonce, awaiting) = match proceeded {
        Ok(proceeded) => proceeded,
        Err(failed) => return ended(failed),
    };
    let (status, answer) = link.post(&recipe.endpoint, nonce).await?;
    if status != 200 {
        return Ok(format!("HTTP {status}"));
    }
    match awaiting.receive(&answer) {
        Ok(_) => Ok("Success".into()),
        Err(failed) => ended(failed),
    }
}

impl Measured {
    pub(super) fn runs_per_second(&self) -> f64 {
        self.run_us.len() as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    pub(super) fn all_succeeded(&self) -> bool {
        self.statuses.keys().all(|status| status == "Success") && !self.run_us.is_empty()
    }
}
