//! Import of keys: batches, progress and assignment.

use super::*;
use crate::api::import::MAX_BATCH_LEN;

const IMPORT: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const HOTP_URI: &str = "urn:ietf:params:xml:ns:keyprov:pskc:hotp";
/// RFC 4226's key in base64.
const SECRET: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=";

pub(super) fn container(packages: &str) -> String {
    format!(
        "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" \
         xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" xmlns:x=\"urn:x\">{packages}</KeyContainer>"
    )
}

/// A key with that `Algorithm`, parameters, content of `<Data>` and following elements.
pub(super) fn package(id: &str, algorithm: &str, parameters: &str, data: &str, rest: &str) -> String {
    format!(
        "<KeyPackage><Key Id=\"{id}\" Algorithm=\"{algorithm}\">{parameters}<Data>{data}</Data>{rest}</Key>\
         </KeyPackage>"
    )
}

pub(super) fn secret(base64: &str) -> String {
    format!("<Secret><PlainValue>{base64}</PlainValue></Secret>")
}

/// A HOTP key with RFC 4226's secret.
pub(super) fn hotp(id: &str) -> String {
    package(id, HOTP_URI, "", &secret(SECRET), "")
}

impl Api {
    pub(super) async fn import(&self, query: &str, document: impl Into<Body>) -> Answer {
        let uri = format!("/api/v1/keys/import?import={IMPORT}&{query}");
        let request = Request::builder().method(Method::POST).uri(uri);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        self.send(request.header(header::CONTENT_TYPE, "application/pskc+xml").body(document.into()).unwrap()).await
    }

    pub(super) async fn valid(&self, key_id: &str, otp: &str) -> bool {
        self.post("/validate", json!({ "key_id": key_id, "otp": otp })).await.with(200)["valid"] == json!(true)
    }

    pub(super) fn subjects(&self, event: &str) -> Vec<Value> {
        let texts = self.scratch.texts(&format!("SELECT subject FROM audit WHERE event = '{event}' ORDER BY seq"));
        texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }
}

#[tokio::test]
async fn an_import_in_batches_resumes_after_an_interruption() {
    let api = Api::new().await;
    let progress = async || api.get(&format!("/imports/{}", IMPORT.to_uppercase())).await;
    progress().await.problem(404, "not-found");
    let done = api.import("first=0", container(&(hotp("a") + &hotp("b") + "<KeyPackage/>"))).await.with(200);
    let refused = json!([{ "index": 2, "key_id": "", "kind": "refused", "reason": "the package has no key" }]);
    assert_eq!(done, json!({ "accepted": 2, "duplicate": [], "refused": refused, "done": 3 }));
    // After a lost answer, the same batch changes nothing and reports where to continue.
    for first in 0..3 {
        let again = api.import(&format!("first={first}"), container(&hotp("z"))).await;
        assert!(again.problem(409, "import-done").contains("complete up to package 3"), "{}", again.text);
    }
    assert_eq!(
        progress().await.with(200),
        json!({ "id": IMPORT, "done": 3, "accepted": 2, "duplicate": 0, "refused": 1, "rejected": refused })
    );
    let done = api.import("first=3", container(&(hotp("a") + &hotp("c")))).await.with(200);
    let duplicate = json!([{ "index": 3, "key_id": "a", "kind": "duplicate" }]);
    assert_eq!(done, json!({ "accepted": 1, "duplicate": duplicate, "refused": [], "done": 5 }));
    assert_eq!(
        progress().await.with(200),
        json!({ "id": IMPORT, "done": 5, "accepted": 3, "duplicate": 1, "refused": 1,
            "rejected": [refused[0], duplicate[0]] })
    );
    api.get("/keys/z").await.problem(404, "not-found");
    let token = api.store.token(&api.token).await.unwrap().unwrap();
    let entry = |first, done, accepted, duplicate, refused| {
        let mut entry = json!({ "import": IMPORT, "first": first, "done": done, "by": token.id });
        entry["accepted"] = json!(accepted);
        entry["duplicate"] = json!(duplicate);
        entry["refused"] = json!(refused);
        entry
    };
    assert_eq!(api.subjects("keys.imported"), [entry(0, 3, 2, 0, 1), entry(3, 5, 1, 1, 0)]);
}

