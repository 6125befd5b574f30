//! The enrolment as its host drives it, against a server in memory.

#![cfg(feature = "aws-lc")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dskpp::key_package::PackageSpec;
use dskpp::message::{ClientHello, Request};
use dskpp::negotiate::{self, Facts, NegotiationPolicy};
use dskpp::server::{
    AuthPolicy, ClientKey, OutgoingKey, RunRefusal, SealedHello, ServerK, Session, SessionState, TwoPassFacts,
    TwoPassRun,
};
use dskpp_crypto::{AeadKey, SeededRandom};
use dskpp_token::{
    AuthCode, Credential, EnrollRequest, Enrolled, Enrolment, EnrolmentError, Failed, Input, KeyType, ProtectionMethod,
    RsaPrivateKey, Runs, Secret, ServerChange, Step, StoreChange, Tokens, Variant,
};

const URL_S: &str = "https://keys.example/dskpp";
const PASSWORD: &[u8] = b"3582AF0C3E";
const SEED: [u8; 32] = [7; 32];

static K_SERVER: LazyLock<Arc<RsaPrivateKey>> = LazyLock::new(|| Arc::new(RsaPrivateKey::generate(2048).unwrap()));

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A server of one enrolment, which repeats its answers (profile P28).
struct Server {
    rng: SeededRandom,
    /// What it was sent, in order.
    requests: Vec<Vec<u8>>,
    answers: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Its keys, the last one last.
    keys: Vec<dskpp::key_schedule::RunKeys>,
}

impl Server {
    fn new() -> Self {
        let rng = SeededRandom::new(b"server");
        Server { rng, requests: Vec::new(), answers: BTreeMap::new(), keys: Vec::new() }
    }

    fn receive(&mut self, body: &[u8]) -> Vec<u8> {
        self.requests.push(body.to_vec());
        if let Some(answer) = self.answers.get(body) {
            return answer.clone();
        }
        let answer = match Request::read(body).unwrap() {
            Request::ClientHello(hello) if hello.offers_four_pass() => self.server_hello(&hello, body),
            Request::ClientHello(hello) => self.two_pass(&hello, body).unwrap_or_else(|refusal| refusal.response()),
            Request::ClientNonce(nonce) => self.finish(nonce, body).unwrap_or_else(|refusal| refusal.response()),
        };
        self.answers.insert(body.to_vec(), answer.clone());
        answer
    }

    fn package() -> PackageSpec {
        PackageSpec { digits: Some(6), ..PackageSpec::new("https://keys.example", "OATH0001", KeyType::Totp) }
    }

    fn auth() -> AuthPolicy {
        let mut auth = AuthPolicy::default();
        auth.iteration_floor = 1;
        auth
    }

    /// K_MAC of the key that a ClientHello renews.
    fn renewed(&self, hello: &ClientHello) -> Option<Secret> {
        hello.key_id.as_ref().and_then(|_| self.keys.last()).map(|keys| keys.k_mac.clone())
    }

    fn server_hello(&mut self, hello: &ClientHello, body: &[u8]) -> Vec<u8> {
        let k = ServerK::Server(K_SERVER.clone());
        let choice = negotiate::negotiate(hello, &NegotiationPolicy::default(), &Facts { k: &k, key_type: None });
        let renews = hello.key_id.as_ref().map(|id| String::from_utf8_lossy(id).into_owned());
        let k_mac_old = self.renewed(hello);
        let answer = SealedHello {
            hello,
            body,
            choice: choice.unwrap(),
            k: &k,
            certificates: &[],
            session_id: &format!("session-{}", self.requests.len()),
            expires_at: 9,
            state: SessionState { k_id: "k1".into(), trigger: false, enrolment: None, device: None, renews },
            k_mac_old: k_mac_old.as_ref(),
            seal: &AeadKey::new(&[0x5e; 32]),
        };
        answer.write(&mut self.rng)
    }

    fn finish(&mut self, nonce: dskpp::message::ClientNonce, body: &[u8]) -> Result<Vec<u8>, RunRefusal> {
        let session = Session::open(nonce, body, &AeadKey::new(&[0x5e; 32]), 0)?;
        session.check(&Self::auth())?;
        let (password, k) = (Secret::from_slice(PASSWORD), ServerK::Server(K_SERVER.clone()));
        let urls = [URL_S.to_owned(), "https://new.example/dskpp".to_owned()];
        let authenticated = session.authenticate(&Self::auth(), &password, &k, &urls, &mut self.rng)?;
        let finished = authenticated.finish(&Self::package())?;
        self.keys.push(finished.keys);
        Ok(finished.response)
    }

