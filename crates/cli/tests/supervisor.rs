//! What systemd, or another supervisor with its interface, passes to a server and hears from it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram, UnixListener};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::{Home, Server};

const MOST: Duration = Duration::from_secs(60);

/// A server, with its log.
struct Started {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Started {
    fn of(mut child: Child) -> Self {
        let (log, lines) = (Arc::default(), BufReader::new(child.stderr.take().unwrap()));
        let kept: Arc<Mutex<String>> = Arc::clone(&log);
        std::thread::spawn(move || {
            lines.lines().map_while(Result::ok).for_each(|line| *kept.lock().unwrap() += &(line + "\n"))
        });
        Started { child, log }
    }

    /// Starts a server with descriptors 3 and 4; `environment` is set by a shell, which knows the process ID.
    fn with(home: &Home, descriptors: [OwnedFd; 2], environment: &str, options: &str) -> Self {
        let line = format!("exec 3<&0 4<&1 </dev/null >/dev/null; {environment} exec \"$0\" serve {options}");
        let [three, four] = descriptors;
        let mut command = home.program("sh");
        command.args(["-c", &line, env!("CARGO_BIN_EXE_dskpp")]).stdin(three).stdout(four);
        Self::of(command.spawn().unwrap())
    }

    fn until_logged(&self, what: &str) {
        let until = Instant::now() + MOST;
        while !self.log.lock().unwrap().contains(what) {
            assert!(Instant::now() < until, "no {what:?}:\n{}", self.log.lock().unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

/// A new connection's answer from a server without TLS.
fn health(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(MOST))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

const PASSED: &str = "LISTEN_PID=$$ LISTEN_FDS=2";

fn passed(sockets: &[TcpListener; 2]) -> [OwnedFd; 2] {
    sockets.each_ref().map(|socket| socket.try_clone().unwrap().into())
}

#[test]
fn systemd_hears_ready_reloading_and_stopping() {
    for is_abstract in [false, true] {
        let mut home = Home::new();
        let path = home.path("notify");
        let name = format!("dskpp-test-{}", std::process::id());
        let socket = match is_abstract {
            true => UnixDatagram::bind_addr(&UnixAddr::from_abstract_name(&name).unwrap()).unwrap(),
            false => UnixDatagram::bind(&path).unwrap(),
        };
        socket.set_read_timeout(Some(MOST)).unwrap();
        let told = || {
            let mut message = [0; 256];
            let len = socket.recv(&mut message).unwrap();
            String::from_utf8(message[..len].to_vec()).unwrap()
        };
        home.set("NOTIFY_SOCKET", &if is_abstract { format!("@{name}") } else { support::shown(&path) });
        let mut server = Server::start_with(&home, &["--http"]);
        assert_eq!(told(), "READY=1\n");
        assert!(health(([127, 0, 0, 1], server.port).into()).unwrap().starts_with("HTTP/1.1 200"));
        server.signal("HUP");
        let reloading = told();
        let since = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").and_then(|rest| rest.strip_suffix('\n'));
        let since: u64 = since.expect(&reloading).parse().unwrap();
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        assert!((uptime - since as f64 / 1e6).abs() < 60.0, "{since} µs, {uptime} s");
        assert_eq!(told(), "READY=1\n");
        server.signal("TERM");
        assert_eq!(told(), "STOPPING=1\n");
        assert_eq!(server.ended(MOST), Some(0));
    }
    // A supervisor that is gone stops nothing.
    let mut home = Home::new();
    home.set("NOTIFY_SOCKET", &support::shown(&home.path("nobody")));
    let server = Server::start_with(&home, &["--http"]);
    assert!(health(([127, 0, 0, 1], server.port).into()).is_ok());
    let until = Instant::now() + MOST;
    while !server.log().contains("cannot tell the supervisor") {
        assert!(Instant::now() < until, "{}", server.log());
    }
}

#[test]
fn a_restart_on_passed_sockets_refuses_no_connection() {
    let home = Home::new();
    let sockets = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("[::1]:0").unwrap()];
    let addresses = sockets.each_ref().map(|socket| socket.local_addr().unwrap());
    let server = Started::with(&home, passed(&sockets), PASSED, "--http");
    let (ended, answers) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for address in addresses {
            let (ended, answers) = (&ended, &answers);
            scope.spawn(move || {
                while !ended.load(Ordering::SeqCst) {
                    let answer = health(address);
                    answers.lock().unwrap().push(answer.map_err(|why| format!("{address}: {why}")));
                }
            });
        }
        server.until_logged(&format!("listening on http://{}", addresses[0]));
        assert!(!server.log.lock().unwrap().contains("127.0.0.1:8443"));
        std::thread::sleep(Duration::from_millis(300));
        server.stop();
        std::thread::sleep(Duration::from_millis(300)); // whoever comes now waits
        let next = Started::with(&home, passed(&sockets), PASSED, "--http");
        next.until_logged("listening on http://");
        std::thread::sleep(Duration::from_millis(300));
        ended.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(300)); // the last requests
        next.stop();
    });
    let answers = answers.into_inner().unwrap();
    assert!(answers.len() > 20, "{}", answers.len());
    for answer in answers {
        assert!(answer.as_ref().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")), "{answer:?}");
    }
}

#[test]
fn unusable_sockets_stop_the_start_and_those_of_others_are_left_alone() {
    let tcp = || TcpListener::bind("127.0.0.1:0").unwrap();
    let file = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    let home = Home::new();
    let (peer, public) = (tcp(), TcpListener::bind("0.0.0.0:0").unwrap());
    let connected = TcpStream::connect(peer.local_addr().unwrap()).unwrap();
    let unix = UnixListener::bind(home.path("socket")).unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    for (four, environment, complaint) in [
        (OwnedFd::from(connected), PASSED, "fd 4 does not listen"),
        (unix.into(), PASSED, "fd 4 is not a valid tcp socket"),
        (udp.into(), PASSED, "fd 4 is not a valid tcp socket"),
        (file(), PASSED, "fd 4 is not a socket"),
        (public.into(), PASSED, "server.http"),
        (file(), "LISTEN_PID=$$ LISTEN_FDS=-1", "LISTEN_FDS=\"-1\" is not a number from 0 to 64"),
        (file(), "LISTEN_PID=$$ LISTEN_FDS=65", "LISTEN_FDS=\"65\" is not a number"),
        (file(), "LISTEN_PID=$$ LISTEN_FDS=two", "LISTEN_FDS=\"two\" is not a number"),
    ] {
        let mut server = Started::with(&home, [tcp().into(), four], environment, "--http");
        assert_eq!(server.child.wait().unwrap().code(), Some(1), "{environment}");
        server.until_logged(complaint);
    }
    // Passed to another process, such as the shell that started this one.
    for environment in ["LISTEN_PID=1 LISTEN_FDS=2", "LISTEN_FDS=2", "LISTEN_PID=$$", "LISTEN_PID=$$ LISTEN_FDS=0"] {
        let socket = tcp();
        let address = socket.local_addr().unwrap();
        let server = Started::with(&home, [socket.into(), file()], environment, "--http --listen 127.0.0.1:0");
        server.until_logged("listening on http://127.0.0.1:");
        assert!(!server.log.lock().unwrap().contains(&address.to_string()), "{environment}");
        server.stop();
    }
}

#[test]
fn systemd_starts_a_server_on_the_first_connection() {
    let home = Home::new();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let mut command = home.program("systemd-socket-activate");
    command.args([
        "--listen",
        &address.to_string(),
        "--setenv",
        "HOME",
        env!("CARGO_BIN_EXE_dskpp"),
        "serve",
        "--http",
    ]);
    let child = match command.stdout(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(why) => {
            let is_required = std::env::var("DSKPP_PEER_CHECKS").as_deref() == Ok("required");
            assert!(!is_required, "systemd-socket-activate cannot be run: {why}");
            println!("not checked: systemd-socket-activate cannot be run ({why})");
            return;
        }
    };
    let server = Started::of(child);
    server.until_logged("Listening on");
    assert!(health(address).unwrap().starts_with("HTTP/1.1 200"));
    server.until_logged(&format!("listening on the passed socket {address}"));
    server.stop();
}

#[test]
fn the_packaged_configuration_starts_a_server_and_its_examples_are_valid() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/dskpp.toml");
    let home = Home::new();
    let server = Server::start_with(&home, &["--config", file, "--data-dir", "dskpp-data"]);
    assert_eq!(server.post("<no-message/>"), 400);
    let text = std::fs::read_to_string(file).unwrap();
    let is_setting = |rest: &str| rest.starts_with('[') || rest.contains(" = ") && !rest.starts_with(' ');
    let lines = text.lines().map(|line| line.strip_prefix('#').filter(|rest| is_setting(rest)).unwrap_or(line));
    let all = lines.collect::<Vec<_>>().join("\n");
    let config = dskpp_server::Config::read(&all, []).unwrap();
    config.check().unwrap();
    assert!(config.server.drain_s > 0 && !config.database.url.is_empty() && !config.proxy.trusted.is_empty(), "{all}");
}
