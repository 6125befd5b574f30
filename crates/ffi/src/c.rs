//! The functions of the header: each looks at its arguments through `border` and calls safe code.
//!
//! # Safety
//! Of all of them, as the header says: a pointer with a length points to that many octets, which do not change during the
//! call; a handle came from this library, is not freed yet, and no other thread uses it; `out`, `message` and the places for
//! handles are null or can be written. Null pointers are found and reported.
#![allow(unsafe_code)]
#![allow(clippy::missing_safety_doc, reason = "it is the same for all, and stands above")]

use dskpp_token::Proof;

use crate::border::{self, DskppEnrolment, DskppOctets, DskppTokens, guarded};
use crate::error::Fault;
use crate::run::Run;
use crate::store::Store;
use crate::{code, handover, info};

pub use crate::border::{DSKPP_BUG, DSKPP_ERROR, DSKPP_MISUSE, DSKPP_OK};

/// Tokens from the octets that `dskpp_store` gave, or from none. On success `*tokens` is a handle for `dskpp_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_new(
    store: *const u8,
    store_len: usize,
    tokens: *mut *mut DskppTokens,
    out: *mut DskppOctets,
) -> i32 {
    guarded(out, || {
        // SAFETY: the caller's promise.
        let store = unsafe { border::octets(store, store_len) }?;
        let store = Store::read(store)?;
        // SAFETY: the caller's promise.
        unsafe { border::give_handle(tokens, DskppTokens(store)) }
    })
}

/// The octets to keep. They have the keys in the clear: encrypt them before you store them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_store(tokens: *mut DskppTokens, out: *mut DskppOctets) -> i32 {
    // SAFETY: the caller's promise.
    guarded(out, || Ok(unsafe { border::handle(tokens) }?.0.write()))
}

/// All tokens without their secrets, as a JSON array: see docs/apps.md. `now_s`: the time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_list(tokens: *mut DskppTokens, now_s: f64, out: *mut DskppOctets) -> i32 {
    // SAFETY: the caller's promise.
    guarded(out, || info::list(&unsafe { border::handle(tokens) }?.0, now_s))
}

/// A one-time password. Input: {"id","now","challenge"?,"pin"?}. Output: {"code","validFor"?,"validUntil"?,"changed"}.
/// If `changed`, keep `dskpp_store` before you show the code, or a code may come twice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_otp(
    tokens: *mut DskppTokens,
    input: *const u8,
    input_len: usize,
    out: *mut DskppOctets,
) -> i32 {
    // SAFETY: the caller's promise.
    guarded(out, || unsafe { border::handle(tokens) }?.0.otp(unsafe { border::octets(input, input_len) }?))
}

/// A change of the tokens: {"rename":ID,"label":TEXT or null}, {"delete":ID} or {"forgetReplaced":ID}. Keep `dskpp_store`
/// afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_change(
    tokens: *mut DskppTokens,
    change: *const u8,
    change_len: usize,
    out: *mut DskppOctets,
) -> i32 {
    // SAFETY: the caller's promise.
    guarded(out, || unsafe { border::handle(tokens) }?.0.change(unsafe { border::octets(change, change_len) }?))
}

/// The proof for `POST /activate`, 32 hexadecimal digits, for {"id","otp"}: DSKPP-PRF(K_MAC, "OTP activation" || otp, 16).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_activation(
    tokens: *mut DskppTokens,
    input: *const u8,
    input_len: usize,
    out: *mut DskppOctets,
) -> i32 {
    guarded(out, || {
        // SAFETY: the caller's promise.
        let (tokens, input) = unsafe { (border::handle(tokens)?, border::octets(input, input_len)?) };
        handover::proof(&tokens.0, Proof::Activation, input)
    })
}

/// The proof for `POST /renew`, 32 hexadecimal digits, for {"id","otp"}: DSKPP-PRF(K_MAC, "Renewal request" || otp, 16). The
/// server uses up the password.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_renewal(
    tokens: *mut DskppTokens,
    input: *const u8,
    input_len: usize,
    out: *mut DskppOctets,
) -> i32 {
    guarded(out, || {
        // SAFETY: the caller's promise.
        let (tokens, input) = unsafe { (border::handle(tokens)?, border::octets(input, input_len)?) };
        handover::proof(&tokens.0, Proof::Renewal, input)
    })
}

/// The otpauth:// URI of {"id"} for another app; it has the key in the clear. An error if the key's policy forbids it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_otpauth(
    tokens: *mut DskppTokens,
    input: *const u8,
    input_len: usize,
    out: *mut DskppOctets,
) -> i32 {
    guarded(out, || {
        // SAFETY: the caller's promise.
        let (tokens, input) = unsafe { (border::handle(tokens)?, border::octets(input, input_len)?) };
        handover::otpauth(&tokens.0, input)
    })
}

