//! One word of each lane in a vector: SHA-1 and SHA-256 as FIPS 180-4 writes them, for sixteen or eight lanes at once.
//!
//! A macro writes both with the operations that a module has for its vectors. `unsafe` are only the two functions that
//! exchange words for vectors. The attributes name the features that the functions need, and the caller answers for them.

/// Steps of SHA-1, written one after another so that the message stays in registers.
macro_rules! sha1_steps {
    ($s:ident $w:ident $f:ident $k:literal: $($t:literal)+) => {$(
        if $t > 15 {
            let mixed = xor3($w[($t + 13) % 16], $w[($t + 8) % 16], $w[($t + 2) % 16]);
            $w[$t % 16] = rotl::<1, 31>(xor(mixed, $w[$t % 16]));
        }
        let [a, b, c, d, e] = $s;
        let next = add(add(rotl::<5, 27>(a), $f(b, c, d)), add(e, add($w[$t % 16], splat($k))));
        $s = [next, a, rotl::<30, 2>(b), c, d];
    )+};
}

/// Steps of SHA-256, likewise.
macro_rules! sha256_steps {
    ($s:ident $w:ident: $($t:literal)+) => {$(
        if $t > 15 {
            let (w2, w15) = ($w[($t + 14) % 16], $w[($t + 1) % 16]);
            let s0 = xor3(rotl::<25, 7>(w15), rotl::<14, 18>(w15), shr::<3>(w15));
            let s1 = xor3(rotl::<15, 17>(w2), rotl::<13, 19>(w2), shr::<10>(w2));
            $w[$t % 16] = add(add($w[$t % 16], s0), add($w[($t + 9) % 16], s1));
        }
        let [a, b, c, d, e, f, g, h] = $s;
        let s1 = xor3(rotl::<26, 6>(e), rotl::<21, 11>(e), rotl::<7, 25>(e));
        let t1 = add(add(h, s1), add(choose(e, f, g), add($w[$t % 16], splat(SHA256_K[$t]))));
        let s0 = xor3(rotl::<30, 2>(a), rotl::<19, 13>(a), rotl::<10, 22>(a));
        $s = [add(t1, add(s0, majority(a, b, c))), a, b, c, add(d, t1), e, f, g];
    )+};
}

/// The function that does the rounds of a hash, from that for a block.
macro_rules! rounds {
    ($features:literal, $name:ident, $block:ident, $W:literal) => {
        #[target_feature(enable = $features)]
        pub(in super::super) fn $name(lanes: &mut [Lane<$W>; LANES], rounds: u32) {
            let inner = Zeroizing::new(loaded(lanes, |lane| &lane.inner));
            let outer = Zeroizing::new(loaded(lanes, |lane| &lane.outer));
            let mut last = Zeroizing::new(loaded(lanes, |lane| &lane.last));
            let mut sum = Zeroizing::new(loaded(lanes, |lane| &lane.sum));
            for _ in 0..rounds {
                *last = $block(&outer, &$block(&inner, &last));
                for at in 0..$W {
                    sum[at] = xor(sum[at], last[at]);
                }
            }
            store(lanes, &last, |lane| &mut lane.last);
            store(lanes, &sum, |lane| &mut lane.sum);
        }
    };
}

