//! Enrolments, and the first password that makes a key active.

use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::{delete, device_name, lines, show};
use crate::api::{Api, escaped};
use crate::output::{Failure, Output};
use crate::shown::{argument, shown};

#[derive(Subcommand)]
pub(super) enum Enrolment {
    /// Make an enrolment, and show its authentication code this one time
    Create(Box<NewEnrolment>),
    /// Show an enrolment's state
    Show { id: String },
    /// Take an enrolment back
    Revoke { id: String },
}

#[derive(Clone, Copy, ValueEnum)]
enum KeyType {
    Hotp,
    Totp,
    Ocra,
    Aes128,
    Aes192,
    Aes256,
}

#[derive(Args)]
pub(super) struct NewEnrolment {
    /// The user's name; the user is made if there is none
    #[arg(long)]
    user: String,
    /// What the key is for
    #[arg(long, value_enum)]
    key_type: KeyType,
    /// Only this variant of the protocol
    #[arg(long, value_parser = ["four-pass", "two-pass"])]
    variant: Option<String>,
    /// Only two-pass, and only with this key protection method; may be given several times
    #[arg(long = "method", value_parser = ["transport", "wrap", "passphrase-wrap"])]
    methods: Vec<String>,
    /// Only for this device
    #[arg(long, value_name = "MANUFACTURER:SERIAL")]
    device: Option<String>,
    /// The key that is replaced by the new one
    #[arg(long, value_name = "KEY_ID")]
    renews: Option<String>,
    /// A key in stock that goes out as it is, by two-pass, with the parameters that it has
    #[arg(long, value_name = "KEY_ID", conflicts_with_all = ["renews", "digits", "period", "hash", "counter", "suite"])]
    delivers: Option<String>,
    /// Where the key must be: a client that cannot keep it there refuses the trigger
    #[arg(long, value_parser = ["hardware", "software"])]
    key_location: Option<String>,
    /// Where the key's algorithm must run
    #[arg(long, value_parser = ["hardware", "software"])]
    algorithm_location: Option<String>,
    /// Seconds until the code expires
    #[arg(long, value_name = "SECONDS")]
    expires_in: Option<u64>,
    /// When the key becomes active: at once, or with its first right password, shown together with the client ID
    #[arg(long, value_parser = ["at-once", "on-otp"])]
    activate: Option<String>,
    /// Digits of a one-time password
    #[arg(long)]
    digits: Option<u8>,
    /// Seconds of a time step
    #[arg(long, value_name = "SECONDS")]
    period: Option<u32>,
    /// Hash of TOTP
    #[arg(long, value_parser = ["SHA-1", "SHA-256", "SHA-512"])]
    hash: Option<String>,
    /// First counter of HOTP
    #[arg(long)]
    counter: Option<u64>,
    /// Suite of OCRA
    #[arg(long)]
    suite: Option<String>,
}

impl Enrolment {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        match self {
            Enrolment::Create(new) => {
                let enrolment = api.post("/enrolments", &new.body()?).await?;
                output.print(&enrolment, || describe_new(&enrolment, api.ca()))
            }
            Enrolment::Show { id } => {
                let enrolment = api.get(&format!("/enrolments/{}", escaped(&id))).await?;
                output.print(&enrolment, || describe(&enrolment))
            }
            Enrolment::Revoke { id } => delete(api, output, "enrolment", &id).await,
        }
    }
}

/// Everything, and last who tried its code in vain.
fn describe(enrolment: &Value) -> String {
    let mut known = enrolment.clone();
    let members = known.as_object_mut();
    let (wrong, last) = members.map_or((None, None), |it| (it.remove("wrong_tries"), it.remove("last_refusal")));
    let mut text = vec![lines(&known)];
    if let Some(last) = last.filter(|last| !last.is_null()) {
        text.push(format!("{:<16} {} ({})", "last_refusal", show(&last["detail"]), show(&last["at"])));
    }
    for tries in wrong.iter().filter_map(Value::as_array).flatten() {
        let until = &tries["locked_until"];
        let locked = if until.is_null() { String::new() } else { format!(", which has to wait until {}", show(until)) };
        let (count, address) = (show(&tries["count"]), show(&tries["address"]));
        text.push(format!("{:<16} {count} from {address}{locked}", "wrong_tries"));
    }
    text.join("\n")
}

