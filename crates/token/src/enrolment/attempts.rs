//! Which runs an enrolment makes: an unfinished one, and new ones until the server accepts an offer.

use dskpp::algorithm::KeyType;
use dskpp::client::{Failed, Provisioned};
use dskpp::status::Status;
use dskpp_crypto::Sha256;

use super::error::EnrolmentError;
use super::passes::{Ran, Runner};
use super::request::Variant;
use crate::runs::UnfinishedRun;

impl Runner<'_> {
    /// The key, from one of the unfinished runs or from a new run.
    pub(super) async fn resume_or_run(
        &mut self,
        unfinished: Vec<UnfinishedRun>,
    ) -> Result<Provisioned, EnrolmentError> {
        let new = self.run.clone();
        for run in unfinished {
            self.run = run;
            if let Some(provisioned) = self.resume().await? {
                return Ok(provisioned);
            }
        }
        self.run = new;
        self.run_until_accepted().await
    }

    /// Finishes the unfinished run. `None`: it was for a different offer, or the server no longer continues it, so a new
    /// run is needed.
    async fn resume(&mut self) -> Result<Option<Provisioned>, EnrolmentError> {
        let offered: Vec<_> = self.run.key_types.iter().map(|uri| KeyType::from_uri(uri)).collect();
        if !offered.iter().all(|key_type| self.offer.key_types.contains(key_type)) {
            return Ok(None);
        }
        let (key_types, variant) = (std::mem::replace(&mut self.offer.key_types, offered), self.variant);
        let mut done = Ok(None);
        for variant in [variant, Some(Variant::TwoPass)] {
            self.variant = variant;
            let hello = self.client_hello().ok();
            if let Some((request, state)) = hello.filter(|(hello, _)| Sha256::digest(&[hello]) == self.run.hello_hash) {
                done = self.all_passes(request, state).await.and_then(|(_, done)| done).map(Some);
                break;
            }
        }
        self.variant = variant;
        self.offer.key_types = key_types;
        match done {
            Err(EnrolmentError::Failed(why @ Failed::Refused(_))) => {
                tracing::debug!(%why, "the server does not continue the unfinished run");
                Ok(None)
            }
            done => done,
        }
    }

    /// Runs until the server accepts the key type and the variant. It learns which enrolment is meant only from the proof
    /// of the code, so it may refuse its own choice; the next offer omits that key type. Of two variants it chooses
    /// four-pass (profile P17): after a second refusal, or if no key type is left, two-pass is offered alone, in which it
    /// chooses the enrolment's key type.
    async fn run_until_accepted(&mut self) -> Result<Provisioned, EnrolmentError> {
        let all = self.offer.key_types.clone();
        let mut both = self.variant.is_none() && !self.protections.is_empty();
        let mut refused = 0;
        loop {
            let (chosen, done) = match self.run_twice_if_no_key().await {
                // The server refused before it asked for a code: no other key type helps.
                Err(denied) if both && has_status(&denied, Status::AccessDenied) => {
                    return self.two_pass_alone(all).await;
                }
                // The server has nothing else to offer: report its first reason.
                Err(EnrolmentError::Failed(Failed::Refused(Status::NoSupportedKeyTypes) | Failed::Misbehaved(_)))
                    if refused > 0 =>
                {
                    return Err(Failed::Refused(Status::AccessDenied).into());
                }
                ran => ran?,
            };
            let denied = match done {
                Err(denied) if has_status(&denied, Status::AccessDenied) => denied,
                done => return done,
            };
            tracing::debug!(%chosen, "refused");
            self.offer.key_types.retain(|key_type| *key_type != chosen);
            refused += 1;
            if both && (refused == 2 || self.offer.key_types.is_empty()) {
                both = false;
                let sent = self.two_pass_alone(all.clone()).await;
                let is_refused = |status: &Status| sent.as_ref().is_err_and(|error| has_status(error, *status));
                // If two-pass is refused as well, report the reason of four-pass, which followed a right code.
                let of_offer = [Status::NoProtocolVariants, Status::NoSupportedKeyTypes, Status::AccessDenied];
                if !of_offer.iter().any(is_refused) {
                    return sent;
                }
            }
            if self.offer.key_types.is_empty() {
                return Err(denied);
            }
        }
    }

    /// A run that offers two-pass alone.
    async fn two_pass_alone(&mut self, key_types: Vec<KeyType>) -> Result<Provisioned, EnrolmentError> {
        let key_types = std::mem::replace(&mut self.offer.key_types, key_types);
        let variant = self.variant.replace(Variant::TwoPass);
        let ran = self.run_twice_if_no_key().await;
        (self.offer.key_types, self.variant) = (key_types, variant);
        ran?.1
    }

    /// A run, and a second one if the first could not produce a key (RFC 6063 §3.3).
    async fn run_twice_if_no_key(&mut self) -> Ran {
        match self.run_once().await {
            Err(why) | Ok((_, Err(why))) if has_status(&why, Status::InitializationFailed) => {
                tracing::debug!("the run produced no key: trying again");
                self.run_once().await
            }
            ran => ran,
        }
    }
}

fn has_status(error: &EnrolmentError, status: Status) -> bool {
    matches!(error, EnrolmentError::Failed(Failed::Refused(refused)) if *refused == status)
}
