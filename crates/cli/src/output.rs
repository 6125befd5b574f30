//! What people and programs see: results, and errors with what to do next.

use std::io::Write as _;
use std::process::ExitCode;

use dskpp_client::{EnrollError, TokenError, TokenStoreError, TransportError};
use serde::Serialize;
use serde_json::{Value, json};

use crate::shown;

use crate::log;

/// Where results go, and in which form.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    /// One JSON document on standard output.
    pub(crate) json: bool,
}

/// Why a command failed, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// Each on a line of its own below the message.
    details: Vec<String>,
    next: Option<String>,
    usage: bool,
    document: Option<Value>,
}

impl Failure {
    /// A failure whose text says all.
    pub(crate) fn new(message: impl ToString) -> Self {
        Failure { message: message.to_string(), details: Vec::new(), next: None, usage: false, document: None }
    }

    /// A wrong use of the command (exit code 2).
    pub(crate) fn usage(message: impl ToString) -> Self {
        Failure { usage: true, ..Failure::new(message) }
    }

    /// With where it happened.
    pub(crate) fn within(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// With several things that are wrong.
    pub(crate) fn details(mut self, details: impl IntoIterator<Item = impl ToString>) -> Self {
        self.details = details.into_iter().map(|detail| detail.to_string()).collect();
        self
    }

    /// With what to do next.
    pub(crate) fn next(mut self, next: impl ToString) -> Self {
        self.next = Some(next.to_string());
        self
    }

    /// With what was found all the same: programs get it in the one document, which says why it failed, too.
    pub(crate) fn with(mut self, document: Value) -> Self {
        self.document = Some(document);
        self
    }
}

/// Errors that say what to do next.
macro_rules! with_next {
    ($($error:ty),+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Failure::new(&error).next(error.next())
            }
        })+
    };
}

with_next!(EnrollError, TokenStoreError, TokenError, TransportError);

impl Output {
    /// A result: `document` for programs, `text` for people.
    pub(crate) fn print(&self, document: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = match self.json {
            true => shown::json(&serde_json::to_value(document).map_err(Failure::new)?.to_string()),
            false => shown::block(&text()),
        };
        let mut out = std::io::stdout().lock();
        match writeln!(out, "{text}").and_then(|()| out.flush()) {
            // A reader that has seen enough is no failure of ours.
            Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::new(format!("cannot write to standard output: {why}")))
            }
            _ => Ok(()),
        }
    }

    /// A line for people while something goes on.
    pub(crate) fn say(&self, text: impl AsRef<str>) {
        if !self.json {
            let _ = writeln!(std::io::stdout(), "{}", shown::block(text.as_ref())); // who does not listen misses nothing
        }
    }

    /// The end of a failed command.
    pub(crate) fn fail(&self, failure: Failure) -> ExitCode {
        let (json, code) = (self.json, if failure.usage { 2 } else { 1 });
        log::end(move || {
            if json {
                // Programs find both members always; a text that says all has nothing to add for people.
                let next = failure.next.as_deref().unwrap_or("correct that and run the same command again");
                let mut document = failure.document.unwrap_or_else(|| json!({}));
                let error = [std::slice::from_ref(&failure.message), &failure.details].concat().join("\n  ");
                (document["error"], document["next"]) = (json!(error), json!(next));
                let _ = writeln!(std::io::stdout(), "{}", shown::json(&document.to_string()));
            }
            let mut err = std::io::stderr().lock();
            let _ = writeln!(err, "dskpp: {}", shown::line(&failure.message));
            for detail in &failure.details {
                let _ = writeln!(err, "  {}", shown::line(detail));
            }
            if let Some(next) = &failure.next {
                let _ = writeln!(err, "  what to do: {}", shown::line(next));
            }
        });
        ExitCode::from(code)
    }
}
