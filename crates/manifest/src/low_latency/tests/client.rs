//! A player that merges delta updates (packaging-rules L-20).

use super::*;

/// What a player knows of a list.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    /// Lines before the first segment, but for the version, which a delta may raise.
    head: Vec<String>,
    media_sequence: u64,
    segments: Vec<KnownSegment>,
    /// Hints, reports, the end.
    tail: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct KnownSegment {
    map: Option<String>,
    parts: Vec<String>,
    /// Other tags, and the URI once it is complete.
    lines: Vec<String>,
}

impl KnownSegment {
    fn discontinuity(&self) -> bool {
        self.lines.iter().any(|line| line == "#EXT-X-DISCONTINUITY")
    }
}

impl Known {
    /// Reads a full list, or a delta update of `before`. A skipped segment is one that is known; its parts are too
    /// old to be listed.
    fn read(text: &str, before: Option<&Known>) -> Known {
        let mut known = Known::default();
        let mut open = KnownSegment::default();
        let mut map = None;
        for line in text.lines() {
            if let Some(count) = line.strip_prefix("#EXT-X-SKIP:SKIPPED-SEGMENTS=") {
                known.segments = known.skipped(count.parse().unwrap(), before.unwrap());
                map = known.segments.last().unwrap().map.clone();
            } else {
                known.line(line, &mut open, &mut map);
            }
        }
        if open != KnownSegment::default() {
            known.segments.push(KnownSegment { map, ..open });
        }
        known
    }

    fn line(&mut self, line: &str, open: &mut KnownSegment, map: &mut Option<String>) {
        let name = line.split(':').next().unwrap();
        match name {
            "#EXT-X-VERSION" => {}
            "#EXT-X-MAP" => *map = Some(line.to_owned()),
            "#EXT-X-PART" => open.parts.push(line.to_owned()),
            "#EXT-X-PRELOAD-HINT" | "#EXT-X-RENDITION-REPORT" | "#EXT-X-ENDLIST" => {
                self.tail.push(line.to_owned());
            }
            "#EXT-X-DISCONTINUITY" | "#EXT-X-PROGRAM-DATE-TIME" | "#EXT-X-GAP" | "#EXTINF" => {
                open.lines.push(line.to_owned());
            }
            _ if line.starts_with('#') => {
                if let Some(number) = line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:") {
                    self.media_sequence = number.parse().unwrap();
                }
                self.head.push(line.to_owned());
            }
            _ => {
                open.lines.push(line.to_owned());
                let closed = std::mem::take(open);
                self.segments.push(KnownSegment { map: map.clone(), ..closed });
            }
        }
    }

    /// The first `count` segments of this list, from `before`.
    fn skipped(&self, count: usize, before: &Known) -> Vec<KnownSegment> {
        let gone = usize::try_from(self.media_sequence - before.media_sequence).unwrap();
        let known = before.segments.iter().skip(gone).take(count);
        let skipped: Vec<_> = known.map(|s| KnownSegment { parts: vec![], ..s.clone() }).collect();
        assert_eq!(skipped.len(), count, "skipped what the player does not have");
        skipped
    }
}

/// A stream of 60 segments of which 12 are listed, 4 parts each, with a new initialization section every fifth and
/// a discontinuity every seventh segment.
struct Stream {
    terms: Terms,
    listed: VecDeque<Segment>,
    open: OpenSegment,
    media_sequence: u64,
    discontinuity_sequence: u64,
}

impl Stream {
    fn start() -> Self {
        let open = Self::begin(8);
        Self { terms: terms(), listed: VecDeque::new(), open, media_sequence: 8, discontinuity_sequence: 0 }
    }

    fn begin(msn: u64) -> OpenSegment {
        let map = format!("i{}.mp4", msn / 5);
        OpenSegment::new(
            msn.is_multiple_of(7),
            Some(Arc::from(map)),
            NOON.plus_micros(2_000_000 * msn as i64),
        )
    }

    fn list(&self) -> Playlist<'_> {
        Playlist {
            terms: &self.terms,
            media_sequence: self.media_sequence,
            discontinuity_sequence: self.discontinuity_sequence,
            segments: self.listed.iter().collect(),
            open: Some(&self.open),
            reports: vec![],
            end: next("n.m4s"),
        }
    }

    /// The next part, and at every fourth a new segment.
    fn step(&mut self) {
        let msn = self.media_sequence + u64::try_from(self.listed.len()).unwrap();
        let index = self.open.parts();
        self.open.push(&part(&format!("p{msn}_{index}.m4s"), 334_000, index == 0));
        if index < 3 {
            return;
        }
        // Some are shorter, so that the boundary falls into segments, too.
        let duration_us = if msn.is_multiple_of(3) { 1_400_000 } else { 2_000_000 };
        let open = std::mem::replace(&mut self.open, Self::begin(msn + 1));
        let uri = format!("v{msn}.m4s");
        self.listed.push_back(open.close(&Closing { gap: false, duration_us, uri: &uri }));
        if self.listed.len() > 12 {
            let left = self.listed.pop_front().unwrap();
            self.media_sequence += 1;
            self.discontinuity_sequence += u64::from(left.discontinuity());
        }
    }
}

/// Follows the stream; `behind` is how many updates a player misses between two requests.
fn follow(behind: usize) {
    let mut stream = Stream::start();
    let mut history: VecDeque<Known> = VecDeque::new();
    let (mut deltas, mut maps, mut discontinuities) = (0, 0, 0);
    for _ in 0..240 {
        stream.step();
        let texts = render(&stream.list());
        let full = Known::read(&texts.full, None);
        if let (Some(delta), Some(before)) = (&texts.delta, history.front()) {
            let merged = Known::read(&delta.yes, Some(before));
            assert_eq!(merged, full);
            let skipped = delta.yes.lines().find_map(|l| l.strip_prefix("#EXT-X-SKIP:SKIPPED-SEGMENTS="));
            let skipped = &full.segments[..skipped.unwrap().parse().unwrap()];
            deltas += 1;
            maps += usize::from(skipped.windows(2).any(|two| two[0].map != two[1].map));
            discontinuities += usize::from(skipped.iter().any(KnownSegment::discontinuity));
        }
        history.push_back(full);
        if history.len() > behind {
            history.pop_front();
        }
    }
    assert!(deltas > 100 && maps > 50 && discontinuities > 50, "{deltas} {maps} {discontinuities}");
}

#[test]
fn l20_the_last_list_merged_with_the_delta_is_the_full_list_at_every_step() {
    follow(1);
}

#[test]
fn l20_a_list_as_old_as_half_the_skip_boundary_still_merges() {
    // 6 s at 4 parts per 2 s at most.
    follow(12);
}

#[test]
fn h06_what_a_list_says_of_itself_never_changes() {
    let mut stream = Stream::start();
    let mut heads = Vec::new();
    for _ in 0..100 {
        stream.step();
        let text = render(&stream.list()).full;
        heads.push(text.split_once("#EXT-X-MEDIA-SEQUENCE").unwrap().0.to_owned());
    }
    heads.dedup();
    assert_eq!(heads.len(), 1);
}
