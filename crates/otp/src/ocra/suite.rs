//! OCRA suites: the algorithm and its inputs as text (RFC 6287 §6).

use std::fmt;
use std::str::FromStr;

use dskpp_crypto::Hash;

use crate::Error;

/// The format of a challenge (§6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// `A`: ASCII letters and digits.
    Alphanumeric,
    /// `N`: decimal digits.
    Numeric,
    /// `H`: hexadecimal digits.
    Hexadecimal,
}

/// A suite such as `OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcraSuite {
    pub(super) text: String,
    pub(super) hash: Hash,
    /// 0 without truncation, else 4 to 10.
    pub(super) digits: u8,
    pub(super) counter: bool,
    pub(super) question: Question,
    pub(super) question_max: u8,
    pub(super) pin: Option<Hash>,
    pub(super) session: Option<u16>,
    pub(super) step_s: Option<u64>,
}

impl OcraSuite {
    /// The hash of the HMAC; keys have its output length.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Digits of a response; 0 for the whole HMAC in hexadecimal.
    pub fn digits(&self) -> u8 {
        self.digits
    }

    /// Whether it uses a counter, which both sides must keep.
    pub fn has_counter(&self) -> bool {
        self.counter
    }

    /// Format and maximum length of a challenge.
    pub fn question(&self) -> (Question, u8) {
        (self.question, self.question_max)
    }

    /// Whether it uses a PIN.
    pub fn has_pin(&self) -> bool {
        self.pin.is_some()
    }

    /// Length of its session information in octets.
    pub fn session_len(&self) -> Option<u16> {
        self.session
    }

    /// Seconds of a time step, if it uses the time.
    pub fn step_s(&self) -> Option<u64> {
        self.step_s
    }
}

impl fmt::Display for OcraSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for OcraSuite {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = Error::Suite;
        let mut parts = text.split(':');
        let (Some("OCRA-1"), Some(function), Some(data), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong("it must be OCRA-1, a function and its inputs, separated by colons"));
        };
        let function = function.strip_prefix("HOTP-").and_then(|rest| rest.split_once('-'));
        let (hash, digits) = function.ok_or(wrong("its function must be HOTP-<hash>-<digits>"))?;
        let hash = hash_of(hash).ok_or(wrong("its hash must be SHA1, SHA256 or SHA512"))?;
        let digits = plain_number(digits).filter(|digits| *digits == 0 || (4..=10).contains(digits));
        let digits = digits.ok_or(wrong("its digits must be 0 or 4 to 10"))? as u8;

        let mut inputs = data.split('-').peekable();
        let counter = inputs.next_if_eq(&"C").is_some();
        let (question, question_max) = inputs
            .next()
            .and_then(question_of)
            .ok_or(wrong("its challenge must be QA, QN or QH with a length of 04 to 64"))?;
        let pin = inputs.next_if(|input| input.starts_with('P'));
        let pin = pin.map(|pin| hash_of(&pin[1..]).ok_or(wrong("its PIN's hash must be SHA1, SHA256 or SHA512")));
        let session = inputs.next_if(|input| input.starts_with('S'));
        let session = session.map(|input| session_of(input).ok_or(wrong("its session length must be S001 to S512")));
        let step = inputs.next_if(|input| input.starts_with('T'));
        let step = step.map(|step| step_of(step).ok_or(wrong("its time step must be 1-59 S or M, or 1-48 H")));
        if inputs.next().is_some() {
            return Err(wrong("an input is unknown or out of order: C, Q, P, S, T"));
        }
        Ok(OcraSuite {
            text: text.to_owned(),
            hash,
            digits,
            counter,
            question,
            question_max,
            pin: pin.transpose()?,
            session: session.transpose()?,
            step_s: step.transpose()?,
        })
    }
}

fn hash_of(name: &str) -> Option<Hash> {
    match name {
        "SHA1" => Some(Hash::Sha1),
        "SHA256" => Some(Hash::Sha256),
        "SHA512" => Some(Hash::Sha512),
        _ => None,
    }
}

/// A number as in a suite: decimal digits without leading zeros.
fn plain_number(text: &str) -> Option<u16> {
    number(text).filter(|_| text.len() == 1 || !text.starts_with('0'))
}

/// Only decimal digits.
fn number(text: &str) -> Option<u16> {
    text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse().ok())?
}

fn question_of(text: &str) -> Option<(Question, u8)> {
    let (format, len) = match (text.get(..2)?, text.get(2..)?) {
        ("QA", len) => (Question::Alphanumeric, len),
        ("QN", len) => (Question::Numeric, len),
        ("QH", len) => (Question::Hexadecimal, len),
        _ => return None,
    };
    let max = number(len).filter(|max| len.len() == 2 && (4..=64).contains(max))?;
    Some((format, max as u8))
}

fn session_of(text: &str) -> Option<u16> {
    let len = text.get(1..).filter(|len| len.len() == 3)?;
    number(len).filter(|len| (1..=512).contains(len))
}

fn step_of(text: &str) -> Option<u64> {
    let (count, unit) = text.get(1..)?.split_at_checked(text.len().checked_sub(2)?)?;
    let count = plain_number(count).filter(|count| *count > 0)?;
    match (unit, count) {
        ("S", 1..=59) => Some(u64::from(count)),
        ("M", 1..=59) => Some(u64::from(count) * 60),
        ("H", 1..=48) => Some(u64::from(count) * 3600),
        _ => None,
    }
}
