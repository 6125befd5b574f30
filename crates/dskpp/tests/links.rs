//! Every link between documents is valid: file and heading exist.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Folders without our own documents.
const PASSED_OVER: [&str; 4] = ["target", ".git", "node_modules", "seeds"];

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && !PASSED_OVER.contains(&&*name.to_string_lossy()) {
            documents(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// The text without code, where brackets are not links.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let lines = text.lines().map(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        let parts = line.split('`').step_by(2);
        if is_code || is_fence { String::new() } else { parts.collect::<Vec<_>>().join(" ") }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let starts = prose.match_indices("](").map(|(at, mark)| at + mark.len());
    starts.filter_map(|at| Some(prose.get(at..)?.split_once(')')?.0.to_owned())).collect()
}

/// The anchors of headings: lower case, hyphens for spaces, no other characters than letters and digits.
fn headings(text: &str) -> Vec<String> {
    let mut is_code = false;
    let lines = text.lines().filter(|line| {
        is_code ^= line.starts_with("```");
        !is_code && line.starts_with('#')
    });
    let name = |line: &str| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    lines.map(name).collect()
}

/// `a/../b` as `b`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => _ = plain.pop(),
            part => plain.push(part),
        }
        plain
    })
}

fn broken(root: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    documents(root, &mut paths);
    let texts: HashMap<PathBuf, String> =
        paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("a document"))).collect();
    let mut broken = Vec::new();
    for (path, text) in &texts {
        for link in links(text).into_iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => path.clone(),
                file => plain(&path.parent().unwrap_or(root).join(file)),
            };
            let has_heading =
                || texts.get(&target).is_some_and(|text| headings(text).iter().any(|name| name == heading));
            if !target.exists() || !heading.is_empty() && !has_heading() {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    broken.sort();
    broken
}

#[test]
fn every_link_of_a_document_is_valid() {
    let root = plain(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    let broken = broken(&root);
    assert!(broken.is_empty(), "these lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn broken_links_are_found() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("links");
    fs::create_dir_all(&folder).expect("a folder");
    let text = "# A title\n[a](#a-title) [b](b.md) [c](#c) `[d](d)`\n```\n[e](e)\n```\n[f](https://example.org/f)\n";
    fs::write(folder.join("a.md"), text).expect("written");
    let found: Vec<String> =
        broken(&folder).iter().filter_map(|line| Some(line.rsplit_once(' ')?.1.to_owned())).collect();
    assert_eq!(found, ["#c", "b.md"]);
}

/// The walks in docs/architecture.md: a moved or renamed function breaks this test.
#[test]
fn every_step_of_the_walks_names_a_function_of_its_file() {
    let root = plain(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    let page = fs::read_to_string(root.join("docs/architecture.md")).expect("a document");
    let mut steps = 0;
    for line in page.lines().filter(|line| line.starts_with("| ") && line.contains(".rs` |")) {
        let quoted: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        let [function, file] = quoted[..] else { continue };
        let source = fs::read_to_string(root.join(file)).unwrap_or_else(|_| panic!("there is no {file}"));
        let declared = |end| source.contains(&format!("fn {function}{end}"));
        assert!(declared('(') || declared('<'), "{file} has no function {function}");
        steps += 1;
    }
    assert!(steps >= 25, "the page has {steps} steps");
}
