//! The device register.

use std::sync::Arc;

use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use dskpp_api::{
    CreatedDevice, Device, DeviceBatch, DeviceBatchReport, DeviceChangeRequest, DeviceDetails, DeviceQuery, ListPage,
    ListedDevice, NewDeviceRequest, RejectedDevice, SecretString, UnreadableDevice,
};
use dskpp_crypto::Secret;

use super::ApiState;
use super::caller::Caller;
use super::enrolments::time;
use super::etag::{IfMatch, IfNoneMatch, Tags, tagged};
use super::lists::{PAGE, limit, text};
use super::problem::{ApiProblem, Body, Id, StrictQuery, json_answer};
use super::users::{certificate, name};
use crate::model::DeviceEntry;
use crate::model::clock::now;
use crate::policy::device_trust::{DeviceTrust, key_of};
use crate::store::{self, DeviceFilter, NotPut, StoreError, Unreadable};

/// Maximum size of a batch, in octets.
pub(super) const MAX_BATCH_LEN: usize = 8 * 1024 * 1024;
/// Maximum number of devices in a batch: the batch is one transaction, which blocks others.
const MAX_DEVICES: usize = 1000;

fn checked(new: &NewDeviceRequest, trust: &DeviceTrust) -> Result<store::NewDevice, ApiProblem> {
    Ok(store::NewDevice {
        manufacturer: name("manufacturer", &new.manufacturer)?,
        serial: name("serial", &new.serial)?,
        key_name: name("key_name", &new.key_name)?,
        shared_key: new.shared_key_hex.as_ref().map(shared_key).transpose()?,
        certificate: new.certificate_pem.as_deref().map(|pem| trusted(trust, pem)).transpose()?,
    })
}

pub(super) async fn create(
    State(api): State<ApiState>,
    Body(new): Body<NewDeviceRequest>,
) -> Result<Response, ApiProblem> {
    let device = checked(&new, &api.device_trust)?;
    let answer = CreatedDevice {
        manufacturer: device.manufacturer.clone(),
        serial: device.serial.clone(),
        key_name: device.key_name.clone(),
        has_shared_key: device.shared_key.is_some(),
        has_certificate: device.certificate.is_some(),
        id: api.store.create_device(device).await?,
    };
    Ok(json_answer(StatusCode::CREATED, &answer))
}

pub(super) async fn list(
    State(api): State<ApiState>,
    StrictQuery(query): StrictQuery<DeviceQuery>,
) -> Result<Response, ApiProblem> {
    let DeviceQuery { manufacturer, serial, after, limit: given } = query;
    let filter = DeviceFilter {
        manufacturer: text("manufacturer", manufacturer)?,
        serial: text("serial", serial)?,
        after: text("after", after)?,
    };
    let page = api.store.devices(filter, limit(given, PAGE)?).await?;
    let listed = |device| match device {
        Ok(device) => ListedDevice::Readable(describe(&device)),
        Err(Unreadable { row, column, .. }) => {
            ListedDevice::Unreadable(UnreadableDevice { id: row, unreadable: column })
        }
    };
    let items = page.items.into_iter().map(listed).collect();
    Ok(json_answer(StatusCode::OK, &ListPage { items, next: page.next }))
}

pub(super) async fn show(State(api): State<ApiState>, seen: IfNoneMatch, Id(id): Id) -> Result<Response, ApiProblem> {
    let device = api.store.device(&id).await?.ok_or(ApiProblem::not_found("device"))?;
    Ok(seen.answer(&whole(&device)))
}

