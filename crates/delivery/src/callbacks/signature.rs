//! `ALI-LIVE-SIGNATURE` (`reference/api-callbacks.md` §1.1).

use md5::{Digest, Md5};
use media::Wall;

/// What a receiver checks a callback by: hex MD5 of its own host name without the port, unix seconds and the key,
/// with a vertical bar between.
pub fn sign(host: &str, at: Wall, key: &str) -> String {
    let digest = Md5::digest(format!("{host}|{}|{key}", at.unix_seconds()));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_example_has_the_signature_computed_for_it() {
        let at = Wall(1_519_375_990_123_456);
        assert_eq!(sign("learn.aliyundoc.com", at, "yourkey"), "9e226fc2c250be266e3657e156f68c12");
    }
}
