//! The hash chains of the audit trail, recomputed from what a server says of its entries.

use data_encoding::HEXLOWER;
use dskpp_api::{AuditEntry, ListedAuditEntry, UnreadableAuditEntry};
use dskpp_crypto::Sha256;
use pskc::DateTime;
use serde::Serialize;

use crate::output::Failure;
use crate::shown::shown;

/// How far a chain goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct End {
    pub(super) chain: String,
    /// Entries that were read.
    pub(super) entries: u64,
    /// The last one's number.
    pub(super) seq: i64,
    /// The last one's digest, as the server says it.
    pub(super) hash: String,
}

/// The first entry of a chain that does not follow from those before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Fault {
    pub(super) chain: String,
    pub(super) seq: i64,
    pub(super) reason: String,
}

/// Reads entries in the order of their chains and numbers.
#[derive(Default)]
pub(super) struct Chains {
    ends: Vec<End>,
    faults: Vec<Fault>,
    /// Whether the current chain has a fault.
    is_broken: bool,
    /// The digest before the next entry.
    before: Vec<u8>,
}

impl Chains {
    /// Takes the next entry.
    ///
    /// # Errors
    /// It is not behind the one before it in this order: such a list may hide or repeat entries.
    pub(super) fn take(&mut self, entry: &ListedAuditEntry) -> Result<(), Failure> {
        let (chain, seq) = match entry {
            ListedAuditEntry::Readable(AuditEntry { chain, seq, .. })
            | ListedAuditEntry::Unreadable(UnreadableAuditEntry { chain, seq, .. }) => (chain, *seq),
        };
        let last = self.ends.last().filter(|end| end.chain == *chain);
        if self.ends.last().is_some_and(|end| (&end.chain, end.seq) >= (chain, seq)) {
            return Err(Failure::new(format!(
                "the server's list is out of order at entry {seq} of chain {}",
                shown(chain)
            ))
            .next("check that --server is a dskpp server of this version, and that nothing changes its answers"));
        }
        let expected = last.map_or(Some(1), |end| end.seq.checked_add(1));
        if last.is_none() {
            let end = End { chain: chain.clone(), entries: 0, seq: 0, hash: String::new() };
            self.ends.push(end);
            (self.is_broken, self.before) = (false, Vec::new());
        }
        let fault = match expected == Some(seq) {
            true => self.follow(entry).err(),
            false => Some(format!("entries are missing before it: {} was expected", expected.unwrap_or(i64::MAX))),
        };
        if let Some(reason) = fault.filter(|_| !self.is_broken) {
            self.faults.push(Fault { chain: chain.clone(), seq, reason });
            self.is_broken = true;
        }
        if let Some(end) = self.ends.last_mut() {
            let hash = if let ListedAuditEntry::Readable(entry) = entry { entry.hash.clone() } else { String::new() };
            (end.entries, end.seq, end.hash) = (end.entries + 1, seq, hash);
        }
        Ok(())
    }

    /// Whether an entry's digest follows from the one before it; why not.
    fn follow(&mut self, entry: &ListedAuditEntry) -> Result<(), String> {
        let before = std::mem::take(&mut self.before);
        let AuditEntry { at, event, subject, hash, .. } = match entry {
            ListedAuditEntry::Readable(entry) => entry,
            ListedAuditEntry::Unreadable(entry) => {
                return Err(format!("the server cannot read its column {}", shown(&entry.unreadable)));
            }
        };
        let hash = HEXLOWER.decode(hash.as_bytes()).map_err(|_| "its digest is not hexadecimal".to_owned())?;
        let at = at.parse::<DateTime>().ok().filter(|at| at.subsec_nanosecond() == 0);
        let at = at.ok_or("its time is not in whole seconds")?.unix_s().to_be_bytes();
        let len = (event.len() as u64).to_be_bytes();
        let expected = Sha256::digest(&[&before, &at, &len, event.as_bytes(), subject.as_bytes()]);
        if expected[..] != hash[..] {
            return Err("its digest does not follow from it and the entry before it".to_owned());
        }
        self.before = hash;
        Ok(())
    }

