//! `dskpp bench`: complete enrolments against a server, as fast as possible.

mod baseline;
mod connection;
mod crowd;
mod load;
mod pool;
mod process;
mod report;
pub(crate) mod server;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::api::Api;
use crate::enroll::names::{MethodName, VariantName};
use crate::output::{Failure, Output};
use crate::pskc::material::text_file;
use crate::runtime;
use baseline::Bare;
use load::{Load, Recipe, RunKind};
use pool::PoolCost;
use process::Usage;
use server::Child;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Bench {
    #[command(subcommand)]
    other: Option<Other>,

    /// Protocol variant
    #[arg(long, value_enum, default_value = "four-pass", help_heading = "Load")]
    variant: VariantName,

    /// Key protection method for two-pass, with an RSA key of 2,048 bits or a device key of 16 octets [default: transport]
    #[arg(long, value_enum, help_heading = "Load")]
    method: Option<MethodName>,

    /// Concurrent runs [default: 16, or 384 without PBKDF2]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096), help_heading = "Load")]
    concurrency: Option<u32>,

    /// Duration of the measurement in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600), help_heading = "Load")]
    seconds: u64,

    /// Measure this many runs instead of a duration
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000_000), help_heading = "Load")]
    count: Option<u32>,

    /// Omit PBKDF2 and RSA: four-pass with a shared key and one iteration; only against the benchmark's own server
    #[arg(long, conflicts_with = "server", help_heading = "Load")]
    no_kdf_cost: bool,

    /// Use plain HTTP between benchmark and server (loopback)
    #[arg(long, conflicts_with = "server", help_heading = "Server")]
    http: bool,

    /// Have the benchmark's own server use this PostgreSQL database, which must be empty
    #[arg(long, value_name = "URL", conflicts_with = "server", help_heading = "Server")]
    database: Option<String>,

    /// Measure this server, such as https://host:8443, instead of starting one. If given several times, each message of a
    /// run goes to the next server; the first URL with /dskpp must be among `server.public_urls` of all
    #[arg(long, value_name = "URL", requires = "token_file", help_heading = "Server")]
    server: Vec<String>,

    /// Write the ids of the keys that the server acknowledged to this file, one per line
    #[arg(long, value_name = "FILE", help_heading = "Load")]
    keys: Option<PathBuf>,

    /// File with that server's admin token
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    token_file: Option<PathBuf>,

    /// CA certificates (PEM) to trust for that server instead of the system's
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    ca: Option<PathBuf>,
}

/// Further measurements.
#[derive(Subcommand)]
enum Other {
    Crowd(crowd::Crowd),
}

/// The server to measure, and whether this process started it.
struct Target {
    origin: String,
    /// Further servers on the same database.
    others: Vec<String>,
    token: String,
    ca: Option<PathBuf>,
    child: Option<Child>,
}

impl Target {
    /// Starts a server, with an additional option, on a PostgreSQL database if there is one.
    fn start(http: bool, option: Option<&str>, database: Option<&str>) -> Result<Self, Failure> {
        let child = Child::start(http, option, database)?;
        let token = child.token()?;
        Ok(Target { origin: child.origin.clone(), others: Vec::new(), token, ca: child.ca(), child: Some(child) })
    }
}

impl Bench {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        if let Some(Other::Crowd(crowd)) = self.other {
            return crowd.run(output);
        }
        let kind = self.kind()?;
        let target = self.target()?;
        runtime()?.block_on(self.measure(&target, kind, output))
    }

    fn kind(&self) -> Result<RunKind, Failure> {
        match (self.variant, self.method, self.no_kdf_cost) {
            (VariantName::FourPass, None, true) => Ok(RunKind::FourPassShared),
            (VariantName::FourPass, None, false) => Ok(RunKind::FourPass),
            (VariantName::TwoPass, method, false) => Ok(RunKind::TwoPass(method.unwrap_or(MethodName::Transport))),
            (VariantName::FourPass, Some(_), _) => {
                Err(Failure::usage("four-pass has no key protection method").next("add --variant two-pass"))
            }
            (VariantName::TwoPass, _, true) => Err(Failure::usage("--no-kdf-cost applies to four-pass only")
                .next("use --method wrap for two-pass without PBKDF2 and RSA")),
        }
    }

    fn target(&self) -> Result<Target, Failure> {
        if let ([origin, others @ ..], Some(token_file)) = (&self.server[..], &self.token_file) {
            let token = text_file(token_file)?;
            let plain = |origin: &String| origin.trim_end_matches('/').to_owned();
            let (origin, others) = (plain(origin), others.iter().map(plain).collect());
            return Ok(Target { origin, others, token: token.trim().to_owned(), ca: self.ca.clone(), child: None });
        }
        Target::start(self.http, self.no_kdf_cost.then_some("--no-kdf-cost"), self.database.as_deref())
    }

    async fn measure(&self, target: &Target, kind: RunKind, output: &Output) -> Result<(), Failure> {
        let api = Api::new(&target.origin, &target.token, target.ca.as_deref())?;
        let recipe = Recipe::new(&api, target, kind).await?;
        let concurrency = self.concurrency.unwrap_or(if kind.is_slow() { 16 } else { 384 });
        let load = Load { recipe, concurrency: concurrency as usize };

        // A pilot warms everything up and estimates how many enrolments are needed.
        let pilot_runs = (concurrency * if kind.is_slow() { 4 } else { 64 }).min(self.count.unwrap_or(u32::MAX));
        let pilot_codes = load::enrolments(&api, pilot_runs, None).await?;
        let pilot = load.run(pilot_codes, None, None).await?;
        let wanted = match self.count {
            Some(count) => count,
            None => (pilot.runs_per_second() * self.seconds as f64 * 1.4).ceil().max(1.0) as u32,
        };
        let codes = load::enrolments(&api, wanted, self.bar(output, wanted, "preparing")).await?;

        let bare = kind.is_slow().then(|| Bare::begin(kind)).transpose()?;
        let pool_before = PoolCost::of(target.child.as_ref()).await?;
        let usage = target.child.as_ref().map(|child| Usage::of(child.pid()));
        let deadline = self.count.is_none().then(|| Duration::from_secs(self.seconds));
        let measured = load.run(codes, deadline, self.bar(output, wanted, "measuring")).await?;
        let used = usage.map(Usage::finish);
        let pool = PoolCost::of(target.child.as_ref()).await?.since(&pool_before);
        let bare = bare.map(Bare::finish).transpose()?;
        if let Some(file) = &self.keys {
            let ids = [pilot.keys.as_slice(), &measured.keys].concat();
            let text = ids.iter().map(|id| format!("{id}\n")).collect::<String>();
            std::fs::write(file, text)
                .map_err(|why| Failure::new(format!("cannot write {}: {why}", file.display())))?;
        }
        let report = report::LoadReport::new(kind, concurrency, &measured, used, bare, &pool);
        if measured.all_succeeded() {
            return output.print(&report.document(), || report.text());
        }
        output.say(report.text());
        let why = "some runs failed: the figures do not describe a healthy server";
        Err(Failure::new(why).with(report.document()))
    }

    fn bar(&self, output: &Output, len: u32, what: &'static str) -> Option<ProgressBar> {
        if output.json {
            return None;
        }
        let bar = ProgressBar::new(u64::from(len)); // draws on standard error, and only on a terminal
        let style = ProgressStyle::with_template("{msg:10} {wide_bar} {pos}/{len} {per_sec} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what);
        Some(bar)
    }
}
