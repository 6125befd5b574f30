//! Files of other programs that hold keys in forms which are not read here, told by what stands in their beginning; and
//! how to get a file that is.

/// What a file is, and what to do.
pub(super) type ForeignFormat = (&'static str, &'static str);

const THROUGH_AEGIS: &str = "import it into Aegis, and export from there as text: that gives otpauth lines";
const COLUMNS: &str = "put the keys into a table whose heading names the columns, such as \
                       serial,secret_hex,algorithm,counter,time_interval,digits,hash";
const NOT_OATH: &str =
    "its keys are not for HOTP or TOTP: ask the vendor for PSKC with the OATH seeds, if there are any";

/// Members of JSON objects that tell a program; the first entry of which all are there is the one.
const JSON: &[(&[&str], ForeignFormat)] = &[
    (
        &["kty"],
        (
            "a set of JWKs",
            "save the object of one key, {\"kty\":\"oct\",\"k\":…}: --key-file takes it; for keys of users, \
                          write \"id\", \"algorithm\" and \"secret_base64\"",
        ),
    ),
    (
        &["encryptedData", "encryptionNonce"],
        ("an encrypted export of Ente Auth", "export it in plain text: that gives otpauth lines"),
    ),
    (&["servicesEncrypted"], ("a backup of 2FAS with a password", THROUGH_AEGIS)),
    (&["services", "otp"], ("a backup of 2FAS", THROUGH_AEGIS)),
    (&["services", "schemaVersion"], ("a backup of 2FAS", THROUGH_AEGIS)),
    (&["tokens", "tokenOrder"], FREEOTP),
    (&["tokens", "issuerExt"], FREEOTP),
    (
        &["vaults", "userId"],
        (
            "an export of Proton Pass",
            "`jq -r '.. | .totpUri? // empty' FILE` gives what is in it: otpauth lines, and Base32 secrets that need one \
             around them",
        ),
    ),
    (&["encKeyValidation_DO_NOT_EDIT"], BITWARDEN_ENCRYPTED),
    (&["encrypted", "passwordProtected"], BITWARDEN_ENCRYPTED),
    (
        &["encrypted", "items"],
        (
            "an export of Bitwarden",
            "`jq -r '.items[].login.totp // empty' FILE` gives what is in it: otpauth lines, and Base32 secrets that need \
             one around them",
        ),
    ),
    (
        &["Authenticators", "Categories"],
        ("a backup of Stratum (Authenticator Pro)", "export it as a list of URIs: that gives otpauth lines"),
    ),
    (
        &["entries", "content", "uri"],
        ("an export of Proton Authenticator", "`jq -r '.entries[].content.uri' FILE` gives otpauth lines"),
    ),
    (&["accounts", "originalIssuerName"], ("an export of LastPass Authenticator", THROUGH_AEGIS)),
    (&["authenticator_tokens"], ("a backup of Authy", "get each key's own otpauth line, from where it came")),
    (&["encrypted_seed"], ("a backup of Authy", "get each key's own otpauth line, from where it came")),
    (
        &["accounts", "vaults", "attrs"],
        ("an export of 1Password", "`jq -r '.. | .totp? // empty' FILE` gives otpauth lines"),
    ),
    (&["kind", "timer", "secret"], ("an export of Raivo OTP", THROUGH_AEGIS)),
    (&["secret", "label", "type"], ("a backup of andOTP", THROUGH_AEGIS)),
    (&["realm", "credentials"], ("an export of a Keycloak realm", COLUMNS)),
    (
        &["serialNumber", "secretKey"],
        (
            "JSON for Microsoft Entra",
            "save it as Entra's table: upn, serial number, secret key, time interval, manufacturer, model, hash function",
        ),
    ),
    (&["factorProfileId"], ("JSON for the API of Okta", COLUMNS)),
    (&["otpkey"], PRIVACYIDEA),
    (&["otplen"], PRIVACYIDEA),
    (&["tokentype", "serial"], PRIVACYIDEA),
];

const FREEOTP: ForeignFormat =
    ("a JSON backup of FreeOTP+", "export it in the key URI format: that gives otpauth lines");
const BITWARDEN_ENCRYPTED: ForeignFormat =
    ("an encrypted export of Bitwarden", "export it as JSON that is not encrypted");
const PRIVACYIDEA: ForeignFormat = (
    "tokens of privacyIDEA",
    "export them as PSKC (pi-tokenjanitor), or save them as a table: its names serial, otpkey, tokentype, otplen, \
     timestep and hashlib are known there",
);

/// What a JSON document is, where it is none of ours: by the names of members in its beginning.
pub(super) fn json(head: &str) -> Option<ForeignFormat> {
    let has = |name: &&str| has_member(head, name);
    if ["header", "db", "version"].iter().all(has) {
        return Some(match has(&"slots") && after_member(head, "db").is_some_and(|value| value.starts_with('"')) {
            true => {
                ("an encrypted vault of Aegis", "export it as text that is not encrypted: that gives otpauth lines")
            }
            false => ("a vault of Aegis", "export it as text: that gives otpauth lines"),
        });
    }
    if ["secret_hex", "secret_base32", "secret_base64"].iter().any(has) {
        return None;
    }
    JSON.iter().find(|(names, _)| names.iter().all(has)).map(|(_, foreign)| *foreign)
}

fn has_member(head: &str, name: &str) -> bool {
    after_member(head, name).is_some()
}

