//! `dskpp token`: the keys in the token store.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use dskpp_client::token_from_package;
use dskpp_client::token_store::Token as Stored;
use dskpp_crypto::{Hash, Secret};
use dskpp_otp::{Code, Digits, Hotp, Input, OcraSuite, Totp};
use jiff::Timestamp;
use pskc::KeyUsage;
use serde_json::{Value, json};

use crate::output::{Failure, Output};
use crate::pskc::input::Input as KeyFile;
use crate::shown::{count, shown};
use crate::store::{StoreOptions, prompt};

#[derive(Subcommand)]
pub(crate) enum Token {
    /// List the keys
    List {
        #[command(flatten)]
        store: StoreOptions,
    },
    /// Make a one-time password
    Otp {
        #[command(flatten)]
        one: One,
        /// The challenge to respond to (OCRA)
        #[arg(long)]
        challenge: Option<String>,
    },
    /// Take the keys of a key file (PSKC) into the store
    Import {
        #[command(flatten)]
        input: Box<KeyFile>,
        #[command(flatten)]
        store: StoreOptions,
    },
    /// Print a key in the clear
    Export {
        #[command(flatten)]
        one: One,
    },
    /// Remove a key for good
    Delete {
        #[command(flatten)]
        one: One,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Say that a server has accepted a code of a renewed key: the keys that it replaced are removed for good
    Accepted {
        #[command(flatten)]
        one: One,
    },
    /// Give a key another name
    Rename {
        #[command(flatten)]
        one: One,
        /// The name
        label: String,
    },
}

#[derive(Args)]
pub(crate) struct One {
    /// The key: its id, the beginning of its id, or its name
    id: String,

    #[command(flatten)]
    store: StoreOptions,
}

impl Token {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Token::List { store } => list(&store, output),
            Token::Otp { one, challenge } => otp(&one, challenge.as_deref(), output),
            Token::Import { input, store } => import(&input, &store, output),
            Token::Export { one } => export(&one, output),
            Token::Delete { one, yes } => delete(&one, yes, output),
            Token::Accepted { one } => accepted(&one, output),
            Token::Rename { one, label } => {
                let mut store = one.store.open()?;
                let id = store.find(&one.id)?.id;
                store.rename(&id, Some(label.clone()))?;
                output.print(&json!({ "id": id, "label": label }), || {
                    format!("key {} is now called {}", shown(&id), shown(&label))
                })
            }
        }
    }
}

