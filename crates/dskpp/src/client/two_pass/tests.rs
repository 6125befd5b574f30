use std::sync::Arc;

use dskpp_crypto::{Pbkdf2Prf, RsaPrivateKey, Secret, SeededRandom};
use pskc::KeyInfo;

use super::*;
use crate::algorithm::{MacAlgorithm, ProtectionMethod};
use crate::auth_code::AuthCode;
use crate::client::Renewal;
use crate::key_package::PackageSpec;
use crate::message::Request;
#[cfg(feature = "containers")]
use crate::message::Response;
use crate::negotiate::NegotiationPolicy;
use crate::server::{AuthPolicy, ClientKey, Finished, OutgoingKey, RefusalReason, TwoPassFacts, TwoPassRun};
use crate::status::Status;
use crate::vectors::{self, Case};

fn cases() -> Vec<Case> {
    let files = ["two_pass_wrap", "two_pass_transport", "two_pass_passphrase", "renewal_two_pass"];
    files.into_iter().flat_map(vectors::cases).collect()
}

fn password(case: &Case) -> Secret {
    Secret::from_slice(case.text("password").as_bytes())
}

fn protection(case: &Case) -> ClientProtection {
    match ProtectionMethod::from_uri(case.text("method")) {
        ProtectionMethod::Transport => ClientProtection::Transport {
            key: Arc::new(RsaPrivateKey::from_pkcs8_pem(case.text("client_private_key")).unwrap()),
            info: KeyInfo::from_certificates(vec![case.hex("client_certificate")]),
        },
        ProtectionMethod::Wrap => ClientProtection::Wrap { name: "device-000001".into(), key: case.secret("k_shared") },
        _ => ClientProtection::Passphrase,
    }
}

fn offer(case: &Case) -> RunConfig {
    let code = AuthCode::new(case.text("client_id"), &password(case)).unwrap();
    let key_type = KeyType::from_uri(case.text("key_type"));
    let mut offer = RunConfig::new(case.text("url_s"), Credential::Code(code), vec![key_type]);
    offer.mac_algorithms = vec![MacAlgorithm::from_uri(case.text("mac_algorithm"))];
    offer.renewal =
        case.has("k_mac_old").then(|| Renewal::new(case.text("key_id").to_owned(), case.secret("k_mac_old")));
    offer
}

fn awaiting(case: &Case) -> AwaitingKey {
    AwaitingKey {
        offer: offer(case),
        protections: vec![protection(case)],
        r_c: case.hex("r_c"),
        message_hash: key_schedule::message_hash(&[case.message("client_hello")]),
    }
}

#[test]
fn s5_2_3_vectors_are_accepted_with_their_keys() {
    let cases = cases();
    assert!(cases.len() >= 8);
    for case in &cases {
        let provisioned = awaiting(case).receive(case.message("server_finished"));
        let provisioned = provisioned.unwrap_or_else(|error| panic!("{}: {error}", case.text("method")));
        assert_eq!(provisioned.keys.k_token, case.secret("k_token"));
        assert_eq!(provisioned.keys.k_mac, case.secret("k_mac"));
        assert_eq!(provisioned.key_id, case.text("key_id"));
        assert_eq!(provisioned.server_id.as_deref(), Some(case.text("server_id")));
        assert_eq!(provisioned.k, case.secret("k"));
        let data = provisioned.container.key_packages[0].key.as_ref().unwrap().data.as_ref();
        assert!(data.is_none_or(|data| data.secret.is_none()), "the key is kept in one place");
    }
}

#[test]
fn s5_2_3_a_relevant_changed_octet_never_yields_a_key() {
    for case in cases().iter().step_by(2) {
        let good = case.message("server_finished").to_vec();
        let step = if case.has("client_private_key") { 61 } else { 7 };
        let slow = ProtectionMethod::from_uri(case.text("method")) == ProtectionMethod::PassphraseWrap;
        for i in (0..good.len()).step_by(if slow { 97 } else { step }) {
            let mut changed = good.clone();
            changed[i] ^= 1;
            if let Ok(provisioned) = awaiting(case).receive(&changed) {
                assert_eq!(provisioned.keys.k_token, case.secret("k_token"), "octet {i}");
                assert_eq!(provisioned.keys.k_mac, case.secret("k_mac"), "octet {i}");
            }
        }
    }
}

