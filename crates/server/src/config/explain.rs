//! What is in force, and where each value comes from.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Config;
use super::place::line_of;

/// A setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `section.key`; `sink.1.key` in the first table of an array.
    pub key: String,
    /// The value as TOML; of a URL only what cannot be secret.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody has set it.
    Default,
    /// A line of the file, from 1.
    File(PathBuf, usize),
    /// The environment variable of that name.
    Environment(String),
    /// The option of that name.
    Option(&'static str),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path, line) => write!(f, "{}, line {line}", path.display()),
            Origin::Environment(variable) => write!(f, "environment variable {variable}"),
            Origin::Option(name) => write!(f, "option {name}"),
        }
    }
}

impl Config {
    /// Every setting, in the order of sections and keys. `file` is the one that was read, and `options` are the keys that
    /// were overridden after that, with what did it. No value is a secret: settings name files and variables with secrets,
    /// and URLs are shown without password, query and fragment.
    pub fn settings(&self, file: Option<&Path>, options: &[(&str, &'static str)]) -> Vec<Setting> {
        let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let origin = |key: &str| {
            let variable = format!("DSKPP_{}", key.replace('.', "_").to_ascii_uppercase());
            if let Some((_, option)) = options.iter().find(|(overridden, _)| *overridden == key) {
                return Origin::Option(option);
            }
            match (std::env::var_os(&variable), file) {
                (Some(_), _) => Origin::Environment(variable),
                (None, Some(file)) if is_set(&text, key) => {
                    line_of(&text, key).map_or(Origin::Default, |line| Origin::File(file.to_owned(), line))
                }
                _ => Origin::Default,
            }
        };
        let sections = Table::try_from(self).expect("every field has a TOML form");
        let mut settings = Vec::new();
        let mut add = |section: String, keys: &Table| {
            for (key, value) in keys {
                let key = format!("{section}.{key}");
                let origin = origin(&key);
                settings.push(Setting { key, value: shown(value).to_string(), origin });
            }
        };
        for (section, keys) in &sections {
            match keys {
                Value::Table(keys) => add(section.clone(), keys),
                Value::Array(tables) => {
                    let tables = tables.iter().filter_map(Value::as_table).enumerate();
                    tables.for_each(|(i, keys)| add(format!("{section}.{}", i + 1), keys));
                }
                _ => {}
            }
        }
        if std::env::var_os("DSKPP_KEK").is_some() {
            let (value, origin) = ("(a secret)".to_owned(), Origin::Environment("DSKPP_KEK".to_owned()));
            settings.push(Setting { key: "seal.kek".to_owned(), value, origin });
        }
        settings
    }
}

/// Whether a text sets a key itself: [`line_of`] also gives the line of its section.
fn is_set(text: &str, key: &str) -> bool {
    let Ok(table) = text.parse::<Table>() else { return false };
    let mut value = Value::Table(table);
    for part in key.split('.') {
        let next = match (&value, part.parse::<usize>()) {
            (Value::Table(keys), _) => keys.get(part).cloned(),
            (Value::Array(items), Ok(number)) => number.checked_sub(1).and_then(|i| items.get(i)).cloned(),
            _ => None,
        };
        let Some(next) = next else { return false };
        value = next;
    }
    true
}

fn shown(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_secrets(text)),
        Value::Array(items) => Value::Array(items.iter().map(shown).collect()),
        other => other.clone(),
    }
}

/// A URL without what may be secret in it; another text as it is.
fn without_secrets(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (rest, more) = match rest.find(['?', '#']) {
        Some(at) => (&rest[..at], "?…"),
        None => (rest, ""),
    };
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:…@{host}"),
            None => format!("{user}@{host}"),
        },
        None => rest.to_owned(),
    };
    format!("{scheme}://{rest}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_its_origin_and_no_url_its_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dskpp.toml");
        let text = "[server]\nissuer = 'Example'\n\n[database]\nurl = 'postgres://keys:hunter2@db/x?password=hunter2'\n\
                    [[sink]]\nname = 'hook'\nkind = 'webhook'\nurl = 'https://example.com/in?token=hunter2'\n\
                    public_key_file = 'k.pem'\n";
        std::fs::write(&path, text).unwrap();
        let mut config = Config::load(Some(&path)).unwrap();
        config.server.http = true;
        let settings = config.settings(Some(&path), &[("server.http", "--http")]);
        let found = |key: &str| {
            let setting = settings.iter().find(|setting| setting.key == key).unwrap_or_else(|| panic!("{key}"));
            (setting.value.clone(), setting.origin.to_string().replace(&path.display().to_string(), "FILE"))
        };
        let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
        assert_eq!(found("server.issuer"), pair("\"Example\"", "FILE, line 2"));
        assert_eq!(found("server.http"), pair("true", "option --http"));
        assert_eq!(found("server.workers"), pair("2", "default"));
        assert_eq!(found("database.url"), pair("\"postgres://keys:…@db/x?…\"", "FILE, line 5"));
        assert_eq!(found("sink.1.url"), pair("\"https://example.com/in?…\"", "FILE, line 9"));
        assert_eq!(found("sink.1.timeout_s"), pair("20", "default"));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
