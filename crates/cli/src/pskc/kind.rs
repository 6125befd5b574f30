//! What a file is, by its first octets, for all commands that read key files.

use dskpp::key_package::file::{self, FileFormat};

use super::foreign;
use super::format::Format;

/// Octets to look at.
pub(crate) const HEAD: u64 = 64 * 1024;

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Keys in a supported format.
    Keys(Format),
    /// Another known kind, and what to do with it.
    Other(String, &'static str),
    /// Text in an unknown format.
    Text,
    /// Unknown.
    Unknown,
}

/// Magic numbers of binary files.
const BINARY: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook", "unpack it; save a workbook as CSV"),
    (b"\xD0\xCF\x11\xE0", "an old Excel workbook", "save it as CSV"),
    (b"PK\x05\x06", "an empty ZIP archive", "ask the sender for it again"),
    (b"\x1F\x9D", "compressed with compress", "`uncompress` unpacks it"),
    (b"LZIP", "compressed with lzip", "`lzip -d` unpacks it"),
    (b"\x04\x22\x4D\x18", "compressed with lz4", "`unlz4` unpacks it"),
    (b"MSCF", "a CAB archive", "unpack it"),
    (b"!<arch>\n", "an archive (ar)", "unpack it"),
    (b"070701", "an archive (cpio)", "unpack it"),
    (b"\x7FELF", "a program", "ask the sender for the keys themselves"),
    (b"MZ", "a program for Windows", "ask the sender for the keys themselves"),
    (b"\x1F\x8B", "compressed with gzip", "`gunzip` unpacks it"),
    (b"BZh", "compressed with bzip2", "`bunzip2` unpacks it"),
    (b"\xFD7zXZ\0", "compressed with xz", "`unxz` unpacks it"),
    (b"\x28\xB5\x2F\xFD", "compressed with zstd", "`unzstd` unpacks it"),
    (b"7z\xBC\xAF", "a 7-Zip archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"\x89PNG", "an image (PNG)", QR),
    (b"\xFF\xD8\xFF", "an image (JPEG)", QR),
    (b"GIF8", "an image (GIF)", QR),
    (b"RIFF", "an image (WebP)", QR),
    (b"BM", "an image (BMP)", QR),
    (b"SQLite format 3\0", "an SQLite database", "`dskpp admin key export` writes the keys of a server"),
    (b"\xFE\xED\xFE\xED", "a Java keystore (JKS)", KEYTOOL),
    (b"\xCE\xCE\xCE\xCE", "a Java keystore (JCEKS)", KEYTOOL),
    (b"\xAC\xED\0\x05", "a backup of FreeOTP, or another object of Java", "FreeOTP+ exports otpauth lines"),
    (b"\x03\xD9\xA2\x9A", "a database of KeePass", "copy the otpauth lines of its entries into a file"),
    (b"bplist00", "a property list of Apple", "export the keys as otpauth lines or as a table"),
];

/// The beginnings of text files, ignoring case.
const TEXT: &[(&str, &str, &str)] = &[
    ("%PDF", "a PDF document", "ask the sender for the keys themselves; a QR code in it holds an otpauth line"),
    ("{\\rtf", "a document of a word processor (RTF)", "ask the sender for the keys themselves"),
    ("age-encryption.org/", "encrypted with age", "decrypt it with age first"),
    ("{\"format\":\"dskpp", "a token store of dskpp", "`dskpp token list --store FILE` shows what is in it"),
    ("<!DOCTYPE html", "a web page", "it may be a saved login page: download the file again"),
    ("<html", "a web page", "it may be a saved login page: download the file again"),
    ("<svg", "an image (SVG)", QR),
    ("MIME-Version:", "an e-mail", "save its attachment"),
];

/// What [`FileKind::Text`] is called.
pub(crate) const TEXT_OF_NO_FORMAT: &str = "text in an unknown format";
const QR: &str = "a QR code holds an otpauth line: read it with a scanner (`zbarimg --raw FILE`), and save the line";
const KEYTOOL: &str = "`keytool -importkeystore -deststoretype pkcs12` converts it to PKCS #12";

