//! The configuration: the documented sample, faults, the environment.

use dskpp_server::{Config, ConfigError};
use toml::Table;

fn no_variables() -> [(String, String); 0] {
    []
}

fn variables<const N: usize>(pairs: [(&str, &str); N]) -> [(String, String); N] {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// The keys of the faults, in order.
fn keys(error: ConfigError) -> Vec<String> {
    error.0.into_iter().map(|fault| fault.key).collect()
}

#[test]
fn the_sample_lists_every_key_with_its_default() {
    let sample = include_str!("../dskpp.toml");
    assert_eq!(Config::read(sample, no_variables()), Ok(Config::default()), "as it is");
    let uncommented = sample.lines().map(|line| match line.strip_prefix('#') {
        Some(key) if key.starts_with(|first: char| first.is_ascii_lowercase()) => key,
        _ => line,
    });
    let uncommented = uncommented.collect::<Vec<_>>().join("\n");
    let defaults = Table::try_from(Config::default()).unwrap();
    assert_eq!(uncommented.parse::<Table>().unwrap(), defaults, "with every key set");
}

#[test]
fn every_key_can_be_set_in_the_environment() {
    let defaults = Table::try_from(Config::default()).unwrap();
    for (section, keys) in &defaults {
        for (key, value) in keys.as_table().unwrap() {
            let name = format!("DSKPP_{}_{}", section, key).to_uppercase();
            let text = match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Array(items) => {
                    items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(", ")
                }
                other => other.to_string(),
            };
            let read = Config::read("", [(name.clone(), text)]);
            assert_eq!(read, Ok(Config::default()), "{name}");
        }
    }
    let set = variables([
        ("DSKPP_SERVER_PUBLIC_URLS", "https://a.example/dskpp, https://b.example/dskpp"),
        ("DSKPP_LIMITS_CRYPTO_QUEUE", "7"),
        ("DSKPP_SERVER_HTTP", "true"),
        ("DSKPP_STORE_PASSPHRASE", "another program's"),
        ("DSKPP_KEK", "00"),
        ("HOME", "/root"),
    ]);
    let config = Config::read("[limits]\ncrypto_queue = 3\n", set).unwrap();
    assert_eq!(config.server.public_urls, ["https://a.example/dskpp", "https://b.example/dskpp"]);
    assert_eq!((config.limits.crypto_queue, config.server.http), (7, true));
}

#[test]
fn all_faults_are_reported_at_once_with_key_value_and_remedy() {
    let text = "
        colour = 'red'
        [server]
        listen = 'nowhere'
        liste = '127.0.0.1:1'
        [policy]
        key_types = ['hotp', 'motp']
        lock_after = -1
        [stores]
        x = 1
    ";
    let set = variables([("DSKPP_LIMITS_CRYPTO_QUEUE", "many"), ("DSKPP_TLS_CERT", "a.pem")]);
    let error = Config::read(text, set).unwrap_err();
    let shown = error.to_string();
    for part in ["\"nowhere\"", "motp", "-1", "many", "unknown field `liste`", "a.pem"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let mut found = keys(error);
    found.sort();
    let expected = [
        "colour",
        "limits.crypto_queue",
        "policy.key_types",
        "policy.lock_after",
        "server.liste",
        "server.listen",
        "stores.x",
        "tls.cert",
    ];
    assert_eq!(found, expected);
    assert_eq!(keys(Config::read("[server", no_variables()).unwrap_err()), [""], "the text as a whole is at fault");
    let missing = Config::load(Some("/nonexistent/dskpp.toml".as_ref())).unwrap_err();
    assert!(missing.to_string().contains("/nonexistent/dskpp.toml"), "{missing}");
}

#[test]
fn values_are_checked_against_bounds_and_each_other() {
    let check = |text: &str| Config::read(text, no_variables()).unwrap().check().map_err(keys);
    assert_eq!(check(""), Ok(()));
    let behind_names = "[server]\nlisten = '0.0.0.0:443'\npublic_urls = ['https://keys.example.com/dskpp']";
    assert_eq!(check(behind_names), Ok(()));
    for metrics in ["listen = '[::1]:9464'", "listen = '0.0.0.0:9464'\nallow_remote = true", "listen = ''"] {
        assert_eq!(check(&format!("[metrics]\n{metrics}")), Ok(()), "{metrics}");
    }
    assert_eq!(keys(Config::read("[metrics]\nlisten = 'localhost'", no_variables()).unwrap_err()), ["metrics.listen"]);
    for (text, key) in [
        ("[server]\nhttp = true\nlisten = '0.0.0.0:80'\npublic_urls = ['https://a.example/dskpp']", "server.http"),
        ("[server]\nlisten = '0.0.0.0:443'", "server.public_urls"),
        ("[server]\npublic_urls = ['http://keys.example.com/dskpp']", "server.public_urls"),
        ("[server]\npublic_urls = ['https://keys.example.com/ dskpp']", "server.public_urls"),
        ("[server]\nworkers = 0", "server.workers"),
        ("[tls]\ncertificate = 'a.pem'", "tls.certificate"),
        ("[tls]\nreload_s = 0", "tls.reload_s"),
        ("[k_server]\ncertificate = 'a.pem'", "k_server.certificate"),
        ("[devices]\nrevocation_lists = ['a.crl']", "devices.revocation_lists"),
        ("[devices]\nreload_s = 0", "devices.reload_s"),
        ("[policy]\nmac_algorithms = []", "policy.mac_algorithms"),
        ("[policy]\niteration_ceiling = 99999", "policy.iteration_ceiling"),
        ("[policy]\nsession_lifetime_s = 0", "policy.session_lifetime_s"),
        ("[policy]\nlock_after = 0", "policy.lock_after"),
        ("[limits]\nbody_timeout_s = 0", "limits.body_timeout_s"),
        ("[limits]\ncrypto_queue = 0", "limits.crypto_queue"),
        ("[limits]\ncrypto_wait_s = 0", "limits.crypto_wait_s"),
        ("[validate]\ntotp_window = 100", "validate.totp_window"),
        ("[metrics]\nlisten = '0.0.0.0:9464'", "metrics.listen"),
        ("[metrics]\nlisten = '[::ffff:192.0.2.1]:9464'", "metrics.listen"),
        ("[metrics]\nlisten = '127.0.0.1:8443'", "metrics.listen"),
    ] {
        assert_eq!(check(text), Err(vec![key.to_owned()]), "{text}");
    }
}

#[test]
fn p3_no_key_lowers_the_iteration_floor() {
    let defaults = Table::try_from(Config::default()).unwrap().to_string();
    assert!(!defaults.contains("floor"), "{defaults}");
}
