use std::sync::Arc;

use bytes::Bytes;
use media::{Codec, Wall};
use serde::{Deserialize, Serialize};

use crate::{Entry, Inquiry, Notice, Playlist, Save};

/// Effects in the order they were caused.
pub type Effects = Vec<Effect>;

/// Something that must happen outside.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Store a whole immutable object.
    Put {
        /// Where.
        to: Object,
        /// MIME type.
        content_type: &'static str,
        /// Its bytes, in pieces.
        body: Vec<Bytes>,
    },
    /// Append to a file that is still open; the first `Grow` of an id makes the file.
    Grow {
        /// Which file.
        file: FileId,
        /// Bytes to append, in pieces; always whole units of the container, so a torn tail is detectable.
        body: Vec<Bytes>,
    },
    /// The file is complete: it becomes an object.
    Seal {
        /// Which file.
        file: FileId,
        /// Where.
        to: Object,
        /// MIME type.
        content_type: &'static str,
        /// What to do with it first.
        finish: Finish,
    },
    /// Store an object whose newest version wins. Never overtakes the puts and seals before it.
    Replace {
        /// Where.
        to: Object,
        /// MIME type.
        content_type: &'static str,
        /// Its bytes.
        body: Bytes,
    },
    /// What players get from this moment; `None`: nothing any more.
    Window(Option<Arc<Window>>),
    /// Decode a key frame and store it as JPEG.
    Picture {
        /// What to decode.
        frame: Keyframe,
        /// Where the JPEG goes.
        to: Object,
        /// When the frame was captured.
        at: Wall,
        /// Whether newer pictures take its place.
        overwrite: bool,
    },
    /// Keep this number over restarts, for [`crate::Memory`] of later sessions of the stream.
    Remember {
        /// Name of the counter, unique within the stream.
        counter: Arc<str>,
        /// Its new value.
        value: u64,
    },
    /// Enough to go on after our own restart. What an output causes by one event happens together or not at all,
    /// so what was saved and what was written always fit.
    Save(Save),
    /// The object put or sealed directly before belongs in the index of recordings, once it is stored.
    Index(Box<Entry>),
    /// Somebody may want to be told, once every object before this is stored.
    Notify(Notice),
    /// Ask the operator's OnDemandUrl whether to record; the answer is [`crate::Event::Answer`].
    Ask(Inquiry),
    /// An operator should know.
    Warn(Warning),
}

/// A bucket of a configured storage.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bucket {
    /// `name` of the `[[storage]]`.
    pub storage: Arc<str>,
    /// Bucket in it.
    pub name: Arc<str>,
}

/// An object's address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Object {
    /// Where it lives.
    pub bucket: Bucket,
    /// Its key, `/` between components; made by [`crate::name::Name::expand`].
    pub key: String,
}

/// An open file of an output; unique within the output, counts up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u64);

/// How a finished file becomes an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finish {
    /// As it is.
    AsIs,
    /// The object is `head`, then the file from byte `skip` on. For an index at the front that is known last.
    Head {
        /// New beginning.
        head: Bytes,
        /// Bytes of the file that it stands for.
        skip: u64,
    },
    /// The file is fragmented MP4, init segments among its fragments; the object is the same media as a progressive
    /// file, its index at the front (`container::mp4::Progressive`).
    Progressive,
}

/// A picture to decode: one key frame.
#[derive(Clone, Debug)]
pub struct Keyframe {
    /// Of the main video track.
    pub codec: Codec,
    /// The access unit, as [`Codec`] says for its codec.
    pub data: Bytes,
}

