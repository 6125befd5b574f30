//! A man in the middle. It relays the token's ClientHello to the real server, whose answer has the right renewal MAC, and
//! replaces K_SERVER by its own: then it knows the new key.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use dskpp::key_package::PackageSpec;
use dskpp::key_schedule;
use dskpp::message::{
    ClientNonce, Mac, MessageExtensions, PackageContent, Request, Response, ServerFinished, ServerFinishedBody,
    ServerKeyPackage,
};
use dskpp::prf::Prf;
use dskpp::status::Status;
use dskpp::version::Version;
use dskpp_client::transport::{Transport, TransportOptions};
use dskpp_crypto::{RsaEncryption, RsaPrivateKey, RsaPublicKey, Secret};
use pskc::KeyInfo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PublicKeyData, SignatureAlgorithm};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::support::Server;

/// The attacker's K_SERVER.
static OWN: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate(2048).unwrap());

/// The attacker's CA.
static OWN_CA: LazyLock<CertifiedIssuer<'static, KeyPair>> = LazyLock::new(|| {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
});

/// The attacker's behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Relays everything.
    Relay,
    /// Sends its own K_SERVER without certificate.
    OwnKey,
    /// The same with a certificate of its own CA.
    OwnCertificate,
    /// Relays the real K_SERVER with a certificate of its own CA, and everything else unchanged.
    OwnIssuer,
    /// Sends its own K_SERVER, and no renewal MAC.
    NoMac,
    /// Sends its own K_SERVER, and a wrong renewal MAC.
    WrongMac,
}

/// A server between the token and the real one, with a TLS certificate that the token trusts.
pub(crate) struct Between {
    pub(crate) mode: Mode,
    pub(crate) requests: usize,
    hello: Vec<u8>,
    answer: Vec<u8>,
    /// The key that it knows, if it generated one.
    pub(crate) knows: Option<Secret>,
}

/// Listens at an address, with the TLS certificate of the real server.
pub(crate) fn listen(listener: TcpListener, server: &Server, tls: &Path, between: Arc<Mutex<Between>>) {
    let chain: Vec<_> = CertificateDer::pem_file_iter(tls.join("cert.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(tls.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let options = TransportOptions::trusting(Some(server.ca.clone()));
    let real = server.url();
    let address: SocketAddr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // A new connection each time: a kept one may have been closed meanwhile.
        let pass_on = |body: &[u8]| runtime.block_on(Transport::new(&options).unwrap().post(&real, body)).unwrap();
        while let Ok((stream, _)) = listener.accept() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            let Some(body) = read_body(&mut stream) else { continue };
            let answer = between.lock().unwrap().receive(&body, &pass_on, address);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/dskpp+xml\r\nConnection: close\r\n";
            write!(stream, "{head}Content-Length: {}\r\n\r\n", answer.len()).unwrap();
            stream.write_all(&answer).unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        }
    });
}

fn read_body(stream: &mut impl Read) -> Option<Vec<u8>> {
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut octet) {
            Ok(1) => head.push(octet[0]),
            _ => return None,
        }
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).ok().map(|()| body)
}

impl Between {
    pub(crate) fn new() -> Self {
        Between { mode: Mode::Relay, requests: 0, hello: Vec::new(), answer: Vec::new(), knows: None }
    }

    fn receive(&mut self, body: &[u8], pass_on: &dyn Fn(&[u8]) -> Vec<u8>, own: SocketAddr) -> Vec<u8> {
        self.requests += 1;
        if self.mode == Mode::Relay {
            return pass_on(body);
        }
        if self.mode == Mode::OwnIssuer {
            let answer = pass_on(body);
            let Ok(Response::ServerHello(mut hello)) = Response::read(&answer) else { return answer };
            let Some(content) = hello.body.as_mut() else { return answer };
            let rsa = content.encryption_key.rsa_key_value.clone().unwrap();
            let real = RsaPublicKey::from_components(&rsa.modulus, &rsa.exponent).unwrap();
            content.encryption_key.x509_certificates = own_certificates(&real);
            return hello.write();
        }
        match Request::read(body).unwrap() {
            Request::ClientHello(mut hello) => {
                hello.authentication_data = None; // the attacker's own, unknown to the real server
                let Ok(Response::ServerHello(mut answer)) = Response::read(&pass_on(&hello.write())) else {
                    panic!("the real server answers with ServerHello");
                };
                let content = answer.body.as_mut().expect("the real server proves that it knows the key");
                let mac = content.mac.as_mut().expect("it sends a MAC");
                content.encryption_key = match self.mode {
                    Mode::OwnCertificate => KeyInfo::from_certificates(own_certificates(OWN.public())),
                    _ => KeyInfo::from_rsa(OWN.public().modulus(), OWN.public().exponent()),
                };
                match self.mode {
                    Mode::WrongMac => mac.value[0] ^= 1,
                    Mode::NoMac => content.mac = None,
                    _ => {}
                }
                (self.hello, self.answer) = (body.to_vec(), answer.write());
                self.answer.clone()
            }
            Request::ClientNonce(nonce) => self.finish(&nonce, body, own),
        }
    }

    /// Decrypts R_C with its own key, and confirms the derived key.
    fn finish(&mut self, nonce: &ClientNonce, body: &[u8], own: SocketAddr) -> Vec<u8> {
        let Ok(Response::ServerHello(answer)) = Response::read(&self.answer) else { panic!("it is its own") };
        let Ok(Request::ClientHello(hello)) = Request::read(&self.hello) else { panic!("it was read before") };
        let content = answer.body.unwrap();
        let prf = Prf::of(&content.mac_algorithm).unwrap();
        let r_c = OWN.decrypt_oaep(RsaEncryption::OaepSha1, &nonce.encrypted_nonce).unwrap();
        let key_id = String::from_utf8(hello.key_id.unwrap()).unwrap();
        let package = PackageSpec {
            digits: Some(6),
            period_s: Some(30),
            ..PackageSpec::new(format!("https://{own}"), key_id, content.key_type)
        };
        let k = OWN.public().modulus();
        let keys = key_schedule::agree(prf, &r_c, k, &content.r_s, package.key_len().unwrap()).unwrap();
        let hash = key_schedule::message_hash(&[&self.hello, &self.answer, body]);
        let value = key_schedule::confirmation(prf, &keys.k_mac, &hash);
        self.knows = Some(keys.k_token);
        let body = ServerFinishedBody {
            key_package: ServerKeyPackage {
                server_id: Some(package.server_id.clone()),
                key_protection_method: None,
                content: PackageContent::Pskc(Box::new(package.container())),
            },
            extensions: MessageExtensions { client_info: None, server_info: None },
            mac: Mac { algorithm: Some(prf.algorithm()), value },
            authentication_data: None,
        };
        let session_id = Some(nonce.session_id.clone());
        ServerFinished { version: Version::V1_0, session_id, status: Status::Success, body: Some(body) }.write()
    }
}

/// A certificate for this key, and the attacker's CA that issued it.
fn own_certificates(of: &RsaPublicKey) -> Vec<Vec<u8>> {
    let params = CertificateParams::new(vec!["k-server.example".to_owned()]).unwrap();
    let leaf = params.signed_by(&Certified(of.to_spki_der()), &*OWN_CA).unwrap();
    vec![leaf.der().to_vec(), OWN_CA.der().to_vec()]
}

/// A SubjectPublicKeyInfo for RSA with 2048 bits.
struct Certified(Vec<u8>);

impl PublicKeyData for Certified {
    fn der_bytes(&self) -> &[u8] {
        &self.0[24..] // RSAPublicKey
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}
