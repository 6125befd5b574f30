//! The measured server, in its own process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Args;
use dskpp_crypto::{Random as _, SystemRandom};
use dskpp_server::{Config, ServerOptions};

use crate::log;
use crate::output::Failure;

/// Options of the child process; internal.
#[derive(Args)]
pub(crate) struct BenchServer {
    #[arg(long)]
    data_dir: PathBuf,
    #[arg(long)]
    http: bool,
    #[arg(long)]
    no_kdf_cost: bool,
    /// Keep the limits of `dskpp serve`.
    #[arg(long)]
    limits: bool,
    /// The PostgreSQL database to use, and the file with its key-encryption key.
    #[arg(long, requires = "kek")]
    database: Option<String>,
    #[arg(long)]
    kek: Option<PathBuf>,
}

impl BenchServer {
    /// Runs a server like `dskpp serve`, on any free loopback port, and prints its address and that of its metrics, a
    /// line each. Without limits per address, unless they are measured.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut config = Config::default();
        config.server.data_dir = self.data_dir;
        config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        config.server.http = self.http;
        config.metrics.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        if !self.limits {
            config.limits.requests_per_address_per_s = 0;
            config.limits.requests_per_s = 0;
            config.limits.max_connections_per_address = config.limits.max_connections;
            config.limits.crypto_queue = 8192;
            config.limits.crypto_wait_s = 60;
        }
        config.database.url = self.database.unwrap_or_default();
        config.seal.kek_file = self.kek.unwrap_or_default();
        config.log.level = "warn".into();
        log::start(&config.log, None)?;
        // The parent holds the other end: the server ends with it, however it ends.
        std::thread::spawn(|| {
            _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            std::process::exit(0);
        });
        let iteration_floor_for_bench = self.no_kdf_cost.then_some(1);
        let options = ServerOptions { iteration_floor_for_bench, init: true, ..ServerOptions::default() };
        let ready = |running: &dskpp_server::Running| {
            let metrics = running.metrics_address().map_or(String::new(), |address| address.to_string());
            _ = writeln!(std::io::stdout(), "{}\n{metrics}", running.address()); // without a reader, there is no use
        };
        dskpp_server::run(config, options, ready, || Ok(Config::default())).map_err(Failure::new)
    }
}

/// The server's data folder within the child's folder: the server creates it with the mode that it needs.
const DATA: &str = "data";

/// The child process; dropping this ends it and removes its folder.
pub(crate) struct Child {
    process: std::process::Child,
    folder: tempfile::TempDir,
    pub(super) origin: String,
    /// Where it shows its metrics.
    pub(super) metrics: SocketAddr,
    http: bool,
}

impl Child {
    /// `option`: an additional option of [`BenchServer`]; `database`: a PostgreSQL database to use.
    pub(super) fn start(http: bool, option: Option<&str>, database: Option<&str>) -> Result<Self, Failure> {
        let failed = |why: std::io::Error| Failure::new(format!("cannot start the server to measure: {why}"));
        let folder = tempfile::tempdir().map_err(failed)?;
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        let data_dir = folder.path().join(DATA);
        command.arg("bench-server").arg("--data-dir").arg(data_dir).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.args(http.then_some("--http")).args(option);
        if let Some(url) = database {
            let kek = folder.path().join("kek");
            let digits = data_encoding::HEXLOWER.encode(SystemRandom.secret(32).expose());
            std::fs::write(&kek, digits).map_err(failed)?; // in a folder that only its owner can open
            command.arg("--database").arg(url).arg("--kek").arg(kek);
        }
        let mut process = command.spawn().map_err(failed)?;
        let mut lines = process.stdout.take().map(|out| BufReader::new(out).lines()).into_iter().flatten();
        let mut address = || {
            let line = lines.next().transpose().map_err(failed)?.unwrap_or_default();
            line.parse::<SocketAddr>().map_err(|_| Failure::new("the server to measure did not start"))
        };
        let (address, metrics) = (address()?, address()?);
        let origin = match http {
            true => format!("http://{address}"),
            false => format!("https://localhost:{}", address.port()),
        };
        Ok(Child { process, folder, origin, metrics, http })
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn ca(&self) -> Option<PathBuf> {
        (!self.http).then(|| self.folder.path().join(DATA).join("tls/ca.pem"))
    }

    pub(super) fn token(&self) -> Result<String, Failure> {
        let token = std::fs::read_to_string(self.folder.path().join(DATA).join("admin-token"));
        token.map(|token| token.trim().to_owned()).map_err(|why| {
            Failure::new(format!(
                "cannot read the admin token: \
            {why}"
            ))
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        _ = self.process.kill(); // its data is discarded anyway
        _ = self.process.wait();
    }
}
