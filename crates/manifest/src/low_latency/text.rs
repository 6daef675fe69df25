//! The text of lists with parts.

use std::fmt::{self, Write};

use super::{End, Hint, Part, Playlist, Report, Terms, target_durations};
use crate::tag::{self, Seconds};

/// Target durations from the end of a list from which on segments are listed without their parts
/// (packaging-rules L-08).
const PARTS_LISTED_FOR: u64 = 3;
/// EXT-X-VERSION that EXT-X-SKIP needs (packaging-rules H-02).
const SKIP_VERSION: u16 = 9;
/// EXT-X-VERSION of an answer from which dates were dropped, too (packaging-rules H-02).
const SKIP_DATES_VERSION: u16 = 10;

/// A list's text in all forms that a player can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    /// The whole list.
    pub full: String,
    /// What `_HLS_skip` is answered with; `None` when that is the whole list, because nothing is old enough or
    /// the list has ended (packaging-rules L-19).
    pub delta: Option<Delta>,
}

/// A playlist delta update (RFC 8216bis §6.2.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// For `_HLS_skip=YES`.
    pub yes: String,
    /// For `_HLS_skip=v2`, which also allows to skip dates. There are none, so it only says so.
    pub v2: String,
}

/// The list's texts.
///
/// Segments at the front lose their parts once 3 target durations follow them (packaging-rules L-08). A delta
/// update leaves out all segments that end CAN-SKIP-UNTIL or more before the end of the last segment, with all
/// their tags: the player still has them, and their EXT-X-MAP stays in force (packaging-rules L-19).
pub fn render(list: &Playlist<'_>) -> Texts {
    let terms = list.terms;
    let skipped = match list.end {
        End::Next(_) => list.older_than(terms.can_skip_until_us, 0),
        End::Ended => 0,
    };
    let (old, new) = body(list, skipped);
    let mut counters = String::with_capacity(80);
    tag::number(&mut counters, "EXT-X-MEDIA-SEQUENCE", list.media_sequence);
    tag::number(&mut counters, "EXT-X-DISCONTINUITY-SEQUENCE", list.discontinuity_sequence);
    let delta = (skipped > 0).then(|| {
        let skip = format!("#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}");
        let text = |version: u16, dates: &str| {
            [&terms.head(terms.version.max(version)), &counters, &skip, dates, "\n", &new].concat()
        };
        Delta {
            yes: text(SKIP_VERSION, ""),
            v2: text(SKIP_DATES_VERSION, ",RECENTLY-REMOVED-DATERANGES=\"\""),
        }
    });
    let head = terms.head(terms.version);
    Texts { full: [&*head, &counters, &old, &new].concat(), delta }
}

/// The lines after the counters: those of the first `skipped` segments, and the others.
fn body(list: &Playlist<'_>, skipped: usize) -> (String, String) {
    let open = list.open.filter(|open| open.parts.count > 0);
    let without_parts = list.older_than(
        target_durations(list.terms.target_duration_s, PARTS_LISTED_FOR),
        open.map_or(0, |open| open.parts.duration_us),
    );
    let (mut old, mut new) = (String::new(), String::new());
    let mut map = None;
    for (i, segment) in list.segments.iter().enumerate() {
        let out = if i < skipped { &mut old } else { &mut new };
        segment.start.write(&mut map, out);
        if i >= without_parts {
            out.push_str(&segment.parts.lines);
        }
        out.push_str(&segment.lines);
    }
    if let Some(open) = open {
        open.start.write(&mut map, &mut new);
        new.push_str(&open.parts.lines);
    }
    list.end.write(list, &mut new);
    (old, new)
}

impl Terms {
    /// The lines of a list from its first, up to the counters.
    fn head(&self, version: u16) -> String {
        let mut out = tag::head(version);
        tag::number(&mut out, "EXT-X-TARGETDURATION", self.target_duration_s.max(1));
        let (part_hold_back, hold_back) = (Seconds(self.part_hold_back_us), Seconds(self.hold_back_us));
        // Dates may be skipped because none are ever listed: then `v2` is as cheap to answer as `YES`.
        let _ = writeln!(
            out,
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={part_hold_back},\
             HOLD-BACK={hold_back},CAN-SKIP-UNTIL={},CAN-SKIP-DATERANGES=YES",
            Seconds(self.can_skip_until_us)
        );
        let _ = writeln!(out, "#EXT-X-PART-INF:PART-TARGET={}", Seconds(self.part_target_us));
        out
    }
}

impl Playlist<'_> {
    /// How many segments at the front end at least `distance_us` before the end of the list, which is
    /// `after_us` later than that of its last segment.
    fn older_than(&self, distance_us: i64, after_us: i64) -> usize {
        let mut to_end = after_us;
        let mut newer = 0;
        for segment in self.segments.iter().rev() {
            if to_end >= distance_us {
                break;
            }
            to_end = to_end.saturating_add(segment.duration_us.max(0));
            newer += 1;
        }
        self.segments.len() - newer
    }
}

impl End<'_> {
    fn write(&self, list: &Playlist<'_>, out: &mut String) {
        if let Self::Next(hint) = self {
            let _ = write!(out, "{hint}");
        }
        for report in &list.reports {
            let _ = writeln!(out, "{report}");
        }
        if *self == Self::Ended {
            out.push_str(tag::ENDLIST);
        }
    }
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#EXT-X-PART:DURATION={},URI=\"{}\"", Seconds(self.duration_us), self.uri)?;
        if self.independent {
            f.write_str(",INDEPENDENT=YES")?;
        }
        if self.gap {
            f.write_str(",GAP=YES")?;
        }
        Ok(())
    }
}

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(map) = self.map {
            writeln!(f, "#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"{map}\"")?;
        }
        writeln!(f, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}\"", self.part)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#EXT-X-RENDITION-REPORT:URI=\"{}\",LAST-MSN={}", self.uri, self.newest.msn)?;
        self.newest.part.map_or(Ok(()), |part| write!(f, ",LAST-PART={part}"))
    }
}
