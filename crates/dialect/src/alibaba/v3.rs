//! Signature version 3: `Authorization: ACS3-HMAC-SHA256 …` (wire reference §1.1). What both versions need beside
//! the signature itself is here, too.

use std::fmt::Write as _;

use hmac::{Hmac, Mac as _};
use media::Wall;
use sha2::{Digest as _, Sha256};

use super::wire::Caller;
use super::{CLOCK_WINDOW_S, Refusal, Request, moment};
use crate::keys::{Key, KeyLookup};
use crate::percent::{self, encode};

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// Headers that a signature must cover: without one of them it would hold for another host, operation or time.
const COVERED: [&str; 5] = ["host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce"];

/// Most names in SignedHeaders; SDKs send about 10. A name repeated without bound would cost its value each time.
const MAX_SIGNED: usize = 64;

/// Whether it is signed this way at all; the headers `x-acs-action` and `x-acs-version` come with both versions.
pub(super) fn is_signed(request: &Request) -> bool {
    request.header("authorization").is_some_and(|value| value.trim_start().starts_with("ACS3-"))
}

/// Verifies a call by its headers.
pub(super) fn verify(request: &Request, keys: &dyn KeyLookup, now: Wall) -> Result<Caller, Refusal> {
    let authorization = Authorization::read(request.header("authorization").unwrap_or_default())?;
    for name in COVERED {
        header(request, name).ok_or_else(|| Refusal::missing_common(name))?;
        if !authorization.signed.iter().any(|signed| signed.eq_ignore_ascii_case(name)) {
            return Err(incomplete(&format!("header {name} is not signed")));
        }
    }
    let key = active_key(keys, authorization.credential)?;
    check_time(header(request, "x-acs-date").unwrap_or_default(), now)?;
    let text = string_to_sign(request, &authorization.signed);
    if !matches(key.secret, &text, authorization.signature) {
        return Err(mismatch(&text));
    }
    let nonce = header(request, "x-acs-signature-nonce").unwrap_or_default().to_owned();
    Ok(Caller { key_id: authorization.credential.to_owned(), nonce })
}

/// The parts of the header `Authorization`.
struct Authorization<'a> {
    credential: &'a str,
    /// SignedHeaders, as sent.
    signed: Vec<&'a str>,
    /// Lower-case hex.
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn read(text: &'a str) -> Result<Self, Refusal> {
        let text = text.trim();
        let (algorithm, rest) = text.split_once(' ').unwrap_or((text, ""));
        if algorithm != ALGORITHM {
            return Err(Refusal::invalid_common("SignatureMethod"));
        }
        let part = |name: &str| {
            let mut parts = rest.split(',').filter_map(|part| part.trim().split_once('='));
            let found = parts.find(|(key, value)| *key == name && !value.is_empty());
            found.map(|(_, value)| value).ok_or_else(|| incomplete(&format!("{name} is missing")))
        };
        let signed: Vec<_> = part("SignedHeaders")?.split(';').collect();
        if signed.len() > MAX_SIGNED {
            return Err(incomplete(&format!("more than {MAX_SIGNED} headers are signed")));
        }
        Ok(Self { credential: part("Credential")?, signed, signature: part("Signature")? })
    }
}

fn incomplete(why: &str) -> Refusal {
    // One SDK takes the text after a colon for our string to sign and fails when there is none.
    let message = format!("The request signature does not conform to Aliyun standards: {why}.");
    Refusal::new(400, "IncompleteSignature", message)
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.header(name).map(str::trim).filter(|value| !value.is_empty())
}

/// The hash of the canonical request, below the algorithm's name. The body's hash is of the body that came, so
/// `x-acs-content-sha256`, which is signed as a header, must say the same.
pub(super) fn string_to_sign(request: &Request, signed: &[&str]) -> String {
    let query = canonical_query(percent::pairs(&request.query).collect());
    let mut text = format!("{}\n/\n{query}\n", request.method);
    for name in signed {
        let value = request.header(name).unwrap_or_default().trim();
        text.push_str(&format!("{}:{value}\n", name.to_ascii_lowercase()));
    }
    text.push_str(&format!("\n{}\n{}", signed.join(";"), hex(&Sha256::digest(&request.body))));
    format!("{ALGORITHM}\n{}", hex(&Sha256::digest(text)))
}

/// Pairs sorted by their decoded names and encoded by the strict rule.
pub(super) fn canonical_query(mut pairs: Vec<(String, String)>) -> String {
    pairs.sort();
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

fn matches(secret: &str, text: &str, signature: &str) -> bool {
    // Any length will do for a key: there is no error.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    let ours = hex(&mac.chain_update(text).finalize().into_bytes());
    subtle::ConstantTimeEq::ct_eq(ours.as_bytes(), signature.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The key with that id, if it may be used.
pub(super) fn active_key<'a>(keys: &'a dyn KeyLookup, id: &str) -> Result<Key<'a>, Refusal> {
    let not_found = "Specified access key is not found.";
    let key = keys.find(id).ok_or_else(|| Refusal::new(404, "InvalidAccessKeyId.NotFound", not_found))?;
    match key.active {
        true => Ok(key),
        false => Err(Refusal::new(400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.")),
    }
}

/// The signature's time: well formed, and within the window.
pub(super) fn check_time(text: &str, now: Wall) -> Result<(), Refusal> {
    let time = moment::parse(text).ok_or_else(|| {
        let message = "Specified time stamp or date value is not well formatted.";
        Refusal::new(400, "InvalidTimeStamp.Format", message)
    })?;
    match now.unix_seconds().abs_diff(time.unix_seconds()) <= CLOCK_WINDOW_S.unsigned_abs() {
        true => Ok(()),
        false => {
            let message = "Specified time stamp or date value is expired.";
            Err(Refusal::new(400, "InvalidTimeStamp.Expired", message))
        }
    }
}

/// The message ends in our string to sign, after the only colon before it: SDKs look there, and one fails when
/// there is no colon.
pub(super) fn mismatch(string_to_sign: &str) -> Refusal {
    let message = format!(
        "Specified signature is not matched with our calculation. server string to sign is:{string_to_sign}"
    );
    Refusal::new(400, "SignatureDoesNotMatch", message)
}
