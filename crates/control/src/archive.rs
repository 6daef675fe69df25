//! What operators do with recordings: start and stop them, and have lists made of what is there.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use media::{StreamId, Wall};
use output::record::Container;
use output::{Entry, Object, Order, Part, Refusal};

use crate::list::{List, Moment, list, moments, tracks};
use crate::recording::{Kind, NewRecord, Recorded, Span};
use crate::{Control, Error, Refused};

/// What a playlist is (RFC 8216 §10).
const PLAYLIST: &str = "application/vnd.apple.mpegurl";

/// How far the objects of a slice can be apart, in microseconds.
const NEAR: i64 = 2_000_000;

/// A future of the outside.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Gives an order to the recordings of a stream.
pub type GiveOrder = Arc<dyn Fn(StreamId, Order) -> Later<Result<(), OrderError>> + Send + Sync>;

/// Stores an object.
pub type PutObject = Arc<dyn Fn(Put) -> Later<Result<(), PutError>> + Send + Sync>;

/// An object to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// Where.
    pub to: Object,
    /// MIME type.
    pub content_type: &'static str,
    /// Its bytes.
    pub body: Bytes,
    /// What tells an earlier try of the same from an object of somebody else, which stays; printable ASCII. `None`: what
    /// is there is to be replaced.
    pub mark: Option<String>,
}

/// Why an object was not stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// Another is there.
    #[error("another object is there")]
    Taken,
    /// What went wrong, in words.
    #[error("{0}")]
    Failed(String),
}

/// Deletes an object; one that is not there is deleted. What went wrong, in words.
pub type DeleteObject = Arc<dyn Fn(Object) -> Later<Result<(), String>> + Send + Sync>;

/// Why an order was not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The stream is neither live nor lingering; or it lingers, and the order needs it live.
    #[error("no such stream is online")]
    NoStream,
    /// Nothing is to be recorded of it.
    #[error("the stream is not recorded")]
    NoRecording,
    /// All its recordings run already.
    #[error("the recording has already been started")]
    AlreadyStarted,
    /// Its session does not answer.
    #[error("the stream does not answer")]
    Unavailable,
}

impl From<Refusal> for OrderError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AlreadyStarted => Self::AlreadyStarted,
        }
    }
}

impl From<PutError> for Unlisted {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Taken => Self::Taken,
            PutError::Failed(error) => Self::Unstored(error),
        }
    }
}

/// A list that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListOf {
    /// Of which stream.
    pub stream: StreamId,
    /// Where the list goes.
    pub to: Object,
    /// Its key as it was asked for, with variables.
    pub template: String,
    /// Slices that end within.
    pub span: Span,
    /// And the one in which it ends.
    pub end_included: bool,
}

/// Why no list was made.
#[derive(Debug, thiserror::Error)]
pub enum Unlisted {
    /// Nothing was ever recorded of the stream.
    #[error("nothing was recorded of the stream")]
    NoStream,
    /// No slice ends in that time.
    #[error("nothing was recorded in that time")]
    NoContent,
    /// Its slices lie in several buckets, or in another one that has no address.
    #[error("the slices lie in several buckets, or in one that the list cannot name")]
    Scattered,
    /// Something else is stored where it should go.
    #[error("another object has this name")]
    Taken,
    /// The bucket that it should go to.
    #[error(transparent)]
    Bucket(Refused),
    /// It could not be stored.
    #[error("the list could not be stored: {0}")]
    Unstored(String),
    /// The database.
    #[error(transparent)]
    Database(#[from] Error),
}

impl Control {
    /// Gives an order to the recordings of a stream.
    ///
    /// # Errors
    /// Why it was not obeyed.
    pub async fn order(&self, stream: StreamId, order: Order) -> Result<(), OrderError> {
        (self.give_order())(stream, order).await
    }

