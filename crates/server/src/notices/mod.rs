//! Notices to operators, users and systems: what ends soon, and what was lost. One server of several sends each, once; a
//! receiver that does not work delays no other one, and nothing else. `docs/notices.md` describes them.

mod announcer;
mod mail;
#[cfg(test)]
mod tests;
mod text;
mod webhook;
mod worker;

use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) use announcer::announce;

use crate::config::NoticesSection;
use crate::metrics::{Collectors, Counters};
use crate::model::clock::now;
use crate::model::notice::{Channel, Event, Notice};
use crate::store::Store;
use crate::{Config, ConfigError};

/// The ways to send notices that the configuration has.
#[derive(Debug)]
pub(crate) struct Notices {
    webhook: Option<webhook::Webhook>,
    mail: Option<mail::Mail>,
    section: NoticesSection,
    counters: Counters,
}

impl Notices {
    /// Reads the files that the configuration names; it connects to nothing.
    ///
    /// # Errors
    /// Every setting that cannot work so.
    pub(crate) fn load(config: &Config) -> Result<Self, ConfigError> {
        let mut faults = Vec::new();
        let mut take = |fault| faults.push(fault);
        let webhook = webhook::Webhook::load(config).map_err(&mut take).ok().flatten();
        let mail = mail::Mail::load(config).map_err(&mut take).ok().flatten();
        if !faults.is_empty() {
            return Err(ConfigError(faults));
        }
        let known =
            Channel::ALL.iter().flat_map(|channel| ["sent", "failed", "given-up"].map(|it| [channel.as_str(), it]));
        let help = "Attempts to send notices, by channel and result.";
        let counters = Counters::new("dskpp_notices_total", help, ["channel", "result"], known);
        Ok(Notices { webhook, mail, section: config.notices.clone(), counters })
    }

    /// The channels by which a notice is sent.
    pub(crate) fn channels(&self, notice: &Notice) -> Vec<Channel> {
        let is_used = |channel: &Channel| match channel {
            Channel::Webhook => self.webhook.is_some(),
            Channel::Operators => {
                // A user's key is the user's matter; a lost one concerns both.
                notice.event != Event::KeyExpiring && self.mail.as_ref().is_some_and(|mail| mail.has_operators())
            }
            Channel::User => match (&self.mail, &notice.user) {
                (Some(mail), Some(user)) => mail.address_of(user).is_some(),
                _ => false,
            },
        };
        Channel::ALL.into_iter().filter(is_used).collect()
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> Collectors {
        vec![self.counters.collector()]
    }
}

/// A notice of now.
pub(crate) fn notice(id: String, event: Event, user: Option<String>, data: Value) -> Notice {
    let data = match data {
        Value::Object(data) => data,
        _ => Map::new(),
    };
    Notice { id, event, at: now(), user, data }
}

/// Starts the senders; each ends, after what it has begun, when `stop` says so.
pub(crate) fn start(notices: &Arc<Notices>, store: &Store, stop: &watch::Receiver<bool>, senders: &mut JoinSet<()>) {
    for channel in Channel::ALL {
        let is_used = match channel {
            Channel::Webhook => notices.webhook.is_some(),
            Channel::Operators | Channel::User => notices.mail.is_some(),
        };
        if is_used {
            senders.spawn(worker::send_all(Arc::clone(notices), store.clone(), channel, stop.clone()));
        }
    }
}
