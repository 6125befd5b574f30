//! The store as users and attackers see it.

use std::os::unix::fs::PermissionsExt as _;
use std::time::SystemTime;

use data_encoding::BASE64;
use dskpp_crypto::Secret;
use pskc::KeyUsage;
use serde_json::json;

use super::*;
use crate::{NotAllowed, OtpInput, Token};

/// A store with a key file: no slow key derivation.
fn store(folder: &Path) -> (PathBuf, Unlock) {
    (folder.join("tokens.db"), Unlock::KeyFile(folder.join("key")))
}

/// A HOTP key of a server, with counter 0.
fn token(id: &str) -> Token {
    let token = json!({
        "id": id, "label": null, "key_type": "hotp", "algorithm_uri": "urn:ietf:params:xml:ns:keyprov:pskc:hotp",
        "secret": BASE64.encode(b"very secret 20 octet"), "k_mac": BASE64.encode(b"k_mac is secret as well, 32 long"),
        "mac_algorithm": "urn:ietf:params:xml:ns:keyprov:dskpp:prf-sha256",
        "server_url": "https://host.example/dskpp", "server_id": null, "k_server": BASE64.encode(&[1, 2, 3]),
        "issuer": null, "user": null, "digits": 6, "period_s": null, "hash": null, "counter": 0, "suite": null,
        "start": null, "expiry": null, "created_at": "2026-01-01T00:00:00Z",
    });
    let tokens = Tokens::from_json(&Secret::from(json!({ id: token }).to_string().into_bytes())).unwrap();
    tokens.get(id).unwrap().clone()
}

/// The notes of a run.
fn runs() -> Runs {
    let run = json!({
        "url_s": "https://host.example/dskpp", "client_id": "a client", "key_types": [],
        "seed": BASE64.encode(b"the seed of all"), "private_key": BASE64.encode(b"secret"),
        "hello_hash": ([0_u8; 32]), "server_hello": BASE64.encode(b"a ServerHello"),
    });
    Runs::from_json(&Secret::from(json!([run]).to_string().into_bytes())).unwrap()
}

#[test]
fn stored_tokens_are_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    assert!(matches!(FileStore::open(&path, &unlock), Err(TokenStoreError::File { .. })), "nothing there yet");
    let mut store = FileStore::open_or_create(&path, &unlock).unwrap();
    assert_eq!(store.load().unwrap(), Tokens::default());
    store.change(|tokens| tokens.import((0..10_000).map(|id| token(&id.to_string())).collect())).unwrap();
    let failed: Result<(), _> = store.change(|tokens| {
        tokens.delete("9999")?;
        Err(TokenError::NotFound("x".into()))
    });
    assert!(matches!(failed, Err(TokenStoreError::Token(_))));
    let tokens = FileStore::open(&path, &unlock).unwrap().load().unwrap();
    assert_eq!(tokens.get("9999"), Some(&token("9999")), "a change that fails saves nothing");
}

/// A crash may lose a code, but never shows one twice.
#[test]
fn a_code_is_returned_only_after_its_counter_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = FileStore::open_or_create(&path, &unlock).unwrap();
    let mut totp = token("totp");
    (totp.key_type, totp.counter) = ("totp".into(), None);
    store.change(|tokens| tokens.import(vec![token("hotp"), totp])).unwrap();
    let now = OtpInput::at(SystemTime::now());
    let codes: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut store = FileStore::open(&path, &unlock).unwrap();
            (0..5).map(|_| store.otp("hotp", &now).unwrap().code.to_string()).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let distinct: std::collections::BTreeSet<_> = codes.iter().collect();
    assert_eq!((codes.len(), distinct.len()), (20, 20));
    assert_eq!(store.load().unwrap().get("hotp").unwrap().counter, Some(20));

    // If the counter cannot be saved, no code is returned; a code without counter is.
    std::fs::remove_file(folder.path().join("tokens.db.lock")).unwrap();
    std::fs::create_dir(folder.path().join("tokens.db.lock")).unwrap();
    assert!(matches!(store.otp("hotp", &now), Err(TokenStoreError::File { .. })));
    assert!(store.otp("totp", &now).is_ok());
    assert_eq!(store.load().unwrap().get("hotp").unwrap().counter, Some(20));
}

#[test]
fn a_passphrase_opens_only_its_own_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.db");
    let passphrase = |text: &str| Unlock::Passphrase(Secret::from_slice(text.as_bytes()));
    assert!(matches!(FileStore::open_or_create(&path, &passphrase("")), Err(TokenStoreError::EmptyPassphrase)));
    FileStore::open_or_create(&path, &passphrase("correct horse"))
        .unwrap()
        .change(|tokens| tokens.insert(token("1")))
        .unwrap();
    assert_eq!(FileStore::open(&path, &passphrase("correct horse")).unwrap().load().unwrap().iter().count(), 1);
    assert!(matches!(FileStore::open(&path, &passphrase("wrong horse")), Err(TokenStoreError::Locked)));
    let key_file = Unlock::KeyFile(folder.path().join("key"));
    assert!(matches!(FileStore::open(&path, &key_file), Err(TokenStoreError::OtherUnlock(_))));
}

