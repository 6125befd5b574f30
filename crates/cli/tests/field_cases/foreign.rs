//! Files of other programs and vendors: each is read completely, or named with a remedy, by every command.

use super::support::Home;

const S32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const HEX: &str = "3132333435363738393031323334353637383930";

/// The content (`S32` and `HEX` stand for a secret), its name, and the remedy.
const NAMED: &[(&str, &str, &str)] = &[
    (r#"{"version":1,"header":{"slots":null},"db":{"entries":[]}}"#, "a vault of Aegis", "export it as text"),
    (r#"{"services":[{"secret":"S32","otp":{"digits":6}}]}"#, "a backup of 2FAS", "Aegis"),
    (r#"{"tokens":[{"issuerExt":"A","secret":[49]}],"tokenOrder":[]}"#, "FreeOTP+", "key URI format"),
    (r#"[{"secret":"S32","label":"j","type":"TOTP","digits":6}]"#, "a backup of andOTP", "Aegis"),
    (
        r#"{"version":1,"header":{"slots":[{"type":1}],"params":{"nonce":"00"}},"db":"c2VjcmV0"}"#,
        "an encrypted vault of Aegis",
        "export it as unencrypted text",
    ),
    (
        r#"{"services":[],"servicesEncrypted":"a:b:c","reference":"x","schemaVersion":4}"#,
        "2FAS with a password",
        "Aegis",
    ),
    (
        r#"{"encrypted":true,"passwordProtected":true,"salt":"x","data":"y"}"#,
        "an encrypted export of Bitwarden",
        "export",
    ),
    (
        r#"{"encrypted":true,"encKeyValidation_DO_NOT_EDIT":"2.x","items":[]}"#,
        "an encrypted export of Bitwarden",
        "JSON",
    ),
    (
        r#"{"encrypted":false,"folders":[],"items":[{"type":1,"name":"A","login":{"username":"j","password":"p","totp":"S32"}}]}"#,
        "an export of Bitwarden",
        "login.totp",
    ),
    (
        r#"{"version":1,"kdfParams":{"memLimit":1},"encryptedData":"x","encryptionNonce":"y"}"#,
        "an encrypted export of Ente Auth",
        "plain text",
    ),
    (
        r#"{"Authenticators":[{"Type":2,"Issuer":"A","Secret":"S32"}],"Categories":[],"CustomIcons":[]}"#,
        "Stratum",
        "list of URIs",
    ),
    (
        r#"{"version":1,"entries":[{"id":"x","content":{"uri":"otpauth://totp/a?secret=S32","entry_type":"Totp"},"note":null}]}"#,
        "Proton Authenticator",
        "jq -r",
    ),
    (
        r#"{"version":"1.0","userId":"u","encrypted":false,"vaults":{"v":{"items":[{"data":{"content":{"totpUri":"S32"}}}]}}}"#,
        "an export of Proton Pass",
        "totpUri",
    ),
    (
        r#"{"deviceId":"d","accounts":[{"accountID":"1","issuerName":"A","originalIssuerName":"A","secret":"S32","timeStep":30}]}"#,
        "LastPass Authenticator",
        "Aegis",
    ),
    (r#"{"authenticator_tokens":[{"encrypted_seed":"x","salt":"y"}]}"#, "a backup of Authy", "otpauth line"),
    (r#"{"accounts":[{"attrs":{"name":"x"},"vaults":[{"attrs":{},"items":[]}]}]}"#, "an export of 1Password", "jq"),
    (
        r#"[{"account":"j","issuer":"A","algorithm":"SHA1","digits":"6","kind":"TOTP","timer":"30","counter":"0","secret":"S32"}]"#,
        "an export of Raivo OTP",
        "Aegis",
    ),
    (
        r#"{"realm":"r","users":[{"username":"j","credentials":[{"type":"otp","secretData":"{}"}]}]}"#,
        "Keycloak",
        "a table",
    ),
    (
        r##"{"@context":"#$delta","value":[{"serialNumber":"1","manufacturer":"C","model":"M","secretKey":"S32","timeIntervalInSeconds":30,"hashFunction":"hmacsha1"}]}"##,
        "JSON for Microsoft Entra",
        "save it as Entra's table",
    ),
    (r#"{"factorProfileId":"f","sharedSecret":"S32"}"#, "JSON for the API of Okta", "a table"),
    (r#"{"tokens":[{"serial":"T1","type":"totp","otpkey":"HEX"}]}"#, "tokens of privacyIDEA", "PSKC"),
    (
        r#"{"result":{"status":true,"value":{"tokens":[{"serial":"T1","tokentype":"hotp","otplen":6,"realms":[]}]}}}"#,
        "tokens of privacyIDEA",
        "otpkey",
    ),
    (r#"{"keys":[{"kty":"oct","kid":"a","k":"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA"}]}"#, "a set of JWKs", "secret_base64"),
    ("otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8S", "Google Authenticator", "Aegis"),
    ("# from my phone\notpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8S", "Google Authenticator", "Aegis"),
    ("\u{FEFF}\nOTPAUTH-MIGRATION://offline?data=CjEK", "Google Authenticator", "Aegis"),
    (
        "otpauth://totp/a?secret=S32\notpauth-migration://offline?data=CjEK",
        "line 2: it is an export of Google Authenticator",
        "Aegis",
    ),
    // Tables.
    (
        "\"Group\",\"Title\",\"Username\",\"Password\",\"URL\",\"Notes\",\"TOTP\",\"Icon\"\n\"R\",\"A\",\"j\",\"p\",\"u\",\"\",\"otpauth://totp/a?secret=S32\",\"0\"",
        "a password manager, such as KeePassXC",
        "save them, one per line",
    ),
    (
        "url,username,password,totp,extra,name,grouping,fav\nu,j,p,S32,,A,,0",
        "a table of LastPass",
        "otpauth://totp/NAME",
    ),
    (
        "Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\nA,u,j,p,otpauth://totp/a?secret=S32,false,false,,",
        "a table of 1Password",
        "OTPAuth",
    ),
    ("Title,URL,Username,Password,Notes,OTPAuth\nA,u,j,p,,otpauth://totp/a?secret=S32", "Apple's Passwords", "OTPAuth"),
    (
        "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n,,login,A,,,0,u,j,p,S32",
        "a table of Bitwarden",
        "totp",
    ),
    (
        "type,name,url,email,username,password,note,totp,createTime,modifyTime,vault\nlogin,A,u,,j,p,,S32,1,1,P",
        "Proton Pass",
        "totp",
    ),
    (
        "username,username2,username3,title,password,note,url,category,otpSecret\nj,,,A,p,,u,,S32",
        "a table of Dashlane",
        "totp",
    ),
    (
        "LOGGING START,2020-01-01 10:00\nOATH-HOTP,2020-01-01 10:00,1,,,HEX,,,0,0,6,0,0,0,0,0,0,0",
        "YubiKey Personalization Tool",
        "OATH-HOTP",
    ),
    (
        "# ykksm 1\n# serialnr,identity,internaluid,aeskey,lockpw,created,accessed[,progflags]\n1,cccccccccccb,a2a2a2a2a2a2,08d60c1b7c5d9e3f0a1b2c3d4e5f6071,,2020-01-01T00:00:00,",
        "Yubico OTP (YK-KSM)",
        "not for HOTP or TOTP",
    ),
    (
        "# ===== SafeWord Authenticator Records $Version: 100$ =====\ndn: sccAuthenticatorId=1\nobjectclass: sccCustomAuthenticator\nsccTokenData: sccKey=HEX;sccMode=E;sccPwLen=6;",
        "SafeWord records of Gemalto or SafeNet",
        "sccKey",
    ),
    ("Seriennummer;Geheimnis;Verfahren\n1;HEX;totp", "no heading", "Known columns: id, serial, algorithm"),
    ("numéro de série,clé secrète,intervalle\n1,S32,30", "no heading", "Known columns: id, serial, algorithm"),
    ("Serial;Geheimnis;Verfahren\n1;HEX;totp", "unknown column \"Geheimnis\"", "Known columns: id, serial"),
    ("Token export 2026,,\nserial,secret_hex,algorithm\n1,HEX,totp", "no heading", "line 2 looks like a heading"),
    ("# export\nserial,secret_hex,algorithm\n1,HEX,totp", "no heading", "line 2 looks like a heading"),
    (
        "serial;secret_hex,algorithm,counter\n1;HEX,hotp,0",
        "contains another separator",
        "use the same separator between all columns",
    ),
    ("serial,secret_hex,algorithm,realm\n1,HEX,totp,sales", "unknown column \"realm\"", "- skips one"),
    ("serial,secret_hex,algorithm,time step (ms)\n1,HEX,totp,60000", "unknown column \"time step (ms)\"", "Known"),
    ("HEX, SERIAL001, hotp, 6", "no heading", "--columns secret_hex,serial,algorithm,digits"),
    ("SERIAL001,HEX,TOTP,6,30", "no heading", "--columns serial,secret_hex,algorithm,digits,time_interval"),
    ("12345678,vvccccdefghi,HEX,0", "no heading", "--columns serial,-,secret_hex,counter"),
    ("jane@example.test,12345678,S32,60,Acme", "no heading", "--columns upn,serial,secret_base32,time_interval,-"),
    (
        "serial,secret,algorithm\n1,HEX,totp\n2,MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=,totp",
        "not all hexadecimal (line 3)",
        "secret_base64",
    ),
    (
        "serial,secret_base64,algorithm\n1,MTIzNDU2Nzg5MDEyMzQ1Njc4OTA,totp",
        "line 2: the secret is Base64 without",
        "correct",
    ),
    ("serial,secret_base64,algorithm\n1,_7Iz_7Iz_7Iz_7Iz,totp", "line 2: the secret is Base64 for URLs", "correct"),
    (
        "serial,secret_hex,algorithm\n1,313233343536373839303132333435363738393o,totp",
        "character 40 is not a hexadecimal",
        "correct",
    ),
    (
        "serial,secret_hex,algorithm,time_interval\n1,HEX,totp,\"30,5\"",
        "line 2: time_interval is not a whole number",
        "correct",
    ),
    (
        "serial,secret_hex,algorithm,time_interval\n1,HEX,totp,1.000",
        "line 2: time_interval is not a whole number",
        "correct",
    ),
    (
        "serial,secret_hex,algorithm,expiry_date\n1,HEX,totp,03/04/2030",
        "line 2: expiry_date: the date may be 3 April",
        "2026-01-31",
    ),
    (
        "serial,secret_hex,algorithm,expiry_date\n1,HEX,totp,12/31/30",
        "line 2: expiry_date: not a date and time such as 2026-01-31T12:00:00Z: its year has two digits",
        "2026-01-31",
    ),
    (
        "serial,secret_hex,algorithm,expiry_date\n1,HEX,totp,47848",
        "line 2: expiry_date: not a date and time such as 2026-01-31T12:00:00Z: it is a number",
        "2026-01-31",
    ),
    (
        "serial,secret_hex,algorithm,policy.expiry_date\n1,HEX,totp,soon",
        "line 2: policy.expiry_date: not a date",
        "2026",
    ),
    ("serial,secret_hex,algorithm\n=\"00,12\",HEX,totp", "line 2: a formula", "correct"),
    // Names that are too long.
    (
        "serial,secret_hex,algorithm\n1,HEX,totp\nLONG,HEX,totp",
        "key 2: its id has 300 characters; the limit is 256",
        "shorten",
    ),
    (
        "serial,secret_hex,algorithm,issuer\n1,HEX,totp,LONG",
        "key 1: its issuer has 300 characters; the limit is 256",
        "shorten",
    ),
    ("serial,secret_hex,algorithm,upn\n1,HEX,totp,LONGLONGLONGLONG", "its user id has 1200 characters", "shorten"),
    (
        "[{\"id\":\"a\",\"algorithm\":\"totp\",\"secret_hex\":\"HEX\",\"friendly_name\":\"LONG\"}]",
        "its friendly name has 300",
        "shorten",
    ),
    ("otpauth://totp/LONG?secret=S32", "key 1: its id has 300 characters; the limit is 256", "shorten"),
    ("HOTP\tLONG\t-\tHEX", "key 1: its id has 300 characters; the limit is 256", "shorten"),
    // XML.
    (
        "<?xml version=\"1.0\"?>\n<!-- x -->\n<TKNBatch><TKNHeader><Origin>RSA Security Inc.</Origin></TKNHeader></TKNBatch>",
        "RSA SecurID tokens (SDTID)",
        "ask the vendor for PSKC",
    ),
    ("<?xml version=\"1.0\"?><KeePassFile><Root/></KeePassFile>", "an XML export of KeePass", "otpauth lines"),
    ("<WinAuth version=\"3.6\"><WinAuthAuthenticator/></WinAuth>", "an export of WinAuth", "otpauth lines"),
    ("<Tokens><Token serial=\"1\"><Seed>HEX</Seed></Token></Tokens>", "SafeNet eToken", "a table"),
    ("<?xml version='1.0'?><map><string name=\"tokenOrder\">[]</string></map>", "FreeOTP", "Aegis"),
    (
        "<?xml version=\"1.0\"?><!DOCTYPE plist PUBLIC \"x\" \"y\"><plist version=\"1.0\"/>",
        "a property list",
        "otpauth",
    ),
    (
        "<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?><Workbook/>",
        "a workbook of Excel",
        "save it as CSV",
    ),
    (
        "<xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"/>",
        "a document in XML Encryption",
        "decrypt",
    ),
];

fn content(text: &str) -> String {
    text.replace("S32", S32).replace("HEX", HEX).replace("LONG", &"ü".repeat(300))
}

#[test]
fn every_command_names_a_foreign_file_with_its_remedy() {
    let home = Home::new();
    home.write("token", "t");
    let import = ["admin", "--server", "https://127.0.0.1:9", "--token-file", "token", "key", "import", "input"];
    let mut faults = Vec::new();
    for (text, what, next) in NAMED {
        home.write("input", content(text));
        // Faults within a table concern its readers: `check` is for PSKC, and says that it is a table.
        let convert = home.run(&["pskc", "convert", "input", "--to", "json"]);
        let is_another = convert.err.contains("not a key file");
        let formats = [" a table (CSV)", " otpauth lines", " JSON", " a users file"];
        for command in
            [&["pskc", "check", "input"][..], &["token", "import", "input"], &import, &["pskc", "convert", "input"]]
        {
            let done = home.run(command);
            let said = format!("{}{}", done.out, done.err);
            let is_named = match command[1] {
                "check" if !is_another => formats.iter().any(|format| said.contains(format)),
                _ => said.contains(what) && said.contains(next),
            };
            if done.code != Some(1) || !is_named || said.contains(&S32[8..]) || said.contains(&HEX[8..]) {
                faults.push(format!("{text}\n$ dskpp {}\n{:?} {said}", command.join(" "), done.code));
            }
        }
    }
    assert!(faults.is_empty(), "{} are wrong:\n\n{}", faults.len(), faults.join("\n\n"));
}

/// Tables that are read completely, with parts of the result or of the warnings.
const READ: &[(&str, &[&str])] = &[
    (
        "serial,otpkey,tokentype,otplen,timestep,hashlib\nT1,HEX,totp,8,60,sha256",
        &["\"response_length\":8", "\"time_interval\":60", "HMAC-SHA256", "keyprov:pskc:totp", "\"serial\":\"T1\""],
    ),
    ("serial,seed,type,digits,timeStep,hashlib\nT1,HEX,hotp,6,,sha1", &["HMAC-SHA1", "keyprov:pskc:hotp"]),
    ("Serial,Seed,Time step (s)\n1,HEX,60", &["\"time_interval\":60"]),
    (
        "upn,serial number,secret key,time interval,manufacturer,model\na@b,1,S32,30.0,C,M",
        &["time_interval \"30.0\" is read as 30"],
    ),
    (
        "serial;secret_hex;algorithm;time_interval;digits\n1;HEX;totp;30,0;6,00",
        &["\"time_interval\":30", "\"response_length\":6"],
    ),
    (
        "serial,secret_hex,algorithm,expiry_date\n1,HEX,totp,31.12.2030",
        &["\"expiry_date\":\"2030-12-31T00:00:00Z\"", "expiry_date \"31.12.2030\" is read as 2030-12-31T00:00:00Z"],
    ),
    ("serial,secret_hex,algorithm,expiry_date\n1,HEX,totp,2030-12-31", &["\"expiry_date\":\"2030-12-31T00:00:00Z\""]),
    (
        "serial,secret_hex,algorithm,start_date\n1,HEX,totp,31/12/2030 23:59",
        &["\"start_date\":\"2030-12-31T23:59:00Z\""],
    ),
    (
        "serial,secret_hex,algorithm,policy.expiry_date\n1,HEX,totp,2030-12-31 23:59:59",
        &["\"expiry_date\":\"2030-12-31T23:59:59Z\"", "\"policy\""],
    ),
    ("serial,secret_hex,algorithm\n=\"0012\",HEX,totp", &["\"serial\":\"0012\"", "formula =\"…\" in column 1"]),
    ("serial,secret_hex,algorithm,,\n1,HEX,totp,,\n,,,,\n", &[HEX]),
    ("otpauth://totp/Acme:j?secret=S32&issuer=Acme\n", &["\"issuer\":\"Acme\""]),
];

#[test]
fn vendors_tables_are_read_completely_and_interpretations_reported() {
    let home = Home::new();
    let blanks = format!("serial,secret_hex,algorithm\n{0}1{0},{0}{HEX}{0},totp{0}\n", " ".repeat(5000));
    let rows = READ.iter().map(|(text, said)| (content(text), *said)).chain([(blanks, &["\"serial\":\"1\""][..])]);
    for (text, said) in rows {
        home.write("input", &text);
        let done = home.run(&["pskc", "convert", "input", "--to", "json"]).success();
        let all = format!("{}{}", done.out, done.err);
        let missing: Vec<_> = [HEX].iter().chain(said).filter(|words| !all.contains(**words)).collect();
        assert!(missing.is_empty(), "{text}: without {missing:?}: {all}");
    }
}
