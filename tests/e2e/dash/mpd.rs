//! What an MPD says, with every relative time made absolute.

use std::time::Duration;

use dash_mpd_core as dash;

/// Microseconds since 1970.
pub type Wall = i64;

/// One version of it.
#[derive(Clone, Debug)]
pub struct Mpd {
    /// Without publishTime, to see what else changed.
    pub text: String,
    pub published: Wall,
    pub start: Wall,
    pub minimum_update: Option<Duration>,
    pub depth: Duration,
    pub delay: Duration,
    pub longest: Duration,
    pub latency_ms: Option<f64>,
    pub clocks: Vec<(String, String)>,
    pub duration: Option<Duration>,
    pub periods: Vec<Period>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    pub id: String,
    pub start: Duration,
    pub duration: Option<Duration>,
    pub sets: Vec<Set>,
}

/// An adaptation set. Sets of ours have one template for all of their representations.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    pub id: String,
    pub content: String,
    pub representations: Vec<String>,
    pub timescale: u64,
    pub offset: u64,
    pub initialization: String,
    pub media: String,
    pub first: u64,
    /// Exact start and length of each segment; without it all last `constant` ticks.
    pub timeline: Vec<(u64, u64)>,
    pub constant: Option<u64>,
    /// `availabilityTimeOffset` in microseconds.
    pub early: i64,
}

/// A segment that is named.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    pub number: u64,
    pub start: u64,
    pub length: u64,
}

impl Mpd {
    /// Reads it.
    #[track_caller]
    pub fn read(text: &str) -> Mpd {
        let mpd = dash::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let published = text.split("publishTime=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(published.ends_with('Z'), "D-06: {published}");
        Mpd {
            text: text.replace(published, ""),
            published: wall(mpd.publishTime.unwrap()),
            start: wall(mpd.availabilityStartTime.unwrap()),
            minimum_update: mpd.minimumUpdatePeriod,
            depth: mpd.timeShiftBufferDepth.unwrap(),
            delay: mpd.suggestedPresentationDelay.unwrap(),
            longest: mpd.maxSegmentDuration.unwrap(),
            latency_ms: mpd.ServiceDescription.iter().flat_map(|s| &s.Latency).find_map(|l| l.target),
            clocks: mpd
                .UTCTiming
                .iter()
                .map(|clock| (clock.schemeIdUri.clone(), clock.value.clone().unwrap_or_default()))
                .collect(),
            duration: mpd.mediaPresentationDuration,
            periods: mpd.periods.iter().map(period).collect(),
        }
    }

    /// When `segment` becomes available (packaging-rules D-02).
    pub fn available(&self, period: &Period, set: &Set, segment: &Segment) -> Wall {
        self.ends(period, set, segment) - set.early
    }

    /// When it is over.
    pub fn ends(&self, period: &Period, set: &Set, segment: &Segment) -> Wall {
        let end = i128::from(segment.start + segment.length) - i128::from(set.offset);
        let micros = end * 1_000_000 / i128::from(set.timescale);
        self.start + period.start.as_micros() as i64 + micros as i64
    }

    /// Everything that a player may ask for now, with the period and set that it is of.
    pub fn segments(&self, now: Wall) -> Vec<(&Period, &Set, Segment)> {
        let all = self.periods.iter().flat_map(|period| period.sets.iter().map(move |set| (period, set)));
        all.flat_map(|(period, set)| {
            let listed = match set.constant {
                Some(length) => self.counted(period, set, length, now),
                None => set.listed(),
            };
            listed.into_iter().map(move |segment| (period, set, segment))
        })
        .collect()
    }

    /// Those whose numbers follow from the clock (packaging-rules D-15).
    fn counted(&self, period: &Period, set: &Set, length: u64, now: Wall) -> Vec<Segment> {
        let at = |number: u64| Segment { number, start: set.offset + (number - set.first) * length, length };
        let depth = self.depth.as_micros() as i64;
        let end = period.duration.map(|duration| self.start + (period.start + duration).as_micros() as i64);
        let named = (set.first..).map(at).take_while(|segment| {
            let ends = self.ends(period, set, segment);
            ends - set.early <= now && end.is_none_or(|end| ends - 1_000 <= end)
        });
        named.filter(|segment| self.ends(period, set, segment) > now - depth).collect()
    }
}

impl Set {
    /// Those of the timeline.
    pub fn listed(&self) -> Vec<Segment> {
        let numbered = self.timeline.iter().zip(self.first..);
        numbered.map(|(&(start, length), number)| Segment { number, start, length }).collect()
    }

    /// Reference of a segment relative to the MPD.
    pub fn uri(&self, segment: &Segment) -> String {
        let named = self.media.replace("$Number$", &segment.number.to_string());
        named.replace("$Time$", &segment.start.to_string())
    }

    /// Whether segments are named by their number, which then must not change.
    pub fn is_numbered(&self) -> bool {
        self.media.contains("$Number$")
    }
}

fn wall(date: dash::XsDatetime) -> Wall {
    date.timestamp_micros()
}

fn period(period: &dash::Period) -> Period {
    Period {
        id: period.id.clone().expect("D-05: Period@id"),
        start: period.start.expect("Period@start"),
        duration: period.duration,
        sets: period.adaptations.iter().map(set).collect(),
    }
}

fn set(set: &dash::AdaptationSet) -> Set {
    let template = set.SegmentTemplate.clone().expect("SegmentTemplate");
    let media = template.media.unwrap();
    assert!(media.contains("$Number$") != media.contains("$Time$"), "D-14: {media}");
    assert_eq!(set.segmentAlignment, Some(true), "D-16");
    let early = (template.availabilityTimeOffset.unwrap_or_default() * 1e6) as i64;
    assert_eq!(template.availabilityTimeComplete == Some(false), early > 0, "D-26");
    let timeline = template.SegmentTimeline.map(|timeline| spans(&timeline.segments)).unwrap_or_default();
    Set {
        id: set.id.clone().expect("D-05: AdaptationSet@id"),
        content: set.contentType.clone().expect("D-16: contentType"),
        representations: set.representations.iter().map(|r| r.id.clone().expect("D-05")).collect(),
        timescale: template.timescale.expect("D-01: timescale"),
        offset: template.presentationTimeOffset.unwrap_or_default(),
        initialization: template.initialization.unwrap(),
        media,
        first: template.startNumber.unwrap_or(1),
        timeline,
        constant: template.duration.map(|duration| duration as u64),
        early,
    }
}

/// Start and length of each; a hole or an overlap is none of ours (packaging-rules D-12).
fn spans(lines: &[dash::S]) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for line in lines {
        let next = spans.last().map(|(start, length)| start + length);
        let start = line.t.or(next).expect("D-12: t of the first S");
        assert!(next.is_none_or(|next| next == start), "D-12: {next:?}, then {start}");
        let count = u64::try_from(line.r.unwrap_or(0)).unwrap() + 1;
        spans.extend((0..count).map(|at| (start + at * line.d, line.d)));
    }
    spans
}