/// What a server has that knows this client.
fn client_key(case: &Case) -> ClientKey {
    match protection(case) {
        ClientProtection::Transport { key, info } => ClientKey::Public { key: key.public().clone(), info },
        ClientProtection::Wrap { name, key } => ClientKey::Shared { name, key },
        ClientProtection::Passphrase => ClientKey::Passphrase,
    }
}

fn package(case: &Case) -> PackageSpec {
    PackageSpec {
        digits: Some(6),
        ..PackageSpec::new(case.text("server_id"), case.text("key_id"), KeyType::from_uri(case.text("key_type")))
    }
}

/// The server's side of a run.
fn serve(
    case: &Case,
    body: &[u8],
    k_token: Option<&Secret>,
    password: &Secret,
) -> Result<Finished, (Status, RefusalReason)> {
    let Ok(Request::ClientHello(hello)) = Request::read(body) else { panic!("a ClientHello") };
    let methods = [ProtectionMethod::from_uri(case.text("method"))];
    let keys = [Some(client_key(case))];
    let k_mac_old = case.has("k_mac_old").then(|| case.secret("k_mac_old"));
    let facts = TwoPassFacts { methods: &methods, keys: &keys, key_type: None, trigger: false };
    let (policy, auth) = (NegotiationPolicy::default(), AuthPolicy::default());
    let run =
        TwoPassRun::begin(&hello, body, &policy, &facts, &auth).map_err(|refusal| (refusal.status, refusal.reason))?;
    assert_eq!(run.client_id(), case.text("client_id"));
    run.authenticate(&auth, password, &[case.text("url_s").to_owned()])
        .and_then(|_| {
            let rng = &mut SeededRandom::new(b"server");
            let spec = package(case);
            let shipment = OutgoingKey { k_token, k_mac_old: k_mac_old.as_ref(), ..OutgoingKey::new(&spec).unwrap() };
            run.finish(shipment, password, rng)
        })
        .map_err(|refusal| (refusal.status, refusal.reason))
}

#[test]
fn s5_2_2_the_server_accepts_the_vectors_and_the_client_its_answers() {
    for case in &cases() {
        let finished = serve(case, case.message("client_hello"), None, &password(case)).unwrap();
        let provisioned = awaiting(case).receive(&finished.response).unwrap();
        assert_eq!(provisioned.keys, finished.keys);
        let wrong = serve(case, case.message("client_hello"), None, &Secret::from_slice(b"WRONG"));
        assert_eq!(wrong.unwrap_err().0, Status::AuthenticationDataInvalid);
    }
}

#[test]
fn s5_2_both_sides_agree() {
    for case in &cases() {
        let rng = &mut SeededRandom::new(b"client");
        let (request, state) = TwoPass::start(offer(case), vec![protection(case)], rng).unwrap();
        let finished = serve(case, &request, None, &password(case)).unwrap();
        let provisioned = state.receive(&finished.response).unwrap();
        assert_eq!(provisioned.keys, finished.keys);
    }
}

#[cfg(not(feature = "containers"))]
#[test]
fn s5_a_format_that_cannot_be_read_is_not_offered() {
    for format in [PackageFormat::Skpc, PackageFormat::Pkcs12, PackageFormat::Pkcs5Xml] {
        let case = &cases()[0];
        let mut offer = offer(case);
        offer.package_formats = vec![PackageFormat::Pskc, format];
        let started = TwoPass::start(offer, vec![protection(case)], &mut SeededRandom::new(b"formats"));
        assert!(matches!(started, Err(Failed::Unusable(why)) if why.contains("containers")));
    }
}

