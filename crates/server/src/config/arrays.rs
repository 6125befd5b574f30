//! Arrays of tables: `[[sink]]`, `[[template]]`.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::ConfigFault;

/// What [`is_name`] wants.
pub(super) const NAME_REMEDY: &str = "use 1 to 64 small letters, digits, hyphens and underscores";

/// Whether a text can be the name of a table.
pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

/// Faults of each table of an array on its own: `sink.1` is the first one.
pub(super) fn faults<T: DeserializeOwned>(array: &str, given: &Value) -> Vec<ConfigFault> {
    let Value::Array(tables) = given else {
        let remedy = format!("write [[{array}]] and its keys, once for each {array}");
        return vec![ConfigFault::new(array, given, remedy)];
    };
    let mut faults = Vec::new();
    for (i, table) in tables.iter().enumerate() {
        let number = i + 1;
        let none = Table::new();
        let keys = table.as_table().unwrap_or(&none);
        let Err(why) = table.clone().try_into::<T>() else { continue };
        let why = why.message().trim().to_owned();
        // The key that the message is about, where it names one that is there or that alone has a fault.
        let named = keys.iter().find(|(key, _)| why.starts_with(&format!("unknown field `{key}`")));
        let named = named.or_else(|| keys.iter().find(|(key, _)| is_at_fault::<T>(keys, key)));
        faults.push(match named {
            Some((key, value)) => ConfigFault::new(format!("{array}.{number}.{key}"), value, why),
            None => ConfigFault::new(format!("{array}.{number}"), keys.get("name").unwrap_or(&"".into()), why),
        });
    }
    faults
}

/// Whether a table can be read without this key.
fn is_at_fault<T: DeserializeOwned>(keys: &Table, key: &str) -> bool {
    let mut without = keys.clone();
    without.remove(key);
    Value::Table(without).try_into::<T>().is_ok()
}
