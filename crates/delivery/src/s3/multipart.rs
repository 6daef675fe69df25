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

/// Bytes of each part but the last of a file of `len` bytes.
fn part_len(len: u64) -> u64 {
    len.div_ceil(MAX_PARTS).next_multiple_of(MIB).max(PART)
}

/// Puts a file in parts: all of them or nothing.
pub(super) async fn put(
    inner: &Inner,
    to: &Object,
    stretches: Vec<Stretch>,
    len: u64,
    headers: Headers<'_>,
    mode: Mode<'_>,
) -> Result<(), StoreError> {
    let mut upload = Upload::begin(inner, to, stretches, len, headers, mode).await?;
    let finished = upload.finish().await;
    match &finished {
        Ok(()) => upload.id = None,
        Err(_) => upload.abort().await,
    }
    Ok(finished?)
}

/// A multipart upload that has begun. Dropped before its end, it is aborted.
struct Upload<'a> {
    inner: &'a Inner,
    /// Where one part goes; the same for all.
    target: Arc<Target>,
    len: u64,
    /// `None` when there is nothing left to abort.
    id: Option<String>,
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
    async fn begin(
        inner: &'a Inner,
        to: &Object,
        stretches: Vec<Stretch>,
        len: u64,
        headers: Headers<'_>,
        mode: Mode<'_>,
    ) -> Result<Self, Trouble> {
        let bucket = to.bucket.name.as_ref();
        let request = inner.client.create_multipart_upload().bucket(bucket).key(&to.key);
        let request = request.content_type(headers.content_type);
        let request = request.set_cache_control(headers.cache_control.map(str::to_owned));
        let request = request.set_metadata(super::mark::metadata(mode));
        let created = inner.answer(request.send(), bucket).await?;
        let id = created.upload_id.ok_or(Trouble::Answer { lacks: "an upload id" })?;
        let target = Arc::new(Target {
            client: inner.client.clone(),
            bucket: bucket.to_owned(),
            key: to.key.clone(),
            stretches,
            id: id.clone(),
            stall: inner.settings.stall,
        });
        Ok(Self { inner, target, len, id: Some(id) })
    }

    async fn finish(&self) -> Result<(), Trouble> {
        let parts = self.send_parts().await?;
        self.complete(parts).await
    }

    async fn send_parts(&self) -> Result<Vec<CompletedPart>, Trouble> {
        let (mut under_way, mut done) = (JoinSet::new(), Vec::new());
        let step = part_len(self.len);
        // Numbers begin with 1; 10,000 of them are no problem for an i32.
        for (number, offset) in
            (1_i32..).zip((0..self.len).step_by(usize::try_from(step).unwrap_or(usize::MAX)))
        {
            if under_way.len() == IN_FLIGHT {
                done.push(self.joined(&mut under_way).await?);
            }
            let (target, len) = (Arc::clone(&self.target), step.min(self.len - offset));
            under_way.spawn(async move { (number, target.send_part(number, offset, len).await) });
        }
        while !under_way.is_empty() {
            done.push(self.joined(&mut under_way).await?);
        }
        done.sort_by_key(|part| part.part_number);
        Ok(done)
    }

    /// The next part that is there.
    async fn joined(&self, under_way: &mut JoinSet<(i32, Sent)>) -> Result<CompletedPart, Trouble> {
        // A task ends without a value only if it panics or the runtime ends.
        let Some(Ok((number, sent))) = under_way.join_next().await else { return Err(Trouble::Cancelled) };
        let etag = match sent? {
            Ok(part) => part.e_tag.ok_or(Trouble::Answer { lacks: "an ETag" })?,
            Err(error) => return Err(self.inner.trouble(&error, &self.target.bucket)),
        };
        Ok(CompletedPart::builder().part_number(number).e_tag(etag).build())
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
        if let Some(id) = self.id.take() {
            abort(Arc::clone(&self.target), id).await;
        }
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if let (Some(id), Ok(runtime)) = (self.id.take(), Handle::try_current()) {
            runtime.spawn(abort(Arc::clone(&self.target), id));
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
