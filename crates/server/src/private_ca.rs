//! A private certification authority for servers without a certificate: made at the first start,
//! kept in `data_dir/tls`, and asked for a new certificate when the old one runs out or lacks a
//! name.
//!
//! Clients trust `ca.pem`, which stays the same while certificates change.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use axum::http::Uri;
use dskpp_crypto::Sha256;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, SanType,
};
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::{GeneralName, ParsedExtension, X509Certificate};

use crate::{Error, files};

/// Years that the authority is valid.
const CA_YEARS: i64 = 10;
/// Days that a certificate is valid: what clients accept at most.
const DAYS: i64 = 397;
/// A certificate is replaced when fewer days are left.
const RENEW_DAYS: i64 = 30;

/// The files of the authority and of the certificate that it issued.
#[derive(Clone, Debug)]
pub(crate) struct PrivateCa {
    folder: PathBuf,
    names: Vec<SanType>,
}

impl PrivateCa {
    /// An authority in `folder` for a server with these addresses: always `localhost`,
    /// `127.0.0.1` and `::1`, the address that it listens on, and the hosts of its public URLs.
    pub(crate) fn new(folder: PathBuf, listen: SocketAddr, public_urls: &[String]) -> Result<Self, Error> {
        let mut names = Vec::new();
        let mut add = |host: &str| {
            let name = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
                Ok(ip) if ip.is_unspecified() => return Ok(()),
                Ok(ip) => SanType::IpAddress(ip.to_canonical()),
                Err(_) => SanType::DnsName(host.try_into().map_err(refused)?),
            };
            if !names.contains(&name) {
                names.push(name);
            }
            Ok::<(), Error>(())
        };
        ["localhost", "127.0.0.1", "::1"].into_iter().try_for_each(&mut add)?;
        add(&listen.ip().to_string())?;
        for url in public_urls {
            let url: Uri = url.parse().map_err(refused)?;
            url.host().map_or(Ok(()), &mut add)?;
        }
        Ok(Self { folder, names })
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    pub(crate) fn certificate_file(&self) -> PathBuf {
        self.folder.join("cert.pem")
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// Makes whatever is missing, running out or short of a name; leaves the rest as it is.
    pub(crate) fn ensure(&self, now: Timestamp) -> Result<(), Error> {
        files::make_private_folder(&self.folder)?;
        let ca_key_file = self.folder.join("ca-key.pem");
        let has_ca = ca_key_file.exists() && self.days_left(&self.ca_file(), now).is_ok_and(|days| days > DAYS);
        if has_ca && self.key_file().exists() && self.serves(now) {
            return Ok(());
        }
        let ca_key = if has_ca {
            let pem = files::read_text(&ca_key_file)?;
            KeyPair::from_pem(&pem).map_err(refused)?
        } else {
            let key = KeyPair::generate().map_err(refused)?;
            let certificate = ca_params(&key, now)?.self_signed(&key).map_err(refused)?;
            files::write(&ca_key_file, key.serialize_pem().as_bytes(), 0o600)?;
            files::write(&self.ca_file(), certificate.pem().as_bytes(), 0o644)?;
            tracing::info!("made a private certification authority: {}", self.ca_file().display());
            key
        };
        let key = KeyPair::generate().map_err(refused)?;
        let issuer = Issuer::new(ca_params(&ca_key, now)?, ca_key);
        let certificate = self.certificate_params(now).signed_by(&key, &issuer).map_err(refused)?;
        files::write(&self.key_file(), key.serialize_pem().as_bytes(), 0o600)?;
        files::write(&self.certificate_file(), certificate.pem().as_bytes(), 0o644)
    }

    fn certificate_params(&self, now: Timestamp) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name("dskpp server");
        params.subject_alt_names.clone_from(&self.names);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, DAYS);
        params
    }

    /// Whether the present certificate has every name, and days left.
    fn serves(&self, now: Timestamp) -> bool {
        let path = self.certificate_file();
        let has_names = with_certificate(&path, |certificate| {
            let extension = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
                _ => None,
            });
            let present = extension.map(Vec::as_slice).unwrap_or_default();
            self.names.iter().all(|name| present.iter().any(|present| is_same(name, present)))
        });
        has_names.unwrap_or(false) && self.days_left(&path, now).is_ok_and(|days| days >= RENEW_DAYS)
    }

    fn days_left(&self, path: &Path, now: Timestamp) -> Result<i64, Error> {
        let not_after = with_certificate(path, |certificate| certificate.validity().not_after.timestamp())?;
        Ok((not_after - now.as_second()) / 86_400)
    }
}

