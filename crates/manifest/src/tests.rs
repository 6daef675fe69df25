use std::sync::Arc;

use ::media::{Colour, Ratio, Wall};
use m3u8_rs::Playlist;

use crate::media::{self, Entry, MediaPlaylist, Segment};
use crate::multivariant::{self, Multivariant, Rendition, Variant, VideoRange};
use crate::uri;
use crate::vod::{self, VodPlaylist, VodSegment};

/// 2024-05-06T07:08:09.123456Z
const NOON: Wall = Wall(1_714_979_289_123_456);

fn live(number: u64, map: &str, discontinuity: bool, gap: bool) -> Segment {
    Segment::new(Entry {
        discontinuity,
        map: Some(Arc::from(map)),
        program_date_time: NOON,
        gap,
        duration_us: 2_000_001,
        uri: &format!("v{number}.m4s"),
    })
}

fn list(segments: Vec<&Segment>) -> MediaPlaylist<'_> {
    MediaPlaylist {
        version: 6,
        target_duration_s: 3,
        media_sequence: 8,
        discontinuity_sequence: 0,
        segments,
        ended: false,
    }
}

fn read_media(text: &str) -> m3u8_rs::MediaPlaylist {
    match m3u8_rs::parse_playlist_res(text.as_bytes()).unwrap() {
        Playlist::MediaPlaylist(list) => list,
        Playlist::MasterPlaylist(_) => panic!("not a media playlist"),
    }
}

fn read_multivariant(text: &str) -> m3u8_rs::MasterPlaylist {
    match m3u8_rs::parse_playlist_res(text.as_bytes()).unwrap() {
        Playlist::MasterPlaylist(list) => list,
        Playlist::MediaPlaylist(_) => panic!("not a multivariant playlist"),
    }
}

#[test]
fn a_live_list_has_both_counters_and_a_date_on_every_segment() {
    let (a, b) = (live(8, "v8_init.mp4", false, false), live(9, "v8_init.mp4", false, true));
    let c = live(10, "v10_init.mp4", true, false);
    let text = media::render(&list(vec![&a, &b, &c]));
    let expect = "#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:3
#EXT-X-MEDIA-SEQUENCE:8
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI=\"v8_init.mp4\"
#EXT-X-PROGRAM-DATE-TIME:2024-05-06T07:08:09.123Z
#EXTINF:2.000001,
v8.m4s
#EXT-X-PROGRAM-DATE-TIME:2024-05-06T07:08:09.123Z
#EXT-X-GAP
#EXTINF:2.000001,
v9.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI=\"v10_init.mp4\"
#EXT-X-PROGRAM-DATE-TIME:2024-05-06T07:08:09.123Z
#EXTINF:2.000001,
v10.m4s
";
    assert_eq!(text, expect);
}

#[test]
fn another_reader_understands_a_live_list() {
    let (a, b) = (live(8, "i", false, false), live(9, "i2", true, false));
    let text = media::render(&MediaPlaylist { ended: true, discontinuity_sequence: 4, ..list(vec![&a, &b]) });
    let read = read_media(&text);
    assert_eq!((read.media_sequence, read.discontinuity_sequence, read.target_duration), (8, 4, 3));
    assert!(read.end_list && read.playlist_type.is_none());
    assert_eq!(read.segments[1].map.as_ref().unwrap().uri, "i2");
    assert!(read.segments[1].discontinuity && !read.segments[0].discontinuity);
    assert_eq!(read.segments[0].program_date_time.unwrap().timestamp_millis(), NOON.0 / 1000);
}

#[test]
fn the_map_stays_when_the_segment_that_had_it_first_is_gone() {
    let later = live(9, "v8_init.mp4", false, false);
    assert!(media::render(&list(vec![&later])).contains("#EXT-X-MAP:URI=\"v8_init.mp4\"\n#EXT-X-PROGRAM"));
}

fn slice(duration_us: i64) -> VodSegment {
    VodSegment {
        uri: "a.ts".into(),
        duration_us,
        discontinuity: false,
        program_date_time: Some(NOON),
        map: None,
        gap: false,
    }
}

#[test]
fn a_recording_is_vod_with_the_longest_slice_as_target() {
    let second = VodSegment { discontinuity: true, program_date_time: None, ..slice(10_499_999) };
    let list = VodPlaylist {
        version: 3,
        independent: true,
        longest_us: 0,
        segments: vec![slice(10_000_000), second],
    };
    let expect = "#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:10
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-PROGRAM-DATE-TIME:2024-05-06T07:08:09.123Z
#EXTINF:10.000000,
a.ts
#EXT-X-DISCONTINUITY
#EXTINF:10.499999,
a.ts
#EXT-X-ENDLIST
";
    assert_eq!(vod::render(&list), expect);
    let read = read_media(expect);
    assert_eq!(read.playlist_type, Some(m3u8_rs::MediaPlaylistType::Vod));
    assert!(read.end_list && read.independent_segments);
    let beside = VodPlaylist { longest_us: 11_500_000, ..list.clone() };
    assert!(vod::render(&beside).contains("#EXT-X-TARGETDURATION:12\n"), "that of the list beside it");
    let longer = VodPlaylist { segments: vec![slice(10_500_000)], ..list };
    assert!(vod::render(&longer).contains("#EXT-X-TARGETDURATION:11\n"));
}

