//! The device register: showing, changing, deleting and importing devices, and their certificates.

use super::*;
use crate::api::devices::MAX_BATCH_LEN;
use crate::config::DevicesSection;
use crate::store::HelloQuery;
use dskpp::server::DeviceRef;

const KEY: &str = "000102030405060708090a0b0c0d0e0f";
const OTHER_KEY: &str = "ffeeddccbbaa99887766554433221100";

fn pem(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/data/devices/{name}.pem", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn device(serial: &str) -> Value {
    json!({ "manufacturer": "acme", "serial": serial, "key_name": format!("key of {serial}"), "shared_key_hex": KEY })
}

fn with(mut object: Value, field: &str, value: Value) -> Value {
    object[field] = value;
    object
}

impl Api {
    /// An API that trusts the root of the test data, with its revocation list.
    async fn with_anchors() -> Self {
        let file = |name: &str| format!("{}/tests/data/devices/{name}", env!("CARGO_MANIFEST_DIR")).into();
        let revocation_lists = vec![file("root.crl.pem")];
        Self::with_devices(&DevicesSection { anchors: file("root.pem"), revocation_lists, ..DevicesSection::default() })
            .await
    }

    async fn device(&self, serial: &str) -> String {
        self.post("/devices", device(serial)).await.with(201)["id"].as_str().unwrap().to_owned()
    }

    async fn patch(&self, id: &str, body: Value) -> Answer {
        self.call(Method::PATCH, &format!("/devices/{id}"), Some(&body.to_string())).await
    }

    async fn shared_key(&self, serial: &str) -> Option<Secret> {
        let device = Some(DeviceRef { manufacturer: "acme".into(), serial: serial.into() });
        let query = HelloQuery { device, ..Default::default() };
        let context = self.store.load_hello(query).await.unwrap();
        context.device.unwrap().shared_key
    }

    async fn import_devices(&self, devices: Value) -> Answer {
        self.post("/devices/import", json!({ "devices": devices })).await
    }
}

