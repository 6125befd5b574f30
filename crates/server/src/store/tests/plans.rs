//! No statement of the store reads a whole table, however long the tables are: its plan is looked at on each engine.

use std::collections::BTreeMap;

use super::*;
use crate::store::scratch::{Noted, noted, record};

/// Tables that have a few rows however large the store is.
const SMALL: [&str; 5] = ["schema", "store", "setting", "session_key", "k_server"];

/// Statements that are meant to read many rows, or stop at the first one, by their beginning.
const MAY_SCAN: &[(&str, &str)] = &[
    ("SELECT 1 FROM api_token LIMIT 1", "the first row is enough"),
    ("DELETE FROM enrolment WHERE user_id = ?", "a rare call, and the keys that wait for a first password are few"),
    ("SELECT count(*) FROM key k", "an export says first how many keys go out"),
    (
        "DELETE FROM enrolment WHERE id = ?",
        "once in hours; pending_key, which refers to it, has renewals that wait only",
    ),
];

/// Files whose statements are no part of serving: they read all there is, or what the engine says of itself.
const OF_COMMANDS: &[&str] = &[
    "check.rs",
    "catalogue.rs",
    "copy.rs",
    "backup.rs",
    "side.rs",
    "tables.rs",
    "migrate.rs",
    "rotate.rs",
    "current_kek.rs",
    "disk.rs",
];

/// A store so large that a planner has a choice: rows as others write them do not matter here, their number does.
const MANY: &str = "
    INSERT INTO \"user\" (id, name, created_at) SELECT 'u' || n, 'user ' || n, 1 FROM numbers;
    INSERT INTO device (id, manufacturer, serial, key_name, created_at)
        SELECT 'd' || n, 'maker ' || n % 10, 'serial ' || n, 'name ' || n, 1 FROM numbers;
    INSERT INTO key (id, user_id, device_id, key_type, params, sealed_k_token, state, created_at)
        SELECT 'k' || n, 'u' || n, CASE n % 10 WHEN 0 THEN 'd' || n END, 'hotp', '{}', NOTHING, 'active', 1 FROM numbers;
    INSERT INTO enrolment (id, user_id, client_id, sealed_password, key_type, params, methods, state, activate,
        trigger_token_hash, created_at, expires_at)
        SELECT 'e' || n, 'u' || n, 'c' || n, NOTHING, 'hotp', '{}', '[]', 'open', 'at-once', HASH, 1, 2 FROM numbers;
    INSERT INTO pending_key (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at)
        SELECT 'k' || n, 'e' || n, 'urn:prf', NOTHING, NOTHING, 1 FROM numbers;
    INSERT INTO outbox (id, key_id, sink, operation, seq, state, attempts, queued_at, next_at)
        SELECT 'o' || n, 'k' || n, 'sink ' || n % 3, 'put', 1, CASE n % 9 WHEN 0 THEN 'pending' ELSE 'delivered' END, 0,
        1, n FROM numbers;
    INSERT INTO answer (session_id, request_hash, sealed_response, expires_at)
        SELECT 'many ' || n, NOTHING, NOTHING, n FROM numbers;
    INSERT INTO api_token (id, name, hash, roles, created_at) SELECT 't' || n, 't', HASH, '[]', 1 FROM numbers;
    INSERT INTO audit (chain, seq, at, event, subject, hash) SELECT 'chain', n, 1, 'e', '{}', NOTHING FROM numbers;
    INSERT INTO import (id, done, accepted, duplicate, refused, created_at) SELECT 'i' || n, 1, 1, 1, 1, 1 FROM numbers;
    INSERT INTO idempotent (id, request_hash, state, lease, lease_until, expires_at)
        SELECT 'i' || n, HASH, 'begun', 'l', n, n FROM numbers;
    INSERT INTO wrong_password (subject, count, at) SELECT 'user ' || n, 1, n FROM numbers;
    INSERT INTO wrong_try (enrolment_id, address, count, at) SELECT 'e' || n, 'a', 1, n FROM numbers;
    INSERT INTO refusal (enrolment_id, hour, count, cause, at) SELECT 'e' || n, n, n % 2, 'wrong-code', 1 FROM numbers";

/// A store of which every statement was noted, after a walk through all that it does.
async fn recorded() -> Db {
    let scratch = Scratch::new();
    record(&scratch.database);
    let store = Store::open(scratch.database.clone(), kek(1), POLICY).unwrap();
    let db = Db { store, scratch };
    db.walk().await;
    db
}

