//! Explains why a certificate chain is not trusted: which certificate, and what is wrong with it.

use std::fmt;

use x509_parser::der_parser::{Oid, oid};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Version};
use x509_parser::time::ASN1Time;

use crate::cert_path::{certifies, is_accepted};

/// The most certificates of a path to check.
const MAX_PATH: usize = 8;
/// The most characters of a name to show.
const MAX_NAME: usize = 120;

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DistrustCause {
    /// It cannot be parsed.
    Unreadable,
    /// It is of X.509 version 1 or 2.
    Version,
    /// It is not valid yet.
    NotYetValid,
    /// It has expired.
    Expired,
    /// The signer's certificate is a CA certificate.
    Authority,
    /// It issued a certificate, but is not a CA certificate.
    NotAuthority,
    /// It is signed with SHA-1 or another unsupported algorithm.
    Algorithm,
    /// It has an unknown critical extension.
    Extension,
    /// Its issuer's certificate was not given.
    UnknownIssuer,
    /// It was not signed by its issuer's key.
    Signature,
}

/// Which certificate is not trusted, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distrust {
    /// What is wrong.
    pub cause: DistrustCause,
    text: String,
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why [`verify_chain`](crate::verify_chain) refuses a signer with this certificate, whatever the trust anchors: to be
/// checked before signing. A self-signed certificate is only checked for its dates, since it can be a trust
/// anchor.
pub fn distrust_of_signer(leaf: &[u8], at_unix_s: u64) -> Option<Distrust> {
    let Ok((_, leaf)) = X509Certificate::from_der(leaf) else {
        return Some(Distrust { cause: DistrustCause::Unreadable, text: "it is not an X.509 certificate".to_owned() });
    };
    let (cause, what) = match leaf.subject() == leaf.issuer() {
        true => validity(&leaf, at_unix_s),
        false => fault(&leaf, true, at_unix_s),
    }?;
    Some(Distrust { cause, text: format!("the certificate of {} {what}", name(leaf.subject())) })
}

/// Explains why [`verify_chain`](crate::verify_chain) refused these certificates.
pub fn distrust(leaf: &[u8], intermediates: &[&[u8]], anchors: &[&[u8]], at_unix_s: u64) -> Distrust {
    let Ok((_, leaf)) = X509Certificate::from_der(leaf) else {
        return Distrust { cause: DistrustCause::Unreadable, text: "it is not an X.509 certificate".to_owned() };
    };
    let others: Vec<X509Certificate<'_>> =
        intermediates.iter().filter_map(|der| X509Certificate::from_der(der).ok()).map(|(_, c)| c).collect();
    let mut path = vec![&leaf];
    while let Some(last) = path.last().copied()
        && path.len() < MAX_PATH
        && let Some(issuer) = others.iter().find(|other| other.subject() == last.issuer())
        && !path.iter().any(|known| known.tbs_certificate.as_ref() == issuer.tbs_certificate.as_ref())
    {
        path.push(issuer);
    }
    for (i, certificate) in path.iter().enumerate() {
        if let Some((cause, what)) = fault(certificate, i == 0, at_unix_s) {
            return Distrust { cause, text: format!("the certificate of {} {what}", name(certificate.subject())) };
        }
    }
    let last = path.last().copied().unwrap_or(&leaf);
    let issuer = name(last.issuer());
    let is_issuer =
        |der: &[u8]| X509Certificate::from_der(der).is_ok_and(|(_, anchor)| anchor.subject() == last.issuer());
    let anchor = anchors.iter().find(|der| is_issuer(der));
    let others = anchors.iter().filter_map(|der| X509Certificate::from_der(der).ok().filter(|_| !certifies(der)));
    let (cause, what) = match (anchor, others.map(|(_, other)| name(other.subject())).next()) {
        (None, None) => (DistrustCause::UnknownIssuer, format!("was issued by {issuer}, whose certificate is missing")),
        (None, Some(other)) => {
            let what = format!("was issued by {issuer}; the given certificate of {other} is not a CA certificate");
            (DistrustCause::NotAuthority, what)
        }
        (Some(anchor), _) if !certifies(anchor) => {
            let what = format!("was issued by {issuer}, whose given certificate is not a CA certificate");
            (DistrustCause::NotAuthority, what)
        }
        (Some(_), _) => {
            let what = format!("was not signed with the key of the given certificate of {issuer}");
            (DistrustCause::Signature, what)
        }
    };
    Distrust { cause, text: format!("the certificate of {} {what}", name(last.subject())) }
}

