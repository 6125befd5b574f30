//! The threads that parse pieces, in document order.

use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::DocumentSource;
use super::cutter::{Cutter, PieceText};
use crate::key_package::KeyPackage;
use crate::xml::{Reader, Standing, XmlLimits, ns};

/// The pieces of a document, in order.
pub(super) struct Pieces {
    threads: Threads,
    /// The reader's state at the start of the next piece.
    standing: Standing,
    /// A piece that is not just packages.
    other: Option<Piece>,
}

/// A parsed piece.
struct Piece {
    text: PieceText,
    /// Its packages, if it contains nothing else.
    packages: Option<Vec<KeyPackage>>,
    /// Whether it was read completely.
    read: io::Result<()>,
}

impl Pieces {
    /// For a document whose reader was suspended at the start of a package.
    pub(super) fn new(
        (standing, begun, source): (Standing, Vec<u8>, DocumentSource),
        piece_len: usize,
        threads: usize,
    ) -> Self {
        let (cutter, used) = Cutter::new(begun, source, piece_len);
        Self { threads: Threads::new(threads, cutter, used, &standing), standing, other: None }
    }

    pub(super) fn offset(&self) -> u64 {
        self.standing.offset
    }

    /// The packages of the next piece; `None` if it is not just packages: then the [`rest`](Self::rest)
    /// is read sequentially.
    pub(super) fn next(&mut self) -> Option<Vec<KeyPackage>> {
        let mut piece = self.threads.next()?;
        let Some(packages) = piece.packages.take() else {
            self.other = Some(piece);
            return None;
        };
        self.standing.offset += piece.text.len() as u64;
        self.standing.line += memchr::memchr_iter(b'\n', &piece.text).count() as u64;
        self.threads.give_back(piece.text);
        Some(packages)
    }

    /// A reader of everything left; consumes it.
    pub(super) fn rest(&mut self) -> Reader<DocumentSource> {
        let threads = std::mem::take(&mut self.threads);
        threads.by_one.store(true, Ordering::Relaxed);
        let rest = Rest { threads, piece: self.other.take(), taken: 0 };
        Reader::resume(Box::new(rest), XmlLimits::FILE, &self.standing)
    }
}

/// The packages of a piece that starts in the state `standing`; `None` if it contains
/// anything other than packages and white space.
fn read_packages(text: &[u8], standing: &Standing) -> Option<Vec<KeyPackage>> {
    let mut reader = Reader::resume(text, XmlLimits::FILE, standing);
    let end = reader.offset() + text.len() as u64;
    let mut packages = Vec::with_capacity(text.len() / 512); // the size of a small package
    while reader.offset() < end {
        let element = reader.next().ok()??;
        if !element.is(ns::PSKC, "KeyPackage") {
            return None;
        }
        packages.push(KeyPackage::read_open(&mut reader, &element).ok()?);
    }
    Some(packages)
}

/// The rest as one source.
struct Rest {
    threads: Threads,
    /// The current piece, and how much of it was consumed.
    piece: Option<Piece>,
    taken: usize,
}

impl BufRead for Rest {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.piece.as_ref().is_some_and(|piece| self.taken >= piece.text.len()) {
            let done = std::mem::replace(&mut self.piece, self.threads.next());
            self.taken = 0;
            if let Some(Piece { text, read, .. }) = done {
                self.threads.give_back(text);
                read?;
            }
        }
        let text = self.piece.as_ref().and_then(|piece| piece.text.get(self.taken..));
        Ok(text.unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
    }
}

impl Read for Rest {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.fill_buf()?.read(into)?;
        self.consume(len);
        Ok(len)
    }
}

/// Threads that take turns cutting off the next piece, and then parse it.
#[derive(Default)]
struct Threads {
    /// A receiver for each piece, in document order.
    in_order: Option<Receiver<Receiver<Piece>>>,
    used: Option<Sender<PieceText>>,
    /// The work of a single thread.
    alone: Option<Arc<Work>>,
    most: usize,
    handles: Vec<JoinHandle<()>>,
    by_one: Arc<AtomicBool>,
}

impl Threads {
    /// Up to `most` threads, started on demand.
    fn new(most: usize, cutter: Cutter, used: Sender<PieceText>, standing: &Standing) -> Self {
        let (announce, in_order) = sync_channel(most.max(1));
        let by_one = Arc::new(AtomicBool::new(false));
        let cutting = Mutex::new((cutter, announce));
        let work = Arc::new(Work { cutting, standing: standing.clone(), by_one: by_one.clone() });
        let (in_order, used, alone) = (Some(in_order), Some(used), Some(work));
        Self { in_order, used, alone, most, handles: Vec::new(), by_one }
    }

    fn next(&mut self) -> Option<Piece> {
        if let Some(work) = self.alone.take() {
            work.piece()?;
            self.start(work);
        }
        self.in_order.as_ref()?.recv().ok()?.recv().ok()
    }

    fn start(&mut self, work: Arc<Work>) {
        let ended = work.cutting.lock().is_ok_and(|cutting| cutting.0.ended());
        let start = |_| {
            let work = work.clone();
            let thread = thread::Builder::new().name("pskc".into());
            thread.spawn(move || while work.piece().is_some() {}).ok()
        };
        if !ended {
            self.handles = (0..self.most).filter_map(start).collect();
        }
        if self.handles.is_empty() {
            self.alone = Some(work);
        }
    }

    fn give_back(&self, text: PieceText) {
        if let Some(used) = &self.used {
            _ = used.send(text); // otherwise it is wiped
        }
    }
}

impl Drop for Threads {
    /// Waits for the threads, so that none reads from the source any more.
    fn drop(&mut self) {
        self.in_order = None;
        for handle in self.handles.drain(..) {
            _ = handle.join(); // a thread that panicked sent no piece, which ends reading
        }
    }
}

/// The work of each thread.
struct Work {
    cutting: Mutex<(Cutter, SyncSender<Receiver<Piece>>)>,
    standing: Standing,
    /// Whether one thread takes all pieces, so that they need not be parsed.
    by_one: Arc<AtomicBool>,
}

impl Work {
    /// Cuts off a piece and parses it; `None` if there is no more, or no receiver.
    fn piece(&self) -> Option<()> {
        let (done, piece) = sync_channel(1);
        let (text, read, ended) = {
            let (cutter, announce) = &mut *self.cutting.lock().ok()?;
            let (text, read) = cutter.next()?;
            announce.send(piece).ok()?; // blocks while enough pieces are ready
            (text, read, cutter.ended())
        };
        // The last piece has more than packages.
        let packages = match ended || self.by_one.load(Ordering::Relaxed) {
            true => None,
            false => read_packages(&text, &self.standing),
        };
        done.send(Piece { text, packages, read }).ok()
    }
}
