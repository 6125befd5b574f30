//! Vendors' tables, and JSON.

use super::Case;

const READ: &str = "pskc convert --from csv --to json input";
const ENTRA: &str = "17-csv-entra";
const SEMICOLONS: &str = "19-csv-semicolons";
const COMMAS: &str = "20-csv-trailing-commas";
const JSON: &str = "54-json-member-twice";
const FROM_JSON: &str = "pskc convert --from json --to json input";
const SHA1: &str = "\"secret_hex\":\"3132333435363738393031323334353637383930\"";
const HEADING: &str = "upn,serial number,secret key,time interval,manufacturer,model\r\n";
const LINE: &str = "jane@example.test,0012345,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ,60,Acme,C200";
const OCTETS: &str = "3132333435363738393031323334353637383930";

pub(super) const CASES: &[Case] = &[
    Case::read(
        ENTRA,
        &[],
        "pskc convert --from csv --to json --algorithm totp input",
        &[
            SHA1,
            "\"key_userid\":\"jane@example.test\"",
            "\"serial\":\"0012345\"",
            "\"time_interval\":60",
            "\"model\":\"C200\"",
            "keyprov:pskc:totp",
            "read as Base32",
        ],
    ),
    // What the values imply is reported.
    Case::read(ENTRA, &[], READ, &[SHA1, "keyprov:pskc:totp", "read as TOTP, since it has a time interval"]),
    Case::refused(ENTRA, &[(",time interval", ""), (",60,", ",")], READ, &["HOTP or TOTP", "--algorithm hotp"]),
    Case::read(ENTRA, &[("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", OCTETS)], READ, &[SHA1, "read as hexadecimal"]),
    Case::read(ENTRA, &[("secret key", "Secret_Base32"), ("GEZD", "ge zd-")], READ, &[SHA1]),
    Case::refused(
        ENTRA,
        &[("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "AABBCCDDEEFF2233AABBCCDDEEFF2233")],
        READ,
        &["hexadecimal or Base32", "secret_hex"],
    ),
    Case::refused(
        ENTRA,
        &[("GEZDGNBV", "GEZDGN18")],
        READ,
        &["not all hexadecimal (line 2), and not all Base32 (line 2)"],
    ),
    Case::refused(ENTRA, &[("secret key", "secret_hex")], READ, &["line 2", "not hexadecimal", "looks like Base32"]),
    Case::refused(ENTRA, &[("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "")], READ, &["hexadecimal or Base32"]),
    Case::refused(
        ENTRA,
        &[("secret key", "secret base32"), ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "")],
        READ,
        &["line 2: there is no secret"],
    ),
    // An unknown column is named once, and a repeated one is refused.
    Case::new(
        ENTRA,
        &[("model", "colour")],
        READ,
        1,
        &["unknown column \"colour\"", "--columns"],
        &["response_encoding"],
    ),
    Case::refused(
        ENTRA,
        &[("model", "Serial_Number")],
        READ,
        &["\"serial number\" and \"Serial_Number\" mean the same"],
    ),
    Case::refused(ENTRA, &[("model", "seed")], READ, &["\"secret key\" and \"seed\" mean the same"]),
    Case::refused(ENTRA, &[("model", "hash"), ("C200", "SHA-3")], READ, &["unknown hash \"SHA-3\""]),
    Case::read(ENTRA, &[("model", "hash"), ("C200", "sha-256")], READ, &["HMAC-SHA256"]),
    Case::refused(ENTRA, &[("model", "algorithm"), ("C200", "SHA256")], READ, &["SHA256 is a hash"]),
    Case::refused(ENTRA, &[("model", "algorithm"), ("C200", "xotp")], READ, &["unknown algorithm \"xotp\""]),
    Case::read(ENTRA, &[("model", "token type"), ("C200", "OATH-TOTP")], READ, &["keyprov:pskc:totp"]),
    Case::read(ENTRA, &[("0012345", "1.2E+10")], READ, &["a spreadsheet has shortened"]),
    // Without a heading.
    Case::refused(
        ENTRA,
        &[(HEADING, "")],
        READ,
        &["no heading", "--columns upn,serial,secret_base32,time_interval,-,-"],
    ),
    Case::refused(
        ENTRA,
        &[(HEADING, ""), (LINE, "12345,3132333435363738393031323334353637383930,7")],
        READ,
        &["no heading", "--columns serial,secret_hex,counter"],
    ),
    Case::read(
        ENTRA,
        &[(HEADING, ""), (LINE, "12345,3132333435363738393031323334353637383930,7")],
        "pskc convert --columns serial,secret_hex,counter --to json input",
        &[SHA1, "\"counter\":7", "\"serial\":\"12345\"", "read as HOTP, since it has a counter"],
    ),
    Case::read(
        ENTRA,
        &[(HEADING, ""), (LINE, "12345,3132333435363738393031323334353637383930")],
        "pskc convert --columns serial,secret --algorithm hotp --assume counter=0 --to otpauth input",
        &["otpauth://hotp/12345?", "&counter=0"],
    ),
    Case::read(
        ENTRA,
        &[],
        "pskc convert --columns upn,serial,secret_base32,period,-,- --to json input",
        &[SHA1, "line 1: skipped: it is a heading", "the content of column 5 is left out"],
    ),
    Case::refused(
        ENTRA,
        &[],
        "pskc convert --columns upn,serial,secret_base32 --to json input",
        &["column 4 has a value but no name"],
    ),
    // As spreadsheets write them.
    Case::read(SEMICOLONS, &[], READ, &[SHA1, "\"time_interval\":60", "separated by semicolons"]),
    Case::read(SEMICOLONS, &[(";", "\t")], READ, &[SHA1, "separated by tabs"]),
    Case::read(SEMICOLONS, &[("serial;", "sep=;\nserial;")], READ, &[SHA1]),
    Case::read(
        SEMICOLONS,
        &[("serial;", "\u{FEFF}\"serial\";"), ("\n1;", "\r\n\"1\";")],
        READ,
        &[SHA1, "\"serial\":\"1\""],
    ),
    Case::read(COMMAS, &[], READ, &[SHA1, "\"time_interval\":60"]),
    Case::read(COMMAS, &[("interval,,,", "interval"), ("60,,,\r\n", "60,,,\r\n,,,,,,\n\n")], READ, &[SHA1]),
    Case::refused(COMMAS, &[("60,,,", "60,,x,")], READ, &["line 2: column 6 has a value but no name"]),
    Case::refused(COMMAS, &[(",60,,,", "")], READ, &["line 2: it has 3 cells, and there are 7 columns"]),
    Case::read(
        COMMAS,
        &[("60,,,\r\n", "60,,,\r\n1,totp,3132333435363738393031323334353637383930,60,,,\r\n")],
        READ,
        &["its Id occurs twice"],
    ),
    Case::refused(COMMAS, &[("1,totp", "\"1,totp")], READ, &["line 2: unclosed quotation mark"]),
    Case::refused(COMMAS, &[("1,totp", "1, \"totp\"")], READ, &["line 2: a quotation mark within a cell"]),
    Case::refused(COMMAS, &[("383930,60", "83930,60")], READ, &["odd number of hexadecimal digits"]),
    // A repeated member of JSON, at any depth; numbers that are not exact.
    Case::refused(JSON, &[], FROM_JSON, &["\"secret_hex\" occurs twice"]),
    Case::refused(
        JSON,
        &[("\"secret_hex\":\"00\"", "\"policy\":{\"key_usage\":\"OTP\",\"key_usage\":\"CR\"}")],
        FROM_JSON,
        &["\"key_usage\" occurs twice"],
    ),
    Case::refused(
        JSON,
        &[("{\"keys\":[", "{\"keys\":[],\"keys\":["), (",\"secret_hex\":\"00\"", "")],
        FROM_JSON,
        &["\"keys\" occurs twice"],
    ),
    Case::refused(
        JSON,
        &[(",\"secret_hex\":\"00\"", ",\"secret_base32\":\"AA\"")],
        FROM_JSON,
        &["secret occurs twice"],
    ),
    Case::refused(
        JSON,
        &[("\"secret_hex\":\"00\"", "\"serial\":123456789012345678901")],
        FROM_JSON,
        &["write it as text"],
    ),
    Case::refused(
        JSON,
        &[("{\"keys\"", "{\"defaults\":{},\"keys\""), (",\"secret_hex\":\"00\"", "")],
        FROM_JSON,
        &["unknown member defaults"],
    ),
    Case::refused(JSON, &[(",\"secret_hex\":\"00\"", ""), (OCTETS, "")], FROM_JSON, &["the secret is empty"]),
    Case::read(
        JSON,
        &[("{\"keys\"", "\u{FEFF}{\"signed\":true,\"keys\""), (",\"secret_hex\":\"00\"", "")],
        FROM_JSON,
        &[SHA1, "signed of the file is left out"],
    ),
];
