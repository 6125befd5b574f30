//! Pass 3 and 4: a ClientNonce is answered once, and the answer is kept.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use dskpp::algorithm::KeyType;
use dskpp::message::ClientNonce;
use dskpp::package::PackageSpec;
use dskpp::server::{Finished, Reason, Refusal, ServerK, Session, SessionState};
use dskpp::status::Status;
use dskpp_crypto::{Random as _, Secret, SystemRandom, ct_eq};
use pskc::DeviceInfo;

use super::hello::DEVICE_K;
use super::{Provision, Stop, new_id, unix_now};
use crate::backoff::Attempt;
use crate::store::{
    Answer, Commit, CommitRun, DeviceRecord, EnrolmentRecord, EnrolmentState, FailedRun, NewKey, Pending, Variant,
    key_type,
};

/// What is needed of a session after it was consumed.
struct Run {
    session_id: String,
    request_hash: [u8; 32],
    client_id: Option<String>,
    state: SessionState,
    peer: SocketAddr,
    started: Instant,
}

/// What a run came to, before it is durable.
enum Outcome {
    Provisioned { response: Vec<u8>, key_id: String, user: String },
    Refused(Refusal),
}

impl Provision {
    pub(super) async fn nonce(
        self: &Arc<Self>,
        message: ClientNonce,
        body: &[u8],
        peer: SocketAddr,
    ) -> Result<Vec<u8>, Stop> {
        let session = Session::open(message, body, &self.session_key, unix_now())?;
        let run = Run {
            session_id: session.session_id().to_owned(),
            request_hash: session.request_hash(),
            client_id: session.client_id().map(str::to_owned),
            state: session.state().clone(),
            peer,
            started: Instant::now(),
        };
        let enrolment = run.state.enrolment.as_deref();
        let client_id = run.client_id.as_deref().filter(|_| enrolment.is_none());
        let device = run.state.device.as_ref().filter(|_| run.state.k_id == DEVICE_K);
        let known = self.store.load_run(&run.session_id, client_id, enrolment, device).await?;
        if let Some(answer) = known.answer {
            return run.again(answer);
        }
        let k = self.k_of(&run.state, known.device).ok_or_else(|| session.refuse(Status::Abort, Reason::Seal));
        let k = match session.check(&self.auth).and(k) {
            Ok(k) => k,
            Err(refusal) => {
                let pending = self.refuse(&run, known.enrolment.as_ref(), &refusal);
                return run.finish(pending, Outcome::Refused(refusal), self).await;
            }
        };
        let attempt = run.client_id.as_deref().map(|id| self.backoff.begin(id, Instant::now())).transpose()?;
        let provision = Arc::clone(self);
        let work = move || {
            let (pending, outcome) = provision.work(session, &run, &k, known.enrolment.as_ref(), attempt);
            (run, pending, outcome)
        };
        let (run, pending, outcome) = self.pool.run(work).await?;
        run.finish(pending, outcome, self).await
    }

    /// Everything between the checks and the answer; on a thread of the pool.
    fn work(
        &self,
        session: Session,
        run: &Run,
        k: &ServerK,
        enrolment: Option<&EnrolmentRecord>,
        attempt: Option<Attempt>,
    ) -> (Pending<Commit>, Outcome) {
        let proved = self.prove(session, run, k, enrolment);
        if let Some(attempt) = attempt {
            match &proved {
                Err(refusal) if is_wrong_code(refusal) => attempt.wrong(Instant::now()),
                _ => attempt.right(),
            }
        }
        match proved {
            Ok((finished, key_id, enrolment)) => self.commit(run, enrolment, finished, key_id),
            Err(refusal) => (self.refuse(run, enrolment, &refusal), Outcome::Refused(refusal)),
        }
    }

