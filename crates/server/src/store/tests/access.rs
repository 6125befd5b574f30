//! Users, devices, tokens, enrolments and lists of keys.

use dskpp::server::DeviceRef;
use dskpp_crypto::Sha256;

use super::*;
use crate::policy::permissions::FIRST_ROLES;

fn device(manufacturer: &str, serial: &str, key_name: &str) -> NewDevice {
    NewDevice {
        manufacturer: manufacturer.into(),
        serial: serial.into(),
        key_name: key_name.into(),
        shared_key: Some(Secret::new(vec![5; 16])),
        certificate: None,
    }
}

#[tokio::test]
async fn names_of_users_and_devices_are_unique() {
    let db = Db::new();
    db.store.create_user("alice".into()).await.unwrap();
    assert!(matches!(db.store.create_user("alice".into()).await, Err(StoreError::Exists(_))));
    db.store.create_user("Alice".into()).await.unwrap();
    db.store.create_device(device("acme", "1", "a")).await.unwrap();
    for same in [device("acme", "1", "b"), device("acme", "2", "a")] {
        assert!(matches!(db.store.create_device(same).await, Err(StoreError::Exists(_))));
    }
    db.store.create_device(device("other", "1", "b")).await.unwrap();
    assert_eq!((db.rows("user"), db.rows("device")), (2, 2));
    assert_eq!((db.events("user.created"), db.events("device.created")), (2, 2));
}

#[tokio::test]
async fn a_device_is_found_with_its_key_by_manufacturer_and_serial_number() {
    let db = Db::new();
    db.store.create_device(device("acme", "1", "a")).await.unwrap();
    let named = |serial: &str| HelloQuery {
        device: Some(DeviceRef { manufacturer: "acme".to_owned(), serial: serial.to_owned() }),
        ..HelloQuery::default()
    };
    let found = db.store.load_hello(named("1")).await.unwrap().device.unwrap();
    assert_eq!((found.key_name.as_str(), found.shared_key), ("a", Some(Secret::new(vec![5; 16]))));
    assert!(db.store.load_hello(named("2")).await.unwrap().device.is_none());
}

#[tokio::test]
async fn an_enrolment_for_an_unknown_device_leaves_nothing() {
    let db = Db::new();
    let unknown = DeviceRef { manufacturer: "acme".into(), serial: "1".into() };
    let refused = db.store.create_enrolment(NewEnrolment { device: Some(unknown), ..hotp_for("alice") }).await;
    assert_eq!(refused.map(drop), Err(StoreError::NotFound("device")));
    assert_eq!((db.rows("user"), db.rows("enrolment"), db.rows("audit")), (0, 0, 0));
}

#[tokio::test]
async fn client_ids_passwords_and_triggers_are_new_each_time() {
    let db = Db::new();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let created = db.store.create_enrolment(hotp_for("alice")).await.unwrap();
        let enrolment = created.enrolment;
        assert_eq!((enrolment.client_id.len(), enrolment.password.len()), (8, 16));
        let secrets = [&enrolment.password, &created.trigger_token].map(|secret| secret.expose().to_vec());
        assert!(seen.insert(enrolment.client_id.clone().into_bytes()) && secrets.into_iter().all(|s| seen.insert(s)));
        let token = std::str::from_utf8(created.trigger_token.expose()).unwrap();
        let found = db.store.enrolment_by_trigger(token).await.unwrap().unwrap();
        assert_eq!(found.id, enrolment.id);
    }
    assert_eq!(db.rows("user"), 1);
    assert!(db.store.enrolment_by_trigger("").await.unwrap().is_none());
}

#[tokio::test]
async fn the_first_trigger_stays() {
    let db = Db::new();
    let enrolment = db.enrolment().await;
    let ad = |octet| TriggerAd { nonce: vec![octet], mac: vec![octet; 16], url_s: "https://host/dskpp".into() };
    assert_eq!(db.store.keep_trigger(&enrolment, ad(1)).await, Ok(ad(1)));
    assert_eq!(db.store.keep_trigger(&enrolment, ad(2)).await, Ok(ad(1)));
    assert_eq!(db.store.enrolment(&enrolment).await.unwrap().unwrap().trigger, Some(ad(1)));
    assert_eq!(db.store.keep_trigger("nobody's", ad(1)).await, Err(StoreError::NotFound("enrolment")));
}

