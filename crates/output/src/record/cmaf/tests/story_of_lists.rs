//! What the playlists and the MPD of a file say.

use dash_mpd_core as dash;
use m3u8_rs::MediaPlaylist;

use super::*;

fn list(stored: &Stored, key: &str) -> MediaPlaylist {
    let (rest, list) = m3u8_rs::parse_media_playlist(stored.text(key).as_bytes()).unwrap();
    assert!(rest.is_empty());
    list
}

fn mpd(stored: &Stored) -> dash::MPD {
    dash::parse(stored.text("rec/cam_0.mpd")).unwrap()
}

#[test]
fn the_multivariant_playlist_names_both_with_what_was_measured() {
    let stored = record(60, &[same]);
    let bits = |end: &str| {
        let bytes: usize = stored.slices(end).iter().map(|key| stored.objects[*key].len()).sum();
        bytes as f64 * 8.0
    };
    let average = bits("_v.m4s") / 4.0 + bits("_a.m4s") / (188.0 * 1024.0 / 48_000.0);
    let text = stored.text("rec/cam_0.m3u8");
    let (_, read) = m3u8_rs::parse_master_playlist(text.as_bytes()).unwrap();
    let variant = &read.variants[0];
    assert!((variant.average_bandwidth.unwrap() as f64 - average).abs() < average * 0.01, "{text}");
    let slack = average * 0.1;
    assert!((variant.bandwidth as f64 - average).abs() < slack, "{} of {average}", variant.bandwidth);
    let expect = format!(
        "#EXTM3U
#EXT-X-VERSION:6
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"main\",LANGUAGE=\"und\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"cam_0_audio.m3u8\"
#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"avc1.42c01e,mp4a.40.2\",RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO=\"audio\"
cam_0_video.m3u8
",
        variant.bandwidth,
        variant.average_bandwidth.unwrap(),
    );
    assert_eq!(text, expect);
}

#[test]
fn media_playlists_are_vod_with_the_same_target() {
    let stored = record(60, &[same]);
    let expect = "#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI=\"s/0_v_init.mp4\"
#EXT-X-PROGRAM-DATE-TIME:2024-01-01T00:00:00.040Z
#EXTINF:2.000000,
s/0_v.m4s
#EXT-X-PROGRAM-DATE-TIME:2024-01-01T00:00:02.040Z
#EXTINF:2.000000,
s/1_v.m4s
#EXT-X-ENDLIST
";
    assert_eq!(stored.text("rec/cam_0_video.m3u8"), expect);
    let audio = list(&stored, "rec/cam_0_audio.m3u8");
    assert_eq!(audio.target_duration, 2);
    assert_eq!(audio.segments.len(), 2);
}

#[test]
fn sound_alone_is_one_variant_without_a_group() {
    let stored = record(60, &[sound]);
    let text = stored.text("rec/cam_0.m3u8");
    let (_, read) = m3u8_rs::parse_master_playlist(text.as_bytes()).unwrap();
    assert!(read.alternatives.is_empty() && read.variants.len() == 1, "{text}");
    let variant = &read.variants[0];
    assert_eq!((variant.codecs.as_deref(), &variant.audio), (Some("mp4a.40.2"), &None));
    assert_eq!((variant.resolution, variant.uri.as_str()), (None, "cam_0_audio.m3u8"));
}

#[test]
fn a_pause_is_a_discontinuity_in_both_lists_with_the_time_it_took() {
    let stored = record(60, &[same, same]);
    for key in ["rec/cam_0_video.m3u8", "rec/cam_0_audio.m3u8"] {
        let list = list(&stored, key);
        let breaks: Vec<bool> = list.segments.iter().map(|segment| segment.discontinuity).collect();
        assert_eq!(breaks, [false, false, true, false]);
        let date = |at: usize| list.segments[at].program_date_time.unwrap().timestamp_millis();
        let (before, after) = (date(1), date(2));
        assert!((11_900..=12_100).contains(&(after - before)), "{key}: {before} {after}");
    }
}

#[test]
fn changed_parameters_have_their_own_map_and_period() {
    let stored = record(60, &[same, wider]);
    assert_eq!(stored.slices("_init.mp4").len(), 3, "the sound's is still good");
    let video = list(&stored, "rec/cam_0_video.m3u8");
    let maps: Vec<_> = video.segments.iter().map(|s| s.map.as_ref().map(|map| map.uri.as_str())).collect();
    assert_eq!(maps, [Some("s/0_v_init.mp4"), None, Some("s/2_v_init.mp4"), None]);
    let text = stored.text("rec/cam_0.m3u8");
    assert!(text.contains("RESOLUTION=1280x360"), "the largest: {text}");
    let mpd = mpd(&stored);
    let widths = |period: &dash::Period| period.adaptations[0].representations[0].width;
    assert_eq!(mpd.periods.iter().map(widths).collect::<Vec<_>>(), [Some(640), Some(1280)]);
}

