use std::sync::Arc;

use output::Bucket;

use crate::target::required;
use crate::{Fault, Param};

/// A declared storage, as far as templates can name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// `name` of the `[[storage]]`; OssEndpoint can name it.
    pub name: String,
    /// Further names that OssEndpoint can have for it.
    pub endpoints: Vec<String>,
    /// The buckets that exist; `None`: only the store itself knows.
    pub buckets: Option<Vec<String>>,
}

/// All storages, found by what OssEndpoint says. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Storages(Arc<[Storage]>);

/// Longest bucket name: of what the clouds and file systems take, the larger.
const MAX_BUCKET: usize = 255;

impl Storages {
    pub(crate) fn declare(storages: Vec<Storage>) -> (Self, Vec<(usize, Fault)>) {
        let mut faults = Vec::new();
        let mut taken: Vec<String> = Vec::new();
        for (index, storage) in storages.iter().enumerate() {
            let names = std::iter::once((Param::Name, &storage.name))
                .chain(storage.endpoints.iter().map(|endpoint| (Param::Endpoints, endpoint)));
            for (param, name) in names {
                let host = host(name).to_ascii_lowercase();
                if host.is_empty() {
                    faults.push((index, Fault::malformed(param, "is empty")));
                } else if taken.contains(&host) {
                    faults.push((index, Fault::malformed(param, format!("{name:?} names another storage"))));
                }
                taken.push(host);
            }
            for bucket in storage.buckets.iter().flatten().filter(|name| !is_bucket_name(name)) {
                faults.push((index, Fault::malformed(Param::Buckets, not_a_bucket(bucket))));
            }
        }
        (Self(storages.into()), faults)
    }

    /// The storages, as declared.
    pub fn all(&self) -> &[Storage] {
        &self.0
    }

    /// Whether only the storage itself knows if `bucket` exists.
    pub(crate) fn asks(&self, bucket: &Bucket) -> bool {
        self.find(&bucket.storage).is_some_and(|storage| storage.buckets.is_none())
    }

    /// The storage that OssEndpoint `endpoint` names, with or without a scheme.
    pub fn find(&self, endpoint: &str) -> Option<&Storage> {
        let wanted = host(endpoint);
        let is = |name: &String| host(name).eq_ignore_ascii_case(wanted);
        self.0.iter().find(|storage| is(&storage.name) || storage.endpoints.iter().any(is))
    }

    /// The bucket that OssEndpoint and OssBucket name.
    ///
    /// # Errors
    /// What is wrong with which of them.
    pub fn bucket(&self, endpoint: Option<&String>, bucket: Option<&String>) -> Result<Bucket, Fault> {
        let endpoint = required(Param::OssEndpoint, endpoint)?;
        let storage = self.find(endpoint).ok_or_else(|| {
            Fault::malformed(
                Param::OssEndpoint,
                format!("{endpoint:?} is the name or endpoint of no storage"),
            )
        })?;
        let bucket = required(Param::OssBucket, bucket)?;
        if !is_bucket_name(bucket) {
            return Err(Fault::malformed(Param::OssBucket, not_a_bucket(bucket)));
        }
        match &storage.buckets {
            Some(buckets) if !buckets.iter().any(|name| name == bucket) => {
                Err(Fault::no_bucket(&storage.name, bucket))
            }
            _ => Ok(Bucket { storage: Arc::from(storage.name.as_str()), name: Arc::from(bucket) }),
        }
    }
}

/// The host of an endpoint that may be a URL.
fn host(endpoint: &str) -> &str {
    let rest = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    rest.unwrap_or(endpoint).trim_end_matches('/')
}

/// A bucket is a folder of an `fs` storage, so its name must be one component and no hidden one.
fn is_bucket_name(name: &str) -> bool {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let charset = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    starts_well && name.len() <= MAX_BUCKET && name.chars().all(charset)
}

fn not_a_bucket(name: &str) -> String {
    format!("{name:?} is no bucket name: letters, digits, '-', '_' and '.', the first a letter or digit")
}
