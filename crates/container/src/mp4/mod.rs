//! ISO BMFF (ISO/IEC 14496-12) as CMAF uses it: one track per file, an init segment, then fragments of one
//! `moof` and one `mdat` (packaging-rules C-01 to C-20). And MP4 files: written as [`movie`] and fragments of its
//! tracks, then turned into one with an index at the front ([`Progressive`], packaging-rules ).

mod entry;
mod fragment;
mod init;
mod payload;
mod progressive;
#[cfg(test)]
mod tests;

pub use fragment::{Sample, fragment, track_fragment};
pub use init::{init, init_reordered, movie};
pub use progressive::{Progressive, progressive};

use bytes::Bytes;
use mp4_atom::FourCC;

/// The only track of a CMAF file.
const TRACK_ID: u32 = 1;
/// Sample flags of a sync sample: depends on no other (ISO/IEC 14496-12 §8.8.3.1, packaging-rules C-05).
const SYNC: u32 = 0x0200_0000;
/// Sample flags of a picture that depends on no other but is no sync sample: the head of an open GOP.
const OPEN: u32 = 0x0201_0000;
/// Sample flags of any other sample: depends on others, is no sync sample.
const NON_SYNC: u32 = 0x0101_0000;

/// `styp` at the head of a media segment (packaging-rules C-11); `last` for the last one of the presentation.
pub fn styp(last: bool) -> Bytes {
    let mut brands = vec![FourCC::new(b"msdh"), FourCC::new(b"cmfs")];
    if last {
        brands.push(FourCC::new(b"lmsg"));
    }
    let mut out = Vec::new();
    let styp =
        mp4_atom::Styp { major_brand: FourCC::new(b"msdh"), minor_version: 0, compatible_brands: brands };
    // Only a box of 4 GiB can fail.
    let _ = mp4_atom::Encode::encode(&styp, &mut out);
    out.into()
}
