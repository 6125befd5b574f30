//! Users, and the validation of names and certificates.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dskpp_api::{ListedUser, NewUser, User};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::ApiState;
use super::caller::Caller;
use super::enrolments::time;
use super::etag::{IfMatch, IfNoneMatch};
use super::problem::{ApiProblem, Body, Id, json_answer};
use crate::model::UserEntry;
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

pub(super) async fn show(State(api): State<ApiState>, seen: IfNoneMatch, Id(id): Id) -> Result<Response, ApiProblem> {
    let user = api.store.user(&id).await?.ok_or(ApiProblem::not_found("user"))?;
    Ok(seen.answer(&describe(user)))
}

pub(super) async fn remove(
    State(api): State<ApiState>,
    caller: Caller,
    IfMatch(tags): IfMatch,
    Id(id): Id,
) -> Result<StatusCode, ApiProblem> {
    let write = api.store.delete_user(&id, caller.id());
    match tags {
        None => write.await?,
        Some(tags) => api.store.if_user(&id, move |user| tags.name(&describe(user)), write).await?,
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn describe(user: UserEntry) -> ListedUser {
    ListedUser { id: user.id, name: user.name, created_at: time(user.created_at) }
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
