//! RFC 6063 §7.2.3, how messages belong together, and §8.1, how their values are compared.

use dskpp::client::FourPass;
use dskpp::message::{Request, Response};
use dskpp_crypto::{SeededRandom, Sha256};

use crate::pair::*;

#[test]
fn s7_2_3_server_hello_must_have_a_session_id_and_client_nonce_must_have_the_same() {
    let mut server = Server::new(k_server());
    let mut ids = Vec::new();
    for _ in 0..2 {
        server.enrolment().spent = false;
        let messages = run(offer(&k_server()), &mut server).messages;
        let Ok(Response::ServerHello(hello)) = Response::read(&messages[1]) else { panic!() };
        let Ok(Request::ClientNonce(nonce)) = Request::read(&messages[2]) else { panic!() };
        assert_eq!(hello.session_id.as_deref(), Some(&*nonce.session_id));
        ids.push(nonce.session_id);
    }
    assert_ne!(ids[0], ids[1], "s3_3: no identifier is used for another run");
    // The client repeats what it received: a different value is returned unchanged.
    let run = run_over(offer(&k_server()), &mut server, &mut |pass, message| {
        let Ok(Response::ServerHello(mut hello)) = Response::read(&message) else { return vec![message] };
        assert_eq!(pass, Pass::ServerHello);
        hello.session_id = Some(" Zwölf <&> ".into());
        vec![hello.write()]
    });
    let Ok(Request::ClientNonce(nonce)) = Request::read(&run.messages[2]) else { panic!() };
    assert_eq!(nonce.session_id, " Zwölf <&> ");
}

#[test]
fn s3_4_3_the_message_hash_must_be_sha_256_of_all_messages_in_their_order() {
    use dskpp::key_schedule::{confirmation, message_hash};
    use dskpp::prf::Prf;
    let mut server = Server::new(k_server());
    let run = run(with_mac(offer(&k_server()), Prf::Sha256.algorithm()), &mut server);
    let messages: Vec<&[u8]> = run.messages.iter().map(Vec::as_slice).collect();
    let hash = Sha256::digest(&[&messages[..3].concat()]);
    assert_eq!(message_hash(&messages[..3]), hash);
    let Ok(Response::ServerFinished(finished)) = Response::read(messages[3]) else { panic!() };
    let mac = confirmation(Prf::Sha256, &server.keys[KEY_ID].k_mac, &hash);
    assert_eq!(finished.body.unwrap().mac.value, mac);
}

#[test]
fn s8_1_the_order_of_attributes_is_irrelevant() {
    let mut server = Server::new(k_server());
    let messages = run(offer(&k_server()), &mut server).messages;
    let turned = |message: &[u8], one: &str, other: &str| {
        let text = std::str::from_utf8(message).unwrap();
        let attribute = |name: &str| {
            let from = text.find(&format!(" {name}=\"")).unwrap();
            let len = text[from + name.len() + 3..].find('"').unwrap() + name.len() + 4;
            text[from..from + len].to_owned()
        };
        let (one, other) = (attribute(one), attribute(other));
        text.replacen(&one, "@", 1).replacen(&other, &one, 1).replacen('@', &other, 1)
    };
    let nonce = turned(&messages[2], "Version", "SessionID");
    assert_ne!(nonce.as_bytes(), &messages[2][..]);
    let read = |body: &[u8]| format!("{:?}", Request::read(body).unwrap());
    assert_eq!(read(nonce.as_bytes()), read(&messages[2]));
    for answer in [&messages[1], &messages[3]] {
        let other = turned(answer, "Version", "Status");
        let read = |body: &[u8]| format!("{:?}", Response::read(body).unwrap());
        assert_eq!(read(other.as_bytes()), read(answer));
    }
}

#[test]
fn s8_1_strings_must_be_compared_octet_for_octet() {
    let client_id = |to: &str| {
        let mut server = Server::new(k_server());
        let (request, state) = FourPass::start(offer(&server.k), &mut SeededRandom::new(b"client"));
        let choice = state.receive(&server.receive(&request).unwrap()).unwrap();
        let k = client_k(&choice, &server).unwrap();
        let (request, _) = choice.proceed(k, &mut SeededRandom::new(b"nonce")).unwrap();
        let text = String::from_utf8(request).unwrap();
        let from = format!(">{CLIENT_ID}<");
        assert_eq!(text.matches(&from).count(), 1);
        server.receive(text.replace(&from, &format!(">{to}<")).as_bytes()).unwrap();
        server.has_spent_the_code()
    };
    assert!(client_id(CLIENT_ID));
    for other in [&*CLIENT_ID.to_lowercase(), &format!(" {CLIENT_ID}"), &format!("{CLIENT_ID} "), "ＡC00000A"] {
        assert!(!client_id(other), "{other:?}");
    }
}
