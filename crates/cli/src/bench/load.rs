//! Concurrent complete runs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm};
use dskpp::auth_code::AuthCode;
use dskpp::client::{ClientProtection, Credential, Failed, FourPass, K, RunConfig, TwoPass};
use dskpp_api::{CreatedDevice, CreatedEnrolment, NewDeviceRequest, NewEnrolmentRequest, paths};
use dskpp_crypto::{Random as _, RsaPrivateKey, RsaPublicKey, Secret, SystemRandom};
use indicatif::ProgressBar;
use tokio::task::JoinSet;

use super::Target;
use super::connection::{Connections, Endpoint};
use crate::api::Api;
use crate::enroll::names::MethodName;
use crate::output::Failure;

/// The parameters of every run.
#[derive(Clone)]
pub(super) struct Recipe {
    pub(super) endpoint: Endpoint,
    /// All servers; the first is `endpoint`.
    endpoints: Vec<Endpoint>,
    url_s: String,
    way: RunSetup,
}

/// The kind of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunKind {
    FourPass,
    /// Four-pass with a device's shared key: without PBKDF2 and RSA.
    FourPassShared,
    TwoPass(MethodName),
}

impl RunKind {
    /// Whether each run needs PBKDF2.
    pub(super) fn is_slow(self) -> bool {
        !matches!(self, RunKind::FourPassShared | RunKind::TwoPass(MethodName::Wrap))
    }
}

/// What a client needs for a kind of run.
#[derive(Clone)]
enum RunSetup {
    FourPass,
    FourPassShared(pskc::DeviceInfo, Secret),
    TwoPass(ClientProtection),
}

pub(super) struct Load {
    pub(super) recipe: Recipe,
    pub(super) concurrency: usize,
}

/// The measurements.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) elapsed: Duration,
    /// Durations of complete runs, in microseconds.
    pub(super) run_us: Vec<u32>,
    /// Durations of ClientHello alone, in microseconds.
    pub(super) hello_us: Vec<u32>,
    /// Runs by final status, or by the reason why they broke off.
    pub(super) statuses: BTreeMap<String, u64>,
    /// When runs succeeded, since the beginning.
    succeeded_at: Vec<Duration>,
    /// The ids of the keys of these runs.
    pub(super) keys: Vec<String>,
}

type Codes = Arc<Mutex<VecDeque<AuthCode>>>;

/// The devices that runs without KDF cost use, one for each benchmark.
const MANUFACTURER: &str = "dskpp bench";
/// The status of a run that succeeded.
const SUCCESS: &str = "Success";
/// Pause after a run that failed.
const PAUSE: Duration = Duration::from_millis(50);
/// Concurrent requests to the admin API.
const PREPARING: usize = 32;

impl Recipe {
    pub(super) async fn new(api: &Api, target: &Target, kind: RunKind) -> Result<Self, Failure> {
        let url_s = format!("{}/dskpp", target.origin);
        let endpoint = Endpoint::new(&url_s, target.ca.as_deref())?;
        let others = target.others.iter().map(|origin| Endpoint::new(&format!("{origin}/dskpp"), target.ca.as_deref()));
        let endpoints = std::iter::once(Ok(endpoint.clone())).chain(others).collect::<Result<_, _>>()?;
        let way = match kind {
            RunKind::FourPass => RunSetup::FourPass,
            RunKind::FourPassShared => {
                let (device, _, key) = create_device(api, 32).await?;
                RunSetup::FourPassShared(device, key)
            }
            RunKind::TwoPass(MethodName::Transport) => {
                let key = Arc::new(RsaPrivateKey::generate(2048).map_err(Failure::new)?);
                let info = pskc::KeyInfo::from_rsa(key.public().modulus(), key.public().exponent());
                RunSetup::TwoPass(ClientProtection::Transport { key, info })
            }
            RunKind::TwoPass(MethodName::Wrap) => {
                let (_, name, key) = create_device(api, 16).await?;
                RunSetup::TwoPass(ClientProtection::Wrap { name, key })
            }
            RunKind::TwoPass(MethodName::PassphraseWrap) => RunSetup::TwoPass(ClientProtection::Passphrase),
        };
        Ok(Recipe { endpoint, endpoints, url_s, way })
    }

