//! The device register.

use serde::{Deserialize, Deserializer, Serialize};

use crate::SecretString;

/// The device to bind an enrolment to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceName {
    /// Its manufacturer.
    pub manufacturer: String,
    /// Its serial number.
    pub serial: String,
}

/// A device that an enrolment or a key is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceIdentity {
    /// Its manufacturer.
    pub manufacturer: String,
    /// Its serial number.
    pub serial: String,
}

/// A device to register.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDeviceRequest {
    /// Its manufacturer: 1 to 256 printable characters.
    pub manufacturer: String,
    /// Its serial number: 1 to 256 printable characters.
    pub serial: String,
    /// The name by which the device knows its key: 1 to 256 printable characters.
    pub key_name: String,
    /// The key that device and server share: 16 to 64 octets in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_key_hex: Option<SecretString>,
    /// Its X.509 certificate, in PEM (RFC 7468).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_pem: Option<String>,
}

/// A registered device.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreatedDevice {
    /// Its identifier.
    pub id: String,
    /// Its manufacturer.
    pub manufacturer: String,
    /// Its serial number.
    pub serial: String,
    /// The name by which the device knows its key.
    pub key_name: String,
    /// Whether the server shares a key with it.
    pub has_shared_key: bool,
    /// Whether the server has its certificate.
    pub has_certificate: bool,
}

/// A device.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Device {
    /// What it was registered with.
    #[serde(flatten)]
    pub device: CreatedDevice,
    /// When it was registered (RFC 3339, UTC).
    pub created_at: Option<String>,
}

/// A device with its certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceDetails {
    /// The rest.
    #[serde(flatten)]
    pub device: Device,
    /// Its X.509 certificate, in PEM (RFC 7468).
    pub certificate_pem: Option<String>,
}

/// Which devices to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceQuery {
    /// Only devices of this manufacturer.
    pub manufacturer: Option<String>,
    /// Only devices with this serial number.
    pub serial: Option<String>,
    /// Only devices after this one: `next` of the previous page.
    pub after: Option<String>,
    /// Page size, 1 to 100; 100 by default.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    pub limit: Option<usize>,
}

/// A device in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected a device")]
pub enum ListedDevice {
    /// Its row in the database is damaged.
    Unreadable(UnreadableDevice),
    /// A readable device.
    Readable(Device),
}

/// A device whose row in the database is damaged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnreadableDevice {
    /// Its identifier.
    pub id: String,
    /// The first unreadable column.
    pub unreadable: String,
}

/// Changes to a device. Omitted members stay unchanged; `null` removes the value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceChangeRequest {
    /// The name by which the device knows its key: 1 to 256 printable characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    /// The key that device and server share: 16 to 64 octets in hexadecimal.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub shared_key_hex: Option<Option<SecretString>>,
    /// Its X.509 certificate, in PEM (RFC 7468).
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub certificate_pem: Option<Option<String>>,
}

/// Distinguishes `null` from an omitted member.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Devices to register in one transaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceBatch {
    /// At most 1000.
    #[cfg_attr(feature = "schema", schemars(length(max = 1000)))]
    pub devices: Vec<NewDeviceRequest>,
}

/// The result of a batch of devices.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceBatchReport {
    /// How many were registered.
    pub accepted: u64,
    /// Devices that were already registered.
    pub duplicate: Vec<RejectedDevice>,
    /// Refused devices.
    pub refused: Vec<RejectedDevice>,
}

/// A device of a batch that was not registered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RejectedDevice {
    /// Its index in the batch, from 0.
    pub index: usize,
    /// Its manufacturer.
    pub manufacturer: String,
    /// Its serial number.
    pub serial: String,
    /// The reason, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
