//! Runs are the same octet for octet with each back end of `dskpp-crypto`, so a client on one and a server on the
//! other agree: the hashes here were computed with AWS-LC, and the tests run with both.

use data_encoding::HEXLOWER;
use dskpp::algorithm::{EncryptionAlgorithm, MacAlgorithm, ProtectionMethod};
use dskpp_crypto::{SeededRandom, Sha256};

use crate::pair::*;

/// The hash of a run's messages and of its keys.
fn recorded(
    mut server: Server,
    variant: &Variant,
    mac: &MacAlgorithm,
    encryption: Option<EncryptionAlgorithm>,
) -> String {
    let mut offer = offer(&server.k);
    offer.mac_algorithms = vec![mac.clone()];
    offer.encryption_algorithms = encryption.map_or(offer.encryption_algorithms, |only| vec![only]);
    let rng = &mut SeededRandom::new(b"a recorded run");
    let run = run_variant(variant, offer, &mut server, &mut |_, message| vec![message], rng, &mut 0);
    let messages = run.messages.clone();
    let keys = run.provisioned().keys;
    let parts = messages.iter().map(Vec::as_slice).chain([keys.k_token.expose(), keys.k_mac.expose()]);
    HEXLOWER.encode(&Sha256::digest(&parts.collect::<Vec<_>>())[..8])
}

const MACS: [MacAlgorithm; 2] = [MacAlgorithm::PrfAes128, MacAlgorithm::PrfSha256];

#[test]
fn four_pass_runs_are_those_that_were_recorded() {
    use EncryptionAlgorithm::*;
    let mut runs = Vec::new();
    for (encryption, k) in [
        (Rsa15, k_server()),
        (RsaOaepMgf1p, k_server()),
        (PrfAes128, k_shared(16)),
        (PrfSha256, k_shared(64)),
        (Aes192Cbc, k_shared(24)),
        (KwAes256, k_shared(32)),
    ] {
        for mac in &MACS {
            runs.push(recorded(Server::new(k.clone()), &Variant::FourPass, mac, Some(encryption.clone())));
        }
    }
    assert_eq!(runs, FOUR_PASS);
}

const FOUR_PASS: [&str; 12] = [
    "d05dc6f8feeb3a02",
    "9ec892d4938f37ed",
    "35048bbd1f831868",
    "dac9b3e5f6d346f1",
    "5b2cc934cfcbaa9f",
    "4184683c9a954906",
    "7efba354daf205aa",
    "1eb31287a10d2503",
    "adbe9449c6f06296",
    "33dc7a4e4a37d32f",
    "16428157b355b9d4",
    "12f81558c72dd464",
];

#[test]
fn two_pass_runs_are_those_that_were_recorded() {
    let mut runs = Vec::new();
    for method in [ProtectionMethod::Transport, ProtectionMethod::Wrap, ProtectionMethod::PassphraseWrap] {
        for mac in &MACS {
            let mut server = Server::new(k_server());
            let variant = Variant::TwoPass(protections(&method, &mut server));
            runs.push(recorded(server, &variant, mac, None));
        }
    }
    assert_eq!(runs, TWO_PASS);
}

const TWO_PASS: [&str; 6] = [
    "166e65e0d2b0f2ee",
    "319c753bc1ae29ff",
    "cb026ef78aa14915",
    "84e29069a0cda03b",
    "2841e18c03894cad",
    "c0b16bece3099a1f",
];
