//! What is counted and measured of runs.

use std::net::SocketAddr;
use std::time::Instant;

use dskpp::server::RefusalReason;

use super::Stop;
use super::run::RefusedRun;
use crate::metrics::{
    Collectors, Counters, Histogram, IntCounter, collectors, counter, durations, limit, observe, stage,
};
use crate::model::{Cause, Method, Variant};

/// The label of what is not known, or has no method.
const NONE: &str = "none";

/// The reasons of refusals that have no [`Cause`] of their own.
const REASONS: [&str; 12] = [
    "unreadable",
    "nothing-in-common",
    "device",
    "key",
    "seal",
    "session-expired",
    "session-spent",
    "no-authentication-data",
    "mac-algorithm",
    "nonce-sent",
    "iterations",
    "nonce-length",
];

/// What a request is found to be while it is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) peer: SocketAddr,
    pub(super) message: Option<Message>,
    pub(super) variant: Option<Variant>,
    /// The method of a two-pass run, once chosen.
    pub(super) method: Option<Method>,
}

impl Seen {
    pub(super) fn of(peer: SocketAddr) -> Self {
        Seen { peer, message: None, variant: None, method: None }
    }
}

/// The kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// Pass 1 of four-pass.
    ClientHello,
    /// Pass 3.
    ClientNonce,
    /// The only request of two-pass.
    TwoPass,
}

/// An answer that is no refusal.
pub(super) enum Answered {
    /// A run goes on: the ServerHello.
    Begun(Vec<u8>),
    /// A run has made a key.
    Provisioned(Vec<u8>),
    /// The same as before, to the same request.
    Again(Vec<u8>),
}

impl Answered {
    pub(super) fn message(self) -> Vec<u8> {
        match self {
            Answered::Begun(message) | Answered::Provisioned(message) | Answered::Again(message) => message,
        }
    }
}

/// What is counted and measured of runs.
pub(super) struct Measures {
    begun: IntCounter,
    runs: Counters,
    refusals: Counters,
    requests: Vec<(Message, Histogram)>,
    pub(super) parse: Histogram,
    pub(super) read: Histogram,
    pub(super) commit: Histogram,
    /// Refusals for wrong codes before, by the ClientID.
    pub(super) backoff: IntCounter,
}

impl Measures {
    pub(super) fn new() -> Self {
        let four_pass = ["provisioned", "repeated", "refused"].map(|result| ["four-pass", NONE, result]);
        let not_chosen = ["repeated", "refused"].map(|result| ["two-pass", NONE, result]);
        let two_pass = Method::NAMES.iter().map(|method| ["two-pass", method, "provisioned"]);
        let reasons = Cause::NAMES.iter().chain(&REASONS).map(|reason| [*reason]);
        let request = |message, name| {
            let help = "From a whole request until its answer is ready, by the message.";
            (message, durations("dskpp_request_duration_seconds", help, &[("message", name)]))
        };
        Measures {
            begun: counter("dskpp_runs_begun_total", "Four-pass runs that were begun with a ServerHello.", &[]),
            runs: Counters::new(
                "dskpp_runs_total",
                "Runs that ended here, by variant, key protection method (two-pass) and result.",
                ["variant", "method", "result"],
                four_pass.into_iter().chain(not_chosen).chain(two_pass),
            ),
            refusals: Counters::new("dskpp_refusals_total", "Refused runs by reason.", ["reason"], reasons),
            requests: vec![
                request(Message::ClientHello, "client-hello"),
                request(Message::ClientNonce, "client-nonce"),
                request(Message::TwoPass, "two-pass"),
            ],
            parse: stage("parse"),
            read: stage("read"),
            commit: stage("commit"),
            backoff: limit("client_backoff"),
        }
    }

    /// Counts the answer to a request that came at `start`.
    pub(super) fn answered(&self, seen: Seen, answer: &Result<Answered, Stop>, start: Instant) {
        if let Some((_, durations)) = self.requests.iter().find(|(message, _)| Some(*message) == seen.message) {
            observe(durations, start);
        }
        let result = match answer {
            Ok(Answered::Begun(_)) => return self.begun.inc(),
            Ok(Answered::Provisioned(_)) => "provisioned",
            Ok(Answered::Again(_)) => "repeated",
            Err(Stop::Refused(refused)) => {
                self.refusals.count([reason(refused)]);
                "refused"
            }
            Err(Stop::NotDskpp(_)) => return,
            Err(Stop::TooMany(_)) => "later",
            Err(Stop::Unavailable(_)) => "unavailable",
            Err(Stop::Defect) => "defect",
        };
        self.runs.count([seen.variant.map_or(NONE, Variant::as_str), seen.method.map_or(NONE, Method::as_str), result]);
    }

    pub(super) fn collectors(&self) -> Collectors {
        let Measures { begun, runs, refusals, requests, parse, read, commit, backoff } = self;
        let mut all = collectors![begun, parse, read, commit, backoff];
        all.extend([runs.collector(), refusals.collector()]);
        all.extend(requests.iter().flat_map(|(_, durations)| collectors![durations]));
        all
    }
}

/// The label of a refusal: the cause, where the peer is told less than that; otherwise the reason.
fn reason(refused: &RefusedRun) -> &'static str {
    match (refused.refusal.reason, refused.cause) {
        (RefusalReason::AuthenticationData | RefusalReason::Trigger | RefusalReason::Expired, Some(cause)) => {
            cause.as_str()
        }
        (RefusalReason::AuthenticationData, None) => Cause::WrongCode.as_str(),
        (RefusalReason::Trigger, None) => Cause::WrongTrigger.as_str(),
        (RefusalReason::Expired, None) => Cause::Expired.as_str(),
        (RefusalReason::Policy, _) => Cause::NotAllowed.as_str(),
        (RefusalReason::Unreadable, _) => "unreadable",
        (RefusalReason::NothingInCommon(_), _) => "nothing-in-common",
        (RefusalReason::Device, _) => "device",
        (RefusalReason::Key, _) => "key",
        (RefusalReason::Seal, _) => "seal",
        (RefusalReason::SessionExpired, _) => "session-expired",
        (RefusalReason::SessionSpent, _) => "session-spent",
        (RefusalReason::NoAuthenticationData, _) => "no-authentication-data",
        (RefusalReason::MacAlgorithm, _) => "mac-algorithm",
        (RefusalReason::NonceSent, _) => "nonce-sent",
        (RefusalReason::Iterations, _) => "iterations",
        (RefusalReason::NonceLength, _) => "nonce-length",
        _ => Cause::Unusable.as_str(),
    }
}