    fn two_pass(&mut self, hello: &ClientHello, body: &[u8]) -> Result<Vec<u8>, RunRefusal> {
        let keys: Vec<_> = hello.two_pass_methods().iter().map(|_| Some(ClientKey::Passphrase)).collect();
        let (methods, key_type, policy) =
            ([ProtectionMethod::PassphraseWrap], KeyType::Totp, NegotiationPolicy::default());
        let facts = TwoPassFacts { methods: &methods, keys: &keys, key_type: Some(&key_type), trigger: false };
        let password = Secret::from_slice(PASSWORD);
        let run = TwoPassRun::begin(hello, body, &policy, &facts, &Self::auth())?;
        run.authenticate(&Self::auth(), &password, &[URL_S.to_owned()])?;
        let (package, k_mac_old) = (Self::package(), self.renewed(hello));
        let shipment = OutgoingKey { k_mac_old: k_mac_old.as_ref(), ..OutgoingKey::new(&package).unwrap() };
        let finished = run.finish(shipment, &password, &mut self.rng)?;
        self.keys.push(finished.keys);
        Ok(finished.response)
    }
}

/// What a host stores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Store {
    tokens: Tokens,
    runs: Runs,
}

/// What the host does differently.
#[derive(Default)]
struct Mishaps {
    /// The number of the request whose answer, and all later ones, are lost; 1 is the first.
    lose_from: Option<usize>,
    spoil: Option<fn(Vec<u8>) -> Vec<u8>>,
    /// The new key cannot be stored.
    full: bool,
    consent: bool,
}

fn request(url: &str) -> EnrollRequest {
    let code = AuthCode::new("AC00000A", &Secret::from_slice(PASSWORD)).unwrap();
    let mut request = EnrollRequest::new(Some(url.to_owned()), Credential::Code(code));
    (request.iterations, request.key_types) = (1, vec![KeyType::Totp]);
    request.variant = Some(Variant::FourPass);
    request
}

/// Drives an enrolment to its end.
fn drive(
    store: &mut Store,
    server: &mut Server,
    request: EnrollRequest,
    seed: [u8; 32],
    mishaps: &Mishaps,
) -> Result<Enrolled, EnrolmentError> {
    let mut enrolment = Enrolment::new(request, &store.tokens, store.runs.clone(), &seed);
    let (mut input, mut sent) = (Input::Begin, 0);
    loop {
        input = match enrolment.step(input, now())? {
            Step::Send { url, body } => {
                assert!(url.starts_with("https://"));
                sent += 1;
                let answer = server.receive(&body);
                match (mishaps.lose_from.is_some_and(|from| sent >= from), mishaps.spoil) {
                    (true, _) => Input::Lost("the cable".into()),
                    (false, Some(spoil)) if sent == 2 => Input::Answer(spoil(answer)),
                    _ => Input::Answer(answer),
                }
            }
            Step::Ask(_) => Input::Consent(mishaps.consent),
            Step::RsaKey { bits } => Input::RsaKey(RsaPrivateKey::generate(bits).unwrap().to_pkcs8_der().clone()),
            Step::Store(StoreChange::Token(_)) if mishaps.full => Input::NotStored("the disk is full".into()),
            Step::Store(change) => Input::Stored(change.apply(&mut store.tokens, &mut store.runs).unwrap()),
            Step::Done(enrolled) => return Ok(*enrolled),
        };
    }
}

#[test]
fn four_pass_and_two_pass_store_the_servers_key() {
    for (variant, requests) in [(Variant::FourPass, 2), (Variant::TwoPass, 1)] {
        let (mut store, mut server) = (Store::default(), Server::new());
        let mut request = request(URL_S);
        request.variant = Some(variant);
        let enrolled = drive(&mut store, &mut server, request, SEED, &Mishaps::default()).unwrap();
        assert_eq!((enrolled.key_id.as_str(), enrolled.method.is_some()), ("OATH0001", variant == Variant::TwoPass));
        let token = store.tokens.get("OATH0001").unwrap();
        assert_eq!(token.secret, server.keys[0].k_token);
        assert_eq!(token.created_at, "2027-01-15T08:00:00Z", "the host's clock");
        assert!(store.runs.is_empty() && server.requests.len() == requests, "{variant:?}");
    }
}

