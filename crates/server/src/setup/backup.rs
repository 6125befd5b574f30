//! `dskpp database backup` and `restore`: one file of a SQLite database, and the key-encryption key that stays apart.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use dskpp_crypto::{Random as _, SystemRandom};

use crate::model::clock::timestamp;
use crate::platform::{identity, sync_folder, write_options};
use crate::setup::data_folder::{Starting, set_aside};
use crate::setup::{database_url, neighbours};
use crate::store::seal::Kek;
use crate::store::{
    BackupContent, Content, Database, StoreError, back_up as copy_pages, check_backup, gather, look, opens_backup,
};
use crate::{Config, ConfigError, Error, files};

/// What SQLite may keep beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackedUp {
    /// Its file.
    pub file: PathBuf,
    /// How long it is, in octets.
    pub octets: u64,
    /// What it holds.
    pub content: BackupContent,
    /// Where the key-encryption key is, which is not in it: a file, or the variable `DSKPP_KEK`.
    pub kek: String,
    /// The data folder, with the private CA in `tls`.
    pub folder: PathBuf,
}

/// A restored backup.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// The database that it is now.
    pub database: PathBuf,
    /// What it holds.
    pub content: BackupContent,
    /// The folder into which the old database was moved, if there was one.
    pub aside: Option<PathBuf>,
    /// Whether the data folder has a private CA.
    pub has_tls: bool,
}

