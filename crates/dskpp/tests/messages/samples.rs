//! One small message of each kind, as text that tests change.

pub(crate) const CLIENT_HELLO: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<dskpp:KeyProvClientHello xmlns:dskpp="urn:ietf:params:xml:ns:keyprov:dskpp" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" Version="1.0">
<dskpp:KeyID>YWJj</dskpp:KeyID>
<dskpp:SupportedKeyTypes><dskpp:Algorithm>urn:ietf:params:xml:ns:keyprov:pskc:hotp</dskpp:Algorithm></dskpp:SupportedKeyTypes>
<dskpp:SupportedEncryptionAlgorithms><dskpp:Algorithm>http://www.w3.org/2001/04/xmlenc#rsa-1_5</dskpp:Algorithm></dskpp:SupportedEncryptionAlgorithms>
<dskpp:SupportedMacAlgorithms><dskpp:Algorithm>urn:ietf:params:xml:ns:keyprov:dskpp:prf-sha256</dskpp:Algorithm></dskpp:SupportedMacAlgorithms>
<dskpp:SupportedProtocolVariants><dskpp:FourPass/></dskpp:SupportedProtocolVariants>
<dskpp:SupportedKeyPackages><dskpp:KeyPackageFormat>urn:ietf:params:xml:ns:keyprov:dskpp:pskc-key-container</dskpp:KeyPackageFormat></dskpp:SupportedKeyPackages>
<dskpp:AuthenticationData><dskpp:ClientID>A1</dskpp:ClientID><dskpp:AuthenticationCodeMac><dskpp:Nonce>MTIzNDU2Nzg5MDEyMzQ1Ng==</dskpp:Nonce><dskpp:IterationCount>100000</dskpp:IterationCount><dskpp:Mac>AAAA</dskpp:Mac></dskpp:AuthenticationCodeMac></dskpp:AuthenticationData>
</dskpp:KeyProvClientHello>
"#;

pub(crate) const SERVER_HELLO: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<dskpp:KeyProvServerHello xmlns:dskpp="urn:ietf:params:xml:ns:keyprov:dskpp" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" Version="1.0" SessionID="4114" Status="Continue">
<dskpp:KeyType>urn:ietf:params:xml:ns:keyprov:pskc:hotp</dskpp:KeyType>
<dskpp:EncryptionAlgorithm>http://www.w3.org/2001/04/xmlenc#rsa-1_5</dskpp:EncryptionAlgorithm>
<dskpp:MacAlgorithm>urn:ietf:params:xml:ns:keyprov:dskpp:prf-sha256</dskpp:MacAlgorithm>
<dskpp:EncryptionKey><ds:KeyName>Example-Key1</ds:KeyName></dskpp:EncryptionKey>
<dskpp:KeyPackageFormat>urn:ietf:params:xml:ns:keyprov:dskpp:pskc-key-container</dskpp:KeyPackageFormat>
<dskpp:Payload><dskpp:Nonce>EjRWeJASNFZ4kBI0VniQEg==</dskpp:Nonce></dskpp:Payload>
<dskpp:Extensions><dskpp:Extension xsi:type="dskpp:ServerInfoType"><dskpp:Data>AAAA</dskpp:Data></dskpp:Extension></dskpp:Extensions>
</dskpp:KeyProvServerHello>
"#;

pub(crate) const CLIENT_NONCE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<dskpp:KeyProvClientNonce xmlns:dskpp="urn:ietf:params:xml:ns:keyprov:dskpp" Version="1.0" SessionID="4114"><dskpp:EncryptedNonce>AAAA</dskpp:EncryptedNonce></dskpp:KeyProvClientNonce>
"#;

pub(crate) const SERVER_FINISHED: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<dskpp:KeyProvServerFinished xmlns:dskpp="urn:ietf:params:xml:ns:keyprov:dskpp" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc" Version="1.0" SessionID="4114" Status="Success">
<dskpp:KeyPackage><dskpp:ServerID>https://keys.example.com</dskpp:ServerID>
<dskpp:KeyContainer Version="1.0"><pskc:KeyPackage><pskc:Key Id="1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp"/></pskc:KeyPackage></dskpp:KeyContainer></dskpp:KeyPackage>
<dskpp:Mac>AAAA</dskpp:Mac>
</dskpp:KeyProvServerFinished>
"#;

pub(crate) const TRIGGER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<dskpp:KeyProvTrigger xmlns:dskpp="urn:ietf:params:xml:ns:keyprov:dskpp" Version="1.0"><dskpp:InitializationTrigger>
<dskpp:TokenPlatformInfo KeyLocation="Hardware"/>
<dskpp:AuthenticationData><dskpp:AuthenticationCodeMac><dskpp:Mac>AAAA</dskpp:Mac></dskpp:AuthenticationCodeMac></dskpp:AuthenticationData>
<dskpp:ServerUrl>https://keys.example.com/dskpp</dskpp:ServerUrl>
</dskpp:InitializationTrigger></dskpp:KeyProvTrigger>
"#;

/// The message with every `from` replaced; there must be one.
pub(crate) fn changed(message: &str, from: &str, to: &str) -> String {
    assert!(message.contains(from), "{from} is not in {message}");
    message.replace(from, to)
}
