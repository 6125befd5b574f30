//! Looks for what ends soon, and forgets what is old. Every server looks; the store lets one of them make each notice.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::text::time;
use super::{Notices, notice};
use crate::certificates::Certificates;
use crate::config::CleanupSection;
use crate::model::clock::now;
use crate::model::notice::{Event, Notice};
use crate::store::{Store, StoreError};

/// Pages of a thousand keys between two looks at the clock of others: a reading is short anyway.
const PAGES: usize = 10;

/// Looks, again and again.
pub(crate) async fn announce(
    notices: Arc<Notices>,
    certificates: Certificates,
    cleanup: CleanupSection,
    store: Store,
) -> Infallible {
    loop {
        if let Err(why) = look(&notices, &certificates, &store).await {
            tracing::warn!("cannot announce what ends soon: {why}");
        }
        if let Err(why) = clean_up(&cleanup, &store).await {
            tracing::warn!("cannot delete what is old: {why}");
        }
        tokio::time::sleep(Duration::from_secs(notices.section.look_every_s)).await;
    }
}

async fn clean_up(cleanup: &CleanupSection, store: &Store) -> Result<(), StoreError> {
    store.forget_old_notices().await?;
    if cleanup.enrolments_after_s == 0 {
        return Ok(());
    }
    let forgotten = store.forget_old_enrolments(now().saturating_sub_unsigned(cleanup.enrolments_after_s)).await?;
    if forgotten > 0 {
        tracing::info!("deleted {forgotten} enrolments that ended long ago and made no key");
    }
    Ok(())
}

/// Makes the notices of now.
pub(super) async fn look(notices: &Notices, certificates: &Certificates, store: &Store) -> Result<(), StoreError> {
    if notices.webhook.is_none() && notices.mail.is_none() || notices.section.announce_before_s == 0 {
        return Ok(());
    }
    for certificate in certificates.all() {
        let Some(stage) = notices.stage(certificate.expires_at) else { continue };
        let (name, end) = (certificate.name, certificate.expires_at);
        let id = format!("{}/{name}/{end}/{stage}", Event::CertificateExpiring.as_str());
        let data = json!({ "certificate": name, "server": certificates.server(), "expires_at": time(end) });
        notices.make(store, notice(id, Event::CertificateExpiring, None, data), end).await?;
    }
    let mut after = String::new();
    loop {
        let until = now().saturating_add_unsigned(notices.section.announce_before_s);
        let found = store.expiring_keys(after, until, PAGES).await?;
        for key in found.keys {
            let Some((end, stage)) = key.expires_at.and_then(|end| Some((end, notices.stage(end)?))) else { continue };
            let id = format!("{}/{}/{end}/{stage}", Event::KeyExpiring.as_str(), key.id);
            let data = json!({ "key_id": key.id, "key_type": key.key_type, "expires_at": time(end) });
            notices.make(store, notice(id, Event::KeyExpiring, key.user, data), end).await?;
        }
        match found.next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}

impl Notices {
    /// Which of the announcements of an end is due.
    fn stage(&self, end: i64) -> Option<&'static str> {
        let left = u64::try_from(end.saturating_sub(now())).ok()?;
        match (&self.section.remind_before_s, &self.section.announce_before_s) {
            (remind, _) if left <= *remind => Some("again"),
            (_, announce) if left <= *announce => Some("first"),
            _ => None,
        }
    }

    async fn make(&self, store: &Store, notice: Notice, end: i64) -> Result<(), StoreError> {
        let channels = self.channels(&notice);
        store.make_notice(notice, channels, end.saturating_add(86_400)).await.map(drop)
    }
}
