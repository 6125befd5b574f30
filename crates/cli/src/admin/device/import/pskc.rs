//! Devices in a key file: each package names a device and has the key that it shares with the server.

use dskpp_api::NewDeviceRequest;
use pskc::KeyPackage;

use super::{DevicePlace, Each, Row, cut};
use crate::output::Failure;
use crate::pskc::input::KeyFile;

/// The namespace of AES algorithms (RFC 6030 §10.1 refers to it).
const AES: &str = "http://www.w3.org/2001/04/xmlenc#";

/// # Errors
/// The file cannot be read as a key file.
pub(super) fn read(file: &KeyFile, each: Each<'_>) -> Result<(), Failure> {
    file.warn();
    let mut number = 0;
    file.for_each(|package| {
        number += 1;
        let device = package.device_info.as_ref();
        let manufacturer = device.and_then(|device| device.manufacturer.as_deref()).unwrap_or_default();
        let serial = device.and_then(|device| device.serial_no.as_deref()).unwrap_or_default();
        let (manufacturer, serial) = (cut(manufacturer), cut(serial));
        let device = device_of(&package, &manufacturer, &serial).map_err(str::to_owned);
        each(Row { place: DevicePlace::Key(number), manufacturer, serial, device })
    })
}

fn device_of(package: &KeyPackage, manufacturer: &str, serial: &str) -> Result<NewDeviceRequest, &'static str> {
    if manufacturer.is_empty() || serial.is_empty() {
        return Err("the package does not identify its device by Manufacturer and SerialNo");
    }
    let key = package.key.as_ref().ok_or("the package has no key")?;
    if !key.is_usable() {
        return Err("the key's policy has unknown elements, so the key must not be used");
    }
    // OTP secrets are known elsewhere, so they must not also protect what is sent to the device.
    if key.algorithm.as_deref().is_some_and(|algorithm| !algorithm.starts_with(AES)) {
        return Err("not an AES key, so not the key that the device shares with the server");
    }
    let secret = key.data.as_ref().and_then(|data| data.secret.as_ref()).and_then(|secret| secret.plain());
    let secret = secret.ok_or("the key has no secret")?;
    Ok(NewDeviceRequest {
        manufacturer: manufacturer.to_owned(),
        serial: serial.to_owned(),
        key_name: cut(&key.id),
        shared_key_hex: Some(data_encoding::HEXLOWER.encode(secret.expose()).into()),
        certificate_pem: None,
    })
}
