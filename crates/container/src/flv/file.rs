use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::Error;

/// Bytes of a file's header without PreviousTagSize0.
const HEADER: u32 = 9;
/// Bytes of a tag before its data.
const TAG_HEAD: usize = 11;
/// The most data of a tag: DataSize has 24 bit.
const MAX_DATA: usize = 0xff_ffff;
/// TypeFlagsAudio and TypeFlagsVideo of the file header.
const AUDIO_FLAG: u8 = 4;
const VIDEO_FLAG: u8 = 1;

/// What the header of a file says it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// TypeFlagsAudio.
    pub audio: bool,
    /// TypeFlagsVideo.
    pub video: bool,
}

/// TagType (annex E.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagKind {
    /// Sound.
    Audio = 8,
    /// Pictures.
    Video = 9,
    /// AMF0 values: onMetaData.
    Script = 18,
}

/// One tag of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// TagType.
    pub kind: TagKind,
    /// Decode time in milliseconds, 32 bit with TimestampExtended.
    pub timestamp: u32,
    /// Its data; shares the file.
    pub payload: Bytes,
}

/// Reads a whole file: its header now, its tags one by one. Tolerates nothing, for it reads files of ours:
/// wrong PreviousTagSize, StreamID, reserved bits or a torn tag are errors with their offset.
pub fn read(file: &Bytes) -> Result<(Header, Tags), Error> {
    let mut tags = Tags { rest: file.clone(), len: file.len() };
    let [f, l, v, version] = tags.field("file signature", |rest| rest.try_get_u32())?.to_be_bytes();
    let flags = tags.field("file flags", |rest| rest.try_get_u8())?;
    let offset = tags.field("DataOffset", |rest| rest.try_get_u32())?;
    let size = tags.field("PreviousTagSize0", |rest| rest.try_get_u32())?;
    let wrong = |what, at| Err(Error::Flv { what, at });
    if [f, l, v, version] != *b"FLV\x01" {
        return wrong("file signature", 0);
    }
    if flags & !(AUDIO_FLAG | VIDEO_FLAG) != 0 {
        return wrong("file flags", 4);
    }
    if offset != HEADER {
        return wrong("DataOffset", 5);
    }
    if size != 0 {
        return wrong("PreviousTagSize0", 9);
    }
    Ok((Header { audio: flags & AUDIO_FLAG != 0, video: flags & VIDEO_FLAG != 0 }, tags))
}

/// The tags of a file, in order; ends after the first error.
#[derive(Clone, Debug)]
pub struct Tags {
    rest: Bytes,
    /// Bytes of the whole file.
    len: usize,
}

impl Iterator for Tags {
    type Item = Result<Tag, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let tag = self.tag();
        if tag.is_err() {
            self.rest.clear();
        }
        Some(tag)
    }
}

impl Tags {
    /// Offset in the file of what is read next: of the next tag between two calls of `next`.
    pub fn at(&self) -> usize {
        self.len - self.rest.len()
    }

    fn tag(&mut self) -> Result<Tag, Error> {
        let at = self.at();
        let kind = match self.field("tag", |rest| rest.try_get_u8())? {
            8 => TagKind::Audio,
            9 => TagKind::Video,
            18 => TagKind::Script,
            _ => return Err(Error::Flv { what: "TagType", at }),
        };
        let size = self.field("DataSize", |rest| rest.try_get_uint(3))?;
        let low = self.field("Timestamp", |rest| rest.try_get_uint(3))?;
        let high = self.field("TimestampExtended", |rest| rest.try_get_u8())?;
        if self.field("StreamID", |rest| rest.try_get_uint(3))? != 0 {
            return Err(Error::Flv { what: "StreamID", at: at + 8 });
        }
        let size = usize::try_from(size).unwrap_or(MAX_DATA);
        if size > self.rest.len() {
            return Err(Error::Flv { what: "tag data", at: self.len });
        }
        let payload = self.rest.split_to(size);
        let trailer = self.at();
        let previous = self.field("PreviousTagSize", |rest| rest.try_get_u32())?;
        if usize::try_from(previous) != Ok(TAG_HEAD + size) {
            return Err(Error::Flv { what: "PreviousTagSize", at: trailer });
        }
        let timestamp = u32::try_from(low).unwrap_or(0) | u32::from(high) << 24;
        Ok(Tag { kind, timestamp, payload })
    }

    fn field<T>(
        &mut self,
        what: &'static str,
        get: impl FnOnce(&mut Bytes) -> Result<T, bytes::TryGetError>,
    ) -> Result<T, Error> {
        get(&mut self.rest).map_err(|_| Error::Flv { what, at: self.len })
    }
}

/// The header of a file with PreviousTagSize0 (packaging-rules R-12).
pub fn header(audio: bool, video: bool) -> [u8; 13] {
    let flags = if audio { AUDIO_FLAG } else { 0 } | if video { VIDEO_FLAG } else { 0 };
    [b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]
}

/// Appends a tag with its PreviousTagSize to `out` (packaging-rules R-12): the head with `codec_header`, `data`
/// shared, the trailer. Returns the bytes appended.
///
/// Errors: [`Error::TooLarge`] if `codec_header` and `data` are over 16,777,215 bytes together.
pub fn write_tag(
    kind: TagKind,
    timestamp_ms: u32,
    codec_header: &[u8],
    data: &Bytes,
    out: &mut Vec<Bytes>,
) -> Result<usize, Error> {
    let size = codec_header.len() + data.len();
    if size > MAX_DATA {
        return Err(Error::TooLarge { what: "FLV tag", size, limit: MAX_DATA });
    }
    let [high, low @ ..] = timestamp_ms.to_be_bytes();
    let mut small = BytesMut::with_capacity(TAG_HEAD + codec_header.len() + 4);
    small.put_u8(kind as u8);
    small.put_uint(size as u64, 3);
    small.put_slice(&low);
    small.put_u8(high);
    small.put_uint(0, 3);
    small.put_slice(codec_header);
    let head = small.split().freeze();
    small.put_uint((TAG_HEAD + size) as u64, 4);
    out.push(head);
    if !data.is_empty() {
        out.push(data.clone());
    }
    out.push(small.freeze());
    Ok(TAG_HEAD + size + 4)
}
