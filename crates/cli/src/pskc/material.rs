//! Files that options name: passwords, keys and certificates, in any usual form.
//!
//! The content of a key file decides its form. Hexadecimal digits, with spaces, colons or hyphens between them, are
//! hexadecimal; other Base64 text of 16 octets or more is Base64, without padding or URL-safe only if it has the length
//! of a key; a JWK of type `oct` is its key; binary content is the key itself. An ambiguous file is the first of these,
//! unless a prefix names the form: `raw:FILE`, `hex:FILE`, `base64:FILE`. A file that is almost one of them (a mistyped
//! digit, a line end after the octets) is refused.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use data_encoding::BASE64;
use dskpp_client::transport::read_certificates;
use dskpp_crypto::Secret;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use zeroize::Zeroizing;

use super::key_text::{USUAL, base64, hex, jwk, mistyped_hex};
use super::kind::{Der, FileKind, pem_labels};
use crate::output::Failure;
use crate::shown::{count, note};

/// The longest of these files, in octets.
const MOST: u64 = 1024 * 1024;
/// The longest key that a file may hold as raw octets.
const LONGEST_KEY: usize = 256;
/// The shortest key in Base64: shorter text may be a word.
const SHORTEST_KEY: usize = 16;

const MARK: &[u8] = b"\xEF\xBB\xBF";

fn octets(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut octets = Zeroizing::new(Vec::new());
    let read = File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut octets));
    read.map_err(|why| Failure::new(format!("cannot read {}: {why}", path.display())))?;
    match octets.len() as u64 > MOST {
        true => Err(Failure::new(format!("{} is longer than 1 MiB", path.display())).next("name the right file")),
        false => Ok(octets),
    }
}

/// The text of a file, without a byte order mark.
pub(crate) fn text_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let octets = octets(path)?;
    match std::str::from_utf8(octets.strip_prefix(MARK).unwrap_or(&octets)) {
        Ok(text) if !text.contains('\0') => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(no_text(path, &octets)),
    }
}

fn no_text(path: &Path, octets: &[u8]) -> Failure {
    match FileKind::of(octets, "") {
        FileKind::Other(what, next) => Failure::new(format!("{} is {what}, not text", path.display())).next(next),
        _ => Failure::new(format!("{} is not text in UTF-8", path.display())).next("save it as UTF-8"),
    }
}

/// The password in a file: its first line, which must not be empty.
pub(crate) fn first_line(path: &Path) -> Result<Secret, Failure> {
    let text = text_file(path)?;
    let line = text.lines().next().unwrap_or_default();
    if line.trim().is_empty() {
        let what = if text.trim().is_empty() { "is empty" } else { "has an empty first line, which is the password" };
        return Err(Failure::new(format!("{} {what}: there is no password", path.display()))
            .next("write the password on its first line"));
    }
    if line.trim() != line {
        note(format!("leading and trailing spaces of the first line of {} are part of the password", path.display()));
    }
    Ok(Secret::from_slice(line.as_bytes()))
}

/// The symmetric key in a file, in the forms above.
pub(crate) fn key_file(named: &Path) -> Result<Secret, Failure> {
    let prefixed = |prefix: &str| named.to_str()?.strip_prefix(prefix).map(Path::new);
    if let Some(path) = prefixed("raw:") {
        let octets = octets(path)?;
        return match octets.is_empty() {
            true => Err(Failure::new(format!("{} is empty", path.display()))),
            false => Ok(Secret::from_slice(&octets)),
        };
    }
    for (prefix, decode, form) in [("hex:", hex as fn(&str) -> _, "hexadecimal"), ("base64:", base64, "Base64")] {
        if let Some(path) = prefixed(prefix) {
            let text = text_file(path)?;
            return decode(&text).map(Secret::new).ok_or_else(|| {
                let why = mistyped_hex(&text).filter(|_| prefix == "hex:").map(|why| format!(": {why}"));
                let what = format!("{} does not hold a key in {form}{}", path.display(), why.unwrap_or_default());
                Failure::new(what).next("correct it")
            });
        }
    }
    let octets = octets(named)?;
    let name = named.display();
    let text = std::str::from_utf8(octets.strip_prefix(MARK).unwrap_or(&octets)).ok();
    if let Some(text) = text.filter(|text| text.chars().all(|c| !c.is_control() || c.is_whitespace())) {
        if let Some(key) = hex(text) {
            return Ok(Secret::new(key));
        }
        if let Some(why) = mistyped_hex(text) {
            return Err(Failure::new(format!("the key in {name} is not hexadecimal: {why}")).next(MISTYPED));
        }
        if let Some(key) = jwk(text) {
            return key.map_err(|why| Failure::new(format!("{name} holds no symmetric key: {why}")).next(FORMS));
        }
        if let Some(label) = pem_labels(text).next() {
            return Err(Failure::new(format!("{name} holds PEM ({label}), not a symmetric key"))
                .next("pass a private key with --private-key, a certificate with --certificate or --to-certificate"));
        }
        if let Some(key) = base64(text).filter(|key| key.len() >= SHORTEST_KEY) {
            note(format!("the key in {name} is read as Base64: {}", count(key.len() as u64, "octet")));
            return Ok(Secret::new(key));
        }
        return Err(match text.trim().is_empty() {
            true => Failure::new(format!("{name} is empty")),
            false => Failure::new(format!("{name} holds text that is neither hexadecimal nor Base64")).next(FORMS),
        });
    }
    match FileKind::of(&octets, "") {
        FileKind::Other(what, next) if octets.len() > 64 || what.contains("UTF-16") => {
            Err(Failure::new(format!("{name} is {what}, not a symmetric key")).next(next))
        }
        _ if octets.len() > LONGEST_KEY => {
            let what = format!("{name} holds {} binary octets: too many for a key", octets.len());
            Err(Failure::new(what).next("name the file with the key"))
        }
        _ => match line_end(&octets) {
            Some(key) => Err(Failure::new(format!(
                "{name} holds {key} binary octets and a line end, which may not belong to the key"
            ))
            .next(format!("remove it with `head -c {key} FILE > NEW`, or keep it with raw:FILE"))),
            None => Ok(Secret::from_slice(&octets)),
        },
    }
}

