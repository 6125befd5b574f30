//! Other systems that get keys, the sinks, and what is on its way to them.

use serde::{Deserialize, Serialize};

use crate::{DeliveryOperation, DeliveryState, KeySummary};

/// What a sink has of a key, or is to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Delivery {
    /// Its identifier.
    pub id: String,
    /// The key.
    pub key_id: String,
    /// The sink's name.
    pub sink: String,
    /// What the sink is to do.
    pub operation: DeliveryOperation,
    /// The number of this change of the key at the sink, from 1.
    pub number: u64,
    /// How far it is.
    pub state: DeliveryState,
    /// Attempts to deliver this change so far.
    pub attempts: u32,
    /// When the change was made (RFC 3339, UTC).
    pub queued_at: Option<String>,
    /// When it is due, if it is pending (RFC 3339, UTC).
    pub next_at: Option<String>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// Which deliveries to list, in the order of their identifiers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeliveryQuery {
    /// Only those of this sink.
    pub sink: Option<String>,
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// Only deliveries after this one: `next` of the previous page with the same filters.
    pub after: Option<String>,
    /// Page size, 1 to 100; 100 by default.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    pub limit: Option<usize>,
}

/// A key, with its sinks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyDetails {
    /// The rest.
    #[serde(flatten)]
    pub key: KeySummary,
    /// What each sink has of it, or is to have, by the sinks' names.
    #[serde(default)]
    pub deliveries: Vec<Delivery>,
}

/// A sink in the configuration of the server that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SinkSummary {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Where it delivers: a URL without a query, a file or a folder.
    pub target: String,
    /// Whether it gets keys of enrolments that name no sinks.
    pub is_default: bool,
}

/// Every sink.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SinkList {
    /// In the order of the configuration.
    pub items: Vec<SinkSummary>,
}

/// What a dry run found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SinkTest {
    /// The sink.
    pub sink: String,
    /// What it would get of a sample key, with `…` in the place of every secret.
    pub would_send: String,
    /// Whether the target can be reached.
    pub reached: bool,
    /// Why not.
    pub error: Option<String>,
}
