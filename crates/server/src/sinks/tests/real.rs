//! Sinks against the real thing: `.ci/sinks` runs these beside a privacyIDEA, with liboath and Python.

use std::process::{Child, Command, Stdio};

use super::*;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run .ci/sinks"))
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// A client of this machine alone.
fn client() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}

fn hotp(counter: u64) -> String {
    dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX }.code(&Secret::from_slice(K_TOKEN), counter).to_string()
}

/// The receiver in docs/sinks.md, as it stands there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with cryptography: .ci/sinks"]
async fn the_documented_receiver_gets_keys() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sinks.md")).unwrap();
    let program = text.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(program.lines().filter(|line| !line.trim().is_empty()).count() <= 40);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("receiver.py"), program).unwrap();
    let address = Receiver::later().await.1;
    let [signing, secret] = ["signing", "secret.pem"].map(|name| receiver::folder().join(name));
    let mut python = Command::new(variable("DSKPP_PYTHON"));
    let python =
        python.arg(folder.path().join("receiver.py")).args([&signing, &secret]).arg(address.port().to_string());
    let mut python = Running(python.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let world = World::new(&receiver::config(&format!("http://{address}/"), "")).work();
    world.enrol("key1", None).await;
    world.delivered("key1", 1).await;
    world.store.revoke_key("key1").await.unwrap();
    world.delivered("key1", 2).await;
    let wrong = client().post(format!("http://{address}/")).header("webhook-id", "d.1");
    let wrong = wrong.header("webhook-timestamp", now()).header("webhook-signature", "v1,AAAA").body("{}");
    assert_eq!(wrong.send().await.unwrap().status(), 400, "a forgery");
    world.end().await;
    _ = python.0.kill();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut python.0.stdout.take().unwrap(), &mut said).unwrap();
    assert_eq!(said, "key.put key1 1\nkey.delete key1 2\n");
}

/// What liboath itself makes of the file: it takes the right password, and moves the counter in it.
#[tokio::test]
#[ignore = "needs liboath: .ci/sinks"]
async fn liboath_reads_its_users_file() {
    const CHECK: &str = "import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
lib.oath_init()
last = ctypes.c_long()
lib.oath_authenticate_usersfile.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_size_t, ctypes.c_char_p, ctypes.POINTER(ctypes.c_long)]
print(lib.oath_authenticate_usersfile(sys.argv[2].encode(), sys.argv[3].encode(), sys.argv[4].encode(), 5, None, ctypes.byref(last)))";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.oath");
    std::fs::write(&path, "HOTP\tbob\t-\t3132333435363738393031323334353637383930\n").unwrap();
    let config = format!("[[sink]]\nname = 'pam'\nkind = 'liboath'\nfile = '{}'\n", path.display());
    let world = World::new(&config);
    let library = variable("DSKPP_LIBOATH");
    let check = |user: &str, otp: &str| {
        let mut python = Command::new(variable("DSKPP_PYTHON"));
        let said = python.args(["-c", CHECK, &library]).arg(&path).args([user, otp]).output().unwrap();
        String::from_utf8(said.stdout).unwrap().trim().parse::<i32>().unwrap()
    };
    let put = async |user: &str, key: KeyRecord, secret: &[u8]| {
        let key = KeyRecord { user: Some(user.into()), ..key };
        let change = Change { id: "d".into(), number: 1, key, secret: Some(Secret::from_slice(secret)) };
        assert_eq!(world.sinks.all()[0].deliver(&[change]).await, [Ok(())]);
    };
    let of_hotp = |id: &str, counter| {
        let params = Params { digits: Some(6), ..Params::default() };
        KeyRecord { id: id.into(), key_type: KeyType::Hotp, params, counter, ..sample() }
    };
    put("alice", of_hotp("k1", 3), K_TOKEN).await;
    assert_ne!(check("alice", &hotp(1)), 0, "before its counter");
    assert_eq!(check("alice", &hotp(4)), 0);
    assert_ne!(check("alice", &hotp(4)), 0, "once");
    let used = std::fs::read_to_string(&path).unwrap();
    put("alice", of_hotp("k1", 3), K_TOKEN).await; // comes again
    assert_eq!(std::fs::read_to_string(&path).unwrap(), used, "the counter is not set back");
    assert_ne!(check("alice", &hotp(4)), 0);
    assert_eq!(check("alice", &hotp(5)), 0);
    assert_eq!(check("bob", &hotp(0)), 0, "others go on");
    assert!(std::fs::read_to_string(&path).unwrap().contains("#dskpp:k1\n"), "liboath keeps the comment");

    let totp = |id: &str, period_s, digits| {
        let params = Params { digits: Some(digits), period_s: Some(period_s), ..Params::default() };
        KeyRecord { id: id.into(), key_type: KeyType::Totp, params, ..sample() }
    };
    for (user, period_s, digits) in [("carol", 30, 6), ("dave", 60, 8)] {
        put(user, totp(user, period_s, digits), K_TOKEN).await;
        let hotp = dskpp_otp::Hotp { digits: dskpp_otp::Digits::new(digits).unwrap() };
        let code = hotp.code(&Secret::from_slice(K_TOKEN), now().unsigned_abs() / u64::from(period_s)).to_string();
        assert_eq!(check(user, &code), 0, "{user}");
        assert_ne!(check(user, &"0".repeat(digits.into())), 0, "{user}");
    }
    put("alice", of_hotp("k1", 0), b"the secret of a renewal").await;
    assert_ne!(check("alice", &hotp(6)), 0, "the old key");
}

