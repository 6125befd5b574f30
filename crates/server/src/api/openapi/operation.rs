//! One operation of the document.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use dskpp_api::{HEADER_IDEMPOTENCY_KEY, MEDIA_TYPE_PROBLEM, ProblemType};
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use crate::api::routes::is_creating;
use crate::policy::permissions::{Call, roles_with};

/// The schema of a type, in one of the two contracts.
type SchemaOf = fn(&mut Schemas) -> Value;

/// What a request or an answer holds.
#[derive(Clone, Copy)]
struct Content {
    media_type: &'static str,
    schema: SchemaOf,
}

/// What a call takes and gives.
pub(super) struct Operation {
    call: Call,
    id: &'static str,
    summary: &'static str,
    query: Option<SchemaOf>,
    request: Option<Content>,
    answer: (StatusCode, &'static str, Option<Content>),
    problems: Vec<ProblemType>,
    /// Whether the answer has an entity tag.
    is_tagged: bool,
    /// Whether the call may name one.
    is_conditional: bool,
}

impl Operation {
    /// That of a call without parameters, whose answer has no content.
    pub(super) fn of(call: Call, id: &'static str, summary: &'static str) -> Self {
        use ProblemType::{
            AnswerLost, Busy, Defect, InFlight, InvalidHeader, InvalidPath, KeyReused, NoRole, NoToken, NotFound,
            StoreUnavailable, Unreadable,
        };
        let answer = (StatusCode::NO_CONTENT, "Done.", None);
        let problems = vec![NoToken, NoRole, Busy, Unreadable, Defect, StoreUnavailable];
        let (is_tagged, is_conditional) = (false, false);
        let operation =
            Operation { call, id, summary, query: None, request: None, answer, problems, is_tagged, is_conditional };
        let operation = match call.path().contains("{id}") {
            true => operation.may_fail(&[InvalidPath, NotFound]),
            false => operation,
        };
        match is_creating(call) {
            true => operation.may_fail(&[AnswerLost, InFlight, InvalidHeader, KeyReused]),
            false => operation,
        }
    }

    /// Its parameters in the query string.
    pub(super) fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(Schemas::request::<T>);
        self.may_fail(&[ProblemType::InvalidQuery, ProblemType::InvalidValue])
    }

    /// Its body, in JSON.
    pub(super) fn takes<T: JsonSchema>(mut self) -> Self {
        use ProblemType::{InvalidBody, InvalidValue, NotJson, TooLarge};
        self.request = Some(Content { media_type: "application/json", schema: Schemas::request::<T> });
        self.may_fail(&[InvalidBody, InvalidValue, NotJson, TooLarge])
    }

    /// Its body, of another type.
    pub(super) fn takes_text(mut self, media_type: &'static str, problems: &[ProblemType]) -> Self {
        self.request = Some(Content { media_type, schema: |_| json!({}) }); // no JSON, so nothing to say of it
        self.may_fail(problems)
    }

    /// Its answer, in JSON.
    pub(super) fn gives<T: JsonSchema>(mut self, status: StatusCode, description: &'static str) -> Self {
        let content = Content { media_type: "application/json", schema: Schemas::answer::<T> };
        self.answer = (status, description, Some(content));
        self
    }

    /// Its answer, of another type.
    pub(super) fn gives_text(mut self, media_type: &'static str, description: &'static str) -> Self {
        let content = Content { media_type, schema: |_| json!({ "type": "string" }) };
        self.answer = (StatusCode::OK, description, Some(content));
        self
    }

    /// It shows one thing, with an entity tag.
    pub(super) fn shows(mut self) -> Self {
        self.is_tagged = true;
        match self.call.method() {
            Method::GET => self.may_fail(&[ProblemType::InvalidHeader]),
            _ => self,
        }
    }

    /// It changes one thing, if that is as the caller has seen it.
    pub(super) fn changes(mut self) -> Self {
        self.is_conditional = true;
        self.may_fail(&[ProblemType::InvalidHeader, ProblemType::Changed])
    }

    /// Problems that it has beside those that follow from the rest.
    pub(super) fn may_fail(mut self, problems: &[ProblemType]) -> Self {
        self.problems.extend(problems);
        self
    }

