//! Percent-encoding (RFC 3986 §2.1) as the clouds sign it, and the decoding of queries and forms.
//!
//! What is on the wire is not what was signed: one SDK writes a blank as `+`, another leaves `!*'()` bare. So
//! everything is decoded and, for a signature, encoded again by the one strict rule.

use std::fmt::Write as _;

/// `text` with everything but `A-Z a-z 0-9 - _ . ~` as `%XX` of its UTF-8 bytes, upper-case hex.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(text.len() / 4));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// `text` decoded, where `+` is a plus sign. What is no `%XX` stays as it is; bytes that are not UTF-8 become
/// U+FFFD, which no client has signed.
pub fn decode(text: &str) -> String {
    decode_bytes(text, false)
}

/// `text` decoded as a form does it, where `+` is a blank.
pub fn decode_form(text: &str) -> String {
    decode_bytes(text, true)
}

/// The pairs of a query or a form, decoded, in order. A piece without `=` has an empty value; empty pieces are
/// left out.
pub fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter(|piece| !piece.is_empty()).map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        (decode_form(name), decode_form(value))
    })
}

fn decode_bytes(text: &str, plus_is_blank: bool) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'+', _) if plus_is_blank => out.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = after;
                }
                _ => out.push(byte),
            },
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_all_but_the_unreserved() {
        assert_eq!(encode("aZ09-_.~"), "aZ09-_.~");
        assert_eq!(encode(" *+/'中"), "%20%2A%2B%2F%27%E4%B8%AD");
    }

    #[test]
    fn a_plus_is_a_blank_in_forms_only() {
        assert_eq!(decode_form("a+b%2Bc"), "a b+c");
        assert_eq!(decode("a+b%20c"), "a+b c");
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        for text in ["%", "%2", "%zz", "100%", "%%41"] {
            assert_eq!(decode(text), text.replace("%41", "A"));
        }
        assert_eq!(decode("%ff"), "\u{FFFD}");
    }

    #[test]
    fn pairs_keep_order_empty_values_and_doubles() {
        let all: Vec<_> = pairs("b=1&&a=&c&b=2=3&=x").collect();
        let expected = [("b", "1"), ("a", ""), ("c", ""), ("b", "2=3"), ("", "x")];
        assert_eq!(all, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn decoding_undoes_encoding() {
        for text in ["", "a b&c=d", "%41", "中文/é+", "\0\n"] {
            assert_eq!(decode(&encode(text)), text);
            assert_eq!(decode_form(&encode(text)), text);
        }
    }
}