#[test]
fn a_renewal_replaces_the_key_and_asks_before_it_goes_elsewhere() {
    let (mut store, mut server) = (Store::default(), Server::new());
    drive(&mut store, &mut server, request(URL_S), SEED, &Mishaps::default()).unwrap();
    let before = store.clone();
    let mut elsewhere = request("https://new.example/dskpp");
    elsewhere.renew = Some("OATH0001".into());
    let sent = server.requests.len();
    let refused = drive(&mut store, &mut server, elsewhere.clone(), [8; 32], &Mishaps::default()).unwrap_err();
    assert!(
        matches!(refused, EnrolmentError::ServerChanged(ref change) if matches!(**change, ServerChange::Url { .. })),
        "{refused:?}"
    );
    assert_eq!((&store, server.requests.len()), (&before, sent), "nothing was sent or stored");
    let consent = Mishaps { consent: true, ..Mishaps::default() };
    let enrolled = drive(&mut store, &mut server, elsewhere, [8; 32], &consent).unwrap();
    assert_eq!((enrolled.replaced, enrolled.old_key_id.as_deref()), (true, Some("OATH0001-old")));
    assert_eq!(store.tokens.get("OATH0001").unwrap().secret, server.keys[1].k_token);
    assert_eq!(store.tokens.get("OATH0001-old").unwrap().secret, server.keys[0].k_token);
}

/// The notes are stored before the last request goes out: another enrolment, with another seed, asks again.
#[test]
fn p28_after_a_lost_last_answer_the_next_enrolment_ends_the_same_run() {
    for (variant, lose_from) in [(Variant::FourPass, 2), (Variant::TwoPass, 1)] {
        let (mut store, mut server) = (Store::default(), Server::new());
        let mut request = request(URL_S);
        request.variant = Some(variant);
        let lost = Mishaps { lose_from: Some(lose_from), ..Mishaps::default() };
        let error = drive(&mut store, &mut server, request.clone(), SEED, &lost).unwrap_err();
        assert!(matches!(&error, EnrolmentError::AnswerLost(why) if why == "the cable"), "{error:?}");
        assert!(store.tokens == Tokens::default() && !store.runs.is_empty());
        store.runs = Runs::from_json(&store.runs.to_json()).unwrap();
        drive(&mut store, &mut server, request, [9; 32], &Mishaps::default()).unwrap();
        let last = &server.requests[lose_from - 1];
        assert_eq!(server.requests.iter().filter(|request| *request == last).count(), 3, "octet for octet");
        assert_eq!((server.requests.len(), server.keys.len()), (lose_from + 2, 1), "no new run was begun");
        assert_eq!(store.tokens.get("OATH0001").unwrap().secret, server.keys[0].k_token);
        assert!(store.runs.is_empty());
    }
}

#[test]
fn a_key_that_could_not_be_stored_is_requested_again() {
    let (mut store, mut server) = (Store::default(), Server::new());
    let full = Mishaps { full: true, ..Mishaps::default() };
    let error = drive(&mut store, &mut server, request(URL_S), SEED, &full).unwrap_err();
    assert!(matches!(&error, EnrolmentError::NotStored { why, .. } if why == "the disk is full"), "{error:?}");
    drive(&mut store, &mut server, request(URL_S), [9; 32], &Mishaps::default()).unwrap();
    assert_eq!((server.keys.len(), store.runs.is_empty()), (1, true));
}

#[test]
fn s4_2_5_a_hostile_answer_stores_nothing_and_leaves_nothing() {
    let spoils: [fn(Vec<u8>) -> Vec<u8>; 2] = [
        |answer| String::from_utf8(answer).unwrap().replace("session-", "SESSION-").into_bytes(),
        |answer| String::from_utf8(answer).unwrap().replace("prf-sha256\">", "prf-sha256\">AAAA").into_bytes(),
    ];
    for spoil in spoils {
        let (mut store, mut server) = (Store::default(), Server::new());
        let hostile = Mishaps { spoil: Some(spoil), ..Mishaps::default() };
        let error = drive(&mut store, &mut server, request(URL_S), SEED, &hostile).unwrap_err();
        assert!(matches!(error, EnrolmentError::Failed(_)), "{error:?}");
        assert_eq!(store, Store::default());
    }
    // No DSKPP message says nothing about the run: it can be finished.
    let (mut store, mut server) = (Store::default(), Server::new());
    let garbage = Mishaps { spoil: Some(|_| b"\xff<html".to_vec()), ..Mishaps::default() };
    let error = drive(&mut store, &mut server, request(URL_S), SEED, &garbage).unwrap_err();
    assert!(matches!(error, EnrolmentError::Failed(Failed::Unreadable(_))), "{error:?}");
    assert!(store.tokens == Tokens::default() && !store.runs.is_empty());
}

