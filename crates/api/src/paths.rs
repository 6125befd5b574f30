//! The API's paths, relative to [`ROOT`]; `{id}` stands for an identifier.

/// The prefix of every path.
pub const ROOT: &str = "/api/v1";

/// `GET` → the OpenAPI 3.1 document of the API, without a token
pub const OPENAPI: &str = "/openapi.json";

/// `POST` [`NewUser`](crate::NewUser) → 201 [`User`](crate::User);
/// `GET` with [`UserQuery`](crate::UserQuery) → a [`ListPage`](crate::ListPage) of [`Listed`](crate::Listed)
/// [`ListedUser`](crate::ListedUser)s
pub const USERS: &str = "/users";
/// `POST` [`LostRequest`](crate::LostRequest) → 201 [`UserLost`](crate::UserLost)
pub const USERS_LOST: &str = "/users/lost";
/// `GET` with [`ExpiringQuery`](crate::ExpiringQuery) → [`Expiring`](crate::Expiring)
pub const EXPIRING: &str = "/expiring";

/// `GET` → [`ListedUser`](crate::ListedUser); `DELETE` → 204
pub const USER: &str = "/users/{id}";

/// `POST` [`NewDeviceRequest`](crate::NewDeviceRequest) → 201 [`CreatedDevice`](crate::CreatedDevice);
/// `GET` with [`DeviceQuery`](crate::DeviceQuery) → a [`ListPage`](crate::ListPage) of [`ListedDevice`](crate::ListedDevice)
pub const DEVICES: &str = "/devices";
/// `POST` [`DeviceBatch`](crate::DeviceBatch) → [`DeviceBatchReport`](crate::DeviceBatchReport)
pub const DEVICES_IMPORT: &str = "/devices/import";
/// `GET` → [`DeviceDetails`](crate::DeviceDetails);
/// `PATCH` [`DeviceChangeRequest`](crate::DeviceChangeRequest) → [`DeviceDetails`](crate::DeviceDetails); `DELETE` → 204
pub const DEVICE: &str = "/devices/{id}";

/// `POST` [`NewEnrolmentRequest`](crate::NewEnrolmentRequest) → 201 [`CreatedEnrolment`](crate::CreatedEnrolment);
/// `GET` with [`EnrolmentQuery`](crate::EnrolmentQuery) → a [`ListPage`](crate::ListPage) of [`Listed`](crate::Listed)
/// [`Enrolment`](crate::Enrolment)s
pub const ENROLMENTS: &str = "/enrolments";
/// `POST` of a [`NewEnrolmentRequest`](crate::NewEnrolmentRequest) per line
/// ([`MEDIA_TYPE_NDJSON`](crate::MEDIA_TYPE_NDJSON)) → a [`BulkEnrolment`](crate::BulkEnrolment) per line
pub const ENROLMENTS_BULK: &str = "/enrolments/bulk";
/// `GET` → [`EnrolmentDetails`](crate::EnrolmentDetails); `DELETE` (revokes it) → 204
pub const ENROLMENT: &str = "/enrolments/{id}";

/// `GET` with [`KeyQuery`](crate::KeyQuery) → a [`ListPage`](crate::ListPage) of [`ListedKey`](crate::ListedKey)
pub const KEYS: &str = "/keys";
/// `POST` of a PSKC document ([`MEDIA_TYPE_PSKC`](crate::MEDIA_TYPE_PSKC)) with [`ImportQuery`](crate::ImportQuery)
/// → [`ImportReport`](crate::ImportReport)
pub const KEYS_IMPORT: &str = "/keys/import";
/// `POST` [`ExportRequest`](crate::ExportRequest) → a PSKC document ([`MEDIA_TYPE_PSKC`](crate::MEDIA_TYPE_PSKC))
pub const KEYS_EXPORT: &str = "/keys/export";
/// `POST` [`KeyRevocation`](crate::KeyRevocation) → [`RevokedKeys`](crate::RevokedKeys)
pub const KEYS_REVOKE: &str = "/keys/revoke";
/// `POST` without content → [`KeySummary`](crate::KeySummary)
pub const KEY_DISABLE: &str = "/keys/{id}/disable";
/// `POST` without content → [`KeySummary`](crate::KeySummary)
pub const KEY_ENABLE: &str = "/keys/{id}/enable";
/// `GET` → [`KeyDetails`](crate::KeyDetails); `PATCH` [`KeyChangeRequest`](crate::KeyChangeRequest) →
/// [`KeyDetails`](crate::KeyDetails); `DELETE` (revokes it) → 204
pub const KEY: &str = "/keys/{id}";
/// `POST` [`Resync`](crate::Resync) → [`Resynced`](crate::Resynced)
pub const KEY_RESYNC: &str = "/keys/{id}/resync";
/// `GET` → [`KeySecret`](crate::KeySecret)
pub const KEY_SECRET: &str = "/keys/{id}/secret";
/// `POST` [`KeyOwner`](crate::KeyOwner) → [`KeySummary`](crate::KeySummary)
pub const KEY_USER: &str = "/keys/{id}/user";
/// `GET` with [`PageQuery`](crate::PageQuery) → a [`ListPage`](crate::ListPage) of [`Listed`](crate::Listed)
/// [`ImportSummary`](crate::ImportSummary)
pub const IMPORTS: &str = "/imports";
/// `GET` → [`ImportProgress`](crate::ImportProgress)
pub const IMPORT: &str = "/imports/{id}";

