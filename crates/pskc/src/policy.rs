//! `Policy`: the permitted uses of a key (RFC 6030 §5).

use std::io::BufRead;

use crate::codec::{self, Sequence, write_date};
use crate::key::ValueFormat;
use crate::xml::{self, Attribute, Element, Foreign, Ns, Reader, Writer, ns, write_attributes};
use crate::{DateTime, Error};

/// `<Policy>`. Unknown content is kept in `other`; it forbids the use of the key.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Policy {
    /// Start of the key's validity.
    pub start_date: Option<DateTime>,
    /// End of the key's validity.
    pub expiry_date: Option<DateTime>,
    /// The PIN that protects the key.
    pub pin_policy: Option<PinPolicy>,
    /// The permitted uses; if empty, all.
    pub key_usage: Vec<KeyUsage>,
    /// How many times the key may be used.
    pub number_of_transactions: Option<u64>,
    /// Unknown elements: of another namespace, or, from lenient reading, what violates the schema.
    pub other: Vec<Foreign>,
}

/// `<PINPolicy>`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PinPolicy {
    /// The key in this container that holds the PIN.
    pub pin_key_id: Option<String>,
    /// How the PIN is used.
    pub pin_usage_mode: Option<PinUsageMode>,
    /// How many wrong PINs are allowed before the key is blocked.
    pub max_failed_attempts: Option<u32>,
    /// The shortest PIN, counted as in [`ChallengeFormat`](crate::ChallengeFormat).
    pub min_length: Option<u32>,
    /// The longest PIN.
    pub max_length: Option<u32>,
    /// The encoding of the PIN.
    pub pin_encoding: Option<ValueFormat>,
    /// Unknown attributes: of another namespace, or, from lenient reading, what violates the schema.
    pub other: Vec<Attribute>,
}

codec::names! {
    /// How a PIN is used.
    pub enum PinUsageMode {
        /// The device checks it before using the key.
        Local = "Local",
        /// It precedes the response, and the server checks it.
        Prepend = "Prepend",
        /// It follows the response, and the server checks it.
        Append = "Append",
        /// It is an input of the algorithm.
        Algorithmic = "Algorithmic",
    }
}

codec::names! {
    /// A use of a key.
    pub enum KeyUsage {
        /// One-time passwords.
        Otp = "OTP",
        /// Challenge and response.
        Cr = "CR",
        /// Encrypting data.
        Encrypt = "Encrypt",
        /// Generating a MAC.
        Integrity = "Integrity",
        /// Verifying a MAC.
        Verify = "Verify",
        /// Unlocking a device by challenge and response.
        Unlock = "Unlock",
        /// Decrypting data.
        Decrypt = "Decrypt",
        /// Wrapping keys.
        KeyWrap = "KeyWrap",
        /// Unwrapping keys.
        Unwrap = "Unwrap",
        /// Deriving keys.
        Derive = "Derive",
        /// Generating a new key from a random number and this one.
        Generate = "Generate",
    }
}

impl Policy {
    /// Whether all its content is known.
    pub fn is_understood(&self) -> bool {
        let pin = self.pin_policy.as_ref();
        self.other.is_empty() && pin.is_none_or(|pin| pin.other.is_empty())
    }

    /// Whether the policy permits `usage` at the time `now`: it is understood, both
    /// dates include `now`, and the usage is listed. Checking the number of transactions and
    /// the PIN is up to the caller.
    pub fn permits(&self, usage: KeyUsage, now: impl Into<DateTime>) -> bool {
        let now = now.into();
        self.is_understood()
            && self.start_date.is_none_or(|start| start <= now)
            && self.expiry_date.is_none_or(|expiry| expiry >= now)
            && (self.key_usage.is_empty() || self.key_usage.contains(&usage))
    }

    /// Whether unknown content is allowed by the schema: elements and attributes of
    /// other namespaces. Lenient reading keeps more, so that it forbids the use of the key.
    pub fn is_valid(&self) -> bool {
        let is_others = |ns: &Ns| !ns.is(ns::PSKC) && *ns != Ns::None;
        let pin = self.pin_policy.iter().flat_map(|pin| &pin.other);
        self.other.iter().all(|element| is_others(&element.ns)) && pin.into_iter().all(|other| is_others(&other.ns))
    }

