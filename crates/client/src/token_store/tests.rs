//! The store as its users meet it, and as an attacker leaves it.

use std::os::unix::fs::PermissionsExt as _;

use pskc::KeyUsage;

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
        k_server_exponent: None,
        k_server_issuer: None,
        manufacturer: None,
        serial: None,
        issuer: None,
        user: None,
        digits: Some(6),
        period_s: None,
        drift: None,
        old_of: None,
        hash: None,
        counter: Some(0),
        suite: None,
        start: None,
        expiry: None,
        uses_left: None,
        usages: Vec::new(),
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
    for (digits, old) in [(8, "AB12-old"), (9, "AB12-old2")] {
        assert_eq!(store.renew(Token { digits: Some(digits), ..token("AB12") }).unwrap(), old);
        assert_eq!(store.find("AB12").unwrap().digits, Some(digits));
        assert_eq!(store.find(old).unwrap().old_of.as_deref(), Some("AB12"));
        assert_eq!(store.find("AB1").unwrap().id, "AB12", "replaced ones go by their whole id only");
    }
    assert_eq!(store.find("AB12-old").unwrap().counter, Some(7), "it goes on as it was");
    store.delete("AB12").unwrap();
    let renewed = store.renew(token("AB12")).map(drop);
    for missing in [store.delete("AB12"), store.rename("AB12", None), renewed] {
        assert!(matches!(missing, Err(StoreError::NotFound(_))));
    }
}

#[test]
fn p29_eight_replaced_keys_stay_until_somebody_says_that_they_may_go() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = TokenStore::open_or_create(&path, &unlock).unwrap();
    store.insert_many(vec![token("A"), token("B")]).unwrap();
    store.renew(token("B")).unwrap();
    for digits in 1..=8 {
        store.renew(Token { digits: Some(digits), ..token("A") }).unwrap();
    }
    let before = store.list().unwrap();
    assert_eq!(before.iter().filter(|token| token.old_of.as_deref() == Some("A")).count(), 8);
    let ninth = store.renew(Token { digits: Some(9), ..token("A") });
    assert!(matches!(ninth, Err(StoreError::TooManyOld(id)) if id == "A"));
    let ids = |tokens: &[Token]| tokens.iter().map(|token| (token.id.clone(), token.digits)).collect::<Vec<_>>();
    assert_eq!(ids(&store.list().unwrap()), ids(&before), "nothing was changed");
    store.delete("A-old3").unwrap();
    store.renew(Token { digits: Some(9), ..token("A") }).unwrap();
    assert_eq!(store.find("A-old3").unwrap().digits, Some(8), "what a person has deleted makes room");
    assert_eq!(store.forget_replaced("A").unwrap().len(), 8);
    let left: Vec<_> = store.list().unwrap().into_iter().map(|token| token.id).collect();
    assert_eq!(left, ["A", "B", "B-old"], "those of another key stay");
    assert_eq!(store.forget_replaced("A").unwrap(), Vec::<String>::new());
    assert!(matches!(store.forget_replaced("C"), Err(StoreError::NotFound(_))));
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
    let mut run = Unfinished::new("https://host.example/dskpp", "a client".into(), Some(Secret::from_slice(b"secret")));
    run.seed = Secret::from_slice(b"the seed of all");
    run.server_hello = Some(b"a ServerHello".to_vec());
    store.keep_unfinished(&run).unwrap();
    let notes = std::fs::read(folder.path().join("tokens.db.run")).unwrap();
    let fields = serde_json::to_value(token("1")).unwrap();
    let told = fields.as_object().unwrap().values().filter_map(|value| value.as_str()).filter(|text| text.len() > 3);
    let mut secrets: Vec<&str> = told.collect();
    secrets.extend(["secret", "host.example", "hotp", "a client", "the seed of all", "a ServerHello", "totp"]);
    for secret in secrets {
        let base64 = data_encoding::BASE64.encode(&secret.as_bytes()[..secret.len() / 3 * 3]);
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
fn files_that_others_could_read_become_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = TokenStore::open_or_create(&path, &unlock).unwrap();
    store.keep_unfinished(&Unfinished::new("https://host.example/dskpp", "a client".into(), None)).unwrap();
    let files = [path.clone(), folder.path().join("key"), folder.path().join("tokens.db.run")];
    for file in &files {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o664)).unwrap();
    }
    assert_eq!(TokenStore::open(&path, &unlock).unwrap().unfinished().len(), 1);
    for file in &files {
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

/// A store of version 0.1 before limits came: a key file and two tokens, made by the program of that time.
#[test]
fn a_store_from_before_limits_opens_and_takes_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    std::fs::write(&path, include_bytes!("../../tests/data/token-store-1.db")).unwrap();
    std::fs::write(folder.path().join("key"), include_bytes!("../../tests/data/token-store-1.key")).unwrap();
    let mut store = TokenStore::open(&path, &unlock).unwrap();
    let tokens = store.list().unwrap();
    assert_eq!(tokens.iter().map(|token| token.id.as_str()).collect::<Vec<_>>(), ["HOTP-OF-0.2", "TOTP-OF-0.2"]);
    assert_eq!((tokens[0].label.as_deref(), tokens[0].counter), (Some("bank"), Some(41)));
    assert_eq!((tokens[1].period_s, tokens[1].hash.as_deref()), (Some(60), Some("SHA256")));
    for token in &tokens {
        assert_eq!(token.secret.expose(), b"very secret 20 octet");
        assert_eq!((token.drift, token.uses_left, token.usages.len()), (None, None, 0));
        assert_eq!(token.check_use(KeyUsage::Otp, "2026-06-01T00:00:00Z".parse().unwrap()), Ok(()));
    }
    assert_eq!(store.insert_many(vec![token("3")]).unwrap().added, 1);
    assert_eq!(TokenStore::open(&path, &unlock).unwrap().list().unwrap().len(), 3);
}

