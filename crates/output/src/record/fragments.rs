//! What recordings of fragments have in common: frames on their way into one, and which track is which.

use bytes::Bytes;
use container::mp4::Sample;
use media::{Codec, Kind, Packet, Track, TrackId};
use serde::{Deserialize, Serialize};

/// A track as it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Lane {
    /// Sound, not pictures.
    pub audio: bool,
    /// 0 for the main track of its kind.
    pub index: u8,
}

impl From<TrackId> for Lane {
    fn from(id: TrackId) -> Self {
        Self { audio: id.kind == Kind::Audio, index: id.index }
    }
}

/// What a file says of a track once, and what of its codec no decoder changes on the way: pictures and sound of
/// another codec need another file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Carried {
    lane: Lane,
    codec: String,
}

impl Carried {
    pub fn of(track: &Track) -> Self {
        let codec = match &track.codec {
            Codec::H264(_) => "avc1",
            Codec::H265(_) => "hvc1",
            Codec::Av1(_) => "av01",
            Codec::Vp9(_) => "vp09",
            Codec::Aac(_) => "mp4a",
            Codec::Mp3(_) => "mp3",
            Codec::Opus(_) => "Opus",
            Codec::Flac(_) => "fLaC",
            Codec::Ac3(ac3) if ac3.enhanced => "ec-3",
            Codec::Ac3(_) => "ac-3",
        };
        Self { lane: track.id.into(), codec: codec.to_owned() }
    }

    pub fn is_audio(&self) -> bool {
        self.lane.audio
    }
}

/// Frames of a track that wait to become fragments.
#[derive(Default)]
pub(super) struct Waiting {
    stretches: Vec<Stretch>,
    bytes: usize,
}

/// Frames that follow each other without a hole.
struct Stretch {
    base: i64,
    end: i64,
    samples: Vec<Sample>,
}

impl Waiting {
    /// Takes a frame, whose times may have been moved; in ticks of its track.
    pub fn push(&mut self, dts: i64, cts: i64, packet: &Packet) {
        let sample = Sample {
            duration: packet.duration,
            cts: i32::try_from(cts).unwrap_or(0),
            key: packet.key,
            open: packet.recovery == Some(0),
            data: packet.data.clone(),
        };
        self.bytes += packet.data.len();
        let end = dts.saturating_add(packet.duration.into());
        match self.stretches.last_mut().filter(|stretch| stretch.end == dts) {
            Some(stretch) => {
                stretch.samples.push(sample);
                stretch.end = end;
            }
            None => self.stretches.push(Stretch { base: dts, end, samples: vec![sample] }),
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends everything to `body`, as `fragment` makes it of decode time and samples.
    ///
    /// # Errors
    /// The first one of `fragment`; its samples are lost, the others are there.
    pub fn drain(
        &mut self,
        body: &mut Vec<Bytes>,
        mut fragment: impl FnMut(u64, &[Sample]) -> Result<Vec<Bytes>, container::Error>,
    ) -> Result<(), container::Error> {
        self.bytes = 0;
        let mut result = Ok(());
        for Stretch { base, samples, .. } in self.stretches.drain(..) {
            // A session begins at 0; only composition times below it could make this negative.
            match fragment(u64::try_from(base).unwrap_or(0), &samples) {
                Ok(pieces) => body.extend(pieces),
                Err(error) => result = result.and(Err(error)),
            }
        }
        result
    }
}
