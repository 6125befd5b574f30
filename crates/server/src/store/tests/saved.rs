//! A saved database of every schema so far is opened, migrated and whole (`tests/data/schema/ENGINE-VERSION.sql`).
//!
//! The files for versions up to 15 were made by the migrations up to that version, and rows with the columns and states
//! that the software of that version wrote. SQLite's have the whole database; PostgreSQL's have the rows, for the tables
//! that the migrations make.

use super::migration::ours;
use super::*;
use crate::store::key_package::Elements;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/schema");

enum Kept {
    Text(String),
    Int(i64),
    Blob(Vec<u8>),
}
use Kept::{Blob, Int, Text};

/// A table, the first and the last version in which there is such a row, and its columns; those that a version lacks are
/// left out.
type Saved = (&'static str, usize, usize, Vec<(&'static str, Kept)>);

fn text(text: &str) -> Kept {
    Text(text.to_owned())
}

fn sealed(table: &'static str, column: &'static str, row: &str, secret: &[u8]) -> Kept {
    Blob(kek(1).seal(table, column, row, &Secret::from_slice(secret)))
}

fn rows() -> Vec<Saved> {
    const LAST: usize = usize::MAX;
    let mut rows: Vec<Saved> = Vec::new();
    for (id, name) in [("u1", "alice"), ("u2", "bob")] {
        rows.push(("user", 1, LAST, vec![("id", text(id)), ("name", text(name)), ("created_at", Int(1))]));
    }
    rows.push((
        "device",
        1,
        LAST,
        vec![
            ("id", text("d1")),
            ("manufacturer", text("acme")),
            ("serial", text("7")),
            ("key_name", text("acme 7")),
            ("sealed_shared_key", sealed("device", "sealed_shared_key", "d1", b"shared with a device")),
            ("created_at", Int(2)),
        ],
    ));
    let package = Elements::new().write(&at_rest::imported()).to_vec();
    for (id, state, enrolment, from) in [
        ("active", "active", Some("e-active"), 1),
        ("waiting", "provisioned", Some("e-provisioned"), 1),
        ("replaced", "replaced", Some("e-active"), 1),
        ("revoked", "revoked", Some("e-revoked"), 1),
        ("imported", "imported", None, 2),
        ("disabled", "disabled", Some("e-active"), 21),
    ] {
        let mut key = vec![
            ("id", text(id)),
            ("key_type", text("hotp")),
            ("params", text("{\"digits\":6,\"counter\":0}")),
            ("sealed_k_token", sealed("key", "sealed_k_token", id, K_TOKEN)),
            ("state", text(state)),
            ("counter", Int(3)),
            ("created_at", Int(4)),
        ];
        match enrolment {
            Some(enrolment) => key.extend([
                ("user_id", text("u1")),
                ("enrolment_id", text(enrolment)),
                ("mac_algorithm", text("urn:prf")),
                ("sealed_k_mac", sealed("key", "sealed_k_mac", id, K_MAC)),
                ("device_id", text("d1")),
                ("url_s", text("https://keys.example/dskpp")),
                ("label", text("spare")),
            ]),
            None => key.extend([("sealed_package", sealed("key", "sealed_package", id, &package))]),
        }
        rows.push(("key", from, LAST, key));
    }
    for (id, state, key, last) in [
        ("e-open", "open", None, LAST),
        ("e-provisioned", "provisioned", Some("waiting"), LAST),
        ("e-active", "active", Some("active"), LAST),
        ("e-revoked", "revoked", Some("revoked"), LAST),
        ("e-renewal", "provisioned", Some("active"), LAST),
        ("e-locked", "locked", None, 7),
    ] {
        let ad = TriggerAd { nonce: vec![1; 16], mac: vec![2; 16], url_s: "https://keys.example/dskpp".into() };
        let mut enrolment = vec![
            ("id", text(id)),
            ("user_id", text("u1")),
            ("client_id", text(&format!("client of {id}"))),
            ("sealed_password", sealed("enrolment", "sealed_password", id, b"password")),
            ("key_type", text("hotp")),
            ("params", text("{\"digits\":6,\"counter\":0}")),
            ("methods", text("[]")),
            ("state", text(state)),
            ("activate", text(if state == "provisioned" { "on-otp" } else { "at-once" })),
            ("trigger_token_hash", Blob(Sha256::digest(&[id.as_bytes()]).to_vec())),
            ("sealed_trigger", Blob(rows::seal_trigger(&ad, &kek(1), id))),
            ("trigger_nonce", Blob(ad.nonce)),
            ("trigger_mac", Blob(ad.mac)),
            ("trigger_url", Text(ad.url_s)),
            ("created_at", Int(5)),
            ("expires_at", Int(4_000_000_000)),
        ];
        enrolment.extend(key.map(|key| ("key_id", text(key))));
        enrolment.extend((id == "e-renewal").then(|| ("renews", text("active"))));
        rows.push(("enrolment", 1, last, enrolment));
    }
    rows.push((
        "pending_key",
        3,
        LAST,
        vec![
            ("id", text("active")),
            ("enrolment_id", text("e-renewal")),
            ("mac_algorithm", text("urn:prf")),
            ("sealed_k_token", sealed("pending_key", "sealed_k_token", "active", b"the secret that waits")),
            ("sealed_k_mac", sealed("pending_key", "sealed_k_mac", "active", K_MAC)),
            ("created_at", Int(6)),
        ],
    ));
    rows.push((
        "outbox",
        19,
        LAST,
        vec![
            ("id", text("o1")),
            ("key_id", text("active")),
            ("sink", text("pam")),
            ("operation", text("put")),
            ("seq", Int(1)),
            ("state", text("pending")),
            ("attempts", Int(0)),
            ("queued_at", Int(6)),
            ("next_at", Int(6)),
        ],
    ));
    rows.push((
        "idempotent",
        21,
        LAST,
        vec![
            ("id", text("c1")),
            ("request_hash", Blob(vec![7; 32])),
            ("state", text("answered")),
            ("lease", text("l1")),
            ("lease_until", Int(6)),
            ("status", Int(201)),
            ("sealed_answer", sealed("idempotent", "sealed_answer", "c1", b"{}")),
            ("expires_at", Int(4_000_000_000)),
        ],
    ));
    rows.push((
        "answer",
        1,
        LAST,
        vec![
            ("session_id", text("s1")),
            ("request_hash", Blob(vec![7; 32])),
            ("response", Blob(b"an answer".to_vec())),
            ("sealed_response", sealed("answer", "sealed_response", "s1", b"an answer")),
            ("expires_at", Int(4_000_000_000)),
        ],
    ));
    rows.push((
        "api_token",
        1,
        LAST,
        vec![
            ("id", text("t1")),
            ("name", text("reader")),
            ("hash", Blob(Sha256::digest(&[b"token"]).to_vec())),
            ("roles", text("[\"read\"]")),
            ("created_at", Int(7)),
        ],
    ));
    rows.push((
        "setting",
        1,
        LAST,
        vec![
            ("name", text("session_key")),
            ("sealed_value", sealed("setting", "sealed_value", "session_key", &[3; 32])),
        ],
    ));
    let mut before = Vec::new();
    for (seq, event) in [(1, "user.created"), (2, "key.provisioned"), (3, "key.revoked")] {
        before = audit::link(&before, seq, event, "{}").to_vec();
        rows.push((
            "audit",
            1,
            LAST,
            vec![
                ("seq", Int(seq)),
                ("at", Int(seq)),
                ("event", text(event)),
                ("subject", text("{}")),
                ("hash", Blob(before.clone())),
            ],
        ));
    }
    rows.push((
        "import",
        2,
        LAST,
        vec![
            ("id", text("a file")),
            ("done", Int(1)),
            ("accepted", Int(1)),
            ("duplicate", Int(0)),
            ("refused", Int(0)),
            ("created_at", Int(8)),
        ],
    ));
    rows.push((
        "wrong_try",
        8,
        LAST,
        vec![("enrolment_id", text("e-open")), ("address", text("192.0.2.1")), ("count", Int(1)), ("at", Int(9))],
    ));
    rows.push((
        "refusal",
        8,
        LAST,
        vec![
            ("enrolment_id", text("e-open")),
            ("hour", Int(1)),
            ("count", Int(1)),
            ("cause", text("wrong-code")),
            ("at", Int(9)),
        ],
    ));
    rows
}

