//! Reads a password-protected key file and decrypts its keys.

use std::num::NonZeroU32;

use dskpp_crypto::{Secret, SystemRandom};
use pskc::{DecryptionKey, Key, KeyContainer, KeyData, KeyPackage, PasswordStrength, Protector, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let password = Secret::from_slice(b"correct horse");
    let document = encrypted_file(&password)?; // a real program reads it from disk

    let mut container = KeyContainer::from_xml(&document)?;
    container.decrypt(&DecryptionKey::Password(password))?;

    let key = container.key_packages[0].key.as_ref().ok_or("the package has no key")?;
    let secret = key.data.as_ref().and_then(|data| data.secret.as_ref()).and_then(Value::plain);
    assert_eq!(key.id, "token-1");
    assert_eq!(secret, Some(&Secret::from_slice(b"12345678901234567890")));

    let mut again = KeyContainer::from_xml(&document)?;
    assert!(again.decrypt(&DecryptionKey::Password(Secret::from_slice(b"wrong"))).is_err());
    Ok(())
}

fn encrypted_file(password: &Secret) -> Result<Vec<u8>, pskc::ProtectionError> {
    let rng = &mut SystemRandom;
    let mut strength = PasswordStrength::TODAY;
    strength.iterations = NonZeroU32::new(100_000).expect("not 0");
    let protector = Protector::passphrase(password, None, strength, rng)?;
    let secret = Value::Plain(Secret::from_slice(b"12345678901234567890"));
    let mut data = KeyData { secret: Some(secret), ..KeyData::default() };
    protector.protect(&mut data, rng)?;
    let key = Key { id: "token-1".into(), data: Some(data), ..Key::default() };
    let container = KeyContainer {
        encryption_key: Some(protector.encryption_key().clone()),
        mac_method: protector.mac_method().cloned(),
        key_packages: vec![KeyPackage { key: Some(key), ..KeyPackage::default() }],
        ..KeyContainer::default()
    };
    Ok(container.to_xml())
}
