//! Runs of a second implementation, continued by our client.

use super::*;
use crate::algorithm::{EncryptionAlgorithm, MacAlgorithm};
use crate::client::config::Renewal;
use crate::vectors::{Case, four_pass};

fn awaiting_server_hello(case: &Case) -> AwaitingServerHello {
    let code =
        crate::auth_code::AuthCode::new(case.text("client_id"), &Secret::from_slice(case.text("password").as_bytes()));
    let credential = Credential::Code(code.expect("a code"));
    let mut offer = RunConfig::new(case.text("url_s"), credential, vec![KeyType::from_uri(case.text("key_type"))]);
    offer.encryption_algorithms = vec![EncryptionAlgorithm::from_uri(case.text("encryption_algorithm"))];
    offer.mac_algorithms = vec![MacAlgorithm::from_uri(case.text("mac_algorithm"))];
    offer.renewal = case.has("k_mac_old").then(|| Renewal::new(case.text("key_id"), case.secret("k_mac_old")));
    let mut hash = Sha256::new();
    hash.update(case.message("client_hello"));
    AwaitingServerHello { offer, client_nonce: Vec::new(), hash }
}

/// The state after the vector's ClientNonce, whose R_C and padding are fixed.
fn awaiting_server_finished(case: &Case, choice: ChooseK) -> AwaitingServerFinished {
    let mut hash = choice.hash;
    hash.update(case.message("client_nonce"));
    AwaitingServerFinished {
        session_id: choice.session_id,
        message_hash: hash.finish(),
        prf: choice.prf,
        key_type: choice.hello.key_type,
        r_c: case.secret("r_c"),
        r_s: choice.hello.r_s,
        k: Secret::from_slice(case.client_k().octets()),
        renews: choice.offer.renewal.map(|renewal| renewal.key_id),
    }
}

#[test]
fn s4_2_5_vectors_the_client_accepts_the_confirmation_and_gets_the_same_key() {
    for case in four_pass() {
        let choice = awaiting_server_hello(&case).receive(case.message("server_hello")).expect("a sound ServerHello");
        assert_eq!(choice.hello.r_s, case.hex("r_s"));
        let data =
            authentication_data(&choice.offer, choice.prf, &case.secret("r_c"), &case.client_k(), &choice.hello.r_s);
        let proof = data.expect("usable").expect("a code was typed").authentication_code_mac;
        assert_eq!(proof.mac.value, case.hex("ad_mac"));
        let state = awaiting_server_finished(&case, choice);
        assert_eq!(state.message_hash.to_vec(), case.hex("message_hash"));
        let provisioned = state.receive(case.message("server_finished")).expect("the confirmation is right");
        assert_eq!(provisioned.keys.k_token, case.secret("k_token"));
        assert_eq!(provisioned.keys.k_mac, case.secret("k_mac"));
        assert_eq!(provisioned.key_id, case.text("key_id"));
        assert_eq!(provisioned.server_id.as_deref(), Some(case.text("server_id")));
    }
}

#[test]
fn s4_2_5_any_changed_octet_before_the_last_message_invalidates_the_confirmation() {
    let case = &four_pass()[0];
    for earlier in ["client_hello", "server_hello", "client_nonce"] {
        let mut octets = case.message(earlier).to_vec();
        let middle = octets.len() / 2;
        octets[middle] ^= 1;
        let messages: Vec<&[u8]> = ["client_hello", "server_hello", "client_nonce"]
            .map(|name| if name == earlier { &octets[..] } else { case.message(name) })
            .to_vec();
        let choice = awaiting_server_hello(case).receive(case.message("server_hello")).expect("a sound ServerHello");
        let mut state = awaiting_server_finished(case, choice);
        state.message_hash = key_schedule::message_hash(&messages);
        assert_eq!(state.receive(case.message("server_finished")).err(), Some(Failed::WrongConfirmation), "{earlier}");
    }
}

#[test]
fn s4_2_3_a_renewal_needs_the_servers_proof() {
    let renewal = crate::vectors::cases("renewal_four_pass");
    let case = &renewal[0];
    let hello = case.message("server_hello");
    let mut other = awaiting_server_hello(case);
    other.offer.renewal.as_mut().expect("a renewal").k_mac_old = Secret::new(vec![7; 32]);
    assert_eq!(other.receive(hello).err(), Some(Failed::NotAuthenticated), "another K_MAC'");
    let text = std::str::from_utf8(hello).expect("text");
    let (start, end) = (text.find("<dskpp:Mac ").expect("a MAC"), text.find("</dskpp:KeyProv").expect("an end"));
    let without = [&text[..start], &text[end..]].concat();
    assert_eq!(awaiting_server_hello(case).receive(without.as_bytes()).err(), Some(Failed::NotAuthenticated), "no MAC");
}
