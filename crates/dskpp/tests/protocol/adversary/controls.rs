//! The judge can fail: clients without checks, under the same attacks, end with a key other than the
//! server's.

use dskpp::algorithm::{EncryptionAlgorithm, MacAlgorithm, ProtectionMethod};
use dskpp::client::{ClientProtection, Failed, FourPass, TwoPass};
use dskpp::key_schedule::{self, RunKeys};
use dskpp::message::{Response, ServerFinishedBody};
use dskpp::prf::Prf;
use dskpp_crypto::{Random, SeededRandom};
use pskc::{DecryptionKey, Opener, OpenerOptions, Value};

use super::deeds::number;
use super::world::{Mismatch, judge, triggered};
use crate::pair::*;

/// Randomness that records its output.
struct Remembered(SeededRandom, Vec<Vec<u8>>);

impl Random for Remembered {
    fn fill(&mut self, out: &mut [u8]) {
        self.0.fill(out);
        self.1.push(out.to_vec());
    }
}

/// Changes an octet in the base64 of the element `name`, which stays valid base64.
fn bent(message: &[u8], name: &str, rng: &mut SeededRandom) -> Vec<u8> {
    let text = std::str::from_utf8(message).unwrap();
    let begin = text.find(name).map(|at| at + text[at..].find('>').unwrap() + 1).unwrap_or_else(|| panic!("{name}"));
    let len = text[begin..].find('<').unwrap() - 4; // the end may be padding
    let at = begin + number(rng, len);
    let mut changed = message.to_vec();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    changed
}

fn finished(response: &[u8]) -> ServerFinishedBody {
    match Response::read(response) {
        Ok(Response::ServerFinished(finished)) => finished.body.unwrap(),
        other => panic!("no key: {other:?}"),
    }
}

/// After a trigger, only MAC 1 detects a changed encrypted R_C.
#[test]
fn control_a_four_pass_client_without_the_confirmation_is_caught() {
    for seed in 0..200_u32 {
        let rng = &mut SeededRandom::new(&seed.to_be_bytes());
        let mut server = Server::new(k_shared(16));
        let mut offer = with_mac(offer(&server.k), MacAlgorithm::PrfSha256);
        triggered(&mut offer, &mut server, false);
        let (request, state) = FourPass::start(offer, rng);
        let response = server.receive(&request).unwrap();
        let Ok(Response::ServerHello(hello)) = Response::read(&response) else { panic!() };
        let choice = state.receive(&response).unwrap();
        let k = client_k(&choice, &server).unwrap();
        let mut remembered = Remembered(SeededRandom::new(&seed.to_le_bytes()), Vec::new());
        let (request, state) = choice.proceed(k.clone(), &mut remembered).unwrap();
        let response = server.receive(&bent(&request, "EncryptedNonce", rng)).unwrap();
        finished(&response);
        let r_c = remembered.1.swap_remove(0).into();
        let r_s = hello.body.unwrap().r_s;
        let believed: RunKeys = key_schedule::agree(Prf::Sha256, &r_c, k.octets(), &r_s, 20).unwrap();
        assert_eq!(judge(&server, None, Some(&believed)), Err(Mismatch::NewKey), "seed {seed}");
        assert_eq!(state.receive(&response).unwrap_err(), Failed::WrongConfirmation, "seed {seed}");
    }
}

/// RSA v1.5 does not detect a changed ciphertext (profile P20): it decrypts to another K_PROV.
#[test]
fn control_a_two_pass_client_without_the_confirmation_is_caught() {
    for seed in 0..100_u32 {
        let rng = &mut SeededRandom::new(&seed.to_be_bytes());
        let mut server = Server::new(k_shared(16));
        server.policy.encryption_algorithms = vec![EncryptionAlgorithm::Rsa15];
        let protections = protections(&ProtectionMethod::Transport, &mut server);
        let ClientProtection::Transport { key, .. } = protections[0].clone() else { panic!() };
        let offer = with_mac(offer(&server.k), MacAlgorithm::PrfSha256);
        let (request, state) = TwoPass::start(offer, protections, rng).unwrap();
        let response = server.receive(&request).unwrap();
        let response = bent(&response, "CipherValue", rng);
        let container = finished(&response).key_package.content.container().unwrap().clone();
        let mut options = OpenerOptions::default();
        options.hidden_len = Some(64);
        let unlock = DecryptionKey::PrivateKey(key);
        let mut opener = Opener::new(container.encryption_key.as_ref(), None, &unlock, options).unwrap();
        let mut data = container.key_packages[0].key.clone().unwrap().data.unwrap();
        opener.open(&mut data).unwrap();
        let k_prov = data.secret.as_ref().and_then(Value::plain).unwrap();
        let believed = key_schedule::take(Prf::Sha256, k_prov, 20).unwrap();
        assert_eq!(judge(&server, None, Some(&believed)), Err(Mismatch::NewKey), "seed {seed}");
        assert_eq!(state.receive(&response).unwrap_err(), Failed::WrongConfirmation, "seed {seed}");
    }
}