/// RFC 6063 §5: each key package format, with each method that it supports.
#[cfg(feature = "containers")]
#[test]
fn s5_every_key_package_format_is_negotiated_and_delivers_the_key() {
    use PackageFormat::{Pkcs5Xml, Pkcs12, Pskc, Skpc};
    for case in &cases() {
        let is_passphrase = ProtectionMethod::from_uri(case.text("method")) == ProtectionMethod::PassphraseWrap;
        for (formats, chosen) in [
            (vec![Skpc, Pskc], Some(Skpc)),
            (vec![Pkcs12, Pskc], Some(if is_passphrase { Pkcs12 } else { Pskc })),
            (vec![Pkcs5Xml, Skpc], Some(if is_passphrase { Pkcs5Xml } else { Skpc })),
            (vec![Pkcs12], is_passphrase.then_some(Pkcs12)),
            (vec![Pkcs5Xml, Pkcs12], is_passphrase.then_some(Pkcs5Xml)),
            (vec![PackageFormat::from_uri("urn:x")], None),
        ] {
            let rng = &mut SeededRandom::new(b"formats");
            let mut offer = offer(case);
            offer.package_formats = formats;
            let (request, state) = TwoPass::start(offer, vec![protection(case)], rng).unwrap();
            let answer = serve(case, &request, None, &password(case));
            let Some(chosen) = chosen else {
                assert_eq!(answer.unwrap_err().0, Status::NoSupportedKeyPackages);
                continue;
            };
            let finished = answer.unwrap();
            let response = String::from_utf8(finished.response.clone()).unwrap();
            let object = chosen.media_type().map(|name| format!("<ds:Object MimeType=\"{name}\""));
            assert!(response.contains(object.as_deref().unwrap_or("<dskpp:KeyContainer")), "{chosen}: {response}");
            let provisioned = state.clone().receive(&finished.response).unwrap();
            assert_eq!(provisioned.keys, finished.keys, "{chosen}");
            assert_eq!(provisioned.key_id, case.text("key_id"));

            let mut other = state;
            other.offer.package_formats.retain(|format| *format != chosen);
            let refused = other.receive(&finished.response);
            assert!(matches!(refused, Err(Failed::Misbehaved(why)) if why.contains("format")), "{chosen}: {refused:?}");
        }
    }
}

/// Profile P26: in every format, a changed package is refused.
#[cfg(feature = "containers")]
#[test]
fn p26_a_changed_package_never_yields_a_different_key() {
    for case in &cases() {
        let slow = ProtectionMethod::from_uri(case.text("method")) == ProtectionMethod::PassphraseWrap;
        for format in [PackageFormat::Skpc, PackageFormat::Pkcs12, PackageFormat::Pkcs5Xml] {
            let mut offer = offer(case);
            offer.package_formats = vec![format];
            let started = TwoPass::start(offer, vec![protection(case)], &mut SeededRandom::new(b"changed")).unwrap();
            let Ok(finished) = serve(case, &started.0, None, &password(case)) else { continue };
            let Ok(Response::ServerFinished(good)) = Response::read(&finished.response) else { panic!() };
            let Some(PackageContent::Encoded { octets, .. }) = good.body.as_ref().map(|body| &body.key_package.content)
            else {
                panic!("not the requested format")
            };
            for i in (0..octets.len()).step_by(if slow { 101 } else { 11 }) {
                let mut changed = good.clone();
                if let PackageContent::Encoded { octets, .. } = &mut changed.body.as_mut().unwrap().key_package.content
                {
                    octets[i] ^= 4;
                }
                if let Ok(provisioned) = started.1.clone().receive(&changed.write()) {
                    assert_eq!(provisioned.keys, finished.keys, "octet {i}");
                }
            }
        }
    }
}

/// RFC 6063 §3.2.4.2: existing keys.
#[test]
fn s3_2_4_2_an_existing_key_is_delivered_unchanged() {
    for case in &cases() {
        let rng = &mut SeededRandom::new(b"legacy");
        let (request, state) = TwoPass::start(offer(case), vec![protection(case)], rng).unwrap();
        let legacy = case.secret("k_token");
        let finished = serve(case, &request, Some(&legacy), &password(case)).unwrap();
        assert_eq!(finished.keys.k_token, legacy);
        assert_eq!(state.receive(&finished.response).unwrap().keys, finished.keys);
    }
}

#[test]
fn s5_2_3_a_renewal_without_valid_proof_replaces_nothing() {
    for case in cases().iter().filter(|case| case.has("k_mac_old")) {
        let mut without = awaiting(case);
        without.offer.renewal.as_mut().unwrap().k_mac_old = Secret::new(vec![9; case.secret("k_mac_old").len()]);
        assert_eq!(without.receive(case.message("server_finished")).unwrap_err(), Failed::NotAuthenticated);
        let message = String::from_utf8(case.message("server_finished").to_vec()).unwrap();
        let begin = message.find("<dskpp:AuthenticationData>").unwrap();
        let end = message.find("</dskpp:AuthenticationData>").unwrap() + "</dskpp:AuthenticationData>".len();
        let stripped = format!("{}{}", &message[..begin], &message[end..]);
        assert_eq!(awaiting(case).receive(stripped.as_bytes()).unwrap_err(), Failed::NotAuthenticated);
    }
}

