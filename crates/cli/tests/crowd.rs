//! What users experience while strangers load the server as heavily as they can (docs/load.md), in a short form: who is
//! served, and who is refused. Response times are not checked, since the machine may be busy; the command
//! itself checks them.
#![cfg(target_os = "linux")] // elsewhere not every address of the loopback network answers
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use serde_json::Value;
use support::Home;

/// Runs a case for 8 seconds, of which the last 3 count.
fn crowd(case: &str, rate: &str) -> Value {
    let done = Home::new().run(&["bench", "crowd", case, "--rate", rate, "--http", "--seconds", "8", "--json"]);
    let document = done.json();
    let figures = document["cases"][0].clone();
    let is_missed = figures["missed"].as_array().is_some_and(|missed| !missed.is_empty());
    assert_eq!((done.code, document["error"].is_string()), (Some(i32::from(is_missed)), is_missed), "{done:#?}");
    assert!(figures["users"]["count"].as_u64().unwrap() >= 4, "{figures:#}");
    let memory_mib = &figures["server_memory_mib"];
    let grown_mib = memory_mib["at_the_end"].as_f64().unwrap() - memory_mib["after_5_s"].as_f64().unwrap();
    assert!(grown_mib < 64.0, "{figures:#}");
    figures
}

fn count(figures: &Value, ended: &str) -> u64 {
    figures["others"][ended]["count"].as_u64().unwrap_or(0)
}

fn share_served(figures: &Value, addresses: &str) -> f64 {
    figures["users"]["served_after_retries"][addresses].as_f64().unwrap()
}

/// One case at a time: each needs the whole machine.
#[test]
fn p3_p27_users_are_served_under_maximum_load_by_others() {
    // Expensive requests, and imports.
    for (case, rate, ended) in [("dear", "100", "AuthenticationDataInvalid"), ("imports", "1", "batch imported")] {
        let figures = crowd(case, rate);
        assert!(count(&figures, ended) > 0, "{figures:#}");
        let served = ["known_addresses", "new_addresses"].map(|addresses| share_served(&figures, addresses));
        assert_eq!(served, [1.0, 1.0], "{figures:#}");
    }

    // Many returning addresses: on a slow machine, it takes more than 5 seconds until all of them are known.
    let fixed = crowd("fixed", "100");
    assert!(count(&fixed, "AuthenticationDataInvalid") > 0, "{fixed:#}");
    assert_eq!(share_served(&fixed, "known_addresses"), 1.0, "{fixed:#}");
    assert!(share_served(&fixed, "new_addresses") >= 0.5, "{fixed:#}");

    // Many new addresses: they are indistinguishable from new users. Refusals come at once; a server that is fast enough
    // serves everybody.
    let new = crowd("new", "1000");
    let [served, refused] =
        ["AuthenticationDataInvalid", "HTTP 429"].map(|ended| new["others"][ended]["p50_ms"].as_f64());
    match refused {
        Some(refused) => assert!(refused < served.unwrap() / 2.0, "{new:#}"),
        None => assert_eq!(share_served(&new, "new_addresses"), 1.0, "{new:#}"),
    }
}
