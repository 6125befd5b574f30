//! A private CA for servers without a certificate: created at the first start, kept in `data_dir/tls`, issues a new
//! certificate when the old one expires or lacks a name. It also certifies K_SERVER if the operator has no certificate
//! for it.
//!
//! Clients trust `ca.pem`, which stays the same while certificates change: the server never replaces a CA on its own
//! that is lost, damaged or expired, or seems so because the clock is wrong.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use axum::http::Uri;
use dskpp_crypto::{RsaPublicKey, Secret, Sha256};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType, SignatureAlgorithm,
};
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, SubjectPublicKeyInfo, X509Certificate};

use crate::{Error, files};

#[cfg(test)]
mod tests;

/// Validity of the CA, in years.
const CA_YEARS: i64 = 10;
/// Validity of a certificate, in days: the maximum that clients accept.
const DAYS: i64 = 397;
/// Remaining days below which a certificate is renewed.
const RENEW_DAYS: i64 = 30;
const DAY_S: i64 = 86_400;

const CA_FILE: &str = "ca.pem";
const CA_KEY_FILE: &str = "ca-key.pem";
/// The CA's key until `ca.pem` exists: left by a killed start, completed by the next one.
const CA_KEY_BEGUN: &str = "ca-key.pem.begun";

/// The files of the CA and of the certificate that it issued.
#[derive(Clone, Debug)]
pub(crate) struct PrivateCa {
    folder: PathBuf,
    names: Vec<SanType>,
}

