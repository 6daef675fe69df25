//! What of a sample goes into the `mdat`.

use super::entries::{self, av1, h265};
use super::*;

fn framed(nals: &[&[u8]]) -> Vec<u8> {
    let frame = |nal: &&[u8]| [&(nal.len() as u32).to_be_bytes(), *nal].concat();
    nals.iter().flat_map(frame).collect()
}

fn kept(track: &Track, key: bool, data: &[u8]) -> Vec<u8> {
    read(track, &[Sample { data: Bytes::copy_from_slice(data), ..sample(1, 0, key, b"") }]).1
}

#[track_caller]
fn check(track: &Track, nals: &[&[u8]], left: &[&[u8]]) {
    assert_eq!(kept(track, true, &framed(nals)), framed(left));
}

#[test]
fn delimiters_filler_and_known_sets_around_a_picture_are_left_out() {
    let (aud, filler, sei, idr): (&[u8], &[u8], &[u8], &[u8]) =
        (&[9, 0xF0], &[12, 0xFF], &[6, 1], &[0x65, 2]);
    check(&video(), &[aud, SPS, PPS, sei, idr], &[sei, idr]);
    check(&video(), &[idr, filler, filler], &[idr]);
    check(&video(), &[&[], aud, idr, &[]], &[idr]);
    check(&video(), &[idr, filler, idr], &[idr, filler, idr]);
    check(&video(), &[aud], &[aud]);
    check(&video(), &[], &[]);
}

#[test]
fn a_set_that_differs_stays() {
    let (other, idr): (&[u8], &[u8]) = (&[0x68, 1], &[0x65, 2]);
    check(&video(), &[other, SPS, idr], &[other, SPS, idr]);
    check(&video(), &[SPS, other, idr], &[other, idr]);
    let (other, cra): (&[u8], &[u8]) = (&[0x44, 1, 0xC0], &[0x2A, 1, 7]);
    check(&h265(), &[entries::VPS, other, cra], &[other, cra]);
}

#[test]
fn h265_is_trimmed_by_its_own_unit_types() {
    let (aud, filler, sei): (&[u8], &[u8], &[u8]) = (&[0x46, 1, 0x50], &[0x4C, 1, 0xFF], &[0x4E, 1, 5]);
    let idr: &[u8] = &[0x28, 1, 0xAF];
    check(&h265(), &[aud, entries::VPS, entries::PPS, sei, idr, filler], &[sei, idr]);
    // In H.264 this would be a delimiter.
    check(&h265(), &[&[0x09, 1, 0xD0]], &[&[0x09, 1, 0xD0]]);
}

#[test]
fn broken_framing_goes_in_as_it_came() {
    for broken in [&[0, 0, 9][..], &[0, 0, 0, 9, 1], &[0, 0, 0, 2, 9, 0xF0, 0, 0]] {
        assert_eq!(kept(&video(), true, broken), broken);
        assert_eq!(kept(&h265(), true, broken), broken);
    }
}

#[test]
fn lengths_of_one_and_two_bytes_are_read_as_such() {
    for (size, data, left) in [
        (1, &[2, 9, 0xF0, 2, 0x65, 1][..], &[2, 0x65, 1][..]),
        (2, &[0, 2, 9, 0xF0, 0, 2, 0x65, 1], &[0, 2, 0x65, 1]),
    ] {
        let mut track = video();
        let Codec::H264(h264) = &mut track.codec else { panic!("no H.264") };
        h264.length_size = size;
        assert_eq!(kept(&track, true, data), left);
    }
}

const DELIMITER: &[u8] = &[0x12, 0];
const SEQUENCE: &[u8] = &[0x0A, 3, 0, 0, 0x80];
const FRAME: &[u8] = &[0x32, 2, 0x10, 0x55];

#[test]
fn av1_temporal_delimiters_are_left_out_and_the_rest_is_shared() {
    let track = av1(b"\x81\x08\x0C\x00\x0A\x03\x00\x00\x80");
    let unit = Bytes::from([DELIMITER, SEQUENCE, FRAME].concat());
    assert_eq!(kept(&track, true, &unit), [SEQUENCE, FRAME].concat());
    assert_eq!(kept(&track, false, &[DELIMITER, FRAME].concat()), FRAME);
    let samples = [Sample { data: unit.clone(), ..sample(3000, 0, true, b"") }];
    let pieces = fragment(1, &track, 0, &samples).unwrap();
    assert_eq!(pieces[1].as_ptr(), unit[2..].as_ptr());
}

#[test]
fn an_av1_sync_sample_begins_with_a_sequence_header() {
    let track = av1(b"\x81\x08\x0C\x00\x0A\x03\x00\x00\x80");
    assert_eq!(kept(&track, true, &[DELIMITER, FRAME].concat()), [SEQUENCE, FRAME].concat());
    assert_eq!(kept(&track, true, &[SEQUENCE, FRAME].concat()), [SEQUENCE, FRAME].concat());
    assert_eq!(kept(&track, false, FRAME), FRAME, "others need none");
    assert_eq!(kept(&av1(b"\x81\x08\x0C\x00"), true, FRAME), FRAME, "none to have");
    let samples = [FRAME, FRAME].map(|data| sample(3000, 0, true, data));
    let (moof, _) = read(&track, &samples);
    let sizes: Vec<_> = moof.traf[0].trun[0].samples.iter().map(|entry| entry.size).collect();
    assert_eq!(sizes, [Some(9), Some(9)]);
}
