//! Client and server in one process, with a link between them that tests can tamper with. Two-pass is in `two_pass`, a
//! client that retransmits lost requests in `client`.
//!
//! The server is the core with a minimum around it: enrolments, stored keys, and the answers
//! that it gave. Clock and randomness are the test's.

mod client;
mod text;
mod two_pass;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm};
use dskpp::auth_code::AuthCode;
use dskpp::client::{ChooseK, Credential, Failed, FourPass, K, Provisioned, RunConfig};
use dskpp::key_package::PackageSpec;
use dskpp::key_schedule::RunKeys;
use dskpp::message::{AuthenticationCodeMac, AuthenticationData, ClientHello, ClientNonce, Mac, Request};
use dskpp::negotiate::{Facts, NegotiationPolicy, negotiate};
use dskpp::server::{AuthPolicy, RefusalReason, RunRefusal, SealedHello, ServerK, Session, SessionState};
use dskpp::status::Status;
use dskpp_crypto::{AeadKey, Random, RsaPrivateKey, RsaPublicKey, Secret, SeededRandom};

pub(crate) use client::{Variant, renewing, run_variant};
pub(crate) use text::{between, replaced, replacing};
pub(crate) use two_pass::protections;

pub(crate) const URL_S: &str = "https://keys.example.com/dskpp";
pub(crate) const CLIENT_ID: &str = "AC00000A";
pub(crate) const PASSWORD: &str = "3582AF0C3E";
pub(crate) const KEY_ID: &str = "OATH0001";
/// When every session expires.
pub(crate) const EXPIRES_AT: u64 = 1_000;

/// K_SERVER: the published test key of the vectors.
pub(crate) fn k_server() -> ServerK {
    static KEY: OnceLock<Arc<RsaPrivateKey>> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let case = &crate::vectors::cases("four_pass_rsa")[0];
        Arc::new(RsaPrivateKey::from_pkcs8_pem(case["server_private_key"].as_str().unwrap()).unwrap())
    });
    ServerK::Server(key.clone())
}

pub(crate) fn k_shared(len: usize) -> ServerK {
    ServerK::Shared { name: "device-000001".into(), key: SeededRandom::new(b"K_SHARED").secret(len) }
}

pub(crate) fn package(key_type: KeyType) -> PackageSpec {
    PackageSpec {
        issuer: Some("Example <Issuer> & Sons".into()),
        digits: Some(6),
        ..PackageSpec::new("https://keys.example.com", KEY_ID, key_type)
    }
}

/// AD of a trigger.
pub(crate) fn trigger_data() -> AuthenticationData {
    AuthenticationData {
        client_id: Some(CLIENT_ID.into()),
        authentication_code_mac: AuthenticationCodeMac {
            nonce: Some(vec![9; 16]),
            iteration_count: Some(100_000),
            mac: Mac { algorithm: Some(MacAlgorithm::PrfSha256), value: vec![8; 16] },
        },
    }
}

/// The permission for one key.
pub(crate) struct Enrolment {
    pub(crate) password: Secret,
    pub(crate) package: PackageSpec,
    pub(crate) spent: bool,
    pub(crate) expired: bool,
    /// Whether to choose two-pass if both variants are offered (profile P17).
    pub(crate) two_pass: bool,
    /// Whether it renews the key in its package.
    pub(crate) renews: bool,
}

impl Enrolment {
    /// For a new key.
    pub(crate) fn new(package: PackageSpec) -> Self {
        let password = Secret::from_slice(PASSWORD.as_bytes());
        Enrolment { password, package, spent: false, expired: false, two_pass: false, renews: false }
    }

    /// Whether it allows a run that renews `renewed`.
    fn is_for(&self, renewed: Option<&str>) -> bool {
        !self.renews || renewed == Some(&self.package.key_id)
    }
}

