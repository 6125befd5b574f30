//! Many PBKDF2 derivations at once, one in each lane of a kernel.
//!
//! All rounds but the first hash messages of one form: a state of 20 or 32 octets, and a padding that never changes. A
//! kernel does these rounds for as many chains as it has lanes. Everything around them is done here: the keys, the first
//! round, and the choice of kernels.

mod kernels;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::Derivation;
use crate::{Hash, Secret};
pub(super) use kernels::{SHA1, SHA256};

/// Octets of a block of SHA-1 and SHA-256.
const BLOCK: usize = 64;

/// A hash whose state is `W` words of 32 bits.
pub(super) struct WordHash<const W: usize> {
    hash: Hash,
    /// The state before the first block.
    initial: [u32; W],
    compress: fn(&mut [u32; W], &[[u8; BLOCK]]),
    /// From the widest to the narrowest.
    kernels: &'static [Kernel<W>],
}

/// A way to do the rounds of several lanes at once.
struct Kernel<const W: usize> {
    #[cfg_attr(not(test), expect(dead_code, reason = "tests name the kernel that is wrong"))]
    name: &'static str,
    /// The most lanes.
    lanes: usize,
    /// The fewest lanes for which it takes less time than the narrower ones.
    from: usize,
    is_supported: fn() -> bool,
    /// Does so many further rounds of at most `lanes` lanes. Panics if the processor does not support it.
    rounds: fn(&mut [Lane<W>], u32),
}

/// The chain of rounds for one block of output, in words (RFC 8018 §5.2, RFC 2104).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Lane<const W: usize> {
    /// The state of HMAC's inner hash after the block with the key.
    inner: [u32; W],
    /// The same of its outer hash.
    outer: [u32; W],
    /// `U_c` of the last round.
    last: [u32; W],
    /// `U_1 \xor U_2 \xor … U_c`
    sum: [u32; W],
}

impl<const W: usize> Default for Lane<W> {
    fn default() -> Self {
        Lane { inner: [0; W], outer: [0; W], last: [0; W], sum: [0; W] }
    }
}

impl<const W: usize> WordHash<W> {
    /// Lanes of the widest kernel that this processor has; 1 without any.
    pub(super) fn lanes(&self) -> usize {
        self.supported().next().map_or(1, |kernel| kernel.lanes)
    }

    /// All derivations, in their order; `None` if this processor has no kernel that is worth it for so few.
    pub(super) fn derive(&self, iterations: NonZeroU32, derivations: &[Derivation<'_>]) -> Option<Vec<Secret>> {
        let first = self.fastest(derivations.iter().map(|one| self.lanes_of(one)).sum())?;
        Some(self.derive_by(|waiting| self.fastest(waiting).unwrap_or(first), iterations, derivations))
    }

    /// The kernel for so many lanes.
    fn fastest(&self, waiting: usize) -> Option<&'static Kernel<W>> {
        self.supported().find(|kernel| kernel.from <= waiting)
    }

    /// Lanes of one derivation.
    fn lanes_of(&self, derivation: &Derivation<'_>) -> usize {
        derivation.len.div_ceil(W * 4)
    }

    fn supported(&self) -> impl Iterator<Item = &'static Kernel<W>> + use<W> {
        self.kernels.iter().filter(|kernel| (kernel.is_supported)())
    }

    /// All derivations, each time by the kernel that `kernel_for` names for the lanes that still wait.
    fn derive_by<'k>(
        &self,
        kernel_for: impl Fn(usize) -> &'k Kernel<W>,
        iterations: NonZeroU32,
        derivations: &[Derivation<'_>],
    ) -> Vec<Secret> {
        let mut lanes = Vec::with_capacity(derivations.iter().map(|one| self.lanes_of(one)).sum()); // never grows
        derivations.iter().for_each(|derivation| lanes.extend(self.first_round(derivation)));
        let mut waiting = &mut lanes[..];
        while iterations.get() > 1 && !waiting.is_empty() {
            let kernel = kernel_for(waiting.len());
            let (now, later) = waiting.split_at_mut(kernel.lanes.min(waiting.len()));
            (kernel.rounds)(now, iterations.get() - 1);
            waiting = later;
        }
        let mut lanes = &lanes[..];
        let take = |derivation: &Derivation<'_>| {
            let (own, others) = lanes.split_at(self.lanes_of(derivation));
            lanes = others;
            let whole = octets(own.iter().flat_map(|lane| &lane.sum));
            Secret::from_slice(&whole[..derivation.len])
        };
        derivations.iter().map(take).collect()
    }

    /// The lanes of a derivation, one for each block of output, after the first round.
    fn first_round(&self, derivation: &Derivation<'_>) -> impl Iterator<Item = Lane<W>> {
        let keyed = self.keyed(derivation.password);
        let numbers = (1_u32..).take(self.lanes_of(derivation));
        numbers.map(move |number| {
            let mut lane = keyed.clone();
            lane.sum = lane.inner;
            self.finish(&mut lane.sum, &[derivation.salt, &number.to_be_bytes()]);
            lane.last = lane.outer;
            self.finish(&mut lane.last, &[&octets(&lane.sum)]);
            lane.sum = lane.last;
            lane
        })
    }

    /// A lane before its first round.
    fn keyed(&self, password: &[u8]) -> Lane<W> {
        let short = Zeroizing::new(if password.len() > BLOCK { self.hash.digest(&[password]) } else { Vec::new() });
        let password = if short.is_empty() { password } else { &short };
        let mut block = Zeroizing::new([0; BLOCK]);
        let mut after = |pad: u8| {
            block.fill(pad);
            block.iter_mut().zip(password).for_each(|(octet, key)| *octet ^= key);
            let mut state = self.initial;
            (self.compress)(&mut state, std::slice::from_ref(&*block));
            state
        };
        Lane { inner: after(0x36), outer: after(0x5C), ..Lane::default() }
    }

    /// Hashes the rest of a message, whose first block is in the state already.
    fn finish(&self, state: &mut [u32; W], parts: &[&[u8]]) {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let padded_len = (len + 9).next_multiple_of(BLOCK);
        let mut padded = Zeroizing::new(Vec::with_capacity(padded_len)); // never grows
        parts.iter().for_each(|part| padded.extend_from_slice(part));
        padded.push(0x80);
        padded.resize(padded_len - 8, 0);
        padded.extend_from_slice(&((BLOCK + len) as u64 * 8).to_be_bytes());
        (self.compress)(state, padded.as_chunks().0);
    }
}

/// The words as octets, big-endian.
fn octets<'a>(words: impl IntoIterator<Item = &'a u32>) -> Zeroizing<Vec<u8>> {
    let words = words.into_iter();
    let mut octets = Zeroizing::new(Vec::new());
    for word in words {
        octets.extend_from_slice(&word.to_be_bytes());
    }
    octets
}