fn engine() -> &'static str {
    if is_on_postgres() { "postgres" } else { "sqlite" }
}

fn file(version: usize) -> PathBuf {
    PathBuf::from(FOLDER).join(format!("{}-{version:02}.sql", engine()))
}

/// A database with the tables of that version.
fn tables_of(version: usize) -> Scratch {
    let scratch = Scratch::new();
    let migrations: Vec<_> = ours().into_iter().filter(|(number, ..)| *number <= version).collect();
    scratch.migrate_by(&migrations).unwrap();
    if version <= 11 {
        scratch.execute("DROP TABLE migration"); // which software of that time did not make
    }
    scratch
}

/// Writes the files that are missing, where `DSKPP_SAVE_SCHEMA` is set: whoever adds a migration does so once, on each
/// engine.
#[test]
fn files_that_are_missing_are_written_on_demand() {
    if std::env::var_os("DSKPP_SAVE_SCHEMA").is_none() {
        return;
    }
    let hex = |octets: &[u8]| data_encoding::HEXLOWER.encode(octets);
    let literal = |kept: Kept| match kept {
        Text(text) => format!("'{}'", text.replace('\'', "''")),
        Int(number) => number.to_string(),
        Blob(octets) if is_on_postgres() => format!("'\\x{}'", hex(&octets)),
        Blob(octets) => format!("x'{}'", hex(&octets)),
    };
    std::fs::create_dir_all(FOLDER).unwrap();
    for version in ours().iter().map(|(number, ..)| *number).filter(|version| !file(*version).exists()) {
        let scratch = tables_of(version);
        let mut sql = String::new();
        for (table, first, last, columns) in rows() {
            if !(first..=last).contains(&version) {
                continue;
            }
            let has = match is_on_postgres() {
                true => format!(
                    "SELECT CAST(column_name AS TEXT) FROM information_schema.columns WHERE table_name = '{table}' AND table_schema = current_schema()"
                ),
                false => format!("SELECT name FROM pragma_table_info('{table}')"),
            };
            let has = scratch.texts(&has);
            let mut columns: Vec<_> =
                columns.into_iter().filter(|(name, _)| has.iter().any(|known| known == name)).collect();
            if table == "audit" && is_on_postgres() {
                columns.push(("chain", text("of a connection")));
            } else if table == "audit" && version > 10 {
                columns.push(("chain", text("")));
            }
            let (names, values): (Vec<_>, Vec<_>) =
                columns.into_iter().map(|(name, kept)| (name, literal(kept))).unzip();
            sql += &format!("INSERT INTO \"{table}\" ({})\n    VALUES ({});\n", names.join(", "), values.join(", "));
        }
        if !is_on_postgres() {
            let made = scratch.texts(
                "SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
            );
            let setting = "SELECT 'INSERT INTO setting (name, sealed_value) VALUES (' || quote(name) || ', ' || quote(sealed_value) || ');' FROM setting";
            let setting = scratch.texts(setting);
            let books = match version {
                ..10 => Vec::new(),
                10..14 => vec!["INSERT INTO store VALUES (1, '0123456789abcdef', 0);".to_owned()],
                _ => vec!["INSERT INTO store (is_only, id, tried_at) VALUES (1, '0123456789abcdef', 0);".to_owned()],
            };
            let migrations = match version > 11 {
                true => scratch.texts(
                    "SELECT 'INSERT INTO migration VALUES (' || version || ', ' || done_at || ');' FROM migration",
                ),
                false => Vec::new(),
            };
            let oldest = scratch.version().oldest;
            let parts = [made, setting, books, migrations].concat().join("\n");
            sql = format!("PRAGMA foreign_keys = OFF;\n{parts}\n{sql}PRAGMA user_version = {oldest};\n");
        }
        std::fs::write(file(version), sql).unwrap();
    }
}

