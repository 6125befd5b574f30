//! Bulk imports of keys, in batches as `dskpp admin key import` sends them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use dskpp_api::ImportQuery;
use dskpp_crypto::{Random as _, Secret, SystemRandom};
use tokio::task::JoinSet;

use super::report::{Ended, REFUSED};
use crate::api::Api;
use crate::output::Failure;

/// Concurrent imports.
const AT_ONCE: u32 = 40;
/// Keys per import, and per batch.
const KEYS: usize = 20_000;
const BATCH: usize = 2_000;

/// Imports keys until `is_over`; returns how the batches ended.
pub(super) async fn run(api: &Api, is_over: &Arc<AtomicBool>) -> Result<Ended, Failure> {
    let mut imports = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (api, is_over) = (api.clone(), Arc::clone(is_over));
        imports.spawn(async move {
            let mut ended = Ended::new();
            loop {
                let import = data_encoding::HEXLOWER.encode(&SystemRandom.bytes(32));
                for first in (0..KEYS).step_by(BATCH) {
                    if is_over.load(Ordering::Relaxed) {
                        return Ok::<_, Failure>(ended);
                    }
                    send(&api, &import, first, &mut ended).await?;
                }
            }
        });
    }
    let mut all = BTreeMap::new();
    while let Some(ended) = imports.join_next().await {
        for (how, us) in ended.map_err(Failure::new)?? {
            all.entry(how).or_insert_with(Vec::new).extend(us);
        }
    }
    Ok(all)
}

async fn send(api: &Api, import: &str, first: usize, ended: &mut Ended) -> Result<(), Failure> {
    let keys: Vec<_> =
        (first..first + BATCH).map(|number| (format!("{import}-{number}"), SystemRandom.secret(20))).collect();
    let begun = Instant::now();
    let mut end = |how: &str| ended.entry(how.to_owned()).or_default().push(begun.elapsed().as_micros() as u32);
    import_keys(api, import, first, &keys, || end(REFUSED)).await?;
    end("batch imported");
    Ok(())
}

/// Imports HOTP keys for the user bench.
pub(super) async fn import_keys(
    api: &Api,
    import: &str,
    first: usize,
    keys: &[(String, Secret)],
    mut refused: impl FnMut(),
) -> Result<(), Failure> {
    let mut document = "<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" Version=\"1.0\">".to_owned();
    for (id, key) in keys {
        let secret = data_encoding::BASE64.encode(key.expose());
        document += &format!(
            "<KeyPackage><Key Id=\"{id}\" Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:hotp\"><AlgorithmParameters>\
             <ResponseFormat Encoding=\"DECIMAL\" Length=\"6\"/></AlgorithmParameters><Data><Secret>\
             <PlainValue>{secret}</PlainValue></Secret><Counter><PlainValue>0</PlainValue></Counter></Data></Key>\
             </KeyPackage>"
        );
    }
    document += "</KeyContainer>";
    let (import, user) = (import.to_owned(), Some("bench".to_owned()));
    let query = ImportQuery { import, first: first as u64, user, assign: None };
    api.import(&query, document.into_bytes(), |_| refused()).await?;
    Ok(())
}
