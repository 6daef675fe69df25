//! Media Presentation Descriptions: what DASH has for playlists (ISO/IEC 23009-1, packaging-rules §4).
//!
//! An MPD changes once a segment at most, with constant durations once a Period, so nothing of it is kept as text:
//! a timeline is a handful of short lines.
//!
//! **Addressing at low latency** (packaging-rules D-32). A player may fetch a segment from its first chunk on, so it
//! must know of it before its duration is known.
//! - [`Addressing::Constant`], when the encoder's key frames come at a constant distance: the MPD states a nominal
//!   duration and the player counts from its clock. Nothing changes while the Period lives, so nothing is fetched
//!   again for it. Segments may deviate by half of the nominal duration (D-15); what deviates more, or has drifted
//!   that far in sum, begins a new Period.
//! - [`Addressing::Number`] otherwise: the open segment is listed with the duration it is going to have as soon as its
//!   first chunk is there, and the MPD is published then. A span that was listed is never edited (D-13), so when the
//!   prediction fails a new Period begins with the next segment.

use ::media::{Picture, Ratio, Timescale, Wall};

mod text;
mod xml;

#[cfg(test)]
mod tests;

pub use text::render;

/// What an MPD says. Render it with [`render`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mpd {
    /// Live or recorded.
    pub kind: Kind,
    /// minBufferTime in microseconds: with @bandwidth, how much a player must hold (packaging-rules D-09, D-17).
    pub min_buffer_time_us: i64,
    /// maxSegmentDuration in microseconds: no segment is longer, listed or not (packaging-rules D-09).
    pub max_segment_duration_us: i64,
    /// ServiceDescription, for low latency only.
    pub latency: Option<Latency>,
    /// Periods in play order; a Period without segments must not be listed (packaging-rules D-18).
    pub periods: Vec<Period>,
}

/// Whether the presentation is still made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// type="dynamic": segments are there from a moment on, for a while.
    Live(Live),
    /// type="static": everything is there. mediaPresentationDuration is the end of the last Period, and each
    /// Period has a duration (packaging-rules R-05, D-22).
    Recorded,
}

/// When what is live can be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// availabilityStartTime: the moment of MPD time 0. Never changes (packaging-rules D-03, D-05).
    pub availability_start: Wall,
    /// publishTime: when what the MPD says changed last (packaging-rules D-06).
    pub publish_time: Wall,
    /// minimumUpdatePeriod in microseconds; `None` says that this MPD is the last one (packaging-rules D-07, D-22).
    pub minimum_update_period_us: Option<i64>,
    /// timeShiftBufferDepth in microseconds: what is older cannot be fetched any more (packaging-rules D-08).
    pub time_shift_buffer_depth_us: i64,
    /// suggestedPresentationDelay in microseconds, less than the depth (packaging-rules D-08, D-33).
    pub suggested_presentation_delay_us: i64,
    /// UTCTiming, preferred one first; at least one (packaging-rules D-23).
    pub clocks: Vec<Clock>,
}

/// Where players get the time that availability is measured in (packaging-rules D-23).
///
/// `direct` is not among them: it states the time at which the MPD is sent, and ours is rendered once and then
/// shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clock {
    /// `http-iso`: the URL answers with the time.
    HttpIso(String),
    /// `http-head`: the URL's Date header is the time.
    HttpHead(String),
}

/// Latency between the encoder and the screen (packaging-rules D-29), in milliseconds. Players may play at
/// 0.96 to 1.04 times the normal rate to hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// What a player should hold: 3 chunks or more.
    pub target_ms: u32,
    /// Below this it should slow down.
    pub min_ms: u32,
    /// Above this it should jump ahead.
    pub max_ms: u32,
}

/// A stretch in which timestamps run on and initialization segments stay (packaging-rules D-18).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// @id, unique and never changed (packaging-rules D-05).
    pub id: String,
    /// @start in microseconds of MPD time; at least the end of the Period before it (packaging-rules D-04, D-19).
    pub start_us: i64,
    /// @duration in microseconds, once it is closed (packaging-rules D-19).
    pub duration_us: Option<i64>,
    /// Video and audio apart; same ids in the same order as long as the Period lives (packaging-rules D-05, D-16).
    pub sets: Vec<AdaptationSet>,
}

