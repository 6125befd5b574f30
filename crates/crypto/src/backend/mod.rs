//! The primitives, twice: those of AWS-LC ([`mod@aws_lc`]), and those of RustCrypto ([`mod@rust_crypto`]). Both modules have
//! the same types and functions; the others of this crate use whichever `backend` re-exports.
//!
//! With the feature `aws-lc` that is AWS-LC; the other one is then compiled only for the tests that compare both.

#[cfg(feature = "aws-lc")]
mod aws_lc;
#[cfg(any(not(feature = "aws-lc"), all(test, feature = "pure")))]
mod rust_crypto;

#[cfg(feature = "aws-lc")]
pub(crate) use aws_lc::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use rust_crypto::*;

#[cfg(test)]
mod comparison;
