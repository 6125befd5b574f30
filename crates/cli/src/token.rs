//! `dskpp token`: the keys in the token store.

use std::time::SystemTime;

use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use dskpp_client::{OtpInput, Token as Stored, TokenError, TokenStore as _, TokenStoreError};
use serde_json::{Value, json};

use crate::enroll::renew::Renew;
use crate::output::{Failure, Output};
use crate::pskc::input::Input as KeyFile;
use crate::shown::{count, shown};
use crate::store::{StoreOptions, prompt};

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// List the keys
    List {
        #[command(flatten)]
        store: StoreOptions,
    },
    /// Generate a one-time password
    Otp {
        #[command(flatten)]
        one: One,
        /// The challenge to respond to (OCRA)
        #[arg(long, help_heading = "Password")]
        challenge: Option<String>,
    },
    /// Import the keys of a key file (PSKC) into the store
    Import {
        #[command(flatten)]
        input: Box<KeyFile>,
        #[command(flatten)]
        store: StoreOptions,
    },
    /// Print a key in plaintext
    Export {
        #[command(flatten)]
        one: One,
    },
    /// Delete a key permanently
    Delete {
        #[command(flatten)]
        one: One,
        /// Do not ask for confirmation
        #[arg(long, help_heading = "Confirmation")]
        yes: bool,
    },
    /// Renew a key without a link, where its issuer allows that (HOTP and TOTP)
    ///
    /// The server uses up a one-time password of the key. If it refuses, ask the issuer for a renewal link, and pass that
    /// to `dskpp enroll --trigger`.
    Renew(Renew),
    /// Confirm that a server accepted a code of a renewed key: delete the keys that it replaced, permanently
    Accepted {
        #[command(flatten)]
        one: One,
    },
    /// Rename a key
    Rename {
        #[command(flatten)]
        one: One,
        /// The new name
        label: String,
    },
}

#[derive(Args)]
pub(crate) struct One {
    /// The key: its id, a prefix of its id, or its name
    id: String,

    #[command(flatten)]
    store: StoreOptions,
}

impl TokenCommand {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            TokenCommand::List { store } => list(&store, output),
            TokenCommand::Otp { one, challenge } => otp(&one, challenge.as_deref(), output),
            TokenCommand::Import { input, store } => import(&input, &store, output),
            TokenCommand::Export { one } => export(&one, output),
            TokenCommand::Delete { one, yes } => delete(&one, yes, output),
            TokenCommand::Renew(renew) => renew.run(output),
            TokenCommand::Accepted { one } => accepted(&one, output),
            TokenCommand::Rename { one, label } => {
                let mut store = one.store.open()?;
                let id = store.load()?.find(&one.id)?.id.clone();
                store.change(|tokens| tokens.rename(&id, Some(label.clone())))?;
                output.print(&json!({ "id": id, "label": label }), || {
                    format!("key {} is now called {}", shown(&id), shown(&label))
                })
            }
        }
    }
}

