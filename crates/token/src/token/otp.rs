//! One-time passwords: HOTP (RFC 4226), TOTP (RFC 6238) and OCRA (RFC 6287).

use std::time::{SystemTime, UNIX_EPOCH};

use dskpp_crypto::{Hash, Secret};
use dskpp_otp::{Code, Digits, Hotp, OcraInput, OcraSuite, Totp};
use pskc::KeyUsage;

use super::Token;
use super::error::TokenError;

/// What a one-time password depends on besides the token.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OtpInput<'a> {
    /// The time.
    pub now: SystemTime,
    /// The challenge to respond to; OCRA only.
    pub challenge: Option<&'a str>,
    /// The PIN; only OCRA suites with a PIN.
    pub pin: Option<&'a Secret>,
}

impl<'a> OtpInput<'a> {
    /// All that HOTP and TOTP need.
    pub fn at(now: SystemTime) -> Self {
        OtpInput { now, challenge: None, pin: None }
    }

    /// With a challenge to respond to.
    pub fn challenge(self, challenge: &'a str) -> Self {
        OtpInput { challenge: Some(challenge), ..self }
    }

    /// With a PIN.
    pub fn pin(self, pin: &'a Secret) -> Self {
        OtpInput { pin: Some(pin), ..self }
    }
}

/// A one-time password.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Otp {
    /// The code to show.
    pub code: Code,
    /// TOTP: for how many seconds it remains the current code.
    pub valid_for_s: Option<u64>,
}

impl Token {
    /// The next one-time password, and the token to store before the password is shown: its counter is advanced, and
    /// a use is counted. `TokenStore::otp` of `dskpp-client` does both in the right order.
    ///
    /// # Errors
    /// The key's policy does not allow it now ([`TokenError::NotAllowed`]), the input lacks a challenge or PIN, or the
    /// key makes no one-time passwords.
    pub fn otp(&self, input: &OtpInput<'_>) -> Result<(Token, Otp), TokenError> {
        let suite: Option<OcraSuite> = match (self.key_type.as_str(), &self.suite) {
            ("ocra", Some(suite)) => Some(suite.parse()?),
            _ => None,
        };
        let usage = if suite.is_some() { KeyUsage::Cr } else { KeyUsage::Otp };
        let mut used = self.use_for(usage, input.now)?;
        let unix_s = input.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()); // `use_for` checked it
        let mut valid_for_s = None;
        let code = match (&suite, self.key_type.as_str()) {
            (Some(suite), _) => self.response(suite, input, unix_s)?,
            (None, "hotp") => Hotp { digits: self.otp_digits()? }.code(&self.secret, self.next_counter()?),
            (None, "totp") => {
                let totp = Totp::new(self.otp_digits()?, self.period_s.unwrap_or(30), self.otp_hash()?)?;
                valid_for_s = Some(totp.remaining_s(unix_s));
                totp.code(&self.secret, unix_s)
            }
            (None, other) => return Err(TokenError::NoOtp(other.to_owned())),
        };
        if self.key_type == "hotp" || suite.as_ref().is_some_and(OcraSuite::has_counter) {
            used.counter = Some(self.next_counter()? + 1);
        }
        Ok((used, Otp { code, valid_for_s }))
    }

    fn response(&self, suite: &OcraSuite, input: &OtpInput<'_>, unix_s: u64) -> Result<Code, TokenError> {
        let question = input.challenge.ok_or_else(|| TokenError::NoChallenge(suite.to_string()))?;
        if suite.has_pin() && input.pin.is_none() {
            return Err(TokenError::NoPin(suite.to_string()));
        }
        let mut inputs = OcraInput::new(question);
        (inputs.pin, inputs.unix_s) = (input.pin, unix_s);
        if suite.has_counter() {
            inputs.counter = self.next_counter()?;
        }
        Ok(suite.code(&self.secret, &inputs)?)
    }

    /// The counter of the next code, never `u64::MAX`: the code after it needs a counter too, or a code would repeat.
    fn next_counter(&self) -> Result<u64, TokenError> {
        match self.counter {
            None => Err(TokenError::NoCounter(self.id.clone())),
            Some(u64::MAX) => Err(TokenError::CounterExhausted(self.id.clone())),
            Some(counter) => Ok(counter),
        }
    }

    fn otp_digits(&self) -> Result<Digits, TokenError> {
        Ok(Digits::new(self.digits.unwrap_or(6))?)
    }

    fn otp_hash(&self) -> Result<Hash, TokenError> {
        let Some(name) = &self.hash else { return Ok(Hash::Sha1) };
        Hash::from_name(name).ok_or_else(|| TokenError::UnknownHash(name.clone()))
    }
}

#[cfg(test)]
mod tests;
