//! Files that options name: passwords, keys and certificates, in whichever form they come.
//!
//! What a key file holds is told by its content. Hexadecimal digits, with blanks, colons or hyphens between them, are
//! hexadecimal; other text of Base64 with 16 octets or more is Base64; octets that are no text are the key itself. A file
//! that could be two of these is the first of them, unless its name says what it is: `raw:FILE`, `hex:FILE`,
//! `base64:FILE`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE as HEX};
use dskpp_client::transport::read_certificates;
use dskpp_crypto::Secret;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use zeroize::Zeroizing;

use super::kind::{Der, Kind, pem_labels};
use crate::output::Failure;
use crate::shown::{count, note};

/// The longest of these files, in octets.
const MOST: u64 = 1024 * 1024;
/// The longest key that a file may hold as raw octets.
const LONGEST_KEY: usize = 256;
/// The shortest key that Base64 may stand for: fewer letters are a word.
const SHORTEST_KEY: usize = 16;

const MARK: &[u8] = b"\xEF\xBB\xBF";

fn octets(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut octets = Zeroizing::new(Vec::new());
    let read = File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut octets));
    read.map_err(|why| Failure::new(format!("{} cannot be read: {why}", path.display())))?;
    match octets.len() as u64 > MOST {
        true => Err(Failure::new(format!("{} is longer than 1 MiB", path.display())).next("name the right file")),
        false => Ok(octets),
    }
}

/// The text of a file, without a byte order mark.
pub(crate) fn text_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let octets = octets(path)?;
    let text = std::str::from_utf8(octets.strip_prefix(MARK).unwrap_or(&octets));
    text.map(|text| Zeroizing::new(text.to_owned())).map_err(|_| no_text(path, &octets))
}

fn no_text(path: &Path, octets: &[u8]) -> Failure {
    match Kind::of(octets, "") {
        Kind::Other(what, next) => Failure::new(format!("{} is {what}, not text", path.display())).next(next),
        _ => Failure::new(format!("{} is not text in UTF-8", path.display())).next("save it as UTF-8"),
    }
}

/// The password in a file: its first line.
pub(crate) fn first_line(path: &Path) -> Result<Secret, Failure> {
    let text = text_file(path)?;
    Ok(Secret::from_slice(text.lines().next().unwrap_or_default().as_bytes()))
}

/// Octets in hexadecimal; blanks, line ends, colons and hyphens between them do not matter.
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, Failure> {
    hex(text).ok_or_else(|| Failure::usage("not hexadecimal: an even number of digits 0-9, a-f is needed"))
}

/// The same where there is something else that the text may be.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let text = text.strip_prefix("0x").unwrap_or(text);
    let is_between = |c: &char| c.is_whitespace() || matches!(c, ':' | '-');
    let digits: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !is_between(c)).collect());
    HEX.decode(digits.as_bytes()).ok().filter(|octets| !octets.is_empty())
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let letters: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    BASE64.decode(letters.as_bytes()).ok().filter(|octets| !octets.is_empty())
}

/// The symmetric key in a file, by the rule above.
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
            let key = decode(&text_file(path)?).map(Secret::new);
            return key.ok_or_else(|| Failure::new(format!("{} does not hold a key in {form}", path.display())));
        }
    }
    let octets = octets(named)?;
    let name = named.display();
    let text = std::str::from_utf8(octets.strip_prefix(MARK).unwrap_or(&octets)).ok();
    if let Some(text) = text.filter(|text| text.chars().all(|c| !c.is_control() || c.is_whitespace())) {
        if let Some(key) = hex(text) {
            return Ok(Secret::new(key));
        }
        if let Some(label) = pem_labels(text).next() {
            return Err(Failure::new(format!("{name} holds PEM ({label}), not a symmetric key"))
                .next("a private key goes with --private-key, a certificate with --certificate or --to-certificate"));
        }
        if let Some(key) = base64(text).filter(|key| key.len() >= SHORTEST_KEY) {
            note(format!("the key in {name} is read as Base64: {}", count(key.len() as u64, "octet")));
            return Ok(Secret::new(key));
        }
        let next = "write the key in hexadecimal; raw:FILE takes the octets of a file as they are; a password goes \
                    with --password-file or --to-password-file";
        return Err(match text.trim().is_empty() {
            true => Failure::new(format!("{name} is empty")),
            false => Failure::new(format!("{name} holds text that is neither hexadecimal nor Base64")).next(next),
        });
    }
    match Kind::of(&octets, "") {
        Kind::Other(what, next) if octets.len() > 64 || what.contains("UTF-16") => {
            Err(Failure::new(format!("{name} is {what}, not a symmetric key")).next(next))
        }
        _ if octets.len() > LONGEST_KEY => {
            let what = format!("{name} holds {} octets that are no text: too many for a key", octets.len());
            Err(Failure::new(what).next("name the file with the key"))
        }
        _ => Ok(Secret::from_slice(&octets)),
    }
}