/// A privacyIDEA with the users alice and bob in its default realm, and the administrator `dskpp`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs privacyIDEA: .ci/sinks"]
async fn privacyidea_takes_keys_and_forgets_them() {
    let url = variable("DSKPP_PRIVACYIDEA");
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "secret1\n").unwrap();
    let config = |password: &Path| {
        format!(
            "[sinks]\ndefault = ['pi']\nretry_s = 1\n[[sink]]\nname = 'pi'\nkind = 'privacyidea'\nurl = '{url}'\n\
             admin = 'dskpp'\nrealm = 'staff'\npassword_file = '{}'\n",
            password.display()
        )
    };
    let key_id = format!("T{}", crate::model::id::new_id().to_uppercase());
    let world = World::new(&config(&password)).work();
    assert_eq!(world.sinks.test("pi").await.unwrap().error, None);
    let valid = async |otp: String| {
        let request = client().post(format!("{url}/validate/check"));
        let answer = request.json(&serde_json::json!({ "serial": key_id, "pass": otp })).send().await.unwrap();
        let answer: serde_json::Value = answer.json().await.unwrap();
        answer["result"]["value"] == true
    };
    world.enrol(&key_id, None).await;
    world.delivered(&key_id, 1).await;
    assert!(valid(hotp(0)).await && !valid(hotp(0)).await);
    assert!(valid(hotp(1)).await);

    // The same change comes again, and then one with a counter.
    let sink = &world.sinks.all()[0];
    let record = world.only(&key_id).await;
    let key = world.store.key(&key_id).await.unwrap().unwrap();
    let change = |number, counter, secret: Option<&[u8]>| {
        let key = KeyRecord { counter, ..key.clone() };
        Change { id: record.id.clone(), number, key, secret: secret.map(Secret::from_slice) }
    };
    assert_eq!(sink.deliver(&[change(1, 0, Some(K_TOKEN))]).await, [Ok(())]);
    assert!(!valid(hotp(1)).await, "a token in use is not set back");
    assert_eq!(sink.deliver(&[change(2, 7, Some(K_TOKEN))]).await, [Ok(())]);
    assert!(!valid(hotp(6)).await, "its counter is that of the key");
    assert!(valid(hotp(7)).await);
    assert_eq!(sink.deliver(&[change(3, 0, Some(b"another secret 12345"))]).await, [Ok(())]);
    assert!(!valid(hotp(8)).await, "the old key");

    let totp = Params { digits: Some(8), period_s: Some(60), hash: Some(HashName::Sha256), ..Params::default() };
    let key = KeyRecord {
        id: format!("{key_id}2"),
        key_type: KeyType::Totp,
        params: totp,
        user: key.user.clone(),
        ..sample()
    };
    let other = Change { id: "d2".into(), number: 1, key, secret: Some(Secret::from_slice(K_TOKEN)) };
    assert_eq!(sink.deliver(std::slice::from_ref(&other)).await, [Ok(())]);
    for _ in 0..2 {
        let gone = Change { secret: None, id: other.id.clone(), number: 2, key: other.key.clone() };
        assert_eq!(sink.deliver(&[gone]).await, [Ok(())], "what has gone has gone");
    }
    let nobody = KeyRecord { user: Some("nobody".into()), ..other.key.clone() };
    let nobody = Change { id: "d3".into(), number: 1, key: nobody, secret: Some(Secret::from_slice(K_TOKEN)) };
    let refused = sink.deliver(&[nobody]).await.pop().unwrap();
    assert!(matches!(&refused, Err(Failure::Refused(why)) if why == "it answered HTTP 400"), "{refused:?}");
    world.store.revoke_key(&key_id).await.unwrap();
    world.delivered(&key_id, 2).await;
    assert!(!valid(hotp(8)).await);
    world.end().await;

    std::fs::write(&password, "wrong").unwrap();
    let found = World::new(&config(&password)).sinks.test("pi").await.unwrap();
    assert_eq!(found.error.as_deref(), Some("it answered HTTP 401"));
}
