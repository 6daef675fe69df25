use media::{StreamId, Ticks, Wall};
use serde::{Deserialize, Serialize};

use super::Settings;
use super::format::{Became, Frame};
use super::saved::Kept;
use crate::name::Values;
use crate::{Bucket, Effect, Effects, Entry, FileId, Object, Part, Pause};

/// The open file, as all formats have it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct File {
    /// Its `{Sequence}`.
    pub sequence: u64,
    /// Session time minus file time, in microseconds: the media that was not recorded leaves no hole.
    pub shift: i64,
    /// When its first frame is shown, in microseconds of file time.
    pub shown: i64,
    /// Where its last frame ends, in microseconds on the session's timeline.
    pub end: i64,
    /// Until when pictures of it are shown, on the same timeline: later than that if a run broke off amid B-frames.
    #[serde(default)]
    pub shown_until: i64,
    /// It began without a frame of the leading track, whose pictures no player adds later.
    #[serde(default)]
    pub unled: bool,
    /// When its first frame was captured.
    pub start_wall: Wall,
    /// When its last frame ended.
    pub end_wall: Wall,
    /// Pixels of its last picture; 0 without video.
    pub width: u32,
    /// As `width`.
    pub height: u32,
    /// Where it goes on after a pause. Each is kept by itself.
    #[serde(skip)]
    pub pauses: Vec<Pause>,
}

impl File {
    /// `at` on the session's timeline as microseconds from the file's beginning.
    pub fn time(&self, at: i64) -> i64 {
        at.saturating_sub(self.shift)
    }

    /// Media that it holds, in microseconds.
    pub fn duration(&self) -> i64 {
        self.time(self.end).max(0)
    }

    /// A frame of it.
    pub fn take(&mut self, frame: &Frame<'_>) {
        self.end = self.end.max(frame.end);
        if frame.track.is_video() {
            let late = frame.track.timescale.micros(Ticks(frame.packet.cts.into()));
            self.shown_until = self.shown_until.max(frame.end.saturating_add(late));
        }
    }

    /// Goes on with what begins at `at` on the session's timeline and is shown from `shown` on: directly after its last
    /// frame and its last picture. Session time before that is left out. Where it begins before all sound of the last run
    /// ended, or with sound that waited for it, it comes after all of that if the file has `one_clock`; else each track
    /// goes on where it was, as it does on the session's timeline.
    pub fn join(&mut self, at: i64, shown: i64, one_clock: bool) {
        if at < self.end && !one_clock {
            let again = self.shown_until.saturating_sub(shown).max(0);
            self.shift = self.shift.saturating_sub(again);
            self.end = self.end.saturating_sub(again);
            return;
        }
        let from = self.end.max(self.shown_until.saturating_sub(shown.saturating_sub(at)));
        self.shift = self.shift.saturating_add(at.saturating_sub(from));
        (self.end, self.shown_until) = (at, at);
    }

    /// When it ended. A clock that was set back does not let it end before it began.
    pub fn ended(&self) -> Wall {
        self.end_wall.max(self.start_wall)
    }
}

/// A slice that was sealed directly before.
pub(crate) struct SliceFacts {
    /// Where.
    pub object: Object,
    /// Its `{Sequence}`.
    pub sequence: u64,
    /// When its first frame was captured.
    pub start: Wall,
    /// In microseconds.
    pub duration: i64,
    /// As in [`Part::Slice`].
    pub discontinuity: bool,
    /// As in [`Part::Slice`].
    pub init: Option<String>,
    /// As in [`Part::Slice`].
    pub audio: bool,
}

/// What all formats write down alike: names, numbers, the index, and what is kept for a restart.
pub(crate) struct Book {
    /// What was asked for.
    pub settings: Settings,
    pub(super) stream: StreamId,
    /// Microseconds of media after which a file ends: CycleDuration, or what the OnDemandUrl answered.
    pub(super) cycle_s: u32,
    pub(super) numbers: Numbers,
    /// What goes out with the next save.
    pub(super) kept: Vec<bytes::Bytes>,
}

