//! Templates: what the configuration says of enrolments. See `docs/templates.md`.

use dskpp_api::{KeyType, Named, NewEnrolmentRequest, Variant};

use crate::Config;
use crate::config::TemplateSection;
use crate::model::Terms;

/// The templates of the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Templates {
    templates: Vec<TemplateSection>,
    /// The name of the one for enrolments that name none.
    default: Option<String>,
}

impl Templates {
    /// Those of a configuration that was checked.
    pub(crate) fn of(config: &Config) -> Self {
        let default = Some(&config.policy.template).filter(|name| !name.is_empty()).cloned();
        Templates { templates: config.template.clone(), default }
    }

    /// Whether there is one for enrolments that name none.
    pub(crate) fn has_default(&self) -> bool {
        self.default.is_some()
    }

    /// The request with what its template says in the place of what it leaves open, and the terms of its key.
    ///
    /// # Errors
    /// No such template, none for the group, or a value that differs from a locked one, in words for people.
    pub(crate) fn apply(&self, request: NewEnrolmentRequest) -> Result<(NewEnrolmentRequest, Terms), String> {
        let Some(template) = self.chosen(&request)? else {
            let lifetime_s = request.key_lifetime_s;
            return Ok((request, Terms { lifetime_s, ..Terms::default() }));
        };
        if template.locked
            && let Some(field) = differing(template, &request)
        {
            return Err(format!("the template {} is locked: it decides about {field}", template.name));
        }
        let filled = filled(template, request);
        let terms = Terms {
            template: Some(template.name.clone()),
            issuer: template.issuer.clone(),
            lifetime_s: filled.key_lifetime_s,
        };
        Ok((filled, terms))
    }

    fn chosen(&self, request: &NewEnrolmentRequest) -> Result<Option<&TemplateSection>, String> {
        let by_name = |name: &str| {
            let found = self.templates.iter().find(|template| template.name == name);
            found.ok_or_else(|| format!("there is no template {}", pskc::Shown(name)))
        };
        match (&request.template, &request.group) {
            (Some(_), Some(_)) => Err("template and group exclude each other".to_owned()),
            (Some(name), None) => by_name(name).map(Some),
            (None, Some(group)) => {
                let found = self.templates.iter().find(|template| template.groups.contains(group));
                found.map(Some).ok_or_else(|| format!("no template is for the group {}", pskc::Shown(group)))
            }
            (None, None) => self.default.as_deref().map(by_name).transpose(),
        }
    }
}

/// The first member of a request that is given, and not as the template has it.
fn differing(template: &TemplateSection, request: &NewEnrolmentRequest) -> Option<&'static str> {
    fn differs<T: PartialEq>(given: Option<&T>, fixed: Option<&T>) -> bool {
        given.is_some() && given != fixed
    }
    let key_type = template.key_type.map(Named::Known);
    let hash = template.hash.map(Named::Known);
    let methods = template.methods.as_ref().map(|methods| methods.iter().copied().map(Named::Known).collect());
    let members = [
        ("key_type", differs(request.key_type.as_ref(), key_type.as_ref())),
        ("digits", differs(request.digits.as_ref(), template.digits.as_ref())),
        ("period_s", differs(request.period_s.as_ref(), template.period_s.as_ref())),
        ("hash", differs(request.hash.as_ref(), hash.as_ref())),
        ("suite", differs(request.suite.as_ref(), template.suite.as_ref())),
        ("variant", differs(request.variant.as_ref(), template.variant.as_ref())),
        ("methods", differs(request.methods.as_ref(), methods.as_ref())),
        ("activate", differs(request.activate.as_ref(), template.activate.as_ref())),
        ("expires_in_s", differs(request.expires_in_s.as_ref(), template.enrolment_lifetime_s.as_ref())),
        ("key_lifetime_s", differs(request.key_lifetime_s.as_ref(), template.key_lifetime_s.as_ref())),
        ("sinks", differs(request.sinks.as_ref(), template.sinks.as_ref())),
    ];
    members.into_iter().find(|(_, differs)| *differs).map(|(member, _)| member)
}

/// The request with the template's values where it has none. Of the parameters, only those that the key's type has; a
/// delivered key has its own.
fn filled(template: &TemplateSection, mut request: NewEnrolmentRequest) -> NewEnrolmentRequest {
    use KeyType::{Hotp, Ocra, Totp};
    request.key_type = request.key_type.or_else(|| template.key_type.map(Named::Known));
    let key_type = request.key_type.as_ref().and_then(Named::known);
    let is_of = |types: &[KeyType]| request.delivers.is_none() && key_type.is_some_and(|it| types.contains(&it));
    let (has_digits, has_step, has_suite) = (is_of(&[Hotp, Totp]), is_of(&[Totp]), is_of(&[Ocra]));
    let makes_passwords = key_type.is_some_and(|it| [Hotp, Totp, Ocra].contains(&it));
    request.digits = request.digits.or(template.digits.filter(|_| has_digits));
    request.period_s = request.period_s.or(template.period_s.filter(|_| has_step));
    request.hash = request.hash.or_else(|| template.hash.filter(|_| has_step).map(Named::Known));
    request.suite = request.suite.or_else(|| template.suite.clone().filter(|_| has_suite));
    // Variant and methods belong together: who gives one of them has decided about both.
    if request.variant.is_none() && request.methods.is_none() {
        request.variant = template.variant.or_else(|| template.methods.as_ref().map(|_| Variant::TwoPass));
        request.methods = template.methods.as_ref().map(|methods| methods.iter().copied().map(Named::Known).collect());
    }
    request.activate = request.activate.or(template.activate.filter(|_| makes_passwords));
    request.expires_in_s = request.expires_in_s.or(template.enrolment_lifetime_s);
    let is_new = request.delivers.is_none();
    request.key_lifetime_s = request.key_lifetime_s.or(template.key_lifetime_s.filter(|_| is_new));
    request.sinks = request.sinks.or_else(|| template.sinks.clone());
    request
}

