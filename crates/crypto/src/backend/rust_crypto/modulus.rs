//! Powers modulo an odd number, by Montgomery's multiplication (CIOS). The time depends on the sizes and the exponent only.
//!
//! The crate `rsa` does this too, in forty times the code, most of it for private keys.

use zeroize::Zeroizing;

/// A number in words of 32 bits, the lowest first; wiped when it is dropped.
type Number = Zeroizing<Vec<u32>>;

/// An odd modulus.
pub(super) struct Modulus {
    n: Vec<u32>,
    /// `-1/n mod 2^32`
    n_inverse: u32,
    /// `R^2 mod n`, where R is 2 to the power of the bits of all words of n.
    r_squared: Number,
}

impl Modulus {
    /// From big-endian octets; the first one is not zero, and the number is odd.
    pub(super) fn new(n: &[u8]) -> Self {
        let n = words(n).to_vec();
        // Newton's iteration doubles the right bits, of which 1/n = n has three at first.
        let inverse = (0..4).fold(n[0], |x, _| x.wrapping_mul(2_u32.wrapping_sub(n[0].wrapping_mul(x))));
        let mut r_squared = Zeroizing::new(vec![0; n.len() + 1]);
        r_squared[0] = 1;
        for _ in 0..64 * n.len() {
            let mut carry = 0;
            for word in r_squared.iter_mut() {
                (*word, carry) = (*word << 1 | carry, *word >> 31);
            }
            reduce(&mut r_squared, &n);
        }
        r_squared.truncate(n.len());
        Modulus { n, n_inverse: inverse.wrapping_neg(), r_squared }
    }

    /// `base^exponent mod n` in `len` octets; `None` unless the base, big-endian octets, is less than n. The exponent is
    /// public and not zero, and n has at most `len` octets.
    pub(super) fn power(&self, base: &[u8], exponent: u64, len: usize) -> Option<Vec<u8>> {
        let mut base = words(base);
        base.resize(self.n.len() + 1, 0);
        if !is_less(&base, &self.n) {
            return None;
        }
        let base = self.product(&base[..self.n.len()], &self.r_squared);
        let mut power = base.clone();
        for bit in (0..exponent.ilog2()).rev() {
            power = self.product(&power, &power);
            if exponent >> bit & 1 == 1 {
                power = self.product(&power, &base);
            }
        }
        let mut one = vec![0; self.n.len()];
        one[0] = 1;
        let power = self.product(&power, &one);
        let octets = Zeroizing::new(power.iter().flat_map(|word| word.to_le_bytes()).take(len).collect::<Vec<u8>>());
        Some(octets.iter().rev().copied().collect())
    }

    /// `a b / R mod n`, for numbers less than n.
    fn product(&self, a: &[u32], b: &[u32]) -> Number {
        let mut sum = Zeroizing::new(vec![0; self.n.len() + 2]);
        for b in b {
            add_product(&mut sum, a, *b);
            let multiple = sum[0].wrapping_mul(self.n_inverse);
            add_product(&mut sum, &self.n, multiple); // now the lowest word is zero
            sum.rotate_left(1);
        }
        sum.truncate(self.n.len() + 1); // less than 2 n
        reduce(&mut sum, &self.n);
        sum.truncate(self.n.len());
        sum
    }
}

/// The number of big-endian octets.
fn words(octets: &[u8]) -> Number {
    let word = |octets: &[u8]| octets.iter().fold(0, |word, octet| word << 8 | u32::from(*octet));
    Zeroizing::new(octets.rchunks(4).map(word).collect())
}

/// `sum += a b`; `sum` has two words more than `a`, which the result fits into.
fn add_product(sum: &mut [u32], a: &[u32], b: u32) {
    let mut carry = 0;
    for (word, a) in sum.iter_mut().zip(a.iter().chain(&[0, 0])) {
        let step = u64::from(*word) + u64::from(*a) * u64::from(b) + carry;
        (*word, carry) = (step as u32, step >> 32); // its low and its high half
    }
}

/// `sum - n` if that is not negative; `sum` is less than 2 n and has a word more.
fn reduce(sum: &mut [u32], n: &[u32]) {
    let mask = u32::from(is_less(sum, n)).wrapping_sub(1); // all ones if n is to be subtracted
    let mut borrow = 0;
    for (word, n) in sum.iter_mut().zip(n.iter().chain(&[0])) {
        let step = u64::from(*word).wrapping_sub(u64::from(*n & mask)).wrapping_sub(borrow);
        (*word, borrow) = (step as u32, step >> 63);
    }
}

/// Whether `a < n`; `a` has a word more.
fn is_less(a: &[u32], n: &[u32]) -> bool {
    let borrow = a
        .iter()
        .zip(n.iter().chain(&[0]))
        .fold(0, |borrow, (a, n)| u64::from(*a).wrapping_sub(u64::from(*n)).wrapping_sub(borrow) >> 63);
    borrow == 1
}
