use bytes::Bytes;
use media::{Codec, Colour, Picture, Ratio, Timescale, Track, TrackId};
use mp4_atom::{Decode, DecodeMaybe, FourCC, Ftyp, Moof, Moov, Styp};

use super::*;

mod entries;
mod samples;

pub(super) const SPS: &[u8] = b"\x67\x42\xc0\x1e\xda\x02\x80\xbf\xe5\xc0\x5a\x80\x80\x80\xa0\x00\x00\x03\x00\x20\x00\x00\x07\x91\xe2\xc5\xd4";
pub(super) const PPS: &[u8] = b"\x68\xce\x3c\x80";

/// With reserved bits of 0, which mp4-atom would write as 1.
fn record() -> Vec<u8> {
    let mut record = vec![1, 0x42, 0xC0, 0x1E, 0x03, 0x01, 0, SPS.len() as u8];
    record.extend_from_slice(SPS);
    record.extend_from_slice(&[1, 0, PPS.len() as u8]);
    record.extend_from_slice(PPS);
    record.extend_from_slice(&[0xFD, 0xF8, 0xF8, 0]);
    record
}

pub(super) fn video() -> Track {
    let codec = Codec::H264(codec::h264::config(&Bytes::from(record())).unwrap());
    Track { id: TrackId::VIDEO, timescale: Timescale::VIDEO, codec }
}

fn video_with(change: impl Fn(&mut Picture)) -> Track {
    let mut track = video();
    if let Codec::H264(h264) = &mut track.codec {
        change(&mut h264.picture);
    }
    track
}

pub(super) fn audio(asc: &'static [u8]) -> Track {
    let aac = codec::aac::config(&Bytes::from_static(asc)).unwrap();
    let timescale = Timescale::new(aac.sample_rate).unwrap();
    Track { id: TrackId::AUDIO, timescale, codec: Codec::Aac(aac) }
}

fn decoded(init: &Bytes) -> (Ftyp, Moov) {
    let mut rest: &[u8] = init;
    let read = (Ftyp::decode(&mut rest).unwrap(), Moov::decode(&mut rest).unwrap());
    assert!(rest.is_empty());
    read
}

/// Kinds of the boxes in `bytes`, in order.
fn kinds(mut bytes: &[u8]) -> Vec<String> {
    let mut kinds = Vec::new();
    while let Some(header) = mp4_atom::Header::decode_maybe(&mut bytes).unwrap() {
        kinds.push(header.kind.to_string());
        bytes = &bytes[header.size.unwrap()..];
    }
    kinds
}

