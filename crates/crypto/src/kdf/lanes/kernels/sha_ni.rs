//! Intel's SHA extensions, for `N` lanes whose instructions are interleaved: those of one lane wait for each other.
//!
//! Nothing here is `unsafe`: the attributes name the features that the functions need, and the caller answers for them.

use std::arch::x86_64::*;

use zeroize::Zeroizing;

use super::SHA256_K;
use crate::kdf::lanes::Lane;

/// Of SHA-1, from the highest word down: `a b c d`, `e 0 0 0`; of SHA-256: `a b e f`, `c d g h`.
type State = [__m128i; 2];

/// The function that does the rounds of a hash, from that for a block.
macro_rules! rounds {
    ($name:ident, $block:ident, $W:literal, $loaded:expr, $stored:expr) => {
        #[target_feature(enable = "sha,sse4.1,ssse3")]
        pub(super) fn $name<const N: usize>(lanes: &mut [Lane<$W>; N], rounds: u32) {
            let zero = || Zeroizing::new([[_mm_setzero_si128(); 2]; N]);
            let (mut inner, mut outer, mut last, mut sum) = (zero(), zero(), zero(), zero());
            for (n, lane) in lanes.iter().enumerate() {
                (inner[n], outer[n]) = ($loaded(lane.inner), $loaded(lane.outer));
                (last[n], sum[n]) = ($loaded(lane.last), $loaded(lane.sum));
            }
            for _ in 0..rounds {
                *last = $block(&outer, &$block(&inner, &last));
                for n in 0..N {
                    sum[n] = [_mm_xor_si128(sum[n][0], last[n][0]), _mm_xor_si128(sum[n][1], last[n][1])];
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
    |[a, b, c, d, e]: [u32; 5]| [vector([d, c, b, a]), vector([0, 0, 0, e])],
    |[abcd, e]: State| {
        let ([d, c, b, a], [.., e]) = (words(abcd), words(e));
        [a, b, c, d, e]
    }
);

rounds!(
    sha256,
    sha256_block,
    8,
    |[a, b, c, d, e, f, g, h]: [u32; 8]| [vector([f, e, b, a]), vector([h, g, d, c])],
    |[abef, cdgh]: State| {
        let ([f, e, b, a], [h, g, d, c]) = (words(abef), words(cdgh));
        [a, b, c, d, e, f, g, h]
    }
);

/// Groups of four steps of SHA-1: `e` with four words of the message, the steps, and the words of the fourth group
/// after.
macro_rules! sha1_steps {
    ($state:ident $abcd:ident $before:ident $message:ident: $($group:literal)+) => {$(
        for n in 0..N {
            let m = &mut $message[n];
            let e = match $group {
                0 => _mm_add_epi32($state[n][1], m[0]),
                _ => _mm_sha1nexte_epu32($before[n], m[$group % 4]),
            };
            $before[n] = $abcd[n];
            $abcd[n] = _mm_sha1rnds4_epu32::<{ $group / 5 }>($abcd[n], e);
            if $group < 16 {
                let mixed = _mm_sha1msg1_epu32(m[$group % 4], m[($group + 1) % 4]);
                m[$group % 4] = _mm_sha1msg2_epu32(_mm_xor_si128(mixed, m[($group + 2) % 4]), m[($group + 3) % 4]);
            }
        }
    )+};
}

/// The states after a block with a hash, to which HMAC's padding is added: 84 octets in all.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn sha1_block<const N: usize>(state: &[State; N], hash: &[State; N]) -> [State; N] {
    let zero = _mm_setzero_si128();
    let (mut message, mut abcd) = ([[zero; 4]; N], [zero; N]);
    for n in 0..N {
        let [start, e] = hash[n];
        message[n] = [start, _mm_or_si128(e, vector([0, 0, 0x8000_0000, 0])), zero, vector([84 * 8, 0, 0, 0])];
        abcd[n] = state[n][0];
    }
    let mut before = abcd;
    sha1_steps!(state abcd before message: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
    let mut after = *state;
    for n in 0..N {
        let [start, e] = after[n];
        after[n] = [_mm_add_epi32(start, abcd[n]), _mm_sha1nexte_epu32(before[n], e)];
    }
    after
}

/// Groups of four steps of SHA-256, and the words of the fourth group after.
macro_rules! sha256_steps {
    ($abef:ident $cdgh:ident $message:ident: $($group:literal)+) => {$(
        let k = vector([SHA256_K[4 * $group], SHA256_K[4 * $group + 1], SHA256_K[4 * $group + 2], SHA256_K[4 * $group + 3]]);
        for n in 0..N {
            let m = &mut $message[n];
            let wk = _mm_add_epi32(m[$group % 4], k);
            $cdgh[n] = _mm_sha256rnds2_epu32($cdgh[n], $abef[n], wk); // two steps, after which the halves are exchanged
            $abef[n] = _mm_sha256rnds2_epu32($abef[n], $cdgh[n], _mm_shuffle_epi32::<0b11_10>(wk));
            if $group < 12 {
                let older = _mm_alignr_epi8::<4>(m[($group + 3) % 4], m[($group + 2) % 4]);
                let mixed = _mm_add_epi32(_mm_sha256msg1_epu32(m[$group % 4], m[($group + 1) % 4]), older);
                m[$group % 4] = _mm_sha256msg2_epu32(mixed, m[($group + 3) % 4]);
            }
        }
    )+};
}

/// The states after a block with a hash, to which HMAC's padding is added: 96 octets in all.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn sha256_block<const N: usize>(state: &[State; N], hash: &[State; N]) -> [State; N] {
    let zero = _mm_setzero_si128();
    let (mut message, mut abef, mut cdgh) = ([[zero; 4]; N], [zero; N], [zero; N]);
    for n in 0..N {
        let [high, low] = hash[n];
        let abcd = _mm_shuffle_epi32::<0b10_11_00_01>(_mm_unpackhi_epi64(high, low)); // from the lowest word up
        let efgh = _mm_shuffle_epi32::<0b10_11_00_01>(_mm_unpacklo_epi64(high, low));
        message[n] = [abcd, efgh, vector([0x8000_0000, 0, 0, 0]), vector([0, 0, 0, 96 * 8])];
        [abef[n], cdgh[n]] = state[n];
    }
    sha256_steps!(abef cdgh message: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    let mut after = *state;
    for n in 0..N {
        let [high, low] = after[n];
        after[n] = [_mm_add_epi32(high, abef[n]), _mm_add_epi32(low, cdgh[n])];
    }
    after
}

/// Four words, from the lowest up.
#[inline]
#[target_feature(enable = "sse4.1")]
fn vector(words: [u32; 4]) -> __m128i {
    let [w0, w1, w2, w3] = words.map(u32::cast_signed);
    _mm_setr_epi32(w0, w1, w2, w3)
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn words(vector: __m128i) -> [u32; 4] {
    [
        _mm_extract_epi32::<0>(vector),
        _mm_extract_epi32::<1>(vector),
        _mm_extract_epi32::<2>(vector),
        _mm_extract_epi32::<3>(vector),
    ]
    .map(i32::cast_unsigned)
}
