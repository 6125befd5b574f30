//! `dskpp enroll`: gets a key from a server into the token store.

mod ask;
mod link;
pub(crate) mod names;
pub(crate) mod renew;

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use dskpp::auth_code::AuthCode;
use dskpp::client::Credential;
use dskpp::message::{MAX_MESSAGE_LEN, Trigger};
use dskpp_client::transport::{Transport, TransportOptions};
use dskpp_client::{
    EnrollError, EnrollRequest, Enrolled, enroll_asking, k_server_anchors, key_type_from_name, key_type_name,
};
use dskpp_crypto::{Pbkdf2Prf, RsaPrivateKey, Secret};
use serde_json::json;

use crate::admin::device_name;
use crate::output::{Failure, Output};
use crate::pskc::material::{certificates, key_file};
use crate::pskc::unlock::rsa_key;
use crate::runtime;
use crate::shown::{note, shown};
use crate::store::{StoreOptions, prompt};
pub(crate) use ask::hold;
pub(crate) use link::fetch_trigger;
use names::{MethodName, PackageName, VariantName, method_name};

#[derive(Args)]
pub(crate) struct Enroll {
    /// The server's DSKPP URL, exactly as given to you, such as https://host/dskpp
    #[arg(required_unless_present = "trigger")]
    url: Option<String>,

    /// Authentication code; `-` reads it from standard input [default: prompt without echo]
    #[arg(long, value_name = "CODE", conflicts_with = "trigger", help_heading = "Credential")]
    code: Option<String>,

    /// Trigger: a file, a URL, or `-` for standard input
    #[arg(long, value_name = "FILE|URL|-", help_heading = "Credential")]
    trigger: Option<String>,

    /// Describe the trigger and ask before sending anything; wait for Enter at the end. For triggers opened from a
    /// browser
    #[arg(long, requires = "trigger", help_heading = "Credential")]
    pub(crate) ask: bool,

    /// CA certificates (PEM) to trust instead of the system's
    #[arg(long, env = "DSKPP_CA", value_name = "FILE", help_heading = "Connection")]
    ca: Option<PathBuf>,

    #[command(flatten)]
    store: StoreOptions,

    /// Key types to request, in order of preference [default: any]
    #[arg(long = "key-type", value_name = "TYPE", value_delimiter = ',', help_heading = "Key")]
    key_types: Vec<String>,

    /// Device that the key is for
    #[arg(long, value_name = "MANUFACTURER:SERIAL", help_heading = "Device")]
    device: Option<String>,

    /// The server's name for this device's own key; without --device-key-file, the stored key with that id is used. Not
    /// needed for an imported key of the device in --device
    #[arg(long, value_name = "NAME", help_heading = "Device")]
    device_key_name: Option<String>,

    /// File with this device's own key: hexadecimal, Base64 or raw octets
    #[arg(long, value_name = "FILE", requires = "device_key_name", help_heading = "Device")]
    device_key_file: Option<PathBuf>,

    /// Replace this stored key
    #[arg(long, value_name = "KEY_ID", help_heading = "Key")]
    renew: Option<String>,

    /// Name for the new key
    #[arg(long, help_heading = "Key")]
    label: Option<String>,

    /// Offer only this variant of the protocol [default: both; the server chooses]
    #[arg(long, value_enum, help_heading = "Protocol")]
    variant: Option<VariantName>,

    /// Offer only two-pass with this key protection method; repeatable, in order of preference [default: all available]
    #[arg(long = "method", value_enum, help_heading = "Protocol")]
    methods: Vec<MethodName>,

    /// Offer this key package format; repeatable, in order of preference [default: pskc]
    #[arg(long = "package", value_enum, help_heading = "Protocol")]
    packages: Vec<PackageName>,

    /// This device's RSA private key (PKCS #8, PEM or DER) for key transport; without it, --method transport generates
    /// one for this run
    #[arg(long, value_name = "FILE", help_heading = "Device")]
    private_key: Option<PathBuf>,

    /// Certificate chain of that key (PEM; a single certificate also in DER)
    #[arg(long, value_name = "FILE", requires = "private_key", help_heading = "Device")]
    certificate: Option<PathBuf>,

