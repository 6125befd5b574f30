//! A run whose variant the server picks (profile P17).

use dskpp_crypto::{Random, Sha256};

use super::config::RunConfig;
use super::failed::Failed;
use super::four_pass::{AwaitingServerHello, ChooseK};
use super::server_finished::Provisioned;
use super::two_pass::{AwaitingKey, TwoPass};
use crate::message::Response;
use crate::protection::ClientProtection;

/// The beginning of a run that offers four-pass and two-pass.
#[derive(Debug)]
pub struct Either;

impl Either {
    /// The ClientHello to send, and the state that awaits its answer. Blocks for as long as PBKDF2 takes.
    ///
    /// The algorithms of the offer are those of four-pass; what `protections` need is added. R_C of two-pass travels as
    /// `<ClientNonce>`; a four-pass run draws another one, which stays secret (profile P12).
    ///
    /// # Errors
    /// [`Failed::Unusable`] where the offer cannot be made.
    pub fn start(
        offer: RunConfig,
        protections: Vec<ClientProtection>,
        rng: &mut dyn Random,
    ) -> Result<(Vec<u8>, AwaitingAnswer), Failed> {
        let (request, awaiting) = TwoPass::start_beside(true, offer, protections, rng)?;
        let mut hash = Sha256::new();
        hash.update(&request);
        Ok((request, AwaitingAnswer { awaiting, hash }))
    }
}

/// ClientHello is on its way.
#[derive(Debug)]
pub struct AwaitingAnswer {
    awaiting: AwaitingKey,
    hash: Sha256,
}

/// What the server has picked.
#[derive(Debug)]
pub enum ChosenVariant {
    /// Two-pass: the run is over.
    TwoPass(Box<Provisioned>),
    /// Four-pass, which goes on.
    FourPass(Box<ChooseK>),
}

impl AwaitingAnswer {
    /// Takes the body of the HTTP response. Blocks for as long as a private-key operation, or PBKDF2, takes.
    ///
    /// # Errors
    /// [`Failed`]; nothing is to be stored then.
    pub fn receive(self, body: &[u8]) -> Result<ChosenVariant, Failed> {
        match Response::read(body) {
            Ok(Response::ServerHello(_)) => {
                let AwaitingKey { offer, r_c, .. } = self.awaiting;
                let awaiting = AwaitingServerHello { offer, client_nonce: r_c, hash: self.hash };
                Ok(ChosenVariant::FourPass(Box::new(awaiting.receive(body)?)))
            }
            _ => Ok(ChosenVariant::TwoPass(Box::new(self.awaiting.receive(body)?))),
        }
    }
}
