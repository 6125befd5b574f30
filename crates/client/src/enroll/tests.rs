//! Runs against a server of one enrolment, over HTTP on this machine.

mod names;
mod trigger;

use super::*;
use crate::store::{FileStore, Unlock};
use crate::transport::tests::{ok, read_request, transport};
use crate::{Credential, DEFAULT_KEY_TYPES, Failed, Token, Tokens};
use dskpp::algorithm::KeyType;
use dskpp::key_package::PackageSpec;
use dskpp::message::{ClientHello, ClientNonce, Request};
use dskpp::negotiate::{self, Facts, NegotiationPolicy};
use dskpp::server::{AuthPolicy, RefusalReason, RunRefusal, SealedHello, ServerK, Session, SessionState};
use dskpp::status::Status;
use dskpp_crypto::{AeadKey, Hash, RsaPrivateKey, Secret, SystemRandom};
use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, LazyLock, Mutex};

static K_SERVER: LazyLock<Arc<RsaPrivateKey>> = LazyLock::new(|| Arc::new(RsaPrivateKey::generate(2048).unwrap()));

/// The server's side; it keeps what it was sent and what it made.
struct Server {
    package: PackageSpec,
    seal: AeadKey,
    /// How many final answers to lose.
    lose: usize,
    /// How many runs to end without a key.
    barren: usize,
    /// Applied to the next answer.
    spoil: Option<fn(Vec<u8>) -> Vec<u8>>,
    hellos: usize,
    /// Hellos that offer only two-pass, which this server does not support.
    two_pass: usize,
    nonces: Vec<Vec<u8>>,
    answer: Option<Vec<u8>>,
    k_token: Option<Secret>,
}

impl Server {
    fn start(package: PackageSpec, lose: usize) -> (String, Arc<Mutex<Self>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/dskpp", listener.local_addr().unwrap());
        let seal = AeadKey::new(&[0x5e; 32]);
        let server = Server {
            package,
            seal,
            lose,
            barren: 0,
            spoil: None,
            hellos: 0,
            two_pass: 0,
            nonces: Vec::new(),
            answer: None,
            k_token: None,
        };
        let (server, url_s) = (Arc::new(Mutex::new(server)), url.clone());
        let shared = server.clone();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let request = read_request(&mut stream);
                let Some((_, body)) = request.split_once("\r\n\r\n") else { continue };
                if let Some(answer) = shared.lock().unwrap().receive(body.as_bytes(), &url_s) {
                    stream.write_all(&ok(&answer)).ok();
                }
            }
        });
        (url, server)
    }

    fn receive(&mut self, body: &[u8], url_s: &str) -> Option<Vec<u8>> {
        match Request::read(body).unwrap() {
            Request::ClientHello(hello) => Some(self.hello(&hello, body)),
            Request::ClientNonce(_) if self.barren > 0 => {
                self.barren -= 1;
                Some(RunRefusal::of_nonce(Status::InitializationFailed, RefusalReason::NonceLength, None).response())
            }
            Request::ClientNonce(nonce) => {
                self.nonces.push(body.to_vec());
                let repeated = self.nonces.len() > 1 && self.answer.is_some();
                let answer = match self.answer.clone().filter(|_| repeated) {
                    Some(answer) => answer,
                    None => self.finish(nonce, body, url_s).unwrap_or_else(|refusal| refusal.response()),
                };
                if let Some(left) = self.lose.checked_sub(1) {
                    self.lose = left;
                    return None;
                }
                Some(match self.spoil.take() {
                    Some(spoil) => spoil(answer),
                    None => answer,
                })
            }
        }
    }

    fn hello(&mut self, hello: &ClientHello, body: &[u8]) -> Vec<u8> {
        if !hello.offers_four_pass() {
            self.two_pass += 1;
            return RunRefusal::of_hello(Status::NoProtocolVariants, RefusalReason::Policy, false).response();
        }
        self.hellos += 1;
        let k = ServerK::Server(K_SERVER.clone());
        let facts = Facts { k: &k, key_type: None };
        let choice = negotiate::negotiate(hello, &NegotiationPolicy::default(), &facts).unwrap();
        let state = SessionState { k_id: "k1".into(), trigger: false, enrolment: None, device: None, renews: None };
        let session_id = &format!("session-{}", self.hellos);
        let (k, seal, certificates) = (&k, &self.seal, &[][..]);
        let answer = SealedHello {
            hello,
            body,
            choice,
            k,
            certificates,
            session_id,
            expires_at: 9,
            state,
            k_mac_old: None,
            seal,
        };
        answer.write(&mut SystemRandom)
    }

    fn finish(&mut self, nonce: ClientNonce, body: &[u8], url_s: &str) -> Result<Vec<u8>, RunRefusal> {
        let session = Session::open(nonce, body, &self.seal, 0)?;
        let mut auth = AuthPolicy::default();
        auth.iteration_floor = 1;
        session.check(&auth)?;
        let k = ServerK::Server(K_SERVER.clone());
        let password = Secret::from_slice(b"3582AF0C3E");
        let authenticated = session.authenticate(&auth, &password, &k, &[url_s.to_owned()], &mut SystemRandom)?;
        if *authenticated.session().key_type() != self.package.key_type {
            return Err(authenticated.session().refuse(Status::AccessDenied, RefusalReason::Key));
        }
        let finished = authenticated.finish(&self.package)?;
        self.k_token = Some(finished.keys.k_token);
        self.answer = Some(finished.response.clone());
        Ok(finished.response)
    }
}

