//! The built program against an independent peer (`tests/peer`, Python): regular and hostile runs, both ways.
//!
//! Skipped with a message without `python3`, unless `DSKPP_PEER_CHECKS=required`. `DSKPP_PEER_PYTHON` names
//! another interpreter, such as one with python-pskc.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::process::Command;

use support::Home;

fn meet(script: &str) {
    let path = format!("{}/../../tests/peer/{script}", env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var("DSKPP_PEER_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let (home, mut command) = (Home::new(), Command::new(python));
    if let Some(settings) = home.postgres_settings() {
        home.run(&["database", "migrate", "--init"]).success();
        command.envs(settings);
    }
    match command.arg("-B").arg(path).arg(env!("CARGO_BIN_EXE_dskpp")).output() {
        Ok(done) => {
            let report = String::from_utf8_lossy(&done.stdout);
            let errors = String::from_utf8_lossy(&done.stderr);
            println!("{report}");
            assert!(done.status.success(), "{report}\n{errors}");
        }
        Err(why) if std::env::var("DSKPP_PEER_CHECKS").as_deref() != Ok("required") => {
            println!("not checked: python3 cannot be run ({why})");
        }
        Err(why) => panic!("python3 cannot be run: {why}"),
    }
}

#[test]
fn our_server_serves_a_foreign_client_and_withstands_a_hostile_one() {
    meet("check_server.py");
}

#[test]
fn our_client_enrols_with_a_foreign_server_and_withstands_a_hostile_one() {
    meet("check_client.py");
}

#[test]
fn other_tools_read_our_key_files_and_we_theirs() {
    meet("check_pskc.py");
}
