//! The adversary's actions on one message. It has no keys and cannot compute MACs; anything else is possible.

use dskpp::algorithm::{EncryptionAlgorithm, MacAlgorithm, PackageFormat};
use dskpp::message::{ClientHello, ProtocolVariants, Request, Response};
use dskpp_crypto::{Random, SeededRandom};

use crate::pair::Pass;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Nothing,
    Drop,
    Repeat,
    Truncate,
    Flip,
    /// Replace it by a message of another session of this server.
    Swap,
    /// Replace it by another message of this run.
    Reorder,
    /// Insert text.
    Insert,
    /// Remove or change an entry of a list, a choice or a proof.
    Downgrade,
    /// Send an old request too, before or after; only the answer to the last request is delivered.
    Replay,
}

pub(super) const DEEDS: [Deed; 10] = [
    Deed::Nothing,
    Deed::Drop,
    Deed::Repeat,
    Deed::Truncate,
    Deed::Flip,
    Deed::Swap,
    Deed::Reorder,
    Deed::Insert,
    Deed::Downgrade,
    Deed::Replay,
];

/// What it has seen.
pub(super) struct Loot {
    /// Messages of other sessions.
    pub(super) others: Vec<(Pass, Vec<u8>)>,
    /// Messages of this session so far.
    pub(super) seen: Vec<Vec<u8>>,
}

pub(super) fn number(rng: &mut SeededRandom, below: usize) -> usize {
    let octets: [u8; 8] = rng.bytes(8).try_into().unwrap();
    (u64::from_be_bytes(octets) % below.max(1) as u64) as usize
}

fn one_of<'a, T>(rng: &mut SeededRandom, all: &[&'a T]) -> Option<&'a T> {
    all.get(number(rng, all.len())).copied()
}

impl Deed {
    /// What is delivered instead of `message`.
    pub(super) fn on(self, pass: Pass, message: Vec<u8>, loot: &Loot, rng: &mut SeededRandom) -> Vec<Vec<u8>> {
        let at = number(rng, message.len());
        let of = |wanted: &dyn Fn(Pass) -> bool, rng: &mut SeededRandom| {
            let others: Vec<_> = loot.others.iter().filter(|(pass, _)| wanted(*pass)).map(|(_, other)| other).collect();
            one_of(rng, &others).cloned().unwrap_or_else(|| b"<a/>".to_vec())
        };
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
            Deed::Swap => match number(rng, 4) {
                0 => vec![of(&|_| true, rng)],
                _ => vec![of(&|other| other == pass, rng)],
            },
            Deed::Reorder => {
                let seen: Vec<_> = loot.seen.iter().collect();
                vec![one_of(rng, &seen).cloned().unwrap_or_default()]
            }
            Deed::Insert => vec![[&message[..at], &b" <!-- -->AAAA"[number(rng, 12)..], &message[at..]].concat()],
            Deed::Downgrade => vec![downgraded(message, rng)],
            Deed::Replay => {
                let is_request = |pass| matches!(pass, Pass::ClientHello | Pass::ClientNonce);
                let old = of(&is_request, rng);
                if number(rng, 2) == 0 { vec![old, message] } else { vec![message, old] }
            }
        }
    }
}

fn downgraded(message: Vec<u8>, rng: &mut SeededRandom) -> Vec<u8> {
    match (Request::read(&message), Response::read(&message)) {
        (Ok(Request::ClientHello(mut hello)), _) => {
            lesser(&mut hello, rng);
            hello.write()
        }
        (Ok(Request::ClientNonce(mut nonce)), _) => {
            match number(rng, 4) {
                0 => nonce.authentication_data = None,
                1 => nonce.extensions.server_info = None,
                2 => nonce.encrypted_nonce.reverse(),
                _ => {
                    if let Some(data) = &mut nonce.authentication_data {
                        data.authentication_code_mac.iteration_count = None;
                    }
                }
            }
            nonce.write()
        }
        (_, Ok(Response::ServerHello(mut hello))) => {
            if let Some(body) = &mut hello.body {
                match number(rng, 5) {
                    0 => body.mac_algorithm = other_prf(&body.mac_algorithm),
                    1 => body.encryption_algorithm = EncryptionAlgorithm::Rsa15,
                    2 => body.encryption_algorithm = EncryptionAlgorithm::PrfAes128,
                    3 => body.mac = None,
                    _ => body.r_s.reverse(),
                }
            }
            hello.write()
        }
        (_, Ok(Response::ServerFinished(mut finished))) => {
            if let Some(body) = &mut finished.body {
                match number(rng, 5) {
                    0 => body.mac.algorithm = body.mac.algorithm.as_ref().map(other_prf),
                    1 => body.mac.algorithm = None,
                    2 => body.authentication_data = None,
                    3 => body.key_package.key_protection_method = None,
                    _ => body.key_package.server_id = Some("https://evil.example".into()),
                }
            }
            finished.write()
        }
        _ => message,
    }
}

fn other_prf(prf: &MacAlgorithm) -> MacAlgorithm {
    match prf {
        MacAlgorithm::PrfAes128 => MacAlgorithm::PrfSha256,
        _ => MacAlgorithm::PrfAes128,
    }
}

/// An offer with a shorter or reordered list, or without one of its proofs.
fn lesser(hello: &mut ClientHello, rng: &mut SeededRandom) {
    let variants = hello.supported_protocol_variants.as_mut();
    let methods = |variants: Option<&mut ProtocolVariants>, change: &dyn Fn(&mut Vec<_>)| {
        if let Some(methods) = variants.and_then(|variants| variants.two_pass.as_mut()) {
            change(methods);
        }
    };
    match number(rng, 15) {
        0 => drop(hello.supported_encryption_algorithms.drain(..1)),
        1 => hello.supported_encryption_algorithms.reverse(),
        2 => hello.supported_encryption_algorithms.truncate(1),
        3 => drop(hello.supported_mac_algorithms.drain(..1)),
        4 => hello.supported_mac_algorithms.reverse(),
        5 => hello.supported_mac_algorithms = vec![MacAlgorithm::PrfAes128],
        6 => drop(hello.supported_key_types.drain(..1)),
        7 => hello.supported_protocol_variants = None,
        8 => variants.into_iter().for_each(|variants| variants.four_pass ^= true),
        9 => variants.into_iter().for_each(|variants| variants.two_pass = None),
        10 => methods(variants, &|methods| methods.reverse()),
        11 => methods(variants, &|methods| drop(methods.drain(..1))),
        12 => match &mut hello.supported_key_packages {
            Some(formats) if formats.len() > 1 => drop(formats.drain(..1)),
            formats => *formats = Some(vec![PackageFormat::Skpc, PackageFormat::Pskc]),
        },
        13 => hello.key_id = None,
        _ => hello.authentication_data = None,
    }
}
