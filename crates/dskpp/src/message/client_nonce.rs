//! `<KeyProvClientNonce>`: R_C and AD of four-pass (RFC 6063 §4.2.4).

use pskc::xml::Element;

use super::codec::{self, Children, MessageReader};
use super::{AuthenticationData, MessageError, MessageExtensions, RootKind};
use crate::version::Version;

/// The second request of four-pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientNonce {
    /// `Version`
    pub version: Version,
    /// `SessionID` of the server; at most 128 characters.
    pub session_id: String,
    /// `EncryptedNonce`: E(K, R_C).
    pub encrypted_nonce: Vec<u8>,
    /// `AuthenticationData`: AD.
    pub authentication_data: Option<AuthenticationData>,
    /// `Extensions`: the server's `ServerInfo`, unmodified, and a `ClientInfo`.
    pub extensions: MessageExtensions,
}

impl ClientNonce {
    /// The body to send.
    pub fn write(&self) -> Vec<u8> {
        let mut writer = codec::root(RootKind::ClientNonce);
        let w = &mut writer;
        w.attr("Version", &self.version.to_string()).attr("SessionID", &self.session_id);
        w.start("dskpp:EncryptedNonce").base64(&self.encrypted_nonce).end();
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
        codec::only_attributes(reader, root, &["Version", "SessionID"])?;
        let session_id = codec::session_id(reader, root)?.ok_or_else(|| reader.missing("attribute SessionID"))?;
        let mut children = Children::of(reader);
        let nonce = ClientNonce {
            version,
            session_id,
            encrypted_nonce: children.required("EncryptedNonce", codec::base64)?,
            authentication_data: children.optional("AuthenticationData", AuthenticationData::read)?,
            extensions: MessageExtensions::read(&mut children, RootKind::ClientNonce)?,
        };
        children.end()?;
        Ok(nonce)
    }
}
