//! Users, devices, keys and passwords: exact members and statuses.

use super::import::{container, hotp};
use super::*;

const SHARED_KEY: &str = "00112233445566778899aabbccddeeff";

#[tokio::test]
async fn a_user_is_created_once() {
    let api = Api::new().await;
    let user = api.post("/users", json!({ "name": "alice" })).await.with(201);
    assert_eq!(fields(&user), ["id", "name"]);
    assert_eq!((user["id"].as_str().unwrap().len(), &user["name"]), (16, &json!("alice")));
    let detail = api.post("/users", json!({ "name": "alice" })).await.problem(409, "exists");
    assert!(detail.contains("user of that name"), "{detail}");
}

#[tokio::test]
async fn a_device_is_created_once_and_no_answer_contains_its_key() {
    let api = Api::new().await;
    let device = |serial: &str, key_name: &str| {
        let mut device = json!({ "manufacturer": "acme", "serial": serial, "key_name": key_name });
        device["shared_key_hex"] = json!(SHARED_KEY);
        device
    };
    let made = api.post("/devices", device("1", "a")).await;
    let body = made.with(201);
    assert_eq!(fields(&body), ["has_certificate", "has_shared_key", "id", "key_name", "manufacturer", "serial"]);
    assert_eq!((&body["has_shared_key"], &body["has_certificate"]), (&json!(true), &json!(false)));
    assert!(!made.text.to_lowercase().contains(SHARED_KEY));
    for same in [device("1", "b"), device("2", "a")] {
        api.post("/devices", same).await.problem(409, "exists");
    }
    api.post("/devices", device("2", "b")).await.with(201);
}

#[tokio::test]
async fn invalid_keys_and_certificates_of_devices_are_refused() {
    let api = Api::new().await;
    let pem = include_str!("../../../tests/data/devices/good.pem");
    let secret = pem.replace("CERTIFICATE", "PRIVATE KEY");
    let device = |field: &str, value: &str| {
        let mut device = json!({ "manufacturer": "acme", "serial": field, "key_name": field });
        device[field] = json!(value);
        device
    };
    let body = api.post("/devices", device("certificate_pem", pem)).await.with(201);
    assert_eq!((&body["has_shared_key"], &body["has_certificate"]), (&json!(false), &json!(true)));
    for certificate in [
        "",
        "nonsense",
        &secret,
        &pem[..pem.len() / 2],
        &pem.repeat(2),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ] {
        let detail = api.post("/devices", device("certificate_pem", certificate)).await.problem(422, "invalid-value");
        assert!(detail.contains("one X.509 certificate in PEM"), "{detail}");
    }
    let long = "00".repeat(65);
    for key in ["", "00", &SHARED_KEY[1..], "no hexadecimal digits at all, see?", &long] {
        let answer = api.post("/devices", device("shared_key_hex", key)).await;
        assert!(answer.problem(422, "invalid-value").contains("16 to 64 octets"));
        assert!(key.len() < 3 || !answer.text.contains(key), "the key is not quoted");
    }
    api.post("/devices", device("shared_key_hex", &SHARED_KEY.to_uppercase())).await.with(201);
}

#[tokio::test]
async fn keys_are_listed_of_all_or_of_one_user() {
    let api = Api::new().await;
    for (user, key) in [("alice", "key1"), ("bob", "key2"), ("alice", "key3")] {
        api.key(user, key).await;
    }
    let list = api.get("/keys?user=alice").await.with(200);
    assert_eq!(fields(&list), ["items"], "no next where nothing follows");
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.iter().map(|key| &key["key_id"]).collect::<Vec<_>>(), ["key1", "key3"]);
    for key in items {
        let seen = [
            "created_at",
            "device",
            "enrolment",
            "expires_at",
            "key_id",
            "key_type",
            "label",
            "params",
            "start_at",
            "state",
        ];
        assert_eq!(fields(key), [&seen[..], &["url_s", "user", "uses_left"]].concat());
        assert_eq!(
            (&key["user"], &key["key_type"], &key["state"]),
            (&json!("alice"), &json!("hotp"), &json!("active"))
        );
        let mut shown = api.get(&format!("/keys/{}", key["key_id"].as_str().unwrap())).await.with(200);
        assert_eq!(shown.as_object_mut().unwrap().remove("deliveries"), Some(json!([])), "no sinks");
        assert_eq!(shown, *key);
    }
    assert_eq!(api.get("/keys").await.with(200)["items"].as_array().unwrap().len(), 3);
    assert_eq!(api.get("/keys?user=nobody").await.with(200), json!({ "items": [] }));
}

