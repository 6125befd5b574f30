//! The paddings of `rsa.rs` interoperate with those of AWS-LC.

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey,
    Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};

use crate::{Random as _, RsaEncryption, RsaPrivateKey, SeededRandom};

fn library_public(key: &RsaPrivateKey) -> PublicEncryptingKey {
    PublicEncryptingKey::from_der(&key.public().to_spki_der()).expect("our own encoding")
}

#[test]
fn both_paddings_interoperate_with_the_library() {
    let (key, mut rng) = (&RsaPrivateKey::generate(2048).expect("a key"), SeededRandom::new(b"agree"));
    let decrypting = || PrivateDecryptingKey::from_pkcs8(key.to_pkcs8_der().expose()).expect("our own encoding");
    for len in [0, 1, 16, 32, 64, 190] {
        let message = rng.bytes(len);
        let mut out = [0; 256];
        let ours = key.public().encrypt(RsaEncryption::Pkcs1v15, &message, &mut rng).expect("fits");
        let theirs = Pkcs1PrivateDecryptingKey::new(decrypting()).expect("a key");
        assert_eq!(theirs.decrypt(&ours, &mut out).expect("right padding"), message);
        let library = Pkcs1PublicEncryptingKey::new(library_public(key)).expect("a key");
        let theirs = library.encrypt(&message, &mut out).expect("fits");
        assert_eq!(key.decrypt_pkcs1v15(theirs, 32).expect("right length").expose(), message);

        for (padding, algorithm) in
            [(RsaEncryption::OaepSha1, &OAEP_SHA1_MGF1SHA1), (RsaEncryption::OaepSha256, &OAEP_SHA256_MGF1SHA256)]
        {
            let ours = key.public().encrypt(padding, &message, &mut rng).expect("fits");
            assert_eq!(key.decrypt_oaep(padding, &ours).expect("right padding").expose(), message);
            let library = OaepPublicEncryptingKey::new(library_public(key)).expect("a key");
            let theirs = library.encrypt(algorithm, &message, &mut out, None).expect("fits");
            assert_eq!(key.decrypt_oaep(padding, theirs).expect("right padding").expose(), message);
        }
    }
}
