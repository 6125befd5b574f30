//! Enrolments, and the first one-time password, which activates a key.

use std::path::Path;

use clap::{Args, Subcommand};
use dskpp_api::{
    Activation, CreatedEnrolment, DeviceName, Enrolment, EnrolmentDetails, EnrolmentQuery, EnrolmentState, HashName,
    KeyType, Location, Method, Named, NewEnrolmentRequest as Request, RefusalEntry, ValidationRequest,
    ValidationResult, Variant, WrongTries, paths,
};

use super::bulk::{self, BulkArg};
use super::list::{Pages, or_dash, or_unreadable, whole_id};
use super::{delete, device_name, lines, one_of};
use crate::api::Api;
use crate::output::{Failure, Output};
use crate::shown::{argument, shown};

#[derive(Subcommand)]
pub(super) enum EnrolmentCommand {
    /// Create an enrolment and show its authentication code once
    Create(Box<NewEnrolmentArgs>),
    /// List enrolments; with a state and without a user, in the order in which they expire
    List {
        /// Only this user's enrolments
        #[arg(long, help_heading = "Filter")]
        user: Option<String>,
        /// Only enrolments in this state
        #[arg(long, value_parser = one_of::<EnrolmentState>(EnrolmentState::NAMES), help_heading = "Filter")]
        state: Option<EnrolmentState>,
        #[command(flatten)]
        pages: Pages,
    },
    /// Show an enrolment's state
    Show {
        /// The enrolment's id, as `admin enrolment list` shows it, or how it begins
        id: String,
    },
    /// Revoke an enrolment
    Revoke {
        /// The enrolment's id, as `admin enrolment list` shows it, or how it begins
        id: String,
    },
}

#[derive(Args)]
pub(super) struct NewEnrolmentArgs {
    #[command(flatten)]
    bulk: BulkArg,
    /// The user's name; the server creates the user if needed
    #[arg(long, required_unless_present = "bulk", help_heading = "Enrolment")]
    user: Option<String>,
    /// The server's template that has what is not given here
    #[arg(long, value_name = "NAME", conflicts_with = "group", help_heading = "Enrolment")]
    template: Option<String>,
    /// The user's group, which chooses the server's template
    #[arg(long, help_heading = "Enrolment")]
    group: Option<String>,
    /// Type of the key; required unless the template has one
    #[arg(long, value_parser = one_of::<KeyType>(KeyType::ENROLLED), help_heading = "Key")]
    key_type: Option<KeyType>,
    /// Allow only this variant of the protocol
    #[arg(long, value_parser = one_of::<Variant>(Variant::NAMES), help_heading = "Protocol")]
    variant: Option<Variant>,
    /// Allow only two-pass with this key protection method; repeatable
    #[arg(long = "method", value_parser = one_of::<Method>(Method::NAMES), help_heading = "Protocol")]
    methods: Vec<Method>,
    /// Allow only this device
    #[arg(long, value_name = "MANUFACTURER:SERIAL", help_heading = "Device")]
    device: Option<String>,
    /// The key that the new key replaces
    #[arg(long, value_name = "KEY_ID", help_heading = "Key")]
    renews: Option<String>,
    /// Deliver this key from the inventory unchanged, by two-pass, with its own parameters
    #[arg(long, value_name = "KEY_ID", conflicts_with_all = ["renews", "digits", "period", "hash", "counter", "suite"], help_heading = "Key")]
    delivers: Option<String>,
    /// Where the client must store the key; a client that cannot do so refuses the trigger
    #[arg(long, value_parser = one_of::<Location>(Location::NAMES), help_heading = "Device")]
    key_location: Option<Location>,
    /// Where the client must run the key's algorithm
    #[arg(long, value_parser = one_of::<Location>(Location::NAMES), help_heading = "Device")]
    algorithm_location: Option<Location>,
    /// Seconds until the code expires
    #[arg(long, value_name = "SECONDS", help_heading = "Enrolment")]
    expires_in: Option<u64>,
    /// Seconds from provisioning until the key expires
    #[arg(long, value_name = "SECONDS", help_heading = "Key")]
    key_lifetime: Option<u64>,
    /// When the key becomes active: at once, or on the first correct password presented with the client ID
    #[arg(long, value_parser = one_of::<Activation>(Activation::NAMES), help_heading = "Key")]
    activate: Option<Activation>,
    /// Number of digits of a one-time password
    #[arg(long, help_heading = "Key")]
    digits: Option<u8>,
    /// Time step in seconds
    #[arg(long, value_name = "SECONDS", help_heading = "Key")]
    period: Option<u32>,
    /// Hash function (TOTP)
    #[arg(long, value_parser = one_of::<HashName>(HashName::NAMES), help_heading = "Key")]
    hash: Option<HashName>,
    /// Initial counter (HOTP)
    #[arg(long, help_heading = "Key")]
    counter: Option<u64>,
    /// OCRA suite
    #[arg(long, help_heading = "Key")]
    suite: Option<String>,
    /// A sink that gets the key once it is active, instead of the server's default; repeatable
    #[arg(long = "sink", value_name = "NAME", conflicts_with = "no_sinks", help_heading = "Key")]
    sinks: Vec<String>,
    /// No sink gets the key
    #[arg(long, help_heading = "Key")]
    no_sinks: bool,
}

