//! Decrypts values of any container; and protects values, changes one octet, and requires that
//! they are refused.
#![no_main]

use dskpp_crypto::{Hash, Secret, SeededRandom};
use libfuzzer_sys::fuzz_target;
use pskc::{DecryptionKey, DerivedKey, KeyContainer, KeyData, Opener, OpenerOptions, Protector, Value};

/// Passwords with more rounds are not tried: they are slow, and no different.
const MAX_ITERATIONS: u32 = 100;

fuzz_target!(|data: &[u8]| {
    if let Ok((container, _)) = KeyContainer::from_xml_lenient(data) {
        open_with_everything(&container);
    }
    if data.len() >= 16 {
        flip(data);
    }
});

/// A key of 16, 24 or 32 octets; the one of 16 is that of RFC 6030 figure 6.
fn key(len: usize) -> Secret {
    let octets = [0x12, 0x34, 0x56, 0x78, 0x90].into_iter().cycle();
    Secret::new(octets.take(len).collect())
}

fn open_with_everything(container: &KeyContainer) {
    let mut unlocks = [16, 24, 32].map(|len| DecryptionKey::Key(key(len))).to_vec();
    let derived = container.encryption_key.as_ref().map(DerivedKey::of);
    if !matches!(derived, Some(Ok(Some(derived))) if derived.iterations.get() > MAX_ITERATIONS) {
        unlocks.push(DecryptionKey::Password(Secret::from_slice(b"qwerty")));
    }
    let strict = OpenerOptions::default();
    let mut lenient = OpenerOptions::default();
    lenient.lenient = true;
    let mut told = lenient.clone();
    (told.mac_key, told.iv) = (Some(key(20)), Some(vec![0; 16]));
    for unlock in &unlocks {
        let opened = open(container, unlock, &strict);
        let leniently = open(container, unlock, &lenient);
        open(container, unlock, &told);
        for (strict, lenient) in opened.iter().zip(&leniently) {
            assert!(strict.is_none() || strict == lenient, "opened strictly, and leniently not or to something else");
        }
    }
}

/// The result of opening with each key.
fn open(container: &KeyContainer, unlock: &DecryptionKey, options: &OpenerOptions) -> Vec<Option<KeyData>> {
    let (named, mac) = (container.encryption_key.as_ref(), container.mac_method.as_ref());
    let keys = container.key_packages.iter().filter_map(|package| package.key.as_ref()?.data.as_ref());
    let Ok(mut opener) = Opener::new(named, mac, unlock, options.clone()) else {
        return keys.map(|_| None).collect();
    };
    let open_one = |data: &KeyData| {
        let mut opened = data.clone();
        if opener.open(&mut opened).is_err() {
            assert_eq!(&opened, data, "an error changes nothing");
            return None;
        }
        assert!(is_plain(&opened), "opened, and a value is encrypted still");
        Some(opened)
    };
    keys.map(open_one).collect()
}

fn is_plain(data: &KeyData) -> bool {
    fn plain<T>(value: &Option<Value<T>>) -> bool {
        !matches!(value, Some(Value::Encrypted(_)))
    }
    plain(&data.secret)
        && [&data.time, &data.time_interval, &data.time_drift].into_iter().all(plain)
        && plain(&data.counter)
}

/// The first three octets choose the secret's length, its protection and the change.
fn flip(data: &[u8]) {
    let [high, low, mask, secret @ ..] = data else { return };
    let position = usize::from(u16::from_be_bytes([*high, *low]));
    let len = [16, 24, 32][position % 3];
    let rng = &mut SeededRandom::new(b"fuzz");
    let hash = [Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512][position % 5];
    let protector = match mask % 4 {
        0 => Protector::aes_key_wrap(key(len), "key", false),
        1 => Protector::aes_key_wrap(key(len), "key", true),
        _ => Protector::aes_cbc(key(len), "key", hash, rng),
    };
    let protector = protector.expect("the key has a length of AES");
    let plain = KeyData { secret: Some(Value::Plain(Secret::from_slice(secret))), ..KeyData::default() };
    let mut protected = plain.clone();
    protector.protect(&mut protected, rng).expect("the secret is neither empty nor long");
    let changed = change(&protected, position, (*mask).max(1));
    for lenient in [false, true] {
        let unlock = DecryptionKey::Key(key(len));
        let (named, mac) = (protector.encryption_key(), protector.mac_method());
        let mut options = OpenerOptions::default();
        options.lenient = lenient;
        let mut opener = Opener::new(Some(named), mac, &unlock, options).expect("made by the protector");
        let mut opened = protected.clone();
        opener.open(&mut opened).expect("made by the protector");
        assert_eq!(opened, plain);
        assert!(opener.deviations().is_empty());
        assert!(opener.open(&mut changed.clone()).is_err(), "changed, and opened all the same");
    }
}

/// Changes one octet of the ciphertext or MAC.
fn change(protected: &KeyData, position: usize, mask: u8) -> KeyData {
    let mut changed = protected.clone();
    let Some(Value::Encrypted(value)) = &mut changed.secret else { panic!("protected, and not encrypted") };
    let mac = value.mac.iter_mut().flatten();
    let mut octets: Vec<&mut u8> = value.data.cipher_value.iter_mut().chain(mac).collect();
    let at = position % octets.len(); // a ciphertext is never empty
    *octets[at] ^= mask;
    changed
}
