use bytes::{Bytes, BytesMut};
use codec::h264;
use media::{Codec, Packet, Ticks, Timescale, Track, TrackId, Wall};

use self::read::{Read, read, units};
use super::{CONTAINER, Muxer, carries};
use crate::Error;

mod codecs;
mod opening;
mod read;

const SPS: &[u8] = b"\x67\x42\xc0\x1e\xda\x02\x80\xbf\xe5\xc0\x5a\x80\x80\x80\xa0\x00\x00\x03\x00\x20\x00\x00\x07\x91\xe2\xc5\xd4";
const PPS: &[u8] = b"\x68\xce\x3c\x80";
const SECOND: i64 = 90_000;
const ORIGIN: u64 = 900_000;

fn video() -> Track {
    let mut record = vec![1, 0x42, 0xC0, 0x1E, 0xFF, 0xE1, 0, SPS.len() as u8];
    record.extend_from_slice(SPS);
    record.extend_from_slice(&[1, 0, PPS.len() as u8]);
    record.extend_from_slice(PPS);
    let codec = Codec::H264(h264::config(&Bytes::from(record)).unwrap());
    Track { id: TrackId::VIDEO, timescale: Timescale::VIDEO, codec }
}

fn audio_as(asc: &'static [u8]) -> Track {
    let aac = codec::aac::config(&Bytes::from_static(asc)).unwrap();
    let timescale = Timescale::new(aac.sample_rate).unwrap();
    Track { id: TrackId::AUDIO, timescale, codec: Codec::Aac(aac) }
}

fn audio() -> Track {
    audio_as(&[0x11, 0x90])
}

fn frame(dts: i64, nals: &[&[u8]]) -> Packet {
    let mut data = Vec::new();
    for nal in nals {
        data.extend_from_slice(&(nal.len() as u32).to_be_bytes());
        data.extend_from_slice(nal);
    }
    let key = nals.iter().any(|nal| nal.first().is_some_and(|b| b & 31 == 5));
    let track = TrackId::VIDEO;
    Packet {
        track,
        dts: Ticks(dts),
        cts: 0,
        duration: 3000,
        key,
        recovery: None,
        received: Wall(0),
        data: data.into(),
    }
}

/// The `index`th AAC frame.
fn sound(index: i64, data: &[u8]) -> Packet {
    Packet {
        track: TrackId::AUDIO,
        dts: Ticks(index * 1024),
        cts: 0,
        duration: 1024,
        key: true,
        recovery: None,
        received: Wall(0),
        data: Bytes::copy_from_slice(data),
    }
}

fn muxed(tracks: &[Track], packets: &[Packet]) -> BytesMut {
    let mut out = BytesMut::new();
    let mut muxer = Muxer::new(tracks).unwrap();
    muxer.tables(&mut out);
    packets.iter().for_each(|packet| muxer.write(packet, &mut out).unwrap());
    muxer.flush(&mut out).unwrap();
    out
}

fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// A NAL unit of `len` bytes without a start code inside.
fn nal(kind: u8, len: usize, seed: &mut u64) -> Vec<u8> {
    std::iter::once(kind).chain((1..len).map(|_| random(seed) as u8 | 1)).collect()
}

#[test]
fn tables_come_first_and_name_the_streams() {
    let first = muxed(&[video(), audio()], &[]);
    assert_eq!(first.len(), 2 * 188);
    assert_eq!(read(&first).pmts, [(0, 0x100, vec![(0x1B, 0x100), (0x0F, 0x101)])]);
    assert_eq!(read(&muxed(&[audio()], &[])).pmts, [(0, 0x101, vec![(0x0F, 0x101)])]);
    // PAT of program 1 on PID 0x1000, then fill; the CRC is FFmpeg's
    let pat =
        [0x47, 0x40, 0, 0x10, 0, 0, 0xB0, 0x0D, 0, 1, 0xC1, 0, 0, 0, 1, 0xF0, 0, 0x2A, 0xB1, 0x04, 0xB2];
    assert_eq!(first[..pat.len()], pat);
    assert!(first[pat.len()..188].iter().all(|&byte| byte == 0xFF));
}

