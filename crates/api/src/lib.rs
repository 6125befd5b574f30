//! The admin API of a DSKPP server (`/api/v1`): the closed sets of names in its requests and answers.
//!
//! ```
//! use dskpp_api::KeyType;
//! assert_eq!("totp".parse(), Ok(KeyType::Totp));
//! assert_eq!(KeyType::Totp.as_str(), "totp");
//! ```

mod names;

pub use names::{
    Activation, Cause, EnrolmentState, HashName, KeyState, KeyType, Location, Method, Role, UnknownName, Variant,
};
