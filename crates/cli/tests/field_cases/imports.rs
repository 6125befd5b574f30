//! By what name the server knows an import, so that an interrupted one resumes.

use super::copy;
use super::support::{Home, Server};

/// A refused file is a new import when read with other options.
#[test]
fn an_import_is_identified_by_its_reading_options_too() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    let import = |more: &[&str]| home.run(&[&["admin", "key", "import", "input"], more].concat());
    copy("33-import-again-with-lenient", &[], &home);
    let strict = import(&[]);
    assert!(strict.code == Some(1) && strict.err.contains("not a key usage of RFC 6030"), "{strict:?}");
    let lenient = import(&["--lenient"]);
    assert!(lenient.code == Some(0) && lenient.out.contains("1 key accepted"), "{lenient:?}");
    assert!(import(&["--lenient"]).out.contains("resuming: "), "the same import");

    copy("27-secret-base64-unpadded", &[("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=")], &home);
    assert_eq!(import(&[]).code, Some(0));
    let again = import(&["--lenient"]);
    assert!(!again.out.contains("resuming: ") && again.out.contains("1 already present"), "{again:?}");

    copy("29-check-passes-what-import-refuses", &[], &home);
    let refused = import(&[]);
    assert!(refused.code == Some(1) && refused.out.contains("3 refused"), "{refused:?}");
    copy("57-package-without-key", &[("S1\"", "S2\"")], &home);
    let package = import(&[]);
    assert!(package.code == Some(0) && package.err.contains("1 package without a key"), "{package:?}");
    copy("40-hotp-without-counter-to-otpauth", &[], &home);
    let assumed = import(&[]);
    assert!(assumed.code == Some(0) && assumed.err.contains("it has no Counter: 0 is assumed"), "{assumed:?}");
}

/// The name is SHA-256 of the options and the file; the values are of `sha256sum`. A later version resumes what this one
/// began.
#[test]
fn the_name_of_an_import_is_the_hash_of_its_options_and_its_file() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    let pskc = r#"<?xml version="1.0"?>
<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">
  <KeyPackage><Key Id="I1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp">
    <AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters>
    <Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret><Counter><PlainValue>0</PlainValue></Counter></Data>
  </Key></KeyPackage>
</KeyContainer>
<!-- the end -->
"#;
    let csv = "id,algorithm,secret_hex,response_length,counter\nI2,hotp,3132333435363738393031323334353637383930,6,0\n";
    // Longer than what one thread reads at once.
    let (start, end) = (pskc.find("  <KeyPackage>").unwrap(), pskc.find("</KeyContainer>").unwrap());
    let many: String = (0..6000).map(|i| pskc[start..end].replace("I1", &format!("B{i}"))).collect();
    let large = [&pskc[..start], &many, &pskc[end..]].concat();
    for (file, options, expected) in [
        (pskc, &[][..], "3e016e9a43ed64f98e983b2d34a664646c45400e2f8b966e662a5ab864df57eb"),
        (pskc, &["--user", "alice"], "0f1c3399674c4df361cc4fa46c8a5290ff8793cff65e08acac617b032f14b9ab"),
        (pskc, &["--lenient"], "03a50b3359ff86c92188df09fa7c23bc8ff0f28a423458e83001526c776bd836"),
        (csv, &[], "abd5a4c48766831537bf0c661a4aecfa786ceeb73b07d2d91f4668d26a708101"),
        (&large, &[], "ef1384b553937f4b33e2721b15f11dcae5621efd7c32b63ecba5a3b3467ea030"),
    ] {
        home.write("keys", file);
        let report = home.json(&[&["admin", "key", "import", "keys"], options].concat());
        assert_eq!(report["import"], expected, "{options:?}: {report}");
    }
}