/// What stands behind the name of a member and its colon.
fn after_member<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let quoted = format!("\"{name}\"");
    head.match_indices(&quoted)
        .find_map(|(at, _)| Some(head[at + quoted.len()..].trim_start().strip_prefix(':')?.trim_start()))
}

/// Root elements of XML.
const XML: &[(&str, ForeignFormat)] = &[
    ("TKNBatch", ("RSA SecurID tokens (SDTID)", NOT_OATH)),
    (
        "KeePassFile",
        (
            "an XML export of KeePass",
            "the string fields \"otp\" and \"TimeOtp-…\" hold the keys: write otpauth lines of them",
        ),
    ),
    ("WinAuth", ("an export of WinAuth", "export it as a text file: that gives otpauth lines")),
    ("Tokens", ("seeds of SafeNet eToken in XML", COLUMNS)),
    ("map", ("settings of an Android app (such as FreeOTP's tokens.xml)", THROUGH_AEGIS)),
    ("plist", ("a property list of Apple", "export the keys as otpauth lines or as a table")),
    ("Envelope", ("a SOAP message", "save its KeyContainer as a file of its own")),
    ("Workbook", ("a workbook of Excel in XML", "save it as CSV")),
    (
        "EncryptedData",
        ("a document in XML Encryption", "decrypt it first: PSKC has encrypted values, not an encrypted document"),
    ),
];

/// What an XML document is, by its root.
pub(super) fn xml(head: &str) -> Option<ForeignFormat> {
    let mut rest = head;
    loop {
        rest = rest.trim_start();
        let end = match rest {
            rest if rest.starts_with("<?") => "?>",
            rest if rest.starts_with("<!--") => "-->",
            rest if rest.starts_with("<!") => ">",
            _ => break,
        };
        rest = rest.split_once(end)?.1;
    }
    let name = rest.strip_prefix('<')?.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next()?;
    let local = name.rsplit(':').next()?;
    XML.iter().find(|(root, _)| *root == local).map(|(_, foreign)| *foreign)
}

/// First lines that are no heading.
const LINES: &[(&str, ForeignFormat)] = &[
    (
        "LOGGING START",
        (
            "a log of the YubiKey Personalization Tool",
            "keep the lines of OATH-HOTP, and name their columns: --from csv --columns -,-,-,serial,-,secret_hex,-,…, with \
             --algorithm hotp --assume counter=0 for keys that were not used yet; other lines have no OATH keys",
        ),
    ),
    ("# ykksm", ("keys of Yubico OTP (YK-KSM)", NOT_OATH)),
    (
        "dn: scc",
        (
            "SafeWord records of Gemalto or SafeNet (DAT)",
            "sccKey has each key: put them into a table with the columns \
                                                         serial, secret_hex, algorithm, counter and digits",
        ),
    ),
    ("otpauth-migration:", MIGRATION),
];

pub(super) const MIGRATION: ForeignFormat = (
    "an export of Google Authenticator",
    "import it into Aegis, and export from there as text; or get each key's own otpauth line, from where it came",
);

/// The column of a password manager's table that has keys for codes, and the manager.
const MANAGERS: &[(&str, &str)] = &[
    ("login_totp", "a table of Bitwarden"),
    ("otpauth", "a table of 1Password or Apple's Passwords"),
    ("grouping", "a table of LastPass"),
    ("vault", "a table of Proton Pass"),
    ("otpsecret", "a table of Dashlane"),
    ("otpurl", "a table of Dashlane"),
    ("totp", "a table of a password manager, such as KeePassXC"),
];

const OF_MANAGER: &str = "its column for codes (totp, OTPAuth …) holds otpauth lines: save these, one a line; a Base32 \
                          secret needs one around it, otpauth://totp/NAME?secret=…";

/// What text is, by its first lines. A password manager's table would give a key for each password.
pub(super) fn text(head: &str) -> Option<ForeignFormat> {
    let mut lines = head.lines().map(str::trim).filter(|line| !line.is_empty());
    let begins = |line: &str, start: &str| line.get(..start.len()).is_some_and(|s| s.eq_ignore_ascii_case(start));
    let first = lines.next()?;
    let behind_comments = lines.find(|line| !line.starts_with('#')).unwrap_or(first);
    let is_it = |(start, _): &&(&str, ForeignFormat)| {
        begins(first, start) || first.starts_with('#') && begins(behind_comments, start)
    };
    if let Some((_, foreign)) = LINES.iter().find(is_it) {
        return Some(*foreign);
    }
    if is_yubico_otp(first) {
        return Some(("keys of Yubico OTP", NOT_OATH));
    }
    let columns: Vec<String> =
        first.split([',', ';', '\t']).map(|name| name.trim().trim_matches('"').to_ascii_lowercase()).collect();
    let has = |name: &str| columns.iter().any(|column| column == name);
    if !has("password") && !has("login_password") {
        return None;
    }
    MANAGERS.iter().find(|(column, _)| has(column)).map(|(_, what)| (*what, OF_MANAGER))
}

/// A line of YK-KSM and Yubico's tools: serial number, a name in modhex, 6 octets of an identity and an AES key.
fn is_yubico_otp(line: &str) -> bool {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let is_hex = |text: &str, len: usize| text.len() == len && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    let is_modhex = |text: &str| text.len() == 12 && text.bytes().all(|octet| b"cbdefghijklnrtuv".contains(&octet));
    matches!(cells[..], [_, name, identity, key, ..] if is_modhex(name) && is_hex(identity, 12) && is_hex(key, 32))
}
