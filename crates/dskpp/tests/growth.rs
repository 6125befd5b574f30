//! The cost of reading is linear: every input here, when doubled, takes at most 2.2 times the
//! instructions, and none takes many times those of an ordinary document of the same length.
//!
//! Valgrind counts the instructions, running this program once more for each document. Without valgrind, nothing is
//! measured and the test says so, unless `DSKPP_PEER_CHECKS=required`.
//!
//! `GROWTH_ONLY=name` measures the inputs whose name contains this, and `--nocapture` shows all figures.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "growth/containers.rs"]
mod containers;
#[path = "growth/inputs.rs"]
mod inputs;

use std::path::Path;
use std::process::Command;

use containers::CONTAINERS;
use dskpp::key_package::file;
use dskpp::message::Request;
use dskpp_crypto::SigningKey;
use inputs::{INPUTS, Input, Kind};
use pskc::signature::{Canonicalization, VerifyOptions, sign, verify};
use pskc::{KeyContainer, ParallelReader};

/// The most instructions for twice the length, as a factor.
const MOST_GROWTH: f64 = 2.2;
/// The most instructions compared with an ordinary document of the same kind and length, as a factor.
const MOST_BESIDE_USUAL: f64 = 10.0;

/// The kind of the document, and the name of the test that reads it.
const DOCUMENT: &str = "GROWTH_DOCUMENT";

#[test]
fn p25_twice_the_length_takes_at_most_2_2_times_the_instructions() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        assert!(std::env::var("DSKPP_PEER_CHECKS").as_deref() != Ok("required"), "valgrind is not installed");
        println!("not checked: valgrind is not installed");
        return;
    }
    let only = std::env::var("GROWTH_ONLY").unwrap_or_default();
    let folder = tempfile::tempdir().unwrap();
    let mut faults = Vec::new();
    println!("{:54} {:>9} {:>6} {:>7}", "", "per octet", "growth", "beside");
    for kind in Kind::ALL {
        let usual = kind.usual();
        let base = instructions(&usual, &(usual.document)(0), folder.path());
        let usual = Cost::of(&usual, base, folder.path());
        println!("{:54} {:9.0} {:6.2}", format!("{kind:?}: a usual one"), usual.per_octet, usual.growth);
        for input in INPUTS.iter().chain(CONTAINERS).filter(|input| input.kind == kind && input.name.contains(&only)) {
            let cost = Cost::of(input, base, folder.path());
            let beside = cost.per_octet / usual.per_octet;
            let line = format!("{:54} {:9.0} {:6.2} {beside:7.1}", input.name, cost.per_octet, cost.growth);
            println!("{line}");
            if cost.growth > MOST_GROWTH || beside > MOST_BESIDE_USUAL {
                faults.push(line);
            }
        }
    }
    assert!(faults.is_empty(), "instructions per octet, growth, beside a usual document:\n{}", faults.join("\n"));
}

/// The cost of reading an input.
struct Cost {
    /// Instructions per octet of the longer document.
    per_octet: f64,
    /// Instructions for the longer document, relative to one half as long.
    growth: f64,
}

impl Cost {
    /// `base`: the instructions for an almost empty document.
    ///
    /// How far the threads of the parallel reader come before they see an error depends on when they run: so a growth
    /// that is too large has to show three times.
    fn of(input: &Input, base: u64, folder: &Path) -> Self {
        let measured = || Self::once(input, base, folder);
        let is_linear = |cost: &Self| cost.growth <= MOST_GROWTH;
        Some(measured()).filter(is_linear).or_else(|| Some(measured()).filter(is_linear)).unwrap_or_else(measured)
    }

    fn once(input: &Input, base: u64, folder: &Path) -> Self {
        let len = input.kind.len();
        let count = |len| instructions(input, &(input.document)(len), folder).saturating_sub(base).max(1) as f64;
        let (once, twice) = std::thread::scope(|scope| {
            let once = scope.spawn(|| count(len));
            let twice = count(2 * len);
            (once.join().unwrap(), twice)
        });
        Self { per_octet: twice / (2 * len) as f64, growth: twice / once }
    }
}

/// The instructions of this program for reading a document, including startup and exit.
fn instructions(Input { kind, refused, .. }: &Input, document: &str, folder: &Path) -> u64 {
    let path = folder.join(format!("{}.xml", document.len()));
    let refused = if *refused { "refused " } else { "" };
    std::fs::write(&path, document).unwrap();
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "read_one_document", "--test-threads=1"])
        .env(DOCUMENT, format!("{refused}{kind:?}:{}", path.display()))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}{told}", String::from_utf8_lossy(&output.stdout));
    let collected = told.lines().find_map(|line| line.split_once("Collected : ")).unwrap().1;
    collected.trim().parse().unwrap()
}

/// The test that valgrind runs for [`instructions`].
#[test]
#[ignore = "reads what DOCUMENT names, under valgrind"]
fn read_one_document() {
    let document = std::env::var(DOCUMENT).unwrap();
    let (kind, path) = document.split_once(':').unwrap();
    let document = std::fs::read(path).unwrap();
    match kind {
        "refused Message" => _ = Request::read(&document).unwrap_err(),
        "refused File" => _ = KeyContainer::from_xml(&document).unwrap_err(),
        "refused Container" => _ = file::open(&document, None).unwrap_err(),
        "Container" => _ = file::open(&document, None).unwrap(),
        "Message" => _ = Request::read(&document).unwrap(),
        "File" => _ = KeyContainer::from_xml(&document).unwrap().to_xml(),
        "Lenient" => _ = KeyContainer::from_xml_lenient(&document).unwrap().0.to_xml(),
        "Parallel" => drop(ParallelReader::new(std::io::Cursor::new(document)).unwrap().finish().unwrap()),
        "Signed" => {
            let key = include_str!("../../pskc/tests/data/signature/p256.key");
            let key = SigningKey::from_pem(key).unwrap();
            let signed = sign(&document, &key, &[], Canonicalization::Exclusive).unwrap();
            verify(&signed, &VerifyOptions::with_key(key.public())).unwrap();
        }
        other => panic!("{other}"),
    }
}
