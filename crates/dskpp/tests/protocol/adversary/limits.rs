//! What the MACs of RFC 6063 leave to the transport, shown by targeted attacks.

use dskpp::algorithm::{KeyType, MacAlgorithm, ProtectionMethod};
use dskpp::key_package::PackageSpec;
use dskpp::key_schedule::{self, RunKeys};
use dskpp::message::{Request, Response};
use dskpp::prf::Prf;
use dskpp_crypto::{Hash, RsaEncryption, RsaPrivateKey, RsaPublicKey, SeededRandom};
use pskc::{KeyData, Protector, Value};

use super::world::{Mismatch, judge};
use crate::pair::*;

/// The outcome of a run for a first key.
fn attacked(variant: &Variant, server: &mut Server, link: Link<'_>) -> Result<(), Mismatch> {
    let mut rng = SeededRandom::new(b"client");
    let mut offer = offer(&server.k);
    offer.key_types = vec![server.enrolment().package.key_type.clone()];
    let run = run_variant(variant, offer, server, link, &mut rng, &mut 0);
    judge(server, None, run.end.key())
}

fn totp(hash: Hash) -> PackageSpec {
    PackageSpec { key_type: KeyType::Totp, hash: Some(hash), ..package(KeyType::Hotp) }
}

fn both(server: &mut Server) -> [Variant; 2] {
    [Variant::FourPass, Variant::TwoPass(protections(&ProtectionMethod::Wrap, server))]
}

/// Every bit of the parameters that determine the key's length.
#[test]
fn s10_2_2_a_flipped_bit_of_the_suite_never_changes_the_truncation() {
    for place in 0..2 {
        let begin = "<pskc:AlgorithmParameters>";
        let suite = "<pskc:Suite>HMAC-SHA512</pskc:Suite>";
        for bit in 0..8 * (begin.len() + suite.len()) {
            let mut server = Server::for_key(k_shared(16), totp(Hash::Sha512));
            let variant = &both(&mut server)[place];
            let mut link = |pass: Pass, mut message: Vec<u8>| {
                if pass == Pass::ServerFinished {
                    let at = place_of(&message, &format!("{begin}{suite}"));
                    message[at + bit / 8] ^= 1 << (bit % 8);
                }
                vec![message]
            };
            assert_eq!(attacked(variant, &mut server, &mut link), Ok(()), "bit {bit} in {variant:?}");
        }
    }
}

/// Where `text` begins.
fn place_of(message: &[u8], text: &str) -> usize {
    std::str::from_utf8(message).unwrap().find(text).unwrap_or_else(|| panic!("{text}"))
}

/// The suite is not authenticated: replacing or removing it makes the client truncate the key differently.
#[test]
fn s10_2_2_a_replaced_suite_is_not_detected_by_the_macs() {
    for (theirs, becomes) in [("HMAC-SHA512", "HMAC-SHA256"), ("HMAC-SHA256", "HMAC-SHA512"), ("HMAC-SHA256", "")] {
        for place in 0..2 {
            let hash = if theirs == "HMAC-SHA512" { Hash::Sha512 } else { Hash::Sha256 };
            let mut server = Server::for_key(k_shared(16), totp(hash));
            let variant = both(&mut server)[place].clone();
            let ended = attacked(&variant, &mut server, &mut replacing(Pass::ServerFinished, theirs, becomes));
            // In two-pass, the length of K_PROV depends on the key's (profile P4), so only a truncation with the same
            // length of K_PROV goes undetected: 20 octets for 32, with a PRF whose keys have 32.
            let found_out = place == 1 && !becomes.is_empty();
            assert_eq!(ended, if found_out { Ok(()) } else { Err(Mismatch::NewKey) }, "{becomes} in {variant:?}");
        }
    }
}

/// Anyone can create K_PROV for the client's public key, and MAC 1 with it: in two-pass with key transport, only
/// the transport authenticates the server, also in a renewal, since MAC 2 does not cover the package.
#[test]
fn s10_2_7_two_pass_key_transport_relies_on_tls_for_the_server() {
    let forged = |hello: &[u8], message: Vec<u8>| {
        let (Ok(Request::ClientHello(asked)), Ok(Response::ServerFinished(mut finished))) =
            (Request::read(hello), Response::read(&message))
        else {
            panic!("a run of two-pass")
        };
        let body = finished.body.as_mut().unwrap();
        let rng = &mut SeededRandom::new(b"his");
        let (k_prov, his) = key_schedule::draw(Prf::Sha256, 20, None, rng);
        let container = body.key_package.content.container_mut().unwrap();
        let info = container.encryption_key.clone().unwrap();
        let rsa = info.rsa_key_value.as_ref().unwrap();
        let public = RsaPublicKey::from_components(&rsa.modulus, &rsa.exponent).unwrap();
        let protector = Protector::rsa_named(public, info, RsaEncryption::OaepSha1, None, rng).unwrap();
        let mut data = KeyData { secret: Some(Value::Plain(k_prov)), ..KeyData::default() };
        protector.protect(&mut data, rng).unwrap();
        container.key_packages[0].key.as_mut().unwrap().data = Some(data);
        let server_id = body.key_package.server_id.clone().unwrap();
        let hash = key_schedule::message_hash(&[hello]);
        body.mac.value = key_schedule::confirmation_two_pass(Prf::Sha256, &his.k_mac, &hash, &server_id);
        assert_eq!(asked.supported_mac_algorithms[0], MacAlgorithm::PrfSha256);
        finished.write()
    };
    let mut server = Server::new(k_server());
    let variant = Variant::TwoPass(protections(&ProtectionMethod::Transport, &mut server));
    for renews in [false, true] {
        server.enrolment().spent = false;
        let old = server.keys.get(KEY_ID).cloned();
        let mut offer = offer(&server.k);
        if renews {
            offer = renewing(offer, old.as_ref().unwrap());
        }
        let mut hello = Vec::new();
        let mut link = |pass: Pass, message: Vec<u8>| match pass {
            Pass::ClientHello => {
                hello.clone_from(&message);
                vec![message]
            }
            _ => vec![forged(&hello, message)],
        };
        let rng = &mut SeededRandom::new(&[u8::from(renews)]);
        let run = run_variant(&variant, offer, &mut server, &mut link, rng, &mut 0);
        assert_eq!(judge(&server, old.as_ref(), run.end.key()), Err(Mismatch::NewKey), "renews: {renews}");
    }
}