pub(crate) struct Server {
    pub(crate) policy: NegotiationPolicy,
    pub(crate) auth: AuthPolicy,
    pub(crate) k: ServerK,
    pub(crate) seal: AeadKey,
    pub(crate) urls: Vec<String>,
    pub(crate) now: u64,
    pub(crate) enrolments: BTreeMap<String, Enrolment>,
    /// AD of an issued trigger, and its client ID.
    pub(crate) trigger: Option<(AuthenticationData, String)>,
    /// Committed keys by their id.
    pub(crate) keys: BTreeMap<String, RunKeys>,
    /// Replaced keys, valid until a password of the new key is used (RFC 6063 §10.5).
    pub(crate) before: BTreeMap<String, RunKeys>,
    /// Shared keys of devices by name, for two-pass.
    pub(crate) devices: BTreeMap<String, Secret>,
    /// Refusals, in order.
    pub(crate) refusals: Vec<RunRefusal>,
    /// Final answers by session: the hash of the request, and the response.
    answered: BTreeMap<String, ([u8; 32], Vec<u8>)>,
    /// Answers of two-pass by the hash of the request.
    answered_hellos: BTreeMap<[u8; 32], Vec<u8>>,
    sessions: u32,
    pub(crate) rng: SeededRandom,
}

impl Server {
    /// One enrolment for HOTP, without a minimum of iterations.
    pub(crate) fn new(k: ServerK) -> Self {
        let enrolment = Enrolment::new(package(KeyType::Hotp));
        let mut auth = AuthPolicy::default();
        auth.iteration_floor = 1;
        Server {
            policy: NegotiationPolicy::default(),
            auth,
            k,
            seal: AeadKey::new(&[0x5e; 32]),
            urls: vec!["https://localhost:8443/dskpp".into(), URL_S.into()],
            now: 0,
            enrolments: BTreeMap::from([(CLIENT_ID.to_owned(), enrolment)]),
            trigger: None,
            keys: BTreeMap::new(),
            before: BTreeMap::new(),
            devices: BTreeMap::new(),
            refusals: Vec::new(),
            answered: BTreeMap::new(),
            answered_hellos: BTreeMap::new(),
            sessions: 0,
            rng: SeededRandom::new(b"server"),
        }
    }

    pub(crate) fn for_key(k: ServerK, package: PackageSpec) -> Self {
        let mut server = Server::new(k);
        server.enrolment().package = package;
        server
    }

    pub(crate) fn enrolment(&mut self) -> &mut Enrolment {
        self.enrolments.get_mut(CLIENT_ID).unwrap()
    }

    pub(crate) fn has_spent_the_code(&self) -> bool {
        self.enrolments[CLIENT_ID].spent
    }

    /// The body of the response; `None` for HTTP 400 (profile P27).
    pub(crate) fn receive(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let answer = match Request::read(body) {
            Err(error) => Err(RunRefusal::of_unreadable(&error)?),
            Ok(Request::ClientHello(hello)) => self.hello(&hello, body),
            Ok(Request::ClientNonce(nonce)) => self.nonce(nonce, body),
        };
        Some(answer.unwrap_or_else(|refusal| {
            let response = refusal.response();
            self.refusals.push(refusal);
            response
        }))
    }

    fn hello(&mut self, hello: &ClientHello, body: &[u8]) -> Result<Vec<u8>, RunRefusal> {
        let refused = |(status, reason)| RunRefusal::of_hello(status, reason, hello.offers_four_pass());
        let (enrolment, by_trigger) = self.named(hello).map_err(refused)?;
        let prefers_two_pass =
            enrolment.as_ref().is_some_and(|id| self.enrolments.get(id).is_some_and(|of| of.two_pass));
        if !hello.two_pass_methods().is_empty() && (!hello.offers_four_pass() || prefers_two_pass) {
            return self.two_pass(hello, body, by_trigger);
        }
        let enrolment = enrolment.filter(|_| by_trigger);
        let renews = hello.key_id.as_ref().map(|id| String::from_utf8_lossy(id).into_owned());
        let renewed = self.renewed(hello).ok().flatten(); // an unknown key is not revealed (profile P7)
        let k_mac_old = renewed.as_ref().map(|keys| &keys.k_mac);
        let facts = Facts { k: &self.k, key_type: None };
        let choice = negotiate(hello, &self.policy, &facts).map_err(refused)?;
        self.sessions += 1;
        let state = SessionState { k_id: "k1".into(), trigger: enrolment.is_some(), enrolment, device: None, renews };
        let answer = SealedHello {
            hello,
            body,
            choice,
            k: &self.k,
            certificates: &[],
            session_id: &format!("session-{}", self.sessions),
            expires_at: EXPIRES_AT,
            state,
            k_mac_old,
            seal: &self.seal,
        };
        Ok(answer.write(&mut self.rng))
    }

