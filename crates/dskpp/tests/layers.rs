//! `docs/layers.txt` says what may never name what: crates, folders and files of them, and libraries. Here the source
//! of every crate is read and held to it.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Paths that each module names: `server::store::keys` names `server::model::KeyType`.
type Named = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Pairs of the list: who, and what it never names.
fn never(list: &str) -> Vec<(String, String)> {
    let lines = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| {
        let (who, what) = line.split_once(" never ").unwrap_or_else(|| panic!("'A never B', not '{line}'"));
        (who.trim().to_owned(), what.trim().to_owned())
    };
    lines.map(pair).collect()
}

/// The names of the libraries by those of their folders.
fn crates() -> BTreeMap<String, String> {
    let folders = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let name = |folder: PathBuf| {
        let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
        let library = manifest["package"]["name"].as_str().unwrap().replace('-', "_");
        (folder.file_name().unwrap().to_str().unwrap().to_owned(), library)
    };
    folders.filter(|folder| folder.join("Cargo.toml").exists()).map(name).collect()
}

/// All sources but tests, by the modules that they are.
fn sources() -> Vec<(String, String)> {
    let (mut sources, mut of_tests) = (Vec::new(), BTreeSet::new());
    for name in crates().keys() {
        let mut folders = vec![(name.clone(), root().join("crates").join(name).join("src"))];
        while let Some((module, folder)) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                let stem = path.file_stem().unwrap().to_str().unwrap();
                let module = match stem {
                    "lib" | "main" | "mod" => module.clone(),
                    stem => format!("{module}::{stem}"),
                };
                if path.is_dir() {
                    folders.push((module, path));
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let source = fs::read_to_string(&path).unwrap();
                    let tests = source.split("#[cfg(test)]\n").skip(1).filter_map(|rest| rest.split_once(';'));
                    let tests = tests.filter_map(|(test, _)| test.rsplit_once("mod "));
                    of_tests.extend(tests.map(|(_, test)| format!("{module}::{test}")));
                    sources.push((module, source));
                }
            }
        }
    }
    sources.retain(|(module, _)| !of_tests.iter().any(|tests| is_within(module, tests)));
    sources
}

/// What a source says outside of comments and of the tests at its end.
fn code(source: &str) -> String {
    let source = source.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = source.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join(" ")
}

/// The paths of a `use` tree, each with `before` in front: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(before: &str, tree: &str, found: &mut BTreeSet<String>) {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap().trim();
        found.insert(format!("{before}{path}"));
        return;
    };
    let inside = rest.strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut begin) = (0, 0);
    for (i, c) in inside.char_indices().chain([(inside.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inside[begin..i].trim().is_empty() {
                    paths(&format!("{before}{}", head.trim()), &inside[begin..i], found);
                }
                begin = i + 1;
            }
            _ => {}
        }
    }
}

/// All paths of a source: those of `use`, and those that stand in the midst of code.
fn named(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (i, _) in code.match_indices("use ") {
        let is_word = code[..i].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
        if let (true, Some(end)) = (is_word, code[i..].find(';')) {
            paths("", &code[i + 4..i + end], &mut found);
        }
    }
    let in_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    found.extend(code.split(|c| !in_path(c)).filter(|word| word.contains("::")).map(str::to_owned));
    found
}

/// The path as the list has it: from the folder of its crate on, or from the name of another library.
fn absolute(module: &str, path: &str, crates: &BTreeMap<String, String>, modules: &BTreeSet<String>) -> String {
    let mut of: Vec<&str> = module.split("::").collect();
    let mut parts = path.split("::").peekable();
    let first = parts.next().unwrap();
    match first {
        "crate" => of.truncate(1),
        "self" => {}
        child if modules.contains(&format!("{module}::{child}")) => of.push(child),
        "super" => {
            of.pop();
            while parts.next_if_eq(&"super").is_some() {
                of.pop();
            }
        }
        library => {
            let folder = crates.iter().find(|(_, name)| *name == library).map(|(folder, _)| &**folder);
            // What `use` has brought in may be called as a folder is: that line of `use` counts.
            let other = if crates.contains_key(library) { "local" } else { library };
            of = vec![folder.unwrap_or(other)];
        }
    }
    of.into_iter().chain(parts).collect::<Vec<_>>().join("::")
}

fn read() -> Named {
    let (crates, sources) = (crates(), sources());
    let modules = sources.iter().map(|(module, _)| module.clone()).collect();
    let mut all = Named::new();
    for (module, source) in sources {
        let paths = named(&code(&source));
        let paths = paths.iter().map(|path| absolute(&module, path, &crates, &modules));
        all.entry(module.clone()).or_default().extend(paths);
    }
    all
}

fn is_within(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Lines of the list that do not hold, with where and how.
fn broken(never: &[(String, String)], named: &Named) -> Vec<String> {
    let mut broken = Vec::new();
    for (who, what) in never {
        let modules = named.iter().filter(|(module, _)| is_within(module, who));
        for (module, paths) in modules {
            let paths = paths.iter().filter(|path| is_within(path, what) && !is_within(what, module));
            broken.extend(paths.map(|path| format!("{who} never {what}: {module} names {path}")));
        }
    }
    broken
}

#[test]
fn no_arrow_between_layers_runs_back_up() {
    let never = never(&fs::read_to_string(root().join("docs/layers.txt")).unwrap());
    let named = read();
    for (who, _) in &never {
        assert!(named.keys().any(|module| is_within(module, who)), "there is no {who}");
    }
    let broken = broken(&never, &named);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    // What is known to be there is seen: the reading misses no kind of path.
    for (module, path) in [
        ("server::store::rows", "server::model::KeyRecord"),
        ("server::package", "server::package::intake"),
        ("server::store::import::taken", "server::store::export::outgoing"),
        ("cli::serve", "server"),
        ("crypto::path", "webpki"),
    ] {
        assert!(named[module].iter().any(|named| is_within(named, path)), "{module} names {path}");
    }
}

#[test]
fn an_arrow_that_runs_back_up_is_seen_however_it_is_written() {
    let never = never("# a comment\nserver::model never server::store\nserver never client\n");
    for (source, is_broken) in [
        ("use crate::store::Store;", true),
        ("use crate::{config::Config, store::{keys::Verdict, Store}};", true),
        ("use crate::{\n    config,\n    store,\n};", true),
        ("use super::store::Store;", true),
        ("pub(crate) use crate::store as elsewhere;", true),
        ("fn f() { crate::store::now() }", true),
        ("fn f(of: &dskpp_client::Token) {}", true),
        ("use crate::stored::Store;", false),
        ("// use crate::store::Store;", false),
        ("use crate::config::Config;\n\n#[cfg(test)]\nmod tests {\n    use crate::store::Store;\n}", false),
    ] {
        let paths = named(&code(source));
        let paths = paths.iter().map(|path| absolute("server::model", path, &crates(), &BTreeSet::new())).collect();
        let broken = broken(&never, &[("server::model".to_owned(), paths)].into());
        assert_eq!(!broken.is_empty(), is_broken, "{source}: {broken:?}");
    }
}
