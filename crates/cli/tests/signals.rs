//! How a server reacts to signals.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::{Home, Server};

const SOON: Duration = Duration::from_secs(5);

/// Waits until the server has logged this.
fn until_logged(server: &Server, what: &str) {
    let until = Instant::now() + Duration::from_secs(30);
    while !server.log().contains(what) {
        assert!(Instant::now() < until, "{what:?} is not in the log:\n{}", server.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn sigterm_and_sigint_leave_one_complete_file() {
    for signal in ["TERM", "INT"] {
        let mut home = Home::new();
        let mut server = Server::start(&mut home);
        // If other connections are open, SQLite keeps the WAL when a process ends.
        let another = rusqlite::Connection::open(home.path("dskpp-data/dskpp.db")).unwrap();
        another.query_row("SELECT count(*) FROM key", [], |row| row.get::<_, i64>(0)).unwrap();
        server.signal(signal);
        assert_eq!(server.ended(SOON), Some(0));
        let wal = std::fs::metadata(home.path("dskpp-data/dskpp.db-wal"));
        assert_eq!(wal.map_or(0, |wal| wal.len()), 0);
    }
}

#[test]
fn sighup_reloads_files_and_settings_and_reports_what_it_cannot() {
    let home = Home::new();
    let other = Home::new();
    let config = |more: &str| format!("[log]\nlevel = \"warn,dskpp_server=info\"\n{more}");
    home.write("dskpp.toml", config(""));
    let _server_of_another_ca = Server::start_on(&other, 0);
    let mut server = Server::start_with(&home, &["--config", "dskpp.toml"]);

    // Certificate files, the log level, and two settings that require a restart.
    let files = ["cert.pem", "key.pem"].map(|name| std::fs::read(other.path("dskpp-data/tls").join(name)).unwrap());
    home.write("c.pem", &files[0]);
    home.write("k.pem", &files[1]);
    let changed =
        "[server]\nworkers = 3\n[limits]\nmax_connections = 7\n[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"";
    home.write("dskpp.toml", format!("[log]\nlevel = \"debug\"\n{changed}"));
    server.signal("HUP");
    until_logged(&server, "loaded the certificate c.pem");
    until_logged(&server, "server.workers has changed: it takes effect at the next start");
    until_logged(&server, "limits.max_connections has changed");
    assert!(!server.log().contains("log.level has changed") && !server.log().contains("tls.certificate has changed"));
    server.ca = other.path("dskpp-data/tls/ca.pem");
    server.close_connections();
    assert_eq!(server.post("<no-message/>"), 400, "new connections get the new certificate");
    until_logged(&server, "DEBUG");

    // Unusable values change nothing.
    for (bad, complaint) in [
        ("[limits]\nmax_connections = \"many\"", "reload failed"),
        ("[tls]\nreload_s = 0", "tls.reload_s"),
        ("[tls]\ncertificate = \"missing.pem\"\nkey = \"k.pem\"", "keeping the old certificate"),
        ("[log]\nlevel = \"dskpp_server=loud\"", "the log level stays unchanged"),
        ("[devices]\nanchors = \"missing.pem\"", "keeping the old trust anchors and revocation lists for devices"),
    ] {
        home.write("dskpp.toml", bad);
        server.signal("HUP");
        until_logged(&server, complaint);
        assert_eq!(server.post("<no-message/>"), 400, "{bad}");
    }
    server.signal("TERM");
    assert_eq!(server.ended(SOON), Some(0));
}

#[test]
fn a_server_that_drains_is_not_ready_but_serves_and_closes_each_connection() {
    let mut home = Home::new();
    home.set("DSKPP_SERVER_DRAIN_S", "3");
    let mut server = Server::start_with(&home, &["--http"]);
    let mut kept = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let ask = |stream: &mut TcpStream, path: &str| {
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
        let mut answer = vec![0; 4096];
        let len = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..len]).to_lowercase()
    };
    let before = ask(&mut kept, "/readyz");
    assert!(before.starts_with("http/1.1 200") && !before.contains("connection: close"), "{before}");
    let began = Instant::now();
    server.signal("TERM");
    until_logged(&server, "stopping: SIGTERM");
    for (path, status) in [("/readyz", "503"), ("/healthz", "200"), ("/api/v1/keys", "401"), ("/enroll/A", "404")] {
        let answer = ask(&mut TcpStream::connect(("127.0.0.1", server.port)).unwrap(), path);
        assert!(answer.starts_with(&format!("http/1.1 {status}")) && answer.contains("connection: close"), "{answer}");
    }
    assert!(ask(&mut kept, "/readyz").contains("not ready: the server is about to stop"));
    assert_eq!(kept.read(&mut [0]).unwrap(), 0, "closed after the answer");
    assert_eq!(server.ended(SOON), Some(0));
    assert!(began.elapsed() >= Duration::from_secs(3));
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
}

#[test]
fn a_second_signal_does_not_wait_for_requests() {
    let mut home = Home::new();
    home.set("DSKPP_SERVER_SHUTDOWN_GRACE_S", "300");
    let mut server = Server::start_with(&home, &["--http"]);
    let mut slow = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let head = "POST /dskpp HTTP/1.1\r\nHost: a\r\nContent-Type: application/dskpp+xml\r\nContent-Length: 9\r\n\r\n<";
    slow.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(200)); // the request must have been sent
    server.signal("TERM");
    until_logged(&server, "stopping: SIGTERM");
    server.signal("INT");
    assert_eq!(server.ended(SOON), Some(1));
    until_logged(&server, "stopped immediately");
}