fn with_certificate<T>(path: &Path, look: impl FnOnce(&X509Certificate<'_>) -> T) -> Result<T, Error> {
    let chain = files::read_certificates(path)?;
    let leaf = chain.first().ok_or_else(|| Error::PrivateCa("an empty chain".into()))?;
    let (_, certificate) = parse_x509_certificate(leaf).map_err(refused)?;
    Ok(look(&certificate))
}

fn is_same(wanted: &SanType, present: &GeneralName<'_>) -> bool {
    match (wanted, present) {
        (SanType::DnsName(wanted), GeneralName::DNSName(present)) => wanted.as_str() == *present,
        (SanType::IpAddress(IpAddr::V4(wanted)), GeneralName::IPAddress(present)) => wanted.octets() == *present,
        (SanType::IpAddress(IpAddr::V6(wanted)), GeneralName::IPAddress(present)) => wanted.octets() == *present,
        _ => false,
    }
}

/// The authority's name follows from its key, so that two of them are never mistaken for one.
fn ca_params(key: &KeyPair, now: Timestamp) -> Result<CertificateParams, Error> {
    let digest = Sha256::digest(&[key.der_bytes()]);
    let name = data_encoding::HEXUPPER.encode(digest.first_chunk::<4>().map_or(&[], |part| part));
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(&format!("dskpp private CA {name}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now, CA_YEARS * 366);
    Ok(params)
}

fn common_name(name: &str) -> DistinguishedName {
    let mut full = DistinguishedName::new();
    full.push(DnType::CommonName, name);
    full
}

/// From yesterday, since clocks differ, for so many days from now.
fn set_validity(params: &mut CertificateParams, now: Timestamp, days: i64) {
    let midnight = |days: i64| {
        let date = now.to_zoned(TimeZone::UTC).date().saturating_add(days.days());
        rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = midnight(-1);
    params.not_after = midnight(days);
}

fn refused(why: impl std::fmt::Display) -> Error {
    Error::PrivateCa(why.to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn authority(folder: &Path, urls: &[&str]) -> PrivateCa {
        let urls: Vec<_> = urls.iter().map(ToString::to_string).collect();
        PrivateCa::new(folder.join("tls"), "[::]:8443".parse().unwrap(), &urls).unwrap()
    }

    #[test]
    fn a_certificate_is_renewed_in_time_and_the_authority_stays() {
        let folder = tempfile::tempdir().unwrap();
        let ca = authority(folder.path(), &[]);
        let start: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        let state = || [ca.ca_file(), ca.certificate_file()].map(|path| fs::read(path).unwrap());
        ca.ensure(start).unwrap();
        let first = state();
        for secret in ["key.pem", "ca-key.pem"] {
            let mode = fs::metadata(folder.path().join("tls").join(secret)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{secret}");
        }
        ca.ensure(start + (366 * 24).hours()).unwrap();
        assert_eq!(state(), first, "31 days left");
        ca.ensure(start + (368 * 24).hours()).unwrap();
        let renewed = state();
        assert_eq!(renewed[0], first[0]);
        assert_ne!(renewed[1], first[1]);
        ca.ensure(start + (10 * 366 * 24).hours()).unwrap();
        assert_ne!(state()[0], first[0], "an authority that has run out is replaced");
    }

    #[test]
    fn a_new_public_name_gets_a_new_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        authority(folder.path(), &[]).ensure(now).unwrap();
        let ca = authority(folder.path(), &["https://keys.example.com:9443/dskpp", "https://[2001:db8::1]/dskpp"]);
        assert!(!ca.serves(now));
        ca.ensure(now).unwrap();
        assert!(ca.serves(now) && authority(folder.path(), &[]).serves(now));
    }
}
