//! `[[template]]`: defaults for enrolments.

use dskpp_api::{Activation, HashName, KeyType, MAX_KEY_LIFETIME_S, Method, Variant};
use dskpp_otp::{Digits, OcraSuite};
use serde::{Deserialize, Serialize};

use super::arrays::{NAME_REMEDY, is_name};
use super::check::MAX_LIFETIME_S;
use super::{Config, ConfigFault};

/// `[[template]]`: what enrolments are that name it, or that are for one of its groups. A key that is left out leaves the
/// choice to the enrolment, and then to the server's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateSection {
    /// The template's name.
    pub name: String,
    /// The groups of users for whom it is, as callers name them; each group has one template.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Whether an enrolment may not differ from it: a call that gives another value is refused. Otherwise the template's
    /// values are defaults.
    #[serde(default)]
    pub locked: bool,
    /// The key type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_type: Option<KeyType>,
    /// HOTP and TOTP: digits of a one-time password, 6 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digits: Option<u8>,
    /// TOTP: seconds of a time step, 1 to 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_s: Option<u32>,
    /// TOTP: the hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<HashName>,
    /// OCRA: the suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// The only variant of the protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<Variant>,
    /// The allowed methods of two-pass; then no other variant is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<Method>>,
    /// When the key becomes active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activate: Option<Activation>,
    /// Seconds that the enrolment stays open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolment_lifetime_s: Option<u64>,
    /// Seconds from provisioning until the key expires; without it, keys do not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_lifetime_s: Option<u64>,
    /// The `<Issuer>` of key packages, instead of `server.issuer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The sinks that get the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sinks: Option<Vec<String>>,
}

impl TemplateSection {
    /// The type of which its parameters are, where all fit only one.
    fn has_type(&self, allowed: &[KeyType]) -> bool {
        self.key_type.is_none_or(|key_type| allowed.contains(&key_type))
    }

    /// Each key that is faulty, its value and the remedy.
    fn faults(&self, config: &Config) -> Vec<(&'static str, String, String)> {
        use KeyType::{Hotp, Ocra, Totp};
        let mut faults = Vec::new();
        let mut fault = |holds: bool, key: &'static str, value: String, remedy: &str| {
            if !holds {
                faults.push((key, value, remedy.to_owned()));
            }
        };
        fault(is_name(&self.name), "name", self.name.clone(), NAME_REMEDY);
        for group in &self.groups {
            let remedy = "use 1 to 256 visible characters, without leading or trailing blanks";
            fault(pskc::is_name(group), "groups", pskc::Shown(group).to_string(), remedy);
        }
        if let Some(key_type) = self.key_type {
            let is_allowed = config.policy.key_types.contains(&key_type);
            fault(is_allowed, "key_type", key_type.to_string(), "policy.key_types does not list this type");
        }
        if let Some(digits) = self.digits {
            fault(Digits::new(digits).is_ok(), "digits", digits.to_string(), "use 6 to 10");
            fault(self.has_type(&[Hotp, Totp]), "digits", digits.to_string(), "only hotp and totp keys have digits");
        }
        if let Some(period_s) = self.period_s {
            fault((1..=3600).contains(&period_s), "period_s", period_s.to_string(), "use 1 to 3600");
            fault(self.has_type(&[Totp]), "period_s", period_s.to_string(), "only totp keys have a time step");
        }
        if let Some(hash) = self.hash {
            fault(self.has_type(&[Totp]), "hash", hash.to_string(), "only totp keys have a hash");
        }
        if let Some(suite) = &self.suite {
            let parsed = suite.parse::<OcraSuite>().ok();
            let is_usable = parsed.is_some_and(|suite| !suite.has_pin() && suite.session_len().is_none());
            let remedy = "use an OCRA suite (RFC 6287) without PIN (P) and session information (S)";
            fault(is_usable, "suite", suite.clone(), remedy);
            fault(self.has_type(&[Ocra]), "suite", suite.clone(), "only ocra keys have a suite");
        }
        if let Some(methods) = &self.methods {
            let text = methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
            fault(!methods.is_empty(), "methods", "[]".into(), "list at least one, or omit the key for all");
            let is_two_pass = self.variant != Some(Variant::FourPass);
            fault(is_two_pass, "methods", text, "methods are of two-pass, but variant allows four-pass only");
        }
        if self.activate == Some(Activation::OnOtp) {
            let remedy = "requires a key that makes one-time passwords: hotp, totp or ocra";
            fault(self.has_type(&[Hotp, Totp, Ocra]), "activate", Activation::OnOtp.to_string(), remedy);
        }
        if let Some(seconds) = self.enrolment_lifetime_s {
            let remedy = "use 1 second to 366 days";
            fault((1..=MAX_LIFETIME_S).contains(&seconds), "enrolment_lifetime_s", seconds.to_string(), remedy);
        }
        if let Some(seconds) = self.key_lifetime_s {
            let remedy = "use 1 second to 3660 days";
            fault((1..=MAX_KEY_LIFETIME_S).contains(&seconds), "key_lifetime_s", seconds.to_string(), remedy);
        }
        if let Some(issuer) = &self.issuer {
            let remedy = "use 1 to 256 visible characters, without leading or trailing blanks";
            fault(pskc::is_name(issuer), "issuer", pskc::Shown(issuer).to_string(), remedy);
        }
        for (i, name) in self.sinks.iter().flatten().enumerate() {
            let is_there = config.sink.iter().any(|sink| sink.name() == name);
            fault(is_there, "sinks", name.clone(), "there is no [[sink]] of this name");
            let is_first = !self.sinks.iter().flatten().take(i).any(|other| other == name);
            fault(is_first, "sinks", name.clone(), "it is named twice");
        }
        faults
    }
}

