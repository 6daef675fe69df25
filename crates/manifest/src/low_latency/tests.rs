use std::collections::VecDeque;
use std::sync::Arc;

use ::media::Wall;
use quick_m3u8::config::ParsingOptionsBuilder;
use quick_m3u8::tag::KnownTag;
use quick_m3u8::tag::hls::{PreloadHintType, Tag};
use quick_m3u8::{HlsLine, Reader};

use super::{Closing, End, Hint, Newest, OpenSegment, Part, Playlist, Report, Terms, Texts, render};
use crate::media::Segment;

mod client;

/// 2024-05-06T07:08:09.123456Z
const NOON: Wall = Wall(1_714_979_289_123_456);

fn terms() -> Terms {
    Terms::new(6, 2, 334_000, 342_000)
}

fn part(uri: &str, duration_us: i64, independent: bool) -> Part<'_> {
    Part { uri, duration_us, independent, gap: false }
}

/// A segment of two seconds with two parts, open.
fn open(number: u64, map: &str, discontinuity: bool) -> OpenSegment {
    let mut open = OpenSegment::new(discontinuity, Some(Arc::from(map)), NOON);
    open.push(&part(&format!("p{number}a.m4s"), 333_667, true));
    open.push(&part(&format!("p{number}b.m4s"), 300_000, false));
    open
}

fn closed(number: u64, map: &str, discontinuity: bool) -> Segment {
    let uri = format!("v{number}.m4s");
    open(number, map, discontinuity).close(&Closing { gap: false, duration_us: 2_000_000, uri: &uri })
}

fn next(part: &str) -> End<'_> {
    End::Next(Hint { part, map: None })
}

/// A list that goes on after `segments`, with nothing open.
fn list<'a>(terms: &'a Terms, segments: &'a [Segment]) -> Playlist<'a> {
    Playlist {
        terms,
        media_sequence: 8,
        discontinuity_sequence: 1,
        segments: segments.iter().collect(),
        open: None,
        reports: vec![],
        end: next("n.m4s"),
    }
}

/// The tags of a text as another reader sees them.
fn tags(text: &str) -> Vec<Tag<'_>> {
    let options = ParsingOptionsBuilder::new().with_parsing_for_all_tags().build();
    let mut reader = Reader::from_str(text, options);
    let mut tags = Vec::new();
    while let Some(line) = reader.read_line().unwrap() {
        match line {
            HlsLine::KnownTag(KnownTag::Hls(tag)) => tags.push(tag),
            HlsLine::Uri(_) => {}
            other => panic!("not a tag of RFC 8216bis: {other:?}"),
        }
    }
    tags
}

#[test]
fn a_low_latency_list_says_its_terms_its_parts_what_comes_next_and_how_far_the_others_are() {
    let (terms, segment, open) = (terms(), [closed(8, "i8.mp4", false)], open(9, "i9.mp4", true));
    let report = Report { uri: "a.m3u8", newest: Newest { msn: 9, part: Some(1) } };
    let list = Playlist { open: Some(&open), reports: vec![report], ..list(&terms, &segment) };
    let expect = "#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.026,HOLD-BACK=6,CAN-SKIP-UNTIL=12,CAN-SKIP-DATERANGES=YES
#EXT-X-PART-INF:PART-TARGET=0.334
#EXT-X-MEDIA-SEQUENCE:8
#EXT-X-DISCONTINUITY-SEQUENCE:1
#EXT-X-MAP:URI=\"i8.mp4\"
#EXT-X-PROGRAM-DATE-TIME:2024-05-06T07:08:09.123Z
#EXT-X-PART:DURATION=0.333667,URI=\"p8a.m4s\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.3,URI=\"p8b.m4s\"
#EXTINF:2.000000,
v8.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI=\"i9.mp4\"
#EXT-X-PROGRAM-DATE-TIME:2024-05-06T07:08:09.123Z
#EXT-X-PART:DURATION=0.333667,URI=\"p9a.m4s\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.3,URI=\"p9b.m4s\"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"n.m4s\"
#EXT-X-RENDITION-REPORT:URI=\"a.m3u8\",LAST-MSN=9,LAST-PART=1
";
    assert_eq!(render(&list), Texts { full: expect.to_owned(), delta: None });
}

