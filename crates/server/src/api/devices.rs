//! The register of devices.

use std::sync::Arc;

use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use dskpp_crypto::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::ApiState;
use super::enrolments::time;
use super::problem::{Asked, Body, Caller, Id, Problem, json_answer};
use super::register::{certificate, name};
use crate::device_trust::{DeviceTrust, key_of};
use crate::model::clock::now;
use crate::store::{DeviceChange, DeviceEntry, DeviceFilter, NewDevice, NotPut, Role, StoreError, Unreadable};

/// Devices on a page, unless fewer are asked for.
const PAGE: usize = 100;
/// The longest batch, in octets.
pub(super) const MAX_BATCH_LEN: usize = 8 * 1024 * 1024;
/// The most devices in a batch: they are one transaction, which others wait for.
const MAX_DEVICES: usize = 1000;

/// A device as it comes in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceBody {
    manufacturer: String,
    serial: String,
    key_name: String,
    shared_key_hex: Option<String>,
    certificate_pem: Option<String>,
}

impl DeviceBody {
    fn checked(&self, trust: &DeviceTrust) -> Result<NewDevice, Problem> {
        Ok(NewDevice {
            manufacturer: name("manufacturer", &self.manufacturer)?,
            serial: name("serial", &self.serial)?,
            key_name: name("key_name", &self.key_name)?,
            shared_key: self.shared_key_hex.as_deref().map(shared_key).transpose()?,
            certificate: self.certificate_pem.as_deref().map(|pem| trusted(trust, pem)).transpose()?,
        })
    }
}

pub(super) async fn create(
    State(api): State<ApiState>,
    caller: Caller,
    Body(new): Body<DeviceBody>,
) -> Result<Response, Problem> {
    caller.may(Role::Enrol)?;
    let device = new.checked(&api.device_trust)?;
    let mut answer = json!({
        "manufacturer": device.manufacturer,
        "serial": device.serial,
        "key_name": device.key_name,
        "has_shared_key": device.shared_key.is_some(),
        "has_certificate": device.certificate.is_some(),
    });
    answer["id"] = json!(api.store.create_device(device).await?);
    Ok(json_answer(StatusCode::CREATED, answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    manufacturer: Option<String>,
    serial: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    Asked(listing): Asked<Listing>,
) -> Result<Response, Problem> {
    caller.may(Role::Read)?;
    let Listing { manufacturer, serial, after, limit } = listing;
    let limit = limit.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        return Err(Problem::value(format!("limit must be 1 to {PAGE}")));
    }
    let page = api.store.devices(DeviceFilter { manufacturer, serial, after }, limit).await?;
    let unreadable = |why: &Unreadable| json!({ "id": why.row, "unreadable": why.column });
    let items: Vec<Value> = page.items.iter().map(|it| it.as_ref().map_or_else(unreadable, describe)).collect();
    let mut answer = json!({ "items": items });
    if let Some(next) = page.next {
        answer["next"] = json!(next);
    }
    Ok(json_answer(StatusCode::OK, answer))
}

pub(super) async fn show(State(api): State<ApiState>, caller: Caller, Id(id): Id) -> Result<Response, Problem> {
    caller.may(Role::Read)?;
    let device = api.store.device(&id).await?.ok_or(Problem::not_found("device"))?;
    Ok(json_answer(StatusCode::OK, whole(&device)))
}

/// What changes. What is left out stays, `null` takes it away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeBody {
    key_name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    shared_key_hex: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    certificate_pem: Option<Option<String>>,
}

/// Tells `null` from what is left out.
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

pub(super) async fn change(
    State(api): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<ChangeBody>,
) -> Result<Response, Problem> {
    caller.may(Role::Enrol)?;
    let trusted = |pem: &str| trusted(&api.device_trust, pem);
    let change = DeviceChange {
        key_name: body.key_name.as_deref().map(|text| name("key_name", text)).transpose()?,
        shared_key: body.shared_key_hex.map(|hex| hex.as_deref().map(shared_key).transpose()).transpose()?,
        certificate: body.certificate_pem.map(|pem| pem.as_deref().map(trusted).transpose()).transpose()?,
    };
    if change.key_name.is_none() && change.shared_key.is_none() && change.certificate.is_none() {
        return Err(Problem::value("key_name, shared_key_hex or certificate_pem is needed"));
    }
    let device = api.store.change_device(&id, change, caller.id().to_owned()).await?;
    Ok(json_answer(StatusCode::OK, whole(&device)))
}

