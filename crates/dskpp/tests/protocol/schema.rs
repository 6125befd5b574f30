//! Whether written messages are valid by the schema of RFC 6063 §8.2, if that and xmllint are available.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) fn assert_valid(messages: &[Vec<u8>]) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schema/dskpp.xsd");
    if !schema.exists() || Command::new("xmllint").arg("--version").stderr(Stdio::null()).status().is_err() {
        assert!(
            std::env::var("DSKPP_SCHEMA_CHECKS").as_deref() != Ok("required"),
            "xmllint and ../shared/schema are missing"
        );
        eprintln!("not checked: needs xmllint and {}", schema.display());
        return;
    }
    for message in messages {
        let mut xmllint = Command::new("xmllint")
            .args(["--nonet", "--noout", "--schema"])
            .arg(&schema)
            .arg("-")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        xmllint.stdin.take().unwrap().write_all(message).unwrap();
        let output = xmllint.wait_with_output().unwrap();
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{why}\n{}", String::from_utf8_lossy(message));
    }
}
