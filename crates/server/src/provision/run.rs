//! The end of a run, of either variant: what a right code is worth, and what becomes durable before it is answered.

use std::net::SocketAddr;
use std::time::Instant;

use dskpp::algorithm::KeyType;
use dskpp::package::PackageSpec;
use dskpp::server::{DeviceRef, Finished, Reason, Refusal};
use dskpp::status::Status;
use dskpp_crypto::{Random as _, Secret, SystemRandom, ct_eq};
use pskc::DeviceInfo;

use super::{Provision, Stop, new_id, unix_now};
use crate::store::{
    Answer, Commit, CommitRun, EnrolmentRecord, EnrolmentState, FailedRun, NewKey, Pending, Variant,
    key_type as key_type_of,
};

/// Seconds for which the answer to a renewal is kept beyond its session. A client that lost it has another K_MAC' than
/// the server until it has asked for the answer again: without it, the key could never be renewed.
const RENEWAL_S: i64 = 30 * 24 * 3600;

/// What is needed of a run after its message was consumed.
pub(super) struct Run {
    pub(super) variant: Variant,
    /// Under which its answer is kept: `SessionID`; two-pass, which has none, is given one.
    pub(super) session_id: String,
    /// Whether a refusal is a KeyProvServerHello (profile P22).
    pub(super) as_hello: bool,
    pub(super) request_hash: [u8; 32],
    pub(super) client_id: Option<String>,
    /// The device that the key is for.
    pub(super) device: Option<DeviceRef>,
    pub(super) renews: Option<String>,
    pub(super) peer: SocketAddr,
    pub(super) started: Instant,
}

/// What a run came to, before it is durable.
pub(super) enum Outcome {
    Provisioned { response: Vec<u8>, key_id: String, user: String },
    Refused(Refusal),
}

impl Provision {
    /// What is said about the key.
    pub(super) fn package(&self, run: &Run, enrolment: &EnrolmentRecord) -> Result<PackageSpec, (Status, Reason)> {
        let params = &enrolment.params;
        let key_type = key_type_of(&enrolment.key_type).ok_or((Status::AccessDenied, Reason::Policy))?;
        Ok(PackageSpec {
            server_id: self.server_id.clone(),
            // A renewed key keeps its identifier.
            key_id: run.renews.clone().unwrap_or_else(new_id),
            hash: (key_type == KeyType::Totp).then(|| params.hash()),
            key_type,
            issuer: self.issuer.clone(),
            user_id: None,
            device: run.device.as_ref().map(device_info),
            digits: params.digits,
            suite: params.suite.clone(),
            counter: params.counter,
            period_s: params.period_s,
        })
    }

    /// The key, the spent enrolment and the answer, all or none; only then the client hears of it.
    pub(super) fn commit(
        &self,
        run: &Run,
        enrolment: &EnrolmentRecord,
        finished: Finished,
        key_id: String,
    ) -> (Pending<Commit>, Outcome) {
        let is_new = enrolment.delivers.is_none();
        let pending = self.store.commit_run(CommitRun {
            session_id: run.session_id.clone(),
            request_hash: run.request_hash,
            response: finished.response.clone(),
            answer_expires_at: match run.renews {
                Some(_) => self.answer_expires_at().saturating_add(RENEWAL_S),
                None => self.answer_expires_at(),
            },
            enrolment_id: enrolment.id.clone(),
            key: NewKey {
                id: key_id.clone(),
                k_token: is_new.then_some(finished.keys.k_token),
                k_mac: finished.keys.k_mac,
                mac_algorithm: finished.prf.algorithm().uri().to_owned(),
            },
        });
        (pending, Outcome::Provisioned { response: finished.response, key_id, user: enrolment.user.clone() })
    }

    /// A failed run is answered once, too: its session is spent.
    pub(super) fn refuse(&self, run: &Run, enrolment: Option<&EnrolmentRecord>, refusal: &Refusal) -> Pending<Commit> {
        self.store.commit_failure(FailedRun {
            session_id: run.session_id.clone(),
            request_hash: run.request_hash,
            response: refusal.response(),
            answer_expires_at: self.answer_expires_at(),
            enrolment_id: enrolment.map(|enrolment| enrolment.id.clone()),
            wrong_code: is_wrong_code(refusal),
            reason: refusal.reason.to_string(),
        })
    }

