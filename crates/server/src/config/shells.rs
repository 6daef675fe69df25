//! The config in the words of the crates it is for.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::sync::Arc;

use delivery::{LocalStore, Store};
use dialect::policy::Policy;

use super::error::Problem;
use super::{Config, ConfigError};

impl Config {
    /// The access keys of `[[access_key]]`.
    ///
    /// # Errors
    /// A policy file that cannot be read or is none, with the key's id.
    pub fn access_keys(&self) -> io::Result<Vec<control::AccessKey>> {
        let key = |key: &super::AccessKey| {
            let policy = policy(&key.policy)
                .map_err(|error| io::Error::new(error.kind(), format!("access key {}: {error}", key.id)))?;
            Ok(control::AccessKey {
                id: key.id.clone(),
                secret: key.secret.expose().to_owned(),
                token: key.token.as_ref().map(|token| token.expose().to_owned()),
                policy,
                active: true,
                source: control::Source::File,
            })
        };
        self.access_keys.iter().map(key).collect()
    }

    /// Reads every policy file once, for what is wrong with it.
    pub(super) fn check_policies(&self, file: &str) -> Result<(), ConfigError> {
        let wrong = |key: &super::AccessKey| {
            let error = policy(&key.policy).err()?;
            let at = key.at.clone();
            Some(Problem { at, key: "access_key.policy".to_owned(), message: error.to_string() })
        };
        let problems: Vec<_> = self.access_keys.iter().filter_map(wrong).collect();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError::new(file, problems)) }
    }

    /// Opens every `[[storage]]`, by its name.
    ///
    /// # Errors
    /// A folder that cannot be made, with the storage's name.
    pub fn stores(&self) -> io::Result<HashMap<String, Arc<dyn Store>>> {
        let open = |storage: &super::Storage| {
            let store = LocalStore::open(&storage.path, storage.buckets.clone(), storage.create_buckets)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", storage.name)))?;
            Ok((storage.name.clone(), Arc::new(store) as Arc<dyn Store>))
        };
        self.storages.iter().map(open).collect()
    }
}

/// Longest policy file that is read, in bytes: what [`dialect::policy::Policy`] takes, and its spaces.
const MAX_POLICY_FILE: u64 = 256 << 10;

fn policy(policy: &super::Policy) -> io::Result<Policy> {
    let path = match policy {
        super::Policy::Full => return Ok(Policy::Full),
        super::Policy::Read => return Ok(Policy::Read),
        super::Policy::File(path) => path,
    };
    let named =
        |error: &dyn std::fmt::Display, kind| io::Error::new(kind, format!("{}: {error}", path.display()));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| named(&error, error.kind()))?;
    file.take(MAX_POLICY_FILE).read_to_string(&mut text).map_err(|error| named(&error, error.kind()))?;
    Policy::parse(&text).map_err(|error| named(&error, io::ErrorKind::InvalidData))
}