const MISTYPED: &str = "correct it, or name the form with base64:FILE or raw:FILE";
const FORMS: &str = "write the key in hexadecimal, or name raw octets with raw:FILE; pass a password with \
                     --password-file or --to-password-file";

/// The number of octets before a line end, if that is a key length and the total is not.
fn line_end(octets: &[u8]) -> Option<usize> {
    let key = octets.strip_suffix(b"\r\n").or_else(|| octets.strip_suffix(b"\n"))?.len();
    (USUAL.contains(&key) && !USUAL.contains(&octets.len())).then_some(key)
}

/// The private key in a file, PEM or DER, as PKCS #8 in DER.
pub(crate) fn private_key(path: &Path) -> Result<Secret, Failure> {
    const WRAP: &str = "`openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW` converts it to PKCS #8";
    const DECRYPT: &str = "`openssl pkcs8 -in FILE -out NEW` decrypts it";
    let octets = octets(path)?;
    let name = path.display();
    let wrong = |what: &str, next: &str| Err(Failure::new(format!("{name} holds {what}")).next(next));
    let pem = octets.strip_prefix(MARK).unwrap_or(&octets);
    if let Ok(key) = PrivatePkcs8KeyDer::from_pem_slice(pem) {
        return Ok(Secret::from_slice(key.secret_pkcs8_der()));
    }
    let labels = || std::str::from_utf8(pem).into_iter().flat_map(pem_labels);
    let label = labels().find(|label| label.ends_with("PRIVATE KEY")).or(labels().next());
    match (label, Der::of(&octets)) {
        (Some("PRIVATE KEY"), _) => wrong("a private key in invalid PEM", "create it again"),
        (Some("ENCRYPTED PRIVATE KEY"), _) | (None, Some(Der::EncryptedPrivateKey)) => {
            wrong("an encrypted private key", DECRYPT)
        }
        (Some(label), _) if label.ends_with("PRIVATE KEY") => wrong(&format!("PEM ({label}), not PKCS #8"), WRAP),
        (Some(label), _) => wrong(&format!("PEM ({label}), not a private key"), "name the file with the key"),
        (None, Some(Der::PrivateKey)) => Ok(Secret::from_slice(&octets)),
        (None, Some(Der::BarePrivateKey)) => wrong("a private key without PKCS #8", WRAP),
        (None, Some(Der::Pkcs12)) => {
            wrong("a PKCS #12 file", "`openssl pkcs12 -nocerts -nodes -in FILE -out NEW` extracts the key")
        }
        (None, Some(other)) => wrong(other.what(), "name the file with the private key"),
        (None, None) if pem.trim_ascii_start().starts_with(b"{") => {
            wrong("JSON, not a private key in PEM or DER", "convert a JWK to PKCS #8 in PEM first")
        }
        (None, None) => wrong("no private key in PEM or DER", "use a private key in PKCS #8"),
    }
}

/// All certificates in a file, PEM or one in DER; at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let found = read_certificates(path).map_err(|why| Failure::new(format!("{}: {why}", path.display())));
    match found? {
        found if found.iter().all(|der| Der::of(der) == Some(Der::Certificate)) => Ok(found),
        found => {
            let what = found.iter().find_map(|der| Der::of(der)).map_or("no certificate", Der::what);
            Err(Failure::new(format!("{} is {what}", path.display())).next("use a certificate in PEM or DER"))
        }
    }
}

/// The certificates in a file, as PEM.
pub(crate) fn certificate_pem(path: &Path) -> Result<String, Failure> {
    let block = |der: &Vec<u8>| {
        let body = BASE64.encode(der);
        let lines: Vec<&str> = body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    };
    Ok(certificates(path)?.iter().map(block).collect())
}