fn list(store: &StoreOptions, output: &Output) -> Result<(), Failure> {
    let tokens = store.open()?.load()?;
    let items: Vec<Value> = tokens.iter().map(describe).collect();
    output.print(&json!({ "items": items }), || {
        let line = |token: &Stored| {
            let text = |value: &Option<String>| shown(value.as_deref().unwrap_or_default());
            format!(
                "{:<24} {:<7} {:<20} {}",
                shown(&token.id),
                shown(&token.key_type),
                text(&token.label),
                match &token.old_of {
                    Some(id) => format!("replaced by {}", shown(id)),
                    None => text(&token.server_id),
                }
            )
        };
        tokens.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

/// Everything but secrets.
fn describe(token: &Stored) -> Value {
    let mut document = json!({ "id": token.id, "key_type": token.key_type });
    for (name, value) in [
        ("label", json!(token.label)),
        ("issuer", json!(token.issuer)),
        ("user", json!(token.user)),
        ("server_url", json!(token.server_url)),
        ("server_id", json!(token.server_id)),
        ("server_key", json!(token.k_server_fingerprint())),
        ("digits", json!(token.digits)),
        ("period_s", json!(token.period_s)),
        ("hash", json!(token.hash)),
        ("counter", json!(token.counter)),
        ("suite", json!(token.suite)),
        ("drift", json!(token.drift)),
        ("start", json!(token.start)),
        ("expiry", json!(token.expiry)),
        ("uses_left", json!(token.uses_left)),
        ("usages", json!(Some(&token.usages).filter(|usages| !usages.is_empty()))),
        ("old_of", json!(token.old_of)),
        ("created_at", json!(token.created_at)),
    ] {
        if !value.is_null() {
            document[name] = value;
        }
    }
    document
}

/// Prompts for a PIN only if the key needs one and may be used.
fn otp(one: &One, challenge: Option<&str>, output: &Output) -> Result<(), Failure> {
    let mut store = one.store.open()?;
    let id = store.load()?.find(&one.id)?.id.clone();
    let mut input = OtpInput::at(SystemTime::now());
    input.challenge = challenge;
    let otp = match store.otp(&id, &input) {
        Err(TokenStoreError::Token(TokenError::NoPin(_))) => {
            let pin = prompt("PIN: ")?;
            store.otp(&id, &input.pin(&pin))
        }
        made => made,
    };
    let otp = otp.map_err(|why| match why {
        TokenStoreError::Token(TokenError::NoChallenge(_)) => Failure::usage(why).next("pass it with --challenge"),
        why => why.into(),
    })?;
    let document = json!({ "id": id, "otp": otp.code.as_str(), "valid_for_s": otp.valid_for_s });
    output.print(&document, || otp.code.to_string())
}

/// Imports the keys of a file and reports refused ones. If the file cannot be read, no key is added.
fn import(input: &KeyFile, store: &StoreOptions, output: &Output) -> Result<(), Failure> {
    let file = input.open(true)?;
    file.warn();
    file.warn_of_assumed();
    let (mut tokens, mut refused) = (Vec::new(), Vec::new());
    file.for_each(|package| {
        if package.key.is_none() {
            return Ok(());
        }
        match Stored::from_package(&package, SystemTime::now()) {
            Ok(token) => tokens.push(token),
            Err(why) => {
                let id = package.key.as_ref().map(|key| key.id.clone()).unwrap_or_default();
                refused.push(json!({ "id": id, "reason": why.to_string() }));
            }
        }
        Ok(())
    })?;
    let mut store = store.open_or_create()?;
    let done = store.change(|stored| stored.import(tokens))?;
    refused.extend(done.different.iter().map(|(id, what)| {
        let reason = format!("a key with this Id exists with a different {what}; the existing key stays unchanged");
        json!({ "id": id, "reason": reason })
    }));
    let document = json!({ "accepted": done.added, "duplicates": done.duplicates, "refused": refused });
    output.print(&document, || {
        let mut lines = vec![format!("{} imported", count(done.added as u64, "key"))];
        lines.extend(done.duplicates.iter().map(|id| format!("  {} already present", shown(id))));
        lines.extend(refused.iter().map(|key| {
            let part = |name: &str| shown(key[name].as_str().unwrap_or_default());
            format!("  {} refused: {}", part("id"), part("reason"))
        }));
        lines.join("\n")
    })?;
    // Everything is reported: only the exit code remains.
    if refused.is_empty() { Ok(()) } else { std::process::exit(1) }
}

fn export(one: &One, output: &Output) -> Result<(), Failure> {
    let tokens = one.store.open()?.load()?;
    let token = tokens.find(&one.id)?;
    let mut document = describe(token);
    document["secret_hex"] = json!(HEXLOWER.encode(token.secret.expose()));
    output.print(&document, || HEXLOWER.encode(token.secret.expose()))
}

/// Deletes the replaced keys: no server needs them any more.
fn accepted(one: &One, output: &Output) -> Result<(), Failure> {
    let mut store = one.store.open()?;
    let tokens = store.load()?;
    let token = tokens.find(&one.id)?;
    if let Some(new) = &token.old_of {
        return Err(Failure::new(format!("{} is a replaced key: nothing was removed", shown(&token.id)))
            .next(format!("give the id of its replacement, {}", shown(new))));
    }
    let gone = store.change(|tokens| tokens.forget_replaced(&token.id))?;
    output.print(&json!({ "id": token.id, "removed": gone }), || match &gone[..] {
        [] => format!("the store has no key that {} replaced", shown(&token.id)),
        _ => format!("removed: {}", gone.iter().map(shown).collect::<Vec<_>>().join(", ")),
    })
}

fn delete(one: &One, yes: bool, output: &Output) -> Result<(), Failure> {
    let mut store = one.store.open()?;
    let id = store.load()?.find(&one.id)?.id.clone();
    if !yes {
        let typed = prompt(&format!("This deletes the key {} permanently. Type its id to confirm: ", shown(&id)))?;
        if typed.expose() != id.as_bytes() {
            return Err(Failure::new("that is not the key's id: nothing was deleted"));
        }
    }
    store.change(|tokens| tokens.delete(&id))?;
    output.print(&json!({ "id": id, "deleted": true }), || format!("key {} deleted", shown(&id)))
}
