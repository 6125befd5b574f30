//! `dskpp enroll`: a key from a server into the token store.

mod ask;

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use dskpp::algorithm::{PackageFormat, ProtectionMethod};
use dskpp::auth_code::AuthCode;
use dskpp::client::Credential;
use dskpp::message::{MAX_MESSAGE_LEN, Trigger};
use dskpp_client::transport::{HttpClient, MEDIA_TYPE, Transport, TransportError, TransportOptions, check_url};
use dskpp_client::{EnrollRequest, Enrolled, key_type_from_name, key_type_name};
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

#[derive(Args)]
pub(crate) struct Enroll {
    /// The server's DSKPP URL, exactly as you got it, such as https://host/dskpp
    #[arg(required_unless_present = "trigger")]
    url: Option<String>,

    /// The authentication code; `-` reads it from standard input. Without it, the code is asked for without echo
    #[arg(long, value_name = "CODE", conflicts_with = "trigger")]
    code: Option<String>,

    /// A trigger: a file, a URL, or `-` for standard input
    #[arg(long, value_name = "FILE|URL|-")]
    trigger: Option<String>,

    /// Show what the trigger is for and ask before sending anything; wait for Enter at the end. For triggers opened
    /// from a browser
    #[arg(long, requires = "trigger")]
    pub(crate) ask: bool,

    /// Certificates (PEM) to trust instead of the system's
    #[arg(long, env = "DSKPP_CA", value_name = "FILE")]
    ca: Option<PathBuf>,

    #[command(flatten)]
    store: StoreOptions,

    /// Key types to request, in order of preference [default: any]
    #[arg(long = "key-type", value_name = "TYPE", value_delimiter = ',')]
    key_types: Vec<String>,

    /// Name the device that the key is for
    #[arg(long, value_name = "MANUFACTURER:SERIAL")]
    device: Option<String>,

    /// The server's name for this device's own key; without --device-key-file, the stored key with that id. Not needed
    /// for an imported key of the named device
    #[arg(long, value_name = "NAME")]
    device_key_name: Option<String>,

    /// File with this device's own key: hexadecimal, Base64 or its octets
    #[arg(long, value_name = "FILE", requires = "device_key_name")]
    device_key_file: Option<PathBuf>,

    /// Renew this key of the store
    #[arg(long, value_name = "KEY_ID")]
    renew: Option<String>,

    /// A name for the new key
    #[arg(long)]
    label: Option<String>,

    /// Offer only this variant of the protocol [default: both; the server chooses]
    #[arg(long, value_enum)]
    variant: Option<Variant>,

    /// Offer only two-pass, with this key protection method; several in order of preference [default: all available]
    #[arg(long = "method", value_enum)]
    methods: Vec<Method>,

    /// Offer this format of key packages; several in order of preference [default: pskc]
    #[arg(long = "package", value_enum)]
    packages: Vec<Package>,

    /// This device's RSA private key (PKCS #8, PEM or DER), for key transport; without it, --method transport generates one
    /// for this run
    #[arg(long, value_name = "FILE")]
    private_key: Option<PathBuf>,

    /// The certificate of that key, with those above it (PEM; one alone also in DER)
    #[arg(long, value_name = "FILE", requires = "private_key")]
    certificate: Option<PathBuf>,

    /// The server's name for that key, if this device's certificate is registered
    #[arg(long, value_name = "NAME", requires = "private_key", conflicts_with = "certificate")]
    private_key_name: Option<String>,

    /// The PRF of PBKDF2. Not negotiated: configure the server identically
    #[arg(long, value_parser = ["hmac-sha1", "hmac-sha256"], default_value = "hmac-sha1")]
    pbkdf2_prf: String,

    /// CA certificates (PEM) to trust for the certificate of the server's own key (K_SERVER)
    #[arg(long, value_name = "FILE")]
    k_server_ca: Option<PathBuf>,

