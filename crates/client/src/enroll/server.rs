//! Whether a run stays with the known server (profile P29). The renewal MAC proves that the server knows the old key, or
//! relays a server that does: it vouches neither for a URL nor for a K_SERVER.

use super::blocking::blocking;
use super::change::{ServerChange, names_a_key};
use super::error::EnrollError;
use super::request::EnrollRequest;
use super::trust::Trust;
use crate::token::k_server::RememberedKServer;
use crate::token::{MOST_OLD, Token};
use crate::tokens::Tokens;

/// What the run trusts, after every check that is possible before anything is sent.
pub(super) async fn trust(
    request: &EnrollRequest,
    renewed: Option<&Token>,
    tokens: &Tokens,
    url_s: &str,
) -> Result<Trust, EnrollError> {
    let mut moved = false;
    if let Some(old) = renewed {
        if tokens.replaced_of(&old.id).count() >= MOST_OLD {
            return Err(EnrollError::TooManyOld(old.id.clone()));
        }
        moved = old.server_url.as_deref() != Some(url_s);
        if moved {
            let (key_id, old) = (old.id.clone(), old.server_url.clone());
            accept(request, ServerChange::Url { key_id, old, new: url_s.to_owned() }).await?;
        }
    }
    let of_server = tokens.iter().filter(|token| token.server_url.as_deref() == Some(url_s));
    let remembered: Vec<_> = match renewed {
        Some(old) => RememberedKServer::of(old).into_iter().collect(),
        None => of_server.filter_map(RememberedKServer::of).collect(),
    };
    let is_new = moved || (renewed.is_none() && remembered.is_empty());
    Ok(Trust {
        anchors: Trust::read_anchors(request.k_server_ca.as_deref())?,
        device_key: request.device_key.clone(),
        remembered,
        takes_any: is_new && !names_a_key(&request.accepted),
    })
}

/// Continues if a person accepted the change in advance or accepts it now.
pub(super) async fn accept(request: &EnrollRequest, change: ServerChange) -> Result<(), EnrollError> {
    if change.is_named_in(&request.accepted) {
        return Ok(());
    }
    if let Some(ask) = request.ask {
        let asked = change.clone();
        if blocking(move || ask(&asked)).await? {
            return Ok(());
        }
    }
    Err(EnrollError::ServerChanged(change))
}
