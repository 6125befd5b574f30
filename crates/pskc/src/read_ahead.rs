//! Large files: reading them takes about as long as taking them apart, so each is done by a thread of its own.

use std::io::{self, BufRead, ErrorKind, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use zeroize::Zeroizing;

/// A source that a thread reads ahead of its user, 256 KiB at a time; three such pieces are held at most, and wiped in
/// the end. To be handed to a reader as it is.
///
/// ```
/// use std::io::Read;
/// let mut text = String::new();
/// pskc::ReadAhead::new(&b"<KeyContainer/>"[..])?.read_to_string(&mut text)?;
/// assert_eq!(text, "<KeyContainer/>");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct ReadAhead {
    /// The piece in use, and how much of it has been taken.
    piece: Piece,
    taken: usize,
    /// Pieces that were read; `None` once the source has ended.
    pieces: Option<Receiver<io::Result<Piece>>>,
    /// Pieces to be filled again.
    used: SyncSender<Piece>,
    thread: Option<JoinHandle<()>>,
}

type Piece = Zeroizing<Vec<u8>>;

impl ReadAhead {
    const PIECE_LEN: usize = 256 * 1024;

    /// Begins to read.
    ///
    /// # Errors
    /// There can be no other thread.
    pub fn new(source: impl Read + Send + 'static) -> io::Result<Self> {
        let (filled, pieces) = sync_channel(1);
        let (used, empty) = sync_channel(2);
        let thread = thread::Builder::new().name("read-ahead".into());
        let thread = thread.spawn(move || read_all(source, &filled, &empty))?;
        Ok(Self { piece: Piece::default(), taken: 0, pieces: Some(pieces), used, thread: Some(thread) })
    }
}

/// Reads until the source ends or nobody wants more.
fn read_all(mut source: impl Read, filled: &SyncSender<io::Result<Piece>>, empty: &Receiver<Piece>) {
    loop {
        let mut piece = empty.try_recv().unwrap_or_default();
        piece.resize(ReadAhead::PIECE_LEN, 0);
        let read = match source.read(&mut piece) {
            Ok(0) => return,
            Ok(len) => {
                piece.truncate(len);
                Ok(piece)
            }
            Err(why) if why.kind() == ErrorKind::Interrupted => continue,
            Err(why) => Err(why),
        };
        let failed = read.is_err();
        if filled.send(read).is_err() || failed {
            return;
        }
    }
}

impl BufRead for ReadAhead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.piece.len()
            && let Some(pieces) = &self.pieces
        {
            match pieces.recv() {
                Ok(next) => {
                    let used = std::mem::replace(&mut self.piece, next?);
                    _ = self.used.try_send(used); // or it is wiped now
                }
                Err(_) => {
                    self.pieces = None;
                    self.piece.clear();
                }
            }
            self.taken = 0;
        }
        Ok(self.piece.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.taken = self.piece.len().min(self.taken + amount);
    }
}

impl Read for ReadAhead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.fill_buf()?.read(into)?;
        self.consume(len);
        Ok(len)
    }
}

impl Drop for ReadAhead {
    /// Waits for the thread, so that nobody reads from the source any more.
    fn drop(&mut self) {
        self.pieces = None;
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_in_order_however_it_is_taken() {
        let octets: Vec<u8> = (0..3 * ReadAhead::PIECE_LEN + 77).map(|i| (i * 31 % 251) as u8).collect();
        for step in [1000, ReadAhead::PIECE_LEN, ReadAhead::PIECE_LEN + 1, usize::MAX] {
            let mut ahead = ReadAhead::new(io::Cursor::new(octets.clone())).unwrap();
            let mut found = Vec::new();
            loop {
                let piece = ahead.fill_buf().unwrap();
                if piece.is_empty() {
                    break;
                }
                let len = piece.len().min(step);
                found.extend_from_slice(&piece[..len]);
                ahead.consume(len);
            }
            assert!(found == octets, "{step}");
            assert!(ahead.fill_buf().unwrap().is_empty(), "the end stays the end");
        }
    }

    #[test]
    fn a_source_that_fails_tells_so_and_one_that_is_left_ends() {
        struct Broken(usize);
        impl Read for Broken {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => Err(ErrorKind::Interrupted.into()),
                    2 => Ok(into.len()),
                    _ => Err(ErrorKind::BrokenPipe.into()),
                }
            }
        }
        let mut found = Vec::new();
        let why = ReadAhead::new(Broken(0)).unwrap().read_to_end(&mut found).unwrap_err();
        assert_eq!((why.kind(), found.len()), (ErrorKind::BrokenPipe, ReadAhead::PIECE_LEN));
        drop(ReadAhead::new(io::repeat(7)).unwrap());
    }
}