/// Frees the tokens and wipes them. Null is good.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_free(tokens: *mut DskppTokens) {
    // SAFETY: the caller's promise.
    unsafe { border::free(tokens) }
}

/// Begins an enrolment with these tokens: see docs/apps.md for the request. `seed`: 32 secret random octets of the system,
/// new ones each time. On success `*enrolment` is a handle for `dskpp_free_enrolment`. It does not need the tokens.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_enroll(
    tokens: *mut DskppTokens,
    request: *const u8,
    request_len: usize,
    seed: *const u8,
    enrolment: *mut *mut DskppEnrolment,
    out: *mut DskppOctets,
) -> i32 {
    guarded(out, || {
        // SAFETY: the caller's promise.
        let (tokens, request, seed) =
            unsafe { (border::handle(tokens)?, border::octets(request, request_len)?, border::octets(seed, 32)?) };
        let seed = seed.try_into().map_err(|_| Fault::misuse("the seed has 32 octets"))?;
        let run = Run::new(&tokens.0, request, seed)?;
        // SAFETY: the caller's promise.
        unsafe { border::give_handle(enrolment, DskppEnrolment(run)) }
    })
}

/// The next step, after what came of the last one: {"input":"begin"|"answer"|"lost"|"noAnswer"|"consent"|"stored"|
/// "notStored","now","why"?,"consent"?}; the `body` of an answer. Output: {"step":"send","url"} with the message to post in
/// `message`; {"step":"ask","change"}; {"step":"store"}: call `dskpp_apply`; {"step":"done","enrolled"}. An error ends the
/// enrolment, but for the code "outOfTurn". It may compute for a second or two.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_step(
    enrolment: *mut DskppEnrolment,
    input: *const u8,
    input_len: usize,
    body: *const u8,
    body_len: usize,
    message: *mut DskppOctets,
    out: *mut DskppOctets,
) -> i32 {
    let mut sent = Vec::new();
    let code = guarded(out, || {
        // SAFETY: the caller's promise.
        let (run, input, body) =
            unsafe { (border::handle(enrolment)?, border::octets(input, input_len)?, border::octets(body, body_len)?) };
        if message.is_null() {
            return Err(Fault::misuse("no place for the message"));
        }
        let step = run.0.step(input, body)?;
        sent = step.message;
        Ok(step.json)
    });
    guarded(message, || Ok(sent));
    code
}

/// The change that the step "store" asks for, made on the octets that are stored now: another part of the program may have
/// changed them since the enrolment began. Store the result durably, then take the next step with "stored".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_apply(
    enrolment: *mut DskppEnrolment,
    store: *const u8,
    store_len: usize,
    out: *mut DskppOctets,
) -> i32 {
    // SAFETY: the caller's promise.
    guarded(out, || unsafe { border::handle(enrolment) }?.0.apply(unsafe { border::octets(store, store_len) }?))
}

/// Frees the enrolment and wipes it. Null is good.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_free_enrolment(enrolment: *mut DskppEnrolment) {
    // SAFETY: the caller's promise.
    unsafe { border::free(enrolment) }
}

/// What is known of a code while it is typed: {"complete","possible","digits","formatted","error"?,"position"?,"group"?}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_check_code(text: *const u8, text_len: usize, out: *mut DskppOctets) -> i32 {
    // SAFETY: the caller's promise.
    guarded(out, || code::check(unsafe { border::octets(text, text_len) }?))
}

/// A key of 32 octets for the encryption of the store: Argon2id with 19 MiB, 2 passes, 1 lane. The salt has 16 octets or
/// more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_argon2id(
    passphrase: *const u8,
    passphrase_len: usize,
    salt: *const u8,
    salt_len: usize,
    out: *mut DskppOctets,
) -> i32 {
    guarded(out, || {
        // SAFETY: the caller's promise.
        let (passphrase, salt) =
            unsafe { (border::octets(passphrase, passphrase_len)?, border::octets(salt, salt_len)?) };
        code::argon2id(passphrase, salt)
    })
}

/// Zero octets for an input, for callers with a memory of their own (WebAssembly); `dskpp_free_octets` frees them. Null if
/// there is no memory.
#[unsafe(no_mangle)]
pub extern "C" fn dskpp_alloc(len: usize) -> *mut u8 {
    border::allocate(len)
}

/// Wipes and frees octets of this library. Null is good.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dskpp_free_octets(ptr: *mut u8, len: usize) {
    // SAFETY: the caller's promise.
    unsafe { border::take_back(ptr, len) }
}
