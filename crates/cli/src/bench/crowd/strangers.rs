//! Strangers whose runs cost them nothing and the server a derivation: the MAC is random, as only a correct code needs a
//! valid one.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dskpp::auth_code::AuthCode;
use dskpp::client::FourPass;
use dskpp::message::{
    AuthenticationCodeMac, AuthenticationData, ClientNonce, Mac, MessageExtensions, Response, ServerHello,
    ServerHelloBody,
};
use dskpp::version::Version;
use dskpp_crypto::{Random as _, RsaEncryption, RsaPublicKey, Secret, SystemRandom};
use tokio::task::JoinSet;
use tokio::time::interval;

use super::super::connection::BenchConnection;
use super::super::load::Recipe;
use super::CrowdCase;
use super::report::Ended;
use crate::output::Failure;

/// Concurrent runs.
const MOST: usize = 3000;

/// State shared by all runs.
pub(super) struct Strangers {
    case: CrowdCase,
    runs_per_s: u32,
    recipe: Recipe,
    hello: Vec<u8>,
    /// A random R_C, encrypted under K_SERVER.
    encrypted_nonce: Vec<u8>,
    /// Idle connections by source address, for addresses that return.
    idle: Mutex<HashMap<Ipv4Addr, Vec<BenchConnection>>>,
    ended: Mutex<Ended>,
}

impl Strangers {
    pub(super) async fn new(case: CrowdCase, runs_per_s: u32, recipe: Recipe) -> Result<Arc<Self>, Failure> {
        let code = AuthCode::new("FFFFFFFF", &Secret::from_slice(b"0123456789ABCDEF")).map_err(Failure::new)?;
        let (hello, _) = FourPass::start(recipe.offer(code), &mut SystemRandom);
        let mut connection = recipe.endpoint.connect().await?;
        let (_, answer) = connection.post(&recipe.endpoint, hello.clone()).await?;
        let (_, body) = chosen(&answer).ok_or_else(|| Failure::new("the server did not start a run"))?;
        let key = body.encryption_key.rsa_key_value.ok_or_else(|| Failure::new("the server sent no bare RSA key"))?;
        let key = RsaPublicKey::from_components(&key.modulus, &key.exponent).map_err(Failure::new)?;
        let r_c = SystemRandom.bytes(32);
        let encrypted_nonce = key.encrypt(RsaEncryption::OaepSha1, &r_c, &mut SystemRandom).map_err(Failure::new)?;
        let (idle, ended) = (Mutex::default(), Mutex::default());
        Ok(Arc::new(Strangers { case, runs_per_s, recipe, hello, encrypted_nonce, idle, ended }))
    }

    /// Starts runs at a fixed rate, independent of earlier ones; returns their outcomes.
    pub(super) async fn come(self: Arc<Self>, is_over: &AtomicBool) -> Ended {
        let mut ticks = interval(Duration::from_secs(1) / self.runs_per_s);
        let mut runs = JoinSet::new();
        for number in 0.. {
            ticks.tick().await;
            while runs.try_join_next().is_some() {}
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            match runs.len() < MOST {
                true => _ = runs.spawn(Arc::clone(&self).run_from(self.case.source(number))),
                false => self.end("not sent: too many requests await an answer", 0),
            }
        }
        runs.shutdown().await; // close their connections
        std::mem::take(&mut lock(&self.ended))
    }

    async fn run_from(self: Arc<Self>, source: Ipv4Addr) {
        let idle = lock(&self.idle).get_mut(&source).and_then(Vec::pop);
        let connection = match idle {
            Some(connection) => Ok(connection),
            None => self.recipe.endpoint.connect_from(source).await,
        };
        let Ok(mut connection) = connection else { return self.end("no connection", 0) };
        match self.run(&mut connection).await {
            Ok((ended, took_us)) => {
                self.end(&ended, took_us);
                if self.case != CrowdCase::New {
                    lock(&self.idle).entry(source).or_default().push(connection);
                }
            }
            Err(_) => self.end("connection lost", 0),
        }
    }

    fn end(&self, how: &str, took_us: u32) {
        lock(&self.ended).entry(how.to_owned()).or_default().push(took_us);
    }

    /// One run with a wrong code for an unknown ClientID; returns its outcome and the duration of its last answer in
    /// microseconds.
    async fn run(&self, connection: &mut BenchConnection) -> Result<(String, u32), Failure> {
        let begun = Instant::now();
        let (status, answer) = connection.post(&self.recipe.endpoint, self.hello.clone()).await?;
        let Some((session_id, body)) = chosen(&answer).filter(|_| status == 200) else {
            return Ok((format!("HTTP {status} to ClientHello"), begun.elapsed().as_micros() as u32));
        };
        let begun = Instant::now();
        let (status, answer) = connection.post(&self.recipe.endpoint, self.nonce(session_id, body).write()).await?;
        let took_us = begun.elapsed().as_micros() as u32;
        let ended = match Response::read(&answer) {
            Ok(response) if status == 200 => response.status().as_str().to_owned(),
            _ => format!("HTTP {status}"),
        };
        Ok((ended, took_us))
    }

    fn nonce(&self, session_id: String, body: ServerHelloBody) -> ClientNonce {
        ClientNonce {
            version: Version::V1_0,
            session_id,
            encrypted_nonce: self.encrypted_nonce.clone(),
            authentication_data: Some(AuthenticationData {
                client_id: Some(data_encoding::HEXUPPER.encode(&SystemRandom.bytes(8))),
                authentication_code_mac: AuthenticationCodeMac {
                    nonce: None,
                    iteration_count: Some(self.case.iterations() as i32),
                    mac: Mac { algorithm: Some(body.mac_algorithm), value: SystemRandom.bytes(16) },
                },
            }),
            extensions: MessageExtensions { client_info: None, server_info: body.extensions.server_info },
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// SessionID and choices of the ServerHello that starts a run.
fn chosen(answer: &[u8]) -> Option<(String, ServerHelloBody)> {
    match Response::read(answer).ok()? {
        Response::ServerHello(ServerHello { session_id: Some(id), body: Some(body), .. }) => Some((id, body)),
        _ => None,
    }
}
