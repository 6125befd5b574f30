//! The columns of key tables, and the names that vendors give them.

use super::secret::Encoding;

/// Every column, in output order.
pub(in crate::pskc) const COLUMNS: &[&str] = &[
    "id",
    "algorithm",
    "algorithm_suite",
    "secret_hex",
    "counter",
    "time_offset",
    "time_interval",
    "time_drift",
    "response_length",
    "response_encoding",
    "response_check",
    "challenge_encoding",
    "challenge_min_length",
    "challenge_max_length",
    "challenge_check",
    "manufacturer",
    "serial",
    "model",
    "issue_no",
    "device_binding",
    "device_userid",
    "start_date",
    "expiry_date",
    "crypto_module",
    "issuer",
    "friendly_name",
    "friendly_name_language",
    "key_userid",
    "key_profile",
    "key_reference",
    "policy.start_date",
    "policy.expiry_date",
    "policy.number_of_transactions",
    "policy.key_usage",
    "policy.pin_key_id",
    "policy.pin_usage",
    "policy.pin_max_failed_attempts",
    "policy.pin_min_length",
    "policy.pin_max_length",
    "policy.pin_encoding",
];

/// Other column names, as [`plain`] normalises them.
const ALIASES: &[(&str, &str)] = &[
    ("keyid", "id"),
    ("tokenid", "id"),
    ("type", "algorithm"),
    ("tokentype", "algorithm"),
    ("otptype", "algorithm"),
    ("keytype", "algorithm"),
    ("hash", "hash"),
    ("hashalgorithm", "hash"),
    ("hashfunction", "hash"),
    ("hmac", "hash"),
    ("hashlib", "hash"),
    ("hashalgo", "hash"),
    ("otphash", "hash"),
    ("suite", "algorithm_suite"),
    ("eventcounter", "counter"),
    ("movingfactor", "counter"),
    ("initialcounter", "counter"),
    ("interval", "time_interval"),
    ("period", "time_interval"),
    ("step", "time_interval"),
    ("timestep", "time_interval"),
    ("timesteps", "time_interval"), // (s)
    ("timeintervals", "time_interval"),
    ("periods", "time_interval"),
    ("timestepseconds", "time_interval"),
    ("periodseconds", "time_interval"),
    ("timeintervalseconds", "time_interval"),
    ("timeintervalinseconds", "time_interval"),
    ("intervalseconds", "time_interval"),
    ("digits", "response_length"),
    ("length", "response_length"),
    ("otplength", "response_length"),
    ("otplen", "response_length"),
    ("codelength", "response_length"),
    ("otpdigits", "response_length"),
    ("numberofdigits", "response_length"),
    ("serialnumber", "serial"),
    ("serialno", "serial"),
    ("sn", "serial"),
    ("tokenserial", "serial"),
    ("tokenserialnumber", "serial"),
    ("vendor", "manufacturer"),
    ("maker", "manufacturer"),
    ("tokenmodel", "model"),
    ("expiry", "expiry_date"),
    ("expirationdate", "expiry_date"),
    ("name", "friendly_name"),
    ("label", "friendly_name"),
    ("upn", "key_userid"),
    ("userprincipalname", "key_userid"),
    ("user", "key_userid"),
    ("username", "key_userid"),
    ("userid", "key_userid"),
    ("login", "key_userid"),
];

/// Names of the secret's column, with the encoding if the name implies one.
const SECRETS: &[(&str, Option<Encoding>)] = &[
    ("secrethex", Some(Encoding::Hex)),
    ("hexsecret", Some(Encoding::Hex)),
    ("seedhex", Some(Encoding::Hex)),
    ("hexseed", Some(Encoding::Hex)),
    ("keyhex", Some(Encoding::Hex)),
    ("secretkeyhex", Some(Encoding::Hex)),
    ("secretbase32", Some(Encoding::Base32)),
    ("base32secret", Some(Encoding::Base32)),
    ("seedbase32", Some(Encoding::Base32)),
    ("secretkeybase32", Some(Encoding::Base32)),
    ("base32", Some(Encoding::Base32)),
    ("secretbase64", Some(Encoding::Base64)),
    ("seedbase64", Some(Encoding::Base64)),
    ("secret", None),
    ("secretkey", None),
    ("sharedsecret", None),
    ("otpkey", None),
    ("otpsecret", None),
    ("oathsecret", None),
    ("tokensecret", None),
    ("seed", None),
    ("tokenseed", None),
    ("key", None),
];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// A value of this name.
    Value(&'static str),
    /// A date or whole number of this name: spreadsheets reformat them.
    Date(&'static str),
    Number(&'static str),
    /// The secret; `None` if its text decides the encoding.
    Secret(Option<Encoding>),
    /// The hash of TOTP, under any of its names.
    Hash,
    /// Content to ignore.
    LeftOut,
    /// No name: spreadsheets write columns without name and value.
    Unnamed,
}

impl Column {
    /// The column with this name.
    pub(super) fn of(name: &str) -> Option<Column> {
        let is_left_out = name.trim() == "-";
        let name = plain(name);
        if is_left_out {
            return Some(Column::LeftOut);
        }
        if name.is_empty() {
            return Some(Column::Unnamed);
        }
        if let Some((_, encoding)) = SECRETS.iter().find(|(known, _)| *known == name) {
            return Some(Column::Secret(*encoding));
        }
        match ALIASES.iter().find(|(alias, _)| *alias == name) {
            Some((_, "hash")) => Some(Column::Hash),
            Some((_, column)) => Some(Column::named(column)),
            None => COLUMNS.iter().find(|column| plain(column) == name).map(|column| Column::named(column)),
        }
    }

    fn named(name: &'static str) -> Column {
        match name {
            name if name.ends_with("_date") => Column::Date(name),
            "counter" | "time_offset" | "time_interval" | "time_drift" | "policy.number_of_transactions" => {
                Column::Number(name)
            }
            name if name.ends_with("_length") || name.ends_with("_attempts") => Column::Number(name),
            name => Column::Value(name),
        }
    }

    /// Whether both columns hold the same single-valued property.
    pub(super) fn is_the_same(self, other: Column) -> bool {
        match (self, other) {
            (Column::Secret(_), Column::Secret(_)) => true,
            (Column::LeftOut | Column::Unnamed, _) => false,
            _ => self == other,
        }
    }
}

/// A name without case, spaces, underscores, hyphens and dots, in which writers differ.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