#[tokio::test]
async fn a_key_in_the_inventory_is_assigned_once() {
    let api = Api::new().await;
    api.import("first=0", container(&(hotp("a") + &hotp("b")))).await.with(200);
    let key = api.get("/keys/a").await.with(200);
    assert_eq!((&key["state"], &key["user"], &key["enrolment"]), (&json!("imported"), &Value::Null, &Value::Null));
    assert_eq!(api.get("/keys").await.with(200)["items"].as_array().unwrap().len(), 2);
    assert!(!api.valid("a", HOTP[0]).await, "an unassigned key validates nothing");
    let key = api.post("/keys/a/user", json!({ "user": " alice " })).await.with(200);
    assert_eq!((&key["state"], &key["user"]), (&json!("active"), &json!("alice")));
    api.post("/keys/a/user", json!({ "user": "bob" })).await.problem(409, "wrong-state");
    assert_eq!(api.post("/validate", json!({ "user": "alice", "otp": HOTP[0] })).await.with(200)["key_id"], "a");
    api.delete("/keys/b").await.no_content();
    api.post("/keys/b/user", json!({ "user": "bob" })).await.problem(409, "wrong-state");
    api.post("/keys/c/user", json!({ "user": "bob" })).await.problem(404, "not-found");
    api.post("/keys/b/user", json!({ "user": " " })).await.problem(422, "invalid-value");
    let assigned = api.subjects("key.assigned");
    assert_eq!((assigned.len(), &assigned[0]["key"], &assigned[0]["user"]), (1, &json!("a"), &json!("alice")));
}

#[tokio::test]
async fn keys_go_to_one_user_or_to_those_that_they_name() {
    let api = Api::new().await;
    api.import("first=0&user=alice", container(&(hotp("a") + &hotp("b")))).await.with(200);
    let named = |id: &str, user: &str| package(id, HOTP_URI, "", &secret(SECRET), &format!("<UserId>{user}</UserId>"));
    let device = "<KeyPackage><DeviceInfo><Manufacturer>acme</Manufacturer><SerialNo>7</SerialNo>\
                  <UserId>UID=dora,DC=example</UserId></DeviceInfo>";
    let packages = [
        named("c", "CN=alice,DC=example-bank,DC=net"),
        named("d", "bob"),
        hotp("e").replace("<KeyPackage>", device),
        hotp("f"),
        named("g", "CN=bad\u{202e}name"),
        named("a", "CN=new user of a duplicate"),
    ];
    let done = api.import("first=2&assign=user-id", container(&packages.concat())).await.with(200);
    assert_eq!((&done["accepted"], done["refused"].as_array().unwrap().len()), (&json!(4), 1));
    assert_eq!(
        done["refused"][0],
        json!({ "index": 6, "key_id": "g", "kind": "refused", "reason": "its UserId is no name for a user" })
    );
    for (id, user) in
        [("a", json!("alice")), ("c", json!("alice")), ("d", json!("bob")), ("e", json!("dora")), ("f", Value::Null)]
    {
        assert_eq!(api.get(&format!("/keys/{id}")).await.with(200)["user"], user, "{id}");
    }
    assert_eq!(api.get("/keys/e").await.with(200)["device"], json!({ "manufacturer": "acme", "serial": "7" }));
    // Each new user is in the audit trail once.
    let made = ["alice", "bob", "dora"].map(|user| json!({ "user": user }));
    assert_eq!(api.subjects("user.created"), made);
    // A duplicate does not create its user.
    api.post("/users", json!({ "name": "new user of a duplicate" })).await.with(201);
    let both = api.import("first=9&assign=user-id&user=alice", container(&hotp("z"))).await;
    assert!(both.problem(422, "invalid-value").contains("exclude"));
}

