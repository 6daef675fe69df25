//! Recordings, a folder per format.
//!
//! What all formats share is here: when a file goes on, when it ends, and in which order frames enter it. A
//! `Format` writes them down.

pub mod flv;
pub mod hls;
mod interleave;
mod settings;
#[cfg(test)]
pub(crate) mod story;

use std::time::Duration;

use media::{Gap, Packet, Run, TrackId, Wall};

use crate::{Context, Effects, Error, Event, Output, Saved};
use interleave::Interleave;

pub use settings::{Container, Settings, Slice, Start};

/// A batch of this much media goes out: what a crash can cost (design §5: at most 1 s).
const BATCH_MICROS: i64 = 1_000_000;
/// A batch of this many bytes goes out though it is shorter: bounds memory per recording.
const BATCH_BYTES: usize = 256 * 1024;

/// One container's way to write a recording.
trait Format: Send {
    /// A run begins. Answers the tracks that it takes, the one that decides about cuts first.
    ///
    /// # Errors
    /// When none of the tracks fits.
    fn begin(&mut self, run: &Run, fx: &mut Effects) -> Result<Vec<TrackId>, Error>;
    /// The next frame of the run, in order of DTS over its tracks; opens a file if none is open.
    ///
    /// # Errors
    /// When the recording cannot go on.
    fn write(&mut self, run: &Run, packet: &Packet, fx: &mut Effects) -> Result<(), Error>;
    /// The run ended: everything written so far leaves as effects.
    fn pause(&mut self, run: &Run, fx: &mut Effects);
    /// The file ends; nothing happens when none is open.
    fn close(&mut self, fx: &mut Effects);
    /// Whether a file is open.
    fn is_open(&self) -> bool;
}

/// Opens a recording for a session.
pub(crate) fn open(settings: &Settings, context: &Context) -> Box<dyn Output> {
    match settings.container {
        Container::Flv => Box::new(flv::Flv::new(settings.clone(), context)),
        _ => Box::new(hls::Hls::new(settings.clone(), context)),
    }
}

/// Opens the recording that left `saved`.
pub(crate) fn resume(_context: &Context, _saved: &Saved) -> Option<(Settings, Box<dyn Output>)> {
    None
}

/// A recording: joins runs into one file while the pauses between them are shorter than DelayTime.
struct Recording<F> {
    format: F,
    delay: Duration,
    run: Option<Run>,
    frames: Interleave,
    /// When DelayTime is over; set while the source is gone and a file is open.
    closes_at: Option<Wall>,
}

impl<F: Format> Recording<F> {
    fn new(format: F, delay_s: u32) -> Self {
        let delay = Duration::from_secs(delay_s.into());
        Self { format, delay, run: None, frames: Interleave::default(), closes_at: None }
    }

    fn deadline(&self) -> Option<Wall> {
        self.closes_at
    }

    /// As [`crate::Output::on`]. After an error what was recorded before is complete.
    fn on(&mut self, event: Event<'_>, fx: &mut Effects) -> Result<(), Error> {
        let result = self.take(event, fx);
        if result.is_err() {
            if let Some(run) = self.run.take() {
                self.format.pause(&run, fx);
            }
            self.close(fx);
        }
        result
    }

    fn take(&mut self, event: Event<'_>, fx: &mut Effects) -> Result<(), Error> {
        match event {
            Event::Run(run) => self.begin(run, fx),
            Event::Packet(packet) => {
                if let Some(run) = &self.run {
                    self.frames.push(run, packet);
                }
                self.write(false, fx)
            }
            Event::KeyFrame { .. } => Ok(()),
            Event::Gap(why, at) => self.gap(why, at, fx),
            Event::Tick(now) => {
                if self.closes_at.is_some_and(|at| at <= now) {
                    self.close(fx);
                }
                Ok(())
            }
            Event::Answer(_) | Event::Blocked(_) | Event::Unblocked(_) => Ok(()),
            Event::Suspend(_) | Event::End(_) => {
                self.pause(fx)?;
                self.close(fx);
                Ok(())
            }
        }
    }

    fn begin(&mut self, run: &Run, fx: &mut Effects) -> Result<(), Error> {
        self.pause(fx)?;
        // A publisher who comes back too late finds the file closed, even if nobody ticked in between.
        if self.closes_at.is_some_and(|at| at <= run.wall) {
            self.close(fx);
        }
        self.closes_at = None;
        self.frames = Interleave::of(&self.format.begin(run, fx)?);
        self.run = Some(run.clone());
        Ok(())
    }

    fn gap(&mut self, why: Gap, at: Wall, fx: &mut Effects) -> Result<(), Error> {
        self.pause(fx)?;
        if why.source_gone() && self.format.is_open() {
            self.closes_at = Some(at.plus(self.delay));
        }
        Ok(())
    }

    fn pause(&mut self, fx: &mut Effects) -> Result<(), Error> {
        self.write(true, fx)?;
        if let Some(run) = self.run.take() {
            self.format.pause(&run, fx);
        }
        Ok(())
    }

    fn write(&mut self, all: bool, fx: &mut Effects) -> Result<(), Error> {
        let Some(run) = &self.run else { return Ok(()) };
        while let Some(packet) = self.frames.pop(all) {
            self.format.write(run, &packet, fx)?;
        }
        Ok(())
    }

    fn close(&mut self, fx: &mut Effects) {
        self.closes_at = None;
        self.format.close(fx);
    }
}

/// Where a packet begins and ends on the session's timeline, in microseconds; `None` if the run has no such track.
fn span(run: &Run, packet: &Packet) -> Option<(i64, i64)> {
    let track = run.track(packet.track)?;
    Some((track.timescale.micros(packet.dts), track.timescale.micros(packet.end())))
}

/// When a packet is shown, in microseconds on the session's timeline, if it is a key frame. Key frames are as far
/// apart as they are shown: that of an open GOP is decoded earlier than an IDR would be.
fn key_shown(run: &Run, packet: &Packet) -> Option<i64> {
    let track = run.track(packet.track).filter(|_| packet.key)?;
    Some(track.timescale.micros(packet.pts()))
}

/// Wall time of `at` microseconds on the session's timeline, as `run` anchors it.
fn wall_at(run: &Run, at: i64) -> Wall {
    run.wall.plus_micros(at.saturating_sub(run.start))
}
