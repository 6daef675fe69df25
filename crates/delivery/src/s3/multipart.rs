use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use output::Object;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::body::{self, Stretch};
use super::progress::{Progress, unless_stalled};
use super::resume::Begun;
use super::{Inner, MIB, PART, Trouble, as_i64};
use crate::store::{Headers, Mode, StoreError};

/// Parts on their way at once: one is being sent while the service answers for the other. More would be more
/// connections and memory for each lane, for a line that one part at a time fills already.
pub(super) const IN_FLIGHT: usize = 2;
/// The most parts that an object may have.
const MAX_PARTS: u64 = 10_000;
/// Putting the parts together may take a service minutes, in which nothing moves.
const COMPLETE: Duration = Duration::from_secs(600);
/// Longest to wait for a failed upload's parts to be thrown away. Those that stay cost space until the bucket's
/// own rule removes them.
const ABORT: Duration = Duration::from_secs(5);

/// The parts of a file of `len` bytes: number, offset, length.
pub(super) fn parts(len: u64) -> impl Iterator<Item = (i32, u64, u64)> {
    let step = part_len(len);
    // Numbers begin with 1; 10,000 of them are no problem for an i32.
    let offsets = (0..len).step_by(usize::try_from(step).unwrap_or(usize::MAX));
    (1_i32..).zip(offsets).map(move |(number, offset)| (number, offset, step.min(len - offset)))
}

/// Bytes of each part but the last of a file of `len` bytes.
fn part_len(len: u64) -> u64 {
    len.div_ceil(MAX_PARTS).next_multiple_of(MIB).max(PART)
}

/// Puts a file in parts: all of them or nothing. What a try for a new object leaves unfinished, the next goes on with.
pub(super) async fn put(
    inner: &Inner,
    to: &Object,
    stretches: Vec<Stretch>,
    len: u64,
    headers: Headers<'_>,
    mode: Mode<'_>,
) -> Result<(), StoreError> {
    let begun = match mode {
        Mode::New { mark } => inner.begun(to, &stretches, len, mark).await,
        Mode::Replace => None,
    };
    let begun = match begun {
        Some(begun) => begun,
        None => begin(inner, to, headers, mode).await?,
    };
    let mut upload = Upload::of(inner, to, stretches, len, mode, begun);
    let finished = upload.finish().await;
    match &finished {
        Ok(()) => upload.begun = None,
        Err(trouble) if upload.mark.is_none() || trouble.spoils_upload() => upload.abort().await,
        // Dropping it does what is right.
        Err(_) => {}
    }
    Ok(finished?)
}

async fn begin(inner: &Inner, to: &Object, headers: Headers<'_>, mode: Mode<'_>) -> Result<Begun, Trouble> {
    let bucket = to.bucket.name.as_ref();
    let request = inner.client.create_multipart_upload().bucket(bucket).key(&to.key);
    let request = request.content_type(headers.content_type);
    let request = request.set_cache_control(headers.cache_control.map(str::to_owned));
    let request = request.set_metadata(super::mark::metadata(mode));
    let created = inner.answer(request.send(), bucket).await?;
    let id = created.upload_id.ok_or(Trouble::Answer { lacks: "an upload id" })?;
    Ok(Begun { id, parts: BTreeMap::new() })
}

/// A multipart upload that has begun. Dropped before its end, it is kept for the next try if there may be one, else
/// aborted.
struct Upload<'a> {
    inner: &'a Inner,
    /// Where one part goes; the same for all.
    target: Arc<Target>,
    len: u64,
    /// Whose it is; `None` if nobody goes on with it.
    mark: Option<String>,
    /// `None` when there is nothing left to keep or abort.
    begun: Option<Begun>,
}

/// What every part needs to know.
struct Target {
    client: Client,
    bucket: String,
    key: String,
    stretches: Vec<Stretch>,
    id: String,
    stall: Duration,
}

impl<'a> Upload<'a> {
    fn of(
        inner: &'a Inner,
        to: &Object,
        stretches: Vec<Stretch>,
        len: u64,
        mode: Mode<'_>,
        begun: Begun,
    ) -> Self {
        let target = Arc::new(Target {
            client: inner.client.clone(),
            bucket: to.bucket.name.to_string(),
            key: to.key.clone(),
            stretches,
            id: begun.id.clone(),
            stall: inner.settings.stall,
        });
        let mark = match mode {
            Mode::New { mark } => Some(mark.to_owned()),
            Mode::Replace => None,
        };
        Self { inner, target, len, mark, begun: Some(begun) }
    }

