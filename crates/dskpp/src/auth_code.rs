//! The authentication code that a person types (RFC 6063 §3.4.1.1, profile P11).
//!
//! A code is a sequence of type-length-value triples in hexadecimal: client ID (type 1), password (2), optionally a
//! checksum (3) and vendor fields (8 to F).

use std::fmt;

use crc::{CRC_16_GSM, Crc};
use dskpp_crypto::Secret;

/// Polynomial 0x1021, initial value 0, not reflected, final XOR 0xFFFF (profile P11).
const CHECKSUM: Crc<u16> = Crc::<u16>::new(&CRC_16_GSM);
/// The longest client ID (`<ClientID>`).
const MAX_CLIENT_ID: usize = 128;
/// The longest value of one TLV.
const MAX_VALUE: usize = 255;

/// The longest code in which a mistyped digit is searched for: nobody types longer ones by hand.
const MAX_CORRECTED: usize = 64;

const CLIENT_ID: char = '1';
const PASSWORD: char = '2';
const CHECKSUM_TYPE: char = '3';

/// A client ID with its password, valid for one key.
///
/// ```
/// let code: dskpp::auth_code::AuthCode = "108AC00000A20A3582AF0C3E304EA4C".parse()?;
/// assert_eq!(code.client_id(), "AC00000A");
/// assert_eq!(code.encode(true).expose(), b"108AC00000A20A3582AF0C3E304EA4C");
/// # Ok::<(), dskpp::auth_code::AuthCodeError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AuthCode {
    client_id: String,
    password: Secret,
    vendor: Vec<(char, String)>,
    had_checksum: bool,
}

