//! A complete CA stays; an incomplete one is refused, never replaced.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

const START: &str = "2026-11-23T00:00:00Z";

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn days(days: i64) -> Timestamp {
    start() + (days * 24).hours()
}

fn private_ca(folder: &Path, urls: &[&str]) -> PrivateCa {
    let urls: Vec<_> = urls.iter().map(ToString::to_string).collect();
    PrivateCa::new(folder.join("tls"), "[::]:8443".parse().unwrap(), &urls).unwrap()
}

/// A CA after a first start.
fn made(folder: &Path) -> (PrivateCa, [u8; 32]) {
    let ca = private_ca(folder, &[]);
    let id = ca.open(None, start()).unwrap();
    assert_eq!(ca.ensure(start()).unwrap(), None);
    (ca, id)
}

/// The contents of `ca.pem`, `ca-key.pem`, `cert.pem`, `key.pem`, if they exist.
fn state(ca: &PrivateCa) -> [Option<Vec<u8>>; 4] {
    [CA_FILE, CA_KEY_FILE, "cert.pem", "key.pem"].map(|name| fs::read(ca.folder.join(name)).ok())
}

#[test]
fn a_certificate_is_renewed_in_time_under_the_same_ca() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, id) = made(folder.path());
    let first = state(&ca);
    for secret in ["key.pem", "ca-key.pem"] {
        let mode = fs::metadata(ca.folder.join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    assert_eq!(ca.ensure(days(366)).unwrap(), None);
    assert_eq!(state(&ca), first, "31 days left");
    assert_eq!(ca.ensure(days(368)).unwrap(), None);
    let renewed = state(&ca);
    assert_eq!(renewed[..2], first[..2]);
    assert_ne!(renewed[2..], first[2..]);
    assert_eq!(ca.open(Some(&id), days(368)).unwrap(), id);
}

#[test]
fn a_new_public_name_gets_a_new_certificate_from_the_same_ca() {
    let folder = tempfile::tempdir().unwrap();
    let (old, _) = made(folder.path());
    let before = state(&old);
    let ca = private_ca(folder.path(), &["https://keys.example.com:9443/dskpp", "https://[2001:db8::1]/dskpp"]);
    assert_eq!(ca.certificate().unwrap(), None);
    ca.ensure(start()).unwrap();
    assert!(ca.certificate().unwrap().is_some() && old.certificate().unwrap().is_some());
    assert_eq!(state(&ca)[..2], before[..2]);
}

/// The CA stays whatever the clock says; only a correct clock renews a certificate.
#[test]
fn no_clock_replaces_a_ca() {
    let whole = CA_YEARS * 366;
    for (at, renewed, said) in [
        (days(-20_000), false, Some("set the clock")),
        (days(-2), false, Some("set the clock")),
        (days(0), false, None),
        (days(1000), true, None),
        (days(whole - 396), true, Some("expires on")),
        (days(whole - 20), true, Some("expires on")),
        (days(whole + 1), false, Some("set the clock")),
        (days(whole * 3), false, Some("--new-ca")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (ca, id) = made(folder.path());
        let before = state(&ca);
        assert_eq!(ca.open(Some(&id), at).unwrap(), id, "{at}");
        let warning = ca.ensure(at).unwrap();
        assert_eq!(warning.is_some(), said.is_some(), "{at}: {warning:?}");
        assert!(warning.is_none_or(|warning| warning.contains(said.unwrap())), "{at}");
        let after = state(&ca);
        assert_eq!(after[..2], before[..2], "{at}");
        assert_eq!(after[2..] != before[2..], renewed, "{at}");
        // The next check changes nothing.
        ca.ensure(at).unwrap();
        assert_eq!(state(&ca), after, "{at}");
        // Back at the correct time, the certificate is valid.
        ca.ensure(start()).unwrap();
        let (from, to) = ca.certificate().unwrap().unwrap();
        assert!((from..to).contains(&start().as_second()), "{at}");
        assert_eq!(state(&ca)[..2], before[..2], "{at}");
    }
}

#[test]
fn without_a_certificate_a_wrong_clock_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, _) = made(folder.path());
    fs::remove_file(ca.certificate_file()).unwrap();
    let before = state(&ca);
    let error = ca.ensure(days(20_000)).unwrap_err().to_string();
    assert!(error.contains("set the clock") && error.contains("tls"), "{error}");
    assert_eq!(state(&ca), before);
}

