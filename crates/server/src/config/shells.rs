//! The config in the words of the crates it is for.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use delivery::{LocalStore, S3Store, Store, s3};
use dialect::policy::Policy;
use media::Wall;

use super::error::Problem;
use super::{Config, ConfigError, Kind, SecretSource};

/// Every `[[storage]]`, opened.
#[derive(Default)]
pub struct Stores {
    /// By its name.
    pub all: HashMap<String, Arc<dyn Store>>,
    /// Those that are services, and may be away.
    pub services: Vec<S3Store>,
    /// Those that are folders, by their name.
    pub folders: HashMap<String, LocalStore>,
}

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

    /// Reads every file that the config names once, for what is wrong with it.
    pub(super) fn check_files(&self, file: &str) -> Result<(), ConfigError> {
        let policies = self.access_keys.iter().filter_map(|key| {
            let error = policy(&key.policy).err()?;
            Some((key.at.clone(), "access_key.policy", error))
        });
        let secrets = self.storages.iter().filter_map(|storage| {
            let Kind::S3(service) = &storage.kind else { return None };
            let error = secret(&service.access_key_secret).err()?;
            Some((service.at.clone(), "storage.access_key_secret_file", error))
        });
        let problems: Vec<_> = policies
            .chain(secrets)
            .map(|(at, key, error)| Problem { at, key: key.to_owned(), message: error.to_string() })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError::new(file, problems)) }
    }

    /// Opens every `[[storage]]`; goes to no network. `clock` dates what is sent to services.
    ///
    /// # Errors
    /// A folder that cannot be made, or a secret that cannot be read, with the storage's name.
    pub fn stores(&self, clock: fn() -> Wall) -> io::Result<Stores> {
        let mut stores = Stores::default();
        for storage in &self.storages {
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", storage.name));
            let store: Arc<dyn Store> = match &storage.kind {
                Kind::Fs(path) => {
                    let buckets = storage.buckets.clone().unwrap_or_default();
                    let store = LocalStore::open(path, buckets, storage.create_buckets).map_err(named)?;
                    stores.folders.insert(storage.name.clone(), store.clone());
                    Arc::new(store)
                }
                Kind::S3(service) => {
                    let store = S3Store::open(settings(storage, service, clock).map_err(named)?);
                    stores.services.push(store.clone());
                    Arc::new(store)
                }
            };
            stores.all.insert(storage.name.clone(), store);
        }
        Ok(stores)
    }
}

fn settings(storage: &super::Storage, service: &super::S3, clock: fn() -> Wall) -> io::Result<s3::Settings> {
    Ok(s3::Settings {
        name: storage.name.clone(),
        url: service.url.clone(),
        region: service.region.clone(),
        path_style: service.path_style,
        access_key_id: service.access_key_id.clone(),
        access_key_secret: secret(&service.access_key_secret)?,
        buckets: storage.buckets.clone().unwrap_or_default(),
        create_buckets: storage.create_buckets,
        connect: s3::CONNECT,
        stall: s3::STALL,
        clock,
    })
}

/// Longest secret file that is read, in bytes. The clouds' secrets have 40 letters.
const MAX_SECRET_FILE: u64 = 4 << 10;

/// The text of a secret; of a file without the line end that editors put there.
fn secret(source: &SecretSource) -> io::Result<String> {
    let path = match source {
        SecretSource::Given(secret) => return Ok(secret.expose().to_owned()),
        SecretSource::File(path) => path,
    };
    let text = read(path, MAX_SECRET_FILE)?;
    match text.trim() {
        "" => Err(io::Error::new(io::ErrorKind::InvalidData, format!("{}: is empty", path.display()))),
        secret => Ok(secret.to_owned()),
    }
}

/// The text of a file, up to `limit` bytes; errors name it.
fn read(path: &Path, limit: u64) -> io::Result<String> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(named)?;
    file.take(limit).read_to_string(&mut text).map_err(named)?;
    Ok(text)
}

/// Longest policy file that is read, in bytes: what [`dialect::policy::Policy`] takes, and its spaces.
const MAX_POLICY_FILE: u64 = 256 << 10;

fn policy(policy: &super::Policy) -> io::Result<Policy> {
    let path = match policy {
        super::Policy::Full => return Ok(Policy::Full),
        super::Policy::Read => return Ok(Policy::Read),
        super::Policy::File(path) => path,
    };
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = read(path, MAX_POLICY_FILE)?;
    Policy::parse(&text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, wrong(&error)))
}
