//! Enrolments: the permission to provision one key once.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dskpp::auth_code::AuthCode;
use dskpp::server::DeviceRef;
use dskpp_api::{
    Activation, Cause, CreatedEnrolment, DeviceIdentity, Enrolment, EnrolmentDetails, HashName, KeyParameters, KeyType,
    MAX_KEY_LIFETIME_S, Method, Named, NewEnrolmentRequest, RefusalEntry, SecretString, Variant, WrongTries,
};
use dskpp_crypto::Secret;
use dskpp_otp::{Digits, OcraSuite};
use pskc::MAX_COUNTER;

use super::ApiState;
use super::etag::{IfMatch, IfNoneMatch};
use super::problem::{ApiProblem, Body, Id, json_answer};
use super::users::name;
use crate::dskpp::trigger_page;
use crate::model::{self, EnrolmentRecord, Params, Terms};
use crate::store::{self, Created};

/// The default suite of an OCRA key.
const OCRA_SUITE: &str = "OCRA-1:HOTP-SHA1-6:QN08";
/// Ten years.
const MAX_LIFETIME_S: u64 = 10 * 366 * 24 * 3600;

pub(super) async fn create(
    State(api): State<ApiState>,
    Body(new): Body<NewEnrolmentRequest>,
) -> Result<Response, ApiProblem> {
    let new = checked(&api, new)?;
    // A renewal runs at the URL that the token knows (profile P29).
    let url_s = match &new.renews {
        Some(key_id) => api.store.url_of_key(key_id).await?,
        None => None,
    };
    let created = api.store.create_enrolment(new).await?;
    Ok(json_answer(StatusCode::CREATED, &described(&api, created, url_s)?))
}

/// The answer that has the code. `url_s`: where it is used, if not at the first public URL.
pub(super) fn described(
    api: &ApiState,
    created: Created,
    url_s: Option<String>,
) -> Result<CreatedEnrolment, ApiProblem> {
    let (enrolment, trigger_token) = (created.enrolment, created.trigger_token);
    let code = AuthCode::new(&enrolment.client_id, &enrolment.password);
    let code = code.map_err(|why| ApiProblem::value(why.to_string()))?;
    // Only the code's password can unwrap such a key.
    let by_trigger =
        enrolment.methods.is_empty() || enrolment.methods.iter().any(|method| *method != Method::PassphraseWrap);
    Ok(CreatedEnrolment {
        client_id: enrolment.client_id.clone(),
        password: text(&enrolment.password),
        authentication_code: text(&code.encode(true)),
        trigger_url: by_trigger.then(|| trigger_page::address(&api.url_s, text(&trigger_token).expose()).into()),
        server_url: url_s.unwrap_or_else(|| api.url_s.to_string()),
        enrolment: describe(enrolment),
    })
}

pub(super) fn text(secret: &Secret) -> SecretString {
    String::from_utf8_lossy(secret.expose()).into_owned().into()
}

