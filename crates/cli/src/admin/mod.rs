//! `dskpp admin`: the server's admin API from the command line.

mod audit;
mod audit_chain;
mod audit_checkpoint;
mod audit_follow;
mod audit_format;
mod bulk;
mod device;
mod enrolment;
mod k_server;
mod lifecycle;
mod list;
mod sink;
mod transfer;

use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use dskpp_api::{
    CreatedToken, ImportSummary, KeyChangeRequest, KeyDetails, KeyOwner, KeyQuery, KeyState, KeySummary as KeyAnswer,
    KeyType, ListPage, ListedKey, ListedUser, NewToken, NewUser, PageQuery, Resync, Resynced, Role, TokenSummary,
    UnknownName, User as UserAnswer, UserQuery, paths,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) use self::list::table;
use self::list::{Pages, or_dash, or_unreadable, whole_id};
use crate::api::{Api, Connection};
use crate::output::{Failure, Output};
use crate::runtime;
use crate::shown::shown;

#[derive(Args)]
pub(crate) struct Admin {
    #[command(flatten)]
    connection: Connection,

    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Manage users
    #[command(subcommand)]
    User(UserCommand),
    /// Manage devices that have their own key
    #[command(subcommand)]
    Device(device::DeviceCommand),
    /// Manage enrolments: each allows a user to get one key, once
    #[command(subcommand)]
    Enrolment(enrolment::EnrolmentCommand),
    /// Validate a one-time password, as a relying service does
    Validate(enrolment::ValidateArgs),
    /// Manage keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Manage K_SERVERs, the key pairs under which clients encrypt their nonce
    #[command(subcommand)]
    KServer(k_server::KServerCommand),
    /// List keys and certificates that end soon
    Expiring(lifecycle::ExpiringArgs),
    /// Manage admin API tokens
    #[command(subcommand)]
    Token(AdminTokenCommand),
    /// Look at imports of keys
    #[command(subcommand)]
    Import(ImportCommand),
    /// Look at sinks, the systems that get keys
    #[command(subcommand)]
    Sink(sink::SinkCommand),
    /// Look at the deliveries of keys to sinks, and repeat them
    #[command(subcommand)]
    Delivery(sink::DeliveryCommand),
    /// Read and verify the audit trail
    #[command(subcommand)]
    Audit(audit::AuditCommand),
}

#[derive(Subcommand)]
enum UserCommand {
    /// Create a user
    Create {
        /// The user's name
        name: String,
    },
    /// Revoke all keys of a user whose token is lost, and make a new enrolment
    #[command(
        after_help = "Open enrolments of the user are revoked too, and the server tells the user and operators by \
                            mail and webhook where it is configured so. The new key is like the last one, or as the \
                            server's default template says."
    )]
    Lost(lifecycle::LostArgs),
    /// List users, by name
    List {
        /// Only users whose names begin so
        #[arg(long, value_name = "PREFIX", help_heading = "Filter")]
        name: Option<String>,
        #[command(flatten)]
        pages: Pages,
    },
    /// Delete a user who has no keys and no open enrolments
    Delete {
        /// The user's name
        name: String,
    },
}

#[derive(Subcommand)]
enum ImportCommand {
    /// List imports, with how far they came
    List {
        #[command(flatten)]
        pages: Pages,
    },
}

