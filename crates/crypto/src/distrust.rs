//! Why a chain of certificates is not trusted, for people: which certificate, and what is wrong with it.

use std::fmt;

use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Version};
use x509_parser::time::ASN1Time;

use crate::x509::certifies;

/// Certificates of a path that are looked at.
const MAX_PATH: usize = 8;
/// Characters of a name that are shown.
const MAX_NAME: usize = 120;

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DistrustCause {
    /// It cannot be read.
    Unreadable,
    /// It is of X.509 version 1 or 2.
    Version,
    /// Its time is to come.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// The signer's certificate is that of an authority.
    Authority,
    /// It has issued a certificate, and is no CA certificate.
    NotAuthority,
    /// A critical extension that is not known.
    Extension,
    /// Nothing that was given has certified it.
    UnknownIssuer,
    /// Its signature is not that of its issuer, or of an algorithm that is not accepted.
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

/// Finds out why [`verify_chain`](crate::verify_chain) refused these certificates.
pub fn distrust(leaf: &[u8], intermediates: &[&[u8]], anchors: &[&[u8]], at_unix_s: u64) -> Distrust {
    let Ok((_, leaf)) = X509Certificate::from_der(leaf) else {
        return Distrust { cause: DistrustCause::Unreadable, text: "it is no X.509 certificate".to_owned() };
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
    let (cause, what) = match anchor {
        None => (DistrustCause::UnknownIssuer, format!("was issued by {issuer}, of which no certificate was given")),
        Some(anchor) if !certifies(anchor) => {
            let what = format!("was issued by {issuer}, whose given certificate is not that of an authority (CA)");
            (DistrustCause::NotAuthority, what)
        }
        Some(_) => {
            let what = format!(
                "was not signed with the key of the given certificate of {issuer}, or in a way that is not accepted \
                 ({})",
                last.signature_algorithm.algorithm
            );
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
            format!("is of X.509 version {version}, and only version 3 is accepted"),
        ));
    }
    let validity = certificate.validity();
    let at = ASN1Time::from_timestamp(i64::try_from(at_unix_s).unwrap_or(i64::MAX)).ok();
    if at.is_some_and(|at| at < validity.not_before) {
        return Some((DistrustCause::NotYetValid, format!("is not valid before {}", validity.not_before)));
    }
    if at.is_none_or(|at| at > validity.not_after) {
        return Some((DistrustCause::Expired, format!("has expired: it was valid until {}", validity.not_after)));
    }
    let is_authority = certificate.basic_constraints().ok().flatten().is_some_and(|constraints| constraints.value.ca);
    match (is_leaf, is_authority) {
        (true, true) => {
            let what = "is that of an authority (CA:TRUE), and not of a signer".to_owned();
            return Some((DistrustCause::Authority, what));
        }
        (false, false) => {
            let what = "is not a CA certificate (CA:TRUE), although it has issued one".to_owned();
            return Some((DistrustCause::NotAuthority, what));
        }
        _ => {}
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
    Some((DistrustCause::Extension, format!("has a critical extension that is not known ({})", unknown.oid)))
}

/// A distinguished name, as much of it as helps.
fn name(name: &x509_parser::x509::X509Name<'_>) -> String {
    let text = name.to_string();
    match text.chars().count() > MAX_NAME {
        true => format!("{:?}", text.chars().take(MAX_NAME).chain(['…']).collect::<String>()),
        false => format!("{text:?}"),
    }
}
