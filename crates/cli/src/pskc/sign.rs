//! `dskpp pskc sign` and `verify`

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use dskpp_crypto::{DistrustCause, SignerUse, SigningKey, VerifyingKey};
use jiff::Timestamp;
use pskc::signature::{self, Canonicalization, SignatureError, Signer, VerifyOptions};
use serde_json::json;

use super::atomic_output::printed;
use super::document::{Document, Octets};
use super::material::{certificates, private_key, public_key};
use super::protect::To;

use crate::output::{Failure, Output};

#[derive(Args)]
pub(crate) struct Sign {
    /// The key file; - for standard input
    file: PathBuf,

    /// The signer's private key: RSA, P-256 or P-384 (PKCS #8, PEM or DER)
    #[arg(long, value_name = "FILE", help_heading = "Signature")]
    key: PathBuf,

    /// The signer's certificate and its chain (PEM; a single certificate also in DER); without it, the receiver must
    /// know the key
    #[arg(long, value_name = "FILE", help_heading = "Signature")]
    certificate: Option<PathBuf>,

    /// Sign even if the certificate was issued for another purpose, such as a TLS server
    #[arg(long, requires = "certificate", help_heading = "Signature")]
    any_key_usage: bool,

    /// Use inclusive Canonical XML 1.0, for receivers that need it
    #[arg(long, help_heading = "Signature")]
    inclusive: bool,

    #[command(flatten)]
    to: To,
}

impl Sign {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let document = pskc(&self.file)?;
        let key = SigningKey::from_pkcs8_der(private_key(&self.key)?.expose());
        let key = key.map_err(|why| {
            Failure::new(format!("{}: {why}", self.key.display())).next("use an RSA, P-256 or P-384 key")
        })?;
        let certificates = self.certificate.as_deref().map(certificates).transpose()?.unwrap_or_default();
        if let Some(certificate) = certificates.first() {
            let signer_use = if self.any_key_usage { SignerUse::Any } else { SignerUse::default() };
            signature::check_signer(certificate, Timestamp::now(), signer_use).map_err(refused)?;
        }
        let form = if self.inclusive { Canonicalization::Inclusive } else { Canonicalization::Exclusive };
        let signed = signature::sign(document.as_ref(), &key, &certificates, form).map_err(|why| match why {
            SignatureError::AlreadySigned => {
                Failure::new(why).next("remove the signature with `dskpp pskc verify --output`")
            }
            SignatureError::Key => Failure::new("the first certificate does not match the key"),
            why => Failure::new(why),
        })?;
        let mut result = self.to.open_output(output)?;
        printed(result.write_all(&signed))?;
        result.finish()?;
        let Some(name) = self.to.name() else { return Ok(()) };
        output.print(&json!({ "file": name }), || format!("signed: {name}"))
    }
}

/// Refuses to sign what receivers would refuse.
fn refused(why: SignatureError) -> Failure {
    const ANOTHER: &str = "`dskpp pskc verify` would refuse the file: ";
    let next = match &why {
        SignatureError::KeyUse(_) => {
            "sign with a document-signing certificate; --any-key-usage signs with this one, for receivers that accept \
             it"
        }
        SignatureError::Certificate(why) => match why.cause {
            DistrustCause::Authority => "sign with an end-entity certificate (CA:FALSE) issued by this CA",
            DistrustCause::Expired | DistrustCause::NotYetValid => "renew the certificate, or correct the clock",
            DistrustCause::Version => "reissue it as version 3 (with basicConstraints=CA:FALSE)",
            DistrustCause::Algorithm => "reissue it, signed with SHA-256",
            _ => "sign with another certificate",
        },
        _ => "sign with an X.509 certificate",
    };
    Failure::new(why).next(format!("{ANOTHER}{next}"))
}

#[derive(Args)]
#[group(id = "whom", required = true, multiple = false, args = ["ca", "key", "signer"])]
pub(crate) struct Verify {
    /// The key file; - for standard input
    file: PathBuf,

    /// CA certificates (PEM or DER), one of which must have issued the signer's chain
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    ca: Option<PathBuf>,

    /// The signer's public key (PEM or DER)
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    key: Option<PathBuf>,

