//! A person's folder in which the built program is run, and a server in it.

#![allow(dead_code, reason = "each test uses its part")]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dskpp::auth_code::AuthCode;
use dskpp_crypto::Secret;
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take; far above what it does take.
const MOST: Duration = Duration::from_secs(60);
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// A folder in which somebody works: no setting of this machine's user reaches the program there.
pub(crate) struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a command left.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// The one JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        let mut documents = serde_json::Deserializer::from_str(&self.out).into_iter::<Value>();
        match (documents.next(), documents.next()) {
            (Some(Ok(document)), None) => document,
            _ => panic!("not exactly one JSON document: {self:#?}"),
        }
    }

    pub(crate) fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Home { folder, variables: vec![("DSKPP_STORE_PASSPHRASE".into(), PASSPHRASE.into())] }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Sets a variable for every command from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(other, _)| other != name);
        self.variables.push((name.into(), value.into()));
    }

    fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_dskpp"));
        command.args(args);
        command
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DSKPP_") {
                command.env_remove(name);
            }
        }
        command.env_remove("RUST_LOG").env_remove("XDG_DATA_HOME").env("HOME", self.folder.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Done {
        finish(self.command(args).spawn().unwrap())
    }

    /// The same, with something on standard input.
    pub(crate) fn run_with<S: AsRef<OsStr>>(&self, args: &[S], input: &str) -> Done {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        finish(child)
    }

    /// Runs a command in a terminal, and types a line there once it has asked with `prompt`. What the terminal showed is
    /// in `out`. `None` where there is no `script` (util-linux) to make a terminal with.
    pub(crate) fn run_in_terminal(&self, args: &[&str], prompt: &str, line: &str) -> Option<Done> {
        let words = [&[env!("CARGO_BIN_EXE_dskpp")], args].concat();
        let words: Vec<_> = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
        let mut script = self.program("script");
        script.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]).stdin(Stdio::piped());
        let mut child = match script.spawn() {
            Ok(child) => child,
            Err(why) => {
                assert!(std::env::var("DSKPP_PEER_CHECKS").as_deref() != Ok("required"), "script cannot be run: {why}");
                println!("not checked: script cannot be run ({why})");
                return None;
            }
        };
        let (mut out, mut shown) = (child.stdout.take().unwrap(), Vec::new());
        let mut octet = [0];
        while !shown.ends_with(prompt.as_bytes()) && out.read_exact(&mut octet).is_ok() {
            shown.push(octet[0]);
        }
        let mut keyboard = child.stdin.take().unwrap();
        writeln!(keyboard, "{line}").unwrap();
        let _ = out.read_to_end(&mut shown);
        let code = child.wait().unwrap().code();
        Some(Done { code, out: String::from_utf8_lossy(&shown).into_owned(), err: String::new() })
    }

    /// Begins a command and ends it with SIGKILL after a while.
    pub(crate) fn spawn_and_kill(&self, args: &[&str], after: Duration) {
        let mut child = self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Runs a command that succeeds, with `--json`: its document.
    pub(crate) fn json<S: AsRef<OsStr>>(&self, args: &[S]) -> Value {
        let mut all: Vec<&OsStr> = args.iter().map(AsRef::as_ref).collect();
        all.push("--json".as_ref());
        self.run(&all).success().json()
    }
}

impl Home {
    /// Runs a command that fails with exit code 1, with `--json`: its document.
    pub(crate) fn json_of_failure(&self, args: &[&str]) -> Value {
        let done = self.run(&[args, &["--json"]].concat());
        assert_eq!(done.code, Some(1), "{done:#?}");
        done.json()
    }
}

fn finish(mut child: Child) -> Done {
    let (out, err) = (drain(child.stdout.take().unwrap()), drain(child.stderr.take().unwrap()));
    let until = Instant::now() + MOST;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            None => {
                let _ = child.kill();
                panic!("the command does not end: {}", err.join().unwrap());
            }
        }
    };
    Done { code: status.code(), out: out.join().unwrap(), err: err.join().unwrap() }
}

fn drain(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        let _ = from.read_to_end(&mut all);
        String::from_utf8_lossy(&all).into_owned()
    })
}

/// A seeded sequence (SplitMix64), so that a failure can be repeated with about the same moments.
pub(crate) struct Moments(u64);

impl Moments {
    pub(crate) fn new() -> Self {
        let seed = std::env::var("DSKPP_CRASH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(6063);
        println!("seed {seed} (set DSKPP_CRASH_SEED for others)");
        Moments(seed)
    }

    /// Somewhere in the first 110 % of `whole`.
    pub(crate) fn within(&mut self, whole: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        whole.mul_f64(((mixed ^ (mixed >> 31)) % 1101) as f64 / 1000.0)
    }
}

/// A process that does not outlive the test.
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

/// A `dskpp serve` with its data in `dskpp-data` of a home. It is killed when it goes.
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
    /// Starts a server on a free port; the home's admin commands go to it.
    pub(crate) fn start(home: &mut Home) -> Self {
        let server = Self::start_on(home, 0);
        home.set("DSKPP_ADMIN_SERVER", &format!("https://127.0.0.1:{}", server.port));
        server
    }

    /// Starts a server on a port, which may still be in use for a moment.
    pub(crate) fn start_on(home: &Home, port: u16) -> Self {
        let mut server = Self::start_unread(home, port);
        server.read_log();
        server
    }

    /// Starts a server on a free port, with more options.
    pub(crate) fn start_with(home: &Home, options: &[&str]) -> Self {
        let mut server = Self::try_start(home, 0, options).unwrap_or_else(|log| panic!("it does not start: {log}"));
        server.read_log();
        server
    }

    /// Starts a server whose log nobody reads from the moment on when it is ready.
    pub(crate) fn start_unread(home: &Home, port: u16) -> Self {
        let until = Instant::now() + MOST;
        loop {
            match Self::try_start(home, port, &[]) {
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

    /// Waits for the end of the process: its exit code, nothing where a signal ended it.
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

    /// POST of a DSKPP message, or of what is none: the status.
    pub(crate) fn post(&self, body: &str) -> u16 {
        let request = self.http.post(self.url()).header("Content-Type", "application/dskpp+xml").body(body.to_owned());
        self.runtime.block_on(async { request.send().await.unwrap().status().as_u16() })
    }

    /// A call of the admin API: the status and the document.
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

    /// The process, for who looks at it from outside.
    pub(crate) fn process(&self) -> u32 {
        self.process.0.id()
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

/// An authentication code as a person types it, with this password.
pub(crate) fn code_of(client_id: &str, password: &str) -> String {
    let code = AuthCode::new(client_id, &Secret::from_slice(password.as_bytes())).unwrap();
    String::from_utf8(code.encode(true).expose().to_vec()).unwrap()
}

/// A member of a document that is a text.
pub(crate) fn text(document: &Value, name: &str) -> String {
    document[name].as_str().unwrap_or_else(|| panic!("no {name} in {document}")).to_owned()
}

/// The program's folder, to be named in arguments.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
