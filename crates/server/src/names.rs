//! What may be a name of something: of a user, a device, a key.

pub(crate) use pskc::{MAX_NAME_LEN, is_name};