#[test]
fn l01_another_reader_finds_hold_backs_of_3_longest_parts_and_a_boundary_of_6_target_durations() {
    let (terms, segments) = (terms(), [closed(8, "i", false)]);
    let text = render(&list(&terms, &segments)).full;
    let tags = tags(&text);
    let control = tags.iter().find_map(|t| if let Tag::ServerControl(c) = t { Some(c) } else { None });
    let control = control.unwrap();
    assert_eq!(control.part_hold_back(), Some(3.0 * 0.342));
    assert_eq!((control.hold_back(), control.can_skip_until()), (Some(6.0), Some(12.0)));
    assert!(control.can_block_reload() && control.can_skip_dateranges());
    assert!(tags.iter().any(|t| matches!(t, Tag::PartInf(inf) if inf.part_target() == 0.334)));
}

#[test]
fn l01_the_hold_back_covers_a_part_target_that_was_not_counted_among_the_longest() {
    assert_eq!(Terms::new(6, 2, 500_000, 300_000).part_hold_back_us, 1_500_000);
}

#[test]
fn l16_players_may_ask_three_seconds_ahead_or_three_parts_of_a_second_or_more() {
    let limit = |part_target_us| Terms::new(6, 2, part_target_us, part_target_us).advance_part_limit();
    assert_eq!((limit(100_000), limit(334_000), limit(999_000)), (30, 9, 4));
    assert_eq!((limit(1_000_000), limit(2_000_000), limit(0)), (3, 3, 3));
}

#[test]
fn another_reader_finds_parts_hints_and_reports() {
    let (terms, segments) = (terms(), []);
    let mut open = open(8, "i", false);
    open.push(&Part { gap: true, ..part("p8c.m4s", 334_000, false) });
    let reports = vec![Report { uri: "a.m3u8", newest: Newest { msn: 7, part: None } }];
    let end = End::Next(Hint { part: "n.m4s", map: Some("i9.mp4") });
    let text = render(&Playlist { open: Some(&open), reports, end, ..list(&terms, &segments) }).full;
    let (mut parts, mut hints, mut reports) = (vec![], vec![], vec![]);
    for tag in tags(&text) {
        match tag {
            Tag::Part(p) => parts.push((p.uri().to_owned(), p.duration(), p.independent(), p.gap())),
            Tag::PreloadHint(h) => hints.push((*h.hint_type().known().unwrap(), h.uri().to_owned())),
            Tag::RenditionReport(r) => reports.push((r.uri().to_owned(), r.last_msn(), r.last_part())),
            _ => {}
        }
    }
    let part = |uri: &str, duration, independent, gap| (uri.to_owned(), duration, independent, gap);
    let expect = [
        part("p8a.m4s", 0.333_667, true, false),
        part("p8b.m4s", 0.3, false, false),
        part("p8c.m4s", 0.334, false, true),
    ];
    assert_eq!(parts, expect);
    let hint = |kind, uri: &str| (kind, uri.to_owned());
    assert_eq!(hints, [hint(PreloadHintType::Map, "i9.mp4"), hint(PreloadHintType::Part, "n.m4s")]);
    assert_eq!(reports, [("a.m3u8".to_owned(), 7, None)]);
}

#[test]
fn a_reader_of_plain_lists_finds_the_complete_segments() {
    let (terms, segments, open) =
        (terms(), [closed(8, "i", false), closed(9, "i", true)], open(10, "i", false));
    let text = render(&Playlist { open: Some(&open), ..list(&terms, &segments) }).full;
    let Ok(m3u8_rs::Playlist::MediaPlaylist(read)) = m3u8_rs::parse_playlist_res(text.as_bytes()) else {
        panic!("not a media playlist");
    };
    let uris: Vec<_> = read.segments.iter().map(|s| s.uri.as_str()).collect();
    assert_eq!(uris, ["v8.m4s", "v9.m4s"]);
    assert!(read.segments[1].discontinuity);
}