#[test]
fn older_programs_can_read_tokens_without_limits_and_no_others() {
    let fields = |token: &Token| serde_json::to_value(token).unwrap().as_object().unwrap().len();
    let plain = fields(&token("1"));
    assert_eq!(plain, 20, "the fields of the first version and no more");
    let limits = Token { drift: Some(0), uses_left: Some(0), usages: vec!["OTP".into()], ..token("1") };
    assert_eq!(fields(&limits), plain + 3);
    let issuer = Token { k_server_exponent: Some(vec![3]), k_server_issuer: Some(vec![1]), ..token("1") };
    assert_eq!(fields(&issuer), plain + 2);
    let mut unknown = serde_json::to_value(token("1")).unwrap();
    unknown["later_limit"] = 1.into();
    assert!(serde_json::from_value::<Token>(unknown).is_err(), "a limit that is not known is never passed over");
}

#[test]
fn many_are_added_at_once_and_those_of_a_taken_id_stay_out() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = TokenStore::open_or_create(&path, &unlock).unwrap();
    store.insert(token("2")).unwrap();
    let other = |id: &str| Token { digits: Some(8), ..token(id) };
    let first = Token { digits: Some(7), ..token("3") };
    let used = Token { counter: Some(7), uses_left: Some(1), label: Some("mine".into()), ..first.clone() };
    let done = store.insert_many(vec![other("1"), other("2"), first, used, other("3")]).unwrap();
    let different = vec![("2".into(), "number of digits"), ("3".into(), "number of digits")];
    assert_eq!(done, Imported { added: 2, duplicates: vec!["3".into()], different });
    for (what, changed) in [
        ("secret", Token { secret: Secret::from_slice(&[9; 20]), ..token("2") }),
        ("algorithm", Token { algorithm_uri: "urn:other".into(), ..token("2") }),
        ("hash", Token { hash: Some("SHA256".into()), ..token("2") }),
        ("time step", Token { period_s: Some(60), ..token("2") }),
        ("suite", Token { suite: Some("OCRA-1:HOTP-SHA1-6:QN08".into()), ..token("2") }),
        ("policy", Token { expiry: Some("2020-01-01T00:00:00Z".into()), ..token("2") }),
    ] {
        assert_eq!(store.insert_many(vec![changed]).unwrap().different, [("2".into(), what)]);
        assert_eq!(store.find("2").unwrap().digits, Some(6));
    }
    let digits: Vec<_> = store.list().unwrap().into_iter().map(|token| (token.id, token.digits)).collect();
    assert_eq!(digits, [("1".into(), Some(8)), ("2".into(), Some(6)), ("3".into(), Some(7))]);
    assert_eq!(store.insert_many(Vec::new()).unwrap(), Imported::default());
}

