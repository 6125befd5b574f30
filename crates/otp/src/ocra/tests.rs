//! RFC 6287 appendix C, all tables, and invalid inputs.

use super::*;
use dskpp_crypto::Hash;

fn key(len: usize) -> Secret {
    Secret::new(b"1234567890".iter().copied().cycle().take(len).collect())
}

fn pin() -> Secret {
    Secret::from_slice(b"1234")
}

/// 0x132d0b6 minutes since 1970.
const TIME: u64 = 0x132_d0b6 * 60;

#[track_caller]
fn table(suite: &str, key_len: usize, rows: &[(u64, &str, &str)]) {
    let suite: OcraSuite = suite.parse().expect("a suite");
    assert_eq!(suite.hash().output_len(), key_len);
    let pin = pin();
    for (counter, question, expected) in rows {
        let input = OcraInput { counter: *counter, question, pin: Some(&pin), unix_s: TIME, ..OcraInput::default() };
        let code = suite.code(&key(key_len), &input).expect("a response");
        assert_eq!(code.as_str(), *expected, "{suite} {question}");
    }
}

#[test]
fn c1_one_way_challenge_response() {
    table(
        "OCRA-1:HOTP-SHA1-6:QN08",
        20,
        &[
            (0, "00000000", "237653"),
            (0, "11111111", "243178"),
            (0, "22222222", "653583"),
            (0, "33333333", "740991"),
            (0, "44444444", "608993"),
            (0, "55555555", "388898"),
            (0, "66666666", "816933"),
            (0, "77777777", "224598"),
            (0, "88888888", "750600"),
            (0, "99999999", "294470"),
        ],
    );
    table(
        "OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1",
        32,
        &[
            (0, "12345678", "65347737"),
            (1, "12345678", "86775851"),
            (2, "12345678", "78192410"),
            (3, "12345678", "71565254"),
            (4, "12345678", "10104329"),
            (5, "12345678", "65983500"),
            (6, "12345678", "70069104"),
            (7, "12345678", "91771096"),
            (8, "12345678", "75011558"),
            (9, "12345678", "08522129"),
        ],
    );
    table(
        "OCRA-1:HOTP-SHA256-8:QN08-PSHA1",
        32,
        &[
            (0, "00000000", "83238735"),
            (0, "11111111", "01501458"),
            (0, "22222222", "17957585"),
            (0, "33333333", "86776967"),
            (0, "44444444", "86807031"),
        ],
    );
    table(
        "OCRA-1:HOTP-SHA512-8:C-QN08",
        64,
        &[
            (0, "00000000", "07016083"),
            (1, "11111111", "63947962"),
            (2, "22222222", "70123924"),
            (3, "33333333", "25341727"),
            (4, "44444444", "33203315"),
            (5, "55555555", "34205738"),
            (6, "66666666", "44343969"),
            (7, "77777777", "51946085"),
            (8, "88888888", "20403879"),
            (9, "99999999", "31409299"),
        ],
    );
    table(
        "OCRA-1:HOTP-SHA512-8:QN08-T1M",
        64,
        &[
            (0, "00000000", "95209754"),
            (0, "11111111", "55907591"),
            (0, "22222222", "22048402"),
            (0, "33333333", "24218844"),
            (0, "44444444", "36209546"),
        ],
    );
}

#[test]
fn c2_mutual_challenge_response() {
    table(
        "OCRA-1:HOTP-SHA256-8:QA08",
        32,
        &[
            (0, "CLI22220SRV11110", "28247970"),
            (0, "CLI22221SRV11111", "01984843"),
            (0, "CLI22222SRV11112", "65387857"),
            (0, "CLI22223SRV11113", "03351211"),
            (0, "CLI22224SRV11114", "83412541"),
            (0, "SRV11110CLI22220", "15510767"),
            (0, "SRV11111CLI22221", "90175646"),
            (0, "SRV11112CLI22222", "33777207"),
            (0, "SRV11113CLI22223", "95285278"),
            (0, "SRV11114CLI22224", "28934924"),
        ],
    );
    table(
        "OCRA-1:HOTP-SHA512-8:QA08",
        64,
        &[
            (0, "CLI22220SRV11110", "79496648"),
            (0, "CLI22221SRV11111", "76831980"),
            (0, "CLI22222SRV11112", "12250499"),
            (0, "CLI22223SRV11113", "90856481"),
            (0, "CLI22224SRV11114", "12761449"),
        ],
    );
    table(
        "OCRA-1:HOTP-SHA512-8:QA08-PSHA1",
        64,
        &[
            (0, "SRV11110CLI22220", "18806276"),
            (0, "SRV11111CLI22221", "70020315"),
            (0, "SRV11112CLI22222", "01600026"),
            (0, "SRV11113CLI22223", "18951020"),
            (0, "SRV11114CLI22224", "32528969"),
        ],
    );
}

#[test]
fn c3_plain_signature() {
    table(
        "OCRA-1:HOTP-SHA256-8:QA08",
        32,
        &[
            (0, "SIG10000", "53095496"),
            (0, "SIG11000", "04110475"),
            (0, "SIG12000", "31331128"),
            (0, "SIG13000", "76028668"),
            (0, "SIG14000", "46554205"),
        ],
    );
    table(
        "OCRA-1:HOTP-SHA512-8:QA10-T1M",
        64,
        &[
            (0, "SIG1000000", "77537423"),
            (0, "SIG1100000", "31970405"),
            (0, "SIG1200000", "10235557"),
            (0, "SIG1300000", "95213541"),
            (0, "SIG1400000", "65360607"),
        ],
    );
}

