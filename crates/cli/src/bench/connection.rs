//! A keep-alive connection with minimal HTTP/1.1: the client must not cost more than the server.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use dskpp_client::transport::{check_url, tls_config};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use crate::output::Failure;

/// Connections to one server or several: each message goes to the next one. Connections that were lost, or that the
/// server closed after an answer, are made anew.
pub(super) struct Connections {
    servers: Vec<(Endpoint, Option<BenchConnection>)>,
    next: usize,
}

impl From<(Endpoint, BenchConnection)> for Connections {
    fn from((endpoint, connection): (Endpoint, BenchConnection)) -> Self {
        Connections { servers: vec![(endpoint, Some(connection))], next: 0 }
    }
}

impl Connections {
    /// Connects to all of them, and begins with the server of that number.
    pub(super) async fn open(endpoints: &[Endpoint], first: usize) -> Result<Self, Failure> {
        let mut servers = Vec::new();
        for endpoint in endpoints {
            servers.push((endpoint.clone(), Some(endpoint.connect().await?)));
        }
        Ok(Connections { servers, next: first })
    }

    /// Posts a DSKPP message; returns HTTP status and body.
    pub(super) async fn post(&mut self, body: Vec<u8>) -> Result<(u16, Bytes), Failure> {
        let at = self.next % self.servers.len();
        self.next += 1;
        let (endpoint, kept) = &mut self.servers[at];
        let open = match kept.take() {
            Some(mut kept) => kept.sender.ready().await.is_ok().then_some(kept),
            None => None,
        };
        let mut connection = match open {
            Some(connection) => connection,
            None => endpoint.connect().await?,
        };
        let answer = connection.post(endpoint, body).await?;
        *kept = Some(connection);
        Ok(answer)
    }
}

/// Where to connect.
#[derive(Clone)]
pub(super) struct Endpoint {
    uri: Uri,
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
}

pub(super) struct BenchConnection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
}

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/dskpp+xml");

impl Endpoint {
    pub(super) fn new(url: &str, ca: Option<&std::path::Path>) -> Result<Self, Failure> {
        check_url(url).map_err(Failure::usage)?; // as every client does
        let uri: Uri = url.parse().map_err(|_| Failure::usage(format!("{url} is not a URL")))?;
        let host = uri.host().ok_or_else(|| Failure::usage(format!("{url} has no host")))?.to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = secure.then(|| tls_config(ca).map(Arc::new)).transpose();
        Ok(Endpoint { uri, host, port, tls: tls.map_err(Failure::new)? })
    }

    pub(super) async fn connect(&self) -> Result<BenchConnection, Failure> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
        self.begin(stream.map_err(|why| self.failed(&why))?).await
    }

    /// Connects from `source`, a loopback address, as another machine would. No connection state is kept.
    pub(super) async fn connect_from(&self, source: Ipv4Addr) -> Result<BenchConnection, Failure> {
        let connect = async || {
            let socket = TcpSocket::new_v4()?;
            socket.set_zero_linger()?;
            socket.bind(SocketAddr::from((source, 0)))?;
            socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))).await
        };
        self.begin(connect().await.map_err(|why| self.failed(&why))?).await
    }

    fn failed(&self, why: &dyn std::fmt::Display) -> Failure {
        Failure::new(format!("cannot connect to {}: {why}", self.uri))
    }

    async fn begin(&self, stream: TcpStream) -> Result<BenchConnection, Failure> {
        let failed = |why: &dyn std::fmt::Display| self.failed(why);
        stream.set_nodelay(true).map_err(|why| failed(&why))?;
        let sender = match &self.tls {
            None => handshaken(stream).await,
            Some(config) => {
                let name = ServerName::try_from(self.host.clone()).map_err(|why| failed(&why))?;
                let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
                handshaken(stream.map_err(|why| failed(&why))?).await
            }
        };
        let host = HeaderValue::from_str(&format!("{}:{}", self.host, self.port)).map_err(|why| failed(&why))?;
        Ok(BenchConnection { sender: sender.map_err(|why| failed(&why))?, host })
    }
}

async fn handshaken<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
) -> hyper::Result<SendRequest<Full<Bytes>>> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

impl BenchConnection {
    /// Requests a path; returns HTTP status and body.
    pub(super) async fn get(&mut self, path: &'static str) -> Result<(u16, Bytes), Failure> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = Uri::from_static(path);
        self.send(request).await
    }

    /// Posts a DSKPP message; returns HTTP status and body.
    pub(super) async fn post(&mut self, endpoint: &Endpoint, body: Vec<u8>) -> Result<(u16, Bytes), Failure> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static("/dskpp");
        if endpoint.uri.path() != "/dskpp" {
            *request.uri_mut() = endpoint.uri.path().parse().map_err(Failure::new)?;
        }
        request.headers_mut().insert(CONTENT_TYPE, MEDIA_TYPE);
        self.send(request).await
    }

    async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Result<(u16, Bytes), Failure> {
        request.headers_mut().insert(HOST, self.host.clone());
        let lost = |why: hyper::Error| Failure::new(format!("the connection was lost: {why}"));
        self.sender.ready().await.map_err(lost)?;
        let answer = self.sender.send_request(request).await.map_err(lost)?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await.map_err(lost)?.to_bytes()))
    }
}
