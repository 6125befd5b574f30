//! The kernels that exist, and which of them the processor has. One of two modules with `unsafe` code; the other is
//! `backend/aws_lc/raw_rsa.rs`.

#![allow(unsafe_code)]

#[cfg(target_arch = "aarch64")]
mod armv8;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
#[cfg(target_arch = "x86_64")]
mod vectors;

use super::{Kernel, Lane, WordHash};
use crate::Hash;

pub(in crate::kdf) static SHA1: WordHash<5> = WordHash {
    hash: Hash::Sha1,
    initial: [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0],
    compress: sha1::block_api::compress,
    kernels: of_processor::SHA1,
};

pub(in crate::kdf) static SHA256: WordHash<8> = WordHash {
    hash: Hash::Sha256,
    initial: [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19],
    compress: sha2::block_api::compress256,
    kernels: of_processor::SHA256,
};

/// A kernel of so many lanes: a function that requires the features that `$is_supported` looks for.
macro_rules! kernel {
    ($name:literal, $lanes:literal, from $from:literal, $is_supported:ident, $rounds:path) => {
        Kernel {
            name: $name,
            lanes: $lanes,
            from: $from,
            is_supported: $is_supported,
            rounds: |lanes, rounds| {
                assert!($is_supported(), "this processor lacks {}", $name);
                // SAFETY: the function requires only features that the processor has, as was just asserted.
                in_full::<_, $lanes>(lanes, |full| unsafe { $rounds(full, rounds) });
            },
        }
    };
}

// `from` follows from `kernels_compared` on a busy machine, as a server is one when runs wait. There SHA-NI x4 was 2.2
// times as fast as AWS-LC with SHA-1 and 2.7 times with SHA-256; AVX-512 3.1 and 1.5 times with 5 lanes, 9 and 4.7 times
// with 16.
#[cfg(target_arch = "x86_64")]
mod of_processor {
    use super::*;

    pub(super) const SHA1: &[Kernel<5>] = &[
        kernel!("AVX-512", 16, from 6, avx512, vectors::avx512::sha1),
        kernel!("SHA-NI x4", 4, from 3, sha_ni, sha_ni::sha1),
        kernel!("SHA-NI x2", 2, from 2, sha_ni, sha_ni::sha1),
        kernel!("SHA-NI x1", 1, from 1, sha_ni, sha_ni::sha1),
        kernel!("AVX2", 8, from 3, avx2, vectors::avx2::sha1),
    ];
    pub(super) const SHA256: &[Kernel<8>] = &[
        kernel!("AVX-512", 16, from 12, avx512, vectors::avx512::sha256),
        kernel!("SHA-NI x4", 4, from 3, sha_ni, sha_ni::sha256),
        kernel!("SHA-NI x2", 2, from 2, sha_ni, sha_ni::sha256),
        kernel!("SHA-NI x1", 1, from 1, sha_ni, sha_ni::sha256),
        kernel!("AVX2", 8, from 3, avx2, vectors::avx2::sha256),
    ];

    /// The features of `vectors::avx512`.
    fn avx512() -> bool {
        is_x86_feature_detected!("avx512f")
    }

    /// Those of `vectors::avx2`.
    fn avx2() -> bool {
        is_x86_feature_detected!("avx2")
    }

    /// Those of `sha_ni`.
    fn sha_ni() -> bool {
        is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") && is_x86_feature_detected!("ssse3")
    }
}

#[cfg(target_arch = "aarch64")]
mod of_processor {
    use super::*;

    pub(super) const SHA1: &[Kernel<5>] = &[
        kernel!("ARMv8 x4", 4, from 3, sha2, armv8::sha1),
        kernel!("ARMv8 x2", 2, from 2, sha2, armv8::sha1),
        kernel!("ARMv8 x1", 1, from 1, sha2, armv8::sha1),
    ];
    pub(super) const SHA256: &[Kernel<8>] = &[
        kernel!("ARMv8 x4", 4, from 3, sha2, armv8::sha256),
        kernel!("ARMv8 x2", 2, from 2, sha2, armv8::sha256),
        kernel!("ARMv8 x1", 1, from 1, sha2, armv8::sha256),
    ];

    /// The features of `armv8`.
    fn sha2() -> bool {
        std::arch::is_aarch64_feature_detected!("neon") && std::arch::is_aarch64_feature_detected!("sha2")
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod of_processor {
    use super::*;

    pub(super) const SHA1: &[Kernel<5>] = &[];
    pub(super) const SHA256: &[Kernel<8>] = &[];
}

/// Calls a kernel with all of its lanes; those that are too many compute what nobody needs.
fn in_full<const W: usize, const L: usize>(lanes: &mut [Lane<W>], kernel: impl FnOnce(&mut [Lane<W>; L])) {
    let mut full: [Lane<W>; L] = std::array::from_fn(|_| Lane::default());
    full.iter_mut().zip(&*lanes).for_each(|(full, lane)| *full = lane.clone());
    kernel(&mut full);
    lanes.iter_mut().zip(&full).for_each(|(lane, full)| *lane = full.clone());
}

/// The round constants of SHA-256 (FIPS 180-4 §4.2.2).
#[rustfmt::skip]
const SHA256_K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];