#[test]
fn l04_no_part_is_printed_longer_than_the_target_that_it_was_measured_by() {
    // 10 frames at 29.97 fps, and the exact value rounded up to the next millisecond.
    let terms = Terms::new(6, 2, 334_000, 334_000);
    let mut open = OpenSegment::new(false, None, NOON);
    for us in [333_666, 333_667, 334_000, 1, 100_000] {
        open.push(&part("p", us, false));
    }
    let text = render(&Playlist { open: Some(&open), ..list(&terms, &[]) }).full;
    let printed: Vec<_> = text.lines().filter_map(|l| l.strip_prefix("#EXT-X-PART:DURATION=")).collect();
    let printed: Vec<_> = printed.iter().map(|l| l.split(',').next().unwrap()).collect();
    assert_eq!(printed, ["0.333666", "0.333667", "0.334", "0.000001", "0.1"]);
    assert!(printed.iter().all(|p| p.parse::<f64>().unwrap() <= 0.334));
}

#[test]
fn l08_parts_leave_once_three_target_durations_follow_their_segment() {
    let (terms, segments): (_, Vec<_>) = (terms(), (8..13).map(|n| closed(n, "i", false)).collect());
    let with_parts = |list: &Playlist<'_>| {
        let text = render(list).full;
        (8..14).filter(|n| text.contains(&format!("p{n}a.m4s"))).collect::<Vec<_>>()
    };
    assert_eq!(with_parts(&list(&terms, &segments)), [10, 11, 12]);
    // The parts of the open segment lengthen the list, too.
    let mut open = open(13, "i", false);
    assert_eq!(with_parts(&Playlist { open: Some(&open), ..list(&terms, &segments) }), [10, 11, 12, 13]);
    open.push(&part("p13c.m4s", 1_400_000, false));
    assert_eq!(with_parts(&Playlist { open: Some(&open), ..list(&terms, &segments) }), [11, 12, 13]);
}

#[test]
fn l11_a_list_that_goes_on_hints_at_one_part_and_an_ended_one_at_none() {
    let (terms, segments) = (terms(), [closed(8, "i", false)]);
    let live = render(&list(&terms, &segments)).full;
    assert_eq!(live.matches("#EXT-X-PRELOAD-HINT:TYPE=PART").count(), 1);
    assert!(!live.contains("ENDLIST"));
    let ended = render(&Playlist { end: End::Ended, ..list(&terms, &segments) }).full;
    assert!(ended.ends_with("v8.m4s\n#EXT-X-ENDLIST\n"), "{ended}");
    assert!(!ended.contains("PRELOAD-HINT"));
}

#[test]
fn an_open_segment_without_parts_leaves_no_line() {
    let (terms, segments) = (terms(), [closed(8, "i", false)]);
    let empty = OpenSegment::new(true, Some(Arc::from("i9")), NOON);
    let open = Playlist { open: Some(&empty), ..list(&terms, &segments) };
    assert_eq!(render(&open), render(&list(&terms, &segments)));
    assert_eq!(open.newest(), Some(Newest { msn: 8, part: Some(1) }));
}

#[test]
fn l15_a_report_names_the_last_part_of_the_open_segment_or_else_of_the_last_complete_one() {
    let (terms, segments, open) =
        (terms(), [closed(8, "i", false), closed(9, "i", false)], open(10, "i", false));
    let complete = list(&terms, &segments);
    assert_eq!(
        complete.report("../a"),
        Some(Report { uri: "../a", newest: Newest { msn: 9, part: Some(1) } })
    );
    let open = Playlist { open: Some(&open), ..complete };
    assert_eq!(open.newest(), Some(Newest { msn: 10, part: Some(1) }));
    let plain = [Segment::new(crate::media::Entry {
        discontinuity: false,
        map: None,
        program_date_time: NOON,
        gap: true,
        duration_us: 1,
        uri: "v8.m4s",
    })];
    assert_eq!(list(&terms, &plain).newest(), Some(Newest { msn: 8, part: None }));
    assert_eq!(list(&terms, &[]).report("a"), None);
}

