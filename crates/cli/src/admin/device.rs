//! `dskpp admin device`: the server's register of devices.

mod import;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{all, delete, lines, show};
use crate::api::{Api, escaped};
use crate::output::{Failure, Output};
use crate::pskc::material::{certificate_pem, key_file};

#[derive(Subcommand)]
pub(super) enum Device {
    /// Register a device
    Create {
        #[arg(long)]
        manufacturer: String,
        #[arg(long)]
        serial: String,
        /// The name under which the device knows its key
        #[arg(long)]
        key_name: String,
        #[command(flatten)]
        keys: Keys,
    },
    /// List devices
    List {
        /// Only of this manufacturer
        #[arg(long)]
        manufacturer: Option<String>,
        /// Only with this serial number
        #[arg(long)]
        serial: Option<String>,
    },
    /// Show a device, without its shared key
    Show { id: String },
    /// Replace a device's keys, or take them away
    Change(Change),
    /// Take a device out of the register, unless enrolments or keys refer to it
    Delete { id: String },
    /// Register the devices of a table (CSV) or a key file (PSKC); after an interruption, run it again
    Import(import::Import),
}

#[derive(Args)]
pub(super) struct Keys {
    /// File with the shared key (16 to 64 octets): hexadecimal, Base64 or its octets
    #[arg(long, value_name = "FILE")]
    shared_key_file: Option<PathBuf>,
    /// File with the device's certificate (PEM or DER)
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

impl Keys {
    fn put(&self, body: &mut Map<String, Value>) -> Result<(), Failure> {
        if let Some(path) = &self.shared_key_file {
            let key = data_encoding::HEXLOWER.encode(key_file(path)?.expose());
            body.insert("shared_key_hex".into(), key.into());
        }
        if let Some(path) = &self.certificate {
            body.insert("certificate_pem".into(), certificate_pem(path)?.into());
        }
        Ok(())
    }
}

#[derive(Args)]
pub(super) struct Change {
    id: String,
    /// The new name under which the device knows its key
    #[arg(long)]
    key_name: Option<String>,
    #[command(flatten)]
    keys: Keys,
    /// Take the shared key away
    #[arg(long, conflicts_with = "shared_key_file")]
    no_shared_key: bool,
    /// Take the certificate away
    #[arg(long, conflicts_with = "certificate")]
    no_certificate: bool,
}

impl Device {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        match self {
            Device::Create { manufacturer, serial, key_name, keys } => {
                let mut body = Map::new();
                body.insert("manufacturer".into(), manufacturer.into());
                body.insert("serial".into(), serial.into());
                body.insert("key_name".into(), key_name.into());
                keys.put(&mut body)?;
                let device = api.post("/devices", &body.into()).await?;
                output.print(&device, || format!("device {}", show(&device["id"])))
            }
            Device::List { manufacturer, serial } => {
                let filters = [("manufacturer", manufacturer.as_deref()), ("serial", serial.as_deref())];
                let devices = all(api, "/devices", &filters).await?;
                output.print(&json!({ "items": devices }), || {
                    let line = |device: &Value| {
                        let part = |name: &str| show(&device[name]);
                        format!(
                            "{:<18} {:<24} {:<24} {}",
                            part("id"),
                            part("manufacturer"),
                            part("serial"),
                            part("key_name")
                        )
                    };
                    devices.iter().map(line).collect::<Vec<_>>().join("\n")
                })
            }
            Device::Show { id } => {
                let device = api.get(&format!("/devices/{}", escaped(&id))).await?;
                output.print(&device, || lines(&device))
            }
            Device::Change(change) => change.run(api, output).await,
            Device::Delete { id } => delete(api, output, "device", &id).await,
            Device::Import(import) => import.run(api, output).await,
        }
    }
}

impl Change {
    async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        let mut body = Map::new();
        if let Some(name) = self.key_name {
            body.insert("key_name".into(), name.into());
        }
        self.keys.put(&mut body)?;
        if self.no_shared_key {
            body.insert("shared_key_hex".into(), Value::Null);
        }
        if self.no_certificate {
            body.insert("certificate_pem".into(), Value::Null);
        }
        let device = api.patch(&format!("/devices/{}", escaped(&self.id)), &body.into()).await?;
        output.print(&device, || lines(&device))
    }
}
