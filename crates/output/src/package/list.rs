//! The list of one rendition: its segments, the parts of the open one, and what of it can be fetched.

use std::collections::VecDeque;
use std::sync::Arc;

use manifest::low_latency::{self, Closing, End, Hint, OpenSegment, Terms};
use manifest::media::MediaPlaylist;
use media::{TrackId, Wall};

use super::naming::{part_name, playlist_name, segment_name, timed_name};
use super::part::Part;
use super::segment::{Closed, Entry, Form, Named, Open};
use crate::Edge;

/// Target durations from the end of a list up to which parts can be fetched: their tags leave after three, and three
/// more they stay (packaging-rules L-08); one more for what is open.
const PARTS_FETCHABLE_FOR: i64 = 7;

/// What all lists of a stream have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// SegmentNum.
    pub count: u32,
    /// TARGETDURATION in seconds.
    pub target_s: u64,
    /// EXT-X-VERSION: CMAF needs EXT-X-MAP, and that version 6; TS 3 (packaging-rules H-02).
    pub version: u16,
}

/// A sliding list of segments.
pub(super) struct List {
    /// Whose segments.
    pub track: TrackId,
    /// Name of its playlist.
    pub name: Arc<str>,
    /// The next segment is the first of a new run.
    pub discontinuity: bool,
    rules: Rules,
    parts: Option<Parts>,
    sequence: u64,
    discontinuities: u64,
    /// Name of the segment after the last one, where it says the time.
    follows: Option<Arc<str>>,
    open: Option<Open>,
    entries: VecDeque<Entry>,
    left: VecDeque<(Entry, i64)>,
    published: i64,
    longest_list: i64,
    longest_segment: i64,
}

/// How a list begins.
pub(super) struct Joined {
    /// Whose segments.
    pub track: TrackId,
    /// With parts.
    pub terms: Option<Terms>,
    /// Number of the first segment.
    pub sequence: u64,
    /// Discontinuities before it.
    pub discontinuities: u64,
    /// Whether it begins with one.
    pub discontinuity: bool,
    /// What names of segments and parts end in.
    pub suffix: &'static str,
}

/// How a list has parts.
struct Parts {
    terms: Terms,
    first: u64,
    number: u64,
    /// Name of the next one.
    next: Arc<str>,
    suffix: &'static str,
}

impl List {
    /// An empty list.
    pub(super) fn new(rules: Rules, joined: Joined) -> Self {
        let Joined { track, terms, sequence, discontinuities, discontinuity, suffix } = joined;
        let next = part_name(track, sequence, 0, suffix).into();
        Self {
            track,
            name: playlist_name(track).into(),
            discontinuity,
            rules,
            parts: terms.map(|terms| Parts { terms, first: sequence, number: 0, next, suffix }),
            sequence,
            discontinuities,
            follows: None,
            open: None,
            entries: VecDeque::new(),
            left: VecDeque::new(),
            published: 0,
            longest_list: 0,
            longest_segment: 0,
        }
    }

    /// Number of the segment that is open or comes next.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Where the open segment begins if it has media, in microseconds on the session's timeline.
    pub(super) fn open_from(&self) -> Option<i64> {
        self.open.as_ref().filter(|open| !open.body.is_empty()).map(|open| open.from)
    }

    /// Its PART-TARGET in microseconds, if it has parts.
    pub(super) fn part_target_us(&self) -> Option<i64> {
        self.parts.as_ref().map(|parts| parts.terms.part_target_us)
    }

    /// PART-HOLD-BACK in microseconds, if it has parts.
    pub(super) fn part_hold_back_us(&self) -> Option<i64> {
        self.parts.as_ref().map(|parts| parts.terms.part_hold_back_us)
    }

    /// Discontinuities before the first segment of the current run.
    pub(super) fn discontinuities_before(&self) -> u64 {
        self.discontinuities
    }

    /// The first number that nothing has, not even an open segment.
    pub(super) fn next_sequence(&self) -> u64 {
        self.sequence + u64::from(self.open.is_some())
    }