#[derive(Subcommand)]
enum KeyCommand {
    /// List keys
    List {
        /// Only this user's keys
        #[arg(long, help_heading = "Filter")]
        user: Option<String>,
        /// Only keys in this state
        #[arg(long, value_parser = one_of::<KeyState>(KeyState::NAMES), help_heading = "Filter")]
        state: Option<KeyState>,
        /// Only keys of this type
        #[arg(long, value_parser = one_of::<KeyType>(KeyType::NAMES), help_heading = "Filter")]
        key_type: Option<KeyType>,
        /// Only keys that were made or imported at or after this time (RFC 3339)
        #[arg(long, value_name = "TIME", help_heading = "Filter")]
        created_since: Option<String>,
        /// Only keys that were made or imported before this time (RFC 3339)
        #[arg(long, value_name = "TIME", help_heading = "Filter")]
        created_until: Option<String>,
    },
    /// Show a key, without its secret
    Show {
        /// The key's Id, as `admin key list` shows it
        id: String,
    },
    /// Revoke a key, or all keys of a user, in a device, or that a filter finds
    Revoke(bulk::RevocationArgs),
    /// Take a key out of use until it is enabled again
    Disable {
        /// The key's Id, as `admin key list` shows it
        id: String,
    },
    /// Put a disabled key in use again
    Enable {
        /// The key's Id, as `admin key list` shows it
        id: String,
    },
    /// Change a key's label or owner
    Change {
        /// The key's Id, as `admin key list` shows it
        id: String,
        /// What operators call it
        #[arg(long, conflicts_with = "no_label", required_unless_present_any = ["no_label", "user"], help_heading = "Key")]
        label: Option<String>,
        /// Take the label away
        #[arg(long, help_heading = "Key")]
        no_label: bool,
        /// Its new owner's name; the server creates the user if needed
        #[arg(long, help_heading = "Key")]
        user: Option<String>,
    },
    /// Assign an unassigned key to a user
    Assign {
        /// The key's Id, as `admin key list` shows it
        id: String,
        /// The user's name; the server creates the user if needed
        #[arg(long, help_heading = "Key")]
        user: String,
    },
    /// Resynchronise a token whose counter or clock has drifted, from consecutive one-time passwords
    Resync {
        /// The key's Id, as `admin key list` shows it
        id: String,
        /// Two to five consecutive one-time passwords from the token
        #[arg(required = true, num_args = 2..=5, value_name = "OTP")]
        otps: Vec<String>,
    },
    /// Import the keys of a key file (PSKC); after an interruption, run the command again
    Import(transfer::KeyImportArgs),
    /// Export keys to a key file (PSKC)
    Export(transfer::KeyExportArgs),
}

#[derive(Subcommand)]
enum AdminTokenCommand {
    /// Create a token and show it once
    Create {
        /// What the token is for
        name: String,
        /// Role of the token; repeatable
        #[arg(long = "role", help_heading = "Token", required = true, value_parser = one_of::<Role>(Role::NAMES))]
        roles: Vec<Role>,
    },
    /// List tokens and their roles
    List {
        #[command(flatten)]
        pages: Pages,
    },
    /// Delete a token; it stops working
    Delete {
        /// The token's id, as `admin token list` shows it, or how it begins
        id: String,
    },
}

impl Admin {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let api = self.connection.open()?;
        runtime()?.block_on(async {
            match self.command {
                AdminCommand::User(user) => user.run(&api, output).await,
                AdminCommand::Device(device) => device.run(&api, output).await,
                AdminCommand::Enrolment(enrolment) => enrolment.run(&api, output).await,
                AdminCommand::Validate(validate) => validate.run(&api, output).await,
                AdminCommand::Key(key) => key.run(&api, output).await,
                AdminCommand::Expiring(expiring) => expiring.run(&api, output).await,
                AdminCommand::KServer(k_server) => k_server.run(&api, output).await,
                AdminCommand::Token(token) => token.run(&api, output).await,
                AdminCommand::Import(ImportCommand::List { pages }) => {
                    let columns = |import: &ImportSummary| {
                        let numbers = [import.done, import.accepted, import.duplicate, import.refused];
                        let mut columns = vec![import.id.clone(), or_dash(import.created_at.as_ref())];
                        columns.extend(numbers.map(|number| number.to_string()));
                        columns
                    };
                    let headings = ["ID", "BEGUN", "DONE", "ACCEPTED", "DUPLICATE", "REFUSED"];
                    let query = |after| PageQuery { after, limit: None };
                    let table = (&headings[..], or_unreadable(headings.len(), columns));
                    pages.print((&api, output), (paths::IMPORTS, query), table).await
                }
                AdminCommand::Sink(sink) => sink.run(&api, output).await,
                AdminCommand::Delivery(delivery) => delivery.run(&api, output).await,
                AdminCommand::Audit(audit) => audit.run(&api, output).await,
            }
        })
    }
}