/// What a call asks for, with what its template and the configuration say.
pub(super) fn checked(api: &ApiState, new: NewEnrolmentRequest) -> Result<store::NewEnrolment, ApiProblem> {
    let (new, terms) = api.templates.apply(new).map_err(ApiProblem::value)?;
    let sinks = api.sinks.chosen(new.sinks.as_deref()).map_err(ApiProblem::value)?;
    let key_type = new.key_type.as_ref().and_then(Named::known).filter(|key_type| *key_type != KeyType::Other);
    let key_type =
        key_type.ok_or_else(|| ApiProblem::value("key_type must be hotp, totp, ocra, aes128, aes192 or aes256"))?;
    if new.delivers.is_some() && new.key_lifetime_s.is_some() {
        return Err(ApiProblem::value("the delivered key has its own expiry"));
    }
    if !new.key_lifetime_s.is_none_or(|lifetime_s| (1..=MAX_KEY_LIFETIME_S).contains(&lifetime_s)) {
        return Err(ApiProblem::value(format!("key_lifetime_s must be 1 to {MAX_KEY_LIFETIME_S}")));
    }
    if new.delivers.is_some() && new.variant == Some(Variant::FourPass) {
        return Err(ApiProblem::value(
            "an existing key can be delivered by two-pass only: four-pass generates a new key",
        ));
    }
    if new.delivers.is_some() && new.renews.is_some() {
        return Err(ApiProblem::value("renews and delivers exclude each other"));
    }
    let activate = new.activate.unwrap_or(Activation::AtOnce);
    if activate == Activation::OnOtp && !matches!(key_type, KeyType::Hotp | KeyType::Totp | KeyType::Ocra) {
        return Err(ApiProblem::value("activate on-otp requires a key that makes one-time passwords"));
    }
    let methods = new.methods.iter().flatten().map(Named::known).collect();
    let Some(methods): Option<Vec<Method>> = methods else {
        return Err(ApiProblem::value("methods may be transport, wrap and passphrase-wrap"));
    };
    let variant = match new.variant {
        Some(Variant::FourPass) if !methods.is_empty() => {
            return Err(ApiProblem::value("methods apply to two-pass, but variant allows four-pass only"));
        }
        None if !methods.is_empty() => Some(Variant::TwoPass),
        variant => variant,
    };
    let expires_in_s = new.expires_in_s.unwrap_or(api.enrolment_lifetime_s);
    if !(1..=MAX_LIFETIME_S).contains(&expires_in_s) {
        return Err(ApiProblem::value(format!("expires_in_s must be 1 to {MAX_LIFETIME_S}")));
    }
    let device = new.device.as_ref().map(|device| -> Result<_, ApiProblem> {
        let manufacturer = name("device.manufacturer", &device.manufacturer)?;
        Ok(DeviceRef { manufacturer, serial: name("device.serial", &device.serial)? })
    });
    Ok(store::NewEnrolment {
        user: name("user", &new.user)?,
        params: Params { terms, ..params(&new, key_type)? },
        variant,
        methods,
        device: device.transpose()?,
        renews: new.renews,
        delivers: new.delivers,
        key_location: new.key_location,
        algorithm_location: new.algorithm_location,
        expires_in_s,
        activate,
        sinks,
        key_type,
    })
}

/// The parameters of the key type; others are refused, not ignored.
fn params(new: &NewEnrolmentRequest, key_type: KeyType) -> Result<Params, ApiProblem> {
    use KeyType::{Hotp, Ocra, Totp};
    for (field, given, types) in [
        ("digits", new.digits.is_some(), &[Hotp, Totp][..]),
        ("period_s", new.period_s.is_some(), &[Totp]),
        ("hash", new.hash.is_some(), &[Totp]),
        ("counter", new.counter.is_some(), &[Hotp]),
        ("suite", new.suite.is_some(), &[Ocra]),
    ] {
        if given && new.delivers.is_some() {
            return Err(ApiProblem::value(format!("the delivered key has its own {field}")));
        }
        if given && !types.contains(&key_type) {
            return Err(ApiProblem::value(format!("a key of type {key_type} has no {field}")));
        }
    }
    let digits = new.digits.unwrap_or(6);
    Digits::new(digits).map_err(|why| ApiProblem::value(why.to_string()))?;
    let hash = new.hash.as_ref().map_or(Some(HashName::Sha1), Named::known);
    let hash = hash.ok_or_else(|| ApiProblem::value("hash must be SHA-1, SHA-256 or SHA-512"))?;
    let period_s = new.period_s.unwrap_or(30);
    if !(1..=3600).contains(&period_s) {
        return Err(ApiProblem::value("period_s must be 1 to 3600"));
    }
    let counter = new.counter.unwrap_or(0);
    if counter > MAX_COUNTER.unsigned_abs() {
        return Err(ApiProblem::value("counter is too large"));
    }
    let suite = new.suite.as_deref().unwrap_or(OCRA_SUITE);
    let parsed: OcraSuite = suite.parse().map_err(|why: dskpp_otp::Error| ApiProblem::value(why.to_string()))?;
    if parsed.has_pin() || parsed.session_len().is_some() {
        return Err(ApiProblem::value(
            "this server supports no suites with a PIN (P) or session information (S): use C, Q and T only",
        ));
    }
    Ok(match key_type {
        Hotp => Params { digits: Some(digits), counter: Some(counter), ..Params::default() },
        Totp => Params { digits: Some(digits), period_s: Some(period_s), hash: Some(hash), ..Params::default() },
        Ocra => Params { suite: Some(suite.to_owned()), ..Params::default() },
        _ => Params::default(),
    })
}

