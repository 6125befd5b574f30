//! The status codes of responses (RFC 6063 §3.3), and where each is allowed.

use std::fmt;
use std::str::FromStr;

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The value of a response's `Status` attribute (RFC 6063 §3.3).
        ///
        /// At anything but [`Continue`](Status::Continue) and [`Success`](Status::Success), both
        /// sides end the run at once and delete every secret that it produced.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Status { $($(#[$doc])* $name,)* }

        impl Status {
            /// All of them, in the RFC's order.
            pub const ALL: [Status; 17] = [$(Status::$name,)*];

            /// The name in the attribute.
            pub fn as_str(self) -> &'static str {
                match self { $(Status::$name => stringify!($name),)* }
            }
        }
    };
}

statuses! {
    /// The server is ready for the client's next request. Never in a final message.
    Continue,
    /// The run is complete. Only in a final message.
    Success,
    /// The server rejected the request for unspecified reasons.
    Abort,
    /// The client is not authorised to contact this server.
    AccessDenied,
    /// The server could not parse the request.
    MalformedRequest,
    /// The client made a request that the server does not know.
    UnknownRequest,
    /// An extension marked as critical could not be interpreted.
    UnknownCriticalExtension,
    /// The client's version is not supported. Only in the first response.
    UnsupportedVersion,
    /// None of the offered key types is supported. Only in the first response.
    NoSupportedKeyTypes,
    /// None of the offered encryption algorithms is supported. Only in the first response.
    NoSupportedEncryptionAlgorithms,
    /// None of the offered MAC algorithms is supported. Only in the first response.
    NoSupportedMacAlgorithms,
    /// A required protocol variant was not offered. Only in the first response.
    NoProtocolVariants,
    /// None of the offered key package formats is supported. Only in the first response.
    NoSupportedKeyPackages,
    /// Authentication data was required but missing.
    AuthenticationDataMissing,
    /// Authentication data could not be validated.
    AuthenticationDataInvalid,
    /// No valid key could be derived from the data; the client should try a new run.
    InitializationFailed,
    /// The provisioning period has expired; the user must register again.
    ProvisioningPeriodExpired,
}

impl Status {
    /// Whether the run is complete.
    pub fn is_success(self) -> bool {
        self == Status::Success
    }

    /// Whether the run has failed: everything but `Continue` and `Success`.
    pub fn is_failure(self) -> bool {
        !matches!(self, Status::Continue | Status::Success)
    }

    /// Whether it is allowed only in the response to a ClientHello: failures of negotiation.
    pub fn only_in_first_response(self) -> bool {
        use Status::*;
        matches!(
            self,
            UnsupportedVersion
                | NoSupportedKeyTypes
                | NoSupportedEncryptionAlgorithms
                | NoSupportedMacAlgorithms
                | NoProtocolVariants
                | NoSupportedKeyPackages
        )
    }

    /// Whether an identical new run may succeed
    /// (RFC 6063 §3.3, at `InitializationFailed`).
    pub fn retry_may_succeed(self) -> bool {
        self == Status::InitializationFailed
    }
}

/// Not one of the seventeen names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of the status codes of RFC 6063 section 3.3")]
#[non_exhaustive]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_3_names_are_read_and_written_exactly() {
        for status in Status::ALL {
            assert_eq!(status.to_string().parse(), Ok(status));
        }
        for text in ["", "success", "Success ", "Denied"] {
            assert_eq!(text.parse::<Status>(), Err(UnknownStatus), "{text:?}");
        }
    }

    #[test]
    fn s3_3_everything_but_continue_and_success_ends_the_run() {
        assert_eq!(Status::ALL.into_iter().filter(|s| s.is_failure()).count(), 15);
        assert_eq!(Status::ALL.into_iter().filter(|s| s.is_success()).count(), 1);
        assert_eq!(Status::ALL.into_iter().filter(|s| s.only_in_first_response()).count(), 6);
    }
}
