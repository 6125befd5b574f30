//! SHA-256 of a prefix and a document, computed while the document is read for another purpose.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use dskpp_crypto::Sha256;
use zeroize::Zeroizing;

/// The prefix may follow when the beginning of the document has been read.
#[derive(Clone, Default)]
pub(super) struct Digest(Arc<Mutex<DigestState>>);

enum DigestState {
    /// What was read before the prefix is known.
    Waiting(Zeroizing<Vec<u8>>),
    Running(Sha256),
}

impl DigestState {
    fn after(&mut self, prefix: &str) -> Sha256 {
        match std::mem::take(self) {
            DigestState::Running(hash) => hash,
            DigestState::Waiting(read) => {
                let mut hash = Sha256::new();
                hash.update(prefix.as_bytes());
                hash.update(&read);
                hash
            }
        }
    }
}

impl Default for DigestState {
    fn default() -> Self {
        DigestState::Waiting(Zeroizing::default())
    }
}

impl Digest {
    pub(super) fn reader<R: Read>(&self, source: R) -> impl Read + use<R> {
        DigestReader { source, digest: self.clone() }
    }

    fn with<T>(&self, then: impl FnOnce(&mut DigestState) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts the prefix in front of what was read before.
    pub(super) fn start(&self, prefix: &str) {
        self.with(|state| *state = DigestState::Running(state.after(prefix)));
    }

    /// In hexadecimal; without [`start`](Self::start) the prefix is empty.
    pub(super) fn finish(&self) -> String {
        HEXLOWER.encode(&self.with(|state| state.after("")).finish())
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
            DigestState::Waiting(read) => read.extend_from_slice(&buffer[..len]),
            DigestState::Running(hash) => hash.update(&buffer[..len]),
        });
        Ok(len)
    }
}