#[tokio::test]
async fn a_list_is_walked_page_by_page_to_its_end() {
    let api = Api::new().await;
    let all: Vec<String> = (0..11).map(|i| format!("key{i:02}")).collect();
    for (i, key) in all.iter().enumerate() {
        api.key(if i == 0 { "bob" } else { "alice" }, key).await;
    }
    for (user, expected) in [("", &all[..]), ("user=alice&", &all[1..])] {
        for limit in [1, 3, 5, 10, 11, 100] {
            let mut seen = Vec::new();
            let mut path = format!("/keys?{user}limit={limit}");
            loop {
                let page = api.get(&path).await.with(200);
                let items = page["items"].as_array().unwrap();
                assert!((1..=limit).contains(&items.len()));
                seen.extend(items.iter().map(|key| key["key_id"].as_str().unwrap().to_owned()));
                let Some(next) = page.get("next") else { break };
                path = format!("/keys?{user}limit={limit}&after={}", next.as_str().unwrap());
            }
            assert_eq!(seen, expected, "{user} {limit}");
        }
    }
}

#[tokio::test]
async fn reading_a_secret_requires_the_role_export_and_is_audited() {
    let api = Api::new().await;
    api.key("alice", "key1").await;
    let secret = api.get("/keys/key1/secret").await.with(200);
    assert_eq!(secret, json!({ "secret_hex": data_encoding::HEXLOWER.encode(K_TOKEN) }));
    let [subject] = &api.subjects("key.exported")[..] else { panic!("one entry") };
    let token = api.store.token(&api.token).await.unwrap().unwrap();
    assert_eq!(*subject, json!({ "key": "key1", "by": token.id }));
    for path in ["/keys", "/keys/key1"] {
        assert!(!api.get(path).await.text.contains(secret["secret_hex"].as_str().unwrap()));
    }
}

/// RFC 4226 §7.3: guessing causes a growing back-off, for the guessed user only.
#[tokio::test]
async fn consecutive_wrong_one_time_passwords_delay_the_next() {
    let api = Api::new().await;
    let attempt = |user: &str| json!({ "user": user, "otp": "000000" });
    for _ in 0..4 {
        assert_eq!(api.post("/validate", attempt("ann")).await.with(200), json!({ "valid": false }));
    }
    let slowed = api.post("/validate", attempt("ann")).await;
    assert_eq!(slowed.headers[header::RETRY_AFTER], "1");
    assert!(slowed.problem(429, "too-many-wrong").contains("try again in 1 s"));
    assert_eq!(api.post("/validate", attempt("bob")).await.with(200), json!({ "valid": false }));
}

/// Concurrent correct passwords never count as guesses.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_correct_one_time_passwords_are_all_valid_and_wrong_ones_are_delayed() {
    let api = Arc::new(Api::new().await);
    let packages: String = (0..16).map(|id| hotp(&format!("key{id}"))).collect();
    api.import("first=0&user=alice", container(&packages)).await.with(200);
    let at_once = async |user: &'static str, otp: &'static str| {
        let attempts = (0..16).map(|_| {
            let api = Arc::clone(&api);
            tokio::spawn(async move { api.post("/validate", json!({ "user": user, "otp": otp })).await })
        });
        futures_util::future::join_all(attempts).await.into_iter().map(Result::unwrap).collect::<Vec<_>>()
    };
    for answer in at_once("alice", HOTP[0]).await {
        assert_eq!(answer.with(200)["valid"], true);
    }
    // All of them are used now, and repeating one is not a guess.
    for answer in at_once("alice", HOTP[0]).await {
        assert_eq!(answer.with(200), json!({ "valid": false }));
    }
    let wrong = at_once("bob", "000000").await;
    let tried = wrong.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(tried, 4, "concurrent guesses get no more tries");
    assert!(wrong.iter().filter(|answer| answer.status != 200).all(|answer| answer.status == 429));
}

#[tokio::test]
async fn a_revoked_key_is_shown_as_such_and_validates_nothing() {
    let api = Api::new().await;
    api.key("alice", "key1").await;
    let valid = async |otp: &str| api.post("/validate", json!({ "key_id": "key1", "otp": otp })).await.with(200);
    assert_eq!(valid(HOTP[0]).await, json!({ "valid": true, "key_id": "key1" }));
    api.delete("/keys/key1").await.no_content();
    assert_eq!(api.get("/keys/key1").await.with(200)["state"], "revoked");
    assert_eq!(valid(HOTP[1]).await, json!({ "valid": false }));
}

#[tokio::test]
async fn a_password_is_valid_once_by_key_or_by_user() {
    let api = Api::new().await;
    api.key("alice", "key1").await;
    let right = json!({ "valid": true, "key_id": "key1" });
    let by_user = json!({ "user": "alice", "otp": HOTP[0] });
    assert_eq!(api.post("/validate", by_user.clone()).await.with(200), right);
    assert_eq!(api.post("/validate", by_user).await.with(200), json!({ "valid": false }));
    let both = json!({ "user": "alice", "key_id": "key1", "otp": HOTP[1] });
    assert_eq!(api.post("/validate", both).await.with(200), right);
}

