//! Key packages of PSKC (RFC 6030) on their way into the store and out of it.
//!
//! The store keeps what a package says as the element `<pskc:KeyPackage>`, without the secret, so that nothing is lost
//! that the server itself does not use.

mod intake;
mod owner;
mod restore;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use pskc::{ContainerReader, ContainerWriter, Header, KeyPackage};

pub(crate) use intake::{Owner, Refusal, Taken, take_in};
pub(crate) use restore::restore;

const CANNOT_FAIL: &str = "a Vec takes everything";

/// The start of a document of packages: it declares the prefixes that they use.
static HEAD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut writer = ContainerWriter::new(Vec::new(), &Header::default()).expect(CANNOT_FAIL);
    writer.flush().expect(CANNOT_FAIL);
    std::mem::take(writer.get_mut())
});
const TAIL: &[u8] = b"</pskc:KeyContainer>";

/// Writes packages, each as an element of its own.
pub(crate) struct Elements(ContainerWriter<Vec<u8>>);

impl Elements {
    /// A writer for many.
    pub(crate) fn new() -> Self {
        let mut writer = ContainerWriter::new(Vec::new(), &Header::default()).expect(CANNOT_FAIL);
        writer.flush().expect(CANNOT_FAIL);
        writer.get_mut().clear();
        Elements(writer)
    }

    /// The package as `<pskc:KeyPackage>`, which [`read_element`] reads; good until the next one is written.
    pub(crate) fn write(&mut self, package: &KeyPackage) -> &[u8] {
        self.0.get_mut().clear();
        self.0.package(package).expect(CANNOT_FAIL);
        self.0.flush().expect(CANNOT_FAIL);
        self.0.get_mut()
    }
}

/// Reads what [`Elements::write`] wrote; `None` for anything else.
pub(crate) fn read_element(element: &[u8]) -> Option<KeyPackage> {
    let document = [&HEAD[..], element, TAIL].concat();
    ContainerReader::new(&document[..]).ok()?.next_package().ok()?
}