fn package(key_type: KeyType) -> PackageSpec {
    PackageSpec {
        issuer: Some("Example".into()),
        user_id: Some("CN=ann".into()),
        ..PackageSpec::new("https://keys.example", "OATH0001", key_type)
    }
}

fn request(url: &str, password: &str) -> EnrollRequest {
    let code = dskpp::auth_code::AuthCode::new("AC00000A", &Secret::from_slice(password.as_bytes())).unwrap();
    let mut request = EnrollRequest::new(Some(url.to_owned()), Credential::Code(code));
    request.iterations = 1;
    request
}

/// A store in its own folder.
fn store() -> (tempfile::TempDir, FileStore) {
    let folder = tempfile::tempdir().unwrap();
    let unlock = Unlock::KeyFile(folder.path().join("key"));
    let store = FileStore::open_or_create(&folder.path().join("tokens.db"), &unlock).unwrap();
    (folder, store)
}

fn stored(store: &FileStore, id: &str) -> Token {
    store.load().unwrap().get(id).unwrap().clone()
}

async fn token(url: &str, password: &str) -> Result<Token, EnrollError> {
    let (_folder, mut store) = store();
    enroll(&transport(), &mut store, request(url, password)).await?;
    Ok(stored(&store, "OATH0001"))
}

#[tokio::test]
async fn a_type_that_was_chosen_and_refused_is_not_offered_again() {
    let spec = PackageSpec { digits: Some(8), counter: Some(5), ..package(KeyType::Hotp) };
    let (url, server) = Server::start(spec, 0);
    let token = token(&url, "3582AF0C3E").await.unwrap();
    let server = server.lock().unwrap();
    assert_eq!(server.hellos, 2, "totp, then hotp");
    assert_eq!(Some(&token.secret), server.k_token.as_ref());
    assert_eq!((token.key_type.as_str(), token.digits, token.counter), ("hotp", Some(8), Some(5)));
    assert_eq!((token.period_s, token.hash, token.suite), (None, None, None));
    assert_eq!(token.server_url, Some(url));
    assert_eq!(token.k_server.as_deref(), Some(K_SERVER.public().modulus()));
    assert_eq!((token.issuer.as_deref(), token.user.as_deref()), (Some("Example"), Some("CN=ann")));
    assert_eq!(token.k_mac.map(|k_mac| k_mac.len()), Some(32));
}

#[tokio::test]
async fn totp_and_ocra_keep_their_parameters() {
    let totp = PackageSpec { digits: Some(6), hash: Some(Hash::Sha256), period_s: Some(60), ..package(KeyType::Totp) };
    let token_of = async |spec| token(&Server::start(spec, 0).0, "3582AF0C3E").await.unwrap();
    let token = token_of(totp).await;
    assert_eq!((token.digits, token.period_s, token.hash.as_deref()), (Some(6), Some(60), Some("SHA256")));
    assert_eq!((token.secret.len(), token.counter, token.suite), (32, None, None));
    let suite = "OCRA-1:HOTP-SHA512-8:QN08".to_owned();
    let token = token_of(PackageSpec { suite: Some(suite.clone()), ..package(KeyType::Ocra) }).await;
    assert_eq!((token.key_type.as_str(), token.suite, token.secret.len()), ("ocra", Some(suite), 64));
}

#[tokio::test]
async fn a_wrong_code_ends_the_first_run() {
    let (url, server) = Server::start(package(KeyType::Hotp), 0);
    let error = token(&url, "3582AF0C3F").await.unwrap_err();
    let expected = Failed::Refused(Status::AuthenticationDataInvalid);
    assert!(
        matches!(error, EnrollError::Enrolment(EnrolmentError::Failed(ref failed)) if *failed == expected),
        "{error:?}"
    );
    assert_eq!(server.lock().unwrap().hellos, 1);
}

