//! What commands do with files that are not what they were made for, and key files in every form.

use super::Case;

const LINE: &str = "37-otpauth-into-inspect-and-import";
const KEYS: &str = "16-key-file-binary-or-colons";

pub(super) const CASES: &[Case] = &[
    Case::read(LINE, &[], &["pskc", "inspect", "input"], &["Acme:Provider", "1 key, not encrypted; otpauth lines"]),
    Case::refused(LINE, &[], &["pskc", "check", "input"], &["it is otpauth lines", "dskpp pskc convert FILE"]),
    Case::refused(LINE, &[], &["pskc", "sign", "input", "--key", "p256.key"], &["it is otpauth lines"]),
    Case::refused(LINE, &[], &["pskc", "verify", "input", "--key", "p256.pem"], &["it is otpauth lines"]),
    Case::read(LINE, &[], &["token", "import", "input"], &["1 key taken into the store"]),
    Case::read(LINE, &[], &["pskc", "decrypt", "input"], &["<pskc:FriendlyName>Provider</pskc:FriendlyName>"]),
    Case::read(LINE, &[("otpauth:", "\u{FEFF}\n# mine\nOTPAUTH:")], &["pskc", "inspect", "input"], &["Acme:Provider"]),
    Case {
        folder: LINE,
        changed: &[],
        command: &["pskc", "inspect", "--lenient", "input"],
        code: 2,
        said: &["are for PSKC"],
        never: &[],
    },
    Case::refused(
        LINE,
        &[("otpauth://totp/", "otpauth-migration://offline?data=")],
        &["pskc", "inspect", "input"],
        &["an export of Google Authenticator"],
    ),
    Case::refused(LINE, &[("otpauth://totp/", "<!doctype HTML>")], &["token", "import", "input"], &["a web page"]),
    Case::refused(LINE, &[("otpauth://totp/", "Dear Sir")], &["pskc", "inspect", "input"], &["no key file"]),
    Case::read(
        "17-csv-entra",
        &[],
        &["pskc", "inspect", "input"],
        &["0012345", "60 s", "1 key, not encrypted; a table"],
    ),
    Case::refused("17-csv-entra", &[], &["pskc", "check", "input"], &["it is a table (CSV)"]),
    Case::read("53-otpauth-written-plus-and-slash", &[], &["pskc", "inspect", "input"], &["A+B/C", "1 key, "]),
    // What a key file holds is told by its content.
    Case::read(KEYS, &[], &["pskc", "inspect", "--key-file", "key.colons", "input"], &["opened with what was given"]),
    Case::refused(
        KEYS,
        &[],
        &["pskc", "inspect", "--key-file", "key.bin", "input"],
        &["the key or password is another"],
    ),
    Case::read(
        KEYS,
        &[],
        &["pskc", "inspect", "--key-hex", "00:01:02:03 04050607-08090A0B 0c0d0e0f", "input"],
        &["opened with what was given"],
    ),
    Case::refused(KEYS, &[], &["pskc", "inspect", "--key-file", "input", "input"], &["neither hexadecimal nor Base64"]),
    Case::refused(KEYS, &[], &["pskc", "inspect", "--key-file", "hex:key.bin", "input"], &["not text in UTF-8"]),
    Case::refused(
        KEYS,
        &[],
        &["pskc", "inspect", "--private-key", "key.colons", "input"],
        &["no private key in PEM or DER"],
    ),
];