#[test]
fn a_long_slice_is_printed_to_the_microsecond() {
    let list =
        VodPlaylist { version: 3, independent: false, longest_us: 0, segments: vec![slice(3_600_033_333)] };
    assert!(vod::render(&list).contains("#EXTINF:3600.033333,\n"));
}

#[test]
fn a_list_without_segments_still_has_a_target() {
    let list = VodPlaylist { version: 3, independent: false, longest_us: 0, segments: vec![slice(20_000)] };
    assert!(vod::render(&list).contains("#EXT-X-TARGETDURATION:1\n"));
    let list = VodPlaylist { segments: vec![], ..list };
    assert!(vod::render(&list).contains("#EXT-X-TARGETDURATION:1\n"));
}

#[test]
fn a_date_beyond_four_digits_of_year_is_left_out() {
    let far = VodSegment { program_date_time: Some(Wall(i64::MAX)), ..slice(1) };
    let list = VodPlaylist { version: 3, independent: false, longest_us: 0, segments: vec![far] };
    assert!(!vod::render(&list).contains("PROGRAM-DATE-TIME"));
    let far = VodSegment { program_date_time: Some(Wall(300_000_000_000_000_000)), ..slice(1) };
    let list = VodPlaylist { segments: vec![far], ..list };
    assert!(!vod::render(&list).contains("PROGRAM-DATE-TIME"));
}

fn variants() -> Multivariant {
    Multivariant {
        version: 6,
        audio: vec![Rendition {
            group: "audio".into(),
            name: "main".into(),
            language: "und".into(),
            channels: Some(2),
            default: true,
            uri: "s/audio.m3u8".into(),
        }],
        variants: vec![Variant {
            bandwidth: 2_500_000,
            average_bandwidth: Some(2_000_000),
            codecs: vec!["avc1.64001f".into(), "mp4a.40.2".into()],
            resolution: Some((1280, 720)),
            frame_rate: Some(Ratio { num: 30_000, den: 1001 }),
            video_range: VideoRange::Pq,
            audio: Some("audio".into()),
            uri: "s/video.m3u8".into(),
        }],
    }
}

#[test]
fn a_multivariant_list_names_every_attribute_apple_asks_for() {
    let expect = "#EXTM3U
#EXT-X-VERSION:6
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"main\",LANGUAGE=\"und\",DEFAULT=YES,AUTOSELECT=YES,\
CHANNELS=\"2\",URI=\"s/audio.m3u8\"
#EXT-X-STREAM-INF:BANDWIDTH=2500000,AVERAGE-BANDWIDTH=2000000,CODECS=\"avc1.64001f,mp4a.40.2\",\
RESOLUTION=1280x720,FRAME-RATE=29.970,VIDEO-RANGE=PQ,AUDIO=\"audio\"
s/video.m3u8
";
    assert_eq!(multivariant::render(&variants()), expect);
    let read = read_multivariant(expect);
    assert_eq!(read.variants[0].audio.as_deref(), Some("audio"));
    assert_eq!(read.variants[0].frame_rate, Some(29.97));
    assert_eq!(read.alternatives[0].channels.as_deref(), Some("2"));
    assert_eq!(read.alternatives[0].uri.as_deref(), Some("s/audio.m3u8"));
}

#[test]
fn audio_alone_has_no_picture_attributes() {
    let mut list = variants();
    list.audio.clear();
    list.variants[0] = Variant {
        codecs: vec!["mp4a.40.2".into()],
        resolution: None,
        frame_rate: None,
        video_range: VideoRange::Sdr,
        audio: None,
        average_bandwidth: None,
        ..list.variants[0].clone()
    };
    let text = multivariant::render(&list);
    assert!(text.ends_with("#EXT-X-STREAM-INF:BANDWIDTH=2500000,CODECS=\"mp4a.40.2\"\ns/video.m3u8\n"));
}

#[test]
fn the_transfer_function_decides_the_range() {
    let range =
        |transfer| VideoRange::of(Some(&Colour { primaries: 9, transfer, matrix: 9, full_range: false }));
    assert_eq!((range(1), range(14)), (VideoRange::Sdr, VideoRange::Sdr));
    assert_eq!((range(16), range(18)), (VideoRange::Pq, VideoRange::Hlg));
    assert_eq!(VideoRange::of(None), VideoRange::Sdr);
}

#[test]
fn references_are_relative_to_the_playlist() {
    assert_eq!(uri::relative("record/live/a/0_x.m3u8", "record/live/a/17_0.ts"), "17_0.ts");
    assert_eq!(uri::relative("record/lists/a.m3u8", "record/slices/b/1.ts"), "../slices/b/1.ts");
    assert_eq!(uri::relative("a.m3u8", "b/1.ts"), "b/1.ts");
    assert_eq!(uri::relative("b/c/a.m3u8", "1.ts"), "../../1.ts");
    assert_eq!(uri::relative("a/a/x.m3u8", "a/a"), "../a");
}

#[test]
fn names_that_mean_something_in_a_playlist_are_encoded() {
    assert_eq!(uri::relative("x.m3u8", "#a 15:04\".ts"), "%23a%2015%3A04%22.ts");
    assert_eq!(uri::relative("é/x.m3u8", "é/ü?.ts"), "%C3%BC%3F.ts");
}
