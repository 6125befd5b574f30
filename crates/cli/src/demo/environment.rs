//! The server, token and user of the demonstration.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use dskpp::algorithm::ProtectionMethod;
use dskpp::auth_code::AuthCode;
use dskpp::client::{ClientProtection, Credential};
use dskpp::message::Trigger;
use dskpp_api::{CreatedDevice, CreatedEnrolment, KeyType, NewDeviceRequest, NewEnrolmentRequest, paths};
use dskpp_client::transport::{Exchange, Recording, Transport, TransportOptions};
use dskpp_client::{EnrollError, EnrollRequest, Enrolled, FileStore, Token, TokenStore as _, Unlock, Variant, enroll};
use dskpp_crypto::{Random as _, RsaPrivateKey, Secret, SystemRandom};
use dskpp_server::{Config, Running, ServerOptions, serve};
use pskc::KeyInfo;

use crate::api::Api;
use crate::enroll::fetch_trigger;
use crate::output::Failure;

/// Manufacturer, serial number and shared key name of alice's device.
const DEVICE: (&str, &str, &str) = ("Example", "DEMO-1", "example-demo-1");

/// A way to provision a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    FourPass,
    Transport,
    Wrap,
    PassphraseWrap,
    Trigger,
    Renewal,
}

pub(super) struct DemoEnvironment {
    pub(super) api: Api,
    pub(super) url_s: String,
    pub(super) k_server: RsaPrivateKey,
    running: Running,
    ca: Option<PathBuf>,
    store: FileStore,
    transport: Transport,
    recording: Recording,
    /// The key pair of alice's token, and the key that her device shares with the server.
    key_pair: Arc<RsaPrivateKey>,
    shared: Secret,
    /// The first key provisioned.
    first: Option<Token>,
    /// Removed on drop, with everything in it.
    _folder: tempfile::TempDir,
}

/// One run, with everything that both sides know.
pub(super) struct DemoRun {
    /// The authentication code as typed; `None` for a trigger.
    pub(super) typed: Option<String>,
    pub(super) code: AuthCode,
    pub(super) trigger: Option<Vec<u8>>,
    /// The key protection of two-pass.
    pub(super) protection: Option<ClientProtection>,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) enrolled: Enrolled,
    pub(super) token: Token,
    /// K_MAC of the replaced key.
    pub(super) k_mac_old: Option<Secret>,
}

