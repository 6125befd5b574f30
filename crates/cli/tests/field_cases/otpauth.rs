//! `otpauth` lines.

use super::Case;

const READ: &str = "pskc convert --from otpauth --to json input";
const TO_PSKC: &str = "pskc convert --from otpauth input";
const WRITE: &str = "pskc convert --from json --to otpauth input";

const SHA1: &str = "\"secret_hex\":\"3132333435363738393031323334353637383930\"";

pub(super) const CASES: &[Case] = &[
    // Unknown parameters are reported, and refused if they may change the codes.
    Case::refused("05-otpauth-amp-escaped", &[], READ, &["line 1", "\"amp;issuer\"", "replace each &amp; with &"]),
    Case::read(
        "05-otpauth-amp-escaped",
        &[("&amp;", "&")],
        READ,
        &["HMAC-SHA256", "\"response_length\":8", "\"time_interval\":60"],
    ),
    Case::refused("07-otpauth-unknown-parameter", &[], READ, &["line 1", "\"interval\"", "may change the codes"]),
    Case::refused("07-otpauth-unknown-parameter", &[("&interval=60", "")], READ, &["line 2", "counter, which TOTP"]),
    Case::refused("07-otpauth-unknown-parameter", &[("interval", "timeStep")], READ, &["\"timestep\""]),
    Case::refused("07-otpauth-unknown-parameter", &[("interval", "Step")], READ, &["\"step\""]),
    Case::refused("07-otpauth-unknown-parameter", &[("interval", "time_step")], READ, &["\"time_step\""]),
    Case::refused("07-otpauth-unknown-parameter", &[("interval=60", "hash=SHA256")], READ, &["\"hash\""]),
    Case::refused("07-otpauth-unknown-parameter", &[("interval=60", "algo=SHA256")], READ, &["\"algo\""]),
    Case::refused("07-otpauth-unknown-parameter", &[("interval=60", "digit=8")], READ, &["\"digit\""]),
    Case::refused("07-otpauth-unknown-parameter", &[("interval=60", "perod=60")], READ, &["\"perod\""]),
    Case::refused("07-otpauth-unknown-parameter", &[("interval=60", "encoder=steam")], READ, &["\"encoder\""]),
    Case::refused("07-otpauth-unknown-parameter", &[("interval=60", "2step_salt=8")], READ, &["\"2step_salt\""]),
    Case::refused("07-otpauth-unknown-parameter", &[("interval=60", "t0=60")], READ, &["\"t0\""]),
    Case::refused(
        "07-otpauth-unknown-parameter",
        &[("otpauth://totp/jane", "otpauth://hotp/jane"), ("interval=60", "counter=1&period=60")],
        READ,
        &["period, which HOTP"],
    ),
    Case::read(
        "07-otpauth-unknown-parameter",
        &[("&interval=60", "&image=https%3A%2F%2Fx%2Fy.png"), ("&counter=5", "&image=z&colour=red")],
        READ,
        &["the parameter image is left out", "(2 keys, line 1 first)", "line 2: the parameter colour is left out"],
    ),
    Case::read(
        "07-otpauth-unknown-parameter",
        &[("&interval=60", ""), ("&counter=5", "&tenant=x")],
        READ,
        &["line 2: unknown parameter \"tenant\" is left out"],
    ),
    Case::refused(
        "07-otpauth-unknown-parameter",
        &[("interval=60", "digits=8&Digits=8")],
        READ,
        &["digits occurs twice"],
    ),
    Case::refused("07-otpauth-unknown-parameter", &[("interval=60", "secret=AAAA")], READ, &["secret occurs twice"]),
    // Scheme, type and parameter names ignore case.
    Case::read("08-otpauth-type-upper-case", &[], READ, &[SHA1, "\"time_interval\":60", "Acme:TOK0001"]),
    Case::read(
        "08-otpauth-type-upper-case",
        &[("otpauth://TOTP", "OTPAUTH://Totp"), ("period", "Period"), ("secret", "SECRET"), ("issuer", "Issuer")],
        READ,
        &[SHA1, "\"time_interval\":60", "Acme:TOK0001"],
    ),
    Case::refused("08-otpauth-type-upper-case", &[("TOTP", "STEAM")], READ, &["unknown type \"STEAM\""]),
    // One parser of hash names.
    Case::read("10-otpauth-algorithm-hyphen", &[], READ, &[SHA1, "HMAC-SHA256"]),
    Case::read("10-otpauth-algorithm-hyphen", &[("SHA-256", "HmacSHA512")], READ, &["HMAC-SHA512"]),
    Case::read("10-otpauth-algorithm-hyphen", &[("SHA-256", "sha_256")], READ, &["HMAC-SHA256"]),
    Case::refused("10-otpauth-algorithm-hyphen", &[("SHA-256", "MD5")], READ, &["line 2", "SHA1, SHA256 or SHA512"]),
    Case::refused("10-otpauth-algorithm-hyphen", &[("SHA-256", "SHA384")], READ, &["SHA1, SHA256 or SHA512"]),
    Case::refused("10-otpauth-algorithm-hyphen", &[("SHA-256", "")], READ, &["SHA1, SHA256 or SHA512"]),
    // Invalid secrets.
    Case::refused("12-otpauth-empty-secret", &[], TO_PSKC, &["line 1: the secret is empty", "ask the sender"]),
    Case::refused("12-otpauth-empty-secret", &[("secret=", "secret=%20%3D")], TO_PSKC, &["the secret is empty"]),
    Case::refused("12-otpauth-empty-secret", &[("secret=&", "")], TO_PSKC, &["there is no secret"]),
    Case::refused(
        "12-otpauth-empty-secret",
        &[("secret=", "secret=GEZDGNBVG1")],
        TO_PSKC,
        &["character 10 is not A-Z"],
    ),
    Case::refused(
        "12-otpauth-empty-secret",
        &[("secret=", "secret=31323334353637383930")],
        TO_PSKC,
        &["not Base32", "looks like hexadecimal"],
    ),
    Case::refused("12-otpauth-empty-secret", &[("secret=", "secret=GEZ")], TO_PSKC, &["a letter is missing"]),
    Case::refused("12-otpauth-empty-secret", &[("totp", "hotp"), ("secret=", "secret=AAAA")], READ, &["no counter"]),
    Case::refused("12-otpauth-empty-secret", &[("Acme:jane", ""), ("secret=", "secret=AA")], READ, &["no account"]),
    Case::refused("12-otpauth-empty-secret", &[("secret=", "secret=AA&x=1#1")], READ, &["%23"]),
    Case::refused("12-otpauth-empty-secret", &[("secret=", "secret=AA&digits=0")], READ, &["digits is not"]),
    Case::refused("12-otpauth-empty-secret", &[("secret=", "secret=AA&period=0")], READ, &["period is not"]),
    Case::refused("12-otpauth-empty-secret", &[("jane?secret=", "100%?secret=AA")], READ, &["%25"]),
    Case::read(
        "12-otpauth-empty-secret",
        &[("secret=", "secret=AA"), ("issuer=Acme", "issuer=Other+One")],
        READ,
        &["different issuers", "\"issuer\":\"Other One\"", "a + in the issuer"],
    ),
    // A byte order mark.
    Case::read("14-otpauth-file-with-bom", &[], READ, &[SHA1]),
    // Written names read back unchanged.
    Case::read(
        "53-otpauth-written-plus-and-slash",
        &[],
        WRITE,
        &["otpauth://totp/A%2BB%2FC:jane%2Bwork@example.test?", "&issuer=A%2BB%2FC&", "6 digits (1 key)"],
    ),
    Case::read(
        "53-otpauth-written-plus-and-slash",
        &[("jane+work@example.test", "50% ä?#&=:\\\"x")],
        WRITE,
        &["A%2BB%2FC:50%25%20%C3%A4%3F%23%26%3D%3A%22x?"],
    ),
    Case::refused("53-otpauth-written-plus-and-slash", &[("A+B/C", "A:B")], WRITE, &["an issuer with a colon"]),
    Case::refused("53-otpauth-written-plus-and-slash", &[("A+B/C\"", " A\"")], WRITE, &["begins or ends with a space"]),
    Case::refused(
        "53-otpauth-written-plus-and-slash",
        &[("jane+work@example.test", "a:b"), (", \"issuer\": \"A+B/C\"", "")],
        WRITE,
        &["a name with a colon and no issuer"],
    ),
    // A result appears only when it is complete.
    Case::refused(
        "53-otpauth-written-plus-and-slash",
        &[("}]}", "}, {\"id\": \"z\", \"algorithm\": \"pin\", \"secret_hex\": \"00\"}]}")],
        WRITE,
        &["key 2 (z): only HOTP and TOTP", "--skip"],
    ),
    // Values are not invented, and omissions are counted.
    Case::refused(
        "40-hotp-without-counter-to-otpauth",
        &[],
        "pskc convert --to otpauth input",
        &["no Counter", "--assume counter=0"],
    ),
    Case::refused("40-hotp-without-counter-to-otpauth", &[], "pskc convert --to usersfile input", &["no Counter"]),
    Case::read(
        "40-hotp-without-counter-to-otpauth",
        &[],
        "pskc convert --to otpauth --assume counter=7 input",
        &["&counter=7\n", "no place for them: manufacturers (1 key)\n"],
    ),
];