fn list(store: &StoreOptions, output: &Output) -> Result<(), Failure> {
    let tokens = store.open()?.list()?;
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

fn otp(one: &One, challenge: Option<&str>, output: &Output) -> Result<(), Failure> {
    let mut store = one.store.open()?;
    let token = store.find(&one.id)?;
    let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let suite: Option<OcraSuite> = match (token.key_type.as_str(), &token.suite) {
        ("ocra", Some(suite)) => Some(suite.parse().map_err(Failure::new)?),
        _ => None,
    };
    let usage = if suite.is_some() { KeyUsage::Cr } else { KeyUsage::Otp };
    token.check_use(usage, Timestamp::now()).map_err(Failure::new)?;
    let pin = suite.as_ref().is_some_and(OcraSuite::has_pin).then(|| prompt("PIN: ")).transpose()?;
    let moves = token.key_type == "hotp" || suite.as_ref().is_some_and(OcraSuite::has_counter);
    let answer = |token: &Stored| match &suite {
        Some(suite) => Ok((respond(token, suite, challenge, unix_s, pin.as_ref())?, None)),
        None => make(token, unix_s),
    };
    // What cannot be answered is found out before a counter is moved.
    let (mut code, remaining_s) = answer(&token)?;
    if token.uses_left.is_some() {
        store.count_use(&token.id)?;
    }
    if moves {
        // The counter is moved and saved before its password is shown: a crash may lose one, but never shows one
        // twice, and neither do two processes.
        let moved =
            store.update(&token.id, |token| token.counter = token.counter.map(|counter| counter.saturating_add(1)));
        let moved = moved.map_err(Failure::new)?;
        let counter = moved.counter.map(|counter| counter.saturating_sub(1));
        code = answer(&Stored { counter, ..moved })?.0;
    }
    let document = json!({ "id": token.id, "otp": code.as_str(), "valid_for_s": remaining_s });
    output.print(&document, || code.to_string())
}

fn make(token: &Stored, unix_s: u64) -> Result<(Code, Option<u64>), Failure> {
    let digits = Digits::new(token.digits.unwrap_or(6)).map_err(Failure::new)?;
    match token.key_type.as_str() {
        "hotp" => Ok((Hotp { digits }.code(&token.secret, counter(token)?), None)),
        "totp" => {
            let totp = Totp::new(digits, token.period_s.unwrap_or(30), hash(token)?).map_err(Failure::new)?;
            Ok((totp.code(&token.secret, unix_s), Some(totp.remaining_s(unix_s))))
        }
        other => Err(Failure::new(format!("a key of type {other} makes no one-time passwords"))),
    }
}

/// A key that is used with a counter has one, and one after it: without them the codes would be those of another time,
/// or come twice.
fn counter(token: &Stored) -> Result<u64, Failure> {
    let id = shown(&token.id);
    match token.counter {
        None => Err(Failure::new(format!("the key '{id}' has no counter in the store: import it again"))),
        Some(u64::MAX) => {
            Err(Failure::new(format!("the counter of the key '{id}' has come to its end: renew the key")))
        }
        Some(counter) => Ok(counter),
    }
}

fn hash(token: &Stored) -> Result<Hash, Failure> {
    let Some(name) = &token.hash else { return Ok(Hash::Sha1) };
    Hash::from_name(name)
        .ok_or_else(|| Failure::new(format!("the key uses the hash {}, which is not known here", shown(name))))
}

fn respond(
    token: &Stored,
    suite: &OcraSuite,
    challenge: Option<&str>,
    unix_s: u64,
    pin: Option<&Secret>,
) -> Result<Code, Failure> {
    let question = challenge
        .ok_or_else(|| Failure::usage(format!("{suite} responds to a challenge")).next("give it with --challenge"))?;
    let counter = if suite.has_counter() { counter(token)? } else { 0 };
    let input = Input { counter, question, pin, unix_s, ..Input::default() };
    suite.code(&token.secret, &input).map_err(Failure::new)
}

/// All keys of a file, or none: one that is refused is told, and the others are taken.
fn import(input: &KeyFile, store: &StoreOptions, output: &Output) -> Result<(), Failure> {
    let file = input.open(true)?;
    file.warn();
    file.warn_of_assumed();
    let (mut tokens, mut refused) = (Vec::new(), Vec::new());
    file.for_each(|package| {
        if package.key.is_none() {
            return Ok(());
        }
        match token_from_package(&package) {
            Ok(token) => tokens.push(token),
            Err(why) => {
                let id = package.key.as_ref().map(|key| key.id.clone()).unwrap_or_default();
                refused.push(json!({ "id": id, "reason": why.to_string() }));
            }
        }
        Ok(())
    })?;
    let mut store = store.open_or_create()?;
    let done = store.insert_many(tokens)?;
    refused.extend(done.different.iter().map(|(id, what)| {
        let reason = format!("a key with this Id exists with a different {what}; the old one stays as it is");
        json!({ "id": id, "reason": reason })
    }));
    let document = json!({ "accepted": done.added, "duplicates": done.duplicates, "refused": refused });
    output.print(&document, || {
        let mut lines = vec![format!("{} taken into the store", count(done.added as u64, "key"))];
        lines.extend(done.duplicates.iter().map(|id| format!("  {} was there already", shown(id))));
        lines.extend(refused.iter().map(|key| {
            let part = |name: &str| shown(key[name].as_str().unwrap_or_default());
            format!("  {} is refused: {}", part("id"), part("reason"))
        }));
        lines.join("\n")
    })?;
    // All has been said: only the exit code is left to tell.
    if refused.is_empty() { Ok(()) } else { std::process::exit(1) }
}

fn export(one: &One, output: &Output) -> Result<(), Failure> {
    let token = one.store.open()?.find(&one.id)?;
    let mut document = describe(&token);
    document["secret_hex"] = json!(HEXLOWER.encode(token.secret.expose()));
    output.print(&document, || HEXLOWER.encode(token.secret.expose()))
}

/// No server wants the replaced keys any more.
fn accepted(one: &One, output: &Output) -> Result<(), Failure> {
    let mut store = one.store.open()?;
    let token = store.find(&one.id)?;
    if let Some(new) = &token.old_of {
        return Err(Failure::new(format!("{} is a replaced key: nothing was removed", shown(&token.id)))
            .next(format!("give the id of the key that has replaced it, {}", shown(new))));
    }
    let gone = store.forget_replaced(&token.id)?;
    output.print(&json!({ "id": token.id, "removed": gone }), || match &gone[..] {
        [] => format!("the key {} has replaced none that is still here", shown(&token.id)),
        _ => format!("removed: {}", gone.iter().map(shown).collect::<Vec<_>>().join(", ")),
    })
}

fn delete(one: &One, yes: bool, output: &Output) -> Result<(), Failure> {
    let mut store = one.store.open()?;
    let id = store.find(&one.id)?.id;
    if !yes {
        let typed = prompt(&format!("The key {} is lost for good. Type its id to delete it: ", shown(&id)))?;
        if typed.expose() != id.as_bytes() {
            return Err(Failure::new("that is not the key's id: nothing was deleted"));
        }
    }
    store.delete(&id)?;
    output.print(&json!({ "id": id, "deleted": true }), || format!("key {} deleted", shown(&id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_is_missing_or_at_its_end_makes_no_code() {
        let xml = r#"<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc" Version="1.0"><KeyPackage><Key Id="a" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp"><AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters><Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret><Counter><PlainValue>0</PlainValue></Counter></Data></Key></KeyPackage></KeyContainer>"#;
        let container = pskc::KeyContainer::from_xml(xml.as_bytes()).unwrap();
        let token = token_from_package(&container.key_packages[0]).unwrap();
        for (counter, made) in [(Some(0), Ok("755224")), (None, Err("no counter")), (Some(u64::MAX), Err("its end"))] {
            let code = make(&Stored { counter, ..token.clone() }, 0);
            match made {
                Ok(expected) => assert_eq!(code.ok().unwrap().0.as_str(), expected),
                Err(words) => assert!(format!("{:?}", code.err().unwrap()).contains(words), "{counter:?}"),
            }
        }
        let last = make(&Stored { counter: Some(u64::MAX - 1), ..token.clone() }, 0);
        assert!(last.is_ok(), "the last one that another follows");
        let suite: OcraSuite = "OCRA-1:HOTP-SHA1-6:C-QN08".parse().unwrap();
        let at_end = Stored { counter: Some(u64::MAX), ..token };
        assert!(respond(&at_end, &suite, Some("12345678"), 0, None).is_err());
    }
}