impl FileKind {
    /// Looks at the beginning of a file. If it is a line of unknown text, the extension of `name` may still make it a
    /// table or a users file.
    pub(crate) fn of(head: &[u8], name: &str) -> FileKind {
        if let Some(kind) = utf16(head) {
            return kind;
        }
        let start = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
        if start.is_empty() {
            return FileKind::Other("empty".into(), "ask the sender for it again");
        }
        if let Some(format) = file::format_of(head) {
            return FileKind::Keys(match format {
                FileFormat::Skpc => Format::Rfc6031,
                FileFormat::Pkcs12 => Format::Pkcs12,
            });
        }
        let words = |prefix: &str| begins(start, prefix);
        if let Some((_, what, next)) = TEXT.iter().find(|(prefix, ..)| words(prefix)) {
            return FileKind::Other((*what).into(), next);
        }
        if head.get(257..262) == Some(b"ustar") {
            return FileKind::Other("a tar archive".into(), "`tar -xf FILE` unpacks it");
        }
        let is_control = |octet: &u8| matches!(octet, 0..=8 | 14..=26 | 28..=31);
        if start[0] == b'<' || !start.iter().any(is_control) {
            let is_text = std::str::from_utf8(start).map_or_else(|why| why.error_len().is_none(), |_| true);
            return match text(&String::from_utf8_lossy(start), name) {
                FileKind::Unknown if is_text => FileKind::Text, // the head may end within a character
                kind => kind,
            };
        }
        match (BINARY.iter().find(|(magic, ..)| start.starts_with(magic)), Der::of(head)) {
            (Some((_, what, next)), _) => FileKind::Other((*what).into(), next),
            (None, Some(der)) => der.kind(),
            (None, None) => FileKind::Unknown,
        }
    }
}

