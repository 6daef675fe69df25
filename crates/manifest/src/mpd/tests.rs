use ::media::{Colour, Picture, Ratio, Timescale, Wall};
use dash_mpd_core as dash;

use super::{
    AdaptationSet, Addressing, Audio, Clock, Content, Follows, Kind, Latency, Live, Mpd, Period,
    ProducerReference, Segments, Span, Video, render,
};

mod content;
mod schema;

/// 2024-05-06T07:08:09.000Z
const NOON: Wall = Wall(1_714_979_289_000_000);

fn spans(first: u64, durations: &[u64]) -> Vec<Span> {
    let mut time = first;
    let mut spans = Vec::new();
    for &duration in durations {
        spans.push(Span { time, duration });
        time += duration;
    }
    spans
}

fn video() -> AdaptationSet {
    AdaptationSet {
        id: 0,
        content: Content::Video(vec![Video {
            id: "v0".into(),
            codecs: "avc1.64001f".into(),
            bandwidth: 2_500_000,
            picture: Picture::of_size(1280, 720),
            frame_rate: Some(Ratio { num: 30_000, den: 1001 }),
        }]),
        language: None,
        main: true,
        starts_with_sap: true,
        follows: None,
        reference: None,
        segments: Segments {
            timescale: Timescale::VIDEO,
            presentation_time_offset: 900_000,
            initialization: "s/v0_8_init.mp4".into(),
            addressing: Addressing::Number {
                media: "s/v0_$Number$.m4s".into(),
                first: 9,
                spans: spans(1_080_180, &[180_180, 180_180, 90_090]),
            },
            available_early_us: None,
        },
    }
}

fn audio() -> AdaptationSet {
    AdaptationSet {
        id: 1,
        content: Content::Audio(vec![Audio {
            id: "a0".into(),
            codecs: "mp4a.40.2".into(),
            bandwidth: 128_000,
            sample_rate: 48_000,
            channels: Some(2),
        }]),
        language: Some("en".into()),
        segments: Segments {
            timescale: Timescale::new(48_000).unwrap(),
            presentation_time_offset: 480_000,
            initialization: "s/a0_8_init.mp4".into(),
            addressing: Addressing::Time {
                media: "s/a0_$Time$.m4s".into(),
                spans: spans(576_000, &[96_256, 95_232, 48_128]),
            },
            available_early_us: None,
        },
        ..video()
    }
}

fn period(sets: Vec<AdaptationSet>) -> Period {
    Period { id: "p8".into(), start_us: 1_234_567, duration_us: None, sets }
}

fn live() -> Live {
    Live {
        availability_start: NOON,
        publish_time: NOON.plus_micros(16_120_000),
        minimum_update_period_us: Some(1_000_000),
        time_shift_buffer_depth_us: 10_000_000,
        suggested_presentation_delay_us: 6_006_000,
        clocks: vec![Clock::HttpIso("http://h/time".into()), Clock::HttpHead("http://h/s.mpd".into())],
    }
}

fn mpd(periods: Vec<Period>) -> Mpd {
    Mpd {
        kind: Kind::Live(live()),
        min_buffer_time_us: 2_002_000,
        max_segment_duration_us: 2_002_000,
        latency: None,
        periods,
    }
}

/// As another reader understands it; every text must also keep to the schema.
fn read(mpd: &Mpd) -> dash::MPD {
    let text = render(mpd);
    schema::check(&text);
    dash::parse(&text).unwrap()
}

fn seconds(duration: Option<std::time::Duration>) -> Option<f64> {
    duration.map(|d| d.as_secs_f64())
}

/// The SegmentTemplate of the first set.
fn template(mpd: &Mpd) -> dash::SegmentTemplate {
    read(mpd).periods[0].adaptations[0].SegmentTemplate.clone().unwrap()
}

#[test]
fn a_live_mpd_says_where_when_and_what() {
    let expect = r#"<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="dynamic" availabilityStartTime="2024-05-06T07:08:09.000Z" publishTime="2024-05-06T07:08:25.120Z" minimumUpdatePeriod="PT1S" timeShiftBufferDepth="PT10S" suggestedPresentationDelay="PT6.006S" minBufferTime="PT2.002S" maxSegmentDuration="PT2.002S">
 <Period id="p8" start="PT1.234567S">
  <AdaptationSet id="0" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">
   <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
   <SegmentTemplate timescale="90000" presentationTimeOffset="900000" initialization="s/v0_8_init.mp4" media="s/v0_$Number$.m4s" startNumber="9">
    <SegmentTimeline>
     <S t="1080180" d="180180"/>
     <S d="180180"/>
     <S d="90090"/>
    </SegmentTimeline>
   </SegmentTemplate>
   <Representation id="v0" codecs="avc1.64001f" bandwidth="2500000" width="1280" height="720" sar="1:1" frameRate="30000/1001"/>
  </AdaptationSet>
  <AdaptationSet id="1" contentType="audio" mimeType="audio/mp4" lang="en" segmentAlignment="true" startWithSAP="1">
   <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
   <SegmentTemplate timescale="48000" presentationTimeOffset="480000" initialization="s/a0_8_init.mp4" media="s/a0_$Time$.m4s">
    <SegmentTimeline>
     <S t="576000" d="96256"/>
     <S d="95232"/>
     <S d="48128"/>
    </SegmentTimeline>
   </SegmentTemplate>
   <Representation id="a0" codecs="mp4a.40.2" bandwidth="128000" audioSamplingRate="48000">
    <AudioChannelConfiguration schemeIdUri="urn:mpeg:mpegB:cicp:ChannelConfiguration" value="2"/>
   </Representation>
  </AdaptationSet>
 </Period>
 <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="http://h/time"/>
 <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-head:2014" value="http://h/s.mpd"/>
</MPD>
"#;
    assert_eq!(render(&mpd(vec![period(vec![video(), audio()])])), expect);
}