/// What the origin serves for a stream, replaced whole at each change.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// Served at `/{app}/{stream}.m3u8`; `None` until there is something to play.
    pub multivariant: Option<Resource>,
    /// Served at `/{app}/{stream}.mpd`.
    pub mpd: Option<Resource>,
    /// Media playlists, served at `/{app}/{stream}/{name}`, sorted by name.
    pub playlists: Vec<(Arc<str>, Playlist)>,
    /// What never changes, served at `/{app}/{stream}/{name}`, sorted by name: init segments, segments, parts.
    pub resources: Vec<(Arc<str>, Resource)>,
    /// Segments that still grow, sorted by name: sent chunk by chunk as they come (packaging-rules D-27).
    pub open: Vec<(Arc<str>, Resource)>,
    /// Names of parts and segments that come next: who asks for one waits (RFC 8216bis §6.2.6).
    pub hints: Vec<Arc<str>>,
    /// TARGETDURATION in seconds: nobody waits longer than three times that.
    pub target_duration_s: u64,
    /// Whether the publisher is gone, so that nothing can be waited for.
    pub source_gone: bool,
    /// First free media sequence number: a later window of the stream starts at least here.
    pub next_sequence: u64,
    /// Whether the playlists end with ENDLIST.
    pub ended: bool,
    /// When the origin may forget this window, if nothing replaces it first.
    pub forget_at: Option<Wall>,
    /// Where it is also stored: this key with `.m3u8`, `.mpd` and `/{name}` behind it, as it is served.
    pub put: Option<Object>,
}

/// One thing to serve.
#[derive(Clone, Debug)]
pub struct Resource {
    /// MIME type.
    pub content_type: &'static str,
    /// Its bytes, in pieces, shared with everyone who serves or stores them.
    pub body: Arc<[Bytes]>,
    /// Whether the bytes under this name never change (segments and init segments).
    pub immutable: bool,
}

impl Window {
    /// What is complete under `name`.
    pub fn get(&self, name: &str) -> Option<&Resource> {
        named(&self.resources, name)
    }

    /// The segment that grows under `name`.
    pub fn growing(&self, name: &str) -> Option<&Resource> {
        named(&self.open, name)
    }

    /// The media playlist under `name`.
    pub fn playlist(&self, name: &str) -> Option<&Playlist> {
        named(&self.playlists, name)
    }
}

fn named<'a, T>(sorted: &'a [(Arc<str>, T)], name: &str) -> Option<&'a T> {
    let at = sorted.binary_search_by(|(n, _)| n.as_ref().cmp(name)).ok()?;
    sorted.get(at).map(|(_, item)| item)
}

/// Something an operator should know; the shell adds stream and session, logs it and counts it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// An output was dropped.
    #[error("output {output} ended: {reason}")]
    OutputFailed {
        /// Which output.
        output: &'static str,
        /// Why.
        reason: String,
    },
    /// A product goes on without a track.
    #[error("{output} leaves out {codec}")]
    TrackLeftOut {
        /// Which output.
        output: &'static str,
        /// RFC 6381 string of the codec.
        codec: String,
    },
    /// A segment was cut where no key frame is.
    #[error("segment cut without a key frame after {micros} us: the GOP outgrew the target duration")]
    ForcedCut {
        /// Length of the segment in microseconds.
        micros: i64,
    },
    /// Parts are shorter than players expect, because the length of frames varies (packaging-rules L-05).
    #[error("{count} parts are shorter than 85 % of PART-TARGET: the frame rate is not steady")]
    ShortParts {
        /// How many so far; told once per run.
        count: u64,
    },
    /// A further video track has no key frame where the main one is cut: who switches to it there waits for one.
    #[error("video track {index} has no key frame where segments begin")]
    Unaligned {
        /// Which track.
        index: u8,
    },
    /// Timestamps jumped and a new run begins.
    #[error("timestamps jumped by {millis} ms")]
    Jump {
        /// How far, negative when back.
        millis: i64,
    },
    /// One timestamp was far off; it was moved to where its neighbours say.
    #[error("lone timestamp {millis} ms off was clamped")]
    Outlier {
        /// How far off, negative when early.
        millis: i64,
    },
    /// A recording cannot be written; its frames are lost until it can.
    #[error("{output} cannot be written, its disk or its share of it is full: frames are lost")]
    RecordBlocked {
        /// Which output.
        output: &'static str,
    },
    /// Frames that nothing can decode were left out.
    #[error("{count} frames left out: {why}")]
    FramesDropped {
        /// How many.
        count: u64,
        /// Why.
        why: &'static str,
    },
    /// Media that could not be read; the rest goes on.
    #[error("bad media: {0}")]
    BadMedia(String),
    /// A name expanded to something no object can be called; it was shortened.
    #[error("object name too long: {0}")]
    NameTooLong(String),
}
