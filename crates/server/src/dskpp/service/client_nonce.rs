//! Passes 3 and 4: answers a ClientNonce once, and stores the answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use dskpp::message::ClientNonce;
use dskpp::server::{DecryptedSession, Finished, RefusalReason, RunRefusal, ServerK, Session, SessionState};
use dskpp::status::Status;
use dskpp_crypto::{Secret, SystemRandom};

use super::client_hello::DEVICE_K;
use super::measures::Answered;
use super::run::{Outcome, ServerRun};
use super::{PRIVATE_KEY_COST, Service, Stop};
use crate::metrics::observe;
use crate::model::clock::{unix_now, unix_now_ms};
use crate::model::origin::Origin;
use crate::model::{DeviceRecord, EnrolmentRecord, Variant};
use crate::net::crypto_pool::Prepared;
use crate::net::rate_limit::Subject;
use crate::net::turns::Turn;
use crate::policy::backoff::PendingTry;

/// A run on its way through the pool.
struct StartedRun {
    run: ServerRun,
    enrolment: Option<EnrolmentRecord>,
    attempt: Option<PendingTry>,
}

impl Service {
    pub(super) async fn client_nonce(
        self: &Arc<Self>,
        message: ClientNonce,
        body: &[u8],
        peer: SocketAddr,
        turn: Turn,
    ) -> Result<Answered, Stop> {
        let key = self.session_keys.of(&message.session_id, unix_now_ms());
        let key = key.ok_or_else(|| RunRefusal::of_nonce(Status::Abort, RefusalReason::Seal, None))?;
        let session = Session::open(message, body, &key, unix_now())?;
        let state = session.state().clone();
        let mut run = ServerRun {
            variant: Variant::FourPass,
            session_id: session.session_id().to_owned(),
            as_hello: false,
            request_hash: session.request_hash(),
            client_id: session.client_id().map(str::to_owned),
            device: state.device.clone(),
            renews: state.renews.clone(),
            locked: false,
            method: None,
            url_s: None,
            peer,
            origin: Origin::current(),
            started: Instant::now(),
        };
        let enrolment = state.enrolment.as_deref();
        let client_id = run.client_id.as_deref().filter(|_| enrolment.is_none());
        let device = run.device.as_ref().filter(|_| state.k_id == DEVICE_K);
        let address = Subject::from(peer).to_string();
        let start = Instant::now();
        let known = self.store.load_run(&run.session_id, client_id, enrolment, device, &address).await;
        observe(&self.measures.read, start);
        let known = known?;
        if let Some(answer) = known.answer {
            return run.again(answer);
        }
        if let Some(before) = self.before(&run) {
            return run.finish(before, self).await;
        }
        run.locked = known.locked;
        let k =
            self.k_of(&state, known.device).await?.ok_or_else(|| session.refuse(Status::Abort, RefusalReason::Seal));
        let k = match session.check(&self.auth).and(k) {
            Ok(k) => k,
            Err(refusal) => {
                let outcome = self.refuse(&run, known.enrolment.as_ref(), refusal, None);
                return run.finish(outcome, self).await;
            }
        };
        let iterations = session.proof_iterations();
        let private_key = if matches!(k, ServerK::Server(_)) { PRIVATE_KEY_COST } else { 0 };
        let attempt = self.charge(&run, iterations)?;
        let (service, rounds) = (Arc::clone(self), session.proof_rounds(&self.auth));
        let started = StartedRun { run, enrolment: known.enrolment, attempt };
        let work = move || service.decrypt(session, started, &k);
        let cost = u64::from(iterations) + private_key;
        let (run, outcome) = self.compute(turn, peer.into(), cost, rounds, work).await?;
        run.finish(outcome, self).await
    }

    /// The work before the derivation.
    fn decrypt(self: Arc<Self>, session: Session, started: StartedRun, k: &ServerK) -> Prepared<(ServerRun, Outcome)> {
        let password = started.run.password(started.enrolment.as_ref());
        let decrypted = match session.decrypt(&self.auth, k, &mut SystemRandom) {
            Ok(decrypted) => decrypted,
            Err(refusal) => return Prepared::Done(self.end(started, |_, _| Err(refusal))),
        };
        match decrypted.proof_input(&password) {
            None => Prepared::Done(self.prove(started, decrypted, None)),
            Some(input) => Prepared::Derive(input, Box::new(move |k_ac| self.prove(started, decrypted, Some(k_ac)))),
        }
    }

    /// The work after it, and the checks after a proved code.
    fn prove(&self, started: StartedRun, decrypted: DecryptedSession, k_ac: Option<&Secret>) -> (ServerRun, Outcome) {
        self.end(started, |run, enrolment| {
            let verdict = run.verdict(decrypted.session().key_type(), enrolment);
            let authenticated = decrypted.verify(k_ac, &self.url_s, &mut SystemRandom)?;
            run.url_s = authenticated.url_s().map(str::to_owned);
            let refuse = |(status, reason)| authenticated.session().refuse(status, reason);
            let enrolment = verdict.map_err(refuse)?;
            let package = self.package(run, enrolment).map_err(refuse)?;
            Ok((authenticated.finish(&package)?, package.key_id, enrolment))
        })
    }

    /// What follows from a proof or its refusal.
    fn end(
        &self,
        started: StartedRun,
        proof: impl for<'a> FnOnce(
            &mut ServerRun,
            Option<&'a EnrolmentRecord>,
        ) -> Result<(Finished, String, &'a EnrolmentRecord), RunRefusal>,
    ) -> (ServerRun, Outcome) {
        let StartedRun { mut run, enrolment, attempt } = started;
        let outcome = match proof(&mut run, enrolment.as_ref()) {
            Ok((finished, key_id, enrolment)) => self.commit(&run, enrolment, finished, key_id, attempt),
            Err(refusal) => self.refuse(&run, enrolment.as_ref(), refusal, attempt),
        };
        (run, outcome)
    }

    /// The key that the session was begun with; `None` if the server no longer has it.
    async fn k_of(&self, state: &SessionState, device: Option<DeviceRecord>) -> Result<Option<ServerK>, Stop> {
        if state.k_id != DEVICE_K {
            return Ok(self.k_servers.find(&state.k_id).await?.map(|k_server| k_server.k.clone()));
        }
        let shared = |device: DeviceRecord| Some(ServerK::Shared { name: device.key_name, key: device.shared_key? });
        Ok(device.and_then(shared))
    }
}