    /// Accept a server that differs from the one stored with the key to renew: by its new URL, with any key, or by the
    /// fingerprint of its new key (sha256:...) only. Otherwise the command asks on the terminal, and refuses without a
    /// terminal or with --json. In any case, the server must prove that it knows the old key
    #[arg(long = "accept-server", value_name = "URL|FINGERPRINT", value_parser = ask::server_name)]
    accept_servers: Vec<String>,

    /// Allow http:// to other machines: anyone in between can read and change the messages
    #[arg(long)]
    insecure: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Variant {
    /// Both sides generate the key
    FourPass,
    /// The server sends the key
    TwoPass,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Method {
    /// The key is encrypted for a public key
    Transport,
    /// The key is encrypted under the device's own key
    Wrap,
    /// The key is encrypted under the password of the authentication code
    PassphraseWrap,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Package {
    /// RFC 6030
    Pskc,
    /// RFC 6031, in CMS
    Cms,
    /// PKCS #12, under the password of the authentication code
    Pkcs12,
    /// PKCS #5 in XML, under the password of the authentication code
    Pkcs5Xml,
}

impl Enroll {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        if self.variant == Some(Variant::FourPass) && !self.methods.is_empty() {
            return Err(Failure::usage("--method is for two-pass and conflicts with --variant four-pass")
                .next("omit one of the two"));
        }
        if self.ask && self.trigger.as_deref() == Some("-") {
            return Err(Failure::usage("--ask reads the answer from standard input, and so does --trigger -")
                .next("give the trigger as a file"));
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
        request.variant = self.variant.map(|variant| match variant {
            Variant::FourPass => dskpp_client::Variant::FourPass,
            Variant::TwoPass => dskpp_client::Variant::TwoPass,
        });
        let methods = self.methods.iter().map(|method| match method {
            Method::Transport => ProtectionMethod::Transport,
            Method::Wrap => ProtectionMethod::Wrap,
            Method::PassphraseWrap => ProtectionMethod::PassphraseWrap,
        });
        request.methods = methods.collect();
        if !request.methods.is_empty() {
            request.variant = Some(dskpp_client::Variant::TwoPass);
        }
        if !self.packages.is_empty() {
            let packages = self.packages.iter().map(|package| match package {
                Package::Pskc => PackageFormat::Pskc,
                Package::Cms => PackageFormat::Skpc,
                Package::Pkcs12 => PackageFormat::Pkcs12,
                Package::Pkcs5Xml => PackageFormat::Pkcs5Xml,
            });
            request.package_formats = packages.collect();
        }
        request.renew = self.renew.clone();
        request.label = self.label.clone();
        request.k_server_ca = self.k_server_ca.clone();
        request.accepted = self.accept_servers.clone();
        let is_asked = !output.json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        request.ask = is_asked.then_some(ask::accept_server);
        if self.pbkdf2_prf == "hmac-sha256" {
            request.pbkdf2_prf = Pbkdf2Prf::HmacSha256;
        }
        let mut options = TransportOptions::trusting(self.ca.clone());
        options.insecure = self.insecure;
        options.waiting = Some(waiting);
        let transport = Transport::new(&options)?;
        request.check()?;
        if let (true, Credential::Trigger(trigger)) = (self.ask, &request.credential) {
            ask::go_on(trigger, self.url.as_deref())?;
        }
        let mut store = self.store.open_or_create()?;
        let enrolled = runtime()?.block_on(dskpp_client::enroll(&transport, &mut store, request))?;
        report(output, &enrolled, &self.store)
    }

    fn credential(&self) -> Result<Credential, Failure> {
        if let Some(source) = &self.trigger {
            let octets = read_trigger(source, self.ca.as_deref())?;
            let trigger = Trigger::read(&octets).map_err(|why| {
                Failure::new(format!("the trigger cannot be read: {why}")).next("fetch it again, or ask for a code")
            })?;
            return Ok(Credential::Trigger(Box::new(trigger)));
        }
        let typed = match self.code.as_deref() {
            Some("-") => {
                let mut text = Vec::with_capacity(1024);
                std::io::stdin()
                    .take(1024)
                    .read_to_end(&mut text)
                    .map_err(|why| Failure::new(format!("standard input cannot be read: {why}")))?;
                Secret::from(text)
            }
            Some(code) => Secret::from_slice(code.as_bytes()),
            None => prompt("Authentication code: ")?,
        };
        let text = std::str::from_utf8(typed.expose())
            .map_err(|_| Failure::new("the authentication code is not text").next("type it as it was given to you"))?;
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

/// Shows the user why nothing happens for a while.
fn waiting(wait: Duration) {
    note(format!("the server is busy: waiting {} s as requested", wait.as_secs()));
}

fn report(output: &Output, enrolled: &Enrolled, store: &StoreOptions) -> Result<(), Failure> {
    if let Some(count) = enrolled.few_iterations {
        note(format!(
            "the server protected the key with an iteration count of only {count}; ask its operator for at least \
             100000"
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
                format!("\nmake a one-time password with: {}", store.command("otp", &enrolled.key_id))
            }
            _ => String::new(),
        };
        let old = enrolled.old_key_id.as_ref().map(|old| {
            format!(
                "\nthe old key is kept as {}: a server may want it until it has seen the new one in use;\n\
                 once it has accepted a code of the new one, remove the old one with: {}",
                shown(old),
                store.command("accepted", &enrolled.key_id)
            )
        });
        let old = old.unwrap_or_default();
        format!("key {} ({key_type}) {done}: the server has confirmed it{use_it}{old}", shown(&enrolled.key_id))
    })
}

pub(crate) fn method_name(method: &ProtectionMethod) -> &str {
    match method {
        ProtectionMethod::Transport => "transport",
        ProtectionMethod::Wrap => "wrap",
        ProtectionMethod::PassphraseWrap => "passphrase-wrap",
        other => other.uri(),
    }
}

fn read_trigger(source: &str, ca: Option<&Path>) -> Result<Vec<u8>, Failure> {
    if source.starts_with("https://") || source.starts_with("http://") {
        return runtime()?.block_on(fetch_trigger(source, ca));
    }
    let mut octets = Vec::new();
    let most = MAX_MESSAGE_LEN as u64 + 1; // one more, so that too much is noticed
    let done = match source {
        "-" => std::io::stdin().take(most).read_to_end(&mut octets),
        path => std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut octets)),
    };
    done.map_err(|why| Failure::new(format!("the trigger {source} cannot be read: {why}")))?;
    Ok(octets)
}

pub(crate) async fn fetch_trigger(url: &str, ca: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let failed = |why: String| Failure::new(format!("the trigger cannot be fetched from {url}: {why}"));
    let request = HttpClient::new(ca)?.request(reqwest::Method::GET, url).map_err(|why| match why {
        TransportError::NotHttps(_) => {
            Failure::usage("a trigger is fetched from other machines over https only: who reads it can use it")
        }
        why => Failure::usage(&why).next(why.next()),
    })?;
    let request = request.header(reqwest::header::ACCEPT, MEDIA_TYPE);
    let unreachable = |why: reqwest::Error| match check_url(url) {
        Ok(url) => Failure::from(TransportError::of(&url, &why)),
        Err(error) => error.into(),
    };
    let mut answer = request.send().await.map_err(unreachable)?;
    if !answer.status().is_success() {
        let next = match answer.status().as_u16() {
            429 | 500.. => "try again later",
            _ => "it may be used or expired already: ask for a new one",
        };
        return Err(failed(answer.status().to_string()).next(next));
    }
    let mut octets = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(unreachable)? {
        octets.extend_from_slice(&part);
        if octets.len() > MAX_MESSAGE_LEN {
            return Err(failed("it is too long".into()));
        }
    }
    Ok(octets)
}
