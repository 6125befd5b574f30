//! `<KeyProvServerHello>`: the server's choice in four-pass (RFC 6063 §4.2.3).

use std::ops::Range;

use pskc::KeyInfo;
use pskc::xml::{Element, Writer};

use super::codec::{self, Children, MessageReader};
use super::{Mac, MessageError, MessageExtensions, RootKind};
use crate::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm, PackageFormat};
use crate::status::Status;
use crate::version::Version;

/// The answer to a ClientHello that offered four-pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// `Version`
    pub version: Version,
    /// `SessionID`, at most 128 characters; always present with `Continue`.
    pub session_id: Option<String>,
    /// `Status`; never `Success`.
    pub status: Status,
    /// The content below the root; always present with `Continue`, absent on failure (profile P22).
    pub body: Option<ServerHelloBody>,
}

/// The server's choices from the client's lists, and K and R_S.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHelloBody {
    /// `KeyType`
    pub key_type: KeyType,
    /// `EncryptionAlgorithm`: for R_C.
    pub encryption_algorithm: EncryptionAlgorithm,
    /// `MacAlgorithm`
    pub mac_algorithm: MacAlgorithm,
    /// `EncryptionKey`: K, as a public key or by its name (profile P29).
    pub encryption_key: KeyInfo,
    /// `KeyPackageFormat`
    pub key_package_format: PackageFormat,
    /// `Payload/Nonce`: R_S, at least 16 octets.
    pub r_s: Vec<u8>,
    /// `Extensions`: the client's `ClientInfo` and the server's `ServerInfo`.
    pub extensions: MessageExtensions,
    /// `Mac`: proof of K_MAC' at a renewal (profile P7).
    pub mac: Option<Mac>,
}

impl ServerHello {
    /// The body to send.
    pub fn write(&self) -> Vec<u8> {
        self.write_with_mark().0
    }

    /// The body to send, and the range of `ServerInfo`'s base64 in it, if any.
    ///
    /// A server that seals its state into `ServerInfo` needs the place: the message hash
    /// up to there is part of the state, and the rest does not depend on the sealed octets.
    pub fn write_with_mark(&self) -> (Vec<u8>, Option<Range<usize>>) {
        let mut writer = codec::root(RootKind::ServerHello);
        let w = &mut writer;
        codec::response_attributes(w, self.version, self.session_id.as_deref(), self.status);
        let mark = self.body.as_ref().and_then(|body| body.write(w));
        w.end();
        (writer.finish(), mark)
    }

    pub(super) fn read_open(
        reader: &mut MessageReader<'_>,
        root: &Element,
        version: Version,
    ) -> Result<Self, MessageError> {
        let (session_id, status) = codec::response(reader, root)?;
        match status {
            Status::Success => {
                return Err(reader.invalid("Status Success is for the final message").into());
            }
            Status::Continue if session_id.is_none() => {
                return Err(reader.missing("attribute SessionID").into());
            }
            _ => {}
        }
        let mut children = Children::of(reader);
        let body = match status != Status::Continue && children.is_at_end()? {
            true => None,
            false => Some(ServerHelloBody::read(&mut children)?),
        };
        children.end()?;
        if status != Status::Continue && body.as_ref().is_some_and(|body| body.extensions.server_info.is_some()) {
            return Err(reader.invalid("ServerInfoType is for the status Continue").into());
        }
        Ok(ServerHello { version, session_id, status, body })
    }
}

impl ServerHelloBody {
    fn read(children: &mut Children<'_, '_>) -> Result<Self, MessageError> {
        Ok(ServerHelloBody {
            key_type: children.required("KeyType", codec::value(KeyType::from_uri))?,
            encryption_algorithm: children
                .required("EncryptionAlgorithm", codec::value(EncryptionAlgorithm::from_uri))?,
            mac_algorithm: children.required("MacAlgorithm", codec::value(MacAlgorithm::from_uri))?,
            encryption_key: children
                .required("EncryptionKey", |reader, child| Ok(KeyInfo::read_open(reader, child)?))?,
            key_package_format: children.required("KeyPackageFormat", codec::value(PackageFormat::from_uri))?,
            r_s: children.required("Payload", |reader, _| {
                let mut children = Children::of(reader);
                let nonce = children.required("Nonce", codec::nonce)?;
                children.end()?;
                Ok(nonce)
            })?,
            extensions: MessageExtensions::read(children, RootKind::ServerHello)?,
            mac: children.optional("Mac", Mac::read)?,
        })
    }

    fn write(&self, w: &mut Writer) -> Option<Range<usize>> {
        w.element("dskpp:KeyType", self.key_type.uri());
        w.element("dskpp:EncryptionAlgorithm", self.encryption_algorithm.uri());
        w.element("dskpp:MacAlgorithm", self.mac_algorithm.uri());
        self.encryption_key.write(w, "dskpp:EncryptionKey");
        w.element("dskpp:KeyPackageFormat", self.key_package_format.uri());
        w.start("dskpp:Payload");
        w.start("dskpp:Nonce").base64(&self.r_s).end();
        w.end();
        let mark = self.extensions.write(w);
        if let Some(mac) = &self.mac {
            mac.write(w);
        }
        mark
    }
}