    /// Makes a list over slices that are stored already, and puts it into the index. `link` makes the URI of an
    /// object in another bucket than the list's.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn make_list(
        &self,
        of: &ListOf,
        now: Wall,
        link: &(dyn Fn(&Object) -> Option<String> + Sync),
    ) -> Result<Recorded, Unlisted> {
        self.look_for(&of.to.bucket).await.map_err(Unlisted::Bucket)?;
        let list = self.list_of(of, link).await?;
        let before = self.database().record_of(&of.to).await?;
        if before.as_ref().is_some_and(|there| !is_list_of(there, &of.stream)) {
            return Err(Unlisted::Taken);
        }
        let size = list.objects.last().map_or(0, |(_, body)| body.len() as u64);
        let had = before.as_ref().map(keys).unwrap_or_default();
        let mut beside = had.clone();
        beside.extend(list.objects.iter().map(|(key, _)| key.clone()));
        beside.remove(&of.to.key);
        self.put_list(of, list.objects, &had).await?;
        let entry = Entry {
            part: Part::File,
            format: list.format,
            object: of.to.clone(),
            beside: Some(beside.into_iter().collect()),
            template: of.template.clone(),
            sequence: 0,
            start: list.start,
            end: list.end,
            duration: list.duration,
            width: list.width,
            height: list.height,
            pauses: Vec::new(),
            retention_days: None,
        };
        let database = self.database();
        database.index(NewRecord::new(of.stream.clone(), Kind::List, entry, size, now)).await?;
        let made = database.record_of(&of.to).await?;
        made.ok_or_else(|| Unlisted::Unstored("it was deleted at once".to_owned()))
    }

    /// Stores the objects of a list. Those that the list of that name `had` are replaced; nothing else is. Of a list
    /// that cannot be stored whole nothing new stays.
    async fn put_list(
        &self,
        of: &ListOf,
        objects: Vec<(String, Bytes)>,
        had: &BTreeSet<String>,
    ) -> Result<(), Unlisted> {
        let mut new = Vec::new();
        for (key, body) in objects {
            let is_ours = had.contains(&key);
            let to = Object { bucket: of.to.bucket.clone(), key };
            let mark = (!is_ours).then(|| format!("list/{}", of.stream));
            let put = Put { to: to.clone(), content_type: PLAYLIST, body, mark };
            match (self.put_object())(put).await {
                Ok(()) if is_ours => {}
                Ok(()) => new.push(to),
                Err(error) => {
                    for object in new {
                        if let Err(error) = (self.delete_object())(object).await {
                            tracing::warn!(
                                error,
                                key = of.to.key,
                                "part of a list that was not made is left"
                            );
                        }
                    }
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// What the list says, made when it is its turn.
    async fn list_of(
        &self,
        of: &ListOf,
        link: &(dyn Fn(&Object) -> Option<String> + Sync),
    ) -> Result<List, Unlisted> {
        let _turn = self.lists().acquire().await;
        let database = self.database();
        if !database.knows(&of.stream).await? {
            return Err(Unlisted::NoStream);
        }
        // Sound and picture of a slice do not begin together.
        let near = Span { start: of.span.start.plus_micros(-NEAR), end: of.span.end.plus_micros(NEAR) };
        let mut moments = Vec::new();
        // TS before CMAF.
        for format in Container::ALL.into_iter().filter(|format| format.is_sliced()) {
            if moments.is_empty() {
                moments = wanted(database.slices(&of.stream, format, near).await?, of);
            }
        }
        in_one_bucket(&moments)?;
        list(&of.to, &moments, link).ok_or(Unlisted::Scattered)
    }
}

fn is_list_of(there: &Recorded, stream: &StreamId) -> bool {
    there.kind == Kind::List && there.stream == *stream
}

/// The objects of a list.
fn keys(list: &Recorded) -> BTreeSet<String> {
    let Entry { object, beside, format, .. } = &list.entry;
    let beside = match beside {
        Some(keys) => keys.clone(),
        None if *format == Container::Cmaf => tracks(&object.key).to_vec(),
        None => Vec::new(),
    };
    beside.into_iter().chain([object.key.clone()]).collect()
}

/// Those of the slices that a list is to name. Of a slice in several objects the picture decides.
fn wanted(slices: Vec<Recorded>, of: &ListOf) -> Vec<Moment> {
    let within = |slice: &Recorded| {
        let (start, end) = (slice.entry.start, slice.entry.end);
        end > of.span.start && (end <= of.span.end || of.end_included && start < of.span.end)
    };
    let mut moments = moments(slices);
    moments.retain(|moment| moment.lead().is_some_and(within));
    moments
}

/// That there are some, and that they lie together.
fn in_one_bucket(moments: &[Moment]) -> Result<(), Unlisted> {
    let mut buckets = moments.iter().filter_map(Moment::lead).map(|slice| &slice.entry.object.bucket);
    let first = buckets.next().ok_or(Unlisted::NoContent)?;
    match buckets.all(|bucket| bucket == first) {
        true => Ok(()),
        false => Err(Unlisted::Scattered),
    }
}