#[test]
fn s5_a_key_is_used_only_within_its_policy() {
    let now = "2026-06-01T12:00:00Z";
    let dates = |start: Option<&str>, expiry: Option<&str>| Token {
        start: start.map(str::to_owned),
        expiry: expiry.map(str::to_owned),
        ..token("1")
    };
    let usages =
        |usages: &[&str]| Token { usages: usages.iter().map(|usage| usage.to_string()).collect(), ..token("1") };
    let left = |uses_left| Token { uses_left, ..token("1") };
    let cases = [
        (token("1"), "allowed"),
        (dates(Some(now), Some(now)), "allowed"), // inclusive
        (dates(Some("2026-06-01T12:00:00.001Z"), None), "from"),
        (dates(None, Some("2026-06-01T11:59:59.999Z")), "expired"),
        (dates(Some("2026-06-01T14:00:00+02:00"), None), "allowed"),
        (dates(Some("soon"), None), "cannot be read"),
        (dates(None, Some("")), "cannot be read"),
        (usages(&["OTP"]), "allowed"),
        (usages(&["CR", "OTP"]), "allowed"),
        (usages(&["CR", "Encrypt"]), "for: CR, Encrypt"),
        (usages(&["otp"]), "not for this use"),
        (left(Some(1)), "allowed"),
        (left(Some(0)), "as often as"),
    ];
    for (token, expected) in cases {
        let done = token.check_use(KeyUsage::Otp, now.parse().unwrap());
        let said = done.map_or_else(|why| why.to_string(), |()| "allowed".to_owned());
        assert!(said.contains(expected), "{said}, but expected {expected}");
    }
}

#[test]
fn s5_transactions_are_counted_to_the_last_by_all_processes_together() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = TokenStore::open_or_create(&path, &unlock).unwrap();
    store.insert_many(vec![Token { uses_left: Some(10), ..token("1") }, token("2")]).unwrap();
    let granted: usize = std::thread::scope(|scope| {
        let work = || {
            let mut store = TokenStore::open(&path, &unlock).unwrap();
            (0..5).filter(|_| store.count_use("1").is_ok()).count()
        };
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(granted, 10);
    assert!(matches!(store.count_use("1"), Err(StoreError::UsedUp(_))));
    assert_eq!(TokenStore::open(&path, &unlock).unwrap().find("1").unwrap().uses_left, Some(0));
    assert_eq!(store.count_use("2").unwrap().uses_left, None, "no limit, nothing to count");
    assert!(matches!(store.count_use("3"), Err(StoreError::NotFound(_))));
}

/// Prints what 10,000 tokens cost: `cargo test -p dskpp-client cost_of_ -- --ignored --nocapture`.
#[test]
#[ignore = "prints figures and checks nothing"]
fn cost_of_ten_thousand_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = TokenStore::open_or_create(&path, &unlock).unwrap();
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
    store.insert_many(tokens).unwrap();
    println!("{:<28} {:>10.1?}", "insert_many", start.elapsed());
    println!("{:<28} {:>10} octets", "file", std::fs::metadata(&path).unwrap().len());
    let (header, sealed) = file::read(&path).unwrap();
    let key = Key::derive(&header, &unlock).unwrap();
    timed("read the file", &mut || drop(file::read(&path).unwrap()));
    timed("unseal", &mut || drop(file::unseal(&header, &key, &sealed).unwrap()));
    timed("unseal and parse", &mut || drop(file::open(&path, &header, &key, &sealed).unwrap()));
    timed("open", &mut || drop(TokenStore::open(&path, &unlock).unwrap()));
    timed("find", &mut || drop(store.find("00005000").unwrap()));
    timed("count_use", &mut || drop(store.count_use("00005000").unwrap()));
}

#[test]
fn whatever_the_source_a_token_has_names_that_can_be_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlock) = store(folder.path());
    let mut store = TokenStore::open_or_create(&path, &unlock).unwrap();
    store.insert(token("good")).unwrap();
    let long = "x".repeat(5000);
    type Put = fn(&mut Token, String);
    let places: [Put; 9] = [
        |token, text| token.id = text,
        |token, text| token.label = Some(text),
        |token, text| token.issuer = Some(text),
        |token, text| token.user = Some(text),
        |token, text| token.manufacturer = Some(text),
        |token, text| token.serial = Some(text),
        |token, text| token.server_id = Some(text),
        |token, text| token.suite = Some(text),
        |token, text| token.algorithm_uri = text,
    ];
    for (place, put) in places.iter().enumerate() {
        for text in ["", " ", "a\u{1b}[2J", "a\u{9b}", "a\u{202e}b", "a\nb", &long] {
            let mut hostile = token(if place == 0 { "x" } else { "good" });
            put(&mut hostile, text.to_owned());
            let many = vec![token("another"), Token { id: "new".into(), ..hostile.clone() }];
            if place > 0 {
                assert!(matches!(store.insert_many(many), Err(StoreError::NotAName(_))), "{place} {text:?}");
                assert!(matches!(store.renew(hostile.clone()), Err(StoreError::NotAName(_))), "{place} {text:?}");
            }
            assert!(matches!(store.insert(hostile), Err(StoreError::NotAName(_))), "{place} {text:?}");
            assert!(matches!(store.rename("good", Some(text.to_owned())), Err(StoreError::NotAName("label"))));
        }
    }
    assert_eq!(store.list().unwrap().len(), 1);
}
