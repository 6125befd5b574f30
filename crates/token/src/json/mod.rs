//! JSON as little code: one reader and one writer for all values, where derived ones would be compiled for each type and
//! make the WebAssembly module a quarter larger. Texts may be secrets, so all memory is wiped.

mod read;
mod write;

pub use read::{Fields, Json};
pub use write::JsonWriter;

#[cfg(test)]
mod tests;
