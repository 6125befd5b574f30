//! Lists of users, enrolments, tokens, imports and audit entries, page by page, and the parameters of all lists.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use data_encoding::HEXLOWER;
use dskpp_api::{
    AuditEntry, AuditOrder, AuditQuery, EnrolmentQuery, EnrolmentState, ImportSummary, ListPage, Listed,
    ListedAuditEntry, PageQuery, TokenSummary, UnreadableAuditEntry, UnreadableRow, UserQuery,
};
use pskc::{DateTime, MAX_NAME_LEN};
use serde::Serialize;

use super::ApiState;
use super::enrolments::{describe, time};
use super::problem::{ApiProblem, StrictQuery, json_answer};
use crate::store::{AuditFilter, AuditPlace, AuditRecord, EnrolmentFilter, Page, Unreadable};

/// The default page size, and the maximum of most lists.
pub(super) const PAGE: usize = 100;
/// Maximum page size of the audit trail.
const MAX_AUDIT_PAGE: usize = 1000;

/// A page size within its limits; 422 otherwise.
pub(super) fn limit(given: Option<usize>, most: usize) -> Result<usize, ApiProblem> {
    let limit = given.unwrap_or(PAGE);
    match (1..=most).contains(&limit) {
        true => Ok(limit),
        false => Err(ApiProblem::value(format!("limit must be 1 to {most}"))),
    }
}

/// A text to compare with those of a list; 422 for one that no database has.
pub(super) fn text(parameter: &'static str, given: Option<String>) -> Result<Option<String>, ApiProblem> {
    // Longer than any name or cursor: each character may have four octets.
    const MAX_LEN: usize = 8 * MAX_NAME_LEN;
    match given {
        Some(text) if text.len() > MAX_LEN || text.contains(char::is_control) => {
            Err(ApiProblem::value(format!("{parameter} must have at most {MAX_LEN} octets and no control characters")))
        }
        given => Ok(given),
    }
}

fn not_next() -> ApiProblem {
    ApiProblem::value("after must be `next` of a page of this list, with the same filters and order")
}

/// A cursor, as [`text`] and without the marks of other lists' cursors.
pub(super) fn id(after: Option<String>) -> Result<Option<String>, ApiProblem> {
    match text("after", after)? {
        Some(id) if !id.bytes().all(|octet| octet.is_ascii_alphanumeric()) => Err(not_next()),
        id => Ok(id),
    }
}

pub(super) fn page<T, U: Serialize>(page: Page<T>, describe: impl Fn(T) -> U) -> Response {
    let listed = |item| match item {
        Ok(item) => Listed::Readable(describe(item)),
        Err(Unreadable { row, column, .. }) => Listed::Unreadable(UnreadableRow { id: row, unreadable: column }),
    };
    let items = page.items.into_iter().map(listed).collect();
    json_answer(StatusCode::OK, &ListPage { items, next: page.next })
}

pub(super) async fn users(
    State(api): State<ApiState>,
    StrictQuery(query): StrictQuery<UserQuery>,
) -> Result<Response, ApiProblem> {
    let (prefix, after) = (text("name", query.name)?, text("after", query.after)?);
    let users = api.store.users(prefix, after, limit(query.limit, PAGE)?).await?;
    Ok(page(users, super::users::describe))
}

pub(super) async fn enrolments(
    State(api): State<ApiState>,
    StrictQuery(query): StrictQuery<EnrolmentQuery>,
) -> Result<Response, ApiProblem> {
    let EnrolmentQuery { user, state, after, limit: given } = query;
    let limit = limit(given, PAGE)?;
    let filter = match (text("user", user)?, state) {
        (None, Some(state)) if state != EnrolmentState::Active => {
            let after = text("after", after)?.map(|after| expiry_and_id(&after).ok_or_else(not_next));
            EnrolmentFilter::InState { state, after: after.transpose()? }
        }
        (user, state) => EnrolmentFilter::OfUser { user, state, after: id(after)? },
    };
    Ok(page(api.store.enrolments(filter, limit).await?, describe))
}

/// `xEXPIRY.ID`
fn expiry_and_id(after: &str) -> Option<(i64, String)> {
    let (expiry, id) = after.strip_prefix('x')?.split_once('.')?;
    Some((expiry.parse().ok()?, id.to_owned()))
}

