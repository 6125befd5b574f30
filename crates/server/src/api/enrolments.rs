//! Enrolments: the permission to provision one key once.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dskpp::auth_code::AuthCode;
use dskpp::server::DeviceRef;
use dskpp_otp::{Digits, OcraSuite};
use pskc::MAX_COUNTER;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ApiState;
use super::problem::{Body, Caller, Id, Problem, json_answer};
use super::register::name;
use crate::model::{HashName, KeyType};
use crate::store::{Activation, EnrolmentRecord, Location, Method, NewEnrolment, Params, Role, Variant, WrongTries};
use crate::trigger;

/// The suite of an OCRA key unless its creator says otherwise.
const OCRA_SUITE: &str = "OCRA-1:HOTP-SHA1-6:QN08";
/// Ten years: longer is a mistake.
const MAX_LIFETIME_S: u64 = 10 * 366 * 24 * 3600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceName {
    manufacturer: String,
    serial: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolmentBody {
    user: String,
    key_type: String,
    variant: Option<Variant>,
    methods: Option<Vec<String>>,
    device: Option<DeviceName>,
    renews: Option<String>,
    delivers: Option<String>,
    key_location: Option<Location>,
    algorithm_location: Option<Location>,
    expires_in_s: Option<u64>,
    activate: Option<Activation>,
    digits: Option<u8>,
    period_s: Option<u32>,
    hash: Option<String>,
    counter: Option<u64>,
    suite: Option<String>,
}

pub(super) async fn create(
    State(api): State<ApiState>,
    caller: Caller,
    Body(body): Body<EnrolmentBody>,
) -> Result<Response, Problem> {
    caller.may(Role::Enrol)?;
    let new = body.checked(api.enrolment_lifetime_s)?;
    // A key is renewed where the token has it from (profile P29).
    let url_s = match &new.renews {
        Some(key_id) => api.store.url_of_key(key_id).await?,
        None => None,
    };
    let created = api.store.create_enrolment(new).await?;
    let enrolment = &created.enrolment;
    let code = AuthCode::new(&enrolment.client_id, &enrolment.password);
    let code = code.map_err(|why| Problem::value(why.to_string()))?;
    let text = |secret: &dskpp_crypto::Secret| String::from_utf8_lossy(secret.expose()).into_owned();
    let mut answer = describe(enrolment);
    answer["client_id"] = json!(enrolment.client_id);
    answer["password"] = json!(text(&enrolment.password));
    answer["authentication_code"] = json!(text(&code.encode(true)));
    // What travels under the code's password cannot be opened by who was not given the code.
    let by_trigger =
        enrolment.methods.is_empty() || enrolment.methods.iter().any(|method| *method != Method::PassphraseWrap);
    let url = by_trigger.then(|| trigger::address(&api.url_s, &text(&created.trigger_token)));
    answer["trigger_url"] = json!(url);
    answer["server_url"] = json!(url_s.as_deref().unwrap_or(&api.url_s));
    Ok(json_answer(StatusCode::CREATED, answer))
}

impl EnrolmentBody {
    fn checked(self, lifetime_s: u64) -> Result<NewEnrolment, Problem> {
        let key_type = KeyType::from_name(&self.key_type)
            .filter(|key_type| *key_type != KeyType::Other)
            .ok_or_else(|| Problem::value("key_type must be hotp, totp, ocra, aes128, aes192 or aes256"))?;
        if self.delivers.is_some() && self.variant == Some(Variant::FourPass) {
            return Err(Problem::value(
                "a key that exists already goes out by two-pass only: four-pass would make another one",
            ));
        }
        if self.delivers.is_some() && self.renews.is_some() {
            return Err(Problem::value("an enrolment either renews a key or delivers one"));
        }
        let activate = self.activate.unwrap_or(Activation::AtOnce);
        if activate == Activation::OnOtp && !["hotp", "totp", "ocra"].contains(&self.key_type.as_str()) {
            return Err(Problem::value("a key that makes no one-time passwords can only be active at once"));
        }
        let methods = self.methods.as_deref().unwrap_or_default().iter().map(|name| Method::from_name(name)).collect();
        let Some(methods): Option<Vec<Method>> = methods else {
            return Err(Problem::value("methods may be transport, wrap and passphrase-wrap"));
        };
        let variant = match self.variant {
            Some(Variant::FourPass) if !methods.is_empty() => {
                return Err(Problem::value("methods are of two-pass, and variant allows four-pass only"));
            }
            None if !methods.is_empty() => Some(Variant::TwoPass),
            variant => variant,
        };
        let expires_in_s = self.expires_in_s.unwrap_or(lifetime_s);
        if !(1..=MAX_LIFETIME_S).contains(&expires_in_s) {
            return Err(Problem::value(format!("expires_in_s must be 1 to {MAX_LIFETIME_S}")));
        }
        let device = self.device.as_ref().map(|device| -> Result<_, Problem> {
            let manufacturer = name("device.manufacturer", &device.manufacturer)?;
            Ok(DeviceRef { manufacturer, serial: name("device.serial", &device.serial)? })
        });
        Ok(NewEnrolment {
            user: name("user", &self.user)?,
            params: self.params()?,
            variant,
            methods,
            device: device.transpose()?,
            renews: self.renews,
            delivers: self.delivers,
            key_location: self.key_location,
            algorithm_location: self.algorithm_location,
            expires_in_s,
            activate,
            key_type,
        })
    }

    /// The parameters that the key type has; others are refused, not ignored.
    fn params(&self) -> Result<Params, Problem> {
        let kind = self.key_type.as_str();
        for (field, given, kinds) in [
            ("digits", self.digits.is_some(), &["hotp", "totp"][..]),
            ("period_s", self.period_s.is_some(), &["totp"]),
            ("hash", self.hash.is_some(), &["totp"]),
            ("counter", self.counter.is_some(), &["hotp"]),
            ("suite", self.suite.is_some(), &["ocra"]),
        ] {
            if given && self.delivers.is_some() {
                return Err(Problem::value(format!("the key to be delivered has its own {field}")));
            }
            if given && !kinds.contains(&kind) {
                return Err(Problem::value(format!("a key of type {kind} has no {field}")));
            }
        }
        let digits = self.digits.unwrap_or(6);
        Digits::new(digits).map_err(|why| Problem::value(why.to_string()))?;
        let hash = HashName::from_name(self.hash.as_deref().unwrap_or("SHA-1"))
            .ok_or_else(|| Problem::value("hash must be SHA-1, SHA-256 or SHA-512"))?;
        let period_s = self.period_s.unwrap_or(30);
        if !(1..=3600).contains(&period_s) {
            return Err(Problem::value("period_s must be 1 to 3600"));
        }
        let counter = self.counter.unwrap_or(0);
        if counter > MAX_COUNTER.unsigned_abs() {
            return Err(Problem::value("counter is too large"));
        }
        let suite = self.suite.as_deref().unwrap_or(OCRA_SUITE);
        let parsed: OcraSuite = suite.parse().map_err(|why: dskpp_otp::Error| Problem::value(why.to_string()))?;
        if parsed.has_pin() || parsed.session_len().is_some() {
            return Err(Problem::value(
                "suite has a PIN (P) or session information (S), which this server does not know: no response could \
                 ever be right; choose a suite of C, Q and T alone",
            ));
        }
        Ok(match kind {
            "hotp" => Params { digits: Some(digits), counter: Some(counter), ..Params::default() },
            "totp" => Params { digits: Some(digits), period_s: Some(period_s), hash: Some(hash), ..Params::default() },
            "ocra" => Params { suite: Some(suite.to_owned()), ..Params::default() },
            _ => Params::default(),
        })
    }
}

pub(super) async fn show(State(api): State<ApiState>, caller: Caller, Id(id): Id) -> Result<Response, Problem> {
    caller.may(Role::Read)?;
    let enrolment = api.store.enrolment(&id).await?.ok_or(Problem::not_found("enrolment"))?;
    let tries = api.store.tries_of(&id).await?;
    let mut answer = describe(&enrolment);
    answer["wrong_tries"] = tries.wrong.iter().map(wrong_tries).collect();
    let last = tries.last.map(|(cause, at)| json!({ "cause": cause, "detail": cause.text(), "at": time(at) }));
    answer["last_refusal"] = json!(last);
    Ok(json_answer(StatusCode::OK, answer))
}

fn wrong_tries(tries: &WrongTries) -> Value {
    json!({
        "address": tries.address,
        "count": tries.count,
        "last_at": time(tries.last_at),
        "locked_until": tries.locked_until.and_then(time),
    })
}

pub(super) async fn revoke(State(api): State<ApiState>, caller: Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    caller.may(Role::Enrol)?;
    api.store.revoke_enrolment(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything but the code.
fn describe(enrolment: &EnrolmentRecord) -> Value {
    json!({
        "id": enrolment.id,
        "state": enrolment.state,
        "user": enrolment.user,
        "key_type": enrolment.key_type,
        "params": enrolment.params,
        "variant": enrolment.variant,
        "methods": enrolment.methods,
        "device": enrolment.device.as_ref().map(device),
        "renews": enrolment.renews,
        "delivers": enrolment.delivers,
        "key_location": enrolment.key_location,
        "algorithm_location": enrolment.algorithm_location,
        "activate": enrolment.activate,
        "failed_attempts": enrolment.failed_attempts,
        "key_id": enrolment.key_id,
        "created_at": time(enrolment.created_at),
        "expires_at": time(enrolment.expires_at),
    })
}

pub(super) fn device(device: &DeviceRef) -> Value {
    json!({ "manufacturer": device.manufacturer, "serial": device.serial })
}

/// RFC 3339.
pub(super) fn time(unix_s: i64) -> Option<String> {
    pskc::DateTime::from_unix_s(unix_s).map(|time| time.to_string())
}
