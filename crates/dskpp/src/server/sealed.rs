//! The session travels with the client: the server's state between pass 2 and pass 3, as sealed octets.

use dskpp_crypto::{AeadKey, Random, Sha256};

use crate::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm, PackageFormat};
use crate::negotiate::Choice;
use crate::prf::Prf;

/// The device of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRef {
    /// `Manufacturer`
    pub manufacturer: String,
    /// `SerialNo`
    pub serial: String,
}

/// The caller's state, returned at ClientNonce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionState {
    /// Identifies the K of the run, in the caller's terms.
    pub k_id: String,
    /// The enrolment, if known from a verified trigger in ClientHello.
    pub enrolment: Option<String>,
    /// Whether a valid trigger replaces the AD of ClientNonce (profile P14).
    pub trigger: bool,
    /// The named and accepted device.
    pub device: Option<DeviceRef>,
    /// The key to renew, as named in ClientHello.
    pub renews: Option<String>,
}

/// The sealed state.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) choice: Choice,
    pub(super) r_s: Vec<u8>,
    pub(super) expires_at: u64,
    /// Whether ClientHello named a key, but the MAC was made with a key other than its K_MAC' (profile P7).
    pub(super) renews_in_vain: bool,
    pub(super) state: SessionState,
    /// The message hash up to the sealed octets in message 2.
    pub(super) hash: Sha256,
    /// The rest of message 2 after them.
    pub(super) tail: Vec<u8>,
}

const FORMAT: u8 = 1;

/// Sealed octets are padded to multiples of this, so that their length does not reveal their content (profile P7).
const BLOCK: usize = 1024;

fn aad(session_id: &str) -> Vec<u8> {
    [b"dskpp session", session_id.as_bytes()].concat()
}

impl Sealed {
    pub(super) fn seal(&self, key: &AeadKey, session_id: &str, rng: &mut dyn Random) -> Vec<u8> {
        let device = self.state.device.as_ref();
        let mut out = vec![FORMAT, u8::from(self.state.trigger) | u8::from(self.renews_in_vain) << 1];
        out.extend_from_slice(&self.expires_at.to_be_bytes());
        for field in [
            self.choice.key_type.uri().as_bytes(),
            self.choice.encryption_algorithm.uri().as_bytes(),
            self.choice.prf.algorithm().uri().as_bytes(),
            self.choice.package_format.uri().as_bytes(),
            &self.r_s,
            &self.hash.save(),
            &self.tail,
            self.state.k_id.as_bytes(),
        ] {
            put(&mut out, Some(field));
        }
        put(&mut out, self.state.enrolment.as_deref().map(str::as_bytes));
        put(&mut out, self.state.renews.as_deref().map(str::as_bytes));
        put(&mut out, device.map(|device| device.manufacturer.as_bytes()));
        put(&mut out, device.map(|device| device.serial.as_bytes()));
        out.resize(out.len().next_multiple_of(BLOCK), 0);
        key.seal(rng, &aad(session_id), &out)
    }

    /// `None` unless [`Sealed::seal`] made it with this key for this session.
    pub(super) fn open(sealed: &[u8], key: &AeadKey, session_id: &str) -> Option<Self> {
        let opened = key.open(&aad(session_id), sealed).ok()?;
        let ([FORMAT, flags @ 0..=3], rest) = opened.expose().split_first_chunk()? else { return None };
        let (expires_at, mut rest) = rest.split_first_chunk()?;
        let rest = &mut rest;
        let choice = Choice {
            key_type: KeyType::from_uri(&text(rest)??),
            encryption_algorithm: EncryptionAlgorithm::from_uri(&text(rest)??),
            prf: Prf::of(&MacAlgorithm::from_uri(&text(rest)??))?,
            package_format: PackageFormat::from_uri(&text(rest)??),
        };
        let r_s = take(rest)??.to_vec();
        let hash = Sha256::resume(take(rest)??).ok()?;
        let tail = take(rest)??.to_vec();
        let k_id = text(rest)??;
        let (enrolment, renews) = (text(rest)?, text(rest)?);
        let device = match (text(rest)?, text(rest)?) {
            (Some(manufacturer), Some(serial)) => Some(DeviceRef { manufacturer, serial }),
            _ => None,
        };
        let state = SessionState { k_id, enrolment, trigger: flags & 1 != 0, device, renews };
        let (expires_at, renews_in_vain) = (u64::from_be_bytes(*expires_at), flags & 2 != 0);
        let is_padding = rest.iter().all(|octet| *octet == 0);
        is_padding.then_some(Sealed { choice, r_s, expires_at, renews_in_vain, state, hash, tail })
    }
}

/// A field is two octets of length, then the content; the length 0xFFFF means absent.
fn put(out: &mut Vec<u8>, field: Option<&[u8]>) {
    let field = field.map(|octets| &octets[..octets.len().min(0xFFFE)]); // a message has at most 64 KiB
    let len = field.map_or(0xFFFF, |octets| octets.len() as u16);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(field.unwrap_or_default());
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let (len, after) = rest.split_first_chunk()?;
    *rest = after;
    match u16::from_be_bytes(*len) {
        0xFFFF => Some(None),
        len => {
            let (field, after) = rest.split_at_checked(usize::from(len))?;
            *rest = after;
            Some(Some(field))
        }
    }
}

fn text(rest: &mut &[u8]) -> Option<Option<String>> {
    match take(rest)? {
        None => Some(None),
        Some(field) => Some(Some(std::str::from_utf8(field).ok()?.to_owned())),
    }
}
