//! `otpauth` lines, tables, JSON and raw keys.

use super::Case;

pub(super) const CASES: &[Case] = &[];
