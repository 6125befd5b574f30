//! RFC 6063 §3.4, the authentication code, AD, DSKPP-PRF and the message hash.

use dskpp::auth_code::{AuthCode, AuthCodeError};
use dskpp::auth_data::{self, MIN_ITERATIONS};
use dskpp::client::RunConfig;
use dskpp::prf::Prf;
use dskpp::server::AuthPolicy;
use dskpp_crypto::{Pbkdf2Prf, Secret};

use crate::pair::*;

const CODE: &str = "108AC00000A20A3582AF0C3E";

fn parse(text: &str) -> Result<AuthCode, AuthCodeError> {
    text.parse()
}

#[test]
fn s3_4_1_1_a_value_may_be_up_to_255_characters_and_empty_for_custom_tags() {
    let password = "A".repeat(255);
    let code = parse(&format!("101F2FF{password}800")).unwrap();
    assert_eq!((code.password().expose(), code.vendor()), (password.as_bytes(), &[('8', String::new())][..]));
    assert!(AuthCode::new("F", &Secret::from(vec![b'A'; 256])).is_err());
}

#[test]
fn s3_4_1_1_vendor_specific_types_must_have_the_high_bit() {
    for kind in "0123456789ABCDEF".chars() {
        let result = parse(&format!("{CODE}{kind}03FFF"));
        match kind {
            '8'..='9' | 'A'..='F' => assert_eq!(result.unwrap().vendor(), [(kind, "FFF".to_owned())]),
            '1' => assert_eq!(result.err(), Some(AuthCodeError::Twice("client ID"))),
            '2' => assert_eq!(result.err(), Some(AuthCodeError::Twice("password"))),
            '3' => assert_eq!(result.err(), Some(AuthCodeError::Checksum)),
            _ => assert_eq!(result.err(), Some(AuthCodeError::UnknownType { kind, at: 25 })),
        }
    }
}

#[test]
fn s3_4_1_1_client_id_and_password_are_mandatory_in_any_order() {
    assert_eq!(parse("108AC00000A").err(), Some(AuthCodeError::Missing("password")));
    assert_eq!(parse("20A3582AF0C3E").err(), Some(AuthCodeError::Missing("client ID")));
    let turned = parse("20A3582AF0C3E108AC00000A").unwrap();
    assert!(turned == parse(CODE).unwrap());
}

#[test]
fn s3_4_1_1_the_password_must_contain_hexadecimal_characters_only() {
    for wrong in ["108AC00000A20A3582AF0C3G", "108AC00000A20A3582AF0C3é", "108AC00000A20A3582AF0C3\u{0}"] {
        assert!(matches!(parse(wrong), Err(AuthCodeError::NotHexadecimal { at: 24, .. })), "{wrong:?}");
    }
    assert!(AuthCode::new("AC", &Secret::from_slice(b"secret")).is_err());
    assert!(AuthCode::new("client", &Secret::from_slice(b"AC")).is_err());
}

#[test]
fn p11_one_mistyped_digit_is_located_and_never_reported_as_an_early_end() {
    let code = AuthCode::new("12AB34CD", &Secret::from_slice(b"0F1E2D3C4B5A6978")).unwrap();
    let code = String::from_utf8(code.encode(true).expose().to_vec()).unwrap();
    let (mut found, mut tried) = (0, 0);
    for at in 0..code.len() {
        for digit in "0123456789ABCDEF".chars().filter(|digit| !code[at..].starts_with(*digit)) {
            let typed = format!("{}{digit}{}", &code[..at], &code[at + 1..]);
            tried += 1;
            match parse(&typed) {
                // Without a checksum it may still be a code, with a vendor's type or other password digits.
                Ok(read) => assert!(!read.had_checksum() && [13, code.len() - 7].contains(&at), "{typed}"),
                Err(AuthCodeError::Mistyped(place)) => {
                    assert_eq!(place, at + 1, "{typed}");
                    found += 1;
                }
                Err(other) => assert!(!other.to_string().contains("early"), "{typed}: {other}"),
            }
        }
    }
    assert!(found * 100 >= tried * 95, "{found} of {tried}");

    for (cut, part) in [(2, "client ID"), (9, "client ID"), (13, "password"), (20, "password"), (33, "checksum")] {
        let error = parse(&code[..cut]).unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains("early"), "{cut}: {error}");
    }
    let grouped: Vec<_> = code.as_bytes().chunks(4).map(|group| std::str::from_utf8(group).unwrap()).collect();
    for typed in [grouped.join(" "), grouped.join("-"), format!(" {}\n", grouped.join(" - ").to_lowercase())] {
        assert!(parse(&typed).unwrap() == parse(&code).unwrap(), "{typed:?}");
    }
}

#[test]
fn s3_4_1_1_p11_a_checksum_must_be_crc16_and_is_verified() {
    assert!(parse(&format!("{CODE}304EA4C")).unwrap().had_checksum());
    let full = format!("{CODE}304EA4C");
    for at in 0..CODE.len() {
        for digit in "0123456789ABCDEF".chars() {
            let mut mistyped: Vec<char> = full.chars().collect();
            if mistyped[at] == digit {
                continue;
            }
            mistyped[at] = digit;
            let mistyped: String = mistyped.into_iter().collect();
            assert!(parse(&mistyped).is_err(), "one wrong character is always found: {mistyped}");
        }
    }
    // The RFC's own example is wrong in value and length (erratum 5314).
    assert!(parse(&format!("{CODE}3034D5")).is_err());
}

