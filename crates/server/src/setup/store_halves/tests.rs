//! Every combination of a store's remains, and the result of a start.

use std::collections::BTreeMap;
use std::fs;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;

/// A name in the data folder, and the content.
type File<'a> = (&'a str, &'a [u8]);

const CA: &str = "tls/ca.pem";

fn now() -> Timestamp {
    "2026-11-28T09:30:00Z".parse().unwrap()
}

fn config(folder: &Path) -> Config {
    let mut config = Config::default();
    config.server.data_dir = folder.to_owned();
    config
}

fn put(folder: &Path, name: &str, content: &[u8]) {
    fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
    fs::write(folder.join(name), content).unwrap();
}

/// The relevant files, recursively.
fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => files
                .extend(files_of(&entry.path()).into_iter().map(|(below, octets)| (format!("{name}/{below}"), octets))),
            false if name.ends_with("-wal") || name.ends_with("-shm") => {}
            false => _ = files.insert(name, fs::read(entry.path()).unwrap_or_default()),
        }
    }
    files
}

/// The files of a complete store at rest, by name.
fn whole() -> BTreeMap<String, Vec<u8>> {
    let folder = TempDir::new().unwrap();
    assert!(open(&config(folder.path()), Create::WithNewKey, now()).unwrap().created);
    rest(folder.path());
    let files = files_of(folder.path());
    assert_eq!(files.keys().collect::<Vec<_>>(), [DATABASE, KEK, KEK_STORE]);
    files
}

/// Merges the WAL into the database file.
fn rest(folder: &Path) {
    let db = Connection::open(folder.join(DATABASE)).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

#[test]
fn an_incomplete_store_is_refused_and_init_sets_it_aside() {
    let (own, other) = (whole(), whole());
    let key = |which| match which {
        "own" => Some(&own[KEK]),
        "other" => Some(&other[KEK]),
        _ => None,
    };
    let database = |which| match which {
        "own" => Some(own[DATABASE].clone()),
        "other" => Some(other[DATABASE].clone()),
        "empty" => Some(Vec::new()),
        _ => None,
    };
    for case in 0..3 * 4 * 2 * 2 * 2 {
        let kek = ["absent", "own", "other"][case % 3];
        let db = ["absent", "empty", "own", "other"][case / 3 % 4];
        let [identity, token, ca] = [12, 24, 48].map(|step| case / step % 2 == 1);
        let what = format!("kek {kek}, database {db}, kek.store {identity}, admin-token {token}, CA {ca}");
        let folder = TempDir::new().unwrap();
        let (path, config) = (folder.path(), config(folder.path()));
        key(kek).inspect(|key| put(path, KEK, key));
        database(db).inspect(|octets| put(path, DATABASE, octets));
        for (name, is_there, content) in
            [(KEK_STORE, identity, &own[KEK_STORE][..]), (ADMIN_TOKEN, token, b"x"), (CA, ca, b"y")]
        {
            if is_there {
                put(path, name, content);
            }
        }
        let before = files_of(path);
        let refusal = match (db, kek) {
            ("absent" | "empty", "absent") if !identity && !token && !ca => None,
            ("absent" | "empty", _) => Some("missing or empty"),
            (_, "absent") => Some("key-encryption key is missing"),
            ("own", "own") => None,
            ("other", "other") if identity => Some("key belongs to database"),
            ("other", "other") => None,
            _ => Some("sealed with a different key-encryption key"),
        };
        let opened = open(&config, Create::WithNewKey, now());
        let Some(words) = refusal else {
            assert_eq!(opened.unwrap().created, kek == "absent", "{what}");
            let over = open(&config, Create::StartOver, now()).map(drop).unwrap_err();
            assert!(matches!(over, Error::CompleteStore { .. }), "{what}: {over}");
            continue;
        };
        let error = opened.map(drop).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, Error::IncompleteStore { .. }), "{what}: {said}");
        assert!(said.contains(words) && said.contains("restore") && said.contains("--init"), "{what}: {said}");
        assert_eq!(
            files_of(path).keys().collect::<Vec<_>>(),
            before.keys().collect::<Vec<_>>(),
            "{what}: nothing is created"
        );
        for create in [Create::Never, Create::Always] {
            assert!(open(&config, create, now()).is_err(), "{what}: {create:?}");
        }

        assert!(open(&config, Create::StartOver, now()).unwrap().created, "{what}");
        let after = files_of(path);
        for (name, octets) in before.iter().filter(|(name, _)| !name.starts_with("tls/")) {
            let aside = &after[&format!("set-aside-20261128T093000Z/{name}")];
            assert!(name == DATABASE || aside == octets, "{what}: {name}");
        }
        assert_eq!(after.get(CA), before.get(CA), "{what}: the CA stays");
        assert!(!open(&config, Create::WithNewKey, now()).unwrap().created, "{what}: and it is complete");
    }
}

