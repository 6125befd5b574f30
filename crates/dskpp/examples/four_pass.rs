//! A four-pass run in memory: both sides end with the same key. A real program sends each message as an HTTP body.

use std::sync::Arc;

use dskpp::algorithm::KeyType;
use dskpp::auth_code::AuthCode;
use dskpp::client::{Credential, FourPass, K, RunConfig};
use dskpp::key_package::PackageSpec;
use dskpp::message::Request;
use dskpp::negotiate::{Facts, NegotiationPolicy, negotiate};
use dskpp::server::{AuthPolicy, SealedHello, ServerK, Session, SessionState};
use dskpp_crypto::{AeadKey, RsaPrivateKey, SystemRandom};

const URL_S: &str = "https://keys.example.com/dskpp";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rng = &mut SystemRandom;
    let code: AuthCode = "108AC00000A20A3582AF0C3E304EA4C".parse()?; // client ID and password, typed by the user
    let k_server = Arc::new(RsaPrivateKey::generate(2048)?);
    let k = ServerK::Server(Arc::clone(&k_server));
    let seal = AeadKey::new(&[7; 32]); // seals the session into ServerHello: the server stores nothing
    let now = 1_700_000_000;

    // Pass 1, client: ClientHello.
    let config = RunConfig::new(URL_S, Credential::Code(code.clone()), vec![KeyType::Totp]);
    let (client_hello, awaiting) = FourPass::start(config, rng);

    // Pass 2, server: ServerHello.
    let Request::ClientHello(hello) = Request::read(&client_hello)? else { return Err("not a ClientHello".into()) };
    let facts = Facts { k: &k, key_type: None };
    let choice = negotiate(&hello, &NegotiationPolicy::default(), &facts).map_err(|(status, _)| status.to_string())?;
    let server_hello = SealedHello {
        hello: &hello,
        body: &client_hello,
        choice,
        k: &k,
        certificates: &[],
        session_id: "session-1",
        expires_at: now + 300,
        state: SessionState::default(),
        k_mac_old: None,
        seal: &seal,
    }
    .write(rng);

    // Pass 3, client: ClientNonce. A real client first checks whether to trust the server's key.
    let chosen = awaiting.receive(&server_hello)?;
    let (client_nonce, awaiting) = chosen.proceed(K::Server(k_server.public().clone()), rng)?;

    // Pass 4, server: checks the code, derives the key and writes ServerFinished.
    let Request::ClientNonce(nonce) = Request::read(&client_nonce)? else { return Err("not a ClientNonce".into()) };
    let session = Session::open(nonce, &client_nonce, &seal, now).map_err(|refusal| refusal.reason)?;
    let authenticated = session
        .authenticate(&AuthPolicy::default(), code.password(), &k, &[URL_S.to_owned()], rng)
        .map_err(|refusal| refusal.reason)?;
    let spec = PackageSpec::new("https://keys.example.com", "key-1", KeyType::Totp);
    let finished = authenticated.finish(&spec).map_err(|refusal| refusal.reason)?;

    // The client verifies the key confirmation; only then does it have a key.
    let provisioned = awaiting.receive(&finished.response)?;
    assert_eq!(provisioned.key_id, "key-1");
    assert_eq!(provisioned.keys, finished.keys);
    Ok(())
}