/// RFC 4226 §7.4: only consecutive passwords resynchronise a token that has run far ahead.
#[tokio::test]
async fn rfc4226_s7_4_consecutive_passwords_resynchronise_a_token_that_ran_ahead() {
    let api = Api::new().await;
    api.key("alice", "key1").await;
    let hotp = dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX };
    let otp = |counter: u64| hotp.code(&Secret::from_slice(K_TOKEN), counter).to_string();
    let resync = async |otps: &[String]| api.post("/keys/key1/resync", json!({ "otps": otps })).await;
    assert_eq!(api.post("/validate", json!({ "key_id": "key1", "otp": otp(500) })).await.with(200)["valid"], false);
    for wrong in [vec![otp(500), otp(502)], vec![otp(501), otp(500)], vec![otp(1002), otp(1003)]] {
        assert_eq!(resync(&wrong).await.with(200), json!({ "synchronised": false }), "{wrong:?}");
    }
    api.post("/keys/key1/resync", json!({ "otps": [otp(500)] })).await.problem(422, "invalid-value");
    api.post("/keys/nothing/resync", json!({ "otps": [otp(500), otp(501)] })).await.problem(404, "not-found");
    assert!(api.subjects("key.resynchronised").is_empty());
    api.key("bob", "key2").await;
    let resynced = api.post("/keys/key2/resync", json!({ "otps": [otp(500), otp(501)] })).await.with(200);
    assert_eq!(resynced, json!({ "synchronised": true }));
    for (counter, valid) in [(500, false), (501, false), (502, true)] {
        let answer = api.post("/validate", json!({ "key_id": "key2", "otp": otp(counter) })).await.with(200);
        assert_eq!(answer["valid"], valid, "{counter}");
    }
    assert_eq!(api.subjects("key.resynchronised").len(), 1);
}

/// The server tries all of a user's keys or reports that there are too many; it skips none.
#[tokio::test]
async fn all_of_a_users_keys_are_tried_or_reported_as_too_many() {
    let api = Api::new().await;
    let keys = |ids: std::ops::Range<u32>| container(&ids.map(|id| hotp(&format!("key{id}"))).collect::<String>());
    api.import("first=0&user=alice", keys(0..100)).await.with(200);
    for counter in [0, 0, 1] {
        let attempt = json!({ "user": "alice", "otp": HOTP[counter] });
        assert_eq!(api.post("/validate", attempt).await.with(200)["valid"], true, "{counter}");
    }
    api.import("first=100&user=alice", keys(100..101)).await.with(200);
    let attempt = json!({ "user": "alice", "otp": HOTP[1] });
    assert!(api.post("/validate", attempt).await.problem(409, "wrong-state").contains("key_id"));
    let attempt = json!({ "user": "alice", "key_id": "key100", "otp": HOTP[1] });
    assert_eq!(api.post("/validate", attempt).await.with(200)["valid"], true);
}

#[tokio::test]
async fn unknown_users_and_keys_are_answered_like_wrong_passwords() {
    let api = Api::new().await;
    api.key("alice", "key1").await;
    for attempt in [
        json!({ "user": "alice", "otp": "000000" }),
        json!({ "user": "nobody", "otp": HOTP[0] }),
        json!({ "key_id": "nothing", "otp": HOTP[0] }),
        json!({ "user": "nobody", "key_id": "key1", "otp": HOTP[0] }),
        json!({ "user": "alice", "otp": "" }),
        json!({ "user": "' OR '1'='1", "otp": HOTP[0] }),
        json!({ "user": "alice", "otp": "x".repeat(256) }),
    ] {
        assert_eq!(api.post("/validate", attempt.clone()).await.with(200), json!({ "valid": false }), "{attempt}");
    }
}

#[tokio::test]
async fn an_attempt_names_a_user_or_a_key_and_is_short() {
    let api = Api::new().await;
    let long = "1".repeat(257);
    for (attempt, reason) in [
        (json!({ "otp": "1" }), "user or key_id"),
        (json!({ "user": null, "key_id": null, "otp": "1" }), "user or key_id"),
        (json!({ "user": "alice", "otp": long }), "256"),
        (json!({ "user": "alice", "otp": "1", "challenge": long }), "256"),
    ] {
        assert!(api.post("/validate", attempt).await.problem(422, "invalid-value").contains(reason));
    }
}

#[tokio::test]
async fn an_ocra_response_is_validated_with_its_challenge() {
    let api = Api::new().await;
    let enrolment = api.enrolment(json!({ "user": "alice", "key_type": "ocra" })).await;
    api.provision(&enrolment, "key1").await;
    let attempt = |challenge: &str| json!({ "key_id": "key1", "otp": "237653", "challenge": challenge });
    // RFC 6287, appendix C.1.
    assert_eq!(api.post("/validate", attempt("00000000")).await.with(200)["valid"], true);
    assert_eq!(api.post("/validate", attempt("00000001")).await.with(200)["valid"], false);
}
