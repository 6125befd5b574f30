//! Reading that goes on elsewhere: between the children of the root, little is known of a document.

use std::io::BufRead;

use super::{Open, Reader, XmlLimits};
use crate::xml::window::Window;
use crate::xml::{Ns, Scope};

/// What a reader knows where a child of the root begins, or could.
#[derive(Clone)]
pub(crate) struct Standing {
    scope: Scope<Ns>,
    names: String,
    root: Open,
    /// Octets of the document before this place, and the line that it is on.
    pub(crate) offset: u64,
    pub(crate) line: u64,
}

impl<R: BufRead> Reader<R> {
    /// Takes the reader apart at the start of the child of the root that it has just opened: what it knows there, the
    /// octets that follow, as far as it has taken them in, and the source of the rest. `Err` is the reader as it is,
    /// where no child of the root was opened just now, or there is nothing more to come.
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

    /// Goes on with what follows where `standing` was left, or a place of which it says what is known.
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
