//! The rules can be broken: a list of ours, spoilt in one place each.

use std::panic::catch_unwind;

use super::list::List;
use super::rules;

const LIST: &str = "#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,HOLD-BACK=6,CAN-SKIP-UNTIL=12,CAN-SKIP-DATERANGES=YES
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:8
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-MAP:URI=\"i.mp4\"
#EXT-X-PROGRAM-DATE-TIME:2024-05-06T07:08:09.000Z
#EXT-X-PART:DURATION=0.5,URI=\"p1.m4s\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.5,URI=\"p2.m4s\"
#EXT-X-PART:DURATION=0.1,URI=\"p3.m4s\"
#EXTINF:1.100000,
v8.m4s
#EXT-X-PROGRAM-DATE-TIME:2024-05-06T07:08:10.100Z
#EXT-X-PART:DURATION=0.5,URI=\"p4.m4s\",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p5.m4s\"
#EXT-X-RENDITION-REPORT:URI=\"a.m3u8\",LAST-MSN=9,LAST-PART=0
";
const NEXT: &str = "#EXT-X-PART:DURATION=0.5,URI=\"p5.m4s\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p6.m4s\"\n";
const HINT: &str = "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p5.m4s\"\n";

/// Whether the list keeps the rules, alone and after [`LIST`].
fn holds(text: &str) -> bool {
    let check = || {
        let list = List::read(text);
        rules::alone(&list, false);
        rules::full_length(&list);
        rules::step(&List::read(LIST), &list);
    };
    catch_unwind(check).is_ok()
}

#[test]
fn a_list_that_breaks_one_rule_is_noticed() {
    let next = LIST.replace(HINT, NEXT);
    assert!(holds(LIST) && holds(&next));
    let spoilt = [
        ("L-01", "PART-HOLD-BACK=1.5", "PART-HOLD-BACK=1.499"),
        ("L-01", "CAN-SKIP-UNTIL=12", "CAN-SKIP-UNTIL=11"),
        ("L-04", "DURATION=0.5,URI=\"p2", "DURATION=0.500001,URI=\"p2"),
        ("L-05", "DURATION=0.5,URI=\"p2", "DURATION=0.424,URI=\"p2"),
        ("L-06", "\"p4.m4s\",INDEPENDENT=YES", "\"p4.m4s\""),
        ("L-11", HINT, ""),
        ("H-06", "TARGETDURATION:2", "TARGETDURATION:3"),
        ("H-06", "v8.m4s", "w8.m4s"),
        ("H-12", "#EXTINF:1.100000", "#EXTINF:2.500000"),
        ("H-13", "#EXTINF:1.100000", "#EXTINF:1.1"),
        ("H-14", "MEDIA-SEQUENCE:8", "MEDIA-SEQUENCE:7"),
        ("H-14", "DISCONTINUITY-SEQUENCE:3", "DISCONTINUITY-SEQUENCE:4"),
        ("H-14", "DISCONTINUITY-SEQUENCE:3", "DISCONTINUITY-SEQUENCE:1732120000"),
        ("H-15", "10.100Z", "10.200Z"),
        ("L-02", "#EXTINF:1.100000", "#EXTINF:1.200000"),
    ];
    for (rule, part, wrong) in spoilt {
        assert!(LIST.contains(part), "{part}");
        assert!(!holds(&LIST.replace(part, wrong)), "{rule}: {wrong}");
    }
    assert!(!holds(&next.replace("p5.m4s", "q5.m4s")), "L-12");
}

#[test]
fn a_delta_is_merged_into_the_list_before_it() {
    let before = List::read(LIST);
    let (head, rest) = LIST.split_once("#EXT-X-MAP:URI=\"i.mp4\"\n").unwrap();
    let (_, open) = rest.split_once("v8.m4s\n").unwrap();
    let delta = List::read(&format!("{head}#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n{open}"));
    let mut expect = before.clone();
    expect.segments[0].parts.clear();
    assert_eq!(delta.merged(&before), expect);
    let other = List::read(&LIST.replace("v8.m4s", "w8.m4s"));
    assert_ne!(delta.merged(&other), expect);
}
