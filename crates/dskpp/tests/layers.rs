//! Enforces `docs/layers.txt`, which lists forbidden dependencies between crates, folders, files and libraries, for the
//! source of every crate.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Not as _;
use std::path::{Path, PathBuf};

/// The paths that each module names: `server::store::keys` names `server::model::KeyType`.
type Named = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rules of `docs/layers.txt`.
#[derive(Default)]
struct Rules {
    /// A module, and what it must not name.
    never: Vec<(String, String)>,
    /// Modules that must not have circular dependencies among their children.
    no_circles: Vec<String>,
}

impl Rules {
    fn read(list: &str) -> Self {
        let mut rules = Self::default();
        for line in list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match (line.split_once(" never "), line.strip_suffix(" has no circles")) {
                (Some((who, what)), _) => rules.never.push((who.trim().to_owned(), what.trim().to_owned())),
                (None, Some(who)) => rules.no_circles.push(who.trim().to_owned()),
                (None, None) => panic!("'A never B' or 'A has no circles', not '{line}'"),
            }
        }
        rules
    }

    /// The violations, with module and path.
    fn broken(&self, named: &Named) -> Vec<String> {
        let never = self.never.iter().flat_map(|(who, what)| breaches(who, what, named));
        never.chain(self.no_circles.iter().filter_map(|who| circle(who, named))).collect()
    }
}

/// Library names by folder name.
fn crates() -> BTreeMap<String, String> {
    let folders = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let name = |folder: PathBuf| {
        let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
        let library = manifest["package"]["name"].as_str().unwrap().replace('-', "_");
        (folder.file_name().unwrap().to_str().unwrap().to_owned(), library)
    };
    folders.filter(|folder| folder.join("Cargo.toml").exists()).map(name).collect()
}

/// All sources except tests, by module path.
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

/// A source without comments and without the tests at its end.
fn code(source: &str) -> String {
    let source = source.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = source.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join(" ")
}

/// The paths of a `use` tree, prefixed with `before`: `a::{b, c::d}` is `a::b` and `a::c::d`.
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

/// All paths of a source, in `use` and elsewhere.
fn named(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (i, _) in code.match_indices("use ") {
        let is_word = code[..i].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
        if let (true, Some(end)) = (is_word, code[i..].find(';')) {
            paths("", &code[i + 4..i + end], &mut found);
        }
    }
    let in_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words = code.split(|c| !in_path(c)).filter(|word| word.contains("::") && !word.ends_with(':'));
    found.extend(words.map(str::to_owned));
    found
}

/// The absolute path: from the crate's folder, or from the name of another library.
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
            // An imported name may equal a folder's name: the `use` line counts.
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
    // A re-export of a crate's root is resolved to its origin: `pskc::Key` is `pskc::key::Key`.
    let mut origins = BTreeMap::new();
    for name in crates.keys() {
        let inside = |path: &&String| is_within(path, name) && path.split("::").count() > 2;
        let handed_on = all.get(name).into_iter().flatten().filter(inside).cloned();
        origins.extend(handed_on.map(|path| (format!("{name}::{}", path.rsplit("::").next().unwrap()), path)));
    }
    for (module, paths) in &mut all {
        let origin =
            |path: &String| origins.get(path).filter(|_| crates.contains_key(module).not()).unwrap_or(path).clone();
        *paths = paths.iter().map(origin).collect();
    }
    all
}

fn is_within(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn breaches(who: &str, what: &str, named: &Named) -> Vec<String> {
    let modules = named.iter().filter(|(module, _)| is_within(module, who) && !is_within(module, what));
    let breach = |(module, path): (&String, &String)| format!("{who} never {what}: {module} names {path}");
    let paths = modules.flat_map(|(module, paths)| paths.iter().map(move |path| (module, path)));
    paths.filter(|(_, path)| is_within(path, what)).map(breach).collect()
}

/// Modules in `who` with circular dependencies, and modules leading into them.
fn circle(who: &str, named: &Named) -> Option<String> {
    let modules: BTreeSet<String> = named.keys().filter_map(|module| child(who, module)).collect();
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, paths) in named {
        let Some(from) = child(who, module) else { continue };
        let to = paths.iter().filter_map(|path| child(who, path)).filter(|to| *to != from && modules.contains(to));
        arrows.entry(from.clone()).or_default().extend(to);
    }
    // A module without remaining dependencies is in no circle.
    while let Some(free) = arrows.iter().find(|(_, to)| to.is_empty()).map(|(from, _)| from.clone()) {
        arrows.remove(&free);
        arrows.values_mut().for_each(|to| to.retain(|to| *to != free));
    }
    (!arrows.is_empty()).then(|| format!("{who} has circles among {arrows:?}"))
}

/// The direct child of `who` that contains a path.
fn child(who: &str, path: &str) -> Option<String> {
    let name = path.strip_prefix(who)?.strip_prefix("::")?.split("::").next()?;
    Some(format!("{who}::{name}"))
}

#[test]
fn no_dependency_points_up_a_layer() {
    let rules = Rules::read(&fs::read_to_string(root().join("docs/layers.txt")).unwrap());
    let named = read();
    for who in rules.never.iter().map(|(who, _)| who).chain(&rules.no_circles) {
        assert!(named.keys().any(|module| is_within(module, who)), "there is no {who}");
    }
    let broken = rules.broken(&named);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    // Known dependencies are found: the parser misses no kind of path.
    for (module, path) in [
        ("server::store::rows", "server::model::KeyRecord"),
        ("server::store::key_package", "server::store::key_package::intake"),
        ("server::store::import::taken", "server::store::export::outgoing"),
        ("cli::serve", "server"),
        ("crypto::cert_path", "webpki"),
    ] {
        assert!(named[module].iter().any(|named| is_within(named, path)), "{module} names {path}");
    }
}

#[test]
fn an_upward_dependency_is_found_however_it_is_written() {
    let rules = Rules::read("# a comment\nserver::model never server::store\nserver never client\n");
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
        let broken = rules.broken(&[("server::model".to_owned(), paths)].into());
        assert_eq!(!broken.is_empty(), is_broken, "{source}: {broken:?}");
    }
}

#[test]
fn a_circle_is_found_whatever_its_length() {
    let of = |arrows: &[(&str, &str)]| {
        let mut named = Named::new();
        for (from, to) in arrows {
            named.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        Rules::read("a has no circles").broken(&named).len()
    };
    assert_eq!(of(&[("a::x", "a::y::Y"), ("a::y", "a::z"), ("a::z", "b::x"), ("a::x", "a::x::deep")]), 0);
    assert_eq!(of(&[("a::x", "a::y"), ("a::y", "a::x")]), 1);
    assert_eq!(of(&[("a::x", "a::y"), ("a::y::deep", "a::z::Z"), ("a::z", "a::x::X"), ("a::w", "a::x")]), 1);
}
