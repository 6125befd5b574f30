//! Recomputes every value of a run from what both sides know, and compares it with what was sent.

use std::num::NonZeroU32;

use dskpp::algorithm::KeyType;
use dskpp::auth_data::{self, LEN};
use dskpp::client::ClientProtection;
use dskpp::key_schedule::{self, CONFIRMATION_LEN, RunKeys};
use dskpp::message::{AuthenticationData, Request, Response, ServerFinishedBody};
use dskpp::prf::Prf;
use dskpp_client::transport::Exchange;
use dskpp_crypto::{Pbkdf2Prf, RsaEncryption, Secret};
use pskc::{Opener, OpenerOptions, Value};

use super::environment::{DemoEnvironment, DemoRun};
use crate::output::Failure;

/// Where the server's own proof of the code is found.
const TRIGGER: &str = "the value in the trigger and in KeyProvClientHello";

/// A value, its formula, and what it equals.
pub(super) struct Derived {
    pub(super) name: &'static str,
    pub(super) formula: String,
    pub(super) octets: Vec<u8>,
    /// Where the same octets were found.
    pub(super) equals: Option<&'static str>,
}

/// The values of a run in order of derivation.
pub(super) fn values(demo: &DemoEnvironment, run: &DemoRun) -> Result<Vec<Derived>, Failure> {
    let mut values = Values { demo, run, derived: Vec::new() };
    match &run.exchanges[..] {
        [first, second] => values.four_pass(first, second)?,
        [only] => values.two_pass(only)?,
        _ => return Err(unfit("the number of messages")),
    }
    Ok(values.derived)
}

/// The failure if this file disagrees with what was sent.
fn unfit(name: &str) -> Failure {
    Failure::new(format!("{name} in the trace differs from the value sent")).next("please report this bug")
}

struct Values<'a> {
    demo: &'a DemoEnvironment,
    run: &'a DemoRun,
    derived: Vec<Derived>,
}

