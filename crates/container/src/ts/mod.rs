//! MPEG-TS (ISO/IEC 13818-1, ITU-T H.222.0): one program of H.264 or H.265 and AAC, MP3, AC-3 or E-AC-3, as HLS
//! plays it (packaging-rules §6, T-01 to T-11).

mod audio;
mod clock;
mod opening;
mod packet;
mod pes;
mod psi;
#[cfg(test)]
mod tests;
mod video;

use bytes::BytesMut;
use media::{Codec, Kind, Packet, Ticks, Timescale, Track, TrackId};

use self::audio::Gathered;
use self::clock::Clock;
use self::opening::Opening;
use self::packet::Stream;
use self::psi::{Signal, Tables};
use self::video::AccessUnit;
use crate::Error;

/// Named in errors.
const CONTAINER: &str = "MPEG-TS";
const VIDEO_PID: u16 = 0x100;
const AUDIO_PID: u16 = 0x101;

/// 90 kHz ticks of a millisecond.
const MS: i64 = 90;
/// Where media time 0 is on the wire: room for the clock and for presentation before decoding, without a
/// wrap at the start (packaging-rules T-03).
const ORIGIN: i64 = 10_000 * MS;

/// Writes a transport stream of at most one video and one audio track.
///
/// Continuity counters run on for its whole life, over segments and runs (T-09). Times are 64 bit inside and
/// wrap at 33 bits on the wire (T-04). Nothing is kept but audio frames: on their way into a PES packet, and until
/// the first pictures of a slice are there.
#[derive(Debug)]
pub struct Muxer {
    tables: Tables,
    clock: Clock,
    video: Option<Video>,
    audio: Option<Audio>,
    video_stream: Stream,
    audio_stream: Stream,
    /// While a slice of both tracks opens.
    opening: Option<Opening>,
}

#[derive(Debug)]
struct Video {
    id: TrackId,
    signal: Signal,
    timescale: Timescale,
    unit: AccessUnit,
}

#[derive(Debug)]
struct Audio {
    id: TrackId,
    signal: Signal,
    gathered: Gathered,
}

/// Whether a track of `codec` has a place in TS: HLS takes it there, and AAC in a form that ADTS can say.
pub fn carries(codec: &Codec) -> bool {
    match codec {
        Codec::Aac(aac) => codec::aac::adts_header(aac, 0).is_ok(),
        codec => Signal::of(codec).is_some(),
    }
}

impl Muxer {
    /// A muxer for `tracks`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a codec, or a form of it, that has no place in TS; [`Error::Tracks`] for no
    /// track, or two of a kind (T-13); [`Error::Codec`] for a broken decoder configuration.
    pub fn new(tracks: &[Track]) -> Result<Self, Error> {
        let (video, audio) = split(tracks)?;
        Ok(Self {
            tables: Tables::new(
                video.as_ref().map(|video| video.signal),
                audio.as_ref().map(|audio| audio.signal),
            ),
            clock: Clock::default(),
            video,
            audio,
            video_stream: Stream::new(VIDEO_PID),
            audio_stream: Stream::new(AUDIO_PID),
            opening: None,
        })
    }

    /// Goes on with the tracks of a new run. The next PCR is marked as a discontinuity (T-11); the PMT gets the
    /// next version if it changes (T-01). Call [`Muxer::flush`] before: audio frames still held are dropped.
    ///
    /// # Errors
    /// As [`Muxer::new`]; the muxer stays as it was.
    pub fn set_tracks(&mut self, tracks: &[Track]) -> Result<(), Error> {
        let (video, audio) = split(tracks)?;
        self.tables
            .change(video.as_ref().map(|video| video.signal), audio.as_ref().map(|audio| audio.signal));
        self.clock.restart();
        (self.video, self.audio, self.opening) = (video, audio, None);
        Ok(())
    }

    /// What follows does not go on where the last frame ended: the next PCR says so (T-11).
    pub fn interrupt(&mut self) {
        self.clock.restart();
    }

    /// Appends PAT and PMT: the first two packets of every segment, and again at every part or half second.
    pub fn tables(&mut self, out: &mut BytesMut) {
        self.tables.write(out);
    }

    /// Begins a slice, a file of its own whose first picture is the next one written: appends PAT and PMT. Sound waits
    /// until readers can have that picture, for half a second of media at most; sound from before the picture, written
    /// before it, waits too. Call [`Muxer::flush`] before.
    pub fn slice(&mut self, out: &mut BytesMut) {
        self.opening = (self.video.is_some() && self.audio.is_some()).then(Opening::default);
        self.tables(out);
    }

    /// Whether sound has to wait for the first pictures of a slice.
    pub fn is_opening(&self) -> bool {
        self.opening.is_some()
    }

    /// Bytes of sound that were taken and wait.
    pub fn waiting(&self) -> usize {
        let gathered = self.audio.as_ref().map_or(0, |audio| audio.gathered.len());
        gathered + self.opening.as_ref().map_or(0, Opening::len)
    }

    /// Appends one access unit. Audio frames are gathered into one PES packet of at most 200 ms (T-06), so they
    /// appear later: at the latest with [`Muxer::flush`].
    ///
    /// # Errors
    /// [`Error::NoTrack`] for a packet of another track; [`Error::Codec`] for broken NAL framing or an AAC frame
    /// of 8 KiB; [`Error::TooLarge`] for another audio frame of 64 KiB. Nothing is written then.
    pub fn write(&mut self, packet: &Packet, out: &mut BytesMut) -> Result<(), Error> {
        if self.video.as_ref().is_some_and(|video| video.id == packet.track) {
            self.write_video(packet, out)
        } else if self.audio.as_ref().is_some_and(|audio| audio.id == packet.track) {
            self.write_audio(packet, out)
        } else {
            Err(Error::NoTrack { container: CONTAINER })
        }
    }

