//! Mail by SMTP, over TLS unless the server is this machine.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncTransport as _, Message, Tokio1Executor};

use super::text::subject_and_text;
use crate::config::{MailSection, MailTls};
use crate::model::notice::{Channel, Notice};
use crate::sinks::secret;
use crate::{Config, ConfigFault, files};

/// What stands in a mail where nobody has a template.
const TEMPLATE: &str = "Subject: {subject}\n\n{text}\n\n{help}\n{issuer}\n";
/// What a template may have.
const PLACES: [&str; 5] = ["{subject}", "{text}", "{user}", "{issuer}", "{help}"];

/// A mail server, and who gets mail.
pub(super) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    operators: Vec<Mailbox>,
    user_address: String,
    subject: String,
    text: String,
    issuer: String,
    help: String,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mail({})", self.from)
    }
}

impl Mail {
    pub(super) fn load(config: &Config) -> Result<Option<Self>, ConfigFault> {
        let mail = &config.mail;
        if mail.server.is_empty() {
            return Ok(None);
        }
        let mailbox = |key: &str, text: &str| {
            text.parse::<Mailbox>().map_err(|_| ConfigFault::new(key, pskc::Shown(text), "is no mail address"))
        };
        let operators = mail.operators.iter().map(|text| mailbox("mail.operators", text)).collect::<Result<_, _>>()?;
        let template = match mail.template_file.as_os_str().is_empty() {
            true => TEMPLATE.to_owned(),
            false => files::read_text(&mail.template_file)
                .map_err(|why| ConfigFault::new("mail.template_file", mail.template_file.display(), why))?,
        };
        let (subject, text) = split(&template)
            .map_err(|why| ConfigFault::new("mail.template_file", mail.template_file.display(), why))?;
        Ok(Some(Mail {
            transport: transport(mail)?,
            from: mailbox("mail.from", &mail.from)?,
            operators,
            user_address: mail.user_address.clone(),
            subject,
            text,
            issuer: config.server.issuer.clone(),
            help: config.portal.help.clone(),
        }))
    }

    pub(super) fn has_operators(&self) -> bool {
        !self.operators.is_empty()
    }

    /// A user's address, if there is one that a mail can be sent to.
    pub(super) fn address_of(&self, user: &str) -> Option<Mailbox> {
        let text = self.user_address.replace("{user}", user);
        text.parse().ok().map(|address| Mailbox::new(None, address))
    }

    /// Sends a notice; in words for people why it failed. What the server says is not repeated.
    pub(super) async fn send(&self, notice: &Notice, channel: Channel) -> Result<(), String> {
        let for_user = channel == Channel::User;
        let to = match (for_user, &notice.user) {
            (true, Some(user)) => self.address_of(user).into_iter().collect(),
            (true, None) => Vec::new(),
            (false, _) => self.operators.clone(),
        };
        if to.is_empty() {
            return Err("nobody has an address".to_owned());
        }
        let (subject, text) = subject_and_text(notice, for_user);
        let fill = |template: &str| {
            let user = notice.user.as_deref().unwrap_or_default();
            let values = [subject.as_str(), &text, user, &self.issuer, &self.help];
            fill(template, values)
        };
        let one_line = fill(&self.subject).replace(['\r', '\n'], " ");
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(one_line)
            .header(ContentType::TEXT_PLAIN)
            .header(lettre::message::header::MIME_VERSION_1_0);
        for mailbox in &to {
            message = message.to(mailbox.clone());
        }
        let message = message.body(fill(&self.text)).map_err(|why| format!("no mail can be made: {why}"))?;
        let addresses = to.into_iter().map(|mailbox| mailbox.email).collect();
        let envelope = Envelope::new(Some(self.from.email.clone()), addresses).map_err(|why| why.to_string())?;
        let sent = self.transport.send_raw(&envelope, &message.formatted()).await;
        sent.map(drop).map_err(|why| reason(&why))
    }
}

/// Without the server's words.
fn reason(why: &lettre::transport::smtp::Error) -> String {
    match why.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if why.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if why.is_tls() => "TLS with the mail server failed".to_owned(),
        None => "the mail server cannot be reached".to_owned(),
    }
}

fn transport(mail: &MailSection) -> Result<AsyncSmtpTransport<Tokio1Executor>, ConfigFault> {
    let fault = |key: &str, why: String| ConfigFault::new(key, "", why);
    let (host, port) = mail.server.rsplit_once(':').unwrap_or((&mail.server, "25"));
    let host = host.trim_matches(['[', ']']);
    let port = port.parse().map_err(|_| fault("mail.server", "write HOST:PORT".to_owned()))?;
    let parameters = || {
        let mut parameters = TlsParameters::builder(host.to_owned());
        if !mail.ca_file.as_os_str().is_empty() {
            parameters = parameters.certificate_store(CertificateStore::None);
            for der in files::read_certificates(&mail.ca_file).map_err(|why| fault("mail.ca_file", why.to_string()))? {
                let certificate = Certificate::from_der(der.to_vec());
                let certificate = certificate.map_err(|why| fault("mail.ca_file", why.to_string()))?;
                parameters = parameters.add_root_certificate(certificate);
            }
        }
        parameters.build_rustls().map_err(|why| fault("mail.ca_file", why.to_string()))
    };
    let tls = match mail.tls {
        MailTls::Starttls => Tls::Required(parameters()?),
        MailTls::Implicit => Tls::Wrapper(parameters()?),
        MailTls::None => Tls::None,
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port).tls(tls);
    let builder = builder.timeout(Some(Duration::from_secs(mail.timeout_s)));
    Ok(match mail.user.is_empty() {
        true => builder.build(),
        false => {
            let password = secret(&mail.password_file, &mail.password_env);
            let password = password.map_err(|why| fault("mail.password_file", why))?;
            let password = String::from_utf8_lossy(password.expose()).into_owned();
            builder.credentials(Credentials::new(mail.user.clone(), password)).build()
        }
    })
}

/// The subject and the text of a template.
fn split(template: &str) -> Result<(String, String), String> {
    let template = files::without_mark(template).replace("\r\n", "\n");
    let shape = "it begins with `Subject: …` and an empty line";
    let (head, text) = template.split_once("\n\n").ok_or(shape)?;
    let subject = head.strip_prefix("Subject:").filter(|subject| !subject.contains('\n')).ok_or(shape)?;
    let rest = PLACES.iter().fold(template.clone(), |text, place| text.replace(place, ""));
    match rest.find(['{', '}']) {
        Some(_) => Err(format!("braces stand only in {}", PLACES.join(", "))),
        None => Ok((subject.trim().to_owned(), text.to_owned())),
    }
}

/// A template with values in their places, in one pass: what stands in a value stays as it is.
fn fill(template: &str, values: [&str; PLACES.len()]) -> String {
    let (mut text, mut rest) = (String::new(), template);
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        let found = PLACES.iter().zip(values).find(|(place, _)| rest[at..].starts_with(**place));
        match found {
            Some((place, value)) => {
                text.push_str(value);
                rest = &rest[at + place.len()..];
            }
            None => {
                text.push('{');
                rest = &rest[at + 1..];
            }
        }
    }
    text + rest
}
