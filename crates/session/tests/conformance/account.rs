//! Frame accounting: every slice and every AAC frame of a story, found again in a product by its digest.

use bytes::Bytes;
use container::flv::{self, Body, TagKind};
use media::Kind;
use mpeg2ts::pes::{PesPacketReader, ReadPesPacket};
use mpeg2ts::ts::TsPacketReader;
use testkit::stories::Story;
use testkit::{Digest, aac_frames, digest, h264_slices};

use crate::boxes;

/// What a stream or a product holds, in order.
#[derive(Default)]
pub struct Account {
    slices: Vec<Digest>,
    aac: Vec<Digest>,
}

impl Account {
    /// What must come out of a story.
    pub fn of_story(story: &Story) -> Self {
        let units = story.frames(Kind::Video).into_iter().flat_map(|frame| units(&frame));
        let aac = story.frames(Kind::Audio).iter().map(|frame| digest(frame)).collect();
        Self { slices: h264_slices(units), aac }
    }

    /// What TS slices hold, each read on its own, as a player does.
    pub fn of_slices<'a>(slices: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut account = Self::default();
        for slice in slices {
            let mut reader = PesPacketReader::new(TsPacketReader::new(slice));
            while let Some(pes) = reader.read_pes_packet().unwrap() {
                if pes.header.stream_id.is_video() {
                    account.slices.extend(h264_slices(annex_b(&pes.data.into())));
                } else {
                    account.aac.extend(aac_frames(&pes.data));
                }
            }
        }
        account
    }

    /// What FLV files hold; also checks that their time never falls.
    pub fn of_flv<'a>(files: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut account = Self::default();
        for file in files {
            let (_, tags) = flv::read(&Bytes::copy_from_slice(file)).unwrap();
            let mut last = 0;
            for tag in tags.map(Result::unwrap) {
                assert!(tag.timestamp >= last, "tag time fell: {last} -> {}", tag.timestamp);
                last = tag.timestamp;
                account.tag(&tag);
            }
        }
        account
    }

    /// What MP4 files hold.
    pub fn of_mp4<'a>(files: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut account = Self::default();
        for file in files {
            let (pictures, sound) = boxes::samples(file);
            account.samples(&pictures, &sound);
        }
        account
    }

    /// What CMAF slices of pictures and of sound hold.
    pub fn of_tracks<'a>(
        pictures: impl Iterator<Item = &'a [u8]>,
        sound: impl Iterator<Item = &'a [u8]>,
    ) -> Self {
        let mut account = Self::default();
        let [pictures, sound]: [Vec<Bytes>; 2] =
            [pictures.flat_map(boxes::fragments).collect(), sound.flat_map(boxes::fragments).collect()];
        account.samples(&pictures, &sound);
        account
    }

    fn samples(&mut self, pictures: &[Bytes], sound: &[Bytes]) {
        self.slices.extend(pictures.iter().flat_map(|frame| h264_slices(units(frame))));
        self.aac.extend(sound.iter().map(|frame| digest(frame)));
    }

    fn tag(&mut self, tag: &flv::Tag) {
        let parts = match tag.kind {
            TagKind::Video => flv::video(&tag.payload),
            TagKind::Audio => flv::audio(&tag.payload),
            TagKind::Script => return,
        };
        for unit in parts.unwrap() {
            match (tag.kind, unit.unwrap().body) {
                (TagKind::Video, Body::Frame { data, .. }) => self.slices.extend(h264_slices(units(&data))),
                (TagKind::Audio, Body::Frame { data, .. }) => self.aac.push(digest(&data)),
                _ => {}
            }
        }
    }

    /// Checks that `product` holds exactly this, in order.
    #[track_caller]
    pub fn assert_is(&self, name: &str, product: &Account) {
        same(&format!("slices of {name}"), &self.slices, &product.slices);
        same(&format!("AAC frames of {name}"), &self.aac, &product.aac);
    }
}

#[track_caller]
fn same(what: &str, sent: &[Digest], found: &[Digest]) {
    let differs = sent.iter().zip(found).position(|(a, b)| a != b);
    assert!(
        sent == found,
        "{what}: {} sent, {} found, first difference at {differs:?}",
        sent.len(),
        found.len()
    );
}

/// NAL units of an access unit with lengths of 4 bytes.
fn units(frame: &Bytes) -> Vec<Bytes> {
    codec::h264::nals(frame, 4).map(Result::unwrap).collect()
}

/// NAL units of an Annex B byte stream.
fn annex_b(stream: &Bytes) -> Vec<Bytes> {
    let mut starts: Vec<usize> =
        stream.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(at, _)| at).collect();
    starts.push(stream.len());
    let unit = |pair: &[usize]| {
        let unit = stream.slice(pair[0] + 3..pair[1]);
        let zeros = unit.iter().rev().take_while(|byte| **byte == 0).count();
        unit.slice(..unit.len() - zeros)
    };
    starts.windows(2).map(unit).collect()
}
