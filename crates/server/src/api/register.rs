//! Users and devices.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dskpp_crypto::Secret;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::json;

use super::ApiState;
use super::problem::{Body, Caller, Problem, json_answer};
use crate::names::{MAX_NAME_LEN, is_name};
use crate::store::{NewDevice, Role};

/// A name without white space around it; 422 where it is none.
pub(super) fn name(field: &'static str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    match is_name(text) {
        true => Ok(text.to_owned()),
        false => Err(Problem::value(format!("{field} must have 1 to {MAX_NAME_LEN} printable characters"))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    name: String,
}

pub(super) async fn create_user(
    State(api): State<ApiState>,
    caller: Caller,
    Body(new): Body<NewUser>,
) -> Result<Response, Problem> {
    caller.may(Role::Enrol)?;
    let user = api.store.create_user(name("name", &new.name)?).await?;
    Ok(json_answer(StatusCode::CREATED, json!({ "id": user.id, "name": user.name })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceBody {
    manufacturer: String,
    serial: String,
    key_name: String,
    shared_key_hex: Option<String>,
    certificate_pem: Option<String>,
}

pub(super) async fn create_device(
    State(api): State<ApiState>,
    caller: Caller,
    Body(new): Body<DeviceBody>,
) -> Result<Response, Problem> {
    caller.may(Role::Enrol)?;
    let device = NewDevice {
        manufacturer: name("manufacturer", &new.manufacturer)?,
        serial: name("serial", &new.serial)?,
        key_name: name("key_name", &new.key_name)?,
        shared_key: new.shared_key_hex.as_deref().map(shared_key).transpose()?,
        certificate: new.certificate_pem.as_deref().map(certificate).transpose()?,
    };
    let answer = json!({
        "manufacturer": device.manufacturer,
        "serial": device.serial,
        "key_name": device.key_name,
        "has_shared_key": device.shared_key.is_some(),
        "has_certificate": device.certificate.is_some(),
    });
    let id = api.store.create_device(device).await?;
    let mut body = json!({ "id": id });
    if let (Some(body), serde_json::Value::Object(more)) = (body.as_object_mut(), answer) {
        body.extend(more);
    }
    Ok(json_answer(StatusCode::CREATED, body))
}

fn shared_key(hex: &str) -> Result<Secret, Problem> {
    let key = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).map(Secret::new);
    key.ok()
        .filter(|key| (16..=64).contains(&key.len()))
        .ok_or_else(|| Problem::value("shared_key_hex must be 16 to 64 octets in hexadecimal"))
}

pub(super) fn certificate(pem: &str) -> Result<Vec<u8>, Problem> {
    let faulty = || Problem::value("certificate_pem must be one X.509 certificate in PEM");
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| faulty())?;
    x509_parser::parse_x509_certificate(&der).map_err(|_| faulty())?;
    Ok(der.to_vec())
}
