//! What a CMAF sample must not repeat.

use bytes::Bytes;
use codec::h264;
use media::{Codec, Track};

/// nal_unit_type of an access unit delimiter (ITU-T H.264 table 7-1).
const DELIMITER: u8 = 9;

/// Leaves out delimiters and parameter sets at the front of access units, where the sample entry already has the
/// same ones (packaging-rules C-16). A set that differs stays: players may know what to do with it.
pub(super) struct Strip {
    length_size: u8,
    sets: Vec<Bytes>,
}

impl Strip {
    /// For samples of `track`; `None` if there is nothing to leave out.
    pub(super) fn new(track: &Track) -> Result<Option<Self>, codec::Error> {
        let Codec::H264(config) = &track.codec else { return Ok(None) };
        let h264::ParameterSets { mut sps, pps, .. } = h264::parameter_sets(&config.record)?;
        sps.extend(pps);
        Ok(Some(Self { length_size: config.length_size, sets: sps }))
    }

    /// `data` without what it repeats at its front; shares its bytes.
    pub(super) fn apply(&self, data: &Bytes) -> Bytes {
        let mut rest = data.clone();
        while let Some(end) = self.repeated(&rest).filter(|&end| end < rest.len()) {
            rest = rest.slice(end..);
        }
        rest
    }

    /// Where the first unit of `data` ends, if it is one to leave out.
    fn repeated(&self, data: &[u8]) -> Option<usize> {
        let (length, rest) = data.split_at_checked(usize::from(self.length_size))?;
        let length = length.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        let nal = rest.get(..length)?;
        let repeated = h264::nal_type(nal) == Some(DELIMITER) || self.sets.iter().any(|set| set == nal);
        repeated.then_some(usize::from(self.length_size) + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::tests::story;

    const SPS: &[u8] = &[0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x2f, 0xf9, 0x50];
    const PPS: &[u8] = &[0x68, 0xcb, 0x83, 0xcb, 0x20];
    const IDR: &[u8] = &[0x65, 1, 2, 3];

    fn unit(nals: &[&[u8]]) -> Bytes {
        nals.iter().flat_map(|nal| [&(nal.len() as u32).to_be_bytes()[..], nal].concat()).collect()
    }

    #[track_caller]
    fn check(nals: &[&[u8]], left: &[&[u8]]) {
        let strip = Strip::new(&story::video_track()).unwrap().unwrap();
        assert_eq!(strip.apply(&unit(nals)), unit(left));
    }

    #[test]
    fn delimiters_and_known_parameter_sets_are_left_out() {
        check(&[&[9, 0xf0], SPS, PPS, IDR], &[IDR]);
        check(&[IDR], &[IDR]);
        check(&[&[9, 0xf0], &[0x41, 5]], &[&[0x41, 5]]);
    }

    #[test]
    fn other_units_stay() {
        let sei: &[u8] = &[6, 5, 1, 0x80];
        check(&[sei, SPS, IDR], &[sei, SPS, IDR]);
        let other: &[u8] = &[0x67, 0x42, 0xc0, 0x1f, 0xd9];
        check(&[other, PPS, IDR], &[other, PPS, IDR]);
        check(&[SPS], &[SPS]);
    }

    #[test]
    fn broken_framing_stays_as_it_is() {
        let strip = Strip::new(&story::video_track()).unwrap().unwrap();
        for broken in [&b""[..], &[0, 0], &[0, 0, 0, 9, 1], &[0, 0, 0, 0]] {
            let broken = Bytes::copy_from_slice(broken);
            assert_eq!(strip.apply(&broken), broken);
        }
    }
}
