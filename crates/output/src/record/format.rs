use media::{Packet, Run, Track, TrackId, Wall};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Settings;
use super::book::{Book, File};
use crate::{Effects, Error, Object};

/// One container's way to write a recording down. Everything else is [`super::recording::Recording`]'s: which frames
/// enter it, when files and slices begin and end, when what was written leaves, and what is saved of it.
///
/// The order of calls: `begin` for each run; `start` where a file begins and wherever it goes on, `write` for its
/// frames, `end` where they stop for now; `close` after the last `end`. `flush` comes at any time.
pub(crate) trait Format: Send + Sized {
    /// How things stand, saved with every batch: small.
    type Now: Serialize + DeserializeOwned;
    /// One more entry of a list that grows with the file, given to [`Book::keep`].
    type Keep: Serialize + DeserializeOwned;
    /// Whether a file begins with its first key frame though frames of other tracks precede it, which come first: it
    /// puts them behind.
    const LEAD_FIRST: bool = false;
    /// Whether times rise over all tracks of a file; else over each by itself.
    const ONE_CLOCK: bool = false;

    /// With no file open.
    fn new(settings: &Settings) -> Self;

    /// As it was when it said `now`; `kept` is what the open file kept until then. Nothing waits.
    fn resume(settings: &Settings, kept: Vec<Self::Keep>, now: Self::Now) -> Self;

    /// Whether the open file can take this run's tracks; else it is closed before `begin`.
    fn fits(&self, _run: &Run) -> bool {
        true
    }

    /// A run begins. Answers the tracks that it takes, the one that decides about cuts first.
    ///
    /// # Errors
    /// When none of the tracks fits.
    fn begin(&mut self, run: &Run, fx: &mut Effects) -> Result<Vec<TrackId>, Error>;

    /// Frames follow: of a new file, of its next slice, or after a pause.
    ///
    /// # Errors
    /// When the recording cannot go on.
    fn start(&mut self, file: &File, start: &Start, book: &mut Book, fx: &mut Effects) -> Result<(), Error>;

    /// The next frame, in order of DTS over its tracks.
    ///
    /// # Errors
    /// When the recording cannot go on.
    fn write(
        &mut self,
        file: &File,
        frame: &Frame<'_>,
        book: &mut Book,
        fx: &mut Effects,
    ) -> Result<(), Error>;

    /// Bytes that were written and have not left.
    fn waiting(&self) -> usize;

    /// What was written so far leaves as [`crate::Effect::Grow`], after `release` all of it; `now` and what was kept then
    /// fit it.
    fn flush(&mut self, file: &File, book: &mut Book, fx: &mut Effects);

    /// Whether nothing of the open file was written yet.
    fn is_empty(&self) -> bool {
        false
    }

    /// What is written only when a frame after it is known is written as it is: none may come.
    fn release(&mut self, _book: &mut Book) {}

    /// No frame follows for now: a slice is complete. It ends at `cut`, where the next one goes on, or with its last
    /// frame. Nothing happens when none is open.
    fn end(&mut self, file: &File, cut: Option<i64>, book: &mut Book, fx: &mut Effects);

    /// The file is complete. Puts or seals the object that stands for it last.
    fn close(&mut self, file: &File, book: &mut Book, fx: &mut Effects) -> Became;

    /// How things stand after a flush.
    fn now(&self) -> Self::Now;
}

/// What a complete file became.
pub(crate) struct Became {
    /// The object that stands for it.
    pub object: Object,
    /// As in [`crate::Entry`].
    pub beside: Vec<String>,
}

impl From<Object> for Became {
    fn from(object: Object) -> Self {
        Self { object, beside: Vec::new() }
    }
}

/// Where frames begin to be written. Times are microseconds on the session's timeline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// Where the first of them is.
    pub at: i64,
    /// What they begin with; `None`: nothing that decoding can start at.
    pub entry: Option<Entry>,
    /// Wall time of `at`.
    pub wall: Wall,
    /// Whether they do not go on where the file ended so far.
    pub discontinuity: bool,
}

impl Start {
    /// Whether all that follows can be decoded from here on.
    pub fn is_independent(&self) -> bool {
        self.entry.is_some_and(|entry| !entry.open)
    }
}

/// A frame of the leading track at which decoding can start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// When it is shown, in microseconds on the session's timeline.
    pub shown: i64,
    /// Whether it is a key frame; else it is a recovery point.
    pub key: bool,
    /// Whether not all that is shown from there on is right, of a key frame too.
    pub open: bool,
}

/// A frame and what is known of it. Times are microseconds on the session's timeline.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// Its run.
    pub run: &'a Run,
    /// Its track.
    pub track: &'a Track,
    /// The frame.
    pub packet: &'a Packet,
    /// When it is decoded.
    pub at: i64,
    /// When its successor is.
    pub end: i64,
}

impl<'a> Frame<'a> {
    /// `None` if the run has no such track.
    pub fn of(run: &'a Run, packet: &'a Packet) -> Option<Self> {
        let track = run.track(packet.track)?;
        let (at, end) = (track.timescale.micros(packet.dts), track.timescale.micros(packet.end()));
        Some(Self { run, track, packet, at, end })
    }

    /// When it is shown, if it is a picture or sound of `lead` at which decoding can start. These are as far apart as
    /// they are shown: that of an open GOP is decoded earlier than an IDR picture would be.
    pub fn entry(&self, lead: Option<TrackId>) -> Option<Entry> {
        let shown = self.track.timescale.micros(self.packet.pts());
        let entry = Entry { shown, key: self.packet.key, open: self.packet.recovery.is_some() };
        (self.packet.is_entry() && lead == Some(self.packet.track)).then_some(entry)
    }
}
