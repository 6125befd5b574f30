//! The client's side of a run, one type per state.
//!
//! [`FourPass::start`] writes a ClientHello; [`AwaitingServerHello::receive`] checks the answer and leaves
//! the decision about K to the caller ([`ChooseK`]), who knows which keys to trust (profile P29);
//! [`ChooseK::proceed`] writes the ClientNonce; [`AwaitingServerFinished::receive`] returns the key, but only after
//! verifying its confirmation. [`TwoPass::start`] and [`AwaitingKey::receive`] are the two steps of two-pass, and
//! [`Either::start`] lets the server choose the variant. Each step consumes its state, so that a failed run leaves
//! nothing behind.

mod config;
mod either;
mod failed;
mod four_pass;
mod server_finished;
mod two_pass;

pub use crate::encryption::K;
pub use crate::protection::ClientProtection;
pub use config::{Credential, Renewal, RunConfig};
pub use either::{AwaitingAnswer, ChosenVariant, Either};
pub use failed::Failed;
pub use four_pass::{AwaitingServerFinished, AwaitingServerHello, ChooseK, FourPass};
pub use server_finished::Provisioned;
pub use two_pass::{AwaitingKey, TwoPass};