impl EnrolmentCommand {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        match self {
            EnrolmentCommand::Create(new) => {
                if let Some(path) = &new.bulk.bulk {
                    return bulk::create(api, output, path).await;
                }
                let enrolment: CreatedEnrolment = api.post(paths::ENROLMENTS, &new.request()?).await?;
                output.print(&enrolment, || describe_new(&enrolment, api.ca()))
            }
            EnrolmentCommand::List { user, state, pages } => {
                let query = |after| EnrolmentQuery { user: user.clone(), state, after, limit: None };
                let headings = ["ID", "STATE", "USER", "TYPE", "EXPIRES", "KEY"];
                let table = (&headings[..], or_unreadable(headings.len(), columns));
                pages.print((api, output), (paths::ENROLMENTS, query), table).await
            }
            EnrolmentCommand::Show { id } => {
                let id = whole_id(api, paths::ENROLMENTS, id).await?;
                let enrolment: EnrolmentDetails = api.get(&paths::of(paths::ENROLMENT, &id)).await?;
                output.print(&enrolment, || describe(&enrolment))
            }
            EnrolmentCommand::Revoke { id } => {
                let id = whole_id(api, paths::ENROLMENTS, id).await?;
                delete(api, output, "enrolment", paths::ENROLMENT, &id).await
            }
        }
    }
}

fn columns(enrolment: &Enrolment) -> Vec<String> {
    let Enrolment { id, state, user, key_type, expires_at, key_id, .. } = enrolment;
    let (state, key_type) = (state.to_string(), key_type.to_string());
    vec![id.clone(), state, user.clone(), key_type, or_dash(expires_at.as_ref()), or_dash(key_id.as_ref())]
}

/// All fields, then the addresses with wrong codes.
fn describe(details: &EnrolmentDetails) -> String {
    let mut text = vec![lines(&details.enrolment)];
    if let Some(RefusalEntry { detail, at, .. }) = &details.last_refusal {
        text.push(format!("{:<16} {} ({})", "last_refusal", shown(detail), time(at)));
    }
    for WrongTries { address, count, locked_until, .. } in &details.wrong_tries {
        let until = locked_until.as_ref().map(|until| format!(", locked until {}", shown(until)));
        text.push(format!("{:<16} {count} from {}{}", "wrong_tries", shown(address), until.unwrap_or_default()));
    }
    text.join("\n")
}

fn time(at: &Option<String>) -> String {
    shown(at.as_deref().unwrap_or("an unknown time"))
}

impl NewEnrolmentArgs {
    fn request(self) -> Result<Request, Failure> {
        let device = self.device.as_deref().map(device_name).transpose()?;
        let methods = self.methods.into_iter().map(Named::from).collect::<Vec<_>>();
        Ok(Request {
            user: self.user.unwrap_or_default(),
            template: self.template,
            group: self.group,
            key_type: self.key_type.map(Named::from),
            variant: self.variant,
            methods: Some(methods).filter(|methods| !methods.is_empty()),
            device: device.map(|(manufacturer, serial)| DeviceName { manufacturer, serial }),
            renews: self.renews,
            delivers: self.delivers,
            key_location: self.key_location,
            algorithm_location: self.algorithm_location,
            expires_in_s: self.expires_in,
            key_lifetime_s: self.key_lifetime,
            activate: self.activate,
            digits: self.digits,
            period_s: self.period,
            hash: self.hash.map(Named::from),
            counter: self.counter,
            suite: self.suite,
            sinks: (self.no_sinks || !self.sinks.is_empty()).then_some(self.sinks),
        })
    }
}

