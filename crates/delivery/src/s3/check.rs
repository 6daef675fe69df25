use std::sync::PoisonError;
use std::time::Duration;

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use bytes::Bytes;
use tokio::time::{Instant, sleep};
use tracing::{error, info};

use super::progress::Progress;
use super::{Inner, S3Store, Trouble, body};
use crate::retry::Backoff;

/// The object that a check writes and removes.
const KEY: &str = ".millrace-check";
/// How long an answer about a bucket is good for: somebody who makes one waits so long at most.
const KNOWN: Duration = Duration::from_secs(60);
/// Answers that are kept; beyond it all are forgotten. Who asks for made-up names must not fill the memory.
const KNOWN_BUCKETS: usize = 1_024;
/// Regions that CreateBucket must not be told.
const NO_CONSTRAINT: &str = "us-east-1";

impl S3Store {
    /// Tries the store as a recording would: puts a small object into every configured bucket and removes it,
    /// because services that take a HEAD or a list may refuse the PUT that follows. Without buckets it asks for
    /// their list, which a key need not be allowed.
    ///
    /// Returns everything that is wrong; nothing, if the store is well.
    pub async fn check(&self) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        if self.0.settings.buckets.is_empty() {
            troubles.extend(self.0.check_service().await.err());
        }
        for bucket in &self.0.settings.buckets {
            let Err(trouble) = self.0.check_bucket(bucket).await else { continue };
            let next = trouble.is_of_one_bucket();
            troubles.push(trouble);
            if !next {
                break;
            }
        }
        self.0.tell(troubles.is_empty());
        troubles
    }

    /// Checks until the store is well. Says what is wrong when it is new, and when all is well.
    pub async fn watch(self) {
        let storage = self.name();
        let mut backoff = Backoff::default();
        let mut said = Vec::new();
        loop {
            let troubles = self.check().await;
            if troubles.is_empty() {
                return info!(storage, url = self.0.settings.url, "storage is well");
            }
            for trouble in troubles.iter().filter(|trouble| !said.contains(*trouble)) {
                error!(storage, reason = %trouble, "storage cannot be used; objects wait in the spool");
            }
            said = troubles;
            sleep(backoff.next()).await;
        }
    }

    /// Whether a bucket exists, as the service says (HeadBucket) or said within the last minute.
    ///
    /// # Errors
    /// If it says neither: it cannot be reached, or has a fault of its own.
    pub async fn has_bucket(&self, bucket: &str) -> Result<bool, Trouble> {
        if let Some(known) = self.0.known(bucket) {
            return Ok(known);
        }
        let request = self.0.client.head_bucket().bucket(bucket);
        let exists = match self.0.answer(request.send(), bucket).await {
            // A key may well write into a bucket that it may not look at.
            Ok(_) | Err(Trouble::Denied { .. } | Trouble::WrongRegion { .. }) => true,
            Err(Trouble::NoBucket { .. }) => false,
            Err(Trouble::Refused { refusal }) if refusal.status == 404 => false,
            Err(trouble) => return Err(trouble),
        };
        self.0.learn(bucket, exists);
        Ok(exists)
    }
}

impl Inner {
    async fn check_service(&self) -> Result<(), Trouble> {
        match self.answer(self.client.list_buckets().send(), "").await {
            Ok(_) | Err(Trouble::Denied { .. }) => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    async fn check_bucket(&self, bucket: &str) -> Result<(), Trouble> {
        match self.put_check(bucket).await {
            Err(Trouble::NoBucket { .. }) if self.settings.create_buckets => {
                self.create(bucket).await?;
                self.put_check(bucket).await?;
            }
            outcome => outcome?,
        }
        // A key that may write and not remove is a good key; the object is one and the same each time.
        let _ = self.answer(self.client.delete_object().bucket(bucket).key(KEY).send(), bucket).await;
        Ok(())
    }

    async fn put_check(&self, bucket: &str) -> Result<(), Trouble> {
        let (stream, len) = body::pieces(&[Bytes::from_static(b"ok\n")], &Progress::default());
        let request = self.client.put_object().bucket(bucket).key(KEY).content_type("text/plain");
        let request = request.content_length(super::as_i64(len)).body(stream);
        self.answer(request.send(), bucket).await.map(drop)
    }

    async fn create(&self, bucket: &str) -> Result<(), Trouble> {
        let region = self.settings.region.as_str();
        let constraint = (region != NO_CONSTRAINT).then(|| {
            let region = BucketLocationConstraint::from(region);
            CreateBucketConfiguration::builder().location_constraint(region).build()
        });
        let request = self.client.create_bucket().bucket(bucket).set_create_bucket_configuration(constraint);
        self.answer(request.send(), bucket).await?;
        info!(storage = self.settings.name, bucket, "bucket made");
        Ok(())
    }

    fn known(&self, bucket: &str) -> Option<bool> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(bucket).filter(|(at, _)| at.elapsed() < KNOWN).map(|&(_, exists)| exists)
    }

    fn learn(&self, bucket: &str, exists: bool) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_BUCKETS {
            known.clear();
        }
        known.insert(bucket.to_owned(), (Instant::now(), exists));
    }
}
