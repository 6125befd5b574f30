//! Enrolments: created with a code that is shown once, listed without it, revoked.

use dskpp::auth_code::AuthCode;

use super::*;

/// The members of an enrolment.
const SEEN: [&str; 20] = [
    "activate",
    "algorithm_location",
    "created_at",
    "delivers",
    "device",
    "expires_at",
    "failed_attempts",
    "id",
    "key_id",
    "key_lifetime_s",
    "key_location",
    "key_type",
    "methods",
    "params",
    "renews",
    "sinks",
    "state",
    "template",
    "user",
    "variant",
];

fn hotp() -> Value {
    json!({ "user": "alice", "key_type": "hotp" })
}

/// `body` and one more member.
fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn seconds(time: &Value) -> i64 {
    time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
}

/// 100 passwords are distinct, and most values occur at each digit of 64 bits.
#[tokio::test]
async fn s3_4_1_1_passwords_are_random_and_have_at_least_64_bits() {
    const DIGITS: usize = 16;
    let api = Api::new().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let password = api.enrolment(hotp()).await["password"].as_str().unwrap().to_owned();
        assert!(password.len() >= DIGITS && password.bytes().all(|digit| digit.is_ascii_hexdigit()), "{password}");
        assert!(seen.insert(password));
    }
    for place in 0..DIGITS {
        let digits = seen.iter().map(|password| password.as_bytes()[place]).collect::<std::collections::BTreeSet<_>>();
        assert!(digits.len() > 10, "place {place} has {} values", digits.len()); // fewer: one test in 10^12
    }
}

