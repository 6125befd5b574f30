//! Where a setting was made.

use std::path::Path;

use toml::de::DeTable;

use super::{ConfigError, ConfigFault};

impl ConfigError {
    /// The same faults, each with the place where its key was set: the environment variable, or else the line of
    /// `file`. Faults of keys that are not set, or between two keys, have no place.
    pub fn located(mut self, file: Option<&Path>) -> Self {
        let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        for fault in self.0.iter_mut().filter(|fault| fault.place.is_none()) {
            let variable = format!("DSKPP_{}", fault.key.replace('.', "_").to_ascii_uppercase());
            fault.place = match (std::env::var_os(&variable), file) {
                (Some(_), _) => Some(format!("environment variable {variable}")),
                (None, Some(file)) if fault.key.is_empty() => Some(file.display().to_string()),
                (None, Some(file)) => line_of(&text, &fault.key).map(|line| format!("{}, line {line}", file.display())),
                (None, None) => None,
            };
        }
        self
    }
}

/// A text that is not TOML.
pub(super) fn unreadable(text: &str, why: &toml::de::Error) -> ConfigFault {
    let at = why.span().map_or(0, |span| span.start);
    let line = 1 + text.get(..at).unwrap_or(text).matches('\n').count();
    ConfigFault::new("", "", format!("line {line} is invalid TOML: {}", why.message().replace('\n', ", ")))
}

/// The line, from 1, where `section.key`, or else `section`, begins; `sink.2.name` is in the second table of an array.
pub(super) fn line_of(text: &str, key: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let (section, key) = key.split_once('.').unwrap_or((key, ""));
    let (name, keys) = table.get_ref().iter().find(|(name, _)| name.get_ref() == section)?;
    let (mut span, mut keys, mut key) = (name.span(), keys, key);
    if let Some(items) = keys.get_ref().as_array() {
        let (number, of_item) = key.split_once('.').unwrap_or((key, ""));
        let item = number.parse::<usize>().ok().and_then(|number| items.get(number.checked_sub(1)?))?;
        (span, keys, key) = (item.span(), item, of_item);
    }
    let inner = keys.get_ref().as_table().and_then(|keys| keys.iter().find(|(name, _)| name.get_ref() == key));
    let at = inner.map_or(span, |(name, _)| name.span()).start;
    Some(1 + text[..at].matches('\n').count())
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};

    #[test]
    fn every_fault_of_the_file_has_file_line_and_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dskpp.toml");
        let shown = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let faults = |why: ConfigError| why.located(Some(&path)).to_string();
            let text = match Config::load(Some(&path)) {
                Err(why) => why.to_string(),
                Ok(config) => faults(config.check().unwrap_err()),
            };
            text.replace(&path.display().to_string(), "FILE")
        };
        for (text, expected) in [
            ("# first\n[server]\nworkers = 'many'\n", "FILE, line 3: server.workers = \"many\""),
            ("[server]\n\n\nworkers = 0\n", "FILE, line 4: server.workers = 0: use 1 to 64"),
            ("[log]\nlevel='info'\n[limits]\nspeed = 1\n", "FILE, line 4: limits.speed = 1: unknown field"),
            ("\nserver = 1\n", "FILE, line 2: server = 1: not a section"),
            ("server.workers = 65\n", "FILE, line 1: server.workers = 65"),
            ("[server]\nlisten = \n", "FILE: line 2 is invalid TOML"),
        ] {
            let shown = shown(text);
            assert!(shown.contains(expected), "{text}: {shown}");
        }
        let missing = Config::load(Some(&folder.path().join("none.toml"))).unwrap_err().to_string();
        assert!(missing.contains("none.toml: cannot be read"), "{missing}");
    }
}
