//! Bounds of keys, and checks between them.

use super::{Config, ConfigError, ConfigFault, KeyType, ProxyHeader};

/// The longest lifetime, in seconds: a year.
pub(super) const MAX_LIFETIME_S: u64 = 366 * 86_400;

impl Config {
    /// Checks values against their bounds and against each other.
    ///
    /// # Errors
    /// Every fault, with key, value and remedy.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut faults = Vec::new();
        self.check_server(&mut faults);
        self.check_proxy(&mut faults);
        self.check_metrics(&mut faults);
        self.check_audit(&mut faults);
        self.check_devices(&mut faults);
        self.check_policy(&mut faults);
        self.check_portal(&mut faults);
        self.check_sinks(&mut faults);
        self.check_templates(&mut faults);
        self.check_notices(&mut faults);
        self.check_limits(&mut faults);
        if faults.is_empty() { Ok(()) } else { Err(ConfigError(faults)) }
    }

    fn check_server(&self, faults: &mut Vec<ConfigFault>) {
        let server = &self.server;
        let mut fault = |holds, key, value: &dyn std::fmt::Display, remedy| {
            push_unless(faults, holds, key, value, remedy);
        };
        let listen = server.listen;
        fault(
            !server.http || listen.ip().is_loopback(),
            "server.http",
            &server.http,
            "plain HTTP is served on loopback addresses only; set server.listen to 127.0.0.1:PORT \
             or use TLS",
        );
        // Only the operator knows the server's public names.
        fault(
            listen.ip().is_loopback() || !server.public_urls.is_empty(),
            "server.public_urls",
            &"[]",
            "required unless server.listen is a loopback address; list the URLs at which \
             clients reach POST /dskpp, such as https://keys.example.com/dskpp",
        );
        for url in &server.public_urls {
            let secure = url.starts_with("https://") || (server.http && url.starts_with("http://"));
            fault(
                secure && url.bytes().all(|octet| octet.is_ascii_graphic()),
                "server.public_urls",
                url,
                "must be an https URL without white space",
            );
        }
        let visible = |text: &str| text.is_empty() || pskc::is_name(text);
        fault(
            server.server_id.len() <= 128 && visible(&server.server_id),
            "server.server_id",
            &pskc::Shown(&server.server_id),
            "use at most 128 octets of visible characters, without leading or trailing blanks",
        );
        fault(
            visible(&server.issuer),
            "server.issuer",
            &pskc::Shown(&server.issuer),
            "use 1 to 256 visible characters, without leading or trailing blanks",
        );
        fault((1..=64).contains(&server.workers), "server.workers", &server.workers, "use 1 to 64");
        fault(server.drain_s <= 3600, "server.drain_s", &server.drain_s, "use 0 to 3600");
        let tls = &self.tls;
        fault(
            tls.certificate.as_os_str().is_empty() == tls.key.as_os_str().is_empty(),
            "tls.certificate",
            &tls.certificate.display(),
            "set both tls.certificate and tls.key, or neither",
        );
        fault((1..=86_400).contains(&tls.reload_s), "tls.reload_s", &tls.reload_s, "use 1 to 86400");
        let k_server = &self.k_server;
        fault(
            k_server.certificate.as_os_str().is_empty() || !k_server.key.as_os_str().is_empty(),
            "k_server.certificate",
            &k_server.certificate.display(),
            "requires the certificate's private key: set k_server.key too",
        );
    }

    fn check_proxy(&self, faults: &mut Vec<ConfigFault>) {
        let proxy = &self.proxy;
        let networks: Vec<String> = proxy.trusted.iter().map(|network| String::from(*network)).collect();
        push_unless(
            faults,
            (proxy.header == ProxyHeader::None) == networks.is_empty(),
            "proxy.trusted",
            &format!("{networks:?}"),
            "set both proxy.trusted and proxy.header, or neither",
        );
    }

    fn check_metrics(&self, faults: &mut Vec<ConfigFault>) {
        let Some(listen) = self.metrics.listen else { return };
        push_unless(
            faults,
            listen.ip().is_loopback() || self.metrics.allow_remote,
            "metrics.listen",
            &listen,
            "metrics are served without TLS and without a token: use a loopback address, or set metrics.allow_remote \
             where a firewall lets only the monitoring in",
        );
        push_unless(
            faults,
            listen.port() == 0 || listen != self.server.listen,
            "metrics.listen",
            &listen,
            "is server.listen: metrics need a port of their own",
        );
    }

    fn check_audit(&self, faults: &mut Vec<ConfigFault>) {
        let interval = self.audit.checkpoint_interval_s;
        push_unless(
            faults,
            (1..=86_400).contains(&interval),
            "audit.checkpoint_interval_s",
            &interval,
            "must be 1 to 86400 (a day)",
        );
    }

    fn check_devices(&self, faults: &mut Vec<ConfigFault>) {
        let devices = &self.devices;
        push_unless(
            faults,
            devices.revocation_lists.is_empty() || !devices.anchors.as_os_str().is_empty(),
            "devices.revocation_lists",
            &format!("{:?}", devices.revocation_lists),
            "has no effect without trust anchors: set devices.anchors too",
        );
        let reload_s = &devices.reload_s;
        push_unless(faults, (1..=86_400).contains(reload_s), "devices.reload_s", reload_s, "use 1 to 86400");
    }

    fn check_policy(&self, faults: &mut Vec<ConfigFault>) {
        let policy = &self.policy;
        let mut fault = |holds, key, value: &dyn std::fmt::Display, remedy| {
            push_unless(faults, holds, key, value, remedy);
        };
        for (key, is_empty) in [
            ("policy.key_types", policy.key_types.is_empty()),
            ("policy.encryption_algorithms", policy.encryption_algorithms.is_empty()),
            ("policy.mac_algorithms", policy.mac_algorithms.is_empty()),
        ] {
            fault(!is_empty, key, &"[]", "list at least one, or omit the key for all");
        }
        let can_be_made = !policy.key_types.contains(&KeyType::Other);
        fault(can_be_made, "policy.key_types", &"other", "list types that DSKPP can provision");
        fault(
            (100_000..=i32::MAX as u32).contains(&policy.iteration_ceiling),
            "policy.iteration_ceiling",
            &policy.iteration_ceiling,
            "use 100000 (the RFC's minimum) to 2147483647",
        );
        fault(
            (1..=86_400).contains(&policy.session_lifetime_s),
            "policy.session_lifetime_s",
            &policy.session_lifetime_s,
            "use 1 to 86400 seconds",
        );
        fault(
            (1..=MAX_LIFETIME_S).contains(&policy.enrolment_lifetime_s),
            "policy.enrolment_lifetime_s",
            &policy.enrolment_lifetime_s,
            "use 1 second to 366 days",
        );
        fault(
            (1..=1000).contains(&policy.lock_after),
            "policy.lock_after",
            &policy.lock_after,
            "use 1 to 1000 wrong tries",
        );
        let validate = &self.validate;
        fault(
            validate.hotp_look_ahead <= 100,
            "validate.hotp_look_ahead",
            &validate.hotp_look_ahead,
            "use 0 to 100: each additional value is another password that a guess can hit",
        );
        fault(
            validate.totp_window <= 10,
            "validate.totp_window",
            &validate.totp_window,
            "use 0 to 10: each additional step is two more passwords that a guess can hit",
        );
    }

    fn check_portal(&self, faults: &mut Vec<ConfigFault>) {
        let help = &self.portal.help;
        push_unless(
            faults,
            help.is_empty() || pskc::is_name(help),
            "portal.help",
            &pskc::Shown(help),
            "use 1 to 256 visible characters, without leading or trailing blanks",
        );
    }

    fn check_limits(&self, faults: &mut Vec<ConfigFault>) {
        let limits = &self.limits;
        for (key, value, most) in [
            ("limits.handshake_timeout_s", limits.handshake_timeout_s, 300),
            ("limits.header_timeout_s", limits.header_timeout_s, 300),
            ("limits.body_timeout_s", limits.body_timeout_s, 300),
            ("limits.write_timeout_s", limits.write_timeout_s, 300),
            ("limits.request_timeout_s", limits.request_timeout_s, 3600),
            ("limits.requests_per_address_burst", limits.requests_per_address_burst.into(), 1 << 30),
            ("limits.max_connections", limits.max_connections as u64, 1 << 20),
            ("limits.max_connections_per_address", limits.max_connections_per_address as u64, 1 << 20),
            ("limits.crypto_queue", limits.crypto_queue as u64, 1 << 16),
            ("limits.crypto_wait_s", limits.crypto_wait_s, 60),
        ] {
            let holds = (1..=most).contains(&value);
            push_unless(faults, holds, key, &value, &format!("use 1 to {most}"));
        }
        let threads = limits.crypto_threads;
        push_unless(faults, threads <= 1024, "limits.crypto_threads", &threads, "use 0 to 1024");
    }
}

pub(super) fn push_unless(
    faults: &mut Vec<ConfigFault>,
    holds: bool,
    key: &str,
    value: &dyn std::fmt::Display,
    remedy: &str,
) {
    if !holds {
        let (key, value) = (key.to_owned(), value.to_string());
        faults.push(ConfigFault::new(key, value, remedy));
    }
}