    /// The work, and the checks that only a right code reaches.
    fn prove<'a>(
        &self,
        session: Session,
        run: &Run,
        k: &ServerK,
        enrolment: Option<&'a EnrolmentRecord>,
    ) -> Result<(Finished, String, &'a EnrolmentRecord), Refusal> {
        let password = run.password(enrolment);
        let verdict = run.verdict(&session, enrolment);
        let authenticated = session.authenticate(&self.auth, &password, k, &self.url_s, &mut SystemRandom)?;
        let refuse = |(status, reason)| authenticated.session().refuse(status, reason);
        let enrolment = verdict.map_err(refuse)?;
        let package = self.package(run, enrolment).map_err(refuse)?;
        Ok((authenticated.finish(&package)?, package.key_id, enrolment))
    }

    /// The key that the session was begun with; `None` where the server no longer has it.
    fn k_of(&self, state: &SessionState, device: Option<DeviceRecord>) -> Option<ServerK> {
        if state.k_id == self.k_server_id {
            return Some(self.k_server.clone());
        }
        let DeviceRecord { key_name: name, shared_key, .. } = device?;
        Some(ServerK::Shared { name, key: shared_key? })
    }

    /// What is said about the key.
    fn package(&self, run: &Run, enrolment: &EnrolmentRecord) -> Result<PackageSpec, (Status, Reason)> {
        let params = &enrolment.params;
        let key_type = key_type(&enrolment.key_type).ok_or((Status::AccessDenied, Reason::Policy))?;
        Ok(PackageSpec {
            server_id: self.server_id.clone(),
            // A renewed key keeps its identifier.
            key_id: run.state.renews.clone().unwrap_or_else(new_id),
            hash: (key_type == KeyType::Totp).then(|| params.hash()),
            key_type,
            issuer: self.issuer.clone(),
            user_id: None,
            device: run.state.device.as_ref().map(|device| DeviceInfo {
                manufacturer: Some(device.manufacturer.clone()),
                serial_no: Some(device.serial.clone()),
                ..DeviceInfo::default()
            }),
            digits: params.digits,
            suite: params.suite.clone(),
            counter: params.counter,
            period_s: params.period_s,
        })
    }

    /// The key, the spent enrolment and the answer, all or none; only then the client hears of it.
    fn commit(
        &self,
        run: &Run,
        enrolment: &EnrolmentRecord,
        finished: Finished,
        key_id: String,
    ) -> (Pending<Commit>, Outcome) {
        let pending = self.store.commit_run(CommitRun {
            session_id: run.session_id.clone(),
            request_hash: run.request_hash,
            response: finished.response.clone(),
            session_expires_at: self.answer_expires_at(),
            enrolment_id: enrolment.id.clone(),
            key: NewKey {
                id: key_id.clone(),
                k_token: finished.keys.k_token,
                k_mac: finished.keys.k_mac,
                mac_algorithm: finished.prf.algorithm().uri().to_owned(),
            },
        });
        (pending, Outcome::Provisioned { response: finished.response, key_id, user: enrolment.user.clone() })
    }

    /// A failed run is answered once, too: its session is spent.
    fn refuse(&self, run: &Run, enrolment: Option<&EnrolmentRecord>, refusal: &Refusal) -> Pending<Commit> {
        self.store.commit_failure(FailedRun {
            session_id: run.session_id.clone(),
            request_hash: run.request_hash,
            response: refusal.response(),
            session_expires_at: self.answer_expires_at(),
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

/// Whether it counts against the code; other refusals are no guesses.
fn is_wrong_code(refusal: &Refusal) -> bool {
    refusal.reason == Reason::AuthenticationData
}

impl Run {
    /// Waits until what became of the run is durable.
    async fn finish(&self, pending: Pending<Commit>, outcome: Outcome, provision: &Provision) -> Result<Vec<u8>, Stop> {
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

    fn refuse(&self, status: Status, reason: Reason) -> Refusal {
        Refusal::of_nonce(status, reason, Some(self.session_id.clone()))
    }

    /// The same answer to the same request, Abort to another one (profile P28).
    fn again(&self, answer: Answer) -> Result<Vec<u8>, Stop> {
        match ct_eq(&answer.request_hash, &self.request_hash) {
            true => Ok(answer.response),
            false => Err(self.refuse(Status::Abort, Reason::SessionSpent).into()),
        }
    }

    /// The password to check against: a random one, which nobody knows, where no code can be right (profile P16).
    fn password(&self, enrolment: Option<&EnrolmentRecord>) -> Secret {
        let named = |enrolment: &&EnrolmentRecord| self.client_id.as_ref().is_none_or(|id| *id == enrolment.client_id);
        match enrolment.filter(named) {
            Some(enrolment) if matches!(enrolment.state, EnrolmentState::Open | EnrolmentState::Expired) => {
                enrolment.password.clone()
            }
            _ => SystemRandom.secret(16),
        }
    }

    /// What a right code is worth in this run: the enrolment that it spends.
    fn verdict<'a>(
        &self,
        session: &Session,
        enrolment: Option<&'a EnrolmentRecord>,
    ) -> Result<&'a EnrolmentRecord, (Status, Reason)> {
        let enrolment = match enrolment {
            Some(enrolment) if enrolment.state == EnrolmentState::Open => enrolment,
            Some(enrolment) if enrolment.state == EnrolmentState::Expired => {
                return Err((Status::ProvisioningPeriodExpired, Reason::Expired));
            }
            _ => return Err((Status::AuthenticationDataInvalid, Reason::AuthenticationData)),
        };
        if enrolment.renews != self.state.renews {
            return Err((Status::AccessDenied, Reason::Key));
        }
        let device_fits = enrolment.device.is_none() || enrolment.device == self.state.device;
        let type_fits = key_type(&enrolment.key_type).as_ref() == Some(session.key_type());
        if enrolment.variant == Some(Variant::TwoPass) || !type_fits || !device_fits {
            return Err((Status::AccessDenied, Reason::Policy));
        }
        Ok(enrolment)
    }
}