/// Carries out a write on a device, if it is as the tags say.
async fn write<T>(
    api: &ApiState,
    id: &str,
    tags: Option<Tags>,
    write: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, ApiProblem> {
    Ok(match tags {
        None => write.await?,
        Some(tags) => api.store.if_device(id, move |device| tags.name(&whole(&device)), write).await?,
    })
}

pub(super) async fn change(
    State(api): State<ApiState>,
    caller: Caller,
    IfMatch(tags): IfMatch,
    Id(id): Id,
    Body(body): Body<DeviceChangeRequest>,
) -> Result<Response, ApiProblem> {
    let trusted = |pem: &str| trusted(&api.device_trust, pem);
    let change = store::DeviceChange {
        key_name: body.key_name.as_deref().map(|text| name("key_name", text)).transpose()?,
        shared_key: body.shared_key_hex.map(|hex| hex.as_ref().map(shared_key).transpose()).transpose()?,
        certificate: body.certificate_pem.map(|pem| pem.as_deref().map(trusted).transpose()).transpose()?,
    };
    if change.key_name.is_none() && change.shared_key.is_none() && change.certificate.is_none() {
        return Err(ApiProblem::value("key_name, shared_key_hex or certificate_pem is required"));
    }
    let device = write(&api, &id, tags, api.store.change_device(&id, change, caller.id().to_owned())).await?;
    Ok(tagged(&whole(&device)))
}

pub(super) async fn remove(
    State(api): State<ApiState>,
    caller: Caller,
    IfMatch(tags): IfMatch,
    Id(id): Id,
) -> Result<StatusCode, ApiProblem> {
    write(&api, &id, tags, api.store.delete_device(&id, caller.id().to_owned())).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn import(
    State(api): State<ApiState>,
    caller: Caller,
    request: Request,
) -> Result<Response, ApiProblem> {
    let Body(DeviceBatch { devices }) = Body::from_request(request, &()).await?;
    if devices.len() > MAX_DEVICES {
        return Err(ApiProblem::value(format!("a batch may have at most {MAX_DEVICES} devices")));
    }
    // Checking certificates takes time: not on a thread that serves connections.
    let trust = Arc::clone(&api.device_trust);
    let checked = tokio::task::spawn_blocking(move || {
        let of = |device: NewDeviceRequest| (checked(&device, &trust), device);
        devices.into_iter().map(of).collect::<Vec<_>>()
    });
    let checked = checked.await.map_err(|_| StoreError::Unavailable("a batch could not be read".into()))?;
    let (mut names, mut good, mut indexes, mut refused) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, (device, body)) in checked.into_iter().enumerate() {
        names.push((body.manufacturer, body.serial));
        match device {
            Ok(device) => {
                good.push(device);
                indexes.push(index);
            }
            Err(why) => refused.push((index, why.into_detail())),
        }
    }
    let offered = good.len();
    let not_put = api.store.import_devices(good, refused.len(), caller.id().to_owned()).await?;
    let accepted = offered - not_put.len();
    let not_put = not_put.into_iter().filter_map(|(place, why)| Some((*indexes.get(place)?, why)));
    Ok(json_answer(StatusCode::OK, &report(&names, accepted as u64, not_put, refused)))
}

/// The results for the devices with those names.
fn report(
    names: &[(String, String)],
    accepted: u64,
    not_put: impl Iterator<Item = (usize, NotPut)>,
    mut refused: Vec<(usize, String)>,
) -> DeviceBatchReport {
    let mut duplicate = Vec::new();
    for (index, why) in not_put {
        match why {
            NotPut::Duplicate => duplicate.push((index, None)),
            NotPut::Differs => duplicate.push((index, Some(DIFFERS.to_owned()))),
            NotPut::KeyName => refused.push((index, "another device has this key_name".to_owned())),
        }
    }
    refused.sort_unstable();
    let rejected = |(index, reason): (usize, Option<String>)| {
        let (manufacturer, serial) = names.get(index).cloned().unwrap_or_default();
        RejectedDevice { index, manufacturer, serial, reason }
    };
    DeviceBatchReport {
        accepted,
        duplicate: duplicate.into_iter().map(rejected).collect(),
        refused: refused.into_iter().map(|(index, why)| rejected((index, Some(why)))).collect(),
    }
}

const DIFFERS: &str =
    "a device with this manufacturer and serial exists with a different key_name, shared key or certificate";

fn shared_key(hex: &SecretString) -> Result<Secret, ApiProblem> {
    let key = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.expose().as_bytes()).map(Secret::new);
    key.ok()
        .filter(|key| (16..=64).contains(&key.len()))
        .ok_or_else(|| ApiProblem::value("shared_key_hex must be 16 to 64 octets in hexadecimal"))
}

/// A certificate to whose key the device's keys can be encrypted; with trust anchors configured, it must chain to one.
fn trusted(trust: &DeviceTrust, pem: &str) -> Result<Vec<u8>, ApiProblem> {
    let der = certificate(pem)?;
    let checked = match trust.has_anchors() {
        true => trust.check(std::slice::from_ref(&der), now().unsigned_abs()),
        false => key_of(&der),
    };
    checked.map_err(|why| ApiProblem::value(format!("certificate_pem:  {why}")))?;
    Ok(der)
}

fn describe(device: &DeviceEntry) -> Device {
    Device {
        device: CreatedDevice {
            id: device.id.clone(),
            manufacturer: device.manufacturer.clone(),
            serial: device.serial.clone(),
            key_name: device.key_name.clone(),
            has_shared_key: device.has_shared_key,
            has_certificate: device.certificate.is_some(),
        },
        created_at: time(device.created_at),
    }
}

fn whole(device: &DeviceEntry) -> DeviceDetails {
    DeviceDetails { device: describe(device), certificate_pem: device.certificate.as_deref().map(pem) }
}

/// RFC 7468.
fn pem(der: &[u8]) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let encoded = data_encoding::BASE64.encode(der);
    for line in encoded.as_bytes().chunks(64) {
        text.extend(line.iter().map(|octet| char::from(*octet)));
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}
