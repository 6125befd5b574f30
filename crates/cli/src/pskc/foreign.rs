//! Files of other programs whose formats are not supported, recognised by their first octets, and how to get a supported
//! file.
//! how to get a file that is.

/// What a file is, and what to do with it.
pub(super) type ForeignFormat = (&'static str, &'static str);

const THROUGH_AEGIS: &str = "import it into Aegis and export it from there as text (otpauth lines)";
const COLUMNS: &str = "put the keys into a table whose heading names the columns, such as \
                       serial,secret_hex,algorithm,counter,time_interval,digits,hash";
const NOT_OATH: &str =
    "its keys are not for HOTP or TOTP: ask the vendor for PSKC with the OATH seeds, if there are any";

/// Members of JSON objects that identify a program: the first entry whose members are all present matches.
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
        ("an encrypted export of Ente Auth", "export it in plain text (otpauth lines)"),
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
            "extract otpauth lines and Base32 secrets with `jq -r '.. | .totpUri? // empty' FILE`; write a secret as \
             otpauth://totp/NAME?secret=…",
        ),
    ),
    (&["encKeyValidation_DO_NOT_EDIT"], BITWARDEN_ENCRYPTED),
    (&["encrypted", "passwordProtected"], BITWARDEN_ENCRYPTED),
    (
        &["encrypted", "items"],
        (
            "an export of Bitwarden",
            "extract otpauth lines and Base32 secrets with `jq -r '.items[].login.totp // empty' FILE`; write a secret \
             as otpauth://totp/NAME?secret=…",
        ),
    ),
    (
        &["Authenticators", "Categories"],
        ("a backup of Stratum (Authenticator Pro)", "export it as a list of URIs (otpauth lines)"),
    ),
    (
        &["entries", "content", "uri"],
        ("an export of Proton Authenticator", "`jq -r '.entries[].content.uri' FILE` gives otpauth lines"),
    ),
    (&["accounts", "originalIssuerName"], ("an export of LastPass Authenticator", THROUGH_AEGIS)),
    (&["authenticator_tokens"], ("a backup of Authy", "get each key's otpauth line from its issuer")),
    (&["encrypted_seed"], ("a backup of Authy", "get each key's otpauth line from its issuer")),
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

const FREEOTP: ForeignFormat = ("a JSON backup of FreeOTP+", "export it in the key URI format (otpauth lines)");
const BITWARDEN_ENCRYPTED: ForeignFormat = ("an encrypted export of Bitwarden", "export it as unencrypted JSON");
const PRIVACYIDEA: ForeignFormat = (
    "tokens of privacyIDEA",
    "export them as PSKC (pi-tokenjanitor), or save them as a table with the columns serial, otpkey, tokentype, otplen, \
     timestep and hashlib",
);

/// What an unsupported JSON document is, by the member names at its beginning.
pub(super) fn json(head: &str) -> Option<ForeignFormat> {
    let has = |name: &&str| has_member(head, name);
    if ["header", "db", "version"].iter().all(has) {
        return Some(match has(&"slots") && after_member(head, "db").is_some_and(|value| value.starts_with('"')) {
            true => ("an encrypted vault of Aegis", "export it as unencrypted text (otpauth lines)"),
            false => ("a vault of Aegis", "export it as text (otpauth lines)"),
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

/// The text after a member's name and colon.
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
    ("WinAuth", ("an export of WinAuth", "export it as a text file (otpauth lines)")),
    ("Tokens", ("seeds of SafeNet eToken in XML", COLUMNS)),
    ("map", ("settings of an Android app (such as FreeOTP's tokens.xml)", THROUGH_AEGIS)),
    ("plist", ("a property list of Apple", "export the keys as otpauth lines or as a table")),
    ("Envelope", ("a SOAP message", "save its KeyContainer as a separate file")),
    ("Workbook", ("a workbook of Excel in XML", "save it as CSV")),
    (
        "EncryptedData",
        ("a document in XML Encryption", "decrypt it first: PSKC has encrypted values, not an encrypted document"),
    ),
];

/// What an XML document is, by its root element.
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

/// First lines that are not headings.
const LINES: &[(&str, ForeignFormat)] = &[
    (
        "LOGGING START",
        (
            "a log of the YubiKey Personalization Tool",
            "keep the lines of OATH-HOTP, and name their columns: --from csv --columns -,-,-,serial,-,secret_hex,-,…, with \
             --algorithm hotp --assume counter=0 for unused keys; other lines have no OATH keys",
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
    "import it into Aegis and export it from there as text, or get each key's otpauth line from its issuer",
);

/// The column with OTP secrets in a password manager's table, and the manager.
const MANAGERS: &[(&str, &str)] = &[
    ("login_totp", "a table of Bitwarden"),
    ("otpauth", "a table of 1Password or Apple's Passwords"),
    ("grouping", "a table of LastPass"),
    ("vault", "a table of Proton Pass"),
    ("otpsecret", "a table of Dashlane"),
    ("otpurl", "a table of Dashlane"),
    ("totp", "a table of a password manager, such as KeePassXC"),
];

const OF_MANAGER: &str = "its column for codes (totp, OTPAuth …) holds otpauth lines: save them, one per line; write a Base32 \
                          secret as otpauth://totp/NAME?secret=…";

/// What text is, by its first lines. In a password manager's table, every password would become a key.
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

/// A line of YK-KSM or Yubico's tools: serial number, modhex name, 6-octet identity, AES key.
fn is_yubico_otp(line: &str) -> bool {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let is_hex = |text: &str, len: usize| text.len() == len && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    let is_modhex = |text: &str| text.len() == 12 && text.bytes().all(|octet| b"cbdefghijklnrtuv".contains(&octet));
    matches!(cells[..], [_, name, identity, key, ..] if is_modhex(name) && is_hex(identity, 12) && is_hex(key, 32))
}
