//! PBKDF2 with HMAC-SHA-1, which an enrolment computes a hundred thousand rounds of: two compressions a round and nothing
//! else. Other code of this crate is compiled for size in the WebAssembly module; there, copies of states would take longer
//! than the compressions.

use std::num::NonZeroU32;

use sha1::block_api::compress;
use zeroize::Zeroizing;

use super::{HmacKey, digest};
use crate::Hash;

/// The initial state of SHA-1 (FIPS 180-4 §5.3.1).
const INITIAL: [u32; 5] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];

/// PBKDF2 fills `out`.
pub(super) fn pbkdf2_sha1(password: &[u8], salt: &[u8], iterations: NonZeroU32, out: &mut [u8]) {
    let key = HmacKey::new(Hash::Sha1, password);
    let mut rounds = Rounds::new(password);
    for (number, out) in (1_u32..).zip(out.chunks_mut(20)) {
        let first = key.sign(&[salt, &number.to_be_bytes()]);
        let mut last = Zeroizing::new([0; 5]);
        for (word, octets) in last.iter_mut().zip(first.as_ref().chunks(4)) {
            *word = octets.iter().fold(0, |word, octet| word << 8 | u32::from(*octet));
        }
        let mut sum = last.clone();
        for _ in 1..iterations.get() {
            rounds.mac(&mut last);
            sum.iter_mut().zip(last.iter()).for_each(|(sum, word)| *sum ^= word);
        }
        let sum = Zeroizing::new(sum.map(u32::to_be_bytes));
        out.copy_from_slice(&sum.as_flattened()[..out.len()]);
    }
}

/// HMAC-SHA-1 of 20 octets under one key.
struct Rounds {
    inner: Zeroizing<[u32; 5]>,
    outer: Zeroizing<[u32; 5]>,
    /// Twenty octets after the block of the key, and their padding.
    block: Zeroizing<[u8; 64]>,
}

impl Rounds {
    fn new(password: &[u8]) -> Self {
        let hashed = Zeroizing::new(if password.len() > 64 { digest(Hash::Sha1, &[password]) } else { Vec::new() });
        let key = if password.len() > 64 { &hashed[..] } else { password };
        let keyed = |pad: u8| {
            let (mut state, mut block) = (Zeroizing::new(INITIAL), Zeroizing::new([pad; 64]));
            block.iter_mut().zip(key).for_each(|(octet, key)| *octet ^= key);
            compress(&mut state, std::slice::from_ref(&*block));
            state
        };
        let mut block = Zeroizing::new([0; 64]);
        block[20] = 0x80;
        block[62..].copy_from_slice(&(8 * (64 + 20) as u16).to_be_bytes()); // bits
        Rounds { inner: keyed(0x36), outer: keyed(0x5C), block }
    }

    /// The words become their MAC.
    fn mac(&mut self, words: &mut [u32; 5]) {
        for key in [&self.inner, &self.outer] {
            for (octets, word) in self.block.chunks_exact_mut(4).zip(words.iter()) {
                octets.copy_from_slice(&word.to_be_bytes());
            }
            *words = **key;
            compress(words, std::slice::from_ref(&*self.block));
        }
    }
}