/// The kernels for vectors `V` of `LANES` words.
macro_rules! kernels {
    ($features:literal) => {
        rounds!($features, sha1, sha1_block, 5);
        rounds!($features, sha256, sha256_block, 8);

        /// The states after a block with a hash, to which HMAC's padding is added: 84 octets in all.
        #[inline]
        #[target_feature(enable = $features)]
        fn sha1_block(state: &[V; 5], hash: &[V; 5]) -> [V; 5] {
            let mut w = [splat(0); 16];
            w[..5].copy_from_slice(hash);
            (w[5], w[15]) = (splat(0x8000_0000), splat(84 * 8));
            let mut s = *state;
            sha1_steps!(s w choose 0x5a82_7999: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
            sha1_steps!(s w xor3 0x6ed9_eba1: 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39);
            sha1_steps!(s w majority 0x8f1b_bcdc: 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59);
            sha1_steps!(s w xor3 0xca62_c1d6: 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79);
            for at in 0..5 {
                s[at] = add(s[at], state[at]);
            }
            s
        }

        /// The states after a block with a hash, to which HMAC's padding is added: 96 octets in all.
        #[inline]
        #[target_feature(enable = $features)]
        fn sha256_block(state: &[V; 8], hash: &[V; 8]) -> [V; 8] {
            let mut w = [splat(0); 16];
            w[..8].copy_from_slice(hash);
            (w[8], w[15]) = (splat(0x8000_0000), splat(96 * 8));
            let mut s = *state;
            sha256_steps!(s w: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
            sha256_steps!(s w: 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59);
            sha256_steps!(s w: 60 61 62 63);
            for at in 0..8 {
                s[at] = add(s[at], state[at]);
            }
            s
        }

        #[target_feature(enable = $features)]
        fn loaded<const W: usize>(lanes: &[Lane<W>; LANES], of: fn(&Lane<W>) -> &[u32; W]) -> [V; W] {
            let (mut loaded, mut words) = ([splat(0); W], Zeroizing::new([0; LANES]));
            for (at, loaded) in loaded.iter_mut().enumerate() {
                words.iter_mut().zip(lanes).for_each(|(word, lane)| *word = of(lane)[at]);
                *loaded = vector_of(&words);
            }
            loaded
        }

        #[target_feature(enable = $features)]
        fn store<const W: usize>(lanes: &mut [Lane<W>; LANES], from: &[V; W], to: fn(&mut Lane<W>) -> &mut [u32; W]) {
            for (at, from) in from.iter().enumerate() {
                let words = Zeroizing::new(words_of(*from));
                lanes.iter_mut().zip(*words).for_each(|(lane, word)| to(lane)[at] = word);
            }
        }

        #[target_feature(enable = $features)]
        fn vector_of(words: &[u32; LANES]) -> V {
            // SAFETY: both types have the same size, no padding, and no value that is invalid.
            unsafe { std::mem::transmute::<[u32; LANES], V>(*words) }
        }

        #[target_feature(enable = $features)]
        fn words_of(vector: V) -> [u32; LANES] {
            // SAFETY: both types have the same size, no padding, and no value that is invalid.
            unsafe { std::mem::transmute::<V, [u32; LANES]>(vector) }
        }
    };
}

/// The operations of a vector type, as functions.
macro_rules! operations {
    ($features:literal: $($name:ident $(<$($N:ident: $Int:ty),+>)? ($($x:ident: $X:ty),+) = $result:expr;)+) => {$(
        #[inline]
        #[target_feature(enable = $features)]
        fn $name $(<$(const $N: $Int),+>)? ($($x: $X),+) -> V {
            $result
        }
    )+};
}

pub(super) mod avx512 {
    use std::arch::x86_64::*;

    use zeroize::Zeroizing;

    use super::super::SHA256_K;
    use crate::kdf::lanes::Lane;

    type V = __m512i;
    const LANES: usize = 16;

    operations! { "avx512f":
        splat(word: u32) = _mm512_set1_epi32(word.cast_signed());
        add(a: V, b: V) = _mm512_add_epi32(a, b);
        xor(a: V, b: V) = _mm512_xor_si512(a, b);
        xor3(a: V, b: V, c: V) = _mm512_ternarylogic_epi32::<0x96>(a, b, c);
        choose(a: V, b: V, c: V) = _mm512_ternarylogic_epi32::<0xCA>(a, b, c);
        majority(a: V, b: V, c: V) = _mm512_ternarylogic_epi32::<0xE8>(a, b, c);
        rotl<LEFT: i32, _RIGHT: i32>(a: V) = _mm512_rol_epi32::<LEFT>(a);
        shr<BITS: u32>(a: V) = _mm512_srli_epi32::<BITS>(a);
    }
    kernels!("avx512f");
}

pub(super) mod avx2 {
    use std::arch::x86_64::*;

    use zeroize::Zeroizing;

    use super::super::SHA256_K;
    use crate::kdf::lanes::Lane;

    type V = __m256i;
    const LANES: usize = 8;

    operations! { "avx2":
        splat(word: u32) = _mm256_set1_epi32(word.cast_signed());
        add(a: V, b: V) = _mm256_add_epi32(a, b);
        xor(a: V, b: V) = _mm256_xor_si256(a, b);
        xor3(a: V, b: V, c: V) = xor(a, xor(b, c));
        choose(a: V, b: V, c: V) = xor(c, _mm256_and_si256(a, xor(b, c)));
        majority(a: V, b: V, c: V) = xor(_mm256_and_si256(a, b), _mm256_and_si256(c, xor(a, b)));
        rotl<LEFT: i32, RIGHT: i32>(a: V) = _mm256_or_si256(_mm256_slli_epi32::<LEFT>(a), _mm256_srli_epi32::<RIGHT>(a));
        shr<BITS: i32>(a: V) = _mm256_srli_epi32::<BITS>(a);
    }
    kernels!("avx2");
}