    /// The signer's own certificate (PEM or DER); only its key is used
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    signer: Option<PathBuf>,

    /// Accept SHA-1, which can be forged; for old files only
    #[arg(long, help_heading = "Trust")]
    allow_sha1: bool,

    /// Accept a signer whose certificate was issued for another purpose, such as a TLS server
    #[arg(long, requires = "ca", help_heading = "Trust")]
    any_key_usage: bool,

    /// Time at which certificates must be valid [default: now]
    #[arg(long, value_name = "TIME", help_heading = "Trust")]
    at: Option<Timestamp>,

    #[command(flatten)]
    to: To,
}

impl Verify {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let document = pskc(&self.file)?;
        let mut options = self.options()?;
        if self.allow_sha1 {
            options = options.allow_sha1();
        }
        if self.any_key_usage {
            options = options.any_key_usage();
        }
        let verified = signature::verify(document.as_ref(), &options).map_err(|why| match why {
            SignatureError::Sha1 => Failure::new(why).next("if you trust the file anyway, accept it with --allow-sha1"),
            SignatureError::KeyUse(_) => Failure::new(why).next(
                "ask the sender for a file signed with a suitable certificate; if you know that this one may sign, use \
                 --any-key-usage",
            ),
            SignatureError::Certificate(why) => {
                let next = what_to_do(why.cause);
                Failure::new(SignatureError::Certificate(why)).next(next)
            }
            why => Failure::new(why).next("do not use the file: ask its sender for it again"),
        })?;
        if self.to.is_stdout() || self.to.name().is_some() {
            let mut result = self.to.open_output(output)?;
            printed(result.write_all(&verified.content))?;
            result.finish()?;
        }
        if self.to.is_stdout() {
            return Ok(());
        }
        let signer = match &verified.signer {
            Signer::Certificate { subject, .. } => Some(subject.clone()),
            _ => None,
        };
        let algorithm = format!("{:?}", verified.algorithm);
        output.print(&json!({ "verified": true, "signer": signer, "algorithm": algorithm }), || {
            format!("the signature is valid; signed by {}", signer.as_deref().unwrap_or("the owner of the given key"))
        })
    }

    fn options(&self) -> Result<VerifyOptions, Failure> {
        if let Some(path) = &self.ca {
            let at = self.at.unwrap_or_else(Timestamp::now);
            return Ok(VerifyOptions::with_anchors(certificates(path)?, at));
        }
        let path = self.key.as_ref().or(self.signer.as_ref()).ok_or_else(|| Failure::usage("no key given"))?;
        let key = match &self.key {
            Some(_) => VerifyingKey::from_spki_der(&public_key(path)?),
            None => VerifyingKey::from_certificate_der(&certificates(path)?.swap_remove(0)),
        };
        Ok(VerifyOptions::with_key(key.map_err(|why| Failure::new(format!("{}: {why}", path.display())))?))
    }
}

fn pskc(path: &Path) -> Result<Octets, Failure> {
    let document = Document::open(path)?;
    document.must_be_pskc()?;
    document.octets()
}

/// The remedy for an untrusted signer's certificate.
fn what_to_do(cause: DistrustCause) -> &'static str {
    match cause {
        DistrustCause::Version => {
            "ask the signer for a version 3 certificate (with basicConstraints=CA:FALSE); if you know that this one is \
             the signer's, trust its key with --signer"
        }
        DistrustCause::Expired | DistrustCause::NotYetValid => {
            "pass the time of signing with --at if you know it, or ask the sender to sign the file again"
        }
        DistrustCause::Authority => {
            "ask the signer to sign with an end-entity certificate (CA:FALSE); if you know that this one is the \
             signer's, trust its key with --signer"
        }
        DistrustCause::Algorithm => {
            "ask the signer for a certificate signed with SHA-256; if you know that this one is the signer's, trust its \
             key with --signer"
        }
        DistrustCause::NotAuthority => "--ca takes CA certificates (CA:TRUE), --signer the signer's certificate",
        DistrustCause::UnknownIssuer => "if you trust that issuer, pass its certificate with --ca",
        DistrustCause::Signature => "pass the issuing CA's certificate with --ca, if you trust it",
        _ => "ask the sender to sign with another certificate",
    }
}
