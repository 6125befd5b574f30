//! Statements that are sent before the answers to those before them are there.

use crate::store::StoreError;

/// What a statement finds or changes, once somebody waits for it. Statements that are sent one after the other before
/// that share one round trip to a database server. They are done in the order in which they were sent, and where one in
/// a transaction fails so do those behind it.
#[must_use = "whether a statement failed shows only in its reply"]
pub(in crate::store) enum Reply<'a, T> {
    /// The engine has no round trips: it is done already.
    Here(Result<T, StoreError>),
    /// How it is waited for.
    OnItsWay(Box<dyn FnOnce() -> Result<T, StoreError> + 'a>),
}

impl<'a, T: 'a> Reply<'a, T> {
    /// A reply for which `wait` waits.
    pub(super) fn after(wait: impl FnOnce() -> Result<T, StoreError> + 'a) -> Self {
        Reply::OnItsWay(Box::new(wait))
    }

    /// What it found, if nobody has to wait for that.
    pub(in crate::store) fn here(&self) -> Option<&T> {
        match self {
            Reply::Here(Ok(done)) => Some(done),
            _ => None,
        }
    }

    /// Waits for it.
    pub(in crate::store) fn wait(self) -> Result<T, StoreError> {
        match self {
            Reply::Here(done) => done,
            Reply::OnItsWay(wait) => wait(),
        }
    }

    /// What `convert` makes of it.
    pub(in crate::store) fn map<U: 'a>(self, convert: impl FnOnce(T) -> U + 'a) -> Reply<'a, U> {
        self.then(|done| done.map(convert))
    }

    /// What `convert` makes of it, or of its failure.
    pub(in crate::store) fn then<U: 'a>(
        self,
        convert: impl FnOnce(Result<T, StoreError>) -> Result<U, StoreError> + 'a,
    ) -> Reply<'a, U> {
        match self {
            Reply::Here(done) => Reply::Here(convert(done)),
            Reply::OnItsWay(wait) => Reply::after(move || convert(wait())),
        }
    }
}