    /// The client ID of a ClientHello, and whether it is from a trigger.
    fn named(&self, hello: &ClientHello) -> Result<(Option<String>, bool), (Status, RefusalReason)> {
        match (&hello.authentication_data, &self.trigger) {
            (None, _) => Ok((None, false)),
            (Some(data), Some((given, client_id))) if data == given => Ok((Some(client_id.clone()), true)),
            (Some(data), _) if !hello.two_pass_methods().is_empty() => Ok((data.client_id.clone(), false)),
            _ => Err((Status::AuthenticationDataInvalid, RefusalReason::Trigger)),
        }
    }

    /// The key that a ClientHello renews.
    fn renewed(&self, hello: &ClientHello) -> Result<Option<RunKeys>, (Status, RefusalReason)> {
        let id = hello.key_id.as_ref().map(|id| String::from_utf8_lossy(id));
        id.map(|id| self.keys.get(&*id).cloned().ok_or((Status::AccessDenied, RefusalReason::Key))).transpose()
    }

    fn commit(&mut self, client_id: &str, keys: RunKeys) {
        let enrolment = self.enrolments.get_mut(client_id).expect("who commits has it");
        enrolment.spent = true;
        let id = enrolment.package.key_id.clone();
        if let Some(old) = self.keys.insert(id.clone(), keys) {
            self.before.insert(id, old);
        }
    }

    fn nonce(&mut self, nonce: ClientNonce, body: &[u8]) -> Result<Vec<u8>, RunRefusal> {
        let session = Session::open(nonce, body, &self.seal, self.now)?;
        let (session_id, request_hash) = (session.session_id().to_owned(), session.request_hash());
        if let Some((hash, response)) = self.answered.get(&session_id) {
            return match *hash == request_hash {
                true => Ok(response.clone()),
                false => Err(session.refuse(Status::Abort, RefusalReason::SessionSpent)),
            };
        }
        let result = self.finish(session);
        let response = result.as_ref().cloned().unwrap_or_else(RunRefusal::response);
        self.answered.insert(session_id, (request_hash, response));
        result
    }

    fn finish(&mut self, session: Session) -> Result<Vec<u8>, RunRefusal> {
        session.check(&self.auth)?;
        let client_id = session.state().enrolment.clone().or_else(|| session.client_id().map(str::to_owned));
        let enrolment = client_id.as_ref().and_then(|id| self.enrolments.get(id)).filter(|enrolment| !enrolment.spent);
        let dummy = self.rng.secret(16); // generated in every case, so that all cases are alike
        let password = enrolment.map_or(dummy, |enrolment| enrolment.password.clone());
        let authenticated = session.authenticate(&self.auth, &password, &self.k, &self.urls, &mut self.rng)?;
        let session = authenticated.session();
        // After a trigger nothing is proved yet, so the code may be used already.
        let (Some(client_id), Some(enrolment)) = (&client_id, enrolment) else {
            return Err(session.refuse(Status::AuthenticationDataInvalid, RefusalReason::AuthenticationData));
        };
        if enrolment.expired {
            return Err(session.refuse(Status::ProvisioningPeriodExpired, RefusalReason::Expired));
        }
        if !enrolment.is_for(session.state().renews.as_deref()) {
            return Err(session.refuse(Status::AccessDenied, RefusalReason::Key));
        }
        let finished = authenticated.finish(&enrolment.package)?;
        self.commit(client_id, finished.keys);
        Ok(finished.response)
    }
}

/// The four passes of four-pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pass {
    ClientHello,
    ServerHello,
    ClientNonce,
    ServerFinished,
}

/// The client's outcome.
#[derive(Debug)]
pub(crate) enum End {
    Provisioned(Box<Provisioned>),
    Failed(Failed),
    /// The server answered HTTP 400.
    BadRequest,
    /// A message was lost.
    Lost,
    /// EncryptionKey contains no key that this client can use.
    NoKey,
}