impl UserCommand {
    async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        match self {
            UserCommand::Create { name } => {
                let user: UserAnswer = api.post(paths::USERS, &NewUser { name }).await?;
                output.print(&user, || format!("user {} has the id {}", shown(&user.name), shown(&user.id)))
            }
            UserCommand::Lost(lost) => lost.run(api, output).await,
            UserCommand::List { name, pages } => {
                let columns =
                    |user: &ListedUser| vec![user.name.clone(), user.id.clone(), or_dash(user.created_at.as_ref())];
                let headings = ["NAME", "ID", "CREATED"];
                let query = |after| UserQuery { name: name.clone(), after, limit: None };
                let table = (&headings[..], or_unreadable(headings.len(), columns));
                pages.print((api, output), (paths::USERS, query), table).await
            }
            UserCommand::Delete { name } => {
                let query = UserQuery { name: Some(name.clone()), after: None, limit: Some(1) };
                let page: ListPage<ListedUser> = api.get_by(paths::USERS, &query).await?;
                let user = page.items.into_iter().find(|user| user.name == name);
                let user = user.ok_or_else(|| Failure::new(format!("there is no user {}", shown(&name))))?;
                delete(api, output, "user", paths::USER, &user.id).await
            }
        }
    }
}

impl AdminTokenCommand {
    async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        match self {
            AdminTokenCommand::Create { name, roles } => {
                let token: CreatedToken = api.post(paths::TOKENS, &NewToken { name, roles }).await?;
                output.remark(format!("shown only once; id {}", shown(&token.id)));
                output.print(&token, || shown(token.token.expose()).to_string())
            }
            AdminTokenCommand::List { pages } => {
                let columns = |token: &TokenSummary| {
                    let roles = token.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(",");
                    vec![token.id.clone(), token.name.clone(), roles, or_dash(token.created_at.as_ref())]
                };
                let headings = ["ID", "NAME", "ROLES", "CREATED"];
                let query = |after| PageQuery { after, limit: None };
                let table = (&headings[..], or_unreadable(headings.len(), columns));
                pages.print((api, output), (paths::TOKENS, query), table).await
            }
            AdminTokenCommand::Delete { id } => {
                let id = whole_id(api, paths::TOKENS, id).await?;
                delete(api, output, "token", paths::TOKEN, &id).await
            }
        }
    }
}

/// Splits `MANUFACTURER:SERIAL`.
pub(crate) fn device_name(text: &str) -> Result<(String, String), Failure> {
    match text.split_once(':') {
        Some((manufacturer, serial)) if !manufacturer.is_empty() && !serial.is_empty() => {
            Ok((manufacturer.to_owned(), serial.to_owned()))
        }
        _ => Err(Failure::usage("a device is MANUFACTURER:SERIAL")),
    }
}