impl Values<'_> {
    fn show(&mut self, name: &'static str, formula: impl Into<String>, octets: &[u8]) {
        self.derived.push(Derived { name, formula: formula.into(), octets: octets.to_vec(), equals: None });
    }

    /// Shows it if it equals what was found there.
    fn check(
        &mut self,
        name: &'static str,
        formula: impl Into<String>,
        octets: &[u8],
        (place, found): (&'static str, &[u8]),
    ) -> Result<(), Failure> {
        if octets != found {
            return Err(unfit(name));
        }
        self.derived.push(Derived { name, formula: formula.into(), octets: octets.to_vec(), equals: Some(place) });
        Ok(())
    }

    /// RFC 6063 §4.2.
    fn four_pass(&mut self, first: &Exchange, second: &Exchange) -> Result<(), Failure> {
        let messages = (Request::read(&first.request), Response::read(&first.answer), Request::read(&second.request));
        let (Ok(Request::ClientHello(hello)), Ok(Response::ServerHello(answer)), Ok(Request::ClientNonce(nonce))) =
            messages
        else {
            return Err(unfit("a message"));
        };
        let answer = answer.body.ok_or_else(|| unfit("ServerHello"))?;
        let finished = finished(second)?;
        let prf = Prf::of(&answer.mac_algorithm).ok_or_else(|| unfit("MacAlgorithm"))?;
        let r_s = &answer.r_s;
        let k = self.demo.k_server.public().modulus().to_vec();

        self.show("K", "the modulus of K_SERVER, the server's RSA key", &k);
        if let Some(data) = &hello.authentication_data {
            self.authentication(TRIGGER, prf, data, &k, &[])?;
        }
        self.show("R_S", "drawn by the server, in KeyProvServerHello", r_s);
        if let Some(k_mac_old) = &self.run.k_mac_old {
            let client_nonce = hello.client_nonce.as_deref().unwrap_or_default();
            let mac = key_schedule::renewal(prf, k_mac_old, client_nonce, r_s).map_err(Failure::new)?;
            let found = answer.mac.as_ref().map_or(&[][..], |mac| &mac.value);
            self.show("K_MAC'", "K_MAC of the replaced key", k_mac_old.expose());
            let formula = "DSKPP-PRF(K_MAC', \"MAC 1 computation\" || ClientNonce || R_S, len(R_S))";
            self.check("MAC (renewal)", formula, &mac, ("Mac of KeyProvServerHello", found))?;
        }
        let r_c = self.demo.k_server.decrypt_oaep(RsaEncryption::OaepSha1, &nonce.encrypted_nonce);
        let r_c = r_c.map_err(|_| unfit("EncryptedNonce"))?;
        self.show("R_C", "drawn by the token; EncryptedNonce is R_C under K_SERVER (RSA-OAEP)", r_c.expose());
        if let Some(mut data) = nonce.authentication_data {
            data.authentication_code_mac.nonce = Some(r_c.expose().to_vec());
            self.authentication("the value in KeyProvClientNonce", prf, &data, &k, r_s)?;
        }
        let len = key_schedule::k_prov_len(prf, self.run.token.secret.len());
        let k_prov = prf.derive(r_c.expose(), &[b"Key generation", &k, r_s], len).map_err(Failure::new)?;
        let formula = format!("DSKPP-PRF(R_C, \"Key generation\" || K || R_S, {len})");
        self.keys(prf, formula, &k_prov)?;
        let hash = key_schedule::message_hash(&[&first.request, &first.answer, &second.request]);
        self.show("msg_hash", "SHA-256(KeyProvClientHello || KeyProvServerHello || KeyProvClientNonce)", &hash);
        let mac = key_schedule::confirmation(prf, self.k_mac()?, &hash);
        let formula = format!("DSKPP-PRF(K_MAC, \"MAC 1 computation\" || msg_hash, {CONFIRMATION_LEN})");
        self.check("MAC", formula, &mac, ("Mac of KeyProvServerFinished", &finished.mac.value))
    }

    /// RFC 6063 §5.2.
    fn two_pass(&mut self, only: &Exchange) -> Result<(), Failure> {
        let Ok(Request::ClientHello(hello)) = Request::read(&only.request) else { return Err(unfit("a message")) };
        let finished = finished(only)?;
        let prf = finished.mac.algorithm.as_ref().and_then(Prf::of).ok_or_else(|| unfit("MacAlgorithm"))?;
        let data = hello.authentication_data.ok_or_else(|| unfit("AuthenticationData"))?;
        let r_c = data.authentication_code_mac.nonce.clone().unwrap_or_default();
        let protection = self.run.protection.as_ref().ok_or_else(|| unfit("the variant"))?;
        let password = self.run.code.password();

        self.show("R_C", "drawn by the token, in KeyProvClientHello", &r_c);
        let (of_k, of_k_prov) = match protection {
            ClientProtection::Transport { .. } => {
                ("the modulus of the token's RSA key", "decrypted with the token's RSA key")
            }
            ClientProtection::Wrap { .. } => ("K_SHARED, the device's key", "unwrapped with K_SHARED"),
            ClientProtection::Passphrase => (
                "PBKDF2-HMAC-SHA-1(password, R_C, 100000, 16)",
                "unwrapped with a second key derived from the password (salt and count in DerivedKey)",
            ),
        };
        let k = protection.k(Pbkdf2Prf::HmacSha1, password, &r_c);
        self.show("K", of_k, k.expose());
        self.authentication("the value in KeyProvClientHello", prf, &data, k.expose(), &[])?;
        let k_prov = open(protection, password, &finished)?;
        self.keys(prf, format!("drawn by the server; {of_k_prov}"), &k_prov)?;
        let hash = key_schedule::message_hash(&[&only.request]);
        self.show("msg_hash", "SHA-256(KeyProvClientHello)", &hash);
        let server_id = finished.key_package.server_id.clone().unwrap_or_default();
        let mac = key_schedule::confirmation_two_pass(prf, self.k_mac()?, &hash, &server_id);
        let formula = format!("DSKPP-PRF(K_MAC, \"MAC 1 computation\" || msg_hash || ServerID, {CONFIRMATION_LEN})");
        self.check("MAC", formula, &mac, ("Mac of KeyProvServerFinished", &finished.mac.value))
    }

    /// K_AC and the MAC that proves the code (RFC 6063 §3.4.1.2).
    fn authentication(
        &mut self,
        place: &'static str,
        prf: Prf,
        data: &AuthenticationData,
        k: &[u8],
        r_s: &[u8],
    ) -> Result<(), Failure> {
        let (code, proof) = (&self.run.code, &data.authentication_code_mac);
        let r_c = proof.nonce.as_deref().unwrap_or_default();
        let count = proof.iteration_count.and_then(|count| u32::try_from(count).ok()).and_then(NonZeroU32::new);
        let count = count.ok_or_else(|| unfit("IterationCount"))?;
        let k_ac = auth_data::k_ac(Pbkdf2Prf::HmacSha1, code.password(), r_c, k, count);
        let mac = auth_data::mac(prf, &k_ac, code.client_id(), &self.demo.url_s, r_c, r_s);
        // A trigger has a nonce of its own for this; R_C of the keys comes later.
        let nonce = if place == TRIGGER { "Nonce" } else { "R_C" };
        let and_r_s = if r_s.is_empty() { "" } else { " || R_S" };
        self.show("password", "of the authentication code", code.password().expose());
        self.show("K_AC", format!("PBKDF2-HMAC-SHA-1(password, {nonce} || K, {count}, {LEN})"), k_ac.expose());
        let formula = format!("DSKPP-PRF(K_AC, ClientID || URL_S || {nonce}{and_r_s}, {LEN})");
        self.check("AuthenticationCodeMac", formula, &mac, (place, &proof.mac.value))
    }

    /// K_PROV and its two halves, which the token has stored.
    fn keys(&mut self, prf: Prf, formula: String, k_prov: &Secret) -> Result<(), Failure> {
        let token = &self.run.token;
        let keys = key_schedule::take(prf, k_prov, token.secret.len()).ok_or_else(|| unfit("K_PROV"))?;
        let RunKeys { k_token, k_mac } = keys;
        self.show("K_PROV", formula, k_prov.expose());
        let stored = self.k_mac()?.expose().to_vec();
        let formula = format!("the first {} octets of the first half of K_PROV", k_mac.len());
        self.check("K_MAC", formula, k_mac.expose(), ("the token's stored value", &stored))?;
        let key_type = KeyType::from_uri(&token.algorithm_uri);
        let formula =
            format!("the first {} octets of the second half of K_PROV: the key ({})", k_token.len(), key_type.uri());
        let stored = token.secret.expose().to_vec();
        self.check("K_TOKEN", formula, k_token.expose(), ("the token's stored value", &stored))
    }

    fn k_mac(&self) -> Result<&Secret, Failure> {
        self.run.token.k_mac.as_ref().ok_or_else(|| unfit("K_MAC"))
    }
}

fn finished(last: &Exchange) -> Result<ServerFinishedBody, Failure> {
    match Response::read(&last.answer) {
        Ok(Response::ServerFinished(finished)) => finished.body.ok_or_else(|| unfit("ServerFinished")),
        _ => Err(unfit("the last message")),
    }
}

/// Decrypts K_PROV from the key package of two-pass.
fn open(protection: &ClientProtection, password: &Secret, finished: &ServerFinishedBody) -> Result<Secret, Failure> {
    let closed = || unfit("the key package");
    let container = finished.key_package.content.container().ok_or_else(closed)?;
    let unlock = protection.unlock(Some(password)).ok_or_else(closed)?;
    let (named, mac) = (container.encryption_key.as_ref(), container.mac_method.as_ref());
    let mut opener = Opener::new(named, mac, &unlock, OpenerOptions::default()).map_err(|_| closed())?;
    let key = container.key_packages.first().and_then(|package| package.key.as_ref());
    let mut data = key.and_then(|key| key.data.clone()).ok_or_else(closed)?;
    opener.open(&mut data).map_err(|_| closed())?;
    data.secret.as_ref().and_then(Value::plain).cloned().ok_or_else(closed)
}
