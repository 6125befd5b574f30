//! Rules beyond the schema (RFC 6030 §§1.2, 4 to 6 and 10): violating a MUST is an error; what makes a key useless or
//! unsafe is a warning.

use std::collections::HashMap;

use dskpp_crypto::Hash;
use pskc::{
    DateTime, DerivedKey, EncryptedValue, Header, Key, KeyData, KeyKind, KeyPackage, PinPolicy, PinUsageMode, Policy,
    Unshown, Unusable, Usable, Value, ValueAlgorithm, ValueFormat,
};

use super::check::{Finding, MOST};
use super::ids::{IdMatch, SeenIds};
use super::protect::few_rounds;

/// Unencrypted secrets in an encrypted file may have been inserted.
pub(super) const MIXED: &str = "some secrets are encrypted, others are in the clear";

/// Checks the packages of a container one by one.
pub(super) struct RuleChecker {
    header: Header,
    /// The time at which keys should be valid.
    at_unix_s: i64,
    ids: SeenIds,
    /// PIN keys that policies name and that were not seen yet, with the line of the policy.
    pins: HashMap<String, u64>,
    /// The algorithm of the first encrypted value.
    algorithm: Option<String>,
    /// Whether a secret is in the clear, and whether that was reported for a file with encrypted ones.
    has_open: bool,
    is_mixed: bool,
    found: Vec<Finding>,
}

impl RuleChecker {
    /// Starts with the header, which ends on `line`.
    pub(super) fn new(header: Header, line: u64, at_unix_s: i64) -> Self {
        let mut checker = RuleChecker {
            header,
            at_unix_s,
            ids: SeenIds::default(),
            pins: HashMap::new(),
            algorithm: None,
            has_open: false,
            is_mixed: false,
            found: Vec::new(),
        };
        checker.container(line);
        checker
    }

