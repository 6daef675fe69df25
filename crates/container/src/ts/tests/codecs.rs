//! H.265, MP3, AC-3 and E-AC-3, and what has no place in TS.

use media::{Ac3, Av1, Flac, H265, Mp3, Opus, Picture, Vp9};

use super::*;

const VPS: &[u8] = &[0x40, 1, 0x0C, 1];
const SPS: &[u8] = &[0x42, 1, 1, 1];
const PPS: &[u8] = &[0x44, 1, 0xC1, 0x72];
const AUD: &[u8] = &[0x46, 1, 0x50];

/// A track as the session makes it.
fn track(codec: Codec) -> Track {
    let id = TrackId { kind: codec.kind(), index: 0 };
    Track { id, timescale: codec.timescale().unwrap(), codec }
}

fn h265() -> Track {
    let mut record = [&[1, 1, 0x60][..], &[0; 18], &[0x0F, 3]].concat();
    for (kind, set) in [(0x20, VPS), (0x21, SPS), (0x22, PPS)] {
        record.extend_from_slice(&[kind, 0, 1, 0, set.len() as u8]);
        record.extend_from_slice(set);
    }
    let picture = Picture::of_size(320, 180);
    track(Codec::H265(H265 { record: record.into(), length_size: 4, picture }))
}

fn mp3(sample_rate: u32) -> Track {
    track(Codec::Mp3(Mp3 { sample_rate, channels: 2, frame_samples: 1152 }))
}

fn ac3(enhanced: bool) -> Track {
    let record = Bytes::from_static(b"\x10\x3D\xE0");
    track(Codec::Ac3(Ac3 { enhanced, record, sample_rate: 48_000, channels: 6 }))
}

fn nowhere() -> [Track; 4] {
    let (record, picture) = (Bytes::from_static(b"\x81\x08\x0C\x00"), Picture::of_size(320, 180));
    let (channels, sample_rate) = (2, 48_000);
    let stream_info = Bytes::from_static(&[0; 34]);
    [
        Codec::Av1(Av1 { record: record.clone(), picture }),
        Codec::Vp9(Vp9 { record: record.clone(), picture }),
        Codec::Opus(Opus { head: record, channels, pre_skip: 312 }),
        Codec::Flac(Flac { stream_info, sample_rate, channels, bits_per_sample: 16 }),
    ]
    .map(track)
}

/// The `index`th frame of 1152 samples.
fn frame_of(index: i64, data: &[u8]) -> Packet {
    Packet { dts: Ticks(index * 1152), duration: 1152, ..sound(0, data) }
}

#[track_caller]
fn check_units(nals: &[&[u8]], expect: &[&[u8]], random_access: bool) {
    let read = read(&muxed(&[h265()], &[frame(0, nals)]));
    assert_eq!(units(&read.pes[0].data), expect);
    assert_eq!((read.pes[0].random_access, read.pes[0].stream_id), (random_access, 0xE0));
}

#[test]
fn h265_has_its_sets_before_every_picture_to_start_at() {
    // BLA_W_LP, IDR_W_RADL, IDR_N_LP, CRA
    for kind in [16_u8, 19, 20, 21] {
        let slice: &[u8] = &[kind << 1, 1, 0xAF];
        check_units(&[slice], &[AUD, VPS, SPS, PPS, slice], true);
    }
    // TRAIL_R, RASL_N, the highest that is no IRAP
    for kind in [1_u8, 8, 22] {
        let slice: &[u8] = &[kind << 1, 1, 0xD0];
        check_units(&[slice], &[AUD, slice], false);
    }
}

#[test]
fn h265_delimiters_filler_and_repeated_sets_are_dropped() {
    let (other_aud, filler): (&[u8], &[u8]) = (&[0x46, 1, 0x10], &[0x4C, 1, 0xFF, 0x80]);
    let (sei, idr, other): (&[u8], &[u8], &[u8]) = (&[0x4E, 1, 5], &[0x28, 1, 0xAF], &[0x44, 1, 0xC0]);
    check_units(&[other_aud, VPS, SPS, PPS, sei, idr, filler], &[AUD, VPS, SPS, PPS, sei, idr], true);
    check_units(&[SPS, other, idr], &[AUD, VPS, SPS, PPS, SPS, other, idr], true);
}

