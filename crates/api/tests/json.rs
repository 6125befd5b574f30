//! The JSON of requests and answers, and refusals.

use std::fmt::Debug;

use dskpp_api::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Secrets of the examples: none of them may appear in `Debug`.
const SECRETS: [&str; 6] = ["c0de", "pa55", "5ec2e7", "70cen", "755224", "enroll/ad"];

/// Reads an example of a type and writes it again; also returns its `Debug` text.
type Reads = fn(&str) -> Result<(Value, String), String>;

fn read<T: Debug + DeserializeOwned + Serialize>(example: &str) -> Result<(Value, String), String> {
    let read: T = serde_json::from_str(example).map_err(|why| why.to_string())?;
    let written = serde_json::to_string(&read).map_err(|why| why.to_string())?;
    Ok((serde_json::from_str(&written).map_err(|why| why.to_string())?, format!("{read:?}")))
}

fn requests() -> Vec<(Reads, Value)> {
    vec![
        (read::<NewUser>, json!({ "name": "alice" })),
        (read::<ActivationRequest>, json!({ "key_id": "k1", "otp": "755224", "mac": "00ff" })),
        (read::<NewToken>, json!({ "name": "portal", "roles": ["admin", "enrol", "read", "validate", "export"] })),
        (read::<NewDeviceRequest>, json!({ "manufacturer": "acme", "serial": "1", "key_name": "k" })),
        (
            read::<NewDeviceRequest>,
            json!({
                "manufacturer": "acme", "serial": "1", "key_name": "k", "shared_key_hex": "5ec2e7",
                "certificate_pem": "-----BEGIN CERTIFICATE-----",
            }),
        ),
        (read::<DeviceChangeRequest>, json!({ "key_name": "k2", "shared_key_hex": null, "certificate_pem": "pem" })),
        (read::<DeviceBatch>, json!({ "devices": [{ "manufacturer": "acme", "serial": "1", "key_name": "k" }] })),
        (read::<NewEnrolmentRequest>, json!({ "user": "alice", "key_type": "totp" })),
        (
            read::<NewEnrolmentRequest>,
            json!({
                "user": "alice", "key_type": "ocra", "variant": "two-pass",
                "methods": ["transport", "wrap", "passphrase-wrap"],
                "device": { "manufacturer": "acme", "serial": "1" }, "renews": "k1", "delivers": "k2",
                "key_location": "hardware", "algorithm_location": "software", "expires_in_s": 60,
                "activate": "on-otp", "digits": 8, "period_s": 60, "hash": "SHA-256", "counter": 7,
                "suite": "OCRA-1:HOTP-SHA1-6:QN08",
            }),
        ),
        (
            read::<NewEnrolmentRequest>,
            json!({ "user": "alice", "template": "staff", "group": "Staff", "key_lifetime_s": 31_536_000 }),
        ),
        (read::<KeyOwner>, json!({ "user": "alice" })),
        (read::<Resync>, json!({ "otps": ["755224", "287082"] })),
        (
            read::<ValidationRequest>,
            json!({ "user": "alice", "key_id": "k", "otp": "755224", "challenge": "1", "client_id": "c" }),
        ),
        (
            read::<ExportRequest>,
            json!({ "user": "alice", "protection": { "plain": true }, "leave_out_unreadable": false }),
        ),
        (
            read::<ExportProtection>,
            json!({
                "key_hex": "5ec2e7", "key_name": "k", "passphrase": "pa55", "for_old_readers": true,
                "certificate_pem": "pem", "plain": false,
            }),
        ),
        (
            read::<KeyQuery>,
            json!({
                "user": "alice", "state": "disabled", "key_type": "hotp", "created_since": "2026-01-02T03:04:05Z",
                "created_until": "2026-01-03T03:04:05Z", "after": "k", "limit": 1,
            }),
        ),
        (read::<KeyChangeRequest>, json!({ "label": "spare", "user": "bob" })),
        (
            read::<KeyRevocation>,
            json!({
                "user": "alice", "device": { "manufacturer": "acme", "serial": "1" }, "key_type": "hotp",
                "state": "active", "created_since": "2026-01-02T03:04:05Z", "created_until": "2026-01-03T03:04:05Z",
            }),
        ),
        (read::<DeviceQuery>, json!({ "manufacturer": "acme", "serial": "1", "after": "d", "limit": 1 })),
        (read::<ImportQuery>, json!({ "import": "00", "first": 0, "user": "alice", "assign": "user-id" })),
    ]
}

