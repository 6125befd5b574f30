//! Shared code of readers and writers: roots, sequences of elements, simple values.

mod read;
mod write;

pub(super) use read::{
    Children, MessageReader, base64, identifier, int, nonce, only_attributes, read, response, session_id, uri, value,
    values,
};
pub(super) use write::{list, response_attributes, root};
