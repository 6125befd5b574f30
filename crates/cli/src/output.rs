//! Output for people and programs: results, and errors with a remedy.

use std::io::Write as _;
use std::process::ExitCode;

use dskpp_client::{EnrollError, TokenError, TokenStoreError, TransportError};
use serde::Serialize;
use serde_json::{Value, json};

use crate::shown;

use crate::log;

/// The form of the output.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    /// Print one JSON document on standard output.
    pub(crate) json: bool,
}

/// Why a command failed, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// Each on its own line below the message.
    details: Vec<String>,
    next: Option<String>,
    usage: bool,
    document: Option<Value>,
}

impl Failure {
    /// A failure with a self-explanatory message.
    pub(crate) fn new(message: impl ToString) -> Self {
        Failure { message: message.to_string(), details: Vec::new(), next: None, usage: false, document: None }
    }

    /// A usage error (exit code 2).
    pub(crate) fn usage(message: impl ToString) -> Self {
        Failure { usage: true, ..Failure::new(message) }
    }

    /// Prefixes the place.
    pub(crate) fn within(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Adds a list of what is wrong.
    pub(crate) fn details(mut self, details: impl IntoIterator<Item = impl ToString>) -> Self {
        self.details = details.into_iter().map(|detail| detail.to_string()).collect();
        self
    }

    /// Adds the remedy.
    pub(crate) fn next(mut self, next: impl ToString) -> Self {
        self.next = Some(next.to_string());
        self
    }

    /// Adds partial results: in JSON they are in the same document as the error.
    pub(crate) fn with(mut self, document: Value) -> Self {
        self.document = Some(document);
        self
    }
}

/// Errors with a remedy.
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
    /// Prints a result: `document` as JSON, `text` otherwise.
    pub(crate) fn print(&self, document: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = match self.json {
            true => shown::json(&serde_json::to_value(document).map_err(Failure::new)?.to_string()),
            false => shown::block(&text()),
        };
        let mut out = std::io::stdout().lock();
        match writeln!(out, "{text}").and_then(|()| out.flush()) {
            // A closed pipe is not a failure.
            Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::new(format!("cannot write to standard output: {why}")))
            }
            _ => Ok(()),
        }
    }

    /// Prints a progress line, except with `--json`.
    pub(crate) fn say(&self, text: impl AsRef<str>) {
        if !self.json {
            let _ = writeln!(std::io::stdout(), "{}", shown::block(text.as_ref())); // a closed pipe is not a failure
        }
    }

    /// Prints a remark beside the result, on standard error: the result can go to a file by itself.
    pub(crate) fn remark(&self, text: impl AsRef<str>) {
        if !self.json {
            let _ = writeln!(std::io::stderr(), "{}", shown::block(text.as_ref()));
        }
    }

    /// Reports a failure.
    pub(crate) fn fail(&self, failure: Failure) -> ExitCode {
        let (json, code) = (self.json, if failure.usage { 2 } else { 1 });
        log::end(move || {
            if json {
                // In JSON both members are always present; text omits an empty remedy.
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
