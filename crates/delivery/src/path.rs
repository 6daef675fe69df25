use std::path::PathBuf;

use output::Object;
use sha2::{Digest, Sha256};

use crate::store::{Fault, StoreError};

/// The longest file name that common file systems take, in bytes.
const MAX_COMPONENT: usize = 255;
/// Hex digits of the hash that stands for the rest of a longer one.
const HASH_DIGITS: usize = 16;

/// Where an object lies below a store's folder: `bucket/key`, components over 255 bytes shortened.
///
/// Keys were checked when their template was (`output::name`); here is the second lock on the door.
pub(crate) fn relative(object: &Object) -> Result<PathBuf, StoreError> {
    let bucket = object.bucket.name.as_ref();
    if bucket.starts_with('.') || bucket.contains('/') || !is_component(bucket) {
        return Err(StoreError::permanent(Fault::NoBucket(bucket.to_owned())));
    }
    let mut path = PathBuf::from(bucket);
    for component in object.key.split('/') {
        if !is_component(component) {
            let fault = Fault::Key { key: object.key.clone(), component: component.to_owned() };
            return Err(StoreError::permanent(fault));
        }
        path.push(shorten(component));
    }
    Ok(path)
}

fn is_component(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(['\0', '\\'])
}

/// A component over 255 bytes is cut at a character and ends in `~` and 16 hex digits of its SHA-256.
fn shorten(component: &str) -> String {
    if component.len() <= MAX_COMPONENT {
        return component.to_owned();
    }
    let hash = Sha256::digest(component.as_bytes());
    let mut hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.truncate(HASH_DIGITS);
    let (kept, _) = component.split_at(component.floor_char_boundary(MAX_COMPONENT - HASH_DIGITS - 1));
    format!("{kept}~{hex}")
}

#[cfg(test)]
mod tests {
    use output::Bucket;

    use super::*;

    fn path(bucket: &str, key: &str) -> Result<String, String> {
        let bucket = Bucket { storage: "s".into(), name: bucket.into() };
        let path = relative(&Object { bucket, key: key.to_owned() }).map_err(|e| e.to_string())?;
        Ok(path.into_os_string().into_string().unwrap())
    }

    #[test]
    fn an_object_is_a_file_below_its_bucket() {
        assert_eq!(path("b", "record/live/a:b.ts").unwrap(), "b/record/live/a:b.ts");
    }

    #[test]
    fn no_key_leaves_its_bucket() {
        for key in ["", "/a", "a/", "a//b", "../a", "a/..", "a/./b", "a\\..\\b", "a\0"] {
            assert!(path("b", key).is_err(), "{key:?}");
        }
        for bucket in ["", ".", "..", ".tmp", "a/b", "/"] {
            assert!(path(bucket, "a").is_err(), "{bucket:?}");
        }
    }

    #[test]
    fn a_long_component_ends_in_its_hash() {
        let long = path("b", &format!("{}/x", "é".repeat(200))).unwrap();
        let component = long.split('/').nth(1).unwrap();
        assert!(component.len() <= 255 && component.len() > 250, "{}", component.len());
        let (kept, hash) = component.split_once('~').unwrap();
        assert!("é".repeat(200).starts_with(kept));
        // sha256sum of 200 times é
        let digest = Sha256::digest("é".repeat(200).as_bytes());
        assert_eq!(hash, format!("{:016x}", u64::from_be_bytes(digest[..8].try_into().unwrap())));
        assert_eq!(path("b", &"x".repeat(255)).unwrap(), format!("b/{}", "x".repeat(255)));
    }
}