#[tokio::test]
async fn a_saved_database_of_every_schema_is_migrated_with_all_its_keys_and_enrolments_and_is_whole() {
    for version in ours().iter().map(|(number, ..)| *number) {
        let path = file(version);
        let saved = std::fs::read_to_string(&path).unwrap_or_else(|why| {
            panic!("{}: {why}; with DSKPP_SAVE_SCHEMA=yes this test run makes it", path.display())
        });
        let scratch = if is_on_postgres() { tables_of(version) } else { Scratch::new() };
        scratch.execute(&saved);
        assert_eq!(scratch.version().done, version);
        let store = Store::open(scratch.database.clone(), kek(1), POLICY).unwrap();
        assert_eq!(scratch.version().done, SCHEMA, "from {version}");
        let mut keys =
            vec![("active", "active"), ("replaced", "replaced"), ("revoked", "revoked"), ("waiting", "provisioned")];
        keys.extend((version >= 2).then_some(("imported", "imported")));
        keys.extend((version >= 21).then_some(("disabled", "disabled")));
        assert_eq!(store.keys(None, None, 10).await.unwrap().items.len(), keys.len(), "from {version}");
        for (id, state) in keys {
            let key = store.key(id).await.unwrap().unwrap();
            assert_eq!((key.state.as_str(), key.counter), (state, 3), "{id} from {version}");
            assert_eq!(store.export_key(id, "test".into()).await.unwrap().expose(), K_TOKEN, "{id} from {version}");
        }
        for (id, state) in [
            ("e-open", EnrolmentState::Open),
            ("e-provisioned", EnrolmentState::Provisioned),
            ("e-active", EnrolmentState::Active),
            ("e-revoked", EnrolmentState::Revoked),
            ("e-locked", EnrolmentState::Open),
        ] {
            let Some(enrolment) = store.enrolment(id).await.unwrap() else {
                assert!(id == "e-locked" && version > 7, "{id} from {version}");
                continue;
            };
            assert_eq!(
                (enrolment.state, enrolment.password.expose()),
                (state, &b"password"[..]),
                "{id} from {version}"
            );
            assert_eq!(&*enrolment.trigger.unwrap().nonce, [1; 16], "{id} from {version}");
        }
        assert!(store.token("token").await.unwrap().is_some());
        let found = crate::store::check::check(&scratch.database, &kek(1)).unwrap().findings;
        assert_eq!(found, [], "from {version}");
    }
}
