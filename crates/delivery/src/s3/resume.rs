//! Going on with an upload that a try left unfinished, or that an earlier run of the server did.

use std::collections::{BTreeMap, HashMap};
use std::sync::{MutexGuard, PoisonError};

use output::Object;
use tokio::task::spawn_blocking;

use super::body::{self, Stretch};
use super::multipart::parts;
use super::{Inner, Trouble};

/// Unfinished uploads that are remembered; beyond it they are looked up again. A lane has one.
const KEPT: usize = 4_096;

/// A multipart upload that has begun.
#[derive(Debug)]
pub(super) struct Begun {
    pub id: String,
    /// ETags of the parts that the service has, by their numbers.
    pub parts: BTreeMap<i32, String>,
}

/// Unfinished uploads by mark and key.
pub(super) type Kept = HashMap<(String, String), Begun>;

impl Inner {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next try goes on with it.
    pub(super) fn keep(&self, mark: String, key: String, begun: Begun) {
        let mut kept = self.kept();
        if kept.len() < KEPT {
            kept.insert((mark, key), begun);
        }
    }

    /// The object is there, however that came about.
    pub(super) fn forget(&self, mark: &str, key: &str) {
        self.kept().remove(&(mark.to_owned(), key.to_owned()));
    }

    /// An upload of this very object that is not finished: ours, or one at the service whose parts have the same bytes.
    /// What goes wrong meanwhile costs no more than that all is sent.
    pub(super) async fn begun(
        &self,
        to: &Object,
        stretches: &[Stretch],
        len: u64,
        mark: &str,
    ) -> Option<Begun> {
        let kept = self.kept().remove(&(mark.to_owned(), to.key.clone()));
        let Some(mut begun) = kept else { return self.found(to, stretches, len).await };
        // The service may have forgotten it, and a refusal is easily lost when a part is on its way.
        let there = self.parts_of(to, &begun.id).await.ok()?;
        begun.parts.retain(|number, etag| there.get(number).is_some_and(|(found, _)| same_tag(found, etag)));
        Some(begun)
    }

    async fn found(&self, to: &Object, stretches: &[Stretch], len: u64) -> Option<Begun> {
        let bucket = to.bucket.name.as_ref();
        let request = self.client.list_multipart_uploads().bucket(bucket).prefix(&to.key);
        let listed = self.answer(request.send(), bucket).await.ok()?;
        let ours = listed.uploads().iter().filter(|upload| upload.key() == Some(to.key.as_str()));
        let newest = ours.max_by_key(|upload| upload.initiated().map(|at| at.secs()))?;
        let id = newest.upload_id()?.to_owned();
        let there = self.parts_of(to, &id).await.ok()?;
        let mut same = BTreeMap::new();
        for (number, offset, len) in parts(len) {
            let Some((etag, _)) = there.get(&number).filter(|(_, size)| *size == len) else { continue };
            let stretches = stretches.to_vec();
            let digest = spawn_blocking(move || body::md5(&stretches, offset, len)).await.ok()?.ok()?;
            if same_tag(etag, &digest) {
                same.insert(number, etag.clone());
            }
        }
        // Without a part that says so it may be anybody's.
        (!same.is_empty()).then_some(Begun { id, parts: same })
    }

    /// ETag and size of each part that the service has of an upload.
    async fn parts_of(&self, to: &Object, id: &str) -> Result<HashMap<i32, (String, u64)>, Trouble> {
        let bucket = to.bucket.name.as_ref();
        let (mut found, mut after) = (HashMap::new(), None);
        loop {
            let request = self.client.list_parts().bucket(bucket).key(&to.key).upload_id(id);
            let page = self.answer(request.set_part_number_marker(after).send(), bucket).await?;
            for part in page.parts() {
                if let (Some(number), Some(etag), Some(size)) =
                    (part.part_number(), part.e_tag(), part.size())
                {
                    found.insert(number, (etag.to_owned(), u64::try_from(size).unwrap_or(0)));
                }
            }
            after = page.next_part_number_marker().map(str::to_owned);
            if page.is_truncated() != Some(true) || after.is_none() || page.parts().is_empty() {
                return Ok(found);
            }
        }
    }
}

/// Whether two ETags are the same: not every service quotes them.
fn same_tag(a: &str, b: &str) -> bool {
    a.trim_matches('"').eq_ignore_ascii_case(b.trim_matches('"'))
}
