//! Schema changes while servers run: expand, then contract.

use super::migrate::{Change, Migration, POSTGRES, SQLITE, Version, migrate_by, version_of};
use super::*;

/// A further migration, as a later version may have it.
const EXPANDS: Migration = (
    SCHEMA + 1,
    Change::Expands,
    "CREATE TABLE later (id TEXT PRIMARY KEY); CREATE INDEX key_by_time ON key (created_at);
     ALTER TABLE answer ADD COLUMN later TEXT; ALTER TABLE api_token ADD COLUMN later TEXT;
     ALTER TABLE audit ADD COLUMN later TEXT; ALTER TABLE device ADD COLUMN later TEXT;
     ALTER TABLE enrolment ADD COLUMN later TEXT NOT NULL DEFAULT 'x'; ALTER TABLE idempotent ADD COLUMN later TEXT; ALTER TABLE import ADD COLUMN later TEXT;
     ALTER TABLE key ADD COLUMN later TEXT; ALTER TABLE outbox ADD COLUMN later TEXT; ALTER TABLE k_server ADD COLUMN later TEXT; ALTER TABLE pending_key ADD COLUMN later TEXT;
     ALTER TABLE refusal ADD COLUMN later TEXT; ALTER TABLE setting ADD COLUMN later TEXT; ALTER TABLE session_key ADD COLUMN later TEXT;
     ALTER TABLE store ADD COLUMN later TEXT; ALTER TABLE \"user\" ADD COLUMN later TEXT;
     ALTER TABLE wrong_password ADD COLUMN later TEXT; ALTER TABLE wrong_try ADD COLUMN later TEXT",
);
/// And one that takes something away.
const CONTRACTS: Migration = (SCHEMA + 2, Change::Contracts, "DROP INDEX key_by_time");

impl Scratch {
    pub(super) fn version(&self) -> Version {
        self.on(version_of).unwrap()
    }

    pub(super) fn migrate_by(&self, migrations: &[Migration]) -> Result<(), StoreError> {
        self.on(|db| migrate_by(db, migrations, &kek(1), None))
    }
}

/// The oldest software that may use a database with this version's schema.
fn oldest() -> usize {
    ours().iter().filter(|(_, change, _)| *change == Change::Contracts).map(|(number, ..)| *number).max().unwrap()
}

pub(super) fn ours() -> Vec<Migration> {
    if is_on_postgres() { POSTGRES.to_vec() } else { SQLITE.to_vec() }
}

#[test]
fn migrations_have_growing_numbers_up_to_this_versions_schema_on_both_engines() {
    for migrations in [SQLITE, POSTGRES] {
        assert!(migrations.is_sorted_by(|(a, ..), (b, ..)| a < b));
        assert_eq!(migrations.last().map(|(number, ..)| *number), Some(SCHEMA));
    }
}

/// With a column more in every table, a server of this version still does all that a store does.
#[tokio::test]
async fn a_database_expanded_by_a_later_version_is_used_by_this_one_beside_it() {
    let db = Db::new();
    db.scratch.migrate_by(&[EXPANDS]).unwrap();
    assert_eq!(db.scratch.version(), Version { done: SCHEMA + 1, oldest: oldest() });
    for (table, _) in db.check().rows {
        db.execute(&format!("SELECT later FROM \"{table}\""));
    }
    db.walk().await; // one that runs already goes on
    let started = db.second();
    let enrolment = started.create_enrolment(hotp_for("alice")).await.unwrap().enrolment.id;
    let run = run_of(&enrolment, "of the one that started", "another key");
    assert_eq!(started.commit_run(run).done().await, Ok(Commit::Committed));
    started.probe().await.unwrap();
    assert_eq!(db.check().findings, []);
    db.assert_unbroken();
}

#[tokio::test]
async fn a_contracted_database_is_refused_by_what_is_too_old_for_it() {
    let db = Db::new();
    db.scratch.migrate_by(&[EXPANDS, CONTRACTS]).unwrap();
    let expected = StoreError::TooNew { found: SCHEMA + 2, oldest: SCHEMA + 2, known: SCHEMA };
    assert_eq!(Store::open(db.scratch.database.clone(), kek(1), POLICY).unwrap_err(), expected);
    assert_eq!(db.store.probe().await, Err(expected), "/readyz of one that still runs says so");
}