#[test]
fn p11_case_and_separators_are_ignored_and_upper_case_is_written() {
    for typed in ["108ac00000a20a3582af0c3e304ea4c", " 108AC-00000-A20A3 582AF\t0C3E304-EA4C\n"] {
        let code = parse(typed).unwrap();
        assert_eq!((code.client_id(), code.password().expose()), (CLIENT_ID, PASSWORD.as_bytes()));
        assert_eq!(code.encode(true).expose(), b"108AC00000A20A3582AF0C3E304EA4C");
    }
}

#[test]
fn s3_4_1_1_saslprep_must_normalise_typed_text() {
    // The examples of RFC 4013 §3.
    for (typed, prepared) in
        [("I\u{AD}X", "IX"), ("user", "user"), ("USER", "USER"), ("\u{AA}", "a"), ("\u{2168}", "IX")]
    {
        let code = AuthCode::from_text(typed, typed).unwrap();
        let hexadecimal = data_encoding::HEXUPPER.encode(prepared.as_bytes());
        assert_eq!(code.client_id(), hexadecimal);
        assert_eq!(code.password().expose(), hexadecimal.as_bytes());
    }
    for (client_id, password) in [("user", "\u{7}"), ("\u{627}\u{31}", "x"), ("", "x"), ("x", "\u{AD}")] {
        assert!(AuthCode::from_text(client_id, password).is_err(), "{client_id:?} {password:?}");
    }
    let code = AuthCode::from_text("myclient!D", "mYpas&#rD").unwrap();
    assert_eq!(code.encode(false).expose(), b"1146D79636C69656E7421442126D5970617326237244");
}

#[test]
fn s3_4_1_1_no_error_and_no_debug_output_contains_the_password() {
    assert!(!format!("{:?}", parse(CODE).unwrap()).contains(PASSWORD));
    for wrong in [&CODE[..20], "108AC00000A20A3582AF0C3E304EA4D", "108AC00000A20A3582AF0C3EFF"] {
        let error = parse(wrong).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("3582AF"), "{error}");
    }
}

#[test]
fn s3_4_1_2_k_ac_must_be_derived_with_the_public_key_or_the_shared_key_and_r_c() {
    let password = Secret::from_slice(PASSWORD.as_bytes());
    let derived = |r_c: &[u8], k: &[u8]| {
        auth_data::k_ac(Pbkdf2Prf::HmacSha1, &password, r_c, k, std::num::NonZeroU32::MIN).expose().to_vec()
    };
    let (server, shared) = (k_server(), k_shared(16));
    assert_eq!(derived(&[1; 32], server.octets()).len(), 16);
    assert_ne!(derived(&[1; 32], server.octets()), derived(&[1; 32], shared.octets()));
    assert_ne!(derived(&[1; 32], server.octets()), derived(&[2; 32], server.octets()));
    assert_eq!(server.octets().len(), 256, "p1: the modulus without a leading zero");
    assert_ne!(server.octets()[0], 0);
}

#[test]
fn s3_4_1_2_in_four_pass_the_iteration_count_must_be_at_least_100000() {
    assert_eq!(MIN_ITERATIONS, 100_000);
    assert_eq!(AuthPolicy::default().iteration_floor, MIN_ITERATIONS);
    assert_eq!(RunConfig::new(URL_S, offer(&k_server()).credential, Vec::new()).iterations, MIN_ITERATIONS);
    // For the server's reaction to other counts, see `p3_…`.
}

#[test]
fn s3_4_2_a_prf_key_must_have_at_least_16_octets() {
    for (prf, len, good) in [
        (Prf::Aes128, 15, false),
        (Prf::Aes128, 16, true),
        (Prf::Aes128, 17, false),
        (Prf::Aes128, 32, false),
        (Prf::Sha256, 0, false),
        (Prf::Sha256, 15, false),
        (Prf::Sha256, 16, true),
        (Prf::Sha256, 200, true),
    ] {
        let derived = prf.derive(&vec![1; len], &[b"s"], 16);
        assert_eq!(derived.is_ok(), good, "{prf:?} {len}");
        assert_eq!(prf.takes_key_of(len), good);
        if !good {
            assert_eq!(derived.err().map(|why| why.0), Some(len));
        }
    }
}

#[test]
fn s3_4_2_the_prf_returns_the_requested_length_and_longer_outputs_extend_shorter_ones() {
    for prf in [Prf::Aes128, Prf::Sha256] {
        let long = prf.derive(&[1; 16], &[b"s"], 200).unwrap();
        for len in [0, 1, 16, 31, 32, 33, 199] {
            assert_eq!(prf.derive(&[1; 16], &[b"s"], len).unwrap(), long.prefix(len).unwrap());
        }
    }
}

#[test]
fn s3_4_3_the_confirmation_must_include_every_message_as_sent() {
    // Insignificant white space in each of the three messages: both sides compute the same hash only if
    // both saw it.
    for pass in [Pass::ClientHello, Pass::ServerHello, Pass::ClientNonce] {
        let run = run_over(offer(&k_server()), &mut { Server::new(k_server()) }, &mut |at, message| {
            vec![if at == pass { [&message[..], b"\n"].concat() } else { message }]
        });
        assert_eq!(run.failed(), dskpp::client::Failed::WrongConfirmation, "{pass:?}");
    }
}

#[test]
fn s3_4_3_retransmitted_messages_are_removed_from_the_sequence() {
    for pass in [Pass::ClientHello, Pass::ClientNonce] {
        let mut server = Server::new(k_server());
        let run = run_over(offer(&k_server()), &mut server, &mut |at, message| match at == pass {
            true => vec![message.clone(), message.clone(), message],
            false => vec![message],
        });
        let provisioned = run.provisioned();
        assert_eq!(provisioned.keys, server.keys[KEY_ID], "{pass:?}");
        assert!(server.refusals.is_empty(), "{pass:?}");
    }
}
