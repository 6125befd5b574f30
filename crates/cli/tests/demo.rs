//! `dskpp demo` shows the actual messages and values.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use data_encoding::{BASE64, HEXLOWER};
use dskpp_crypto::Sha256;
use serde_json::Value;
use support::{Home, text};

#[test]
fn the_demonstration_shows_every_way_and_its_trace_has_every_value() {
    let home = Home::new();
    let document = home.json(&["demo", "--trace"]);
    let runs = document["runs"].as_array().unwrap();
    let told = |run: &Value| (text(run, "variant"), run["method"].as_str().map(str::to_owned), run["replaced"] == true);
    let told: Vec<_> = runs.iter().map(told).collect();
    let told: Vec<_> =
        told.iter().map(|(variant, method, replaced)| (&variant[..], method.as_deref(), *replaced)).collect();
    assert_eq!(
        told,
        [
            ("four-pass", None, false),
            ("two-pass", Some("transport"), false),
            ("two-pass", Some("wrap"), false),
            ("two-pass", Some("passphrase-wrap"), false),
            ("four-pass", None, false),
            ("four-pass", None, true),
        ]
    );
    assert_eq!(runs[0]["key_id"], runs[5]["key_id"], "a renewal keeps the id");
    assert!(text(&document["wrong_code"], "refused").contains("AuthenticationDataInvalid"), "{document}");
    let sent = document["trace"].as_array().unwrap().iter().flat_map(|run| run["messages"].as_array().unwrap());
    let sent: usize = sent.map(|message| text(message, "xml").len()).sum();
    let trigger = text(&document["trace"][4]["messages"][0], "xml").len(); // it is sent by a link, not in the run
    assert_eq!(document["overheard"]["octets"], sent - trigger, "all that travelled was looked at");

    for (run, messages) in document["trace"].as_array().unwrap().iter().zip([4, 2, 2, 2, 5, 4]) {
        let xml: Vec<_> = run["messages"].as_array().unwrap().iter().map(|message| text(message, "xml")).collect();
        assert_eq!(xml.len(), messages, "{run}");
        let value = |name: &str| {
            let found = run["values"].as_array().unwrap().iter().find(|value| value["name"] == name);
            HEXLOWER.decode(text(found.unwrap(), "hex").as_bytes()).unwrap()
        };
        // The hash covers all messages but the trigger and the last one, as sent (RFC 6063 §3.4.3, profile P10).
        let hashed: Vec<_> =
            xml.iter().skip(messages % 2).take(messages / 2 * 2 - 1).map(|xml| xml.as_bytes()).collect();
        assert_eq!(value("msg_hash"), Sha256::digest(&hashed), "{run}");
        for name in ["MAC", "AuthenticationCodeMac"] {
            assert!(xml.iter().any(|xml| xml.contains(&BASE64.encode(&value(name)))), "{name} {run}");
        }
        assert_eq!([value("K_MAC").len(), value("K_TOKEN").len(), value("K_PROV").len()], [32, 20, 64]);
        // No secret is on the wire.
        for secret in ["K_TOKEN", "K_MAC", "K_PROV", "K_AC"].map(value) {
            assert!(!xml.iter().any(|xml| xml.contains(&BASE64.encode(&secret))), "{run}");
        }
    }

    let shown = home.run(&["demo", "--trace"]).success().out;
    assert!(shown.contains("<dskpp:KeyProvServerFinished") && shown.contains("K_PROV = "), "{shown}");
    let short = home.run(&["demo"]).success().out;
    for part in ["A wrong code", "An eavesdropper", "Next\n"] {
        assert!(short.contains(part), "{part}: {short}");
    }
    assert!(short.contains("Renewal") && !short.contains("K_PROV") && !short.contains("<dskpp:"), "{short}");
}