    /// Appends the audio frames that wait: before a slice, a segment or a part ends.
    ///
    /// # Errors
    /// None so far.
    pub fn flush(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        self.release(out);
        self.sound(out);
        Ok(())
    }

    /// Appends the gathered audio frames as one PES packet.
    fn sound(&mut self, out: &mut BytesMut) {
        let Some(audio) = &mut self.audio else { return };
        let Some((start, end)) = audio.gathered.span() else { return };
        let total = audio.gathered.len();
        let header = pes::Header::audio(audio.gathered.stream_id(), start, total);
        let alone = self.video.is_none();
        let pieces = std::iter::once(header.bytes()).chain(audio.gathered.pieces());
        let unit = packet::Unit { random_access: alone, len: header.bytes().len() + total, pieces };
        if alone {
            let pace = self.clock.pace(start, end);
            unit.write(&mut self.audio_stream, Some((&mut self.clock, pace)), out);
        } else {
            self.clock.reach(start, &mut self.video_stream, out);
            unit.write(&mut self.audio_stream, None, out);
        }
        audio.gathered.clear();
    }

    fn write_video(&mut self, packet: &Packet, out: &mut BytesMut) -> Result<(), Error> {
        let Some(video) = &mut self.video else { return Ok(()) };
        let [dts, pts, end] = [packet.dts, packet.pts(), packet.end()].map(|at| on_wire(video.timescale, at));
        if let Some(opening) = &mut self.opening {
            opening.expect_picture(dts);
        }
        if !video.unit.read(packet)? {
            return Ok(());
        }
        // The clock must not pass the frames that are still held.
        if self.audio.as_ref().is_some_and(|audio| audio.gathered.began_before(end - audio::SPAN)) {
            self.sound(out);
        }
        let Some(video) = &mut self.video else { return Ok(()) };
        if self.audio.is_some() {
            self.clock.expect_audio(dts);
        }
        let pace = self.clock.pace(dts, end);
        let header = pes::Header::video(pts, dts, video.unit.len());
        let pieces = std::iter::once(header.bytes()).chain(video.unit.pieces());
        let (random_access, len) = (video.unit.is_random_access(), header.bytes().len() + video.unit.len());
        let unit = packet::Unit { random_access, len, pieces };
        unit.write(&mut self.video_stream, Some((&mut self.clock, pace)), out);
        video.unit.clear();
        if self.opening.as_mut().is_some_and(|opening| opening.is_over(header.states_length())) {
            self.release(out);
        }
        Ok(())
    }

    fn write_audio(&mut self, packet: &Packet, out: &mut BytesMut) -> Result<(), Error> {
        let Some(audio) = &self.audio else { return Ok(()) };
        let frame = audio.gathered.frame(packet)?;
        match &mut self.opening {
            Some(opening) if opening.holds(&frame) => {
                self.clock.hold(frame.start());
                opening.push(frame);
            }
            _ => {
                self.release(out);
                self.gather(frame, out);
            }
        }
        Ok(())
    }

    /// Audio waits no longer for the first pictures of the slice.
    fn release(&mut self, out: &mut BytesMut) {
        let Some(opening) = self.opening.take() else { return };
        self.clock.release();
        for frame in opening.into_frames() {
            self.gather(frame, out);
        }
    }

    fn gather(&mut self, frame: audio::Frame, out: &mut BytesMut) {
        if self.audio.as_ref().is_some_and(|audio| !audio.gathered.takes(&frame)) {
            self.sound(out);
        }
        self.clock.audio_reaches(frame.end());
        if let Some(audio) = &mut self.audio {
            audio.gathered.push(frame);
        }
    }
}

/// Farthest media time, 400,000 years, so that sums of times never overflow.
const FARTHEST: i64 = 1 << 60;

/// `at` in 90 kHz ticks of the wire, before it wraps.
fn on_wire(timescale: Timescale, at: Ticks) -> i64 {
    timescale.convert(at, Timescale::VIDEO).0.clamp(-FARTHEST, FARTHEST) + ORIGIN
}

fn split(tracks: &[Track]) -> Result<(Option<Video>, Option<Audio>), Error> {
    let (mut video, mut audio) = (None, None);
    for track in tracks {
        let twice = match track.id.kind {
            Kind::Video => video.replace(Video::new(track)?).is_some(),
            Kind::Audio => audio.replace(Audio::new(track)?).is_some(),
        };
        if twice {
            return Err(Error::Tracks { container: CONTAINER });
        }
    }
    match (&video, &audio) {
        (None, None) => Err(Error::Tracks { container: CONTAINER }),
        _ => Ok((video, audio)),
    }
}

fn unsupported(track: &Track) -> Error {
    Error::Unsupported { codec: codec::rfc6381(&track.codec), container: CONTAINER }
}

impl Video {
    fn new(track: &Track) -> Result<Self, Error> {
        let signal = Signal::of(&track.codec).ok_or_else(|| unsupported(track))?;
        let unit = AccessUnit::new(track)?.ok_or_else(|| unsupported(track))?;
        Ok(Self { id: track.id, signal, timescale: track.timescale, unit })
    }
}

impl Audio {
    fn new(track: &Track) -> Result<Self, Error> {
        let signal = Signal::of(&track.codec).ok_or_else(|| unsupported(track))?;
        let gathered = Gathered::new(track).ok_or_else(|| unsupported(track))?;
        Ok(Self { id: track.id, signal, gathered })
    }
}