pub(super) async fn show(State(api): State<ApiState>, seen: IfNoneMatch, Id(id): Id) -> Result<Response, ApiProblem> {
    let enrolment = api.store.enrolment(&id).await?.ok_or(ApiProblem::not_found("enrolment"))?;
    Ok(seen.answer(&details(enrolment, api.store.tries_of(&id).await?)))
}

/// An enrolment as it is shown by itself.
fn details(enrolment: EnrolmentRecord, tries: model::TriesRecord) -> EnrolmentDetails {
    let refusal = |(cause, at): (Cause, i64)| RefusalEntry { cause, detail: cause.text().to_owned(), at: time(at) };
    EnrolmentDetails {
        enrolment: describe(enrolment),
        wrong_tries: tries.wrong.into_iter().map(wrong_tries).collect(),
        last_refusal: tries.last.map(refusal),
    }
}

fn wrong_tries(tries: model::WrongTryCount) -> WrongTries {
    WrongTries {
        address: tries.address,
        count: tries.count,
        last_at: time(tries.last_at),
        locked_until: tries.locked_until.and_then(time),
    }
}

pub(super) async fn revoke(
    State(api): State<ApiState>,
    IfMatch(tags): IfMatch,
    Id(id): Id,
) -> Result<StatusCode, ApiProblem> {
    let write = api.store.revoke_enrolment(&id);
    match tags {
        None => write.await?,
        Some(tags) => {
            let holds = move |enrolment, tries| tags.name(&details(enrolment, tries));
            api.store.if_enrolment(&id, holds, write).await?;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Everything but the code.
pub(super) fn describe(enrolment: EnrolmentRecord) -> Enrolment {
    let Terms { template, lifetime_s, .. } = enrolment.params.terms.clone();
    Enrolment {
        id: enrolment.id,
        state: enrolment.state,
        user: enrolment.user,
        key_type: enrolment.key_type,
        params: parameters(enrolment.params),
        variant: enrolment.variant,
        methods: enrolment.methods,
        device: enrolment.device.map(device),
        renews: enrolment.renews,
        delivers: enrolment.delivers,
        key_location: enrolment.key_location,
        algorithm_location: enrolment.algorithm_location,
        activate: enrolment.activate,
        sinks: enrolment.sinks,
        template,
        key_lifetime_s: lifetime_s,
        failed_attempts: enrolment.failed_attempts,
        key_id: enrolment.key_id,
        created_at: time(enrolment.created_at),
        expires_at: time(enrolment.expires_at),
    }
}

pub(super) fn parameters(params: Params) -> KeyParameters {
    let Params { digits, period_s, hash, counter, suite, algorithm, usage, pin, terms: _ } = params;
    KeyParameters { digits, period_s, hash, counter, suite, algorithm, usage, pin }
}

pub(super) fn device(device: DeviceRef) -> DeviceIdentity {
    DeviceIdentity { manufacturer: device.manufacturer, serial: device.serial }
}

/// RFC 3339.
pub(super) fn time(unix_s: i64) -> Option<String> {
    pskc::DateTime::from_unix_s(unix_s).map(|time| time.to_string())
}
