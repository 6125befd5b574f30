//! The store as its users meet it, and as an attacker leaves it.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn token(id: &str) -> Token {
    Token {
        id: id.to_owned(),
        label: None,
        key_type: "hotp".to_owned(),
        algorithm_uri: "urn:ietf:params:xml:ns:keyprov:pskc:hotp".to_owned(),
        secret: Secret::from_slice(b"very secret 20 octet"),
        k_mac: Some(Secret::from_slice(b"k_mac is secret as well, 32 long")),
        mac_algorithm: Some("urn:ietf:params:xml:ns:keyprov:dskpp:prf-sha256".to_owned()),
        server_url: Some("https://host.example/dskpp".to_owned()),
        server_id: None,
        k_server: Some(vec![1, 2, 3]),
        issuer: None,
        user: None,
        digits: Some(6),
        period_s: None,
        hash: None,
        counter: Some(0),
        suite: None,
        start: None,
        expiry: None,
        created_at: "2026-01-01T00:00:00Z".to_owned(),
    }
}

/// A store with a key file: no key derivation slows the tests down.
fn store(folder: &Path) -> (PathBuf, Unlock) {
    (folder.join("tokens.db"), Unlock::KeyFile(folder.join("key")))
}

#[test]
fn what_was_stored_comes_back_and_goes_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    assert!(matches!(TokenStore::open(&path, &unlock), Err(StoreError::File { .. })), "nothing there yet");
    let mut store = TokenStore::open_or_create(&path, &unlock).unwrap();
    assert!(store.list().unwrap().is_empty());
    store.insert(token("AB12")).unwrap();
    store.insert(token("AB34")).unwrap();
    assert!(matches!(store.insert(token("AB12")), Err(StoreError::Exists(_))));
    let store = &mut TokenStore::open(&path, &unlock).unwrap();
    let found = store.find("AB1").unwrap();
    assert_eq!((found.id.as_str(), found.secret.expose()), ("AB12", &b"very secret 20 octet"[..]));
    assert_eq!((found.k_mac, found.k_server), (token("x").k_mac, Some(vec![1, 2, 3])));
    assert!(matches!(store.find("AB"), Err(StoreError::Ambiguous(_))));
    assert!(matches!(store.find(""), Err(StoreError::NotFound(_))));
    store.rename("AB34", Some("bank".to_owned())).unwrap();
    assert_eq!(store.find("bank").unwrap().id, "AB34");
    assert_eq!(store.update("AB12", |token| token.counter = Some(7)).unwrap().counter, Some(7));
    store.replace("AB12", Token { digits: Some(8), ..token("AB12") }).unwrap();
    assert_eq!(store.find("AB12").unwrap().digits, Some(8));
    assert!(matches!(store.replace("AB12", token("AB34")), Err(StoreError::Exists(_))), "a third one stays");
    store.delete("AB12").unwrap();
    for missing in [store.delete("AB12"), store.rename("AB12", None), store.replace("AB12", token("AB12"))] {
        assert!(matches!(missing, Err(StoreError::NotFound(_))));
    }
}

#[test]
fn a_passphrase_opens_only_its_own_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.db");
    let passphrase = |text: &str| Unlock::Passphrase(Secret::from_slice(text.as_bytes()));
    assert!(matches!(TokenStore::open_or_create(&path, &passphrase("")), Err(StoreError::EmptyPassphrase)));
    TokenStore::open_or_create(&path, &passphrase("correct horse")).unwrap().insert(token("1")).unwrap();
    assert_eq!(TokenStore::open(&path, &passphrase("correct horse")).unwrap().list().unwrap().len(), 1);
    assert!(matches!(TokenStore::open(&path, &passphrase("wrong horse")), Err(StoreError::Locked)));
    let key_file = Unlock::KeyFile(folder.path().join("key"));
    assert!(matches!(TokenStore::open(&path, &key_file), Err(StoreError::OtherUnlock(_))));
}

#[test]
fn nothing_secret_is_readable() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = TokenStore::open_or_create(&path, &unlock).unwrap();
    store.insert(token("1")).unwrap();
    let octets = std::fs::read(&path).unwrap();
    for secret in ["secret", "host.example", "hotp"] {
        assert!(!octets.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
    let shown = format!("{store:?} {:?} {unlock:?}", token("1"));
    assert!(!shown.contains("secret"), "{shown}");
    for file in [&path, &folder.path().join("key"), &folder.path().join("tokens.db.lock")] {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn a_damaged_file_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    TokenStore::open_or_create(&path, &unlock).unwrap().insert(token("1")).unwrap();
    let good = std::fs::read(&path).unwrap();
    for i in (0..good.len()).step_by(3) {
        let mut bad = good.clone();
        bad[i] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        assert!(TokenStore::open(&path, &unlock).is_err(), "octet {i}");
        std::fs::write(&path, &good[..i]).unwrap();
        assert!(TokenStore::open(&path, &unlock).is_err(), "cut at {i}");
    }
    let greedy = br#"{"format":"dskpp token store 1","unlock":{"kind":"passphrase","salt":"AAAAAAAAAAAAAAAAAAAAAA==","memory_kib":4294967295,"iterations":1,"lanes":1}}
"#;
    std::fs::write(&path, greedy).unwrap();
    let passphrase = Unlock::Passphrase(Secret::from_slice(b"x"));
    assert!(matches!(TokenStore::open(&path, &passphrase), Err(StoreError::Damaged { .. })), "would fill the memory");
    std::fs::write(&path, &good).unwrap();
    std::fs::write(folder.path().join(".dskpp-left-over"), "of a stopped process").unwrap();
    assert_eq!(TokenStore::open(&path, &unlock).unwrap().list().unwrap().len(), 1);
}

#[test]
fn several_first_starts_at_once_share_one_store_and_one_key_file() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let (path, unlock) = store(folder.path());
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let (path, unlock) = (&path, &unlock);
                scope.spawn(move || {
                    TokenStore::open_or_create(path, unlock).unwrap().insert(token(&worker.to_string())).unwrap();
                });
            }
        });
        assert_eq!(TokenStore::open(&path, &unlock).unwrap().list().unwrap().len(), 4);
    }
}

#[test]
fn ten_thousand_tokens_are_one_file_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = TokenStore::open_or_create(&path, &unlock).unwrap();
    store
        .change(|tokens| {
            tokens.extend((0..10_000).map(|i| (i.to_string(), token(&i.to_string()))));
            Ok(())
        })
        .unwrap();
    assert_eq!(TokenStore::open(&path, &unlock).unwrap().find("9999").unwrap().id, "9999");
}

#[test]
fn changes_of_several_at_once_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    TokenStore::open_or_create(&path, &unlock).unwrap().insert(token("shared")).unwrap();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (path, unlock) = (&path, &unlock);
            scope.spawn(move || {
                let mut store = TokenStore::open(path, unlock).unwrap();
                for i in 0..10 {
                    store.insert(token(&format!("{worker}-{i}"))).unwrap();
                    store.update("shared", |token| token.counter = token.counter.map(|counter| counter + 1)).unwrap();
                }
            });
        }
    });
    let store = TokenStore::open(&path, &unlock).unwrap();
    assert_eq!(store.list().unwrap().len(), 41);
    assert_eq!(store.find("shared").unwrap().counter, Some(40));
}
