//! The languages of pages. Their texts stand in message files, which the token in the browser uses as well.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::{HeaderMap, header};

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    #[default]
    English,
    German,
}

type Messages = HashMap<String, String>;

fn read(file: &str) -> Messages {
    serde_json::from_str(file).expect("a test reads the message files")
}

static ENGLISH: LazyLock<Messages> = LazyLock::new(|| read(include_str!("../../assets/messages/en.json")));
static GERMAN: LazyLock<Messages> = LazyLock::new(|| read(include_str!("../../assets/messages/de.json")));

impl Language {
    pub(crate) const ALL: [Language; 2] = [Language::English, Language::German];

    /// Its tag, as in `lang`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
        }
    }

    /// Its own name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::German => "Deutsch",
        }
    }

    /// The message with this name, which the program has.
    pub(crate) fn message(self, name: &str) -> &'static str {
        self.find(name).unwrap_or_else(|| panic!("no message has the name '{name}'"))
    }

    /// The message with this name.
    pub(crate) fn find(self, name: &str) -> Option<&'static str> {
        let messages = match self {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
        };
        messages.get(name).map(String::as_str)
    }

    /// That of `lang=` in the query, else the first of `Accept-Language` that there is (RFC 9110 §12.5.4; weights are
    /// ignored, as browsers list the preferred ones first).
    pub(crate) fn of(query: Option<&str>, headers: &HeaderMap) -> Language {
        let asked = query.into_iter().flat_map(|query| query.split('&')).filter_map(|pair| pair.strip_prefix("lang="));
        let accepted = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
        let accepted = accepted.flat_map(|line| line.split(','));
        asked.chain(accepted).find_map(Self::of_tag).unwrap_or_default()
    }

    fn of_tag(range: &str) -> Option<Language> {
        let tag = range.split(';').next()?.trim().split('-').next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_query_decides_then_the_browser_then_english() {
        for (query, accepted, expected) in [
            (None, "", "en"),
            (None, "de", "de"),
            (None, "fr-FR, de-CH;q=0.8, en;q=0.5", "de"),
            (None, "fr, es", "en"),
            (Some("lang=de"), "en", "de"),
            (Some("download&lang=DE"), "en", "de"),
            (Some("lang=<b>"), "de", "de"),
            (Some("language=de"), "en", "en"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_str(accepted).unwrap());
            assert_eq!(Language::of(query, &headers).tag(), expected, "{query:?} {accepted}");
        }
    }

    #[test]
    fn every_message_is_there_in_every_language_with_the_same_blanks() {
        let blanks = |text: &str| {
            let mut blanks: Vec<_> =
                text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect();
            blanks.sort();
            blanks
        };
        assert_eq!(ENGLISH.len(), GERMAN.len());
        for (name, text) in &*ENGLISH {
            let german = GERMAN.get(name).unwrap_or_else(|| panic!("{name} is missing in German"));
            assert!(!text.trim().is_empty() && !german.trim().is_empty(), "{name}");
            assert_eq!(blanks(text), blanks(german), "{name}");
        }
    }
}
