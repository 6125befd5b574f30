//! The OpenAPI document: whole, as it is checked in, and true of every answer that the tests of the API see.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use jsonschema::Validator;

use super::*;
use crate::policy::permissions::Call;

const COPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = super::super::openapi::document();
    document["components"]["schemas"].as_object_mut().unwrap().values_mut().for_each(close);
    document
});

/// Allows no members beside those that are described.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") {
                object.insert("additionalProperties".into(), json!(false));
            }
            object.values_mut().for_each(close);
        }
        Value::Array(parts) => parts.iter_mut().for_each(close),
        _ => {}
    }
}

/// The path of the document that a call has; one without parameters before one with.
fn path_of(path: &str) -> Option<&'static str> {
    let is_same = |template: &&&String| {
        let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        let mut pairs = template.iter().zip(&path);
        template.len() == path.len() && pairs.all(|(part, given)| part == given || *part == "{id}" && !given.is_empty())
    };
    let found =
        DOCUMENT["paths"].as_object().unwrap().keys().filter(|it| is_same(&it)).min_by_key(|it| it.contains('{'));
    found.map(String::as_str)
}

/// A schema of the document, ready to be used.
fn validator(schema: &Value) -> Arc<Validator> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let make = || {
        let mut schema = schema.clone();
        schema["components"] = DOCUMENT["components"].clone();
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        Arc::new(options.build(&schema).unwrap_or_else(|why| panic!("{why}: {schema}")))
    };
    Arc::clone(KNOWN.lock().unwrap().entry(schema.to_string()).or_insert_with(make))
}

/// What stands where a reference leads, or here.
fn resolved(here: &'static Value) -> &'static Value {
    here["$ref"].as_str().map_or(here, |path| DOCUMENT.pointer(path.trim_start_matches('#')).expect(path))
}

/// An answer is as the document describes it.
pub(super) fn check(method: &Method, path: &str, answer: &Answer) {
    let Some(found) = path_of(path) else {
        return assert!(answer.text.contains("no-such-route") || answer.status == 401, "{path}: {}", answer.text);
    };
    let Some(operation) = DOCUMENT["paths"][found].get(method.as_str().to_lowercase()) else {
        return assert_eq!(answer.status, 405, "{method} {path} is not in the document");
    };
    let place = format!("{method} {path}: {}", answer.status);
    let Some(described) = operation["responses"].get(answer.status.as_str()) else {
        panic!("{place} is not in the document: {}", answer.text);
    };
    let described = resolved(described);
    for (name, header) in described["headers"].as_object().into_iter().flatten() {
        assert!(header["required"] != true || answer.headers.contains_key(name), "{place} has no {name}");
    }
    let Some(content) = described["content"].as_object() else { return assert_eq!(answer.text, "", "{place}") };
    let media_type = answer.headers[header::CONTENT_TYPE].to_str().unwrap();
    let Some(content) = content.get(media_type) else { panic!("{place} is {media_type}") };
    if ["application/json", "application/problem+json"].contains(&media_type) {
        let body = serde_json::from_str(&answer.text).unwrap();
        let faults: Vec<_> = validator(&content["schema"]).iter_errors(&body).map(|why| why.to_string()).collect();
        assert!(faults.is_empty(), "{place}: {}: {}", faults.join("; "), answer.text);
    }
}

/// A text that is as a schema of that name says.
pub(super) fn checked(schema: &str, text: &str) -> Value {
    let value = serde_json::from_str(text).unwrap();
    let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
    let faults: Vec<_> = validator(&schema).iter_errors(&value).map(|why| why.to_string()).collect();
    assert!(faults.is_empty(), "{}: {text}", faults.join("; "));
    value
}

#[tokio::test]
async fn the_document_is_given_without_a_token_and_is_the_one_that_is_checked_in() {
    let api = Api::new().await;
    let answer = api.call_as(None, Method::GET, "/openapi.json", None).await;
    assert_eq!(
        (answer.status, &answer.headers[header::CONTENT_TYPE]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(COPY, &answer.text).unwrap();
    }
    let copy = std::fs::read_to_string(COPY).unwrap_or_default();
    let how = "docs/openapi.json is not the document of this version; this makes it so: \
               BLESS=1 cargo test -p dskpp-server --lib openapi";
    assert!(copy == answer.text, "{how}");
}

#[tokio::test]
async fn the_document_has_every_route_and_method_and_no_others() {
    let described: BTreeSet<_> = DOCUMENT["paths"].as_object().unwrap().keys().cloned().collect();
    let routes = Call::ALL.iter().map(|call| call.path()).chain([paths::OPENAPI]);
    assert_eq!(routes.map(|path| format!("/api/v1{path}")).collect::<BTreeSet<_>>(), described);
    let api = Api::new().await;
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/api/v1").unwrap().replace("{id}", "x");
        for method in METHODS {
            let answer = api.call(method.to_uppercase().parse().unwrap(), &path, None).await;
            if answer.status == 405 {
                let allow = answer.headers[header::ALLOW].to_str().unwrap();
                let allow: BTreeSet<_> =
                    allow.split(',').map(str::trim).filter(|it| *it != "HEAD").map(str::to_lowercase).collect();
                assert_eq!(allow, item.as_object().unwrap().keys().cloned().collect(), "{path}");
            }
            assert_eq!(answer.status == 405, item.get(method).is_none(), "{method} {path}: {}", answer.text);
            assert!(answer.status != 404 || !answer.text.contains("no-such-route"), "{method} {path}");
        }
    }
}

#[test]
fn every_schema_is_one_and_every_operation_has_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{name} twice");
            let mut contents: Vec<_> = operation["responses"].as_object().unwrap().values().map(resolved).collect();
            contents.extend(operation.get("requestBody"));
            for content in contents.iter().filter_map(|it| it["content"].as_object()).flatten() {
                validator(&content.1["schema"]);
            }
            for parameter in operation["parameters"].as_array().unwrap() {
                validator(&parameter["schema"]);
            }
            assert_eq!(
                operation["responses"].get("401").is_some(),
                operation["security"] != json!([]),
                "{method} {path}"
            );
        }
    }
}

/// Times, and what may be `null` or absent, are as the types say.
#[test]
fn times_are_date_times_and_only_what_may_be_null_is() {
    let schemas = &DOCUMENT["components"]["schemas"];
    let time = json!({ "type": ["string", "null"], "format": "date-time" });
    for (schema, member) in [("ListedUser", "created_at"), ("KeySummary", "expires_at"), ("WrongTries", "locked_until")]
    {
        let found = &schemas[schema]["properties"][member];
        assert_eq!((&found["type"], &found["format"]), (&time["type"], &time["format"]), "{schema}.{member}");
        assert!(schemas[schema]["required"].as_array().unwrap().contains(&json!(member)), "{schema}.{member}");
    }
    assert_eq!(schemas["AuditEntry"]["properties"]["at"]["format"], "date-time");
    assert_eq!(schemas["ValidationResult"]["properties"]["key_id"]["type"], "string", "absent, never null");
    assert_eq!(schemas["ValidationResult"]["required"], json!(["valid"]));
    assert_eq!(schemas["NewEnrolmentRequest"]["required"], json!(["user"]));
    assert_eq!(schemas["NewEnrolmentRequest"]["additionalProperties"], false);
}