fn answers() -> Vec<(Reads, Value)> {
    let enrolment = json!({
        "id": "e1", "state": "open", "user": "alice", "key_type": "totp",
        "params": { "digits": 6, "period_s": 30, "hash": "SHA-1" }, "variant": null, "methods": ["wrap"],
        "device": { "manufacturer": "acme", "serial": "1" }, "renews": null, "delivers": null,
        "key_location": "hardware", "algorithm_location": null, "activate": "at-once", "sinks": ["hr"],
        "template": "staff", "key_lifetime_s": null,
        "failed_attempts": 0, "key_id": null, "created_at": "2026-01-02T03:04:05Z", "expires_at": "2026-01-03T03:04:05Z",
    });
    let key = json!({
        "key_id": "k1", "state": "active", "key_type": "other", "user": null,
        "params": { "algorithm": "urn:x", "usage": ["OTP"], "pin": "Append" }, "device": null, "enrolment": "e1",
        "url_s": "https://keys.example/dskpp", "created_at": "2026-01-02T03:04:05Z", "start_at": null,
        "expires_at": null, "uses_left": 3, "label": "spare",
    });
    let device = json!({
        "id": "d1", "manufacturer": "acme", "serial": "1", "key_name": "k", "has_shared_key": true,
        "has_certificate": false,
    });
    let with = |whole: &Value, more: Value| {
        let mut whole = whole.clone();
        whole.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        whole
    };
    let listed = with(&device, json!({ "created_at": "2026-01-02T03:04:05Z" }));
    let rejected = json!({ "index": 0, "key_id": "k", "kind": "duplicate" });
    let refused = json!({ "index": 1, "key_id": "", "kind": "refused", "reason": "it has no Id" });
    vec![
        (read::<User>, json!({ "id": "u1", "name": "alice" })),
        (read::<CreatedToken>, json!({ "id": "t1", "name": "portal", "roles": ["read"], "token": "70cen" })),
        (read::<CreatedDevice>, device.clone()),
        (read::<Device>, listed.clone()),
        (read::<DeviceDetails>, with(&listed, json!({ "certificate_pem": null }))),
        (
            read::<ListPage<ListedDevice>>,
            json!({ "items": [listed, { "id": "d2", "unreadable": "serial" }], "next": "d2" }),
        ),
        (
            read::<DeviceBatchReport>,
            json!({
                "accepted": 1, "duplicate": [{ "index": 0, "manufacturer": "acme", "serial": "1" }],
                "refused": [{ "index": 2, "manufacturer": "", "serial": "", "reason": "no" }],
            }),
        ),
        (
            read::<CreatedEnrolment>,
            with(
                &enrolment,
                json!({
                    "client_id": "AC00000A", "password": "pa55", "authentication_code": "c0de",
                    "trigger_url": "https://keys.example/enroll/ad", "server_url": "https://keys.example/dskpp",
                }),
            ),
        ),
        (
            read::<EnrolmentDetails>,
            with(
                &enrolment,
                json!({
                    "wrong_tries": [{ "address": "192.0.2.1", "count": 3, "last_at": null, "locked_until": null }],
                    "last_refusal": { "cause": "wrong-code", "detail": "why", "at": "2026-01-02T03:04:05Z" },
                }),
            ),
        ),
        (read::<RevokedKeys>, json!({ "revoked": 3 })),
        (
            read::<BulkEnrolment>,
            json!({ "line": 2, "problem": { "type": "about:blank", "title": "T", "status": 422, "detail": "why" } }),
        ),
        (read::<KeySummary>, key.clone()),
        (read::<ListPage<ListedKey>>, json!({ "items": [key, { "key_id": "k2", "unreadable": "params" }] })),
        (read::<KeySecret>, json!({ "secret_hex": "5ec2e7" })),
        (read::<Resynced>, json!({ "synchronised": true })),
        (read::<ValidationResult>, json!({ "valid": true, "key_id": "k1" })),
        (read::<ValidationResult>, json!({ "valid": false })),
        (read::<ActivationResult>, json!({ "active": true, "used": true })),
        (read::<ImportReport>, json!({ "accepted": 1, "duplicate": [rejected], "refused": [refused], "done": 3 })),
        (
            read::<ImportProgress>,
            json!({ "id": "00", "done": 3, "accepted": 1, "duplicate": 1, "refused": 1, "rejected": [rejected, refused] }),
        ),
        (read::<ExportEnd>, json!({ "left_out": { "count": 1, "keys": [{ "key_id": "k", "reason": "damaged" }] } })),
        (
            read::<Problem>,
            json!({ "type": "urn:dskpp:problem:busy", "title": "Too Many Requests", "status": 429, "detail": "wait" }),
        ),
        (read::<Problem>, json!({ "type": "about:blank", "title": null, "status": null, "detail": null })),
    ]
}

#[test]
fn every_request_and_answer_is_read_and_written_alike_and_prints_no_secret() {
    for (read, example) in requests().into_iter().chain(answers()) {
        let (written, debug) = read(&example.to_string()).unwrap_or_else(|why| panic!("{why}: {example}"));
        assert_eq!(written, example);
        assert!(!SECRETS.iter().any(|secret| debug.contains(secret)), "{debug}");
    }
}

