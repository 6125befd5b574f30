//! An adversary between client and server: it drops, repeats, reorders, truncates, flips, inserts, swaps messages between
//! sessions, replays those of an earlier run and downgrades offers and choices, 10,000 seeded runs per variant and kind.
//!
//! # What must hold
//! Both sides end with the same K_TOKEN and K_MAC, or the client has no new key: then its old one, if any, is
//! still valid at the server, which waits for a first password of the new key (RFC 6063 §10.5; a server
//! that replaces the key at once cannot guarantee that). The client never accepts as confirmed a key that the server does
//! not have.
//!
//! # What the MACs protect, and what they do not
//! MAC 1 is made with K_MAC over the hash of all messages before the last one. So the following are protected as the client
//! sent and received them: every list, every choice, R_S, the encrypted R_C, the authentication data. The last message is
//! not authenticated (RFC 6063 §10.2.2), except that
//! - K_MAC is confirmed by MAC 1, and ServerID enters it in two-pass (profile P8);
//! - K_TOKEN is not in MAC 1. In four-pass it is derived together with K_MAC, so both sides have the same one if
//!   they agree on its length. In two-pass it is encrypted together with K_MAC, which cannot be separated: a key
//!   wrap has its integrity check, AES-CBC in PSKC the value MAC (profile P26), RSA decrypts all or nothing;
//! - the length of K_TOKEN follows from the key type, and for TOTP and OCRA from the suite in the package. It is not
//!   protected: a flipped bit gives an unknown hash, which is refused, but an attacker who writes another suite into the
//!   package changes the truncation on one side (see `limits`);
//! - the key's `Id`, issuer, counter, digits and the like can be changed by an attacker.
//!
//! MAC 2 of a two-pass renewal is over ServerID and R_C, not over the package.

mod controls;
mod deeds;
mod limits;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use dskpp::algorithm::{MacAlgorithm, ProtectionMethod};
use dskpp::client::Credential;
use dskpp::message::{Request, Response};
use dskpp_crypto::{Random, SeededRandom};

use crate::pair::*;
use deeds::{DEEDS, Deed, number};
use world::{World, judge, pass_of};

const SEEDS: u32 = 10_000;

#[test]
fn s10_2_four_pass_ends_with_the_same_first_key_or_none() {
    attack(false, false);
}

#[test]
fn s10_2_four_pass_ends_with_the_same_renewed_key_or_with_the_old_one() {
    attack(false, true);
}

#[test]
fn s10_2_two_pass_ends_with_the_same_first_key_or_none() {
    attack(true, false);
}

#[test]
fn s10_2_two_pass_ends_with_the_same_renewed_key_or_with_the_old_one() {
    attack(true, true);
}

fn attack(two_pass: bool, renewal: bool) {
    let (mut ends, mut ways) = (BTreeMap::new(), BTreeMap::new());
    for seed in 0..SEEDS {
        let (end, way) = one_seed(two_pass, renewal, seed);
        *ends.entry(end).or_insert(0_u32) += 1;
        *ways.entry(way).or_insert(0_u32) += 1;
    }
    let variant = if two_pass { "two-pass" } else { "four-pass" };
    println!("{variant}, {}: {ends:?}, {ways:?}", if renewal { "renewal" } else { "first key" });
    let share = |end| ends.get(end).copied().unwrap_or_default() * 100 / SEEDS;
    assert!((15..75).contains(&share("at once")), "the link is neither idle nor a wall: {ends:?}");
    assert!(share("after a retransmission") >= 3 && share("refused, then lost") >= 3, "{ends:?}");
    let ways_that_must_be = if two_pass { &WAYS[1..] } else { &WAYS[..1] };
    assert!(ways_that_must_be.iter().all(|way| ways.contains_key(way)), "keys were sent in every way: {ways:?}");
}

/// The origin of the keys.
const WAYS: [&str; 4] = ["agreed", "transport", "wrap", "passphrase"];

fn way(end: &End) -> &'static str {
    let End::Provisioned(key) = end else { return "no key" };
    match &key.method {
        None => WAYS[0],
        Some(ProtectionMethod::Transport) => WAYS[1],
        Some(ProtectionMethod::Wrap) => WAYS[2],
        Some(_) => WAYS[3],
    }
}

