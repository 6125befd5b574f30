//! RFC 6063 §3.2.4, the two variants.

use std::collections::BTreeSet;

use dskpp::client::FourPass;
use dskpp_crypto::SeededRandom;

use crate::pair::{Server, client_k, k_server, offer};

#[test]
fn s3_2_4_1_both_sides_contribute_to_the_key_of_four_pass() {
    let mut keys = BTreeSet::new();
    for client in [b"client a", b"client b"] {
        for server_seed in [b"server a", b"server b"] {
            let (mut server, mut rng) = (Server::new(k_server()), SeededRandom::new(client));
            server.rng = SeededRandom::new(server_seed);
            let (request, state) = FourPass::start(offer(&server.k), &mut rng);
            let choice = state.receive(&server.receive(&request).unwrap()).unwrap();
            let k = client_k(&choice, &server).unwrap();
            let (request, state) = choice.proceed(k, &mut rng).unwrap();
            let provisioned = state.receive(&server.receive(&request).unwrap()).unwrap();
            assert!(keys.insert(provisioned.keys.k_token.expose().to_vec()), "one side alone decided");
        }
    }
    assert_eq!(keys.len(), 4);
}