#[test]
fn no_secret_is_readable_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = FileStore::open_or_create(&path, &unlock).unwrap();
    store.change(|tokens| tokens.insert(token("1"))).unwrap();
    let octets = std::fs::read(&path).unwrap();
    store.change_runs(|notes| *notes = runs()).unwrap();
    let notes = std::fs::read(folder.path().join("tokens.db.run")).unwrap();
    let mut one = Tokens::default();
    one.insert(token("1")).unwrap();
    let fields: serde_json::Value = serde_json::from_slice(one.to_json().expose()).unwrap();
    let told =
        fields["1"].as_object().unwrap().values().filter_map(|value| value.as_str()).filter(|text| text.len() > 3);
    let mut secrets: Vec<&str> = told.collect();
    secrets.extend(["secret", "host.example", "hotp", "a client", "the seed of all", "a ServerHello", "totp"]);
    for secret in secrets {
        let base64 = BASE64.encode(&secret.as_bytes()[..secret.len() / 3 * 3]);
        for (name, octets) in [("the store", &octets), ("the notes", &notes)] {
            for form in [secret, &base64] {
                assert!(!octets.windows(form.len()).any(|window| window == form.as_bytes()), "{form} in {name}");
            }
        }
    }
    let header = octets.split(|octet| *octet == b'\n').next().unwrap();
    assert_eq!(header, br#"{"format":"dskpp token store 1","unlock":{"kind":"key-file"}}"#, "all that is in the clear");
    let shown = format!("{store:?} {:?} {unlock:?}", token("1"));
    assert!(!shown.contains("secret"), "{shown}");
    for file in [&path, &folder.path().join("key"), &folder.path().join("tokens.db.lock")] {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn file_permissions_are_restricted_to_the_owner() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = FileStore::open_or_create(&path, &unlock).unwrap();
    store.change_runs(|notes| *notes = runs()).unwrap();
    let files = [path.clone(), folder.path().join("key"), folder.path().join("tokens.db.run")];
    for file in &files {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o664)).unwrap();
    }
    assert_eq!(FileStore::open(&path, &unlock).unwrap().load_runs().unwrap(), runs());
    for file in &files {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn a_damaged_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    FileStore::open_or_create(&path, &unlock).unwrap().change(|tokens| tokens.insert(token("1"))).unwrap();
    let good = std::fs::read(&path).unwrap();
    for i in (0..good.len()).step_by(3) {
        let mut bad = good.clone();
        bad[i] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        assert!(FileStore::open(&path, &unlock).is_err(), "octet {i}");
        std::fs::write(&path, &good[..i]).unwrap();
        assert!(FileStore::open(&path, &unlock).is_err(), "cut at {i}");
    }
    let greedy = br#"{"format":"dskpp token store 1","unlock":{"kind":"passphrase","salt":"AAAAAAAAAAAAAAAAAAAAAA==","memory_kib":4294967295,"iterations":1,"lanes":1}}
"#;
    std::fs::write(&path, greedy).unwrap();
    let passphrase = Unlock::Passphrase(Secret::from_slice(b"x"));
    assert!(
        matches!(FileStore::open(&path, &passphrase), Err(TokenStoreError::Damaged { .. })),
        "would fill the memory"
    );
    std::fs::write(&path, &good).unwrap();
    std::fs::write(folder.path().join(".dskpp-left-over"), "of a stopped process").unwrap();
    assert_eq!(FileStore::open(&path, &unlock).unwrap().load().unwrap().iter().count(), 1);
}

#[test]
fn concurrent_first_starts_share_one_store_and_one_key_file() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let (path, unlock) = store(folder.path());
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let (path, unlock) = (&path, &unlock);
                scope.spawn(move || {
                    FileStore::open_or_create(path, unlock)
                        .unwrap()
                        .change(|tokens| tokens.insert(token(&worker.to_string())))
                        .unwrap();
                });
            }
        });
        assert_eq!(FileStore::open(&path, &unlock).unwrap().load().unwrap().iter().count(), 4);
    }
}

