use bytes::Bytes;
use media::{Colour, Picture};

use super::*;
use crate::samples::{hex, mutate};

/// Beginnings of key frames of libvpx; sizes and colours as ffprobe names them.
type Row = (&'static str, (u32, u32), Option<(u8, u8, u8, bool)>);
const KEYS: &[Row] = &[
    ("824983420013f00b360638241c18", (320, 180), None),
    // profile 2, 10 bit, BT.2020
    ("924983425014080b4b031c120e0c", (642, 362), Some((9, 2, 9, false))),
    // profile 1, 4:4:4, BT.709, full range
    ("a249834250027e01dec0c7048383", (320, 240), Some((1, 1, 1, true))),
    // profile 3, 4:2:2, 12 bit
    ("b124c1a142009f8077b031c120e0", (320, 240), None),
    // profile 1, RGB
    ("a2498342e013f00ef60638241c18", (320, 240), Some((1, 13, 0, true))),
];

/// Frames that are none: libvpx in each profile.
const OTHERS: [&str; 4] =
    ["86004092f121400000bc", "96004092f1214004009c", "a6004092f121400001507f", "b30020497890a0000064"];

fn colour((primaries, transfer, matrix, full_range): (u8, u8, u8, bool)) -> Colour {
    Colour { primaries, transfer, matrix, full_range }
}

fn vp9(record: &str) -> Vp9 {
    config(&Bytes::from(hex(record))).unwrap()
}

/// Frames in one superframe, with sizes of two bytes.
fn superframe(frames: &[Vec<u8>]) -> Vec<u8> {
    let marker = 0xC8 | (frames.len() as u8 - 1);
    let sizes = frames.iter().flat_map(|frame| (frame.len() as u16).to_le_bytes());
    let index: Vec<u8> = [marker].into_iter().chain(sizes).chain([marker]).collect();
    [frames.concat(), index].concat()
}

#[test]
fn a_key_frame_states_size_and_colour() {
    let vp9 = vp9("01000000000b820202020000");
    assert_eq!(vp9.picture, Picture::of_size(0, 0));
    for &(frame, (width, height), wanted) in KEYS {
        let unit = hex(frame);
        assert!(is_key(&unit), "{frame}");
        let seen = with_picture(&vp9, &unit).unwrap().unwrap();
        assert_eq!((seen.picture.width, seen.picture.height), (width, height), "{frame}");
        assert_eq!(seen.picture.colour, wanted.map(colour), "{frame}");
        assert_eq!(seen.record, vp9.record);
        assert_eq!(with_picture(&seen, &unit), Ok(None), "the same again is nothing new: {frame}");
    }
    for frame in OTHERS {
        assert!(!is_key(&hex(frame)), "{frame}");
        assert_eq!(with_picture(&vp9, &hex(frame)), Ok(None), "{frame}");
    }
}

#[test]
fn another_size_is_another_picture_and_the_colour_of_the_record_stays() {
    let mut vp9 = vp9("010000000215a20910090000");
    vp9.picture.width = 1280;
    let hdr = vp9.picture.colour;
    assert_eq!(hdr, Some(colour((9, 16, 9, false))));
    let seen = with_picture(&vp9, &hex(KEYS[1].0)).unwrap().unwrap();
    assert_eq!((seen.picture.width, seen.picture.height, seen.picture.colour), (642, 362, hdr));
}

#[test]
fn a_superframe_is_what_its_first_frame_is() {
    let (key, other) = (hex(KEYS[0].0), hex(OTHERS[0]));
    assert!(is_key(&superframe(&[key.clone(), other.clone()])));
    assert!(!is_key(&superframe(&[other.clone(), key.clone()])));
    let mut hidden = key.clone();
    hidden[0] &= !2; // show_frame
    assert!(is_key(&superframe(&[hidden, other])), "the frame that shows comes with it");
    let seen = with_picture(&vp9("01000000000b820202020000"), &superframe(&[key])).unwrap().unwrap();
    assert_eq!((seen.picture.width, seen.picture.height), (320, 180));
}

#[test]
fn a_frame_that_ends_like_an_index_is_a_frame() {
    let mut frame = hex(KEYS[0].0);
    frame.push(0xC9);
    assert!(is_key(&frame));
    assert!(!is_key(&[0xC9]));
}

#[test]
fn a_shown_existing_frame_is_no_key_frame() {
    assert!(!is_key(&[0x88]));
    assert_eq!(with_picture(&vp9("01000000000b820202020000"), &[0x88]), Ok(None));
}

#[test]
fn broken_frames_are_no_place_to_start() {
    let key = hex(KEYS[0].0);
    let broken = |at: usize, to: u8| {
        let mut frame = key.clone();
        frame[at] = to;
        assert!(!is_key(&frame), "{at}: {to}");
        assert!(with_picture(&vp9("01000000000b820202020000"), &frame).is_err(), "{at}: {to}");
    };
    broken(0, 0x42); // frame marker
    broken(0, 0xBA); // profile 3 with its reserved bit
    broken(2, 0); // sync code
    broken(4, 0xE0); // RGB in profile 0
    broken(4, 0x0F); // 62,000 samples wide
    let mut index = superframe(&[key, vec![0; 4]]);
    let sizes = index.len() - 5;
    index[sizes + 2] = 0xFF;
    assert!(!is_key(&index), "a frame beyond the end");
    assert!(!is_key(&[]));
}

#[test]
fn a_record_without_version_and_flags_is_completed() {
    let whole = vp9("010000000029820101010000");
    assert_eq!(vp9("0029820101010000"), whole);
    assert_eq!(whole.record, hex("010000000029820101010000"));
    assert_eq!(whole.picture.colour, Some(colour((1, 1, 1, false))));
    assert_eq!(vp9("01000000010bc00202020000").picture.colour, None);
}

#[test]
fn a_record_that_is_none_is_refused() {
    let refused = |record: &str| assert!(config(&Bytes::from(hex(record))).is_err(), "{record}");
    refused("");
    refused("00000000000b820202020000"); // version 0 has other fields
    refused("01000000000b8202020200"); // it breaks off
    refused("01000000040b820202020000"); // profile 4
    refused("01000000000b920202020000"); // 9 bit
    refused("01000000000b82020202000100"); // initialization data
}

#[test]
fn no_bytes_make_it_panic() {
    let mut seeds: Vec<Vec<u8>> = KEYS.iter().map(|row| hex(row.0)).collect();
    seeds.push(superframe(&[hex(KEYS[0].0), hex(OTHERS[0])]));
    seeds.push(hex("01000000000b820202020000"));
    let vp9 = vp9("01000000000b820202020000");
    mutate(&seeds, |bytes| {
        let seen = with_picture(&vp9, bytes);
        assert_eq!(is_key(bytes), matches!(seen, Ok(Some(_))), "every key frame is news to 0 × 0");
        let _ = config(&Bytes::copy_from_slice(bytes));
    });
}
