//! Extensions (RFC 6063 §6, profile P24).

use std::ops::Range;

use pskc::xml::{Element, Writer, ns, trim};

use super::codec::{self, Children, MessageReader};
use super::{MessageError, RootKind};

/// The two extensions that RFC 6063 defines; others are ignored, or refused if critical.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageExtensions {
    /// `ClientInfoType`: the client's, repeated unmodified in the server's next response (§6.1).
    pub client_info: Option<Vec<u8>>,
    /// `ServerInfoType`: the server's, repeated unmodified in the client's next request (§6.2);
    /// only in a ServerHello with `Continue` and the ClientNonce that answers it.
    pub server_info: Option<Vec<u8>>,
}

/// One `Extension`, by the QName that its `xsi:type` resolves to.
enum Extension {
    ClientInfo(Vec<u8>),
    ServerInfo(Vec<u8>),
    Skipped,
}

impl MessageExtensions {
    /// Reads the optional `Extensions` element of this kind of message.
    pub(super) fn read(children: &mut Children<'_, '_>, message: RootKind) -> Result<Self, MessageError> {
        let found = children.optional("Extensions", |reader, _| {
            let mut extensions = MessageExtensions::default();
            let mut children = Children::of(reader);
            loop {
                children.required("Extension", |reader, child| {
                    let extension = Extension::read(reader, child)?;
                    extensions.add(reader, extension, message)
                })?;
                if children.is_at_end()? {
                    return Ok(extensions);
                }
            }
        })?;
        Ok(found.unwrap_or_default())
    }

    fn add(&mut self, reader: &MessageReader<'_>, extension: Extension, message: RootKind) -> Result<(), MessageError> {
        let (place, name, data) = match extension {
            Extension::ClientInfo(data) => (&mut self.client_info, "ClientInfoType", data),
            Extension::ServerInfo(data) => {
                if !matches!(message, RootKind::ServerHello | RootKind::ClientNonce) {
                    return Err(reader.invalid("ServerInfoType is not allowed here").into());
                }
                (&mut self.server_info, "ServerInfoType", data)
            }
            Extension::Skipped => return Ok(()),
        };
        match place.replace(data) {
            None => Ok(()),
            Some(_) => Err(reader.invalid(format!("{name} is given twice")).into()),
        }
    }

    /// Writes the `Extensions` element, `ClientInfo` first, unless it would be empty; returns
    /// the range of `ServerInfo`'s base64 in the output.
    pub(super) fn write(&self, w: &mut Writer) -> Option<Range<usize>> {
        if *self == MessageExtensions::default() {
            return None;
        }
        w.start("dskpp:Extensions");
        if let Some(data) = &self.client_info {
            write_info(w, "dskpp:ClientInfoType", data);
        }
        let mark = self.server_info.as_ref().map(|data| write_info(w, "dskpp:ServerInfoType", data));
        w.end();
        mark
    }
}

fn write_info(w: &mut Writer, xsi_type: &str, data: &[u8]) -> Range<usize> {
    w.start("dskpp:Extension").attr("xsi:type", xsi_type);
    w.start("dskpp:Data");
    let from = w.position();
    w.base64(data);
    let mark = from..w.position();
    w.end();
    w.end();
    mark
}

impl Extension {
    fn read(reader: &mut MessageReader<'_>, element: &Element) -> Result<Self, MessageError> {
        let xsi_type = element.attr_ns(ns::XSI, "type").ok_or_else(|| reader.missing("attribute xsi:type"))?;
        let (namespace, local) = reader.resolve_qname(trim(xsi_type))?;
        let critical = match element.attr("Critical").map(trim) {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(_) => return Err(reader.invalid("Critical is not a boolean").into()),
        };
        let known = match local.as_str() {
            "ClientInfoType" if namespace.as_str() == ns::DSKPP => Extension::ClientInfo,
            "ServerInfoType" if namespace.as_str() == ns::DSKPP => Extension::ServerInfo,
            _ if critical => {
                return Err(MessageError::UnknownCriticalExtension { place: reader.place() });
            }
            _ => {
                reader.skip()?;
                return Ok(Extension::Skipped);
            }
        };
        codec::only_attributes(reader, element, &["Critical"])?;
        if critical {
            return Err(reader.invalid("this extension must not be Critical").into());
        }
        let mut children = Children::of(reader);
        let data = children.required("Data", codec::base64)?;
        children.end()?;
        Ok(known(data))
    }
}
