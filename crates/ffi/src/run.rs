//! An enrolment, one step at a time.

use dskpp_token::json::{Fields, JsonWriter};
use dskpp_token::{
    Applied, AuthCode, Credential, EnrollRequest, Enrolled, Enrolment, Input, ServerChange, Step, StoreChange, Trigger,
    Variant, key_type_from_name, key_type_name,
};

use crate::error::Fault;
use crate::store::{Store, end, time};

/// An enrolment that is under way.
#[derive(Debug)]
pub struct Run {
    enrolment: Enrolment,
    /// The change that the last step asked for, and what it came to on the caller's octets.
    change: Option<(StoreChange, Option<Applied>)>,
}

/// A step, and the message of `send`.
pub(crate) struct Taken {
    pub(crate) json: Vec<u8>,
    pub(crate) message: Vec<u8>,
}

impl Run {
    /// An enrolment with the tokens and notes as they are now; `request` is JSON.
    ///
    /// # Errors
    /// The request is not one; nothing was sent.
    pub fn new(store: &Store, request: &[u8], seed: &[u8; 32]) -> Result<Self, Fault> {
        let enrolment = Enrolment::new(read(request)?, &store.tokens, store.runs.clone(), seed);
        Ok(Run { enrolment, change: None })
    }

    pub(crate) fn step(&mut self, input: &[u8], body: &[u8]) -> Result<Taken, Fault> {
        let mut from = Fields::parse(input);
        let (input, now) = (from.required_text("input"), from.seconds("now"));
        let (why, consent) = (from.text("why").unwrap_or_default(), from.flag("consent"));
        end(from)?;
        let input = match input.as_str() {
            "begin" => Input::Begin,
            "answer" => Input::Answer(body.to_vec()),
            "lost" => Input::Lost(why),
            "noAnswer" => Input::NoAnswer(why),
            "consent" => Input::Consent(consent.ok_or_else(|| Fault::misuse("`consent` is missing"))?),
            "stored" => match &self.change {
                Some((_, Some(applied))) => Input::Stored(applied.clone()),
                _ => return Err(Fault::misuse("`stored` without dskpp_apply")),
            },
            "notStored" => Input::NotStored(why),
            other => return Err(Fault::misuse(format!("no input: {other}"))),
        };
        let now = time(now)?;
        let mut step = self.enrolment.step(input, now)?;
        self.change = None;
        if let Step::RsaKey { .. } = step {
            step = self.enrolment.step(Input::NoRsaKey, now)?; // no request here asks for key transport
        }
        let json = JsonWriter::object(|to| show(&step, to));
        let message = match step {
            Step::Send { body, .. } => body,
            Step::Store(change) => {
                self.change = Some((change, None));
                Vec::new()
            }
            _ => Vec::new(),
        };
        Ok(Taken { json, message })
    }

    /// The stored octets after the change that the last step asked for.
    pub(crate) fn apply(&mut self, store: &[u8]) -> Result<Vec<u8>, Fault> {
        let (change, applied) = self.change.as_mut().ok_or_else(|| Fault::misuse("the last step was not `store`"))?;
        let mut store = Store::read(store)?;
        *applied = Some(change.apply(&mut store.tokens, &mut store.runs)?);
        Ok(store.write())
    }
}

/// Either the code or the trigger.
fn credential(code: Option<String>, trigger: Option<String>) -> Result<Credential, Fault> {
    match (code, trigger) {
        (Some(code), None) => match code.parse::<AuthCode>() {
            Ok(code) => Ok(Credential::Code(code)),
            Err(why) => Err(Fault::new("wrongCode", why.to_string(), "compare it with the code that you were given")),
        },
        (None, Some(trigger)) => match Trigger::read(trigger.as_bytes()) {
            Ok(trigger) => Ok(Credential::Trigger(Box::new(trigger))),
            Err(why) => {
                Err(Fault::new("badTrigger", format!("this is not a trigger: {why}"), "ask for a new enrolment link"))
            }
        },
        _ => Err(Fault::misuse("either `code` or `trigger`")),
    }
}

fn read(request: &[u8]) -> Result<EnrollRequest, Fault> {
    let mut from = Fields::parse(request);
    let (url, code, trigger) = (from.text("url"), from.text("code"), from.text("trigger"));
    let variant = match from.text("variant").as_deref() {
        None => None,
        Some("four-pass") => Some(Variant::FourPass),
        Some("two-pass") => Some(Variant::TwoPass),
        Some(_) => {
            from.refuse("variant");
            None
        }
    };
    let (key_types, renew, label) = (from.texts("keyTypes"), from.text("renew"), from.text("label"));
    let device = from.object("device", |device| (device.required_text("manufacturer"), device.required_text("serial")));
    let accepted = from.texts("accepted");
    end(from)?;
    let mut enroll = EnrollRequest::new(url, credential(code, trigger)?);
    for name in key_types {
        let key_type = key_type_from_name(&name).ok_or_else(|| Fault::misuse(format!("no key type: {name}")))?;
        enroll.key_types.push(key_type);
    }
    (enroll.variant, enroll.renew, enroll.label) = (variant, renew, label);
    (enroll.device, enroll.accepted) = (device, accepted);
    Ok(enroll)
}

fn show(step: &Step, to: &mut JsonWriter) {
    let name = match step {
        Step::Send { .. } => "send",
        Step::Ask(_) => "ask",
        Step::Done(_) => "done",
        Step::Store(_) | Step::RsaKey { .. } => "store",
    };
    to.text("step", Some(name));
    match step {
        Step::Send { url, .. } => to.text("url", Some(url)),
        Step::Ask(change) => show_change(change, to),
        Step::Done(enrolled) => show_enrolled(enrolled, to),
        Step::Store(_) | Step::RsaKey { .. } => {}
    }
}

fn show_change(change: &ServerChange, to: &mut JsonWriter) {
    to.name("change").begin(b'{');
    match change {
        ServerChange::Url { key_id, old, .. } => {
            to.text("kind", Some("url"));
            to.text("keyId", Some(key_id));
            to.text("old", old.as_deref());
        }
        ServerChange::KServer { url, old, .. } => {
            to.text("kind", Some("key"));
            to.text("url", Some(url));
            to.texts("old", old);
        }
    }
    to.text("new", Some(change.new_name()));
    to.text("text", Some(&change.to_string()));
    to.end(b'}');
}

fn show_enrolled(enrolled: &Enrolled, to: &mut JsonWriter) {
    to.name("enrolled").begin(b'{');
    to.text("keyId", Some(&enrolled.key_id));
    to.text("type", Some(key_type_name(&enrolled.key_type)));
    to.text("label", enrolled.label.as_deref());
    to.text("issuer", enrolled.issuer.as_deref());
    to.text("serverId", enrolled.server_id.as_deref());
    to.text("variant", Some(if enrolled.method.is_some() { "two-pass" } else { "four-pass" }));
    to.flag("replaced", enrolled.replaced);
    to.text("oldKeyId", enrolled.old_key_id.as_deref());
    to.number("fewIterations", enrolled.few_iterations.map(u64::from));
    to.end(b'}');
}