impl NewEnrolment {
    fn body(&self) -> Result<Value, Failure> {
        let key_type = self.key_type.to_possible_value().map(|value| value.get_name().to_owned());
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                body.insert(name.into(), value);
            }
        };
        put("user", json!(self.user));
        put("key_type", json!(key_type));
        put("variant", json!(self.variant));
        if !self.methods.is_empty() {
            put("methods", json!(self.methods));
        }
        put("renews", json!(self.renews));
        put("delivers", json!(self.delivers));
        put("key_location", json!(self.key_location));
        put("algorithm_location", json!(self.algorithm_location));
        put("expires_in_s", json!(self.expires_in));
        put("activate", json!(self.activate));
        put("digits", json!(self.digits));
        put("period_s", json!(self.period));
        put("hash", json!(self.hash));
        put("counter", json!(self.counter));
        put("suite", json!(self.suite));
        if let Some(device) = &self.device {
            let (manufacturer, serial) = device_name(device)?;
            put("device", json!({ "manufacturer": manufacturer, "serial": serial }));
        }
        Ok(body.into())
    }
}

/// What the operator gives to the user. `ca` is the file with the certificates that are trusted instead of the system's.
fn describe_new(enrolment: &Value, ca: Option<&Path>) -> String {
    let mut text = format!(
        "enrolment {} for {} ({}), good until {}\n\n  authentication code  {}",
        show(&enrolment["id"]),
        show(&enrolment["user"]),
        show(&enrolment["key_type"]),
        show(&enrolment["expires_at"]),
        grouped(&show(&enrolment["authentication_code"])),
    );
    let trigger = enrolment["trigger_url"].as_str();
    if let Some(trigger) = trigger {
        text += &format!("\n  trigger              {}", shown(trigger));
    }
    let url = enrolment["server_url"].as_str().unwrap_or("SERVER_URL");
    let mut command = format!("dskpp enroll {}", argument(url));
    if let Some(ca) = ca {
        command += &format!(" --ca {}", argument(ca.to_string_lossy()));
    }
    let (once, or) = match trigger {
        Some(_) => {
            ("Either is enough, and both are shown", ", or opens the trigger in a browser, which says how to go on.")
        }
        None => ("The code is shown", "."),
    };
    text += &format!("\n\n{once} only now. The user runs\n\n  {command}\n\nand types the code{or}");
    if ca.is_some() {
        text += "\n\nThe server's certificate comes from a private CA: give the user that CA file too, over\nanother channel than the code.";
    }
    text
}

/// A code in groups of four, as people read and type it.
fn grouped(code: &str) -> String {
    let digits: Vec<char> = code.chars().collect();
    digits.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
}

/// A password that somebody has shown.
#[derive(Args)]
pub(super) struct Validate {
    /// The password
    otp: String,
    /// Whose it is
    #[arg(long, required_unless_present_any = ["key", "client_id"])]
    user: Option<String>,
    /// The key that it is of
    #[arg(long, value_name = "KEY_ID")]
    key: Option<String>,
    /// The challenge that it answers, of an OCRA key
    #[arg(long)]
    challenge: Option<String>,
    /// The client ID of the enrolment (the first part of its code), for a key that waits for its first password
    #[arg(long)]
    client_id: Option<String>,
}

impl Validate {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        let mut body = Map::new();
        let members = [
            ("otp", Some(self.otp)),
            ("user", self.user),
            ("key_id", self.key),
            ("challenge", self.challenge),
            ("client_id", self.client_id),
        ];
        body.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?)))));
        let verdict = api.post("/validate", &body.into()).await?;
        output.print(&verdict, || match verdict["key_id"].as_str() {
            Some(key_id) => format!("valid (key {})", shown(key_id)),
            None => "not valid".to_owned(),
        })?;
        match verdict["valid"].as_bool() {
            Some(true) => Ok(()),
            _ => std::process::exit(1), // all has been said
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_at_an_enrolment_sees_why_its_code_failed_and_who_has_to_wait() {
        let tries = |address: &str, until: Value| json!({ "address": address, "count": 10, "locked_until": until });
        let enrolment = json!({
            "id": "e1",
            "state": "open",
            "key_id": null,
            "last_refusal": { "cause": "waiting", "detail": "it has to wait", "at": "2026-01-02T03:04:05Z" },
            "wrong_tries": [tries("192.0.2.1", json!("2026-01-02T03:19:05Z")), tries("2001:db8::/64", Value::Null)],
        });
        let expected = "id               e1\n\
                        state            open\n\
                        last_refusal     it has to wait (2026-01-02T03:04:05Z)\n\
                        wrong_tries      10 from 192.0.2.1, which has to wait until 2026-01-02T03:19:05Z\n\
                        wrong_tries      10 from 2001:db8::/64";
        assert_eq!(describe(&enrolment), expected);
        let untouched = json!({ "id": "e1", "last_refusal": null, "wrong_tries": [] });
        assert_eq!(describe(&untouched), "id               e1");
    }
}