    pub(super) fn offer(&self, code: AuthCode) -> RunConfig {
        let mut offer = RunConfig::new(self.url_s.clone(), Credential::Code(code), vec![KeyType::Totp]);
        offer.mac_algorithms = vec![MacAlgorithm::PrfSha256];
        if let RunSetup::FourPassShared(device, _) = &self.way {
            offer.device = Some(device.clone());
            offer.encryption_algorithms = vec![EncryptionAlgorithm::PrfSha256];
            offer.iterations = 1;
        }
        offer
    }
}

/// Registers a device with a key of `key_len` octets, which has the name that is given.
async fn create_device(api: &Api, key_len: usize) -> Result<(pskc::DeviceInfo, String, Secret), Failure> {
    let key = SystemRandom.secret(key_len);
    let serial = data_encoding::HEXLOWER.encode(&SystemRandom.bytes(8));
    let key_name = format!("dskpp-bench-{serial}");
    let shared_key_hex = data_encoding::HEXLOWER.encode(key.expose());
    let device = NewDeviceRequest {
        manufacturer: MANUFACTURER.to_owned(),
        serial: serial.clone(),
        key_name: key_name.clone(),
        shared_key_hex: Some(shared_key_hex.into()),
        certificate_pem: None,
    };
    let _: CreatedDevice = api.post(paths::DEVICES, &device).await?;
    let info = pskc::DeviceInfo {
        manufacturer: Some(MANUFACTURER.into()),
        serial_no: Some(serial),
        ..pskc::DeviceInfo::default()
    };
    Ok((info, key_name, key))
}

