//! Where results go: standard output, or a file that is there whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::output::Failure;

/// A result that is being written. A file comes to be when it is [`finish`](Self::finish)ed, readable by its owner
/// only; until then what is written lies beside it under another name.
pub(crate) enum Sink {
    Stdout(BufWriter<io::Stdout>),
    /// With whether it may take the place of another.
    File(BufWriter<NamedTempFile>, PathBuf, bool),
    /// What is no regular file, such as a pipe or `/dev/null`: written as it comes.
    Device(BufWriter<File>, PathBuf),
}

impl Sink {
    /// # Errors
    /// The file is there already and `force` is not given; it is a folder; its own folder cannot be written.
    pub(crate) fn open(path: Option<&Path>, force: bool) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
            return Ok(Sink::Stdout(BufWriter::new(io::stdout())));
        };
        let unwritten = |why| unwritten(path, why);
        let there = path.metadata().ok();
        if there.as_ref().is_some_and(|there| there.is_dir()) {
            return Err(Failure::new(format!("{} is a folder", path.display())).next("give the name of a file"));
        }
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            let file = File::options().write(true).open(path).map_err(unwritten)?;
            return Ok(Sink::Device(BufWriter::new(file), path.to_owned()));
        }
        if there.is_some() && !force {
            return Err(Failure::new(format!("{} is there already", path.display())).next("--force replaces it"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(Failure::new(format!("there is no folder {}", folder.display())).next("make it first"));
        }
        let file = NamedTempFile::new_in(folder);
        let file = file.map_err(|why| Failure::new(format!("{} cannot be written: {why}", folder.display())))?;
        Ok(Sink::File(BufWriter::new(file), path.to_owned(), force))
    }

    /// Makes the file appear.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Sink::Stdout(mut out) => printed(out.flush()),
            Sink::Device(mut out, path) => out.flush().map_err(|why| unwritten(&path, why)),
            Sink::File(out, path, force) => {
                let unwritten = |why: io::Error| unwritten(&path, why);
                let file = out.into_inner().map_err(|why| unwritten(why.into_error()))?;
                file.as_file().sync_all().map_err(unwritten)?;
                let persisted = if force { file.persist(&path) } else { file.persist_noclobber(&path) };
                persisted.map(drop).map_err(|why| unwritten(why.error))
            }
        }
    }
}

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Stdout(out) => out.write(octets),
            Sink::File(out, _, _) => out.write(octets),
            Sink::Device(out, _) => out.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Stdout(out) => out.flush(),
            Sink::File(out, _, _) => out.flush(),
            Sink::Device(out, _) => out.flush(),
        }
    }
}

fn unwritten(path: &Path, why: io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {}", path.display(), why.kind()))
}

/// The outcome of writing. A reader that has seen enough ends the program quietly, as elsewhere.
pub(crate) fn printed<T>(outcome: io::Result<T>) -> Result<T, Failure> {
    match outcome {
        Ok(done) => Ok(done),
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(why) => Err(Failure::new(format!("the result cannot be written: {}", why.kind()))),
    }
}