#[test]
fn l21_a_lost_segment_keeps_its_parts_and_is_marked_before_its_duration() {
    let mut open = OpenSegment::new(false, None, NOON);
    open.push(&Part { gap: true, ..part("p8a.ts", 334_000, false) });
    let terms = Terms::new(3, 2, 334_000, 334_000);
    let lost = [open.close(&Closing { gap: true, duration_us: 2_000_000, uri: "v8.ts" })];
    let text = render(&list(&terms, &lost)).full;
    assert!(text.contains(
        "#EXT-X-PART:DURATION=0.334,URI=\"p8a.ts\",GAP=YES\n#EXT-X-GAP\n#EXTINF:2.000000,\nv8.ts\n"
    ));
}

#[test]
fn a_plain_list_of_the_same_segments_has_no_parts() {
    let segments = [closed(8, "i", false)];
    let text = crate::media::render(&crate::media::MediaPlaylist {
        version: 6,
        target_duration_s: 2,
        media_sequence: 8,
        discontinuity_sequence: 0,
        segments: segments.iter().collect(),
        ended: false,
    });
    assert!(text.contains("#EXTINF:2.000000,\nv8.m4s\n") && !text.contains("PART"));
}

#[test]
fn l19_a_delta_skips_what_ends_the_boundary_before_the_last_segment_and_keeps_the_counters() {
    let terms = terms();
    let segments: Vec<_> = (8..16).map(|n| closed(n, "i", n == 9)).collect();
    let texts = render(&list(&terms, &segments));
    let delta = texts.delta.unwrap();
    let expect = "#EXT-X-MEDIA-SEQUENCE:8
#EXT-X-DISCONTINUITY-SEQUENCE:1
#EXT-X-SKIP:SKIPPED-SEGMENTS=2
#EXT-X-PROGRAM-DATE-TIME:2024-05-06T07:08:09.123Z
#EXTINF:2.000000,
v10.m4s
";
    assert!(delta.yes.contains(expect), "{}", delta.yes);
    assert!(delta.yes.starts_with("#EXTM3U\n#EXT-X-VERSION:9\n"));
    assert!(texts.full.starts_with("#EXTM3U\n#EXT-X-VERSION:6\n"));
}

#[test]
fn l19_the_open_segment_does_not_move_the_skip_boundary() {
    let (terms, segments): (_, Vec<_>) = (terms(), (8..15).map(|n| closed(n, "i", false)).collect());
    let open = open(15, "i", false);
    let texts = render(&Playlist { open: Some(&open), ..list(&terms, &segments) });
    assert!(texts.delta.unwrap().yes.contains("#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n"));
}

#[test]
fn h02_l19_an_answer_to_v2_is_version_10_and_says_that_no_dates_were_removed() {
    let (terms, segments): (_, Vec<_>) = (terms(), (8..16).map(|n| closed(n, "i", false)).collect());
    let delta = render(&list(&terms, &segments)).delta.unwrap();
    let skip = |text: &str| {
        let tags = tags(text);
        let version =
            tags.iter().find_map(|t| if let Tag::Version(v) = t { Some(v.version()) } else { None });
        let skip = tags.iter().find_map(|t| match t {
            Tag::Skip(s) => Some((s.skipped_segments(), s.recently_removed_dateranges().map(str::to_owned))),
            _ => None,
        });
        (version.unwrap(), skip.unwrap())
    };
    assert_eq!(skip(&delta.yes), (9, (2, None)));
    assert_eq!(skip(&delta.v2), (10, (2, Some(String::new()))));
    let body = |text: &str| text.split_once("#EXT-X-PROGRAM").unwrap().1.to_owned();
    assert_eq!(body(&delta.yes), body(&delta.v2));
}

#[test]
fn l19_there_is_no_delta_when_nothing_is_old_enough_or_the_list_has_ended() {
    let (terms, segments): (_, Vec<_>) = (terms(), (8..16).map(|n| closed(n, "i", false)).collect());
    assert_eq!(render(&list(&terms, &segments[..6])).delta, None);
    assert!(render(&list(&terms, &segments[..7])).delta.is_some());
    assert_eq!(render(&Playlist { end: End::Ended, ..list(&terms, &segments) }).delta, None);
    assert_eq!(render(&list(&terms, &[])).delta, None);
}
