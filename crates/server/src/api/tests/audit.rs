//! The audit trail as a list: in every order, filtered, and such that its digests can be recomputed.

use std::collections::BTreeMap;

use dskpp_crypto::Sha256;

use super::*;

/// Every entry over all pages.
async fn entries(api: &Api, query: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/audit?{query}{after}")).await.with(200);
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", paths::escaped(next)),
            None => return found,
        }
    }
}

async fn with_entries() -> Api {
    let api = Api::new().await;
    for name in ["alice", "bob", "carol"] {
        api.post("/users", json!({ "name": name })).await.with(201);
    }
    api.key("alice", "k").await;
    api.get("/keys/k/secret").await.with(200);
    api
}

#[tokio::test]
async fn the_digests_of_a_chain_follow_from_what_its_entries_show() {
    let api = with_entries().await;
    let entries = entries(&api, "order=chain&limit=2").await;
    assert!(entries.len() >= 6, "{entries:?}");
    let mut last: BTreeMap<String, (i64, Vec<u8>)> = BTreeMap::new();
    for entry in &entries {
        assert_eq!(fields(entry), ["at", "chain", "event", "hash", "seq", "subject"]);
        let text = |member: &str| entry[member].as_str().unwrap();
        let (seq, before) = last.entry(text("chain").to_owned()).or_default();
        let at: pskc::DateTime = text("at").parse().unwrap();
        let (event, subject) = (text("event").as_bytes(), text("subject").as_bytes());
        let len = (event.len() as u64).to_be_bytes();
        let hash = Sha256::digest(&[before, &at.unix_s().to_be_bytes(), &len, event, subject]);
        assert_eq!(data_encoding::HEXLOWER.encode(&hash), text("hash"), "{entry}");
        assert_eq!(entry["seq"], *seq + 1);
        (*seq, *before) = (*seq + 1, hash.to_vec());
    }
    let secret = data_encoding::HEXLOWER.encode(K_TOKEN);
    assert!(!json!(entries).to_string().contains(&secret));
}

#[tokio::test]
async fn entries_are_listed_by_time_in_both_directions_and_by_event() {
    let api = with_entries().await;
    let place = |entry: &Value| {
        let text = |member: &str| entry[member].as_str().unwrap().to_owned();
        (text("at"), text("chain"), entry["seq"].as_i64().unwrap())
    };
    let oldest = entries(&api, "limit=1").await;
    assert!(oldest.len() >= 6 && oldest.is_sorted_by_key(place), "{oldest:?}");
    let mut newest = entries(&api, "limit=4&order=newest").await;
    newest.reverse();
    assert_eq!(newest, oldest);
    assert_eq!(entries(&api, "order=oldest&limit=1000").await, oldest);
    for order in ["oldest", "newest"] {
        let users = entries(&api, &format!("event=user.created&limit=1&order={order}")).await;
        assert_eq!(users.len(), 3, "alice, bob and carol");
        assert!(entries(&api, &format!("event=user&order={order}")).await.is_empty(), "not a prefix");
    }
}

#[tokio::test]
async fn entries_are_listed_between_two_times() {
    let api = with_entries().await;
    let count = entries(&api, "").await.len();
    // 2001-09-09T01:46:40Z and on.
    api.scratch.execute("UPDATE audit SET at = 1000000000 + seq");
    for (query, expected) in [
        ("since=2001-09-09T01:46:41Z", count),
        ("until=2001-09-09T01:46:41Z", 0),
        ("since=2001-09-09T01:46:41Z&until=2001-09-09T01:46:42Z", api.first_entries()),
        ("since=2001-09-09T01:46:40.5Z&until=2001-09-09T01:46:41.5Z", api.first_entries()),
        ("since=2001-09-09T03:46:41%2B02:00&until=2001-09-09T03:46:42%2B02:00", api.first_entries()),
        ("since=2001-09-09T01:46:42Z&until=2001-09-09T01:46:41Z", 0),
        ("since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z", count),
    ] {
        for order in ["oldest", "newest"] {
            let found = entries(&api, &format!("limit=2&order={order}&{query}")).await;
            assert_eq!(found.len(), expected, "{order} {query}");
        }
    }
    for parameter in ["since", "until"] {
        for time in ["", "yesterday", "2001-09-09", "2001-09-09T01:46:41", "1000000000", "2001-09-31T00:00:00Z", "-1"] {
            let detail = api.get(&format!("/audit?{parameter}={time}")).await.problem(422, "invalid-value");
            assert!(detail.contains(parameter) && detail.contains("RFC 3339"), "{detail}");
        }
    }
    for query in ["event=e", "since=2001-09-09T01:46:41Z", "until=2001-09-09T01:46:41Z"] {
        let detail = api.get(&format!("/audit?order=chain&{query}")).await.problem(422, "invalid-value");
        assert!(detail.contains("order=chain"), "{detail}");
    }
    api.get("/audit?order=random").await.problem(400, "invalid-query");
}

#[tokio::test]
async fn a_damaged_entry_is_named_in_its_place() {
    let api = with_entries().await;
    let whole = entries(&api, "order=chain").await;
    let (chain, seq) = (whole[1]["chain"].as_str().unwrap(), &whole[1]["seq"]);
    api.scratch.execute(&format!("UPDATE audit SET at = {} WHERE chain = '{chain}' AND seq = {seq}", i64::MAX - 1));
    let damaged = entries(&api, "order=chain&limit=1").await;
    assert_eq!(damaged[1], json!({ "chain": chain, "seq": seq, "unreadable": "at" }));
    assert_eq!(damaged.len(), whole.len());
    assert_eq!(entries(&api, "limit=1").await.len(), whole.len());
}

impl Api {
    /// The number of entries that are the first of their chain.
    fn first_entries(&self) -> usize {
        self.scratch.texts("SELECT event FROM audit WHERE seq = 1").len()
    }
}
