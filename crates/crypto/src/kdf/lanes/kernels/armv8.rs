//! ARMv8's SHA instructions, for `N` lanes whose instructions are interleaved: those of one lane wait for each other.
//!
//! `unsafe` are only the two functions that exchange words for vectors. The attributes name the features that the functions
//! need, and the caller answers for them.

use std::arch::aarch64::*;

use zeroize::Zeroizing;

use super::SHA256_K;
use crate::kdf::lanes::Lane;

/// Of SHA-1, from the lowest word up: `a b c d`, `e 0 0 0`; of SHA-256: `a b c d`, `e f g h`.
type State = [uint32x4_t; 2];

/// The function that does the rounds of a hash, from that for a block.
macro_rules! rounds {
    ($name:ident, $block:ident, $W:literal, $loaded:expr, $stored:expr) => {
        #[target_feature(enable = "neon,sha2")]
        pub(super) fn $name<const N: usize>(lanes: &mut [Lane<$W>; N], rounds: u32) {
            let zero = || Zeroizing::new([[vdupq_n_u32(0); 2]; N]);
            let (mut inner, mut outer, mut last, mut sum) = (zero(), zero(), zero(), zero());
            for (n, lane) in lanes.iter().enumerate() {
                (inner[n], outer[n]) = ($loaded(lane.inner), $loaded(lane.outer));
                (last[n], sum[n]) = ($loaded(lane.last), $loaded(lane.sum));
            }
            for _ in 0..rounds {
                *last = $block(&outer, &$block(&inner, &last));
                for n in 0..N {
                    sum[n] = [veorq_u32(sum[n][0], last[n][0]), veorq_u32(sum[n][1], last[n][1])];
                }
            }
            for (n, lane) in lanes.iter_mut().enumerate() {
                (lane.last, lane.sum) = ($stored(last[n]), $stored(sum[n]));
            }
        }
    };
}

rounds!(
    sha1,
    sha1_block,
    5,
    |[a, b, c, d, e]: [u32; 5]| [vector([a, b, c, d]), vector([e, 0, 0, 0])],
    |state: State| {
        let ([a, b, c, d], [e, ..]) = (words(state[0]), words(state[1]));
        [a, b, c, d, e]
    }
);

rounds!(
    sha256,
    sha256_block,
    8,
    |[a, b, c, d, e, f, g, h]: [u32; 8]| [vector([a, b, c, d]), vector([e, f, g, h])],
    |state: State| {
        let ([a, b, c, d], [e, f, g, h]) = (words(state[0]), words(state[1]));
        [a, b, c, d, e, f, g, h]
    }
);

/// Groups of four steps of SHA-1, and the words of the fourth group after.
macro_rules! sha1_steps {
    ($abcd:ident $e:ident $message:ident $steps:ident $k:literal: $($group:literal)+) => {$(
        for n in 0..N {
            let m = &mut $message[n];
            let words = vaddq_u32(m[$group % 4], vdupq_n_u32($k));
            let e = vsha1h_u32(vgetq_lane_u32::<0>($abcd[n]));
            ($abcd[n], $e[n]) = ($steps($abcd[n], $e[n], words), e);
            if $group < 16 {
                let mixed = vsha1su0q_u32(m[$group % 4], m[($group + 1) % 4], m[($group + 2) % 4]);
                m[$group % 4] = vsha1su1q_u32(mixed, m[($group + 3) % 4]);
            }
        }
    )+};
}

/// The states after a block with a hash, to which HMAC's padding is added: 84 octets in all.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn sha1_block<const N: usize>(state: &[State; N], hash: &[State; N]) -> [State; N] {
    let zero = vdupq_n_u32(0);
    let (mut message, mut abcd, mut e) = ([[zero; 4]; N], [zero; N], [0; N]);
    for n in 0..N {
        let second = vsetq_lane_u32::<1>(0x8000_0000, hash[n][1]);
        message[n] = [hash[n][0], second, zero, vsetq_lane_u32::<3>(84 * 8, zero)];
        (abcd[n], e[n]) = (state[n][0], vgetq_lane_u32::<0>(state[n][1]));
    }
    sha1_steps!(abcd e message vsha1cq_u32 0x5a82_7999: 0 1 2 3 4);
    sha1_steps!(abcd e message vsha1pq_u32 0x6ed9_eba1: 5 6 7 8 9);
    sha1_steps!(abcd e message vsha1mq_u32 0x8f1b_bcdc: 10 11 12 13 14);
    sha1_steps!(abcd e message vsha1pq_u32 0xca62_c1d6: 15 16 17 18 19);
    let mut after = *state;
    for n in 0..N {
        let [start, last] = after[n];
        after[n] = [vaddq_u32(start, abcd[n]), vaddq_u32(last, vsetq_lane_u32::<0>(e[n], zero))];
    }
    after
}

/// Groups of four steps of SHA-256, and the words of the fourth group after.
macro_rules! sha256_steps {
    ($abcd:ident $efgh:ident $message:ident: $($group:literal)+) => {$(
        let k = vector([SHA256_K[4 * $group], SHA256_K[4 * $group + 1], SHA256_K[4 * $group + 2], SHA256_K[4 * $group + 3]]);
        for n in 0..N {
            let m = &mut $message[n];
            let (words, before) = (vaddq_u32(m[$group % 4], k), $abcd[n]);
            $abcd[n] = vsha256hq_u32(before, $efgh[n], words);
            $efgh[n] = vsha256h2q_u32($efgh[n], before, words);
            if $group < 12 {
                let mixed = vsha256su0q_u32(m[$group % 4], m[($group + 1) % 4]);
                m[$group % 4] = vsha256su1q_u32(mixed, m[($group + 2) % 4], m[($group + 3) % 4]);
            }
        }
    )+};
}

/// The states after a block with a hash, to which HMAC's padding is added: 96 octets in all.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn sha256_block<const N: usize>(state: &[State; N], hash: &[State; N]) -> [State; N] {
    let zero = vdupq_n_u32(0);
    let (mut message, mut abcd, mut efgh) = ([[zero; 4]; N], [zero; N], [zero; N]);
    for n in 0..N {
        let padding = [vsetq_lane_u32::<0>(0x8000_0000, zero), vsetq_lane_u32::<3>(96 * 8, zero)];
        message[n] = [hash[n][0], hash[n][1], padding[0], padding[1]];
        [abcd[n], efgh[n]] = state[n];
    }
    sha256_steps!(abcd efgh message: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    let mut after = *state;
    for n in 0..N {
        let [start, end] = after[n];
        after[n] = [vaddq_u32(start, abcd[n]), vaddq_u32(end, efgh[n])];
    }
    after
}

/// Four words, from the lowest up.
#[inline]
#[target_feature(enable = "neon")]
fn vector(words: [u32; 4]) -> uint32x4_t {
    // SAFETY: the pointer is that of four words.
    unsafe { vld1q_u32(words.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn words(vector: uint32x4_t) -> [u32; 4] {
    let mut words = [0; 4];
    // SAFETY: the pointer is that of four words, which nothing else uses.
    unsafe { vst1q_u32(words.as_mut_ptr(), vector) };
    words
}
