//! Decrypts the packages of a key file.

use dskpp_crypto::Secret;
use pskc::{
    DecryptionKey, Deviation, EncryptedValue, Header, KeyPackage, Opener, OpenerOptions, ProtectionError,
    ValueAlgorithm,
};

use super::named::KeyNames;
use crate::output::Failure;

pub(super) const NEEDED: &str = "pass --key-file, --password-file, --private-key or --key-hex";

/// Adds what to do about a file that cannot be decrypted.
fn closed(why: &ProtectionError, place: &str) -> Failure {
    let failure = Failure::new(format!("{place}{why}"));
    match why {
        ProtectionError::MacKeyNeeded(_) => failure.next("pass it with --mac-key-file"),
        ProtectionError::MissingMac => {
            failure.next("ask the sender for it again, or decrypt it as it is with --lenient")
        }
        ProtectionError::MacTakenAway(_) => failure.next("do not use the file: ask the sender for it again"),
        ProtectionError::NoMacMethod => {
            failure.next("ask the sender for the file with its MACMethod (RFC 6030 §6.1.1)")
        }
        ProtectionError::MacAlgorithm(uri) | ProtectionError::Algorithm(uri) if pskc::is_misnamed(uri) => {
            failure.next("ask the sender for it with the right name, or use --lenient")
        }
        ProtectionError::MacAlgorithm(_)
        | ProtectionError::Algorithm(_)
        | ProtectionError::Derivation(_)
        | ProtectionError::Content(_) => failure.next("ask the sender to protect it differently"),
        _ => failure.next(NEEDED),
    }
}

/// Decrypts packages if a key is given.
pub(super) struct Opening {
    opener: Option<Opener>,
    /// Whether the file declares a MAC method.
    has_macs: bool,
    /// Keys with a value that only a MAC would protect, but without one.
    unprotected: KeyNames,
}

impl Opening {
    pub(super) fn new(
        header: &Header,
        unlock: Option<&DecryptionKey>,
        mac_key: Option<&Secret>,
        lenient: bool,
        iv: Option<&[u8]>,
    ) -> Result<Self, Failure> {
        let has_macs = header.mac_method.is_some();
        let opening = Opening { opener: None, has_macs, unprotected: KeyNames::default() };
        let Some(unlock) = unlock else { return Ok(opening) };
        let mut options = OpenerOptions::default();
        options.lenient = lenient;
        options.mac_key = mac_key.cloned();
        options.iv = iv.map(<[u8]>::to_vec);
        let opener = Opener::new(header.encryption_key.as_ref(), header.mac_method.as_ref(), unlock, options);
        Ok(Opening { opener: Some(opener.map_err(|why| closed(&why, ""))?), ..opening })
    }

    /// Decrypts the package. Without a key it stays encrypted, unless it `must` be decrypted.
    pub(super) fn open(&mut self, package: &mut KeyPackage, number: u64, must: bool) -> Result<(), Failure> {
        let Some(key) = &mut package.key else { return Ok(()) };
        let Some(data) = &mut key.data else { return Ok(()) };
        let Some(opener) = &mut self.opener else {
            return match data.encrypted_values().next() {
                Some((name, _)) if must => {
                    Err(Failure::new(format!("key {number} ({}): its {name} is encrypted", key.id)).next(NEEDED))
                }
                _ => Ok(()),
            };
        };
        let is_open = |value: &EncryptedValue| {
            value.mac.is_none() && ValueAlgorithm::of(&value.data).is_ok_and(ValueAlgorithm::needs_mac)
        };
        if !self.has_macs && data.encrypted_values().any(|(_, value)| is_open(value)) {
            self.unprotected.add(number, &key.id);
        }
        opener.open(data).map_err(|why| closed(&why, &format!("key {number} ({}): ", key.id)))
    }

    pub(super) fn deviations(&self) -> Vec<String> {
        let deviations = self.opener.iter().flat_map(|opener| opener.deviations());
        let text = |deviation: &Deviation| match deviation {
            Deviation::NoMac => format!("{deviation}: {}", self.unprotected),
            _ => deviation.to_string(),
        };
        deviations.map(text).collect()
    }
}
