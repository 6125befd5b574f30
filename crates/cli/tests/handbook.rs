//! Every block of commands in `docs/operations/` works as it stands there.
//!
//! Skipped with a message without the programs that the blocks use, unless `DSKPP_PEER_CHECKS=required`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use support::Home;

/// Pages that do not begin where the first day ends.
const WITHOUT_A_FIRST_DAY: [&str; 2] = ["README.md", "first-day.md"];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations")
}

fn page(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

/// The blocks of a page that a shell is to run, each behind a line that says where it stands.
fn blocks(name: &str) -> String {
    let (page, mut script, mut ends_with) = (page(name), String::new(), None);
    for (number, line) in page.lines().enumerate() {
        let text = line.trim_start();
        match ends_with {
            None if text.starts_with("```") => {
                let is_run = text == "```sh";
                assert!(is_run || text == "```text", "{name}:{}: a block is of sh, or of text", number + 1);
                if is_run {
                    writeln!(script, "echo '== {name}:{}' >&2", number + 2).unwrap();
                }
                ends_with = Some((is_run, line.len() - text.len()));
            }
            None => {}
            Some(_) if text == "```" => ends_with = None,
            Some((true, indent)) => {
                script.push_str(line.get(indent..).unwrap_or_default());
                script.push('\n');
            }
            Some((false, _)) => {}
        }
    }
    assert_eq!(ends_with, None, "{name}: a block has no end");
    script
}

/// A program that the blocks use, and this machine has not.
fn missing(script: &str) -> Option<&'static str> {
    let used = ["bash", "curl", "jq", "openssl", "haproxy"]
        .into_iter()
        .filter(|name| *name == "bash" || script.contains(name));
    used.into_iter().find(|name| {
        Command::new("sh")
            .args(["-c", &format!("command -v {name}")])
            .output()
            .is_ok_and(|found| !found.status.success())
    })
}

/// Runs blocks in a new folder, on ports of their own; what they have started ends with them.
fn run(script: &str) -> Output {
    let home = Home::new();
    let listeners = [0; 3].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port());
    drop(listeners);
    let mut script = format!("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n{script}");
    for (written, port) in ["8443", "8444", "9464"].into_iter().zip(ports) {
        script = script.replace(&format!(":{written}"), &format!(":{port}"));
    }
    let (path, programs) = (std::env::var("PATH").unwrap(), Path::new(env!("CARGO_BIN_EXE_dskpp")).parent().unwrap());
    home.program("timeout")
        .args(["--kill-after=10", "240", "bash", "-c", &script])
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("DSKPP_ADMIN_SERVER", format!("https://127.0.0.1:{}", ports[0]))
        .output()
        .unwrap()
}

/// A page, where it begins with a server, behind the first day.
fn follow(name: &str) {
    let mut script = blocks("README.md");
    if !WITHOUT_A_FIRST_DAY.contains(&name) {
        script += &blocks("first-day.md");
    }
    if name != "README.md" {
        script += &blocks(name);
    }
    if let Some(missing) = missing(&script) {
        assert!(std::env::var("DSKPP_PEER_CHECKS").as_deref() != Ok("required"), "{missing} is not installed");
        eprintln!("skipped: {missing}, which {name} uses, is not installed");
        return;
    }
    let done = run(&script);
    let (told, answers) = (String::from_utf8_lossy(&done.stderr), String::from_utf8_lossy(&done.stdout));
    assert!(done.status.success(), "{}\n{answers}\n{told}", done.status);
    assert!(told.contains(&format!("== {name}:")), "no block of {name} was run");
}

macro_rules! pages {
    ($($test:ident: $page:literal,)*) => {
        /// A page without a test below would be read and believed all the same.
        #[test]
        fn every_page_of_the_handbook_is_run() {
            let mut pages: Vec<_> =
                std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            pages.sort_unstable();
            assert_eq!(pages, [$($page),*]);
        }
        $(
            #[test]
            fn $test() {
                follow($page);
            }
        )*
    };
}

pages! {
    the_functions_of_the_handbook_are_read_by_a_shell: "README.md",
    a_restore_is_tried: "backup.md",
    the_first_day_ends_with_a_login: "first-day.md",
    incidents_are_handled: "incidents.md",
    keys_are_changed: "keys.md",
    a_server_is_watched: "monitoring.md",
    a_server_works_behind_a_proxy: "reverse-proxy.md",
    an_upgrade_is_done_and_undone: "upgrade.md",
}
