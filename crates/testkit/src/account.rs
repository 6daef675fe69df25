use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// What identifies a frame wherever it ends up: SHA-256 of a slice NAL unit or of a raw AAC access unit.
pub type Digest = [u8; 32];

/// The digest of a slice NAL unit or of a raw AAC access unit.
pub fn digest(unit: &[u8]) -> Digest {
    Sha256::digest(unit).into()
}

/// Digests of the slice NAL units of Annex B bytes or of length-prefixed units, in order. Parameter sets, SEI
/// and delimiters are left out: products may add and drop those.
pub fn h264_slices(nals: impl IntoIterator<Item = Bytes>) -> Vec<Digest> {
    let slice = |nal: &Bytes| nal.first().is_some_and(|header| (1..=5).contains(&(header & 31)));
    nals.into_iter().filter(slice).map(|nal| digest(&nal)).collect()
}

/// Digests of raw AAC access units in an ADTS stream, in order.
pub fn aac_frames(mut adts: &[u8]) -> Vec<Digest> {
    let mut frames = Vec::new();
    while let [0xff, second, _, a, b, c, _, ..] = adts {
        let length = usize::from(a & 3) << 11 | usize::from(*b) << 3 | usize::from(c >> 5);
        let header = if second & 1 == 1 { 7 } else { 9 };
        let Some(frame) = adts.get(header..length) else { break };
        frames.push(digest(frame));
        adts = adts.get(length..).unwrap_or(&[]);
    }
    frames
}
