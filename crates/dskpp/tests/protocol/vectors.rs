//! Values of a second implementation, see `tests/vectors/dskpp/README.md`. The unit tests of each side's states
//! continue complete runs.

use std::num::NonZeroU32;

use data_encoding::HEXLOWER;
use dskpp::algorithm::MacAlgorithm;
use dskpp::auth_code::{AuthCode, AuthCodeError};
use dskpp::auth_data;
use dskpp::prf::Prf;
use dskpp_crypto::{Pbkdf2Prf, Secret};
use serde_json::Value;

pub(crate) fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/vectors/dskpp/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"));
    let json: Value = serde_json::from_str(&text).unwrap();
    json["cases"].as_array().unwrap().clone()
}

fn hex(case: &Value, name: &str) -> Vec<u8> {
    HEXLOWER.decode(case[name].as_str().unwrap_or_default().as_bytes()).unwrap()
}

fn prf(case: &Value) -> Prf {
    Prf::of(&MacAlgorithm::from_uri(case["mac_algorithm"].as_str().unwrap())).unwrap()
}

#[test]
fn appendix_d_both_prfs_give_the_vectors_output() {
    let cases = cases("prf");
    assert_eq!(cases.len(), 54);
    for (i, case) in cases.iter().enumerate() {
        let (k, s, ds) = (hex(case, "k"), hex(case, "s"), hex(case, "ds"));
        let ds_len = case["ds_len"].as_u64().unwrap() as usize;
        assert_eq!(prf(case).derive(&k, &[&s], ds_len).unwrap().expose(), ds, "case {i}");
        let (head, tail) = s.split_at(s.len() / 2);
        assert_eq!(prf(case).derive(&k, &[head, b"", tail], ds_len).unwrap().expose(), ds, "case {i} in parts");
    }
}

#[test]
fn s3_4_1_2_k_ac_and_mac_match_the_vectors_for_every_k() {
    let cases = cases("auth_data");
    assert_eq!(cases.len(), 20);
    for (i, case) in cases.iter().enumerate() {
        let text = |name: &str| case[name].as_str().unwrap();
        let pbkdf2 = match text("pbkdf2_prf") {
            "hmac-sha1" => Pbkdf2Prf::HmacSha1,
            "hmac-sha256" => Pbkdf2Prf::HmacSha256,
            other => panic!("{other}"),
        };
        let iterations = NonZeroU32::new(case["iteration_count"].as_u64().unwrap() as u32).unwrap();
        let (password, r_c) = (Secret::from_slice(text("password").as_bytes()), hex(case, "r_c"));
        let k_ac = auth_data::k_ac(pbkdf2, &password, &r_c, &hex(case, "k"), iterations);
        assert_eq!(k_ac.expose(), hex(case, "k_ac"), "case {i}");
        let mac = auth_data::mac(prf(case), &k_ac, text("client_id"), text("url_s"), &r_c, &hex(case, "r_s"));
        assert_eq!(mac, hex(case, "mac"), "case {i}");
    }
}

#[test]
fn s3_4_1_1_codes_of_the_vectors_are_read_and_written() {
    let mut right = 0;
    for case in cases("auth_code").iter().filter(|case| case["wrong"].is_null()) {
        let text = case["code"].as_str().unwrap();
        let code: AuthCode = text.parse().unwrap_or_else(|why| panic!("{text}: {why}"));
        right += 1;
        let with_checksum = case["checksum"] == true;
        assert_eq!(code.had_checksum(), with_checksum, "{text}");
        assert_eq!(code.encode(with_checksum).expose(), text.as_bytes());
        if let (Some(client_id), Some(password)) = (case["client_id_text"].as_str(), case["password_text"].as_str()) {
            assert!(code == AuthCode::from_text(client_id, password).unwrap(), "{text}");
            continue;
        }
        let password = Secret::from_slice(case["password"].as_str().unwrap().as_bytes());
        assert_eq!(code.client_id(), case["client_id"].as_str().unwrap());
        assert_eq!(*code.password(), password);
        match case["vendor"].as_object() {
            Some(vendor) => {
                let expected: Vec<(char, String)> = vendor
                    .iter()
                    .map(|(kind, value)| (kind.chars().next().unwrap(), value.as_str().unwrap().to_owned()))
                    .collect();
                assert_eq!(code.vendor(), expected);
            }
            None => {
                let made = AuthCode::new(code.client_id(), &password).unwrap();
                assert_eq!(made.encode(with_checksum).expose(), text.as_bytes());
            }
        }
    }
    assert_eq!(right, 14);
}

#[test]
fn p11_the_vectors_invalid_codes_are_refused_with_the_faulty_part() {
    let mut wrong = 0;
    for case in cases("auth_code").iter().filter(|case| !case["wrong"].is_null()) {
        let (text, what) = (case["code"].as_str().unwrap(), case["wrong"].as_str().unwrap());
        let error = text.parse::<AuthCode>().expect_err(what);
        wrong += 1;
        let named = match what {
            "empty" => error == AuthCodeError::Empty,
            "no password" => error == AuthCodeError::Missing("password"),
            "no client ID" | "empty client ID" => error == AuthCodeError::Missing("client ID"),
            "value shorter than its length" => error == AuthCodeError::Length { part: "password", at: 12 },
            "checksum" => matches!(error, AuthCodeError::Checksum | AuthCodeError::Mistyped(_)),
            // A wrong length shifts the rest, which may then have any fault.
            "length" => !matches!(error, AuthCodeError::Checksum | AuthCodeError::Empty),
            "octets left over" => error == AuthCodeError::LeftOver(32),
            "not hexadecimal" => error == AuthCodeError::NotHexadecimal { at: 11, found: 'G' },
            "client ID twice" => error == AuthCodeError::Twice("client ID"),
            "client ID over 128 characters" => error == AuthCodeError::ClientIdTooLong(129),
            other => panic!("an unknown kind of fault: {other}"),
        };
        assert!(named, "{what}: {error:?}");
        assert!(!error.to_string().contains("3582AF0C3"), "the password stays out of {error}");
    }
    assert_eq!(wrong, 12);
}
