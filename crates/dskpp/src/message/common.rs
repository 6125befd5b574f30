//! Elements of several messages.

use pskc::DeviceInfo;
use pskc::xml::{Element, Writer};

use super::MessageError;
use super::codec::{self, Children, MessageReader};
use crate::algorithm::MacAlgorithm;

/// `AuthenticationData`: AD, the proof of the authentication code (RFC 6063 §3.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationData {
    /// `ClientID`, compared octet for octet; at most 128 characters.
    pub client_id: Option<String>,
    /// `AuthenticationCodeMac`
    pub authentication_code_mac: AuthenticationCodeMac,
}

/// `AuthenticationMacType`: a MAC with its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationCodeMac {
    /// `Nonce`: R_C in two-pass (profile P12), at least 16 octets.
    pub nonce: Option<Vec<u8>>,
    /// `IterationCount` as received: zero and negative numbers are syntactically valid; profile P3
    /// refuses them. Absent means 100,000.
    pub iteration_count: Option<i32>,
    /// `Mac`
    pub mac: Mac,
}

/// `Mac`: a MAC value, not secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mac {
    /// `MacAlgorithm`
    pub algorithm: Option<MacAlgorithm>,
    /// The MAC, of any length: the verifier checks that.
    pub value: Vec<u8>,
}

impl AuthenticationData {
    pub(super) fn read(reader: &mut MessageReader<'_>, _: &Element) -> Result<Self, MessageError> {
        let mut children = Children::of(reader);
        let data = AuthenticationData {
            client_id: children.optional("ClientID", codec::identifier)?,
            authentication_code_mac: children.required("AuthenticationCodeMac", AuthenticationCodeMac::read)?,
        };
        children.end()?;
        Ok(data)
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.start("dskpp:AuthenticationData");
        if let Some(id) = &self.client_id {
            w.element("dskpp:ClientID", id);
        }
        self.authentication_code_mac.write(w, "dskpp:AuthenticationCodeMac");
        w.end();
    }
}

impl AuthenticationCodeMac {
    pub(super) fn read(reader: &mut MessageReader<'_>, _: &Element) -> Result<Self, MessageError> {
        let mut children = Children::of(reader);
        let data = AuthenticationCodeMac {
            nonce: children.optional("Nonce", codec::nonce)?,
            iteration_count: children.optional("IterationCount", codec::int)?,
            mac: children.required("Mac", Mac::read)?,
        };
        children.end()?;
        Ok(data)
    }

    pub(super) fn write(&self, w: &mut Writer, element: &str) {
        w.start(element);
        if let Some(nonce) = &self.nonce {
            w.start("dskpp:Nonce").base64(nonce).end();
        }
        if let Some(count) = self.iteration_count {
            w.element("dskpp:IterationCount", &count.to_string());
        }
        self.mac.write(w);
        w.end();
    }
}

impl Mac {
    pub(super) fn read(reader: &mut MessageReader<'_>, child: &Element) -> Result<Self, MessageError> {
        Ok(Mac {
            algorithm: child.attr("MacAlgorithm").map(MacAlgorithm::from_uri),
            value: codec::base64(reader, child)?,
        })
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.start("dskpp:Mac");
        if let Some(algorithm) = &self.algorithm {
            w.attr("MacAlgorithm", algorithm.uri());
        }
        w.base64(&self.value).end();
    }
}

/// `DeviceIdentifierData`: only `DeviceId` is supported.
pub(super) fn read_device(reader: &mut MessageReader<'_>, _: &Element) -> Result<DeviceInfo, MessageError> {
    let mut children = Children::of(reader);
    let device = children.required("DeviceId", |reader, child| Ok(DeviceInfo::read_open(reader, child)?))?;
    children.end()?;
    Ok(device)
}

pub(super) fn write_device(w: &mut Writer, device: &DeviceInfo) {
    w.start("dskpp:DeviceIdentifierData");
    device.write(w, "dskpp:DeviceId");
    w.end();
}
