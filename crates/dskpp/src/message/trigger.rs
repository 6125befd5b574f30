//! `<KeyProvTrigger>`: starts a run (RFC 6063 §4.2.1).

use pskc::DeviceInfo;
use pskc::xml::Element;

use super::codec::{self, Children, MessageReader};
use super::common::{read_device, write_device};
use super::{AuthenticationData, MessageError, ReadError, RootKind};
use crate::version::Version;

/// An `InitializationTrigger`: everything that a client needs to start without user interaction
/// (profile P14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// `Version`; absent means 1.0, and it is always written.
    pub version: Version,
    /// `DeviceIdentifierData`: DeviceID, the key's device.
    pub device_identifier_data: Option<DeviceInfo>,
    /// `KeyID`: the key to replace (profile P21).
    pub key_id: Option<Vec<u8>>,
    /// `TokenPlatformInfo`
    pub token_platform_info: Option<TokenPlatformInfo>,
    /// `AuthenticationData`: AD, which the client copies into its ClientHello.
    pub authentication_data: AuthenticationData,
    /// `ServerUrl`: URL_S, trimmed (profile P13).
    pub server_url: Option<String>,
}

/// `TokenPlatformInfo`: where the server requires key and algorithm to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenPlatformInfo {
    /// `KeyLocation`
    pub key_location: Option<Platform>,
    /// `AlgorithmLocation`
    pub algorithm_location: Option<Platform>,
}

/// `PlatformType`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// `Hardware`
    Hardware,
    /// `Software`
    Software,
    /// `Unspecified`
    Unspecified,
}

impl Trigger {
    /// Reads a trigger, at most [`MAX_MESSAGE_LEN`](super::MAX_MESSAGE_LEN) octets.
    ///
    /// # Errors
    /// Like [`Request::read`](super::Request::read); they are not answered: no run starts.
    pub fn read(body: &[u8]) -> Result<Self, ReadError> {
        codec::read(body, &[RootKind::Trigger], |reader, root, _, version| Self::read_open(reader, root, version))
    }

    /// The document to send.
    pub fn write(&self) -> Vec<u8> {
        let mut writer = codec::root(RootKind::Trigger);
        let w = &mut writer;
        w.attr("Version", &self.version.to_string());
        w.start("dskpp:InitializationTrigger");
        if let Some(device) = &self.device_identifier_data {
            write_device(w, device);
        }
        if let Some(key_id) = &self.key_id {
            w.start("dskpp:KeyID").base64(key_id).end();
        }
        if let Some(info) = self.token_platform_info {
            w.start("dskpp:TokenPlatformInfo");
            let locations = [("KeyLocation", info.key_location), ("AlgorithmLocation", info.algorithm_location)];
            for (name, platform) in locations {
                w.attr_opt(name, platform.map(Platform::as_str));
            }
            w.end();
        }
        self.authentication_data.write(w);
        if let Some(url) = &self.server_url {
            w.element("dskpp:ServerUrl", url);
        }
        w.end();
        w.end();
        writer.finish()
    }

    fn read_open(reader: &mut MessageReader<'_>, root: &Element, version: Version) -> Result<Self, MessageError> {
        codec::only_attributes(reader, root, &["Version"])?;
        let mut children = Children::of(reader);
        let trigger = children.required("InitializationTrigger", |reader, _| {
            let mut children = Children::of(reader);
            let trigger = Trigger {
                version,
                device_identifier_data: children.optional("DeviceIdentifierData", read_device)?,
                key_id: children.optional("KeyID", codec::base64)?,
                token_platform_info: children.optional("TokenPlatformInfo", TokenPlatformInfo::read)?,
                authentication_data: children.required("AuthenticationData", AuthenticationData::read)?,
                server_url: children.optional("ServerUrl", codec::uri)?,
            };
            children.end()?;
            Ok(trigger)
        })?;
        children.end()?;
        Ok(trigger)
    }
}

impl TokenPlatformInfo {
    fn read(reader: &mut MessageReader<'_>, child: &Element) -> Result<Self, MessageError> {
        let platform = |name: &'static str| {
            let value = child.attr(name);
            value.map(|value| Platform::read(reader, name, value)).transpose()
        };
        let info = TokenPlatformInfo {
            key_location: platform("KeyLocation")?,
            algorithm_location: platform("AlgorithmLocation")?,
        };
        reader.end()?;
        Ok(info)
    }
}

impl Platform {
    fn as_str(self) -> &'static str {
        match self {
            Platform::Hardware => "Hardware",
            Platform::Software => "Software",
            Platform::Unspecified => "Unspecified",
        }
    }

    fn read(reader: &MessageReader<'_>, name: &'static str, text: &str) -> Result<Self, MessageError> {
        [Platform::Hardware, Platform::Software, Platform::Unspecified]
            .into_iter()
            .find(|platform| platform.as_str() == text)
            .ok_or_else(|| reader.invalid(format!("{name} is not a PlatformType")).into())
    }
}