impl PrivateCa {
    /// A CA in `folder` for a server with these addresses: always `localhost`, `127.0.0.1` and `::1`, the listening
    /// address, and the hosts of the public URLs.
    pub(crate) fn new(folder: PathBuf, listen: SocketAddr, public_urls: &[String]) -> Result<Self, Error> {
        let refused = |why: String| Error::PrivateCa { folder: folder.clone(), why };
        let mut names = Vec::new();
        let mut add = |host: &str| {
            let name = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
                Ok(ip) if ip.is_unspecified() => return Ok(()),
                Ok(ip) => SanType::IpAddress(ip.to_canonical()),
                Err(_) => SanType::DnsName(
                    host.try_into().map_err(|why: rcgen::Error| refused(format!("cannot certify {host}: {why}")))?,
                ),
            };
            if !names.contains(&name) {
                names.push(name);
            }
            Ok::<(), Error>(())
        };
        ["localhost", "127.0.0.1", "::1"].into_iter().try_for_each(&mut add)?;
        add(&listen.ip().to_string())?;
        for url in public_urls {
            let uri: Uri = url.parse().map_err(|why| refused(format!("cannot certify {url}: {why}")))?;
            uri.host().map_or(Ok(()), &mut add)?;
        }
        Ok(Self { folder, names })
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.join(CA_FILE)
    }

    pub(crate) fn certificate_file(&self) -> PathBuf {
        self.folder.join("cert.pem")
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// Creates the CA if there was none, and checks it; returns its identity. `known` is its identity at an earlier
    /// start.
    ///
    /// # Errors
    /// [`Error::PrivateCa`] for a missing, incomplete or unreadable CA, or a different one from the known.
    pub(crate) fn open(&self, known: Option<&[u8]>, now: Timestamp) -> Result<[u8; 32], Error> {
        files::make_private_folder(&self.folder)?;
        let path = |name| self.folder.join(name);
        let [certificate, key, begun] = [CA_FILE, CA_KEY_FILE, CA_KEY_BEGUN].map(|name| path(name).exists());
        match (certificate, key) {
            (true, true) => {}
            (true, false) if begun => files::rename(&path(CA_KEY_BEGUN), &path(CA_KEY_FILE))?,
            (false, false) if known.is_none() && !self.certificate_file().exists() => self.make(now)?,
            (false, _) => return Err(self.unusable(format!("has no {CA_FILE}"))),
            (true, false) => return Err(self.unusable(format!("has no {CA_KEY_FILE}"))),
        }
        self.issuer()?;
        let id = Sha256::digest(&[&self.ca_certificate()?.public_key]);
        match known {
            Some(known) if known != id => Err(self.unusable("is not the CA that this server's clients know".into())),
            _ => Ok(id),
        }
    }

    /// The CA's key and certificate as PEM, for servers that share it.
    pub(crate) fn bundle(&self) -> Result<Secret, Error> {
        let mut bundle = files::read_text(&self.folder.join(CA_KEY_FILE))?.into_bytes();
        bundle.extend_from_slice(files::read_text(&self.ca_file())?.as_bytes());
        Ok(Secret::new(bundle))
    }

    /// Whether the folder has a CA.
    pub(crate) fn exists(&self) -> bool {
        self.ca_file().exists()
    }

    /// When the CA's certificate expires, in seconds since 1970; `None` if it cannot be read now.
    pub(crate) fn expires_at(&self) -> Option<i64> {
        self.ca_certificate().ok().map(|ca| ca.not_after)
    }

    /// Puts the CA of a [`bundle`](Self::bundle) into the folder.
    pub(crate) fn install(&self, bundle: &Secret) -> Result<(), Error> {
        const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";
        let text = std::str::from_utf8(bundle.expose()).ok();
        let Some((key, certificate)) = text.and_then(|text| text.find(CERTIFICATE).map(|at| text.split_at(at))) else {
            return Err(self.unusable("cannot be read from the database".to_owned()));
        };
        files::make_private_folder(&self.folder)?;
        let begun = self.folder.join(CA_KEY_BEGUN);
        files::write(&begun, key.as_bytes(), 0o600)?;
        files::write(&self.ca_file(), certificate.as_bytes(), 0o644)?;
        files::rename(&begun, &self.folder.join(CA_KEY_FILE))
    }

    fn make(&self, now: Timestamp) -> Result<(), Error> {
        let key = KeyPair::generate().map_err(|why| self.refused(why))?;
        let certificate = self.ca_params(&key, now).self_signed(&key).map_err(|why| self.refused(why))?;
        let begun = self.folder.join(CA_KEY_BEGUN);
        files::write(&begun, Secret::from(key.serialize_pem().into_bytes()).expose(), 0o600)?;
        files::write(&self.ca_file(), certificate.pem().as_bytes(), 0o644)?;
        files::rename(&begun, &self.folder.join(CA_KEY_FILE))?;
        tracing::info!("created a private CA: {}", self.ca_file().display());
        Ok(())
    }

    /// Renews the certificate if necessary; returns a warning about the CA, if any.
    ///
    /// # Errors
    /// [`Error::PrivateCa`]; errors of files.
    pub(crate) fn ensure(&self, now: Timestamp) -> Result<Option<String>, Error> {
        let ca = self.ca_certificate()?;
        let is_valid = (ca.not_before..=ca.not_after).contains(&now.as_second());
        let serves = match self.certificate()? {
            Some((from, to)) if is_valid => {
                let days_left = (to - now.as_second()) / DAY_S;
                from <= now.as_second() && (days_left >= RENEW_DAYS || to + DAY_S > ca.not_after)
            }
            present => present.is_some(), // with a wrong clock, keep the certificate
        };
        let warning = if !is_valid {
            let why = format!(
                "is valid from {} to {}, but the clock says {}: set the clock or, if it is correct, create a new CA \
                 with `dskpp serve --new-ca` and distribute its ca.pem",
                day(ca.not_before),
                day(ca.not_after),
                date(now)
            );
            if !serves {
                return Err(Error::PrivateCa { folder: self.folder.clone(), why });
            }
            Some(why)
        } else if ca.not_after - now.as_second() < DAYS * DAY_S {
            let to = day(ca.not_after);
            Some(format!(
                "expires on {to}: create a new CA in time with `dskpp serve --new-ca` and distribute its ca.pem"
            ))
        } else {
            None
        };
        if !serves {
            self.issue(ca.not_after, now)?;
        }
        Ok(warning.map(|why| format!("the private CA in {} {why}", self.folder.display())))
    }

    fn issue(&self, ca_end: i64, now: Timestamp) -> Result<(), Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name("dskpp server");
        params.subject_alt_names.clone_from(&self.names);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, DAYS.min((ca_end - now.as_second()) / DAY_S));
        let key = KeyPair::generate().map_err(|why| self.refused(why))?;
        let certificate = params.signed_by(&key, &self.issuer()?).map_err(|why| self.refused(why))?;
        files::write(&self.key_file(), Secret::from(key.serialize_pem().into_bytes()).expose(), 0o600)?;
        files::write(&self.certificate_file(), certificate.pem().as_bytes(), 0o644)
    }

    /// A certificate for K_SERVER, valid as long as the CA, followed by the CA certificate, in DER. Clients store the
    /// CA and accept another K_SERVER from it (profile P29).
    ///
    /// # Errors
    /// [`Error::PrivateCa`]
    pub(crate) fn certify(&self, k_server: &RsaPublicKey) -> Result<Vec<Vec<u8>>, Error> {
        let ca = self.ca_certificate()?;
        let spki = k_server.to_spki_der();
        let (_, parsed) = SubjectPublicKeyInfo::from_der(&spki).map_err(|why| self.refused(why))?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name("dskpp K_SERVER");
        params.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
        params.use_authority_key_identifier_extension = true;
        set_days(&mut params, day(ca.not_before), day(ca.not_after));
        let key = RsaKey(&parsed.subject_public_key.data);
        let certificate = params.signed_by(&key, &self.issuer()?).map_err(|why| self.refused(why))?;
        Ok(vec![certificate.der().to_vec(), ca.der])
    }

    /// The CA's name and key, which match `ca.pem`.
    ///
    /// # Errors
    /// [`Error::PrivateCa`] for an unreadable or wrong key.
    fn issuer(&self) -> Result<Issuer<'static, KeyPair>, Error> {
        let unreadable = |why: rcgen::Error| self.unusable(format!("has an unreadable {CA_KEY_FILE} ({why})"));
        let key = read_key(&self.folder.join(CA_KEY_FILE))?.map_err(unreadable)?;
        let ca = self.ca_certificate()?;
        if key.der_bytes() != ca.public_key || ca.common_name != ca_name(&key) {
            return Err(self.unusable(format!("has a {CA_KEY_FILE} that does not match its {CA_FILE}")));
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(&ca.common_name);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Ok(Issuer::new(params, key))
    }

    /// The contents of `ca.pem`.
    fn ca_certificate(&self) -> Result<CaCertificate, Error> {
        let chain = files::read_certificates(&self.ca_file());
        let chain = chain.map_err(|why| self.unusable(format!("has an unreadable {CA_FILE} ({why})")))?;
        let parsed = chain.first().and_then(|first| parse_x509_certificate(first).ok());
        let ca = parsed.and_then(|(_, certificate)| {
            Some(CaCertificate {
                der: chain.first()?.to_vec(),
                common_name: certificate.subject().iter_common_name().next()?.as_str().ok()?.to_owned(),
                public_key: certificate.public_key().subject_public_key.data.to_vec(),
                not_before: certificate.validity().not_before.timestamp(),
                not_after: certificate.validity().not_after.timestamp(),
            })
        });
        ca.ok_or_else(|| self.unusable(format!("has an unreadable {CA_FILE}")))
    }

    /// The validity of the current certificate; `None` if it must be replaced at any time: it is missing, lacks a name,
    /// another CA issued it, or its key does not match.
    fn certificate(&self) -> Result<Option<(i64, i64)>, Error> {
        if !self.certificate_file().exists() || !self.key_file().exists() {
            return Ok(None);
        }
        let chain = match files::read_certificates(&self.certificate_file()) {
            Err(Error::Content { .. }) => return Ok(None),
            chain => chain?,
        };
        let parsed = chain.first().and_then(|first| parse_x509_certificate(first).ok());
        let (Some((_, certificate)), Ok(key)) = (parsed, read_key(&self.key_file())?) else { return Ok(None) };
        let issuer = certificate.issuer().iter_common_name().next().and_then(|name| name.as_str().ok());
        let fits = key.der_bytes() == &*certificate.public_key().subject_public_key.data
            && issuer == Some(&*self.ca_certificate()?.common_name)
            && self.names.iter().all(|name| has_name(&certificate, name));
        let validity = certificate.validity();
        Ok(fits.then(|| (validity.not_before.timestamp(), validity.not_after.timestamp())))
    }

    fn ca_params(&self, key: &KeyPair, now: Timestamp) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(&ca_name(key));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        set_validity(&mut params, now, CA_YEARS * 366);
        params
    }

    fn refused(&self, why: impl std::fmt::Display) -> Error {
        Error::PrivateCa { folder: self.folder.clone(), why: format!("cannot issue a certificate: {why}") }
    }

    /// An existing CA with a fault.
    fn unusable(&self, what: String) -> Error {
        let remedy = "restore the folder from a backup, or create a new CA with `dskpp serve --new-ca` and distribute \
                      its ca.pem";
        Error::PrivateCa { folder: self.folder.clone(), why: format!("{what}: {remedy}") }
    }
}