impl Config {
    pub(super) fn check_templates(&self, faults: &mut Vec<ConfigFault>) {
        for (i, template) in self.template.iter().enumerate() {
            let number = i + 1;
            let (before, name) = (&self.template[..i], &template.name);
            if before.iter().any(|other| other.name == *name) {
                let remedy = "each template needs a name of its own";
                faults.push(ConfigFault::new(format!("template.{number}.name"), name, remedy));
            }
            for (i, group) in template.groups.iter().enumerate() {
                let mut others = before.iter().flat_map(|other| &other.groups).chain(&template.groups[..i]);
                if others.any(|other| other == group) {
                    let remedy = "the group has a template already";
                    faults.push(ConfigFault::new(format!("template.{number}.groups"), pskc::Shown(group), remedy));
                }
            }
            let own = template.faults(self).into_iter();
            faults
                .extend(own.map(|(key, value, why)| ConfigFault::new(format!("template.{number}.{key}"), value, why)));
        }
        let name = &self.policy.template;
        if !name.is_empty() && !self.template.iter().any(|template| template.name == *name) {
            faults.push(ConfigFault::new("policy.template", name, "there is no [[template]] of this name"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    /// The faults of a configuration in a file.
    fn faults(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dskpp.toml");
        std::fs::write(&path, text).unwrap();
        let checked = Config::load(Some(&path)).and_then(|config| config.check());
        let text = checked.map_err(|why| why.located(Some(&path)).to_string()).err().unwrap_or_default();
        text.replace(&path.display().to_string(), "FILE")
    }

    #[test]
    fn a_template_is_read_strictly_and_every_fault_has_its_place() {
        let good = "[[template]]\nname = 'staff'\ngroups = ['Staff', 'Guests']\nlocked = true\nkey_type = 'totp'\n\
                    digits = 8\nperiod_s = 60\nhash = 'SHA-256'\nmethods = ['wrap']\nactivate = 'on-otp'\n\
                    enrolment_lifetime_s = 3600\nkey_lifetime_s = 31536000\nissuer = 'Example'\nsinks = []\n";
        assert_eq!(faults(&format!("{good}[policy]\ntemplate = 'staff'\n")), "");
        for (text, expected) in [
            ("template = 1\n", "FILE, line 1: template = 1: write [[template]]"),
            ("[[template]]\nname = 'a'\ncolour = 1\n", "FILE, line 3: template.1.colour = 1: unknown field"),
            ("[[template]]\nkey_type = 'totp'\n", "FILE, line 1: template.1 = \"\": missing field `name`"),
            ("[[template]]\nname = 'a'\nkey_type = 'motp'\n", "FILE, line 3: template.1.key_type = \"motp\""),
            ("[[template]]\nname = 'A'\n", "FILE, line 2: template.1.name = A: use 1 to 64"),
            ("[[template]]\nname = 'a'\ndigits = 5\n", "FILE, line 3: template.1.digits = 5: use 6 to 10"),
            ("[[template]]\nname = 'a'\nsinks = ['pam']\n", "FILE, line 3: template.1.sinks = pam: there is no"),
            ("[policy]\ntemplate = 'b'\n", "FILE, line 2: policy.template = b: there is no [[template]]"),
        ] {
            let shown = faults(text);
            assert!(shown.contains(expected), "{text}: {shown}");
        }
    }

    #[test]
    fn values_of_a_template_that_contradict_each_other_are_faults() {
        for (keys, expected) in [
            ("key_type = 'hotp'\nperiod_s = 30", "template.1.period_s = 30: only totp"),
            ("key_type = 'hotp'\nhash = 'SHA-1'", "template.1.hash = SHA-1: only totp"),
            ("key_type = 'aes128'\ndigits = 6", "template.1.digits = 6: only hotp and totp"),
            ("key_type = 'aes128'\nactivate = 'on-otp'", "template.1.activate = on-otp: requires"),
            ("variant = 'four-pass'\nmethods = ['wrap']", "template.1.methods = wrap: methods are of two-pass"),
            ("methods = []", "template.1.methods = []: list at least one"),
            ("suite = 'OCRA-1:HOTP-SHA1-6:QN08-PSHA1'", "template.1.suite"),
            ("key_lifetime_s = 0", "template.1.key_lifetime_s = 0: use 1 second"),
            ("groups = ['a', 'a']", "template.1.groups = a: the group has a template"),
            ("[[template]]\nname = 'a'", "template.2.name = a: each template"),
            (
                "[policy]\nkey_types = ['hotp']\n[[template]]\nname = 'b'\nkey_type = 'totp'",
                "template.2.key_type = totp",
            ),
        ] {
            let shown = faults(&format!("[[template]]\nname = 'a'\n{keys}\n"));
            assert!(shown.contains(expected), "{keys}: {shown}");
        }
    }
}