fn serials(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|device| device["serial"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn s4_2_2_a_device_is_shown_without_its_key_and_the_list_is_cut_into_pages() {
    let api = Api::new().await;
    for serial in ["1", "2", "3"] {
        api.device(serial).await;
    }
    let other = json!({ "manufacturer": "zeta", "serial": "1", "key_name": "z", "certificate_pem": pem("good") });
    let other = api.post("/devices", other).await.with(201);
    let all = api.get("/devices").await;
    assert!(!all.text.contains(KEY));
    assert_eq!(all.with(200)["items"].as_array().unwrap().len(), 4);
    for (query, expected) in [
        ("manufacturer=zeta", 1),
        ("serial=1", 2),
        ("manufacturer=acme&serial=1", 1),
        ("manufacturer=acme", 3),
        ("manufacturer=%25", 0),
        ("manufacturer=acme%27%20OR%201=1--", 0),
    ] {
        let page = api.get(&format!("/devices?{query}")).await.with(200);
        assert_eq!(page["items"].as_array().unwrap().len(), expected, "{query}");
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    for _ in 0..3 {
        let page = api.get(&format!("/devices?manufacturer=acme&limit=1&after={after}")).await.with(200);
        seen.extend(serials(&page).iter().map(|serial| (*serial).to_owned()));
        after = page["next"].as_str().unwrap_or("end").to_owned();
    }
    seen.sort_unstable();
    assert_eq!((seen, &*after), (vec!["1".to_owned(), "2".to_owned(), "3".to_owned()], "end"));
    for limit in ["0", "101"] {
        api.get(&format!("/devices?limit={limit}")).await.problem(422, "invalid-value");
    }
    let shown = api.get(&format!("/devices/{}", other["id"].as_str().unwrap())).await.with(200);
    assert_eq!((&shown["has_shared_key"], &shown["has_certificate"]), (&json!(false), &json!(true)));
    assert_eq!(shown["certificate_pem"].as_str().unwrap(), pem("good"));
    api.get("/devices/nothing").await.problem(404, "not-found");
}

#[tokio::test]
async fn replacing_and_removing_keys_of_devices_is_audited() {
    let api = Api::new().await;
    let id = api.device("1").await;
    api.device("2").await;
    let changed = api.patch(&id, json!({ "shared_key_hex": OTHER_KEY, "certificate_pem": pem("good") })).await;
    assert!(!changed.text.contains(OTHER_KEY));
    assert_eq!(changed.with(200)["has_certificate"], true);
    let other = data_encoding::HEXLOWER.decode(OTHER_KEY.as_bytes()).unwrap();
    assert_eq!(api.shared_key("1").await, Some(Secret::new(other)));
    let changed = api.patch(&id, json!({ "shared_key_hex": null, "key_name": "new" })).await.with(200);
    assert_eq!(
        (&changed["has_shared_key"], &changed["has_certificate"], &changed["key_name"]),
        (&json!(false), &json!(true), &json!("new"))
    );
    assert_eq!(api.shared_key("1").await, None);
    // All or nothing.
    let clash = json!({ "key_name": "key of 2", "shared_key_hex": KEY, "certificate_pem": null });
    api.patch(&id, clash).await.problem(409, "exists");
    assert_eq!(api.get(&format!("/devices/{id}")).await.with(200), changed);
    for (body, status, kind) in [
        (json!({}), 422, "invalid-value"),
        (json!({ "shared_key_hex": "00" }), 422, "invalid-value"),
        (json!({ "certificate_pem": "" }), 422, "invalid-value"),
        (json!({ "key_name": null }), 422, "invalid-value"),
        (json!({ "serial": "9" }), 422, "invalid-body"),
        (json!({ "shared_key_hex": 5 }), 422, "invalid-body"),
    ] {
        api.patch(&id, body.clone()).await.problem(status, kind);
    }
    api.patch("nothing", json!({ "key_name": "x" })).await.problem(404, "not-found");
    let subjects = api.subjects("device.changed");
    assert_eq!(subjects.len(), 2);
    assert_eq!(subjects[0]["changed"], json!(["shared_key", "certificate"]));
    assert_eq!(subjects[1]["changed"], json!(["key_name", "shared_key"]));
    assert!(subjects.iter().all(|subject| subject["device"] == json!(id) && subject["by"].is_string()));
}

#[tokio::test]
async fn a_referenced_device_cannot_be_deleted() {
    let api = Api::new().await;
    let (free, bound) = (api.device("1").await, api.device("2").await);
    let of_device = json!({ "manufacturer": "acme", "serial": "2" });
    let enrolment = api.enrolment(json!({ "user": "alice", "key_type": "hotp", "device": of_device })).await;
    let delete = async |id: &str| api.delete(&format!("/devices/{id}")).await;
    delete(&free).await.no_content();
    delete(&free).await.problem(404, "not-found");
    assert!(delete(&bound).await.problem(409, "wrong-state").contains("enrolments or keys refer"));
    api.provision(&enrolment, "k").await;
    delete(&bound).await.problem(409, "wrong-state");
    api.get(&format!("/devices/{bound}")).await.with(200);
    let subjects = api.subjects("device.deleted");
    assert_eq!((subjects.len(), &subjects[0]["serial"]), (1, &json!("1")));
    api.device("1").await;
}

#[tokio::test]
async fn s5_1_1_a_certificates_key_must_support_key_transport() {
    let api = Api::new().await;
    let offer = async |name: &str| {
        let device = with(device(name), "certificate_pem", json!(pem(name)));
        api.post("/devices", device).await
    };
    // Without trust anchors, any certificate in the register is accepted.
    for name in ["good", "stranger", "revoked", "signer"] {
        offer(name).await.with(201);
    }
    for name in ["short", "curve"] {
        assert!(offer(name).await.problem(422, "invalid-value").contains("2048 to 4096 bits"), "{name}");
    }
}

#[tokio::test]
async fn s5_1_1_with_anchors_a_certificate_chains_to_one() {
    let api = Api::with_anchors().await;
    for (name, why) in [
        ("good", None),
        ("any_usage", None),
        ("stranger", Some("does not chain to a configured trust anchor")),
        ("below", Some("does not chain to a configured trust anchor")),
        ("revoked", Some("revoked")),
        ("signer", Some("keyEncipherment")),
        ("short", Some("2048 to 4096 bits")),
        ("curve", Some("2048 to 4096 bits")),
    ] {
        let answer = api.post("/devices", with(device(name), "certificate_pem", json!(pem(name)))).await;
        match why {
            None => drop(answer.with(201)),
            Some(why) => assert!(answer.problem(422, "invalid-value").contains(why), "{name}: {}", answer.text),
        }
    }
    let id = api.device("later").await;
    api.patch(&id, json!({ "certificate_pem": pem("stranger") })).await.problem(422, "invalid-value");
    api.patch(&id, json!({ "certificate_pem": pem("good") })).await.with(200);
}

#[tokio::test]
async fn repeating_a_batch_is_harmless() {
    let api = Api::with_anchors().await;
    let batch = json!([
        device("1"),
        with(device("2"), "certificate_pem", json!(pem("good"))),
        with(device("3"), "certificate_pem", json!(pem("revoked"))),
        with(device("4"), "shared_key_hex", json!("0011")),
        with(device("5"), "key_name", json!("key of 1")),
        with(device("\u{202e}6"), "key_name", json!("six")),
        device("1"),
    ]);
    let done = api.import_devices(batch.clone()).await;
    assert!(!done.text.contains("0011") && !done.text.contains(KEY), "no key is quoted: {}", done.text);
    let done = done.with(200);
    assert_eq!(done["accepted"], 2);
    assert_eq!(done["duplicate"], json!([{ "index": 6, "manufacturer": "acme", "serial": "1" }]));
    let refused: Vec<_> = done["refused"].as_array().unwrap().iter().map(|line| line["index"].clone()).collect();
    assert_eq!(refused, [2, 3, 4, 5]);
    let reason = |place: usize| done["refused"][place]["reason"].as_str().unwrap().to_owned();
    for (place, part) in [(0, "revoked"), (1, "16 to 64 octets"), (2, "another device"), (3, "printable")] {
        assert!(reason(place).contains(part), "{}", reason(place));
    }
    let again = api.import_devices(batch).await.with(200);
    assert_eq!((&again["accepted"], again["duplicate"].as_array().unwrap().len()), (&json!(0), 3));
    assert_eq!(again["refused"], done["refused"]);
    for change in
        [("key_name", json!("x")), ("shared_key_hex", json!(OTHER_KEY)), ("certificate_pem", json!(pem("good")))]
    {
        let done = api.import_devices(json!([with(device("1"), change.0, change.1)])).await.with(200);
        assert!(done["duplicate"][0]["reason"].as_str().unwrap().contains("exists with a different"), "{done}");
    }
    assert_eq!(serials(&api.get("/devices").await.with(200)).len(), 2);
    let subjects = api.subjects("devices.imported");
    assert_eq!(
        (&subjects[0]["accepted"], &subjects[0]["duplicate"], &subjects[0]["refused"]),
        (&json!(2), &json!(1), &json!(4))
    );
    assert_eq!(subjects.len(), 5);
}

#[tokio::test]
async fn bad_batches_are_problems_and_store_nothing() {
    let api = Api::new().await;
    for devices in [json!(null), json!({}), json!([1]), json!([device("1"), { "serial": "2" }]), json!("x")] {
        api.import_devices(devices).await.problem(422, "invalid-body");
    }
    api.post("/devices/import", json!({ "devices": [], "more": 1 })).await.problem(422, "invalid-body");
    let many: Vec<Value> = (0..1001).map(|n| device(&n.to_string())).collect();
    assert!(api.import_devices(json!(many)).await.problem(422, "invalid-value").contains("1000"));
    let large = "x".repeat(MAX_BATCH_LEN);
    api.import_devices(json!([with(device("1"), "certificate_pem", json!(large))])).await.problem(413, "too-large");
    assert_eq!(api.get("/devices").await.with(200), json!({ "items": [] }));
    let done = api.import_devices(json!(many[..1000])).await.with(200);
    assert_eq!(done["accepted"], 1000);
    let (_, reader) = api.store.create_token("reader".into(), vec![Role::Read]).await.unwrap();
    let large = "x".repeat(MAX_BATCH_LEN + 1);
    let path = "/devices/import";
    let answer = api.call_as(Some(&format!("Bearer {reader}")), Method::POST, path, Some(&large)).await;
    answer.problem(403, "no-role");
}