#[tokio::test]
async fn a_different_key_with_an_existing_id_is_refused_with_the_difference() {
    let api = Api::new().await;
    let other = |id: &str, base64: &str| package(id, HOTP_URI, "", &secret(base64), "");
    let pin = |base64: &str| package("pin", "urn:ietf:params:xml:ns:keyprov:pskc:pin", "", &secret(base64), "");
    const TOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:totp";
    let totp = |parameters: &str, policy: &str| package("t", TOTP, parameters, &secret(SECRET), policy);
    let digits = |n: u8| {
        format!("<AlgorithmParameters><ResponseFormat Encoding=\"DECIMAL\" Length=\"{n}\"/></AlgorithmParameters>")
    };
    let hash = "<AlgorithmParameters><Suite>HMAC-SHA256</Suite><ResponseFormat Encoding=\"DECIMAL\" Length=\"6\"/>\
                </AlgorithmParameters>";
    let packages = [
        hotp("a"),
        hotp("a"),
        other("a", "MDAwMDAwMDAwMDAwMDAwMDAwMDA="),
        pin("MTIzNA=="),
        pin("OTk5OQ=="),
        totp(&digits(6), ""),
        totp(&digits(6), ""),
        totp(&digits(8), ""),
        totp(hash, ""),
        totp(&digits(6), "<Policy><ExpiryDate>2020-01-01T00:00:00Z</ExpiryDate></Policy>"),
        package("t", HOTP_URI, "", &secret(SECRET), ""),
    ];
    let done = api.import("first=0", container(&packages.concat())).await.with(200);
    assert_eq!((&done["accepted"], &done["done"]), (&json!(3), &json!(11)));
    let duplicate = json!([
        { "index": 1, "key_id": "a", "kind": "duplicate" },
        // Otherwise an import could guess a PIN.
        { "index": 4, "key_id": "pin", "kind": "duplicate", "reason": "a secret this short is not compared" },
        { "index": 6, "key_id": "t", "kind": "duplicate" },
    ]);
    assert_eq!(done["duplicate"], duplicate);
    let refused = |index: u8, id: &str, what: &str| {
        let reason = format!("a key with this Id exists with a different {what}");
        json!({ "index": index, "key_id": id, "kind": "refused", "reason": reason })
    };
    let differences = [(7, "number of digits"), (8, "hash"), (9, "policy"), (10, "algorithm")];
    let differences = differences.map(|(index, what)| refused(index, "t", what));
    assert_eq!(done["refused"], json!([&[refused(2, "a", "secret")], &differences[..]].concat()));
    let carol = api.import("first=11&user=carol", container(&hotp("a"))).await.with(200);
    assert!(carol["duplicate"][0]["reason"].as_str().unwrap().contains("stays nobody's"), "{carol}");
    api.post("/keys/a/user", json!({ "user": "carol" })).await.with(200);
    let carol = api.import("first=12&user=carol", container(&hotp("a"))).await.with(200);
    assert_eq!(carol["duplicate"], json!([{ "index": 12, "key_id": "a", "kind": "duplicate" }]));
    assert_eq!(api.get("/keys/a/secret").await.with(200)["secret_hex"], data_encoding::HEXLOWER.encode(K_TOKEN));
}