    /// All findings.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        for (id, line) in std::mem::take(&mut self.pins) {
            if !self.ids.contains(&id) {
                self.error(line, format!("the PIN key {id:?} is missing"), "correct PINKeyId, or add that key");
            }
        }
        self.found.sort_by_key(|problem| problem.line);
        self.found
    }

    fn error(&mut self, line: u64, what: impl ToString, next: &'static str) {
        self.found.push(Finding::error(line, what, next));
    }

    fn warning(&mut self, line: u64, what: impl ToString, next: &'static str) {
        self.found.push(Finding::warning(line, what, next));
    }

    fn container(&mut self, line: u64) {
        let version = &self.header.version;
        let is_padded = |number: &str| number.len() > 1 && number.starts_with('0');
        if version.split('.').any(is_padded) {
            self.error(line, "the version has leading zeros", "write 1.0");
        }
        if self.header.is_later() {
            let what = super::packages::later_version(&self.header);
            self.warning(line, what, "write 1.0, the only version (§1.2)");
        }
        match self.header.encryption_key.as_ref().map(DerivedKey::of) {
            Some(Err(why)) => self.error(line, why, "complete it: without it no password decrypts the file (§6.2)"),
            Some(Ok(Some(derived))) => {
                if let Some(warning) = few_rounds(derived.iterations.get()) {
                    self.warning(line, warning, "re-encrypt it with more rounds");
                }
            }
            _ => {}
        }
        let Some(method) = &self.header.mac_method else { return };
        let is_unnamed = method.algorithm.is_empty();
        let is_unknown = pskc::mac_hash(&method.algorithm).is_none();

        let is_open = method.mac_key.is_none() && method.mac_key_reference.is_none();
        if is_unnamed {
            self.error(line, "MACMethod names no algorithm", "name HMAC with SHA-1 or SHA-2 (§6.1.1)");
        } else if is_unknown {
            let next = "use HMAC with SHA-1 or SHA-2: receivers cannot check the MACs";
            self.warning(line, "MACMethod has an unknown algorithm", next);
        }
        if is_open {
            let next = "add MACKey, encrypted, or MACKeyReference (§6.1.1)";
            self.error(line, "MACMethod has no MAC key", next);
        }
    }

    /// Checks a package that begins on `line`.
    ///
    /// Its values may be [decrypted](super::opening) after [`protected`](Self::protected) has checked their protection.
    pub(super) fn package(&mut self, package: &KeyPackage, line: u64) {
        if self.found.len() >= MOST {
            return;
        }
        if let Some(device) = &package.device_info {
            let maker = device.manufacturer.as_deref();
            if maker.is_some_and(|maker| !maker.starts_with("oath.") && !maker.starts_with("iana.")) {
                let next = "write oath. and the OATH prefix, or iana. and the IANA name (§4.3.1)";
                self.warning(line, "the manufacturer is in neither list of RFC 6030", next);
            }
            self.dates([device.start_date, device.expiry_date], line);
            if device.start_date > device.expiry_date && device.expiry_date.is_some() {
                let what = "the device expires before it becomes valid";
                self.error(line, what, "correct StartDate or ExpiryDate");
            }
        }
        let Some(key) = &package.key else {
            return self.warning(
                line,
                "the package has no key",
                "remove it, or add its key: there is nothing to import",
            );
        };
        match self.ids.add(&key.id) {
            IdMatch::No => {}
            IdMatch::Twice => {
                let next = "give each key its own Id: an import takes only the first";
                self.warning(line, format!("the Id {:?} occurs twice", key.id), next);
            }
            IdMatch::Alike => {
                let next = "give each key its own Id: Java treats these as equal in PKCS #12";
                self.warning(line, format!("the Id {:?} occurs twice, apart from letter case", key.id), next);
            }
        }
        self.data(key, line);
        if let Some(policy) = &key.policy {
            self.policy(policy, line);
        }
        self.formats(key, line);
        self.algorithm(key, line);
        self.use_of(key, line);
        for why in pskc::validity_problems(package, self.at_unix_s) {
            self.warning(line, why, "ask the issuer for a new key, or correct the policy if it is wrong");
        }
        for Unshown { name, effect, .. } in pskc::unshown(package) {
            let next = "write 1 to 256 printable characters, without leading or trailing spaces";
            self.warning(line, format!("its {name} cannot be shown: {effect}"), next);
        }
    }

    /// Whether converters, servers and token stores can use the key: they apply the same check.
    fn use_of(&mut self, key: &Key, line: u64) {
        use Unusable::{Counter, Interval, NoAlgorithm, NoSecret, NoSuite, Policy};
        let usable = match Usable::of(key) {
            Ok(usable) => usable,
            Err(NoSecret) if key.key_reference.is_some() => {
                let next = "add the Secret: a KeyReference helps only receivers that have that key";
                return self.warning(line, "the key has a KeyReference but no Secret: imports refuse it", next);
            }
            // Reported elsewhere.
            Err(NoSecret | NoAlgorithm | NoSuite | Policy | Counter | Interval) => return,
            Err(why) => {
                let next = "correct it: imports and converters refuse the key";
                return self.warning(line, format!("the key cannot be used: {why}"), next);
            }
        };
        if let Some(suspicion) = usable.suspicion() {
            let next = "if its passwords are wrong, ask the sender for the file again";
            self.warning(line, suspicion, next);
        }
        for difference in usable.differences() {
            self.warning(line, difference, "correct it, or make sure that every receiver can use the key");
        }
        for assumed in usable.assumed().filter(|_| usable.kind == KeyKind::Ocra) {
            self.warning(line, assumed, "add it: programs assume different defaults");
        }
    }

    fn data(&mut self, key: &Key, line: u64) {
        let secret = key.data.as_ref().and_then(|data| data.secret.as_ref());
        match (secret, &key.key_reference) {
            (None, None) => {
                let next = "add a Secret or a KeyReference";
                self.warning(line, "the key has no secret", next);
            }
            (Some(_), Some(_)) => {
                let next = "remove one: receivers cannot know which applies";
                self.warning(line, "the key has a Secret and a KeyReference", next);
            }
            _ => {}
        }
        if let Some(data) = &key.data {
            self.numbers(data, line);
        }
    }

    /// Checks the protection of a package's values before they are decrypted.
    pub(super) fn protected(&mut self, package: &KeyPackage, line: u64) {
        if self.found.len() >= MOST {
            return;
        }
        let Some(data) = package.key.as_ref().and_then(|key| key.data.as_ref()) else { return };
        for (name, value) in data.encrypted_values() {
            self.protection(name, value, line);
        }
        self.has_open |= matches!(data.secret, Some(Value::Plain(_)));
        if self.has_open && self.algorithm.is_some() && !self.is_mixed {
            self.is_mixed = true;
            let next = "encrypt all of them, or ask the sender whether the file was changed";
            self.warning(line, MIXED, next);
        }
    }

    fn protection(&mut self, name: &str, value: &EncryptedValue, line: u64) {
        let data = &value.data;
        if self.header.encryption_key.is_none() && data.key_info.is_none() {
            let what = format!("the key that encrypts {name} is not named");
            self.warning(line, what, "name the key in EncryptionKey");
        }
        let first = self.algorithm.get_or_insert_with(|| data.algorithm.clone());
        if *first != data.algorithm {
            let what = format!("{name} is encrypted with a different algorithm than earlier values");
            self.error(line, what, "use one algorithm for the whole file (§6)");
        }
        match ValueAlgorithm::of(data) {
            Err(_) => {
                let what = format!("{name} is encrypted with an unknown algorithm: {}", data.algorithm);
                self.warning(line, what, "use AES or RSA-OAEP: receivers cannot decrypt it");
            }
            Ok(algorithm) if algorithm.needs_mac() => {
                if value.mac.is_none() {
                    let what = format!("the encrypted {name} has no MAC, which its algorithm needs (§6.1.1)");
                    self.error(line, what, "add MACMethod and ValueMAC, or use a key wrap");
                } else if self.header.mac_method.is_none() {
                    self.no_mac_method(name, line);
                }
                let method = self.header.mac_method.as_ref();
                let len = method.and_then(|method| pskc::mac_hash(&method.algorithm)).map(Hash::output_len);
                if value.mac.as_ref().is_some_and(|mac| len.is_some_and(|len| mac.len() != len)) {
                    let what = format!("the ValueMAC of {name} has the wrong length for its algorithm");
                    self.error(line, what, "ask the sender for the file again: the value cannot be decrypted");
                }
            }
            Ok(_) if value.mac.is_some() && self.header.mac_method.is_none() => {
                self.no_mac_method(name, line);
            }
            Ok(_) => {}
        }
    }

    fn no_mac_method(&mut self, name: &str, line: u64) {
        let what = format!("the {name} has a MAC, but MACMethod is missing");
        self.error(line, what, "add MACMethod before the packages (§6.1.1)");
    }

    fn numbers(&mut self, data: &KeyData, line: u64) {
        if data.counter.as_ref().and_then(Value::plain).is_some_and(|counter| *counter < 0) {
            self.error(line, "the counter is negative", "counters start at 0");
        }
        if data.time_interval.as_ref().and_then(Value::plain).is_some_and(|interval| *interval < 1) {
            self.error(line, "the time interval is not a number of seconds", "30 is usual");
        }
    }

    fn policy(&mut self, policy: &Policy, line: u64) {
        if !policy.is_understood() {
            let what = "the policy has unknown elements, so the key must not be used (§5)";
            self.warning(line, what, "remove the unknown elements, or use software that supports them");
        }
        self.dates([policy.start_date, policy.expiry_date], line);
        if policy.start_date > policy.expiry_date && policy.expiry_date.is_some() {
            let what = "the key expires before it becomes valid";
            self.error(line, what, "correct StartDate or ExpiryDate");
        }
        if let Some(pin) = &policy.pin_policy {
            self.pin(pin, line);
        }
    }

    fn dates(&mut self, dates: [Option<DateTime>; 2], line: u64) {
        if dates.into_iter().flatten().any(|date| date.unix_s() < 0) {
            let next = "remove the date if it means none: it applies as written";
            self.warning(
                line,
                "a StartDate or ExpiryDate is before 1970: some some some programs write such dates for none",
                next,
            );
        }
    }

    fn pin(&mut self, pin: &PinPolicy, line: u64) {
        if let Some(id) = &pin.pin_key_id
            && self.pins.len() < MOST
            && !self.ids.contains(id)
        {
            self.pins.entry(id.clone()).or_insert(line); // the PIN key may follow
        }
        if pin.pin_usage_mode.is_none() {
            self.error(line, "the PIN policy does not say how the PIN is used", "add PINUsageMode (§5.1)");
        }
        if pin.max_length.is_some_and(|max| pin.min_length.is_some_and(|min| min > max)) {
            self.error(line, "no PIN length satisfies the policy", "correct MinLength or MaxLength");
        }
    }

    fn formats(&mut self, key: &Key, line: u64) {
        let Some(parameters) = &key.algorithm_parameters else { return };
        let (challenge, response) = (&parameters.challenge_format, &parameters.response_format);
        if challenge.is_some_and(|format| format.min > format.max) {
            self.error(line, "no challenge length satisfies the key", "correct Min or Max");
        }
        let checked = challenge.map(|format| (format.encoding, format.check_digits)).into_iter();
        let mut checked = checked.chain(response.map(|format| (format.encoding, format.check_digits)));
        if checked.any(|(encoding, check)| check == Some(true) && encoding != ValueFormat::Decimal) {
            let next = "remove CheckDigits, or use DECIMAL (§4.3.4)";
            self.error(line, "only decimal challenges and responses have check digits", next);
        }
    }

    /// What the algorithm profiles require (§10, and similar ones in the field).
    fn algorithm(&mut self, key: &Key, line: u64) {
        const DIFFER: &str = "add it: programs assume different defaults";
        let Some(algorithm) = &key.algorithm else {
            return self.error(line, "the key has no Algorithm", "add an Algorithm (§4.1)");
        };
        let data = key.data.as_ref();
        let parameters = key.algorithm_parameters.as_ref();
        let response = parameters.and_then(|parameters| parameters.response_format);
        let name = algorithm.rsplit([':', '#']).next().unwrap_or_default().to_ascii_lowercase();
        if name == "totp" && data.is_none_or(|data| data.time_interval.is_none()) {
            self.warning(line, "the key has no TimeInterval, which its algorithm needs", DIFFER);
        }
        if name.starts_with("ocra") && parameters.is_none_or(|parameters| parameters.suite.is_none()) {
            self.warning(line, "the key has no Suite, which OCRA needs", "add the OCRA suite");
        }
        if name == "hotp" && data.is_none_or(|data| data.counter.is_none()) {
            self.error(line, "the key has no Counter, which HOTP needs (§10.1)", DIFFER);
        }
        match response {
            None if matches!(&*name, "hotp" | "totp") => {
                self.error(line, "the key has no ResponseFormat, which its algorithm needs (§10.1)", DIFFER);
            }
            Some(format)
                if name == "hotp" && (format.encoding != ValueFormat::Decimal || !(6..=9).contains(&format.length)) =>
            {
                self.error(line, "HOTP codes have 6 to 9 decimal digits (§10.1)", "correct ResponseFormat");
            }
            _ => {}
        }
        let secret = data.and_then(|data| data.secret.as_ref()?.plain());
        if name == "hotp" && secret.is_some_and(|secret| secret.len() < 16) {
            let next = "use a key of at least 16 octets, 20 are usual (§10.1)";
            self.error(line, "the secret is shorter than HOTP allows", next);
        }
        let pin = key.policy.as_ref().and_then(|policy| policy.pin_policy.as_ref());
        if name == "hotp" && pin.is_some_and(|pin| pin.pin_usage_mode == Some(PinUsageMode::Algorithmic)) {
            let next = "use another PINUsageMode (§10.1)";
            self.error(line, "HOTP has no PIN as part of its algorithm", next);
        }
    }
}
