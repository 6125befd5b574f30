use proptest::prelude::*;

use super::*;

fn written(text: &str) -> Vec<u8> {
    JsonWriter::object(|to| {
        to.text("a \"name\"", Some(text));
        to.text("none", None);
        to.text_or_null("null", None);
        to.number("number", Some(u64::MAX));
        to.flag("flag", true);
        to.texts("texts", &[text.to_owned(), String::new()]);
        to.octets("octets", Some(text.as_bytes()));
        to.name("list").begin(b'[').end(b']');
        to.name("object").begin(b'{').end(b'}');
    })
}

proptest! {
    #[test]
    fn what_is_written_is_json_and_is_read_again(text: String) {
        let json = written(&text);
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        prop_assert_eq!(value["a \"name\""].as_str(), Some(text.as_str()));
        prop_assert_eq!(value.as_object().unwrap().len(), 8);
        let mut fields = Fields::parse(&json);
        prop_assert_eq!(fields.required_text("a \"name\""), text.clone());
        prop_assert_eq!(fields.text("null"), None);
        prop_assert_eq!(fields.number("number"), Some(u64::MAX));
        prop_assert_eq!(fields.flag("flag"), Some(true));
        prop_assert_eq!(fields.texts("texts"), vec![text.clone(), String::new()]);
        prop_assert_eq!(fields.octets("octets"), Some(text.into_bytes()));
        prop_assert_eq!(fields.octet_list("list"), Vec::<u8>::new());
        prop_assert_eq!(fields.object("object", |_| ()), Some(()));
        prop_assert_eq!(fields.end(), Ok(()));
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let read = |json: &str| {
        let mut fields = Fields::parse(json.as_bytes());
        let _ = (fields.required_text("text"), fields.number::<u8>("number"), fields.seconds("seconds"));
        fields.object("object", |inner| inner.number::<i8>("number"));
        fields.end()
    };
    assert_eq!(read(r#"{"text":"","number":255,"seconds":-1.5,"object":{"number":-128}}"#), Ok(()));
    assert_eq!(read(r#"{"seconds":1,"text":"\u00e9","number":null,"object":null}"#), Ok(()));
    for wrong in [
        "",
        "[]",
        "null",
        r#"{"text":"","seconds":1"#,
        r#"{"text":"","seconds":1}{}"#,
        r#"{"text":"","seconds":1,"seconds":1}"#,
        r#"{"text":"","seconds":1,"more":null}"#,
        r#"{"text":null,"seconds":1}"#,
        r#"{"text":1,"seconds":1}"#,
        r#"{"text":"","seconds":"1"}"#,
        r#"{"text":"","seconds":null}"#,
        r#"{"text":"","seconds":1,"number":256}"#,
        r#"{"text":"","seconds":1,"number":-1}"#,
        r#"{"text":"","seconds":1,"number":1.0}"#,
        r#"{"text":"","seconds":1,"object":{"number":128}}"#,
        r#"{"text":"","seconds":1,"object":{"more":1}}"#,
        r#"{"text":"","seconds":1,"object":[]}"#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
