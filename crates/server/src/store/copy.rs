//! Copies a store from one database into another, of either engine: every table, row by row in the order of its primary
//! key, as it stands. What is sealed stays sealed.
//!
//! The destination has the table `unfinished_copy` until everything is in it and was read back the same; no server opens
//! it before. How far an interrupted copy has come follows from the rows that the destination has.

mod side;

use std::sync::Arc;
use std::thread;

use dskpp_crypto::Secret;
use side::Side;

use super::db::{Connection, Database, values};
use super::seal::Kek;
use super::tables::{self, Table, UNFINISHED};
use super::{Content, SCHEMA, StoreError, identity_of, look, migrate, opens};
use crate::Error;
use crate::files;
use crate::platform::secure_database;
use crate::store::columns::Columns;

/// What the copy is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyStep {
    /// Copying.
    Copy,
    /// Reading both databases to compare them.
    Verify,
}

/// How far it has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CopyProgress<'a> {
    /// What it is doing.
    pub step: CopyStep,
    /// The table.
    pub table: &'a str,
    /// The rows that are done in this step, of all tables.
    pub done: u64,
    /// The rows that the source had when the copy began.
    pub total: u64,
}

/// What a table holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableContent {
    /// Its name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 of its rows in the order of the primary key. Each value is an octet for its kind (0 NULL, 1 integer, 2
    /// text, 3 octets), then the integer in 8 octets, or the length in 8 octets and the octets; columns are in the order
    /// of their names.
    pub sha256: [u8; 32],
}

/// What a copy came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copied {
    /// The identity of both stores.
    pub(crate) store: String,
    /// Rows that this call copied.
    pub(crate) copied: u64,
    /// What both databases hold.
    pub(crate) tables: Vec<TableContent>,
}