/// Representations between which a player can switch at every segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdaptationSet {
    /// @id, unique in its Period.
    pub id: u32,
    /// What it holds.
    pub content: Content,
    /// @lang as in BCP 47; `None` when unknown.
    pub language: Option<String>,
    /// Role: whether it is the main one of its kind, not an alternative to it.
    pub main: bool,
    /// startWithSAP="1": whether each segment begins with a key frame, which a forced cut does not
    /// (packaging-rules C-06, D-16).
    pub starts_with_sap: bool,
    /// Which earlier Period it goes on from, if it does (packaging-rules D-20).
    pub follows: Option<Follows>,
    /// ProducerReferenceTime, if the pair is true (packaging-rules D-30).
    pub reference: Option<ProducerReference>,
    /// Where its segments are.
    pub segments: Segments,
}

/// How a set goes on from the one with the same id in an earlier Period; the value is that Period's id
/// (packaging-rules D-20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Follows {
    /// Its initialization segment may stay in use; timestamps may jump.
    Connected(String),
    /// Timestamps run on, too, and the boundary is that of a segment.
    Continuous(String),
}

/// Representations of one kind of media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Pictures; all of the same colour description.
    Video(Vec<Video>),
    /// Sound.
    Audio(Vec<Audio>),
}

/// A video Representation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    /// @id, without white space, unique in its Period.
    pub id: String,
    /// @codecs: RFC 6381.
    pub codecs: String,
    /// @bandwidth in bits per second: the peak (packaging-rules D-17, H-21).
    pub bandwidth: u64,
    /// @width, @height and @sar; colour.
    pub picture: Picture,
    /// @frameRate in frames per second, as measured.
    pub frame_rate: Option<Ratio>,
}

/// An audio Representation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// @id, without white space, unique in its Period.
    pub id: String,
    /// @codecs: RFC 6381.
    pub codecs: String,
    /// @bandwidth in bits per second: the peak (packaging-rules D-17, H-21).
    pub bandwidth: u64,
    /// @audioSamplingRate in samples per second.
    pub sample_rate: u32,
    /// Speakers, low frequencies included; `None` when unknown.
    pub channels: Option<u8>,
}

/// A moment of the media and of the clock (packaging-rules D-30).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerReference {
    /// @id, unique in the MPD; the first one is what [`Latency`] is measured by.
    pub id: u32,
    /// @inband: whether `prft` boxes say it, too.
    pub inband: bool,
    /// @wallClockTime: when the frame went into the encoder.
    pub wall: Wall,
    /// @presentationTime of the frame in ticks of the set's timescale.
    pub time: u64,
}

/// SegmentTemplate for the whole set, or SegmentList of its Representation (packaging-rules D-02).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// @timescale: the track's (packaging-rules C-13).
    pub timescale: Timescale,
    /// @presentationTimeOffset: the sample time that is at the Period's start (packaging-rules D-01, D-04).
    pub presentation_time_offset: u64,
    /// URI of the initialization segment, relative to the MPD. In it and in `media`, `$` is written `$$`; with several
    /// Representations each has `$RepresentationID$` in it.
    pub initialization: String,
    /// URIs and times of the media segments.
    pub addressing: Addressing,
    /// How many microseconds before its end a segment can be fetched, chunk by chunk: availabilityTimeOffset, with
    /// availabilityTimeComplete="false". For low latency only (packaging-rules D-26, D-27).
    pub available_early_us: Option<i64>,
}

/// How a segment's URI and time are known (packaging-rules D-12 to D-15, D-32).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// SegmentTimeline and `$Number$`.
    Number {
        /// @media with `$Number$`.
        media: String,
        /// @startNumber: number of the first one that is listed; it grows as they leave (packaging-rules D-13, D-14).
        first: u32,
        /// Segments in play order.
        spans: Vec<Span>,
    },
    /// SegmentTimeline and `$Time$`.
    Time {
        /// @media with `$Time$`.
        media: String,
        /// Segments in play order.
        spans: Vec<Span>,
    },
    /// `$Number$` and @duration: segment number `first` + n begins at presentation time offset + n × `duration`.
    Constant {
        /// @media with `$Number$`.
        media: String,
        /// @startNumber: number of the Period's first segment, listed or gone; never changes.
        first: u32,
        /// @duration in ticks: every segment's, but for half of it (packaging-rules D-15).
        duration: u32,
    },
    /// A URI for each segment, in a set of one Representation. For recordings whose names are no template.
    List(Vec<(Span, String)>),
}

/// A segment's place on the timeline of its samples, in ticks (packaging-rules D-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Presentation time of its first sample.
    pub time: u64,
    /// Until the next segment's first sample.
    pub duration: u64,
}
