//! Export of keys, and their import elsewhere.

use pskc::{DecryptionKey, Key, KeyContainer, KeyPackage, Opener, OpenerOptions, Value as PskcValue};

use super::import::{container, hotp, package, secret};
use super::*;

const TOTP_URI: &str = "urn:ietf:params:xml:ns:keyprov:pskc:totp";

/// A key of every kind, with everything that a package can express.
fn every_kind() -> String {
    let pskc = "urn:ietf:params:xml:ns:keyprov:pskc";
    let value = |name: &str, value: &str| format!("<{name}><PlainValue>{value}</PlainValue></{name}>");
    let data = |more: &[(&str, &str)]| {
        let values: String = more.iter().map(|(name, number)| value(name, number)).collect();
        secret("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=") + &values
    };
    let policy = "<UserId>UID=zoe,DC=example</UserId><Policy><StartDate>2006-05-01T00:00:00Z</StartDate>\
                  <ExpiryDate>2106-05-31T00:00:00.25Z</ExpiryDate><PINPolicy MinLength=\"4\" PINKeyId=\"pin\" \
                  PINEncoding=\"DECIMAL\" PINUsageMode=\"Local\"/><KeyUsage>OTP</KeyUsage>\
                  <NumberOfTransactions>4</NumberOfTransactions></Policy>\
                  <Extensions definition=\"urn:d\"><x:a/></Extensions>";
    let parameters = |suite: &str| {
        format!(
            "<Issuer>Issuer-A</Issuer><AlgorithmParameters><Suite>{suite}</Suite><ChallengeFormat Encoding=\"DECIMAL\" \
             Min=\"4\" Max=\"8\"/><ResponseFormat Encoding=\"DECIMAL\" Length=\"8\"/></AlgorithmParameters>\
             <FriendlyName>\u{1f511}</FriendlyName>"
        )
    };
    let device = "<KeyPackage><DeviceInfo><Manufacturer>TokenVendorAcme</Manufacturer><SerialNo>987654321</SerialNo>\
                  <Model>m</Model><IssueNo>1</IssueNo><StartDate>2009-01-01T00:00:00Z</StartDate></DeviceInfo>\
                  <CryptoModuleInfo><Id>CM_ID_001</Id></CryptoModuleInfo>";
    let totp = [("Time", "0"), ("TimeInterval", "60"), ("TimeDrift", "-3")];
    [
        hotp("bare"),
        package("full", &format!("{pskc}:hotp"), &parameters("HMAC-SHA1"), &data(&[("Counter", "7")]), policy)
            .replace("<KeyPackage>", device),
        package("totp", TOTP_URI, &parameters("HMAC-SHA512"), &data(&totp), ""),
        package("ocra", &format!("{pskc}:OCRA-1"), &parameters("OCRA-1:HOTP-SHA1-8:QN08"), &data(&[]), ""),
        package("pin", &format!("{pskc}:pin"), "", &(secret("MTIzNA==") + "<x:hint>h</x:hint>"), ""),
        package(
            "aes",
            "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
            "",
            &(secret("MTIzNDU2Nzg5MDEyMzQ1Ng==") + "<Counter><PlainValue>5</PlainValue></Counter>"),
            "",
        ),
        package("vendor", "urn:vendor:what", "", &data(&[]), ""),
    ]
    .concat()
}

fn packages(document: &str) -> Vec<KeyPackage> {
    KeyContainer::from_xml(document.as_bytes()).unwrap().key_packages
}

fn sorted(document: &str) -> Vec<KeyPackage> {
    let mut packages = packages(document);
    packages.sort_by_key(|package| package.key.as_ref().unwrap().id.clone());
    packages
}