impl KeyCommand {
    async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        match self {
            KeyCommand::List { user, state, key_type, created_since, created_until } => {
                let filter = KeyQuery { user, state, key_type, created_since, created_until, ..KeyQuery::default() };
                let query = |after| KeyQuery { after, ..filter.clone() };
                let keys: ListPage<ListedKey> = all(api, paths::KEYS, query).await?;
                output.print(&keys, || keys.items.iter().map(line).collect::<Vec<_>>().join("\n"))
            }
            KeyCommand::Show { id } => {
                let key: KeyDetails = api.get(&paths::of(paths::KEY, &id)).await?;
                output.print(&key, || {
                    let deliveries = key.deliveries.iter().map(sink::line).collect::<Vec<_>>();
                    [vec![lines(&key.key)], deliveries].concat().join("\n")
                })
            }
            KeyCommand::Revoke(which) => which.run(api, output).await,
            KeyCommand::Disable { id } => switch(api, output, paths::KEY_DISABLE, &id).await,
            KeyCommand::Enable { id } => switch(api, output, paths::KEY_ENABLE, &id).await,
            KeyCommand::Change { id, label, no_label, user } => {
                let label = if no_label { Some(None) } else { label.map(Some) };
                let change = KeyChangeRequest { label, user };
                let key: KeyDetails = api.patch(&paths::of(paths::KEY, &id), &change).await?;
                output.print(&key, || lines(&key.key))
            }
            KeyCommand::Assign { id, user } => {
                let owner = KeyOwner { user };
                let key: KeyAnswer = api.post(&paths::of(paths::KEY_USER, &id), &owner).await?;
                output.print(&key, || format!("key {id} now belongs to {}", owner.user))
            }
            KeyCommand::Resync { id, otps } => {
                let resync = Resync { otps: otps.into_iter().map(Into::into).collect() };
                let answer: Resynced = api.post(&paths::of(paths::KEY_RESYNC, &id), &resync).await?;
                output.print(&answer, || match answer.synchronised {
                    true => format!("key {id} is synchronised with its token"),
                    false => "no match: type at least two consecutive passwords from the token, in order".to_owned(),
                })?;
                if answer.synchronised { Ok(()) } else { std::process::exit(1) }
            }
            KeyCommand::Import(import) => import.run(api, output).await,
            KeyCommand::Export(export) => export.run(api, output).await,
        }
    }
}

/// Disables or enables a key.
async fn switch(api: &Api, output: &Output, path: &str, id: &str) -> Result<(), Failure> {
    let key: KeyAnswer = api.post(&paths::of(path, id), &json!({})).await?;
    output.print(&key, || format!("key {id} is {}", key.state))
}

fn line(key: &ListedKey) -> String {
    let (key_id, state, key_type, user) = match key {
        ListedKey::Readable(key) => (&key.key_id, key.state.as_str(), key.key_type.as_str(), key.user.as_deref()),
        ListedKey::Unreadable(row) => (&row.key_id, "unreadable", "-", None),
    };
    format!("{:<24} {state:<12} {key_type:<8} {}", shown(key_id), shown(user.unwrap_or("-")))
}

/// Parses one of these names.
fn one_of<T: FromStr<Err = UnknownName> + Clone + Send + Sync + 'static>(
    names: &'static [&'static str],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names).try_map(|name| name.parse())
}

/// All items of a paged list; `query` receives the `after` parameter.
async fn all<T: DeserializeOwned, Q: Serialize>(
    api: &Api,
    path: &str,
    query: impl Fn(Option<String>) -> Q,
) -> Result<ListPage<T>, Failure> {
    let mut all = ListPage { items: Vec::new(), next: None };
    loop {
        let after = all.next.take();
        let page: ListPage<T> = api.get_by(path, &query(after.clone())).await?;
        // With a filter, a page may be empty and not the last one.
        if page.next.is_some() && page.next == after {
            return Err(Failure::new("the server's list does not go on")
                .next("check that --server is a dskpp server of this version"));
        }
        all.items.extend(page.items);
        match page.next {
            None => return Ok(all),
            next => all.next = next,
        }
    }
}

async fn delete(api: &Api, output: &Output, what: &str, path: &str, id: &str) -> Result<(), Failure> {
    api.delete(&paths::of(path, id)).await?;
    output.print(&json!({ "id": id, "done": true }), || format!("{what} {}: done", shown(id)))
}

/// One line per member with a value.
fn lines(answer: &impl Serialize) -> String {
    let document = serde_json::to_value(answer).unwrap_or_default();
    let members = document.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let text = |value: &Value| value.as_str().map_or_else(|| shown(value.to_string()), shown);
    members.map(|(name, value)| format!("{:<16} {}", shown(name), text(value))).collect::<Vec<_>>().join("\n")
}
