//! A server that a test starts.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use super::{Home, MOST, text};

/// A process that is killed when the test ends.
struct Process(Child);

impl Process {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A `dskpp serve` with its data in `dskpp-data` of a home; killed on drop.
pub(crate) struct Server {
    process: Process,
    pub(crate) port: u16,
    pub(crate) token: String,
    pub(crate) ca: PathBuf,
    log: Arc<Mutex<String>>,
    unread: Option<BufReader<ChildStderr>>,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    /// Starts a server on a free port, for the home's admin commands.
    pub(crate) fn start(home: &mut Home) -> Self {
        let server = Self::start_on(home, 0);
        home.set("DSKPP_ADMIN_SERVER", &format!("https://127.0.0.1:{}", server.port));
        server
    }

    /// Starts a server on a port that may still be in use for a moment.
    pub(crate) fn start_on(home: &Home, port: u16) -> Self {
        Self::start_at(home, port, &[])
    }

    /// Starts a server on a free port, with further options.
    pub(crate) fn start_with(home: &Home, options: &[&str]) -> Self {
        let mut server = Self::try_start(home, 0, options).unwrap_or_else(|log| panic!("it does not start: {log}"));
        server.read_log();
        server
    }

    /// Starts a server whose log is not read once it is ready.
    pub(crate) fn start_unread(home: &Home, port: u16) -> Self {
        Self::retry_start(home, port, &[])
    }

    /// Starts a server on a port that may still be in use for a moment, with further options.
    pub(crate) fn start_at(home: &Home, port: u16, options: &[&str]) -> Self {
        let mut server = Self::retry_start(home, port, options);
        server.read_log();
        server
    }

    fn retry_start(home: &Home, port: u16, options: &[&str]) -> Self {
        let until = Instant::now() + MOST;
        loop {
            match Self::try_start(home, port, options) {
                Ok(server) => return server,
                Err(log) if log.contains("cannot listen") && Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(log) => panic!("the server does not start: {log}"),
            }
        }
    }

    fn try_start(home: &Home, port: u16, options: &[&str]) -> Result<Self, String> {
        let listen = format!("127.0.0.1:{port}");
        let command = [&["serve", "--listen", &listen], options].concat();
        let mut process = Process(home.command(&command).spawn().unwrap());
        let mut lines = BufReader::new(process.0.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(String::new()));
        let port = loop {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap_or(0) == 0 {
                return Err(log.lock().unwrap().clone());
            }
            log.lock().unwrap().push_str(&line);
            if let Some((_, address)) = line.split_once("listening on http") {
                let port = address.trim().rsplit_once(':').unwrap().1;
                break port.trim_end_matches(|end: char| !end.is_ascii_digit()).parse().unwrap(); // JSON closes its line
            }
        };
        let (token, ca) = (home.path("dskpp-data/admin-token"), home.path("dskpp-data/tls/ca.pem"));
        let token = std::fs::read_to_string(token).unwrap().trim().to_owned();
        assert!(home.postgres().is_none() || !home.path("dskpp-data/dskpp.db").exists(), "it is not on PostgreSQL");
        let http = client(&ca);
        let runtime = runtime();
        Ok(Server { process, port, token, ca, log, unread: Some(lines), http, runtime })
    }

    /// From now on the log is read.
    pub(crate) fn read_log(&mut self) {
        let (kept, lines) = (Arc::clone(&self.log), self.unread.take().unwrap());
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                kept.lock().unwrap().push_str(&(line + "\n"));
            }
        });
    }

    /// Closes the reading end of the log.
    pub(crate) fn close_log(&mut self) {
        self.unread.take().unwrap();
    }

    /// Sends the process a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Waits for the process to end; returns its exit code, `None` after a signal.
    pub(crate) fn ended(&mut self, most: Duration) -> Option<i32> {
        let until = Instant::now() + most;
        loop {
            match self.process.0.try_wait().unwrap() {
                Some(status) => return status.code(),
                None if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                None => panic!("the server does not end within {most:?}:\n{}", self.log()),
            }
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}/dskpp", self.port)
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// GET of a whole URL.
    pub(crate) fn get(&self, url: &str, accept: &str) -> (u16, Vec<u8>) {
        self.runtime.block_on(async {
            let answer = self.http.get(url).header("Accept", accept).send().await.unwrap();
            (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
        })
    }

    /// POST of a DSKPP message or another body; returns the status.
    pub(crate) fn post(&self, body: &str) -> u16 {
        let request = self.http.post(self.url()).header("Content-Type", "application/dskpp+xml").body(body.to_owned());
        self.runtime.block_on(async { request.send().await.unwrap().status().as_u16() })
    }

    /// A call of the admin API; returns status and document.
    pub(crate) fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("https://localhost:{}/api/v1{path}", self.port);
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
        })
    }

    /// A call that must succeed.
    pub(crate) fn api(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let (status, document) = self.call(method, path, body);
        assert!((200..300).contains(&status), "{path}: {status} {document}\n{}", self.log());
        document
    }

    pub(crate) fn validate(&self, body: &Value) -> Value {
        self.api(Method::POST, "/validate", Some(body))
    }

    pub(crate) fn state(&self, enrolment: &Value) -> String {
        text(&self.api(Method::GET, &format!("/enrolments/{}", text(enrolment, "id")), None), "state")
    }

    pub(crate) fn secret(&self, key_id: &str) -> String {
        text(&self.api(Method::GET, &format!("/keys/{key_id}/secret"), None), "secret_hex")
    }

    /// Closes this side's connections.
    pub(crate) fn close_connections(&mut self) {
        self.http = client(&self.ca);
        self.runtime = runtime(); // the tasks of the other one hold them
    }

    /// SIGKILL, at once.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn client(ca: &Path) -> reqwest::Client {
    let tls = dskpp_client::transport::tls_config(ca.exists().then_some(ca)).unwrap(); // there is none without TLS
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().timeout(MOST).build().unwrap()
}
