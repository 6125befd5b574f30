//! Conversions lose no element and no attribute without a warning.

use super::support::Home;

const KEY: &str = "Id=\"k\" Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:totp\"";

/// A container in which each `[…]` is a place for additions, in schema order.
const WHOLE: &str = "<KeyContainer xmlns='urn:ietf:params:xml:ns:keyprov:pskc' xmlns:v='urn:v' [a]Version='1.[b]0'>\
    <KeyPackage>[c]<Key KEY>[d]<AlgorithmParameters>[e]<ResponseFormat Encoding='DECIMAL' Length='6'/>[f]\
    </AlgorithmParameters>[g]<Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>[h]<Time>\
    <PlainValue>0</PlainValue></Time><TimeInterval><PlainValue>30</PlainValue></TimeInterval>[i]</Data>[j]</Key>[k]\
    </KeyPackage>[l]</KeyContainer>";

/// The places, and the possible additions.
const ADDED: &[(&str, &[&str])] = &[
    ("a", &["Id='c' ", "xml:lang='de' ", "xml:space='preserve' ", "xml:base='urn:b' ", "xml:id='i' ", "v:odd='1' "]),
    ("b", &["1"]),
    (
        "c",
        &[
            "<DeviceInfo/>",
            "<DeviceInfo><Manufacturer/></DeviceInfo>",
            "<DeviceInfo><Manufacturer>oath.ZZ</Manufacturer></DeviceInfo>",
            "<DeviceInfo><Manufacturer xml:lang='de'>oath.ZZ</Manufacturer></DeviceInfo>",
            "<DeviceInfo xml:lang='de'><SerialNo>1</SerialNo></DeviceInfo>",
            "<DeviceInfo><SerialNo/></DeviceInfo>",
            "<DeviceInfo><SerialNo>1</SerialNo></DeviceInfo>",
            "<DeviceInfo><Model/></DeviceInfo>",
            "<DeviceInfo><Model>m</Model></DeviceInfo>",
            "<DeviceInfo><IssueNo/></DeviceInfo>",
            "<DeviceInfo><IssueNo>1</IssueNo></DeviceInfo>",
            "<DeviceInfo><DeviceBinding/></DeviceInfo>",
            "<DeviceInfo><DeviceBinding>b</DeviceBinding></DeviceInfo>",
            "<DeviceInfo><StartDate>2026-01-01T00:00:00Z</StartDate></DeviceInfo>",
            "<DeviceInfo><ExpiryDate>2036-01-01T00:00:00.5Z</ExpiryDate></DeviceInfo>",
            "<DeviceInfo><ExpiryDate>2036-01-01T00:00:00.1234567891Z</ExpiryDate></DeviceInfo>",
            "<DeviceInfo><UserId/></DeviceInfo>",
            "<DeviceInfo><UserId>CN=d</UserId></DeviceInfo>",
            "<DeviceInfo><Extensions><v:x/></Extensions></DeviceInfo>",
            "<CryptoModuleInfo><Id/></CryptoModuleInfo>",
            "<CryptoModuleInfo><Id>m</Id></CryptoModuleInfo>",
            "<CryptoModuleInfo><Id xml:lang='de'>m</Id></CryptoModuleInfo>",
            "<CryptoModuleInfo><Id>m</Id><Extensions><v:x/></Extensions></CryptoModuleInfo>",
        ],
    ),
    ("d", &["<Issuer/>", "<Issuer>i</Issuer>", "<Issuer xml:lang='de'>i</Issuer>"]),
    (
        "e",
        &[
            "<Suite/>",
            "<Suite>HMAC-SHA256</Suite>",
            "<Suite xml:lang='de'>HMAC-SHA256</Suite>",
            "<ChallengeFormat Encoding='DECIMAL' Min='1' Max='8'/>",
        ],
    ),
    ("f", &["<Extensions><v:x/></Extensions>"]),
    (
        "g",
        &[
            "<KeyProfileId/>",
            "<KeyProfileId>p</KeyProfileId>",
            "<KeyReference/>",
            "<KeyReference>r</KeyReference>",
            "<FriendlyName/>",
            "<FriendlyName>f</FriendlyName>",
            "<FriendlyName xml:lang='de'>f</FriendlyName>",
            "<FriendlyName xml:lang=''>f</FriendlyName>",
            "<FriendlyName xml:space='preserve'>f</FriendlyName>",
        ],
    ),
    ("h", &["<Counter><PlainValue>7</PlainValue></Counter>"]),
    ("i", &["<TimeDrift><PlainValue>7</PlainValue></TimeDrift>", "<v:x/>"]),
    (
        "j",
        &[
            "<UserId/>",
            "<UserId>CN=u</UserId>",
            "<Policy/>",
            "<Policy xml:lang='de'/>",
            "<Policy><StartDate>2026-01-01T00:00:00Z</StartDate></Policy>",
            "<Policy><ExpiryDate>2036-01-01T00:00:00Z</ExpiryDate></Policy>",
            "<Policy><ExpiryDate>2036-01-01T00:00:00.1234567891Z</ExpiryDate></Policy>",
            "<Policy><PINPolicy/></Policy>",
            "<Policy><PINPolicy PINKeyId=''/></Policy>",
            "<Policy><PINPolicy PINUsageMode='Local' PINKeyId='p'/></Policy>",
            "<Policy><PINPolicy PINUsageMode='Local' xml:lang='de'/></Policy>",
            "<Policy><PINPolicy PINUsageMode='Append'/></Policy>",
            "<Policy><PINPolicy MaxFailedAttempts='3'/></Policy>",
            "<Policy><PINPolicy MinLength='3'/></Policy>",
            "<Policy><PINPolicy MaxLength='3'/></Policy>",
            "<Policy><PINPolicy PINEncoding='DECIMAL'/></Policy>",
            "<Policy><KeyUsage>OTP</KeyUsage></Policy>",
            "<Policy><NumberOfTransactions>5</NumberOfTransactions></Policy>",
            "<Policy><v:x/></Policy>",
            "<Extensions><v:x/></Extensions>",
            "<Extensions definition='urn:d'><v:x xml:lang='de'/></Extensions>",
        ],
    ),
    (
        "k",
        &[
            "<Extensions><v:x/></Extensions>",
            "</KeyPackage><KeyPackage><DeviceInfo><SerialNo>1</SerialNo></DeviceInfo>",
        ],
    ),
    ("l", &["<Extensions><v:x/></Extensions>"]),
];