#[test]
fn an_input_out_of_turn_is_an_error_and_changes_nothing() {
    fn is_send<T: Send>(_: &T) {}
    let inputs = || {
        let texts = [Input::Lost("x".into()), Input::NoAnswer("x".into()), Input::NotStored("x".into())];
        let others = [Input::Begin, Input::Answer(b"x".to_vec()), Input::Consent(true), Input::NoRsaKey];
        texts.into_iter().chain(others).chain([Input::RsaKey(Secret::from_slice(b"x"))])
    };
    let (mut store, mut server) = (Store::default(), Server::new());
    let mut enrolment = Enrolment::new(request(URL_S), &store.tokens, Runs::default(), &SEED);
    is_send(&enrolment);
    let (mut input, mut is_over) = (Input::Begin, false);
    let mut fits: fn(&Input) -> bool = |input| *input == Input::Begin;
    while !is_over {
        for wrong in inputs().filter(|input| !fits(input)) {
            let error = enrolment.step(wrong.clone(), now()).unwrap_err();
            assert!(matches!(error, EnrolmentError::OutOfTurn), "{wrong:?}: {error:?}");
        }
        let next: (Input, fn(&Input) -> bool) = match enrolment.step(input, now()).unwrap() {
            Step::Send { body, .. } => (Input::Answer(server.receive(&body)), |input| {
                matches!(input, Input::Answer(_) | Input::Lost(_) | Input::NoAnswer(_))
            }),
            Step::Store(change) => {
                let applied = change.apply(&mut store.tokens, &mut store.runs).unwrap();
                (Input::Stored(applied), |input| matches!(input, Input::Stored(_) | Input::NotStored(_)))
            }
            Step::Done(_) => {
                is_over = true;
                (Input::Begin, |_| false)
            }
            other => panic!("{other:?}"),
        };
        (input, fits) = next;
    }
    for late in inputs() {
        assert!(matches!(enrolment.step(late, now()), Err(EnrolmentError::OutOfTurn)));
    }
    assert!(store.tokens.get("OATH0001").is_some());
}

#[test]
fn the_same_seed_clock_and_answers_give_the_same_octets() {
    let run = |seed: [u8; 32]| {
        let (mut store, mut server) = (Store::default(), Server::new());
        drive(&mut store, &mut server, request(URL_S), seed, &Mishaps::default()).unwrap();
        (server.requests, store.tokens.to_json())
    };
    assert!(run(SEED) == run(SEED));
    assert!(run(SEED).0[1] != run([8; 32]).0[1], "another seed, another ClientNonce");
}

#[test]
fn key_transport_has_its_key_made_by_the_host() {
    let mut request = request(URL_S);
    (request.variant, request.methods) = (Some(Variant::TwoPass), vec![ProtectionMethod::Transport]);
    let mut enrolment = Enrolment::new(request, &Tokens::default(), Runs::default(), &SEED);
    assert_eq!(enrolment.step(Input::Begin, now()).unwrap(), Step::RsaKey { bits: 2048 });
    let error = enrolment.step(Input::NoRsaKey, now()).unwrap_err();
    assert!(matches!(error, EnrolmentError::MethodNotAtHand(ProtectionMethod::Transport)), "{error:?}");
}

#[test]
fn nothing_secret_is_shown_and_a_wrong_clock_sends_nothing() {
    let mut enrolment = Enrolment::new(request(URL_S), &Tokens::default(), Runs::default(), &SEED);
    let Step::Send { .. } = enrolment.step(Input::Begin, now()).unwrap() else { panic!("ClientHello comes first") };
    assert_eq!(format!("{enrolment:?}"), "Enrolment { turn: Send, .. }");
    let mut early = Enrolment::new(request(URL_S), &Tokens::default(), Runs::default(), &SEED);
    let error = early.step(Input::Begin, UNIX_EPOCH - Duration::from_secs(1)).unwrap_err();
    assert!(matches!(error, EnrolmentError::Clock), "{error:?}");
}
