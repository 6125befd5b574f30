//! `otpauth://` lines, the way in which authenticator apps take keys from QR codes.

use data_encoding::BASE32_NOPAD;
use dskpp_crypto::Secret;
use pskc::{AlgorithmParameters, Key, KeyData, KeyPackage, ResponseFormat, Value, ValueFormat};
use url::Url;

use super::{HOTP, Otp, TOTP};

/// `otpauth://totp/Issuer:account?secret=…&issuer=…&algorithm=…&digits=…&period=…`
pub(super) fn write(package: &KeyPackage) -> Result<String, String> {
    let otp = Otp::of(package)?;
    if otp.pin.is_some() {
        return Err("the format knows no PIN".to_owned());
    }
    let name = otp.key.friendly_name.as_ref().or(otp.key.user_id.as_ref()).unwrap_or(&otp.key.id);
    let account = name.replace([':', '/'], "_");
    let label = match &otp.key.issuer {
        Some(issuer) => format!("{}:{account}", issuer.replace([':', '/'], "_")),
        None => account,
    };
    let kind = if otp.is_totp { "totp" } else { "hotp" };
    let mut url = Url::parse(&format!("otpauth://{kind}/")).map_err(|why| why.to_string())?;
    url.path_segments_mut().map_err(|()| "not a line that can be written")?.pop_if_empty().push(&label);
    let mut query = url.query_pairs_mut();
    query.append_pair("secret", &BASE32_NOPAD.encode(otp.secret));
    if let Some(issuer) = &otp.key.issuer {
        query.append_pair("issuer", issuer);
    }
    query.append_pair("algorithm", otp.hash).append_pair("digits", &otp.digits.to_string());
    match otp.is_totp {
        true => query.append_pair("period", &otp.period_s.to_string()),
        false => query.append_pair("counter", &otp.counter.to_string()),
    };
    drop(query);
    Ok(format!("{}\n", url.as_str().replace('+', "%20"))) // apps differ about a plus sign
}

pub(super) fn read(line: &str) -> Result<Vec<KeyPackage>, String> {
    let url = Url::parse(line).ok().filter(|url| url.scheme() == "otpauth").ok_or("not an otpauth:// line")?;
    let is_totp = match url.host_str() {
        Some("totp") => true,
        Some("hotp") => false,
        _ => return Err("neither otpauth://totp/ nor otpauth://hotp/".to_owned()),
    };
    let query = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let path = percent_decode(url.path().trim_start_matches('/'))?;
    let (prefix, account) = match path.split_once(':') {
        Some((issuer, account)) => (Some(issuer.trim().to_owned()), account.trim().to_owned()),
        None => (None, path.trim().to_owned()),
    };
    let secret = query("secret").ok_or("there is no secret")?;
    let secret: String = secret.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '=')).collect();
    let secret = BASE32_NOPAD.decode(secret.to_ascii_uppercase().as_bytes()).map_err(|_| "the secret is not base32")?;
    let number = |name: &str, default: i64| match query(name) {
        None => Ok(default),
        Some(text) => text.parse::<i64>().map_err(|_| format!("{name} is not a whole number")),
    };
    let suite = match query("algorithm").unwrap_or_default().to_ascii_uppercase().as_str() {
        "" | "SHA1" => None,
        "SHA256" => Some("HMAC-SHA256".to_owned()),
        "SHA512" => Some("HMAC-SHA512".to_owned()),
        other => return Err(format!("the algorithm {other} is not known")),
    };
    let length = u32::try_from(number("digits", 6)?).ok().filter(|digits| (1..=10).contains(digits));
    let length = length.ok_or("digits is not a number from 1 to 10")?;
    let response_format = Some(ResponseFormat { encoding: ValueFormat::Decimal, length, check_digits: None });
    let mut data = KeyData { secret: Some(Value::Plain(Secret::new(secret))), ..KeyData::default() };
    if is_totp {
        let period = i32::try_from(number("period", 30)?).ok().filter(|period| *period > 0);
        data.time = Some(Value::Plain(0));
        data.time_interval = Some(Value::Plain(period.ok_or("period is not a number of seconds")?));
    } else {
        let counter = Some(number("counter", 0)?).filter(|counter| *counter >= 0);
        data.counter = Some(Value::Plain(counter.ok_or("counter is less than 0")?));
    }
    let issuer = query("issuer").or(prefix);
    let key = Key {
        id: issuer.iter().map(|issuer| format!("{issuer}:")).chain([account.clone()]).collect(),
        algorithm: Some(if is_totp { TOTP } else { HOTP }.to_owned()),
        issuer,
        algorithm_parameters: Some(AlgorithmParameters { suite, response_format, ..AlgorithmParameters::default() }),
        friendly_name: Some(account),
        data: Some(data),
        ..Key::default()
    };
    Ok(vec![KeyPackage { key: Some(key), ..KeyPackage::default() }])
}

/// The text of a label.
fn percent_decode(label: &str) -> Result<String, String> {
    let octets = percent_encoding::percent_decode_str(label).collect::<Vec<u8>>();
    String::from_utf8(octets).map_err(|_| "the label is not UTF-8".to_owned())
}
