//! The `dskpp` command: server, client and administration in one binary.

mod admin;
mod api;
mod bench;
mod config;
mod database;
mod demo;
mod enroll;
mod log;
mod output;
mod platform;
mod pskc;
mod seal;
mod serve;
mod shown;
mod store;
mod token;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};
use serde_json::json;
use zeroizing_alloc::ZeroAlloc;

use output::{Failure, Output};

/// Wipes memory on free: codes, tokens and keys pass through buffers of HTTP, TLS and JSON that do not wipe
/// themselves.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<platform::Allocator> = ZeroAlloc(platform::ALLOCATOR);

/// Provision symmetric keys into devices with DSKPP (RFC 6063): no secret on a screen, in mail or on the wire.
#[derive(Parser)]
#[command(name = "dskpp", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 success, 1 failure, 2 usage error.\n\
    Start with `dskpp demo`, which runs a complete enrolment, or with `dskpp serve`.")]
struct Cli {
    /// Print a single JSON document on standard output and nothing else
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a server
    Serve(serve::Serve),
    /// Run a complete local demonstration: a server, every way to enroll, a trigger, a renewal and one-time passwords
    Demo(demo::Demo),
    /// Get a key from a server and save it in the token store
    Enroll(enroll::Enroll),
    /// Use the keys in the token store
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Inspect, check, convert, protect and sign key files (PSKC, RFC 6030)
    #[command(subcommand)]
    Pskc(pskc::Pskc),
    /// Manage a server: users, devices, enrolments, keys
    Admin(admin::Admin),
    /// Check and show a server's configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Maintain a server's database
    #[command(subcommand)]
    Database(database::Database),
    /// Change the key under which a database's secrets are sealed
    #[command(subcommand)]
    Seal(seal::Seal),
    /// Benchmark a server with complete enrolments
    Bench(bench::Bench),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual or write one page per command
    Man {
        /// Write a page for each command into this folder, such as dskpp-admin-key.1
        #[arg(long, value_name = "DIR", help_heading = "Output")]
        out: Option<PathBuf>,
    },
    #[command(hide = true)]
    BenchServer(bench::server::BenchServer),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(why) => return unparsed(&why),
    };
    let output = Output { json: cli.json };
    let hold = matches!(&cli.command, Command::Enroll(enroll) if enroll.ask);
    let done = match cli.command {
        Command::Serve(serve) => serve.run(&output),
        Command::Demo(demo) => demo.run(&output),
        Command::Enroll(enroll) => enroll.run(&output),
        Command::Token(token) => token.run(&output),
        Command::Pskc(pskc) => pskc.run(&output),
        Command::Admin(admin) => admin.run(&output),
        Command::Config(config) => config.run(&output),
        Command::Database(database) => database.run(&output),
        Command::Seal(seal) => seal.run(&output),
        Command::Bench(bench) => bench.run(&output),
        Command::BenchServer(server) => server.run(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "dskpp", &mut script);
            print_text(&output, "script", &script)
        }
        Command::Man { out } => manual(&output, out.as_deref()),
    };
    let code = match done {
        Ok(()) => {
            log::end(|| ());
            ExitCode::SUCCESS
        }
        Err(failure) => output.fail(failure),
    };
    if hold {
        enroll::hold();
    }
    code
}

/// Help, a version, or a usage error.
fn unparsed(why: &clap::Error) -> ExitCode {
    if !why.use_stderr() {
        let _ = why.print();
        return ExitCode::SUCCESS;
    }
    // With --json, these are one JSON document too.
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = why.to_string();
        let first = match why.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "the command is incomplete",
            _ => text.trim_start_matches("error: ").split("\n\n").next().unwrap_or_default(),
        };
        let document = json!({ "error": first, "next": "see `dskpp help`" });
        let _ = writeln!(std::io::stdout(), "{}", shown::json(&document.to_string()));
    }
    let _ = why.print();
    ExitCode::from(2)
}

fn manual(output: &Output, out: Option<&Path>) -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    if let Some(folder) = out {
        let failed = |why: std::io::Error| {
            Failure::new(format!("cannot write the pages to {}: {why}", folder.display()))
                .next("name a writable folder with --out")
        };
        std::fs::create_dir_all(folder).and_then(|()| pages_of(&command, folder)).map_err(failed)?;
        return output.print(&json!({ "folder": folder }), || format!("the pages are in {}", folder.display()));
    }
    let mut page = Vec::new();
    manual_of(&command, &mut page).map_err(|why| Failure::new(format!("cannot generate the manual: {why}")))?;
    print_text(output, "page", &page)
}

/// The manual page of a command and all its subcommands.
fn manual_of(command: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(page)?;
    below(command).try_for_each(|below| manual_of(below, page))
}

/// The same, with one file per page.
fn pages_of(command: &clap::Command, folder: &Path) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).generate_to(folder)?;
    below(command).try_for_each(|below| pages_of(below, folder))
}

fn below(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help")
}

fn print_text(output: &Output, name: &str, text: &[u8]) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(text);
    output.print(&json!({ name: text }), || text.trim_end().to_owned())
}

/// A runtime for commands that talk to a server.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|why| Failure::new(format!("cannot start threads: {why}")))
}
