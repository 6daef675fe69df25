//! Files that are cut, damaged or large.

use super::super::{MAX_TRACKS, Progressive};
use super::*;
use crate::Error;
use media::TrackId;

#[test]
fn a_torn_tail_is_cut_at_the_last_whole_fragment() {
    let mut story = two_tracks();
    let whole = story.bytes.len();
    let samples = story.finish().samples(0);
    story.add(1, 90_000, &[(3600, 0, true, "torn")]);
    for len in whole..story.bytes.len() {
        let read = Read::of(&story.bytes[..len]);
        assert_eq!((read.samples(0), read.cut), (samples.clone(), (len - whole) as u64));
    }
    let zeros = [&story.bytes[..whole], &[0; 4096]].concat();
    assert_eq!(Read::of(&zeros).cut, 4096, "what power loss leaves");
}

#[test]
fn a_file_without_a_whole_fragment_is_refused() {
    let refused = |bytes: &[u8]| {
        let error = Progressive::read(&mut Cursor::new(bytes)).unwrap_err();
        assert!(matches!(error, Error::Fragmented { .. }), "{error}");
    };
    refused(b"");
    refused(&movie(&[video()]).unwrap());
    refused(b"neither a box nor anything else");
}

#[test]
fn a_track_that_becomes_something_else_is_refused() {
    let mut story = Story::of(&[video()]);
    story.add(1, 0, &[(3000, 0, true, "a")]);
    story.begin(&[aac()]);
    let error = Progressive::read(&mut Cursor::new(&story.bytes)).unwrap_err();
    assert!(error.to_string().contains("other tracks"), "{error}");
    let mut many = Vec::new();
    for index in 0..=MAX_TRACKS {
        let id = TrackId { index: (index % 256) as u8, ..TrackId::VIDEO };
        many.push(Track { id, ..video() });
    }
    let bytes = movie(&many).unwrap();
    assert!(Progressive::read(&mut Cursor::new(bytes)).is_err());
}

#[test]
fn damaged_bytes_never_make_more_of_it_than_there_was() {
    let story = two_tracks();
    let media = b"I0P3b1s0s1b2I4s2".len() as u64;
    let index = 4096;
    for at in 0..story.bytes.len() {
        for value in [0, 1, 0x7F, 0xFF] {
            let mut bytes = story.bytes.clone();
            bytes[at] = value;
            let mut out = Vec::new();
            if let Ok(done) = progressive(&mut Cursor::new(&bytes), &mut out) {
                assert_eq!(done.len(), out.len() as u64);
                assert!(done.len() < media + index, "{} bytes after byte {at} became {value}", done.len());
            }
        }
    }
}

/// A file of mostly nothing: `len` bytes, zeros but for `parts`.
struct Sparse {
    parts: Vec<(u64, Vec<u8>)>,
    len: u64,
    at: u64,
}

impl std::io::Read for Sparse {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = out.len().min(usize::try_from(self.len - self.at).unwrap());
        out[..n].fill(0);
        for (from, bytes) in &self.parts {
            for (i, byte) in bytes.iter().enumerate() {
                let place = (from + i as u64).checked_sub(self.at).and_then(|p| out[..n].get_mut(p as usize));
                if let Some(place) = place {
                    *place = *byte;
                }
            }
        }
        self.at += n as u64;
        Ok(n)
    }
}

impl std::io::Seek for Sparse {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.at = match to {
            std::io::SeekFrom::Start(at) => at,
            std::io::SeekFrom::End(by) => self.len.checked_add_signed(by).unwrap(),
            std::io::SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
        };
        Ok(self.at)
    }
}

#[test]
fn over_4_gib_places_have_64_bits() {
    // Two fragments whose single sample is made 3 GiB large by hand.
    const BIG: u32 = 3 << 30;
    let mut parts = vec![(0, movie(&[video()]).unwrap().to_vec())];
    let mut at = parts[0].1.len() as u64;
    for n in 0..2_u32 {
        let sample =
            Sample { duration: 3000, cts: 0, key: true, open: false, data: Bytes::from_static(b"12345") };
        let mut bytes = track_fragment(n, (1, &video()), u64::from(n) * 3000, &[sample]).unwrap().concat();
        let moof = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        let size = bytes[..moof].windows(4).rposition(|w| w == [0, 0, 0, 5]).unwrap();
        bytes[size..size + 4].copy_from_slice(&BIG.to_be_bytes());
        bytes[moof..moof + 4].copy_from_slice(&(BIG + 8).to_be_bytes());
        let end = moof as u64 + 8 + u64::from(BIG);
        parts.push((at, bytes));
        at += end;
    }
    let file = Progressive::read(&mut Sparse { parts, len: at, at: 0 }).unwrap();
    let mut rest: &[u8] = &file.head;
    let (_, moov) = (Ftyp::decode(&mut rest).unwrap(), Moov::decode(&mut rest).unwrap());
    let stbl = &moov.trak[0].mdia.minf.stbl;
    let first = file.head.len() as u64;
    assert!(stbl.stco.is_none());
    assert_eq!(stbl.co64.as_ref().unwrap().entries, [first, first + u64::from(BIG)]);
    let large = [&1_u32.to_be_bytes()[..], b"mdat", &(2 * u64::from(BIG) + 16).to_be_bytes()].concat();
    assert_eq!((rest, file.len()), (&large[..], first + 2 * u64::from(BIG)));
}