    /// The server's name for that key, from this device's registered certificate
    #[arg(
        long,
        value_name = "NAME",
        requires = "private_key",
        conflicts_with = "certificate",
        help_heading = "Device"
    )]
    private_key_name: Option<String>,

    /// PRF of PBKDF2. Not negotiated: configure the server identically
    #[arg(long, value_parser = ["hmac-sha1", "hmac-sha256"], default_value = "hmac-sha1", help_heading = "Protocol")]
    pbkdf2_prf: String,

    /// Trust anchors (PEM) for the certificate of the server's own key, K_SERVER
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    k_server_ca: Option<PathBuf>,

    /// Accept a server that differs from the one stored with the key to renew: either its new URL, with any server key,
    /// or exactly one new server key by fingerprint (sha256:...). Without this option, the program asks on the
    /// terminal, and refuses if there is none or with --json. In every case the server must prove that it knows the old
    /// key
    #[arg(long = "accept-server", value_name = "URL|FINGERPRINT", value_parser = ask::server_name, help_heading = "Server")]
    accept_servers: Vec<String>,

    /// Allow http:// to other machines: anyone on the path can read and change the messages
    #[arg(long, help_heading = "Connection")]
    insecure: bool,
}

impl Enroll {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        if self.variant == Some(VariantName::FourPass) && !self.methods.is_empty() {
            return Err(Failure::usage("--method applies to two-pass only, so --variant four-pass excludes it")
                .next("omit one of the two"));
        }
        if self.ask && self.trigger.as_deref() == Some("-") {
            return Err(
                Failure::usage("--ask and --trigger - both read standard input").next("pass the trigger as a file")
            );
        }
        let credential = self.credential()?;
        let mut request = EnrollRequest::new(self.url.clone(), credential);
        for name in &self.key_types {
            let key_type = key_type_from_name(name).ok_or_else(|| {
                Failure::usage(format!("unknown key type '{name}'"))
                    .next("key types are totp, hotp, ocra, aes128, aes192 and aes256")
            })?;
            request.key_types.push(key_type);
        }
        request.device = self.device.as_deref().map(device_name).transpose()?;
        request.device_key = self.device_key()?;
        request.device_key_name = self.device_key_name.clone();
        request.private_key = self.private_key()?;
        request.private_key_name = self.private_key_name.clone();
        request.variant = self.variant.map(Into::into);
        request.methods = self.methods.iter().map(|method| (*method).into()).collect();
        if !request.methods.is_empty() {
            request.variant = Some(dskpp_client::Variant::TwoPass);
        }
        if !self.packages.is_empty() {
            request.package_formats = self.packages.iter().map(|package| (*package).into()).collect();
        }
        request.renew = self.renew.clone();
        request.label = self.label.clone();
        if let Some(path) = &self.k_server_ca {
            request.k_server_anchors = k_server_anchors(path)?;
        }
        request.accepted = self.accept_servers.clone();
        let ask = if is_answered(output) { ask::accept_server } else { |_: &_| false };
        if self.pbkdf2_prf == "hmac-sha256" {
            request.pbkdf2_prf = Pbkdf2Prf::HmacSha256;
        }
        let mut options = TransportOptions::trusting(self.ca.clone());
        options.insecure = self.insecure;
        options.waiting = Some(waiting);
        let transport = Transport::new(&options)?;
        request.check().map_err(EnrollError::from)?;
        if let (true, Credential::Trigger(trigger)) = (self.ask, &request.credential) {
            let source = self.trigger.as_deref().filter(|source| link::is_link(source));
            let facts = match source {
                Some(link) => runtime()?.block_on(link::fetch_facts(link, self.ca.as_deref())),
                None => None,
            };
            ask::go_on(trigger, self.url.as_deref(), facts.as_ref())?;
        }
        let mut store = self.store.open_or_create()?;
        let enrolled = runtime()?.block_on(enroll_asking(&transport, &mut store, request, ask))?;
        report(output, &enrolled, &self.store)
    }

    fn credential(&self) -> Result<Credential, Failure> {
        if let Some(source) = &self.trigger {
            let octets = read_trigger(source, self.ca.as_deref())?;
            let trigger = Trigger::read(&octets).map_err(|why| {
                Failure::new(format!("cannot read the trigger: {why}")).next("fetch it again, or request a code")
            })?;
            return Ok(Credential::Trigger(Box::new(trigger)));
        }
        let typed = match self.code.as_deref() {
            Some("-") => {
                let mut text = Vec::with_capacity(1024);
                std::io::stdin()
                    .take(1024)
                    .read_to_end(&mut text)
                    .map_err(|why| Failure::new(format!("cannot read standard input: {why}")))?;
                Secret::from(text)
            }
            Some(code) => Secret::from_slice(code.as_bytes()),
            None => prompt("Authentication code: ")?,
        };
        let text = std::str::from_utf8(typed.expose())
            .map_err(|_| Failure::new("the authentication code is not text").next("type it as given to you"))?;
        let code: AuthCode = text
            .trim_start_matches('\u{FEFF}')
            .parse()
            .map_err(|why| Failure::new(why).next("nothing was sent; check the code and type it again"))?;
        Ok(Credential::Code(code))
    }

    fn device_key(&self) -> Result<Option<(String, Secret)>, Failure> {
        let (Some(name), Some(path)) = (&self.device_key_name, &self.device_key_file) else { return Ok(None) };
        let key = key_file(path)?;
        Ok(Some((name.clone(), key)))
    }

    fn private_key(&self) -> Result<Option<PrivateKey>, Failure> {
        let Some(path) = &self.private_key else { return Ok(None) };
        let key = rsa_key(path)?;
        let certificates = self.certificate.as_deref().map(certificates).transpose()?.unwrap_or_default();
        Ok(Some((Arc::new(key), certificates)))
    }
}

