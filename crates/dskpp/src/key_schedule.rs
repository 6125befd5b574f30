//! Derives keys, and the MACs that confirm them, from the nonces (RFC 6063 §§4.1.2, 4.2.3, 4.2.4, 5.2.2).

use dskpp_crypto::{Random, Secret, Sha256};

use crate::prf::{KeyLength, Prf};

/// Length of a message hash, and of a key confirmation MAC, in octets.
pub const CONFIRMATION_LEN: usize = 32;

/// The result of a run: the key, and the key for its MACs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunKeys {
    /// K_TOKEN, with the length of its type.
    pub k_token: Secret,
    /// K_MAC, with the PRF's key length; K_MAC' of a later renewal (profile P6).
    pub k_mac: Secret,
}

/// The keys of four-pass: `K_PROV = DSKPP-PRF(R_C, "Key generation" || K || R_S, dsLen)`, then split.
pub fn agree(prf: Prf, r_c: &Secret, k: &[u8], r_s: &[u8], key_len: usize) -> Result<RunKeys, KeyLength> {
    let k_prov = prf.derive(r_c.expose(), &[b"Key generation", k, r_s], k_prov_len(prf, key_len))?;
    Ok(split(prf, &k_prov, key_len))
}

/// Length of K_PROV in octets: twice the greater of the key's length and the PRF's (profile P4).
pub fn k_prov_len(prf: Prf, key_len: usize) -> usize {
    2 * key_len.max(prf.key_len())
}

/// `K_PROV = K_MAC || K_TOKEN`, two equal halves, each truncated to its length (RFC 6063 §5.2.2, profile P4).
fn split(prf: Prf, k_prov: &Secret, key_len: usize) -> RunKeys {
    let halves = k_prov.split_at(k_prov.len() / 2);
    let cut = halves.and_then(|(k_mac, k_token)| Some((k_mac.prefix(prf.key_len())?, k_token.prefix(key_len)?)));
    let (k_mac, k_token) = cut.expect("each half is as long as the longer of both keys");
    RunKeys { k_token, k_mac }
}

/// K_PROV of two-pass, which the server generates alone (RFC 6063 §5.2.2), and its keys. An existing
/// K_TOKEN is used unchanged, with a random K_MAC; if it is shorter than `key_len`, it is zero-padded, as in HMAC.
pub fn draw(prf: Prf, key_len: usize, k_token: Option<&Secret>, rng: &mut dyn Random) -> (Secret, RunKeys) {
    let given = k_token.map_or(key_len, Secret::len);
    let half = k_prov_len(prf, key_len.max(given)) / 2;
    let mut k_prov = rng.secret(2 * half).expose().to_vec();
    if let Some(k_token) = k_token {
        let place = &mut k_prov[half..]; // each half is at least as long as the longer of both lengths
        place[..given].copy_from_slice(k_token.expose());
        place[given..key_len.max(given)].fill(0);
    }
    let k_prov = Secret::new(k_prov);
    let keys = split(prf, &k_prov, given);
    (k_prov, keys)
}

/// The keys in a K_PROV of two-pass; `None` if its length is not that of profile P4.
pub fn take(prf: Prf, k_prov: &Secret, key_len: usize) -> Option<RunKeys> {
    (k_prov.len() == k_prov_len(prf, key_len)).then(|| split(prf, k_prov, key_len))
}

/// The MAC of two-pass KeyProvServerFinished:
/// `DSKPP-PRF(K_MAC, "MAC 1 computation" || msg_hash || ServerID, 32)` (profile P8).
pub fn confirmation_two_pass(prf: Prf, k_mac: &Secret, msg_hash: &[u8; 32], server_id: &str) -> Vec<u8> {
    prf.derive(k_mac.expose(), &[b"MAC 1 computation", msg_hash, server_id.as_bytes()], CONFIRMATION_LEN)
        .expect("K_MAC was cut to the PRF's length")
        .expose()
        .to_vec()
}

/// The server's proof at a two-pass renewal, with `K_MAC'`:
/// `DSKPP-PRF(K_MAC', "MAC 2 computation" || ServerID || R_C, dsLen)`, dsLen the PRF's key length (profile P9).
pub fn server_proof(prf: Prf, k_mac_old: &Secret, server_id: &str, r_c: &[u8]) -> Result<Vec<u8>, KeyLength> {
    let parts: [&[u8]; 3] = [b"MAC 2 computation", server_id.as_bytes(), r_c];
    Ok(prf.derive(k_mac_old.expose(), &parts, prf.key_len())?.expose().to_vec())
}

/// The MAC of four-pass KeyProvServerFinished: `DSKPP-PRF(K_MAC, "MAC 1 computation" || msg_hash, 32)`.
pub fn confirmation(prf: Prf, k_mac: &Secret, msg_hash: &[u8; 32]) -> Vec<u8> {
    prf.derive(k_mac.expose(), &[b"MAC 1 computation", msg_hash], CONFIRMATION_LEN)
        .expect("K_MAC was cut to the PRF's length")
        .expose()
        .to_vec()
}

/// The MAC of KeyProvServerHello at a renewal, with `K_MAC'` (profile P7):
/// `DSKPP-PRF(K_MAC', "MAC 1 computation" || [client nonce ||] R_S, len(R_S))`.
pub fn renewal(prf: Prf, k_mac_old: &Secret, client_nonce: &[u8], r_s: &[u8]) -> Result<Vec<u8>, KeyLength> {
    let mac = prf.derive(k_mac_old.expose(), &[b"MAC 1 computation", client_nonce, r_s], r_s.len())?;
    Ok(mac.expose().to_vec())
}

/// SHA-256 over the messages of a run in order, as sent (RFC 6063 §3.4.3, profile P10).
pub fn message_hash(messages: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(messages)
}
