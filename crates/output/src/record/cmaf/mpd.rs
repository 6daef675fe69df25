//! The MPD of a file (packaging-rules R-05, D-18).

use manifest::mpd::{
    self, AdaptationSet, Addressing, Audio, Content, Follows, Kind, Mpd, Period, Segments, Video,
};
use manifest::uri;

use super::form::Form;
use super::playlists::Presentation;
use super::slice::{self, Done, Span};

/// MIME type of an MPD.
pub(super) const TYPE: &str = "application/dash+xml";

/// So much longer than the leading track others may be without making the Period longer, in microseconds.
const OVERHANG_MICROS: i64 = 500_000;

/// Slices that follow each other, with the same init segments.
struct Stretch<'a> {
    done: &'a [Done],
    /// Where the leading track begins and ends, in microseconds on the session's timeline.
    from: i64,
    to: i64,
    /// Each track's init segment.
    forms: Vec<usize>,
}

impl Presentation<'_> {
    /// The MPD's text.
    pub fn mpd(&self) -> String {
        let stretches = self.stretches();
        let mut periods: Vec<Period> = Vec::with_capacity(stretches.len());
        let (mut start_us, mut before): (i64, Option<&Stretch<'_>>) = (0, None);
        for stretch in &stretches {
            periods.push(self.period(periods.len(), start_us, stretch, before));
            start_us = start_us.saturating_add(stretch.length());
            before = Some(stretch);
        }
        mpd::render(&Mpd {
            kind: Kind::Recorded,
            min_buffer_time_us: self.longest_us,
            max_segment_duration_us: self.longest_us,
            latency: None,
            periods,
        })
    }

    fn stretches(&self) -> Vec<Stretch<'_>> {
        let mut firsts = vec![0];
        let mut forms: Vec<Option<usize>> = vec![None; self.lanes.len()];
        for (at, done) in self.done.iter().enumerate() {
            let own = self.lanes.iter().map(|&lane| done.of(lane).map(|(span, _)| span.form));
            let own: Vec<Option<usize>> = own.collect();
            let other =
                forms.iter().zip(&own).any(|(form, own)| form.is_some() && own.is_some() && form != own);
            if at > 0 && (done.discontinuity || other) {
                firsts.push(at);
                forms.fill(None);
            }
            forms = forms.iter().zip(own).map(|(form, own)| own.or(*form)).collect();
        }
        let ends = firsts.iter().skip(1).copied().chain([self.done.len()]);
        let stretches =
            firsts.iter().zip(ends).filter_map(|(&from, to)| self.stretch(self.done.get(from..to)?));
        stretches.filter(|stretch| stretch.length() > 0).collect()
    }

    fn stretch<'s>(&self, done: &'s [Done]) -> Option<Stretch<'s>> {
        let lead =
            |done: &Done| done.tracks.first().and_then(|(span, _)| Some((*span, self.forms.get(span.form)?)));
        let (first, form) = lead(done.first()?)?;
        let end = |(span, form): (Span, &Form)| span.start(form).saturating_add(span.micros(form));
        let to = done.iter().filter_map(lead).map(end).max()?;
        let spans = done.iter().flat_map(|done| &done.tracks);
        let longest =
            spans.filter_map(|(span, _)| Some((*span, self.forms.get(span.form)?))).map(end).max()?;
        // Where pictures stopped sound goes on; a little of it is no reason to part pictures that go on.
        let to = if longest.saturating_sub(to) > OVERHANG_MICROS { longest } else { to };
        let mut forms: Vec<usize> =
            done.iter().flat_map(|done| &done.tracks).map(|(span, _)| span.form).collect();
        forms.sort_by_key(|&form| self.forms.get(form).map(|form| form.lane));
        forms.dedup();
        Some(Stretch { done, from: first.start(form), to, forms })
    }

    fn period(
        &self,
        number: usize,
        start_us: i64,
        stretch: &Stretch<'_>,
        before: Option<&Stretch<'_>>,
    ) -> Period {
        let set = |&index: &usize| {
            let form = self.forms.get(index)?;
            let follows = before.filter(|before| before.forms.contains(&index));
            let follows = follows.map(|_| Follows::Connected(id(number.saturating_sub(1))));
            Some(AdaptationSet { follows, ..self.set(form, stretch) })
        };
        Period {
            id: id(number),
            start_us,
            duration_us: Some(stretch.length()),
            sets: stretch.forms.iter().filter_map(set).collect(),
        }
    }

    fn set(&self, form: &Form, stretch: &Stretch<'_>) -> AdaptationSet {
        let lane = form.lane;
        AdaptationSet {
            id: u32::from(lane.index) * 2 + if lane.audio { 2 } else { 1 },
            content: self.content(form, stretch),
            language: None,
            main: lane.index == 0,
            starts_with_sap: lane.audio || stretch.done.iter().all(|done| done.independent),
            follows: None,
            reference: None,
            segments: self.segments(form, stretch),
        }
    }

    fn segments(&self, form: &Form, stretch: &Stretch<'_>) -> Segments {
        let listed = |done: &Done| {
            let (span, _) = done.of(form.lane)?;
            Some((span.ticks(), self.relative(&slice::key(&done.prefix, form.lane))))
        };
        let timescale = form.timescale();
        Segments {
            timescale,
            presentation_time_offset: tick(timescale.from_micros(stretch.from).0),
            initialization: self.relative(&form.key),
            addressing: Addressing::List(stretch.done.iter().filter_map(listed).collect()),
            available_early_us: None,
        }
    }

    fn relative(&self, key: &str) -> String {
        uri::relative(self.prefix, key)
    }

    fn content(&self, form: &Form, stretch: &Stretch<'_>) -> Content {
        let (id, codecs) = (form.lane.letter(), form.codec.clone());
        let bandwidth = self.rate(form.lane).peak;
        match form.picture() {
            Some(picture) => {
                let frame_rate = self.frame_rate(form.lane, stretch.done);
                Content::Video(vec![Video { id, codecs, bandwidth, picture, frame_rate }])
            }
            None => {
                let (sample_rate, channels) = (form.sample_rate, form.channels);
                Content::Audio(vec![Audio { id, codecs, bandwidth, sample_rate, channels }])
            }
        }
    }
}

impl Stretch<'_> {
    fn length(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }
}

impl Span {
    fn ticks(&self) -> mpd::Span {
        mpd::Span { time: tick(self.from), duration: tick(self.to.saturating_sub(self.from)) }
    }
}

fn id(number: usize) -> String {
    format!("p{number}")
}

fn tick(ticks: i64) -> u64 {
    u64::try_from(ticks).unwrap_or(0)
}