/// The container with one addition.
fn with(place: &str, added: &str) -> String {
    let text = WHOLE.replace(&format!("[{place}]"), added).replace("1.10", "1.1").replace("KEY", KEY);
    ADDED.iter().fold(text, |text, (place, _)| text.replace(&format!("[{place}]"), ""))
}

/// A conversion to a format: exit code, result and messages.
fn converted(home: &Home, text: &str, format: &str, lenient: bool) -> (Option<i32>, String, String) {
    home.write("in.xml", text);
    let mut command = vec!["pskc", "convert", "in.xml", "--to", format, "-o", "out", "--force"];
    command.extend(lenient.then_some("--lenient"));
    if format != "pkcs12" {
        let done = home.run(&command);
        let result = if done.code == Some(0) { std::fs::read(home.path("out")).unwrap() } else { Vec::new() };
        return (done.code, String::from_utf8_lossy(&result).into_owned(), done.err);
    }
    command.extend(["--to-password-file", "password", "--iterations", "1000"]);
    let done = home.run(&command);
    let shown = home.run(&["pskc", "inspect", "out", "--password-file", "password", "--json"]);
    (done.code, if done.code == Some(0) { shown.out } else { String::new() }, done.err)
}

#[test]
fn additions_to_a_file_are_in_the_result_or_reported() {
    let home = Home::new();
    home.write("password", "a password\n");
    let strict = ["pskc", "json", "csv", "otpauth", "usersfile", "rfc6031", "pkcs12"].map(|format| (format, false));
    for (format, lenient) in strict.into_iter().chain([("pskc", true), ("csv", true)]) {
        let bare = converted(&home, &with("", ""), format, lenient);
        assert_eq!(bare.0, Some(0), "{format}: {bare:?}");
        assert_eq!(converted(&home, &with("", ""), format, lenient), bare, "the same again");
        for (place, added) in ADDED.iter().flat_map(|(place, added)| added.iter().map(move |added| (place, added))) {
            let found = converted(&home, &with(place, added), format, lenient);
            assert!(found != bare, "{added} vanishes on its way to {format} (lenient: {lenient})");
        }
    }
}

/// A JSON key with these members.
fn key(id: &str, algorithm: &str, more: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"algorithm\":\"{algorithm}\",\"secret_hex\":\"3132333435363738393031323334353637383930\"{more}}}"
    )
}

fn with_pin(id: &str, mode: &str, more: &str) -> String {
    let policy = format!(",\"policy\":{{\"pin_key_id\":\"p\",\"pin_usage\":\"{mode}\"}}");
    key(id, "totp", &format!(",\"time_interval\":30,\"response_length\":6{policy}{more}"))
}

