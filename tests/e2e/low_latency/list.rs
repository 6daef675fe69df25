//! Reads a Media Playlist with parts as strictly as RFC 8216bis words it. Not our own reader and not our own writer.

use std::collections::BTreeMap;

use chrono::DateTime;

/// Billionths of a second, as printed: rules hold for the printed numbers.
pub type Nanos = u64;

/// A playlist, or a delta update of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List {
    pub version: u64,
    pub target: Nanos,
    pub control: BTreeMap<String, String>,
    pub part_target: Nanos,
    pub media_sequence: u64,
    pub discontinuity_sequence: u64,
    /// EXT-X-SKIP of a delta update.
    pub skip: Option<Skip>,
    /// The complete ones, and last the one that is still open if a part of it is listed.
    pub segments: Vec<Segment>,
    pub hints: Vec<(String, String)>,
    pub reports: Vec<Report>,
    pub ended: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Skip {
    pub segments: u64,
    pub removed_dates: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segment {
    pub number: u64,
    pub discontinuity: bool,
    pub map: Option<String>,
    /// EXT-X-PROGRAM-DATE-TIME in microseconds since 1970.
    pub date: Option<i64>,
    pub gap: bool,
    pub parts: Vec<Part>,
    /// EXTINF and URI of a complete one.
    pub whole: Option<(Nanos, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub duration: Nanos,
    pub uri: String,
    pub independent: bool,
    pub gap: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub uri: String,
    pub newest: (u64, u64),
}

impl List {
    /// Reads it.
    #[track_caller]
    pub fn read(text: &str) -> List {
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("#EXTM3U"), "H-01");
        let mut reader = Reader::default();
        for line in lines {
            reader.line(line);
        }
        reader.finish(text)
    }

    /// The list that this delta update makes of `before` (packaging-rules L-19).
    #[track_caller]
    pub fn merged(&self, before: &List) -> List {
        let Some(skip) = &self.skip else { return self.clone() };
        let gone = usize::try_from(self.media_sequence - before.media_sequence).unwrap();
        let count = usize::try_from(skip.segments).unwrap();
        let mut old: Vec<Segment> = before.segments.iter().skip(gone).take(count).cloned().collect();
        assert_eq!(old.len(), count, "L-19: skipped what the player has not: {self:?} of {before:?}");
        assert!(old.iter().all(|segment| segment.whole.is_some()), "L-19: an open segment was skipped");
        old.iter_mut().for_each(|segment| segment.parts.clear());
        let mut merged = List { skip: None, version: before.version, ..self.clone() };
        let inherited = old.last().and_then(|segment| segment.map.clone());
        for segment in &mut merged.segments {
            match &segment.map {
                Some(_) => break,
                None => segment.map.clone_from(&inherited),
            }
        }
        merged.segments.splice(0..0, old);
        merged
    }

    /// Media sequence number and index of the last part that is listed.
    pub fn newest(&self) -> (u64, u64) {
        let last = self.segments.last().expect("a segment");
        (last.number, (last.parts.len() as u64).saturating_sub(1))
    }

    /// What to ask for next: the part after the newest one.
    pub fn next(&self) -> (u64, u64) {
        let last = self.segments.last().expect("a segment");
        match last.whole {
            Some(_) => (last.number + 1, 0),
            None => (last.number, last.parts.len() as u64),
        }
    }

    /// Whether part `index` of segment `number` is listed, or a later one.
    pub fn has(&self, (number, index): (u64, u64)) -> bool {
        self.newest() >= (number, index)
            || self.segments.iter().any(|s| s.number >= number && s.whole.is_some())
    }

    /// Those that are complete.
    pub fn complete(&self) -> impl DoubleEndedIterator<Item = &Segment> {
        self.segments.iter().filter(|segment| segment.whole.is_some())
    }

    /// All parts that are listed.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.segments.iter().flat_map(|segment| &segment.parts)
    }

    /// A number of SERVER-CONTROL.
    #[track_caller]
    pub fn control(&self, name: &str) -> Nanos {
        nanos(self.control.get(name).unwrap_or_else(|| panic!("L-01: no {name} in {:?}", self.control)))
    }

    /// Length of the complete segments.
    pub fn duration(&self) -> Nanos {
        self.complete().map(Segment::duration).sum()
    }
}

impl Segment {
    /// EXTINF; of an open one what its parts last.
    pub fn duration(&self) -> Nanos {
        match &self.whole {
            Some((duration, _)) => *duration,
            None => self.parts.iter().map(|part| part.duration).sum(),
        }
    }
}

#[derive(Default)]
struct Reader {
    list: List,
    seen: Vec<&'static str>,
    open: Segment,
    extinf: Option<Nanos>,
    map: Option<String>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if !line.starts_with('#') {
            let duration = self.extinf.take().unwrap_or_else(|| panic!("{line} without EXTINF"));
            self.open.whole = Some((duration, line.to_owned()));
            return self.close();
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        match name {
            "#EXT-X-VERSION" => self.list.version = self.once("VERSION", value),
            "#EXT-X-TARGETDURATION" => {
                self.list.target = self.once::<u64>("TARGETDURATION", value) * 1_000_000_000;
            }
            "#EXT-X-MEDIA-SEQUENCE" => self.list.media_sequence = self.once("MEDIA-SEQUENCE", value),
            "#EXT-X-DISCONTINUITY-SEQUENCE" => {
                self.list.discontinuity_sequence = self.once("DISCONTINUITY-SEQUENCE", value);
            }
            "#EXT-X-SERVER-CONTROL" => self.list.control = attributes(value),
            "#EXT-X-PART-INF" => self.list.part_target = nanos(&attributes(value)["PART-TARGET"]),
            "#EXT-X-SKIP" => self.skip(value),
            "#EXT-X-PRELOAD-HINT" | "#EXT-X-RENDITION-REPORT" | "#EXT-X-ENDLIST" => self.tail(name, value),
            _ => self.of_segment(name, value, line),
        }
    }

