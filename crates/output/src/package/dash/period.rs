//! A Period: a stretch of rows that follow each other, with the same renditions (packaging-rules D-18).

use std::collections::{BTreeMap, VecDeque};

use manifest::mpd::{self, AdaptationSet, Addressing, Content, Follows, Segments, Span};
use media::{Kind, Ratio, Timescale, Track, TrackId};

use super::super::measure::Rates;
use super::super::naming::{prefix, timed_name};
use super::super::rendition::Rendition;
use super::{Ended, Row};

/// What a Period says.
pub(super) struct Period {
    /// Number of its first segment, and so unique.
    pub first: u64,
    /// Which run it is of.
    pub run: u32,
    /// @start in microseconds of MPD time.
    pub start_us: i64,
    /// What is at its start, in microseconds on the session's timeline.
    pub media_from: i64,
    /// Where its leading rendition ends so far, on the same timeline.
    pub media_end: i64,
    /// Whether it has ended.
    pub closed: bool,
    /// Every segment so far begins with a key frame.
    pub sap: bool,
    /// What it goes on from.
    pub follows: Option<Followed>,
    /// Length of all segments, where it is stated.
    pub constant: Option<Constant>,
    /// Its renditions, the leading one first.
    pub sets: Vec<Set>,
    /// Number and end of each row that can be fetched, in microseconds on the session's timeline.
    rows: VecDeque<(u64, i64)>,
}

/// The Period before.
#[derive(Clone, Copy)]
pub(super) struct Followed {
    /// Number of its first segment.
    pub first: u64,
    /// Whether there is nothing between the two.
    pub seamless: bool,
}

/// A length that all segments have (packaging-rules D-15).
#[derive(Clone, Copy)]
pub(super) struct Constant {
    /// Numerator and denominator of the seconds.
    pub seconds: (u64, u64),
}

impl Constant {
    /// In ticks of a timescale.
    pub(super) fn ticks(self, timescale: Timescale) -> i64 {
        let (num, den) = self.seconds;
        let ticks =
            (u128::from(num) * u128::from(timescale.hz()) + u128::from(den) / 2) / u128::from(den.max(1));
        i64::try_from(ticks).unwrap_or(i64::MAX)
    }

    /// In microseconds.
    pub(super) fn micros(self) -> i64 {
        self.ticks(Timescale::MICROS)
    }
}

/// A rendition in a Period.
pub(super) struct Set {
    /// Its track.
    pub track: Track,
    /// Name of its initialization segment.
    pub init: String,
    /// Frames per second of pictures.
    pub frame_rate: Option<Ratio>,
    /// Segments are named by time, in the run whose first one has this number.
    pub timed: Option<u64>,
    /// PART-TARGET in microseconds, where segments are sent as they grow.
    pub part_us: Option<i64>,
    spans: VecDeque<(u64, Span)>,
}

impl Set {
    /// Without segments; `None` for what is no CMAF.
    pub(super) fn new(rendition: &Rendition, part_us: Option<i64>) -> Option<Self> {
        let form = rendition.form();
        Some(Self {
            track: rendition.track().clone(),
            init: form.init.as_ref()?.0.to_string(),
            frame_rate: rendition.frame_rate(),
            timed: form.timed,
            part_us,
            spans: VecDeque::new(),
        })
    }

    /// With the frame rate of `before` while its own is not known.
    pub(super) fn like(self, before: &Self) -> Self {
        Self { frame_rate: self.frame_rate.or(before.frame_rate), ..self }
    }
}

impl Period {
    /// Begins with `row`.
    pub(super) fn new(row: &Row, media_from: i64, sets: Vec<Set>) -> Self {
        Self {
            first: row.number,
            run: row.run,
            start_us: 0,
            media_from,
            media_end: media_from,
            closed: false,
            sap: true,
            follows: None,
            constant: None,
            sets,
            rows: VecDeque::new(),
        }
    }

    /// Its renditions.
    pub(super) fn tracks(&self) -> impl Iterator<Item = TrackId> {
        self.sets.iter().map(|set| set.track.id)
    }

    /// Where it ends so far, in microseconds of MPD time.
    pub(super) fn end_us(&self) -> i64 {
        self.start_us.saturating_add(self.media_end - self.media_from)
    }

    /// The earliest that it may be said to end, in microseconds of MPD time: in the middle of its last row.
    pub(super) fn least_end_us(&self) -> i64 {
        let mut ends = self.rows.iter().rev().map(|&(_, end)| end);
        let (last, before) = (ends.next().unwrap_or(self.media_end), ends.next().unwrap_or(self.media_from));
        self.start_us.saturating_add((last + before) / 2 - self.media_from)
    }

    /// Ends it at `us` of MPD time at the latest. What its last segments have after that is not shown: media that is
    /// ahead of the clock has no other place (DASH-IF timing model §9.3).
    pub(super) fn end_by(&mut self, us: i64) {
        self.media_end = self.media_end.min(self.media_from.saturating_add(us - self.start_us));
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: &Row) {
        for set in &mut self.sets {
            let Some(ended) = row.of(set.track.id) else { continue };
            let (time, end) = (tick(ended.ticks.0), tick(ended.ticks.1));
            set.spans.push_back((row.number, Span { time, duration: end.saturating_sub(time) }));
        }
        self.sap &= row.key;
        self.media_end = self.media_end.max(row.end);
        self.rows.push_back((row.number, row.end));
    }

