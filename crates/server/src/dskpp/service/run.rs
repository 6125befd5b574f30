//! The end of a run in either variant: what a proved code permits, and what is committed before the answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use dskpp::algorithm::KeyType;
use dskpp::key_package::PackageSpec;
use dskpp::server::{DeviceRef, Finished, RefusalReason, RunRefusal};
use dskpp::status::Status;
use dskpp_crypto::{Random as _, Secret, SystemRandom, ct_eq};
use pskc::DeviceInfo;

use super::measures::Answered;
use super::{Service, Stop};
use crate::dskpp::refusals::Before;
use crate::metrics::observe;
use crate::model::clock::unix_now;
use crate::model::id::new_session_id;
use crate::model::origin::Origin;
use crate::model::{self, Cause, EnrolmentRecord, EnrolmentState, Method, StoredAnswer, Variant};
use crate::policy::backoff::PendingTry;
use crate::store::{Commit, CommitRun, NewKey, Pending, ProvedRefusal, StoreError};

/// Seconds to keep the answer to a renewal beyond its session. A client that lost the answer has a different K_MAC'
/// than the server until it asks again; without the answer it could never renew the key.
const RENEWAL_S: i64 = 30 * 24 * 3600;

/// A run's data after its message was consumed.
pub(super) struct ServerRun {
    pub(super) variant: Variant,
    /// The name under which its answer is stored: `SessionID`, or a generated one for two-pass.
    pub(super) session_id: String,
    /// Whether a refusal is a KeyProvServerHello (profile P22).
    pub(super) as_hello: bool,
    pub(super) request_hash: [u8; 32],
    pub(super) client_id: Option<String>,
    /// The device that receives the key.
    pub(super) device: Option<DeviceRef>,
    pub(super) renews: Option<String>,
    /// Whether the address is locked for this enrolment.
    pub(super) locked: bool,
    /// The key protection method of two-pass, once chosen.
    pub(super) method: Option<Method>,
    /// The URL_S of the authentication data, once proved; none after a trigger.
    pub(super) url_s: Option<String>,
    pub(super) peer: SocketAddr,
    /// For the audit trail: the run is committed on a thread of the pool.
    pub(super) origin: Option<Arc<Origin>>,
    pub(super) started: Instant,
}

/// The outcome of a run.
pub(super) enum Outcome {
    Provisioned {
        pending: Pending<Commit>,
        response: Vec<u8>,
        key_id: String,
        user: String,
        enrolment: String,
    },
    /// A refusal after a proved code, which is committed.
    Proved(Pending<Commit>, RefusedRun),
    /// A refusal that is not committed.
    Refused(RefusedRun),
    /// The refusal of an earlier, identical request.
    Again(Vec<u8>),
    /// A different request was refused on this session.
    Spent(RunRefusal),
}

/// A refusal, with the cause for log and administrators.
pub(super) struct RefusedRun {
    pub(super) refusal: RunRefusal,
    pub(super) cause: Option<Cause>,
    pub(super) enrolment: Option<String>,
    pub(super) user: Option<String>,
}

impl RefusedRun {
    /// `locked`: whether the address is locked for this enrolment.
    fn new(refusal: RunRefusal, enrolment: Option<&EnrolmentRecord>, locked: bool) -> Self {
        use EnrolmentState::{Active, Provisioned, Revoked};
        let cause = match (refusal.reason, enrolment.map(|enrolment| enrolment.state)) {
            (RefusalReason::AuthenticationData | RefusalReason::Trigger, None) => Cause::UnknownClient,
            (RefusalReason::AuthenticationData | RefusalReason::Trigger, Some(Provisioned | Active)) => Cause::Used,
            (RefusalReason::AuthenticationData | RefusalReason::Trigger, Some(Revoked)) => Cause::Revoked,
            (RefusalReason::AuthenticationData, Some(_)) if locked => Cause::Waiting,
            (RefusalReason::AuthenticationData, Some(_)) => Cause::WrongCode,
            (RefusalReason::Trigger, Some(_)) => Cause::WrongTrigger,
            (RefusalReason::Expired, _) => Cause::Expired,
            (RefusalReason::Key | RefusalReason::Device | RefusalReason::Policy, _) => Cause::NotAllowed,
            _ => Cause::Unusable,
        };
        RefusedRun {
            refusal,
            cause: Some(cause),
            enrolment: enrolment.map(|enrolment| enrolment.id.clone()),
            user: enrolment.map(|enrolment| enrolment.user.clone()),
        }
    }

