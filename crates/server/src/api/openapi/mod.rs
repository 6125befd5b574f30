//! The OpenAPI 3.1 document of the API, made of the types of `dskpp-api` and one table of operations.

mod operation;
mod operations;
mod schemas;

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use dskpp_api::{BulkEnrolment, MEDIA_TYPE_PROBLEM, Problem, paths};
use serde_json::{Map, Value, json};

use operations::operation;
use schemas::Schemas;

use crate::policy::permissions::Call;

/// The document, as it is sent.
static TEXT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", document()));

pub(super) async fn show() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], &**TEXT)
}

/// The document.
pub(super) fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut by_path: Map<String, Value> = Map::new();
    for call in Call::ALL {
        let methods = by_path.entry(format!("{}{}", paths::ROOT, call.path())).or_insert_with(|| json!({}));
        methods[call.method().as_str().to_lowercase()] = operation(*call).document(&mut schemas);
    }
    by_path.insert(format!("{}{}", paths::ROOT, paths::OPENAPI), json!({ "get": own() }));
    schemas.answer::<Problem>();
    schemas.answer::<BulkEnrolment>(); // a line of an answer
    let (mut schemas, responses) = schemas.all();
    // Behind a balancer that gives requests an id.
    schemas["Problem"]["properties"]["request_id"] = json!({ "type": "string" });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "DSKPP server: admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
            "description": format!("Errors are of the type {MEDIA_TYPE_PROBLEM} (RFC 9457). Times are RFC 3339, in UTC; \
                octets are hexadecimal. Clients ignore members of answers that they do not know."),
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": by_path,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "A token of `POST /api/v1/tokens`; the first one is in the file admin-token in the \
                    server's data folder. Each operation names the roles of which its token needs one.",
            } },
        },
    })
}

/// The call that gives the document.
fn own() -> Value {
    let content = json!({ "application/json": { "schema": { "type": "object" } } });
    json!({
        "operationId": "getOpenApi", "summary": "This document.", "tags": ["openapi.json"], "parameters": [],
        "security": [], "responses": { "200": { "description": "The document.", "content": content } },
    })
}
