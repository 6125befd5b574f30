//! A server whose key packages are protected with fewer iterations than profile P15 requires.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::num::NonZeroU32;

use dskpp::algorithm::{KeyType, ProtectionMethod};
use dskpp::key_package::{self, PackageProtection, PackageSpec};
use dskpp::message::{PackageContent, Request, Response};
use dskpp::negotiate::NegotiationPolicy;
use dskpp::server::{AuthPolicy, ClientKey, Finished, OutgoingKey, TwoPassFacts, TwoPassRun};
use dskpp_crypto::{Secret, SystemRandom};
use pskc::{DecryptionKey, PasswordStrength, Protector, Value, ValueAlgorithm};
use support::{Home, code_of};

const PASSWORD: &str = "3582AF0C3E";

fn password() -> Secret {
    Secret::from_slice(PASSWORD.as_bytes())
}

/// The answer to a two-pass ClientHello: a key that consists of K_TOKEN.
fn finished(request: &[u8], url_s: &str) -> Finished {
    let Ok(Request::ClientHello(hello)) = Request::read(request) else { panic!("a ClientHello") };
    let (policy, auth, keys) = (NegotiationPolicy::default(), AuthPolicy::default(), [Some(ClientKey::Passphrase)]);
    let methods = &[ProtectionMethod::PassphraseWrap];
    let facts = TwoPassFacts { methods, keys: &keys, key_type: Some(&KeyType::Aes256Cbc), trigger: false };
    let begun = TwoPassRun::begin(&hello, request, &policy, &facts, &auth).unwrap();
    begun.authenticate(&auth, &password(), &[url_s.to_owned()]).unwrap();
    let spec = PackageSpec::new(url_s, "weak", KeyType::Aes256Cbc);
    let run = begun.choose(&policy, &facts).unwrap();
    run.finish(OutgoingKey::new(&spec).unwrap(), &password(), &mut SystemRandom).unwrap()
}

/// The same key, protected again with this iteration count: no MAC of a run covers its protection.
fn weakened(finished: &Finished, iterations: NonZeroU32) -> Vec<u8> {
    let Ok(Response::ServerFinished(mut message)) = Response::read(&finished.response) else { panic!() };
    let content = &mut message.body.as_mut().unwrap().key_package.content;
    match content {
        PackageContent::Pskc(container) => {
            let mut strength = PasswordStrength::OLD;
            (strength.iterations, strength.algorithm) = (iterations, ValueAlgorithm::AesWrap(16));
            let protector = Protector::passphrase(&password(), None, strength, &mut SystemRandom).unwrap();
            let data = container.key_packages[0].key.as_mut().unwrap().data.as_mut().unwrap();
            let k_prov = [finished.keys.k_mac.expose(), finished.keys.k_token.expose()].concat();
            data.secret = Some(Value::Plain(Secret::new(k_prov)));
            protector.protect(data, &mut SystemRandom).unwrap();
            container.encryption_key = Some(protector.encryption_key().clone());
            container.mac_method = protector.mac_method().cloned();
        }
        PackageContent::Encoded { format, octets } => {
            let codec = key_package::codec(format).unwrap();
            let opened = codec.open(octets, Some(&DecryptionKey::Password(password()))).unwrap();
            assert_eq!(opened.iterations.map(NonZeroU32::get), Some(100_000), "{format}: as a good server has it");
            let protection = PackageProtection::Password { password: password(), iterations };
            *octets = codec.seal(&opened.package, &protection, &mut SystemRandom).unwrap();
        }
    }
    message.write()
}

/// Answers one request.
fn server(iterations: u32) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/dskpp", listener.local_addr().unwrap());
    let url_s = url.clone();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut head, mut octet) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut octet).unwrap();
            head.push(octet[0]);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        let answer = weakened(&finished(&body, &url_s), NonZeroU32::new(iterations).unwrap());
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/dskpp+xml\r\nConnection: close\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n", answer.len()).unwrap();
        stream.write_all(&answer).unwrap();
    });
    url
}

/// RFC 6063 §10.6.5: the key is stored, and the user is warned, in every package format.
#[test]
fn s10_6_5_p15_fewer_than_100000_iterations_cause_a_warning_in_every_package_format() {
    for package in ["pskc", "cms", "pkcs12", "pkcs5-xml"] {
        for (iterations, is_told) in [(1_000, true), (99_999, true), (100_000, false)] {
            let mut home = Home::new();
            home.set("DSKPP_STORE_KEY_FILE", "store.key");
            let (url, code) = (server(iterations), code_of("AC00000A", PASSWORD));
            let args = [
                "enroll",
                &url,
                "--code",
                &code,
                "--package",
                package,
                "--method",
                "passphrase-wrap",
                "--key-type",
                "aes256",
                "--json",
            ];
            let done = home.run(&args).success();
            let told = done.err.contains(&format!("only {iterations} PBKDF2 iterations"));
            assert_eq!(told, is_told, "{package}, {iterations}: {done:#?}");
            let expected = if is_told { serde_json::json!(iterations) } else { serde_json::Value::Null };
            assert_eq!(done.json()["few_iterations"], expected, "{package}");
        }
    }
}
