//! `docs/configuration.md` is made of the configuration's source: sections and keys, their documentation, types, defaults
//! and environment variables. `BLESS=1 cargo test -p dskpp-server --test configuration_page` renews it.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::fmt::Write as _;
use std::path::Path;

use dskpp_api::{Activation, HashName, KeyType, Method, Variant};
use dskpp_server::Config;
use dskpp_server::config::{EncryptionName, MacName};
use toml::{Table, Value};

/// A struct's documentation, and its fields.
struct Struct {
    doc: String,
    fields: Vec<Field>,
}

struct Field {
    doc: String,
    name: String,
    kind: String,
    is_optional: bool,
    default: Option<&'static str>,
}

/// Every source file of the configuration, one after the other.
fn sources() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = vec![folder.join("config.rs")];
    paths.extend(std::fs::read_dir(folder.join("config")).unwrap().map(|entry| entry.unwrap().path()));
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap() + "\n").collect()
}

/// The documentation right above a line.
fn doc_above(lines: &[&str], at: usize) -> String {
    let above = lines[..at].iter().rev().map(|line| line.trim());
    let docs = above.take_while(|line| line.starts_with("///") || line.starts_with("#["));
    let mut docs: Vec<_> = docs.filter_map(|line| line.strip_prefix("///")).map(str::trim).collect();
    docs.reverse();
    docs.join(" ")
}

fn read_struct(source: &str, name: &str) -> Struct {
    let lines: Vec<&str> = source.lines().collect();
    let begin = format!("pub struct {name} {{");
    let at = lines.iter().position(|line| *line == begin).unwrap_or_else(|| panic!("there is no {begin}"));
    let mut fields = Vec::new();
    for (i, line) in lines.iter().enumerate().skip(at + 1).take_while(|(_, line)| **line != "}") {
        let Some((name, kind)) = line.trim().strip_prefix("pub ").and_then(|field| field.split_once(": ")) else {
            continue;
        };
        let attributes = lines[..i].iter().rev().take_while(|line| line.trim().starts_with(['/', '#']));
        let attributes = attributes.copied().collect::<String>();
        fields.push(Field {
            doc: doc_above(&lines, i),
            name: name.to_owned(),
            kind: kind.trim_end_matches(',').to_owned(),
            is_optional: attributes.contains("serde(default"),
            default: attributes.contains("timeout_s\")").then_some("20"),
        });
    }
    Struct { doc: doc_above(&lines, at), fields }
}

/// What a type is in TOML, in words.
fn type_in_words(source: &str, kind: &str) -> String {
    let within = |outer: &str| kind.strip_prefix(outer).and_then(|rest| rest.strip_suffix('>'));
    if let Some(item) = within("Option<") {
        return type_in_words(source, item);
    }
    if let Some(item) = within("Vec<") {
        return format!("list: {}", type_in_words(source, item));
    }
    let names = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match kind {
        "String" => "text".into(),
        "PathBuf" => "path".into(),
        "bool" => "`true`, `false`".into(),
        "u8" | "u32" | "u64" | "usize" => "whole number".into(),
        "SocketAddr" => "address:port".into(),
        "Network" => "address or network".into(),
        "KeyType" => names(KeyType::ENROLLED),
        "HashName" => names(HashName::NAMES),
        "Variant" => names(Variant::NAMES),
        "Method" => names(Method::NAMES),
        "Activation" => names(Activation::NAMES),
        "EncryptionName" => names(&EncryptionName::ALL.iter().map(|name| name.as_str()).collect::<Vec<_>>()),
        "MacName" => names(&MacName::ALL.iter().map(|name| name.as_str()).collect::<Vec<_>>()),
        "Pbkdf2Name" => names(&["hmac-sha1", "hmac-sha256"]),
        other => {
            let begin = format!("pub enum {other} {{");
            let variants = source.lines().skip_while(|line| *line != begin).skip(1).take_while(|line| *line != "}");
            let variants = variants.map(str::trim).filter(|line| line.starts_with(char::is_uppercase));
            let variants: Vec<_> = variants.map(|line| kebab(line.trim_end_matches(','))).collect();
            assert!(!variants.is_empty(), "{other} is a type that this page does not know");
            names(&variants.iter().map(String::as_str).collect::<Vec<_>>())
        }
    }
}

/// `ProxyV2` → `proxy-v2`
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn unit(key: &str) -> &'static str {
    if key.ends_with("_s") && !key.ends_with("_per_s") { "s" } else { "" }
}

/// Documentation as a cell: links between Rust items are none here.
fn cell(doc: &str) -> String {
    let doc = doc.replace("[`crate::setup::database::migrate`]", "`dskpp database migrate --init`");
    doc.replace(" See [`crate::seal::rotate`].", "").replace("[`", "`").replace("`]", "`").replace('|', "\\|")
}

