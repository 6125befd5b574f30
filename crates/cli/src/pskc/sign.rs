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
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// The signer's certificate, and those that lead to an authority (PEM; one alone also in DER); without, the receiver must know the key
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,

    /// Sign although the certificate was issued for something else, such as a TLS server, for receivers that accept it
    #[arg(long, requires = "certificate")]
    any_key_usage: bool,

    /// Sign the inclusive canonical form (Canonical XML 1.0), for receivers that need it
    #[arg(long)]
    inclusive: bool,

    #[command(flatten)]
    to: To,
}

impl Sign {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let document = pskc(&self.file)?;
        let key = SigningKey::from_pkcs8_der(private_key(&self.key)?.expose());
        let key = key.map_err(|why| {
            Failure::new(format!("{}: {why}", self.key.display())).next("an RSA, P-256 or P-384 key is needed")
        })?;
        let certificates = self.certificate.as_deref().map(certificates).transpose()?.unwrap_or_default();
        if let Some(certificate) = certificates.first() {
            let signer_use = if self.any_key_usage { SignerUse::Any } else { SignerUse::default() };
            signature::check_signer(certificate, Timestamp::now(), signer_use).map_err(refused)?;
        }
        let form = if self.inclusive { Canonicalization::Inclusive } else { Canonicalization::Exclusive };
        let signed = signature::sign(document.as_ref(), &key, &certificates, form).map_err(|why| match why {
            SignatureError::AlreadySigned => Failure::new(why).next("`dskpp pskc verify --output` gives it without"),
            SignatureError::Key => Failure::new("the first certificate is not that of the key"),
            why => Failure::new(why),
        })?;
        let mut result = self.to.open_output(output)?;
        printed(result.write_all(&signed))?;
        result.finish()?;
        let Some(name) = self.to.name() else { return Ok(()) };
        output.print(&json!({ "file": name }), || format!("signed: {name}"))
    }
}

/// Why nothing is signed: receivers would refuse it for the same cause.
fn refused(why: SignatureError) -> Failure {
    const ANOTHER: &str = "`dskpp pskc verify` would refuse the file: ";
    let next = match &why {
        SignatureError::KeyUse(_) => {
            "sign with a certificate for signatures of documents; --any-key-usage signs with this one, for receivers that \
             accept it"
        }
        SignatureError::Certificate(why) => match why.cause {
            DistrustCause::Authority => "sign with a certificate of its own (CA:FALSE) that this authority has issued",
            DistrustCause::Expired | DistrustCause::NotYetValid => "renew the certificate, or correct the clock",
            DistrustCause::Version => "have it issued anew as version 3 (one with basicConstraints=CA:FALSE is)",
            DistrustCause::Algorithm => "have it issued anew, signed with SHA-256",
            _ => "sign with another certificate",
        },
        _ => "sign with a certificate in X.509",
    };
    Failure::new(why).next(format!("{ANOTHER}{next}"))
}

#[derive(Args)]
#[group(id = "whom", required = true, multiple = false, args = ["ca", "key", "signer"])]
pub(crate) struct Verify {
    /// The key file; - for standard input
    file: PathBuf,

    /// Authorities (PEM or DER) of which one must have certified the signer
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// The signer's public key (PEM or DER)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// The signer's own certificate (PEM or DER): its key alone counts
    #[arg(long, value_name = "FILE")]
    signer: Option<PathBuf>,

    /// Accept SHA-1, which can be forged; for old files only
    #[arg(long)]
    allow_sha1: bool,

    /// Accept a signer whose certificate was issued for something else, such as a TLS server
    #[arg(long, requires = "ca")]
    any_key_usage: bool,

    /// The time at which certificates must be valid; now if not given
    #[arg(long, value_name = "TIME")]
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
            SignatureError::Sha1 => Failure::new(why).next("--allow-sha1 accepts it, if you trust the file anyway"),
            SignatureError::KeyUse(_) => Failure::new(why).next(
                "ask the sender for a file signed with a certificate for it; --any-key-usage accepts this one, if you \
                 know that it may sign",
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
            format!("the signature is good; signed by {}", signer.as_deref().unwrap_or("the owner of the given key"))
        })
    }

    fn options(&self) -> Result<VerifyOptions, Failure> {
        if let Some(path) = &self.ca {
            let at = self.at.unwrap_or_else(Timestamp::now);
            return Ok(VerifyOptions::with_anchors(certificates(path)?, at));
        }
        let path = self.key.as_ref().or(self.signer.as_ref()).ok_or_else(|| Failure::usage("no key was given"))?;
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

/// What helps where a signer's certificate is not trusted.
fn what_to_do(cause: DistrustCause) -> &'static str {
    match cause {
        DistrustCause::Version => {
            "ask the signer for a certificate of version 3 (one with basicConstraints=CA:FALSE is); --signer trusts the \
             key of this one, if you know that it is the signer's"
        }
        DistrustCause::Expired | DistrustCause::NotYetValid => {
            "--at verifies for the time of signing, if you know it; else ask the sender to sign the file anew"
        }
        DistrustCause::Authority => {
            "ask the signer to sign with a certificate of its own (CA:FALSE); --signer trusts the key of this one, if you \
             know that it is the signer's"
        }
        DistrustCause::Algorithm => {
            "ask the signer for a certificate that is signed with SHA-256; --signer trusts the key of the signer's own, if \
             you know that it is the signer's"
        }
        DistrustCause::NotAuthority => "--ca takes certificates of authorities (CA:TRUE); --signer that of the signer",
        DistrustCause::UnknownIssuer => "--ca takes the certificate of that issuer, if you trust it",
        DistrustCause::Signature => "--ca takes the certificate with which it was issued, if you trust it",
        _ => "ask the sender for a file that is signed with another certificate",
    }
}
