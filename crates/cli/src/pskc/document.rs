//! Files and standard input, as documents that can be read more than once.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::format::Format;
use super::kind::{FileKind, HEAD, TEXT_OF_NO_FORMAT};
use crate::output::Failure;

/// Standard input is kept in memory, so it has a limit; files have none.
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

/// Octets that are wiped when nobody reads them any more.
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
            read.map_err(|why| Failure::new(format!("standard input cannot be read: {why}")))?;
            if octets.len() as u64 > MOST_FROM_STDIN {
                return Err(Failure::new("standard input is longer than 256 MiB").next("give the name of a file"));
            }
            return Ok(Document { name: "standard input".into(), content: DocumentContent::Memory(octets.into()) });
        }
        let unreadable = |why| Failure::new(format!("{} cannot be read: {why}", path.display()));
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_file() {
            return Ok(Document { name, content: DocumentContent::File(file) });
        }
        file.take(MOST_FROM_STDIN).read_to_end(&mut octets).map_err(unreadable)?; // a pipe can be read once only
        Ok(Document { name, content: DocumentContent::Memory(octets.into()) })
    }

    /// What it is called in a message.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What it is, by its first octets.
    pub(crate) fn kind(&self) -> Result<FileKind, Failure> {
        let mut head = Zeroizing::new(Vec::new());
        let read = self.source()?.take(HEAD).read_to_end(&mut head);
        read.map_err(|why| self.unreadable(&why))?;
        Ok(FileKind::of(&head, &self.name))
    }

    /// Refuses what is no PSKC, for commands that work on the XML itself.
    ///
    /// # Errors
    /// The document is something else, which is named with what to do.
    pub(crate) fn must_be_pskc(&self) -> Result<(), Failure> {
        let name = &self.name;
        match self.kind()? {
            FileKind::Keys(Format::Pskc) => Ok(()),
            FileKind::Keys(format) => Err(Failure::new(format!("{name} is no PSKC: it is {}", format.what()))
                .next("`dskpp pskc convert FILE -o keys.xml` makes PSKC of it; `dskpp pskc inspect FILE` shows it")),
            FileKind::Other(what, next) => Err(Failure::new(format!("{name} is no PSKC: it is {what}")).next(next)),
            FileKind::Text => Err(Failure::new(format!("{name} is no PSKC: it is {TEXT_OF_NO_FORMAT}"))
                .next("ask the sender which format it is; `dskpp pskc convert --from` reads it")),
            FileKind::Unknown => Err(Failure::new(format!("{name} is no PSKC, and nothing else that is known"))
                .next("ask the sender what it is")),
        }
    }

    fn unreadable(&self, why: &std::io::Error) -> Failure {
        Failure::new(format!("{} cannot be read: {why}", self.name))
    }

    /// Reads it from its beginning. One reader at a time: those of a file share their place in it.
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

    /// All of it, for what needs the whole document at once.
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
