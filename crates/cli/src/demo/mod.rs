//! `dskpp demo`: a server and a token, and every way to provision a key, in a few seconds.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use dskpp_api::{ValidationRequest, ValidationResult, paths};
use serde_json::json;

use crate::output::{Failure, Output};
use crate::runtime;
use environment::{DemoEnvironment, DemoRun, Scenario};

mod derive;
mod environment;
mod trace;

#[derive(Args)]
pub(crate) struct Demo {
    /// Also print every message and every derived value, including the demonstration's secrets
    #[arg(long, help_heading = "Output")]
    trace: bool,
}

/// The story, in order: heading, way, and explanation.
const STORY: [(&str, Scenario, &str); 6] = [
    (
        "Four-pass",
        Scenario::FourPass,
        "Token and server each draw a random number. The token sends its own encrypted, and the code proves\n\
         alice's right. Both derive the same key; neither sends it. The server confirms it with a MAC over every\n\
         message. Only then does the token store it, encrypted.",
    ),
    (
        "Two-pass, key transport",
        Scenario::Transport,
        "The server generates the key and sends it encrypted under the token's RSA key: one request, one answer,\n\
         and again a MAC that confirms it.",
    ),
    (
        "Two-pass, key wrap",
        Scenario::Wrap,
        "The same, encrypted under a key that the manufacturer put into the device and the server knows.",
    ),
    (
        "Two-pass, passphrase-based key wrap",
        Scenario::PassphraseWrap,
        "The same, encrypted under a key that both derive from the authentication code.",
    ),
    (
        "Trigger",
        Scenario::Trigger,
        "Nobody types a code: a link gives the token a trigger, which is valid for one key.",
    ),
    (
        "Renewal",
        Scenario::Renewal,
        "A new key replaces the first one under the same id, after the server proves that it holds the old one.",
    ),
];

impl Demo {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        runtime()?.block_on(self.story(output))
    }

    async fn story(&self, output: &Output) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut demo = DemoEnvironment::start().await?;
        output.say(format!(
            "Server\n  It starts with its own database, private CA and key pair, and listens on\n  {} (TLS).",
            demo.url_s
        ));
        let (typed, refused) = demo.wrong_code().await?;
        output.say(format!(
            "\nA wrong code\n  Someone types {typed}.\n  The client says: {refused}.\n  \
             The enrolment stays open, and alice's correct code gets her key."
        ));
        let (mut runs, mut traces, mut overheard) = (Vec::new(), Vec::new(), Overheard::default());
        for (at, (title, way, text)) in STORY.into_iter().enumerate() {
            let run = demo.provision(way).await?;
            let otp = proved(&demo, &run).await?;
            overheard.add(&run)?;
            output.say(format!("\n{}. {title}\n  {}", at + 1, text.replace('\n', "\n  ")));
            output.say(format!("  {}", outcome(&run, &otp)));
            runs.push(json!({
                "title": title,
                "key_id": run.token.id,
                "variant": if run.protection.is_some() { "two-pass" } else { "four-pass" },
                "method": run.enrolled.method.as_ref().map(crate::enroll::names::method_name),
                "replaced": run.enrolled.replaced,
                "otp": otp,
                "valid": true,
            }));
            if self.trace {
                let explained = trace::explain(&demo, &run)?;
                output.say(explained.text());
                traces.push(explained.document(title));
            }
        }
        demo.stop().await?;
        let took_ms = begun.elapsed().as_millis() as u64;
        output.say(format!("\nAn eavesdropper\n  {}", overheard.text()));
        let mut document = json!({
            "valid": true,
            "wrong_code": { "code": typed, "refused": refused.to_string() },
            "runs": runs,
            "overheard": { "messages": overheard.messages, "octets": overheard.octets },
            "took_ms": took_ms,
        });
        if self.trace {
            document["trace"] = json!(traces);
        }
        output.print(&document, || format!("\nDone in {:.1} s; no files remain.\n\n{NEXT}", took_ms as f64 / 1000.0))
    }
}

const NEXT: &str = "Next\n  \
    dskpp demo --trace          every message and every value of this demonstration\n  \
    dskpp serve                 your own server, in ./dskpp-data; then, in another terminal in that folder,\n  \
    dskpp admin enrolment create --user alice --key-type totp\n                              \
    a code for alice, and the command that gets her token";

/// What an eavesdropper has, inside and outside TLS.
#[derive(Default)]
struct Overheard {
    messages: usize,
    octets: usize,
}

impl Overheard {
    /// Counts the messages of a run, and checks that they do not contain its key or password.
    fn add(&mut self, run: &DemoRun) -> Result<(), Failure> {
        let key = run.token.secret.expose();
        let secrets = [
            key.to_vec(),
            data_encoding::BASE64.encode(key).into_bytes(),
            data_encoding::HEXLOWER.encode(key).into_bytes(),
            data_encoding::HEXUPPER.encode(key).into_bytes(),
            run.code.password().expose().to_vec(),
        ];
        for message in run.exchanges.iter().flat_map(|exchange| [&exchange.request, &exchange.answer]) {
            self.messages += 1;
            self.octets += message.len();
            if secrets.iter().any(|secret| memchr::memmem::find(message, secret).is_some()) {
                return Err(Failure::new("a secret was sent in plaintext").next("please report this bug"));
            }
        }
        Ok(())
    }

    fn text(&self) -> String {
        let Overheard { messages, octets } = self;
        format!(
            "A network recording has only TLS records. Inside them, {messages} messages of {octets} octets contained\n  \
             neither a key nor the password of a code: keys were agreed or encrypted for one token, and a MAC\n  \
             proves a code without sending it. A QR code or a mailed file would have shown the key itself."
        )
    }
}

/// The token's one-time password, which the server must accept exactly once.
async fn proved(demo: &DemoEnvironment, run: &DemoRun) -> Result<String, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let otp = dskpp_otp::Totp::new(dskpp_otp::Digits::SIX, 30, dskpp_otp::Hash::Sha1).map_err(Failure::new)?;
    let otp = otp.code(&run.token.secret, now).as_str().to_owned();
    let attempt = ValidationRequest::of_key(&run.token.id, &otp);
    let verdicts: [ValidationResult; 2] =
        [demo.api.post(paths::VALIDATE, &attempt).await?, demo.api.post(paths::VALIDATE, &attempt).await?];
    match verdicts.map(|verdict| verdict.valid) {
        [true, false] => Ok(otp),
        _ => Err(Failure::new("the server did not accept the one-time password once and only once")
            .next("please report this bug")),
    }
}

fn outcome(run: &DemoRun, otp: &str) -> String {
    let how = match &run.typed {
        Some(code) => format!("alice typed {code}."),
        None => "The token opened the link.".to_owned(),
    };
    format!(
        "{how} Key {} shows {otp}.\n  The server says: valid. Shown a second time: not valid, because it works only once.",
        run.token.id
    )
}