/// A private key, and its certificates in DER.
type PrivateKey = (Arc<RsaPrivateKey>, Vec<Vec<u8>>);

/// Whether somebody answers questions.
fn is_answered(output: &Output) -> bool {
    !output.json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Tells the user why nothing happens for a while.
fn waiting(wait: Duration) {
    note(format!("the server is busy and asks to wait {} s: waiting", wait.as_secs()));
}

fn report(output: &Output, enrolled: &Enrolled, store: &StoreOptions) -> Result<(), Failure> {
    if let Some(count) = enrolled.few_iterations {
        note(format!(
            "the server used only {count} PBKDF2 iterations to protect the key with the code; its operator should set \
             at least 100000"
        ));
    }
    let key_type = key_type_name(&enrolled.key_type);
    let document = json!({
        "key_id": enrolled.key_id,
        "key_type": key_type,
        "status": "Success",
        "replaced": enrolled.replaced,
        "old_key_id": enrolled.old_key_id,
        "variant": if enrolled.method.is_some() { "two-pass" } else { "four-pass" },
        "method": enrolled.method.as_ref().map(method_name),
        "label": enrolled.label,
        "issuer": enrolled.issuer,
        "server_id": enrolled.server_id,
        "few_iterations": enrolled.few_iterations,
    });
    output.print(&document, || {
        let done = if enrolled.replaced { "renewed" } else { "stored" };
        let use_it = match key_type {
            "hotp" | "totp" | "ocra" => {
                format!("\ngenerate a one-time password with: {}", store.command("otp", &enrolled.key_id))
            }
            _ => String::new(),
        };
        let old = enrolled.old_key_id.as_ref().map(|old| {
            format!(
                "\nthe old key stays as {}, for servers that require it until they see the new one in use;\n\
                 once a server accepts a code of the new key, remove it with: {}",
                shown(old),
                store.command("accepted", &enrolled.key_id)
            )
        });
        let old = old.unwrap_or_default();
        format!("key {} ({key_type}) {done}: the server has confirmed it{use_it}{old}", shown(&enrolled.key_id))
    })
}

fn read_trigger(source: &str, ca: Option<&Path>) -> Result<Vec<u8>, Failure> {
    if link::is_link(source) {
        return runtime()?.block_on(fetch_trigger(source, ca));
    }
    let mut octets = Vec::new();
    let most = MAX_MESSAGE_LEN as u64 + 1; // one more, so that too much is noticed
    let done = match source {
        "-" => std::io::stdin().take(most).read_to_end(&mut octets),
        path => std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut octets)),
    };
    done.map_err(|why| Failure::new(format!("cannot read the trigger {source}: {why}")))?;
    Ok(octets)
}
