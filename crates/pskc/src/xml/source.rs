//! The octets below the tokenizer: counted, and bounded per token.

use std::io::{self, BufRead, Read};

/// A source that knows its position and never lets one token grow beyond a limit, so that memory
/// stays bounded on an endless tag.
pub(super) struct Source<R> {
    inner: R,
    offset: u64,
    line: u64,
    token_start: u64,
    max_token: u64,
}

impl<R: BufRead> Source<R> {
    pub(super) fn new(inner: R, max_token: usize) -> Self {
        Self { inner, offset: 0, line: 1, token_start: 0, max_token: max_token as u64 }
    }

    /// Octets read so far, and the line they end on.
    pub(super) fn position(&self) -> (u64, u64) {
        (self.offset, self.line)
    }

    pub(super) fn begin_token(&mut self) {
        self.token_start = self.offset;
    }

    pub(super) fn token_too_large(&self) -> bool {
        self.offset - self.token_start > self.max_token
    }
}

impl<R: BufRead> Read for Source<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let n = available.len().min(out.len());
        out[..n].copy_from_slice(&available[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token_too_large() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        // What is consumed lies in the buffer already, so this reads nothing and cannot fail.
        if let Some(used) = self.inner.fill_buf().ok().and_then(|buffer| buffer.get(..n)) {
            self.line += used.iter().filter(|octet| **octet == b'\n').count() as u64;
        }
        self.offset += n as u64;
        self.inner.consume(n);
    }
}
