//! The steps of an import, without HTTP, for `benches/import.rs`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dskpp_crypto::{Random as _, SystemRandom};
use pskc::{ContainerReader, KeyPackage};

use crate::model::clock::now;
use crate::policy::otp::Windows;
use crate::store::key_package::{Owner, take_in};
use crate::store::seal::Kek;
use crate::store::{Batch, Store, StorePolicy};

/// Time per step, summed over all batches.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportTimes {
    /// From octets of XML to packages.
    pub parse: Duration,
    /// From packages to sealed rows.
    pub seal: Duration,
    /// From rows to a durable transaction.
    pub store: Duration,
}

/// Imports PSKC documents, one batch each, into a new database in `folder`; `user_id`: create users from `UserId`.
///
/// # Panics
/// On any error: for benchmarks only.
pub fn import(folder: &Path, documents: &[Vec<u8>], user_id: bool) -> ImportTimes {
    let kek = Kek::new(&SystemRandom.secret(32)).expect("32 octets");
    let policy =
        StorePolicy { lock_after: 1, windows: Windows { hotp_look_ahead: 1, totp_window: 1 }, may_migrate: true };
    let store = Store::open(folder.join("dskpp.db"), Arc::new(kek), policy).expect("a new database");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let owner = if user_id { Owner::UserId } else { Owner::Nobody };
    let (mut times, mut first) = (ImportTimes::default(), 0);
    for document in documents {
        let start = Instant::now();
        let packages = packages(document);
        times.parse += start.elapsed();

        let start = Instant::now();
        let (mut sealer, at) = (store.sealer(), now());
        let taken = packages.into_iter().map(|package| take_in(package, &owner, at).expect("a good package"));
        let keys: Vec<_> = taken.zip(first..).map(|(taken, index)| sealer.seal(index, taken)).collect();
        times.seal += start.elapsed();

        let start = Instant::now();
        let (count, end) = (keys.len() as u64, first + keys.len() as u64);
        let batch = Batch { import: "bench".into(), first, end, keys, refused: Vec::new(), by: "bench".into() };
        let done = runtime.block_on(store.import(batch)).expect("a store that works");
        assert_eq!(done.accepted, count, "every key is new");
        times.store += start.elapsed();
        first = end;
    }
    times
}

fn packages(document: &[u8]) -> Vec<KeyPackage> {
    let mut reader = ContainerReader::new(document).expect("a container");
    let mut packages = Vec::new();
    while let Some(package) = reader.next_package().expect("a package") {
        packages.push(package);
    }
    reader.finish().expect("the end");
    packages
}