#[test]
fn concurrent_changes_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    FileStore::open_or_create(&path, &unlock).unwrap().change(|tokens| tokens.insert(token("shared"))).unwrap();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (path, unlock) = (&path, &unlock);
            scope.spawn(move || {
                let mut store = FileStore::open(path, unlock).unwrap();
                for i in 0..10 {
                    store.change(|tokens| tokens.insert(token(&format!("{worker}-{i}")))).unwrap();
                    store.otp("shared", &OtpInput::at(SystemTime::now())).unwrap();
                }
            });
        }
    });
    let store = FileStore::open(&path, &unlock).unwrap();
    assert_eq!(store.load().unwrap().iter().count(), 41);
    assert_eq!(store.load().unwrap().find("shared").unwrap().counter, Some(40));
}

/// A store of version 0.1 without limits: a key file and two tokens, written by that version.
#[test]
fn a_store_without_limits_opens_and_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    std::fs::write(&path, include_bytes!("../../../tests/data/token-store-1.db")).unwrap();
    std::fs::write(folder.path().join("key"), include_bytes!("../../../tests/data/token-store-1.key")).unwrap();
    let mut store = FileStore::open(&path, &unlock).unwrap();
    let tokens: Vec<_> = store.load().unwrap().iter().cloned().collect();
    assert_eq!(tokens.iter().map(|token| token.id.as_str()).collect::<Vec<_>>(), ["HOTP-OF-0.2", "TOTP-OF-0.2"]);
    assert_eq!((tokens[0].label.as_deref(), tokens[0].counter), (Some("bank"), Some(41)));
    assert_eq!((tokens[1].period_s, tokens[1].hash.as_deref()), (Some(60), Some("SHA256")));
    for token in &tokens {
        assert_eq!(token.secret.expose(), b"very secret 20 octet");
        assert_eq!((token.drift, token.uses_left, token.usages.len()), (None, None, 0));
        assert!(token.use_for(KeyUsage::Otp, SystemTime::now()).is_ok());
    }
    assert_eq!(store.change(|tokens| tokens.import(vec![token("3")])).unwrap().added, 1);
    assert_eq!(FileStore::open(&path, &unlock).unwrap().load().unwrap().iter().count(), 3);
}

#[test]
fn s5_transactions_are_counted_exactly_across_processes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = FileStore::open_or_create(&path, &unlock).unwrap();
    let mut limited = token("1");
    limited.uses_left = Some(10);
    store.change(|tokens| tokens.import(vec![limited, token("2")])).unwrap();
    let now = SystemTime::now();
    let granted: usize = std::thread::scope(|scope| {
        let work = || {
            let mut store = FileStore::open(&path, &unlock).unwrap();
            (0..5).filter(|_| store.change(|tokens| tokens.use_for("1", KeyUsage::Otp, now)).is_ok()).count()
        };
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(granted, 10);
    let mut use_key = |id: &str| store.change(|tokens| tokens.use_for(id, KeyUsage::Otp, now));
    assert!(
        matches!(use_key("1"), Err(TokenStoreError::Token(TokenError::NotAllowed(why))) if matches!(*why, NotAllowed::UsedUp(_)))
    );
    assert_eq!(use_key("2").unwrap().uses_left, None, "no limit, nothing to count");
    assert!(matches!(use_key("3"), Err(TokenStoreError::Token(TokenError::NotFound(_)))));
    assert_eq!(FileStore::open(&path, &unlock).unwrap().load().unwrap().get("1").unwrap().uses_left, Some(0));
}

/// Prints what 10,000 tokens cost: `cargo test -p dskpp-client cost_of_ -- --ignored --nocapture`.
#[test]
#[ignore = "prints figures and checks nothing"]
fn cost_of_ten_thousand_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = FileStore::open_or_create(&path, &unlock).unwrap();
    let tokens = (0..10_000).map(|i| token(&format!("{i:08}"))).collect();
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let times = (0..5).map(|_| {
            let start = std::time::Instant::now();
            work();
            start.elapsed()
        });
        println!("{what:<28} {:>10.1?}", times.min().unwrap());
    };
    let start = std::time::Instant::now();
    store.change(|stored| stored.import(tokens)).unwrap();
    println!("{:<28} {:>10.1?}", "import", start.elapsed());
    println!("{:<28} {:>10} octets", "file", std::fs::metadata(&path).unwrap().len());
    let (header, sealed) = sealed::read(&path).unwrap();
    let key = BodyKey::derive(&header, &unlock).unwrap();
    timed("read the file", &mut || drop(sealed::read(&path).unwrap()));
    timed("unseal", &mut || drop(sealed::unseal(&header, &key, &sealed).unwrap()));
    timed("load", &mut || drop(store.load().unwrap()));
    timed("open", &mut || drop(FileStore::open(&path, &unlock).unwrap()));
    timed("otp", &mut || drop(store.otp("00005000", &OtpInput::at(SystemTime::now())).unwrap()));
}