#[tokio::test]
async fn hostile_identifiers_are_kept_as_they_are_or_refused() {
    let api = Api::new().await;
    let long = "x".repeat(256);
    let ids = ["'; DROP TABLE key; --", "a' OR '1'='1", "%_%", "../../etc/passwd", "\u{1f511}", "&amp;&lt;x>", &long];
    let good: String = ids.iter().map(|id| hotp(id)).collect();
    let longer = format!("{long}x");
    let bad: String = ["", " ", "a&#10;b", "a\u{202e}b", &longer].iter().map(|id| hotp(id)).collect();
    let done = api.import("first=0", container(&(good + &bad))).await.with(200);
    assert_eq!((&done["accepted"], done["refused"].as_array().unwrap().len()), (&json!(7), 5));
    assert_eq!(done["refused"][0]["reason"], "the key has no Id");
    assert_eq!(done["refused"][4]["key_id"], long, "cut to the longest name");
    let listed = api.get("/keys").await.with(200);
    let mut seen: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|k| k["key_id"].as_str().unwrap()).collect();
    let mut expected: Vec<&str> = ids.to_vec();
    expected[5] = "&<x>";
    expected.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn bad_requests_are_problems_and_store_nothing() {
    let api = Api::new().await;
    let good = container(&hotp("a"));
    for (document, kind) in [
        (String::new(), "invalid-body"),
        ("{}".into(), "invalid-body"),
        ("<KeyContainer/>".into(), "invalid-body"),
        (container(""), "invalid-body"),
        (good[..good.len() - 5].to_owned(), "invalid-body"),
        (good.clone() + "x", "invalid-body"),
        (good.replace("Version=\"1.0\"", "Version=\"2.0\""), "invalid-body"),
        (format!("<!DOCTYPE x>{good}"), "invalid-body"),
        (good.replace(SECRET, "no base64!"), "invalid-body"),
    ] {
        let detail = api.import("first=0", document.clone()).await.problem(400, kind);
        assert!(!detail.contains("base64!"), "no value is quoted: {detail}");
    }
    for query in ["", "first=-1", "first=x", "first=0&first=1", "first=0&assign=me", "first=0&more=1"] {
        api.import(query, good.clone()).await.problem(400, "invalid-query");
    }
    for query in ["first=9223372036854775807", "first=0&user=%00", "first=0&user="] {
        api.import(query, good.clone()).await.problem(422, "invalid-value");
    }
    for import in ["", "x", &IMPORT[1..], &IMPORT.replace('0', "g"), "%27;DROP%20TABLE%20key"] {
        let path = format!("/keys/import?import={import}&first=0");
        let answer = api.call(Method::POST, &path, Some("{}")).await;
        assert!(answer.problem(422, "invalid-value").contains("64 hexadecimal digits"));
    }
    let path = format!("/keys/import?import={IMPORT}&first=0");
    api.call(Method::POST, &path, Some(&good)).await.problem(415, "not-pskc");
    let large = " ".repeat(MAX_BATCH_LEN + 1);
    api.import("first=0", large).await.problem(413, "too-large");
    let many = container(&"<KeyPackage/>".repeat(20_001));
    assert!(api.import("first=0", many).await.problem(422, "invalid-value").contains("20000"));
    assert_eq!(api.get("/keys").await.with(200), json!({ "items": [] }));
    api.get(&format!("/imports/{IMPORT}")).await.problem(404, "not-found");
    assert_eq!(api.subjects("keys.imported").len(), 0);
}

#[tokio::test]
async fn a_batch_at_the_limit_of_octets_is_read() {
    let api = Api::new().await;
    let batch = container(&hotp("a"));
    let missing = MAX_BATCH_LEN - batch.len();
    let padded = format!("{batch}{}{}", "<!---->".repeat(missing / 7), " ".repeat(missing % 7));
    assert_eq!(padded.len(), MAX_BATCH_LEN);
    api.import("first=0", padded).await.with(200);
}

#[tokio::test]
async fn rights_are_checked_before_the_document_is_read() {
    let api = Api::new().await;
    let (_, token) = api.store.create_token("reader".into(), vec![Role::Read, Role::Export]).await.unwrap();
    let path = format!("/keys/import?import={IMPORT}&first=0");
    let large = "x".repeat(MAX_BATCH_LEN + 1);
    let answer = api.call_as(Some(&format!("Bearer {token}")), Method::POST, &path, Some(&large)).await;
    assert!(answer.problem(403, "no-role").contains("enrol"));
}
