//! References from a playlist to what it lists (RFC 3986).

use std::fmt::Write;

/// The relative reference from the object `from` (a playlist) to the object `to`, both keys of one bucket with
/// `/` between components, percent-encoded.
///
/// `:` is encoded too, so that a name like `live-15:04.ts` is not taken for a scheme (RFC 3986 §4.2), and `#`, so
/// that it is not taken for a tag.
pub fn relative(from: &str, to: &str) -> String {
    let folder: Vec<&str> = from.rsplit_once('/').map_or_else(Vec::new, |(f, _)| f.split('/').collect());
    let target: Vec<&str> = to.split('/').collect();
    let most = folder.len().min(target.len().saturating_sub(1));
    let shared = folder.iter().zip(&target).take(most).take_while(|(a, b)| a == b).count();
    let mut out = "../".repeat(folder.len() - shared);
    for (i, component) in target.iter().skip(shared).enumerate() {
        if i > 0 {
            out.push('/');
        }
        encode(component, &mut out);
    }
    out
}

/// Appends a path component, every byte outside RFC 3986 `unreserved` percent-encoded.
fn encode(component: &str, out: &mut String) {
    for byte in component.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
