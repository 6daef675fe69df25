use bytes::{Buf, Bytes};
use media::Kind;

use super::colour::{self, ColourInfo};
use super::format::{Format, Source};
use crate::Error;

/// The most tracks of one message: track ids have 8 bit.
const MAX_TRACKS: u16 = 256;

/// One track's part of a media message or tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Index of the track among those of its kind; 0 is the main one.
    pub track: u8,
    /// Its codec; [`Format::Other`] if the message doesn't say or it isn't one of ours.
    pub format: Format,
    /// What is in it.
    pub body: Body,
}

/// What a message says of one track. `Bytes` share the message, so they pin what that shares.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// The decoder configuration: the codec's record as rtmp.md §6 lists them. Empty for AC-3 and E-AC-3, whose
    /// frames say it all.
    SequenceStart(Bytes),
    /// One access unit.
    Frame {
        /// What the encoder says of it, only a hint (`codec::is_key`). True for audio.
        key: bool,
        /// Presentation minus decode time in milliseconds, 24 bit signed; 0 for codecs that have none.
        cts_ms: i32,
        /// As the codec's packets are (`media::Codec`). Empty if the encoder had nothing to say: skip it.
        data: Bytes,
    },
    /// The encoder will send no more of this sequence.
    SequenceEnd,
    /// Colours of the pictures from here on, instead of what the message before said of them.
    Colour(ColourInfo),
    /// Nothing that we need: commands to players, speaker layouts, metadata of other kinds.
    Nothing,
    /// A codec that is not read; its name or FourCC, to tell an operator.
    Unsupported(String),
}

/// PacketType of Enhanced RTMP, the same for audio and video as far as both have it; the legacy forms have some
/// of these under other numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    SequenceStart,
    CodedFrames,
    /// Coded frames whose composition time is 0 and left out.
    CodedFramesX,
    SequenceEnd,
    Metadata,
    Other,
}

/// How tracks follow each other in what is left of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// No more.
    Done,
    /// The main track and nothing else.
    Plain,
    /// The id of a track, and that track.
    OneTrack,
    /// Id, size and body for each track, all of one codec.
    ManyTracks,
    /// The same with a FourCC before each.
    ManyTracksManyCodecs,
}

/// The parts of a media message, for each track one, in order; ends after the first error. Made by
/// [`video`](super::video) and [`audio`](super::audio).
#[derive(Clone, Debug)]
pub struct Units {
    pub(super) kind: Kind,
    pub(super) rest: Bytes,
    /// Bytes of the whole message.
    pub(super) len: usize,
    pub(super) source: Source,
    pub(super) packet: Packet,
    pub(super) key: bool,
    pub(super) layout: Layout,
    pub(super) nanos: u32,
    pub(super) count: u16,
}

impl Iterator for Units {
    type Item = Result<Unit, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let many = matches!(self.layout, Layout::ManyTracks | Layout::ManyTracksManyCodecs);
        if self.layout == Layout::Done || (many && self.rest.is_empty()) {
            return None;
        }
        let unit = if many { self.next_of_many() } else { self.last() };
        if unit.is_err() {
            self.layout = Layout::Done;
        }
        Some(unit)
    }
}

impl Units {
    /// What the time of the message has beyond its milliseconds: TimestampOffsetNano, at most 999,999; 0 without.
    pub fn nanos(&self) -> u32 {
        self.nanos
    }

    /// A message of which nothing is read.
    pub(super) fn new(kind: Kind, payload: &Bytes) -> Self {
        Self {
            kind,
            rest: payload.clone(),
            len: payload.len(),
            source: Source::Known(Format::Other),
            packet: Packet::Other,
            key: true,
            layout: Layout::Plain,
            nanos: 0,
            count: 0,
        }
    }

    /// The only track of the message.
    fn last(&mut self) -> Result<Unit, Error> {
        let track = match self.layout {
            Layout::OneTrack => self.field("track id", |rest| rest.try_get_u8())?,
            _ => 0,
        };
        self.layout = Layout::Done;
        let data = std::mem::take(&mut self.rest);
        self.unit(track, data)
    }

    fn next_of_many(&mut self) -> Result<Unit, Error> {
        if self.count == MAX_TRACKS {
            return Err(Error::Flv { what: "number of tracks", at: self.at() });
        }
        self.count += 1;
        if self.layout == Layout::ManyTracksManyCodecs {
            self.source = self.fourcc()?;
        }
        let track = self.field("track id", |rest| rest.try_get_u8())?;
        let size = self.field("size of a track", |rest| rest.try_get_uint(3))?;
        let size = usize::try_from(size).ok().filter(|&size| size <= self.rest.len());
        let size = size.ok_or(Error::Flv { what: "body of a track", at: self.len })?;
        let data = self.rest.split_to(size);
        self.unit(track, data)
    }

    fn unit(&self, track: u8, data: Bytes) -> Result<Unit, Error> {
        Ok(Unit { track, format: self.source.format(), body: self.body(data)? })
    }

    fn body(&self, mut data: Bytes) -> Result<Body, Error> {
        let Source::Known(format) = self.source else { return Ok(Body::Unsupported(self.source.name())) };
        Ok(match self.packet {
            Packet::SequenceStart => Body::SequenceStart(data),
            Packet::CodedFrames if format.has_composition_time() => {
                let cut = Error::Flv { what: "composition time", at: self.at() };
                let &[a, b, c] = data.first_chunk().ok_or(cut)?;
                data.advance(3);
                Body::Frame { key: self.key, cts_ms: signed_24([a, b, c]), data }
            }
            Packet::CodedFrames | Packet::CodedFramesX => Body::Frame { key: self.key, cts_ms: 0, data },
            Packet::SequenceEnd => Body::SequenceEnd,
            Packet::Metadata => colour::read(&data)?.map_or(Body::Nothing, Body::Colour),
            Packet::Other => Body::Nothing,
        })
    }

    pub(super) fn fourcc(&mut self) -> Result<Source, Error> {
        let code = self.field("FourCC", |rest| rest.try_get_u32())?;
        Ok(Source::of_fourcc(self.kind, code.to_be_bytes()))
    }

    /// Offset in the message of what is read next.
    pub(super) fn at(&self) -> usize {
        self.len - self.rest.len()
    }

    pub(super) fn field<T>(
        &mut self,
        what: &'static str,
        get: impl FnOnce(&mut Bytes) -> Result<T, bytes::TryGetError>,
    ) -> Result<T, Error> {
        get(&mut self.rest).map_err(|_| Error::Flv { what, at: self.len })
    }
}

fn signed_24([a, b, c]: [u8; 3]) -> i32 {
    i32::from_be_bytes([a, b, c, 0]) >> 8
}
