//! Sends what is due at a channel: one task per channel and server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Notices;
use crate::model::clock::now;
use crate::model::notice::{Channel, Notice};
use crate::store::{NOTICE_LEASE_S, NoticeAttempt, Store, TakenNotice};

/// How often a channel is looked into.
const POLL: Duration = Duration::from_secs(2);
/// Seconds of a lease that are left to write down what became of an attempt.
const TO_SETTLE_S: i64 = 30;
/// Longest pause before a notice is sent again, in seconds.
const MAX_RETRY_S: u64 = 3600;

pub(super) async fn send_all(notices: Arc<Notices>, store: Store, channel: Channel, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match store.take_notice(channel).await {
            Ok(Some(taken)) => {
                let attempt = attempt(&notices, &taken, channel).await;
                if let Err(why) = store.settle_notice(taken, attempt).await {
                    // When the lease ends, another attempt is made.
                    tracing::warn!(channel = channel.as_str(), "cannot write down what was sent: {why}");
                }
                continue;
            }
            Ok(None) => {}
            Err(why) => tracing::warn!(channel = channel.as_str(), "cannot look for notices: {why}"),
        }
        tokio::select! {
            () = sleep(POLL) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn attempt(notices: &Arc<Notices>, taken: &TakenNotice, channel: Channel) -> NoticeAttempt {
    let time = Duration::from_secs((NOTICE_LEASE_S - TO_SETTLE_S).unsigned_abs());
    let (of_task, notice) = (Arc::clone(notices), taken.notice.clone());
    // On a task of its own, so that a bug ends no sender.
    let task = tokio::spawn(async move { timeout(time, send(&of_task, &notice, channel)).await });
    let sent = match task.await {
        Ok(Ok(sent)) => sent,
        Ok(Err(_)) => Err("it took too long".to_owned()),
        Err(_) => Err("a bug in the server ended the attempt".to_owned()),
    };
    let (notice, name) = (&taken.notice, channel.as_str());
    let Err(why) = sent else {
        notices.counters.count([name, "sent"]);
        return NoticeAttempt::Sent;
    };
    let (at, section) = (now(), &notices.section);
    if at.saturating_sub(notice.at).unsigned_abs() >= section.give_up_after_s {
        notices.counters.count([name, "given-up"]);
        tracing::error!(channel = name, event = notice.event.as_str(), id = notice.id, "a notice is given up: {why}");
        return NoticeAttempt::GivenUp(why);
    }
    notices.counters.count([name, "failed"]);
    tracing::warn!(channel = name, event = notice.event.as_str(), id = notice.id, "a notice was not sent: {why}");
    let pause_s = section.retry_s.saturating_mul(1 << taken.attempts.saturating_sub(1).min(20)).min(MAX_RETRY_S);
    NoticeAttempt::Again(at.saturating_add_unsigned(pause_s))
}

async fn send(notices: &Notices, notice: &Notice, channel: Channel) -> Result<(), String> {
    match (channel, &notices.webhook, &notices.mail) {
        (Channel::Webhook, Some(webhook), _) => webhook.send(notice).await.map_err(|why| why.to_string()),
        (Channel::Operators | Channel::User, _, Some(mail)) => mail.send(notice, channel).await,
        _ => Err("this server has no such channel".to_owned()),
    }
}
