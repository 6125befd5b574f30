//! An enrolment, one step at a time.

use dskpp_token::{
    Applied, Credential, EnrollRequest, Enrolled, Enrolment, Input, KeyType, ServerChange, Step, StoreChange, Trigger,
    Variant, key_type_from_name, key_type_name,
};
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::store::{Store, answer, json, time};

/// An enrolment that is under way.
#[derive(Debug)]
pub struct Run {
    enrolment: Enrolment,
    /// The change that the last step asked for, and what it came to on the caller's octets.
    change: Option<(StoreChange, Option<Applied>)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Request {
    url: Option<String>,
    code: Option<String>,
    trigger: Option<String>,
    variant: Option<VariantName>,
    #[serde(default)]
    key_types: Vec<String>,
    renew: Option<String>,
    label: Option<String>,
    device: Option<Device>,
    #[serde(default)]
    accepted: Vec<String>,
}

#[derive(Deserialize)]
enum VariantName {
    #[serde(rename = "four-pass")]
    FourPass,
    #[serde(rename = "two-pass")]
    TwoPass,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Device {
    manufacturer: String,
    serial: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepInput {
    input: InputName,
    now: f64,
    why: Option<String>,
    consent: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum InputName {
    Begin,
    Answer,
    Lost,
    NoAnswer,
    Consent,
    Stored,
    NotStored,
}

#[derive(Serialize)]
#[serde(tag = "step", rename_all = "camelCase")]
enum StepAnswer<'a> {
    Send { url: &'a str },
    Ask { change: Change<'a> },
    Store,
    Done { enrolled: EnrolledAnswer<'a> },
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Change<'a> {
    #[serde(rename_all = "camelCase")]
    Url {
        key_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        old: Option<&'a str>,
        new: &'a str,
        text: String,
    },
    Key {
        url: &'a str,
        old: &'a [String],
        new: &'a str,
        text: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EnrolledAnswer<'a> {
    key_id: &'a str,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_id: Option<&'a str>,
    variant: &'static str,
    replaced: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    few_iterations: Option<u32>,
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
        let request = read(json(request)?)?;
        let enrolment = Enrolment::new(request, &store.tokens, store.runs.clone(), seed);
        Ok(Run { enrolment, change: None })
    }

    pub(crate) fn step(&mut self, input: &[u8], body: &[u8]) -> Result<Taken, Fault> {
        let StepInput { input, now, why, consent } = json(input)?;
        let why = why.unwrap_or_default();
        let input = match input {
            InputName::Begin => Input::Begin,
            InputName::Answer => Input::Answer(body.to_vec()),
            InputName::Lost => Input::Lost(why),
            InputName::NoAnswer => Input::NoAnswer(why),
            InputName::Consent => Input::Consent(consent.ok_or_else(|| Fault::misuse("`consent` is missing"))?),
            InputName::Stored => match &self.change {
                Some((_, Some(applied))) => Input::Stored(applied.clone()),
                _ => return Err(Fault::misuse("`stored` without dskpp_apply")),
            },
            InputName::NotStored => Input::NotStored(why),
        };
        let now = time(now)?;
        let mut step = self.enrolment.step(input, now)?;
        self.change = None;
        if let Step::RsaKey { .. } = step {
            step = self.enrolment.step(Input::NoRsaKey, now)?; // no request here asks for key transport
        }
        let json = answer(&shown(&step))?;
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

fn read(request: Request) -> Result<EnrollRequest, Fault> {
    let credential = match (&request.code, &request.trigger) {
        (Some(code), None) => Credential::Code(code.parse().map_err(|why: dskpp::auth_code::AuthCodeError| {
            Fault::new("wrongCode", why.to_string(), "compare it with the code that you were given")
        })?),
        (None, Some(trigger)) => Credential::Trigger(Box::new(Trigger::read(trigger.as_bytes()).map_err(|why| {
            Fault::new("badTrigger", format!("this is not a trigger: {why}"), "ask for a new enrolment link")
        })?)),
        _ => return Err(Fault::misuse("either `code` or `trigger`")),
    };
    let mut enroll = EnrollRequest::new(request.url, credential);
    enroll.variant = request.variant.map(|variant| match variant {
        VariantName::FourPass => Variant::FourPass,
        VariantName::TwoPass => Variant::TwoPass,
    });
    let key_type =
        |name: &String| key_type_from_name(name).ok_or_else(|| Fault::misuse(format!("no key type: {name}")));
    enroll.key_types = request.key_types.iter().map(key_type).collect::<Result<Vec<KeyType>, _>>()?;
    (enroll.renew, enroll.label) = (request.renew, request.label);
    enroll.device = request.device.map(|Device { manufacturer, serial }| (manufacturer, serial));
    enroll.accepted = request.accepted;
    Ok(enroll)
}

fn shown(step: &Step) -> StepAnswer<'_> {
    match step {
        Step::Send { url, .. } => StepAnswer::Send { url },
        Step::Ask(change) => StepAnswer::Ask { change: changed(change) },
        Step::Done(enrolled) => StepAnswer::Done { enrolled: enrolled_answer(enrolled) },
        Step::Store(_) | Step::RsaKey { .. } => StepAnswer::Store,
    }
}

fn changed(change: &ServerChange) -> Change<'_> {
    let text = change.to_string();
    match change {
        ServerChange::Url { key_id, old, new } => Change::Url { key_id, old: old.as_deref(), new, text },
        ServerChange::KServer { url, old, new } => Change::Key { url, old, new, text },
    }
}

fn enrolled_answer(enrolled: &Enrolled) -> EnrolledAnswer<'_> {
    EnrolledAnswer {
        key_id: &enrolled.key_id,
        r#type: key_type_name(&enrolled.key_type),
        label: enrolled.label.as_deref(),
        issuer: enrolled.issuer.as_deref(),
        server_id: enrolled.server_id.as_deref(),
        variant: if enrolled.method.is_some() { "two-pass" } else { "four-pass" },
        replaced: enrolled.replaced,
        old_key_id: enrolled.old_key_id.as_deref(),
        few_iterations: enrolled.few_iterations,
    }
}