/// Writes a backup of the configuration's SQLite database, which servers may use meanwhile; with `force` over another file.
/// `progress` hears how many pages are done, and of how many. Blocks.
///
/// # Errors
/// [`Error::Refused`]; the file is then as it was.
pub fn back_up(
    config: &Config,
    file: &Path,
    force: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<BackedUp, Error> {
    let database = database(config, "back it up with `pg_dump` or `pg_basebackup`")?;
    let content = look(&database).map_err(|why| of_database(&database, &why))?;
    if content == Content::Nothing {
        return Err(Error::NoStore { at: database.display().to_string() });
    }
    if is_part_of(file, &database) {
        return Err(Error::Refused(format!("{} belongs to the database itself: name another file", file.display())));
    }
    if file.is_dir() {
        return Err(Error::Refused(format!("{} is a folder: name a file in it", file.display())));
    }
    if file.symlink_metadata().is_ok() {
        let shown = file.display();
        if !force {
            return Err(Error::Refused(format!("{shown} exists: name another file, or replace it with --force")));
        }
        if !is_database(file).map_err(files::failed("read", file))? {
            return Err(Error::Refused(format!("{shown} is no backup, and is not replaced: name another file")));
        }
    }
    let new = NewFile::beside(file)?;
    let content = copy_pages(&database, &new.path, progress).map_err(|why| {
        let (file, database) = (file.display(), database.display());
        Error::Refused(format!("{database} was not backed up to {file}, where nothing was changed: {}", why.reason()))
    })?;
    let octets = new.put(file)?;
    let kek = match Kek::handed_out(&config.seal.kek_file, &config.seal.further_kek_files)? {
        Some((_, Some(file))) => file.display().to_string(),
        Some((_, None)) => "DSKPP_KEK".to_owned(),
        None => config.server.data_dir.join("kek").display().to_string(),
    };
    Ok(BackedUp { file: file.to_owned(), octets, content, kek, folder: config.server.data_dir.clone() })
}

/// Puts a backup in the place of the configuration's SQLite database, which is set aside. Blocks.
///
/// # Errors
/// [`Error::Refused`]; the database is then as it was.
pub fn restore(config: &Config, file: &Path) -> Result<Restored, Error> {
    let database = database(config, "restore it with `pg_restore`, or from a base backup")?;
    if is_part_of(file, &database) {
        return Err(Error::Refused(format!("{} belongs to the database itself: name a backup", file.display())));
    }
    let log = fs::metadata(beside(file, "-wal")).map_or(0, |log| log.len());
    if log > 0 {
        let file = file.display();
        return Err(Error::Refused(format!(
            "{file} has a write-ahead log beside it, without which it is incomplete: make a backup with `dskpp database \
             backup`, or open it once with `sqlite3`"
        )));
    }
    let (data_dir, folder) = (&config.server.data_dir, parent(&database));
    let _starting = Starting::enter(data_dir)?; // no server starts meanwhile
    files::make_private_folder(folder)?;
    if let Some(server) = neighbours::running(data_dir)?.first() {
        return Err(Error::Refused(format!("a server runs on {}: {server}; stop it first", data_dir.display())));
    }
    if database.exists() {
        match gather(&database) {
            Ok(()) | Err(StoreError::Damaged(_)) => {} // a damaged one is set aside with what is beside it
            Err(why) => return Err(of_database(&database, &why)),
        }
    }
    // What is checked is the copy that will be used.
    let new = NewFile::beside(&database)?;
    new.fill(file)?;
    let content = check(config, file, &new.path)?;
    let aside = put_aside(&database)?;
    new.put(&database)?;
    Ok(Restored { database, content, aside, has_tls: data_dir.join("tls/ca.pem").exists() })
}

/// Checks that a backup is whole and belongs to the key-encryption key with which a server would open it.
fn check(config: &Config, file: &Path, copy: &Path) -> Result<BackupContent, Error> {
    let refused = |why: String| Error::Refused(format!("the backup {} cannot be restored: {why}", file.display()));
    let unusable = |why: StoreError| match why {
        StoreError::Damaged(why) | StoreError::Unavailable(why) => refused(format!("it is damaged: {why}")),
        why => refused(why.to_string()),
    };
    let content = check_backup(copy).map_err(unusable)?;
    let in_folder = config.server.data_dir.join("kek");
    let (kek, place) = match Kek::handed_out(&config.seal.kek_file, &config.seal.further_kek_files)? {
        Some((kek, file)) => (kek, file.map_or_else(|| "DSKPP_KEK".to_owned(), |file| file.display().to_string())),
        None if in_folder.exists() => {
            (Kek::read(&in_folder)?.with_further(&config.seal.further_kek_files)?, in_folder.display().to_string())
        }
        None => {
            let place = in_folder.display();
            return Err(refused(format!(
                "its key-encryption key is missing: put it into {place}, or set seal.kek_file"
            )));
        }
    };
    if !opens_backup(copy, &kek).map_err(unusable)? {
        return Err(refused(format!(
            "it is sealed under another key-encryption key than the one in {place}: supply the key that was in use when \
             the backup was made (both keys, if that was during `dskpp seal rotate`)"
        )));
    }
    let known = config.server.data_dir.join("kek.store");
    if let (Some(id), true) = (&content.store, known.exists()) {
        let known_id = files::read_text(&known)?;
        if known_id.trim() != id {
            return Err(refused(format!(
                "it is of the store {id}, and the key-encryption key in {} belongs to {}: restore it into another folder",
                config.server.data_dir.display(),
                known_id.trim()
            )));
        }
    }
    Ok(content)
}

/// Links the old database into a new folder, with what is beside it; `None` if there is none. The database itself stays
/// where it is, so that a restore which is killed before its last step leaves it in use.
fn put_aside(database: &Path) -> Result<Option<PathBuf>, Error> {
    let name = database.file_name().unwrap_or_default().to_string_lossy();
    let beside = BESIDE.map(|end| format!("{name}{end}"));
    let folder = parent(database);
    if !database.exists() && !beside.iter().any(|name| folder.join(name).exists()) {
        return Ok(None);
    }
    let aside = set_aside(folder, &beside.each_ref().map(String::as_str), timestamp())?;
    if database.exists() {
        let kept = aside.join(&*name);
        let link = || {
            // Where a file cannot have two names it is copied.
            fs::hard_link(database, &kept).or_else(|_| fs::copy(database, &kept).map(drop))?;
            sync_folder(&aside)?;
            sync_folder(folder)
        };
        link().map_err(files::failed("set aside", database))?;
    }
    Ok(Some(aside))
}

/// The file of the configuration's database.
fn database(config: &Config, postgres: &str) -> Result<PathBuf, Error> {
    config.check()?;
    match database_url::of(config).map_err(|fault| ConfigError(vec![fault]))? {
        Database::Sqlite(path) => Ok(path),
        Database::Postgres(address) => Err(Error::Refused(format!(
            "{address} is on a PostgreSQL server: {postgres}; the manual has the commands (docs/backup.md)"
        ))),
    }
}

fn of_database(database: &Path, why: &StoreError) -> Error {
    Error::Refused(format!("{}: {why}", database.display()))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Whether a file may be replaced by a backup: it is a SQLite database, or empty. The key-encryption key is neither.
fn is_database(file: &Path) -> io::Result<bool> {
    const BEGIN: &[u8] = b"SQLite format 3\0";
    if !fs::metadata(file)?.is_file() {
        return Ok(false); // a device, which waits or never ends
    }
    let mut begin = Vec::new();
    File::open(file)?.take(BEGIN.len() as u64).read_to_end(&mut begin)?;
    Ok(begin.is_empty() || begin == BEGIN)
}

/// Whether a file is the database's own, by whatever name.
fn is_part_of(file: &Path, database: &Path) -> bool {
    let of = |path: &Path| fs::metadata(path).ok().map(|metadata| identity(&metadata));
    let place = |path: &Path| Some((parent(path).canonicalize().ok()?, path.file_name()?.to_owned()));
    let own = std::iter::once(database.to_owned()).chain(BESIDE.map(|end| beside(database, end)));
    let same = |own: PathBuf| {
        (of(file).is_some() && of(file) == of(&own)) || (place(file).is_some() && place(file) == place(&own))
    };
    own.into_iter().any(same)
}

/// A file that is written under a name of its own, and goes when this is dropped before it is put in its place.
struct NewFile {
    path: PathBuf,
    file: File,
    is_done: bool,
}

/// A new file that nobody has written to for this long was left by a process that was killed.
const LEFT: Duration = Duration::from_secs(24 * 3600);

impl NewFile {
    /// An empty file in the folder of `path`. Removes those that were left behind there.
    fn beside(path: &Path) -> Result<Self, Error> {
        let folder = parent(path);
        let begin = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
        remove_left(folder, &begin).map_err(files::failed("read", folder))?;
        let random = data_encoding::HEXLOWER.encode(&SystemRandom.bytes(8));
        let new = folder.join(format!("{begin}{random}.new"));
        let file = write_options(0o600).create_new(true).open(&new).map_err(files::failed("written", &new))?;
        Ok(NewFile { path: new, file, is_done: false })
    }

    /// Copies another file into it.
    fn fill(&self, from: &Path) -> Result<(), Error> {
        let mut source = File::open(from).map_err(files::failed("read", from))?;
        io::copy(&mut source, &mut &self.file).map(drop).map_err(files::failed("written", &self.path))
    }

    /// Makes it durable and gives it its name; returns its length.
    fn put(mut self, path: &Path) -> Result<u64, Error> {
        self.file.sync_all().map_err(files::failed("written", &self.path))?;
        let octets = fs::metadata(&self.path).map_err(files::failed("read", &self.path))?.len();
        files::rename(&self.path, path)?;
        self.is_done = true;
        Ok(octets)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_done {
            remove(&self.path); // what cannot be removed now is found by a later one
        }
    }
}

fn remove(new: &Path) {
    _ = fs::remove_file(new);
    for end in BESIDE {
        _ = fs::remove_file(beside(new, end));
    }
}

fn remove_left(folder: &Path, begin: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_new = name.to_str().is_some_and(|name| name.starts_with(begin) && name.ends_with(".new"));
        let written = if is_new { entry.metadata().and_then(|metadata| metadata.modified()).ok() } else { None };
        if written.and_then(|written| written.elapsed().ok()).is_some_and(|since| since > LEFT) {
            remove(&entry.path());
        }
    }
    Ok(())
}