    /// Rows so far that can be fetched.
    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Forgets rows that ended before `us` of MPD time; whether anything is left.
    pub(super) fn forget(&mut self, us: i64) -> bool {
        let offset = self.start_us - self.media_from;
        while self.rows.front().is_some_and(|&(_, end)| end + offset < us) {
            let Some((number, _)) = self.rows.pop_front() else { break };
            for set in &mut self.sets {
                while set.spans.front().is_some_and(|&(n, _)| n <= number) {
                    set.spans.pop_front();
                }
            }
        }
        !self.rows.is_empty()
    }

    /// What the MPD says of it; names begin with `folder`. `waits`: it is the last one, and another may follow.
    ///
    /// Where players count from the clock they must know at once where it ends. Where segments are listed they wait for
    /// more, and are told once there is another Period: dash.js takes the end of the only Period for the end of all.
    pub(super) fn describe(
        &self,
        folder: &str,
        rates: &BTreeMap<TrackId, Rates>,
        waits: bool,
    ) -> mpd::Period {
        let ended = self.closed && (!waits || self.constant.is_some());
        mpd::Period {
            id: id(self.first),
            start_us: self.start_us,
            duration_us: ended.then_some(self.media_end - self.media_from),
            sets: self.sets.iter().map(|set| self.describe_set(set, folder, rates)).collect(),
        }
    }

    fn describe_set(&self, set: &Set, folder: &str, rates: &BTreeMap<TrackId, Rates>) -> AdaptationSet {
        let track = &set.track;
        let bandwidth = rates.get(&track.id).map_or(1, |rates| rates.bandwidth().peak);
        AdaptationSet {
            id: u32::from(track.id.index) * 2 + if track.is_video() { 1 } else { 2 },
            content: content(set, bandwidth),
            language: None,
            main: track.id.index == 0,
            starts_with_sap: !track.is_video() || self.sap,
            follows: self.follows.map(|followed| match followed.seamless {
                true => Follows::Continuous(id(followed.first)),
                false => Follows::Connected(id(followed.first)),
            }),
            reference: None,
            segments: Segments {
                timescale: track.timescale,
                presentation_time_offset: tick(track.timescale.from_micros(self.media_from).0),
                initialization: format!("{folder}/{}", set.init),
                addressing: self.addressing(set, folder),
                available_early_us: self.early(set),
            },
        }
    }

    /// How long before its end a segment of `set` can be fetched (packaging-rules D-26).
    fn early(&self, set: &Set) -> Option<i64> {
        Some(self.constant?.micros() - set.part_us?).filter(|&us| us > 0)
    }

    /// By time where nothing is told early: FFmpeg loses count of numbers when it reads the MPD again.
    fn addressing(&self, set: &Set, folder: &str) -> Addressing {
        let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let id = set.track.id;
        let media = format!("{folder}/{}$Number$.m4s", prefix(id));
        if let Some(constant) = self.constant {
            let duration = u32::try_from(constant.ticks(set.track.timescale)).unwrap_or(u32::MAX);
            return Addressing::Constant { media, first: number(self.first), duration };
        }
        let spans = set.spans.iter().map(|&(_, span)| span).collect();
        if let Some(run) = set.timed {
            return Addressing::Time {
                media: format!("{folder}/{}", timed_name(id, run, "$Time$", "m4s")),
                spans,
            };
        }
        let first = set.spans.front().map_or(self.first, |&(number, _)| number);
        Addressing::Number { media, first: number(first), spans }
    }
}

impl Row {
    /// What a track has in it; `None` for a gap.
    fn of(&self, track: TrackId) -> Option<&Ended> {
        self.tracks.iter().find(|(id, _)| *id == track)?.1.as_ref()
    }
}

fn id(first: u64) -> String {
    format!("p{first}")
}

fn tick(ticks: i64) -> u64 {
    u64::try_from(ticks).unwrap_or(0)
}

fn content(set: &Set, bandwidth: u64) -> Content {
    let Track { id, codec, .. } = &set.track;
    let codecs = codec::rfc6381(codec);
    let name = match (id.kind, id.index) {
        (Kind::Video, 0) => "v".to_owned(),
        (Kind::Audio, 0) => "a".to_owned(),
        (Kind::Video, index) => format!("v{index}"),
        (Kind::Audio, index) => format!("a{index}"),
    };
    match set.track.picture() {
        Some(&picture) => Content::Video(vec![mpd::Video {
            id: name,
            codecs,
            bandwidth,
            picture,
            frame_rate: set.frame_rate,
        }]),
        None => Content::Audio(vec![mpd::Audio {
            id: name,
            codecs,
            bandwidth,
            sample_rate: codec.sample_rate().unwrap_or(set.track.timescale.hz()),
            channels: codec.channels(),
        }]),
    }
}