    /// When no session that was begun before now can be open any more.
    fn answer_expires_at(&self) -> i64 {
        i64::try_from(unix_now().saturating_add(self.session_lifetime_s)).unwrap_or(i64::MAX)
    }
}

/// DeviceID, of its two parts.
pub(super) fn device_info(device: &DeviceRef) -> DeviceInfo {
    DeviceInfo {
        manufacturer: Some(device.manufacturer.clone()),
        serial_no: Some(device.serial.clone()),
        ..DeviceInfo::default()
    }
}

/// Whether it counts against the code; other refusals are no guesses.
pub(super) fn is_wrong_code(refusal: &Refusal) -> bool {
    refusal.reason == Reason::AuthenticationData
}

impl Run {
    /// Waits until what became of the run is durable.
    pub(super) async fn finish(
        &self,
        pending: Pending<Commit>,
        outcome: Outcome,
        provision: &Provision,
    ) -> Result<Vec<u8>, Stop> {
        match (pending.done().await?, outcome) {
            (Commit::AlreadyAnswered(answer), _) => self.again(answer),
            (Commit::Committed, Outcome::Refused(refusal)) => Err(refusal.into()),
            (Commit::Committed, Outcome::Provisioned { response, key_id, user }) => {
                let took_ms = self.started.elapsed().as_millis() as u64;
                let session = &self.session_id;
                tracing::info!(session, peer = %self.peer, user, key_id, took_ms, "key provisioned");
                Ok(response)
            }
            // Another run was faster: as if the code had been spent before (profile P16).
            (Commit::EnrolmentSpent, _) => {
                let refusal = self.refuse(Status::AuthenticationDataInvalid, Reason::AuthenticationData);
                match provision.refuse(self, None, &refusal).done().await? {
                    Commit::AlreadyAnswered(answer) => self.again(answer),
                    Commit::Committed | Commit::EnrolmentSpent => Err(refusal.into()),
                }
            }
        }
    }

    pub(super) fn refuse(&self, status: Status, reason: Reason) -> Refusal {
        match self.variant {
            Variant::FourPass => Refusal::of_nonce(status, reason, Some(self.session_id.clone())),
            Variant::TwoPass => Refusal::of_hello(status, reason, self.as_hello),
        }
    }

    /// The same answer to the same request, Abort to another one (profile P28).
    pub(super) fn again(&self, answer: Answer) -> Result<Vec<u8>, Stop> {
        match ct_eq(&answer.request_hash, &self.request_hash) {
            true => Ok(answer.response),
            false => Err(self.refuse(Status::Abort, Reason::SessionSpent).into()),
        }
    }

    /// The password to check against: a random one, which nobody knows, where no code can be right (profile P16).
    pub(super) fn password(&self, enrolment: Option<&EnrolmentRecord>) -> Secret {
        let named = |enrolment: &&EnrolmentRecord| self.client_id.as_ref().is_none_or(|id| *id == enrolment.client_id);
        match enrolment.filter(named) {
            Some(enrolment) if matches!(enrolment.state, EnrolmentState::Open | EnrolmentState::Expired) => {
                enrolment.password.clone()
            }
            _ => SystemRandom.secret(16),
        }
    }

    /// What a right code is worth in this run: the enrolment that it spends. A device that its enrolment asks for has
    /// been named, or has used its own key.
    pub(super) fn verdict<'a>(
        &self,
        key_type: &KeyType,
        enrolment: Option<&'a EnrolmentRecord>,
    ) -> Result<&'a EnrolmentRecord, (Status, Reason)> {
        let enrolment = match enrolment {
            Some(enrolment) if enrolment.state == EnrolmentState::Open => enrolment,
            Some(enrolment) if enrolment.state == EnrolmentState::Expired => {
                return Err((Status::ProvisioningPeriodExpired, Reason::Expired));
            }
            _ => return Err((Status::AuthenticationDataInvalid, Reason::AuthenticationData)),
        };
        if enrolment.renews != self.renews {
            return Err((Status::AccessDenied, Reason::Key));
        }
        let device_fits = enrolment.device.is_none() || enrolment.device == self.device;
        let type_fits = key_type_of(&enrolment.key_type).as_ref() == Some(key_type);
        if !enrolment.allows(self.variant) || !type_fits || !device_fits {
            return Err((Status::AccessDenied, Reason::Policy));
        }
        Ok(enrolment)
    }
}
