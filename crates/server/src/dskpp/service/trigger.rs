//! The trigger of an enrolment: generated on first request, unchanged afterwards (profile P14).

use std::num::NonZeroU32;
use std::sync::Arc;

use dskpp::auth_data::{self, MIN_ITERATIONS};
use dskpp::message::{AuthenticationCodeMac, AuthenticationData, Mac, Platform, TokenPlatformInfo, Trigger};
use dskpp::prf::Prf;
use dskpp::server::{ProofInput, Rounds};
use dskpp::version::Version;
use dskpp_crypto::{Random as _, Secret, SystemRandom};
use pskc::DeviceInfo;

use super::{Service, Stop};
use crate::model::{EnrolmentRecord, EnrolmentState, Location, TriggerAd};
use crate::net::crypto_pool::Prepared;
use crate::net::rate_limit::{RetryAfter, Subject};
use crate::net::turns::Turn;

/// Why there is no trigger.
pub(crate) enum NoTrigger {
    /// No enrolment has this token.
    Unknown,
    /// The enrolment is used, expired or revoked.
    Over,
    /// Try again later.
    TooMany(RetryAfter),
    /// The server is unavailable.
    Unavailable,
    /// A bug in the server.
    Defect,
}

impl From<Stop> for NoTrigger {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::TooMany(wait) => NoTrigger::TooMany(wait),
            Stop::Unavailable(why) => {
                tracing::error!("the store is unavailable: {why}");
                NoTrigger::Unavailable
            }
            Stop::Refused(_) | Stop::NotDskpp(_) | Stop::Defect => {
                tracing::error!("cannot generate a trigger because of a bug");
                NoTrigger::Defect
            }
        }
    }
}

impl Service {
    /// The `<KeyProvTrigger>` document of the enrolment with this token.
    ///
    /// Generating it is charged to the requesting address.
    pub(crate) async fn trigger(self: &Arc<Self>, token: &str, asks: Subject) -> Result<Vec<u8>, NoTrigger> {
        let turn = self.turn(asks).await?;
        let enrolment = self.enrolment_of(token).await?;
        let prf = self.policy.mac_algorithms.iter().find_map(Prf::of).ok_or(NoTrigger::Unavailable)?;
        let ad = match enrolment.trigger.clone() {
            Some(ad) => ad,
            None => self.make_ad(&enrolment, prf, asks, turn).await?,
        };
        let trigger = Trigger {
            version: Version::V1_0,
            device_identifier_data: enrolment.device.as_ref().map(|device| DeviceInfo {
                manufacturer: Some(device.manufacturer.clone()),
                serial_no: Some(device.serial.clone()),
                ..DeviceInfo::default()
            }),
            key_id: enrolment.renews.clone().map(String::into_bytes),
            token_platform_info: platform(&enrolment),
            authentication_data: AuthenticationData {
                client_id: Some(enrolment.client_id),
                authentication_code_mac: AuthenticationCodeMac {
                    nonce: Some(ad.nonce),
                    iteration_count: Some(MIN_ITERATIONS as i32),
                    mac: Mac { algorithm: Some(prf.algorithm()), value: ad.mac },
                },
            },
            server_url: Some(ad.url_s),
        };
        Ok(trigger.write())
    }

    /// The enrolment of which [`Service::trigger`] would return the trigger.
    pub(crate) async fn enrolment_of_link(&self, token: &str, asks: Subject) -> Result<EnrolmentRecord, NoTrigger> {
        let _turn = self.turn(asks).await?;
        self.enrolment_of(token).await
    }

    /// The first public URL, where new keys are provisioned.
    pub(crate) fn first_url(&self) -> &str {
        self.url_s.first().map_or("", String::as_str)
    }

    async fn turn(&self, asks: Subject) -> Result<Turn, NoTrigger> {
        self.turns.of(asks).await.map_err(NoTrigger::TooMany)
    }

    async fn enrolment_of(&self, token: &str) -> Result<EnrolmentRecord, NoTrigger> {
        let found = self.store.enrolment_by_trigger(token).await.map_err(|why| NoTrigger::from(Stop::from(why)))?;
        let enrolment = found.ok_or(NoTrigger::Unknown)?;
        match enrolment.state == EnrolmentState::Open {
            true => Ok(enrolment),
            false => Err(NoTrigger::Over),
        }
    }

    /// The URL of the run: for a renewal, the URL at which the key was provisioned, because the token asks about any
    /// other (profile P29).
    async fn url_of(&self, enrolment: &EnrolmentRecord) -> Result<String, Stop> {
        let renewed = match &enrolment.renews {
            Some(id) => self.store.url_of_key(id).await?,
            None => None,
        };
        let Some(url_s) = renewed else {
            return Ok(self.first_url().to_owned());
        };
        if !self.url_s.contains(&url_s) {
            let key = &enrolment.renews;
            tracing::warn!(
                key,
                "the trigger names {url_s}, which is not in server.public_urls: clients must be able to reach it"
            );
        }
        Ok(url_s)
    }

    /// One PBKDF2 computation per enrolment; of two concurrent results, the store keeps the first.
    async fn make_ad(
        self: &Arc<Self>,
        enrolment: &EnrolmentRecord,
        prf: Prf,
        asks: Subject,
        turn: Turn,
    ) -> Result<TriggerAd, Stop> {
        let service = Arc::clone(self);
        let url_s = self.url_of(enrolment).await?;
        let (password, client_id) = (enrolment.password.clone(), enrolment.client_id.clone());
        let iterations = NonZeroU32::new(MIN_ITERATIONS).ok_or(Stop::Defect)?;
        let rounds = Rounds { prf: self.auth.pbkdf2_prf, iterations };
        let ad = self.compute(turn, asks, MIN_ITERATIONS.into(), Some(rounds), move || {
            let (nonce, k_server) = (SystemRandom.bytes(prf.key_len()), service.k_servers.newest());
            let input = ProofInput::new(rounds, &password, &nonce, k_server.k.octets());
            let rest = move |k_ac: &Secret| {
                let mac = auth_data::mac(prf, k_ac, &client_id, &url_s, &nonce, &[]);
                TriggerAd { nonce, mac, url_s }
            };
            Prepared::Derive(input, Box::new(rest))
        });
        Ok(self.store.keep_trigger(&enrolment.id, ad.await?).await?)
    }
}

/// Absent unless the enrolment requires a platform.
fn platform(enrolment: &EnrolmentRecord) -> Option<TokenPlatformInfo> {
    let of = |location: Option<Location>| {
        location.map(|location| match location {
            Location::Hardware => Platform::Hardware,
            Location::Software => Platform::Software,
        })
    };
    let info = TokenPlatformInfo {
        key_location: of(enrolment.key_location),
        algorithm_location: of(enrolment.algorithm_location),
    };
    (info != TokenPlatformInfo::default()).then_some(info)
}