impl DemoEnvironment {
    /// Starts a server on a free port in a temporary folder, and registers alice's device.
    pub(super) async fn start() -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|why| {
            Failure::new(format!(
                "cannot create a temporary folder: \
            {why}"
            ))
        })?;
        let [k_server, key_pair] = key_pairs().await?;
        let mut config = Config::default();
        config.server.data_dir = folder.path().join("server");
        config.server.listen = ([127, 0, 0, 1], 0).into();
        config.k_server.key = folder.path().join("k_server.pem");
        std::fs::write(&config.k_server.key, pem(&k_server)).map_err(Failure::new)?;
        let options = ServerOptions { init: true, ..ServerOptions::default() };
        let running = serve(config, options).await.map_err(Failure::new)?;
        let (origin, url_s) = (format!("https://{}", running.address()), running.url_s()[0].clone()); // two by default
        let ca = running.ca_file().map(std::path::Path::to_owned);
        let token = std::fs::read_to_string(running.admin_token_file()).map_err(Failure::new)?;
        let api = Api::new(&origin, token.trim(), ca.as_deref())?;
        let shared = SystemRandom.secret(16);
        let (manufacturer, serial, key_name) = DEVICE;
        let device = NewDeviceRequest {
            manufacturer: manufacturer.to_owned(),
            serial: serial.to_owned(),
            key_name: key_name.to_owned(),
            shared_key_hex: Some(data_encoding::HEXLOWER.encode(shared.expose()).into()),
            certificate_pem: None,
        };
        let _: CreatedDevice = api.post(paths::DEVICES, &device).await?;
        let unlock = Unlock::KeyFile(folder.path().join("store.key"));
        let store = FileStore::open_or_create(&folder.path().join("tokens.db"), &unlock).map_err(Failure::new)?;
        let recording = Recording::default();
        let mut options = TransportOptions::trusting(ca.clone());
        options.recording = Some(recording.clone());
        let transport = Transport::new(&options).map_err(Failure::new)?;
        Ok(DemoEnvironment {
            api,
            url_s,
            k_server,
            running,
            ca,
            store,
            transport,
            recording,
            key_pair: Arc::new(key_pair),
            shared,
            first: None,
            _folder: folder,
        })
    }

    /// An enrolment for alice.
    async fn enrolment(&self, renews: Option<String>) -> Result<CreatedEnrolment, Failure> {
        let new = NewEnrolmentRequest { renews, ..NewEnrolmentRequest::new("alice", KeyType::Totp) };
        self.api.post(paths::ENROLMENTS, &new).await
    }

    /// Creates an enrolment for alice and provisions its key.
    pub(super) async fn provision(&mut self, way: Scenario) -> Result<DemoRun, Failure> {
        let replaced = self.first.clone().filter(|_| way == Scenario::Renewal);
        let enrolment = self.enrolment(replaced.as_ref().map(|token| token.id.clone())).await?;
        let typed = enrolment.authentication_code.expose().to_owned();
        let code: AuthCode = typed.parse().map_err(Failure::new)?;
        let trigger = match (way, &enrolment.trigger_url) {
            (Scenario::Trigger, Some(url)) => Some(fetch_trigger(url.expose(), self.ca.as_deref()).await?),
            (Scenario::Trigger, None) => return Err(Failure::new("the enrolment has no trigger")),
            _ => None,
        };
        let credential = match &trigger {
            Some(trigger) => Credential::Trigger(Box::new(Trigger::read(trigger).map_err(Failure::new)?)),
            None => Credential::Code(code.clone()),
        };
        let mut request = EnrollRequest::new(Some(self.url_s.clone()), credential);
        request.renew = replaced.as_ref().map(|token| token.id.clone());
        let protection = self.protect(&mut request, way);
        let enrolled = enroll(&self.transport, &mut self.store, request).await.map_err(Failure::new)?;
        let tokens = self.store.load()?;
        let token = tokens.find(&enrolled.key_id)?.clone();
        self.first.get_or_insert_with(|| token.clone());
        let exchanges = self.recorded();
        let typed = trigger.is_none().then_some(typed);
        let k_mac_old = replaced.and_then(|token| token.k_mac);
        Ok(DemoRun { typed, code, trigger, protection, exchanges, enrolled, token, k_mac_old })
    }

    /// Tries a code with a wrong password, then the correct one; returns the wrong code and why it was refused.
    pub(super) async fn wrong_code(&mut self) -> Result<(String, EnrollError), Failure> {
        let code = self.enrolment(None).await?.authentication_code;
        let code: AuthCode = code.expose().parse().map_err(Failure::new)?;
        let password = Secret::from(vec![b'0'; code.password().len()]);
        let wrong = AuthCode::new(code.client_id(), &password).map_err(Failure::new)?;
        let typed = String::from_utf8_lossy(wrong.encode(true).expose()).into_owned();
        let defect = || Failure::new("the server accepted a wrong code").next("please report this bug");
        let refused = self.by_code(wrong).await.err().ok_or_else(defect)?;
        self.by_code(code).await?;
        self.recorded();
        Ok((typed, refused))
    }

    async fn by_code(&mut self, code: AuthCode) -> Result<Enrolled, EnrollError> {
        let request = EnrollRequest::new(Some(self.url_s.clone()), Credential::Code(code));
        enroll(&self.transport, &mut self.store, request).await
    }

    /// The messages since the last call.
    fn recorded(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.recording.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Requests the key protection to show.
    fn protect(&self, request: &mut EnrollRequest, way: Scenario) -> Option<ClientProtection> {
        let (method, protection) = match way {
            Scenario::Transport => {
                request.private_key = Some((self.key_pair.clone(), Vec::new()));
                let public = self.key_pair.public();
                let info = KeyInfo::from_rsa(public.modulus(), public.exponent());
                (ProtectionMethod::Transport, ClientProtection::Transport { key: self.key_pair.clone(), info })
            }
            Scenario::Wrap => {
                let (name, key) = (DEVICE.2.to_owned(), self.shared.clone());
                request.device_key = Some((name.clone(), key.clone()));
                (ProtectionMethod::Wrap, ClientProtection::Wrap { name, key })
            }
            Scenario::PassphraseWrap => (ProtectionMethod::PassphraseWrap, ClientProtection::Passphrase),
            Scenario::FourPass | Scenario::Trigger | Scenario::Renewal => {
                request.variant = Some(Variant::FourPass);
                return None;
            }
        };
        request.variant = Some(Variant::TwoPass);
        request.methods = vec![method];
        Some(protection)
    }

    /// Stops the server; dropping `self` removes the folder.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        self.running.shutdown();
        self.running.wait().await.map_err(Failure::new)
    }
}

/// Generates two 2,048-bit RSA keys in parallel.
async fn key_pairs() -> Result<[RsaPrivateKey; 2], Failure> {
    let make = || tokio::task::spawn_blocking(|| RsaPrivateKey::generate(2048));
    let (one, other) = tokio::join!(make(), make());
    Ok([one.map_err(Failure::new)?.map_err(Failure::new)?, other.map_err(Failure::new)?.map_err(Failure::new)?])
}

/// PKCS #8 in PEM, as in an operator's key file.
fn pem(key: &RsaPrivateKey) -> String {
    let text = data_encoding::BASE64.encode(key.to_pkcs8_der().expose());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}