impl End {
    /// The client's current key.
    pub(crate) fn key(&self) -> Option<&RunKeys> {
        match self {
            End::Provisioned(provisioned) => Some(&provisioned.keys),
            _ => None,
        }
    }
}

/// The messages as sent, and the outcome.
pub(crate) struct Run {
    pub(crate) messages: Vec<Vec<u8>>,
    pub(crate) end: End,
}

impl Run {
    pub(crate) fn provisioned(self) -> Provisioned {
        match self.end {
            End::Provisioned(provisioned) => *provisioned,
            other => panic!("no key: {other:?}"),
        }
    }

    pub(crate) fn failed(self) -> Failed {
        match self.end {
            End::Failed(failed) => failed,
            other => panic!("not a refusal by the client: {other:?}"),
        }
    }
}

/// A typed code, HOTP, every algorithm for R_C that matches K.
pub(crate) fn offer(k: &ServerK) -> RunConfig {
    let code = AuthCode::new(CLIENT_ID, &Secret::from_slice(PASSWORD.as_bytes())).unwrap();
    let mut offer = RunConfig::new(URL_S, Credential::Code(code), vec![KeyType::Hotp]);
    offer.encryption_algorithms.retain(|algorithm| k.serves(algorithm));
    if offer.encryption_algorithms.is_empty() {
        offer.encryption_algorithms = vec![EncryptionAlgorithm::PrfSha256];
    }
    offer.iterations = 1;
    offer
}

pub(crate) fn with_mac(mut offer: RunConfig, algorithm: MacAlgorithm) -> RunConfig {
    offer.mac_algorithms = vec![algorithm];
    offer
}

/// The client's K: the bare key received, or the shared one.
pub(crate) fn client_k(choice: &ChooseK, server: &Server) -> Option<K> {
    match (&choice.encryption_key().rsa_key_value, &server.k) {
        (Some(key), _) => RsaPublicKey::from_components(&key.modulus, &key.exponent).ok().map(K::Server),
        (None, ServerK::Shared { key, .. }) => Some(K::Shared(key.clone())),
        _ => None,
    }
}

/// What the link delivers for a message, in order. The client uses the first response;
/// the server answers each request, and the last answer is delivered.
pub(crate) type Link<'a> = &'a mut dyn FnMut(Pass, Vec<u8>) -> Vec<Vec<u8>>;

pub(crate) fn run(offer: RunConfig, server: &mut Server) -> Run {
    run_over(offer, server, &mut |_, message| vec![message])
}

pub(crate) fn run_over(offer: RunConfig, server: &mut Server, link: Link<'_>) -> Run {
    let mut messages = Vec::new();
    let end = drive(offer, server, link, &mut messages).unwrap_or_else(|end| end);
    Run { messages, end }
}

fn drive(offer: RunConfig, server: &mut Server, link: Link<'_>, messages: &mut Vec<Vec<u8>>) -> Result<End, End> {
    let mut rng = SeededRandom::new(b"client");
    let (request, state) = FourPass::start(offer, &mut rng);
    let response = exchange([Pass::ClientHello, Pass::ServerHello], request, server, link, messages)?;
    let choice = state.receive(&response).map_err(End::Failed)?;
    let k = client_k(&choice, server).ok_or(End::NoKey)?;
    let (request, state) = choice.proceed(k, &mut rng).map_err(End::Failed)?;
    let response = exchange([Pass::ClientNonce, Pass::ServerFinished], request, server, link, messages)?;
    state.receive(&response).map(|key| End::Provisioned(Box::new(key))).map_err(End::Failed)
}

fn exchange(
    [out, back]: [Pass; 2],
    request: Vec<u8>,
    server: &mut Server,
    link: Link<'_>,
    messages: &mut Vec<Vec<u8>>,
) -> Result<Vec<u8>, End> {
    messages.push(request.clone());
    let mut response = Err(End::Lost);
    for request in link(out, request) {
        response = server.receive(&request).ok_or(End::BadRequest);
    }
    let response = response?;
    messages.push(response.clone());
    link(back, response).into_iter().next().ok_or(End::Lost)
}
