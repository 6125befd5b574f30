//! All tokens of an owner, as one value: what a store loads and replaces. Nothing here does I/O or reads a clock.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::SystemTime;

use dskpp_crypto::Secret;
use pskc::KeyUsage;

use crate::json::{Fields, Json, JsonWriter};
use crate::token::{MOST_OLD, Otp, OtpInput, Token, TokenError};

/// Tokens by id. `Debug` shows no secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens(BTreeMap<String, Box<Token>>);

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// How many tokens are new.
    pub added: usize,
    /// Ids of keys that existed already, in the store or earlier in the import. They did not change.
    pub duplicates: Vec<String>,
    /// Ids of different keys that existed already and did not change, with the difference: `secret`, `hash`, …
    pub different: Vec<(String, &'static str)>,
}

impl Tokens {
    /// All tokens, ordered by id.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.0.values().map(|token| &**token)
    }

    /// The token with exactly this id.
    pub fn get(&self, id: &str) -> Option<&Token> {
        self.0.get(id).map(|token| &**token)
    }

    /// The only token with this id, prefix of an id, or label. Replaced tokens match by their whole id only.
    pub fn find(&self, name: &str) -> Result<&Token, TokenError> {
        if let Some(token) = self.0.get(name) {
            return Ok(token);
        }
        let matches = |token: &Token| {
            token.old_of.is_none() && (token.label.as_deref() == Some(name) || token.id.starts_with(name))
        };
        let mut found = self.iter().filter(|token| !name.is_empty() && matches(token));
        match (found.next(), found.next()) {
            (Some(token), None) => Ok(token),
            (Some(_), Some(_)) => Err(TokenError::Ambiguous(name.to_owned())),
            (None, _) => Err(TokenError::NotFound(name.to_owned())),
        }
    }

    /// Adds a token with a new id.
    pub fn insert(&mut self, token: Token) -> Result<(), TokenError> {
        let token = token.checked()?;
        match self.0.entry(token.id.clone()) {
            Entry::Occupied(_) => Err(TokenError::Exists(token.id)),
            Entry::Vacant(place) => {
                place.insert(Box::new(token));
                Ok(())
            }
        }
    }

    /// Adds all tokens with new ids, and reports the others. After an error, none was added.
    pub fn import(&mut self, new: Vec<Token>) -> Result<Imported, TokenError> {
        let new = new.into_iter().map(Token::checked).collect::<Result<Vec<_>, _>>()?;
        let mut done = Imported::default();
        for token in new {
            match self.0.entry(token.id.clone()) {
                Entry::Occupied(there) => match there.get().difference(&token) {
                    None => done.duplicates.push(token.id),
                    Some(what) => done.different.push((token.id, what)),
                },
                Entry::Vacant(place) => {
                    place.insert(Box::new(token));
                    done.added += 1;
                }
            }
        }
        Ok(done)
    }

    /// Replaces the token with the same id. The replaced token stays under the id that is returned: `ID-old`, or
    /// `ID-old2` and so on if that is taken.
    ///
    /// # Errors
    /// [`TokenError::TooManyOld`] if [`MOST_OLD`] replaced tokens are kept already.
    pub fn renew(&mut self, token: Token) -> Result<String, TokenError> {
        let token = token.checked()?;
        let id = token.id.clone();
        let Some(old) = self.0.get(&id) else { return Err(TokenError::NotFound(id)) };
        if self.replaced_of(&id).count() >= MOST_OLD {
            return Err(TokenError::TooManyOld(id));
        }
        let mut old_id = format!("{id}-old");
        let mut number = 1;
        while self.0.contains_key(&old_id) {
            number += 1;
            old_id = format!("{id}-old{number}");
        }
        let old = Token { id: old_id.clone(), old_of: Some(id.clone()), ..Token::clone(old) };
        self.0.insert(old_id.clone(), Box::new(old));
        self.0.insert(id, Box::new(token));
        Ok(old_id)
    }

    /// The tokens that renewals of this id have replaced.
    pub fn replaced_of(&self, id: &str) -> impl Iterator<Item = &Token> {
        self.iter().filter(move |token| token.old_of.as_deref() == Some(id))
    }

    /// Removes the replaced tokens of this id and returns their ids. Call it once a server has accepted a code of the
    /// new key: no server then wants the replaced ones (profile P29).
    pub fn forget_replaced(&mut self, id: &str) -> Result<Vec<String>, TokenError> {
        if !self.0.contains_key(id) {
            return Err(TokenError::NotFound(id.to_owned()));
        }
        let gone: Vec<_> = self.replaced_of(id).map(|token| token.id.clone()).collect();
        self.0.retain(|id, _| !gone.contains(id));
        Ok(gone)
    }

    /// Removes a token and returns it.
    pub fn delete(&mut self, id: &str) -> Result<Token, TokenError> {
        self.0.remove(id).map(|token| *token).ok_or_else(|| TokenError::NotFound(id.to_owned()))
    }

    /// Changes the label of a token, or removes it.
    pub fn rename(&mut self, id: &str, label: Option<String>) -> Result<(), TokenError> {
        self.replace(id, |token| Ok((Token { label, ..token.clone() }.checked()?, ())))
    }

    /// A one-time password ([`Token::otp`]). Store the tokens before you show it, as
    /// `TokenStore::otp` of `dskpp-client` does.
    pub fn otp(&mut self, id: &str, input: &OtpInput<'_>) -> Result<Otp, TokenError> {
        self.replace(id, |token| token.otp(input))
    }

    /// Counts a use that the policy allows ([`Token::use_for`]) and returns the token to use. Store the tokens before
    /// you use it.
    pub fn use_for(&mut self, id: &str, usage: KeyUsage, now: SystemTime) -> Result<Token, TokenError> {
        self.replace(id, |token| token.use_for(usage, now).map(|used| (used.clone(), used)).map_err(TokenError::from))
    }

    fn replace<T>(
        &mut self,
        id: &str,
        change: impl FnOnce(&Token) -> Result<(Token, T), TokenError>,
    ) -> Result<T, TokenError> {
        let token = self.0.get_mut(id).ok_or_else(|| TokenError::NotFound(id.to_owned()))?;
        let (changed, done) = change(token)?;
        **token = changed;
        Ok(done)
    }

    /// JSON for a store, secrets in the clear: encrypt it.
    pub fn to_json(&self) -> Secret {
        let mut to = JsonWriter::default();
        to.begin(b'{');
        for (id, token) in &self.0 {
            to.name(id);
            token.write(&mut to);
        }
        to.end(b'}');
        Secret::new(to.finish())
    }

    /// Reads [`to_json`](Self::to_json). `None` if it is not that, or has fields of a later version.
    pub fn from_json(json: &Secret) -> Option<Self> {
        let Json::Object(named) = Json::parse(json.expose()).ok()? else { return None };
        let mut tokens = BTreeMap::new();
        for (id, token) in named {
            let mut fields = Fields::of(token);
            let token = Token::read(&mut fields);
            fields.end().ok()?;
            if tokens.insert(id, token).is_some() {
                return None;
            }
        }
        Some(Tokens(tokens))
    }
}

#[cfg(test)]
mod tests;
