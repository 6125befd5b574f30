//! Users, and the validation of names and certificates.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dskpp_api::{NewUser, User};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::ApiState;
use super::problem::{ApiProblem, Body, json_answer};
use pskc::{MAX_NAME_LEN, is_name};

/// A name without surrounding white space; 422 if it is not valid.
pub(super) fn name(field: &'static str, text: &str) -> Result<String, ApiProblem> {
    let text = text.trim();
    match is_name(text) {
        true => Ok(text.to_owned()),
        false => Err(ApiProblem::value(format!("{field} must have 1 to {MAX_NAME_LEN} printable characters"))),
    }
}

pub(super) async fn create_user(State(api): State<ApiState>, Body(new): Body<NewUser>) -> Result<Response, ApiProblem> {
    let user = api.store.create_user(name("name", &new.name)?).await?;
    Ok(json_answer(StatusCode::CREATED, &User { id: user.id, name: user.name }))
}

/// The only certificate (DER) of a PEM text; 422 for none or several.
pub(super) fn certificate(pem: &str) -> Result<Vec<u8>, ApiProblem> {
    let faulty = || ApiProblem::value("certificate_pem must be one X.509 certificate in PEM");
    let mut certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    match (certificates.next(), certificates.next()) {
        (Some(Ok(der)), None) => match x509_parser::parse_x509_certificate(&der) {
            Ok(([], _)) => Ok(der.to_vec()),
            _ => Err(faulty()),
        },
        _ => Err(faulty()),
    }
}