#[tokio::test]
async fn where_every_type_is_refused_the_last_word_is_access_denied() {
    let (url, server) = Server::start(package(KeyType::KwAes128), 0);
    let error = token(&url, "3582AF0C3E").await.unwrap_err();
    assert!(
        matches!(error, EnrollError::Enrolment(EnrolmentError::Failed(Failed::Refused(Status::AccessDenied)))),
        "{error:?}"
    );
    let server = server.lock().unwrap();
    assert_eq!((server.hellos, server.two_pass), (DEFAULT_KEY_TYPES.len(), 1), "p17: two-pass alone is tried, too");
}

#[tokio::test]
async fn s3_3_after_initialization_failed_the_client_restarts_once() {
    for (barren, runs, has_key) in [(1, 2, true), (2, 2, false)] {
        let (url, server) = Server::start(package(KeyType::Totp), 0);
        server.lock().unwrap().barren = barren;
        assert_eq!(token(&url, "3582AF0C3E").await.is_ok(), has_key);
        assert_eq!(server.lock().unwrap().hellos, runs);
    }
}

#[tokio::test]
async fn p28_the_same_client_nonce_is_sent_once_more_after_a_lost_answer() {
    let (url, server) = Server::start(package(KeyType::Totp), 1);
    let token = token(&url, "3582AF0C3E").await.unwrap();
    let server = server.lock().unwrap();
    assert_eq!(Some(token.secret), server.k_token);
    assert_eq!(server.nonces.len(), 2);
    assert_eq!(server.nonces[0], server.nonces[1]);
}

#[tokio::test]
async fn p28_after_an_answer_was_lost_twice_the_same_call_ends_the_same_run() {
    let (url, server) = Server::start(package(KeyType::Totp), 2);
    let (folder, mut store) = store();
    let error = enroll(&transport(), &mut store, request(&url, "3582AF0C3E")).await.unwrap_err();
    assert!(matches!(error, EnrollError::AnswerLost(_)), "{error:?}");
    assert!(store.load().unwrap() == Tokens::default() && folder.path().join("tokens.db.run").exists());
    enroll(&transport(), &mut store, request(&url, "3582AF0C3E")).await.unwrap();
    let server = server.lock().unwrap();
    assert_eq!(Some(stored(&store, "OATH0001").secret), server.k_token);
    assert_eq!((server.hellos, server.nonces.len()), (1, 3), "no new run was begun");
    assert!(server.nonces.iter().all(|nonce| *nonce == server.nonces[0]), "octet for octet");
    assert!(!folder.path().join("tokens.db.run").exists());
}

fn changed(answer: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(answer).unwrap();
    assert!(text.contains(from), "{text}");
    text.replacen(from, to, 1).into_bytes()
}

type Spoil = fn(Vec<u8>) -> Vec<u8>;

/// An answer that is not a DSKPP message says nothing about the run: it counts as lost.
#[tokio::test]
async fn p28_after_an_unreadable_answer_the_same_call_requests_it_again() {
    let spoils: [(&str, Spoil); 3] = [
        ("cut off", |answer| answer[..answer.len() - 5].to_vec()),
        ("nothing", |_| Vec::new()),
        ("a page of a proxy", |_| b"<html>Bad gateway</html>".to_vec()),
    ];
    for (what, spoil) in spoils {
        let (url, server) = Server::start(package(KeyType::Totp), 0);
        server.lock().unwrap().spoil = Some(spoil);
        let (folder, mut store) = store();
        let first = enroll(&transport(), &mut store, request(&url, "3582AF0C3E")).await;
        assert!(
            matches!(first, Err(EnrollError::Enrolment(EnrolmentError::Failed(Failed::Unreadable(_))))),
            "{what}: {first:?}"
        );
        assert!(folder.path().join("tokens.db.run").exists(), "{what}");
        enroll(&transport(), &mut store, request(&url, "3582AF0C3E")).await.unwrap();
        let server = server.lock().unwrap();
        assert_eq!(server.hellos, 1, "{what}: no new run was begun");
        assert_eq!(Some(stored(&store, "OATH0001").secret), server.k_token, "{what}");
    }
}

