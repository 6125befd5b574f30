//! `dskpp admin device`: the server's register of devices.

mod import;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use dskpp_api::{
    CreatedDevice, Device as DeviceAnswer, DeviceChangeRequest, DeviceDetails, DeviceQuery, ListPage, ListedDevice,
    NewDeviceRequest, SecretString, paths,
};

use super::list::{table, whole_id};
use super::{all, delete, lines};
use crate::api::Api;
use crate::output::{Failure, Output};
use crate::pskc::material::{certificate_pem, key_file};
use crate::shown::shown;

#[derive(Subcommand)]
pub(super) enum DeviceCommand {
    /// Register a device
    Create {
        /// The device's manufacturer
        #[arg(long, help_heading = "Device")]
        manufacturer: String,
        /// The device's serial number
        #[arg(long, help_heading = "Device")]
        serial: String,
        /// The server's name for the device's own key
        #[arg(long, help_heading = "Key")]
        key_name: String,
        #[command(flatten)]
        keys: DeviceKeyArgs,
    },
    /// List devices
    List {
        /// List only this manufacturer's devices
        #[arg(long, help_heading = "Filter")]
        manufacturer: Option<String>,
        /// List only the device with this serial number
        #[arg(long, help_heading = "Filter")]
        serial: Option<String>,
    },
    /// Show a device, without its shared key
    Show {
        /// The device's id, as `admin device list` shows it, or how it begins
        id: String,
    },
    /// Replace or remove a device's keys
    Change(Change),
    /// Delete a device, unless enrolments or keys refer to it
    Delete {
        /// The device's id, as `admin device list` shows it, or how it begins
        id: String,
    },
    /// Register the devices of a table (CSV) or a key file (PSKC); after an interruption, run the command again
    Import(import::DeviceImportArgs),
}

#[derive(Args)]
pub(super) struct DeviceKeyArgs {
    /// File with the shared key (16 to 64 octets): hexadecimal, Base64 or raw octets
    #[arg(long, value_name = "FILE", help_heading = "Key")]
    shared_key_file: Option<PathBuf>,
    /// File with the device's certificate (PEM or DER)
    #[arg(long, value_name = "FILE", help_heading = "Key")]
    certificate: Option<PathBuf>,
}

impl DeviceKeyArgs {
    fn shared_key_hex(&self) -> Result<Option<SecretString>, Failure> {
        let hex = |path| Ok(HEXLOWER.encode(key_file(path)?.expose()).into());
        self.shared_key_file.as_deref().map(hex).transpose()
    }

    fn certificate_pem(&self) -> Result<Option<String>, Failure> {
        self.certificate.as_deref().map(certificate_pem).transpose()
    }
}

#[derive(Args)]
pub(super) struct Change {
    /// The device's id, as `admin device list` shows it, or how it begins
    id: String,
    /// The server's new name for the device's own key
    #[arg(long, help_heading = "Key")]
    key_name: Option<String>,
    #[command(flatten)]
    keys: DeviceKeyArgs,
    /// Remove the shared key
    #[arg(long, conflicts_with = "shared_key_file", help_heading = "Key")]
    no_shared_key: bool,
    /// Remove the certificate
    #[arg(long, conflicts_with = "certificate", help_heading = "Key")]
    no_certificate: bool,
}

impl DeviceCommand {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        match self {
            DeviceCommand::Create { manufacturer, serial, key_name, keys } => {
                let (shared_key_hex, certificate_pem) = (keys.shared_key_hex()?, keys.certificate_pem()?);
                let new = NewDeviceRequest { manufacturer, serial, key_name, shared_key_hex, certificate_pem };
                let device: CreatedDevice = api.post(paths::DEVICES, &new).await?;
                output.print(&device, || format!("device {}", shown(&device.id)))
            }
            DeviceCommand::List { manufacturer, serial } => {
                let query = |after| DeviceQuery {
                    manufacturer: manufacturer.clone(),
                    serial: serial.clone(),
                    after,
                    limit: None,
                };
                let devices: ListPage<ListedDevice> = all(api, paths::DEVICES, query).await?;
                let headings = ["ID", "MANUFACTURER", "SERIAL", "KEY NAME"];
                output.print(&devices, || table(&headings, devices.items.iter().map(columns).collect()))
            }
            DeviceCommand::Show { id } => {
                let id = whole_id(api, paths::DEVICES, id).await?;
                let device: DeviceDetails = api.get(&paths::of(paths::DEVICE, &id)).await?;
                output.print(&device, || lines(&device))
            }
            DeviceCommand::Change(change) => change.run(api, output).await,
            DeviceCommand::Delete { id } => {
                let id = whole_id(api, paths::DEVICES, id).await?;
                delete(api, output, "device", paths::DEVICE, &id).await
            }
            DeviceCommand::Import(import) => import.run(api, output).await,
        }
    }
}

impl Change {
    async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        let change = DeviceChangeRequest {
            key_name: self.key_name,
            shared_key_hex: self.keys.shared_key_hex()?.map(Some).or(self.no_shared_key.then_some(None)),
            certificate_pem: self.keys.certificate_pem()?.map(Some).or(self.no_certificate.then_some(None)),
        };
        let id = whole_id(api, paths::DEVICES, self.id).await?;
        let device: DeviceDetails = api.patch(&paths::of(paths::DEVICE, &id), &change).await?;
        output.print(&device, || lines(&device))
    }
}

fn columns(device: &ListedDevice) -> Vec<String> {
    match device {
        ListedDevice::Readable(DeviceAnswer { device, .. }) => {
            let CreatedDevice { id, manufacturer, serial, key_name, .. } = device;
            vec![id.clone(), manufacturer.clone(), serial.clone(), key_name.clone()]
        }
        ListedDevice::Unreadable(row) => {
            vec![row.id.clone(), format!("unreadable: {}", row.unreadable), "-".into(), "-".into()]
        }
    }
}
