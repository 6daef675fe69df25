//! What the control plane does to stored recordings: it puts lists, deletes what goes, and says where things are.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use control::{Control, DeleteObject, PutError, PutObject};
use delivery::{Body, Fault, Headers, Mode, Store, StoreError};
use tokio::time::{MissedTickBehavior, interval};

use crate::clock;
use server::config::{Config, Stores};

/// How often recordings that are past their retention are looked for.
const SWEEP: Duration = Duration::from_secs(60);

/// Every storage by its name.
pub(crate) type All = Arc<HashMap<String, Arc<dyn Store>>>;

/// Stores lists.
pub(crate) fn put(stores: All) -> PutObject {
    Arc::new(move |put| {
        let store = stores.get(&*put.to.bucket.storage).cloned();
        Box::pin(async move {
            let store = store.ok_or_else(|| PutError::Failed(no_storage(&put.to.bucket.storage)))?;
            let body = Body::Memory(vec![put.body]);
            let mode = put.mark.as_deref().map_or(Mode::Replace, |mark| Mode::New { mark });
            match store.put(&put.to, &body, Headers::of(put.content_type), mode).await {
                Ok(_) => Ok(()),
                Err(StoreError { fault: Fault::Taken(_), .. }) => Err(PutError::Taken),
                Err(error) => Err(PutError::Failed(error.to_string())),
            }
        })
    })
}

/// Deletes objects.
pub(crate) fn delete(stores: All) -> DeleteObject {
    Arc::new(move |object| {
        let store = stores.get(&*object.bucket.storage).cloned();
        Box::pin(async move {
            let store = store.ok_or_else(|| no_storage(&object.bucket.storage))?;
            store.delete(&object).await.map_err(|error| error.to_string())
        })
    })
}

fn no_storage(name: &str) -> String {
    format!("no storage is named {name:?}")
}

/// Where objects can be fetched.
pub(crate) fn objects(config: &Config, stores: &Stores) -> api::Objects {
    let storage = |storage: &server::config::Storage| api::Storage {
        name: storage.name.clone(),
        buckets: storage.buckets.clone(),
        public_url: storage.public_url.clone(),
        folder: stores.folders.get(&storage.name).cloned(),
    };
    api::Objects(config.storages.iter().map(storage).collect())
}

/// Deletes what is past its retention, until dropped.
pub(crate) async fn sweep(control: Control) {
    let mut ticks = interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        control.sweep(clock::now()).await;
    }
}