#[tokio::test]
async fn no_statement_scans_a_table_on_either_engine() {
    let db = recorded().await;
    let statements = noted(&db.scratch.database);
    assert!(statements.len() > 100, "only {} statements were seen", statements.len());
    let numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)";
    let (nothing, hash) = match is_on_postgres() {
        true => ("CAST('x' AS BYTEA)", "CAST('x' || n AS BYTEA)"),
        false => ("x'00'", "CAST('x' || n AS BLOB)"),
    };
    for insert in MANY.split(";\n") {
        let insert = insert.replace("NOTHING", nothing).replace("HASH", hash);
        let (head, select) = insert.split_once("SELECT").unwrap();
        db.execute(&format!("{head} {numbers} SELECT {select}"));
    }
    db.execute("ANALYZE");
    let without_index = "SELECT id FROM enrolment WHERE key_id = ?";
    let found = db.scratch.on(|db| scanned(&plan(db, without_index, &[Noted::Text(Some("x".into()))])));
    assert_eq!(found.len(), 1, "a scan is told: {found:?}");
    let mut scans = Vec::new();
    for (sql, values) in &statements {
        let is_read = ["SELECT", "INSERT", "UPDATE", "DELETE"].iter().any(|verb| sql.starts_with(verb));
        let is_of_engine =
            ["pragma_", "sqlite_schema", "information_schema."].iter().any(|catalogue| sql.contains(catalogue));
        if !is_read || is_of_engine || MAY_SCAN.iter().any(|(beginning, _)| sql.starts_with(beginning)) {
            continue;
        }
        let plan = db.scratch.on(|db| plan(db, sql, values));
        // Pages of all rows go from one identifier to the next; with a condition beside it that would be a scan.
        let is_page = sql.contains("?2 IS NULL") && !sql.contains("serial = ?3")
            || ["?2", "1 OFFSET ?2"].iter().any(|end| sql.contains(&format!("WHERE id > ?1 ORDER BY id LIMIT {end}")));
        let is_range = |line: &&String| line.contains("(id>?)") || line.contains("Index Cond: (id > '");
        let ranges = plan.iter().filter(|line| !is_page && is_range(line));
        for line in scanned(&plan).iter().chain(ranges) {
            if !SMALL.iter().any(|table| line.split_whitespace().any(|word| word == *table)) {
                scans.push(format!("{line}\n  in {sql}\n{}", plan.join("\n")));
            }
        }
    }
    assert!(scans.is_empty(), "{} scans:\n{}", scans.len(), scans.join("\n\n"));
}

/// A table of its own costs SQLite more than the row that a statement writes: constraints and conditions avoid it.
#[tokio::test]
async fn sqlite_makes_no_table_to_write_a_row() {
    if is_on_postgres() {
        return; // nothing of the kind there
    }
    let db = recorded().await;
    let writes = |sql: &str| sql.contains(" VALUES (") || sql.starts_with("UPDATE") && sql.contains(" WHERE id = ");
    let statements = noted(&db.scratch.database);
    let statements: Vec<_> = statements.iter().filter(|(sql, _)| writes(sql)).collect();
    assert!(statements.len() > 20, "only {} statements were seen", statements.len());
    for (sql, values) in statements {
        let opcodes = db.scratch.on(|db| {
            let values: Vec<_> = values.iter().map(Noted::value).collect();
            let opcode = |row: &Row<'_>| Columns::of("program", row).get::<String>(1);
            db.rows(&format!("EXPLAIN {sql}"), &values, opcode).unwrap()
        });
        let tables = opcodes.into_iter().filter(|opcode| opcode.as_deref() == Ok("OpenEphemeral")).count();
        // What RETURNING gives back is collected in one.
        assert_eq!(tables, usize::from(sql.contains(" RETURNING ")), "{sql}");
    }
}

/// In a table WITHOUT ROWID the rows lie in the tree that is searched, and where they are long each comparison on the way
/// reads a page more. So only tables of a few rows may have sealed columns there.
#[test]
fn sqlite_keeps_long_rows_out_of_the_trees_that_it_searches() {
    if is_on_postgres() {
        return; // rows lie beside their indexes there
    }
    let db = Db::new();
    let searched = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%WITHOUT ROWID%' ORDER BY name";
    let long = "SELECT t.name FROM sqlite_schema t WHERE t.type = 'table' AND t.sql LIKE '%WITHOUT ROWID%' \
         AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) c WHERE c.name LIKE 'sealed%') ORDER BY t.name";
    assert!(db.texts(searched).contains(&"audit".to_owned()), "the condition finds such tables");
    assert_eq!(db.texts(long), ["k_server", "session_key", "setting"], "a few rows in each");
}

