//! The users file of liboath: `type user PIN secret [counter …]`, PIN `-` for none.

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use dskpp_crypto::Secret;
use pskc::{
    AlgorithmParameters, Key, KeyData, KeyPackage, PinPolicy, PinUsageMode, Policy, ResponseFormat, Value, ValueFormat,
};

use super::secret::Encoding;
use super::{HOTP, OtpKey, PIN, TOTP};
use crate::pskc::describe::{self, Pins};

pub(super) fn write(package: &KeyPackage, pins: &Pins) -> Result<String, String> {
    if let Some(key) = package.key.as_ref().filter(|key| describe::is_pin(key))
        && let Some(pin) = pins.get(&key.id)
    {
        return match key.data.as_ref().and_then(|data| data.secret.as_ref()?.plain()) {
            Some(secret) if secret != pin => Err("another PIN has the same Id".to_owned()),
            _ if key.policy.as_ref().is_some_and(|policy| *policy != Policy::default()) => {
                Err("a users file cannot express a PIN's policy".to_owned())
            }
            _ => Ok(String::new()), // the key's line has the PIN
        };
    }
    let otp = OtpKey::of(package)?;
    if otp.hash != "SHA1" {
        return Err("a users file supports SHA-1 only".to_owned());
    }
    if !matches!(otp.digits, 6..=8) {
        return Err("a users file supports codes of 6 to 8 digits only".to_owned());
    }
    let user = super::user(otp.key);
    if user.is_empty() || user.contains(char::is_whitespace) || user.starts_with('#') {
        return Err("the user's name has spaces, which a users file cannot hold".to_owned());
    }
    let pin = match otp.pin {
        None => "-",
        Some(PinPolicy {
            pin_usage_mode: Some(PinUsageMode::Prepend),
            pin_key_id: Some(id),
            max_failed_attempts: None,
            min_length: None,
            max_length: None,
            ..
        }) => {
            let pin = pins.get(id).ok_or("the PIN of the key is not in the file")?;
            let pin = std::str::from_utf8(pin.expose()).ok().filter(|pin| !pin.contains(char::is_whitespace));
            pin.filter(|pin| !pin.is_empty()).ok_or("a users file cannot hold this PIN")?
        }
        Some(_) => return Err("a users file supports only PINs before the code, without limits".to_owned()),
    };
    let kind = match (otp.is_totp, otp.digits) {
        (false, 6) => "HOTP".to_owned(),
        (false, digits) => format!("HOTP/E/{digits}"),
        (true, 6) => format!("HOTP/T{}", otp.period_s),
        (true, digits) => format!("HOTP/T{}/{digits}", otp.period_s),
    };
    let counter = if otp.is_totp { String::new() } else { format!("\t{}", otp.counter) };
    Ok(format!("{kind}\t{user}\t{pin}\t{}{counter}\n", HEX.encode(otp.secret)))
}

pub(super) fn read(line: &str, note: &mut dyn FnMut(String)) -> Result<Vec<KeyPackage>, String> {
    let mut fields = line.split_whitespace();
    let mut next = |what: &str| fields.next().ok_or_else(|| format!("there is no {what}"));
    let (period_s, digits) = kind(next("type")?)?;
    let (user, pin, secret) = (next("user")?.to_owned(), next("PIN")?.to_owned(), next("secret")?);
    if pin == "+" {
        return Err("a PIN checked elsewhere (+) cannot be expressed in a key file; use - for none".to_owned());
    }
    let secret = Encoding::Hex.decode(secret)?;
    let mut data = KeyData { secret: Some(Value::Plain(secret)), ..KeyData::default() };
    let (counter, last) = (fields.next(), fields.next());
    match period_s {
        Some(period) => {
            data.time = Some(Value::Plain(0));
            data.time_interval = Some(Value::Plain(period));
        }
        None => {
            let counter = counter.unwrap_or("0").parse::<i64>().ok().filter(|counter| *counter >= 0);
            let mut counter = counter.ok_or("the counter is not a whole number")?;
            // The last password follows the counter that generated it: the next password uses the next counter.
            if last.is_some() {
                counter = counter.checked_add(1).ok_or("the counter cannot be incremented")?;
                note("the counter is incremented: its password was used".to_owned());
            }
            data.counter = Some(Value::Plain(counter));
        }
    }
    if last.is_some() || (period_s.is_some() && counter.is_some_and(|counter| counter != "0")) {
        note("the last use is left out".to_owned());
    }
    let response_format = Some(ResponseFormat { encoding: ValueFormat::Decimal, length: digits, check_digits: None });
    let mut key = Key {
        id: user.clone(),
        algorithm: Some(if period_s.is_some() { TOTP } else { HOTP }.to_owned()),
        algorithm_parameters: Some(AlgorithmParameters { response_format, ..AlgorithmParameters::default() }),
        data: Some(data),
        user_id: Some(user),
        ..Key::default()
    };
    let mut packages = Vec::new();
    if pin != "-" {
        let id = format!("{}-pin", key.id);
        let policy = PinPolicy {
            pin_key_id: Some(id.clone()),
            pin_usage_mode: Some(PinUsageMode::Prepend),
            ..Default::default()
        };
        key.policy = Some(Policy { pin_policy: Some(policy), ..Policy::default() });
        let data = KeyData { secret: Some(Value::Plain(Secret::from(pin.into_bytes()))), ..KeyData::default() };
        let pin = Key { id, algorithm: Some(PIN.to_owned()), data: Some(data), ..Key::default() };
        packages.push(KeyPackage { key: Some(pin), ..KeyPackage::default() });
    }
    packages.insert(0, KeyPackage { key: Some(key), ..KeyPackage::default() });
    Ok(packages)
}

/// `HOTP`, `HOTP/E`, `HOTP/E/8`, `HOTP/T30`, `HOTP/T30/6`: seconds of TOTP, and digits.
fn kind(text: &str) -> Result<(Option<i32>, u32), String> {
    let unknown = || format!("unknown type {text}");
    let mut parts = text.split('/');
    if parts.next() != Some("HOTP") {
        return Err(unknown());
    }
    let period = match parts.next() {
        None | Some("E") => None,
        Some(part) => {
            let period = part.strip_prefix('T').and_then(|seconds| seconds.parse().ok());
            Some(period.filter(|period| *period > 0).ok_or_else(unknown)?)
        }
    };
    let digits = match parts.next() {
        None => 6,
        Some(digits) => digits.parse().ok().filter(|digits| (6..=8).contains(digits)).ok_or_else(unknown)?,
    };
    if parts.next().is_some() {
        return Err(unknown());
    }
    Ok((period, digits))
}
