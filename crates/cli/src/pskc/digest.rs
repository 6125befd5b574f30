//! SHA-256 of a prefix and a document, computed while the document is read for another purpose.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use dskpp_crypto::Sha256;
use zeroize::Zeroizing;

/// The prefix may follow when the beginning of the document has been read.
#[derive(Clone, Default)]
pub(super) struct Digest(Arc<Mutex<State>>);

enum State {
    /// What was read before the prefix is known.
    Waiting(Zeroizing<Vec<u8>>),
    Running(Sha256),
}

impl Default for State {
    fn default() -> Self {
        State::Waiting(Zeroizing::default())
    }
}

impl Digest {
    pub(super) fn reader<R: Read>(&self, source: R) -> impl Read + use<R> {
        DigestReader { source, digest: self.clone() }
    }

    fn with<T>(&self, then: impl FnOnce(&mut State) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn start(&self, prefix: &str) {
        self.with(|state| {
            let mut hash = Sha256::new();
            hash.update(prefix.as_bytes());
            if let State::Waiting(read) = state {
                hash.update(read);
            }
            *state = State::Running(hash);
        });
    }

    /// The digest; `None` if [`start`](Self::start) was not called.
    pub(super) fn finish(&self) -> Option<[u8; 32]> {
        match self.with(std::mem::take) {
            State::Waiting(_) => None,
            State::Running(hash) => Some(hash.finish()),
        }
    }
}

struct DigestReader<R> {
    source: R,
    digest: Digest,
}

impl<R: Read> Read for DigestReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.source.read(buffer)?;
        self.digest.with(|state| match state {
            State::Waiting(read) => read.extend_from_slice(&buffer[..len]),
            State::Running(hash) => hash.update(&buffer[..len]),
        });
        Ok(len)
    }
}