/// Copies everything, goes on with an interrupted copy, or verifies a finished one. `kek` is the key under which the
/// destination will be opened, and `known` the identity of the store that this key belongs to, as far as they are known.
/// Blocks.
///
/// # Errors
/// [`Error::Refused`]; a finished store as the destination is then as it was.
pub(crate) fn copy(
    from: &Database,
    to: &Database,
    kek: Option<&Kek>,
    known: Option<&str>,
    progress: &mut dyn FnMut(CopyProgress<'_>),
) -> Result<Copied, Error> {
    if from.to_string() == to.to_string() {
        return Err(Error::Refused("the source and the destination are the same database".into()));
    }
    let (source, store) = source(from, kek)?;
    if let Some(known) = known.filter(|known| *known != store) {
        return Err(Error::Refused(format!(
            "the key-encryption key beside the destination belongs to the store {known}, and the source is {store}: name \
             a destination in another folder"
        )));
    }
    let (destination, state) = destination(to, &store)?;
    let mut copy = Copy { source, destination, tables: Vec::new(), total: 0, progress };
    if let State::Ready = state {
        copy.prepare()?;
    }
    copy.find_tables()?;
    let copied = match state {
        State::Ready => copy.copy_all()?,
        State::Finished => 0,
    };
    let tables = copy.verify(state)?;
    if let State::Ready = state {
        copy.finish()?;
    }
    Ok(Copied { store, copied, tables })
}

/// What the destination is.
#[derive(Clone, Copy)]
enum State {
    /// Empty, or an unfinished copy of the source.
    Ready,
    /// A store of the source's identity.
    Finished,
}

fn refused(name: &str, why: impl std::fmt::Display) -> Error {
    Error::Refused(format!("{name}: {why}"))
}

/// The source, if it can be copied, and the store's identity.
fn source(from: &Database, kek: Option<&Kek>) -> Result<(Side, String), Error> {
    let name = format!("the source {from}");
    let refused = |why: &dyn std::fmt::Display| refused(&name, why);
    if let Database::Sqlite(path) = from
        && look(path).map_err(|why| refused(&why))? == Content::Nothing
    {
        return Err(refused(&"there is no store in it"));
    }
    let db = from.connect_alone().map_err(|why| refused(&why))?;
    let tables = tables::names(&db).map_err(|why| refused(&why))?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    if has(UNFINISHED) {
        return Err(refused(&StoreError::UnfinishedCopy));
    }
    if !has("store") || !has("setting") {
        return Err(refused(&"there is no store in it"));
    }
    let version = migrate::version_of(&db).map_err(|why| refused(&why))?.done;
    if version != SCHEMA {
        let remedy = match version < SCHEMA {
            true => "run `dskpp database migrate` on it first",
            false => "use the newer version of dskpp",
        };
        return Err(refused(&format!("it has schema {version}, and this version copies schema {SCHEMA}: {remedy}")));
    }
    if let Some(kek) = kek
        && !opens(&db, kek).map_err(|why| refused(&why))?
    {
        return Err(refused(
            &"it is sealed under another key-encryption key than the one that the destination would be opened with: \
              give the destination the source's key",
        ));
    }
    let store = identity_of(&db).map_err(|why| refused(&why))?;
    Ok((Side { name, db }, store))
}

/// The destination, made where there is none, if it can be copied into.
fn destination(to: &Database, store: &str) -> Result<(Side, State), Error> {
    let name = format!("the destination {to}");
    let refused = |why: &dyn std::fmt::Display| refused(&name, why);
    if let Database::Sqlite(path) = to
        && std::fs::metadata(path).map_or(0, |file| file.len()) == 0
    {
        look(path).map_err(|why| refused(&why))?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            files::make_private_folder(folder)?;
        }
        secure_database(path).map_err(files::failed("written", path))?;
    }
    let db = to.connect_alone().map_err(|why| refused(&why))?;
    let tables = tables::names(&db).map_err(|why| refused(&why))?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    let of = |sql| db.first(sql, &[], |row| Columns::of("store", row).get::<String>(0)).map_err(|why| refused(&why));
    let state = if tables.is_empty() {
        State::Ready
    } else if has(UNFINISHED) {
        match of("SELECT source FROM unfinished_copy")? {
            Some(of) if of == store => State::Ready,
            of => {
                let of = of.unwrap_or_default();
                return Err(refused(&format!(
                    "it is an unfinished copy of another store ({of}): name the source of that one, or another \
                     destination"
                )));
            }
        }
    } else if has("store") && has("setting") {
        match of("SELECT id FROM store")? {
            Some(of) if of == store => State::Finished,
            of => {
                let of = of.unwrap_or_default();
                return Err(refused(&format!("it has a store already ({of}): name an empty database")));
            }
        }
    } else {
        return Err(refused(&"it has tables of another program: name an empty database"));
    };
    if let State::Ready = state {
        db.set_up().and_then(|()| mark(&db, store)).map_err(|why| refused(&why))?;
    }
    Ok((Side { name, db }, state))
}

/// Marks a database as an unfinished copy of a store.
fn mark(db: &Connection, store: &str) -> Result<(), StoreError> {
    if tables::is_unfinished(db)? {
        return Ok(());
    }
    in_transaction(db, || {
        db.batch("CREATE TABLE unfinished_copy (source TEXT PRIMARY KEY, is_prepared BIGINT NOT NULL)")?;
        db.execute("INSERT INTO unfinished_copy (source, is_prepared) VALUES (?, 0)", values![store]).map(drop)
    })
}

fn in_transaction(db: &Connection, work: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
    let done = db.begin().and_then(|()| work()).and_then(|()| db.commit());
    if done.is_err() {
        _ = db.roll_back(); // the reason is in `done`
    }
    done
}

struct Copy<'a> {
    source: Side,
    destination: Side,
    tables: Vec<Table>,
    total: u64,
    progress: &'a mut dyn FnMut(CopyProgress<'_>),
}

