//! Every kernel that the processor has, compared with AWS-LC.

use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::{Pbkdf2Prf, Random as _, SeededRandom, pbkdf2, pbkdf2_lanes, pbkdf2_many};

/// Lengths around the borders of blocks: of a key (64), and of a salt with its number and padding (51, 115).
const LENGTHS: [usize; 16] = [0, 1, 8, 20, 50, 51, 52, 59, 60, 63, 64, 65, 115, 116, 128, 300];

/// Password, salt and length of the output.
type Input = (Vec<u8>, Vec<u8>, usize);

fn derivations(inputs: &[Input]) -> Vec<Derivation<'_>> {
    inputs.iter().map(|(password, salt, len)| Derivation { password, salt, len: *len }).collect()
}

/// Compares each kernel with AWS-LC.
fn compare(prf: Pbkdf2Prf, count: u32, inputs: &[Input]) {
    let iterations = NonZeroU32::new(count).expect("not zero");
    let one = |(password, salt, len): &Input| pbkdf2(prf, password, salt, iterations, *len);
    let expected: Vec<_> = inputs.iter().map(one).collect();
    let all = derivations(inputs);
    let check = |what: &str, found: Vec<Secret>| {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(
                found.expose(),
                expected.expose(),
                "{what}, {prf:?}, {count} rounds, input {at} of {}",
                all.len()
            );
        }
    };
    check("the chosen kernels", pbkdf2_many(prf, iterations, &all));
    match prf {
        Pbkdf2Prf::HmacSha1 => {
            by_each(&SHA1, |kernel| check(kernel.name, SHA1.derive_by(|_| kernel, iterations, &all)))
        }
        _ => by_each(&SHA256, |kernel| check(kernel.name, SHA256.derive_by(|_| kernel, iterations, &all))),
    }
}

fn by_each<const W: usize>(hash: &WordHash<W>, each: impl Fn(&Kernel<W>)) {
    hash.supported().for_each(each);
}

const PRFS: [Pbkdf2Prf; 2] = [Pbkdf2Prf::HmacSha1, Pbkdf2Prf::HmacSha256];

#[test]
fn every_kernel_gives_what_aws_lc_gives_for_passwords_and_salts_at_the_borders_of_blocks() {
    let mut random = SeededRandom::new(&[1; 32]);
    for prf in PRFS {
        for password in LENGTHS {
            let salts = LENGTHS.iter().map(|salt| (random.bytes(password), random.bytes(*salt), 16));
            let inputs: Vec<_> = salts.collect();
            for count in [1, 2, 3] {
                compare(prf, count, &inputs);
            }
        }
    }
}

#[test]
fn every_kernel_fills_outputs_of_any_length() {
    let mut random = SeededRandom::new(&[2; 32]);
    for prf in PRFS {
        let lens = [0, 1, 16, 19, 20, 21, 31, 32, 33, 40, 64, 65, 200, 333];
        let inputs: Vec<_> = lens.iter().map(|len| (random.bytes(16), random.bytes(48), *len)).collect();
        for count in [1, 2, 50] {
            compare(prf, count, &inputs);
        }
    }
}

#[test]
fn every_kernel_takes_any_number_of_inputs_and_keeps_their_order() {
    let mut random = SeededRandom::new(&[3; 32]);
    for prf in PRFS {
        let inputs: Vec<_> = (0..35).map(|_| (random.bytes(16), random.bytes(288), 16)).collect();
        for number in 0..=inputs.len() {
            compare(prf, 5, &inputs[..number]);
        }
    }
}

#[test]
fn as_many_rounds_as_a_run_has() {
    let mut random = SeededRandom::new(&[4; 32]);
    for prf in PRFS {
        compare(prf, 100_000, &[(random.bytes(16), random.bytes(288), 16), (random.bytes(16), random.bytes(272), 16)]);
    }
}