#[test]
fn every_stream_is_named_by_its_type_and_where_needed_its_registration() {
    let named = |track: &Track| {
        let read = read(&muxed(std::slice::from_ref(track), &[]));
        (read.pmts[0].2[0].0, read.descriptors[0].clone())
    };
    let registered = |identifier: &[u8]| vec![(5, identifier.to_vec())];
    for (track, stream_type, descriptors) in [
        (video(), 0x1B, vec![]),
        (h265(), 0x24, registered(b"HEVC")),
        (audio(), 0x0F, vec![]),
        (mp3(44_100), 0x03, vec![]),
        (mp3(32_000), 0x03, vec![]),
        (mp3(24_000), 0x04, vec![]),
        (ac3(false), 0x81, registered(b"AC-3")),
        (ac3(true), 0x87, registered(b"EAC3")),
    ] {
        assert!(carries(&track.codec));
        assert_eq!(named(&track), (stream_type, descriptors));
    }
}

#[test]
fn what_hls_does_not_take_in_ts_is_not_carried() {
    for track in nowhere() {
        assert!(!carries(&track.codec));
        let refused = Muxer::new(std::slice::from_ref(&track)).unwrap_err();
        assert!(matches!(refused, Error::Unsupported { container: CONTAINER, .. }));
    }
    assert!(!carries(&audio_as(&[0x11, 0x94]).codec), "ADTS has no code for it");
}

#[test]
fn frames_with_headers_of_their_own_go_in_as_they_are() {
    for (track, stream_id) in [(mp3(48_000), 0xC0), (ac3(false), 0xBD), (ac3(true), 0xBD)] {
        let packets: Vec<_> = (0..20).map(|i| frame_of(i, &[i as u8; 384])).collect();
        let read = read(&muxed(&[video(), track], &packets));
        let all: Vec<_> = read.of(0x101).flat_map(|pes| pes.data.clone()).collect();
        assert_eq!(all, packets.iter().flat_map(|packet| packet.data.to_vec()).collect::<Vec<_>>());
        // 24 ms a frame: 8 are 192 ms
        let seen: Vec<_> = read
            .of(0x101)
            .map(|pes| (pes.stream_id, (pes.pts - ORIGIN) / 2160, pes.data.len() / 384))
            .collect();
        assert_eq!(seen, [(stream_id, 0, 8), (stream_id, 8, 8), (stream_id, 16, 4)]);
        assert!(read.pes.iter().all(|pes| usize::from(pes.length) == pes.data.len() + 8));
    }
}

#[test]
fn a_sound_frame_that_no_length_field_can_say_is_refused() {
    let mut muxer = Muxer::new(&[ac3(true)]).unwrap();
    let mut out = BytesMut::new();
    muxer.tables(&mut out);
    let most = vec![0x0B; 65_535 - 8];
    let error = muxer.write(&frame_of(0, &[&most[..], &[0]].concat()), &mut out).unwrap_err();
    assert_eq!(error.to_string(), "audio frame of 65528 bytes, the most is 65527");
    muxer.write(&frame_of(0, &most), &mut out).unwrap();
    muxer.flush(&mut out).unwrap();
    assert_eq!(read(&out).pes[0].length, u16::MAX);
}

#[test]
fn the_tables_get_a_new_version_when_a_type_changes() {
    let mut muxer = Muxer::new(&[video(), audio()]).unwrap();
    let mut out = BytesMut::new();
    for tracks in [
        [video(), audio()],
        [video(), audio_as(&[0x12, 0x10])],
        [h265(), audio()],
        [h265(), ac3(false)],
        [h265(), ac3(true)],
        [h265(), ac3(true)],
    ] {
        muxer.set_tracks(&tracks).unwrap();
        muxer.tables(&mut out);
    }
    let versions: Vec<_> = read(&out).pmts.iter().map(|pmt| pmt.0).collect();
    assert_eq!(versions, [0, 0, 1, 2, 3, 3]);
}

#[test]
fn no_bytes_make_the_other_codecs_panic() {
    let mut seed = 0x0BAD_5EED;
    let mut muxer = Muxer::new(&[h265(), ac3(true)]).unwrap();
    let mut out = BytesMut::new();
    for i in 0..3_000 {
        let data: Vec<u8> = (0..random(&mut seed) % 80).map(|_| random(&mut seed) as u8 & 0x2B).collect();
        let packet = Packet { data: data.into(), ..frame(i * 3000, &[]) };
        let _ = muxer.write(&packet, &mut out);
        muxer.write(&Packet { duration: 1536, ..frame_of(i * 1536, &packet.data) }, &mut out).unwrap();
        assert_eq!(out.len() % 188, 0);
        out.clear();
    }
}
