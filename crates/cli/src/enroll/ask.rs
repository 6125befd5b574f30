//! `--ask`: a person who opened a trigger from a browser says yes before anything is sent.

use std::io::Write as _;

use dskpp::message::Trigger;

use crate::output::Failure;

/// Says what a trigger is for, and asks. `url` is the server's, where the trigger names none.
///
/// # Errors
/// Where the answer is not yes.
pub(super) fn go_on(trigger: &Trigger, url: Option<&str>) -> Result<(), Failure> {
    eprintln!("{}", describe(trigger, url));
    match answer("Get the key now? [y/N] ").trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new("nothing was sent, and the trigger is not used up").next("open it again to use it")),
    }
}

/// Waits for Enter: a window that was opened for the program closes with it.
pub(crate) fn hold() {
    answer("Press Enter to end. ");
}

fn answer(question: &str) -> String {
    eprint!("{question}");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(_) => line,
        Err(_) => String::new(), // no answer is a no
    }
}

fn describe(trigger: &Trigger, url: Option<&str>) -> String {
    let server = trigger.server_url.as_deref().or(url).unwrap_or("(a server that it does not name)");
    let mut text = format!("This trigger gets a key from\n  {}", plain(server));
    if let Some(device) = &trigger.device_identifier_data {
        let part = |text: &Option<String>| text.as_deref().map_or("?".to_owned(), plain);
        text += &format!("\nfor the device\n  {}:{}", part(&device.manufacturer), part(&device.serial_no));
    }
    if let Some(key_id) = &trigger.key_id {
        text += &format!("\nin place of your key\n  {}", plain(&String::from_utf8_lossy(key_id)));
    }
    text
}

/// Text of somebody else, without what moves a cursor or turns the direction of writing.
fn plain(text: &str) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().take(300).map(|c| if hides(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const B_1: &str = include_str!("../../../dskpp/tests/vectors/rfc6063/b1-trigger.xml");

    #[test]
    fn rfc6063_b_1_the_trigger_is_told_in_words() {
        let trigger = Trigger::read(B_1.as_bytes()).unwrap();
        let told = "This trigger gets a key from\n  keyprovservice.example.com\nfor the device\n  \
                    TokenVendorAcme:987654321\nin place of your key\n  HOTP00000001";
        assert_eq!(describe(&trigger, Some("https://other/")), told);
        let bare = Trigger { device_identifier_data: None, key_id: None, server_url: None, ..trigger };
        assert_eq!(describe(&bare, Some("https://h/")), "This trigger gets a key from\n  https://h/");
        assert!(describe(&bare, None).ends_with("does not name)"));
    }

    #[test]
    fn what_a_trigger_says_cannot_hide_anything() {
        let mut trigger = Trigger::read(B_1.as_bytes()).unwrap();
        trigger.server_url = Some("https://a/\u{202e}b\u{9b}2J".into());
        trigger.key_id = Some(b"k\x1b[2K\r\n\xff".to_vec());
        let told = describe(&trigger, None);
        assert!(told.lines().count() == 6 && !told.contains(['\u{202e}', '\u{9b}', '\u{1b}', '\r']), "{told:?}");
    }
}