/// What is wrong with a certificate by itself.
fn fault(certificate: &X509Certificate<'_>, is_leaf: bool, at_unix_s: u64) -> Option<(DistrustCause, String)> {
    if certificate.version() != X509Version::V3 {
        let version = certificate.version().0 + 1;
        return Some((
            DistrustCause::Version,
            format!("is of X.509 version {version}, but only version 3 is supported"),
        ));
    }
    if let Some(fault) = validity(certificate, at_unix_s) {
        return Some(fault);
    }
    let is_authority = certificate.basic_constraints().ok().flatten().is_some_and(|constraints| constraints.value.ca);
    match (is_leaf, is_authority) {
        (true, true) => {
            let what = "is a CA certificate (CA:TRUE), not a signer's".to_owned();
            return Some((DistrustCause::Authority, what));
        }
        (false, false) => {
            let what = "is not a CA certificate (CA:TRUE), although it has issued one".to_owned();
            return Some((DistrustCause::NotAuthority, what));
        }
        _ => {}
    }
    let is_self_issued = certificate.subject() == certificate.issuer();
    if !is_self_issued && !is_accepted(&certificate.signature_algorithm.algorithm) {
        let how = how_signed(&certificate.signature_algorithm.algorithm);
        return Some((DistrustCause::Algorithm, format!("is signed with {how}")));
    }
    let is_unknown = |parsed: &ParsedExtension<'_>| {
        matches!(
            parsed,
            ParsedExtension::UnsupportedExtension { .. }
                | ParsedExtension::ParseError { .. }
                | ParsedExtension::Unparsed
        )
    };
    let mut extensions = certificate.extensions().iter();
    let unknown = extensions.find(|extension| extension.critical && is_unknown(extension.parsed_extension()))?;
    Some((DistrustCause::Extension, format!("has an unknown critical extension ({})", unknown.oid)))
}

/// Whether it is expired or not valid yet.
fn validity(certificate: &X509Certificate<'_>, at_unix_s: u64) -> Option<(DistrustCause, String)> {
    let validity = certificate.validity();
    let at = ASN1Time::from_timestamp(i64::try_from(at_unix_s).unwrap_or(i64::MAX)).ok();
    if at.is_some_and(|at| at < validity.not_before) {
        return Some((DistrustCause::NotYetValid, format!("is not valid before {}", validity.not_before)));
    }
    let is_over = at.is_none_or(|at| at > validity.not_after);
    is_over.then(|| (DistrustCause::Expired, format!("has expired: it was valid until {}", validity.not_after)))
}

/// An unsupported algorithm, for messages.
fn how_signed(algorithm: &Oid<'_>) -> String {
    const MD5: Oid<'_> = oid!(1.2.840.113549.1.1.4);
    // With RSA (PKCS #1 and OIW), DSA and ECDSA.
    const SHA1: [Oid<'_>; 4] =
        [oid!(1.2.840.113549.1.1.5), oid!(1.3.14.3.2.29), oid!(1.2.840.10040.4.3), oid!(1.2.840.10045.4.1)];
    match algorithm {
        sha1 if SHA1.contains(sha1) => "SHA-1, which can be forged".to_owned(),
        md5 if *md5 == MD5 => "MD5, which can be forged".to_owned(),
        other => format!("an unsupported algorithm ({other})"),
    }
}

/// A distinguished name, shortened for messages.
fn name(name: &x509_parser::x509::X509Name<'_>) -> String {
    let text = name.to_string();
    match text.chars().count() > MAX_NAME {
        true => format!("{:?}", text.chars().take(MAX_NAME).chain(['…']).collect::<String>()),
        false => format!("{text:?}"),
    }
}