    /// How far each chain goes, and the first fault of each that has one.
    pub(super) fn finish(self) -> (Vec<End>, Vec<Fault>) {
        (self.ends, self.faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digests computed apart, in Python: entries of 2026-01-02T03:04:05Z (1767323045), event `e`, subject `{}`.
    const FIRST: &str = "170f11e0ddd33d0bad5617280a5e35e23c44e6c3ff8179ad3605ac111892f03a";
    const SECOND: &str = "c36b16233ac8ee4af3e2e3e6fb66eaadc0c93adb87406bf5865a912434adfb36";

    fn entry(chain: &str, seq: i64, hash: &str) -> AuditEntry {
        AuditEntry {
            chain: chain.into(),
            seq,
            at: "2026-01-02T03:04:05Z".into(),
            event: "e".into(),
            subject: "{}".into(),
            hash: hash.into(),
        }
    }

    fn walked(entries: &[AuditEntry]) -> Result<(Vec<End>, Vec<Fault>), Failure> {
        let mut chains = Chains::default();
        entries.iter().try_for_each(|entry| chains.take(&ListedAuditEntry::Readable(entry.clone())))?;
        Ok(chains.finish())
    }

    #[test]
    fn chains_that_follow_are_counted() {
        let entries = [entry("", 1, FIRST), entry("", 2, SECOND), entry("b", 1, FIRST)];
        let (ends, faults) = walked(&entries).unwrap();
        assert_eq!(faults, []);
        let ends: Vec<_> = ends.iter().map(|end| (&*end.chain, end.entries, &*end.hash)).collect();
        assert_eq!(ends, [("", 2, SECOND), ("b", 1, FIRST)]);
    }

    #[test]
    fn the_first_entry_of_each_chain_that_does_not_follow_is_named() {
        let whole = [entry("a", 1, FIRST), entry("a", 2, SECOND), entry("b", 1, FIRST), entry("b", 2, SECOND)];
        type Change = fn(&mut AuditEntry);
        for (change, reason) in [
            ((|it| it.event = "f".into()) as Change, "does not follow"),
            (|it| it.subject = "{ }".into(), "does not follow"),
            (|it| it.at = "2026-01-02T03:04:06Z".into(), "does not follow"),
            (|it| it.at = "2026-01-02T03:04:05.5Z".into(), "whole seconds"),
            (|it| it.at = String::new(), "whole seconds"),
            (|it| it.hash = FIRST.to_uppercase(), "not hexadecimal"),
            (|it| it.hash = String::new(), "does not follow"),
            (|it| it.hash = "00".repeat(32), "does not follow"),
        ] {
            let mut changed = whole.clone();
            changed[0..3].iter_mut().step_by(2).for_each(change);
            let (ends, faults) = walked(&changed).unwrap();
            assert_eq!(faults.iter().map(|it| (&*it.chain, it.seq)).collect::<Vec<_>>(), [("a", 1), ("b", 1)]);
            assert!(faults.iter().all(|it| it.reason.contains(reason)), "{faults:?}");
            assert_eq!(ends.iter().map(|end| end.entries).sum::<u64>(), 4);
        }
        // Moved from one event to the subject: only the length in the digest tells it.
        let mut moved = whole.clone();
        (moved[1].event, moved[1].subject) = (String::new(), "e{}".into());
        assert_eq!(walked(&moved).unwrap().1[0].seq, 2);
    }

    #[test]
    fn numbers_begin_with_1_and_have_no_gaps() {
        for (entries, seq) in [
            (vec![entry("a", 2, SECOND)], 2),
            (vec![entry("a", 0, FIRST)], 0),
            (vec![entry("a", -1, FIRST)], -1),
            (vec![entry("a", 1, FIRST), entry("a", 3, SECOND)], 3),
            (vec![entry("a", 1, FIRST), entry("a", i64::MAX, SECOND)], i64::MAX),
        ] {
            let (_, faults) = walked(&entries).unwrap();
            assert_eq!((faults.len(), faults[0].seq), (1, seq));
            assert!(faults[0].reason.contains("missing"), "{faults:?}");
        }
    }

    #[test]
    fn a_list_that_goes_back_ends_the_walk() {
        for entries in [
            [entry("a", 1, FIRST), entry("a", 1, FIRST)],
            [entry("a", 2, FIRST), entry("a", 1, FIRST)],
            [entry("b", 1, FIRST), entry("a", 1, FIRST)],
        ] {
            assert!(walked(&entries).unwrap_err().message.contains("out of order"));
        }
    }

    #[test]
    fn an_entry_that_the_server_cannot_read_breaks_its_chain() {
        let mut chains = Chains::default();
        chains.take(&ListedAuditEntry::Readable(entry("a", 1, FIRST))).unwrap();
        let unreadable = UnreadableAuditEntry { chain: "a".into(), seq: 2, unreadable: "at".into() };
        chains.take(&ListedAuditEntry::Unreadable(unreadable)).unwrap();
        chains.take(&ListedAuditEntry::Readable(entry("a", 3, SECOND))).unwrap();
        let (ends, faults) = chains.finish();
        assert_eq!((ends[0].entries, faults.len(), faults[0].seq), (3, 1, 2));
    }
}
