//! The bare RSA operation, m^e and c^d mod n, without padding. One of two modules with `unsafe` code; the other is `kdf/lanes/kernels`.
//!
//! AWS-LC's Rust interface offers RSA only with a padding. It reports padding errors, which for PKCS #1 v1.5 is
//! the oracle that profile P20 forbids, and it generates the padding's randomness itself, which cannot be replayed.
//! So `rsa.rs` implements the paddings, and only the operation itself is called here. Blinding and constant-time
//! exponentiation of the private operation are AWS-LC's.

#![allow(unsafe_code)]

use std::ptr::{NonNull, null_mut};

use aws_lc_sys as lc;

use crate::Error;

/// An owned, immutable `RSA` object.
pub(super) struct RawRsa(NonNull<lc::RSA>);

// SAFETY: AWS-LC documents that an RSA object may be used by several threads at once as long as none of them mutates
// it; no function here does, and the blinding cache inside is locked by the library.
unsafe impl Send for RawRsa {}
// SAFETY: as above.
unsafe impl Sync for RawRsa {}

impl Drop for RawRsa {
    fn drop(&mut self) {
        // SAFETY: the pointer came from AWS-LC, is owned by self alone, and is not used afterwards.
        unsafe { lc::RSA_free(self.0.as_ptr()) }
    }
}

impl RawRsa {
    /// A public key from its big-endian numbers; AWS-LC checks their sizes.
    pub(super) fn public(n: &[u8], e: &[u8]) -> Result<Self, Error> {
        // SAFETY: BN_bin2bn reads exactly the given octets. RSA_new_public_key copies both numbers and accepts only
        // valid pointers, which is checked; both numbers are freed here, and BN_free takes null.
        unsafe {
            let n = lc::BN_bin2bn(n.as_ptr(), n.len(), null_mut());
            let e = lc::BN_bin2bn(e.as_ptr(), e.len(), null_mut());
            let rsa = if n.is_null() || e.is_null() { null_mut() } else { lc::RSA_new_public_key(n, e) };
            lc::BN_free(n);
            lc::BN_free(e);
            NonNull::new(rsa).map(RawRsa).ok_or(Error::RsaKey("AWS-LC does not accept modulus and exponent"))
        }
    }

    /// A private key from PKCS #8, which AWS-LC parses and checks.
    pub(super) fn private(pkcs8: &[u8]) -> Result<Self, Error> {
        // SAFETY: the CBS only borrows `pkcs8` for the call. EVP_PKEY_get1_RSA returns a new reference or null (for
        // a key of another kind), so the EVP_PKEY may be freed at once; EVP_PKEY_free takes only the non-null one.
        unsafe {
            let mut input = lc::CBS { data: pkcs8.as_ptr(), len: pkcs8.len() };
            let key =
                NonNull::new(lc::EVP_parse_private_key(&mut input)).ok_or(Error::RsaKey("no PKCS #8 private key"))?;
            let rsa = lc::EVP_PKEY_get1_RSA(key.as_ptr());
            lc::EVP_PKEY_free(key.as_ptr());
            NonNull::new(rsa).map(RawRsa).ok_or(Error::RsaKey("a private key, but not an RSA key"))
        }
    }

    /// Length of the modulus in octets.
    pub(super) fn size(&self) -> usize {
        // SAFETY: the pointer is valid for the life of self.
        unsafe { lc::RSA_size(self.0.as_ptr()) as usize }
    }

    /// `m^e mod n`; `m` has the size of the modulus and is less than it.
    pub(super) fn encrypt(&self, m: &[u8]) -> Result<Vec<u8>, Error> {
        self.apply(lc::RSA_encrypt, m)
    }

    /// `c^d mod n`; `c` has the size of the modulus and is less than it. Constant time in the result.
    pub(super) fn decrypt(&self, c: &[u8]) -> Result<Vec<u8>, Error> {
        self.apply(lc::RSA_decrypt, c)
    }

    fn apply(&self, operation: Operation, input: &[u8]) -> Result<Vec<u8>, Error> {
        let size = self.size();
        if input.len() != size {
            return Err(Error::InputLength(input.len()));
        }
        let (mut out, mut written) = (vec![0; size], 0);
        // SAFETY: `out` has `size` octets, which is what max_out says; `input` has as many; both live through the
        // call, and the operation keeps neither.
        let done = unsafe {
            operation(
                self.0.as_ptr(),
                &mut written,
                out.as_mut_ptr(),
                size,
                input.as_ptr(),
                input.len(),
                lc::RSA_NO_PADDING,
            )
        };
        if done == 1 && written == size { Ok(out) } else { Err(Error::InputLength(input.len())) }
    }
}

type Operation = unsafe extern "C" fn(
    *mut lc::RSA,
    *mut usize,
    *mut u8,
    usize,
    *const u8,
    usize,
    std::ffi::c_int,
) -> std::ffi::c_int;
