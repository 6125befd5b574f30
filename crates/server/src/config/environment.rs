//! Settings in the environment.

use std::ffi::OsString;

use toml::{Table, Value};

use super::{Config, ConfigError, ConfigFault};

impl Config {
    /// As [`Config::read`], with variables in the system's encoding: values of settings must be UTF-8.
    pub(super) fn read_os(
        text: &str,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let defaults = Table::try_from(Config::default()).expect("every field has a TOML form");
        let (mut readable, mut faults) = (Vec::new(), Vec::new());
        for (name, value) in variables {
            let Ok(name) = name.into_string() else { continue }; // settings have ASCII names
            match (value.into_string(), setting_of(&name, &defaults)) {
                (Ok(value), _) => readable.push((name, value)),
                (Err(value), Some((section, key))) => faults.push(ConfigFault::new(
                    format!("{section}.{key}"),
                    value.to_string_lossy(),
                    format!("is not UTF-8: correct the variable {name}"),
                )),
                (Err(_), None) => {}
            }
        }
        match Self::read(text, readable) {
            Ok(config) if faults.is_empty() => Ok(config),
            Ok(_) => Err(ConfigError(faults)),
            Err(ConfigError(others)) => Err(ConfigError(faults.into_iter().chain(others).collect())),
        }
    }
}

/// `DSKPP_SERVER_DATA_DIR` → `server`, `data_dir`. Of several sections it is the one with the longest name:
/// `DSKPP_VALIDATE_CHECK_NETWORKS` → `validate_check`, `networks`, although there is `validate`.
pub(super) fn setting_of(variable: &str, defaults: &Table) -> Option<(String, String)> {
    let name = variable.strip_prefix("DSKPP_")?.to_ascii_lowercase();
    let found = defaults.keys().filter_map(|section| {
        let key = name.strip_prefix(section.as_str())?.strip_prefix('_')?;
        Some((section.clone(), key.to_owned()))
    });
    found.max_by_key(|(section, _)| section.len())
}

/// The value in the type of the key's default; a value that does not parse stays text and is refused with the other
/// faults. Commas separate list items.
pub(super) fn typed(defaults: &Table, section: &str, key: &str, text: &str) -> Value {
    let as_text = || Value::String(text.to_owned());
    match defaults.get(section).and_then(|section| section.get(key)) {
        Some(Value::Integer(_)) => text.trim().parse().map_or_else(|_| as_text(), Value::Integer),
        Some(Value::Boolean(_)) => text.trim().parse().map_or_else(|_| as_text(), Value::Boolean),
        Some(Value::Array(_)) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
        _ => as_text(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn a_setting_that_is_not_utf8_is_reported_with_the_other_faults() {
        let read = |text: &str, name: &str| {
            let value = OsString::from_vec(b"keys\xff".to_vec());
            let variables = [(name.into(), value), ("DSKPP_LOG_FORMAT".into(), "json".into())];
            Config::read_os(text, variables)
        };
        let faults = read("[server]\nworkers = 'many'", "DSKPP_SERVER_DATA_DIR").unwrap_err().to_string();
        assert!(faults.contains("server.data_dir") && faults.contains("not UTF-8"), "{faults}");
        assert!(faults.contains("server.workers"), "{faults}");
        let config = read("", "SOMEBODY_ELSES").unwrap();
        assert_eq!(config.log.format, crate::config::LogFormat::Json);
    }
}
