//! A run whose variant the server chooses (profile P17).

use dskpp_crypto::{Random, Sha256};

use super::config::RunConfig;
use super::failed::Failed;
use super::four_pass::{AwaitingServerHello, ChooseK};
use super::server_finished::Provisioned;
use super::two_pass::{AwaitingKey, TwoPass};
use crate::message::Response;
use crate::protection::ClientProtection;

/// The start of a run that offers four-pass and two-pass.
#[derive(Debug)]
pub struct Either;

impl Either {
    /// The ClientHello to send, and the state that awaits its answer. Blocks for the duration of PBKDF2.
    ///
    /// The offer has the algorithms of four-pass and those that `protections` need. R_C of two-pass is sent as
    /// `<ClientNonce>`; a four-pass run generates a different one, which stays secret (profile P12).
    ///
    /// # Errors
    /// [`Failed::Unusable`] if the offer is impossible.
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

/// The state after sending ClientHello.
#[derive(Debug)]
pub struct AwaitingAnswer {
    awaiting: AwaitingKey,
    hash: Sha256,
}

/// The variant that the server chose.
#[derive(Debug)]
pub enum ChosenVariant {
    /// Two-pass: the run is over.
    TwoPass(Box<Provisioned>),
    /// Four-pass, which continues.
    FourPass(Box<ChooseK>),
}

impl AwaitingAnswer {
    /// Processes the body of the HTTP response. Blocks for the duration of a private-key operation or PBKDF2.
    ///
    /// # Errors
    /// [`Failed`]; store nothing then.
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