#[tokio::test]
async fn a_new_enrolment_comes_with_its_code_and_the_triggers_address() {
    let api = Api::new().await;
    let made = api.enrolment(hotp()).await;
    let mut expected = SEEN.to_vec();
    expected.extend(["authentication_code", "client_id", "password", "server_url", "trigger_url"]);
    expected.sort_unstable();
    assert_eq!(fields(&made), expected);
    let code: AuthCode = made["authentication_code"].as_str().unwrap().parse().unwrap();
    assert_eq!(code.client_id(), made["client_id"]);
    assert_eq!(code.password().expose(), made["password"].as_str().unwrap().as_bytes());
    assert_eq!(made["server_url"], "https://keys.example/dskpp");
    let url = made["trigger_url"].as_str().unwrap();
    let token = url.strip_prefix("https://keys.example/enroll/").unwrap();
    assert_eq!(api.store.enrolment_by_trigger(token).await.unwrap().unwrap().id, made["id"]);
    assert_eq!(seconds(&made["expires_at"]) - seconds(&made["created_at"]), LIFETIME_S as i64);
    assert!(made["expires_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        (&made["state"], &made["user"], &made["activate"]),
        (&json!("open"), &json!("alice"), &json!("at-once"))
    );
}

#[tokio::test]
async fn the_code_is_in_no_answer_but_the_first() {
    let api = Api::new().await;
    let made = api.enrolment(hotp()).await;
    let path = format!("/enrolments/{}", made["id"].as_str().unwrap());
    let seen = api.get(&path).await;
    let mut expected = SEEN.to_vec();
    expected.extend(["last_refusal", "wrong_tries"]);
    expected.sort_unstable();
    assert_eq!(fields(&seen.with(200)), expected);
    for field in SEEN {
        assert_eq!(seen.json()[field], made[field]);
    }
    api.provision(&made, "key1").await;
    let mut answers = vec![seen, api.get(&path).await, api.get("/keys").await, api.get("/keys/key1").await];
    answers.push(api.get("/keys/key1/secret").await);
    answers.push(api.post("/validate", json!({ "user": "alice", "otp": HOTP[0] })).await);
    answers.push(api.delete(&path).await);
    answers.push(api.post("/enrolments", with(hotp(), "renews", json!("key1"))).await);
    let trigger = made["trigger_url"].as_str().unwrap().rsplit('/').next().unwrap();
    for secret in
        ["password", "authentication_code"].map(|field| made[field].as_str().unwrap()).into_iter().chain([trigger])
    {
        for answer in &answers {
            assert!(!answer.text.contains(secret), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_spent_enrolment_names_its_key() {
    let api = Api::new().await;
    for (i, (activate, state)) in [("at-once", "active"), ("on-otp", "provisioned")].into_iter().enumerate() {
        let made = api.enrolment(with(hotp(), "activate", json!(activate))).await;
        let key = format!("key{i}");
        api.provision(&made, &key).await;
        let seen = api.get(&format!("/enrolments/{}", made["id"].as_str().unwrap())).await.with(200);
        assert_eq!((&seen["state"], &seen["key_id"]), (&json!(state), &json!(key)));
        assert_eq!(api.get(&format!("/keys/{key}")).await.with(200)["state"], state);
    }
}

#[tokio::test]
async fn each_key_type_has_its_parameters_and_their_usual_values() {
    let api = Api::new().await;
    let suite = "OCRA-1:HOTP-SHA256-8:C-QN08-T1M";
    for (key_type, given, params) in [
        ("hotp", json!({}), json!({ "digits": 6, "counter": 0 })),
        ("hotp", json!({ "digits": 8, "counter": 7 }), json!({ "digits": 8, "counter": 7 })),
        ("totp", json!({}), json!({ "digits": 6, "period_s": 30, "hash": "SHA-1" })),
        (
            "totp",
            json!({ "digits": 8, "period_s": 60, "hash": "SHA-512" }),
            json!({ "digits": 8, "period_s": 60, "hash": "SHA-512" }),
        ),
        ("ocra", json!({}), json!({ "suite": "OCRA-1:HOTP-SHA1-6:QN08" })),
        ("ocra", json!({ "suite": suite }), json!({ "suite": suite })),
        ("aes128", json!({}), json!({})),
        ("aes192", json!({}), json!({})),
        ("aes256", json!({}), json!({})),
    ] {
        let mut body = json!({ "user": "alice", "key_type": key_type });
        body.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
        let made = api.enrolment(body).await;
        assert_eq!((&made["key_type"], &made["params"]), (&json!(key_type), &params));
    }
}

#[tokio::test]
async fn variant_methods_and_lifetime_are_kept() {
    let api = Api::new().await;
    let methods = json!(["transport", "wrap", "passphrase-wrap"]);
    let body = with(hotp(), "methods", methods.clone());
    let made = api.enrolment(with(body, "expires_in_s", json!(60))).await;
    assert_eq!((&made["variant"], &made["methods"]), (&json!("two-pass"), &methods), "methods are of two-pass");
    assert_eq!(seconds(&made["expires_at"]) - seconds(&made["created_at"]), 60);
}

#[tokio::test]
async fn rfc6063_8_2_the_platform_of_the_trigger_is_kept() {
    let api = Api::new().await;
    for (key, algorithm) in
        [(None, None), (Some("hardware"), Some("software")), (Some("software"), None), (None, Some("hardware"))]
    {
        let body = with(with(hotp(), "key_location", json!(key)), "algorithm_location", json!(algorithm));
        let made = api.enrolment(body).await;
        assert_eq!((&made["key_location"], &made["algorithm_location"]), (&json!(key), &json!(algorithm)));
    }
    for value in [json!("Hardware"), json!("unspecified"), json!("cloud"), json!(1), json!([])] {
        for field in ["key_location", "algorithm_location"] {
            let refused = api.post("/enrolments", with(hotp(), field, value.clone())).await;
            assert!(matches!(refused.status.as_u16(), 400 | 422), "{field} {value}: {}", refused.status);
        }
    }
}

#[tokio::test]
async fn invalid_values_are_refused_with_the_reason() {
    let api = Api::new().await;
    let of = |key_type: &str| json!({ "user": "alice", "key_type": key_type });
    for (body, reason) in [
        (of("HOTP"), "key_type"),
        (of("des"), "key_type"),
        (of(""), "key_type"),
        (with(with(hotp(), "variant", json!("four-pass")), "delivers", json!("key1")), "two-pass only"),
        (with(with(hotp(), "renews", json!("key1")), "delivers", json!("key1")), "exclude each other"),
        (with(with(hotp(), "digits", json!(6)), "delivers", json!("key1")), "its own digits"),
        (with(of("aes128"), "activate", json!("on-otp")), "requires a key that makes"),
        (with(hotp(), "methods", json!(["wrap", "none"])), "methods"),
        (with(with(hotp(), "variant", json!("four-pass")), "methods", json!(["wrap"])), "four-pass only"),
        (with(hotp(), "expires_in_s", json!(0)), "expires_in_s"),
        (with(hotp(), "expires_in_s", json!(u64::MAX)), "expires_in_s"),
        (with(hotp(), "digits", json!(0)), "digits"),
        (with(hotp(), "digits", json!(255)), "digits"),
        (with(hotp(), "counter", json!(u64::MAX)), "counter"),
        (with(of("totp"), "period_s", json!(0)), "period_s"),
        (with(of("totp"), "period_s", json!(3601)), "period_s"),
        (with(of("totp"), "hash", json!("MD5")), "hash"),
        (with(of("ocra"), "suite", json!("OCRA-2:HOTP-SHA1-6:QN08")), "OCRA-1"),
        (with(of("hotp"), "period_s", json!(30)), "no period_s"),
        (with(of("hotp"), "hash", json!("SHA-1")), "no hash"),
        (with(of("hotp"), "suite", json!("OCRA-1:HOTP-SHA1-6:QN08")), "no suite"),
        (with(of("totp"), "counter", json!(0)), "no counter"),
        (with(of("ocra"), "digits", json!(6)), "no digits"),
        (with(of("aes128"), "digits", json!(6)), "no digits"),
    ] {
        let detail = api.post("/enrolments", body.clone()).await.problem(422, "invalid-value");
        assert!(detail.contains(reason), "{body}: {detail}");
    }
    api.post("/users", json!({ "name": "alice" })).await.with(201); // none of them made the user
}

#[tokio::test]
async fn ocra_suites_that_no_response_can_satisfy_are_refused() {
    let api = Api::new().await;
    for inputs in ["QN08-PSHA1", "QN08-S064", "C-QA10-PSHA256", "QN08-PSHA1-S064-T1M", "C-QH40-S512-T30S"] {
        let body = json!({ "user": "alice", "key_type": "ocra", "suite": format!("OCRA-1:HOTP-SHA1-6:{inputs}") });
        let detail = api.post("/enrolments", body).await.problem(422, "invalid-value");
        assert!(detail.contains("a PIN (P) or session information (S)"), "{inputs}: {detail}");
    }
    for inputs in ["QN08", "C-QA64", "QH40-T1M", "C-QN08-T48H"] {
        let body = json!({ "user": "alice", "key_type": "ocra", "suite": format!("OCRA-1:HOTP-SHA1-6:{inputs}") });
        api.enrolment(body).await;
    }
}

#[tokio::test]
async fn devices_and_renewed_keys_must_exist() {
    let api = Api::new().await;
    let device = json!({ "manufacturer": "acme", "serial": "1" });
    let unknown = api.post("/enrolments", with(hotp(), "device", device.clone())).await;
    assert!(unknown.problem(404, "not-found").contains("device"));
    api.post("/devices", with(device.clone(), "key_name", json!("k"))).await.with(201);
    assert_eq!(api.enrolment(with(hotp(), "device", device.clone())).await["device"], device);

    let renewal = with(hotp(), "renews", json!("key1"));
    assert!(api.post("/enrolments", renewal.clone()).await.problem(404, "not-found").contains("key of this user"));
    api.key("alice", "key1").await;
    assert_eq!(api.enrolment(renewal.clone()).await["renews"], "key1");
    let of_bob = with(renewal.clone(), "user", json!("bob"));
    api.post("/enrolments", of_bob).await.problem(404, "not-found");
    let of_another_type = with(renewal.clone(), "key_type", json!("totp"));
    api.post("/enrolments", of_another_type).await.problem(409, "wrong-state");
    api.delete("/keys/key1").await.no_content();
    api.post("/enrolments", renewal).await.problem(404, "not-found");
}

#[tokio::test]
async fn an_open_enrolment_is_revoked_once_and_a_used_one_never() {
    let api = Api::new().await;
    let [open, used] = [api.enrolment(hotp()).await, api.enrolment(hotp()).await];
    api.provision(&used, "key1").await;
    let path = |enrolment: &Value| format!("/enrolments/{}", enrolment["id"].as_str().unwrap());
    api.delete(&path(&open)).await.no_content();
    assert_eq!(api.get(&path(&open)).await.with(200)["state"], "revoked");
    for enrolment in [&open, &used] {
        api.delete(&path(enrolment)).await.problem(409, "wrong-state");
    }
    assert_eq!(api.get(&path(&used)).await.with(200)["state"], "active");
}