/// What the operator gives to the user. `ca`: the CA file that is trusted instead of the system's.
pub(super) fn describe_new(created: &CreatedEnrolment, ca: Option<&Path>) -> String {
    let CreatedEnrolment { enrolment, authentication_code, trigger_url, .. } = created;
    let mut text = format!(
        "enrolment {} for {} ({}), valid until {}\n\n  authentication code  {}",
        shown(&enrolment.id),
        shown(&enrolment.user),
        enrolment.key_type,
        time(&enrolment.expires_at),
        grouped(&shown(authentication_code.expose())),
    );
    if let Some(trigger) = trigger_url {
        text += &format!("\n  trigger              {}", shown(trigger.expose()));
    }
    let mut command = format!("dskpp enroll {}", argument(&created.server_url));
    if let Some(ca) = ca {
        command += &format!(" --ca {}", argument(ca.to_string_lossy()));
    }
    let (once, or) = match trigger_url {
        Some(_) => ("Either one suffices; both are shown", ", or opens the trigger in a browser and follows the page."),
        None => ("The code is shown", "."),
    };
    text += &format!("\n\n{once} only once. The user runs\n\n  {command}\n\nand types the code{or}");
    if ca.is_some() {
        text += "\n\nA private CA issued the server's certificate: give the user the CA file too, over a\nchannel \
                 other than the code's.";
    }
    text
}

/// A code in groups of four, for reading and typing.
fn grouped(code: &str) -> String {
    let digits: Vec<char> = code.chars().collect();
    digits.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
}

/// A one-time password to validate.
#[derive(Args)]
pub(super) struct ValidateArgs {
    /// The one-time password
    otp: String,
    /// The user who presents it
    #[arg(long, required_unless_present_any = ["key", "client_id"], help_heading = "Key")]
    user: Option<String>,
    /// The key that generated it
    #[arg(long, value_name = "KEY_ID", help_heading = "Key")]
    key: Option<String>,
    /// The challenge that it answers (OCRA)
    #[arg(long, help_heading = "Password")]
    challenge: Option<String>,
    /// The enrolment's client ID (the first part of its code), for a key that awaits its first password
    #[arg(long, help_heading = "Key")]
    client_id: Option<String>,
}

impl ValidateArgs {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        let ValidateArgs { otp, user, key, challenge, client_id } = self;
        let attempt = ValidationRequest {
            user,
            key_id: key,
            otp: otp.into(),
            challenge,
            client_id,
            ..ValidationRequest::default()
        };
        let verdict: ValidationResult = api.post(paths::VALIDATE, &attempt).await?;
        output.print(&verdict, || match &verdict.key_id {
            Some(key_id) => format!("valid (key {})", shown(key_id)),
            None => "not valid".to_owned(),
        })?;
        if verdict.valid { Ok(()) } else { std::process::exit(1) } // everything is reported
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn enrolment_details_show_why_the_code_failed_and_which_addresses_are_locked() {
        let mut enrolment = json!({
            "id": "e1",
            "state": "open",
            "user": "alice",
            "key_type": "aes128",
            "params": {},
            "methods": [],
            "activate": "at-once",
            "failed_attempts": 20,
            "key_id": null,
            "last_refusal": null,
            "wrong_tries": [],
        });
        let read = |document: &Value| describe(&serde_json::from_value(document.clone()).unwrap());
        let known = "activate         at-once\n\
                     failed_attempts  20\n\
                     id               e1\n\
                     key_type         aes128\n\
                     methods          []\n\
                     params           {}\n\
                     sinks            []\n\
                     state            open\n\
                     user             alice";
        assert_eq!(read(&enrolment), known);
        let tries = |address: &str, until: Value| json!({ "address": address, "count": 10, "locked_until": until });
        enrolment["last_refusal"] =
            json!({ "cause": "waiting", "detail": "it has to wait", "at": "2026-01-02T03:04:05Z" });
        enrolment["wrong_tries"] =
            json!([tries("192.0.2.1", json!("2026-01-02T03:19:05Z")), tries("2001:db8::/64", Value::Null)]);
        let tried = "last_refusal     it has to wait (2026-01-02T03:04:05Z)\n\
                     wrong_tries      10 from 192.0.2.1, locked until 2026-01-02T03:19:05Z\n\
                     wrong_tries      10 from 2001:db8::/64";
        assert_eq!(read(&enrolment), format!("{known}\n{tried}"));
    }
}