/// `POST` [`ValidationRequest`](crate::ValidationRequest) → [`ValidationResult`](crate::ValidationResult)
pub const VALIDATE: &str = "/validate";

/// `GET` → a [`ListPage`](crate::ListPage) of [`KServer`](crate::KServer), the newest first;
/// `POST` [`NewKServer`](crate::NewKServer) → 201 [`KServer`](crate::KServer)
pub const K_SERVERS: &str = "/k-servers";
/// `DELETE` (retires it) → 204
pub const K_SERVER: &str = "/k-servers/{id}";

/// `POST` [`NewToken`](crate::NewToken) → 201 [`CreatedToken`](crate::CreatedToken);
/// `GET` with [`PageQuery`](crate::PageQuery) → a [`ListPage`](crate::ListPage) of [`Listed`](crate::Listed)
/// [`TokenSummary`](crate::TokenSummary)
pub const TOKENS: &str = "/tokens";
/// `DELETE` → 204
pub const TOKEN: &str = "/tokens/{id}";

/// `GET` with [`AuditQuery`](crate::AuditQuery) → a [`ListPage`](crate::ListPage) of
/// [`ListedAuditEntry`](crate::ListedAuditEntry)
pub const AUDIT: &str = "/audit";
/// `GET` → [`AuditCheckpoint`](crate::AuditCheckpoint) of now; 404 where the server has no key for it
pub const AUDIT_CHECKPOINT: &str = "/audit/checkpoint";

/// `GET` → a [`SinkList`](crate::SinkList)
pub const SINKS: &str = "/sinks";
/// `POST` without content → [`SinkTest`](crate::SinkTest); `{id}` is the sink's name
pub const SINK_TEST: &str = "/sinks/{id}/test";
/// `GET` with [`DeliveryQuery`](crate::DeliveryQuery) → a [`ListPage`](crate::ListPage) of [`Listed`](crate::Listed)
/// [`Delivery`](crate::Delivery)
pub const DELIVERIES: &str = "/deliveries";
/// `POST` without content (sends it again) → [`Delivery`](crate::Delivery)
pub const DELIVERY_RETRY: &str = "/deliveries/{id}/retry";

/// A path with its identifier filled in, percent-encoded.
///
/// ```
/// use dskpp_api::paths;
/// assert_eq!(paths::of(paths::KEY_SECRET, "a/b ü"), "/keys/a%2Fb%20%C3%BC/secret");
/// ```
pub fn of(path: &str, id: &str) -> String {
    path.replace("{id}", &escaped(id))
}

/// A text, percent-encoded.
pub fn escaped(text: &str) -> String {
    text.bytes()
        .map(|octet| match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(octet).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// Where the client of a key shows its first password: beside `POST /dskpp`, not below [`ROOT`], and without a token.
/// `POST` [`ActivationRequest`](crate::ActivationRequest) → [`ActivationResult`](crate::ActivationResult)
pub const ACTIVATE: &str = "/activate";
/// Where the client of a key asks for its renewal, beside [`ACTIVATE`].
/// `POST` [`RenewalRequest`](crate::RenewalRequest) → 201 [`Renewal`](crate::Renewal)
pub const RENEW: &str = "/renew";
