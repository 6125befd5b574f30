//! A client that knows the code, follows the rules in pass 1, and misbehaves in pass 3.

use dskpp::algorithm::EncryptionAlgorithm;
use dskpp::auth_data;
use dskpp::client::FourPass;
use dskpp::message::{
    AuthenticationCodeMac, AuthenticationData, ClientNonce, Mac, MessageExtensions, Response, ServerHelloBody,
};
use dskpp::prf::Prf;
use dskpp::server::ServerK;
use dskpp::status::Status;
use dskpp::version::Version;
use dskpp_crypto::{Pbkdf2Prf, RsaEncryption, Secret, SeededRandom};

use crate::pair::*;

/// A client that knows the code and misbehaves.
pub(crate) struct Attacker {
    pub(crate) algorithm: EncryptionAlgorithm,
    pub(crate) prf: Prf,
    pub(crate) session_id: String,
    pub(crate) hello: ServerHelloBody,
    pub(crate) k: ServerK,
}

impl Attacker {
    pub(crate) fn begin(server: &mut Server, algorithm: EncryptionAlgorithm, prf: Prf) -> Self {
        let mut offer = with_mac(offer(&server.k), prf.algorithm());
        offer.encryption_algorithms = vec![algorithm.clone()];
        let (request, _) = FourPass::start(offer, &mut SeededRandom::new(b"attacker"));
        let response = server.receive(&request).unwrap();
        let Ok(Response::ServerHello(hello)) = Response::read(&response) else { panic!() };
        let (session_id, hello) = (hello.session_id.unwrap(), hello.body.unwrap());
        Attacker { algorithm, prf, session_id, hello, k: server.k.clone() }
    }

    pub(crate) fn with_rsa(server: &mut Server) -> Self {
        Attacker::begin(server, EncryptionAlgorithm::RsaOaepMgf1p, Prf::Sha256)
    }

    pub(crate) fn encrypt(&self, r_c: &[u8]) -> Vec<u8> {
        let mut rng = SeededRandom::new(b"padding");
        match (&self.k, &self.algorithm) {
            (ServerK::Server(key), EncryptionAlgorithm::Rsa15) => {
                key.public().encrypt(RsaEncryption::Pkcs1v15, r_c, &mut rng).unwrap()
            }
            (ServerK::Server(key), _) => key.public().encrypt(RsaEncryption::OaepSha1, r_c, &mut rng).unwrap(),
            (ServerK::Shared { key, .. }, EncryptionAlgorithm::Aes128Cbc) => {
                let ciphertext = dskpp_crypto::aes_cbc_encrypt(key.expose(), &[7; 16], r_c).unwrap();
                [&[7; 16][..], &ciphertext].concat()
            }
            (ServerK::Shared { key, .. }, _) => {
                let ds = Prf::Sha256.derive(key.expose(), &[b"Encryption", &self.hello.r_s], r_c.len()).unwrap();
                ds.expose().iter().zip(r_c).map(|(a, b)| a ^ b).collect()
            }
        }
    }

    /// A valid ClientNonce with this R_C.
    pub(crate) fn nonce(&self, r_c: &[u8]) -> ClientNonce {
        let password = Secret::from_slice(PASSWORD.as_bytes());
        let one = std::num::NonZeroU32::MIN;
        let k_ac = auth_data::k_ac(Pbkdf2Prf::HmacSha1, &password, r_c, self.k.octets(), one);
        let value = auth_data::mac(self.prf, &k_ac, CLIENT_ID, URL_S, r_c, &self.hello.r_s);
        ClientNonce {
            version: Version::V1_0,
            session_id: self.session_id.clone(),
            encrypted_nonce: self.encrypt(r_c),
            authentication_data: Some(AuthenticationData {
                client_id: Some(CLIENT_ID.into()),
                authentication_code_mac: AuthenticationCodeMac {
                    nonce: None,
                    iteration_count: Some(1),
                    mac: Mac { algorithm: Some(self.prf.algorithm()), value },
                },
            }),
            extensions: MessageExtensions { client_info: None, server_info: self.hello.extensions.server_info.clone() },
        }
    }
}

pub(crate) fn proof(nonce: &mut ClientNonce) -> &mut AuthenticationCodeMac {
    &mut nonce.authentication_data.as_mut().unwrap().authentication_code_mac
}

/// Status and element of the answer.
pub(crate) fn send(server: &mut Server, nonce: &ClientNonce) -> Status {
    let response = server.receive(&nonce.write()).unwrap();
    match Response::read(&response).unwrap() {
        Response::ServerFinished(finished) => finished.status,
        Response::ServerHello(_) => panic!("p22: a ClientNonce is answered with KeyProvServerFinished"),
    }
}
