//! What an enrolment changes in the store.

use std::fmt;

use dskpp_crypto::Secret;

use crate::runs::{Runs, UnfinishedRun};
use crate::token::{Token, TokenError};
use crate::tokens::Tokens;

/// A change of what is stored. `Debug` shows no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreChange {
    /// The notes of unfinished runs.
    Runs(RunsChange),
    /// The tokens: the new key.
    Token(TokenChange),
}

impl StoreChange {
    /// Makes the change, for a host that keeps tokens and notes together. Store both before the next input.
    ///
    /// # Errors
    /// The new key does not fit into the tokens; nothing changed.
    pub fn apply(&self, tokens: &mut Tokens, runs: &mut Runs) -> Result<Applied, TokenError> {
        match self {
            StoreChange::Runs(change) => Ok(change.apply(runs)),
            StoreChange::Token(change) => change.apply(tokens),
        }
    }
}

/// What a change came to, for the enrolment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied(pub(super) Outcome);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// The key was stored before: the run was finished once already.
    WasThere,
    /// The id of the replaced key.
    Renewed(String),
    /// Nothing changed: a different key has this id, and the run was not its renewal.
    KeyExists,
}

/// A change of the notes of unfinished runs.
#[derive(Clone, PartialEq, Eq)]
pub struct RunsChange(NotesOf);

#[derive(Clone, PartialEq, Eq)]
enum NotesOf {
    Kept(Box<UnfinishedRun>),
    FailedRun { seed: Secret },
    Finished { url_s: String, client_id: String },
}

impl RunsChange {
    /// Keeps how far a run has come.
    pub(super) fn keep(run: &UnfinishedRun) -> Self {
        RunsChange(NotesOf::Kept(Box::new(run.clone())))
    }

    /// Drops a failed run.
    pub(super) fn forget(run: &UnfinishedRun) -> Self {
        RunsChange(NotesOf::FailedRun { seed: run.seed.clone() })
    }

    /// Drops all runs of a finished enrolment.
    pub(super) fn finish(url_s: &str, client_id: &str) -> Self {
        RunsChange(NotesOf::Finished { url_s: url_s.to_owned(), client_id: client_id.to_owned() })
    }

    /// Makes the change.
    pub fn apply(&self, runs: &mut Runs) -> Applied {
        match &self.0 {
            NotesOf::Kept(run) => runs.keep(run),
            NotesOf::FailedRun { seed } => runs.forget(|run| run.seed == *seed),
            NotesOf::Finished { url_s, client_id } => runs.forget(|run| run.is_of(url_s, client_id)),
        }
        Applied(Outcome::Done)
    }
}

impl fmt::Debug for RunsChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self.0, NotesOf::Kept(_)) { "keep" } else { "forget" })
    }
}

/// The new key, to store as a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenChange {
    pub(super) token: Box<Token>,
    /// Whether it replaces the token with the same id.
    pub(super) renewal: bool,
}

impl TokenChange {
    /// Stores the token. It replaces a token with the same id only if the run renewed that one.
    ///
    /// # Errors
    /// [`TokenError::TooManyOld`]; nothing changed.
    pub fn apply(&self, tokens: &mut Tokens) -> Result<Applied, TokenError> {
        let outcome = match tokens.get(&self.token.id) {
            Some(old) if old.secret == self.token.secret => Outcome::WasThere,
            Some(_) if !self.renewal => Outcome::KeyExists,
            Some(_) => Outcome::Renewed(tokens.renew(Token::clone(&self.token))?),
            None => {
                tokens.insert(Token::clone(&self.token))?;
                Outcome::Done
            }
        };
        Ok(Applied(outcome))
    }
}
