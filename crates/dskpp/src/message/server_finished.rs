//! `<KeyProvServerFinished>`: the commit, or a failure (RFC 6063 §§4.2.5, 5.2.3).

use pskc::KeyContainer;
use pskc::xml::{Element, Writer, ns};

use super::codec::{self, Children, MessageReader};
use super::{AuthenticationCodeMac, Mac, MessageError, MessageExtensions, RootKind};
use crate::algorithm::{PackageFormat, ProtectionMethod};
use crate::status::Status;
use crate::version::Version;

const BASE64: &str = "http://www.w3.org/2000/09/xmldsig#base64";

/// The last message of every run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFinished {
    /// `Version`
    pub version: Version,
    /// `SessionID`, at most 128 characters.
    pub session_id: Option<String>,
    /// `Status`; never `Continue`.
    pub status: Status,
    /// The content below the root; always present with `Success`, absent on failure (profile P22).
    pub body: Option<ServerFinishedBody>,
}

/// The key package with its proofs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFinishedBody {
    /// `KeyPackage`: KP.
    pub key_package: ServerKeyPackage,
    /// `Extensions`: the client's `ClientInfo`.
    pub extensions: MessageExtensions,
    /// `Mac`: key confirmation (MAC 1).
    pub mac: Mac,
    /// `AuthenticationData`: the server's proof of K_MAC' at a two-pass renewal (MAC 2,
    /// profile P9).
    pub authentication_data: Option<AuthenticationCodeMac>,
}

/// `KeyPackage`: a key with its properties; in four-pass without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKeyPackage {
    /// `ServerID`: an identifier of the server, which enters two-pass MACs (profile P8).
    pub server_id: Option<String>,
    /// `KeyProtectionMethod`, in two-pass.
    pub key_protection_method: Option<ProtectionMethod>,
    /// The key.
    pub content: PackageContent,
}

/// The content of a [`ServerKeyPackage`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageContent {
    /// `KeyContainer` of PSKC (profile P26).
    Pskc(Box<KeyContainer>),
    /// A package in another format (RFC 6063 §5): its octets, in base64, are a `<ds:Object>`, the XML element for
    /// arbitrary content; its `MimeType` is that of the format.
    Encoded {
        /// A format with a [media type](PackageFormat::media_type).
        format: PackageFormat,
        /// What the format's [codec](crate::key_package::PackageCodec) wrote.
        octets: Vec<u8>,
    },
}

impl PackageContent {
    /// The PSKC container, if it is one.
    pub fn container(&self) -> Option<&KeyContainer> {
        match self {
            PackageContent::Pskc(container) => Some(container),
            PackageContent::Encoded { .. } => None,
        }
    }

    /// The PSKC container, if it is one.
    pub fn container_mut(&mut self) -> Option<&mut KeyContainer> {
        match self {
            PackageContent::Pskc(container) => Some(container),
            PackageContent::Encoded { .. } => None,
        }
    }

    fn read(children: &mut Children<'_, '_>) -> Result<Self, MessageError> {
        let container = |reader: &mut MessageReader<'_>, child: &Element| {
            Ok(PackageContent::Pskc(Box::new(KeyContainer::read_open(reader, child)?)))
        };
        if let Some(encoded) = children.optional_in(ns::DS, "Object", encoded)? {
            return Ok(encoded);
        }
        // PSKC's own element, from another namespace, is allowed by the schema.
        match children.optional_in(ns::PSKC, "KeyContainer", container)? {
            Some(container) => Ok(container),
            None => children.required("KeyContainer", container),
        }
    }

    fn write(&self, w: &mut Writer) {
        match self {
            PackageContent::Pskc(container) => container.write(w, "dskpp:KeyContainer"),
            PackageContent::Encoded { format, octets } => {
                w.start("ds:Object");
                w.attr("MimeType", format.media_type().unwrap_or_default());
                w.attr("Encoding", BASE64);
                w.base64(octets);
                w.end();
            }
        }
    }
}

fn encoded(reader: &mut MessageReader<'_>, object: &Element) -> Result<PackageContent, MessageError> {
    let format = object.attr("MimeType").and_then(PackageFormat::from_media_type);
    let format = format.ok_or_else(|| reader.invalid("MimeType is not that of a key package"))?;
    if object.attr("Encoding").is_some_and(|encoding| encoding != BASE64) {
        return Err(reader.invalid("Encoding is not base64").into());
    }
    Ok(PackageContent::Encoded { format, octets: reader.base64()? })
}

impl ServerFinished {
    /// The body to send.
    pub fn write(&self) -> Vec<u8> {
        let mut writer = codec::root(RootKind::ServerFinished);
        let w = &mut writer;
        codec::response_attributes(w, self.version, self.session_id.as_deref(), self.status);
        if let Some(body) = &self.body {
            body.write(w);
        }
        w.end();
        writer.finish()
    }

    pub(super) fn read_open(
        reader: &mut MessageReader<'_>,
        root: &Element,
        version: Version,
    ) -> Result<Self, MessageError> {
        let (session_id, status) = codec::response(reader, root)?;
        if status == Status::Continue {
            return Err(reader.invalid("Status Continue is not for the final message").into());
        }
        let mut children = Children::of(reader);
        let body = match !status.is_success() && children.is_at_end()? {
            true => None,
            false => Some(ServerFinishedBody::read(&mut children)?),
        };
        children.end()?;
        Ok(ServerFinished { version, session_id, status, body })
    }
}

impl ServerFinishedBody {
    fn read(children: &mut Children<'_, '_>) -> Result<Self, MessageError> {
        Ok(ServerFinishedBody {
            key_package: children.required("KeyPackage", |reader, _| ServerKeyPackage::read(reader))?,
            extensions: MessageExtensions::read(children, RootKind::ServerFinished)?,
            mac: children.required("Mac", Mac::read)?,
            authentication_data: children.optional("AuthenticationData", AuthenticationCodeMac::read)?,
        })
    }

    fn write(&self, w: &mut Writer) {
        self.key_package.write(w);
        self.extensions.write(w);
        self.mac.write(w);
        if let Some(data) = &self.authentication_data {
            data.write(w, "dskpp:AuthenticationData");
        }
    }
}

impl ServerKeyPackage {
    fn read(reader: &mut MessageReader<'_>) -> Result<Self, MessageError> {
        let mut children = Children::of(reader);
        let package = ServerKeyPackage {
            server_id: children.optional("ServerID", codec::uri)?,
            key_protection_method: children
                .optional("KeyProtectionMethod", codec::value(ProtectionMethod::from_uri))?,
            content: PackageContent::read(&mut children)?,
        };
        children.end()?;
        Ok(package)
    }

    fn write(&self, w: &mut Writer) {
        w.start("dskpp:KeyPackage");
        if let Some(id) = &self.server_id {
            w.element("dskpp:ServerID", id);
        }
        if let Some(method) = &self.key_protection_method {
            w.element("dskpp:KeyProtectionMethod", method.uri());
        }
        self.content.write(w);
        w.end();
    }
}