#[tokio::test]
async fn enrolments_are_revoked_once_and_only_while_unused() {
    let db = Db::new();
    let enrolment = db.enrolment().await;
    assert_eq!(db.store.revoke_enrolment(&enrolment).await, Ok(()));
    assert_eq!(db.state_of(&enrolment).await, EnrolmentState::Revoked);
    let used = db.key(hotp_for("alice"), "key1").await.enrolment_id.unwrap();
    for id in [enrolment, used] {
        assert!(matches!(db.store.revoke_enrolment(&id).await, Err(StoreError::State(_))));
    }
    assert_eq!(db.store.revoke_enrolment("nobody's").await, Err(StoreError::NotFound("enrolment")));
    assert_eq!(db.events("enrolment.revoked"), 1);
}

#[tokio::test]
async fn tokens_are_known_by_value_until_they_are_deleted() {
    let db = Db::new();
    assert_eq!(db.store.has_tokens().await, Ok(false));
    db.store.create_first_token("first value".into()).await.unwrap();
    assert_eq!(db.store.has_tokens().await, Ok(true));
    assert_eq!(db.store.token("first value").await.unwrap().unwrap().roles, FIRST_ROLES);
    let (id, value) = db.store.create_token("reader".into(), vec![Role::Read]).await.unwrap();
    assert_eq!(value.len(), 43);
    let token = db.store.token(&value).await.unwrap().unwrap();
    assert_eq!((&token.id, &*token.roles), (&id, &[Role::Read][..]));
    for other in ["", "first", &value[1..], &format!("{value} ")] {
        assert!(db.store.token(other).await.unwrap().is_none(), "{other:?}");
    }
    let hash = Sha256::digest(&[value.as_bytes()]);
    let is_there = db.scratch.on(|db| db.exists("SELECT 1 FROM api_token WHERE hash = ?", values![hash]));
    assert_eq!(is_there, Ok(true), "its hash, not the value");
    assert_eq!(db.store.delete_token(&id).await, Ok(()));
    assert!(db.store.token(&value).await.unwrap().is_none());
    assert_eq!(db.store.delete_token(&id).await, Err(StoreError::NotFound("token")));
}

#[tokio::test]
async fn a_list_of_keys_is_walked_to_its_end_whatever_comes_in_between() {
    let db = Db::new();
    for i in 0..7 {
        db.key(hotp_for(if i % 2 == 0 { "alice" } else { "bob" }), &format!("key{i}")).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = db.store.keys(None, after, 3).await.unwrap();
        seen.extend(page.items.into_iter().map(|key| key.unwrap().id));
        db.key(hotp_for("carol"), &format!("a key before all others {}", seen.len())).await;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..7).map(|i| format!("key{i}")).collect::<Vec<_>>());
    let page = db.store.keys(Some("bob".into()), None, 3).await.unwrap();
    assert_eq!((page.items.len(), page.next), (3, None), "a full page may be the last");
    assert!(page.items.iter().all(|key| key.as_ref().unwrap().user.as_deref() == Some("bob")));
    assert!(db.store.keys(Some("nobody".into()), None, 3).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn an_export_is_in_the_audit_trail_with_who_took_it() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    assert_eq!(db.store.export_key("nobody's", "token1".into()).await, Err(StoreError::NotFound("key")));
    assert_eq!(db.store.export_key("key1", "token1".into()).await.unwrap().expose(), K_TOKEN);
    let sql =
        "SELECT count(*) FROM audit WHERE event = 'key.exported' AND subject = '{\"by\":\"token1\",\"key\":\"key1\"}'";
    assert_eq!((db.number(sql), db.events("key.exported")), (1, 1));
}