/// The contents of a CA certificate; times in seconds since 1970.
struct CaCertificate {
    der: Vec<u8>,
    common_name: String,
    public_key: Vec<u8>,
    not_before: i64,
    not_after: i64,
}

/// An RSAPublicKey in DER, to be certified.
struct RsaKey<'a>(&'a [u8]);

impl PublicKeyData for RsaKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256 // determines the algorithm identifier only; the key signs nothing here
    }
}

fn read_key(path: &Path) -> Result<Result<KeyPair, rcgen::Error>, Error> {
    let pem = Secret::from(fs::read(path).map_err(files::failed("read", path))?);
    let text = std::str::from_utf8(pem.expose()).map_err(|_| rcgen::Error::CouldNotParseKeyPair);
    Ok(text.and_then(|text| KeyPair::from_pem(files::without_mark(text))))
}

fn has_name(certificate: &X509Certificate<'_>, wanted: &SanType) -> bool {
    let names = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
        _ => None,
    });
    names.is_some_and(|names| names.iter().any(|present| is_same(wanted, present)))
}

fn is_same(wanted: &SanType, present: &GeneralName<'_>) -> bool {
    match (wanted, present) {
        (SanType::DnsName(wanted), GeneralName::DNSName(present)) => wanted.as_str() == *present,
        (SanType::IpAddress(IpAddr::V4(wanted)), GeneralName::IPAddress(present)) => wanted.octets() == *present,
        (SanType::IpAddress(IpAddr::V6(wanted)), GeneralName::IPAddress(present)) => wanted.octets() == *present,
        _ => false,
    }
}

/// The CA's name is derived from its key, so that no two CAs have the same name.
fn ca_name(key: &KeyPair) -> String {
    let digest = Sha256::digest(&[key.der_bytes()]);
    let name = data_encoding::HEXUPPER.encode(digest.first_chunk::<4>().map_or(&[], |part| part));
    format!("dskpp private CA {name}")
}

fn common_name(name: &str) -> DistinguishedName {
    let mut full = DistinguishedName::new();
    full.push(DnType::CommonName, name);
    full
}

fn date(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The date of a time in seconds since 1970.
fn day(second: i64) -> Date {
    date(Timestamp::from_second(second).unwrap_or(Timestamp::MAX))
}

/// A validity from yesterday, since clocks differ, to this many days from now.
fn set_validity(params: &mut CertificateParams, now: Timestamp, days: i64) {
    let today = date(now);
    set_days(params, today.saturating_sub(1.days()), today.saturating_add(days.days()));
}

fn set_days(params: &mut CertificateParams, first: Date, last: Date) {
    let midnight =
        |date: Date| rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs());
    params.not_before = midnight(first);
    params.not_after = midnight(last);
}