/// Keys omitted with `--skip`, and their PINs.
#[test]
fn omitted_keys_are_reported_with_their_pins() {
    let home = Home::new();
    let good = key("a", "totp", ",\"time_interval\":30,\"response_length\":6");
    let pin = key("p", "pin", "");
    let unfit = with_pin("k", "Prepend", ",\"friendly_name\":\"a\\u0001b\"");
    let blank = ",\"key_userid\":\"with blank\"";
    for (keys, format, said, result) in [
        (
            vec![good.clone(), unfit.clone(), pin.clone()],
            "pskc",
            &[
                "key 2 (k) is left out: the format cannot carry its friendly name",
                "key p holds the PIN of no key that is written",
                "1 key left out",
            ][..],
            &["Id=\"a\"", "Id=\"p\""][..],
        ),
        (
            vec![with_pin("k", "Local", ""), good.clone(), pin.clone()],
            "usersfile",
            &[
                "key 1 (k) is left out: a users file supports only PINs before the code",
                "key 3 (p) is left out: it is the PIN of keys that are left out",
                "2 keys left out",
            ],
            &["HOTP/T30\ta\t-\t"],
        ),
        (
            vec![pin.clone(), with_pin("k", "Prepend", blank), with_pin("l", "Prepend", "")],
            "usersfile",
            &["key 2 (k) is left out: the user's name has spaces", "1 key left out"],
            &["HOTP/T30\tl\t12345678901234567890\t"],
        ),
        (
            vec![good.clone(), pin.clone(), with_pin("k", "Prepend", blank)],
            "usersfile",
            &["key 3 (k) is left out", "key 2 (p) is left out: it is the PIN", "2 keys left out"],
            &["HOTP/T30\ta\t-\t"],
        ),
        (
            vec![with_pin("k", "Prepend", ""), key("p", "pin", ",\"issuer\":\"i\"")],
            "usersfile",
            &["attributes of PIN keys (1 key)", "PIN Ids (1 key)"],
            &["HOTP/T30\tk\t12345678901234567890\t"],
        ),
        (
            vec![with_pin("k", "Prepend", ""), pin.clone(), key("p", "pin", "").replace("3132", "3232")],
            "usersfile",
            &["key 3 (p) is left out: another PIN has the same Id"],
            &["HOTP/T30\tk\t12345678901234567890\t"],
        ),
        (
            vec![with_pin("k", "Prepend", ""), pin.clone(), good.replace("\"a\"", "\"p\"")],
            "usersfile",
            &["HOTP/T30"][..0],
            &["HOTP/T30\tk\t12345678901234567890\t", "HOTP/T30\tp\t-\t"],
        ),
        (
            vec![
                with_pin("k", "Prepend", ""),
                key("p", "pin", ",\"policy\":{\"number_of_transactions\":5}"),
                good.clone(),
            ],
            "usersfile",
            &[
                "key 2 (p) is left out: a users file cannot express a PIN's policy",
                "key p is left out, but holds the PIN",
            ],
            &["HOTP/T30\ta\t-\t"],
        ),
    ] {
        home.write("in.json", format!("[{}]", keys.join(",")));
        let done = home.run(&["pskc", "convert", "in.json", "--to", format, "--skip"]);
        assert_eq!(done.code, Some(0), "{keys:?}: {done:?}");
        let missing = said.iter().filter(|words| !done.err.contains(**words));
        let missing: Vec<_> = missing.chain(result.iter().filter(|words| !done.out.contains(**words))).collect();
        assert!(missing.is_empty(), "{keys:?} without {missing:?}: {done:?}");
    }
    home.write("in.json", format!("[{good},{unfit},{pin}]"));
    let refused = home.run(&["pskc", "convert", "in.json", "--to", "pskc"]);
    assert!(refused.code == Some(1) && refused.err.contains("key 2 (k): the format cannot carry"), "{refused:?}");
    let report = home.json(&["pskc", "convert", "in.json", "--skip", "-o", "out.xml"]);
    assert_eq!((&report["skipped"][0]["id"], &report["keys"]), (&"k".into(), &2.into()), "{report}");
    home.write("in.json", format!("[{unfit}]"));
    let none = home.run(&["pskc", "convert", "in.json", "--to", "pskc", "--skip"]);
    assert!(none.code == Some(1) && none.err.contains("the format can express none of the keys"), "{none:?}");
}