fn plan(db: &Connection, sql: &str, values: &[Noted]) -> Vec<String> {
    let (explain, column) = match db {
        Connection::Sqlite(_) => ("EXPLAIN QUERY PLAN", 3),
        Connection::Postgres(_) => {
            // A planner that may scan a table does so where that is no dearer, which is no matter of statistics.
            db.batch("SET enable_seqscan = off").unwrap();
            ("EXPLAIN (COSTS OFF)", 0)
        }
    };
    let values: Vec<_> = values.iter().map(Noted::value).collect();
    let rows = db.rows(&format!("{explain} {sql}"), &values, |row| Columns::of("plan", row).get(column)).unwrap();
    rows.into_iter().map(Result::unwrap).collect()
}

/// The lines of a plan by which a table is read from its beginning to its end, or as far as an index is of no use.
fn scanned(plan: &[String]) -> Vec<String> {
    let mut scanned = Vec::new();
    if !is_on_postgres() {
        let is_scan = |line: &&String| line.starts_with("SCAN ") && !line.starts_with("SCAN CONSTANT");
        return plan.iter().filter(is_scan).cloned().collect();
    }
    let depth = |line: &str| line.len() - line.trim_start().len();
    let is_scan = |line: &str| {
        let is_node = depth(line) == 0 || line.trim_start().starts_with("->");
        is_node && line.contains(" Scan ") && line.contains(" on ") && !line.contains("Subquery")
    };
    for (i, line) in plan.iter().enumerate().filter(|(_, line)| is_scan(line)) {
        let details = plan[i + 1..].iter().take_while(|of| depth(of) > depth(line) && !of.contains("->"));
        let details: Vec<_> = details.collect();
        // The first rows in the order of an index, or any rows: no more than are asked for.
        let is_limited = plan[..i].iter().rev().scan(depth(line), |outer, of| {
            let is_outer = depth(of) < *outer;
            *outer = if is_outer { depth(of) } else { *outer };
            Some(is_outer && of.contains("Limit"))
        });
        let is_limited = is_limited.into_iter().any(|limited| limited);
        let has = |what: &str| details.iter().any(|detail| detail.trim_start().starts_with(what));
        let is_by_index = has("Index Cond") || line.contains("Bitmap Heap Scan");
        let is_first_rows = is_limited && !has("Filter");
        if !is_by_index && !is_first_rows {
            scanned.push(line.clone());
        }
    }
    scanned
}

/// No statement that stands in the store's source escapes the walk.
#[tokio::test]
async fn the_walk_runs_every_statement_of_the_store() {
    let db = recorded().await;
    let seen: Vec<_> = noted(&db.scratch.database).into_keys().map(|sql| words(&sql)).collect();
    let mut literals = BTreeMap::new();
    let mut folders = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_str().unwrap();
            match entry.is_dir() {
                true if !["tests", "db"].contains(&name) => folders.push(entry),
                false if !OF_COMMANDS.contains(&name) && name != "scratch.rs" && name != "db.rs" => {
                    let text = std::fs::read_to_string(&entry).unwrap();
                    literals.extend(statements(&text).into_iter().map(|sql| (sql, name.to_owned())));
                }
                _ => {}
            }
        }
    }
    assert!(literals.len() > 60, "only {} statements were found", literals.len());
    for (literal, file) in literals {
        let mut pieces = Vec::new();
        for piece in words(&literal).split('{') {
            pieces.push(piece.split_once('}').map_or(piece, |(_, piece)| piece).to_owned());
        }
        let is_seen = seen.iter().any(|sql| {
            let mut rest = &**sql;
            pieces.iter().all(|piece| match rest.find(piece.as_str()) {
                Some(at) => {
                    rest = &rest[at + piece.len()..];
                    true
                }
                None => false,
            })
        });
        assert!(is_seen, "{file}: nothing in the walk runs {literal}");
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The string literals of a source file that begin as a statement does.
fn statements(source: &str) -> Vec<String> {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let source = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ").replace("\\\"", "\u{1}");
    let literals = source.split('"').skip(1).step_by(2).map(|literal| literal.replace('\u{1}', "\""));
    let is_statement =
        |literal: &String| ["SELECT ", "INSERT ", "UPDATE ", "DELETE "].iter().any(|verb| literal.starts_with(verb));
    literals.filter(is_statement).collect()
}