pub(super) async fn remove(State(api): State<ApiState>, caller: Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    caller.may(Role::Enrol)?;
    api.store.delete_device(&id, caller.id().to_owned()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Devices that come in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchBody {
    devices: Vec<DeviceBody>,
}

pub(super) async fn import(State(api): State<ApiState>, caller: Caller, request: Request) -> Result<Response, Problem> {
    caller.may(Role::Enrol)?;
    let Body(BatchBody { devices }) = Body::from_request(request, &()).await?;
    if devices.len() > MAX_DEVICES {
        return Err(Problem::value(format!("a batch may have {MAX_DEVICES} devices")));
    }
    // Certificates are checked one by one: not on a thread that serves others.
    let trust = Arc::clone(&api.device_trust);
    let checked = tokio::task::spawn_blocking(move || {
        let of = |device: DeviceBody| (device.checked(&trust), device);
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
    Ok(json_answer(StatusCode::OK, report(&names, accepted, not_put, refused)))
}

/// What became of the devices of those names.
fn report(
    names: &[(String, String)],
    accepted: usize,
    not_put: impl Iterator<Item = (usize, NotPut)>,
    mut refused: Vec<(usize, String)>,
) -> Value {
    let mut duplicate = Vec::new();
    for (index, why) in not_put {
        match why {
            NotPut::Duplicate => duplicate.push((index, None)),
            NotPut::Differs => duplicate.push((index, Some(DIFFERS))),
            NotPut::KeyName => refused.push((index, "another device has this key_name".to_owned())),
        }
    }
    refused.sort_unstable();
    let line = |index: usize, reason: Option<&str>| {
        let (manufacturer, serial) = names.get(index).map_or(("", ""), |(maker, serial)| (maker, serial));
        let mut line = json!({ "index": index, "manufacturer": manufacturer, "serial": serial });
        if let Some(reason) = reason {
            line["reason"] = json!(reason);
        }
        line
    };
    json!({
        "accepted": accepted,
        "duplicate": duplicate.iter().map(|(index, why)| line(*index, *why)).collect::<Vec<_>>(),
        "refused": refused.iter().map(|(index, why)| line(*index, Some(why))).collect::<Vec<_>>(),
    })
}

const DIFFERS: &str =
    "this device is there, and its key_name, shared key or certificate is another; nothing was changed";

fn shared_key(hex: &str) -> Result<Secret, Problem> {
    let key = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).map(Secret::new);
    key.ok()
        .filter(|key| (16..=64).contains(&key.len()))
        .ok_or_else(|| Problem::value("shared_key_hex must be 16 to 64 octets in hexadecimal"))
}

/// A certificate with which the device can be sent keys; where authorities are configured, one that leads to them.
fn trusted(trust: &DeviceTrust, pem: &str) -> Result<Vec<u8>, Problem> {
    let der = certificate(pem)?;
    let checked = match trust.has_anchors() {
        true => trust.check(std::slice::from_ref(&der), now().unsigned_abs()),
        false => key_of(&der),
    };
    checked.map_err(|why| Problem::value(format!("certificate_pem cannot be used: {why}")))?;
    Ok(der)
}

fn describe(device: &DeviceEntry) -> Value {
    json!({
        "id": device.id,
        "manufacturer": device.manufacturer,
        "serial": device.serial,
        "key_name": device.key_name,
        "has_shared_key": device.has_shared_key,
        "has_certificate": device.certificate.is_some(),
        "created_at": time(device.created_at),
    })
}

/// With the certificate too.
fn whole(device: &DeviceEntry) -> Value {
    let mut value = describe(device);
    value["certificate_pem"] = json!(device.certificate.as_deref().map(pem));
    value
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
