//! The reader's position, and errors with it.

use std::borrow::Cow;
use std::io::BufRead;

use super::Reader;
use crate::xml::{Element, Fault, Position, XmlError};

/// The most names shown at either end of a [`Position`]'s path, and the most characters of each.
const MAX_SHOWN: usize = 8;
const MAX_NAME_SHOWN: usize = 64;

/// Adds `/name`, truncated if longer than any known name.
fn push_short(path: &mut String, name: &str) {
    path.push('/');
    match name.len() <= MAX_NAME_SHOWN {
        true => path.push_str(name),
        false => {
            path.extend(name.chars().take(MAX_NAME_SHOWN).chain(['…']));
        }
    }
}

impl<R: BufRead> Reader<R> {
    /// The reader's position: at the element opened or closed last.
    pub fn place(&self) -> Box<Position> {
        let mut path = String::new();
        let all = self.open.len() + usize::from(self.closed.is_some());
        for (i, open) in self.open.iter().chain(&self.closed).enumerate() {
            let name = self.names.get(open.local..open.end).unwrap_or_default();
            match i {
                // Ordinary paths are shown in full; others are abbreviated.
                MAX_SHOWN if all > 2 * MAX_SHOWN => path.push_str("/…"),
                i if (MAX_SHOWN..all.saturating_sub(MAX_SHOWN)).contains(&i) => {}
                _ => push_short(&mut path, name),
            }
        }
        if path.is_empty() {
            path.push('/');
        }
        Box::new(Position { path, offset: self.mark, line: self.line() })
    }

    /// Only the line of [`place`](Self::place).
    pub(crate) fn line(&self) -> u64 {
        self.window.line_of(self.mark)
    }

    /// The error for an unexpected element.
    pub fn unexpected(&self, element: &Element) -> XmlError {
        XmlError::Unexpected(self.fault(format!("element <{}>", element.local)))
    }

    /// The error for something missing in the element read last, such as `"<Version>"`.
    pub fn missing(&self, what: impl Into<Cow<'static, str>>) -> XmlError {
        XmlError::Missing(self.fault(what))
    }

    /// The error for an invalid value in the element read last.
    pub fn invalid(&self, what: impl Into<Cow<'static, str>>) -> XmlError {
        XmlError::Value(self.fault(what))
    }

    pub(super) fn syntax(&self, what: &'static str) -> XmlError {
        XmlError::Syntax(self.fault(what))
    }

    pub(super) fn fault(&self, what: impl Into<Cow<'static, str>>) -> Box<Fault> {
        Fault::at(self.place(), what)
    }
}
