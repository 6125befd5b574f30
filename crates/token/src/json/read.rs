//! Reading.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use dskpp_crypto::Secret;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

/// A value. Its texts are wiped when it is dropped.
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Flag(bool),
    /// A whole number that is not negative.
    Whole(u64),
    /// A negative whole number.
    Negative(i64),
    /// Any other number.
    Real(f64),
    /// A text.
    Text(Zeroizing<String>),
    /// An array.
    List(Vec<Json>),
    /// An object in its own order, with all its names, also repeated ones.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a document.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|why| why.to_string())
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Negative(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Real(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = from.next_element()? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = from.next_entry()? {
            fields.push(field);
        }
        Ok(Json::Object(fields))
    }
}

/// The fields of an object, each of which is taken once. The first error is kept and reported by [`end`](Self::end), so that
/// the values before it are good only after that.
pub struct Fields {
    fields: Vec<(String, Json)>,
    wrong: Option<String>,
}

impl Fields {
    /// Reads a document, which is an object.
    pub fn parse(text: &[u8]) -> Self {
        match Json::parse(text) {
            Ok(json) => Self::of(json),
            Err(why) => Fields { fields: Vec::new(), wrong: Some(why) },
        }
    }

    /// The fields of a value, which is an object without repeated names.
    pub fn of(json: Json) -> Self {
        let Json::Object(fields) = json else {
            return Fields { fields: Vec::new(), wrong: Some("not an object".to_owned()) };
        };
        let again = |(at, (name, _)): (usize, &(String, Json))| fields.iter().take(at).any(|(other, _)| other == name);
        let is_repeated = fields.iter().enumerate().any(again);
        Fields { fields, wrong: is_repeated.then(|| "a field is repeated".to_owned()) }
    }

    /// # Errors
    /// The first field that was missing or wrong, or that nobody took.
    pub fn end(self) -> Result<(), String> {
        match (self.wrong, self.fields.first()) {
            (Some(why), _) => Err(why),
            (None, Some((name, _))) => Err(format!("unknown field `{name}`")),
            (None, None) => Ok(()),
        }
    }

    /// Keeps that a field is wrong, if it is the first one.
    pub fn refuse(&mut self, name: &str) {
        if self.wrong.is_none() {
            self.wrong = Some(format!("the field `{name}` is missing or wrong"));
        }
    }

    /// Refuses an object that lacks one of these fields, which may be `null`: every program so far writes them.
    pub fn must_have(&mut self, names: &[&str]) {
        for name in names {
            if !self.fields.iter().any(|(found, _)| found == name) {
                self.refuse(name);
            }
        }
    }

    fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.fields.iter().position(|(found, _)| found == name)?;
        Some(self.fields.swap_remove(at).1)
    }

    /// A field that may be missing or `null`.
    fn optional(&mut self, name: &str) -> Option<Json> {
        self.take(name).filter(|json| !matches!(json, Json::Null))
    }

    fn required<T: Default>(&mut self, name: &str, value: Option<T>) -> T {
        value.unwrap_or_else(|| {
            self.refuse(name);
            T::default()
        })
    }

    /// A text that may be missing or `null`.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.optional(name)? {
            Json::Text(mut text) => Some(std::mem::take(&mut *text)),
            _ => {
                self.refuse(name);
                None
            }
        }
    }

    /// A text.
    pub fn required_text(&mut self, name: &str) -> String {
        let text = self.text(name);
        self.required(name, text)
    }

    /// A whole number that may be missing or `null`.
    pub fn number<T: TryFrom<i128>>(&mut self, name: &str) -> Option<T> {
        let number = self.whole(name)?.try_into().ok();
        if number.is_none() {
            self.refuse(name);
        }
        number
    }

    fn whole(&mut self, name: &str) -> Option<i128> {
        match self.optional(name)? {
            Json::Whole(number) => Some(number.into()),
            Json::Negative(number) => Some(number.into()),
            _ => {
                self.refuse(name);
                None
            }
        }
    }

    /// Seconds.
    pub fn seconds(&mut self, name: &str) -> f64 {
        let seconds = match self.take(name) {
            Some(Json::Whole(number)) => Some(number as f64),
            Some(Json::Negative(number)) => Some(number as f64),
            Some(Json::Real(number)) => Some(number),
            _ => None,
        };
        self.required(name, seconds)
    }

    /// A flag that may be missing or `null`.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        match self.optional(name)? {
            Json::Flag(flag) => Some(flag),
            _ => {
                self.refuse(name);
                None
            }
        }
    }

    /// An object that may be missing or `null`, as `read` takes it.
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Fields) -> T) -> Option<T> {
        let mut fields = Fields::of(self.optional(name)?);
        let value = read(&mut fields);
        match fields.end() {
            Ok(()) => Some(value),
            Err(why) => {
                self.wrong.get_or_insert(why);
                None
            }
        }
    }

    /// Texts; none if the field is missing.
    pub fn texts(&mut self, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for json in self.list(name) {
            match json {
                Json::Text(mut text) => texts.push(std::mem::take(&mut *text)),
                _ => self.refuse(name),
            }
        }
        texts
    }

    /// Octets as numbers.
    pub fn octet_list(&mut self, name: &str) -> Vec<u8> {
        let mut octets = Vec::new();
        for json in self.list(name) {
            match json {
                Json::Whole(octet @ ..=255) => octets.push(octet as u8),
                _ => self.refuse(name),
            }
        }
        octets
    }

    fn list(&mut self, name: &str) -> Vec<Json> {
        match self.take(name) {
            None => Vec::new(),
            Some(Json::List(list)) => list,
            Some(_) => {
                self.refuse(name);
                Vec::new()
            }
        }
    }

    /// Octets in base64 that may be missing or `null`.
    pub fn octets(&mut self, name: &str) -> Option<Vec<u8>> {
        let text = Zeroizing::new(self.text(name)?);
        let octets = Base64::decode_vec(&text).ok();
        if octets.is_none() {
            self.refuse(name);
        }
        octets
    }

    /// Secret octets in base64 that may be missing or `null`.
    pub fn secret(&mut self, name: &str) -> Option<Secret> {
        self.octets(name).map(Secret::new)
    }

    /// Secret octets in base64.
    pub fn required_secret(&mut self, name: &str) -> Secret {
        let octets = self.octets(name);
        Secret::new(self.required(name, octets))
    }
}
