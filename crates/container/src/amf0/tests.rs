use super::*;

fn bytes_of(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    values.iter().for_each(|value| encode(value, &mut out));
    out
}

fn every_kind() -> Vec<Value> {
    let properties = vec![("z".to_owned(), Value::Number(-0.5)), ("a".to_owned(), Value::Boolean(true))];
    vec![
        Value::from("onMetaData"),
        Value::from(2.0),
        Value::Boolean(false),
        Value::Object(properties.clone()),
        Value::Null,
        Value::Undefined,
        Value::Reference(7),
        Value::EcmaArray(properties.clone()),
        Value::StrictArray(vec![Value::Null, Value::from("x")]),
        Value::Date(1.7e12),
        Value::Unsupported,
        Value::Xml("<a/>".to_owned()),
        Value::TypedObject { name: "C".to_owned(), properties },
        Value::String("l".repeat(70_000)),
    ]
}

#[test]
fn every_kind_of_value_reads_back_in_order() {
    assert_eq!(decode_all(&bytes_of(&every_kind())).unwrap(), every_kind());
}

#[test]
fn a_message_cut_anywhere_gives_the_values_before_the_cut() {
    let values = &every_kind()[..13];
    let bytes = bytes_of(values);
    for cut in 0..bytes.len() {
        let (read, fault) = decode_prefix(&bytes[..cut]);
        let whole = fault.map_or(read.len(), |_| read.len().saturating_sub(1));
        assert_eq!(read[..whole], values[..whole], "cut at {cut}");
        match fault {
            Some(Error::Truncated { at, .. }) => assert_eq!(at, cut),
            other => assert_eq!((other, bytes_of(&read).len()), (None, cut)),
        }
    }
}

#[test]
fn known_bytes_of_a_connect_command() {
    let bytes = b"\x02\0\x07connect\0\x3f\xf0\0\0\0\0\0\0\x03\0\x03app\x02\0\x04live\0\0\x09";
    let app = Value::Object(vec![("app".to_owned(), Value::from("live"))]);
    let command = [Value::from("connect"), Value::from(1.0), app];
    assert_eq!(decode_all(bytes).unwrap(), command);
    assert_eq!(bytes_of(&command), bytes);
    assert_eq!(command[2].get("app").and_then(Value::as_str), Some("live"));
}

#[test]
fn nesting_beyond_the_limit_is_refused_and_up_to_it_taken() {
    let nested = |n: usize| [&b"\x03\0\x01a".repeat(n)[..], &[5], &b"\0\0\x09".repeat(n)].concat();
    assert!(decode_all(&nested(MAX_DEPTH - 1)).is_ok());
    assert_eq!(decode_all(&nested(MAX_DEPTH)), Err(Error::TooDeep { at: 4 * MAX_DEPTH }));
    let arrays = b"\x0a\0\0\0\x01".repeat(100_000);
    assert_eq!(decode_all(&arrays), Err(Error::TooDeep { at: 5 * MAX_DEPTH }));
}

#[test]
fn values_beyond_the_limit_are_refused_wherever_they_are() {
    let nulls = vec![5; MAX_VALUES + 1];
    assert!(decode_all(&nulls[1..]).is_ok());
    assert_eq!(decode_all(&nulls), Err(Error::TooManyValues { at: MAX_VALUES }));
    let inside = [&b"\x0a\xff\xff\xff\xff"[..], &nulls].concat();
    let (read, fault) = decode_prefix(&inside);
    assert_eq!(fault, Some(Error::TooManyValues { at: MAX_VALUES + 4 }));
    assert_eq!(read, [Value::StrictArray(vec![Value::Null; MAX_VALUES - 1])]);
}

#[test]
fn what_stands_before_an_amf3_value_is_kept() {
    let bytes = b"\x02\0\x01s\x08\0\0\0\x02\0\x01w\0\x40\x8e\0\0\0\0\0\0\0\x01x\x11\x01";
    let (read, fault) = decode_prefix(bytes);
    let kept = Value::EcmaArray(vec![("w".to_owned(), Value::from(960.0))]);
    assert_eq!(read, [Value::from("s"), kept]);
    assert_eq!(fault, Some(Error::Marker { marker: 0x11, at: 24 }));
    assert_eq!(decode_all(&[4]), Err(Error::Marker { marker: 4, at: 0 }));
}

#[test]
fn text_that_is_not_utf8_does_not_fail_the_message() {
    assert_eq!(decode_all(b"\x02\0\x02a\xff").unwrap(), [Value::from("a\u{fffd}")]);
}

#[test]
fn a_name_too_long_is_cut_at_a_character() {
    let name = "é".repeat(40_000);
    let bytes = bytes_of(&[Value::Object(vec![(name.clone(), Value::Null)])]);
    let read = decode_all(&bytes).unwrap();
    assert_eq!(read[0].properties().unwrap()[0].0, name[..65_534]);
}
