//! Samples of MP4 files and of CMAF slices, as another reader of boxes finds them.

use bytes::Bytes;
use mp4_atom::{Decode, DecodeMaybe, FourCC, Ftyp, Header, Moof, Moov, StszSamples, Trak};

/// What a track is, by the handler of its media.
fn is_video(trak: &Trak) -> bool {
    trak.mdia.hdlr.handler == FourCC::new(b"vide")
}

/// The samples of a progressive file, of its pictures and of its sound.
pub fn samples(file: &[u8]) -> (Vec<Bytes>, Vec<Bytes>) {
    let mut rest = file;
    Ftyp::decode(&mut rest).unwrap();
    let moov = Moov::decode(&mut rest).unwrap();
    assert_eq!(&rest[4..8], b"mdat", "the index is in front");
    let (mut pictures, mut sound) = (Vec::new(), Vec::new());
    for trak in &moov.trak {
        let of = if is_video(trak) { &mut pictures } else { &mut sound };
        of.extend(track(trak, file));
        let stts = &trak.mdia.minf.stbl.stts;
        let ticks: u64 =
            stts.entries.iter().map(|e| u64::from(e.sample_count) * u64::from(e.sample_delta)).sum();
        assert_eq!(ticks, trak.mdia.mdhd.duration);
    }
    (pictures, sound)
}

fn track(trak: &Trak, file: &[u8]) -> Vec<Bytes> {
    let stbl = &trak.mdia.minf.stbl;
    let StszSamples::Different { sizes } = &stbl.stsz.samples else { panic!("a size for all") };
    let mut sizes = sizes.iter().map(|&size| size as usize);
    let mut out = Vec::new();
    for (number, &at) in (1..).zip(&stbl.stco.as_ref().unwrap().entries) {
        let run = stbl.stsc.entries.iter().rfind(|entry| entry.first_chunk <= number).unwrap();
        let mut at = at as usize;
        for size in sizes.by_ref().take(run.samples_per_chunk as usize) {
            out.push(Bytes::copy_from_slice(&file[at..at + size]));
            at += size;
        }
    }
    assert_eq!(sizes.next(), None, "every sample is in a chunk");
    out
}

/// The samples of a slice; checks that its fragments follow each other.
pub fn fragments(slice: &[u8]) -> Vec<Bytes> {
    let (mut at, mut time, mut out) = (0, None, Vec::new());
    while let Some(header) = Header::decode_maybe(&mut &slice[at..]).unwrap() {
        if header.kind == FourCC::new(b"moof") {
            let moof = Moof::decode(&mut &slice[at..]).unwrap();
            let [traf] = &moof.traf[..] else { panic!("one track") };
            let begins = traf.tfdt.as_ref().unwrap().base_media_decode_time;
            assert!(time.is_none_or(|time| time <= begins), "fragments overlap");
            let mut ends = begins;
            let trun = &traf.trun[0];
            let mut from = at + usize::try_from(trun.data_offset.unwrap()).unwrap();
            for entry in trun.samples.iter() {
                let size = entry.size.unwrap() as usize;
                out.push(Bytes::copy_from_slice(&slice[from..from + size]));
                from += size;
                ends += u64::from(entry.duration.or(traf.tfhd.default_sample_duration).unwrap());
            }
            time = Some(ends);
        }
        at += header.size.unwrap() + 8;
    }
    assert_eq!(at, slice.len(), "whole boxes");
    out
}
