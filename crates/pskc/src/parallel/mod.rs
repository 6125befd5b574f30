//! Reads large containers with several threads.
//!
//! At the start of a package, a reader needs nothing from the previous packages except that they have ended. So the
//! document is cut where packages seem to begin, and each piece is read by a thread as if a package began there. That is
//! right if the previous piece consists of complete packages up to the cut, and so on back to the first. If not, because
//! of a package in a comment or a faulty one, for example, reading continues from there sequentially,
//! with the same values and errors.

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

/// The document's source.
type DocumentSource = Box<dyn BufRead + Send>;

/// Like [`ContainerReader`], for large files: several threads parse ahead. Each holds 128 KiB of
/// the document and its packages; a short document needs no further thread.
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
    /// Packages of the current piece.
    ready: std::vec::IntoIter<KeyPackage>,
}

/// How the rest is read.
enum ReadMode {
    ByMany(Box<Pieces>),
    ByOne(Box<Reader<DocumentSource>>),
}

impl ParallelReader {
    /// Reads up to the first package.
    ///
    /// Errors: as [`ContainerReader::new`].
    pub fn new(source: impl Read + Send + 'static) -> Result<Self, Error> {
        // A single core is faster without threads; more than four threads would outpace the caller.
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

    /// The content before the packages.
    pub fn header(&self) -> &Header {
        &self.parts.header
    }

    /// Octets of the document read so far.
    pub fn offset(&self) -> u64 {
        match &self.progress {
            ReadMode::ByMany(pieces) => pieces.offset(),
            ReadMode::ByOne(reader) => reader.offset(),
        }
    }

    /// The next package; `None` after the last one.
    ///
    /// Errors: those of [`ContainerReader::next_package`], possibly one package later.
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

    /// Reads the rest of the document, including further packages.
    pub fn finish(mut self) -> Result<Trailer, Error> {
        while self.next_package()?.is_some() {}
        if let ReadMode::ByOne(reader) = self.progress {
            reader.finish()?; // after the last package, always
        }
        Ok(self.parts.trailer)
    }
}
