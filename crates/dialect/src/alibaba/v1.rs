//! Signature version 1: HMAC-SHA1 in the parameters (wire reference §1.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use media::Wall;
use sha1::Sha1;

use super::wire::Caller;
use super::{Params, Refusal, Request, v3};
use crate::keys::KeyLookup;
use crate::percent::encode;

/// What must be there, in the order in which it is missed.
const REQUIRED: [&str; 6] = ["Action", "Version", "AccessKeyId", "Timestamp", "SignatureNonce", "Signature"];

/// Verifies a call by its parameters.
pub(super) fn verify(
    request: &Request,
    params: &Params,
    keys: &dyn KeyLookup,
    now: Wall,
) -> Result<Caller, Refusal> {
    let [_, _, key_id, timestamp, nonce, signature] = required(params)?;
    let is = |name: &str, only: &str| params.text(name).is_none_or(|text| text.eq_ignore_ascii_case(only));
    for (name, only) in [("SignatureMethod", "HMAC-SHA1"), ("SignatureVersion", "1.0")] {
        if !is(name, only) {
            return Err(Refusal::invalid_common(name));
        }
    }
    let key = v3::active_key(keys, key_id)?;
    v3::check_time(timestamp, now)?;
    let text = string_to_sign(&request.method, params);
    match STANDARD.decode(signature).is_ok_and(|given| matches(key.secret, &text, &given)) {
        true => Ok(Caller { key_id: key_id.to_owned(), nonce: nonce.to_owned() }),
        false => Err(v3::mismatch(&text)),
    }
}

fn required(params: &Params) -> Result<[&str; 6], Refusal> {
    let mut found = [""; 6];
    for (slot, name) in found.iter_mut().zip(REQUIRED) {
        *slot = params.text(name).ok_or_else(|| Refusal::missing_common(name))?;
    }
    Ok(found)
}

/// `METHOD&%2F&` and the encoded canonical query of all parameters but the signature itself, also of empty ones.
pub(super) fn string_to_sign(method: &str, params: &Params) -> String {
    let signed = params.pairs().iter().filter(|(name, _)| name != "Signature");
    format!("{method}&%2F&{}", encode(&v3::canonical_query(signed.cloned().collect())))
}

fn matches(secret: &str, text: &str, given: &[u8]) -> bool {
    // Any length will do for a key: there is no error.
    let Ok(mac) = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()) else { return false };
    mac.chain_update(text).verify_slice(given).is_ok()
}
