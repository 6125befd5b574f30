//! `<KeyProvClientHello>`: the client's offer (RFC 6063 §§4.2.2, 5.2.2).

use pskc::xml::{Element, Writer, ns};
use pskc::{DeviceInfo, KeyInfo};

use super::codec::{self, Children, MessageReader};
use super::common::{read_device, write_device};
use super::{AuthenticationData, MessageError, MessageExtensions, RootKind};
use crate::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm, PackageFormat, ProtectionMethod};
use crate::version::Version;

/// The first request of every run. Lists are in the client's order of preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// `Version`
    pub version: Version,
    /// `DeviceIdentifierData`: DeviceID, the key's device.
    pub device_identifier_data: Option<DeviceInfo>,
    /// `KeyID`: the key to replace, the UTF-8 octets of its PSKC `Id` (profile P21).
    pub key_id: Option<Vec<u8>>,
    /// `ClientNonce`: R_C of two-pass (profile P12), or the nonce of a renewal MAC (profile P7);
    /// at least 16 octets.
    pub client_nonce: Option<Vec<u8>>,
    /// `SupportedKeyTypes`, at least one.
    pub supported_key_types: Vec<KeyType>,
    /// `SupportedEncryptionAlgorithms`, at least one.
    pub supported_encryption_algorithms: Vec<EncryptionAlgorithm>,
    /// `SupportedMacAlgorithms`, at least one.
    pub supported_mac_algorithms: Vec<MacAlgorithm>,
    /// `SupportedProtocolVariants`; absent means four-pass (profile P17).
    pub supported_protocol_variants: Option<ProtocolVariants>,
    /// `SupportedKeyPackages`, at least one if present; absent means PSKC (profile P17).
    pub supported_key_packages: Option<Vec<PackageFormat>>,
    /// `AuthenticationData`: AD, in two-pass and after a trigger.
    pub authentication_data: Option<AuthenticationData>,
    /// `Extensions`; only `ClientInfo` may be set.
    pub extensions: MessageExtensions,
}

/// `SupportedProtocolVariants`: the variants that the client supports; none is valid, but no server
/// can accept it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtocolVariants {
    /// `FourPass`
    pub four_pass: bool,
    /// `TwoPass`: the key protection methods, at least one if present, in order of preference.
    pub two_pass: Option<Vec<KeyProtection>>,
}

/// One entry of the key protection method list (RFC 6063 §5.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProtection {
    /// `SupportedKeyProtectionMethod`
    pub method: ProtectionMethod,
    /// `Payload`: the key to protect with.
    pub payload: Option<Payload>,
}

impl KeyProtection {
    /// Its `ds:KeyInfo`.
    pub fn key_info(&self) -> Option<&KeyInfo> {
        match &self.payload {
            Some(Payload::KeyInfo(info)) => Some(info),
            _ => None,
        }
    }
}

/// `Payload` of a key protection method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// `Nonce`, at least 16 octets.
    Nonce(Vec<u8>),
    /// `ds:KeyInfo`: identifies a key of the client, or the passphrase.
    KeyInfo(KeyInfo),
}

impl ClientHello {
    /// Whether four-pass is offered (profile P17).
    pub fn offers_four_pass(&self) -> bool {
        self.supported_protocol_variants.as_ref().is_none_or(|variants| variants.four_pass)
    }

    /// The key protection methods of two-pass in order of preference; empty if two-pass is not
    /// offered.
    pub fn two_pass_methods(&self) -> &[KeyProtection] {
        let variants = self.supported_protocol_variants.as_ref();
        variants.and_then(|variants| variants.two_pass.as_deref()).unwrap_or_default()
    }

    /// The package formats in order of preference (profile P17).
    pub fn package_formats(&self) -> &[PackageFormat] {
        self.supported_key_packages.as_deref().unwrap_or(&[PackageFormat::Pskc])
    }

    /// The body to send.
    pub fn write(&self) -> Vec<u8> {
        let mut writer = codec::root(RootKind::ClientHello);
        let w = &mut writer;
        w.attr("Version", &self.version.to_string());
        if let Some(device) = &self.device_identifier_data {
            write_device(w, device);
        }
        if let Some(key_id) = &self.key_id {
            w.start("dskpp:KeyID").base64(key_id).end();
        }
        if let Some(nonce) = &self.client_nonce {
            w.start("dskpp:ClientNonce").base64(nonce).end();
        }
        let key_types = self.supported_key_types.iter().map(KeyType::uri);
        codec::list(w, "dskpp:SupportedKeyTypes", "dskpp:Algorithm", key_types);
        let encryption = self.supported_encryption_algorithms.iter().map(EncryptionAlgorithm::uri);
        codec::list(w, "dskpp:SupportedEncryptionAlgorithms", "dskpp:Algorithm", encryption);
        let macs = self.supported_mac_algorithms.iter().map(MacAlgorithm::uri);
        codec::list(w, "dskpp:SupportedMacAlgorithms", "dskpp:Algorithm", macs);
        if let Some(variants) = &self.supported_protocol_variants {
            variants.write(w);
        }
        if let Some(formats) = &self.supported_key_packages {
            let formats = formats.iter().map(PackageFormat::uri);
            codec::list(w, "dskpp:SupportedKeyPackages", "dskpp:KeyPackageFormat", formats);
        }
        if let Some(data) = &self.authentication_data {
            data.write(w);
        }
        self.extensions.write(w);
        w.end();
        writer.finish()
    }

