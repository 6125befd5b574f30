//! The properties of a PSKC package as attributes of RFC 6031 §3.

use der::asn1::{Any, GeneralizedTime, OctetString};
use der::{DateTime, Encode, Sequence};
use pskc::{
    AlgorithmParameters, ChallengeFormat, CryptoModuleInfo, DeviceInfo, Key, KeyData, KeyPackage, KeyUsage, PinPolicy,
    PinUsageMode, Policy, ResponseFormat, Value, ValueFormat,
};

use super::PackageError;
use super::asn1::{CmsAttribute, Oid, UNREADABLE, UNWRITABLE, from_der, to_der};

/// id-pskc: the arc of all attributes.
const ARC: Oid = Oid::new_unwrap("1.2.840.113549.1.9.16.12");

fn oid(number: u32) -> Result<Oid, PackageError> {
    ARC.push_arc(number).map_err(|_| UNWRITABLE)
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct FriendlyName {
    name: String,
    #[asn1(optional = "true")]
    language: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct Challenge {
    encoding: String,
    #[asn1(default = "Default::default")]
    check_digit: bool,
    min: u32,
    max: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct ResponseAttribute {
    encoding: String,
    length: u32,
    #[asn1(default = "Default::default")]
    check_digit: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct Pin {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    key_id: Option<String>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT")]
    usage_mode: String,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    max_failed_attempts: Option<u32>,
    #[asn1(context_specific = "3", tag_mode = "IMPLICIT", optional = "true")]
    min_length: Option<u32>,
    #[asn1(context_specific = "4", tag_mode = "IMPLICIT", optional = "true")]
    max_length: Option<u32>,
    #[asn1(context_specific = "5", tag_mode = "IMPLICIT", optional = "true")]
    encoding: Option<String>,
}

/// A list of attributes under construction.
#[derive(Default)]
struct List(Vec<CmsAttribute>);

impl List {
    fn add(&mut self, number: u32, value: Option<&impl Encode>) -> Result<(), PackageError> {
        if let Some(value) = value {
            self.0.push(CmsAttribute::new(oid(number)?, value)?);
        }
        Ok(())
    }

    fn text(&mut self, number: u32, value: Option<&String>) -> Result<(), PackageError> {
        if value.is_some_and(|text| !pskc::xml::is_text(text)) {
            return Err(UNWRITABLE);
        }
        self.add(number, value)
    }

    fn date(&mut self, number: u32, value: Option<pskc::DateTime>) -> Result<(), PackageError> {
        if value.is_some_and(|date| date.subsec_nanosecond() != 0) {
            return Err(PackageError::Unfit("a time in it has a fraction of a second"));
        }
        let time = value.map(|date| {
            let since = std::time::Duration::from_secs(u64::try_from(date.unix_s()).map_err(|_| UNWRITABLE)?);
            let date = DateTime::from_unix_duration(since).map_err(|_| UNWRITABLE)?;
            Ok(GeneralizedTime::from_date_time(date))
        });
        self.add(number, time.transpose()?.as_ref())
    }
}

/// The attributes of the device and its module: `sKeyPkgAttrs`.
pub(super) fn of_device(package: &KeyPackage) -> Result<Vec<CmsAttribute>, PackageError> {
    let mut list = List::default();
    has_attributes_for_all(package)?;
    if let Some(device) = &package.device_info {
        list.text(1, device.manufacturer.as_ref())?;
        list.text(2, device.serial_no.as_ref())?;
        list.text(3, device.model.as_ref())?;
        list.text(4, device.issue_no.as_ref())?;
        list.text(5, device.device_binding.as_ref())?;
        list.date(6, device.start_date)?;
        list.date(7, device.expiry_date)?;
    }
    list.text(8, package.crypto_module_info.as_ref().map(|module| &module.id))?;
    list.text(26, package.device_info.as_ref().and_then(|device| device.user_id.as_ref()))?;
    Ok(list.0)
}

/// Extensions have no attribute: refuse the package rather than lose them.
fn has_attributes_for_all(package: &KeyPackage) -> Result<(), PackageError> {
    let key = package.key.as_ref();
    let parameters = key.and_then(|key| key.algorithm_parameters.as_ref());
    let lists = [
        Some(&package.extensions),
        package.device_info.as_ref().map(|device| &device.extensions),
        package.crypto_module_info.as_ref().map(|module| &module.extensions),
        key.map(|key| &key.extensions),
        parameters.map(|parameters| &parameters.extensions),
    ];
    let other = key.and_then(|key| key.data.as_ref()).is_some_and(|data| !data.other.is_empty());
    match other || lists.into_iter().flatten().any(|list| !list.is_empty()) {
        true => Err(PackageError::Unfit("it has extensions, which have no attribute")),
        false => Ok(()),
    }
}

/// A plain number, not below `least`.
fn number_of<T: PartialOrd>(value: Option<&Value<T>>, least: T) -> Result<Option<&T>, PackageError> {
    match value {
        None => Ok(None),
        Some(Value::Plain(number)) if *number >= least => Ok(Some(number)),
        Some(Value::Plain(_)) => Err(PackageError::Unfit("a number in it is negative")),
        Some(Value::Encrypted(_)) => Err(PackageError::Unfit("a number in it is encrypted")),
    }
}

/// The attributes of the key: `sKeyAttrs`.
pub(super) fn of_key(key: &Key) -> Result<Vec<CmsAttribute>, PackageError> {
    let mut list = List::default();
    list.text(9, Some(&key.id))?;
    let algorithm = key.algorithm.as_ref().ok_or(PackageError::Unfit("it has no algorithm"))?;
    list.text(10, Some(algorithm))?;
    list.text(11, key.issuer.as_ref())?;
    list.text(12, key.key_profile_id.as_ref())?;
    list.text(13, key.key_reference.as_ref())?;
    let language = key.friendly_name_language.clone();
    let name = key.friendly_name.clone().map(|name| FriendlyName { name, language });
    list.add(14, name.as_ref())?;
    if let Some(parameters) = &key.algorithm_parameters {
        add_parameters(&mut list, parameters)?;
    }
    if let Some(data) = &key.data {
        list.add(16, number_of(data.counter.as_ref(), 0)?)?;
        list.add(17, number_of(data.time.as_ref(), 0)?)?;
        list.add(18, number_of(data.time_interval.as_ref(), 0)?)?;
        list.add(19, number_of(data.time_drift.as_ref(), i32::MIN)?)?; // of either sign (§3.2.11)
    }
    if let Some(policy) = &key.policy {
        add_policy(&mut list, policy)?;
    }
    list.text(27, key.user_id.as_ref())?;
    Ok(list.0)
}

fn add_parameters(list: &mut List, parameters: &AlgorithmParameters) -> Result<(), PackageError> {
    use der::asn1::ContextSpecific;
    use der::{TagMode, TagNumber};
    let mut values = Vec::new();
    if let Some(suite) = &parameters.suite {
        values.push(to_der(suite)?);
    }
    if let Some(format) = &parameters.challenge_format {
        let (encoding, check_digit) = (format.encoding.as_str().to_owned(), format.check_digits.unwrap_or(false));
        let value = Challenge { encoding, check_digit, min: format.min, max: format.max };
        values.push(to_der(&ContextSpecific { tag_number: TagNumber(0), tag_mode: TagMode::Implicit, value })?);
    }
    if let Some(format) = &parameters.response_format {
        let (encoding, check_digit) = (format.encoding.as_str().to_owned(), format.check_digits.unwrap_or(false));
        let value = ResponseAttribute { encoding, length: format.length, check_digit };
        values.push(to_der(&ContextSpecific { tag_number: TagNumber(1), tag_mode: TagMode::Implicit, value })?);
    }
    let mut set = der::asn1::SetOfVec::new();
    for value in &values {
        set.insert(from_der::<Any>(value)?).map_err(|_| UNWRITABLE)?;
    }
    if !set.is_empty() {
        list.0.push(CmsAttribute { kind: oid(15)?, values: set });
    }
    Ok(())
}

fn add_policy(list: &mut List, policy: &Policy) -> Result<(), PackageError> {
    if !policy.is_understood() {
        return Err(PackageError::Unfit("its policy has unknown elements"));
    }
    list.date(21, policy.start_date)?;
    list.date(22, policy.expiry_date)?;
    list.add(23, policy.number_of_transactions.as_ref())?;
    let usages: Vec<String> = policy.key_usage.iter().map(|usage| usage.as_str().to_owned()).collect();
    list.add(24, Some(&usages).filter(|usages| !usages.is_empty()))?;
    let Some(pin) = &policy.pin_policy else { return Ok(()) };
    let mode = pin.pin_usage_mode.ok_or(PackageError::Unfit("its PIN policy does not say how the PIN is used"))?;
    let pin = Pin {
        key_id: pin.pin_key_id.clone(),
        usage_mode: mode.as_str().to_owned(),
        max_failed_attempts: pin.max_failed_attempts,
        min_length: pin.min_length,
        max_length: pin.max_length,
        encoding: pin.pin_encoding.map(|encoding| encoding.as_str().to_owned()),
    };
    list.add(25, Some(&pin))
}

/// Whether it is an attribute of PSKC.
pub(super) fn is_one(kind: Oid) -> bool {
    number(kind).is_some()
}

/// The package from attributes and secret. Attributes of other arcs are ignored.
pub(super) fn package(
    device: &[CmsAttribute],
    key: &[CmsAttribute],
    secret: Option<&OctetString>,
) -> Result<KeyPackage, PackageError> {
    let mut package = KeyPackage { key: Some(Key::default()), ..KeyPackage::default() };
    let mut seen = Vec::new();
    for attribute in device.iter().chain(key) {
        let Some(number) = number(attribute.kind) else { continue };
        if (number != 15 && attribute.values.len() != 1) || seen.contains(&number) {
            return Err(UNREADABLE); // must occur once, in one of the lists (§2)
        }
        seen.push(number);
        for value in attribute.values.iter() {
            take(&mut package, number, value)?;
        }
    }
    if !seen.contains(&9) || !seen.contains(&10) {
        return Err(PackageError::Unreadable("its key has no identifier or no algorithm")); // §3: both are mandatory
    }
    if let (Some(secret), Some(key)) = (secret, &mut package.key) {
        key.data.get_or_insert_default().secret = Some(dskpp_crypto::Secret::from_slice(secret.as_bytes()).into());
    }
    Ok(package)
}

fn number(kind: Oid) -> Option<u32> {
    let mut arcs = kind.arcs();
    ARC.arcs().all(|arc| arcs.next() == Some(arc)).then_some(())?;
    arcs.next().filter(|_| arcs.next().is_none())
}

fn take(package: &mut KeyPackage, number: u32, value: &Any) -> Result<(), PackageError> {
    let KeyPackage { device_info, crypto_module_info, key, .. } = package;
    let key = key.get_or_insert_default();
    match number {
        1..=7 | 26 => return take_device(device_info.get_or_insert_default(), number, value),
        8 => *crypto_module_info = Some(CryptoModuleInfo { id: text(value)?, extensions: Vec::new() }),
        9 => key.id = text(value)?,
        10 => key.algorithm = Some(text(value)?),
        11 => key.issuer = Some(text(value)?),
        12 => key.key_profile_id = Some(text(value)?),
        13 => key.key_reference = Some(text(value)?),
        14 => {
            let FriendlyName { name, language } = value.decode_as().map_err(|_| UNREADABLE)?;
            (key.friendly_name, key.friendly_name_language) = (Some(name), language);
        }
        15 => take_parameter(key.algorithm_parameters.get_or_insert_default(), value)?,
        16..=19 => take_data(key.data.get_or_insert_default(), number, value)?,
        21..=25 => take_policy(key.policy.get_or_insert_default(), number, value)?,
        27 => key.user_id = Some(text(value)?),
        // With a key in the clear it would promise protection that cannot be checked.
        20 => return Err(PackageError::Unreadable("it has the MAC of an encrypted key")),
        // It may be a part of a policy (RFC 6030 §5).
        _ => return Err(PackageError::Unreadable("it has an unknown attribute")),
    }
    Ok(())
}

fn take_device(device: &mut DeviceInfo, number: u32, value: &Any) -> Result<(), PackageError> {
    match number {
        1 => device.manufacturer = Some(text(value)?),
        2 => device.serial_no = Some(text(value)?),
        3 => device.model = Some(text(value)?),
        4 => device.issue_no = Some(text(value)?),
        5 => device.device_binding = Some(text(value)?),
        6 => device.start_date = Some(date(value)?),
        7 => device.expiry_date = Some(date(value)?),
        _ => device.user_id = Some(text(value)?),
    }
    Ok(())
}

fn take_parameter(parameters: &mut AlgorithmParameters, value: &Any) -> Result<(), PackageError> {
    let der = to_der(value)?;
    if let Ok(suite) = from_der::<String>(&der) {
        return once(&mut parameters.suite, suite);
    }
    // The implicit tag says which alternative it is.
    let (tag, rest) = der.split_first().ok_or(UNREADABLE)?;
    let sequence = [&[0x30], rest].concat();
    match tag {
        0xA0 => {
            let Challenge { encoding: name, check_digit, min, max } = from_der(&sequence)?;
            let check_digits = check_digit.then_some(true);
            let format = ChallengeFormat { encoding: encoding(&name)?, min, max, check_digits };
            once(&mut parameters.challenge_format, format)
        }
        0xA1 => {
            let ResponseAttribute { encoding: name, length, check_digit } = from_der(&sequence)?;
            let check_digits = check_digit.then_some(true);
            let format = ResponseFormat { encoding: encoding(&name)?, length, check_digits };
            once(&mut parameters.response_format, format)
        }
        _ => Err(UNREADABLE),
    }
}

fn once<T>(field: &mut Option<T>, value: T) -> Result<(), PackageError> {
    if field.replace(value).is_none() { Ok(()) } else { Err(UNREADABLE) }
}

fn take_data(data: &mut KeyData, number: u32, value: &Any) -> Result<(), PackageError> {
    let small = |least| value.decode_as::<i32>().ok().filter(|number| *number >= least).ok_or(UNREADABLE);
    match number {
        16 => {
            let counter: i64 = value.decode_as().map_err(|_| UNREADABLE)?;
            data.counter = Some(Value::Plain(Some(counter).filter(|counter| *counter >= 0).ok_or(UNREADABLE)?));
        }
        17 => data.time = Some(Value::Plain(small(0)?)),
        18 => data.time_interval = Some(Value::Plain(small(0)?)),
        _ => data.time_drift = Some(Value::Plain(small(i32::MIN)?)),
    }
    Ok(())
}

fn take_policy(policy: &mut Policy, number: u32, value: &Any) -> Result<(), PackageError> {
    match number {
        21 => policy.start_date = Some(date(value)?),
        22 => policy.expiry_date = Some(date(value)?),
        23 => policy.number_of_transactions = Some(value.decode_as().map_err(|_| UNREADABLE)?),
        24 => {
            let names: Vec<String> = value.decode_as().map_err(|_| UNREADABLE)?;
            for name in names {
                policy.key_usage.push(KeyUsage::from_name(&name).ok_or(UNREADABLE)?);
            }
        }
        _ => {
            let pin: Pin = value.decode_as().map_err(|_| UNREADABLE)?;
            policy.pin_policy = Some(PinPolicy {
                pin_key_id: pin.key_id,
                pin_usage_mode: Some(PinUsageMode::from_name(&pin.usage_mode).ok_or(UNREADABLE)?),
                max_failed_attempts: pin.max_failed_attempts,
                min_length: pin.min_length,
                max_length: pin.max_length,
                pin_encoding: pin.encoding.as_deref().map(encoding).transpose()?,
                other: Vec::new(),
            });
        }
    }
    Ok(())
}

fn text(value: &Any) -> Result<String, PackageError> {
    let text: String = value.decode_as().map_err(|_| UNREADABLE)?;
    if pskc::xml::is_text(&text) { Ok(text) } else { Err(UNREADABLE) }
}

fn date(value: &Any) -> Result<pskc::DateTime, PackageError> {
    let time: GeneralizedTime = value.decode_as().map_err(|_| UNREADABLE)?;
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| UNREADABLE)?;
    pskc::DateTime::from_unix_s(seconds).ok_or(UNREADABLE)
}

fn encoding(name: &str) -> Result<ValueFormat, PackageError> {
    ValueFormat::from_name(name).ok_or(UNREADABLE)
}