/// Creates enrolments and returns their codes.
pub(super) async fn enrolments(api: &Api, count: u32, bar: Option<ProgressBar>) -> Result<Vec<AuthCode>, Failure> {
    let mut tasks = JoinSet::new();
    for first in 0..PREPARING as u32 {
        let (api, bar) = (api.clone(), bar.clone());
        tasks.spawn(async move {
            let mut codes = Vec::new();
            for _ in (first..count).step_by(PREPARING) {
                let new = NewEnrolmentRequest::new("bench", dskpp_api::KeyType::Totp);
                let enrolment: CreatedEnrolment = api.post(paths::ENROLMENTS, &new).await?;
                codes.push(enrolment.authentication_code.expose().parse::<AuthCode>().map_err(Failure::new)?);
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
        let mut connections = Vec::new();
        for number in 0..self.concurrency {
            connections.push(Connections::open(&self.recipe.endpoints, number).await?);
        }
        let begun = Instant::now();
        let deadline = time.map(|time| begun + time);
        let mut workers = JoinSet::new();
        for connection in connections {
            workers.spawn(work(self.recipe.clone(), connection, Arc::clone(&codes), begun, deadline, bar.clone()));
        }
        let mut measured = Measured::default();
        while let Some(part) = workers.join_next().await {
            let part = part.map_err(Failure::new)??;
            measured.run_us.extend(part.run_us);
            measured.hello_us.extend(part.hello_us);
            for (status, count) in part.statuses {
                *measured.statuses.entry(status).or_default() += count;
            }
            measured.succeeded_at.extend(part.succeeded_at);
            measured.keys.extend(part.keys);
        }
        measured.elapsed = begun.elapsed();
        measured.succeeded_at.sort_unstable();
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
    mut connections: Connections,
    codes: Codes,
    began: Instant,
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
        let ended = run(&recipe, &mut connections, code, &mut measured).await;
        let status = ended.unwrap_or_else(|why| why.message);
        match status == SUCCESS {
            true => measured.succeeded_at.push(began.elapsed()),
            false => tokio::time::sleep(PAUSE).await, // codes must not be used up while nobody can answer
        }
        measured.run_us.push(begun.elapsed().as_micros() as u32);
        *measured.statuses.entry(status).or_default() += 1;
        if let Some(bar) = &bar {
            bar.inc(1);
        }
    }
}

/// One run; returns its status.
pub(super) async fn run(
    recipe: &Recipe,
    connections: &mut Connections,
    code: AuthCode,
    measured: &mut Measured,
) -> Result<String, Failure> {
    if let RunSetup::TwoPass(protection) = &recipe.way {
        return two_pass(recipe, connections, code, protection.clone(), measured).await;
    }
    let (hello, awaiting) = FourPass::start(recipe.offer(code), &mut SystemRandom);
    let sent = Instant::now();
    let (status, answer) = connections.post(hello).await?;
    measured.hello_us.push(sent.elapsed().as_micros() as u32);
    if status != 200 {
        return Ok(format!("HTTP {status}"));
    }
    let choice = match awaiting.receive(&answer) {
        Ok(choice) => choice,
        Err(failed) => return ended(failed),
    };
    let proceeded = match &recipe.way {
        RunSetup::FourPassShared(_, key) => choice.proceed(K::Shared(key.clone()), &mut SystemRandom),
        _ => {
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
    let (status, answer) = connections.post(nonce).await?;
    if status != 200 {
        return Ok(format!("HTTP {status}"));
    }
    match awaiting.receive(&answer) {
        Ok(provisioned) => Ok(measured.success(provisioned.key_id)),
        Err(failed) => ended(failed),
    }
}

/// One two-pass run. Slow work runs outside the connection tasks.
async fn two_pass(
    recipe: &Recipe,
    connections: &mut Connections,
    code: AuthCode,
    protection: ClientProtection,
    measured: &mut Measured,
) -> Result<String, Failure> {
    let is_quick = matches!(protection, ClientProtection::Wrap { .. });
    let offer = recipe.offer(code);
    let start = move || TwoPass::start(offer, vec![protection], &mut SystemRandom);
    let (hello, awaiting) = beside(is_quick, start).await?.map_err(Failure::new)?;
    let sent = Instant::now();
    let (status, answer) = connections.post(hello).await?;
    measured.hello_us.push(sent.elapsed().as_micros() as u32);
    if status != 200 {
        return Ok(format!("HTTP {status}"));
    }
    match beside(is_quick, move || awaiting.receive(&answer)).await? {
        Ok(provisioned) => Ok(measured.success(provisioned.key_id)),
        Err(failed) => ended(failed),
    }
}

async fn beside<T: Send + 'static>(is_quick: bool, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    match is_quick {
        true => Ok(work()),
        false => tokio::task::spawn_blocking(work).await.map_err(Failure::new),
    }
}

fn ended(failed: Failed) -> Result<String, Failure> {
    match failed {
        Failed::Refused(status) => Ok(status.as_str().to_owned()),
        other => Err(Failure::new(other)),
    }
}

impl Measured {
    /// Notes a key that the server has acknowledged.
    fn success(&mut self, key_id: String) -> String {
        self.keys.push(key_id);
        SUCCESS.into()
    }

    pub(super) fn runs_per_second(&self) -> f64 {
        self.run_us.len() as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The longest time in which no run succeeded.
    pub(super) fn longest_gap(&self) -> Duration {
        let ends = self.succeeded_at.iter().copied().chain([self.elapsed]);
        let begins = std::iter::once(Duration::ZERO).chain(self.succeeded_at.iter().copied());
        begins.zip(ends).map(|(from, to)| to.saturating_sub(from)).max().unwrap_or_default()
    }

    pub(super) fn all_succeeded(&self) -> bool {
        self.statuses.keys().all(|status| status == SUCCESS) && !self.run_us.is_empty()
    }
}