    /// Logs the actual cause, with user and enrolment if known.
    pub(super) fn log(&self, peer: SocketAddr, took_ms: u64) {
        let RefusedRun { refusal: RunRefusal { status, reason, session_id, .. }, cause, enrolment, user } = self;
        let text = match (reason, cause) {
            (RefusalReason::AuthenticationData | RefusalReason::Trigger, Some(cause)) => cause.text().to_owned(),
            _ => reason.to_string(),
        };
        let (session, cause) = (session_id.as_deref(), cause.map(Cause::as_str));
        tracing::info!(session, %peer, user, enrolment, cause, %status, took_ms, "run refused: {text}");
    }
}

impl From<RunRefusal> for RefusedRun {
    fn from(refusal: RunRefusal) -> Self {
        RefusedRun { refusal, cause: None, enrolment: None, user: None }
    }
}

impl Service {
    /// The contents of the key package.
    pub(super) fn package(
        &self,
        run: &ServerRun,
        enrolment: &EnrolmentRecord,
    ) -> Result<PackageSpec, (Status, RefusalReason)> {
        let params = &enrolment.params;
        let key_type = model::algorithm(enrolment.key_type).ok_or((Status::AccessDenied, RefusalReason::Policy))?;
        Ok(PackageSpec {
            server_id: self.server_id.clone(),
            // A renewed key keeps its identifier.
            key_id: run.renews.clone().unwrap_or_else(new_session_id),
            hash: (key_type == KeyType::Totp).then(|| params.hash()),
            key_type,
            issuer: params.terms.issuer.clone().or_else(|| self.issuer.clone()),
            user_id: None,
            device: run.device.as_ref().map(device_info),
            digits: params.digits,
            suite: params.suite.clone(),
            counter: params.counter,
            period_s: params.period_s,
        })
    }