    fn once<T: std::str::FromStr>(&mut self, name: &'static str, value: &str) -> T {
        assert!(!self.seen.contains(&name), "H-04: {name} twice");
        assert!(self.list.segments.is_empty() && self.list.skip.is_none(), "H-14: {name} after a segment");
        self.seen.push(name);
        value.parse().unwrap_or_else(|_| panic!("{name}: {value}"))
    }

    fn of_segment(&mut self, name: &str, value: &str, line: &str) {
        // L-03: what is said of a segment stands before its first part.
        let first = || assert!(self.open.parts.is_empty(), "L-03: {line} after a part of its segment");
        match name {
            "#EXT-X-DISCONTINUITY" => {
                first();
                self.open.discontinuity = true;
            }
            "#EXT-X-MAP" => {
                first();
                self.map = Some(attributes(value)["URI"].clone());
            }
            "#EXT-X-PROGRAM-DATE-TIME" => {
                first();
                let date =
                    DateTime::parse_from_rfc3339(value).unwrap_or_else(|e| panic!("H-15: {value}: {e}"));
                assert!(value.split_once('.').is_some_and(|(_, rest)| rest.len() >= 4), "H-15: {value}");
                self.open.date = Some(date.timestamp_micros());
            }
            "#EXT-X-GAP" => self.open.gap = true,
            "#EXT-X-PART" => self.open.parts.push(part(&attributes(value))),
            "#EXTINF" => {
                let number = value.strip_suffix(',').unwrap_or_else(|| panic!("{line}"));
                assert!(number.split_once('.').is_some_and(|(_, d)| d.len() >= 6), "H-13: {line}");
                self.extinf = Some(nanos(number));
            }
            _ => panic!("a tag that no list of ours has: {line}"),
        }
    }

    fn skip(&mut self, value: &str) {
        let attributes = attributes(value);
        assert!(self.list.segments.is_empty() && self.list.skip.is_none(), "L-19: SKIP is not first");
        let segments = attributes["SKIPPED-SEGMENTS"].parse().unwrap();
        let removed_dates = attributes.get("RECENTLY-REMOVED-DATERANGES").cloned();
        self.list.skip = Some(Skip { segments, removed_dates });
    }

    fn tail(&mut self, name: &str, value: &str) {
        let attributes = attributes(value);
        match name {
            "#EXT-X-PRELOAD-HINT" => {
                self.list.hints.push((attributes["TYPE"].clone(), attributes["URI"].clone()));
            }
            "#EXT-X-RENDITION-REPORT" => {
                let number = |name: &str| attributes[name].parse().unwrap();
                let newest = (number("LAST-MSN"), number("LAST-PART"));
                self.list.reports.push(Report { uri: attributes["URI"].clone(), newest });
            }
            _ => self.list.ended = true,
        }
    }

    fn close(&mut self) {
        let skipped = self.list.skip.as_ref().map_or(0, |skip| skip.segments);
        self.open.number = self.list.media_sequence + skipped + self.list.segments.len() as u64;
        self.open.map.clone_from(&self.map);
        self.list.segments.push(std::mem::take(&mut self.open));
    }

    fn finish(mut self, text: &str) -> List {
        for name in ["VERSION", "TARGETDURATION", "MEDIA-SEQUENCE", "DISCONTINUITY-SEQUENCE"] {
            assert!(self.seen.contains(&name), "no {name} in {text}");
        }
        assert!(self.extinf.is_none(), "EXTINF without a URI in {text}");
        if !self.open.parts.is_empty() {
            self.close();
        }
        assert_eq!(self.open, Segment::default(), "tags of no segment in {text}");
        self.list
    }
}

fn part(attributes: &BTreeMap<String, String>) -> Part {
    let yes = |name: &str| attributes.get(name).is_some_and(|value| value == "YES");
    Part {
        duration: nanos(&attributes["DURATION"]),
        uri: attributes["URI"].clone(),
        independent: yes("INDEPENDENT"),
        gap: yes("GAP"),
    }
}

/// `NAME=value,NAME="value"`, without the quotes.
fn attributes(list: &str) -> BTreeMap<String, String> {
    let mut quoted = false;
    let pieces = list.split(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    let pair = |piece: &str| {
        let (name, value) = piece.split_once('=').unwrap_or_else(|| panic!("no attribute: {piece}"));
        (name.to_owned(), value.trim_matches('"').to_owned())
    };
    pieces.filter(|piece| !piece.is_empty()).map(pair).collect()
}

/// A decimal number of seconds.
#[track_caller]
pub fn nanos(text: &str) -> Nanos {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(fraction.len() <= 9, "{text}");
    let digits = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("no decimal number: {text}"));
    digits(whole) * 1_000_000_000 + digits(&format!("{fraction:0<9}"))
}