#[test]
fn every_unit_and_frame_comes_out_as_it_went_in() {
    let mut seed = 7;
    let mut packets = Vec::new();
    let (mut slices, mut frames, mut sounds) = (Vec::new(), Vec::new(), 0);
    for i in 0..90 {
        let kind = if i % 30 == 0 { 0x65 } else { 0x41 };
        let size = 1 + random(&mut seed) as usize % if i % 30 == 0 { 90_000 } else { 3_000 };
        slices.push([nal(kind, size, &mut seed), nal(kind, 1 + size / 3, &mut seed)]);
        packets.push(frame(i * 3000, &[&slices[i as usize][0], &slices[i as usize][1]]));
        while sounds * 1024 * 15 < i * 3000 * 8 {
            frames.push(nal(0x21, 1 + random(&mut seed) as usize % 900, &mut seed));
            packets.push(sound(sounds, frames.last().unwrap()));
            sounds += 1;
        }
    }
    let read = read(&muxed(&[video(), audio()], &packets));
    for (i, pes) in read.of(0x100).enumerate() {
        let mut expect: Vec<Vec<u8>> = vec![vec![0x09, 0xF0]];
        if i % 30 == 0 {
            expect.extend([SPS.to_vec(), PPS.to_vec()]);
        }
        expect.extend(slices[i].clone());
        assert!(pes.data.starts_with(&[0, 0, 0, 1, 9]), "access unit {i}");
        assert!(units(&pes.data) == expect, "access unit {i}");
        assert_eq!((pes.dts, pes.random_access), (ORIGIN + i as u64 * 3000, i % 30 == 0));
    }
    assert_eq!(read.of(0x100).count(), 90);
    let mut rest: &[u8] = &read.of(0x101).flat_map(|pes| pes.data.clone()).collect::<Vec<_>>();
    for expect in &frames {
        let adts = codec::aac::adts_header(
            &codec::aac::config(&Bytes::from_static(&[0x11, 0x90])).unwrap(),
            expect.len(),
        );
        assert!(rest.starts_with(&adts.unwrap()));
        assert!(rest[7..].starts_with(expect));
        rest = &rest[7 + expect.len()..];
    }
    assert!(rest.is_empty());
}

#[test]
fn every_size_fills_its_packets_with_stuffing_in_the_adaptation_field() {
    let mut seed = 3;
    for size in 1..600 {
        let slice = nal(0x41, size, &mut seed);
        let out = muxed(&[video()], &[frame(0, &[&slice]), frame(3000, &[&slice])]);
        assert_eq!(out.len() % 188, 0);
        let read = read(&out);
        let expect = [vec![0x09, 0xF0], slice];
        assert!(read.pes.iter().all(|pes| units(&pes.data) == expect), "size {size}");
        assert_eq!(usize::from(read.pes[0].length), read.pes[0].data.len() + 8);
    }
}

#[test]
fn a_picture_too_long_for_its_length_field_has_length_0() {
    let read = read(&muxed(&[video()], &[frame(0, &[&[0x65; 65_536]])]));
    assert_eq!(read.pes[0].length, 0);
    assert!(read.pes[0].data.ends_with(&[0x65; 65_536]));
}

#[test]
fn delimiters_filler_and_repeated_sets_are_dropped() {
    let aud: &[u8] = &[0x09, 0x10];
    let filler: &[u8] = &[0x0C, 0xFF, 0x80];
    let sei: &[u8] = &[0x06, 0x05, 0x80];
    let idr: &[u8] = &[0x65, 0x88];
    let read = read(&muxed(&[video()], &[frame(0, &[aud, SPS, PPS, sei, idr, filler])]));
    assert_eq!(units(&read.pes[0].data), [&[0x09, 0xF0], SPS, PPS, sei, idr]);
}

#[test]
fn a_recovery_point_has_its_sets_before_it_as_a_key_frame_has() {
    let open = Packet { recovery: Some(0), ..frame(3000, &[&[0x41, 1]]) };
    let read = read(&muxed(&[video()], &[frame(0, &[&[0x65, 1]]), open, frame(6000, &[&[0x41, 2]])]));
    let starts: Vec<_> = read.pes.iter().map(|pes| (pes.random_access, units(&pes.data).len())).collect();
    assert_eq!(starts, [(true, 4), (true, 4), (false, 2)], "delimiter, sets, slice");
}

#[test]
fn sets_that_differ_stay_where_they_are() {
    let other: &[u8] = &[0x68, 0xEE];
    let (idr, slice): (&[u8], &[u8]) = (&[0x65, 0x88], &[0x41, 0x9A]);
    let read = read(&muxed(&[video()], &[frame(0, &[SPS, other, idr]), frame(3000, &[PPS, slice])]));
    assert_eq!(units(&read.pes[0].data), [&[0x09, 0xF0], SPS, PPS, SPS, other, idr]);
    assert_eq!(units(&read.pes[1].data), [&[0x09, 0xF0], PPS, slice], "no IDR, nothing of ours");
}

