//! Adaptation sets and what is in them.

use super::*;

#[test]
fn d16_each_kind_of_media_has_a_set_with_its_own_attributes() {
    let read = read(&mpd(vec![period(vec![video(), audio()])]));
    let [video, audio] = read.periods[0].adaptations.as_slice() else { panic!("two sets") };
    assert_eq!((video.id.as_deref(), audio.id.as_deref()), (Some("0"), Some("1")));
    assert_eq!((video.contentType.as_deref(), audio.contentType.as_deref()), (Some("video"), Some("audio")));
    assert_eq!(
        (video.mimeType.as_deref(), audio.mimeType.as_deref()),
        (Some("video/mp4"), Some("audio/mp4"))
    );
    assert_eq!((video.lang.as_deref(), audio.lang.as_deref()), (None, Some("en")));
    assert_eq!((video.segmentAlignment, video.startWithSAP), (Some(true), Some(1)));
    let picture = &video.representations[0];
    assert_eq!((picture.width, picture.height, picture.bandwidth), (Some(1280), Some(720), Some(2_500_000)));
    assert_eq!((picture.sar.as_deref(), picture.frameRate.as_deref()), (Some("1:1"), Some("30000/1001")));
    assert_eq!(picture.codecs.as_deref(), Some("avc1.64001f"));
    let sound = &audio.representations[0];
    assert_eq!(
        (sound.audioSamplingRate.as_deref(), sound.codecs.as_deref()),
        (Some("48000"), Some("mp4a.40.2"))
    );
    assert_eq!(sound.AudioChannelConfiguration[0].value.as_deref(), Some("2"));
}

#[test]
fn d16_a_set_with_forced_cuts_does_not_promise_key_frames() {
    let set = AdaptationSet { starts_with_sap: false, main: false, ..video() };
    let read = read(&mpd(vec![period(vec![set])]));
    assert_eq!(read.periods[0].adaptations[0].startWithSAP, None);
    assert_eq!(read.periods[0].adaptations[0].Role[0].value.as_deref(), Some("alternate"));
}

#[test]
fn d16_speakers_become_the_usual_layout_and_what_is_unknown_is_left_out() {
    let layout = |channels| {
        let mut set = audio();
        let Content::Audio(audios) = &mut set.content else { panic!("not audio") };
        audios[0].channels = channels;
        let read = read(&mpd(vec![period(vec![set])]));
        let layouts = &read.periods[0].adaptations[0].representations[0].AudioChannelConfiguration;
        layouts.first().and_then(|layout| layout.value.clone())
    };
    for (channels, index) in [(1, "1"), (6, "6"), (7, "11"), (8, "12"), (24, "13")] {
        assert_eq!(layout(Some(channels)).as_deref(), Some(index), "{channels}");
    }
    assert_eq!((layout(None), layout(Some(9))), (None, None));
}

#[test]
fn only_colours_that_are_not_bt709_are_described() {
    let colours = |colour| {
        let mut set = video();
        let Content::Video(videos) = &mut set.content else { panic!("not video") };
        videos[0].picture.colour = colour;
        videos[0].frame_rate = Some(Ratio { num: 25, den: 1 });
        let set = read(&mpd(vec![period(vec![set])])).periods[0].adaptations[0].clone();
        assert_eq!(set.representations[0].frameRate.as_deref(), Some("25"));
        let properties = set.supplemental_property.iter();
        properties.map(|p| (p.schemeIdUri.clone(), p.value.clone().unwrap())).collect::<Vec<_>>()
    };
    let pq = Colour { primaries: 9, transfer: 16, matrix: 9, full_range: false };
    let cicp = |name: &str, value: &str| (format!("urn:mpeg:mpegB:cicp:{name}"), value.to_owned());
    let expect = [
        cicp("ColourPrimaries", "9"),
        cicp("TransferCharacteristics", "16"),
        cicp("MatrixCoefficients", "9"),
    ];
    assert_eq!(colours(Some(pq)), expect);
    assert_eq!(colours(Some(Colour { primaries: 1, transfer: 2, matrix: 1, full_range: false })), []);
    assert_eq!(colours(None), []);
}

#[test]
fn d20_a_set_says_which_period_it_goes_on_from() {
    let follows = |follows| {
        let read = read(&mpd(vec![period(vec![AdaptationSet { follows, ..video() }])]));
        let properties = &read.periods[0].adaptations[0].supplemental_property;
        properties.iter().map(|p| (p.schemeIdUri.clone(), p.value.clone().unwrap())).collect::<Vec<_>>()
    };
    let scheme = |name: &str| (format!("urn:mpeg:dash:{name}:2015"), "p3".to_owned());
    assert_eq!(follows(Some(Follows::Connected("p3".into()))), [scheme("period-connectivity")]);
    assert_eq!(follows(Some(Follows::Continuous("p3".into()))), [scheme("period-continuity")]);
    assert_eq!(follows(None), []);
}

#[test]
fn whatever_a_value_holds_it_stays_in_its_attribute() {
    let odd = "a\"b<c>&'\u{e9}\n";
    let mut set = AdaptationSet { language: Some(odd.into()), ..audio() };
    set.segments.initialization = "bell\u{7}".into();
    let read = read(&mpd(vec![Period { id: odd.into(), ..period(vec![set]) }]));
    assert_eq!(read.periods[0].id.as_deref(), Some(odd));
    let set = &read.periods[0].adaptations[0];
    assert_eq!(set.lang.as_deref(), Some(odd));
    assert_eq!(set.SegmentTemplate.as_ref().unwrap().initialization.as_deref(), Some("bell\u{fffd}"));
}

#[test]
fn a_bandwidth_beyond_the_schemas_32_bits_is_the_largest_that_fits() {
    let mut set = video();
    let Content::Video(videos) = &mut set.content else { panic!("not video") };
    videos[0].bandwidth = u64::MAX;
    let read = read(&mpd(vec![period(vec![set])]));
    assert_eq!(read.periods[0].adaptations[0].representations[0].bandwidth, Some(u64::from(u32::MAX)));
}