#[test]
fn the_next_start_completes_a_first_start_killed_at_any_step() {
    let made = whole();
    // A database whose schema is not there yet.
    let begun = TempDir::new().unwrap();
    Connection::open(begun.path().join(DATABASE)).unwrap().pragma_update(None, "journal_mode", "WAL").unwrap();
    let begun = fs::read(begun.path().join(DATABASE)).unwrap();
    assert!(!begun.is_empty());
    let (key, store, id) = (&made[KEK][..], &made[DATABASE][..], &made[KEK_STORE][..]);
    let steps: [(&str, &[File<'_>]); 8] = [
        ("nothing", &[]),
        ("half a key file", &[("kek.created.new", b"00")]),
        ("the key", &[(KEK_BEGUN, key)]),
        ("an empty database", &[(KEK_BEGUN, key), (DATABASE, b"")]),
        ("a database without schema", &[(KEK_BEGUN, key), (DATABASE, &begun)]),
        ("a database", &[(KEK_BEGUN, key), (DATABASE, store)]),
        ("its identity", &[(KEK_BEGUN, key), (DATABASE, store), (KEK_STORE, id)]),
        ("all", &[(KEK, key), (DATABASE, store), (KEK_STORE, id)]),
    ];
    for create in [Create::WithNewKey, Create::Always, Create::StartOver] {
        for (step, files) in steps {
            let folder = TempDir::new().unwrap();
            files.iter().for_each(|(name, octets)| put(folder.path(), name, octets));
            let is_store = files.iter().any(|(_, octets)| *octets == store);
            let opened = open(&config(folder.path()), create, now());
            if create == Create::StartOver && is_store {
                assert!(matches!(opened.map(drop), Err(Error::CompleteStore { .. })), "{step}");
            } else {
                assert_eq!(opened.unwrap().created, !is_store, "{step}");
            }
            let after = files_of(folder.path());
            let expected = files.iter().any(|(_, octets)| *octets == key).then_some(key);
            assert!(expected.is_none_or(|key| after[KEK] == key), "{step}: the key stays");
            assert!(!after.contains_key(KEK_BEGUN) && after.contains_key(KEK_STORE), "{step}");
            assert!(!is_store || after[KEK_STORE] == id, "{step}: the store stays");
            assert!(!open(&config(folder.path()), Create::WithNewKey, now()).unwrap().created, "{step}");
        }
    }
}

#[test]
fn with_a_supplied_key_only_init_creates_a_store() {
    for name in ["elsewhere/kek", "data/kek"] {
        let folder = TempDir::new().unwrap();
        let mut config = config(&folder.path().join("data"));
        put(folder.path(), name, Kek::new_hex().expose());
        config.seal.kek_file = folder.path().join(name);
        fs::create_dir_all(&config.server.data_dir).unwrap();
        for create in [Create::Never, Create::WithNewKey] {
            let error = open(&config, create, now()).map(drop).unwrap_err();
            assert!(matches!(error, Error::NoStore { .. }), "{name}: {error}");
            assert!(error.to_string().contains("dskpp database migrate --init"), "{name}: {error}");
        }
        for (create, created) in
            [(Create::Always, true), (Create::Always, false), (Create::WithNewKey, false), (Create::Never, false)]
        {
            assert_eq!(open(&config, create, now()).unwrap().created, created, "{name}: {create:?}");
        }
        assert!(matches!(open(&config, Create::StartOver, now()), Err(Error::CompleteStore { .. })), "{name}");
        assert!(!config.server.data_dir.join(KEK_STORE).exists(), "{name}: only for generated keys");

        // A different key is refused; --init leaves the deployment's file in place.
        fs::write(&config.seal.kek_file, Kek::new_hex().expose()).unwrap();
        let error = open(&config, Create::Always, now()).map(drop).unwrap_err().to_string();
        assert!(error.contains("a different key-encryption key from the one supplied"), "{name}: {error}");
        assert!(open(&config, Create::StartOver, now()).unwrap().created, "{name}");
        assert!(config.seal.kek_file.exists(), "{name}");
        assert!(!open(&config, Create::WithNewKey, now()).unwrap().created, "{name}");
    }
}

#[test]
fn a_generated_key_without_its_store_is_refused_even_with_a_supplied_key() {
    let folder = TempDir::new().unwrap();
    let mut config = config(&folder.path().join("data"));
    put(folder.path(), "handed-out", Kek::new_hex().expose());
    put(folder.path(), "data/kek", Kek::new_hex().expose());
    config.seal.kek_file = folder.path().join("handed-out");
    assert!(matches!(open(&config, Create::Always, now()), Err(Error::IncompleteStore { .. })));
    assert!(open(&config, Create::StartOver, now()).unwrap().created);
    assert!(config.server.data_dir.join("set-aside-20261128T093000Z/kek").exists());
}

/// From before `kek.store` existed: the next start writes it.
#[test]
fn a_folder_of_an_earlier_version_gets_its_identity() {
    let made = whole();
    let folder = TempDir::new().unwrap();
    put(folder.path(), KEK, &made[KEK]);
    put(folder.path(), DATABASE, &made[DATABASE]);
    assert!(!open(&config(folder.path()), Create::Never, now()).unwrap().created);
    assert_eq!(fs::read(folder.path().join(KEK_STORE)).unwrap(), made[KEK_STORE]);
}

#[test]
fn a_damaged_part_is_refused_and_never_recreated() {
    let made = whole();
    let mut cut = made[DATABASE].clone();
    cut.truncate(cut.len() / 2);
    let mut overwritten = made[DATABASE].clone();
    let middle = overwritten.len() / 2;
    overwritten[middle..middle + 16384].fill(0xA5);
    let foreign = TempDir::new().unwrap();
    Connection::open(foreign.path().join("db")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let foreign = fs::read(foreign.path().join("db")).unwrap();
    let cases: [(&str, &[File<'_>], &str); 8] = [
        ("no database at all", &[(DATABASE, &[b'x'; 9000])], "damaged"),
        ("cut", &[(DATABASE, &cut)], "damaged"),
        ("overwritten", &[(DATABASE, &overwritten)], "damaged"),
        ("emptied beside its log", &[(DATABASE, b""), (LOG, b"frames")], "write-ahead log"),
        ("only its log", &[(LOG, b"frames")], "write-ahead log"),
        ("another program's", &[(DATABASE, &foreign)], "another program"),
        ("an empty key", &[(KEK, b""), (DATABASE, &made[DATABASE])], "64 hexadecimal digits"),
        ("a garbled key", &[(KEK, b"\xff\xfe"), (DATABASE, &made[DATABASE])], "64 hexadecimal digits"),
    ];
    for (what, files, words) in cases {
        let folder = TempDir::new().unwrap();
        put(folder.path(), KEK, &made[KEK]);
        files.iter().for_each(|(name, octets)| put(folder.path(), name, octets));
        let error = open(&config(folder.path()), Create::WithNewKey, now()).map(drop).unwrap_err().to_string();
        assert!(error.contains(words), "{what}: {error}");
        for (name, octets) in files {
            assert_eq!(fs::read(folder.path().join(name)).unwrap(), *octets, "{what}: {name} stays");
        }
        assert!(open(&config(folder.path()), Create::StartOver, now()).unwrap().created, "{what}");
    }
}

#[test]
fn a_store_of_a_newer_version_is_never_set_aside() {
    let made = whole();
    let folder = TempDir::new().unwrap();
    made.iter().for_each(|(name, octets)| put(folder.path(), name, octets));
    Connection::open(folder.path().join(DATABASE)).unwrap().pragma_update(None, "user_version", 999).unwrap();
    let error = open(&config(folder.path()), Create::StartOver, now()).map(drop).unwrap_err();
    assert!(error.to_string().contains("newer version"), "{error}");
    assert_eq!(files_of(folder.path()).keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
}

#[test]
fn a_symbolic_link_instead_of_the_database_is_refused() {
    for target in ["../elsewhere.db", "../nothing"] {
        let above = TempDir::new().unwrap();
        let folder = above.path().join("data");
        for (name, octets) in whole() {
            put(&folder, &name, &octets);
        }
        fs::rename(folder.join(DATABASE), above.path().join("elsewhere.db")).unwrap();
        std::os::unix::fs::symlink(target, folder.join(DATABASE)).unwrap();
        let before = files_of(above.path());
        for create in [Create::Never, Create::WithNewKey, Create::Always, Create::StartOver] {
            let refused = open(&config(&folder), create, now()).err().unwrap().to_string();
            assert!(refused.contains("dskpp.db is not usable") && refused.contains("symbolic link"), "{refused}");
        }
        assert_eq!(files_of(above.path()), before, "nothing was created or moved");
    }
}