#[test]
fn nothing_is_written_for_an_access_unit_of_nothing_or_a_broken_one() {
    let mut muxer = Muxer::new(&[video()]).unwrap();
    let mut out = BytesMut::new();
    muxer.write(&frame(0, &[&[0x09, 0xF0], &[0x0C, 0xFF]]), &mut out).unwrap();
    let broken = Packet { data: Bytes::from_static(&[0, 0, 0, 9, 0x65]), ..frame(0, &[]) };
    assert!(matches!(muxer.write(&broken, &mut out), Err(Error::Codec(_))));
    assert!(matches!(muxer.write(&sound(0, &[1]), &mut out), Err(Error::NoTrack { container: CONTAINER })));
    assert!(out.is_empty());
}

#[test]
fn presentation_times_are_written_only_where_they_differ_from_decode_times() {
    let late = Packet { cts: 6000, ..frame(0, &[&[0x65]]) };
    let early = Packet { cts: -3000, ..frame(3000, &[&[0x41]]) };
    let read = read(&muxed(&[video()], &[late, early]));
    assert_eq!((read.pes[0].pts, read.pes[0].dts), (ORIGIN + 6000, ORIGIN));
    assert_eq!(read.pes[0].length as usize, read.pes[0].data.len() + 13);
    assert_eq!((read.pes[1].pts, read.pes[1].dts), (ORIGIN, ORIGIN), "never a DTS after the PTS");
}

#[test]
fn times_wrap_at_33_bits_all_together() {
    let wrap = (1 << 33) - ORIGIN as i64;
    let step = 3000;
    let packets: Vec<_> = (-20..20).map(|i| frame(wrap + i * step, &[&[0x65, 1]])).collect();
    let read = read(&muxed(&[video()], &packets));
    assert_eq!(read.pes[19].dts, (1 << 33) - 3000);
    assert_eq!(read.pes[20].dts, 0);
    let clock: Vec<_> = read.pcrs.iter().map(|pcr| pcr.1).collect();
    assert!(clock.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) & 0x1_FFFF_FFFF == 3000));
    assert!(clock.contains(&0));
}

/// Every PCR within 40 ms of the one before, at most what is decoded after it, and not 700 ms before.
fn check_clock(read: &Read, pid: u16) {
    for pair in read.pcrs.windows(2) {
        assert!(pair[1].1 > pair[0].1 && pair[1].1 - pair[0].1 <= 3600, "{pair:?}");
    }
    for &(of, pcr, _, before) in &read.pcrs {
        assert_eq!(of, pid);
        let started = before.saturating_sub(1);
        let late = read.pes[started + 1..].iter().find(|pes| pes.dts < pcr);
        assert!(late.is_none(), "PCR {pcr} after {started}: {:?}", late.map(|p| (p.pid, p.dts)));
        assert!(read.pes.get(before).is_none_or(|pes| pes.dts <= pcr + 63_000), "PCR {pcr}");
    }
}

#[test]
fn the_clock_ticks_every_40_ms_and_stays_before_what_follows() {
    // frame time in 90 kHz, bytes of a picture, audio frames that video leads by
    for (step, size, lag) in [
        (3000, 2_000, 0),
        (3754, 2_000, 0),
        (9000, 9_000, 0),
        (45_000, 100, 0),
        (3600, 500, 12),
        (3600, 500, -9),
    ] {
        let mut packets = Vec::new();
        let mut sounds = 0;
        for i in 0..(4 * SECOND / step) {
            let slice = vec![if i == 0 { 0x65 } else { 0x41 }; size];
            packets.push(Packet { duration: step as u32, ..frame(i * step, &[&slice]) });
            while (sounds + lag) * 1920 < (i + 1) * step {
                packets.push(sound(sounds, &[0x21; 200]));
                sounds += 1;
            }
        }
        let read = read(&muxed(&[video(), audio()], &packets));
        check_clock(&read, 0x100);
        assert!(read.pcrs.len() >= 90, "{} PCRs at {step}", read.pcrs.len());
    }
}

#[test]
fn sound_alone_carries_the_clock() {
    for size in [6, 60, 400] {
        let packets: Vec<_> = (0..200).map(|i| sound(i, &vec![0x21; size])).collect();
        let read = read(&muxed(&[audio()], &packets));
        check_clock(&read, 0x101);
        assert!(read.pcrs.len() > 100);
        assert!(read.pes.iter().all(|pes| pes.random_access));
    }
}

