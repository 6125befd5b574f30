//! `dskpp admin`: the server's admin API from the command line.

mod device;
mod enrolment;
mod transfer;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::api::{Api, Connection, escaped, list};
use crate::output::{Failure, Output};
use crate::runtime;
use crate::shown::shown;

#[derive(Args)]
pub(crate) struct Admin {
    #[command(flatten)]
    connection: Connection,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// People who get keys
    #[command(subcommand)]
    User(User),
    /// Devices that have a key of their own
    #[command(subcommand)]
    Device(device::Device),
    /// Permissions to get one key once
    #[command(subcommand)]
    Enrolment(enrolment::Enrolment),
    /// Check a one-time password, as a service does that asks for one
    Validate(enrolment::Validate),
    /// Keys that were provisioned
    #[command(subcommand)]
    Key(Key),
    /// Tokens of the admin API
    #[command(subcommand)]
    Token(Token),
}

#[derive(Subcommand)]
enum User {
    /// Make a user
    Create {
        /// The user's name
        name: String,
    },
}

#[derive(Subcommand)]
enum Key {
    /// List keys
    List {
        /// Only this user's
        #[arg(long)]
        user: Option<String>,
    },
    /// Show a key, without its secret
    Show { id: String },
    /// Take a key out of use
    Revoke { id: String },
    /// Give a key that nobody has to a user
    Assign {
        /// The key's Id, as `admin key list` shows it
        id: String,
        /// The user's name; the user is made if there is none
        #[arg(long)]
        user: String,
    },
    /// Catch up with a token that has run ahead, or whose clock is far off, by consecutive one-time passwords
    Resync {
        /// The key's Id, as `admin key list` shows it
        id: String,
        /// Two to five one-time passwords that the token made one after the other
        #[arg(required = true, num_args = 2..=5, value_name = "OTP")]
        otps: Vec<String>,
    },
    /// Take in the keys of a key file (PSKC); after an interruption, run it again
    Import(transfer::Import),
    /// Write keys into a key file (PSKC)
    Export(transfer::Export),
}

#[derive(Subcommand)]
enum Token {
    /// Make a token, and show it this one time
    Create {
        /// What it is for
        name: String,
        /// What it may do
        #[arg(long = "role", required = true, value_parser = ["admin", "enrol", "read", "validate", "export"])]
        roles: Vec<String>,
    },
    /// Take a token back
    Delete { id: String },
}

impl Admin {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let api = self.connection.open()?;
        runtime()?.block_on(async {
            match self.command {
                Command::User(User::Create { name }) => {
                    let user = api.post("/users", &json!({ "name": name })).await?;
                    output.print(&user, || format!("user {} has the id {}", show(&user["name"]), show(&user["id"])))
                }
                Command::Device(device) => device.run(&api, output).await,
                Command::Enrolment(enrolment) => enrolment.run(&api, output).await,
                Command::Validate(validate) => validate.run(&api, output).await,
                Command::Key(key) => key.run(&api, output).await,
                Command::Token(Token::Create { name, roles }) => {
                    let token = api.post("/tokens", &json!({ "name": name, "roles": roles })).await?;
                    output.print(&token, || {
                        format!("{}\n(shown only now; id {})", show(&token["token"]), show(&token["id"]))
                    })
                }
                Command::Token(Token::Delete { id }) => delete(&api, output, "token", &id).await,
            }
        })
    }
}

/// The two parts of `MANUFACTURER:SERIAL`.
pub(crate) fn device_name(text: &str) -> Result<(String, String), Failure> {
    match text.split_once(':') {
        Some((manufacturer, serial)) if !manufacturer.is_empty() && !serial.is_empty() => {
            Ok((manufacturer.to_owned(), serial.to_owned()))
        }
        _ => Err(Failure::usage("a device is named as MANUFACTURER:SERIAL")),
    }
}

impl Key {
    async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        match self {
            Key::List { user } => {
                let keys = all(api, "/keys", &[("user", user.as_deref())]).await?;
                output.print(&json!({ "items": keys }), || {
                    let line = |key: &Value| {
                        let part =
                            |name: &str| Some(&key[name]).filter(|part| !part.is_null()).map_or("-".into(), show);
                        let state = if key["unreadable"].is_null() { part("state") } else { "unreadable".into() };
                        format!("{:<24} {state:<12} {:<8} {}", part("key_id"), part("key_type"), part("user"))
                    };
                    keys.iter().map(line).collect::<Vec<_>>().join("\n")
                })
            }
            Key::Show { id } => {
                let key = api.get(&format!("/keys/{}", escaped(&id))).await?;
                output.print(&key, || lines(&key))
            }
            Key::Revoke { id } => delete(api, output, "key", &id).await,
            Key::Assign { id, user } => {
                let key = api.post(&format!("/keys/{}/user", escaped(&id)), &json!({ "user": user })).await?;
                output.print(&key, || format!("key {id} is {user}'s now"))
            }
            Key::Resync { id, otps } => {
                let answer = api.post(&format!("/keys/{}/resync", escaped(&id)), &json!({ "otps": otps })).await?;
                let found = answer["synchronised"] == true;
                output.print(&answer, || match found {
                    true => format!("key {id} is synchronised with its token"),
                    false => "the passwords were not found: type two or more that the token makes one after the \
                              other, in their order"
                        .to_owned(),
                })?;
                if found { Ok(()) } else { std::process::exit(1) }
            }
            Key::Import(import) => import.run(api, output).await,
            Key::Export(export) => export.run(api, output).await,
        }
    }
}

/// Every item of a list that comes in pages.
async fn all(api: &Api, path: &str, filters: &[(&str, Option<&str>)]) -> Result<Vec<Value>, Failure> {
    let (mut items, mut after) = (Vec::new(), None::<String>);
    loop {
        let parts = filters.iter().copied().chain([("after", after.as_deref())]);
        let query: Vec<String> =
            parts.filter_map(|(name, value)| Some(format!("{name}={}", escaped(value?)))).collect();
        let page = api.get(&format!("{path}?{}", query.join("&"))).await?;
        items.extend(list(&page, "items")?);
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return Ok(items),
        }
    }
}

async fn delete(api: &Api, output: &Output, what: &str, id: &str) -> Result<(), Failure> {
    api.delete(&format!("/{what}s/{}", escaped(id))).await?;
    output.print(&json!({ "id": id, "done": true }), || format!("{what} {}: done", shown(id)))
}

/// One line per member that has a value.
fn lines(document: &Value) -> String {
    let members = document.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    members.map(|(name, value)| format!("{:<16} {}", shown(name), show(value))).collect::<Vec<_>>().join("\n")
}

fn show(value: &Value) -> String {
    value.as_str().map_or_else(|| shown(value.to_string()), shown)
}
