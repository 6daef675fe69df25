//! What must hold of a list, and of a list and the one after it. Ids are those of packaging-rules.

use super::list::{List, Nanos, Segment};

/// Milliseconds that EXT-X-PROGRAM-DATE-TIME may be off for being rounded.
const DATE_SLACK_US: i64 = 2_000;
/// hls.js keeps an array that is as long as EXT-X-DISCONTINUITY-SEQUENCE and goes over all of it at each update: at the
/// size of a Unix time it hangs, up to this it takes no time.
const MOST_DISCONTINUITIES: u64 = 100_000;
/// Numbers are printed with six decimals.
const PRINTED: Nanos = 1_000;

/// Of any whole list of a stream that is live.
#[track_caller]
pub fn alone(list: &List, is_audio: bool) {
    terms(list);
    segments(list);
    parts(list, is_audio);
    let hinted: Vec<_> = list.hints.iter().filter(|(kind, _)| kind == "PART").collect();
    assert_eq!(hinted.len(), usize::from(!list.ended), "L-11: {:?}", list.hints);
    assert_eq!(list.hints.len(), hinted.len(), "no other init section is due: {:?}", list.hints);
}

/// The numbers a player makes its delay of.
#[track_caller]
fn terms(list: &List) {
    assert!(list.version <= 6, "H-02: version {}", list.version);
    assert!(list.media_sequence >= 1 && list.discontinuity_sequence >= 1, "H-14");
    assert!(list.discontinuity_sequence <= MOST_DISCONTINUITIES, "H-14: {}", list.discontinuity_sequence);
    assert_eq!(list.control.get("CAN-BLOCK-RELOAD").map(String::as_str), Some("YES"), "L-16");
    assert!(list.part_target > 0, "L-01: no PART-TARGET");
    assert!(list.control("PART-HOLD-BACK") >= 3 * list.part_target, "L-01: {:?}", list.control);
    assert!(list.control("HOLD-BACK") >= 3 * list.target, "L-01: {:?}", list.control);
    assert!(list.control("CAN-SKIP-UNTIL") >= 6 * list.target, "L-01: {:?}", list.control);
}

#[track_caller]
fn segments(list: &List) {
    for segment in &list.segments {
        let rounded = (segment.duration() + 500_000_000) / 1_000_000_000 * 1_000_000_000;
        assert!(rounded <= list.target, "H-12: {segment:?} in {} ns", list.target);
        assert!(segment.date.is_some(), "H-15: {segment:?}");
        assert!(!segment.gap, "nothing was lost: {segment:?}");
    }
    for pair in list.segments.windows(2) {
        let [before, after] = pair else { unreachable!() };
        assert!(before.whole.is_some(), "only the last one is open: {before:?}");
        if !after.discontinuity {
            assert_eq!(before.map, after.map, "H-16: another MAP without DISCONTINUITY");
            let expect = before.date.unwrap() + (before.duration() / 1_000) as i64;
            let off = after.date.unwrap() - expect;
            assert!(off.abs() <= DATE_SLACK_US, "H-15: {off} us between {before:?} and {after:?}");
        }
    }
}

#[track_caller]
fn parts(list: &List, is_audio: bool) {
    let mut to_end: Nanos = list.segments.iter().map(Segment::duration).sum();
    for segment in &list.segments {
        to_end -= segment.duration();
        let old = to_end >= 3 * list.target;
        assert_eq!(segment.parts.is_empty(), old, "L-08: {to_end} ns before the end: {segment:?}");
        for (at, part) in segment.parts.iter().enumerate() {
            let end = segment.whole.is_some() && at + 1 == segment.parts.len();
            assert!(!part.gap || end, "L-21: nothing was lost: {part:?}");
            assert!(part.duration <= list.part_target, "L-04: {part:?} over {}", list.part_target);
            let last = segment.whole.is_some() && at + 1 == segment.parts.len();
            let long = part.duration * 100 >= list.part_target * 85;
            // What is last of the open segment may turn out to be its last.
            let last = last || (segment.whole.is_none() && at + 1 == segment.parts.len());
            assert!(long || part.independent || last, "L-05: {part:?} of {}", list.part_target);
            assert!(!is_audio || part.independent, "L-06: {part:?}");
        }
        assert!(segment.parts.first().is_none_or(|part| part.independent), "L-06: {segment:?}");
        if let Some((whole, _)) = &segment.whole
            && !old
        {
            let sum: Nanos = segment.parts.iter().map(|part| part.duration).sum();
            let slack = PRINTED * (segment.parts.len() as u64 + 1);
            assert!(sum.abs_diff(*whole) <= slack, "L-02: parts of {sum} ns in {segment:?}");
        }
    }
}

/// Of audio parts shorter than 85 % nothing excuses INDEPENDENT, which every audio part has: ours keep to it.
#[track_caller]
pub fn full_length(list: &List) {
    for segment in list.complete().filter(|segment| !segment.parts.is_empty()) {
        let (_, but_last) = segment.parts.split_last().unwrap();
        let short = segment.parts[..but_last.len()].iter().find(|p| p.duration * 100 < list.part_target * 85);
        assert_eq!(short, None, "L-05, even where INDEPENDENT: PART-TARGET {}", list.part_target);
    }
}

/// Of a list and a later one.
#[track_caller]
pub fn step(old: &List, new: &List) {
    assert_eq!(old.target, new.target, "H-06");
    assert_eq!(old.control, new.control, "H-06");
    assert_eq!(old.part_target, new.part_target, "H-06");
    assert!(new.media_sequence >= old.media_sequence, "H-14");
    let gone = usize::try_from(new.media_sequence - old.media_sequence).unwrap();
    let left = old.segments.iter().take(gone).filter(|segment| segment.discontinuity).count() as u64;
    assert_eq!(new.discontinuity_sequence, old.discontinuity_sequence + left, "H-14");
    if gone > 0 {
        assert!(new.duration() >= 3 * new.target, "H-09: {} ns are left", new.duration());
    }
    for before in old.segments.iter().skip(gone) {
        let after = new.segments.iter().find(|segment| segment.number == before.number);
        same(before, after.unwrap_or_else(|| panic!("H-06: {before:?} is gone from the middle")));
    }
    hint_kept(old, new);
}

/// What was listed stays as it was, but for parts that may leave and lines that may come.
#[track_caller]
fn same(before: &Segment, after: &Segment) {
    let said = |s: &Segment| (s.discontinuity, s.map.clone(), s.date, s.gap);
    assert_eq!(said(before), said(after), "H-06: {before:?} became {after:?}");
    if before.whole.is_some() {
        assert_eq!(before.whole, after.whole, "H-06");
        assert!(after.parts.is_empty() || after.parts == before.parts, "H-06: {before:?} became {after:?}");
    } else {
        assert!(after.parts.starts_with(&before.parts), "H-06: {before:?} became {after:?}");
    }
}

/// The part after the last one of `old` has the name that `old` hinted.
#[track_caller]
fn hint_kept(old: &List, new: &List) {
    let Some((_, hinted)) = old.hints.first() else { return };
    let last = old.parts().last().map(|part| &part.uri);
    let mut later = new.parts().skip_while(|part| Some(&part.uri) != last).skip(1);
    if let Some(next) = later.next() {
        assert_eq!(&next.uri, hinted, "L-12: after {last:?}");
    }
}