    /// Whether anything is listed.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.open.is_none()
    }

    /// Appends a part to the open segment; if there is none, one begins that is dated `date`.
    pub(super) fn part(&mut self, part: Part, form: &Form, date: Wall) {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.begin(&part, form, date),
        };
        let open = self.open.insert(open);
        open.duration += part.duration;
        open.frames += part.frames;
        open.key |= open.ticks.is_none() && part.key;
        open.ticks = match (open.ticks, part.ticks) {
            (Some((from, _)), Some((_, end))) => Some((from, end)),
            (old, new) => old.or(new),
        };
        open.body.extend(part.body.iter().cloned());
        let Some(parts) = &mut self.parts else { return };
        open.text.push(&low_latency::Part {
            uri: &parts.next,
            duration_us: part.duration,
            independent: part.independent,
            gap: part.body.is_empty(),
        });
        parts.number += 1;
        let next = part_name(self.track, parts.first, parts.number, parts.suffix).into();
        let name = std::mem::replace(&mut parts.next, next);
        if !part.body.is_empty() {
            open.parts.push((name, open.form.resource(part.body)));
        }
    }

    fn begin(&mut self, part: &Part, form: &Form, date: Wall) -> Open {
        let discontinuity = std::mem::take(&mut self.discontinuity);
        self.discontinuities += u64::from(discontinuity);
        let map = form.init.as_ref().map(|(name, _)| name.clone());
        Open {
            name: match form.timed.zip(part.ticks) {
                Some((run, (time, _))) => timed_name(self.track, run, &time.to_string(), form.suffix),
                None => segment_name(self.track, self.sequence, form.suffix),
            }
            .into(),
            form: form.clone(),
            text: OpenSegment::new(discontinuity, map, date),
            from: part.from,
            duration: 0,
            frames: 0,
            key: false,
            ticks: None,
            body: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Completes the open segment and drops what leaves at the front.
    pub(super) fn close(&mut self) -> Option<Closed> {
        let open = self.open.take()?;
        let gap = open.body.is_empty();
        let closed = Closed {
            sequence: self.sequence,
            from: open.from,
            duration: open.duration,
            frames: open.frames,
            bytes: open.body.iter().map(|piece| piece.len() as u64).sum(),
            key: open.key,
            ticks: open.ticks,
        };
        let next = open.form.timed.zip(open.ticks);
        self.follows = next
            .map(|(run, (_, end))| timed_name(self.track, run, &end.to_string(), open.form.suffix).into());
        self.published += open.duration;
        let line = open.text.close(&Closing { gap, duration_us: open.duration, uri: &open.name });
        let media = (!gap).then(|| (open.name, open.form.resource(open.body)));
        self.entries.push_back(Entry {
            sequence: self.sequence,
            discontinuities: self.discontinuities,
            duration: open.duration,
            end: self.published,
            line,
            media,
            init: open.form.init,
            parts: open.parts,
        });
        self.sequence += 1;
        self.longest_segment = self.longest_segment.max(open.duration);
        self.longest_list = self.longest_list.max(self.duration());
        self.slide();
        Some(closed)
    }

    /// Removes the oldest while SegmentNum segments and 3 target durations remain (packaging-rules H-09). What
    /// leaves stays fetchable for its duration and the longest list's (packaging-rules H-10), counted in media
    /// time: so a source that sends faster than real time cannot fill the memory.
    fn slide(&mut self) {
        let least = self.target_us().saturating_mul(3);
        let count = usize::try_from(self.rules.count.max(1)).unwrap_or(usize::MAX);
        while self.entries.len() > count
            && self.entries.front().is_some_and(|oldest| self.duration() - oldest.duration >= least)
        {
            let Some(oldest) = self.entries.pop_front() else { break };
            let until = self.published + oldest.duration + self.longest_list;
            self.left.push_back((oldest, until));
        }
        while self.left.front().is_some_and(|&(_, until)| until <= self.published) {
            self.left.pop_front();
        }
        let forgotten = self.published - self.target_us().saturating_mul(PARTS_FETCHABLE_FOR);
        let kept = self.left.iter_mut().map(|(entry, _)| entry).chain(&mut self.entries);
        kept.take_while(|entry| entry.end < forgotten).for_each(|entry| entry.parts.clear());
    }

    /// For how long after its end the list and its segments must be there, in microseconds (packaging-rules H-10,
    /// H-20).
    pub(super) fn afterlife(&self) -> i64 {
        self.longest_list.saturating_add(self.longest_segment)
    }

    /// Everything complete that can be fetched.
    pub(super) fn resources(&self, out: &mut Vec<Named>) {
        for entry in self.left.iter().map(|(entry, _)| entry).chain(&self.entries) {
            out.extend(entry.media.clone());
            out.extend(entry.init.clone());
            out.extend(entry.parts.iter().cloned());
        }
        if let Some(open) = &self.open {
            out.extend(open.form.init.clone());
            out.extend(open.parts.iter().cloned());
        }
    }

    /// The open segment as far as it has got.
    pub(super) fn growing(&self) -> Option<Named> {
        let open = self.open.as_ref().filter(|open| !open.body.is_empty())?;
        Some((open.name.clone(), open.form.resource(open.body.clone())))
    }

    /// Names of the segments that come next, as far as they are known: with parts the open one, too, if it has nothing
    /// yet.
    pub(super) fn coming(&self) -> Vec<Arc<str>> {
        if let Some(name) = &self.follows {
            return vec![name.clone()];
        }
        let Some(parts) = &self.parts else { return Vec::new() };
        let begun = self.open.as_ref().is_some_and(|open| !open.body.is_empty());
        let first = self.sequence + u64::from(begun);
        [first, first + 1].map(|number| segment_name(self.track, number, parts.suffix).into()).into()
    }

    /// Name of the next part, if it has parts.
    pub(super) fn next_part(&self) -> Option<&Arc<str>> {
        self.parts.as_ref().map(|parts| &parts.next)
    }

    /// The playlist without parts.
    pub(super) fn plain(&self, ended: bool) -> String {
        let (media_sequence, discontinuity_sequence) = self.counters();
        manifest::media::render(&MediaPlaylist {
            version: self.rules.version,
            target_duration_s: self.rules.target_s,
            media_sequence,
            discontinuity_sequence,
            segments: self.entries.iter().map(|entry| &entry.line).collect(),
            ended,
        })
    }

    /// The playlist with parts, but for the reports of other lists; `None` if it has none.
    pub(super) fn low_latency(&self, ended: bool) -> Option<low_latency::Playlist<'_>> {
        let parts = self.parts.as_ref()?;
        let (media_sequence, discontinuity_sequence) = self.counters();
        let hint = Hint { part: &parts.next, map: None };
        Some(low_latency::Playlist {
            terms: &parts.terms,
            media_sequence,
            discontinuity_sequence,
            segments: self.entries.iter().map(|entry| &entry.line).collect(),
            open: self.open.as_ref().map(|open| &open.text),
            reports: Vec::new(),
            end: if ended { End::Ended } else { End::Next(hint) },
        })
    }

    /// How far a list with parts has got.
    pub(super) fn edge(&self) -> Option<Edge> {
        let parts = self.parts.as_ref()?;
        Some(Edge {
            segment: self.sequence.saturating_sub(1),
            segment_parts: self.entries.back().map_or(0, |entry| entry.line.parts()),
            parts: self.open.as_ref().map_or(0, |open| open.text.parts()),
            advance_parts: parts.terms.advance_part_limit(),
        })
    }

    /// Media and discontinuity sequence number. A DISCONTINUITY that is still listed is counted by the reader
    /// (packaging-rules H-14).
    fn counters(&self) -> (u64, u64) {
        let before = |discontinuities: u64, tag: bool| discontinuities.saturating_sub(u64::from(tag));
        match (self.entries.front(), &self.open) {
            (Some(entry), _) => (entry.sequence, before(entry.discontinuities, entry.line.discontinuity())),
            (None, Some(open)) => (self.sequence, before(self.discontinuities, open.text.discontinuity())),
            (None, None) => (self.sequence, self.discontinuities),
        }
    }

    fn duration(&self) -> i64 {
        self.entries.iter().map(|entry| entry.duration).sum()
    }

    fn target_us(&self) -> i64 {
        i64::try_from(self.rules.target_s.saturating_mul(1_000_000)).unwrap_or(i64::MAX)
    }
}