    /// As the document has it.
    pub(super) fn document(&self, schemas: &mut Schemas) -> Value {
        let (call, path) = (self.call, self.call.path());
        let roles = roles_with(call.needs());
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.summary,
            "description": format!("Needs the permission `{}`.", call.needs().as_str()),
            "tags": [path.trim_start_matches('/').split('/').next()],
            "security": roles.into_iter().map(|role| json!({ "token": [role] })).collect::<Vec<_>>(),
        });
        let mut parameters = Vec::new();
        if path.contains("{id}") {
            let schema = json!({ "type": "string", "minLength": 1 });
            parameters.push(json!({ "name": "id", "in": "path", "required": true, "schema": schema }));
        }
        if is_creating(call) {
            parameters.push(idempotency_key());
        }
        if self.is_conditional {
            parameters.push(tags("If-Match", "Carries the call out only if the thing has one of these entity tags."));
        }
        if self.is_tagged && call.method() == Method::GET {
            parameters.push(tags("If-None-Match", "Gives 304 if the thing has one of these entity tags."));
        }
        if let Some(query) = self.query {
            parameters.extend(schemas.parameters(query));
        }
        operation["parameters"] = parameters.into();
        if let Some(Content { media_type, schema }) = self.request {
            let content = json!({ media_type: { "schema": schema(schemas) } });
            operation["requestBody"] = json!({ "required": true, "content": content });
        }
        operation["responses"] = self.responses(schemas).into();
        operation
    }

    fn responses(&self, schemas: &mut Schemas) -> Map<String, Value> {
        let (status, description, content) = self.answer;
        let mut answer = json!({ "description": description });
        if let Some(Content { media_type, schema }) = content {
            answer["content"] = json!({ media_type: { "schema": schema(schemas) } });
        }
        let tag = json!({ "ETag": { "required": true, "schema": { "type": "string" } } });
        let mut responses = Map::new();
        if self.is_tagged {
            answer["headers"] = tag.clone();
            if self.call.method() == Method::GET {
                responses.insert("304".into(), json!({ "description": "The caller has it.", "headers": tag }));
            }
        }
        responses.insert(status.as_str().to_owned(), answer);
        let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
        for problem in &self.problems {
            for status in statuses(*problem) {
                by_status.entry(*status).or_default().push(problem.as_str());
            }
        }
        for (status, mut kinds) in by_status {
            kinds.sort_unstable();
            kinds.dedup();
            let name = schemas.problem(status, &kinds, problem);
            responses.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{name}") }));
        }
        responses
    }
}

fn tags(name: &str, description: &str) -> Value {
    // Elements of a list may be empty (RFC 9110 §5.6.1.2).
    const LIST: &str = r#"^(\*|[, \t]*((W/)?"[!#-~]*"[ \t]*(,[, \t]*(W/)?"[!#-~]*"[ \t]*)*(,[, \t]*)?)?)$"#;
    let schema = json!({ "type": "string", "pattern": LIST });
    json!({ "name": name, "in": "header", "description": description, "schema": schema })
}

fn idempotency_key() -> Value {
    json!({
        "name": HEADER_IDEMPOTENCY_KEY,
        "in": "header",
        "description": "Makes the call safe to send again: within a day the same call with the same key gets the first \
            answer again (draft-ietf-httpapi-idempotency-key-header).",
        "schema": { "type": "string", "pattern": "^[A-Za-z0-9_.:/+=-]{1,255}$" },
    })
}

/// An answer that is a problem of one of these types.
fn problem(status: u16, kinds: &[&str]) -> Value {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let schema = json!({
        "allOf": [{ "$ref": "#/components/schemas/Problem" }],
        "properties": { "type": { "enum": kinds }, "status": { "const": status } },
    });
    let mut answer = json!({
        "description": reason.unwrap_or("Error"),
        "content": { MEDIA_TYPE_PROBLEM: { "schema": schema } },
    });
    match status {
        401 => {
            let scheme = json!({ "type": "string", "const": "Bearer" });
            answer["headers"] = json!({ "WWW-Authenticate": { "required": true, "schema": scheme } });
        }
        429 => {
            let seconds = json!({ "type": "integer", "minimum": 1 });
            let description = "Seconds after which to try again.";
            answer["headers"] =
                json!({ "Retry-After": { "description": description, "required": true, "schema": seconds } });
        }
        _ => {}
    }
    answer
}

/// The statuses of a type.
fn statuses(kind: ProblemType) -> &'static [u16] {
    use ProblemType as P;
    match kind {
        P::InvalidBody => &[400, 422],
        P::InvalidQuery | P::InvalidHeader | P::InvalidPath => &[400],
        P::NoToken => &[401],
        P::NoRole => &[403],
        P::NoSuchRoute | P::NotFound => &[404],
        P::NoSuchMethod => &[405],
        P::Exists | P::WrongState | P::InFlight | P::AnswerLost | P::ImportDone => &[409],
        P::Changed => &[412],
        P::TooLarge => &[413],
        P::NotJson | P::NotNdjson | P::NotPskc => &[415],
        P::KeyReused | P::InvalidValue => &[422],
        P::Busy | P::TooManyWrong => &[429],
        P::Unreadable | P::Defect => &[500],
        P::StoreUnavailable => &[503],
    }
}
