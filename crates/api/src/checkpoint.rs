//! Checkpoints of the audit trail: how far each chain goes, signed with a key of the operator. Kept apart from the
//! database, they show entries that were cut off at a chain's end, and chains that were computed anew.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The first line of a checkpoint.
const FIRST_LINE: &str = "dskpp audit checkpoint 1";
/// The name in a checkpoint of the chain that has none, that of a SQLite database.
const UNNAMED: &str = "-";
/// Characters of a SHA-256 digest in hexadecimal.
const HASH_LEN: usize = 64;

/// A checkpoint as the server hands it out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditCheckpoint {
    /// What [`SignedCheckpoint::read`] reads.
    pub text: String,
}

/// How far a chain goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The chain's name; empty for that of a SQLite database.
    pub chain: String,
    /// The number of its last entry, from 1.
    pub seq: i64,
    /// The digest of its last entry, 64 lower-case hexadecimal digits.
    pub hash: String,
}

/// How far all chains go at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// What tells this store from every other.
    pub store: String,
    /// The time (RFC 3339, UTC).
    pub at: String,
    /// In the order of their names.
    pub chains: Vec<ChainHead>,
}

/// A checkpoint and its signature.
///
/// One line each for its version, `store`, `at`, each `chain` with number and digest, and the `signature` over all octets
/// before it:
///
/// ```text
/// dskpp audit checkpoint 1
/// store 4fgmzc6x3v5s2q7a
/// at 2026-11-29T07:00:00Z
/// chain - 2 c36b16233ac8ee4af3e2e3e6fb66eaadc0c93adb87406bf5865a912434adfb36
/// signature ecdsa-p256-sha256 3046022100…
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// `rsa-sha256`, `ecdsa-p256-sha256` or `ecdsa-p384-sha384`; for ECDSA the signature is r || s.
    pub algorithm: String,
    /// Hexadecimal.
    pub signature: String,
}

impl fmt::Display for Checkpoint {
    /// The text that is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checkpoint { store, at, chains } = self;
        writeln!(f, "{FIRST_LINE}\nstore {store}\nat {at}")?;
        for ChainHead { chain, seq, hash } in chains {
            let chain = if chain.is_empty() { UNNAMED } else { chain };
            writeln!(f, "chain {chain} {seq} {hash}")?;
        }
        Ok(())
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SignedCheckpoint { checkpoint, algorithm, signature } = self;
        writeln!(f, "{checkpoint}signature {algorithm} {signature}")
    }
}

impl SignedCheckpoint {
    /// Reads a checkpoint. Its signature is not looked at: it is one over the checkpoint's text.
    ///
    /// # Errors
    /// The line that is not as a server writes it, and what it should be.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().enumerate();
        let mut line = |expected: &str| {
            let (number, line) = lines.next().ok_or_else(|| format!("it ends before `{expected}`"))?;
            let at = move |what: &str| format!("line {}: {what}", number + 1);
            Ok::<_, String>((line, at))
        };
        let (first, at) = line(FIRST_LINE)?;
        if first != FIRST_LINE {
            return Err(at(&format!("expected `{FIRST_LINE}`")));
        }
        let mut value = |name: &str| {
            let (line, at) = line(name)?;
            let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(' '));
            value.filter(|value| is_word(value)).map(str::to_owned).ok_or_else(|| at(&format!("expected `{name} …`")))
        };
        let (store, time) = (value("store")?, value("at")?);
        let mut chains: Vec<ChainHead> = Vec::new();
        let (algorithm, signature) = loop {
            let (text, at) = line("signature")?;
            match text.split(' ').collect::<Vec<_>>()[..] {
                ["chain", chain, seq, hash] => {
                    let head = head(chain, seq, hash).ok_or_else(|| at("expected `chain NAME NUMBER DIGEST`"))?;
                    if chains.last().is_some_and(|last| last.chain >= head.chain) {
                        return Err(at("chains are out of order"));
                    }
                    chains.push(head);
                }
                ["signature", algorithm, signature] if is_word(algorithm) && is_hex(signature) => {
                    break (algorithm.to_owned(), signature.to_owned());
                }
                _ => return Err(at("expected `chain NAME NUMBER DIGEST` or `signature ALGORITHM HEXADECIMAL`")),
            }
        };
        let signed = SignedCheckpoint { checkpoint: Checkpoint { store, at: time, chains }, algorithm, signature };
        // What is signed is written anew for the comparison: nothing may stand beside it.
        match signed.to_string() == text {
            true => Ok(signed),
            false => Err("it has lines or blanks that a server does not write".to_owned()),
        }
    }
}

fn head(chain: &str, seq: &str, hash: &str) -> Option<ChainHead> {
    let seq = seq.parse().ok().filter(|seq| *seq > 0)?;
    let chain = if chain == UNNAMED { "" } else { chain };
    let is_digest = hash.len() == HASH_LEN && is_hex(hash);
    (is_digest && chain.bytes().all(|octet| octet.is_ascii_graphic())).then(|| ChainHead {
        chain: chain.to_owned(),
        seq,
        hash: hash.to_owned(),
    })
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic())
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "c36b16233ac8ee4af3e2e3e6fb66eaadc0c93adb87406bf5865a912434adfb36";

    fn signed() -> SignedCheckpoint {
        let head = |chain: &str, seq| ChainHead { chain: chain.into(), seq, hash: HASH.into() };
        let chains = vec![head("", 2), head("node1", 70)];
        let checkpoint = Checkpoint { store: "s1".into(), at: "2026-11-29T07:00:00Z".into(), chains };
        SignedCheckpoint { checkpoint, algorithm: "ecdsa-p256-sha256".into(), signature: "00ff".into() }
    }

    #[test]
    fn a_checkpoint_is_read_as_it_is_written() {
        let text = signed().to_string();
        assert!(text.starts_with("dskpp audit checkpoint 1\nstore s1\n") && text.ends_with(" 00ff\n"), "{text}");
        assert_eq!(SignedCheckpoint::read(&text), Ok(signed()));
    }

    #[test]
    fn what_a_server_does_not_write_is_refused_with_its_place() {
        let text = signed().to_string();
        for (old, new, word) in [
            ("checkpoint 1", "checkpoint 2", "line 1"),
            ("store s1", "store ", "line 2"),
            ("store s1\n", "", "line 2"),
            ("chain node1", "chain -", "line 5"),
            (" 70 ", " 0 ", "line 5"),
            (" 70 ", " 070 ", "does not write"),
            (" 70 ", " +70 ", "does not write"),
            ("c36b", "C36B", "line 4"),
            ("c36b", "c36", "line 4"),
            ("00ff", "", "line 6"),
            ("00ff\n", "00ff", "does not write"),
            ("00ff\n", "00ff\nmore\n", "does not write"),
            ("\n", "\r\n", "does not write"),
            ("signature ecdsa-p256-sha256 00ff\n", "", "ends before"),
        ] {
            let changed = text.replace(old, new);
            let why = SignedCheckpoint::read(&changed).unwrap_err();
            assert!(why.contains(word), "{new:?}: {why}");
        }
    }
}