/// The private key in a file, PEM or DER, as PKCS #8 in DER.
pub(crate) fn private_key(path: &Path) -> Result<Secret, Failure> {
    const WRAP: &str = "`openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW` makes PKCS #8 of it";
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
        (Some("PRIVATE KEY"), _) => wrong("a private key in faulty PEM", "make the file again"),
        (Some("ENCRYPTED PRIVATE KEY"), _) | (None, Some(Der::EncryptedPrivateKey)) => {
            wrong("an encrypted private key", DECRYPT)
        }
        (Some(label), _) if label.ends_with("PRIVATE KEY") => wrong(&format!("PEM ({label}), not PKCS #8"), WRAP),
        (Some(label), _) => wrong(&format!("PEM ({label}), and no private key"), "name the file with the key"),
        (None, Some(Der::PrivateKey)) => Ok(Secret::from_slice(&octets)),
        (None, Some(Der::BarePrivateKey)) => wrong("a private key without PKCS #8", WRAP),
        (None, Some(Der::Pkcs12)) => {
            wrong("a PKCS #12 file", "`openssl pkcs12 -nocerts -nodes -in FILE -out NEW` gives the key in it")
        }
        (None, Some(other)) => wrong(other.what(), "name the file with the private key"),
        (None, None) => wrong("no private key in PEM or DER", "a private key in PKCS #8 is needed"),
    }
}

/// All certificates in a file, PEM or one in DER; at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let found = read_certificates(path).map_err(|why| Failure::new(format!("{}: {why}", path.display())));
    match found?.into_iter().map(|certificate| certificate.to_vec()).collect::<Vec<_>>() {
        found if found.iter().all(|der| Der::of(der) == Some(Der::Certificate)) => Ok(found),
        found => {
            let what = found.iter().find_map(|der| Der::of(der)).map_or("no certificate", Der::what);
            Err(Failure::new(format!("{} is {what}", path.display())).next("a certificate in PEM or DER is needed"))
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

    /// What a file is read as, by the rule that the module documents.
    #[test]
    fn a_key_file_is_told_by_its_content_or_its_prefix() {
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
            (b"0707070", "neither hexadecimal nor Base64"),
            (b"correct horse battery staple", "neither hexadecimal nor Base64"),
            (b"passwords", "neither hexadecimal nor Base64"),
            (b"-----BEGIN PRIVATE KEY-----\nAAAA\n", "PEM (PRIVATE KEY)"),
            (b"\xFF\xFE0\x007\x000\x007\x00", "UTF-16"),
            (&[0x80; 300], "300 octets"),
        ];
        for (content, told) in refused {
            std::fs::write(&path, content).expect("written");
            let why = format!("{:?}", key_file(&path).expect_err(told));
            assert!(why.contains(told), "{told}: {why}");
        }
        // 32 octets that are hexadecimal text too.
        std::fs::write(&path, &text).expect("written");
        let prefixed = |prefix: &str| key_file(Path::new(&format!("{prefix}{}", path.display())));
        assert_eq!(prefixed("hex:").expect("a key").expose(), sixteen);
        assert_eq!(prefixed("raw:").expect("a key").expose(), text.as_bytes());
        assert_eq!(prefixed("base64:").expect("a key").len(), 24);
    }
}
