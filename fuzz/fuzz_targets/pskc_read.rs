//! Reads containers strictly, leniently and as a stream: what the strict reader accepts, the others accept too, and it
//! round-trips.
#![no_main]

use std::io::{BufRead, BufReader};

use libfuzzer_sys::fuzz_target;
use pskc::{ContainerReader, Error, Header, KeyContainer, Trailer};

fuzz_target!(|data: &[u8]| {
    let strict = KeyContainer::from_xml(data);
    let lenient = KeyContainer::from_xml_lenient(data);
    assert_eq!(streamed(data), strict, "one package at a time");
    assert_eq!(streamed(BufReader::with_capacity(7, data)), strict, "seven octets at a time");
    let Ok(container) = strict else { return };
    if let Err(error) = lenient {
        panic!("what the strict reader takes, the lenient one refuses: {error}");
    }
    let written = container.to_xml();
    let container = KeyContainer { signed: false, ..container };
    assert_eq!(KeyContainer::from_xml(&written).as_ref(), Ok(&container), "written and read again");
    if let Err(error) = KeyContainer::from_xml_lenient(&written) {
        panic!("the lenient reader refuses what was written: {error}");
    }
});

fn streamed(source: impl BufRead) -> Result<KeyContainer, Error> {
    let mut reader = ContainerReader::new(source)?;
    let Header { version, id, language, encryption_key, mac_method } = reader.header().clone();
    let mut key_packages = Vec::new();
    while let Some(package) = reader.next_package()? {
        key_packages.push(package);
    }
    let Trailer { signed, extensions } = reader.finish()?;
    Ok(KeyContainer { version, id, language, encryption_key, mac_method, key_packages, signed, extensions })
}
