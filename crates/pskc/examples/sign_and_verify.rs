//! Signs a key file, verifies it, and reads only what was signed.

use dskpp_crypto::SigningKey;
use pskc::signature::{Canonicalization, VerifyOptions, sign, verify};
use pskc::{Key, KeyContainer, KeyPackage};

// A P-256 key generated for this example.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDMnMjgmyHmbyH868
ulHjN0d7QR9GqiEqEAnA6IKx3w+hRANCAASX38ZvYX6bAyahVSHZK4htNHmM1qls
nc4+ZspFucumL1/elOKEDUgYVHQ8552NuYObViky+G4I3S3idYiz+rEB
-----END PRIVATE KEY-----";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = SigningKey::from_pem(KEY)?;
    let package = KeyPackage { key: Some(Key { id: "token-1".into(), ..Key::default() }), ..KeyPackage::default() };
    let document = KeyContainer { key_packages: vec![package], ..KeyContainer::default() }.to_xml();

    // A certificate for the key would be embedded in the signature; without one, the receiver must know the key.
    let signed = sign(&document, &key, &[], Canonicalization::Exclusive)?;

    let options = VerifyOptions::with_key(key.public());
    let verified = verify(&signed, &options)?;
    let container = KeyContainer::from_xml(&verified.content)?;
    assert_eq!(container.key_packages[0].key.as_ref().map(|key| &*key.id), Some("token-1"));

    let changed = String::from_utf8(signed)?.replace("token-1", "token-2");
    assert!(verify(changed.as_bytes(), &options).is_err());
    Ok(())
}