fn table_of_section(page: &mut String, source: &str, section: &str, keys: &Table, kind: &str) {
    let Struct { doc, fields } = read_struct(source, kind);
    let doc = doc.replace(&format!("`[{section}]`"), "").trim_start_matches([';', '.', ' ']).to_owned();
    writeln!(page, "\n## `[{section}]`\n").unwrap();
    if !doc.is_empty() {
        writeln!(page, "{}{}\n", doc[..1].to_uppercase(), cell(&doc[1..])).unwrap();
    }
    page.push_str("| key | type | unit | default | environment | meaning |\n|---|---|---|---|---|---|\n");
    for Field { doc, name, kind, .. } in &fields {
        let default = match &keys[name] {
            Value::String(text) => format!("`\"{text}\"`"),
            // All of them, which the column before has.
            Value::Array(items) if items.len() > 2 => "all".to_owned(),
            other => format!("`{other}`"),
        };
        let variable = format!("DSKPP_{section}_{name}").to_uppercase();
        let (kind, unit, doc) = (type_in_words(source, kind), unit(name), cell(doc));
        writeln!(page, "| `{name}` | {kind} | {unit} | {default} | `{variable}` | {doc} |").unwrap();
    }
}

fn table_of_array(page: &mut String, source: &str, kind: &str) {
    page.push_str("| key | type | unit | default | meaning |\n|---|---|---|---|---|\n");
    for Field { doc, name, kind, is_optional, default } in read_struct(source, kind).fields {
        let default = match (default, is_optional) {
            (Some(default), _) => format!("`{default}`"),
            (None, true) => "none".to_owned(),
            (None, false) => "required".to_owned(),
        };
        let (kind, unit, doc) = (type_in_words(source, &kind), unit(&name), cell(&doc));
        writeln!(page, "| `{name}` | {kind} | {unit} | {default} | {doc} |").unwrap();
    }
}

/// The kinds of sinks, with their documentation and the struct that has their keys.
fn kinds_of_sinks(source: &str) -> Vec<(String, String, String)> {
    let lines: Vec<&str> = source.lines().collect();
    let at = lines.iter().position(|line| *line == "pub enum SinkSection {").unwrap();
    let variants = lines.iter().enumerate().skip(at + 1).take_while(|(_, line)| **line != "}");
    let kind = |(i, line): (usize, &&str)| {
        let (variant, keys) = line.trim().strip_suffix("),")?.split_once('(')?;
        Some((kebab(variant), doc_above(&lines, i), keys.to_owned()))
    };
    variants.filter_map(kind).collect()
}

fn page() -> String {
    let source = sources();
    let defaults = Table::try_from(Config::default()).unwrap();
    let mut page = "# Configuration: every section and key\n\n\
        For server operators: what `dskpp serve --config FILE` reads. [dskpp.toml](../crates/server/dskpp.toml) has the same \
        keys with more words. A key of a section can also be set by its environment variable, which overrides the file; \
        separate the items of a list with commas there. Options of the command line override both. `dskpp config check` \
        checks a configuration with every file that it names, and `dskpp config show` shows what is in force and where each \
        value comes from; neither starts a server.\n\n\
        An empty text, path or list is \"none\" unless the meaning says more. This page is made of the program's source; a \
        test compares them.\n\n\
        Beside the settings there is `DSKPP_KEK`: the key-encryption key itself, 64 hexadecimal digits, instead of \
        `seal.kek_file`.\n"
        .to_owned();
    for Field { doc, name: section, kind, .. } in read_struct(&source, "Config").fields {
        match section.as_str() {
            "sink" => {
                writeln!(page, "\n## `[[sink]]`\n\n{doc} One table for each; `kind` says which keys it has.").unwrap();
                for (kind, doc, keys) in kinds_of_sinks(&source) {
                    writeln!(page, "\n### `kind = \"{kind}\"`\n\n{doc}\n").unwrap();
                    table_of_array(&mut page, &source, &keys);
                }
            }
            "template" => {
                let more = "One table for each ([Templates](templates.md)).";
                writeln!(page, "\n## `[[template]]`\n\n{doc} {more}\n").unwrap();
                table_of_array(&mut page, &source, "TemplateSection");
            }
            section => table_of_section(&mut page, &source, section, defaults[section].as_table().unwrap(), &kind),
        }
    }
    page
}

#[test]
fn the_page_of_the_configuration_is_what_the_source_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let page = page();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).find(|(written, page)| written != page);
    assert!(
        written == page,
        "docs/configuration.md is not what the source says: run BLESS=1 cargo test -p dskpp-server --test \
         configuration_page. First difference: {differs:?}"
    );
}

#[test]
fn every_key_has_a_meaning() {
    let source = sources();
    for Field { name: section, kind, .. } in read_struct(&source, "Config").fields {
        let Some(kind) = Some(kind).filter(|kind| !kind.starts_with("Vec<")) else { continue };
        for Field { name, doc, .. } in read_struct(&source, &kind).fields {
            assert!(!doc.is_empty(), "{section}.{name}");
        }
    }
}