impl Api {
    async fn export(&self, body: Value) -> String {
        let answer = self.post("/keys/export", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/pskc+xml");
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        answer.text
    }

    async fn export_plain(&self) -> String {
        self.export(json!({ "protection": { "plain": true } })).await
    }

    async fn exported(&self, id: &str) -> Key {
        let keys = packages(&self.export_plain().await).into_iter().filter_map(|package| package.key);
        keys.into_iter().find(|key| key.id == id).unwrap()
    }
}

#[tokio::test]
async fn every_parameter_survives_import_export_and_import() {
    let given = container(&every_kind());
    let first = Api::new().await;
    assert_eq!(first.import("first=0", given.clone()).await.with(200)["accepted"], 7);
    let exported = first.export_plain().await;
    assert_eq!(sorted(&exported), sorted(&given));
    let second = Api::new().await;
    assert_eq!(second.import("first=0&assign=user-id", exported.clone()).await.with(200)["accepted"], 7);
    assert_eq!(second.export_plain().await, exported);
    assert_eq!(second.get("/keys/full").await.with(200)["user"], "zoe");
    // The second export has the same secrets, in the same places only.
    assert_eq!(exported.matches("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=").count(), 5);
}

#[tokio::test]
async fn an_export_has_current_counters_and_users() {
    let api = Api::new().await;
    api.import("first=0", container(&every_kind())).await.with(200);
    for id in ["full", "totp"] {
        api.post(&format!("/keys/{id}/user"), json!({ "user": "Smith, \"J\"" })).await.with(200);
    }
    let key = Secret::from_slice(K_TOKEN);
    let hotp = dskpp_otp::Hotp { digits: dskpp_otp::Digits::EIGHT };
    assert!(api.valid("full", hotp.code(&key, 9).as_str()).await);
    let totp = dskpp_otp::Totp::new(dskpp_otp::Digits::EIGHT, 60, dskpp_crypto::Hash::Sha512).unwrap();
    let step = totp.step(crate::model::clock::now() as u64) - 2;
    assert!(api.valid("totp", totp.code_of_step(&key, step).as_str()).await);

    let full = api.exported("full").await;
    assert_eq!(full.data.as_ref().unwrap().counter, Some(PskcValue::Plain(10)));
    assert_eq!(full.policy.unwrap().number_of_transactions, Some(3));
    assert_eq!(full.user_id.as_deref(), Some("CN=Smith\\, \\\"J\\\""), "the current user, not the file's");
    let data = api.exported("totp").await.data.unwrap();
    assert_eq!(data.time, Some(PskcValue::Plain(step as i32)));
    assert!(matches!(data.time_drift, Some(PskcValue::Plain(-3 | -2))), "a minute may end in between");

    // A password used here counts as used elsewhere too.
    let other = Api::new().await;
    other.import("first=0&assign=user-id", api.export_plain().await).await.with(200);
    assert!(!other.valid("totp", totp.code_of_step(&key, step).as_str()).await);
    assert!(!other.valid("full", hotp.code(&key, 9).as_str()).await);
    assert!(other.valid("full", hotp.code(&key, 10).as_str()).await);
    assert_eq!(other.get("/keys/full").await.with(200)["user"], "Smith, \"J\"");
}

#[tokio::test]
async fn provisioned_keys_can_be_exported_and_imported() {
    let api = Api::new().await;
    api.key("alice", "key1").await;
    let totp = json!({ "user": "bob", "key_type": "totp", "digits": 8, "period_s": 60, "hash": "SHA-256" });
    let enrolment = api.enrolment(totp).await;
    api.provision(&enrolment, "key2").await;
    let enrolment = api.enrolment(json!({ "user": "bob", "key_type": "ocra" })).await;
    api.provision(&enrolment, "key3").await;
    let other = Api::new().await;
    other.import("first=0&assign=user-id", api.export_plain().await).await.with(200);
    for id in ["key1", "key2", "key3"] {
        let (mut before, mut after) = (Value::Null, Value::Null);
        for (api, key) in [(&api, &mut before), (&other, &mut after)] {
            *key = api.get(&format!("/keys/{id}")).await.with(200);
            key["enrolment"] = Value::Null;
            key["created_at"] = Value::Null;
            key["url_s"] = Value::Null; // imported keys have no URL_S
            key["params"].as_object_mut().unwrap().remove("usage");
        }
        assert_eq!(before, after);
    }
    assert!(other.valid("key1", HOTP[0]).await);
    let of_bob = api.export(json!({ "user": "bob", "protection": { "plain": true } })).await;
    assert_eq!(packages(&of_bob).len(), 2);
}

#[tokio::test]
async fn a_protected_file_opens_with_its_key_alone() {
    let api = Api::new().await;
    api.import("first=0", container(&every_kind())).await.with(200);
    let plain = packages(&api.export_plain().await);
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap();
    let private = dskpp_crypto::RsaPrivateKey::from_pkcs8_der(&pair.serialize_der()).unwrap();
    let hex = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";
    let key = Secret::new(data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap());
    let password = DecryptionKey::Password(Secret::from_slice(b"correct horse"));
    for (protection, cipher, unlock) in [
        (json!({ "key_hex": hex, "key_name": "transport" }), "#aes256-cbc", DecryptionKey::Key(key)),
        (json!({ "passphrase": "correct horse" }), ">600000<", password.clone()),
        (json!({ "passphrase": "correct horse", "for_old_readers": false }), "#aes256-cbc", password.clone()),
        (json!({ "passphrase": "correct horse", "for_old_readers": true }), "#aes128-cbc", password),
        (json!({ "certificate_pem": certificate.pem() }), "#rsa-oaep-mgf1p", DecryptionKey::PrivateKey(private.into())),
    ] {
        let document = api.export(json!({ "protection": protection })).await;
        assert!(document.contains(cipher), "{protection}");
        assert!(!document.contains("MTIz") && !document.contains("correct horse") && !document.contains(hex));
        let mut container = KeyContainer::from_xml(document.as_bytes()).unwrap();
        let (named, mac) = (container.encryption_key.as_ref(), container.mac_method.as_ref());
        assert!(mac.is_some());
        let mut opener = Opener::new(named, mac, &unlock, OpenerOptions::default()).unwrap();
        for package in &mut container.key_packages {
            opener.open(package.key.as_mut().unwrap().data.as_mut().unwrap()).unwrap();
        }
        assert_eq!(container.key_packages, plain);
        // Decrypt it before the import.
        let refused = Api::new().await.import("first=0", document).await.with(200);
        assert_eq!((&refused["accepted"], refused["refused"].as_array().unwrap().len()), (&json!(0), 7));
    }
}

#[tokio::test]
async fn a_long_export_has_every_key_once() {
    let api = Api::new().await;
    let ids: Vec<String> = (0..2000).map(|i| format!("key{i:05}")).collect();
    api.import("first=0", container(&ids.iter().map(|id| hotp(id)).collect::<String>())).await.with(200);
    for more in [0, 1] {
        if more == 1 {
            api.import("first=2000", container(&hotp("last"))).await.with(200);
        }
        let document = api.export_plain().await;
        let out: Vec<String> = packages(&document).into_iter().map(|package| package.key.unwrap().id).collect();
        assert_eq!((&out[..2000], out.len()), (&ids[..], 2000 + more));
    }
}

#[tokio::test]
async fn revoked_keys_are_not_exported_and_an_empty_selection_is_404() {
    let api = Api::new().await;
    let plain = json!({ "protection": { "plain": true } });
    api.post("/keys/export", plain.clone()).await.problem(404, "not-found");
    api.key("alice", "key1").await;
    api.delete("/keys/key1").await.no_content();
    api.post("/keys/export", plain.clone()).await.problem(404, "not-found");
    api.key("alice", "key2").await;
    assert_eq!(packages(&api.export_plain().await).len(), 1);
    let nobody = json!({ "user": "' OR 1=1 --", "protection": { "plain": true } });
    api.post("/keys/export", nobody).await.problem(404, "not-found");
    assert_eq!(api.subjects("keys.exported").len(), 1, "only actual exports are audited");
}

#[tokio::test]
async fn an_export_is_in_the_audit_trail_without_its_protection() {
    let api = Api::new().await;
    api.key("alice", "key1").await;
    api.export(json!({ "protection": { "passphrase": "correct horse" } })).await;
    api.export(json!({ "user": "alice", "protection": { "plain": true } })).await;
    let by = api.store.token(&api.token).await.unwrap().unwrap().id;
    let entries = [
        json!({ "count": 1, "user": null, "protection": "passphrase", "by": by }),
        json!({ "count": 1, "user": "alice", "protection": "plain", "by": by }),
    ];
    assert_eq!(api.subjects("keys.exported"), entries);
}

#[tokio::test]
async fn an_export_requires_exactly_one_valid_protection() {
    let api = Api::new().await;
    api.key("alice", "key1").await;
    let ec = rcgen::generate_simple_self_signed(vec!["x.example".to_owned()]).unwrap().cert.pem();
    let hex = "00112233445566778899aabbccddeeff";
    for (protection, reason) in [
        (json!({}), "one of"),
        (json!({ "plain": false }), "one of"),
        (json!({ "plain": null }), "one of"),
        (json!({ "plain": true, "passphrase": "correct horse" }), "one of"),
        (json!({ "key_hex": hex }), "one of"),
        (json!({ "key_name": "k" }), "one of"),
        (json!({ "key_hex": hex, "key_name": "k", "certificate_pem": ec }), "one of"),
        (json!({ "key_hex": &hex[2..], "key_name": "k" }), "16, 24 or 32 octets"),
        (json!({ "key_hex": "zz", "key_name": "k" }), "16, 24 or 32 octets"),
        (json!({ "key_hex": hex, "key_name": " " }), "key_name"),
        (json!({ "passphrase": "short" }), "8 characters"),
        (json!({ "plain": true, "for_old_readers": true }), "requires a passphrase"),
        (json!({ "certificate_pem": "x" }), "PEM"),
        (json!({ "certificate_pem": ec }), "no usable RSA key"),
    ] {
        let answer = api.post("/keys/export", json!({ "protection": protection })).await;
        let detail = answer.problem(422, "invalid-value");
        assert!(detail.contains(reason) && !answer.text.contains(hex), "{protection}: {detail}");
    }
    for body in [json!({}), json!({ "protection": { "plain": "true" } }), json!({ "protection": { "mac": 1 } })] {
        api.post("/keys/export", body).await.problem(422, "invalid-body");
    }
    assert_eq!(api.subjects("keys.exported").len(), 0);
}

#[tokio::test]
async fn a_key_that_cannot_be_unsealed_stops_the_export_with_an_error() {
    let api = Api::new().await;
    api.import("first=0", container(&(hotp("a") + &hotp("b")))).await.with(200);
    let sql = "UPDATE key SET sealed_package = (SELECT sealed_package FROM key WHERE id = 'a') WHERE id = 'b'";
    api.scratch.execute(sql);
    let plain = json!({ "protection": { "plain": true } });
    api.post("/keys/export", plain).await.problem(503, "store-unavailable");
}

#[tokio::test]
async fn unreadable_keys_end_an_export_or_are_omitted_and_listed() {
    let api = Api::new().await;
    let all: String = (0..=1001).map(|number| hotp(&format!("k--{number:04}"))).collect();
    assert_eq!(api.import("first=0", container(&all)).await.with(200)["accepted"], 1002);
    let damaged = ["k--0003", "k--0999", "k--1001"]; // one is the last of a page
    for (id, damage) in damaged.iter().zip(["params = 'x'", "counter = -1", "params = '{'"]) {
        api.scratch.execute(&format!("UPDATE key SET {damage} WHERE id = '{id}'"));
    }
    let plain = json!({ "plain": true });
    let stopped = api.post("/keys/export", json!({ "protection": plain })).await.problem(500, "unreadable");
    assert!(stopped.contains("k--0003"), "{stopped}");
    let document = api.export(json!({ "protection": plain, "leave_out_unreadable": true })).await;
    assert_eq!(packages(&document).len(), 999, "all others; the document is well-formed");
    let (_, comment) = document.rsplit_once("<!--").unwrap();
    let told: Value = serde_json::from_str(comment.trim().trim_end_matches("-->")).unwrap();
    assert_eq!(told["left_out"]["count"], 3);
    for (id, told) in damaged.iter().zip(told["left_out"]["keys"].as_array().unwrap()) {
        assert_eq!(told["key_id"], *id);
    }
    api.scratch.execute("UPDATE key SET state = 'revoked' WHERE id IN ('k--0003', 'k--0999', 'k--1001')");
    assert!(!api.export(json!({ "protection": plain, "leave_out_unreadable": true })).await.contains("<!--"));
}