#[test]
fn s6_suites_are_parsed_and_invalid_ones_refused() {
    let suite: OcraSuite = "OCRA-1:HOTP-SHA512-0:C-QH64-PSHA256-S064-T48H".parse().expect("every element");
    assert_eq!((suite.digits(), suite.has_counter(), suite.has_pin()), (0, true, true));
    assert_eq!((suite.question(), suite.session_len()), ((Question::Hexadecimal, 64), Some(64)));
    assert_eq!((suite.step_s(), suite.hash()), (Some(48 * 3600), Hash::Sha512));
    assert_eq!(suite.to_string(), "OCRA-1:HOTP-SHA512-0:C-QH64-PSHA256-S064-T48H");
    for faulty in [
        "",
        "OCRA-1",
        "OCRA-1:HOTP-SHA1-6",
        "OCRA-2:HOTP-SHA1-6:QN08",
        "OCRA-1:HOTP-SHA1-6:QN08:",
        "OCRA-1:TOTP-SHA1-6:QN08",
        "OCRA-1:HOTP-MD5-6:QN08",
        "OCRA-1:HOTP-SHA1-3:QN08",
        "OCRA-1:HOTP-SHA1-11:QN08",
        "OCRA-1:HOTP-SHA1-+6:QN08",
        "OCRA-1:HOTP-SHA1-06:QN08",
        "OCRA-1:HOTP-SHA1-6:QN08-T01M",
        "OCRA-1:HOTP-SHA1-6:QX08",
        "OCRA-1:HOTP-SHA1-6:QN03",
        "OCRA-1:HOTP-SHA1-6:QN65",
        "OCRA-1:HOTP-SHA1-6:QN8",
        "OCRA-1:HOTP-SHA1-6:C",
        "OCRA-1:HOTP-SHA1-6:QN08-C",
        "OCRA-1:HOTP-SHA1-6:QN08-PMD5",
        "OCRA-1:HOTP-SHA1-6:QN08-S64",
        "OCRA-1:HOTP-SHA1-6:QN08-S000",
        "OCRA-1:HOTP-SHA1-6:QN08-T0M",
        "OCRA-1:HOTP-SHA1-6:QN08-T60M",
        "OCRA-1:HOTP-SHA1-6:QN08-T49H",
        "OCRA-1:HOTP-SHA1-6:QN08-T1X",
        "OCRA-1:HOTP-SHA1-6:QN08-T",
        "OCRA-1:HOTP-SHA1-6:Qé8",
        "OCRA-1:HOTP-SHA1-6:QN08-Té",
        "OCRA-1:HOTP-SHA1-6:QN08-T1M-PSHA1",
    ] {
        assert!(faulty.parse::<OcraSuite>().is_err(), "{faulty:?}");
    }
}

#[test]
fn inputs_that_the_suite_does_not_allow_are_refused() {
    let numeric: OcraSuite = "OCRA-1:HOTP-SHA1-6:QN08".parse().expect("a suite");
    let ask = |suite: &OcraSuite, question| suite.code(&key(20), &OcraInput { question, ..OcraInput::default() });
    for question in ["", "1234567a", "12345678901234567", "-1", "é"] {
        assert!(ask(&numeric, question).is_err(), "{question:?}");
    }
    let hexadecimal: OcraSuite = "OCRA-1:HOTP-SHA1-6:QH08".parse().expect("a suite");
    assert!(ask(&hexadecimal, "12ab34CD").is_ok() && ask(&hexadecimal, "12ag34CD").is_err());
    let pin: OcraSuite = "OCRA-1:HOTP-SHA1-6:QN08-PSHA1".parse().expect("a suite");
    assert_eq!(ask(&pin, "12345678"), Err(Error::OcraInput("the PIN")));
    let session: OcraSuite = "OCRA-1:HOTP-SHA1-6:QN08-S004".parse().expect("a suite");
    let with = |session: &'static [u8]| OcraInput { question: "12345678", session, ..OcraInput::default() };
    assert!(session.code(&key(20), &with(b"12345")).is_err());
    assert_eq!(
        session.code(&key(20), &with(b"\0abc")),
        session.code(&key(20), &with(b"abc")),
        "padded with leading zeros"
    );
}

#[test]
fn s7_3_checks_advance_the_counter_and_allow_for_clock_drift() {
    let suite: OcraSuite = "OCRA-1:HOTP-SHA512-8:C-QN08".parse().expect("a suite");
    let input = OcraInput { counter: 3, question: "55555555", ..OcraInput::default() };
    assert_eq!(suite.check(&key(64), &input, 10, 0, "34205738"), Ok(Some(6)), "counter 5");
    assert_eq!(suite.check(&key(64), &input, 1, 0, "34205738"), Ok(None), "beyond the window");
    let later = OcraInput { counter: 6, ..input };
    assert_eq!(suite.check(&key(64), &later, 10, 0, "34205738"), Ok(None), "used already");
    let timed: OcraSuite = "OCRA-1:HOTP-SHA512-8:QN08-T1M".parse().expect("a suite");
    let input = OcraInput { question: "00000000", unix_s: TIME + 60, ..OcraInput::default() };
    assert_eq!(timed.check(&key(64), &input, 0, 1, "95209754"), Ok(Some(0)));
    assert_eq!(timed.check(&key(64), &input, 0, 0, "95209754"), Ok(None));
}

#[test]
fn decimal_challenges_of_any_length_become_hexadecimal() {
    for (decimal, expected) in [("0", "0"), ("00", "0"), ("255", "ff"), ("12345678", "bc614e"), ("99999999", "5f5e0ff")]
    {
        let nibbles: String = nibbles_of_decimal(decimal)
            .iter()
            .map(|n| char::from_digit(u32::from(*n), 16).expect("a nibble"))
            .collect();
        assert_eq!(nibbles, expected);
    }
    assert_eq!(nibbles_of_decimal(&"9".repeat(128)).len(), 107, "fits into 128 octets");
}