/// RFC 6063 §§3.3, 4.2.5: when the run ends, everything that could recover its key is deleted.
#[tokio::test]
async fn s4_2_5_nothing_remains_of_a_refused_or_unconfirmed_run() {
    let refusal = |_| RunRefusal::of_nonce(Status::AuthenticationDataInvalid, RefusalReason::Key, None).response();
    let spoils: [(&str, Spoil); 4] = [
        ("a refusal", refusal),
        ("another MAC", |answer| changed(answer, "prf-sha256\">", "prf-sha256\">AAAA")),
        ("another session", |answer| changed(answer, "session-", "SESSION-")),
        ("a package without a key", |answer| changed(answer, " Id=\"OATH0001\"", " Id=\"\"")),
    ];
    for (what, spoil) in spoils {
        let (url, server) = Server::start(package(KeyType::Totp), 0);
        server.lock().unwrap().spoil = Some(spoil);
        let (folder, mut store) = store();
        let first = enroll(&transport(), &mut store, request(&url, "3582AF0C3E")).await;
        let refused = matches!(first, Err(EnrollError::Enrolment(EnrolmentError::Failed(ref why))) if !matches!(why, Failed::Unreadable(_)));
        assert!(refused, "{what}: {first:?}");
        assert!(!folder.path().join("tokens.db.run").exists(), "{what}");
        server.lock().unwrap().answer = None; // this server takes a code more than once
        enroll(&transport(), &mut store, request(&url, "3582AF0C3E")).await.unwrap();
        assert_eq!(server.lock().unwrap().hellos, 2, "{what}: the run could be brought back");
    }
}

/// A failed run does not delete the notes of another one.
#[tokio::test]
async fn s4_2_5_notes_of_a_lost_answer_survive_the_failure_of_another_run() {
    let (url, server) = Server::start(package(KeyType::Totp), 2);
    let (folder, mut store) = store();
    enroll(&transport(), &mut store, request(&url, "3582AF0C3E")).await.unwrap_err();
    let (other, _) = Server::start(package(KeyType::Totp), 0);
    let error = enroll(&transport(), &mut store, request(&other, "3582AF0C3F")).await.unwrap_err();
    assert!(matches!(error, EnrollError::Enrolment(EnrolmentError::Failed(Failed::Refused(_)))), "{error:?}");
    assert!(folder.path().join("tokens.db.run").exists());
    enroll(&transport(), &mut store, request(&url, "3582AF0C3E")).await.unwrap();
    assert_eq!(server.lock().unwrap().hellos, 1, "its run was finished");
    assert!(!folder.path().join("tokens.db.run").exists());
}

/// A confirmed key that cannot be stored is not requested again.
#[tokio::test]
async fn s3_3_nothing_remains_of_a_run_whose_key_exists_already() {
    let (url, _server) = Server::start(package(KeyType::Totp), 0);
    let (folder, mut store) = store();
    enroll(&transport(), &mut store, request(&url, "3582AF0C3E")).await.unwrap();
    let (url, _server) = Server::start(package(KeyType::Totp), 0);
    let error = enroll(&transport(), &mut store, request(&url, "3582AF0C3E")).await.unwrap_err();
    assert!(matches!(error, EnrollError::Enrolment(EnrolmentError::KeyExists(_))), "{error:?}");
    assert!(!folder.path().join("tokens.db.run").exists());
}

#[tokio::test]
async fn p28_notes_of_another_run_or_damaged_ones_do_not_keep_a_new_run_from_beginning() {
    type SpoilNotes = fn(&std::path::Path, &mut EnrollRequest);
    let spoils: [(&str, SpoilNotes); 4] = [
        ("another offer", |_, request| request.key_types = vec![KeyType::Totp]),
        ("a flipped bit", |path, _| {
            let mut octets = std::fs::read(path).unwrap();
            octets[20] ^= 1;
            std::fs::write(path, octets).unwrap();
        }),
        ("the store in its place", |path, _| {
            std::fs::copy(path.with_extension(""), path).unwrap();
        }),
        ("nothing", |path, _| std::fs::write(path, "").unwrap()),
    ];
    for (what, spoil) in spoils {
        let (url, server) = Server::start(package(KeyType::Totp), 2);
        let (folder, mut store) = store();
        enroll(&transport(), &mut store, request(&url, "3582AF0C3E")).await.unwrap_err();
        server.lock().unwrap().answer = None; // this server takes a code more than once
        let mut request = request(&url, "3582AF0C3E");
        spoil(&folder.path().join("tokens.db.run"), &mut request);
        enroll(&transport(), &mut store, request).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let server = server.lock().unwrap();
        assert_eq!(server.hellos, 2, "{what}");
        assert_eq!(Some(stored(&store, "OATH0001").secret), server.k_token, "{what}");
    }
}
