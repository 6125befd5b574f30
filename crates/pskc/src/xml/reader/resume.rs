//! Resumes reading elsewhere: between the children of the root, a reader has little state.

use std::io::BufRead;

use super::{Open, Reader, XmlLimits};
use crate::xml::window::Window;
use crate::xml::{Ns, Scope};

/// The reader's state at an actual or possible start of a child of the root.
#[derive(Clone)]
pub(crate) struct Standing {
    scope: Scope<Ns>,
    names: String,
    root: Open,
    /// Octets of the document before this place, and its line.
    pub(crate) offset: u64,
    pub(crate) line: u64,
}

impl<R: BufRead> Reader<R> {
    /// Suspends the reader at the start of the child of the root that it has just opened: returns its state, the
    /// buffered octets, and the source of the rest. Returns the reader as `Err`
    /// if no child of the root was just opened, or nothing follows.
    pub(crate) fn suspend(mut self) -> Result<(Standing, Vec<u8>, R), Box<Self>> {
        let [root, _] = self.open[..] else { return Err(Box::new(self)) };
        let (offset, line) = (self.mark, self.window.line_of(self.mark));
        match self.window.into_rest(offset) {
            Ok((rest, source)) => {
                self.scope.leave(1);
                self.names.truncate(root.end);
                Ok((Standing { scope: self.scope, names: self.names, root, offset, line }, rest, source))
            }
            Err(window) => Err(Box::new(Self { window, ..self })),
        }
    }

    /// Continues where `standing` was captured, or at a place with the same state.
    pub(crate) fn resume(source: R, limits: XmlLimits, standing: &Standing) -> Self {
        let Standing { scope, names, root, offset, line } = standing.clone();
        Self {
            scope,
            names,
            open: vec![root],
            at_start: false,
            ..Self::with_window(Window::at(source, offset, line), limits)
        }
    }
}
