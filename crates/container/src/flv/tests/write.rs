use media::Codec;

use super::{ac3, bytes, codecs, hevc, mp3, read_all, track};
use crate::flv::*;

fn tag(header: &BodyHeader, body: &[u8]) -> Vec<u8> {
    [&header[..], body].concat()
}

#[test]
fn every_codec_reads_back_as_it_was_written_on_any_track() {
    for codec in codecs() {
        for index in [0, 1, 255] {
            let (track, kind) = (track(index, codec.clone()), codec.kind());
            let check = |payload: Vec<u8>, body: Body| {
                let unit = Unit { track: index, format: Format::of(&codec), body };
                assert_eq!(read_all(kind, &payload).unwrap(), (vec![unit], 0), "{payload:02x?}");
            };
            if let Some((header, body)) = sequence_start(&track) {
                check(tag(&header, &body), Body::SequenceStart(body));
            }
            if let Some(end) = sequence_end(&track) {
                check(end.to_vec(), Body::SequenceEnd);
            }
            for (key, cts_ms) in [(true, 0), (false, 0), (false, -40), (true, 80)] {
                let (key, cts_ms) = (key || !track.is_video(), cts_ms);
                let data = bytes(b"unit");
                let has_time = matches!(codec, Codec::H264(_) | Codec::H265(_));
                let body = Body::Frame { key, cts_ms: if has_time { cts_ms } else { 0 }, data };
                check(tag(&frame(&track, key, cts_ms), b"unit"), body);
            }
        }
    }
}

#[test]
fn main_tracks_of_old_codecs_keep_the_form_that_every_player_reads() {
    let [h264, aac] = [0, 4].map(|at| track(0, codecs()[at].clone()));
    assert_eq!(sequence_start(&h264).unwrap().0[..], *b"\x17\0\0\0\0");
    assert_eq!(frame(&h264, true, 40)[..], *b"\x17\x01\0\0\x28");
    assert_eq!(frame(&h264, false, -1)[..], *b"\x27\x01\xff\xff\xff");
    assert_eq!(sequence_end(&h264).unwrap()[..], *b"\x17\x02\0\0\0");
    assert_eq!(sequence_start(&aac).unwrap().0[..], *b"\xaf\0");
    assert_eq!(frame(&aac, true, 0)[..], *b"\xaf\x01");
    assert_eq!(sequence_end(&aac), None);
}

#[test]
fn other_codecs_have_the_enhanced_form() {
    let head = |at: usize| sequence_start(&track(0, codecs()[at].clone())).unwrap().0;
    assert_eq!(head(1)[..], *b"\x90hvc1");
    assert_eq!(head(6)[..], *b"\x90Opus");
    let hevc = track(0, codecs()[1].clone());
    assert_eq!(frame(&hevc, true, 0)[..], *b"\x93hvc1");
    assert_eq!(frame(&hevc, false, 33)[..], *b"\xa1hvc1\0\0\x21");
    assert_eq!(sequence_end(&hevc).unwrap()[..], *b"\x92hvc1");
    assert_eq!(frame(&track(0, codecs()[2].clone()), false, 33)[..], *b"\xa1av01");
    assert_eq!(frame(&track(0, ac3(true)), false, 0)[..], *b"\x91ec-3");
}

#[test]
fn tracks_beside_the_main_one_are_wrapped_with_their_index() {
    let [h264, aac] = [0, 4].map(|at| track(2, codecs()[at].clone()));
    assert_eq!(sequence_start(&h264).unwrap().0[..], *b"\x96\0avc1\x02");
    assert_eq!(frame(&h264, false, 1)[..], *b"\xa6\x01avc1\x02\0\0\x01");
    assert_eq!(frame(&h264, true, 0)[..], *b"\x96\x03avc1\x02");
    assert_eq!(sequence_start(&aac).unwrap().0[..], *b"\x95\0mp4a\x02");
    assert_eq!(frame(&track(1, mp3(44_100, 2)), true, 0)[..], *b"\x95\x01.mp3\x01");
}

#[test]
fn a_composition_time_beyond_24_bit_is_clamped() {
    let h264 = track(0, codecs()[0].clone());
    assert_eq!(frame(&h264, false, i32::MAX)[2..], *b"\x7f\xff\xff");
    assert_eq!(frame(&h264, false, i32::MIN)[2..], *b"\x80\0\0");
}

#[test]
fn flac_begins_with_its_magic_and_a_metadata_block() {
    let (_, body) = sequence_start(&track(0, codecs()[7].clone())).unwrap();
    assert_eq!(body, [&b"fLaC\x80\0\0\x22"[..], &[7; 34]].concat());
}

#[test]
fn mp3_says_the_nearest_rate_and_has_no_sequence_start() {
    for (rate, channels, byte) in
        [(48_000, 2, 0x2f), (44_100, 1, 0x2e), (24_000, 2, 0x2b), (11_025, 1, 0x26), (8_000, 1, 0xe2)]
    {
        let track = track(0, mp3(rate, channels));
        assert_eq!(frame(&track, true, 0)[..], [byte], "{rate} Hz");
        assert!(sequence_start(&track).is_none() && sequence_end(&track).is_none());
    }
}

#[test]
fn metadata_names_codecs_by_number_or_fourcc() {
    let ids: Vec<f64> = codecs().iter().map(metadata_codec_id).collect();
    let fourccs = [1_752_589_105.0, 1_635_135_537.0, 1_987_063_865.0];
    assert_eq!(ids[..6], [7.0, fourccs[0], fourccs[1], fourccs[2], 10.0, 2.0]);
    assert_eq!(ids[6], 1_332_770_163.0);
    assert_eq!(metadata_codec_id(&mp3(8_000, 1)), 14.0);
    let bytes = |id: f64| (id as u32).to_be_bytes();
    assert_eq!([bytes(ids[7]), bytes(ids[8]), bytes(ids[9])], [*b"fLaC", *b"ac-3", *b"ec-3"]);
}

#[test]
fn colours_are_told_of_high_dynamic_range_only() {
    let mut picture = media::Picture::of_size(320, 180);
    let colour = |transfer| Some(media::Colour { primaries: 9, transfer, matrix: 9, full_range: false });
    picture.colour = colour(1);
    assert!(colour_info(&track(0, hevc(picture))).is_none());
    picture.colour = colour(16);
    let (header, body) = colour_info(&track(0, hevc(picture))).unwrap();
    assert_eq!(header[..], *b"\xd4hvc1");
    let (units, _) = read_all(media::Kind::Video, &tag(&header, &body)).unwrap();
    let info = ColourInfo { colour: colour(16), ..ColourInfo::default() };
    assert_eq!(units, [Unit { track: 0, format: Format::Hevc, body: Body::Colour(info) }]);
    let (header, _) = colour_info(&track(1, hevc(picture))).unwrap();
    assert_eq!(header[..], *b"\xd6\x04hvc1\x01");
}