#[test]
fn requests_are_read_strictly_and_errors_have_a_place() {
    for (read, example) in requests() {
        let refused = |text: &str, word: &str| {
            let why = read(text).expect_err(text);
            assert!(why.contains(word) && why.contains("at line 1 column"), "{text}: {why}");
        };
        let with = |name: &str, value: Value| {
            let mut changed = example.clone();
            changed[name] = value;
            changed.to_string()
        };
        refused(&with("admin", json!(true)), "unknown field `admin`");
        for (name, value) in example.as_object().unwrap() {
            refused(&with(name, json!({ "a": [] })), "");
            let repeated = example.to_string().replacen('{', &format!("{{\"{name}\":{value},"), 1);
            refused(&repeated, &format!("duplicate field `{name}`"));
        }
        for text in ["", "{", "null", "3", "\"a\"", &format!("{example} {{}}")] {
            refused(text, "");
        }
    }
    for (read, example, word) in [
        (read::<NewUser> as Reads, "{}", "missing field `name`"),
        (
            read::<NewDeviceRequest>,
            r#"{"manufacturer":"a","serial":1,"key_name":"k"}"#,
            "integer `1`, expected a string",
        ),
        (
            read::<NewDeviceRequest>,
            r#"{"manufacturer":"a","serial":"1","key_name":"k","shared_key_hex":7}"#,
            "expected a string",
        ),
        (read::<NewEnrolmentRequest>, r#"{"user":"a","key_type":5}"#, "integer `5`, expected a string"),
        (
            read::<NewEnrolmentRequest>,
            r#"{"user":"a","key_type":"hotp","variant":"one-pass"}"#,
            "unknown variant `one-pass`",
        ),
        (read::<NewEnrolmentRequest>, r#"{"user":"a","key_type":"hotp","digits":256}"#, "integer `256`, expected u8"),
        (
            read::<NewEnrolmentRequest>,
            r#"{"user":"a","key_type":"hotp","expires_in_s":-1}"#,
            "integer `-1`, expected u64",
        ),
        (read::<NewEnrolmentRequest>, r#"{"user":"a","key_type":"hotp","device":{"id":"1"}}"#, "unknown field `id`"),
        (read::<NewToken>, r#"{"name":"t","roles":["root"]}"#, "unknown variant `root`"),
        (read::<ValidationRequest>, r#"{"user":"a","otp":755224}"#, "expected a string"),
        (read::<ExportRequest>, r#"{"protection":{"rot13":true}}"#, "unknown field `rot13`"),
    ] {
        let why = read(example).expect_err(example);
        assert!(why.contains(word) && why.contains("at line 1 column"), "{example}: {why}");
    }
}

/// Names that the server itself refuses are read as unknown.
#[test]
fn unknown_names_are_kept_if_the_server_reports_them() {
    let read = |text: &str| serde_json::from_str::<NewEnrolmentRequest>(text).expect(text);
    let new = read(r#"{"user":"a","key_type":"HOTP","methods":["wrap","none"],"hash":"MD5"}"#);
    assert_eq!(new.key_type, Some(Named::Unknown("HOTP".to_owned())));
    assert_eq!(new.methods, Some(vec![Named::Known(Method::Wrap), Named::Unknown("none".to_owned())]));
    assert_eq!(new.hash.and_then(|hash| hash.known()), None);
}

#[test]
fn a_change_distinguishes_removed_from_omitted() {
    let change: DeviceChangeRequest = serde_json::from_str(r#"{"shared_key_hex":null}"#).expect("a change");
    assert!(matches!(change.shared_key_hex, Some(None)) && change.certificate_pem.is_none());
    assert_eq!(serde_json::to_string(&DeviceChangeRequest::default()).expect("JSON"), "{}");
}

#[test]
fn answers_may_have_unknown_members_but_no_missing_ones_or_unknown_states() {
    for (read, example) in answers() {
        let mut more = example.clone();
        more["since_version_9"] = json!({ "a": 1 });
        assert_eq!(read(&more.to_string()).map(|(written, _)| written), Ok(example));
    }
    for (read, example) in [
        (read::<User> as Reads, r#"{"id":"u1"}"#),
        (read::<ValidationResult>, r#"{"key_id":"k1"}"#),
        (read::<ValidationResult>, r#"{"valid":"true"}"#),
        (read::<ListPage<ListedKey>>, r#"{"items":[{"key_id":"k1"}]}"#),
        (read::<ListPage<ListedKey>>, r#"{"items":[{"key_id":"k1","state":"lost","key_type":"hotp","params":{}}]}"#),
        (read::<ListPage<ListedDevice>>, r#"{"items":{}}"#),
        (read::<KeySecret>, r#"{"secret_hex":null}"#),
    ] {
        let why = read(example).expect_err(example);
        assert!(why.contains("at line 1 column"), "{example}: {why}");
    }
    // A proxy may answer with less.
    assert_eq!(serde_json::from_str::<Problem>("{}").expect("a problem"), Problem::default());
}