#[test]
fn brands_are_cmaf_and_video_says_cmf2_if_offsets_may_be_negative() {
    let brands = |init: &Result<Bytes, crate::Error>| {
        let (ftyp, _) = decoded(init.as_ref().unwrap());
        assert_eq!((ftyp.major_brand, ftyp.minor_version), (FourCC::new(b"iso6"), 0));
        ftyp.compatible_brands.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(brands(&init(&video())), ["iso6", "cmfc", "cmf2"]);
    assert_eq!(brands(&init_reordered(&video())), ["iso6", "cmfc"]);
    assert_eq!(brands(&init(&audio(&[0x11, 0x90]))), ["iso6", "cmfc"]);
}

#[test]
fn an_init_has_one_track_without_samples_and_without_an_end() {
    let init = init(&video()).unwrap();
    let ftyp = u32::from_be_bytes(init[..4].try_into().unwrap()) as usize;
    assert_eq!(kinds(&init), ["ftyp", "moov"]);
    assert_eq!(kinds(&init[ftyp + 8..]), ["mvhd", "trak", "mvex"]);
    let (_, moov) = decoded(&init);
    assert_eq!((moov.mvhd.duration, moov.mvhd.timescale, moov.mvhd.next_track_id), (0, 90_000, 2));
    let trak = &moov.trak[0];
    assert!(trak.edts.is_none());
    assert_eq!((trak.tkhd.track_id, trak.tkhd.duration, trak.mdia.mdhd.duration), (1, 0, 0));
    assert_eq!((trak.mdia.mdhd.timescale, trak.mdia.hdlr.handler), (90_000, FourCC::new(b"vide")));
    let mvex = moov.mvex.unwrap();
    assert!(mvex.mehd.is_none());
    assert_eq!((mvex.trex[0].track_id, mvex.trex[0].default_sample_description_index), (1, 1));
}

#[test]
fn the_h264_record_goes_in_byte_for_byte() {
    let init = init(&video()).unwrap();
    let record = record();
    let mut avcc = ((record.len() + 8) as u32).to_be_bytes().to_vec();
    avcc.extend_from_slice(b"avcC");
    avcc.extend_from_slice(&record);
    assert!(init.windows(avcc.len()).any(|window| window == avcc));
}

#[test]
fn a_video_entry_states_size_shape_and_colour() {
    let track = video_with(|picture| {
        picture.sample_aspect = Ratio { num: 4, den: 3 };
        picture.colour = Some(Colour { primaries: 9, transfer: 16, matrix: 9, full_range: true });
    });
    let (_, moov) = decoded(&init(&track).unwrap());
    let trak = &moov.trak[0];
    let mp4_atom::Codec::Avc1(avc1) = &trak.mdia.minf.stbl.stsd.codecs[0] else { panic!("no avc1") };
    assert_eq!((avc1.visual.width, avc1.visual.height), (640, 360));
    assert_eq!(avc1.pasp, Some(mp4_atom::Pasp { h_spacing: 4, v_spacing: 3 }));
    assert_eq!(avc1.colr, Some(mp4_atom::Colr::new(9, 16, 9, true).unwrap()));
    // 640 × 4/3 square pixels, 16.16
    assert_eq!((trak.tkhd.width.integer(), trak.tkhd.width.decimal()), (853, 0x5555));
    assert_eq!(trak.tkhd.height.integer(), 360);
    assert_eq!(trak.tkhd.volume.integer(), 0);
}

#[test]
fn a_silent_stream_has_square_samples_and_no_colour() {
    let track = video_with(|picture| picture.colour = None);
    let (_, moov) = decoded(&init(&track).unwrap());
    let mp4_atom::Codec::Avc1(avc1) = &moov.trak[0].mdia.minf.stbl.stsd.codecs[0] else { panic!("no avc1") };
    assert_eq!(avc1.pasp, Some(mp4_atom::Pasp { h_spacing: 1, v_spacing: 1 }));
    assert_eq!(avc1.colr, None);
}

#[test]
fn a_picture_that_no_box_can_size_is_refused() {
    let error = init(&video_with(|picture| picture.width = 65_536)).unwrap_err();
    assert_eq!(error.to_string(), "picture side in samples of 65536 bytes, the most is 65535");
}

#[track_caller]
fn check_audio(asc: &'static [u8], channels: u16, rate: u16) {
    let track = audio(asc);
    let (_, moov) = decoded(&init(&track).unwrap());
    let trak = &moov.trak[0];
    let mp4_atom::Codec::Mp4a(mp4a) = &trak.mdia.minf.stbl.stsd.codecs[0] else { panic!("no mp4a") };
    assert_eq!((mp4a.audio.channel_count, mp4a.audio.sample_rate.integer()), (channels, rate));
    let config = &mp4a.esds.es_desc.dec_config;
    assert_eq!((config.object_type_indication, config.stream_type), (0x40, 5));
    assert_eq!(config.dec_specific.as_ref().unwrap().raw, asc);
    assert_eq!(
        (trak.mdia.mdhd.timescale, trak.mdia.hdlr.handler),
        (track.timescale.hz(), FourCC::new(b"soun"))
    );
    assert_eq!((trak.tkhd.volume.integer(), trak.tkhd.width.integer()), (1, 0));
    assert!(trak.mdia.minf.smhd.is_some());
}

#[test]
fn an_audio_entry_carries_its_config_byte_for_byte() {
    check_audio(&[0x11, 0x90], 2, 48_000);
    check_audio(&[0x11, 0x90, 0x56, 0xE5, 0x00], 2, 48_000);
    check_audio(&[0x11, 0xB8], 8, 48_000);
    check_audio(&[0x13, 0x88, 0x56, 0xE5, 0xA5, 0x48, 0x80], 2, 22_050);
    check_audio(&[0x10, 0x10], 2, 0); // 96 kHz doesn't fit
}

fn sample(duration: u32, cts: i32, key: bool, data: &'static [u8]) -> Sample {
    Sample { duration, cts, key, open: false, data: Bytes::from_static(data) }
}

/// `moof`, its bytes and the payload of a fragment; checks sizes and offsets.
fn read(track: &Track, samples: &[Sample]) -> (Moof, Vec<u8>) {
    let pieces = fragment(7, track, 1 << 40, samples).unwrap();
    let bytes = pieces.concat();
    let mut rest: &[u8] = &bytes;
    let moof = Moof::decode(&mut rest).unwrap();
    let moof_size = bytes.len() - rest.len();
    assert_eq!(rest[..4], (rest.len() as u32).to_be_bytes());
    assert_eq!(&rest[4..8], b"mdat");
    let trun = &moof.traf[0].trun[0];
    assert_eq!(trun.data_offset, Some(moof_size as i32 + 8));
    let sizes: u32 = trun.samples.iter().map(|entry| entry.size.unwrap()).sum();
    assert_eq!(sizes as usize, rest.len() - 8);
    assert_eq!(kinds(&bytes[16 + 16..moof_size]), ["tfhd", "tfdt", "trun"]);
    (moof.clone(), rest[8..].to_vec())
}

#[test]
fn a_fragment_states_its_time_and_where_its_media_begin() {
    let (moof, media) =
        read(&audio(&[0x11, 0x90]), &[sample(1024, 0, true, b"ab"), sample(1024, 0, true, b"cde")]);
    assert_eq!(moof.mfhd.sequence_number, 7);
    let traf = &moof.traf[0];
    assert_eq!(traf.tfdt.as_ref().unwrap().base_media_decode_time, 1 << 40);
    assert!(traf.tfhd.default_base_is_moof);
    assert_eq!(traf.tfhd.base_data_offset, None);
    assert_eq!(media, b"abcde");
}

#[test]
fn sound_costs_four_bytes_a_sample() {
    let size = |count| {
        let samples = vec![sample(1024, 0, true, b"x"); count];
        fragment(1, &audio(&[0x11, 0x90]), 0, &samples).unwrap()[0].len()
    };
    assert_eq!(size(5) - size(4), 4);
    let (moof, _) = read(&audio(&[0x11, 0x90]), &[sample(1024, 0, true, b"x"), sample(1023, 0, true, b"y")]);
    let durations: Vec<_> = moof.traf[0].trun[0].samples.iter().map(|entry| entry.duration).collect();
    assert_eq!((moof.traf[0].tfhd.default_sample_duration, durations), (None, vec![Some(1024), Some(1023)]));
}

/// (default flags, flags of each entry) of samples that are keys or not.
fn flags(keys: &[bool]) -> (Option<u32>, Vec<Option<u32>>) {
    let samples: Vec<_> = keys.iter().map(|&key| sample(3000, 0, key, &[0, 0, 0, 1, 0x41])).collect();
    let (moof, _) = read(&video(), &samples);
    let traf = &moof.traf[0];
    (traf.tfhd.default_sample_flags, traf.trun[0].samples.iter().map(|entry| entry.flags).collect())
}

#[test]
fn flags_are_stated_once_where_they_can_be() {
    assert_eq!(flags(&[true]), (Some(SYNC), vec![None]));
    assert_eq!(flags(&[false, false]), (Some(NON_SYNC), vec![None, None]));
    let (default, entries) = flags(&[true, false, false]);
    assert_eq!((default, entries[0]), (Some(NON_SYNC), Some(SYNC)));
    assert_eq!(flags(&[false, true]), (None, vec![Some(NON_SYNC), Some(SYNC)]));
    assert_eq!(flags(&[true, true, false]).1, [Some(SYNC), Some(SYNC), Some(NON_SYNC)]);
}

#[test]
fn the_head_of_an_open_gop_needs_no_picture_but_is_no_sync_sample() {
    let other = || sample(3000, 0, false, &[0, 0, 0, 1, 0x41]);
    let open = || Sample { open: true, ..other() };
    let flags = |samples: &[Sample]| {
        let (moof, _) = read(&video(), samples);
        let traf = &moof.traf[0];
        let own: Vec<_> = traf.trun[0].samples.iter().map(|entry| entry.flags).collect();
        (traf.tfhd.default_sample_flags, own)
    };
    assert_eq!(flags(&[open(), other()]), (Some(NON_SYNC), vec![Some(OPEN), None]));
    assert_eq!(flags(&[other(), open()]), (None, vec![Some(NON_SYNC), Some(OPEN)]));
}

#[test]
fn composition_offsets_are_signed() {
    let samples =
        [sample(3000, 6000, true, &[0, 0, 0, 1, 0x65]), sample(3000, -3000, false, &[0, 0, 0, 1, 0x41])];
    let pieces = fragment(1, &video(), 0, &samples).unwrap();
    let trun = pieces[0].windows(4).position(|window| window == b"trun").unwrap();
    assert_eq!(pieces[0][trun + 4], 1, "version");
    let (moof, _) = read(&video(), &samples);
    let offsets: Vec<_> = moof.traf[0].trun[0].samples.iter().map(|entry| entry.cts).collect();
    assert_eq!(offsets, [Some(6000), Some(-3000)]);
}

#[test]
fn the_payload_is_shared_not_copied() {
    let data = Bytes::from(vec![0, 0, 0, 1, 0x65]);
    let samples = [Sample { data: data.clone(), ..sample(3000, 0, true, b"") }];
    let pieces = fragment(1, &video(), 0, &samples).unwrap();
    assert_eq!(pieces.len(), 2);
    assert_eq!(pieces[1].as_ptr(), data.as_ptr());
    assert!(fragment(1, &video(), 0, &[]).unwrap().is_empty());
}

#[test]
fn styp_heads_a_segment_and_marks_the_last() {
    let brands = |last| -> Vec<String> {
        let styp = Styp::decode(&mut styp(last).as_ref()).unwrap();
        assert_eq!(styp.major_brand, FourCC::new(b"msdh"));
        styp.compatible_brands.iter().map(ToString::to_string).collect()
    };
    assert_eq!(brands(false), ["msdh", "cmfs"]);
    assert_eq!(brands(true), ["msdh", "cmfs", "lmsg"]);
}

#[test]
fn no_samples_make_it_panic() {
    let mut seed = 0x1234_5678_9ABC_DEF0_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let tracks = [video(), entries::h265(), entries::av1(b"\x81\x08\x0C\x00\x0A\x01\x00")];
    for track in tracks.iter().cycle().take(6_000) {
        let samples: Vec<_> = (0..random() % 6)
            .map(|_| Sample {
                duration: random() as u32,
                cts: random() as i32,
                key: random() < u64::MAX / 2,
                open: random() < u64::MAX / 4,
                data: (0..random() % 30).map(|_| random() as u8 & 0x09).collect::<Vec<_>>().into(),
            })
            .collect();
        let pieces = fragment(random() as u32, track, random(), &samples).unwrap();
        let bytes = pieces.concat();
        let boxes = if samples.is_empty() { vec![] } else { vec!["moof".to_owned(), "mdat".to_owned()] };
        assert_eq!(kinds(&bytes), boxes);
    }
}
