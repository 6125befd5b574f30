//! Key packages and key files in other formats: no input causes a panic, and opened packages can be sealed and
//! opened again.
#![no_main]

use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};

use dskpp::algorithm::PackageFormat;
use dskpp::key_package::{OpenedPackage, PackageProtection, codec, file, verify};
use dskpp_crypto::{RsaPrivateKey, Secret, SeededRandom, SigningKey};
use libfuzzer_sys::fuzz_target;
use pskc::DecryptionKey;

static UNLOCKS: LazyLock<Vec<Option<DecryptionKey>>> = LazyLock::new(|| {
    let pem = include_str!("../../crates/pskc/tests/data/signature/rsa.key");
    let rsa = RsaPrivateKey::from_pkcs8_pem(pem).expect("a key");
    vec![
        None,
        Some(DecryptionKey::Password(Secret::from_slice(b"password"))),
        Some(DecryptionKey::Key(Secret::new((0..16).collect()))),
        Some(DecryptionKey::PrivateKey(Arc::new(rsa))),
    ]
});

static SIGNER: LazyLock<SigningKey> = LazyLock::new(|| {
    SigningKey::from_pem(include_str!("../../crates/pskc/tests/data/signature/p256.key")).expect("a key")
});

/// Files with any number of keys.
fn files(octets: &[u8]) {
    let _ = file::format_of(octets);
    for unlock in UNLOCKS.iter() {
        let Ok(content) = file::open(octets, unlock.as_ref()) else { continue };
        let packages: Vec<_> = content.packages.iter().collect();
        let rng = &mut SeededRandom::new(b"fuzz");
        let Ok(written) = file::write(file::FileFormat::Skpc, &packages, &PackageProtection::None, false, rng) else {
            continue; // keys without a secret, or without an algorithm
        };
        assert_eq!(file::open(&written, None).map(|content| content.packages), Ok(content.packages));
    }
}

fuzz_target!(|octets: &[u8]| {
    let _ = verify(octets, &SIGNER.public());
    files(octets);
    for format in [PackageFormat::Skpc, PackageFormat::Pkcs12, PackageFormat::Pkcs5Xml] {
        let codec = codec(&format).expect("a codec");
        for unlock in UNLOCKS.iter() {
            let Ok(OpenedPackage { package, .. }) = codec.open(octets, unlock.as_ref()) else { continue };
            let password = Secret::from_slice(b"p");
            let iterations = NonZeroU32::new(1000).expect("not 0"); // the minimum accepted
            let protection = PackageProtection::Password { password: password.clone(), iterations };
            let sealed = codec.seal(&package, &protection, &mut SeededRandom::new(b"fuzz"));
            let Ok(sealed) = sealed else { continue }; // RFC 6031 cannot express every PIN policy
            let opened = OpenedPackage { package, iterations: Some(iterations) };
            assert_eq!(codec.open(&sealed, Some(&DecryptionKey::Password(password))), Ok(opened));
        }
    }
});
