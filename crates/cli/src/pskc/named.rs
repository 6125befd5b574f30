//! A list of keys in a message.

use std::fmt;

use crate::shown::shown;

/// The number and Id of the first few keys, and the total.
#[derive(Default)]
pub(crate) struct KeyNames {
    first: Vec<String>,
    count: u64,
}

impl KeyNames {
    const MOST: usize = 5;

    pub(crate) fn add(&mut self, number: u64, id: &str) {
        self.count += 1;
        if self.first.len() < Self::MOST {
            self.first.push(format!("{number} ({})", shown(id)));
        }
    }
}

impl fmt::Display for KeyNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = self.count - self.first.len() as u64;
        let noun = if self.count == 1 { "key" } else { "keys" };
        write!(f, "{noun} {}", self.first.join(", "))?;
        if more > 0 { write!(f, " and {more} more") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_few_keys_are_listed_and_the_rest_counted() {
        let mut keys = KeyNames::default();
        keys.add(3, "a");
        assert_eq!(keys.to_string(), "key 3 (a)");
        (4..11).for_each(|number| keys.add(number, "b"));
        assert_eq!(keys.to_string(), "keys 3 (a), 4 (b), 5 (b), 6 (b), 7 (b) and 3 more");
    }
}
