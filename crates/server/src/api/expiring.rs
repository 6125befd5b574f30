//! Certificates and keys that end soon.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dskpp_api::{Expiring, ExpiringCertificate, ExpiringQuery, MAX_KEY_LIFETIME_S};

use super::ApiState;
use super::enrolments::time;
use super::keys::describe;
use super::lists::text;
use super::problem::{ApiProblem, StrictQuery, json_answer};
use crate::model::clock::now;

/// Thirty days.
const WITHIN_S: u64 = 30 * 86_400;
/// Pages of a thousand keys that a call looks at.
const PAGES: usize = 10;

pub(super) async fn list(
    State(api): State<ApiState>,
    StrictQuery(query): StrictQuery<ExpiringQuery>,
) -> Result<Response, ApiProblem> {
    let within_s = query.within_s.unwrap_or(WITHIN_S);
    if !(1..=MAX_KEY_LIFETIME_S).contains(&within_s) {
        return Err(ApiProblem::value(format!("within_s must be 1 to {MAX_KEY_LIFETIME_S}")));
    }
    let (until, after) = (now().saturating_add_unsigned(within_s), text("after", query.after)?);
    let certificates = match after {
        Some(_) => Vec::new(),
        None => api.certificates.all(),
    };
    let certificates = certificates.into_iter().filter(|certificate| certificate.expires_at <= until);
    let described = |it: crate::certificates::KnownCertificate| ExpiringCertificate {
        certificate: it.name.to_owned(),
        expires_at: time(it.expires_at),
    };
    let certificates = certificates.map(described).collect();
    let found = api.store.expiring_keys(after.unwrap_or_default(), until, PAGES).await?;
    let keys = found.keys.into_iter().map(describe).collect();
    Ok(json_answer(StatusCode::OK, &Expiring { certificates, keys, next: found.next }))
}
