//! Questions to the user: `--ask`, before using a trigger from a browser, and whether to continue with an unverified
//! server.

use std::io::Write as _;

use dskpp::message::Trigger;
use dskpp_client::ServerChange;
use url::Url;

use crate::enroll::link::LinkFacts;
use crate::output::Failure;
use crate::shown::shown;

/// Describes a trigger, and asks whether to use it. `url` is the server's URL if the trigger has none.
///
/// # Errors
/// The answer is not yes.
pub(super) fn go_on(trigger: &Trigger, url: Option<&str>, facts: Option<&LinkFacts>) -> Result<(), Failure> {
    eprintln!("{}", describe(trigger, url));
    if let Some(facts) = facts {
        eprintln!("{}", describe_link(facts));
    }
    match answer("Get the key now? [y/N] ").trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new("nothing was sent, and the trigger is still valid").next("open it again to use it")),
    }
}

/// What the server says of its link: nothing of it is proved before the key is there.
fn describe_link(LinkFacts { issuer, user, what, expires_at }: &LinkFacts) -> String {
    let [issuer, user, what, until] = [issuer, user, what, expires_at].map(shown);
    format!("The server says:\n  from   {issuer}\n  for    {user}\n  what   {what}\n  until  {until}")
}

/// Waits for Enter, so that the program's own window stays open.
pub(crate) fn hold() {
    answer("Press Enter to exit. ");
}

fn answer(question: &str) -> String {
    eprint!("{question}");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(_) => line,
        Err(_) => String::new(), // no answer means no
    }
}

/// Asks whether to continue with an unverified server (profile P29). Only on a terminal.
pub(super) fn accept_server(change: &ServerChange) -> bool {
    eprintln!("{}", describe_change(change));
    answer("Continue only if the server's operator announced this change. Type yes to continue: ").trim() == "yes"
}

/// The value of `--accept-server`: a URL, octet for octet (profile P13), or a fingerprint.
pub(super) fn server_name(text: &str) -> Result<String, String> {
    if let Some(digits) = text.strip_prefix("sha256:") {
        return match digits.len() == 64 && digits.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            true => Ok(text.to_ascii_lowercase()),
            false => Err("a fingerprint is sha256: and 64 hexadecimal digits".to_owned()),
        };
    }
    match Url::parse(text) {
        Ok(url) if url.has_host() => Ok(text.to_owned()),
        _ => Err("give the server's URL, or the fingerprint of its key: sha256: and 64 hexadecimal digits".to_owned()),
    }
}

fn describe_change(change: &ServerChange) -> String {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "(none known)".to_owned());
    match change {
        ServerChange::Url { key_id, old, new } => format!(
            "The key\n  {}\ncame from the server\n  {}\nand would be renewed at\n  {}",
            shown(key_id),
            or_none(old.as_deref().map(shown)),
            shown(new)
        ),
        ServerChange::KServer { url, old, new } => format!(
            "The server\n  {}\nhas the public key\n  {}\ninstead of the stored one:\n  {}",
            shown(url),
            shown(new),
            or_none(Some(old.join("\n  ")).filter(|old| !old.is_empty()))
        ),
    }
}

fn describe(trigger: &Trigger, url: Option<&str>) -> String {
    let server = trigger.server_url.as_deref().or(url).unwrap_or("(an unnamed server)");
    let mut text = format!("This trigger gets a key from\n  {}", shown(server));
    if let Some(device) = &trigger.device_identifier_data {
        let part = |text: &Option<String>| text.as_deref().map_or("?".to_owned(), shown);
        text += &format!("\nfor the device\n  {}:{}", part(&device.manufacturer), part(&device.serial_no));
    }
    if let Some(key_id) = &trigger.key_id {
        text += &format!("\nreplacing your key\n  {}", shown(String::from_utf8_lossy(key_id)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const B_1: &str = include_str!("../../../dskpp/tests/vectors/rfc6063/b1-trigger.xml");

    #[test]
    fn rfc6063_b_1_the_trigger_is_described_in_words() {
        let trigger = Trigger::read(B_1.as_bytes()).unwrap();
        let told = "This trigger gets a key from\n  keyprovservice.example.com\nfor the device\n  \
                    TokenVendorAcme:987654321\nreplacing your key\n  HOTP00000001";
        assert_eq!(describe(&trigger, Some("https://other/")), told);
        let bare = Trigger { device_identifier_data: None, key_id: None, server_url: None, ..trigger };
        assert_eq!(describe(&bare, Some("https://h/")), "This trigger gets a key from\n  https://h/");
        assert!(describe(&bare, None).ends_with("(an unnamed server)"));
    }

    #[test]
    fn a_link_is_described_as_its_page_does_it() {
        let facts =
            r#"{"issuer":"Example\u001b[2J","user":"alice","what":"Codes","expires_at":"2027-01-01T00:00:00Z","x":1}"#;
        let told = describe_link(&serde_json::from_str(facts).unwrap());
        let expected = "The server says:\n  from   Example\\u{1b}[2J\n  for    alice\n  what   Codes\n  until  2027-01-01T00:00:00Z";
        assert_eq!(told, expected);
    }

    #[test]
    fn p29_the_question_shows_the_old_and_the_new_server() {
        let (old, new) = (Some("https://a/dskpp".to_owned()), "https://a/dskpp/\u{202e}".to_owned());
        let told = describe_change(&ServerChange::Url { key_id: "K1".into(), old, new });
        assert_eq!(
            told,
            "The key\n  K1\ncame from the server\n  https://a/dskpp\nand would be renewed at\n  https://a/dskpp/\\u{202e}"
        );
        let new = format!("https://{}/", "a".repeat(400));
        let told = describe_change(&ServerChange::Url { key_id: "K1".into(), old: None, new });
        assert!(told.contains("(none known)") && told.contains('…'), "{told}");
        let change =
            ServerChange::KServer { url: "https://a/".into(), old: vec!["sha256:1".into()], new: "sha256:2".into() };
        let told = describe_change(&change);
        assert_eq!(
            told,
            "The server\n  https://a/\nhas the public key\n  sha256:2\ninstead of the stored one:\n  sha256:1"
        );
    }

    #[test]
    fn p29_a_server_is_accepted_by_url_or_fingerprint() {
        let fingerprint = format!("sha256:{}", "0aF".repeat(22).split_at(64).0);
        assert_eq!(server_name(&fingerprint).unwrap(), fingerprint.to_ascii_lowercase());
        for url in ["https://keys.example/dskpp", "https://KEYS.example:443/dskpp/", "http://127.0.0.1:1/dskpp"] {
            assert_eq!(server_name(url).unwrap(), url, "octet for octet");
        }
        for bad in ["", "yes", "keys.example", "sha256:", &fingerprint[..70], "sha256:https://a/", "mailto:a@b"] {
            assert!(server_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn texts_of_a_trigger_cannot_hide_anything() {
        let mut trigger = Trigger::read(B_1.as_bytes()).unwrap();
        trigger.server_url = Some("https://a/\u{202e}b\u{9b}2J".into());
        trigger.key_id = Some(b"k\x1b[2K\r\n\xff".to_vec());
        let told = describe(&trigger, None);
        assert!(told.lines().count() == 6 && !told.contains(['\u{202e}', '\u{9b}', '\u{1b}', '\r']), "{told:?}");
    }
}
