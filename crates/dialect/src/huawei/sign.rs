use chrono::NaiveDateTime;
use hmac::{Hmac, Mac as _};
use media::Wall;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Refusal;
use crate::http::Request;
use crate::keys::KeyLookup;
use crate::percent;

/// The one signature scheme that is taken.
pub const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// How far the signer's clock may be from ours, in seconds.
const CLOCK_WINDOW: i64 = 15 * 60;
/// Longest Authorization header that is looked at, in bytes.
const MAX_AUTHORIZATION: usize = 4 << 10;
/// Most names in SignedHeaders; SDKs send about 5. A name repeated without bound would cost its value each time.
const MAX_SIGNED: usize = 64;

/// The id of the access key whose holder made this request: by `X-Auth-Token`, which `token` knows the key of, or
/// by a signature with the key's secret (`api-huawei-live.md` §2).
///
/// # Errors
/// 401 with what is wrong.
pub fn authenticate(
    request: &Request,
    keys: &dyn KeyLookup,
    token: impl FnOnce(&str) -> Option<String>,
    now: Wall,
) -> Result<String, Refusal> {
    if let Some(given) = request.header("x-auth-token") {
        return token(given).ok_or_else(|| Refusal::unauthenticated("X-Auth-Token is not valid"));
    }
    let claim = Claim::read(request)?;
    // A key that does not exist is compared all the same, so that the time taken does not tell.
    let key = keys.find(claim.access);
    let secret = key.map_or("", |key| key.secret);
    let string = string_to_sign(request, claim.date, &claim.signed)?;
    let right = signature(secret, &string).as_bytes().ct_eq(claim.signature.as_bytes());
    match key.filter(|_| bool::from(right)) {
        Some(key) if !key.active => Err(Refusal::unauthenticated("the access key is disabled")),
        Some(_) => claim.check_clock(now).map(|()| claim.access.to_owned()),
        None => Err(Refusal::unauthenticated("the signature is not that of a known access key")),
    }
}

/// What the headers claim.
struct Claim<'a> {
    access: &'a str,
    /// Names of signed headers, in the order they were signed.
    signed: Vec<&'a str>,
    signature: &'a str,
    /// `X-Sdk-Date`
    date: &'a str,
}

impl<'a> Claim<'a> {
    fn read(request: &'a Request) -> Result<Self, Refusal> {
        let refuse = Refusal::unauthenticated;
        let header = request
            .header("authorization")
            .ok_or_else(|| refuse("send X-Auth-Token or a signature in Authorization"))?;
        if header.len() > MAX_AUTHORIZATION {
            return Err(refuse("Authorization is too long"));
        }
        let fields = header
            .strip_prefix(ALGORITHM)
            .and_then(|rest| rest.strip_prefix(' '))
            .ok_or_else(|| refuse("Authorization is not SDK-HMAC-SHA256"))?;
        let field = |name: &str| {
            fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let (Some(access), Some(signed), Some(signature)) =
            (field("Access"), field("SignedHeaders"), field("Signature"))
        else {
            return Err(refuse("Authorization needs Access, SignedHeaders and Signature"));
        };
        let signed: Vec<_> = signed.split(';').collect();
        if signed.len() > MAX_SIGNED {
            return Err(refuse("SignedHeaders names too many headers"));
        }
        let date = request.header("x-sdk-date").ok_or_else(|| refuse("X-Sdk-Date is missing"))?;
        Ok(Self { access, signed, signature, date })
    }

    fn check_clock(&self, now: Wall) -> Result<(), Refusal> {
        let at = NaiveDateTime::parse_from_str(self.date, "%Y%m%dT%H%M%SZ")
            .map_err(|_| Refusal::unauthenticated("X-Sdk-Date is not like 20060102T150405Z"))?;
        let off = at.and_utc().timestamp().saturating_sub(now.unix_seconds());
        match off.abs() <= CLOCK_WINDOW {
            true => Ok(()),
            false => {
                Err(Refusal::unauthenticated("X-Sdk-Date is more than 15 minutes from the server's time"))
            }
        }
    }
}

/// What is signed.
pub(super) fn string_to_sign(request: &Request, date: &str, signed: &[&str]) -> Result<String, Refusal> {
    let canonical = [
        request.method.to_ascii_uppercase(),
        canonical_path(&request.path),
        canonical_query(&request.query),
        canonical_headers(request, signed)?,
        signed.join(";"),
        payload_hash(request)?,
    ];
    Ok(format!("{ALGORITHM}\n{date}\n{}", sha256_hex(canonical.join("\n").as_bytes())))
}

/// Each segment decoded and encoded strictly, with a `/` at the end, which the wire does not have.
fn canonical_path(path: &str) -> String {
    let mut out: String = path
        .split('/')
        .map(|segment| percent::encode(&percent::decode(segment)))
        .collect::<Vec<_>>()
        .join("/");
    if !out.ends_with('/') {
        out.push('/');
    }
    out
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<_> = percent::pairs(query).collect();
    pairs.sort();
    let encoded =
        pairs.iter().map(|(name, value)| format!("{}={}", percent::encode(name), percent::encode(value)));
    encoded.collect::<Vec<_>>().join("&")
}

/// `name:value\n` of exactly the headers that were signed. One that is there twice could mean one thing to us and
/// another to its signer.
fn canonical_headers(request: &Request, signed: &[&str]) -> Result<String, Refusal> {
    let mut out = String::new();
    for name in signed {
        let mut values = request.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let (Some((_, value)), None) = (values.next(), values.next()) else {
            return Err(Refusal::unauthenticated(format!("signed header {name:?} must be there once")));
        };
        out.push_str(&name.to_ascii_lowercase());
        out.push(':');
        out.push_str(value.trim());
        out.push('\n');
    }
    Ok(out)
}

/// The body's hash. SDKs send `X-Sdk-Content-Sha256` only where the body is no JSON and left unsigned; no operation
/// takes such a body.
fn payload_hash(request: &Request) -> Result<String, Refusal> {
    let hash = sha256_hex(&request.body);
    match request.header("x-sdk-content-sha256") {
        Some(given) if !request.body.is_empty() && !given.eq_ignore_ascii_case(&hash) => {
            Err(Refusal::unauthenticated("X-Sdk-Content-Sha256 is not the hash of the body"))
        }
        _ => Ok(hash),
    }
}

fn signature(secret: &str, string: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(string.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The Authorization header that `secret` would give `request`, with the names it has.
#[cfg(test)]
pub(super) fn resign(request: &Request, secret: &str) -> String {
    let claim = Claim::read(request).unwrap();
    let string = string_to_sign(request, claim.date, &claim.signed).unwrap();
    let (access, signed) = (claim.access, claim.signed.join(";"));
    format!("{ALGORITHM} Access={access}, SignedHeaders={signed}, Signature={}", signature(secret, &string))
}
