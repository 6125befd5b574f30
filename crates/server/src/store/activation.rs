//! The first one-time password of a key that waits for it, from the key's own client (RFC 6063 §10.5): the client proves
//! by a MAC under K_MAC that it has the key.

use std::sync::Arc;

use dskpp::prf::Prf;
use dskpp_api::{ActivationRequest, ActivationResult, SecretString};
use dskpp_crypto::{Secret, ct_eq};

use super::columns::{readable, value};
use super::db::{Connection, values};
use super::enrolments::By;
use super::keys::{accept, activate, k_token_of, old_key, waiting, wrong_password};
use super::{Store, StoreError, StorePolicy, tries};
use crate::model::clock::now;
use crate::model::{KeyRecord, KeyState};
use crate::policy::otp;
use crate::store::seal::Kek;

/// What the MAC says before the password.
const LABEL: &[u8] = b"OTP activation";
/// Octets of a MAC that a client makes with its key.
pub(super) const MAC_LEN: usize = 16;

/// Every refusal is the same.
const NO: ActivationResult = ActivationResult { active: false, used: false };

/// What a request finds.
enum Found {
    /// No key, or one whose client did not make the MAC.
    Nothing,
    /// The key is in use.
    InUse(ActivationResult),
    /// What this enrolment has made of the key waits for its first password.
    WaitsFor { enrolment: String },
}

impl Store {
    /// Whether the key is active, and the password right for it: the client of a key in use may look as often as it
    /// likes, and uses up nothing. A key that waits becomes active with the password.
    ///
    /// A wrong MAC changes nothing, and takes the same time whether there is such a key or not. A wrong password under a
    /// right MAC counts as a wrong first password does.
    pub(crate) async fn activate_by_client(
        &self,
        request: ActivationRequest,
        mac: [u8; MAC_LEN],
    ) -> Result<ActivationResult, StoreError> {
        let (kek, policy, request) = (Arc::clone(&self.kek), self.policy, Arc::new(request));
        let shown = Arc::clone(&request);
        let found = self.engine.read(move |db| find(db, &kek, &shown, &mac, &policy, now())).await?;
        match found {
            Found::Nothing => return Ok(NO),
            Found::InUse(result) => return Ok(result),
            Found::WaitsFor { .. } => {}
        }
        let kek = Arc::clone(&self.kek);
        let write = move |db: &Connection| {
            let at = now();
            let enrolment = match find(db, &kek, &request, &mac, &policy, at)? {
                Found::Nothing => return Ok(NO),
                Found::InUse(result) => return Ok(result),
                Found::WaitsFor { enrolment } => enrolment,
            };
            let Some((key, k_token)) = waiting(db, &kek, By::Id, &enrolment, &policy, at)? else { return Ok(NO) };
            match otp::check(&key, &k_token, request.otp.expose(), None, at, policy.windows) {
                Some(moved) => {
                    let is_first = activate(db, &kek, &key, &k_token, at)? && accept(db, &key, moved)?;
                    Ok(ActivationResult { active: is_first, used: is_first })
                }
                None => tries::count(db, &enrolment, &wrong_password(), &policy, at).map(|_| NO),
            }
        };
        self.engine.write(write).await
    }
}

fn find(
    db: &Connection,
    kek: &Kek,
    request: &ActivationRequest,
    mac: &[u8; MAC_LEN],
    policy: &StorePolicy,
    at: i64,
) -> Result<Found, StoreError> {
    let ActivationRequest { key_id, otp, .. } = request;
    let Some(key) = proved(db, kek, key_id, (LABEL, otp), mac)? else { return Ok(Found::Nothing) };
    let sql = "SELECT id, enrolment_id FROM pending_key WHERE id = ?";
    let renewal: Option<String> = value(db, "pending_key", sql, values![key.id])?;
    match (renewal, key.state) {
        (Some(enrolment), KeyState::Active | KeyState::Provisioned) => Ok(Found::WaitsFor { enrolment }),
        (None, KeyState::Active) => {
            let Some(k_token) = k_token_of(db, kek, &key.id)? else { return Ok(Found::Nothing) };
            let otp = request.otp.expose();
            let is_next = otp::check(&key, &k_token, otp, None, at, policy.windows).is_some();
            let active = is_next || otp::was_right(&key, &k_token, otp);
            Ok(Found::InUse(ActivationResult { active, used: false }))
        }
        (None, KeyState::Provisioned) => {
            Ok(key.enrolment_id.map_or(Found::Nothing, |enrolment| Found::WaitsFor { enrolment }))
        }
        _ => Ok(Found::Nothing),
    }
}

/// The key of an identifier, if its client made the MAC: with its K_MAC, over a label and a password. It takes the same time
/// whether there is such a key or not.
pub(super) fn proved(
    db: &Connection,
    kek: &Kek,
    key_id: &str,
    (label, otp): (&[u8], &SecretString),
    mac: &[u8; MAC_LEN],
) -> Result<Option<KeyRecord>, StoreError> {
    let found = readable(old_key(db, kek, key_id).wait())?.filter(|key| key.is_of_run);
    let of_nobody = Secret::from_slice(&[0; 32]);
    let k_mac = found.as_ref().map_or(&of_nobody, |key| &key.k_mac_old);
    let is_right = mac_of(k_mac, label, otp).is_some_and(|right| ct_eq(right.expose(), mac));
    Ok(found.filter(|_| is_right).map(|key| key.record))
}

/// `DSKPP-PRF(K_MAC, label || otp, 16)` with the PRF of the run that made K_MAC, which has its key length (profile P4).
fn mac_of(k_mac: &Secret, label: &[u8], otp: &SecretString) -> Option<Secret> {
    let prf = [Prf::Aes128, Prf::Sha256].into_iter().find(|prf| prf.key_len() == k_mac.expose().len())?;
    prf.derive(k_mac.expose(), &[label, otp.expose().as_bytes()], MAC_LEN).ok()
}
