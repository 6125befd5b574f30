//! `kill -9` of either side at any moment of a renewal (RFC 6063 A.6, §10.6.3): each side has exactly one valid key, and
//! repeating the command gives both the same new one.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::{Home, Moments, Server, shown, text};

/// Kills per side and way of renewal.
const KILLS: usize = 8;

/// One key, and its server.
struct Story {
    home: Home,
    server: Option<Server>,
    key_id: String,
}

/// How many kills hit which moment.
#[derive(Debug, Default)]
struct Seen {
    before: usize,
    between: usize,
    after: usize,
}

impl Story {
    fn begin() -> Self {
        let mut home = Home::new();
        home.set("DSKPP_STORE_KEY_FILE", &shown(&home.path("store.key"))); // no slow key derivation
        let server = Server::start(&mut home);
        let mut story = Story { home, server: Some(server), key_id: String::new() };
        let enrolment = story.home.json(&["admin", "enrolment", "create", "--user", "ann", "--key-type", "hotp"]);
        let got = story.home.json(&story.command(&text(&enrolment, "authentication_code"), &[]));
        story.key_id = text(&got, "key_id");
        story
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    fn command(&self, code: &str, more: &[&str]) -> Vec<String> {
        let args = ["enroll", &self.server().url(), "--code", code, "--ca", &shown(&self.server().ca)];
        [&args[..], more].concat().into_iter().map(str::to_owned).collect()
    }

    /// The command that renews the key with a new code.
    fn renewal(&self, way: &[&str]) -> Vec<String> {
        let create = ["admin", "enrolment", "create", "--user", "ann", "--key-type", "hotp", "--renews", &self.key_id];
        let code = text(&self.home.json(&create), "authentication_code");
        self.command(&code, &[&["--renew", &self.key_id], way].concat())
    }

    /// The secret of the only token in the store, and that of the only key at the server.
    fn secrets(&self) -> (String, String) {
        let tokens = self.home.json(&["token", "list"]);
        let tokens = tokens["items"].as_array().unwrap().iter().filter(|token| token["old_of"].is_null()).count();
        let keys = self.home.json(&["admin", "key", "list", "--user", "ann"]);
        let active = keys["items"].as_array().unwrap().iter().filter(|key| key["state"] == "active").count();
        assert_eq!((tokens, active), (1, 1), "exactly one good key on each side: {keys}");
        let exported = self.home.json(&["token", "export", &self.key_id]);
        (text(&exported, "secret_hex"), self.server().secret(&self.key_id))
    }

    /// Kills the client, or kills and restarts the server, at some moment of a renewal; then the user repeats it.
    fn kill(&mut self, way: &[&str], moment: Duration, the_server: bool, seen: &mut Seen) {
        let (old, same) = self.secrets();
        assert_eq!(old, same);
        let renewal = self.renewal(way);
        let args: Vec<_> = renewal.iter().map(String::as_str).collect();
        if the_server {
            let (home, server) = (&self.home, self.server.take().unwrap());
            let port = server.port;
            std::thread::scope(|scope| {
                let client = scope.spawn(|| home.run(&args));
                std::thread::sleep(moment);
                server.kill();
                client.join().unwrap();
            });
            self.server = Some(Server::start_on(&self.home, port));
        } else {
            self.home.spawn_and_kill(&args, moment);
        }
        let (client, server) = self.secrets();
        match (client == old, server == old) {
            (true, true) => seen.before += 1,
            (true, false) => seen.between += 1,
            (false, false) => seen.after += 1,
            (false, true) => panic!("{way:?}: the client has a key that the server does not have"),
        }
        if client == old {
            let done = self.home.run(&args).success();
            assert!(done.out.contains("renewed"), "{done:#?}");
        }
        let (client, server) = self.secrets();
        assert!(client == server && client != old, "{way:?}");
        let otp = text(&self.home.json(&["token", "otp", &self.key_id]), "otp");
        assert_eq!(self.server().validate(&json!({ "key_id": self.key_id, "otp": otp }))["valid"], true);
        self.home.run(&["token", "accepted", &self.key_id]).success(); // at most eight replaced keys are kept
    }
}

#[test]
fn a_6_a_crash_at_any_moment_of_a_renewal_leaves_one_valid_key_on_each_side() {
    let mut moments = Moments::new();
    for way in [&["--variant", "four-pass"][..], &["--method", "transport"], &["--method", "passphrase-wrap"]] {
        let mut story = Story::begin();
        let renewal = story.renewal(way);
        let undisturbed = Instant::now();
        story.home.run(&renewal).success();
        let whole = undisturbed.elapsed();
        let mut seen = Seen::default();
        for round in 0..2 * KILLS {
            story.kill(way, moments.within(whole), round % 2 == 0, &mut seen);
        }
        println!("{way:?}: {seen:?} of {} kills within {whole:?}", 2 * KILLS);
    }
}
