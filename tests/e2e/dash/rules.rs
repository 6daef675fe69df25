//! What must hold of an MPD, and of one and the next. Ids are those of packaging-rules.

use std::time::Duration;

use super::mpd::{Mpd, Period, Set};

/// Of any version while the stream is live.
#[track_caller]
pub fn alone(mpd: &Mpd) {
    assert!(mpd.delay < mpd.depth, "D-08: {:?} of {:?}", mpd.delay, mpd.depth);
    let update = mpd.minimum_update.expect("D-07: minimumUpdatePeriod");
    assert!(mpd.clocks.iter().any(|(scheme, _)| scheme == "urn:mpeg:dash:utc:http-iso:2014"), "D-23");
    for period in &mpd.periods {
        let contents: Vec<_> = period.sets.iter().map(|set| set.content.as_str()).collect();
        assert_eq!(contents, ["video", "audio"], "D-16");
        for set in &period.sets {
            assert!(set.constant.is_some() || !set.timeline.is_empty(), "D-18: nothing in {period:?}");
            for segment in set.listed() {
                let length = Duration::from_nanos(segment.length * 1_000_000_000 / set.timescale);
                assert!(length <= mpd.longest, "D-09: {segment:?} is longer than {:?}", mpd.longest);
                assert!(update <= length.max(Duration::from_millis(500)), "D-07: {update:?} for {segment:?}");
            }
        }
    }
    for pair in mpd.periods.windows(2) {
        let end = pair[0].duration.map_or(pair[1].start, |duration| pair[0].start + duration);
        assert!(pair[1].start >= end, "D-19: {:?} begins before {:?} ends", pair[1].id, pair[0].id);
    }
}

/// Of one version and a later one.
#[track_caller]
pub fn step(old: &Mpd, new: &Mpd) {
    assert_eq!(old.start, new.start, "D-05: availabilityStartTime");
    assert!(new.published >= old.published, "D-06");
    if old.text != new.text {
        assert!(new.published > old.published, "D-06: another MPD of the same publishTime");
    }
    let first = &new.periods.first().expect("a period").id;
    let left = old.periods.iter().position(|period| &period.id == first);
    let kept = left.map_or(&[][..], |left| &old.periods[left..]);
    assert!(kept.len() <= new.periods.len(), "D-18: a period is gone from the end");
    for (at, (before, after)) in kept.iter().zip(&new.periods).enumerate() {
        same_period(before, after, at + 1 < kept.len());
    }
}

#[track_caller]
fn same_period(before: &Period, after: &Period, closed: bool) {
    assert_eq!((&before.id, before.start), (&after.id, after.start), "D-05");
    assert!(before.duration.is_none() || before.duration == after.duration, "D-19: {before:?}");
    assert_eq!(before.sets.len(), after.sets.len(), "D-05");
    for (before, after) in before.sets.iter().zip(&after.sets) {
        same_set(before, after, closed);
    }
}

#[track_caller]
fn same_set(before: &Set, after: &Set, closed: bool) {
    let said = |set: &Set| {
        let names = (set.id.clone(), set.content.clone(), set.representations.clone());
        let urls = (set.initialization.clone(), set.media.clone());
        (names, urls, set.timescale, set.offset, set.constant, set.early)
    };
    assert_eq!(said(before), said(after), "D-05");
    if before.constant.is_some() {
        return assert_eq!(before.first, after.first, "D-15: startNumber of counted segments");
    }
    assert!(after.first >= before.first, "D-13: startNumber fell");
    let (old, new) = (before.listed(), after.listed());
    let first = new.first().map_or(0, |segment| segment.start);
    let common = old.iter().filter(|segment| segment.start >= first);
    for (was, is) in common.clone().zip(&new) {
        assert_eq!((was.start, was.length), (is.start, is.length), "D-13: a segment was edited");
        assert!(!before.is_numbered() || was.number == is.number, "D-13: a segment has another number");
    }
    assert!(common.count() <= new.len(), "D-13: segments are gone from the end");
    assert!(!closed || new.len() <= old.len(), "D-18: segments were added to a closed period");
}
