//! The config in the words of the crates it is for.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use delivery::{LocalStore, Store};

use super::Config;

impl Config {
    /// The access keys of `[[access_key]]`.
    pub fn access_keys(&self) -> Vec<api::AccessKey> {
        let keys = self.access_keys.iter();
        keys.map(|key| api::AccessKey { id: key.id.clone(), secret: key.secret.expose().to_owned() })
            .collect()
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
