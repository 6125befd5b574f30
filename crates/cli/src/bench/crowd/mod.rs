//! `dskpp bench crowd`: what users experience while strangers load the server as heavily as they can (docs/load.md).
//! Every client has its own loopback address.

mod beside;
mod imports;
mod report;
mod strangers;
mod users;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::Target;
use super::load::{Recipe, RunKind};
use super::process::rss_mib;
use crate::api::Api;
use crate::output::{Failure, Output};
use crate::platform::open_more_files;
use crate::runtime;
use beside::Beside;
use report::CrowdReport;
use strangers::Strangers;
use users::Users;

/// After this the server has seen the strangers, and the bounds apply.
const WARM_UP: Duration = Duration::from_secs(5);
/// Clients give up after this.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measure what users experience while strangers load the server as heavily as they can
///
/// Each case starts a server with the default limits of `dskpp serve`. Strangers connect from addresses in 127.0.0.0/8
/// (on Linux). Meanwhile users enrol four times a second, every other one from a new address, and cheap requests arrive
/// ten times a second. Exit code 1 if the server misses a bound; docs/load.md lists the bounds of each case.
#[derive(Args)]
pub(super) struct Crowd {
    /// Cases to run, one after the other [default: all]
    #[arg(value_enum)]
    cases: Vec<CrowdCase>,

    /// Duration of each case in seconds; the bounds apply after the first 5 seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(6..=3600), help_heading = "Load")]
    seconds: u64,

    /// Strangers' runs started per second [default: as the case defines]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "Load")]
    rate: Option<u32>,

    /// Use plain HTTP
    #[arg(long, help_heading = "Server")]
    http: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum CrowdCase {
    /// 800 runs per second with wrong codes, from 500 addresses
    Fixed,
    /// 20 runs per second with wrong codes from one address, each with 200,000 iterations
    Dear,
    /// 800 runs per second with wrong codes, each from a new address
    New,
    /// 40 concurrent imports by an administrator, 20,000 keys each
    Imports,
}

impl Crowd {
    pub(super) fn run(self, output: &Output) -> Result<(), Failure> {
        // Each stranger's run is a connection. A lower limit of the system shows in the figures.
        open_more_files();

        let all = <CrowdCase as clap::ValueEnum>::value_variants();
        let cases = if self.cases.is_empty() { all } else { &self.cases };
        let (mut documents, mut missed) = (Vec::new(), Vec::new());
        for case in cases {
            let report = runtime()?.block_on(self.measure(*case))?;
            output.say(report.text());
            missed.extend(report.missed().into_iter().map(|bound| format!("{}: {bound}", case.name())));
            documents.push(report.document());
        }
        let document = json!({ "cases": documents });
        match missed.is_empty() {
            true if output.json => output.print(&document, String::new),
            true => Ok(()),
            false => Err(Failure::new(format!("missed bounds: {}", missed.join("; "))).with(document)),
        }
    }

    async fn measure(&self, case: CrowdCase) -> Result<CrowdReport, Failure> {
        let target = Target::start(self.http, Some("--limits"), None)?;
        let time = Duration::from_secs(self.seconds);
        let api = Api::new(&target.origin, &target.token, target.ca.as_deref())?;
        let recipe = Recipe::new(&api, &target, RunKind::FourPass).await?;
        let users = Users::new(&api, &recipe, time).await?;
        let beside = Beside::new(&api, &target, time + time / 6).await?;
        let strangers = match case {
            CrowdCase::Imports => None,
            _ => Some(Strangers::new(case, self.rate.unwrap_or(case.runs_per_s()), recipe).await?),
        };
        let calm = beside.measure(Instant::now() + time / 6).await?;

        let until = Instant::now() + time;
        let is_over = Arc::new(AtomicBool::new(false));
        let others = async {
            match strangers {
                Some(strangers) => Ok(strangers.come(&is_over).await),
                None => imports::run(&api, &is_over).await,
            }
        };
        let users = async {
            let users = users.come(until).await;
            is_over.store(true, Ordering::Relaxed); // the last user has tried under full load
            users
        };
        let memory = async {
            tokio::time::sleep(WARM_UP).await;
            let rss_mib = || target.child.as_ref().and_then(|child| rss_mib(child.pid()));
            let warm = rss_mib();
            tokio::time::sleep_until(until.into()).await;
            warm.zip(rss_mib()).ok_or_else(|| Failure::new("cannot measure the server's memory on this system"))
        };
        let (others, users, during, memory_mib) = tokio::try_join!(others, users, beside.measure(until), memory)?;
        Ok(CrowdReport { case, seconds: self.seconds, others, users, calm, during, memory_mib })
    }
}

impl CrowdCase {
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn runs_per_s(self) -> u32 {
        if self == CrowdCase::Dear { 20 } else { 800 }
    }

    fn iterations(self) -> u32 {
        if self == CrowdCase::Dear { 200_000 } else { 100_000 }
    }

    fn source(self, run: u32) -> Ipv4Addr {
        match self {
            CrowdCase::Fixed => behind(Ipv4Addr::new(127, 1, 0, 1), run % 500),
            CrowdCase::Dear => Ipv4Addr::new(127, 1, 0, 1),
            CrowdCase::New | CrowdCase::Imports => behind(Ipv4Addr::new(127, 16, 0, 1), run % (200 << 16)),
        }
    }
}

/// The address `number` after `first`.
fn behind(first: Ipv4Addr, number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(first.to_bits() + number)
}
