//! A user who has lost a token: all keys go out of use, and what could make new ones; a new enrolment begins.

use std::sync::Arc;

use serde_json::json;

use super::access::user_by_name;
use super::columns::Columns;
use super::db::{Connection, Row, values};
use super::enrolments::{Author, Created, NewEnrolment, create};
use super::{Store, StoreError, audit, notices, outbox, pending};
use crate::model::DeliveryOperation;
use crate::model::clock::now;
use crate::model::notice::{Channel, Notice};

/// What was done for a user who has lost a token.
#[derive(Debug)]
pub(crate) struct Lost {
    /// The keys that were in use, by identifier.
    pub(crate) keys: Vec<String>,
    /// The enrolments whose codes could have been used, by identifier.
    pub(crate) enrolments: Vec<String>,
    /// The new enrolment.
    pub(crate) created: Created,
}

impl Store {
    /// Revokes every key and every open enrolment of the user, makes the new enrolment, and has the notice sent: all of it,
    /// or nothing. `by` is the caller's token.
    pub(crate) async fn user_lost(
        &self,
        new: NewEnrolment,
        (notice, channels): (Notice, Vec<Channel>),
        by: String,
    ) -> Result<Lost, StoreError> {
        let kek = Arc::clone(&self.kek);
        let write = move |db: &Connection| {
            let at = now();
            let user = user_by_name(db, &new.user)?.ok_or(StoreError::NotFound("user"))?;
            let id = |row: &Row<'_>| Columns::of("key", row).get::<String>(0);
            let sql = "UPDATE key SET state = 'revoked' WHERE user_id = ? AND state IN ('active', 'provisioned') \
                 RETURNING id";
            let keys = db.rows(sql, values![user], id)?.into_iter().collect::<Result<Vec<_>, _>>()?;
            for key in &keys {
                pending::forget(db, key)?;
                outbox::requeue(db, key, DeliveryOperation::Delete, at)?;
                audit::append(db, at, "key.revoked", &json!({ "key": key, "by": by }))?;
            }
            let id = |row: &Row<'_>| Columns::of("enrolment", row).get::<String>(0);
            let sql = "UPDATE enrolment SET state = 'revoked' WHERE user_id = ? AND state IN ('open', 'provisioned') \
                 RETURNING id";
            let enrolments = db.rows(sql, values![user], id)?.into_iter().collect::<Result<Vec<_>, _>>()?;
            for enrolment in &enrolments {
                pending::give_up(db, enrolment, at)?;
                audit::append(db, at, "enrolment.revoked", &json!({ "enrolment": enrolment, "by": by }))?;
            }
            let created = create(db, &kek, &new, Author::Operator, at)?;
            let mut notice = notice.clone();
            notice.data.insert("keys".to_owned(), keys.len().into());
            notices::announce(db, &kek, &notice, &channels, at.saturating_add(86_400))?;
            let subject = json!({
                "user": new.user, "keys": keys, "enrolments": enrolments, "enrolment": created.enrolment.id, "by": by,
            });
            audit::append(db, at, "user.lost", &subject)?;
            Ok(Lost { keys, enrolments, created })
        };
        self.engine.write(write).await
    }
}
