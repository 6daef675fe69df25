//! FLV (Adobe Flash Video File Format 10.1, annex E): tags of files, and the payloads that RTMP messages share
//! with them.

mod body;
mod file;
#[cfg(test)]
mod tests;

pub use body::{
    Audio, Video, aac_header, audio, h264_end_of_sequence, h264_header, h264_sequence_header, video,
};
pub use file::{Header, Tag, TagKind, Tags, header, read, write_tag};
