//! What passes the border: octets, and handles that only this crate looks into.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

use zeroize::Zeroize as _;

use crate::error::Fault;
use crate::run::Run;
use crate::store::Store;

/// The result is in `out`.
pub const DSKPP_OK: i32 = 0;
/// Nothing changed, or the enrolment is over; the texts of the error are in `out`.
pub const DSKPP_ERROR: i32 = 1;
/// The call itself is wrong: a null pointer, or no such JSON. The texts of the error are in `out`, if there is one.
pub const DSKPP_MISUSE: i32 = 2;
/// A bug of this library, caught at the border. Free the handle.
pub const DSKPP_BUG: i32 = 3;

/// Tokens and notes of unfinished runs.
pub struct DskppTokens(pub(crate) Store);

/// An enrolment that is under way.
pub struct DskppEnrolment(pub(crate) Run);

/// Octets that the caller frees with `dskpp_free_octets(ptr, len)`.
#[repr(C)]
#[derive(Debug)]
pub struct DskppOctets {
    /// The octets; null if there are none.
    pub ptr: *mut u8,
    /// How many.
    pub len: usize,
}

/// Runs `work`; its result or its error goes to `out`, a panic ends here.
pub(crate) fn guarded(out: *mut DskppOctets, work: impl FnOnce() -> Result<Vec<u8>, Fault>) -> i32 {
    if out.is_null() {
        return DSKPP_MISUSE;
    }
    let (code, octets) = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(octets)) => (DSKPP_OK, octets),
        Ok(Err(fault)) => (fault.number(), fault.to_json()),
        Err(_) => (DSKPP_BUG, Fault::bug().to_json()),
    };
    // SAFETY: `out` is not null, and the interface demands that it points to a `DskppOctets`. What was in it is not read.
    unsafe { out.write(give(octets)) };
    code
}

/// Hands octets to the caller.
fn give(octets: Vec<u8>) -> DskppOctets {
    let len = octets.len();
    if len == 0 {
        return DskppOctets { ptr: std::ptr::null_mut(), len: 0 };
    }
    DskppOctets { ptr: Box::into_raw(octets.into_boxed_slice()).cast(), len }
}

/// Hands `len` zero octets to the caller; null for a length of 0 or one that memory does not have.
pub(crate) fn allocate(len: usize) -> *mut u8 {
    let mut octets = Vec::new();
    match octets.try_reserve_exact(len) {
        Ok(()) => octets.resize(len, 0),
        Err(_) => return std::ptr::null_mut(),
    }
    give(octets).ptr
}

/// Takes octets back, and wipes them.
///
/// # Safety
/// They are octets that [`give`] handed out with this length, and were not freed yet.
pub(crate) unsafe fn take_back(ptr: *mut u8, len: usize) {
    if !ptr.is_null() && len > 0 {
        // SAFETY: by the contract of this function, pointer and length are those of a boxed slice.
        let mut octets = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(ptr, len)) };
        octets.zeroize();
    }
}

/// The caller's octets, for the time of the call.
///
/// # Safety
/// `ptr` points to `len` octets that do not change while the result lives; it may be null if `len` is 0.
pub(crate) unsafe fn octets<'a>(ptr: *const u8, len: usize) -> Result<&'a [u8], Fault> {
    match (ptr.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Fault::misuse("a null pointer with a length")),
        // SAFETY: by the contract of this function.
        (false, len) if isize::try_from(len).is_ok() => Ok(unsafe { slice::from_raw_parts(ptr, len) }),
        _ => Err(Fault::misuse("a length beyond the address space")),
    }
}

/// Writes a new handle.
///
/// # Safety
/// `to` is null or points to a place for a pointer.
pub(crate) unsafe fn give_handle<T>(to: *mut *mut T, value: T) -> Result<Vec<u8>, Fault> {
    if to.is_null() {
        return Err(Fault::misuse("no place for the handle"));
    }
    // SAFETY: by the contract of this function.
    unsafe { to.write(Box::into_raw(Box::new(value))) };
    Ok(Vec::new())
}

/// The value of a handle.
///
/// # Safety
/// `handle` is null, or came from [`give_handle`] and was not freed; nothing else uses it while the result lives.
pub(crate) unsafe fn handle<'a, T>(handle: *mut T) -> Result<&'a mut T, Fault> {
    // SAFETY: by the contract of this function.
    unsafe { handle.as_mut() }.ok_or(Fault::misuse("a null pointer instead of a handle"))
}

/// Drops the value of a handle, which wipes its secrets.
///
/// # Safety
/// `handle` is null, or came from [`give_handle`] and was not freed.
pub(crate) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: by the contract of this function.
        let value = unsafe { Box::from_raw(handle) };
        let _ = catch_unwind(AssertUnwindSafe(move || drop(value)));
    }
}