/// What is next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Numbers {
    /// `{Sequence}` of files.
    pub files: u64,
    /// `{Sequence}` of slices.
    pub slices: u64,
    /// Id of an open file.
    pub id: u64,
}

impl Book {
    pub(super) fn new(settings: Settings, stream: StreamId) -> Self {
        let cycle_s = settings.cycle_duration_s;
        Self { settings, stream, cycle_s, numbers: Numbers::default(), kept: Vec::new() }
    }

    /// An id for a file that opens.
    pub fn id(&mut self) -> FileId {
        self.numbers.id += 1;
        FileId(self.numbers.id - 1)
    }

    /// The next slice's `{Sequence}` and its SliceOssObjectPrefix, whose first frame was captured at `wall`.
    pub fn slice(&mut self, wall: Wall) -> (u64, String) {
        let sequence = self.numbers.slices;
        self.numbers.slices += 1;
        // A template always has it; without one slices are named as files are.
        let name = self.settings.slice.as_ref().map_or(&self.settings.name, |slice| &slice.name);
        (sequence, name.expand(&self.values(sequence, wall, wall)))
    }

    /// The file's OssObjectPrefix.
    pub fn prefix(&self, file: &File) -> String {
        self.settings.name.expand(&self.values(file.sequence, file.start_wall, file.ended()))
    }

    fn values(&self, sequence: u64, start: Wall, end: Wall) -> Values<'_> {
        let (unix, utc_offset) = (start.unix_seconds(), self.settings.utc_offset);
        Values { stream: &self.stream, unix, sequence, start, end, utc_offset }
    }

    /// `key` in the recording's bucket.
    pub fn object(&self, key: String) -> Object {
        Object { bucket: self.bucket().clone(), key }
    }

    fn bucket(&self) -> &Bucket {
        &self.settings.store
    }

    /// Writes `keep` down for [`super::format::Format::resume`]. It leaves with the next save, after the frames
    /// written so far.
    pub fn keep<K: Serialize>(&mut self, keep: &K) {
        self.put_down(&Kept::Format(keep));
    }

    pub(super) fn put_down<K: Serialize>(&mut self, kept: &Kept<K>) {
        // Values of our own, with text as keys: JSON has a form for all of them.
        self.kept.extend(serde_json::to_vec(kept).ok().map(bytes::Bytes::from));
    }

    /// Puts the slice that was sealed directly before into the index of recordings.
    pub fn index_slice(&self, file: &File, slice: SliceFacts, fx: &mut Effects) {
        let SliceFacts { object, sequence, start, duration, discontinuity, init, audio } = slice;
        let size = if audio { (0, 0) } else { (file.width, file.height) };
        fx.push(Effect::Index(Box::new(Entry {
            part: Part::Slice { discontinuity, init, audio },
            format: self.settings.container,
            object,
            beside: Some(Vec::new()),
            template: self.settings.name.as_str().to_owned(),
            sequence,
            start,
            end: start.plus_micros(duration),
            duration,
            width: size.0,
            height: size.1,
            pauses: Vec::new(),
            retention_days: self.settings.retention_days,
        })));
    }

    /// The index's row of `file`.
    pub(super) fn entry(&self, mut file: File, became: Became) -> Entry {
        // Sound may have gone on beyond the key frame at which the file was cut.
        let duration = file.duration();
        file.pauses.iter_mut().for_each(|pause| pause.at = pause.at.min(duration));
        Entry {
            part: Part::File,
            format: self.settings.container,
            object: became.object,
            beside: Some(became.beside),
            template: self.settings.name.as_str().to_owned(),
            sequence: file.sequence,
            start: file.start_wall,
            end: file.ended(),
            duration,
            width: file.width,
            height: file.height,
            pauses: file.pauses,
            retention_days: self.settings.retention_days,
        }
    }
}
