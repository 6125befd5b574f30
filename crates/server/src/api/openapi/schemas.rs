//! The schemas of requests and answers, made of the types. A type is described as it is read in requests, and as it is
//! written in answers: what a request may leave out, an answer always has.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

/// Where the document has them.
const PLACE: &str = "/components/schemas";

/// What makes them.
pub(super) struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
    /// Answers that several operations have.
    responses: Map<String, Value>,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = PLACE.into();
            settings.meta_schema = None;
        });
        let answers = settings.clone().for_serialize().into_generator();
        Schemas { requests: settings.for_deserialize().into_generator(), answers, responses: Map::new() }
    }

    /// The name of the answer with a problem of one of these types.
    pub(super) fn problem(&mut self, status: u16, kinds: &[&str], make: fn(u16, &[&str]) -> Value) -> String {
        let short = kinds.iter().filter_map(|kind| kind.rsplit(':').next()).collect::<Vec<_>>();
        let name = format!("{status}_{}", short.join("_"));
        self.responses.entry(&name).or_insert_with(|| make(status, kinds));
        name
    }

    /// A reference to a type that is read.
    pub(super) fn request<T: JsonSchema>(&mut self) -> Value {
        self.requests.subschema_for::<T>().into()
    }

    /// A reference to a type that is written.
    pub(super) fn answer<T: JsonSchema>(&mut self) -> Value {
        self.answers.subschema_for::<T>().into()
    }

    /// The parameters that a query string may have.
    pub(super) fn parameters(&mut self, query: fn(&mut Schemas) -> Value) -> Vec<Value> {
        let reference = query(self);
        let name = reference["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default().to_owned();
        // Parameters stand in their operations: nobody refers to the struct.
        let Some(schema) = self.requests.definitions_mut().remove(&name) else { return Vec::new() };
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let parameter = |(name, mut schema): (String, Value)| {
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            without_null(&mut schema);
            exact(&name, &mut schema);
            let required = required.contains(&json!(name));
            json!({ "name": name, "in": "query", "description": description, "required": required, "schema": schema })
        };
        properties.into_iter().map(parameter).collect()
    }

    /// All schemas and answers that something refers to.
    pub(super) fn all(mut self) -> (Map<String, Value>, Map<String, Value>) {
        let mut all = self.requests.take_definitions(true);
        for (name, mut schema) in self.answers.take_definitions(true) {
            written(&mut schema);
            all.insert(name, schema);
        }
        for schema in all.values_mut() {
            exact("", schema);
        }
        (all, self.responses)
    }
}

/// What an answer may leave out is never `null` in it.
fn written(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    let required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties {
            if !required.contains(&json!(name)) {
                without_null(property);
            }
        }
    }
}

/// Takes `null` out of what a schema allows.
fn without_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            schema["type"] = only.clone();
        }
    }
    if let Some(any) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        any.retain(|schema| schema["type"] != "null");
        if let [only] = &any[..] {
            let only = only.clone();
            if let (Some(object), Value::Object(only)) = (schema.as_object_mut(), only) {
                object.remove("anyOf");
                object.extend(only);
            }
        }
    }
}

/// Adds what the types' names say: times are RFC 3339.
fn exact(name: &str, schema: &mut Value) {
    let is_time =
        ["_at", "_since", "_until"].iter().any(|end| name.ends_with(end)) || ["at", "since", "until"].contains(&name);
    if let Some(object) = schema.as_object_mut() {
        let is_text = object.get("type").is_some_and(|kind| kind == "string" || kind == &json!(["string", "null"]));
        if is_time && is_text {
            object.insert("format".into(), json!("date-time"));
        }
        // Names of Rust's types, which no other program knows.
        let is_rusts =
            |format: &Value| format.as_str().is_some_and(|format| format.starts_with("uint") || format == "int64");
        if object.get("format").is_some_and(is_rusts) {
            let most = match object.remove("format").as_ref().and_then(Value::as_str) {
                Some("uint8") => u8::MAX.into(),
                Some("uint16") => u16::MAX.into(),
                Some("uint32") => u32::MAX.into(),
                Some("int64") => i64::MAX.unsigned_abs(),
                _ => u64::MAX,
            };
            object.entry("maximum").or_insert_with(|| most.into());
        }
        for (key, value) in object {
            match (key.as_str(), value) {
                ("properties", Value::Object(properties)) => {
                    properties.iter_mut().for_each(|(name, property)| exact(name, property));
                }
                ("anyOf" | "oneOf" | "allOf", Value::Array(parts)) => {
                    parts.iter_mut().for_each(|part| exact(name, part))
                }
                ("items", items) => exact("", items),
                _ => {}
            }
        }
    }
}
