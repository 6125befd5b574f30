//! The names that options use for what the protocol offers.

use clap::ValueEnum;
use dskpp::algorithm::{PackageFormat, ProtectionMethod};
use dskpp_client::Variant;

/// [`Variant`]
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VariantName {
    /// Client and server generate the key together
    FourPass,
    /// The server generates the key and sends it
    TwoPass,
}

/// [`ProtectionMethod`]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MethodName {
    /// Encrypted under an RSA public key
    Transport,
    /// Wrapped under the device's own key
    Wrap,
    /// Wrapped under a key derived from the authentication code's password
    PassphraseWrap,
}

/// [`PackageFormat`]
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PackageName {
    /// RFC 6030
    Pskc,
    /// RFC 6031, in CMS
    Cms,
    /// PKCS #12, protected with the authentication code's password
    Pkcs12,
    /// PKCS #5 in XML, protected with the authentication code's password
    Pkcs5Xml,
}

impl From<VariantName> for Variant {
    fn from(name: VariantName) -> Self {
        match name {
            VariantName::FourPass => Variant::FourPass,
            VariantName::TwoPass => Variant::TwoPass,
        }
    }
}

impl From<MethodName> for ProtectionMethod {
    fn from(name: MethodName) -> Self {
        match name {
            MethodName::Transport => ProtectionMethod::Transport,
            MethodName::Wrap => ProtectionMethod::Wrap,
            MethodName::PassphraseWrap => ProtectionMethod::PassphraseWrap,
        }
    }
}

impl From<PackageName> for PackageFormat {
    fn from(name: PackageName) -> Self {
        match name {
            PackageName::Pskc => PackageFormat::Pskc,
            PackageName::Cms => PackageFormat::Skpc,
            PackageName::Pkcs12 => PackageFormat::Pkcs12,
            PackageName::Pkcs5Xml => PackageFormat::Pkcs5Xml,
        }
    }
}

/// The short name of a method, or its URI.
pub(crate) fn method_name(method: &ProtectionMethod) -> &str {
    match method {
        ProtectionMethod::Transport => "transport",
        ProtectionMethod::Wrap => "wrap",
        ProtectionMethod::PassphraseWrap => "passphrase-wrap",
        other => other.uri(),
    }
}
