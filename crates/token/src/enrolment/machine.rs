//! The state machine around the flow: it polls the flow until that asks for something, and hands that to the host.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use dskpp_crypto::Secret;

use super::error::EnrolmentError;
use super::flow;
use super::host::Host;
use super::request::{EnrollRequest, Enrolled};
use super::step::{Input, Step, Turn};
use crate::runs::Runs;
use crate::tokens::Tokens;

type Flow = Pin<Box<dyn Future<Output = Result<Enrolled, EnrolmentError>> + Send>>;

/// Gets a key from a server, and has it stored after its confirmation was verified. An error leaves the tokens unchanged.
///
/// The host gives [`Input::Begin`], does what each [`Step`] says, and gives what came of it, until [`Step::Done`] or an
/// error. The same request, tokens, notes, seed, inputs and times give the same steps, octet for octet.
///
/// In four-pass, the server learns only from the last request which key is meant. If it refuses the key type that it chose
/// itself, another run offers the remaining types.
///
/// A trigger for a different device or server, for a key that is not in the store, or for a hardware key, is refused
/// before anything is sent.
///
/// A renewal stays with the server of its key (profile P29): at the stored URL_S, and with K_SHARED, the stored K_SERVER,
/// or a K_SERVER certified under a configured anchor or under the stored issuer. Anything else needs a person's consent,
/// by [`EnrollRequest::accepted`] or [`Step::Ask`], in addition to the server's proof that it knows the old key. The
/// replaced key stays in the store; a ninth renewal is refused before anything is sent
/// ([`Tokens::forget_replaced`](crate::Tokens::forget_replaced)).
///
/// [`Runs`] has notes of an unfinished run: the program crashed, no answer or an unreadable one came, or the key could not
/// be stored. Another enrolment with the same code finishes it: a server repeats its last answer, ours for ten minutes,
/// for a renewal 30 days (profile P28). Every other error ends the run, and nothing of it remains, in memory or in the
/// store (RFC 6063 §§3.3, 4.2.3, 4.2.5, 5.2.3).
pub struct Enrolment {
    host: Host,
    /// `None`: it is over, and its secrets are wiped.
    flow: Option<Flow>,
    turn: Turn,
}

impl Enrolment {
    /// An enrolment before its first step. `seed` is 32 secret octets of the system's randomness, from which all random
    /// octets of the enrolment come: use each seed once.
    pub fn new(request: EnrollRequest, tokens: &Tokens, runs: Runs, seed: &[u8; 32]) -> Self {
        let host = Host::default();
        let flow = flow::enrol(host.clone(), request, tokens.clone(), runs, Secret::from_slice(seed));
        Enrolment { host, flow: Some(Box::pin(flow)), turn: Turn::Begin }
    }

    /// Goes on to the next step, at the time `now`. It may compute for a second (PBKDF2, RSA), and waits for nothing.
    ///
    /// # Errors
    /// Why no key was stored: the enrolment is over. [`EnrolmentError::OutOfTurn`] if `input` does not answer the last
    /// step: the enrolment still waits for that answer, unless it is over.
    pub fn step(&mut self, input: Input, now: SystemTime) -> Result<Step, EnrolmentError> {
        if !self.turn.takes(&input) {
            return Err(EnrolmentError::OutOfTurn);
        }
        let Some(mut flow) = self.flow.take() else { return Err(EnrolmentError::OutOfTurn) };
        self.host.give(input, now);
        let step = match flow.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(ended) => ended.map(|enrolled| Step::Done(Box::new(enrolled))),
            Poll::Pending => {
                self.flow = Some(flow);
                self.host.take_step().ok_or(EnrolmentError::OutOfTurn) // it waits for nothing else than the host
            }
        };
        self.turn = step.as_ref().map_or(Turn::Over, Turn::after);
        step
    }
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrolment").field("turn", &self.turn).finish_non_exhaustive()
    }
}
