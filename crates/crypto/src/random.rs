//! Sources of random octets.

use zeroize::Zeroize as _;

use crate::{Hash, HmacKey, Secret};

/// A source of random octets, passed to whatever needs them.
pub trait Random: Send {
    /// Fills the whole buffer.
    fn fill(&mut self, out: &mut [u8]);

    /// `len` random octets that may become public.
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        self.fill(&mut out);
        out
    }

    /// `len` random octets that stay secret.
    fn secret(&mut self, len: usize) -> Secret {
        Secret::new(self.bytes(len))
    }
}

/// The operating system's random source, through AWS-LC.
#[cfg(feature = "aws-lc")]
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

#[cfg(feature = "aws-lc")]
impl Random for SystemRandom {
    fn fill(&mut self, out: &mut [u8]) {
        crate::backend::fill_random(out);
    }
}

/// A reproducible source: HMAC-SHA-256 of a counter under the seed. Its output is as hard to guess as the seed: for a
/// run that may be replayed, use 32 secret octets of the operating system; a test may use any.
pub struct SeededRandom {
    key: HmacKey,
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl SeededRandom {
    /// The same seed gives the same octets, however they are requested.
    pub fn new(seed: &[u8]) -> Self {
        SeededRandom { key: HmacKey::new(Hash::Sha256, seed), counter: 0, block: [0; 32], used: 32 }
    }
}

impl Drop for SeededRandom {
    fn drop(&mut self) {
        self.block.zeroize(); // the seed is in `key`, which wipes itself
    }
}

impl std::fmt::Debug for SeededRandom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SeededRandom")
    }
}

impl Random for SeededRandom {
    fn fill(&mut self, out: &mut [u8]) {
        for octet in out {
            if self.used == self.block.len() {
                let tag = self.key.sign(&[&self.counter.to_be_bytes()]);
                self.block.copy_from_slice(tag.as_ref());
                self.counter += 1;
                self.used = 0;
            }
            *octet = self.block[self.used]; // used < 32, by the line above
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_octets_in_any_chunks() {
        let (mut a, mut b) = (SeededRandom::new(b"seed"), SeededRandom::new(b"seed"));
        let whole = a.bytes(100);
        let parts = [b.bytes(1), b.bytes(40), b.bytes(59)].concat();
        assert_eq!(whole, parts);
        assert_ne!(whole, SeededRandom::new(b"other").bytes(100));
        assert_eq!(format!("{a:?}"), "SeededRandom", "nothing of the state");
    }

    #[cfg(feature = "aws-lc")]
    #[test]
    fn the_system_does_not_repeat_itself() {
        assert_ne!(SystemRandom.bytes(32), SystemRandom.bytes(32));
    }
}