#[test]
fn an_incomplete_ca_is_refused_and_left_unchanged() {
    let other = |ca: &PrivateCa, names: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let (other, _) = made(folder.path());
        for name in names {
            fs::copy(other.folder.join(name), ca.folder.join(name)).unwrap();
        }
    };
    let remove = |ca: &PrivateCa, name: &str| fs::remove_file(ca.folder.join(name)).unwrap();
    let write = |ca: &PrivateCa, name: &str| fs::write(ca.folder.join(name), "-----BEGIN").unwrap();
    type Change<'a> = &'a dyn Fn(&PrivateCa);
    let cases: &[(&str, Change<'_>, bool, &str)] = &[
        ("no certificate", &|ca| remove(ca, CA_FILE), false, "has no ca.pem"),
        ("no key", &|ca| remove(ca, CA_KEY_FILE), false, "has no ca-key.pem"),
        ("an unreadable certificate", &|ca| write(ca, CA_FILE), false, "unreadable ca.pem"),
        ("an unreadable key", &|ca| write(ca, CA_KEY_FILE), false, "unreadable ca-key.pem"),
        ("another certificate", &|ca| other(ca, &[CA_FILE]), false, "does not match"),
        ("another key", &|ca| other(ca, &[CA_KEY_FILE]), false, "does not match"),
        (
            "a certificate without its CA",
            &|ca| {
                remove(ca, CA_FILE);
                remove(ca, CA_KEY_FILE)
            },
            false,
            "no ca.pem",
        ),
        ("all another's", &|ca| other(ca, &[CA_FILE, CA_KEY_FILE]), true, "is not the CA"),
        ("nothing any more", &|ca| fs::remove_dir_all(&ca.folder).unwrap(), true, "has no ca.pem"),
    ];
    for (what, change, only_if_known, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let (ca, id) = made(folder.path());
        change(&ca);
        let before = state(&ca);
        for known in [Some(&id[..]), None].into_iter().take(if *only_if_known { 1 } else { 2 }) {
            let error = ca.open(known, start()).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("--new-ca"), "{what}: {error}");
            assert_eq!(state(&ca), before, "{what}");
        }
    }
}

/// The server replaces its own certificate if that is unusable.
#[test]
fn an_unusable_certificate_is_replaced_under_the_same_ca() {
    type Change = fn(&Path);
    let cases: [(&str, Change); 5] = [
        ("no certificate", |tls| fs::remove_file(tls.join("cert.pem")).unwrap()),
        ("no key", |tls| fs::remove_file(tls.join("key.pem")).unwrap()),
        ("garbage", |tls| fs::write(tls.join("cert.pem"), "garbage").unwrap()),
        ("a garbled key", |tls| fs::write(tls.join("key.pem"), [0xff; 10]).unwrap()),
        ("another key, as a stop between two files leaves it", |tls| {
            fs::copy(tls.join(CA_KEY_FILE), tls.join("key.pem")).map(drop).unwrap();
        }),
    ];
    for (what, change) in cases {
        let folder = tempfile::tempdir().unwrap();
        let (ca, id) = made(folder.path());
        let before = state(&ca);
        change(&ca.folder);
        ca.open(Some(&id), start()).unwrap();
        assert_eq!(ca.certificate().unwrap(), None, "{what}");
        ca.ensure(start()).unwrap();
        assert!(ca.certificate().unwrap().is_some(), "{what}");
        assert_eq!(state(&ca)[..2], before[..2], "{what}");
    }
}

#[test]
fn the_next_start_completes_an_interrupted_first_start() {
    for (what, left) in [
        ("after the key", &[(CA_KEY_FILE, CA_KEY_BEGUN)][..]),
        ("after the certificate", &[(CA_KEY_FILE, CA_KEY_BEGUN), (CA_FILE, CA_FILE)]),
        ("after both", &[(CA_KEY_FILE, CA_KEY_FILE), (CA_FILE, CA_FILE)]),
    ] {
        let (whole, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (done, id) = made(whole.path());
        let ca = private_ca(folder.path(), &[]);
        files::make_private_folder(&ca.folder).unwrap();
        for (from, to) in left {
            fs::copy(done.folder.join(from), ca.folder.join(to)).unwrap();
        }
        let opened = ca.open(None, start()).unwrap();
        assert_eq!(opened == id, left.len() > 1, "{what}: a CA that clients may have seen stays");
        ca.ensure(start()).unwrap();
        assert!(!ca.folder.join(CA_KEY_BEGUN).exists() && ca.certificate().unwrap().is_some(), "{what}");
        assert_eq!(ca.open(Some(&opened), start()).unwrap(), opened, "{what}");
    }
}

#[test]
fn p29_k_servers_certificate_lasts_as_long_as_the_ca() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, _) = made(folder.path());
    let [old, new] = [(); 2].map(|()| dskpp_crypto::RsaPrivateKey::generate(2048).unwrap());
    let chains = [&old, &new].map(|key| ca.certify(key.public()).unwrap());
    let ca_certificate = files::read_certificates(&ca.ca_file()).unwrap().remove(0);
    let (_, above) = parse_x509_certificate(&ca_certificate).unwrap();
    for (chain, key) in chains.iter().zip([&old, &new]) {
        let [leaf, issuer] = &chain[..] else { panic!("a certificate and its issuer") };
        assert_eq!(issuer[..], ca_certificate[..], "rotation keeps it");
        let (_, leaf) = parse_x509_certificate(leaf).unwrap();
        assert_eq!(leaf.public_key().raw, key.public().to_spki_der());
        assert_eq!((leaf.issuer(), leaf.validity()), (above.subject(), above.validity()));
        assert!(!leaf.is_ca());
        let usage = leaf.key_usage().unwrap().unwrap().value;
        assert!(usage.key_encipherment() && !usage.key_cert_sign() && !usage.digital_signature());
    }
    fs::remove_file(ca.folder.join(CA_KEY_FILE)).unwrap();
    assert!(ca.certify(old.public()).is_err());
}
