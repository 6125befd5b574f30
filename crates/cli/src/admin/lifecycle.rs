//! Lost tokens, and what ends soon.

use clap::Args;
use dskpp_api::{Expiring, ExpiringQuery, KeyType, LostRequest, Named, UserLost, paths};

use super::enrolment::describe_new;
use super::list::{or_dash, table};
use super::one_of;
use crate::api::Api;
use crate::output::{Failure, Output};
use crate::shown::shown;

/// A lost token.
#[derive(Args)]
pub(super) struct LostArgs {
    /// The user's name
    user: String,
    /// The server's template of the new enrolment
    #[arg(long, value_name = "NAME", conflicts_with = "group", help_heading = "Enrolment")]
    template: Option<String>,
    /// The user's group, which chooses the server's template
    #[arg(long, help_heading = "Enrolment")]
    group: Option<String>,
    /// Type of the new key, if it is not like the last one
    #[arg(long, value_parser = one_of::<KeyType>(KeyType::ENROLLED), help_heading = "Key")]
    key_type: Option<KeyType>,
    /// Seconds until the new code expires
    #[arg(long, value_name = "SECONDS", help_heading = "Enrolment")]
    expires_in: Option<u64>,
}

/// What ends soon.
#[derive(Args)]
pub(super) struct ExpiringArgs {
    /// How soon: a number and s, m, h or d, such as 30d
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = seconds, help_heading = "Filter")]
    within: u64,
}

impl LostArgs {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        let LostArgs { user, template, group, key_type, expires_in } = self;
        let key_type = key_type.map(Named::from);
        let request = LostRequest { user, template, group, key_type, expires_in_s: expires_in };
        let lost: UserLost = api.post(paths::USERS_LOST, &request).await?;
        output.print(&lost, || {
            let (keys, enrolments) = (lost.revoked_keys.len(), lost.revoked_enrolments.len());
            let new = describe_new(&lost.enrolment, api.ca());
            format!("{}: {keys} keys and {enrolments} open enrolments are revoked\n\n{new}", shown(&lost.user))
        })
    }
}

impl ExpiringArgs {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        let query = |after| ExpiringQuery { within_s: Some(self.within), after };
        let mut all: Expiring = api.get_by(paths::EXPIRING, &query(None)).await?;
        while let Some(next) = all.next.take() {
            let page: Expiring = api.get_by(paths::EXPIRING, &query(Some(next.clone()))).await?;
            if page.next.as_ref() == Some(&next) {
                return Err(Failure::new("the server's list does not go on"));
            }
            all.keys.extend(page.keys);
            all.next = page.next;
        }
        output.print(&all, || {
            let certificates = all.certificates.iter().map(|it| {
                vec!["certificate".to_owned(), it.certificate.clone(), "-".to_owned(), or_dash(it.expires_at.as_ref())]
            });
            let keys = all.keys.iter().map(|key| {
                let user = or_dash(key.user.as_ref());
                vec![format!("{} key", key.key_type), key.key_id.clone(), user, or_dash(key.expires_at.as_ref())]
            });
            table(&["WHAT", "ID", "USER", "EXPIRES"], certificates.chain(keys).collect())
        })
    }
}

/// `30d` → 2592000
fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no time: write a number and s, m, h or d, such as 30d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let (number, unit_s) = match unit {
        's' => (&text[..text.len() - 1], 1),
        'm' => (&text[..text.len() - 1], 60),
        'h' => (&text[..text.len() - 1], 3600),
        'd' => (&text[..text.len() - 1], 86_400),
        _ => return Err(wrong()),
    };
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    let number = number.parse::<u64>().ok().filter(|_| is_number);
    number.and_then(|number| number.checked_mul(unit_s)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_time_has_a_number_and_a_unit() {
        for (text, expected) in [("30d", 2_592_000), ("12h", 43_200), ("5m", 300), ("0s", 0)] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in
            ["", "d", "30", "30 d", "-1d", "+1d", "1.5d", "30D", "99999999999999999999d", "1000000000000000000d", "3é"]
        {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
