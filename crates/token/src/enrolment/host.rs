//! The host as the flow sees it: each question becomes a step, and waits for the input that answers it.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{SystemTime, UNIX_EPOCH};

use dskpp_crypto::Secret;

use super::change::ServerChange;
use super::step::{Input, Step};
use super::stored::{Applied, StoreChange};

/// A mailbox between the flow and [`Enrolment::step`](super::Enrolment::step), which polls the flow. It holds one step or
/// one input.
#[derive(Clone, Default)]
pub(super) struct Host(Arc<Mutex<Mail>>);

#[derive(Default)]
struct Mail {
    step: Option<Step>,
    input: Option<Input>,
    now: Option<SystemTime>,
}

/// Why no answer came.
pub(super) struct NoAnswer {
    pub(super) why: String,
    /// Whether the server may have got the request.
    pub(super) is_lost: bool,
}

impl Host {
    /// Puts an input and the time in.
    pub(super) fn give(&self, input: Input, now: SystemTime) {
        let mut mail = self.mail();
        (mail.input, mail.now) = (Some(input), Some(now));
    }

    /// Takes the step out that the flow put in.
    pub(super) fn take_step(&self) -> Option<Step> {
        self.mail().step.take()
    }

    /// The time of the last input.
    pub(super) fn now(&self) -> SystemTime {
        self.mail().now.unwrap_or(UNIX_EPOCH) // the flow runs only after an input
    }

    /// Waits for the first input.
    pub(super) async fn begin(&self) {
        self.input().await;
    }

    pub(super) async fn post(&self, url: &str, body: &[u8]) -> Result<Vec<u8>, NoAnswer> {
        match self.answer(Step::Send { url: url.to_owned(), body: body.to_vec() }).await {
            Input::Answer(answer) => Ok(answer),
            Input::Lost(why) => Err(NoAnswer { why, is_lost: true }),
            Input::NoAnswer(why) => Err(NoAnswer { why, is_lost: false }),
            other => Err(NoAnswer { why: format!("{other:?}"), is_lost: false }), // `step` lets none of these in
        }
    }

    pub(super) async fn accepts(&self, change: &ServerChange) -> bool {
        self.answer(Step::Ask(change.clone())).await == Input::Consent(true)
    }

    /// PKCS #8 of a new key.
    pub(super) async fn rsa_key(&self, bits: usize) -> Option<Secret> {
        match self.answer(Step::RsaKey { bits }).await {
            Input::RsaKey(key) => Some(key),
            _ => None,
        }
    }

    pub(super) async fn store(&self, change: StoreChange) -> Result<Applied, String> {
        match self.answer(Step::Store(change)).await {
            Input::Stored(applied) => Ok(applied),
            Input::NotStored(why) => Err(why),
            other => Err(format!("{other:?}")), // `step` lets none of these in
        }
    }

    async fn answer(&self, step: Step) -> Input {
        self.mail().step = Some(step);
        self.input().await
    }

    async fn input(&self) -> Input {
        poll_fn(|_| self.mail().input.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