/// The public key in a file, PEM or DER, as SubjectPublicKeyInfo in DER.
pub(crate) fn public_key(path: &Path) -> Result<Vec<u8>, Failure> {
    let octets = octets(path)?;
    if Der::of(&octets) == Some(Der::PublicKey) {
        return Ok(octets.to_vec());
    }
    let key = SubjectPublicKeyInfoDer::from_pem_slice(octets.strip_prefix(MARK).unwrap_or(&octets));
    let none = || Failure::new(format!("{} holds no public key in PEM or DER", path.display()));
    key.map(|key| key.to_vec()).map_err(|_| {
        match std::str::from_utf8(&octets).ok().and_then(|text| pem_labels(text).next()) {
            Some(label) => none().next(format!("it holds PEM ({label}); --signer takes a certificate")),
            None => none(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms that the module documents.
    #[test]
    fn content_or_prefix_decides_the_form_of_a_key_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        let sixteen = [7; 16];
        let text = "07".repeat(16);
        let read: &[(&[u8], &[u8])] = &[
            (text.as_bytes(), &sixteen),
            (b"\xEF\xBB\xBF07070707070707070707070707070707\r\n", &sixteen),
            (b"07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07\n", &sixteen),
            (b"07070707 07070707\n07070707-07070707", &sixteen),
            (b"0x07070707070707070707070707070707", &sixteen),
            (b"BwcHBwcHBwcHBwcHBwcHBw==\n", &sixteen),
            (b"BwcHBwcHBwcHBwcHBwcHBw\n", &sixteen),
            (b"-_v7-_v7-_v7-_v7-_v7-w==", &[0xFB; 16]),
            (b"-_v7-_v7-_v7-_v7-_v7-w", &[0xFB; 16]),
            (b"{\"kty\":\"oct\",\"k\":\"BwcHBwcHBwcHBwcHBwcHBw\",\"alg\":\"A128KW\"}\n", &sixteen),
            (&sixteen, &sixteen),
            (
                b"\xF0\xF1\xF2\xF3\xF4\xF5\xF6\xF7\xF8\xF9\xFA\xFB\xFC\xFD\xFE\xFF",
                b"\xF0\xF1\xF2\xF3\xF4\xF5\xF6\xF7\xF8\xF9\xFA\xFB\xFC\xFD\xFE\xFF",
            ),
            (
                b"\xFF\xFE\xF2\xF3\xF4\xF5\xF6\xF7\xF8\xF9\xFA\xFB\xFC\xFD\xFE\xFF",
                b"\xFF\xFE\xF2\xF3\xF4\xF5\xF6\xF7\xF8\xF9\xFA\xFB\xFC\xFD\xFE\xFF",
            ),
        ];
        for (content, key) in read {
            std::fs::write(&path, content).expect("written");
            let found = key_file(&path).unwrap_or_else(|why| panic!("{content:?}: {why:?}"));
            assert_eq!(found.expose(), *key, "{content:?}");
        }
        let refused: &[(&[u8], &str)] = &[
            (b"", "empty"),
            (b"\xEF\xBB\xBF\r\n", "empty"),
            (b"0707070", "7 hexadecimal digits, an odd number"),
            (b"0707070707070707070707070707070", "31 hexadecimal digits, an odd number"),
            (b"0707070707070707070707O7070707\n07", "character 23 is not a hexadecimal digit"),
            (b"\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8A\x8B\x8C\x8D\x8E\x8F\n", "16 binary octets and a"),
            (b"{\"kty\":\"RSA\",\"n\":\"AQAB\"}", "asymmetric"),
            (b"{\"kty\":\"oct\"}", "without the key"),
            (b"{\"kty\":\"oct\",\"k\":\"BwcHBw==\"}", "without padding"),
            (b"{\"keys\":[{\"kty\":\"oct\",\"k\":\"BwcHBw\"}]}", "a set of JWKs"),
            (b"{\"a\":1}", "not a JWK"),
            (b"correct horse battery staple", "neither hexadecimal nor Base64"),
            (b"passwords", "neither hexadecimal nor Base64"),
            (b"-----BEGIN PRIVATE KEY-----\nAAAA\n", "PEM (PRIVATE KEY)"),
            (b"\xFF\xFE0\x007\x000\x007\x00", "UTF-16"),
            (&[0x80; 300], "300 binary octets"),
        ];
        for (content, told) in refused {
            std::fs::write(&path, content).expect("written");
            let why = format!("{:?}", key_file(&path).expect_err(told));
            assert!(why.contains(told), "{told}: {why}");
        }
        // 32 octets that are also hexadecimal text.
        std::fs::write(&path, &text).expect("written");
        let prefixed = |prefix: &str| key_file(Path::new(&format!("{prefix}{}", path.display())));
        assert_eq!(prefixed("hex:").expect("a key").expose(), sixteen);
        assert_eq!(prefixed("raw:").expect("a key").expose(), text.as_bytes());
        assert_eq!(prefixed("base64:").expect("a key").len(), 24);
    }
}
