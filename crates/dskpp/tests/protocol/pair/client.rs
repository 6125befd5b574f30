//! A client of either variant, which retransmits a request, octet for octet, when its answer is lost (profile P28).

use dskpp::client::{ChosenVariant, ClientProtection, Either, FourPass, Provisioned, Renewal, RunConfig, TwoPass};
use dskpp::key_schedule::RunKeys;
use dskpp_crypto::Random;

use super::{End, KEY_ID, Link, Pass, Run, Server, client_k, exchange};

/// What a client offers.
#[derive(Clone, Debug)]
pub(crate) enum Variant {
    FourPass,
    TwoPass(Vec<ClientProtection>),
    /// The server chooses.
    Either(Vec<ClientProtection>),
}

/// The offer for a renewal.
pub(crate) fn renewing(mut offer: RunConfig, old: &RunKeys) -> RunConfig {
    offer.renewal = Some(Renewal::new(KEY_ID, old.k_mac.clone()));
    offer
}

/// One run. If the link delivers nothing, the message is lost: the client retransmits its request over a clean link,
/// and `again` counts that.
pub(crate) fn run_variant(
    variant: &Variant,
    offer: RunConfig,
    server: &mut Server,
    link: Link<'_>,
    rng: &mut dyn Random,
    again: &mut u32,
) -> Run {
    let mut wire = Wire { server, link, messages: Vec::new(), again };
    let end = wire.drive(variant, offer, rng).unwrap_or_else(|end| end);
    Run { messages: wire.messages, end }
}

struct Wire<'a> {
    server: &'a mut Server,
    link: Link<'a>,
    messages: Vec<Vec<u8>>,
    again: &'a mut u32,
}

impl Wire<'_> {
    fn drive(&mut self, variant: &Variant, offer: RunConfig, rng: &mut dyn Random) -> Result<End, End> {
        let done = |key: Provisioned| End::Provisioned(Box::new(key));
        let choice = match variant {
            Variant::FourPass => {
                let (request, state) = FourPass::start(offer, rng);
                let response = self.exchange([Pass::ClientHello, Pass::ServerHello], request)?;
                state.receive(&response).map_err(End::Failed)?
            }
            Variant::TwoPass(protections) => {
                let (request, state) = TwoPass::start(offer, protections.clone(), rng).map_err(End::Failed)?;
                let response = self.exchange([Pass::ClientHello, Pass::ServerFinished], request)?;
                return state.receive(&response).map(done).map_err(End::Failed);
            }
            Variant::Either(protections) => {
                let (request, state) = Either::start(offer, protections.clone(), rng).map_err(End::Failed)?;
                let response = self.exchange([Pass::ClientHello, Pass::ServerHello], request)?;
                match state.receive(&response).map_err(End::Failed)? {
                    ChosenVariant::FourPass(choice) => *choice,
                    ChosenVariant::TwoPass(key) => return Ok(End::Provisioned(key)),
                }
            }
        };
        let k = client_k(&choice, self.server).ok_or(End::NoKey)?;
        let (request, state) = choice.proceed(k, rng).map_err(End::Failed)?;
        let response = self.exchange([Pass::ClientNonce, Pass::ServerFinished], request)?;
        state.receive(&response).map(done).map_err(End::Failed)
    }

    fn exchange(&mut self, passes: [Pass; 2], request: Vec<u8>) -> Result<Vec<u8>, End> {
        match exchange(passes, request.clone(), self.server, &mut *self.link, &mut self.messages) {
            Err(End::Lost) => {
                *self.again += 1;
                self.server.receive(&request).ok_or(End::BadRequest)
            }
            other => other,
        }
    }
}