#[test]
fn another_reader_finds_the_live_timing() {
    let read = read(&mpd(vec![period(vec![video(), audio()])]));
    assert_eq!(read.mpdtype.as_deref(), Some("dynamic"));
    assert_eq!(seconds(read.minimumUpdatePeriod), Some(1.0));
    assert_eq!(seconds(read.timeShiftBufferDepth), Some(10.0));
    assert_eq!(seconds(read.suggestedPresentationDelay), Some(6.006));
    assert_eq!(seconds(read.minBufferTime), Some(2.002));
    assert_eq!(seconds(read.maxSegmentDuration), Some(2.002));
    assert!(read.availabilityStartTime.is_some() && read.publishTime > read.availabilityStartTime);
    assert_eq!(seconds(read.mediaPresentationDuration), None);
    assert_eq!(seconds(read.periods[0].start), Some(1.234_567));
    let clocks: Vec<_> =
        read.UTCTiming.iter().map(|c| (c.schemeIdUri.as_str(), c.value.as_deref())).collect();
    let expect = [
        ("urn:mpeg:dash:utc:http-iso:2014", Some("http://h/time")),
        ("urn:mpeg:dash:utc:http-head:2014", Some("http://h/s.mpd")),
    ];
    assert_eq!(clocks, expect);
}

#[test]
fn d12_d14_a_timeline_holds_exact_ticks_and_counts_from_the_first_listed() {
    let read = read(&mpd(vec![period(vec![video(), audio()])]));
    let template = |set: usize| read.periods[0].adaptations[set].SegmentTemplate.clone().unwrap();
    let timeline = |set: usize| {
        let timeline = template(set).SegmentTimeline.unwrap();
        timeline.segments.iter().map(|s| (s.t, s.d, s.r)).collect::<Vec<_>>()
    };
    assert_eq!(timeline(0), [(Some(1_080_180), 180_180, None), (None, 180_180, None), (None, 90_090, None)]);
    assert_eq!(timeline(1), [(Some(576_000), 96_256, None), (None, 95_232, None), (None, 48_128, None)]);
    assert_eq!((template(0).startNumber, template(1).startNumber), (Some(9), None));
    assert_eq!((template(0).timescale, template(0).presentationTimeOffset), (Some(90_000), Some(900_000)));
    assert_eq!((template(0).duration, template(0).availabilityTimeOffset), (None, None));
}

#[test]
fn d12_a_hole_in_a_timeline_is_said() {
    let mut set = video();
    set.segments.addressing = Addressing::Time {
        media: "$Time$".into(),
        spans: vec![
            Span { time: 0, duration: 10 },
            Span { time: 11, duration: 10 },
            Span { time: 21, duration: 1 },
        ],
    };
    let timeline = template(&mpd(vec![period(vec![set])])).SegmentTimeline.unwrap();
    assert_eq!(timeline.segments.iter().map(|s| s.t).collect::<Vec<_>>(), [Some(0), Some(11), None]);
}

#[test]
fn d13_between_updates_lines_are_only_appended_and_dropped() {
    let lines = |from: usize, to: usize| {
        let all = spans(0, &[180_000; 12]);
        let mut set = video();
        let first = u32::try_from(from).unwrap();
        set.segments.addressing =
            Addressing::Number { media: "$Number$".into(), first, spans: all[from..to].to_vec() };
        let timeline = template(&mpd(vec![period(vec![set])])).SegmentTimeline.unwrap().segments;
        let mut time = 0;
        let absolute = timeline.iter().map(|s| {
            let start = s.t.unwrap_or(time);
            time = start + s.d;
            (start, s.d, s.r.unwrap_or(0))
        });
        absolute.collect::<Vec<_>>()
    };
    assert_eq!(lines(0, 5)[1..], lines(1, 6)[..4]);
    assert_eq!(lines(0, 5).len(), 5);
}

