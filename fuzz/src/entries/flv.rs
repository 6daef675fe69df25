//! FLV: payloads of media messages, and whole files.

use bytes::Bytes;
use container::flv::{self, Audio, Video};

/// Bytes as a file and as the payload of a message: what is one is refused at once as the other.
pub fn flv(input: &[u8]) {
    file(input);
    tags(input);
}

/// The payload of a media message, taken as either kind, down to its NAL units.
fn tags(input: &[u8]) {
    let payload = Bytes::copy_from_slice(input);
    match flv::legacy_video(&payload) {
        Ok(Video::SequenceHeader(record)) => super::h264::record(&record),
        Ok(Video::Frame { data, cts_ms, .. }) => {
            assert!((-0x80_0000..0x80_0000).contains(&cts_ms), "composition time {cts_ms} in 24 bit");
            (0..=5).for_each(|length_size| super::h264::units(&data, length_size));
        }
        Ok(Video::Unsupported { name, .. }) => assert!(name.len() <= 64),
        Ok(Video::SequenceEnd | Video::Command) | Err(_) => {}
    }
    match flv::legacy_audio(&payload) {
        Ok(Audio::SequenceHeader(config)) => super::aac::config(&config),
        Ok(Audio::Frame(data)) => assert!(data.len() <= input.len()),
        Ok(Audio::Unsupported { name }) => assert!(name.len() <= 64),
        Ok(Audio::SequenceEnd) | Err(_) => {}
    }
}

/// A file. Its tags, written again, are its own bytes.
fn file(input: &[u8]) {
    let file = Bytes::copy_from_slice(input);
    let Ok((header, mut tags)) = flv::read(&file) else { return };
    let mut pieces = vec![Bytes::copy_from_slice(&flv::header(header.audio, header.video))];
    let mut good = tags.at();
    while let Some(Ok(tag)) = tags.next() {
        good = tags.at();
        let written = flv::write_tag(tag.kind, tag.timestamp, &[], &tag.payload, &mut pieces);
        assert!(written.is_ok(), "a tag that was read fits into a file");
    }
    assert!(pieces.concat() == input[..good], "the tags of the first {good} bytes are written differently");
}
