//! The admin API of a DSKPP server (`/api/v1`): types of its requests and answers, and its paths.
//!
//! - Each request and answer is a struct with the names of its JSON members; closed sets of names are enums. Times are
//!   RFC 3339 strings (UTC), octets are hexadecimal, and names end with their unit (`expires_in_s`).
//! - Requests are read strictly: an unknown, repeated, missing or mistyped member is an error with its place. Unknown
//!   members of answers are ignored, so that old clients understand new servers.
//! - Secrets are [`SecretString`]s: wiped when dropped, never printed.
//! - The crate does no I/O and depends on neither server nor client.
//!
//! ```
//! use dskpp_api::{KeyType, NewEnrolmentRequest, ValidationResult, paths};
//!
//! let request = NewEnrolmentRequest { digits: Some(8), ..NewEnrolmentRequest::new("alice", KeyType::Totp) };
//! assert_eq!(serde_json::to_string(&request)?, r#"{"user":"alice","key_type":"totp","digits":8}"#);
//! assert_eq!(paths::of(paths::ENROLMENT, "e1"), "/enrolments/e1"); // below paths::ROOT
//!
//! let result: ValidationResult = serde_json::from_str(r#"{"valid":true,"key_id":"k1"}"#)?;
//! assert!(result.valid);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod audit;
mod bulk;
mod checkpoint;
mod devices;
mod enrolments;
mod k_servers;
mod keys;
mod lifecycle;
mod names;
pub mod paths;
mod problem;
mod secret;
mod sinks;
mod transfer;
mod users;

pub use audit::{AuditEntry, AuditQuery, ListedAuditEntry, UnreadableAuditEntry};
pub use bulk::{BulkEnrolment, KeyRevocation, MEDIA_TYPE_NDJSON, RevokedKeys};
pub use checkpoint::{AuditCheckpoint, ChainHead, Checkpoint, SignedCheckpoint};
pub use devices::{
    CreatedDevice, Device, DeviceBatch, DeviceBatchReport, DeviceChangeRequest, DeviceDetails, DeviceIdentity,
    DeviceName, DeviceQuery, ListedDevice, NewDeviceRequest, RejectedDevice, UnreadableDevice,
};
pub use enrolments::{
    CreatedEnrolment, Enrolment, EnrolmentDetails, EnrolmentQuery, MAX_KEY_LIFETIME_S, NewEnrolmentRequest,
    RefusalEntry, WrongTries,
};
pub use k_servers::{KServer, NewKServer};
pub use keys::{
    ActivationRequest, ActivationResult, KeyChangeRequest, KeyOwner, KeyParameters, KeyQuery, KeySecret, KeySummary,
    ListedKey, Renewal, RenewalRequest, Resync, Resynced, UnreadableKey, ValidationRequest, ValidationResult,
};
pub use lifecycle::{Expiring, ExpiringCertificate, ExpiringQuery, LostRequest, UserLost};
pub use names::{
    Activation, Assign, AuditOrder, Cause, DeliveryOperation, DeliveryState, EnrolmentState, HashName, KServerState,
    KeyState, KeyType, Location, Method, Named, ProblemType, Rejection, Role, UnknownName, Variant,
};
pub use problem::{HEADER_IDEMPOTENCY_KEY, ListPage, Listed, MEDIA_TYPE_PROBLEM, PageQuery, Problem, UnreadableRow};
pub use secret::SecretString;
pub use sinks::{Delivery, DeliveryQuery, KeyDetails, SinkList, SinkSummary, SinkTest};
pub use transfer::{
    ExportEnd, ExportProtection, ExportRequest, ImportProgress, ImportQuery, ImportReport, ImportSummary, LeftOut,
    LeftOutKey, MEDIA_TYPE_PSKC, RejectedKey,
};
pub use users::{CreatedToken, ListedUser, NewToken, NewUser, TokenSummary, User, UserQuery};
