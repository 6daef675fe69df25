use media::Wall;
use serde::{Deserialize, Serialize};

use super::form::Form;
use crate::FileId;
use crate::record::fragments::Lane;

/// The slice that grows: a file for each track that has frames in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Slice {
    pub(super) sequence: u64,
    pub(super) prefix: String,
    /// In microseconds on the session's timeline, and of wall time.
    pub(super) start: i64,
    pub(super) wall: Wall,
    pub(super) discontinuity: bool,
    pub(super) independent: bool,
    pub(super) parts: Vec<Part>,
}

/// A track's file of a slice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub file: FileId,
    pub bytes: u64,
    pub fragments: u32,
    pub span: Span,
}

/// What a slice has of a track, in ticks of its timescale as its fragments state them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    pub lane: Lane,
    pub from: i64,
    pub to: i64,
    pub frames: u32,
    /// Which of the file's init segments it needs.
    pub form: usize,
}

/// A slice that is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(super) prefix: String,
    /// In microseconds on the session's timeline, and of wall time that never runs backwards.
    pub(super) start: i64,
    pub(super) wall: Wall,
    pub(super) discontinuity: bool,
    pub(super) independent: bool,
    /// The leading track first; with the bytes of each.
    pub(super) tracks: Vec<(Span, u64)>,
}

/// What is kept of the open file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Keep {
    /// An init segment was stored.
    Form(FormKept),
    /// A slice was sealed.
    Slice(Done),
}

/// As `Keep` has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FormKept(pub(super) Form);

impl Slice {
    /// Key of the file of a track.
    pub(super) fn key(&self, lane: Lane) -> String {
        key(&self.prefix, lane)
    }
}

/// Key of the file of a track, of the slice with that name.
pub(super) fn key(prefix: &str, lane: Lane) -> String {
    format!("{prefix}_{}.m4s", lane.letter())
}

impl Done {
    /// What it has of a track, and in how many bytes.
    pub(super) fn of(&self, lane: Lane) -> Option<(Span, u64)> {
        self.tracks.iter().copied().find(|(span, _)| span.lane == lane)
    }
}

impl Span {
    /// How long it is, in microseconds.
    pub(super) fn micros(&self, form: &Form) -> i64 {
        let from_to = [self.from, self.to].map(|at| form.timescale().micros(media::Ticks(at)));
        from_to[1].saturating_sub(from_to[0]).max(0)
    }

    /// Where it begins, in microseconds on the session's timeline.
    pub(super) fn start(&self, form: &Form) -> i64 {
        form.timescale().micros(media::Ticks(self.from))
    }
}
