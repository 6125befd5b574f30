//! A link that drops, repeats, reorders, truncates, flips, swaps and downgrades, over seeds.

use dskpp::algorithm::MacAlgorithm;
use dskpp::message::{Request, Response};
use dskpp_crypto::{Random, SeededRandom};

use crate::pair::*;

const PASSES: [Pass; 4] = [Pass::ClientHello, Pass::ServerHello, Pass::ClientNonce, Pass::ServerFinished];

/// What the adversary does to one message of a run.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Nothing,
    Drop,
    Repeat,
    Truncate,
    Flip,
    /// The same message of another run in its place.
    Swap,
    /// Another message of this run in its place.
    Reorder,
    /// Text inserted.
    Insert,
}

const DEEDS: [Deed; 8] =
    [Deed::Nothing, Deed::Drop, Deed::Repeat, Deed::Truncate, Deed::Flip, Deed::Swap, Deed::Reorder, Deed::Insert];

fn number(rng: &mut SeededRandom, below: usize) -> usize {
    let octets: [u8; 8] = rng.bytes(8).try_into().unwrap();
    (u64::from_be_bytes(octets) % below as u64) as usize
}

impl Deed {
    fn on(self, message: Vec<u8>, other: &[u8], earlier: &[u8], rng: &mut SeededRandom) -> Vec<Vec<u8>> {
        let at = number(rng, message.len());
        match self {
            Deed::Nothing => vec![message],
            Deed::Drop => Vec::new(),
            Deed::Repeat => vec![message.clone(), message],
            Deed::Truncate => vec![message[..at].to_vec()],
            Deed::Flip => {
                let mut changed = message;
                changed[at] ^= 1 << number(rng, 8);
                vec![changed]
            }
            Deed::Swap => vec![other.to_vec()],
            Deed::Reorder => vec![earlier.to_vec()],
            Deed::Insert => vec![[&message[..at], &b" <!-- -->AAAA"[number(rng, 12)..], &message[at..]].concat()],
        }
    }
}

#[test]
fn s10_2_whatever_the_link_does_the_client_never_takes_a_key_that_the_server_does_not_have() {
    let other = run(offer(&k_server()), &mut { Server::new(k_server()) }).messages;
    let mut accepted = 0;
    for seed in 0..600_u32 {
        let mut rng = SeededRandom::new(&seed.to_be_bytes());
        let (pass, deed) = (PASSES[number(&mut rng, 4)], DEEDS[number(&mut rng, DEEDS.len())]);
        let k = if seed % 3 == 0 { k_shared(16) } else { k_server() };
        let mut server = Server::new(k);
        server.rng = SeededRandom::new(&seed.to_le_bytes());
        let offer = offer(&server.k);
        let (mut changed, mut earlier) = (false, b"<a/>".to_vec());
        let run = run_over(offer, &mut server, &mut |at, message| {
            if at != pass {
                earlier.clone_from(&message);
                return vec![message];
            }
            let place = PASSES.iter().position(|pass| *pass == at).unwrap();
            let delivered = deed.on(message.clone(), &other[place], &earlier, &mut rng);
            changed = delivered.last() != Some(&message);
            delivered
        });
        let what = format!("seed {seed}: {deed:?} on {pass:?}: {:?}", run.end);
        assert_eq!(server.has_spent_the_code(), !server.keys.is_empty(), "{what}");
        for response in run.messages.iter().skip(1).step_by(2) {
            assert!(Response::read(response).is_ok(), "every answer of the server can be read: {what}");
        }
        let End::Provisioned(key) = run.end else {
            assert!(changed, "an untouched run succeeds: {what}");
            continue;
        };
        accepted += 1;
        // A ServerHello of another run that answers the same offer is as good as this run's: its session rides in it.
        let as_good = matches!((deed, pass), (Deed::Swap, Pass::ServerHello));
        assert!(!changed || pass == Pass::ServerFinished || as_good, "{what}");
        let stored = &server.keys[KEY_ID];
        assert_eq!(key.keys.k_mac, stored.k_mac, "{what}");
        // RFC 6063 §10.2.2: the MAC does not protect the key package, so its parameters may have been changed.
        let len = key.keys.k_token.len().min(stored.k_token.len());
        assert_eq!(key.keys.k_token.prefix(len), stored.k_token.prefix(len), "{what}");
    }
    assert!((100..500).contains(&accepted), "{accepted} of 600 runs succeeded: the link is neither idle nor a wall");
}

#[test]
fn s10_2_2_a_downgrade_of_the_clients_list_is_found_out() {
    let sha256 = format!("<dskpp:Algorithm>{}</dskpp:Algorithm>", MacAlgorithm::PrfSha256.uri());
    let mut server = Server::new(k_server());
    let run = run_over(offer(&k_server()), &mut server, &mut replacing(Pass::ClientHello, &sha256, ""));
    assert_eq!(between(&run.messages[1], "<dskpp:MacAlgorithm>", "<"), MacAlgorithm::PrfAes128.uri());
    assert_eq!(run.failed(), dskpp::client::Failed::WrongConfirmation);
}

#[test]
fn s4_1_1_a_man_in_the_middle_with_his_own_public_key_gets_no_key_from_the_server() {
    let his = {
        let mut modulus = SeededRandom::new(b"his").bytes(256);
        (modulus[0], modulus[255]) = (0xC1, 0xB3);
        modulus
    };
    let mut server = Server::new(k_server());
    let run = run_over(offer(&k_server()), &mut server, &mut |pass, message| {
        if pass != Pass::ServerHello {
            return vec![message];
        }
        let Ok(Response::ServerHello(mut hello)) = Response::read(&message) else { panic!() };
        let body = hello.body.as_mut().unwrap();
        body.encryption_key.rsa_key_value.as_mut().unwrap().modulus.clone_from(&his);
        vec![hello.write()]
    });
    assert_eq!(run.failed(), dskpp::client::Failed::Refused(dskpp::status::Status::AuthenticationDataInvalid));
    assert!(!server.has_spent_the_code());
}

#[test]
fn s10_2_2_an_encrypted_nonce_of_somebody_elses_is_refused() {
    let other = run(offer(&k_server()), &mut { Server::new(k_server()) }).messages;
    let Ok(Request::ClientNonce(other)) = Request::read(&other[2]) else { panic!() };
    let mut server = Server::new(k_server());
    server.rng = SeededRandom::new(b"another server");
    let run = run_over(offer(&k_server()), &mut server, &mut |pass, message| match Request::read(&message) {
        Ok(Request::ClientNonce(mut nonce)) if pass == Pass::ClientNonce => {
            nonce.encrypted_nonce.clone_from(&other.encrypted_nonce);
            nonce.encrypted_nonce[3] ^= 1;
            vec![nonce.write()]
        }
        _ => vec![message],
    });
    assert_eq!(run.failed(), dskpp::client::Failed::Refused(dskpp::status::Status::AuthenticationDataInvalid));
    assert!(server.keys.is_empty());
}