#[test]
fn p3_the_iteration_count_matches_k() {
    for case in &cases() {
        let hello = String::from_utf8(case.message("client_hello").to_vec()).unwrap();
        let right = case.number("iteration_count");
        for count in [0, 1, 2, 99_999, 100_000, 200_000, 200_001, -1] {
            let changed =
                hello.replace(&format!("<dskpp:IterationCount>{right}<"), &format!("<dskpp:IterationCount>{count}<"));
            let refused = serve(case, changed.as_bytes(), None, &password(case));
            let fits = if right == 1 { count == 1 } else { (100_000..=200_000).contains(&count) };
            match refused {
                Ok(_) => assert_eq!(count, right),
                Err((status, reason)) => {
                    assert_eq!(status, Status::AuthenticationDataInvalid, "{count}");
                    assert_eq!(reason == RefusalReason::Iterations, !fits, "{count}");
                }
            }
        }
    }
}

#[test]
fn impossible_offers_are_refused() {
    let case = &cases()[0];
    let rng = &mut SeededRandom::new(b"x");
    assert!(TwoPass::start(offer(case), Vec::new(), rng).is_err());
    let mut none = offer(case);
    none.mac_algorithms.clear();
    assert!(TwoPass::start(none, vec![protection(case)], rng).is_err());
    assert_eq!(ClientProtection::Passphrase.k(Pbkdf2Prf::HmacSha1, &Secret::from_slice(b"p"), b"r").len(), 16);
}

/// RFC 6063 §3.2.4.2: an existing key is delivered unchanged, whatever its length.
#[test]
fn s3_2_4_2_an_existing_key_of_any_length_is_delivered_unchanged() {
    for case in cases().iter().filter(|case| case.text("key_type").ends_with("otp")) {
        for len in [1, 10, 16, 19, 20, 21, 32, 33, 64, 200] {
            let k_token = SeededRandom::new(&[len]).secret(len.into());
            let (request, state) =
                TwoPass::start(offer(case), vec![protection(case)], &mut SeededRandom::new(b"client")).unwrap();
            let finished = serve(case, &request, Some(&k_token), &password(case));
            let response = match finished {
                // A 2,048-bit RSA key encrypts at most 214 octets.
                Err((status, _)) => {
                    assert!(len == 200 && case.text("method").ends_with("transport"), "{len} {status:?}");
                    continue;
                }
                Ok(finished) => finished.response,
            };
            let text = String::from_utf8(response.clone()).unwrap();
            let provisioned = state.clone().receive(&response).unwrap();
            assert_eq!(provisioned.keys.k_token, k_token, "{len}");
            crate::schema::assert_valid(std::slice::from_ref(&response));
            // A client without this extension: a key that it must not use says so, others have trailing zeros.
            let in_policy = |before: &str| before.rfind("<pskc:Policy>") > before.rfind("</pskc:Policy>");
            let found = text.split_once("<TokenLength").map(|(before, _)| in_policy(before));
            assert_eq!(found, (len != 20).then_some(len > 20), "{text}");
            let key = provisioned.container.key_packages[0].key.as_ref().unwrap();
            assert!(key.extensions.is_empty() && key.policy.as_ref().is_none_or(|policy| policy.is_understood()));
            // The statement is authenticated.
            if len != 20 {
                let said = format!(">{len}</TokenLength>");
                assert_eq!(text.matches(&said).count(), 1, "{text}");
                for other in ["0", "15", "20", "31", "999999999999", "-1", ""] {
                    let changed = text.replace(&said, &format!(">{other}</TokenLength>"));
                    state.clone().receive(changed.as_bytes()).unwrap_err();
                }
                let moved = text.replace("Mac=\"", "Mac=\"AAAA");
                state.clone().receive(moved.as_bytes()).unwrap_err();
            }
        }
    }
}
