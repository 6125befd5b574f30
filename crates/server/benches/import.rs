//! Speed of imports: `cargo bench -p dskpp-server --bench import [folder]`; the database is in `folder`, or else where
//! temporary files are.

use std::fmt::Write as _;
use std::time::Duration;

use dskpp_server::bench::{ImportTimes, import};

const KEYS: usize = 100_000;
const BATCH: usize = 5_000;

fn main() {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let folder = folder.map_or_else(std::env::temp_dir, Into::into);
    let documents: Vec<Vec<u8>> = (0..KEYS / BATCH).map(document).collect();
    println!("{KEYS} TOTP keys, {} octets of XML each, batches of {BATCH}:", documents[0].len() / BATCH);
    for (what, user_id) in [("in the inventory", false), ("each with a user of its own", true)] {
        let place = tempfile::tempdir_in(&folder).expect("a folder that can be written");
        let ImportTimes { parse, seal, store } = import(place.path(), &documents, user_id);
        println!("{what}:");
        for (step, time) in [
            ("parse", parse),
            ("seal", seal),
            ("store", store),
            ("seal + store", seal + store),
            ("all", parse + seal + store),
        ] {
            println!("  {step:<13}{:>9.0} keys/s", per_second(time));
        }
    }
}

fn per_second(time: Duration) -> f64 {
    KEYS as f64 / time.as_secs_f64()
}

/// A batch in a vendor's format.
fn document(number: usize) -> Vec<u8> {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <pskc:KeyContainer Version=\"1.0\" xmlns:pskc=\"urn:ietf:params:xml:ns:keyprov:pskc\">\n",
    );
    for key in number * BATCH..(number + 1) * BATCH {
        let secret = data_encoding::BASE64.encode(&(key as u64).to_be_bytes().repeat(5)[..20]);
        let _ = write!(
            xml,
            "  <pskc:KeyPackage>\n    <pskc:DeviceInfo>\n      <pskc:Manufacturer>Acme</pskc:Manufacturer>\n      \
             <pskc:SerialNo>{key:010}</pskc:SerialNo>\n    </pskc:DeviceInfo>\n    <pskc:Key Id=\"token{key:010}\" \
             Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:totp\">\n      <pskc:Issuer>Acme</pskc:Issuer>\n      \
             <pskc:AlgorithmParameters>\n        <pskc:ResponseFormat Encoding=\"DECIMAL\" Length=\"6\"/>\n      \
             </pskc:AlgorithmParameters>\n      <pskc:Data>\n        <pskc:Secret>\n          \
             <pskc:PlainValue>{secret}</pskc:PlainValue>\n        </pskc:Secret>\n        <pskc:Time>\n          \
             <pskc:PlainValue>0</pskc:PlainValue>\n        </pskc:Time>\n        <pskc:TimeInterval>\n          \
             <pskc:PlainValue>30</pskc:PlainValue>\n        </pskc:TimeInterval>\n      </pskc:Data>\n      \
             <pskc:UserId>CN=user{key:010},DC=example</pskc:UserId>\n    </pskc:Key>\n  </pskc:KeyPackage>\n"
        );
    }
    xml.push_str("</pskc:KeyContainer>\n");
    xml.into_bytes()
}
