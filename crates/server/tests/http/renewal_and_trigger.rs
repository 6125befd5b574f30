//! Runs that begin with a trigger, and runs that renew a key.

use dskpp::algorithm::{KeyType, MacAlgorithm};
use dskpp::client::{Credential, Failed, FourPass, Renewal, RunConfig};
use dskpp::message::Trigger;
use dskpp::status::Status;
use dskpp_crypto::{Secret, SystemRandom};
use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::support::{MEDIA_TYPE, Server, config, read};

/// The path of an enrolment's trigger.
fn trigger_path(enrolment: &Value) -> String {
    let url = enrolment["trigger_url"].as_str().unwrap();
    url[url.find("/enroll/").unwrap()..].to_owned()
}

async fn trigger(server: &Server, enrolment: &Value) -> reqwest::Response {
    let url = server.url(&trigger_path(enrolment));
    server.client.get(url).header(header::ACCEPT, MEDIA_TYPE).send().await.unwrap()
}

fn offer(server: &Server, trigger: &Trigger) -> RunConfig {
    RunConfig::new(server.url_s(), Credential::Trigger(Box::new(trigger.clone())), vec![KeyType::Hotp, KeyType::Totp])
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_trigger_works_once() {
    let server = Server::start().await;
    let enrolment = server.enrolment("totp", json!({})).await;
    let response = trigger(&server, &enrolment).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let document = response.bytes().await.unwrap();
    assert_eq!(trigger(&server, &enrolment).await.bytes().await.unwrap(), document, "the same each time");
    let trigger_read = Trigger::read(&document).unwrap();
    assert_eq!(trigger_read.server_url.as_deref(), Some(server.url_s()));

    let got = server.run(offer(&server, &trigger_read)).await.unwrap();
    assert_eq!(got.key_type, KeyType::Totp, "the trigger names the enrolment, whose type is chosen");
    assert_eq!(got.keys.k_token, server.secret_of(&got.key_id).await);

    assert!(matches!(
        server.run(offer(&server, &trigger_read)).await,
        Err(Failed::Refused(Status::AuthenticationDataInvalid))
    ));
    assert_eq!(trigger(&server, &enrolment).await.status(), StatusCode::GONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_changed_or_invented_trigger_is_refused_at_once() {
    let server = Server::start().await;
    let enrolment = server.enrolment("totp", json!({})).await;
    let document = trigger(&server, &enrolment).await.bytes().await.unwrap();
    let original = Trigger::read(&document).unwrap();
    type Change = fn(&mut Trigger);
    let changes: [Change; 4] = [
        |trigger| trigger.authentication_data.authentication_code_mac.mac.value[3] ^= 1,
        |trigger| trigger.authentication_data.authentication_code_mac.nonce = Some(vec![1; 32]),
        |trigger| trigger.authentication_data.authentication_code_mac.nonce = None,
        |trigger| trigger.authentication_data.client_id = Some("FFFFFFFF".into()),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut changed = original.clone();
        change(&mut changed);
        let (request, _) = FourPass::start(offer(&server, &changed), &mut SystemRandom);
        let answer = read(&server.exchange(request).await);
        assert_eq!(answer, (Status::AuthenticationDataInvalid, true), "change {number}");
    }
    server.run(offer(&server, &original)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn p27_a_person_gets_a_page_and_a_stranger_nothing() {
    let server = Server::start().await;
    let enrolment = server.enrolment("totp", json!({})).await;
    let path = trigger_path(&enrolment);
    let page = server.client.get(server.url(&path)).header(header::ACCEPT, "text/html, */*").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert!(page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("default-src 'none'"));
    let text = page.text().await.unwrap();
    assert!(text.contains(&path) && text.contains("dskpp enroll --trigger"), "{text}");
    for path in ["/enroll/0123456789ABCDEF0123456789ABCDEF", "/enroll/%3Cscript%3E", "/enroll/"] {
        for accept in [MEDIA_TYPE, "text/html"] {
            let request = server.client.get(server.url(path)).header(header::ACCEPT, accept);
            assert_eq!(request.send().await.unwrap().status(), StatusCode::NOT_FOUND, "{path} {accept}");
        }
    }
}

async fn first_key(server: &Server, mac: MacAlgorithm) -> Renewal {
    let enrolment = server.enrolment("hotp", json!({})).await;
    let mut offer = server.offer(&enrolment, KeyType::Hotp);
    offer.mac_algorithms = vec![mac];
    let got = server.run(offer).await.unwrap();
    Renewal::new(got.key_id, got.keys.k_mac)
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_p7_a_renewal_proves_the_server_and_replaces_the_secret() {
    let server = Server::start().await;
    for mac in [MacAlgorithm::PrfSha256, MacAlgorithm::PrfAes128] {
        let renewal = first_key(&server, mac.clone()).await;
        let key_id = renewal.key_id.clone();
        let before = server.secret_of(&key_id).await;
        let enrolment = server.enrolment("hotp", json!({"renews": key_id})).await;
        let mut offer = server.offer(&enrolment, KeyType::Hotp);
        offer.renewal = Some(renewal.clone());
        let mut stranger = offer.clone();
        stranger.renewal = Some(Renewal { k_mac_old: Secret::new(vec![9; 32]), ..renewal });
        assert!(matches!(server.hello(stranger).await, Err(Failed::NotAuthenticated)), "{mac}");
        let got = server.run(offer).await.unwrap();
        assert_eq!(got.key_id, key_id);
        let after = server.secret_of(&key_id).await;
        assert_eq!(got.keys.k_token, after);
        assert_ne!(before, after);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p21_only_the_key_that_the_enrolment_names_is_renewed() {
    let server = Server::start().await;
    let (mine, other) =
        (first_key(&server, MacAlgorithm::PrfSha256).await, first_key(&server, MacAlgorithm::PrfSha256).await);
    let before = server.secret_of(&other.key_id).await;
    let renews_mine = server.enrolment("hotp", json!({"renews": mine.key_id})).await;
    let makes_a_new_one = server.enrolment("hotp", json!({})).await;
    for (enrolment, renewal) in
        [(&renews_mine, Some(other.clone())), (&makes_a_new_one, Some(other.clone())), (&renews_mine, None)]
    {
        let mut offer = server.offer(enrolment, KeyType::Hotp);
        offer.renewal = renewal;
        assert_eq!(server.refused(offer).await, Status::AccessDenied);
    }
    assert_eq!(server.secret_of(&other.key_id).await, before);
    let mut unknown = server.offer(&renews_mine, KeyType::Hotp);
    unknown.renewal = Some(Renewal { key_id: "no such key".into(), ..mine });
    assert!(matches!(server.hello(unknown).await, Err(Failed::NotAuthenticated)), "p7: a MAC, and of no key");
}

/// RFC 6063 A.6: a client that lost the last answer still has the old K_MAC. It gets that answer long after the session,
/// so that the key can be renewed again.
#[tokio::test(flavor = "multi_thread")]
async fn p28_the_answer_to_a_renewal_outlives_its_session() {
    let server = Server::start_with(|config| config.policy.session_lifetime_s = 4).await;
    let old = first_key(&server, MacAlgorithm::PrfSha256).await;
    let renewing = async |renewal: &Renewal| {
        let enrolment = server.enrolment("hotp", json!({"renews": renewal.key_id})).await;
        let mut offer = server.offer(&enrolment, KeyType::Hotp);
        offer.renewal = Some(renewal.clone());
        offer
    };
    let (request, state) = server.until_nonce(renewing(&old).await).await;
    let lost = server.exchange(request.clone()).await;
    tokio::time::sleep(std::time::Duration::from_millis(5100)).await;
    assert!(matches!(server.hello(renewing(&old).await).await, Err(Failed::NotAuthenticated)));
    let answer = server.exchange(request).await;
    assert_eq!(answer, lost, "octet for octet");
    let got = state.receive(&answer).unwrap();
    assert_eq!(got.keys.k_token, server.secret_of(&old.key_id).await);
    let renewed = Renewal::new(got.key_id, got.keys.k_mac);
    server.run(renewing(&renewed).await).await.expect("and it is renewed again");
}

async fn trigger_of(server: &Server, enrolment: &Value) -> Trigger {
    Trigger::read(&trigger(server, enrolment).await.bytes().await.unwrap()).unwrap()
}

/// The token renews at the URL that it knows, and asks about any other.
#[tokio::test(flavor = "multi_thread")]
async fn p29_a_renewal_trigger_names_the_url_that_the_token_knows() {
    let (new, old) = ("http://new.example/dskpp", "http://old.example/dskpp");
    let server = Server::start_with(|config| config.server.public_urls = vec![new.into(), old.into()]).await;
    for url in [old, new] {
        let enrolment = server.enrolment("hotp", json!({})).await;
        let mut offer = server.offer(&enrolment, KeyType::Hotp);
        offer.url_s = url.to_owned();
        let made = server.run(offer).await.unwrap();
        let key = server.api(&format!("keys/{}", made.key_id), None, 200).await;
        assert_eq!(key["url_s"], url);
        let mut k_mac = made.keys.k_mac;
        for activate in ["at-once", "on-otp", "at-once"] {
            let more = json!({ "renews": made.key_id, "activate": activate });
            let renewal = server.enrolment("hotp", more).await;
            let trigger = trigger_of(&server, &renewal).await;
            assert_eq!(trigger.server_url.as_deref(), Some(url), "{activate}");
            let mut offer = RunConfig::new(url, Credential::Trigger(Box::new(trigger)), vec![KeyType::Hotp]);
            offer.renewal = Some(Renewal::new(&made.key_id, k_mac));
            k_mac = server.run(offer).await.unwrap().keys.k_mac;
        }
    }
    let first = server.enrolment("hotp", json!({})).await;
    assert_eq!(trigger_of(&server, &first).await.server_url.as_deref(), Some(new), "no token knows one yet");
}

/// So that clients accept its successor without a question, with or without TLS.
#[tokio::test(flavor = "multi_thread")]
async fn p29_the_private_ca_certifies_k_server_without_a_configured_certificate() {
    let chain_of = async |server: &Server| {
        let enrolment = server.enrolment("hotp", json!({})).await;
        let choice = server.hello(server.offer(&enrolment, KeyType::Hotp)).await.unwrap();
        let sent = choice.encryption_key();
        let certified = dskpp_crypto::RsaPublicKey::from_certificate_der(&sent.x509_certificates[0]).unwrap();
        assert_eq!(sent.rsa_key_value.as_ref().unwrap().modulus, certified.modulus());
        sent.x509_certificates.clone()
    };
    let ca_of = |server: &Server| {
        let pem = std::fs::read_to_string(server.folder.path().join("data/tls/ca.pem")).unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        data_encoding::BASE64.decode(body.as_bytes()).unwrap()
    };
    let server = Server::start().await;
    let (first, ca) = (chain_of(&server).await, ca_of(&server));
    assert_eq!((first.len(), &first[1]), (2, &ca));
    assert!(!server.folder.path().join("data/tls/cert.pem").exists(), "plain HTTP needs no other certificate");
    let Server { folder, running, .. } = server;
    running.shutdown();
    running.wait().await.unwrap();

    let mut rolled = config(&folder);
    let key = dskpp_crypto::RsaPrivateKey::generate(2048).unwrap();
    let pem = data_encoding::BASE64.encode(key.to_pkcs8_der().expose());
    rolled.k_server.key = folder.path().join("k.pem");
    std::fs::write(&rolled.k_server.key, format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n"))
        .unwrap();
    let server = Server::start_in(folder, rolled).await;
    let second = chain_of(&server).await;
    assert_eq!((&second[1], ca_of(&server)), (&ca, ca.clone()), "rotation keeps the CA");
    let certified = dskpp_crypto::RsaPublicKey::from_certificate_der(&second[0]).unwrap();
    assert_eq!(&certified, key.public());
    assert_ne!(first[0], second[0]);
}