/// The MAC of a four-pass renewal covers R_S, not EncryptionKey: a man in the middle can pass it on with its
/// own public key, and finish the run with the client. So it does not authenticate a new K_SERVER
/// (profile P29); a certificate, the remembered key or the user does.
#[test]
fn s4_1_1_the_mac_of_a_renewal_does_not_authenticate_the_servers_public_key() {
    let case = &crate::vectors::cases("two_pass_transport")[0];
    let his = RsaPrivateKey::from_pkcs8_pem(case["client_private_key"].as_str().unwrap()).unwrap();
    let mut server = Server::new(k_server());
    let earlier = run(offer(&server.k), &mut server);
    let Ok(Response::ServerFinished(template)) = Response::read(&earlier.messages[3]) else { panic!() };
    let old = server.keys[KEY_ID].clone();
    server.enrolment().spent = false;
    let (mut heard, mut r_s, mut r_c) = (Vec::new(), Vec::new(), None);
    let mut link = |pass: Pass, mut message: Vec<u8>| {
        match (pass, Request::read(&message), Response::read(&message)) {
            (Pass::ServerHello, _, Ok(Response::ServerHello(mut hello))) => {
                let body = hello.body.as_mut().unwrap();
                r_s.clone_from(&body.r_s);
                let key = body.encryption_key.rsa_key_value.as_mut().unwrap();
                key.modulus = his.public().modulus().to_vec();
                key.exponent = his.public().exponent().to_vec();
                message = hello.write();
            }
            (Pass::ClientNonce, Ok(Request::ClientNonce(nonce)), _) => {
                r_c = his.decrypt_oaep(RsaEncryption::OaepSha1, &nonce.encrypted_nonce).ok();
            }
            (Pass::ServerFinished, ..) => {
                let mut finished = template.clone();
                finished.session_id = None;
                let k = his.public().modulus();
                let RunKeys { k_mac, .. } =
                    key_schedule::agree(Prf::Sha256, r_c.as_ref().unwrap(), k, &r_s, 20).unwrap();
                let parts: Vec<&[u8]> = heard.iter().map(Vec::as_slice).collect();
                let hash = key_schedule::message_hash(&parts);
                finished.body.as_mut().unwrap().mac.value = key_schedule::confirmation(Prf::Sha256, &k_mac, &hash);
                message = finished.write();
            }
            _ => {}
        }
        heard.push(message.clone());
        vec![message]
    };
    let rng = &mut SeededRandom::new(b"client");
    let offer = renewing(offer(&k_server()), &old);
    let run = run_variant(&Variant::FourPass, offer, &mut server, &mut link, rng, &mut 0);
    assert_eq!(judge(&server, Some(&old), run.end.key()), Err(Mismatch::NewKey));
    assert_eq!(server.keys[KEY_ID], old, "the server has refused the run");
}

/// The old key stays valid only at a server that waits for a first password of the new one (RFC 6063 §10.5). If the
/// server replaces it at once, a client that misses the last message is left with an invalid key.
#[test]
fn s10_5_an_immediately_active_renewal_may_cost_the_client_its_key() {
    for place in 0..2 {
        let mut server = Server::new(k_shared(16));
        let variant = both(&mut server)[place].clone();
        assert_eq!(attacked(&variant, &mut server, &mut |_, message| vec![message]), Ok(()));
        let old = server.keys[KEY_ID].clone();
        server.enrolment().spent = false;
        let offer = renewing(offer(&server.k), &old);
        let mut link = |pass: Pass, message| match pass {
            Pass::ServerFinished => vec![b"<a/>".to_vec()],
            _ => vec![message],
        };
        let rng = &mut SeededRandom::new(b"renewal");
        let run = run_variant(&variant, offer, &mut server, &mut link, rng, &mut 0);
        assert_eq!(judge(&server, Some(&old), run.end.key()), Ok(()), "{variant:?}");
        server.before.clear();
        assert_eq!(judge(&server, Some(&old), run.end.key()), Err(Mismatch::OldKey), "{variant:?}");
    }
}