    pub(super) fn read_open(
        reader: &mut MessageReader<'_>,
        root: &Element,
        version: Version,
    ) -> Result<Self, MessageError> {
        codec::only_attributes(reader, root, &["Version"])?;
        let mut children = Children::of(reader);
        let hello = ClientHello {
            version,
            device_identifier_data: children.optional("DeviceIdentifierData", read_device)?,
            key_id: children.optional("KeyID", codec::base64)?,
            client_nonce: children.optional("ClientNonce", codec::nonce)?,
            supported_key_types: children
                .required("SupportedKeyTypes", codec::values("Algorithm", KeyType::from_uri))?,
            supported_encryption_algorithms: children
                .required("SupportedEncryptionAlgorithms", codec::values("Algorithm", EncryptionAlgorithm::from_uri))?,
            supported_mac_algorithms: children
                .required("SupportedMacAlgorithms", codec::values("Algorithm", MacAlgorithm::from_uri))?,
            supported_protocol_variants: children
                .optional("SupportedProtocolVariants", |reader, _| ProtocolVariants::read(reader))?,
            supported_key_packages: children
                .optional("SupportedKeyPackages", codec::values("KeyPackageFormat", PackageFormat::from_uri))?,
            authentication_data: children.optional("AuthenticationData", AuthenticationData::read)?,
            extensions: MessageExtensions::read(&mut children, RootKind::ClientHello)?,
        };
        children.end()?;
        Ok(hello)
    }
}

impl ProtocolVariants {
    fn read(reader: &mut MessageReader<'_>) -> Result<Self, MessageError> {
        let mut children = Children::of(reader);
        // The schema gives FourPass no type: its content has no meaning.
        let four_pass = children.optional("FourPass", |reader, _| Ok(reader.skip()?))?.is_some();
        let two_pass = children.optional("TwoPass", |reader, _| {
            let mut children = Children::of(reader);
            let mut methods = vec![KeyProtection::read(&mut children)?];
            while !children.is_at_end()? {
                methods.push(KeyProtection::read(&mut children)?);
            }
            Ok(methods)
        })?;
        children.end()?;
        Ok(ProtocolVariants { four_pass, two_pass })
    }

    fn write(&self, w: &mut Writer) {
        w.start("dskpp:SupportedProtocolVariants");
        if self.four_pass {
            w.start("dskpp:FourPass").end();
        }
        if let Some(methods) = &self.two_pass {
            w.start("dskpp:TwoPass");
            for method in methods {
                method.write(w);
            }
            w.end();
        }
        w.end();
    }
}

impl KeyProtection {
    fn read(children: &mut Children<'_, '_>) -> Result<Self, MessageError> {
        Ok(KeyProtection {
            method: children.required("SupportedKeyProtectionMethod", codec::value(ProtectionMethod::from_uri))?,
            payload: children.optional("Payload", |reader, _| Payload::read(reader))?,
        })
    }

    fn write(&self, w: &mut Writer) {
        w.element("dskpp:SupportedKeyProtectionMethod", self.method.uri());
        if let Some(payload) = &self.payload {
            w.start("dskpp:Payload");
            match payload {
                Payload::Nonce(nonce) => {
                    w.start("dskpp:Nonce").base64(nonce).end();
                }
                Payload::KeyInfo(key) => key.write(w, "ds:KeyInfo"),
            }
            w.end();
        }
    }
}

impl Payload {
    fn read(reader: &mut MessageReader<'_>) -> Result<Self, MessageError> {
        let mut children = Children::of(reader);
        let payload = match children.optional("Nonce", codec::nonce)? {
            Some(nonce) => Payload::Nonce(nonce),
            None => children
                .optional_in(ns::DS, "KeyInfo", |reader, child| {
                    Ok(Payload::KeyInfo(KeyInfo::read_open(reader, child)?))
                })?
                .ok_or_else(|| children.missing("<Nonce> or <ds:KeyInfo>"))?,
        };
        children.end()?;
        Ok(payload)
    }
}
