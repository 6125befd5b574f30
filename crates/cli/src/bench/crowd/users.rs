//! Users with correct codes: half come from addresses that the server knows, half each from a new one.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use dskpp::auth_code::AuthCode;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use super::super::load::{self, Measured, Recipe};
use super::{PATIENCE, WARM_UP, behind};
use crate::api::Api;
use crate::output::Failure;

/// Interval between two users.
const EVERY: Duration = Duration::from_millis(250);
/// How often a user tries, waiting in between as the server asks.
const TRIES: u32 = 5;
const STAY_AWAY: Duration = Duration::from_secs(2);
/// The addresses from which users have enrolled before.
const KNOWN: u32 = 8;

pub(super) struct Users {
    recipe: Recipe,
    codes: Vec<AuthCode>,
}

/// How a user fared.
pub(super) struct UserOutcome {
    /// Whether a user of this address has enrolled before.
    pub(super) is_known: bool,
    /// The outcome of each try.
    pub(super) tries: Vec<String>,
    /// The duration of the first try in microseconds.
    pub(super) took_us: u32,
}

impl UserOutcome {
    pub(super) fn is_served_at_once(&self) -> bool {
        self.tries.first().is_some_and(|first| first == SUCCESS)
    }

    pub(super) fn is_served(&self) -> bool {
        self.tries.last().is_some_and(|last| last == SUCCESS)
    }
}

const SUCCESS: &str = "Success";

impl Users {
    pub(super) async fn new(api: &Api, recipe: &Recipe, time: Duration) -> Result<Self, Failure> {
        let count = KNOWN + (time.as_millis() / EVERY.as_millis()) as u32 + 1;
        let mut codes = load::enrolments(api, count, None).await?;
        for (number, code) in (0..KNOWN).zip(codes.split_off(codes.len() - KNOWN as usize)) {
            match run_from(recipe, known(number), code).await? {
                ended if ended == SUCCESS => {}
                ended => return Err(Failure::new(format!("a run ended with {ended} before any strangers connected"))),
            }
        }
        Ok(Users { recipe: recipe.clone(), codes })
    }

    /// Starts users one after the other; returns those who started after the warm-up.
    pub(super) async fn come(self, until: Instant) -> Result<Vec<UserOutcome>, Failure> {
        let (begun, mut ticks, mut runs) = (Instant::now(), interval(EVERY), JoinSet::new());
        for (number, code) in (0..).zip(self.codes) {
            ticks.tick().await;
            if Instant::now() >= until {
                break;
            }
            let run = enrol(self.recipe.clone(), number, code, until + STAY_AWAY * TRIES);
            let counts = begun.elapsed() >= WARM_UP;
            runs.spawn(async move {
                let user = run.await;
                counts.then_some(user)
            });
        }
        let mut users = Vec::new();
        while let Some(user) = runs.join_next().await {
            users.extend(user.map_err(Failure::new)?);
        }
        Ok(users)
    }
}

/// One user tries until it succeeds, or fails for another reason than a busy server.
async fn enrol(recipe: Recipe, number: u32, code: AuthCode, give_up: Instant) -> UserOutcome {
    let is_known = number.is_multiple_of(2);
    let source = if is_known { known(number / 2) } else { behind(Ipv4Addr::new(127, 3, 0, 1), number) };
    let mut user = UserOutcome { is_known, tries: Vec::new(), took_us: 0 };
    loop {
        let began = Instant::now();
        let ended = match timeout(PATIENCE, run_from(&recipe, source, code.clone())).await {
            Ok(ended) => ended.unwrap_or_else(|_| "connection lost".into()),
            Err(_) => "no answer".into(),
        };
        if user.tries.is_empty() {
            user.took_us = began.elapsed().as_micros() as u32;
        }
        let again = ended == "HTTP 429" && user.tries.len() + 1 < TRIES as usize && Instant::now() < give_up;
        user.tries.push(ended);
        if !again {
            return user;
        }
        sleep(STAY_AWAY).await;
    }
}

fn known(number: u32) -> Ipv4Addr {
    behind(Ipv4Addr::new(127, 2, 0, 1), number % KNOWN)
}

/// One run on its own connection.
async fn run_from(recipe: &Recipe, source: Ipv4Addr, code: AuthCode) -> Result<String, Failure> {
    let connection = recipe.endpoint.connect_from(source).await?;
    load::run(recipe, &mut (recipe.endpoint.clone(), connection).into(), code, &mut Measured::default()).await
}