/// Which part of a typed code is wrong. Messages never contain the password.
///
/// Positions count from 1, without white space and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthCodeError {
    /// Nothing was typed.
    #[error("the authentication code is empty: type it as it was given to you")]
    Empty,
    /// A character that is not a hexadecimal digit.
    #[error("{} of the authentication code, '{found}', is not one of 0-9 and A-F", place(*.at))]
    NotHexadecimal {
        /// Its position.
        at: usize,
        /// The character.
        found: char,
    },
    /// Changing this digit would make structure and checksum valid.
    #[error("{} of the authentication code is probably mistyped", place(*.0))]
    Mistyped(usize),
    /// A field's length does not fit the rest.
    #[error(
        "the {part} in the authentication code, from {} on, has the wrong length: a character there is mistyped, \
         or some are missing",
        place(*.at)
    )]
    Length {
        /// The field, by its type.
        part: &'static str,
        /// Its position.
        at: usize,
    },
    /// Characters after the last field.
    #[error("the authentication code has extra characters, from {} on", place(*.0))]
    LeftOver(usize),
    /// A type that is neither defined nor a vendor's.
    #[error("{} of the authentication code, '{kind}', starts an unknown field: it is probably mistyped", place(*.at))]
    UnknownType {
        /// The type digit.
        kind: char,
        /// Its position.
        at: usize,
    },
    /// A unique field occurs twice.
    #[error("the authentication code contains its {0} twice")]
    Twice(&'static str),
    /// A mandatory field is missing.
    #[error("the authentication code has no {0}: check that it was typed from its first to its last character")]
    Missing(&'static str),
    /// A client ID longer than 128 characters (profile P11).
    #[error("the client ID in the authentication code has {0} characters; the maximum is 128")]
    ClientIdTooLong(usize),
    /// The checksum is wrong.
    #[error("the checksum of the authentication code is wrong: more than one character is mistyped")]
    Checksum,
    /// Text that SASLprep (RFC 4013) prohibits.
    #[error("the {0} contains prohibited characters")]
    Prohibited(&'static str),
    /// A value too long for a TLV.
    #[error("the {0} is too long for an authentication code")]
    TooLong(&'static str),
}

/// A position as people find it in a code that is written in groups of four.
fn place(at: usize) -> String {
    format!("character {at} (in group {} of four characters)", at.div_ceil(4))
}

impl AuthCode {
    /// A code from a client ID and a password, both hexadecimal.
    pub fn new(client_id: &str, password: &Secret) -> Result<Self, AuthCodeError> {
        let client_id = upper_hex(client_id, "client ID")?;
        let text = std::str::from_utf8(password.expose()).map_err(|_| AuthCodeError::Prohibited("password"))?;
        let password = Secret::from(upper_hex(text, "password")?.into_bytes());
        let code = AuthCode { client_id, password, vendor: Vec::new(), had_checksum: false };
        code.checked()
    }

    /// A code from two typed fields: SASLprep (RFC 4013), then UTF-8 in hexadecimal.
    pub fn from_text(client_id: &str, password: &str) -> Result<Self, AuthCodeError> {
        let prepared = |text: &str, name| -> Result<String, AuthCodeError> {
            let text = stringprep::saslprep(text).map_err(|_| AuthCodeError::Prohibited(name))?;
            Ok(data_encoding::HEXUPPER.encode(text.as_bytes()))
        };
        let client_id = prepared(client_id, "client ID")?;
        let password = Secret::from(prepared(password, "password")?.into_bytes());
        AuthCode { client_id, password, vendor: Vec::new(), had_checksum: false }.checked()
    }

    fn checked(self) -> Result<Self, AuthCodeError> {
        match (self.client_id.len(), self.password.len()) {
            (0, _) => Err(AuthCodeError::Missing("client ID")),
            (_, 0) => Err(AuthCodeError::Missing("password")),
            (len, _) if len > MAX_CLIENT_ID => Err(AuthCodeError::ClientIdTooLong(len)),
            (_, len) if len > MAX_VALUE => Err(AuthCodeError::TooLong("password")),
            _ => Ok(self),
        }
    }

    /// The client ID as in `<ClientID>` and in the MAC: upper-case hexadecimal (profile P2).
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The password: the ASCII octets of its upper-case hexadecimal (profile P2).
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// Vendor fields, by their type digit.
    pub fn vendor(&self) -> &[(char, String)] {
        &self.vendor
    }

    /// Whether the code had a checksum (which was right).
    pub fn had_checksum(&self) -> bool {
        self.had_checksum
    }

    /// The code as text; secret, since it contains the password.
    pub fn encode(&self, checksum: bool) -> Secret {
        let mut text = Vec::with_capacity(1024); // no copies by reallocation
        field(&mut text, CLIENT_ID, self.client_id.as_bytes());
        field(&mut text, PASSWORD, self.password.expose());
        for (kind, value) in &self.vendor {
            field(&mut text, *kind, value.as_bytes());
        }
        if checksum {
            let sum = format!("{:04X}", crc16(&text));
            field(&mut text, CHECKSUM_TYPE, sum.as_bytes());
        }
        Secret::new(text)
    }
}

impl std::str::FromStr for AuthCode {
    type Err = AuthCodeError;

    /// Parses a typed code: either case, white space and hyphens anywhere. For a code with a checksum
    /// and one wrong digit, the error says which.
    fn from_str(typed: &str) -> Result<Self, AuthCodeError> {
        let kept = typed.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let mut digits = Vec::with_capacity(typed.len());
        for (i, found) in kept.enumerate() {
            if !found.is_ascii_hexdigit() {
                return Err(AuthCodeError::NotHexadecimal { at: i + 1, found });
            }
            digits.push(found.to_ascii_uppercase() as u8); // ASCII, by the line above
        }
        let digits = Secret::new(digits);
        parse(digits.expose()).map_err(|why| mistyped(digits.expose()).map_or(why, AuthCodeError::Mistyped))
    }
}

/// The only position at which changing a digit makes the checksum valid.
fn mistyped(digits: &[u8]) -> Option<usize> {
    if digits.len() > MAX_CORRECTED {
        return None;
    }
    let fits = |at: usize, digit: u8| {
        let mut tried = digits.to_vec();
        tried[at] = digit;
        parse(Secret::from(tried).expose()).is_ok_and(|code| code.had_checksum)
    };
    let mut found = (0..digits.len()).filter(|at| b"0123456789ABCDEF".iter().any(|digit| fits(*at, *digit)));
    match (found.next(), found.next()) {
        (Some(at), None) => Some(at + 1),
        _ => None,
    }
}

fn parse(digits: &[u8]) -> Result<AuthCode, AuthCodeError> {
    if digits.is_empty() {
        return Err(AuthCodeError::Empty);
    }
    let (mut client_id, mut password, mut checksum) = (None, None, None);
    let mut vendor = Vec::new();
    let mut at = 0;
    while at < digits.len() {
        if checksum.is_some() {
            return Err(AuthCodeError::LeftOver(at + 1)); // the checksum covers everything before it, so it is last
        }
        let (kind, value) = next_field(digits, at)?;
        let text = || String::from_utf8_lossy(value).into_owned(); // hexadecimal digits
        match kind {
            CLIENT_ID => once(&mut client_id, text(), "client ID")?,
            PASSWORD => once(&mut password, Secret::from_slice(value), "password")?,
            CHECKSUM_TYPE => once(&mut checksum, (text(), at), "checksum")?,
            '8'..='9' | 'A'..='F' => vendor.push((kind, text())),
            _ => return Err(AuthCodeError::UnknownType { kind, at: at + 1 }),
        }
        at += 3 + value.len();
    }
    if let Some((sum, at)) = &checksum
        && *sum != format!("{:04X}", crc16(&digits[..*at]))
    {
        return Err(AuthCodeError::Checksum);
    }
    let client_id = client_id.ok_or(AuthCodeError::Missing("client ID"))?;
    let password = password.ok_or(AuthCodeError::Missing("password"))?;
    AuthCode { client_id, password, vendor, had_checksum: checksum.is_some() }.checked()
}

/// Type and value of the field at `at`.
fn next_field(digits: &[u8], at: usize) -> Result<(char, &[u8]), AuthCodeError> {
    let part = match char::from(digits[at]) {
        CLIENT_ID => "client ID",
        PASSWORD => "password",
        CHECKSUM_TYPE => "checksum",
        _ => "part",
    };
    let truncated = AuthCodeError::Length { part, at: at + 1 };
    let [kind, high, low, rest @ ..] = &digits[at..] else { return Err(truncated) };
    let digit = |octet: u8| char::from(octet).to_digit(16).unwrap_or(0) as usize; // only digits are passed
    let len = digit(*high) * 16 + digit(*low);
    let value = rest.get(..len).ok_or(truncated)?;
    Ok((char::from(*kind), value))
}

fn once<T>(place: &mut Option<T>, value: T, name: &'static str) -> Result<(), AuthCodeError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(AuthCodeError::Twice(name)),
    }
}

fn field(out: &mut Vec<u8>, kind: char, value: &[u8]) {
    out.extend_from_slice(format!("{kind}{:02X}", value.len()).as_bytes());
    out.extend_from_slice(value);
}

/// Over the digits packed into octets, with a leading zero digit if their number is odd.
fn crc16(digits: &[u8]) -> u16 {
    let mut packed = Vec::with_capacity(digits.len() / 2 + 1);
    let odd = digits.len() % 2;
    let value = |octet: &u8| char::from(*octet).to_digit(16).unwrap_or(0) as u8; // only digits are passed
    packed.extend(digits[..odd].iter().map(value));
    packed.extend(digits[odd..].chunks_exact(2).map(|pair| value(&pair[0]) << 4 | value(&pair[1])));
    CHECKSUM.checksum(Secret::new(packed).expose())
}

fn upper_hex(text: &str, name: &'static str) -> Result<String, AuthCodeError> {
    match text.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_uppercase()),
        false => Err(AuthCodeError::Prohibited(name)),
    }
}

impl fmt::Debug for AuthCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthCode").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
