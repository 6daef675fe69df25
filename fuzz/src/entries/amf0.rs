//! AMF0, as commands and as values.

use container::amf0::{Error, MAX_DEPTH, MAX_VALUES, Value, decode_all, decode_prefix, encode};
use rtmp::command::Command;

/// One message. What was read, written and read again is the same, as far as it is within the bounds.
pub fn amf0(input: &[u8]) {
    let (values, fault) = decode_prefix(input);
    assert!(values.iter().map(count).sum::<usize>() <= MAX_VALUES);
    assert!(values.iter().all(|value| depth(value) <= MAX_DEPTH));
    let all = decode_all(input);
    assert_eq!(all.as_ref().err(), fault.as_ref(), "the whole and the prefix agree on the fault");
    let written = write(&values);
    let again = decode_all(&written);
    assert!(again.is_ok_and(|again| write(&again) == written), "wrote what is read differently: {values:?}");
    let _: Result<Option<Command>, _> = Command::read(input);
    assert!(!matches!(fault, Some(Error::Truncated { at, .. }) if at > input.len()));
}

fn write(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    values.iter().for_each(|value| encode(value, &mut out));
    out
}

fn inner(value: &Value) -> Vec<&Value> {
    match value {
        Value::StrictArray(values) => values.iter().collect(),
        other => other.properties().into_iter().flatten().map(|(_, value)| value).collect(),
    }
}

fn count(value: &Value) -> usize {
    1 + inner(value).into_iter().map(count).sum::<usize>()
}

fn depth(value: &Value) -> usize {
    1 + inner(value).into_iter().map(depth).max().unwrap_or(0)
}
