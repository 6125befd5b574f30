//! An enrolment link: its trigger, and what the server says of it to people.

use std::path::Path;

use dskpp::message::MAX_MESSAGE_LEN;
use dskpp_client::transport::{HttpClient, MEDIA_TYPE, TransportError, check_url};
use serde::Deserialize;

use crate::output::Failure;

/// Whether a trigger is named by a link, not by a file.
pub(super) fn is_link(source: &str) -> bool {
    source.starts_with("https://") || source.starts_with("http://")
}

/// What an enrolment is: the same that the link's page shows in a browser.
#[derive(Debug, Deserialize)]
pub(super) struct LinkFacts {
    pub(super) issuer: String,
    pub(super) user: String,
    pub(super) what: String,
    pub(super) expires_at: String,
}

/// What the server says of a link; `None` if it says nothing, as servers before this version.
pub(super) async fn fetch_facts(url: &str, ca: Option<&Path>) -> Option<LinkFacts> {
    let octets = fetch(url, "application/json", ca).await.ok()?;
    serde_json::from_slice(&octets).ok()
}

pub(crate) async fn fetch_trigger(url: &str, ca: Option<&Path>) -> Result<Vec<u8>, Failure> {
    fetch(url, MEDIA_TYPE, ca).await
}

async fn fetch(url: &str, accept: &str, ca: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let failed = |why: String| Failure::new(format!("cannot fetch the trigger from {url}: {why}"));
    let request = HttpClient::new(ca)?.request(reqwest::Method::GET, url).map_err(|why| match why {
        TransportError::NotHttps(_) => {
            Failure::usage("triggers from other machines require https: anyone who reads a trigger can use it")
        }
        why => Failure::usage(&why).next(why.next()),
    })?;
    let request = request.header(reqwest::header::ACCEPT, accept);
    let unreachable = |why: reqwest::Error| match check_url(url) {
        Ok(url) => Failure::from(TransportError::of(&url, &why)),
        Err(error) => error.into(),
    };
    let mut answer = request.send().await.map_err(unreachable)?;
    if !answer.status().is_success() {
        let next = match answer.status().as_u16() {
            429 | 500.. => "try again later",
            _ => "it may be used or expired: request a new one",
        };
        return Err(failed(answer.status().to_string()).next(next));
    }
    let mut octets = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(unreachable)? {
        octets.extend_from_slice(&part);
        if octets.len() > MAX_MESSAGE_LEN {
            return Err(failed("it is too long".into()));
        }
    }
    Ok(octets)
}
