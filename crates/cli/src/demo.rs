//! `dskpp demo`: a server, an enrolment, a token and a one-time password, in some seconds.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use dskpp::auth_code::AuthCode;
use dskpp::client::Credential;
use dskpp_client::enroll::{EnrollRequest, enroll};
use dskpp_client::token_store::{TokenStore, Unlock};
use dskpp_client::transport::{Transport, TransportOptions};
use dskpp_otp::{Digits, Hash, Totp};
use dskpp_server::{Config, ServerOptions, serve};
use serde_json::{Value, json};

use crate::api::Api;
use crate::output::{Failure, Output};
use crate::runtime;

pub(crate) fn run(output: &Output) -> Result<(), Failure> {
    runtime()?.block_on(story(output))
}

async fn story(output: &Output) -> Result<(), Failure> {
    let begun = Instant::now();
    let folder = tempfile::tempdir().map_err(|why| Failure::new(format!("no temporary folder: {why}")))?;
    let mut config = Config::default();
    config.server.data_dir = folder.path().join("server");
    config.server.listen = ([127, 0, 0, 1], 0).into();
    let running = serve(config, ServerOptions::default()).await.map_err(Failure::new)?;
    let (origin, url_s) = (format!("https://{}", running.address()), running.url_s()[0].clone()); // two without configuration
    let ca = running.ca_file().map(std::path::Path::to_owned);
    output.say(format!(
        "1. Server  starts with a database, a private CA and a key pair of its own, and listens on\n           {url_s} (TLS)."
    ));

    let token = std::fs::read_to_string(running.admin_token_file()).map_err(Failure::new)?;
    let api = Api::new(&origin, token.trim(), ca.as_deref())?;
    let enrolment = api.post("/enrolments", &json!({ "user": "alice", "key_type": "totp" })).await?;
    let text = |document: &Value, name: &str| document[name].as_str().unwrap_or_default().to_owned();
    let typed = text(&enrolment, "authentication_code");
    output.say(format!(
        "2. Server  makes an enrolment for alice, who gets the one-time authentication code\n           {typed} - no key exists yet."
    ));

    let code: AuthCode = typed.parse().map_err(Failure::new)?;
    let store_path = folder.path().join("tokens.db");
    let unlock = Unlock::KeyFile(folder.path().join("store.key"));
    let mut store = TokenStore::open_or_create(&store_path, &unlock).map_err(Failure::new)?;
    let transport = Transport::new(&TransportOptions { ca: ca.clone(), ..TransportOptions::default() });
    let request = EnrollRequest::new(Some(url_s.clone()), Credential::Code(code));
    let enrolled = enroll(&transport.map_err(Failure::new)?, &mut store, request).await.map_err(Failure::new)?;
    output.say(
        "3. Token   and server each draw a random number; the token's travels encrypted, the code proves\n           \
         alice's right, and both derive the same key, which neither sends. The server confirms it\n           \
         with a MAC over every message; only then the token stores it, encrypted.",
    );

    let token = store.find(&enrolled.key_id).map_err(Failure::new)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let totp = Totp::new(Digits::SIX, 30, Hash::Sha1).map_err(Failure::new)?;
    let otp = totp.code(&token.secret, now);
    output.say(format!("4. Token   shows the one-time password {otp} (key {}).", enrolled.key_id));

    let verdict = api.post("/validate", &json!({ "user": "alice", "otp": otp.as_str() })).await?;
    let again = api.post("/validate", &json!({ "user": "alice", "otp": otp.as_str() })).await?;
    if verdict["valid"] != json!(true) || again["valid"] != json!(false) {
        return Err(Failure::new("the server did not accept the one-time password once and only once")
            .next("please report this: it is a defect"));
    }
    output.say("5. Server  says: valid. Shown a second time: not valid, every password is good once.");
    running.shutdown();
    running.wait().await.map_err(Failure::new)?;
    let took_ms = begun.elapsed().as_millis() as u64;
    let document = json!({ "key_id": enrolled.key_id, "otp": otp.as_str(), "valid": true, "took_ms": took_ms });
    output.print(&document, || format!("\nDone in {:.1} s; nothing is left behind.", took_ms as f64 / 1000.0))
}
