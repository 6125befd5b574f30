//! Where results go: standard output or a file. A result appears complete or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::output::Failure;

/// The longest result for standard output, in octets: it is buffered until complete.
const MOST: usize = 256 * 1024 * 1024;

/// A result being written. It appears only on [`finish`](Self::finish), when it is complete.
/// all of it is right.
pub(crate) enum AtomicOutput {
    /// Buffered in memory.
    Stdout(Zeroizing<Vec<u8>>),
    /// Not a regular file, such as a pipe or `/dev/null`: also buffered.
    Device(Zeroizing<Vec<u8>>, File, PathBuf),
    /// A file, readable by its owner only, written under a temporary name beside it; and whether it may replace an
    /// existing one.
    File(BufWriter<NamedTempFile>, PathBuf, bool),
}

impl AtomicOutput {
    /// # Errors
    /// The file exists and `force` is not given; it is a folder; its folder is not writable.
    pub(crate) fn open(path: Option<&Path>, force: bool) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
            return Ok(AtomicOutput::Stdout(Zeroizing::default()));
        };
        let unwritten = |why| unwritten(path, why);
        let there = path.metadata().ok();
        if there.as_ref().is_some_and(|there| there.is_dir()) {
            return Err(Failure::new(format!("{} is a folder", path.display())).next("name a file"));
        }
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            let file = File::options().write(true).open(path).map_err(unwritten)?;
            return Ok(AtomicOutput::Device(Zeroizing::default(), file, path.to_owned()));
        }
        if there.is_some() && !force {
            return Err(Failure::new(format!("{} already exists", path.display())).next("replace it with --force"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(Failure::new(format!("there is no folder {}", folder.display())).next("create it first"));
        }
        let file = NamedTempFile::new_in(folder);
        let file = file.map_err(|why| Failure::new(format!("cannot write {}: {why}", folder.display())))?;
        Ok(AtomicOutput::File(BufWriter::new(file), path.to_owned(), force))
    }

    /// Publishes the result.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            AtomicOutput::Stdout(held) => {
                let mut out = io::stdout().lock();
                printed(out.write_all(&held).and_then(|()| out.flush()))
            }
            AtomicOutput::Device(held, mut file, path) => match file.write_all(&held) {
                Err(why) if why.kind() != io::ErrorKind::BrokenPipe => Err(unwritten(&path, why)),
                outcome => printed(outcome),
            },
            AtomicOutput::File(out, path, force) => {
                let unwritten = |why: io::Error| unwritten(&path, why);
                let file = out.into_inner().map_err(|why| unwritten(why.into_error()))?;
                file.as_file().sync_all().map_err(unwritten)?;
                let persisted = if force { file.persist(&path) } else { file.persist_noclobber(&path) };
                persisted.map(drop).map_err(|why| unwritten(why.error))
            }
        }
    }
}

impl Write for AtomicOutput {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            AtomicOutput::Stdout(held) | AtomicOutput::Device(held, ..) if held.len() + octets.len() > MOST => {
                Err(io::Error::other("longer than 256 MiB: name a file with --output"))
            }
            AtomicOutput::Stdout(held) | AtomicOutput::Device(held, ..) => held.write(octets),
            AtomicOutput::File(out, ..) => out.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            AtomicOutput::Stdout(_) | AtomicOutput::Device(..) => Ok(()),
            AtomicOutput::File(out, ..) => out.flush(),
        }
    }
}

fn unwritten(path: &Path, why: io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {}", path.display(), why.kind()))
}

/// The outcome of writing. A closed pipe ends the program quietly.
pub(crate) fn printed<T>(outcome: io::Result<T>) -> Result<T, Failure> {
    match outcome {
        Ok(done) => Ok(done),
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(why) => Err(Failure::new(match why.get_ref() {
            Some(told) => format!("cannot write the result: {told}"),
            None => format!("cannot write the result: {}", why.kind()),
        })),
    }
}
