//! Large containers, read by several threads.
//!
//! Where a package begins, a reader knows nothing of the packages before it but that they have ended. So a document is
//! cut into pieces where packages seem to begin, and each piece is read by a thread as if one did. That holds if the
//! piece before it has turned out to be a row of whole packages up to the cut, and so on back to the first. Where it
//! does not hold, since there was a package in a comment, say, or a faulty one, reading goes on from there as usual,
//! and comes to the same values and errors.

mod cutter;
mod pieces;
#[cfg(test)]
mod tests;

use std::io::{BufRead, BufReader, Read};
use std::num::NonZero;
use std::thread;

use crate::Error;
use crate::key_package::KeyPackage;
use crate::parts::{ContainerParts, Header, Trailer};
use crate::stream::ContainerReader;
use crate::xml::Reader;
use pieces::Pieces;

/// Any source.
type DocumentSource = Box<dyn BufRead + Send>;

/// As [`ContainerReader`], for large files: several threads read and take apart what comes next. They hold 128 KiB of
/// the document each, and its packages; a short document needs no other thread.
///
/// ```no_run
/// let mut reader = pskc::ParallelReader::new(std::fs::File::open("keys.xml")?)?;
/// while let Some(package) = reader.next_package()? {
///     println!("{:?}", package.key.map(|key| key.id));
/// }
/// reader.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ParallelReader {
    parts: ContainerParts,
    progress: ReadMode,
    /// Packages of the piece in hand.
    ready: std::vec::IntoIter<KeyPackage>,
}

/// How the rest is read.
enum ReadMode {
    ByMany(Box<Pieces>),
    ByOne(Box<Reader<DocumentSource>>),
}

impl ParallelReader {
    /// Reads as far as the first package.
    ///
    /// Errors: as [`ContainerReader::new`].
    pub fn new(source: impl Read + Send + 'static) -> Result<Self, Error> {
        // One core is better used without other threads; the packages of more than four would wait for their user.
        let threads = match thread::available_parallelism().map_or(1, NonZero::get) {
            1 => 0,
            cores => cores.min(4),
        };
        Self::with(Box::new(BufReader::new(source)), 128 * 1024, threads)
    }

    fn with(source: DocumentSource, piece_len: usize, threads: usize) -> Result<Self, Error> {
        let (reader, parts) = ContainerReader::new(source)?.into_parts();
        let progress = match reader.suspend() {
            Ok(suspended) => ReadMode::ByMany(Box::new(Pieces::new(suspended, piece_len, threads))),
            Err(reader) => ReadMode::ByOne(reader),
        };
        Ok(Self { parts, progress, ready: Vec::new().into_iter() })
    }

    /// What stood before the packages.
    pub fn header(&self) -> &Header {
        &self.parts.header
    }

    /// How many octets of the document have been read.
    pub fn offset(&self) -> u64 {
        match &self.progress {
            ReadMode::ByMany(pieces) => pieces.offset(),
            ReadMode::ByOne(reader) => reader.offset(),
        }
    }

    /// The next package; `None` after the last one.
    ///
    /// Errors: those of [`ContainerReader::next_package`], which may come one package later than there.
    pub fn next_package(&mut self) -> Result<Option<KeyPackage>, Error> {
        loop {
            if let Some(package) = self.ready.next() {
                return Ok(Some(package));
            }
            match &mut self.progress {
                ReadMode::ByOne(reader) => return self.parts.next_package(reader),
                ReadMode::ByMany(pieces) => match pieces.next() {
                    Some(packages) => self.ready = packages.into_iter(),
                    None => {
                        let mut reader = Box::new(pieces.rest());
                        let advanced = self.parts.advance(&mut reader);
                        self.progress = ReadMode::ByOne(reader);
                        advanced?;
                    }
                },
            }
        }
    }

    /// Reads to the end of the document, packages that were not asked for included.
    pub fn finish(mut self) -> Result<Trailer, Error> {
        while self.next_package()?.is_some() {}
        if let ReadMode::ByOne(reader) = self.progress {
            reader.finish()?; // after the last package, always
        }
        Ok(self.parts.trailer)
    }
}