    /// Commits key, spent enrolment and answer together; only then the client gets the answer.
    pub(super) fn commit(
        &self,
        run: &ServerRun,
        enrolment: &EnrolmentRecord,
        finished: Finished,
        key_id: String,
        attempt: Option<PendingTry>,
    ) -> Outcome {
        self.right(run, attempt);
        if let Some(before) = self.before(run) {
            return before; // a refused request on the same session was faster
        }
        let is_new = enrolment.delivers.is_none();
        let of_trigger = enrolment.trigger.as_ref().map(|ad| &ad.url_s);
        let commit = CommitRun {
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
                url_s: run.url_s.as_ref().or(of_trigger).cloned(),
            },
        };
        let pending = Origin::within(run.origin.clone(), || self.store.commit_run(commit));
        let (user, enrolment) = (enrolment.user.clone(), enrolment.id.clone());
        Outcome::Provisioned { pending, response: finished.response, key_id, user, enrolment }
    }

    /// A refused run is also answered only once: it spends its session. Without a proved code, only this node remembers
    /// it (profile P28), and its enrolment, if any, is updated after the answer. `attempt` is the attempt at a code.
    pub(super) fn refuse(
        &self,
        run: &ServerRun,
        enrolment: Option<&EnrolmentRecord>,
        refusal: RunRefusal,
        attempt: Option<PendingTry>,
    ) -> Outcome {
        let proved = run.variant == Variant::FourPass && proves_code(&refusal);
        if !proved {
            let before = self.refused.keep(run.name(), run.request_hash, refusal.status, Instant::now());
            if let Some(before) = before {
                return run.again_refused(before); // a retransmission is not another attempt
            }
        }
        if refusal.reason == RefusalReason::AuthenticationData {
            self.wrong(run, attempt);
        } else if proves_code(&refusal) {
            self.right(run, attempt);
        }
        let response = proved.then(|| refusal.response());
        let refused = self.counted(RefusedRun::new(refusal, enrolment, run.locked), run.peer);
        let Some(response) = response else { return Outcome::Refused(refused) };
        let pending = self.store.commit_refusal(ProvedRefusal {
            session_id: run.session_id.clone(),
            request_hash: run.request_hash,
            response,
            answer_expires_at: self.answer_expires_at(),
        });
        Outcome::Proved(pending, refused)
    }

    /// The refusal of a ClientHello with an unusable trigger.
    pub(super) fn refuse_trigger(
        &self,
        refusal: RunRefusal,
        enrolment: Option<&EnrolmentRecord>,
        peer: SocketAddr,
    ) -> RefusedRun {
        self.counted(RefusedRun::new(refusal, enrolment, false), peer)
    }

    /// Records a refusal for its enrolment, if any, after the answer.
    fn counted(&self, refused: RefusedRun, peer: SocketAddr) -> RefusedRun {
        if let (Some(enrolment), Some(cause)) = (&refused.enrolment, refused.cause) {
            self.refusal_counts.count(enrolment, cause, peer.into());
        }
        refused
    }

    /// This node's earlier refusal of a run, if the store does not have it.
    pub(super) fn before(&self, run: &ServerRun) -> Option<Outcome> {
        let before = self.refused.find(run.name(), &run.request_hash, Instant::now())?;
        Some(run.again_refused(before))
    }

    /// Waits until an answer is committed.
    async fn committed(&self, pending: Pending<Commit>) -> Result<Commit, StoreError> {
        let start = Instant::now();
        let committed = pending.done().await;
        observe(&self.measures.commit, start);
        committed
    }

    /// Sessions begun before this time have expired.
    fn answer_expires_at(&self) -> i64 {
        i64::try_from(unix_now().saturating_add(self.session_lifetime_s)).unwrap_or(i64::MAX)
    }
}

/// A device, from the two parts of DeviceID.
pub(super) fn device_info(device: &DeviceRef) -> DeviceInfo {
    DeviceInfo {
        manufacturer: Some(device.manufacturer.clone()),
        serial_no: Some(device.serial.clone()),
        ..DeviceInfo::default()
    }
}

/// Whether only a peer that has proved the code gets this refusal.
fn proves_code(refusal: &RunRefusal) -> bool {
    matches!(
        refusal.reason,
        RefusalReason::Expired
            | RefusalReason::NonceLength
            | RefusalReason::Key
            | RefusalReason::Device
            | RefusalReason::Policy
    )
}

impl ServerRun {
    /// Waits until the outcome of the run is committed, if it must be.
    pub(super) async fn finish(&self, outcome: Outcome, service: &Service) -> Result<Answered, Stop> {
        match outcome {
            Outcome::Again(response) => Ok(Answered::Again(response)),
            Outcome::Spent(refusal) => Err(refusal.into()),
            Outcome::Refused(refused) => Err(Stop::Refused(refused)),
            Outcome::Proved(pending, refused) => match service.committed(pending).await? {
                Commit::AlreadyAnswered(answer) => self.again(answer),
                Commit::Committed | Commit::EnrolmentSpent => Err(Stop::Refused(refused)),
            },
            Outcome::Provisioned { pending, response, key_id, user, enrolment } => {
                match service.committed(pending).await? {
                    Commit::AlreadyAnswered(answer) => self.again(answer),
                    Commit::Committed => {
                        let took_ms = self.started.elapsed().as_millis() as u64;
                        let session = &self.session_id;
                        tracing::info!(session, peer = %self.peer, user, enrolment, key_id, took_ms, "key provisioned");
                        Ok(Answered::Provisioned(response))
                    }
                    // Another run was faster: as if the code had been spent before (profile P16).
                    Commit::EnrolmentSpent => {
                        let refusal = self.refuse(Status::AuthenticationDataInvalid, RefusalReason::AuthenticationData);
                        service.refused.keep(self.name(), self.request_hash, refusal.status, Instant::now());
                        let cause = Some(Cause::Used);
                        Err(Stop::Refused(RefusedRun { refusal, cause, enrolment: Some(enrolment), user: Some(user) }))
                    }
                }
            }
        }
    }

