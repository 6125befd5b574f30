//! A failed run leaves no secret in the client's memory (RFC 6063 §§3.3, 4.2.3, 4.2.5, 5.2.3).
//! The test reads the memory of this process, so the values to search for are kept masked.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};

use dskpp::algorithm::ProtectionMethod;
use dskpp::client::Failed;
use dskpp::key_schedule::RunKeys;
use dskpp::status::Status;
use dskpp_crypto::{Random, Secret, SeededRandom};

use crate::pair::{End, KEY_ID, Pass, Server, Variant, k_server, offer, protections, renewing, replacing, run_variant};

const MASK: u8 = 0xA5;

fn masked(octets: &[u8]) -> Vec<u8> {
    octets.iter().map(|octet| octet ^ MASK).collect()
}

/// Records the generated values, masked.
struct Recorded {
    random: SeededRandom,
    drawn: Vec<Vec<u8>>,
}

impl Random for Recorded {
    fn fill(&mut self, out: &mut [u8]) {
        self.random.fill(out);
        self.drawn.push(masked(out));
    }
}

/// Whether the writable memory of this process contains these octets.
fn is_in_memory(masked: &[u8]) -> bool {
    let mut memory = fs::File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut octets = Vec::new();
    maps.lines().filter(|line| line.contains(" rw")).any(|line| {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|address| u64::from_str_radix(address, 16).unwrap());
        octets.fill(0); // clears what was read before
        octets.resize(usize::try_from(to - from).unwrap(), 0);
        let read = memory.seek(SeekFrom::Start(from)).and_then(|_| memory.read_exact(&mut octets));
        let first = masked[0] ^ MASK;
        let is_at = |at: usize| {
            octets.get(at..at + masked.len()).is_some_and(|found| found.iter().zip(masked).all(|(a, b)| a ^ MASK == *b))
        };
        read.is_ok() && memchr::memchr_iter(first, &octets).any(is_at)
    })
}

/// A failing run of a client: returns K_TOKEN, K_MAC and, if secret, R_C.
fn secrets_of_failed(
    name: &str,
    change: (Pass, &str, &str),
    method: Option<ProtectionMethod>,
) -> Vec<(String, Vec<u8>)> {
    let mut server = Server::new(k_server());
    server.rng = SeededRandom::new(format!("server: {name}").as_bytes());
    let old = RunKeys {
        k_token: Secret::new(vec![0xD1; 20]),
        k_mac: SeededRandom::new(format!("old: {name}").as_bytes()).secret(32),
    };
    let variant = match method {
        None => Variant::FourPass,
        Some(method) => Variant::TwoPass(protections(&method, &mut server)),
    };
    let is_secret = matches!(variant, Variant::FourPass);
    let mut random = Recorded { random: SeededRandom::new(format!("client: {name}").as_bytes()), drawn: Vec::new() };
    let mut offer = offer(&server.k);
    if name.contains("renewal") {
        server.keys.insert(KEY_ID.into(), old.clone());
        server.enrolment().renews = true;
        offer = renewing(offer, &old);
    }
    let (pass, from, to) = change;
    let run = run_variant(&variant, offer, &mut server, &mut replacing(pass, from, to), &mut random, &mut 0);
    let End::Failed(why) = &run.end else { panic!("{name}: {:?}", run.end) };
    let as_meant = matches!(
        why,
        Failed::WrongConfirmation | Failed::NotAuthenticated | Failed::Refused(Status::Abort) | Failed::Unreadable(_)
    );
    assert!(as_meant, "{name}: {why:?}");
    let mut secrets = Vec::new();
    if let Some(keys) = server.keys.get(KEY_ID).filter(|keys| *keys != &old) {
        secrets.push((format!("{name}: K_TOKEN"), masked(keys.k_token.expose())));
        secrets.push((format!("{name}: K_MAC"), masked(keys.k_mac.expose())));
    }
    if is_secret {
        secrets.extend(
            random.drawn.into_iter().filter(|drawn| drawn.len() >= 16).map(|drawn| (format!("{name}: drawn"), drawn)),
        );
    }
    secrets
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn s3_3_s4_2_3_s4_2_5_s5_2_3_nonces_keys_and_secrets_of_a_failed_run_must_be_deleted() {
    const WRONG_MAC: (Pass, &str, &str) = (Pass::ServerFinished, "</dskpp:Mac>", "AAAA</dskpp:Mac>");
    let mut secrets = Vec::new();
    for (name, change, method) in [
        ("four-pass, wrong confirmation", WRONG_MAC, None),
        ("four-pass, refused", (Pass::ServerFinished, "Status=\"Success\"", "Status=\"Abort\""), None),
        ("renewal, no proof", (Pass::ServerHello, "</dskpp:Mac>", "AAAA</dskpp:Mac>"), None),
        ("key transport, wrong confirmation", WRONG_MAC, Some(ProtectionMethod::Transport)),
        ("key wrap, wrong confirmation", WRONG_MAC, Some(ProtectionMethod::Wrap)),
        ("passphrase, wrong confirmation", WRONG_MAC, Some(ProtectionMethod::PassphraseWrap)),
    ] {
        secrets.extend(secrets_of_failed(name, change, method));
    }
    println!("{:?}", secrets.iter().map(|(what, octets)| (what, octets.len())).collect::<Vec<_>>());
    // Values that are present are found: the test can fail.
    let kept = masked(&secrets[0].1);
    assert!(is_in_memory(&secrets[0].1));
    drop(Secret::new(kept));
    let found: Vec<_> = secrets.iter().filter(|(_, octets)| is_in_memory(octets)).map(|(what, _)| what).collect();
    assert!(found.is_empty(), "{found:?}");
}
