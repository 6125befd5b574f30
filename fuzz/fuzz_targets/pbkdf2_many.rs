//! Many derivations at once: each is that of AWS-LC.
#![no_main]

use std::num::NonZeroU32;

use dskpp_crypto::{Derivation, Pbkdf2Prf, pbkdf2, pbkdf2_many};
use libfuzzer_sys::fuzz_target;

// PRF, rounds, and for each derivation the lengths of password, salt and output before password and salt.
fuzz_target!(|data: &[u8]| {
    let [prf, rounds, rest @ ..] = data else { return };
    let prf = [Pbkdf2Prf::HmacSha1, Pbkdf2Prf::HmacSha256, Pbkdf2Prf::HmacSha384][usize::from(prf % 3)];
    let iterations = NonZeroU32::MIN.saturating_add((rounds % 8).into());
    let (mut derivations, mut rest) = (Vec::new(), rest);
    while let [password_len, salt_len, len, more @ ..] = rest {
        let (password, more) = more.split_at(more.len().min((*password_len).into()));
        let (salt, more) = more.split_at(more.len().min((*salt_len).into()));
        derivations.push(Derivation { password, salt, len: (*len).into() });
        rest = more;
    }
    let one = |of: &Derivation<'_>| pbkdf2(prf, of.password, of.salt, iterations, of.len);
    assert_eq!(pbkdf2_many(prf, iterations, &derivations), derivations.iter().map(one).collect::<Vec<_>>());
});