    async fn finish(&mut self) -> Result<(), Trouble> {
        self.send_parts().await?;
        let parts = self.begun.iter().flat_map(|begun| &begun.parts);
        let parts =
            parts.map(|(&number, etag)| CompletedPart::builder().part_number(number).e_tag(etag).build());
        self.complete(parts.collect()).await
    }

    async fn send_parts(&mut self) -> Result<(), Trouble> {
        let mut under_way = JoinSet::new();
        let sent = self.send_each(&mut under_way).await;
        // After one that failed, too: the next try need not send what still arrives.
        while self.mark.is_some() && !under_way.is_empty() {
            let _ = self.joined(&mut under_way).await;
        }
        sent
    }

    async fn send_each(&mut self, under_way: &mut JoinSet<(i32, Sent)>) -> Result<(), Trouble> {
        for (number, offset, len) in parts(self.len) {
            if self.begun.as_ref().is_some_and(|begun| begun.parts.contains_key(&number)) {
                continue;
            }
            if under_way.len() == IN_FLIGHT {
                self.joined(under_way).await?;
            }
            let target = Arc::clone(&self.target);
            under_way.spawn(async move { (number, target.send_part(number, offset, len).await) });
        }
        while !under_way.is_empty() {
            self.joined(under_way).await?;
        }
        Ok(())
    }

    /// Waits for the next part that is there.
    async fn joined(&mut self, under_way: &mut JoinSet<(i32, Sent)>) -> Result<(), Trouble> {
        // A task ends without a value only if it panics or the runtime ends.
        let Some(Ok((number, sent))) = under_way.join_next().await else { return Err(Trouble::Cancelled) };
        let etag = match sent? {
            Ok(part) => part.e_tag.ok_or(Trouble::Answer { lacks: "an ETag" })?,
            Err(error) => return Err(self.inner.trouble(&error, &self.target.bucket)),
        };
        if let Some(begun) = &mut self.begun {
            begun.parts.insert(number, etag);
        }
        Ok(())
    }

    async fn complete(&self, parts: Vec<CompletedPart>) -> Result<(), Trouble> {
        let Target { bucket, key, id, .. } = &*self.target;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.inner.client.complete_multipart_upload().bucket(bucket).key(key);
        let request = request.upload_id(id).multipart_upload(parts);
        let completed = unless_stalled(request.send(), &Progress::default(), COMPLETE).await?;
        completed.map(drop).map_err(|error| self.inner.trouble(&error, bucket))
    }

    async fn abort(&mut self) {
        if let Some(begun) = self.begun.take() {
            abort(Arc::clone(&self.target), begun.id).await;
        }
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        let Some(begun) = self.begun.take() else { return };
        if let Some(mark) = self.mark.take() {
            self.inner.keep(mark, self.target.key.clone(), begun);
        } else if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(abort(Arc::clone(&self.target), begun.id));
        }
    }
}

/// Has the service throw away what it got. That it could not is nobody's business: the object's own error is.
async fn abort(target: Arc<Target>, id: String) {
    let request = target.client.abort_multipart_upload().bucket(&target.bucket).key(&target.key);
    match timeout(ABORT, request.upload_id(id).send()).await {
        Ok(Ok(_)) => {}
        _ => {
            tracing::debug!(bucket = target.bucket, key = target.key, "parts of a failed upload stay behind")
        }
    }
}

type Sent = Result<
    Result<
        aws_sdk_s3::operation::upload_part::UploadPartOutput,
        aws_sdk_s3::error::SdkError<aws_sdk_s3::operation::upload_part::UploadPartError>,
    >,
    Trouble,
>;

impl Target {
    async fn send_part(&self, number: i32, offset: u64, len: u64) -> Sent {
        let progress = Progress::default();
        let stream = body::range(&self.stretches, offset, len, &progress);
        let request = self.client.upload_part().bucket(&self.bucket).key(&self.key).upload_id(&self.id);
        let request = request.part_number(number).content_length(as_i64(len)).body(stream);
        unless_stalled(request.send(), &progress, self.stall).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_16_mib_until_ten_thousand_do_not_suffice() {
        assert_eq!(part_len(1), PART);
        assert_eq!(part_len(MAX_PARTS * PART), PART);
        assert_eq!(part_len(MAX_PARTS * PART + 1), 17 * MIB);
        for len in [200_u64 << 30, 1 << 40, 5 << 40] {
            assert!(len.div_ceil(part_len(len)) <= MAX_PARTS, "{len}");
        }
    }
}
