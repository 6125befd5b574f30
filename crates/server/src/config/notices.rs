//! `[notices]`, `[mail]`, `[cleanup]`: who is told what in time, and what is forgotten.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::check::{MAX_LIFETIME_S, push_unless};
use super::{Config, ConfigFault};

/// `[notices]`; keys and certificates that end soon, and lost tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoticesSection {
    /// Seconds before the end of a key or certificate at which it is announced; 0: it is not.
    pub announce_before_s: u64,
    /// Seconds before its end at which it is announced again; 0: it is not.
    pub remind_before_s: u64,
    /// Seconds between looks for what ends soon.
    pub look_every_s: u64,
    /// Seconds until a notice that failed is sent again; each further time takes twice as long, up to an hour.
    pub retry_s: u64,
    /// Seconds after which a notice that still fails is given up.
    pub give_up_after_s: u64,
    /// Where notices are posted, signed as webhooks of sinks are; https, or http to this machine. Empty: nowhere.
    pub webhook_url: String,
    /// PEM file with the CA certificates to trust; empty: those of the system.
    pub webhook_ca_file: PathBuf,
    /// File with the key of the signature: `whsec_` and Base64, as Standard Webhooks have it.
    pub webhook_signing_key_file: PathBuf,
    /// The environment variable with it instead.
    pub webhook_signing_key_env: String,
}

/// `[mail]`; the server that takes mail, and who gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailSection {
    /// Host and port of an SMTP server, such as `mail.example.com:587`. Empty: no mail is sent.
    pub server: String,
    /// How the connection is protected.
    pub tls: MailTls,
    /// PEM file with the CA certificates to trust; empty: those of the system.
    pub ca_file: PathBuf,
    /// The user to log in as; empty: no login.
    pub user: String,
    /// File with the user's password.
    pub password_file: PathBuf,
    /// The environment variable with it instead.
    pub password_env: String,
    /// The sender: an address, or a name and an address in angle brackets.
    pub from: String,
    /// Addresses of operators, who get every notice.
    pub operators: Vec<String>,
    /// The address of a user, with `{user}` where the user's name stands, such as `{user}@example.com`, or `{user}` where
    /// names are addresses. Empty: users get no mail.
    pub user_address: String,
    /// Text file for mails: `Subject: …`, an empty line, and the text, with `{subject}`, `{text}`, `{user}`, `{issuer}` and
    /// `{help}` where these stand. Empty: a plain text.
    pub template_file: PathBuf,
    /// Seconds for each step of sending a mail.
    pub timeout_s: u64,
}

/// `mail.tls`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailTls {
    /// STARTTLS (RFC 3207), required.
    #[default]
    Starttls,
    /// From the first octet on (RFC 8314), as on port 465.
    Implicit,
    /// None; to loopback addresses only.
    None,
}

/// `[cleanup]`; what is forgotten after a while. The audit trail keeps that it was there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CleanupSection {
    /// Seconds after its end at which an enrolment that never made a key is deleted, whether it expired or was revoked; 0:
    /// never.
    pub enrolments_after_s: u64,
}

impl Default for NoticesSection {
    fn default() -> Self {
        Self {
            announce_before_s: 30 * 86_400,
            remind_before_s: 3 * 86_400,
            look_every_s: 6 * 3600,
            retry_s: 60,
            give_up_after_s: 3 * 86_400,
            webhook_url: String::new(),
            webhook_ca_file: PathBuf::new(),
            webhook_signing_key_file: PathBuf::new(),
            webhook_signing_key_env: String::new(),
        }
    }
}

impl Default for MailSection {
    fn default() -> Self {
        Self {
            server: String::new(),
            tls: MailTls::default(),
            ca_file: PathBuf::new(),
            user: String::new(),
            password_file: PathBuf::new(),
            password_env: String::new(),
            from: String::new(),
            operators: Vec::new(),
            user_address: String::new(),
            template_file: PathBuf::new(),
            timeout_s: 20,
        }
    }
}

impl Config {
    pub(super) fn check_notices(&self, faults: &mut Vec<ConfigFault>) {
        let (notices, mail, cleanup) = (&self.notices, &self.mail, &self.cleanup);
        for (key, value, least, most) in [
            ("notices.announce_before_s", notices.announce_before_s, 0, MAX_LIFETIME_S),
            ("notices.remind_before_s", notices.remind_before_s, 0, MAX_LIFETIME_S),
            ("notices.look_every_s", notices.look_every_s, 1, 86_400),
            ("notices.retry_s", notices.retry_s, 1, 3600),
            ("notices.give_up_after_s", notices.give_up_after_s, 1, MAX_LIFETIME_S),
            ("mail.timeout_s", mail.timeout_s, 1, 60),
            ("cleanup.enrolments_after_s", cleanup.enrolments_after_s, 0, 10 * MAX_LIFETIME_S),
        ] {
            let holds = (least..=most).contains(&value);
            push_unless(faults, holds, key, &value, &format!("use {least} to {most}"));
        }
        let (remind, announce) = (notices.remind_before_s, notices.announce_before_s);
        let remedy = "must be shorter than notices.announce_before_s";
        push_unless(faults, remind == 0 || remind < announce, "notices.remind_before_s", &remind, remedy);
        let is_used = !mail.operators.is_empty() || !mail.user_address.is_empty();
        push_unless(faults, !is_used || !mail.server.is_empty(), "mail.server", &"", "required to send mail");
        if mail.server.is_empty() {
            return;
        }
        let host = mail.server.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        push_unless(faults, host.is_some(), "mail.server", &mail.server, "write HOST:PORT");
        let host = host.map_or("", |(host, _)| host.trim_matches(['[', ']']));
        let is_local = host == "localhost" || host.parse().is_ok_and(|it: std::net::IpAddr| it.is_loopback());
        let remedy = "mail without TLS is sent to loopback addresses only";
        push_unless(faults, mail.tls != MailTls::None || is_local, "mail.tls", &"none", remedy);
        push_unless(faults, !mail.from.is_empty(), "mail.from", &"", "required: the sender of mails");
        let has_place = mail.user_address.is_empty() || mail.user_address.contains("{user}");
        push_unless(faults, has_place, "mail.user_address", &mail.user_address, "write {user} where the name stands");
    }
}