/// An attacked run, and the client's next run over a clean link; returns the outcome and the origin of the key.
fn one_seed(two_pass: bool, renewal: bool, seed: u32) -> (&'static str, &'static str) {
    let rng = &mut SeededRandom::new(&[&[u8::from(two_pass), u8::from(renewal)], &seed.to_be_bytes()[..]].concat());
    let World { mut server, variant, offer, old, mut loot } = World::new(two_pass, renewal, rng);
    let mut deeds = BTreeMap::new();
    for _ in 0..=number(rng, 2) {
        deeds.insert(pass_of(two_pass, rng), DEEDS[number(rng, DEEDS.len())]);
    }
    let (mut touched, mut readable, mut again) = (BTreeSet::new(), true, 0);
    let link_rng = &mut SeededRandom::new(&[b"link", &seed.to_be_bytes()[..]].concat());
    let mut link = |pass: Pass, message: Vec<u8>| {
        let deed = deeds.get(&pass).copied().unwrap_or(Deed::Nothing);
        let delivered = deed.on(pass, message.clone(), &loot, link_rng);
        readable &= matches!(pass, Pass::ClientHello | Pass::ClientNonce) || Response::read(&message).is_ok();
        if delivered.last().is_some_and(|last| *last != message) {
            touched.insert(pass);
        }
        loot.seen.push(message);
        delivered
    };
    let run = run_variant(&variant, offer.clone(), &mut server, &mut link, rng, &mut again);
    let what = format!("seed {seed}, {variant:?}: {deeds:?}: {:?}", run.end);
    assert!(readable, "every answer of the server can be read: {what}");
    let key = run.end.key();
    assert_eq!(judge(&server, old.as_ref(), key), Ok(()), "{what}");
    // A ServerHello of another session that answers the same ClientHello is equivalent to this one's.
    let is_changed = |pass| touched.contains(&pass);
    let hello = is_changed(Pass::ClientHello) && !is_changed(Pass::ServerHello);
    let is_found_out = key.is_none() || again > 0 || !(hello || is_changed(Pass::ClientNonce));
    assert!(is_found_out, "a changed request is found out: {what}");
    if key.is_some() {
        return (if again == 0 { "at once" } else { "after a retransmission" }, way(&run.end));
    }
    let is_idle = deeds.values().all(|deed| matches!(deed, Deed::Nothing | Deed::Drop));
    assert!(!is_idle, "a loss alone ends no run: {what}");
    // The code is valid until used; then a new run gets nothing, whoever used it. After a trigger, a ClientHello
    // of two-pass is not fresh, so it requests the same answer again.
    let asks_again = two_pass && matches!(offer.credential, Credential::Trigger(_));
    let was_spent = server.has_spent_the_code();
    let next = run_variant(&variant, offer, &mut server, &mut |_, message| vec![message], rng, &mut 0);
    let what = format!("{what}, then {:?}", next.end);
    assert_eq!(judge(&server, old.as_ref(), next.end.key()), Ok(()), "{what}");
    assert!(if was_spent { asks_again || next.end.key().is_none() } else { next.end.key().is_some() }, "{what}");
    (if next.end.key().is_some() { "refused, then well" } else { "refused, then lost" }, way(&next.end))
}

#[test]
fn s10_2_2_a_downgrade_of_the_clients_list_is_detected() {
    let sha256 = format!("<dskpp:Algorithm>{}</dskpp:Algorithm>", MacAlgorithm::PrfSha256.uri());
    let mut server = Server::new(k_server());
    let run = run_over(offer(&k_server()), &mut server, &mut replacing(Pass::ClientHello, &sha256, ""));
    assert_eq!(between(&run.messages[1], "<dskpp:MacAlgorithm>", "<"), MacAlgorithm::PrfAes128.uri());
    assert_eq!(run.failed(), dskpp::client::Failed::WrongConfirmation);
}

#[test]
fn s4_1_1_a_man_in_the_middle_with_its_own_public_key_gets_no_key_from_the_server() {
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
fn s10_2_2_an_encrypted_nonce_of_another_client_is_refused() {
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
