use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::{TlsConnector, rustls};

use super::*;
use crate::config;
use crate::net::tls::{CertificateSource, TlsIdentity};

/// More than the socket buffers of both ends.
const BIG: usize = 32 * 1024 * 1024;

/// A server with a small answer, a big one, a streamed one, and one that never comes.
struct Server {
    address: SocketAddr,
    /// Requests for `/counted`.
    counted: Arc<AtomicUsize>,
    _stop: watch::Sender<bool>,
}

async fn start(limits: config::LimitsSection) -> Server {
    let pieces = futures_util::stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![b'x'; 1024 * 1024])));
    let counted = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&counted);
    let router = Router::new()
        .route("/counted", get(async move || counts.fetch_add(1, Ordering::SeqCst).to_string()))
        .route("/panics", get(async || -> &str { panic!("on purpose") }))
        .route("/healthz", get(async || "ok\n"))
        .route("/big", get(async || vec![b'x'; BIG]))
        .route("/made", get(async move || Body::from_stream(pieces.take(BIG / 1024 / 1024))))
        .route("/never", get(async || std::future::pending::<&str>().await));
    let shared = shared(&limits, Turns::new(&config::Config::default()), router);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(false);
    let ending = Ending { stop: stopping, drain: Duration::ZERO, grace: Duration::ZERO };
    tokio::spawn(Arc::new(shared).serve(vec![listener].into(), ending));
    Server { address, counted, _stop: stop }
}

fn shared(limits: &config::LimitsSection, turns: Turns, router: Router) -> Connections {
    let (limit, proxies) = (ConnectionLimit::new(limits), Proxies::new(config::ProxySection::default()));
    let prefixes = Prefixes::of(&[]);
    Connections {
        limit,
        turns,
        proxies,
        tls: None,
        router,
        prefixes,
        timeouts: limits.into(),
        responses: Responses::default(),
    }
}

impl Server {
    /// A connection with a request sent.
    async fn ask(&self, path: &str) -> TcpStream {
        self.ask_from(1, path).await
    }

    /// The same, from one of many addresses.
    async fn ask_from(&self, last: u8, path: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        stream
    }
}

/// Everything received until the server closes the connection.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut rest));
    _ = read.await.expect("the server closes it"); // perhaps with a reset
    rest
}

fn limits(adjust: impl FnOnce(&mut config::LimitsSection)) -> config::LimitsSection {
    let mut limits = config::LimitsSection { header_timeout_s: 300, request_timeout_s: 300, ..Default::default() };
    limits.write_timeout_s = 300;
    adjust(&mut limits);
    limits
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_of_an_answer_is_disconnected() {
    let server = start(limits(|limits| limits.write_timeout_s = 1)).await;
    for path in ["/big", "/made"] {
        let mut deaf = server.ask(path).await;
        tokio::time::sleep(Duration::from_secs(3)).await; // the deadline, and more
        assert!(rest(&mut deaf).await.len() < BIG, "{path}");
    }
    for path in ["/big", "/made"] {
        let mut slow = server.ask(path).await;
        let mut octets = vec![0; BIG / 8];
        for _ in 0..8 {
            slow.read_exact(&mut octets).await.expect("a slow reader gets everything");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_is_cut_off_unless_it_is_streamed() {
    let server = start(limits(|limits| limits.request_timeout_s = 2)).await;
    assert_eq!(rest(&mut server.ask("/never").await).await, b"");
    for (path, all_comes) in [("/big", false), ("/made", true)] {
        let mut slow = server.ask(path).await;
        let (mut len, mut octets) = (0, vec![0; BIG / 16]);
        while slow.read_exact(&mut octets).await.is_ok() {
            len += octets.len();
            if len == BIG {
                break;
            }
            tokio::time::sleep(Duration::from_millis(250)).await; // 4 s in all
        }
        assert_eq!(len == BIG, all_comes, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_replaces_one_that_reads_nothing_but_none_with_a_request_in_progress() {
    let server = start(limits(|limits| limits.max_connections = 8)).await;
    let mut busy = Vec::new();
    for _ in 0..3 {
        busy.push(server.ask("/never").await);
    }
    let mut deaf = Vec::new();
    for _ in 0..4 {
        deaf.push(server.ask("/big").await);
    }
    tokio::time::sleep(Duration::from_millis(500)).await; // until the buffers are full
    for _ in 0..20 {
        let mut stream = server.ask("/healthz").await;
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).await.expect("there is room");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
    }
    for mut stream in busy {
        let read = tokio::time::timeout(Duration::from_millis(100), stream.read_u8()).await;
        assert!(read.is_err(), "its request is still in progress");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipelined_request_waits_until_the_previous_answer_is_read() {
    let server = start(limits(|_| {})).await;
    let mut stream = server.ask("/big").await;
    stream.write_all(b"GET /counted HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await; // until the buffers are full
    assert_eq!(server.counted.load(Ordering::SeqCst), 0);
    assert!(rest(&mut stream).await.len() > BIG);
    assert_eq!(server.counted.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_waits_for_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("certificate"), folder.path().join("key"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = TlsIdentity::load(CertificateSource::Files { certificate, key }).unwrap().in_use();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = Arc::new(client.with_root_certificates(roots).with_no_client_auth());

    let turns = Turns::with(1, 10);
    let shared = Arc::new(shared(&limits(|_| {}), turns.clone(), Router::new()));
    let of_another = turns.of(SocketAddr::from(([192, 0, 2, 9], 1)).into()).await.ok().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let connecting = TlsConnector::from(client).connect("localhost".try_into().unwrap(), stream);
    let connecting = tokio::spawn(connecting);
    let (stream, peer) = listener.accept().await.unwrap();
    let place = shared.admit(peer).unwrap();
    let stream = Watched { stream, progress: ConnectionProgress::new(Arc::clone(&place.timer), shared.timeouts) };
    let accepting = tokio::spawn(async move { shared.handshake(&tls, stream, peer).await.map(drop) });
    while !turns.are_waited_for() {
        assert!(!accepting.is_finished() && !connecting.is_finished(), "it did not wait");
        tokio::task::yield_now().await;
    }
    drop(of_another);
    connecting.await.unwrap().unwrap();
    accepting.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn s7_2_4_a_panic_is_answered_with_500_and_its_connection_stays_open() {
    let server = start(limits(|_| {})).await;
    let mut stream = server.ask("/panics").await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let answers = String::from_utf8(rest(&mut stream).await).unwrap();
    assert!(answers.starts_with("HTTP/1.1 500 ") && answers.contains("HTTP/1.1 200 OK"), "{answers}");
    assert!(!answers.contains("on purpose"), "{answers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pipelined_requests_close_their_connection() {
    let server = start(limits(|_| {})).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(50)).await.unwrap();
    let answers = String::from_utf8(rest(&mut stream).await).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 17, "{answers}");
    assert_eq!(answers.matches("connection: close").count(), 1, "{answers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reserved_places_serve_health_and_administration() {
    let server = start(limits(|limits| limits.max_connections = 16)).await;
    let mut busy = Vec::new();
    for n in 0..14 {
        busy.push(server.ask_from(2 + n % 2, "/never").await);
        tokio::time::sleep(Duration::from_millis(20)).await; // until its request is in progress
    }
    for (path, status) in [("/healthz", 200), ("/big", 503), ("/dskpp", 503), ("/api/v1/keys", 404), ("/healthz", 200)]
    {
        let answer = String::from_utf8(rest(&mut server.ask(path).await).await).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
        assert_eq!(answer.contains("retry-after: 10\r\n"), status == 503, "{path}: {answer}");
    }
}