#[cfg(test)]
mod tests {
    use dskpp_api::{HashName, Method};
    use serde_json::{Value, json};

    use super::*;

    fn templates(default: &str) -> Templates {
        let text = format!(
            "[policy]\ntemplate = '{default}'\n\
             [[template]]\nname = 'staff'\ngroups = ['Staff']\nkey_type = 'totp'\ndigits = 8\nperiod_s = 60\n\
             hash = 'SHA-256'\nmethods = ['wrap']\nactivate = 'on-otp'\nenrolment_lifetime_s = 60\n\
             key_lifetime_s = 100\nissuer = 'Example'\nsinks = []\n\
             [[template]]\nname = 'strict'\nlocked = true\nkey_type = 'hotp'\ndigits = 6\n"
        );
        let config = Config::read(&text, []).unwrap();
        config.check().unwrap();
        Templates::of(&config)
    }

    fn request(more: Value) -> NewEnrolmentRequest {
        let mut body = json!({ "user": "alice" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_template_is_chosen_by_name_by_group_or_by_default() {
        let chosen = |default: &str, more: Value| {
            templates(default).apply(request(more)).map(|(_, terms)| terms.template.unwrap_or_default())
        };
        assert_eq!(chosen("", json!({})), Ok(String::new()));
        assert_eq!(chosen("staff", json!({})), Ok("staff".into()));
        assert_eq!(chosen("", json!({ "group": "Staff" })), Ok("staff".into()));
        assert_eq!(chosen("staff", json!({ "template": "strict" })), Ok("strict".into()));
        for (more, why) in [
            (json!({ "template": "none" }), "there is no template none"),
            (json!({ "group": "staff" }), "no template is for the group staff"),
            (json!({ "group": "Staff", "template": "staff" }), "exclude each other"),
        ] {
            let refused = chosen("staff", more).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn a_template_fills_what_a_call_leaves_open_and_nothing_else() {
        let (filled, terms) = templates("staff").apply(request(json!({ "digits": 7 }))).unwrap();
        assert_eq!(filled.key_type, Some(Named::Known(KeyType::Totp)));
        assert_eq!((filled.digits, filled.period_s), (Some(7), Some(60)));
        assert_eq!(filled.hash, Some(Named::Known(HashName::Sha256)));
        assert_eq!(filled.methods, Some(vec![Named::Known(Method::Wrap)]));
        assert_eq!((filled.expires_in_s, filled.sinks), (Some(60), Some(Vec::new())));
        assert_eq!(
            terms,
            Terms { template: Some("staff".into()), issuer: Some("Example".into()), lifetime_s: Some(100) }
        );
        // Another type has no step and no hash; whoever names a variant has no methods of the template.
        let (filled, _) =
            templates("staff").apply(request(json!({ "key_type": "hotp", "variant": "four-pass" }))).unwrap();
        assert_eq!((filled.digits, filled.period_s, filled.hash), (Some(8), None, None));
        assert_eq!((filled.variant, filled.methods), (Some(Variant::FourPass), None));
        let (filled, _) = templates("staff").apply(request(json!({ "delivers": "k1" }))).unwrap();
        assert_eq!((filled.digits, filled.key_lifetime_s), (None, None), "a delivered key has its own");
    }

    #[test]
    fn a_locked_template_admits_its_own_values_only() {
        let apply = |more: Value| templates("strict").apply(request(more)).map(drop);
        assert_eq!(apply(json!({})), Ok(()));
        assert_eq!(apply(json!({ "key_type": "hotp", "digits": 6, "counter": 7, "renews": "k1" })), Ok(()));
        for (member, value) in [
            ("key_type", json!("totp")),
            ("key_type", json!("HOTP")),
            ("digits", json!(8)),
            ("period_s", json!(30)),
            ("hash", json!("SHA-1")),
            ("suite", json!("OCRA-1:HOTP-SHA1-6:QN08")),
            ("variant", json!("four-pass")),
            ("methods", json!([])),
            ("activate", json!("at-once")),
            ("expires_in_s", json!(1)),
            ("key_lifetime_s", json!(1)),
            ("sinks", json!([])),
        ] {
            let refused = apply(json!({ member: value })).unwrap_err();
            assert!(refused.contains("strict is locked") && refused.ends_with(member), "{refused}");
        }
    }
}