#[test]
fn d19_a_closed_period_has_its_duration_and_the_next_one_its_start() {
    let closed = Period { duration_us: Some(4_004_000), ..period(vec![video()]) };
    let next = Period { id: "p11".into(), start_us: 5_238_567, ..period(vec![video()]) };
    let read = read(&mpd(vec![closed, next]));
    let periods: Vec<_> =
        read.periods.iter().map(|p| (p.id.as_deref(), seconds(p.start), seconds(p.duration))).collect();
    assert_eq!(periods, [(Some("p8"), Some(1.234_567), Some(4.004)), (Some("p11"), Some(5.238_567), None)]);
}

#[test]
fn d22_the_last_mpd_of_a_live_stream_has_an_end_and_no_update() {
    let closed = Period { duration_us: Some(4_000_000), ..period(vec![video()]) };
    let kind = Kind::Live(Live { minimum_update_period_us: None, ..live() });
    let read = read(&Mpd { kind, ..mpd(vec![closed]) });
    assert_eq!(seconds(read.minimumUpdatePeriod), None);
    assert_eq!(seconds(read.mediaPresentationDuration), Some(5.234_567));
    assert_eq!(read.mpdtype.as_deref(), Some("dynamic"));
}

#[test]
fn d26_d32_constant_durations_are_counted_from_the_clock_and_segments_are_there_early() {
    let mut set = video();
    set.segments.addressing =
        Addressing::Constant { media: "s/v0_$Number$.m4s".into(), first: 8, duration: 180_180 };
    set.segments.available_early_us = Some(1_668_000);
    let template = template(&mpd(vec![period(vec![set])]));
    assert_eq!((template.startNumber, template.duration), (Some(8), Some(180_180.0)));
    assert_eq!(template.availabilityTimeOffset, Some(1.668));
    assert_eq!(template.availabilityTimeComplete, Some(false));
    assert_eq!(template.SegmentTimeline, None);
}

#[test]
fn d29_d30_latency_is_measured_by_the_first_reference() {
    let reference = ProducerReference { id: 3, inband: true, wall: NOON, time: 900_000 };
    let latency = Some(Latency { target_ms: 2000, min_ms: 1000, max_ms: 4000 });
    let set = AdaptationSet { reference: Some(reference), ..video() };
    let read = read(&Mpd { latency, ..mpd(vec![period(vec![set])]) });
    let latency = &read.ServiceDescription[0].Latency[0];
    assert_eq!((latency.target, latency.min, latency.max), (Some(2000.0), Some(1000.0), Some(4000.0)));
    assert_eq!(latency.referenceId.as_deref(), Some("3"));
    let rate = &read.ServiceDescription[0].PlaybackRate[0];
    assert_eq!((rate.min, rate.max), (Some(0.96), Some(1.04)));
    let reference = &read.periods[0].adaptations[0].ProducerReferenceTime[0];
    assert_eq!((reference.id.as_deref(), reference.inband), (Some("3"), Some(true)));
    assert_eq!(reference.UTCTiming.as_ref().unwrap().value, read.UTCTiming[0].value);
}

#[test]
fn a_latency_without_a_true_reference_names_none() {
    let latency = Some(Latency { target_ms: 2000, min_ms: 1000, max_ms: 4000 });
    let read = read(&Mpd { latency, ..mpd(vec![period(vec![video()])]) });
    assert_eq!(read.ServiceDescription[0].Latency[0].referenceId, None);
    assert!(read.periods[0].adaptations[0].ProducerReferenceTime.is_empty());
}

#[test]
fn r05_a_recording_is_static_and_each_period_has_a_duration() {
    let mut set = video();
    let names = ["rec/1.m4s", "rec/2 & 3.m4s"];
    let list = spans(0, &[180_180, 90_090]).into_iter().zip(names.map(str::to_owned)).collect();
    set.segments.addressing = Addressing::List(list);
    let first = Period { start_us: 0, duration_us: Some(3_003_000), ..period(vec![set]) };
    let second =
        Period { id: "1".into(), start_us: 3_003_000, duration_us: Some(1_000_000), sets: vec![video()] };
    let read = read(&Mpd { kind: Kind::Recorded, ..mpd(vec![first, second]) });
    assert_eq!(read.mpdtype.as_deref(), Some("static"));
    assert_eq!(seconds(read.mediaPresentationDuration), Some(4.003));
    assert!(read.availabilityStartTime.is_none() && read.UTCTiming.is_empty());
    assert_eq!(read.profiles.as_deref(), Some("urn:mpeg:dash:profile:isoff-main:2011"));
    let list = read.periods[0].adaptations[0].representations[0].SegmentList.as_ref().unwrap();
    assert_eq!(list.Initialization.as_ref().unwrap().sourceURL.as_deref(), Some("s/v0_8_init.mp4"));
    let uris: Vec<_> = list.segment_urls.iter().map(|url| url.media.as_deref().unwrap()).collect();
    assert_eq!(uris, names);
    assert_eq!(list.SegmentTimeline.as_ref().unwrap().segments.len(), 2);
}