#[test]
fn without_leave_only_the_command_migrates() {
    let scratch = Scratch::new();
    let open =
        |may_migrate| Store::open(scratch.database.clone(), kek(1), StorePolicy { may_migrate, ..POLICY }).map(drop);
    assert_eq!(open(false), Ok(()), "a new database is made, not migrated");
    let (older, is) = match is_on_postgres() {
        true => ("UPDATE schema SET version = 10", 10),
        false => ("PRAGMA user_version = 10", 10),
    };
    scratch.execute(&format!("DELETE FROM migration; {older}"));
    let refused = open(false).unwrap_err();
    assert_eq!(refused, StoreError::TooOld { found: is, known: SCHEMA });
    assert!(refused.to_string().contains("`dskpp database migrate`"), "{refused}");
    assert_eq!(scratch.version(), Version { done: is, oldest: is }, "nothing changed");
}

#[test]
fn servers_that_start_at_once_do_each_migration_once() {
    let scratch = Scratch::new();
    let slow = (SCHEMA + 1, Change::Expands, "CREATE TABLE later (id BIGINT); INSERT INTO later (id) VALUES (1)");
    let migrations = [ours(), vec![slow]].concat();
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| scratch.migrate_by(&migrations))).collect();
        for start in starts {
            assert_eq!(start.join().unwrap(), Ok(()));
        }
    });
    assert_eq!(scratch.texts("SELECT CAST(count(*) AS TEXT) FROM later"), ["1"]);
    let done = scratch.texts("SELECT CAST(version AS TEXT) FROM migration ORDER BY version");
    let numbers: Vec<_> = migrations.iter().map(|(number, ..)| number.to_string()).collect();
    assert_eq!(done, numbers);
}

/// As after `kill -9`: what a transaction has not committed is not there.
#[test]
fn a_migration_that_ends_in_the_middle_leaves_nothing_half_done() {
    let scratch = Scratch::new();
    scratch.migrate_by(&ours()).unwrap();
    let whole = (SCHEMA + 1, Change::Expands, "CREATE TABLE later (id BIGINT)");
    let broken = (SCHEMA + 2, Change::Expands, "CREATE TABLE half (id BIGINT); INSERT INTO nowhere (id) VALUES (1)");
    let error = scratch.migrate_by(&[whole, broken]).unwrap_err();
    assert!(matches!(error, StoreError::Migration { version, .. } if version == SCHEMA + 2), "{error}");
    assert_eq!(scratch.version().done, SCHEMA + 1, "those before it are done");
    scratch.execute("SELECT 1 FROM later");
    assert!(scratch.on(|db| db.batch("SELECT 1 FROM half")).is_err());
    scratch.migrate_by(&[whole, (broken.0, broken.1, "CREATE TABLE half (id BIGINT)")]).unwrap();
    assert_eq!(scratch.version().done, SCHEMA + 2);
}

#[test]
fn a_database_of_another_program_is_refused_and_stays_as_it_is() {
    let of_others = match is_on_postgres() {
        true => "CREATE TABLE schema (version BIGINT); INSERT INTO schema VALUES (3); CREATE TABLE song (id BIGINT)",
        false => "CREATE TABLE song (id INTEGER); PRAGMA user_version = 3",
    };
    let scratch = Scratch::new();
    scratch.execute(of_others);
    let error = Store::open(scratch.database.clone(), kek(1), POLICY).unwrap_err();
    assert_eq!(error, StoreError::Damaged("it has tables of another program".into()));
    assert!(scratch.on(|db| db.batch("SELECT 1 FROM setting")).is_err(), "nothing was made in it");
}

#[test]
fn a_version_that_is_none_is_damage() {
    let db = Db::new();
    if is_on_postgres() {
        db.execute("UPDATE schema SET version = -1");
    } else {
        db.execute("PRAGMA user_version = -1");
    }
    assert!(matches!(db.scratch.on(version_of), Err(StoreError::Damaged(_))));
}

/// A statement that names no columns breaks, or reads another column, when a later version adds one.
#[test]
fn every_statement_names_its_columns() {
    let mut folders = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store"))];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.extend((entry.file_name().unwrap() != "tests").then_some(entry));
                continue;
            }
            let text = std::fs::read_to_string(&entry).unwrap().replace("\\\n", " ");
            let words: Vec<_> = text.split_whitespace().collect();
            for (i, word) in words.iter().enumerate() {
                let word = word.trim_start_matches(['"', '(']);
                if !["INTO", "SELECT"].contains(&word) {
                    continue;
                }
                let rest = &words[i + 1..(i + 3).min(words.len())];
                seen += 1;
                let is_vague = match word {
                    "INTO" => rest.get(1).is_none_or(|next| !next.starts_with('(')),
                    _ => rest.first().is_some_and(|what| *what == "*" || what.ends_with(".*")),
                };
                assert!(!is_vague, "{}: {word} {}", entry.display(), rest.join(" "));
            }
        }
    }
    assert!(seen > 50, "only {seen} statements were found");
}
