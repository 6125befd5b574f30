//! OCRA: responses to challenges (RFC 6287).

mod suite;

use dskpp_crypto::Secret;

use crate::Error;
use crate::code::{Code, hmac, truncate};
pub use suite::{OcraSuite, Question};

/// Length of a padded challenge in octets (§5.1).
const QUESTION_LEN: usize = 128;

/// The inputs of a response. A suite uses those that it names and ignores the others.
#[derive(Clone, Copy, Default)]
#[non_exhaustive]
pub struct OcraInput<'a> {
    /// The counter.
    pub counter: u64,
    /// The challenge as text in the suite's format. In mutual mode, both challenges concatenated.
    pub question: &'a str,
    /// The PIN in the clear; the response uses its hash.
    pub pin: Option<&'a Secret>,
    /// Session information, at most as long as the suite states; shorter values are padded with leading zeros.
    pub session: &'a [u8],
    /// The time, in seconds since 1970-01-01 UTC.
    pub unix_s: u64,
}

impl<'a> OcraInput<'a> {
    /// With this challenge alone; the other inputs are fields to set.
    pub fn new(question: &'a str) -> Self {
        OcraInput { question, ..OcraInput::default() }
    }
}

impl OcraSuite {
    /// The response to a challenge (§5.2).
    ///
    /// ```
    /// use dskpp_otp::{OcraInput, OcraSuite};
    /// let suite: OcraSuite = "OCRA-1:HOTP-SHA1-6:QN08".parse()?;
    /// let key = dskpp_crypto::Secret::from_slice(b"12345678901234567890");
    /// assert_eq!(suite.code(&key, &OcraInput::new("00000000"))?.to_string(), "237653");
    /// # Ok::<(), dskpp_otp::Error>(())
    /// ```
    pub fn code(&self, key: &Secret, input: &OcraInput<'_>) -> Result<Code, Error> {
        self.code_at(key, input, input.counter, self.step(input.unix_s))
    }

    /// Whether `typed` is the response for a counter at most `look_ahead` after the expected one and a time step at
    /// most `window` away. Returns the next expected counter, which must be stored (§7.3).
    pub fn check(
        &self,
        key: &Secret,
        input: &OcraInput<'_>,
        look_ahead: u32,
        window: u32,
        typed: &str,
    ) -> Result<Option<u64>, Error> {
        let look_ahead = if self.counter { look_ahead } else { 0 };
        let window = u64::from(if self.step_s.is_some() { window } else { 0 });
        let here = self.step(input.unix_s);
        for counter in input.counter..=input.counter.saturating_add(u64::from(look_ahead)) {
            for step in here.saturating_sub(window)..=here.saturating_add(window) {
                if self.code_at(key, input, counter, step)?.is(typed) {
                    return Ok(if self.counter { counter.checked_add(1) } else { Some(counter) });
                }
            }
        }
        Ok(None)
    }

    fn step(&self, unix_s: u64) -> u64 {
        unix_s / self.step_s.unwrap_or(1) // a suite's step is never 0
    }

    fn code_at(&self, key: &Secret, input: &OcraInput<'_>, counter: u64, step: u64) -> Result<Code, Error> {
        let mut message = Vec::with_capacity(self.text.len() + QUESTION_LEN + 256);
        message.extend_from_slice(self.text.as_bytes());
        message.push(0);
        if self.counter {
            message.extend_from_slice(&counter.to_be_bytes());
        }
        message.extend_from_slice(&self.question_octets(input.question)?);
        if let Some(hash) = self.pin {
            let pin = input.pin.ok_or(Error::OcraInput("the PIN"))?;
            message.extend_from_slice(&hash.digest(&[pin.expose()]));
        }
        if let Some(len) = self.session {
            let missing = usize::from(len).checked_sub(input.session.len());
            let missing = missing.ok_or(Error::OcraInput("shorter session information"))?;
            message.resize(message.len() + missing, 0);
            message.extend_from_slice(input.session);
        }
        if self.step_s.is_some() {
            message.extend_from_slice(&step.to_be_bytes());
        }
        let mac = hmac(self.hash, key, Secret::new(message).expose());
        Ok(match self.digits {
            0 => Code::hexadecimal(mac.as_ref()),
            digits => truncate(mac.as_ref(), digits),
        })
    }

    /// The challenge as 128 octets, padded with trailing zeros (§5.1).
    fn question_octets(&self, question: &str) -> Result<[u8; QUESTION_LEN], Error> {
        const WRONG: Error = Error::OcraInput("a challenge in its own format");
        let most = 2 * usize::from(self.question_max); // both sides' challenges in mutual mode
        if question.is_empty() || question.len() > most {
            return Err(Error::OcraInput("a challenge of the length that it names"));
        }
        let mut octets = [0; QUESTION_LEN];
        match self.question {
            Question::Alphanumeric if question.bytes().all(|c| c.is_ascii_alphanumeric()) => {
                octets[..question.len()].copy_from_slice(question.as_bytes()); // at most 128
            }
            Question::Numeric if question.bytes().all(|c| c.is_ascii_digit()) => {
                fill_nibbles(&mut octets, &nibbles_of_decimal(question));
            }
            Question::Hexadecimal => {
                let nibbles = question.chars().map(|c| c.to_digit(16).map(|digit| digit as u8));
                fill_nibbles(&mut octets, &nibbles.collect::<Option<Vec<u8>>>().ok_or(WRONG)?);
            }
            _ => return Err(WRONG),
        }
        Ok(octets)
    }
}

/// Fills from the left, so that an odd number leaves the last half-octet zero.
fn fill_nibbles(octets: &mut [u8; QUESTION_LEN], nibbles: &[u8]) {
    for (octet, pair) in octets.iter_mut().zip(nibbles.chunks(2)) {
        *octet = pair[0] << 4 | pair.get(1).copied().unwrap_or(0);
    }
}

/// The hexadecimal digits of a decimal number of any length, without leading zeros except for zero itself.
fn nibbles_of_decimal(decimal: &str) -> Vec<u8> {
    let mut nibbles = vec![0u8]; // least significant first
    for digit in decimal.bytes() {
        let mut carry = u32::from(digit - b'0'); // only digits are passed
        for nibble in &mut nibbles {
            carry += u32::from(*nibble) * 10;
            *nibble = (carry & 0xF) as u8;
            carry >>= 4;
        }
        while carry > 0 {
            nibbles.push((carry & 0xF) as u8);
            carry >>= 4;
        }
    }
    nibbles.reverse();
    nibbles
}

#[cfg(test)]
mod tests;