#[test]
fn an_mpd_is_static_with_a_period_for_each_stretch() {
    let stored = record(60, &[same, same]);
    let mpd = mpd(&stored);
    assert_eq!(mpd.mpdtype.as_deref(), Some("static"));
    assert_eq!(mpd.mediaPresentationDuration.unwrap().as_secs_f64(), 8.0);
    let spans: Vec<_> = mpd.periods.iter().map(|p| (p.start.unwrap(), p.duration.unwrap())).collect();
    let seconds = |s| std::time::Duration::from_secs(s);
    assert_eq!(spans, [(seconds(0), seconds(4)), (seconds(4), seconds(4))]);
    let set = &mpd.periods[1].adaptations[0];
    let list = set.representations[0].SegmentList.as_ref().unwrap();
    assert_eq!(list.Initialization.as_ref().unwrap().sourceURL.as_deref(), Some("s/0_v_init.mp4"));
    let uris: Vec<_> = list.segment_urls.iter().map(|url| url.media.as_deref().unwrap()).collect();
    assert_eq!(uris, ["s/2_v.m4s", "s/3_v.m4s"]);
    let first = &list.SegmentTimeline.as_ref().unwrap().segments[0];
    assert_eq!(first.t, Some(363_600));
    assert!(stored.text("rec/cam_0.mpd").contains("presentationTimeOffset=\"363600\""));
}

#[test]
fn where_a_track_is_silent_its_list_has_a_gap() {
    let run = story::run(0, 0);
    let mut packets = story::frames(&run, 6, 1_000, 0);
    packets.retain(|p| p.track == TrackId::VIDEO || !(96_000..192_000).contains(&p.dts.0));
    let (mut recording, mut fx) = (recording(2, 60), Vec::new());
    story::feed(&mut recording, &run, &packets, &mut fx);
    recording.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let mut stored = Stored::default();
    stored.take(fx);
    let text = stored.text("rec/cam_0_audio.m3u8");
    assert!(text.contains("#EXT-X-GAP\n#EXTINF:2.000000,\ns/1_a.m4s\n"), "{text}");
    assert!(!stored.objects.contains_key("rec/s/1_a.m4s"));
    assert!(!stored.text("rec/cam_0_video.m3u8").contains("GAP"));
    assert!(!stored.text("rec/cam_0.mpd").contains("1_a.m4s"));
}

#[test]
fn a_clock_that_was_set_back_does_not_turn_dates_round() {
    let (mut recording, mut fx) = (recording(2, 60), Vec::new());
    for (start, wall) in [(0, 0), (4_000_000, 1_000_000)] {
        let run = story::run(start, wall);
        story::feed(&mut recording, &run, &story::frames(&run, 4, 1_000, 0), &mut fx);
        recording.on(Event::Gap(Gap::Jump, run.wall.plus_micros(4_000_000)), &mut fx).unwrap();
    }
    recording.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let mut stored = Stored::default();
    stored.take(fx);
    let list = list(&stored, "rec/cam_0_video.m3u8");
    let dates: Vec<_> = list.segments.iter().map(|segment| segment.program_date_time.unwrap()).collect();
    assert!(dates.is_sorted(), "{dates:?}");
}

#[test]
fn the_peak_is_that_of_runs_about_as_long_as_the_target() {
    use super::super::playlists::{Rate, rate};
    let second = 1_000_000;
    assert_eq!(rate(&[], second), Rate { peak: 1, average: 1 });
    let even = [(250_000, 2 * second), (250_000, 2 * second)];
    assert_eq!(rate(&even, 2 * second), Rate { peak: 1_000_000, average: 1_000_000 });
    let one = [(250_000, 2 * second), (500_000, 2 * second), (250_000, 2 * second)];
    assert_eq!(rate(&one, 2 * second).peak, 2_000_000);
    // A short slice counts with its neighbours only.
    let short = [(250_000, 2 * second), (250_000, second / 2), (250_000, 2 * second)];
    assert_eq!(rate(&short, 2 * second).peak, 1_600_000);
}
