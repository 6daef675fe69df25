use super::{Properties, Value, marker};

/// Appends `value` as AMF0. Strings over 65,535 bytes become long strings; names of properties are cut there.
pub fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Number(number) => number_of(marker::NUMBER, *number, out),
        Value::Boolean(b) => out.extend([marker::BOOLEAN, u8::from(*b)]),
        Value::String(text) => string(text, out),
        Value::Null => out.push(marker::NULL),
        Value::Undefined => out.push(marker::UNDEFINED),
        Value::Unsupported => out.push(marker::UNSUPPORTED),
        Value::Reference(index) => {
            out.push(marker::REFERENCE);
            out.extend(index.to_be_bytes());
        }
        Value::Date(millis) => {
            number_of(marker::DATE, *millis, out);
            out.extend([0, 0]);
        }
        Value::Xml(text) => long(marker::XML, text, out),
        Value::Object(properties) => {
            out.push(marker::OBJECT);
            fields(properties, out);
        }
        Value::TypedObject { name, properties } => {
            out.push(marker::TYPED_OBJECT);
            short(name, out);
            fields(properties, out);
        }
        Value::EcmaArray(properties) => {
            out.push(marker::ECMA_ARRAY);
            count(properties.len(), out);
            fields(properties, out);
        }
        Value::StrictArray(values) => {
            out.push(marker::STRICT_ARRAY);
            count(values.len(), out);
            values.iter().for_each(|value| encode(value, out));
        }
    }
}

fn number_of(marker: u8, number: f64, out: &mut Vec<u8>) {
    out.push(marker);
    out.extend(number.to_be_bytes());
}

fn string(text: &str, out: &mut Vec<u8>) {
    if text.len() > usize::from(u16::MAX) {
        return long(marker::LONG_STRING, text, out);
    }
    out.push(marker::STRING);
    short(text, out);
}

fn long(marker: u8, text: &str, out: &mut Vec<u8>) {
    out.push(marker);
    count(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

/// A length of 16 bit and the text, cut at a character that still fits.
fn short(text: &str, out: &mut Vec<u8>) {
    let len = text.floor_char_boundary(usize::from(u16::MAX));
    out.extend(u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(text.bytes().take(len));
}

fn count(n: usize, out: &mut Vec<u8>) {
    out.extend(u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes());
}

fn fields(properties: &Properties, out: &mut Vec<u8>) {
    for (name, value) in properties {
        short(name, out);
        encode(value, out);
    }
    out.extend([0, 0, marker::OBJECT_END]);
}
