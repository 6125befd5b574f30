//! A home folder for the built program, with a server in it.

#![allow(dead_code, unused_imports, reason = "each test uses its part")]

mod postgres;
mod server;

use std::ffi::OsStr;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dskpp::auth_code::AuthCode;
use dskpp_crypto::Secret;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use postgres::PostgresDatabase;
pub(crate) use server::Server;

/// The timeout for anything; far above actual durations.
const MOST: Duration = Duration::from_secs(60);
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// A home folder, isolated from the settings of this machine's user. Its servers have one database: a file in
/// `dskpp-data`, or a database of the PostgreSQL server that `DSKPP_TEST_POSTGRES` names.
pub(crate) struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
    is_on_postgres: bool,
    database: OnceLock<PostgresDatabase>,
}

/// The outcome of a command.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// The only JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        let mut documents = serde_json::Deserializer::from_str(&self.out).into_iter::<Value>();
        match (documents.next(), documents.next()) {
            (Some(Ok(document)), None) => document,
            _ => panic!("not exactly one JSON document: {self:#?}"),
        }
    }

    /// The end of a command that was begun.
    pub(crate) fn of(child: Child) -> Self {
        finish(child)
    }

    pub(crate) fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        Home { is_on_postgres: std::env::var_os("DSKPP_TEST_POSTGRES").is_some(), ..Self::on_sqlite() }
    }

    /// A home whose database is a file in any case.
    pub(crate) fn on_sqlite() -> Self {
        let variables = vec![("DSKPP_STORE_PASSPHRASE".into(), PASSPHRASE.into())];
        let folder = tempfile::tempdir().unwrap();
        Home { folder, variables, is_on_postgres: false, database: OnceLock::new() }
    }

    /// The database of this home's servers, if it is none of SQLite's files.
    pub(crate) fn postgres(&self) -> Option<&PostgresDatabase> {
        let new = || {
            use std::os::unix::fs::PermissionsExt as _;
            let (folder, kek) = (self.path("dskpp-data"), self.path("dskpp-data/kek"));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&kek, "a5".repeat(32)).unwrap();
            for (path, mode) in [(&folder, 0o700), (&kek, 0o600)] {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
            }
            PostgresDatabase::new()
        };
        self.is_on_postgres.then(|| self.database.get_or_init(new))
    }

    /// What makes a server use it.
    pub(crate) fn postgres_settings(&self) -> Option<[(&'static str, String); 2]> {
        let url = self.postgres()?.url();
        Some([("DSKPP_DATABASE_URL", url), ("DSKPP_SEAL_KEK_FILE", shown(&self.path("dskpp-data/kek")))])
    }

    /// Changes rows of the servers' database behind their back.
    pub(crate) fn in_database(&self, sql: &str) {
        match self.postgres() {
            Some(database) => _ = database.sql(sql),
            None => {
                let database = rusqlite::Connection::open(self.path("dskpp-data/dskpp.db")).unwrap();
                database.execute_batch(sql).unwrap();
            }
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Sets a variable for all further commands.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(other, _)| other != name);
        self.variables.push((name.into(), value.into()));
    }

    fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_dskpp"));
        command.args(args);
        let subcommand = args.first().and_then(|first| first.as_ref().to_str()).unwrap_or_default();
        if matches!(subcommand, "serve" | "database" | "seal")
            && let Some(settings) = self.postgres_settings()
        {
            command.envs(settings);
            if subcommand == "serve" && !args.iter().any(|arg| arg.as_ref() == "--init") {
                command.arg("--init"); // a shared database is created only where somebody says so
            }
        }
        command
    }

    pub(crate) fn program(&self, name: &str) -> Command {
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

    /// Begins a command, whose end [`Done::of`] awaits.
    pub(crate) fn begin<S: AsRef<OsStr>>(&self, args: &[S]) -> Child {
        self.command(args).spawn().unwrap()
    }

    /// The same, with standard input.
    pub(crate) fn run_with<S: AsRef<OsStr>>(&self, args: &[S], input: &str) -> Done {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        finish(child)
    }

    /// Runs a command in a terminal, and types a line after `prompt`. The terminal's output
    /// is in `out`. `None` if there is no `script` (util-linux) to provide a terminal.
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

    /// Starts a command and kills it (SIGKILL) after a while.
    pub(crate) fn spawn_and_kill(&self, args: &[&str], after: Duration) {
        let mut child = self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Runs a successful command with `--json`; returns its document.
    pub(crate) fn json<S: AsRef<OsStr>>(&self, args: &[S]) -> Value {
        let mut all: Vec<&OsStr> = args.iter().map(AsRef::as_ref).collect();
        all.push("--json".as_ref());
        self.run(&all).success().json()
    }
}

impl Home {
    /// Runs a command that fails with exit code 1, with `--json`; returns its document.
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

/// A seeded sequence (SplitMix64), to reproduce failures with about the same timing.
pub(crate) struct Moments(u64);

impl Moments {
    pub(crate) fn new() -> Self {
        let seed = std::env::var("DSKPP_CRASH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(6063);
        println!("seed {seed} (set DSKPP_CRASH_SEED for others)");
        Moments(seed)
    }

    /// A moment in the first 110 % of `whole`.
    pub(crate) fn within(&mut self, whole: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        whole.mul_f64(((mixed ^ (mixed >> 31)) % 1101) as f64 / 1000.0)
    }
}

/// An authentication code as typed, with this password.
pub(crate) fn code_of(client_id: &str, password: &str) -> String {
    let code = AuthCode::new(client_id, &Secret::from_slice(password.as_bytes())).unwrap();
    String::from_utf8(code.encode(true).expose().to_vec()).unwrap()
}

/// A string member of a document.
pub(crate) fn text(document: &Value, name: &str) -> String {
    document[name].as_str().unwrap_or_else(|| panic!("no {name} in {document}")).to_owned()
}

/// The program's folder, as an argument.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
