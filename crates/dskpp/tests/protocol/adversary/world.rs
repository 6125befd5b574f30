//! Client and server as set up by a seed, and the judge of the outcome.

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, PackageFormat, ProtectionMethod};
use dskpp::auth_code::AuthCode;
use dskpp::client::{Credential, RunConfig};
use dskpp::key_package::PackageSpec;
use dskpp::key_schedule::RunKeys;
use dskpp::message::Trigger;
use dskpp::version::Version;
use dskpp_crypto::{Hash, Secret, SeededRandom};

use super::deeds::{Loot, number};
use crate::pair::*;

/// Earlier and concurrent clients.
const EARLIER: &str = "AC000001";
const NEIGHBOUR: &str = "AC000002";
const PASSES: [Pass; 4] = [Pass::ClientHello, Pass::ServerHello, Pass::ClientNonce, Pass::ServerFinished];

/// Client and server before the attacked run.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) variant: Variant,
    pub(super) offer: RunConfig,
    /// The key to renew.
    pub(super) old: Option<RunKeys>,
    pub(super) loot: Loot,
}

/// Server faults that the client cannot detect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// The client has a key that the server does not have.
    NewKey,
    /// The client has its old key, but the server has deleted it.
    OldKey,
}

/// Whether both sides agree: the client has the server's key, or its old one, which is still valid, or none.
///
/// `believed`: the key from the client's run.
pub(super) fn judge(server: &Server, old: Option<&RunKeys>, believed: Option<&RunKeys>) -> Result<(), Mismatch> {
    let newest = server.keys.get(KEY_ID);
    match (believed, old) {
        (Some(_), _) => (newest == believed).then_some(()).ok_or(Mismatch::NewKey),
        // After a renewal the old key is valid until a password of the new one is used, which this client cannot do.
        (None, Some(_)) => (server.before.get(KEY_ID).or(newest) == old).then_some(()).ok_or(Mismatch::OldKey),
        (None, None) => Ok(()),
    }
}

fn key_of(seed: &mut SeededRandom) -> PackageSpec {
    let plain = package(KeyType::Hotp);
    match number(seed, 8) {
        0 => PackageSpec { key_type: KeyType::Totp, hash: Some(Hash::Sha256), ..plain },
        1 => PackageSpec { key_type: KeyType::Totp, hash: Some(Hash::Sha512), period_s: Some(30), ..plain },
        2 => {
            let suite = Some("OCRA-1:HOTP-SHA256-6:QN08-PSHA1".to_owned());
            PackageSpec { key_type: KeyType::Ocra, suite, ..plain }
        }
        3 => PackageSpec { key_type: KeyType::Aes256Cbc, digits: None, ..plain },
        _ => plain,
    }
}

/// Only a fraction of the runs is slow: RSA in one of 16, PBKDF2 with 100,000 rounds in one of 128.
fn method_of(seed: &mut SeededRandom) -> ProtectionMethod {
    match number(seed, 128) {
        0 => ProtectionMethod::PassphraseWrap,
        1..=8 => ProtectionMethod::Transport,
        _ => ProtectionMethod::Wrap,
    }
}

fn offer_of(client_id: &str, server: &Server, key_type: &KeyType, seed: &mut SeededRandom) -> RunConfig {
    let mut offer = offer(&server.k);
    let code = AuthCode::new(client_id, &Secret::from_slice(PASSWORD.as_bytes())).unwrap();
    offer.credential = Credential::Code(code);
    offer.key_types = vec![key_type.clone()];
    match number(seed, 4) {
        0 => offer.mac_algorithms.reverse(),
        1 => offer.mac_algorithms.truncate(1),
        _ => {}
    }
    offer
}

/// The trigger of the run's own enrolment, instead of the code.
pub(super) fn triggered(offer: &mut RunConfig, server: &mut Server, renews: bool) {
    let data = trigger_data();
    server.trigger = Some((data.clone(), CLIENT_ID.to_owned()));
    offer.credential = Credential::Trigger(Box::new(Trigger {
        version: Version::V1_0,
        device_identifier_data: None,
        key_id: renews.then(|| KEY_ID.as_bytes().to_vec()),
        token_platform_info: None,
        authentication_data: data,
        server_url: Some(URL_S.into()),
    }));
}