#[test]
fn the_other_prfs_are_derived_one_after_another() {
    let (password, salt) = (b"password".to_vec(), b"salt".to_vec());
    let inputs = [(password, salt, 70), (b"other".to_vec(), Vec::new(), 16)];
    for prf in [Pbkdf2Prf::HmacSha384, Pbkdf2Prf::HmacSha512] {
        let iterations = NonZeroU32::new(3).expect("not zero");
        let expected = inputs.each_ref().map(|(password, salt, len)| pbkdf2(prf, password, salt, iterations, *len));
        assert_eq!(pbkdf2_many(prf, iterations, &derivations(&inputs)), expected);
        assert_eq!(pbkdf2_lanes(prf), 1);
    }
}

#[test]
fn the_fastest_kernel_is_chosen_for_what_waits() {
    let of = |name, lanes, from, is_supported| Kernel::<5> { name, lanes, from, is_supported, rounds: |_, _| {} };
    let kernels = Box::leak(Box::new([
        of("new", 16, 9, || false),
        of("wide", 8, 5, || true),
        of("narrow", 2, 2, || true),
        of("slow", 4, 3, || true),
    ]));
    let hash = WordHash { kernels, ..SHA1 };
    assert_eq!(hash.lanes(), 8);
    let chosen = |waiting| hash.fastest(waiting).map(|kernel| kernel.name);
    assert_eq!([0, 1].map(chosen), [None, None], "that is for AWS-LC");
    assert_eq!([2, 4, 5, 100].map(chosen), [Some("narrow"), Some("narrow"), Some("wide"), Some("wide")]);
    let two = [Derivation { password: b"a", salt: b"b", len: 16 }; 2];
    let iterations = NonZeroU32::new(2).expect("not zero");
    assert!(hash.derive(iterations, &two[..1]).is_none() && hash.derive(iterations, &two).is_some());
}

#[test]
fn lanes_are_wiped() {
    fn is_wiped<T: ZeroizeOnDrop>() {}
    is_wiped::<Lane<5>>();
    is_wiped::<Lane<8>>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_kernel_gives_what_aws_lc_gives(
        sha1: bool,
        count in 1..20_u32,
        inputs in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..200), proptest::collection::vec(any::<u8>(), 0..300), 0..100_usize),
            0..20,
        ),
    ) {
        compare(if sha1 { Pbkdf2Prf::HmacSha1 } else { Pbkdf2Prf::HmacSha256 }, count, &inputs);
    }
}

/// Prints how many times as fast as AWS-LC each kernel is, for each number of lanes that wait: from this follows `from`.
#[test]
#[ignore = "a measurement, to be run with --release"]
fn kernels_compared() {
    let iterations = NonZeroU32::new(4_000).expect("not zero");
    for prf in PRFS {
        let input = Derivation { password: b"0123456789ABCDEF", salt: &[7; 288], len: 16 };
        let alone = best(|| drop(pbkdf2(prf, input.password, input.salt, iterations, input.len)));
        println!("{prf:?} AWS-LC alone: {:.1} ns a block", alone * 1e9 / 8_000.0);
        let show = |name: &str, lanes: usize, each: &dyn Fn(&[Derivation<'_>])| {
            let gain = |number: usize| {
                let all = vec![input; number];
                format!("{number}: {:.2}", alone * number as f64 / best(|| each(&all)))
            };
            let gains: Vec<_> = (1..=lanes).filter(|n| [1, 2, 3, 4, 5, 8, 9, 16].contains(n)).map(gain).collect();
            println!("{prf:?} {name:10} {}", gains.join(", "));
        };
        let all = &|all: &[Derivation<'_>]| drop(pbkdf2_many(prf, iterations, all));
        show("chosen", 16, all);
        match prf {
            Pbkdf2Prf::HmacSha1 => by_each(&SHA1, |kernel| {
                show(kernel.name, kernel.lanes, &|all| drop(SHA1.derive_by(|_| kernel, iterations, all)));
            }),
            _ => by_each(&SHA256, |kernel| {
                show(kernel.name, kernel.lanes, &|all| drop(SHA256.derive_by(|_| kernel, iterations, all)));
            }),
        }
    }
}

/// The shortest of many times, in seconds: other work on the machine disturbs at least some of them.
fn best(mut work: impl FnMut()) -> f64 {
    let time = || {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    std::iter::repeat_with(time).take(100).fold(f64::INFINITY, f64::min)
}