fn begins(text: &[u8], prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

fn text(start: &str, name: &str) -> FileKind {
    let mut lines = start.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
    let is_user = line.split(['/', ' ', '\t']).next() == Some("HOTP") && line.split_whitespace().count() >= 4;
    let other = match line.as_bytes().first() {
        Some(b'<') => foreign::xml(start),
        Some(b'{' | b'[') => foreign::json(start),
        _ => foreign::text(start),
    };
    if let Some((what, next)) = other {
        return FileKind::Other(what.into(), next);
    }
    match line.as_bytes().first() {
        Some(b'<') => return FileKind::Keys(Format::Pskc),
        Some(b'{' | b'[') => return FileKind::Keys(Format::Json),
        _ if begins(line.as_bytes(), "otpauth:") => return FileKind::Keys(Format::Otpauth),
        _ if start.contains("KeyContainer") => return FileKind::Keys(Format::Pskc),
        _ if is_user => return FileKind::Keys(Format::Usersfile),
        _ => {}
    }
    match (pem_labels(start).next(), Format::of_name(name)) {
        (Some(label), _) => pem_content(start).unwrap_or_else(|| pem(label)),
        (None, Some(format @ (Format::Csv | Format::Usersfile))) => FileKind::Keys(format),
        // "Dear Sir," is not a table, but "Token export,," is the title of one.
        _ if line.strip_suffix(SEPARATORS).unwrap_or(line).contains(SEPARATORS) => FileKind::Keys(Format::Csv),
        (None, Some(Format::Pskc)) if start.contains('<') => FileKind::Keys(Format::Pskc),
        (None, Some(format @ (Format::Json | Format::Otpauth))) => FileKind::Keys(format),
        _ => FileKind::Unknown,
    }
}

/// Text in UTF-16: with a byte order mark, or with every other octet 0.
fn utf16(head: &[u8]) -> Option<FileKind> {
    let is_ascii = |pair: &[u8]| matches!(*pair, [0, 1..=0x7F] | [1..=0x7F, 0]);
    let marked = (head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF"))
        && (head.len() == 2 || head.chunks(2).take(64).any(is_ascii));
    let alternate = |offset: usize| head.len() >= 8 && head.iter().skip(offset).step_by(2).take(64).all(|o| *o == 0);
    let halves = alternate(0) != alternate(1) && head.iter().take(128).any(u8::is_ascii_graphic);
    (marked || halves).then(|| FileKind::Other("text in UTF-16".into(), "save it as UTF-8, and try again"))
}

/// The labels of the PEM blocks; other text between them is ignored.
pub(crate) fn pem_labels(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----"))
}

/// The key package in a PEM block.
fn pem_content(text: &str) -> Option<FileKind> {
    let line = text.lines().map(str::trim).skip_while(|line| !line.starts_with("-----BEGIN ")).nth(1)?;
    let octets = data_encoding::BASE64.decode(line.get(..line.len() / 4 * 4)?.as_bytes()).ok()?;
    let der = Der::of(&octets)?;
    matches!(der, Der::EncryptedKeyPackage | Der::AsymmetricKeyPackage).then(|| der.kind())
}

fn pem(label: &str) -> FileKind {
    let next = match label {
        "PGP MESSAGE" => "decrypt it with OpenPGP first",
        label if label.contains("PRIVATE KEY") => "it decrypts or signs key files: see --private-key and --key",
        label if label.contains("CERTIFICATE") => "use it with --certificate, --ca or --to-certificate",
        _ => "name the file with the keys",
    };
    FileKind::Other(format!("PEM ({label})"), next)
}

/// An ASN.1 structure in DER, or its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Der {
    Pkcs12,
    Cms,
    PrivateKey,
    /// PKCS #1 or SEC 1, without PKCS #8 around it.
    BarePrivateKey,
    EncryptedPrivateKey,
    PublicKey,
    Certificate,
    /// RFC 6032: encrypted keys of any kind in CMS.
    EncryptedKeyPackage,
    /// RFC 5958 §2 in CMS.
    AsymmetricKeyPackage,
    Other,
}

impl Der {
    /// Decides by the first tags.
    pub(crate) fn of(octets: &[u8]) -> Option<Der> {
        const INTEGER: u8 = 0x02;
        const OID: u8 = 0x06;
        const SEQUENCE: u8 = 0x30;
        let (tag, content, _) = tlv(octets)?;
        if tag != SEQUENCE {
            return None;
        }
        let (first, value, rest) = tlv(content)?;
        let second = tlv(rest).map(|(tag, ..)| tag);
        Some(match (first, second) {
            (INTEGER, Some(SEQUENCE)) if value == [3] => Der::Pkcs12,
            (INTEGER, Some(SEQUENCE)) => Der::PrivateKey,
            (INTEGER, Some(INTEGER | 0x04)) => Der::BarePrivateKey,
            (OID, _) if is_cms(value) => Der::Cms,
            (OID, _) if value == [KEY_PACKAGES, &[2]].concat() => Der::EncryptedKeyPackage,
            (OID, _) if value == [KEY_PACKAGES, &[5]].concat() => Der::AsymmetricKeyPackage,
            (0xA0, _) => Der::Cms, // a SymmetricKeyPackage without its ContentInfo
            (SEQUENCE, Some(0x04)) => Der::EncryptedPrivateKey,
            (SEQUENCE, Some(0x03)) => Der::PublicKey,
            (SEQUENCE, _) => Der::Certificate,
            (INTEGER | OID, _) => Der::Other,
            _ => return None,
        })
    }

    /// Its name in messages.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Der::Pkcs12 => "a PKCS #12 file",
            Der::Cms => "a CMS message (RFC 6031)",
            Der::PrivateKey => "a private key (PKCS #8, DER)",
            Der::BarePrivateKey => "a private key without PKCS #8 (DER)",
            Der::EncryptedPrivateKey => "an encrypted private key (DER)",
            Der::PublicKey => "a public key (DER)",
            Der::Certificate => "a certificate (DER)",
            Der::EncryptedKeyPackage => "an encrypted key package in CMS (RFC 6032)",
            Der::AsymmetricKeyPackage => "private keys in CMS (RFC 5958)",
            Der::Other => "DER",
        }
    }

    fn kind(self) -> FileKind {
        let next = match self {
            Der::Certificate => "use it with --certificate, --ca or --to-certificate",
            Der::EncryptedKeyPackage => {
                "not supported: ask the sender for a symmetric key package (RFC 6031), encrypted with a password or for \
                 your certificate"
            }
            _ => "name the file with the keys",
        };
        FileKind::Other(self.what().into(), next)
    }
}

