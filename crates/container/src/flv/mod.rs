//! FLV (Adobe Flash Video File Format 10.1, annex E): tags of files, and the payloads that RTMP messages share
//! with them, in the forms of annex E and of Enhanced RTMP (veovera enhanced-rtmp-v2).

mod colour;
mod file;
mod format;
mod header;
#[cfg(test)]
mod tests;
mod units;
mod write;

pub use colour::ColourInfo;
pub use file::{Header, Tag, TagKind, Tags, header, read, write_tag};
pub use format::Format;
pub use header::{audio, video};
pub use units::{Body, Unit, Units};
pub use write::{BodyHeader, colour_info, frame, metadata_codec_id, sequence_end, sequence_start};
