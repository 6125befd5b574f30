//! Files and standard input, as documents that can be read more than once.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::format::Format;
use super::kind::{FileKind, HEAD, TEXT_OF_NO_FORMAT};
use crate::output::Failure;

/// Standard input is buffered in memory, so it has a limit; files have none.
const MOST_FROM_STDIN: u64 = 256 * 1024 * 1024;

/// One reading of a document.
pub(super) type Source = Box<dyn Read + Send>;

/// A document that can be read more than once.
pub(crate) struct Document {
    name: String,
    content: DocumentContent,
}

enum DocumentContent {
    File(File),
    Memory(Octets),
}

/// Octets that are wiped when the last reader drops them.
#[derive(Clone)]
pub(crate) struct Octets(Arc<Zeroizing<Vec<u8>>>);

impl From<Zeroizing<Vec<u8>>> for Octets {
    fn from(octets: Zeroizing<Vec<u8>>) -> Self {
        Self(Arc::new(octets))
    }
}

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Document {
    /// # Errors
    /// The file cannot be read; standard input is too long.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let (name, mut octets) = (path.display().to_string(), Zeroizing::new(Vec::new()));
        if path.as_os_str() == "-" {
            let read = std::io::stdin().lock().take(MOST_FROM_STDIN + 1).read_to_end(&mut octets);
            read.map_err(|why| Failure::new(format!("cannot read standard input: {why}")))?;
            if octets.len() as u64 > MOST_FROM_STDIN {
                return Err(Failure::new("standard input is longer than 256 MiB").next("name a file"));
            }
            return Ok(Document { name: "standard input".into(), content: DocumentContent::Memory(octets.into()) });
        }
        let unreadable = |why| Failure::new(format!("cannot read {}: {why}", path.display()));
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_file() {
            return Ok(Document { name, content: DocumentContent::File(file) });
        }
        file.take(MOST_FROM_STDIN).read_to_end(&mut octets).map_err(unreadable)?; // a pipe can be read once only
        Ok(Document { name, content: DocumentContent::Memory(octets.into()) })
    }

    /// Its name in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its kind, by its first octets.
    pub(crate) fn kind(&self) -> Result<FileKind, Failure> {
        let mut head = Zeroizing::new(Vec::new());
        let read = self.source()?.take(HEAD).read_to_end(&mut head);
        read.map_err(|why| self.unreadable(&why))?;
        Ok(FileKind::of(&head, &self.name))
    }

    /// Requires PSKC, for commands that work on the XML itself.
    ///
    /// # Errors
    /// The document is something else; the failure says what, and what to do.
    pub(crate) fn must_be_pskc(&self) -> Result<(), Failure> {
        let name = &self.name;
        match self.kind()? {
            FileKind::Keys(Format::Pskc) => Ok(()),
            FileKind::Keys(format) => Err(Failure::new(format!("{name} is not PSKC but {}", format.what())).next(
                "convert it with `dskpp pskc convert FILE -o keys.xml`, or show it with `dskpp pskc inspect FILE`",
            )),
            FileKind::Other(what, next) => Err(Failure::new(format!("{name} is not PSKC but {what}")).next(next)),
            FileKind::Text => Err(Failure::new(format!("{name} is not PSKC but {TEXT_OF_NO_FORMAT}"))
                .next("ask the sender for its format; `dskpp pskc convert --from FORMAT` reads it")),
            FileKind::Unknown => {
                Err(Failure::new(format!("{name} is in an unknown format")).next("ask the sender for its format"))
            }
        }
    }

    fn unreadable(&self, why: &std::io::Error) -> Failure {
        Failure::new(format!("cannot read {}: {why}", self.name))
    }

    /// Reads it from its beginning. Only one reader at a time: readers of a file share its position.
    pub(crate) fn reader(&self) -> Result<Box<dyn BufRead>, Failure> {
        Ok(Box::new(BufReader::new(self.source()?)))
    }

    pub(super) fn source(&self) -> Result<Source, Failure> {
        match &self.content {
            DocumentContent::File(file) => {
                let mut file = file;
                let again = file.seek(SeekFrom::Start(0)).and_then(|_| file.try_clone());
                Ok(Box::new(again.map_err(|why| self.unreadable(&why))?))
            }
            DocumentContent::Memory(octets) => Ok(Box::new(Cursor::new(octets.clone()))),
        }
    }

    /// Its length in octets.
    pub(crate) fn len(&self) -> u64 {
        match &self.content {
            DocumentContent::File(file) => file.metadata().map_or(0, |metadata| metadata.len()),
            DocumentContent::Memory(octets) => octets.as_ref().len() as u64,
        }
    }

    /// All of it in memory.
    pub(crate) fn octets(&self) -> Result<Octets, Failure> {
        if let DocumentContent::Memory(octets) = &self.content {
            return Ok(octets.clone());
        }
        let mut octets = Zeroizing::new(Vec::new());
        let read = self.source()?.take(MOST_FROM_STDIN + 1).read_to_end(&mut octets);
        read.map_err(|why| self.unreadable(&why))?;
        if octets.len() as u64 > MOST_FROM_STDIN {
            return Err(Failure::new(format!("{} is longer than 256 MiB", self.name)));
        }
        Ok(octets.into())
    }
}