/// Key packages of RFC 6032 and RFC 5958: 2.16.840.1.101.2.1.2.78.
const KEY_PACKAGES: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x02, 0x01, 0x02, 0x4E];

/// PKCS #7 and its successors: 1.2.840.113549.1.7 and .1.9.16.1.
fn is_cms(oid: &[u8]) -> bool {
    const PKCS: [u8; 6] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D];
    let under = oid.strip_prefix(&PKCS).unwrap_or_default();
    under.starts_with(&[1, 7]) || under.starts_with(&[1, 9, 16, 1])
}

/// Tag, content and rest; the element may be truncated or of indefinite length.
fn tlv(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = octets.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x80 => (rest.len(), rest),
        0x81..=0x84 => {
            let (len, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (len.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at(len.min(rest.len()));
    Some((tag, content, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_what_a_file_is() {
        let utf16: Vec<u8> = "\u{FEFF}otpauth://".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let bare_utf16: Vec<u8> = "<?xml version".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let keys: &[(&[u8], &str, Format)] = &[
            (b"<?xml version='1.0'?><KeyContainer/>", "input", Format::Pskc),
            (b"\xEF\xBB\xBF  \n<KeyContainer/>", "k.csv", Format::Pskc),
            (b"<\x01", "k", Format::Pskc),
            (b"garbage <KeyContainer/>", "k", Format::Pskc),
            (b" {\"keys\":[]}", "k.xml", Format::Json),
            (b"[]", "k", Format::Json),
            (b"\xEF\xBB\xBF# mine\r\nOTPAUTH://totp/a?secret=AA", "k.csv", Format::Otpauth),
            (b"# users\nHOTP/T30/6\tann\t-\t3132\n", "k", Format::Usersfile),
            (b"serial,secret\n", "k.xml", Format::Csv),
            (b"serial;secret\n", "k", Format::Csv),
            (b"000123,3132333435363738393031323334353637383930", "k", Format::Csv),
            (b"secret\nAAAA\n", "k.csv", Format::Csv),
            (b"BMW,1\n", "k", Format::Csv),
            // PKCS #12 and CMS, with definite and indefinite lengths, and CMS in PEM
            (b"\x30\x82\x0A\0\x02\x01\x03\x30\x82\x09\0\x06\x09\x2A", "k.xml", Format::Pkcs12),
            (b"\x30\x80\x02\x01\x03\x30\x80\x06\x09", "k", Format::Pkcs12),
            (b"\x30\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x06\xA0\x80", "k", Format::Rfc6031),
            (b"\x30\x10\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01\x19\xA0\x01", "k", Format::Rfc6031),
            (b"-----BEGIN CMS-----\nMIAGCSqGSIb3DQEHA6CA\n", "k.csv", Format::Rfc6031),
        ];
        for (content, name, format) in keys {
            assert_eq!(FileKind::of(content, name), FileKind::Keys(*format), "{:?}", String::from_utf8_lossy(content));
        }
        let others: &[(&[u8], &str)] = &[
            (b"", "empty"),
            (b"\xEF\xBB\xBF \n", "empty"),
            (b"PK\x03\x04\x14\0", "ZIP"),
            (&[&b"keys.xml\0"[..], &[0; 248], b"ustar\x0000"].concat(), "tar"),
            (b"\x1F\x9D\x90", "compress"),
            (b"MSCF\0\0\0\0", "CAB"),
            (b"{\\rtf1\\ansi", "RTF"),
            (b"\x1F\x8B\x08\0\0", "gzip"),
            (b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", "PNG"),
            (b"\xFF\xD8\xFF\xE0\0\x10JFIF", "JPEG"),
            (b"%PDF-1.7\n", "PDF"),
            (b"SQLite format 3\0\x10\0", "SQLite"),
            (b"{\"format\":\"dskpp token store 1\",\"unlock\"", "token store"),
            (b"\xFE\xED\xFE\xED\0\0\0\x02", "JKS"),
            (&utf16, "UTF-16"),
            (&bare_utf16, "UTF-16"),
            (b"-----BEGIN CMS-----\nMII", "PEM (CMS)"), // with nothing in it
            (b"Bag Attributes\n-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "PEM (ENCRYPTED PRIVATE KEY)"),
            (b"\n<!doctype HTML><html>", "web page"),
            (b"otpauth-migration://offline?data=", "Google Authenticator"),
            (b"\x30\x80\x06\x0A\x60\x86\x48\x01\x65\x02\x01\x02\x4E\x02\xA0\x80", "RFC 6032"),
            (b"-----BEGIN CMS-----\nMIAGCmCGSAFlAgECTgKggA==\n", "RFC 6032"),
            (b"\x30\x10\x06\x0A\x60\x86\x48\x01\x65\x02\x01\x02\x4E\x05\xA0\x02", "RFC 5958"),
            // PKCS #8, plain and encrypted; PKCS #1; SPKI; a certificate
            (b"\x30\x82\x04\xBD\x02\x01\0\x30\x0D\x06\x09", "private key (PKCS #8"),
            (b"\x30\x0C\x30\x05\x06\x01\x2A\x05\0\x04\x03abc", "encrypted private key"),
            (b"\x30\x82\x04\xA4\x02\x01\0\x02\x82\x01\x01\0", "without PKCS #8"),
            (b"\x30\x59\x30\x05\x06\x01\x2A\x05\0\x03\x42\0\x04", "public key"),
            (b"\x30\x82\x01\0\x30\x05\xA0\x03\x02\x01\x02\x30\x01\0", "certificate"),
        ];
        for (content, what) in others {
            match FileKind::of(content, "input") {
                FileKind::Other(found, next) => {
                    assert!(found.contains(what) && !next.is_empty(), "{found}, not {what}")
                }
                found => panic!("{what}: {found:?}"),
            }
        }
        for name in ["k.xml", "k.p12", "k.cms", "k.pskc"] {
            assert_eq!(FileKind::of(b"Dear Sir", name), FileKind::Text, "{name}");
        }
        for content in ["Dear Sir".as_bytes(), b"Dear Sir,\nthe keys", "K\u{E4}se".as_bytes(), b"0", b"\xC3"] {
            assert_eq!(FileKind::of(content, "input"), FileKind::Text, "{content:?}");
        }
        for content in [&b"\0\x01\x02"[..], b"\x30\x82\x30", b"\xFF\xFE\0", b"\x1F"] {
            assert_eq!(FileKind::of(content, "input"), FileKind::Unknown, "{content:?}");
        }
    }

    #[test]
    fn no_beginning_of_a_file_causes_a_panic() {
        let seeds: [&[u8]; 3] = [b"\x30\x82\x0A\0\x02\x01\x03\x30\x82\x09\0\x06\x09\x2A", b"\xFF\xFEo\0t\0", b"<?xml"];
        for seed in seeds {
            for len in 0..=seed.len() {
                for octet in 0..=255 {
                    let mut content = seed[..len].to_vec();
                    content.push(octet);
                    let _ = FileKind::of(&content, "a.csv");
                }
            }
        }
    }
}