    /// Identifies retransmissions: by session or, in two-pass, by the request itself.
    fn name(&self) -> &[u8] {
        match self.variant {
            Variant::FourPass => self.session_id.as_bytes(),
            Variant::TwoPass => &self.request_hash,
        }
    }

    pub(super) fn refuse(&self, status: Status, reason: RefusalReason) -> RunRefusal {
        match self.variant {
            Variant::FourPass => RunRefusal::of_nonce(status, reason, Some(self.session_id.clone())),
            Variant::TwoPass => RunRefusal::of_hello(status, reason, self.as_hello),
        }
    }

    /// The same answer to the same request, Abort to a different one (profile P28).
    pub(super) fn again(&self, answer: StoredAnswer) -> Result<Answered, Stop> {
        match ct_eq(&answer.request_hash, &self.request_hash) {
            true => Ok(Answered::Again(answer.response)),
            false => Err(self.refuse(Status::Abort, RefusalReason::SessionSpent).into()),
        }
    }

    /// Like [`ServerRun::again`], for a refusal that is not in the store.
    fn again_refused(&self, before: Before) -> Outcome {
        match before {
            Before::Same(status) => Outcome::Again(self.refuse(status, RefusalReason::SessionSpent).response()),
            Before::Another => Outcome::Spent(self.refuse(Status::Abort, RefusalReason::SessionSpent)),
        }
    }

    /// The password to verify with: a random one if no code can be correct (profile P16).
    pub(super) fn password(&self, enrolment: Option<&EnrolmentRecord>) -> Secret {
        let named = |enrolment: &&EnrolmentRecord| self.client_id.as_ref().is_none_or(|id| *id == enrolment.client_id);
        match enrolment.filter(named).filter(|_| !self.locked) {
            Some(enrolment) if matches!(enrolment.state, EnrolmentState::Open | EnrolmentState::Expired) => {
                enrolment.password.clone()
            }
            _ => SystemRandom.secret(16),
        }
    }

    /// The enrolment that a proved code spends in this run. If the enrolment is bound to a device, the run must name it
    /// or use its own key.
    pub(super) fn verdict<'a>(
        &self,
        key_type: &KeyType,
        enrolment: Option<&'a EnrolmentRecord>,
    ) -> Result<&'a EnrolmentRecord, (Status, RefusalReason)> {
        let enrolment = match enrolment {
            Some(enrolment) if enrolment.state == EnrolmentState::Open => enrolment,
            Some(enrolment) if enrolment.state == EnrolmentState::Expired => {
                return Err((Status::ProvisioningPeriodExpired, RefusalReason::Expired));
            }
            _ => return Err((Status::AuthenticationDataInvalid, RefusalReason::AuthenticationData)),
        };
        if enrolment.renews != self.renews {
            return Err((Status::AccessDenied, RefusalReason::Key));
        }
        let device_fits = enrolment.device.is_none() || enrolment.device == self.device;
        let type_fits = model::algorithm(enrolment.key_type).as_ref() == Some(key_type);
        if !enrolment.allows(self.variant) || !type_fits || !device_fits {
            return Err((Status::AccessDenied, RefusalReason::Policy));
        }
        Ok(enrolment)
    }
}
