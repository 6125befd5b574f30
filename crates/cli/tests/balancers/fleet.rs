//! Two servers on one database, and a balancer in front of them with its file from `packaging/`.

use std::fs::File;
use std::net::{IpAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dskpp_crypto::{Random as _, SystemRandom};
use reqwest::{Client, RequestBuilder};

use crate::support::{Home, Server, shown};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    HaProxy,
    Nginx,
}

/// The program, found also where only administrators look.
fn program(kind: Kind) -> Command {
    let name = match kind {
        Kind::HaProxy => "haproxy",
        Kind::Nginx => "nginx",
    };
    let mut command = Command::new(name);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/usr/local/sbin"));
    command
}

pub(crate) struct Fleet {
    pub(crate) home: Home,
    pub(crate) nodes: [Server; 2],
    /// URL of the balancer, with the prefix.
    pub(crate) origin: String,
    kind: Kind,
    balancer: Child,
    runtime: tokio::runtime::Runtime,
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.balancer.kill();
        let _ = self.balancer.wait();
    }
}

impl Fleet {
    /// `None` if the balancer is not installed.
    pub(crate) fn start(kind: Kind, settings: &[(&str, &str)]) -> Option<Self> {
        if let Err(why) = program(kind).arg("-v").output() {
            assert!(std::env::var("DSKPP_PEER_CHECKS").as_deref() != Ok("required"), "{kind:?} cannot be run: {why}");
            println!("not checked: {kind:?} cannot be run ({why})");
            return None;
        }
        let mut home = Home::new();
        let [port, one, two] = free_ports();
        let origin = format!("https://localhost:{port}/keys");
        for (name, value) in [
            ("DSKPP_SERVER_PUBLIC_URLS", &*format!("{origin}/dskpp")),
            ("DSKPP_PROXY_TRUSTED", "127.0.0.1"),
            ("DSKPP_PROXY_HEADER", "x-forwarded-for"),
            ("DSKPP_SERVER_DRAIN_S", "5"),
            ("DSKPP_ADMIN_SERVER", &origin),
        ] {
            home.set(name, value);
        }
        settings.iter().for_each(|(name, value)| home.set(name, value));
        let nodes = [one, two].map(|port| Server::start_on(&home, port));
        let balancer = balancer(&home, kind, port, [one, two]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let fleet = Fleet { home, nodes, origin, kind, balancer, runtime };
        fleet.until_it_answers();
        Some(fleet)
    }

    /// Starts a stopped node again.
    pub(crate) fn restart(&mut self, at: usize) {
        self.nodes[at] = Server::start_on(&self.home, self.nodes[at].port);
    }

    pub(crate) fn ca(&self) -> String {
        shown(&self.nodes[0].ca)
    }

    /// A client at that address of this machine, which trusts the private CA.
    pub(crate) fn client_at(&self, address: [u8; 4]) -> Client {
        let tls = dskpp_client::transport::tls_config(Some(&self.nodes[0].ca)).unwrap();
        let client = Client::builder().tls_backend_preconfigured(tls).no_proxy().local_address(IpAddr::from(address));
        client.timeout(Duration::from_secs(60)).build().unwrap()
    }

    /// Sends a request; returns status and body, or `None` if there is no answer.
    pub(crate) fn try_send(&self, request: RequestBuilder) -> Option<(u16, String)> {
        self.runtime.block_on(async {
            let answer = request.send().await.ok()?;
            Some((answer.status().as_u16(), answer.text().await.ok()?))
        })
    }

    /// Sends a request that gets an answer.
    pub(crate) fn send(&self, request: RequestBuilder) -> (u16, String) {
        self.try_send(request).unwrap()
    }

    /// What the balancer has logged.
    pub(crate) fn access_log(&self) -> String {
        std::fs::read_to_string(self.home.path("access.log")).unwrap()
    }

    fn until_it_answers(&self) {
        let (client, until) = (self.client_at([127, 0, 0, 1]), Instant::now() + Duration::from_secs(30));
        let asked = || self.try_send(client.get(format!("{}/enroll/0", self.origin)));
        while asked().is_none_or(|(status, _)| status != 404) {
            let said = std::fs::read_to_string(self.home.path("balancer.err")).unwrap();
            assert!(Instant::now() < until, "{:?} does not answer: {said}", self.kind);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Free ports that the system gives to no outgoing connection.
fn free_ports() -> [u16; 3] {
    let mut held = Vec::new();
    while held.len() < 3 {
        let octets: [u8; 2] = SystemRandom.bytes(2).try_into().unwrap();
        let port = 16_384 + u16::from_be_bytes(octets) % 16_384;
        held.extend(TcpListener::bind(("127.0.0.1", port)));
    }
    [0, 1, 2].map(|at: usize| held[at].local_addr().unwrap().port())
}

/// Starts the balancer with its file from `packaging/`: with ports and paths of this test, and without what needs root.
fn balancer(home: &Home, kind: Kind, port: u16, nodes: [u16; 2]) -> Child {
    let tls = |name: &str| std::fs::read_to_string(home.path("dskpp-data/tls").join(name)).unwrap();
    let certificate = shown(&home.write("cert.pem", tls("cert.pem") + &tls("key.pem")));
    let (ca, log) = (shown(&home.path("dskpp-data/tls/ca.pem")), home.path("access.log"));
    let [one, two] = nodes.map(|node| format!("127.0.0.1:{node}"));
    let listen = format!("127.0.0.1:{port}");
    let place = |name: &str, changes: &[(&str, &str)]| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(name);
        let mut text = std::fs::read_to_string(file).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{name} has no {from:?}");
            text = text.replace(from, to);
        }
        shown(&home.write(name, text))
    };
    let servers = [("10.0.0.11:8443", &*one), ("10.0.0.12:8443", &*two), ("keys.example.com", "localhost")];
    let mut command = program(kind);
    match kind {
        Kind::HaProxy => {
            let paths = [
                ("/dev/log local0", "stdout format raw local0"),
                ("    chroot /var/lib/haproxy\n    user haproxy\n    group haproxy\n", ""),
                ("maxconn 20000", "maxconn 1000"),
                ("bind :443", &*format!("bind {listen}")),
                ("/etc/haproxy/keys.example.com.pem", &certificate),
                ("/etc/haproxy/dskpp-ca.pem", &ca),
            ];
            command.args(["-db", "-f", &place("haproxy.cfg", &[&paths[..], &servers].concat())]);
            command.stdout(File::create(&log).unwrap());
        }
        Kind::Nginx => {
            let paths = [
                ("listen 443 ", &*format!("listen {listen} ")),
                ("/etc/nginx/keys.example.com.pem", &certificate),
                ("/etc/nginx/keys.example.com.key", &certificate),
                ("/etc/nginx/dskpp-ca.pem", &ca),
                ("/var/log/nginx/dskpp.log", &shown(&log)),
                ("/var/log/nginx/dskpp-error.log", "stderr"),
            ];
            let site = place("nginx.conf", &[&paths[..], &servers].concat());
            let folder = shown(&home.path(""));
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
            let temporary = temporary.map(|name| format!("{name}_temp_path {folder}/{name};")).concat();
            let main = format!(
                "daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;\n\
                 events {{}}\nhttp {{ {temporary} include {site}; }}\n"
            );
            command.args(["-e", "stderr", "-c", &shown(&home.write("main.conf", main))]);
            command.stdout(Stdio::null());
        }
    }
    command.stderr(File::create(home.path("balancer.err")).unwrap()).stdin(Stdio::null()).spawn().unwrap()
}
