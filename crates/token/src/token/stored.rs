//! A token as JSON. Newer fields are left out when empty: older programs still read such a token, and refuse a token with a
//! limit that they do not know.

use super::Token;
use crate::json::{Fields, JsonWriter};

impl Token {
    pub(crate) fn write(&self, to: &mut JsonWriter) {
        let text = Option::<String>::as_deref;
        to.begin(b'{');
        to.text("id", Some(&self.id));
        to.text_or_null("label", text(&self.label));
        to.text("key_type", Some(&self.key_type));
        to.text("algorithm_uri", Some(&self.algorithm_uri));
        to.octets("secret", Some(self.secret.expose()));
        to.octets_or_null("k_mac", self.k_mac.as_ref().map(|k_mac| k_mac.expose()));
        to.text_or_null("mac_algorithm", text(&self.mac_algorithm));
        to.text_or_null("server_url", text(&self.server_url));
        to.text_or_null("server_id", text(&self.server_id));
        to.octets_or_null("k_server", self.k_server.as_deref());
        to.octets("k_server_exponent", self.k_server_exponent.as_deref());
        to.octets("k_server_issuer", self.k_server_issuer.as_deref());
        to.text("manufacturer", text(&self.manufacturer));
        to.text("serial", text(&self.serial));
        to.text_or_null("issuer", text(&self.issuer));
        to.text_or_null("user", text(&self.user));
        to.number_or_null("digits", self.digits.map(u64::from));
        to.number_or_null("period_s", self.period_s.map(u64::from));
        if let Some(drift) = self.drift {
            to.name("drift").word(&drift.to_string());
        }
        to.text_or_null("hash", text(&self.hash));
        to.number_or_null("counter", self.counter);
        to.text_or_null("suite", text(&self.suite));
        to.text_or_null("start", text(&self.start));
        to.text_or_null("expiry", text(&self.expiry));
        to.number("uses_left", self.uses_left);
        if !self.usages.is_empty() {
            to.texts("usages", &self.usages);
        }
        to.text("old_of", text(&self.old_of));
        to.text("created_at", Some(&self.created_at));
        to.end(b'}');
    }

    /// Good only if [`Fields::end`] finds nothing wrong.
    pub(crate) fn read(from: &mut Fields) -> Box<Self> {
        from.must_have(&["k_mac", "k_server"]);
        Box::new(Token {
            id: from.required_text("id"),
            label: from.text("label"),
            key_type: from.required_text("key_type"),
            algorithm_uri: from.required_text("algorithm_uri"),
            secret: from.required_secret("secret"),
            k_mac: from.secret("k_mac"),
            mac_algorithm: from.text("mac_algorithm"),
            server_url: from.text("server_url"),
            server_id: from.text("server_id"),
            k_server: from.octets("k_server"),
            k_server_exponent: from.octets("k_server_exponent"),
            k_server_issuer: from.octets("k_server_issuer"),
            manufacturer: from.text("manufacturer"),
            serial: from.text("serial"),
            issuer: from.text("issuer"),
            user: from.text("user"),
            digits: from.number("digits"),
            period_s: from.number("period_s"),
            drift: from.number("drift"),
            hash: from.text("hash"),
            counter: from.number("counter"),
            suite: from.text("suite"),
            start: from.text("start"),
            expiry: from.text("expiry"),
            uses_left: from.number("uses_left"),
            usages: from.texts("usages"),
            old_of: from.text("old_of"),
            created_at: from.required_text("created_at"),
        })
    }
}
