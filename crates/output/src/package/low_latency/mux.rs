//! The bytes of a part.

use bytes::{Bytes, BytesMut};
use container::ts::Muxer;
use media::{Packet, Ticks, TrackId, Wall};

use super::super::frame::Frame;
use super::super::rendition::Rendition;
use crate::Error;

/// What a rendition's parts are.
pub(super) enum Mux {
    /// CMAF chunks of its own track.
    Cmaf,
    /// Packets of a transport stream, with the sound if its own track are pictures.
    Ts(Box<Ts>),
}

/// A transport stream.
pub(super) struct Ts {
    muxer: Muxer,
    sound: Option<Rendition>,
}

impl Ts {
    /// With `muxer` for the tracks of the run, of which `sound` is a further one.
    pub(super) fn new(muxer: Muxer, sound: Option<Rendition>) -> Self {
        Self { muxer, sound }
    }
}

impl Mux {
    /// What is in the segments beside the rendition's own track.
    pub(super) fn sound(&self) -> Option<&Rendition> {
        match self {
            Self::Cmaf => None,
            Self::Ts(ts) => ts.sound.as_ref(),
        }
    }

    /// The same, to take packets.
    pub(super) fn sound_mut(&mut self) -> Option<&mut Rendition> {
        match self {
            Self::Cmaf => None,
            Self::Ts(ts) => ts.sound.as_mut(),
        }
    }

    /// The muxer, when the run is over.
    pub(super) fn into_muxer(self) -> Option<Muxer> {
        match self {
            Self::Cmaf => None,
            Self::Ts(ts) => Some(ts.muxer),
        }
    }

    /// A part of `frames` of `feed`; `head`: the first of its segment. Sound beside it belongs to it if it begins before
    /// the frames end, or before `until`.
    pub(super) fn part(
        &mut self,
        feed: &mut Rendition,
        frames: Vec<Frame>,
        head: bool,
        until: i64,
    ) -> Result<Vec<Bytes>, Error> {
        match self {
            Self::Cmaf => feed.fragment(frames, head),
            Self::Ts(ts) => Ok(ts.part(feed, frames, until)),
        }
    }

    /// What there is until `until` without any frame of the rendition's own.
    pub(super) fn rest(&mut self, until: i64) -> Vec<Bytes> {
        match self {
            Self::Ts(ts) if ts.sound.as_ref().and_then(Rendition::first).is_some_and(|at| at < until) => {
                let mut out = ts.begin(0);
                ts.sound_before(until, &mut out);
                ts.end(out)
            }
            _ => Vec::new(),
        }
    }
}

impl Ts {
    /// PAT and PMT, then whole packets; no PES packet goes over the end (packaging-rules L-28).
    fn part(&mut self, feed: &Rendition, frames: Vec<Frame>, until: i64) -> Vec<Bytes> {
        let bytes: usize = frames.iter().map(|frame| frame.sample.data.len()).sum();
        let until = frames.last().map_or(until, |last| feed.micros(last.end()).max(until));
        let mut out = self.begin(bytes);
        for frame in frames {
            self.sound_before(feed.micros(frame.dts), &mut out);
            self.write(feed.id(), frame, &mut out);
        }
        self.sound_before(until, &mut out);
        self.end(out)
    }

    /// The head of a part that will have about so many bytes of payload.
    fn begin(&mut self, bytes: usize) -> BytesMut {
        let mut out = BytesMut::with_capacity(bytes + bytes / 16 + 4_096);
        self.muxer.tables(&mut out);
        out
    }

    fn end(&mut self, mut out: BytesMut) -> Vec<Bytes> {
        // Frames are whole once they are gathered: nothing can fail.
        let _ = self.muxer.flush(&mut out);
        vec![out.freeze()]
    }

    fn sound_before(&mut self, until: i64, out: &mut BytesMut) {
        while let Some((track, frame)) =
            self.sound.as_mut().and_then(|sound| Some((sound.id(), sound.next_before(until)?)))
        {
            self.write(track, frame, out);
        }
    }

    /// A frame that its container cannot say is left out, as a decoder would drop it.
    fn write(&mut self, track: TrackId, frame: Frame, out: &mut BytesMut) {
        let Frame { dts, sample } = frame;
        let packet = Packet {
            track,
            dts: Ticks(dts),
            cts: sample.cts,
            duration: sample.duration,
            key: sample.key,
            recovery: sample.open.then_some(0),
            received: Wall(0),
            data: sample.data,
        };
        let _ = self.muxer.write(&packet, out);
    }
}
