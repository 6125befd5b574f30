//! Requests that need no slot in the derivation queue, measured during the load: two-pass with key wrap, one-time
//! passwords, health.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dskpp::auth_code::AuthCode;
use dskpp_api::{ValidationRequest, ValidationResult, paths};
use dskpp_crypto::{Random as _, Secret, SystemRandom};
use dskpp_otp::{Digits, Hotp};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::super::Target;
use super::super::load::{self, Measured, Recipe, RunKind};
use super::{PATIENCE, imports};
use crate::api::Api;
use crate::enroll::names::MethodName;
use crate::output::Failure;

/// Interval between two requests of a kind.
const EVERY: Duration = Duration::from_millis(100);
/// Source address of these requests.
const SOURCE: Ipv4Addr = Ipv4Addr::new(127, 4, 0, 1);

/// State for the requests.
pub(super) struct Beside {
    api: Api,
    wrap: Recipe,
    codes: Mutex<VecDeque<AuthCode>>,
    hotp: Hotp,
    key_id: String,
    key: Secret,
    counter: AtomicU64,
}

/// Durations by kind of request, in microseconds.
pub(super) type Took = BTreeMap<&'static str, Vec<u32>>;

impl Beside {
    /// Prepares requests for `time`.
    pub(super) async fn new(api: &Api, target: &Target, time: Duration) -> Result<Self, Failure> {
        let wrap = Recipe::new(api, target, RunKind::TwoPass(MethodName::Wrap)).await?;
        let codes = load::enrolments(api, (time.as_millis() / EVERY.as_millis()) as u32 + 20, None).await?;
        let (import, key) = (data_encoding::HEXLOWER.encode(&SystemRandom.bytes(32)), SystemRandom.secret(20));
        let keys = [("bench-beside".to_owned(), key)];
        imports::import_keys(api, &import, 0, &keys, || ()).await?;
        let [(key_id, key)] = keys;
        let hotp = Hotp { digits: Digits::new(6).map_err(Failure::new)? };
        let (codes, counter) = (Mutex::new(codes.into()), AtomicU64::new(0));
        Ok(Beside { api: api.clone(), wrap, codes, hotp, key_id, key, counter })
    }

    /// Measures all kinds at the same time. Any failure ends the measurement.
    pub(super) async fn measure(&self, until: Instant) -> Result<Took, Failure> {
        let connection = self.wrap.endpoint.connect_from(SOURCE).await?;
        let mut connections = (self.wrap.endpoint.clone(), connection).into();
        let wrap = repeat("two-pass wrap", until, async || {
            let code = self.codes.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let code = code.ok_or_else(|| Failure::new("too few enrolments"))?;
            load::run(&self.wrap, &mut connections, code, &mut Measured::default()).await
        });
        let otp = repeat("OTP check", until, async || {
            let code = self.hotp.code(&self.key, self.counter.fetch_add(1, Ordering::Relaxed));
            let attempt = ValidationRequest::of_key(&self.key_id, code.as_str());
            let verdict: ValidationResult = self.api.post(paths::VALIDATE, &attempt).await?;
            Ok(if verdict.valid { "Success".into() } else { "a wrong code".into() })
        });
        let mut other = self.wrap.endpoint.connect_from(SOURCE).await?;
        let health = repeat("healthz", until, async || match other.get("/healthz").await? {
            (200, _) => Ok("Success".into()),
            (status, _) => Ok(format!("HTTP {status}")),
        });
        let (wrap, otp, health) = tokio::try_join!(wrap, otp, health)?;
        Ok(BTreeMap::from([wrap, otp, health]))
    }
}

/// Repeats one request, each of which must end with `Success`.
async fn repeat(
    name: &'static str,
    until: Instant,
    mut request: impl AsyncFnMut() -> Result<String, Failure>,
) -> Result<(&'static str, Vec<u32>), Failure> {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut took_us = Vec::new();
    while Instant::now() < until {
        ticks.tick().await;
        let begun = Instant::now();
        let ended = timeout(PATIENCE, request()).await;
        match ended.unwrap_or_else(|_| Ok("no answer".into()))? {
            ended if ended == "Success" => took_us.push(begun.elapsed().as_micros() as u32),
            ended => return Err(Failure::new(format!("{name} ended with: {ended}"))),
        }
    }
    Ok((name, took_us))
}
