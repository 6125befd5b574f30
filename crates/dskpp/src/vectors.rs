//! Test vectors of a second implementation, see `tests/vectors/dskpp/README.md`.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use dskpp_crypto::{RsaPrivateKey, Secret};
use serde_json::Value;

use crate::encryption::K;
use crate::prf::Prf;
use crate::server_k::ServerK;

/// One case of a vector file.
pub(crate) struct Case(Value);

pub(crate) fn cases(file: &str) -> Vec<Case> {
    let path = format!("{}/tests/vectors/dskpp/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"));
    let mut json: Value = serde_json::from_str(&text).expect("JSON");
    let cases: Vec<Case> = json["cases"].as_array_mut().expect("cases").drain(..).map(Case).collect();
    assert!(!cases.is_empty());
    cases
}

impl Case {
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.0[name].is_null()
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("{name} is text"))
    }

    pub(crate) fn number(&self, name: &str) -> i64 {
        self.0[name].as_i64().unwrap_or_else(|| panic!("{name} is a number"))
    }

    pub(crate) fn hex(&self, name: &str) -> Vec<u8> {
        HEXLOWER.decode(self.text(name).as_bytes()).unwrap_or_else(|why| panic!("{name}: {why}"))
    }

    pub(crate) fn secret(&self, name: &str) -> Secret {
        Secret::new(self.hex(name))
    }

    pub(crate) fn message(&self, name: &str) -> &[u8] {
        self.0["messages"][name].as_str().unwrap_or_else(|| panic!("message {name}")).as_bytes()
    }

    pub(crate) fn prf(&self) -> Prf {
        Prf::of(&crate::algorithm::MacAlgorithm::from_uri(self.text("mac_algorithm"))).expect("a known PRF")
    }

    pub(crate) fn server_k(&self) -> ServerK {
        match self.has("k_shared") {
            true => ServerK::Shared { name: "device-000001".into(), key: self.secret("k_shared") },
            false => {
                let key = RsaPrivateKey::from_pkcs8_pem(self.text("server_private_key")).expect("a private key");
                ServerK::Server(Arc::new(key))
            }
        }
    }

    pub(crate) fn client_k(&self) -> K {
        match self.server_k() {
            ServerK::Shared { key, .. } => K::Shared(key),
            ServerK::Server(key) => K::Server(key.public().clone()),
        }
    }
}

/// The runs of four-pass, new keys and renewals.
pub(crate) fn four_pass() -> Vec<Case> {
    ["four_pass_rsa", "four_pass_shared", "renewal_four_pass"].into_iter().flat_map(cases).collect()
}
