//! RFC 6063 §1.2, version support.

use dskpp::message::Response;
use dskpp::version::Version;

use crate::pair::*;

/// A run whose message of this pass carries this version.
fn run_with_version(pass: Pass, version: &str) -> Run {
    let (from, to) = ("Version=\"1.0\" SessionID", format!("Version=\"{version}\" SessionID"));
    let mut server = Server::new(k_server());
    run_over(offer(&k_server()), &mut server, &mut |at, message| {
        if at != pass {
            return vec![message];
        }
        vec![match at {
            Pass::ClientHello => replaced(&message, "Version=\"1.0\"", &format!("Version=\"{version}\"")),
            _ => replaced(&message, from, &to),
        }]
    })
}

fn status_of_answer(run: &Run, pass: usize) -> String {
    Response::read(&run.messages[pass]).unwrap().status().to_string()
}

#[test]
fn s1_2_major_and_minor_must_be_treated_as_separate_integers() {
    let version = |text: &str| text.parse::<Version>().unwrap();
    assert!(version("2.4") < version("2.13") && version("2.13") < version("12.3"));
    assert_eq!(version("1.999"), Version { major: 1, minor: 999 });
}

#[test]
fn s1_2_leading_zeros_must_be_ignored_by_recipients() {
    for version in ["01.0", "1.00", "01.000"] {
        assert_eq!(status_of_answer(&run_with_version(Pass::ClientHello, version), 1), "Continue", "{version}");
        assert_eq!(status_of_answer(&run_with_version(Pass::ClientNonce, version), 3), "Success", "{version}");
    }
}

#[test]
fn s1_2_leading_zeros_must_not_be_sent() {
    for message in run(offer(&k_server()), &mut { Server::new(k_server()) }).messages {
        assert_eq!(between(&message, " Version=\"", "\""), "1.0");
    }
    assert_eq!(Version { major: 1, minor: 5 }.to_string(), "1.5");
}

#[test]
fn s1_2_a_greater_minor_number_must_be_ignored_by_the_server() {
    let run = run_with_version(Pass::ClientHello, "1.7");
    assert_eq!(status_of_answer(&run, 1), "Continue");
    assert_eq!(between(&run.messages[1], " Version=\"", "\""), "1.0", "p23: answered with 1.0");
    assert_eq!(status_of_answer(&run_with_version(Pass::ClientNonce, "1.12"), 3), "Success");
}

#[test]
fn s1_2_a_greater_minor_number_must_be_ignored_by_the_client() {
    // The client continues after a ServerHello 1.7; the tampering is detected at the end.
    let run = run_with_version(Pass::ServerHello, "1.7");
    assert_eq!(run.messages.len(), 4);
    assert!(matches!(run_with_version(Pass::ServerFinished, "1.7").end, End::Provisioned(_)));
}

#[test]
fn s1_2_p23_another_major_number_is_unsupported() {
    for version in ["0.9", "2.0", "99.0"] {
        assert_eq!(status_of_answer(&run_with_version(Pass::ClientHello, version), 1), "UnsupportedVersion");
        // §3.3: this status is only valid in the first response.
        assert_eq!(status_of_answer(&run_with_version(Pass::ClientNonce, version), 3), "MalformedRequest");
        for pass in [Pass::ServerHello, Pass::ServerFinished] {
            run_with_version(pass, version).failed();
        }
    }
}
