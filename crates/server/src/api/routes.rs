//! The router: every call of [`Call::ALL`], each behind the check of its caller.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{MethodFilter, MethodRouter, any, get, on};
use dskpp_api::paths;

use super::{
    ApiState, MAX_BODY_LEN, bulk, caller, checkpoint, devices, enrolments, expiring, export, idempotency, import,
    k_servers, keys, lists, lost, openapi, problem, sinks, tokens, users,
};
use crate::policy::permissions::Call;

/// Every route of the API.
pub(crate) fn router(state: ApiState) -> Router {
    let routes = Call::ALL.iter().fold(Router::new(), |routes, call| {
        let check = middleware::from_fn_with_state((state.clone(), *call), caller::authorise);
        let handler = match is_creating(*call) {
            true => handler(*call).route_layer(middleware::from_fn_with_state(state.clone(), idempotency::once)),
            false => handler(*call),
        };
        routes.route(call.path(), handler.route_layer((DefaultBodyLimit::max(max_body_len(*call)), check)))
    });
    let routes = routes
        .route(paths::OPENAPI, get(openapi::show))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
        .with_state(state);
    // A nested fallback does not match the bare slash.
    Router::new().nest(paths::ROOT, routes).route(&format!("{}/", paths::ROOT), any(problem::no_route))
}

/// Maximum size of its request, in octets.
fn max_body_len(call: Call) -> usize {
    match call {
        Call::CreateEnrolments => usize::MAX, // read line by line
        Call::ImportDevices => devices::MAX_BATCH_LEN,
        Call::ImportKeys => import::MAX_BATCH_LEN,
        _ => MAX_BODY_LEN,
    }
}

/// Whether it creates something, so that it may be sent again with an `Idempotency-Key`. An import finds out by itself
/// what it has done.
pub(super) fn is_creating(call: Call) -> bool {
    use Call::{AddKServer, CreateDevice, CreateEnrolment, CreateToken, CreateUser, ImportDevices, LoseUser};
    matches!(call, AddKServer | CreateDevice | CreateEnrolment | CreateToken | CreateUser | ImportDevices | LoseUser)
}

/// What answers a call.
fn handler(call: Call) -> MethodRouter<ApiState> {
    let method = MethodFilter::try_from(call.method()).expect("a method of HTTP");
    match call {
        Call::ListUsers => on(method, lists::users),
        Call::CreateUser => on(method, users::create_user),
        Call::ShowUser => on(method, users::show),
        Call::DeleteUser => on(method, users::remove),
        Call::LoseUser => on(method, lost::lose),
        Call::ListExpiring => on(method, expiring::list),
        Call::ListDevices => on(method, devices::list),
        Call::CreateDevice => on(method, devices::create),
        Call::ImportDevices => on(method, devices::import),
        Call::ShowDevice => on(method, devices::show),
        Call::ChangeDevice => on(method, devices::change),
        Call::RemoveDevice => on(method, devices::remove),
        Call::ListEnrolments => on(method, lists::enrolments),
        Call::CreateEnrolment => on(method, enrolments::create),
        Call::CreateEnrolments => on(method, bulk::create_enrolments),
        Call::ShowEnrolment => on(method, enrolments::show),
        Call::RevokeEnrolment => on(method, enrolments::revoke),
        Call::ListKeys => on(method, keys::list),
        Call::ImportKeys => on(method, import::batch),
        Call::ExportKeys => on(method, export::export),
        Call::ShowKey => on(method, keys::show),
        Call::ChangeKey => on(method, keys::change),
        Call::RevokeKey => on(method, keys::revoke),
        Call::RevokeKeys => on(method, bulk::revoke_keys),
        Call::DisableKey => on(method, keys::disable),
        Call::EnableKey => on(method, keys::enable),
        Call::ResynchroniseKey => on(method, keys::resynchronise),
        Call::ExportKey => on(method, keys::secret),
        Call::AssignKey => on(method, keys::assign),
        Call::ListImports => on(method, lists::imports),
        Call::ShowImport => on(method, import::progress),
        Call::Validate => on(method, keys::validate),
        Call::ListKServers => on(method, k_servers::list),
        Call::AddKServer => on(method, k_servers::add),
        Call::RetireKServer => on(method, k_servers::retire),
        Call::ListTokens => on(method, lists::tokens),
        Call::CreateToken => on(method, tokens::create),
        Call::DeleteToken => on(method, tokens::remove),
        Call::ListAudit => on(method, lists::audit),
        Call::MakeCheckpoint => on(method, checkpoint::make),
        Call::ListSinks => on(method, sinks::list),
        Call::TestSink => on(method, sinks::test),
        Call::ListDeliveries => on(method, sinks::deliveries),
        Call::RetryDelivery => on(method, sinks::retry),
    }
}
