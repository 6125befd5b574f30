//! Two-pass: answers a ClientHello once with the key, and stores the answer (RFC 6063 §5).

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use dskpp::algorithm::{KeyType, ProtectionMethod};
use dskpp::auth_data::MIN_ITERATIONS;
use dskpp::message::ClientHello;
use dskpp::server::{ClientKey, DeviceRef, Finished, OutgoingKey, RefusalReason, RunRefusal, TwoPassFacts, TwoPassRun};
use dskpp::status::Status;
use dskpp::token_length;
use dskpp_crypto::{Secret, Sha256, SystemRandom};
use pskc::KeyPackage;

use super::client_hello::{device_of, renewed_key};
use super::measures::{Answered, Seen};
use super::run::{Outcome, ServerRun, device_info};
use super::{Service, Stop};
use crate::model::id::new_session_id;
use crate::model::origin::Origin;
use crate::model::{self, EnrolmentRecord, Method, Variant};
use crate::net::crypto_pool::Prepared;
use crate::net::turns::Turn;
use crate::store::HelloContext;

/// Every method: the enrolment's restrictions apply after the code is proved, so that nobody learns them before.
const METHODS: [ProtectionMethod; 3] =
    [ProtectionMethod::Transport, ProtectionMethod::Wrap, ProtectionMethod::PassphraseWrap];

/// The data of a run, owned by the computation.
struct TwoPassMessage {
    hello: ClientHello,
    body: Bytes,
    context: HelloContext,
    /// Whether the AD is that of the enrolment's trigger.
    trigger: bool,
    /// The named key of each entry of the client's list, or a stand-in.
    keys: Vec<Option<ClientKey>>,
}

impl Service {
    pub(super) async fn two_pass(
        self: &Arc<Self>,
        hello: ClientHello,
        body: Bytes,
        mut context: HelloContext,
        trigger: bool,
        turn: Turn,
        seen: &mut Seen,
    ) -> Result<Answered, Stop> {
        let peer = seen.peer;
        let run = ServerRun {
            variant: Variant::TwoPass,
            session_id: new_session_id(),
            as_hello: hello.offers_four_pass(),
            request_hash: Sha256::digest(&[&body]),
            client_id: hello.authentication_data.as_ref().and_then(|data| data.client_id.clone()),
            device: device_of(&hello),
            renews: None,
            locked: context.locked && !trigger,
            method: None,
            url_s: None,
            peer,
            origin: Origin::current(),
            started: Instant::now(),
        };
        if let Some(answer) = context.answer.take() {
            return run.again(answer);
        }
        if let Some(before) = self.before(&run) {
            return run.finish(before, self).await;
        }
        let keys = self.client_keys(&hello, &context);
        let message = TwoPassMessage { hello, body, context, trigger, keys };
        // Cheap refusals end here.
        let begun = message.begin(self)?;
        let proof = if trigger { 0 } else { begun.proof_iterations() };
        let attempt = self.charge(&run, proof)?;
        // Independent of the entry chosen later: the wrapping key may be derived from the password.
        let may_derive = message.keys.iter().flatten().any(|key| matches!(key, ClientKey::Passphrase));
        let cost = u64::from(proof) + if may_derive { MIN_ITERATIONS.into() } else { 0 };
        let password = run.password(message.context.enrolment.as_ref());
        let input = begun.proof_input(&self.auth, &password).filter(|_| !trigger);
        // After the proof it may derive once more, which others must not wait for.
        let rounds = begun.proof_rounds(&self.auth).filter(|_| !trigger && !may_derive);
        let service = Arc::clone(self);
        let rest = move |derived: Option<&Secret>| {
            let (mut run, message) = (run, message);
            let outcome = match service.send_key(&mut run, &message, &password, derived) {
                Ok((finished, key_id, enrolment)) => service.commit(&run, enrolment, finished, key_id, attempt),
                Err(refusal) => service.refuse(&run, message.context.enrolment.as_ref(), refusal, attempt),
            };
            (run, outcome)
        };
        let work = move || match input {
            None => Prepared::Done(rest(None)),
            Some(input) => Prepared::Derive(input, Box::new(move |derived| rest(Some(derived)))),
        };
        let (run, outcome): (ServerRun, Outcome) = self.compute(turn, peer.into(), cost, rounds, work).await?;
        seen.method = run.method;
        run.finish(outcome, self).await
    }