impl Copy<'_> {
    /// Makes the destination's tables, without a row.
    fn prepare(&self) -> Result<(), Error> {
        let db = &self.destination.db;
        let prepare = || {
            if db.exists("SELECT 1 FROM unfinished_copy WHERE is_prepared = 1", &[])? {
                return Ok(());
            }
            // What a new store has of its own goes again; nothing but its check value is sealed under this key.
            let key = Kek::new(&Secret::new(vec![0; 32])).map_err(|why| StoreError::Unavailable(why.to_string()))?;
            migrate::migrate(db, &Arc::new(key), None, true)?;
            let tables = tables::of(db)?;
            in_transaction(db, || {
                for table in tables.iter().rev() {
                    db.batch(&format!("DELETE FROM \"{}\"", table.name))?;
                }
                db.batch("UPDATE unfinished_copy SET is_prepared = 1")
            })
        };
        prepare().map_err(|why| refused(&self.destination.name, why))
    }

    /// Both databases must have the same tables.
    fn find_tables(&mut self) -> Result<(), Error> {
        let of = |side: &Side| tables::of(&side.db).map_err(|why| refused(&side.name, why));
        let (source, destination) = (of(&self.source)?, of(&self.destination)?);
        let lacking = |of: &[Table], other: &[Table]| {
            let lacking = of.iter().filter(|table| !other.contains(table)).map(|table| table.name.clone());
            lacking.collect::<Vec<_>>()
        };
        let mut differing = [lacking(&source, &destination), lacking(&destination, &source)].concat();
        differing.sort_unstable();
        differing.dedup();
        if !differing.is_empty() {
            let differing = differing.join(", ");
            return Err(Error::Refused(format!(
                "the source and the destination have different tables or columns: {differing}; the version of dskpp that \
                 made them is another one"
            )));
        }
        self.total = source.iter().map(|table| self.source.count(table)).sum();
        self.tables = destination;
        Ok(())
    }

    fn copy_all(&mut self) -> Result<u64, Error> {
        let (mut copied, source) = (0, &self.source);
        let mut done = self.tables.iter().map(|table| self.destination.count(table)).sum();
        source.db.begin_snapshot().map_err(|why| refused(&source.name, why))?;
        for table in &self.tables {
            let mut last = self.destination.last_key(table)?;
            loop {
                let rows = source.rows_after(table, last.as_deref())?;
                let Some(end) = rows.last() else { break };
                last = Some(side::key_of(table, end));
                self.destination.write(table, &rows)?;
                copied += rows.len() as u64;
                done += rows.len() as u64;
                let total = self.total.max(done);
                (self.progress)(CopyProgress { step: CopyStep::Copy, table: &table.name, done, total });
            }
        }
        source.db.end_snapshot().map_err(|why| refused(&source.name, why))?;
        Ok(copied)
    }

    /// What both databases hold, each read by itself; an error where it is not the same.
    fn verify(&mut self, state: State) -> Result<Vec<TableContent>, Error> {
        let Copy { source, destination, tables, total, progress } = self;
        source.db.begin_snapshot().map_err(|why| refused(&source.name, why))?;
        let (mut contents, mut differing, mut done) = (Vec::new(), Vec::new(), 0);
        for table in &*tables {
            let destination = &mut *destination;
            let (ours, theirs) = thread::scope(|scope| {
                let theirs = scope.spawn(move || destination.content(table, |_| ()));
                let ours = source.content(table, |rows| {
                    done += rows;
                    let total = (*total).max(done);
                    progress(CopyProgress { step: CopyStep::Verify, table: &table.name, done, total });
                });
                (ours, theirs.join())
            });
            let theirs = theirs.unwrap_or_else(|_| Err(Error::Refused("reading the destination panicked".into())));
            let (ours, theirs) = (ours?, theirs?);
            if ours != theirs {
                differing.push(format!(
                    "{} ({} rows in the source, {} in the destination)",
                    table.name, ours.rows, theirs.rows
                ));
            }
            contents.push(ours);
        }
        source.db.end_snapshot().map_err(|why| refused(&source.name, why))?;
        if differing.is_empty() {
            return Ok(contents);
        }
        let differing = differing.join(", ");
        Err(Error::Refused(match state {
            State::Ready => format!(
                "the copy is not finished: the source changed since it began, or a value was not stored as it was: \
                 {differing}; stop the servers of the source, empty the destination (delete its file, or drop the \
                 database and create it again), and run the command again"
            ),
            State::Finished => format!(
                "{} is a finished store, and no longer the same as the source: {differing}; name an empty database",
                destination.name
            ),
        }))
    }

    fn finish(&self) -> Result<(), Error> {
        for side in [&self.source, &self.destination] {
            side.db.check_alone().map_err(|why| refused(&side.name, why))?;
        }
        let db = &self.destination.db;
        in_transaction(db, || db.batch("DROP TABLE unfinished_copy"))
            .map_err(|why| refused(&self.destination.name, why))
    }
}