impl World {
    /// The server has provisioned one key before, the one to renew if `renewal`; and another client has started or
    /// finished a run.
    pub(super) fn new(two_pass: bool, renewal: bool, seed: &mut SeededRandom) -> World {
        let is_rsa = !two_pass && number(seed, 16) == 0;
        let mut server = Server::for_key(if is_rsa { k_server() } else { k_shared(16) }, key_of(seed));
        server.rng = SeededRandom::new(&number(seed, usize::MAX).to_be_bytes());
        use EncryptionAlgorithm::{KwAes128, RsaOaep11, RsaOaepMgf1p};
        let weaker = number(seed, 2) == 0; // RSA v1.5 instead of OAEP, AES-CBC with a MAC instead of key wrap
        server
            .policy
            .encryption_algorithms
            .retain(|one| !(weaker && [KwAes128, RsaOaep11, RsaOaepMgf1p].contains(one)));
        let own = server.enrolment();
        (own.two_pass, own.renews) = (two_pass, renewal);
        let spec = own.package.clone();
        let key_type = spec.key_type.clone();
        for (client_id, key_id) in [(EARLIER, if renewal { KEY_ID } else { "EARLIER" }), (NEIGHBOUR, "NEIGHBOUR")] {
            let enrolment = Enrolment::new(PackageSpec { key_id: key_id.into(), ..spec.clone() });
            server.enrolments.insert(client_id.to_owned(), Enrolment { two_pass, ..enrolment });
        }
        let mut others = Vec::new();
        let wrap = variant(two_pass, false, &ProtectionMethod::Wrap, &mut server);
        for client_id in [EARLIER, NEIGHBOUR] {
            let offer = offer_of(client_id, &server, &key_type, seed);
            let stops = client_id == NEIGHBOUR && number(seed, 2) == 0;
            let stops = stops.then_some(if two_pass { Pass::ClientHello } else { Pass::ClientNonce });
            others.extend(watched(&wrap, offer, &mut server, stops, seed));
        }
        let old = server.keys.get(KEY_ID).cloned();
        assert_eq!(old.is_some(), renewal);
        let method = method_of(seed);
        let variant = variant(two_pass, number(seed, 5) == 0, &method, &mut server);
        let mut offer = offer_of(CLIENT_ID, &server, &key_type, seed);
        if number(seed, 4) == 0 && method != ProtectionMethod::PassphraseWrap {
            triggered(&mut offer, &mut server, renewal);
        }
        if two_pass && number(seed, 4) == 0 && cfg!(feature = "containers") {
            offer.package_formats = vec![PackageFormat::Pkcs12, PackageFormat::Skpc, PackageFormat::Pskc];
        }
        if let Some(old) = &old {
            offer = renewing(offer, old);
        }
        World { server, variant, offer, old, loot: Loot { others, seen: Vec::new() } }
    }
}

fn variant(two_pass: bool, either: bool, method: &ProtectionMethod, server: &mut Server) -> Variant {
    match (two_pass, either) {
        (_, true) => Variant::Either(protections(method, server)),
        (true, false) => Variant::TwoPass(protections(method, server)),
        (false, false) => Variant::FourPass,
    }
}

/// The messages of an unattacked run, except the request that the adversary `stops`: the server has not seen it
/// yet.
fn watched(
    variant: &Variant,
    offer: RunConfig,
    server: &mut Server,
    stops: Option<Pass>,
    rng: &mut SeededRandom,
) -> Vec<(Pass, Vec<u8>)> {
    let mut watched = Vec::new();
    let mut link = |pass: Pass, message: Vec<u8>| {
        watched.push((pass, message.clone()));
        match stops == Some(pass) {
            true => vec![b"<a/>".to_vec()],
            false => vec![message],
        }
    };
    let run = run_variant(variant, offer, server, &mut link, rng, &mut 0);
    assert!(matches!(run.end, End::Provisioned(_) | End::BadRequest), "{:?}", run.end);
    watched
}

/// The message that an action applies to.
pub(super) fn pass_of(two_pass: bool, seed: &mut SeededRandom) -> Pass {
    match two_pass {
        true => [Pass::ClientHello, Pass::ServerFinished][number(seed, 2)],
        false => PASSES[number(seed, 4)],
    }
}
