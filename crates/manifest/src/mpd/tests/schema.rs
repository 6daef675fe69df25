//! Order of elements as the schema has it (ISO/IEC 23009-1 annex B): every complex type there is a sequence, and a
//! reader that validates refuses any other order.

/// An element and the children that we write in it, in the schema's order.
const SEQUENCES: [(&str, &[&str]); 9] = [
    ("MPD", &["ServiceDescription", "Period", "UTCTiming"]),
    ("ServiceDescription", &["Latency", "PlaybackRate"]),
    ("Period", &["AdaptationSet"]),
    (
        "AdaptationSet",
        &["SupplementalProperty", "ProducerReferenceTime", "Role", "SegmentTemplate", "Representation"],
    ),
    ("ProducerReferenceTime", &["UTCTiming"]),
    ("SegmentTemplate", &["SegmentTimeline"]),
    ("SegmentList", &["Initialization", "SegmentTimeline", "SegmentURL"]),
    ("SegmentTimeline", &["S"]),
    ("Representation", &["AudioChannelConfiguration", "SegmentList"]),
];

/// Fails unless every element of `text`, which has one a line, stands where the schema has it.
pub(super) fn check(text: &str) {
    // Open elements, and how far in its sequence each one is.
    let mut open: Vec<(&str, usize)> = Vec::new();
    for line in text.lines().skip(1).map(str::trim_start) {
        if let Some(name) = line.strip_prefix("</") {
            let (opened, _) = open.pop().unwrap();
            assert_eq!(name.trim_end_matches('>'), opened);
            continue;
        }
        let name = line.strip_prefix('<').unwrap().split([' ', '>', '/']).next().unwrap();
        if let Some((parent, reached)) = open.last_mut() {
            let (_, children) = SEQUENCES.iter().find(|(element, _)| element == parent).unwrap();
            let place = children.iter().position(|child| *child == name);
            let place = place.unwrap_or_else(|| panic!("{name} in {parent}"));
            assert!(place >= *reached, "{name} stands too late in {parent}");
            *reached = place;
        }
        if !line.ends_with("/>") {
            open.push((name, 0));
        }
    }
    assert!(open.is_empty());
}

#[test]
#[should_panic(expected = "Latency stands too late")]
fn an_element_out_of_order_is_noticed() {
    check("<?xml?>\n<ServiceDescription>\n <PlaybackRate/>\n <Latency/>\n</ServiceDescription>\n");
}
