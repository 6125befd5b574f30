//! Cuts a document into pieces.

use std::io::{self, Read as _};
use std::sync::mpsc::{Receiver, Sender, channel};

use memchr::memmem;
use zeroize::Zeroizing;

use super::DocumentSource;

/// A piece of the document, which may hold secrets.
pub(super) type PieceText = Zeroizing<Vec<u8>>;

/// The unread rest of a document, from the start of a package.
pub(super) struct Cutter {
    source: DocumentSource,
    /// Octets read after the last cut.
    carried: PieceText,
    /// The beginning of a package's start tag, such as `<pskc:KeyPackage`.
    begin: Vec<u8>,
    piece_len: usize,
    ended: bool,
    /// Buffers to reuse.
    used: Receiver<PieceText>,
}

impl Cutter {
    /// Packages should be shorter than this, in octets.
    const LONGEST: usize = 4 * 1024 * 1024;

    /// For a document that continues with `begun`, the start of a package, followed by `source`. The returned sender takes
    /// back used buffers.
    pub(super) fn new(begun: Vec<u8>, source: DocumentSource, piece_len: usize) -> (Self, Sender<PieceText>) {
        let name_len = begun.iter().position(|octet| octet.is_ascii_whitespace() || matches!(octet, b'>' | b'/'));
        let begin = begun.get(..name_len.unwrap_or(begun.len())).unwrap_or_default().to_vec();
        let (give_back, used) = channel();
        (Self { source, carried: begun.into(), begin, piece_len, ended: false, used }, give_back)
    }

    /// The next piece, which ends before an apparent start of a package or at the document's end; `None` after
    /// the last one. With the failure that ended it, if any.
    pub(super) fn next(&mut self) -> Option<(PieceText, io::Result<()>)> {
        if self.ended {
            return None;
        }
        let mut text = self.used.try_recv().unwrap_or_default();
        text.clear();
        text.append(&mut self.carried);
        let mut wanted = self.piece_len;
        loop {
            let missing = wanted.saturating_sub(text.len()) as u64;
            let read = self.source.by_ref().take(missing).read_to_end(&mut text);
            self.ended = read.as_ref().map_or(true, |read| (*read as u64) < missing);
            if self.ended || wanted >= Self::LONGEST {
                return Some((text, read.map(|_| ())));
            }
            if let Some(end) = self.last_cut(&text) {
                self.carried.extend_from_slice(text.get(end..).unwrap_or_default());
                text.truncate(end);
                return Some((text, Ok(())));
            }
            wanted = wanted.saturating_mul(2);
        }
    }

    /// Whether the last piece was returned.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// The end of what precedes the last package that begins in `text`, which is incomplete.
    fn last_cut(&self, text: &[u8]) -> Option<usize> {
        let before = text.get(..memmem::rfind(text, &self.begin)?)?;
        Some(before.trim_ascii_end().len()).filter(|end| *end > 0)
    }
}