    pub(crate) fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        const CHILDREN: &[&str] = &["StartDate", "ExpiryDate", "PINPolicy", "KeyUsage*", "NumberOfTransactions", "*"];
        codec::only_attributes(reader, element, &[])?;
        let mut policy = Self::default();
        let mut children = Sequence::new(CHILDREN);
        while let Some((name, child)) = children.next(reader)? {
            match name {
                "StartDate" => policy.start_date = Some(codec::date(reader, &child)?),
                "ExpiryDate" => policy.expiry_date = Some(codec::date(reader, &child)?),
                "PINPolicy" => policy.pin_policy = Some(PinPolicy::read_open(reader, &child)?),
                "KeyUsage" => {
                    codec::only_attributes(reader, &child, &[])?;
                    let usage = reader.with_text(KeyUsage::from_name)?;
                    policy.key_usage.push(usage.ok_or_else(|| reader.invalid("not a key usage of RFC 6030 (§5)"))?);
                }
                "NumberOfTransactions" => {
                    let number = codec::parsed(reader, &child, "a number of transactions")?;
                    policy.number_of_transactions = Some(number);
                }
                _ => policy.other.push(Foreign::read_open(reader, child)?),
            }
        }
        Ok(policy)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.start("pskc:Policy");
        write_date(writer, "pskc:StartDate", self.start_date);
        write_date(writer, "pskc:ExpiryDate", self.expiry_date);
        if let Some(pin) = &self.pin_policy {
            pin.write(writer);
        }
        for usage in &self.key_usage {
            writer.element("pskc:KeyUsage", usage.as_str());
        }
        if let Some(number) = self.number_of_transactions {
            writer.element("pskc:NumberOfTransactions", &number.to_string());
        }
        self.other.iter().for_each(|element| element.write(writer));
        writer.end();
    }
}

impl PinPolicy {
    fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        let mut pin = Self::default();
        for attribute in element.attributes() {
            if attribute.ns != Ns::None {
                pin.other.push(attribute.clone());
                continue;
            }
            let (name, value) = (attribute.local.as_str(), attribute.value.as_str());
            let number = || xml::trim(value).parse().ok();
            let is_valid = match name {
                "PINKeyId" => set(&mut pin.pin_key_id, Some(value.to_owned())),
                "PINUsageMode" => set(&mut pin.pin_usage_mode, PinUsageMode::from_name(value)),
                "MaxFailedAttempts" => set(&mut pin.max_failed_attempts, number()),
                "MinLength" => set(&mut pin.min_length, number()),
                "MaxLength" => set(&mut pin.max_length, number()),
                "PINEncoding" => set(&mut pin.pin_encoding, ValueFormat::from_name(value)),
                _ => return Err(codec::unexpected_attribute(reader, name).into()),
            };
            if !is_valid {
                return Err(reader
                    .invalid(format!("attribute {name} has a value that RFC 6030 does not define"))
                    .into());
            }
        }
        reader.end()?;
        Ok(pin)
    }

    fn write(&self, writer: &mut Writer) {
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        writer.start("pskc:PINPolicy");
        writer.attr_opt("PINKeyId", self.pin_key_id.as_deref());
        writer.attr_opt("PINUsageMode", self.pin_usage_mode.map(PinUsageMode::as_str));
        writer.attr_opt("MaxFailedAttempts", number(self.max_failed_attempts).as_deref());
        writer.attr_opt("MinLength", number(self.min_length).as_deref());
        writer.attr_opt("MaxLength", number(self.max_length).as_deref());
        writer.attr_opt("PINEncoding", self.pin_encoding.map(ValueFormat::as_str));
        write_attributes(writer, &self.other, &[]);
        writer.end();
    }
}

/// Sets a field to a value that could be parsed; returns whether it could.
fn set<T>(field: &mut Option<T>, value: Option<T>) -> bool {
    *field = value;
    field.is_some()
}
