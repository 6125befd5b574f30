//! Whether a run stays with the known server (profile P29). The renewal MAC proves that the server knows the old key, or
//! relays a server that does: it vouches neither for a URL nor for a K_SERVER.

use super::change::{ServerChange, names_a_key};
use super::error::EnrolmentError;
use super::host::Host;
use super::request::EnrollRequest;
use super::trust::Trust;
use crate::token::k_server::RememberedKServer;
use crate::token::{MOST_OLD, Token};
use crate::tokens::Tokens;

/// What the run trusts, after every check that is possible before anything is sent.
pub(super) async fn trust(
    host: &Host,
    request: &EnrollRequest,
    renewed: Option<&Token>,
    tokens: &Tokens,
    url_s: &str,
) -> Result<Trust, EnrolmentError> {
    let mut moved = false;
    if let Some(old) = renewed {
        if tokens.replaced_of(&old.id).count() >= MOST_OLD {
            return Err(EnrolmentError::TooManyOld(old.id.clone()));
        }
        moved = old.server_url.as_deref() != Some(url_s);
        if moved {
            let (key_id, old) = (old.id.clone(), old.server_url.clone());
            accept(host, request, ServerChange::Url { key_id, old, new: url_s.to_owned() }).await?;
        }
    }
    let of_server = tokens.iter().filter(|token| token.server_url.as_deref() == Some(url_s));
    let remembered: Vec<_> = match renewed {
        Some(old) => RememberedKServer::of(old).into_iter().collect(),
        None => of_server.filter_map(RememberedKServer::of).collect(),
    };
    let is_new = moved || (renewed.is_none() && remembered.is_empty());
    Ok(Trust {
        anchors: request.k_server_anchors.clone(),
        device_key: request.device_key.clone(),
        remembered,
        takes_any: is_new && !names_a_key(&request.accepted),
    })
}

/// Continues if a person accepted the change in advance or accepts it now.
pub(super) async fn accept(host: &Host, request: &EnrollRequest, change: ServerChange) -> Result<(), EnrolmentError> {
    match change.is_named_in(&request.accepted) || host.accepts(&change).await {
        true => Ok(()),
        false => Err(EnrolmentError::ServerChanged(Box::new(change))),
    }
}