    /// The work after the derivation, and the checks after a proved code.
    fn send_key<'a>(
        &self,
        run: &mut ServerRun,
        message: &'a TwoPassMessage,
        password: &Secret,
        derived: Option<&Secret>,
    ) -> Result<(Finished, String, &'a EnrolmentRecord), RunRefusal> {
        let enrolment = message.context.enrolment.as_ref();
        let begun = message.begin(self)?;
        if !message.trigger {
            run.url_s = Some(begun.verify(&self.auth, password, derived, &self.url_s)?);
        }
        let refuse = |(status, reason)| begun.refuse(status, reason);
        let renewed = renewed_key(&message.hello, message.context.key.as_ref(), enrolment.filter(|_| message.trigger));
        let renewed = renewed.map_err(refuse)?;
        run.renews = renewed.map(|key| key.record.id.clone());
        let wanted = enrolment.and_then(|enrolment| model::algorithm(enrolment.key_type));
        let methods = enrolment.map_or(METHODS.to_vec(), allowed);
        if !enrolment.is_some_and(|enrolment| enrolment.allows(Variant::TwoPass)) {
            return Err(refuse((Status::NoProtocolVariants, RefusalReason::Policy)));
        }
        let (keys, owners) = self.accepted_keys(&message.hello, &message.context, &message.keys);
        let facts =
            TwoPassFacts { methods: &methods, keys: &keys, key_type: wanted.as_ref(), trigger: message.trigger };
        let begun = begun.choose(&self.policy, &facts)?;
        let owner = owners.get(begun.entry()).cloned().flatten();
        run.method = message.hello.two_pass_methods().get(begun.entry()).and_then(|entry| method(&entry.method));
        run.device = message.device_of_run(run.device.take(), owner).map_err(refuse)?;
        let enrolment = run.verdict(begun.key_type(), enrolment).map_err(refuse)?;
        let k_mac_old = renewed.map(|key| &key.k_mac_old);
        let mut rng = SystemRandom;
        let (finished, key_id) = match &message.context.delivered {
            None => {
                let spec = self.package(run, enrolment).map_err(refuse)?;
                let shipment =
                    OutgoingKey::new(&spec).ok_or_else(|| refuse((Status::AccessDenied, RefusalReason::Policy)))?;
                let finished = begun.finish(OutgoingKey { k_mac_old, ..shipment }, password, &mut rng)?;
                (finished, spec.key_id)
            }
            Some(key) => {
                let package = self.store.package(key).map_err(|why| {
                    tracing::error!("{why}");
                    refuse((Status::InitializationFailed, RefusalReason::Policy))
                })?;
                let (package, k_token, key_len) = legacy(package, begun.key_type(), run)
                    .ok_or_else(|| refuse((Status::AccessDenied, RefusalReason::Policy)))?;
                let shipment =
                    OutgoingKey { server_id: &self.server_id, package, key_len, k_token: Some(&k_token), k_mac_old };
                (begun.finish(shipment, password, &mut rng)?, key.record.id.clone())
            }
        };
        Ok((finished, key_id, enrolment))
    }
}

impl TwoPassMessage {
    fn begin<'a>(&'a self, service: &'a Service) -> Result<TwoPassRun<'a>, RunRefusal> {
        let facts = TwoPassFacts { methods: &METHODS, keys: &self.keys, key_type: None, trigger: self.trigger };
        TwoPassRun::begin(&self.hello, &self.body, &service.policy, &facts, &service.auth)
    }

    /// The device of the run: the client's DeviceID, if a trigger named it or its own key is used (profile P21);
    /// otherwise the device whose key is used.
    fn device_of_run(
        &self,
        named: Option<DeviceRef>,
        owner: Option<DeviceRef>,
    ) -> Result<Option<DeviceRef>, (Status, RefusalReason)> {
        let by_trigger = self.context.enrolment.as_ref().filter(|_| self.trigger);
        let of_trigger = by_trigger.and_then(|enrolment| enrolment.device.as_ref());
        match named {
            None => Ok(owner),
            Some(named) if owner.as_ref() == Some(&named) || of_trigger == Some(&named) => Ok(Some(named)),
            Some(_) => Err((Status::AccessDenied, RefusalReason::Device)),
        }
    }
}

/// The methods of an enrolment; all by default.
fn allowed(enrolment: &EnrolmentRecord) -> Vec<ProtectionMethod> {
    let is_allowed = |allowed: &ProtectionMethod| {
        enrolment.methods.is_empty() || method(allowed).is_some_and(|method| enrolment.methods.contains(&method))
    };
    METHODS.into_iter().filter(is_allowed).collect()
}

/// The name of a method, if the server has it.
fn method(method: &ProtectionMethod) -> Option<Method> {
    match method {
        ProtectionMethod::Transport => Some(Method::Transport),
        ProtectionMethod::Wrap => Some(Method::Wrap),
        ProtectionMethod::PassphraseWrap => Some(Method::PassphraseWrap),
        _ => None,
    }
}

/// The package of a key from the inventory without its secret, the secret, and the standard length for its type.
fn legacy(mut package: KeyPackage, key_type: &KeyType, run: &ServerRun) -> Option<(KeyPackage, Secret, usize)> {
    let key = package.key.as_mut()?;
    let suite = key.algorithm_parameters.as_ref().and_then(|parameters| parameters.suite.as_deref());
    let key_len = key_type.key_len(dskpp::key_package::hash_of_suite(suite))?;
    let secret = key.data.as_mut()?.secret.take()?;
    let secret = secret.plain()?.clone();
    key.algorithm = Some(key_type.uri().to_owned());
    if package.device_info.is_none() {
        package.device_info = run.device.as_ref().map(device_info);
    }
    token_length::fits(key_type, key_len, secret.len()).then_some((package, secret, key_len))
}
