//! The packages of a container, read strictly or leniently, one by one.

use std::io::BufReader;

use pskc::{Header, Irregularity, KeyPackage, LenientReader, ParallelReader, Trailer, Warning};

use super::document::Source;
use crate::output::Failure;

/// A strict or lenient reader.
pub(super) enum PackageReader {
    Strict(Box<ParallelReader>),
    Lenient(Box<LenientReader<BufReader<Source>>>),
}

impl PackageReader {
    pub(super) fn new(source: Source, lenient: bool) -> Result<Self, Failure> {
        match lenient {
            true => {
                Ok(PackageReader::Lenient(Box::new(LenientReader::new(BufReader::new(source)).map_err(unreadable)?)))
            }
            false => Ok(PackageReader::Strict(Box::new(ParallelReader::new(source).map_err(refused)?))),
        }
    }

    pub(super) fn header(&self) -> &Header {
        match self {
            PackageReader::Strict(reader) => reader.header(),
            PackageReader::Lenient(reader) => reader.header(),
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<KeyPackage>, Failure> {
        match self {
            PackageReader::Strict(reader) => reader.next_package().map_err(refused),
            PackageReader::Lenient(reader) => reader.next_package().map_err(unreadable),
        }
    }

    /// Reads to the end and returns the deviations in `MACMethod`, which may explain a failed decryption.
    pub(super) fn faults_of_mac_method(mut self) -> Vec<String> {
        let PackageReader::Lenient(reader) = &mut self else { return Vec::new() };
        while let Ok(Some(_)) = reader.next_package() {}
        let is_of_it = |warning: &&Warning| match &warning.irregularity {
            Irregularity::NoMacAlgorithm => true,
            Irregularity::Order(name) => name == "MACMethod",
            _ => false,
        };
        reader.warnings().iter().filter(is_of_it).map(ToString::to_string).collect()
    }

    /// Octets read so far.
    pub(super) fn offset(&self) -> u64 {
        match self {
            PackageReader::Strict(reader) => reader.offset(),
            PackageReader::Lenient(reader) => reader.offset(),
        }
    }

    /// Reads to the end; returns the content after the packages, and the deviations found.
    pub(super) fn finish(self) -> Result<(Trailer, Vec<Warning>), Failure> {
        match self {
            PackageReader::Strict(reader) => Ok((reader.finish().map_err(refused)?, Vec::new())),
            PackageReader::Lenient(reader) => reader.finish().map_err(unreadable),
        }
    }
}

/// Whether lenient reading may accept this fault.
pub(super) fn may_be_lenient(why: &pskc::Error) -> bool {
    use pskc::xml::XmlError::{Declaration, Missing, Unexpected, Value};
    matches!(why, pskc::Error::Xml(Unexpected { .. } | Missing { .. } | Value { .. } | Declaration { .. }))
}

/// The warning for a version after 1.0.
pub(super) fn later_version(header: &Header) -> String {
    format!("the version is {}: the file is read as 1.0, and written as 1.0", header.version)
}

fn refused(why: pskc::Error) -> Failure {
    let may_be_lenient = may_be_lenient(&why);
    Failure::new(why).next(match may_be_lenient {
        true => "see `dskpp pskc check`, or try --lenient for vendors' files and old drafts",
        false => "nothing was done: ask the sender for the file again",
    })
}

fn unreadable(why: pskc::Error) -> Failure {
    Failure::new(why)
}
