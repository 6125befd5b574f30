//! A mail server that speaks as much of SMTP as a sender needs: EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// How it protects its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Starttls,
    Implicit,
}

/// A mail.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) login: Option<String>,
    pub(super) text: String,
}

pub(super) struct Smtp {
    address: SocketAddr,
    folder: TempDir,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Smtp {
    pub(super) async fn start(kind: Kind) -> Self {
        Self::on("127.0.0.1:0".parse().unwrap(), kind).await
    }

    /// One that begins when it is awaited, and where.
    pub(super) async fn later(kind: Kind) -> (impl Future<Output = Self>, SocketAddr) {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        (Self::on(address, kind), address)
    }

    async fn on(address: SocketAddr, kind: Kind) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, got, folder) =
            (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Got>>>::default(), tempfile::tempdir().unwrap());
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        std::fs::write(folder.path().join("password"), "pass word\n").unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let tls = tls.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let (tls, log) = (TlsAcceptor::from(Arc::new(tls)), Arc::clone(&got));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, kind, tls.clone(), Arc::clone(&log)));
            }
        });
        Smtp { address, folder, got }
    }

    pub(super) fn server(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    pub(super) fn ca(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    pub(super) fn config(&self) -> String {
        format!("server = '{}'\nca_file = '{}'\n", self.server(), self.ca())
    }

    pub(super) fn login(&self) -> String {
        format!("user = 'keys'\npassword_file = '{}'\n", self.folder.path().join("password").display())
    }

    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

async fn talk(stream: TcpStream, kind: Kind, tls: TlsAcceptor, log: Arc<Mutex<Vec<Got>>>) -> Option<()> {
    if kind == Kind::Implicit {
        return session(tls.accept(stream).await.ok()?, true, false, &log).await.map(drop);
    }
    let stream = session(stream, true, kind == Kind::Starttls, &log).await?;
    session(tls.accept(stream).await.ok()?, false, false, &log).await.map(drop)
}

/// Gives the stream back where TLS is to begin.
async fn session<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    greets: bool,
    offers_tls: bool,
    log: &Mutex<Vec<Got>>,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    if greets {
        stream.write_all(b"220 localhost ESMTP\r\n").await.ok()?;
    }
    let (mut from, mut to, mut login) = (String::new(), String::new(), None);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let answer: &str = match line.split([' ', ':']).next()? {
            "EHLO" if offers_tls => "250-localhost\r\n250 STARTTLS\r\n",
            "EHLO" => "250-localhost\r\n250 AUTH PLAIN\r\n",
            "STARTTLS" if offers_tls => {
                stream.write_all(b"220 go\r\n").await.ok()?;
                return Some(stream.into_inner());
            }
            "AUTH" => {
                login = Some(line.to_owned());
                "235 ok\r\n"
            }
            "MAIL" => {
                from = address();
                "250 ok\r\n"
            }
            "RCPT" => {
                to = address();
                "250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go\r\n").await.ok()?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut text).await.ok()? == 0 {
                        return None;
                    }
                }
                let (from, to, login) = (from.clone(), to.clone(), login.clone());
                log.lock().ok()?.push(Got { from, to, login, text });
                "250 ok\r\n"
            }
            "NOOP" | "RSET" => "250 ok\r\n",
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await.ok()?;
                return None;
            }
            _ => "502 what\r\n",
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}
