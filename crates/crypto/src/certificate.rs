//! What every user of certificates needs: their key, and why they are not trusted.

#[cfg(not(feature = "signatures"))]
use der::{Decode as _, Header, Reader, SliceReader, Tag, TagNumber};

use crate::Error;

/// The SubjectPublicKeyInfo of a certificate (X.509, DER).
#[cfg(feature = "signatures")]
pub(crate) fn spki_of(der: &[u8]) -> Result<Vec<u8>, Error> {
    use x509_parser::prelude::{FromDer as _, X509Certificate};
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate.public_key().raw.to_vec()),
        _ => Err(NO_CERTIFICATE),
    }
}

/// The SubjectPublicKeyInfo of a certificate (X.509, DER); what stands before and after it is not read.
#[cfg(not(feature = "signatures"))]
pub(crate) fn spki_of(der: &[u8]) -> Result<Vec<u8>, Error> {
    read_spki(der).map(<[u8]>::to_vec).map_err(|_| NO_CERTIFICATE)
}

#[cfg(not(feature = "signatures"))]
fn read_spki(der: &[u8]) -> der::Result<&[u8]> {
    let contents = |der| {
        let mut reader = SliceReader::new(der)?;
        let header = Header::decode(&mut reader)?;
        header.tag().assert_eq(Tag::Sequence)?;
        let contents = reader.read_slice(header.length())?;
        reader.finish()?;
        Ok::<_, der::Error>(contents)
    };
    let mut certificate = SliceReader::new(contents(der)?)?;
    let to_be_signed = certificate.tlv_bytes()?;
    certificate.tlv_bytes()?; // signatureAlgorithm
    certificate.tlv_bytes()?; // signature
    certificate.finish()?;
    let mut fields = SliceReader::new(contents(to_be_signed)?)?;
    let version = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    if Tag::peek(&fields)? == version {
        fields.tlv_bytes()?;
    }
    for _before in ["serialNumber", "signature", "issuer", "validity", "subject"] {
        fields.tlv_bytes()?;
    }
    fields.tlv_bytes()
}

pub(crate) const NO_CERTIFICATE: Error = Error::Path(PathError::NoCertificate);

/// Why a certification path is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Not an X.509 certificate.
    #[error("it is not an X.509 certificate")]
    NoCertificate,
    /// It, or a certificate above it, has expired or is not valid yet.
    #[error("it, or a certificate above it, is not valid at this time")]
    Time,
    /// It does not chain to a trust anchor.
    #[error("it does not chain to a configured trust anchor")]
    Untrusted,
    /// It, or a certificate above it, is revoked.
    #[error("it, or a certificate above it, is revoked")]
    Revoked,
    /// Its issuer, or one above, has no CRL.
    #[error("its issuer has no revocation list (CRL)")]
    NoRevocationList,
    /// The issuer's CRL is past its `nextUpdate`.
    #[error("its issuer's revocation list (CRL) has expired")]
    OldRevocationList,
    /// The CRL in its issuer's name has an invalid signature.
    #[error("its issuer's revocation list (CRL) has an invalid signature")]
    ForeignRevocationList,
    /// A trusted certificate is not a CA certificate.
    #[error("it is not a CA certificate")]
    NoAuthority,
    /// Any other reason.
    #[error("it, or a certificate above it, is not usable")]
    Unusable,
}

#[cfg(test)]
mod tests {
    use crate::{Error, PathError, RsaPrivateKey, RsaPublicKey};

    /// Made with `openssl req -x509` from the key beside it.
    #[test]
    fn the_key_of_a_certificate_is_read_and_a_damaged_shape_refused() {
        let key = RsaPrivateKey::from_pkcs8_pem(include_str!("../tests/data/rsa-2048.pem"));
        let pem = include_str!("../tests/data/rsa-2048-certificate.pem");
        let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = data_encoding::BASE64.decode(text.as_bytes()).expect("base64");
        assert_eq!(&RsaPublicKey::from_certificate_der(&der).expect("a certificate"), key.expect("a key").public());
        let refused = Err(Error::Path(PathError::NoCertificate));
        for len in 0..der.len() {
            assert_eq!(RsaPublicKey::from_certificate_der(&der[..len]), refused, "cut at {len}");
        }
        assert_eq!(RsaPublicKey::from_certificate_der(&[&der[..], &[0]].concat()), refused, "an octet too many");
        assert_eq!(RsaPublicKey::from_certificate_der(&super::spki_of(&der).expect("a certificate")), refused);
    }
}