#[test]
fn sound_is_gathered_up_to_200_ms_and_never_over_a_gap() {
    let packets: Vec<_> = (0..20).chain(30..33).map(|i| sound(i, &[0x21; 93])).collect();
    let read = read(&muxed(&[video(), audio()], &packets));
    let seen: Vec<_> = read.of(0x101).map(|pes| ((pes.pts - ORIGIN) / 1920, pes.data.len() / 100)).collect();
    assert_eq!(seen, [(0, 9), (9, 9), (18, 2), (30, 3)]);
    assert!(read.pes.iter().all(|pes| usize::from(pes.length) == pes.data.len() + 8));
}

#[test]
fn sound_goes_out_before_a_picture_that_would_make_it_late() {
    let packets = [sound(0, &[1]), frame(12_000, &[&[0x65]]), sound(1, &[2]), frame(15_001, &[&[0x41]])];
    let read = read(&muxed(&[video(), audio()], &packets));
    let order: Vec<_> = read.pes.iter().map(|pes| (pes.pid, pes.data.len())).collect();
    assert_eq!(order[1..], [(0x101, 16), (0x100, 10)]);
}

#[test]
fn large_sound_keeps_within_its_length_field() {
    let packets: Vec<_> = (0..9).map(|i| sound(i, &[0x21; 8184])).collect();
    let read = read(&muxed(&[video(), audio()], &packets));
    let lengths: Vec<_> = read.pes.iter().map(|pes| pes.length as usize).collect();
    assert_eq!(lengths, [7 * 8191 + 8, 2 * 8191 + 8]);
    let mut muxer = Muxer::new(&[audio()]).unwrap();
    assert!(muxer.write(&sound(0, &[0; 8185]), &mut BytesMut::new()).is_err());
}

#[test]
fn counters_run_on_and_a_new_run_marks_its_first_clock() {
    let mut muxer = Muxer::new(&[video(), audio()]).unwrap();
    let mut out = BytesMut::new();
    for (run, tracks) in [vec![video(), audio()], vec![video()], vec![video()]].into_iter().enumerate() {
        if run > 0 {
            muxer.set_tracks(&tracks).unwrap();
        }
        for i in 0..3 {
            muxer.tables(&mut out);
            let at = (run as i64 * 3 + i) * 3000;
            muxer.write(&frame(at, &[&vec![0x65; 700]]), &mut out).unwrap();
        }
        muxer.flush(&mut out).unwrap();
    }
    let read = read(&out);
    let marks: Vec<_> = read.pcrs.iter().map(|pcr| pcr.2).collect();
    assert_eq!(marks, [false, false, false, true, false, false, true, false, false]);
    let versions: Vec<_> = read.pmts.iter().map(|pmt| pmt.0).collect();
    assert_eq!(versions, [0, 0, 0, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn what_has_no_place_in_ts_is_refused_by_name() {
    let refused = |tracks: &[Track]| Muxer::new(tracks).unwrap_err().to_string();
    assert_eq!(refused(&[video(), video()]), refused(&[]));
    assert_eq!(refused(&[audio(), audio()]), "MPEG-TS takes one video and one audio track, or one of them");
    // 960-sample frames, which ADTS can't say
    assert_eq!(refused(&[video(), audio_as(&[0x11, 0x94])]), "MPEG-TS cannot carry mp4a.40.2");
    let mut muxer = Muxer::new(&[video()]).unwrap();
    assert!(muxer.set_tracks(&[audio_as(&[0x11, 0x94])]).is_err());
    assert!(muxer.write(&frame(0, &[&[0x65]]), &mut BytesMut::new()).is_ok(), "it stays as it was");
}

#[test]
fn no_times_or_bytes_make_it_panic() {
    let mut seed = 0x5DEE_CE66;
    let mut muxer = Muxer::new(&[video(), audio()]).unwrap();
    let mut out = BytesMut::new();
    for _ in 0..3_000 {
        let data: Vec<u8> = (0..random(&mut seed) % 80).map(|_| random(&mut seed) as u8 & 0x0F).collect();
        let track = if random(&mut seed) < u64::MAX / 2 { TrackId::VIDEO } else { TrackId::AUDIO };
        let dts = Ticks(random(&mut seed) as i64 >> (random(&mut seed) % 60));
        let (cts, duration) = (random(&mut seed) as i32, random(&mut seed) as u32);
        let packet = Packet {
            track,
            dts,
            cts,
            duration,
            key: false,
            recovery: None,
            received: Wall(0),
            data: data.into(),
        };
        if random(&mut seed).is_multiple_of(50) {
            muxer.slice(&mut out);
        }
        let _ = muxer.write(&packet, &mut out);
        assert_eq!(out.len() % 188, 0);
        out.clear();
    }
}
