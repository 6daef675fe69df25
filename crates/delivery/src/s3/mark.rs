//! Whose object it is that is there already: nothing new takes the place of another's.

use std::collections::{HashMap, HashSet};
use std::sync::{MutexGuard, PoisonError};

use output::Object;

use super::{Inner, Refusal, Trouble, as_i64};
use crate::store::{Fault, Mode, StoreError};

/// Name of the metadata (`x-amz-meta-`) that says which object of ours it is: a try whose answer was lost is told from
/// another object of the same key.
const MARK: &str = "millrace";

impl Inner {
    /// Nobody else stores a new object there until the answer is dropped. A service asked by two at once says to both
    /// that nothing is there.
    ///
    /// # Errors
    /// If somebody does.
    pub(super) fn claim<'a>(&'a self, to: &Object) -> Result<Claim<'a>, StoreError> {
        let place = (to.bucket.name.to_string(), to.key.clone());
        match self.claimed().insert(place.clone()) {
            true => Ok(Claim { inner: self, place }),
            false => Err(StoreError::permanent(Fault::Taken(to.key.clone()))),
        }
    }

    fn claimed(&self) -> MutexGuard<'_, HashSet<(String, String)>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the object is there already, because a try stored it whose answer was lost.
    ///
    /// # Errors
    /// If another object is there.
    pub(super) async fn has(&self, to: &Object, len: u64, mark: &str) -> Result<bool, StoreError> {
        let bucket = to.bucket.name.as_ref();
        let request = self.client.head_object().bucket(bucket).key(&to.key);
        let head = match self.answer(request.send(), bucket).await {
            Ok(head) => head,
            Err(Trouble::Refused { refusal }) if refusal.status == 404 => return Ok(false),
            // A key that may write and not read is a good key. That nothing is replaced it can't know.
            Err(Trouble::Denied { .. }) => return Ok(false),
            Err(Trouble::Refused { refusal }) if refusal.code.is_empty() && refusal.status == 400 => {
                return Err(self.reason(to, refusal).await.into());
            }
            Err(trouble) => return Err(trouble.into()),
        };
        let marked = head.metadata().and_then(|metadata| metadata.get(MARK)).is_some_and(|m| m == mark);
        if marked && head.content_length() == Some(as_i64(len)) {
            return Ok(true);
        }
        // What was stored by halves and is ours is replaced.
        if marked { Ok(false) } else { Err(StoreError::permanent(Fault::Taken(to.key.clone()))) }
    }

    /// Looks at an object again: it must be there, as long as what was sent, and if it is new it must be ours.
    pub(super) async fn verified(&self, to: &Object, len: u64, mode: Mode<'_>) -> Result<u64, StoreError> {
        let bucket = to.bucket.name.as_ref();
        let request = self.client.head_object().bucket(bucket).key(&to.key);
        let head = match self.answer(request.send(), bucket).await {
            Ok(head) => head,
            // A key that may write and not read is a good key: the service's word must do.
            Err(Trouble::Denied { .. }) => return Ok(len),
            Err(Trouble::Refused { refusal }) if refusal.status == 404 => {
                return Err(Trouble::Size { sent: len, found: 0 }.into());
            }
            Err(trouble) => return Err(trouble.into()),
        };
        let found = head.metadata().and_then(|metadata| metadata.get(MARK));
        if let Mode::New { mark } = mode
            && found.is_some_and(|found| found != mark)
        {
            return Err(StoreError::permanent(Fault::Taken(to.key.clone())));
        }
        match head.content_length.and_then(|found| u64::try_from(found).ok()) {
            Some(found) if found == len => Ok(len),
            found => Err(Trouble::Size { sent: len, found: found.unwrap_or_default() }.into()),
        }
    }

    /// Why a HEAD was refused, whose answer has no words: whether the key itself is impossible is in them.
    async fn reason(&self, to: &Object, refusal: Refusal) -> Trouble {
        let bucket = to.bucket.name.as_ref();
        let request = self.client.get_object().bucket(bucket).key(&to.key).range("bytes=0-0");
        self.answer(request.send(), bucket).await.err().unwrap_or(Trouble::Refused { refusal })
    }
}

/// A key that nobody else may store at.
pub(super) struct Claim<'a> {
    inner: &'a Inner,
    place: (String, String),
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.inner.claimed().remove(&self.place);
    }
}

/// What an object is marked with.
pub(super) fn metadata(mode: Mode<'_>) -> Option<HashMap<String, String>> {
    match mode {
        Mode::Replace => None,
        Mode::New { mark } => Some(HashMap::from([(MARK.to_owned(), mark.to_owned())])),
    }
}