pub(super) async fn tokens(
    State(api): State<ApiState>,
    StrictQuery(query): StrictQuery<PageQuery>,
) -> Result<Response, ApiProblem> {
    let tokens = api.store.tokens(id(query.after)?, limit(query.limit, PAGE)?).await?;
    Ok(page(tokens, |token| TokenSummary {
        id: token.id,
        name: token.name,
        roles: token.roles,
        created_at: time(token.created_at),
    }))
}

pub(super) async fn imports(
    State(api): State<ApiState>,
    StrictQuery(query): StrictQuery<PageQuery>,
) -> Result<Response, ApiProblem> {
    let imports = api.store.imports(id(query.after)?, limit(query.limit, PAGE)?).await?;
    Ok(page(imports, |import| ImportSummary {
        id: import.id,
        done: import.done,
        accepted: import.accepted,
        duplicate: import.duplicate,
        refused: import.refused,
        created_at: time(import.created_at),
    }))
}

pub(super) async fn audit(
    State(api): State<ApiState>,
    StrictQuery(query): StrictQuery<AuditQuery>,
) -> Result<Response, ApiProblem> {
    let limit = limit(query.limit, MAX_AUDIT_PAGE)?;
    let Page { items, next } = api.store.audit(audit_filter(query)?, limit).await?;
    let listed = |item| match item {
        Ok(AuditRecord { chain, seq, at, event, subject, hash }) => {
            let (at, hash) = (time(at).unwrap_or_default(), HEXLOWER.encode(&hash));
            ListedAuditEntry::Readable(AuditEntry { chain, seq, at, event, subject, hash })
        }
        Err(Unreadable { row, column, .. }) => {
            let (chain, seq) = number_and_chain(&row).unwrap_or_default();
            ListedAuditEntry::Unreadable(UnreadableAuditEntry { chain, seq, unreadable: column })
        }
    };
    let items = items.into_iter().map(listed).collect();
    Ok(json_answer(StatusCode::OK, &ListPage { items, next }))
}

fn audit_filter(query: AuditQuery) -> Result<AuditFilter, ApiProblem> {
    let AuditQuery { event, since, until, order, after, limit: _ } = query;
    let (event, after) = (text("event", event)?, text("after", after)?);
    if order == Some(AuditOrder::Chain) {
        for (parameter, given) in [("event", event.is_some()), ("since", since.is_some()), ("until", until.is_some())] {
            if given {
                return Err(ApiProblem::value(format!("{parameter} and order=chain exclude each other")));
            }
        }
        let after = after.map(|after| after.strip_prefix('c').and_then(number_and_chain).ok_or_else(not_next));
        return Ok(AuditFilter::ByChain { after: after.transpose()? });
    }
    let moment = |parameter, given: Option<String>| given.map(|text| moment(parameter, &text)).transpose();
    let (since, until) = (moment("since", since)?, moment("until", until)?);
    let after = after.map(|after| audit_place(&after).ok_or_else(not_next)).transpose()?;
    Ok(AuditFilter::ByTime {
        event,
        since: since.unwrap_or(i64::MIN),
        until: until.unwrap_or(i64::MAX),
        after,
        newest_first: order == Some(AuditOrder::Newest),
    })
}

/// `tAT.SEQ.CHAIN`
fn audit_place(after: &str) -> Option<AuditPlace> {
    let (at, rest) = after.strip_prefix('t')?.split_once('.')?;
    let (chain, seq) = number_and_chain(rest)?;
    Some((at.parse().ok()?, chain, seq))
}

/// `SEQ.CHAIN`
fn number_and_chain(text: &str) -> Option<(String, i64)> {
    let (seq, chain) = text.split_once('.')?;
    Some((chain.to_owned(), seq.parse().ok()?))
}

/// The first whole second at or after a time, since 1970; 422 if it is not RFC 3339, which has a zone.
pub(super) fn moment(parameter: &'static str, text: &str) -> Result<i64, ApiProblem> {
    let has_zone =
        text.ends_with('Z') || text.get("0000-00-00T00:00:00".len()..).is_some_and(|rest| rest.contains(['+', '-']));
    match text.parse::<DateTime>() {
        Ok(time) if has_zone => Ok(time.unix_s() + i64::from(time.subsec_nanosecond() > 0)),
        _ => Err(ApiProblem::value(format!("{parameter} must be a time such as 2026-01-31T12:00:00Z (RFC 3339)"))),
    }
}
