//! Recordings, a folder per format.
//!
//! What all formats share is here: when a file goes on, when it ends, in which order frames enter it, and how it
//! survives our restart (`recording`). A `format::Format` writes them down.

mod book;
mod cmaf;
pub mod flv;
mod format;
mod fragments;
mod gate;
pub mod hls;
mod interleave;
mod mp4;
mod recording;
mod saved;
mod settings;
#[cfg(test)]
pub(crate) mod story;
#[cfg(test)]
mod tests;

use media::{Packet, Run, Wall};

use crate::{Context, Output, Saved};
use format::Format;
use recording::Recording;

pub use settings::{Container, Settings, Slice, Start};

/// A batch of this much media goes out. With a sync every half second a crash costs at most the last second
/// (design §5).
const BATCH_MICROS: i64 = 500_000;
/// Key frames that come within this many microseconds of each other are waited for; in streams that have fewer, files
/// and slices may also begin at recovery points.
const KEYLESS_MICROS: i64 = 5_000_000;
/// A batch of this many bytes goes out though it is shorter: bounds memory per recording.
const BATCH_BYTES: usize = 256 * 1024;

/// Opens a recording for a session.
pub(crate) fn open(settings: &Settings, context: &Context) -> Box<dyn Output> {
    match settings.container {
        Container::M3u8 => opened::<hls::Slices>(settings, context),
        Container::Flv => opened::<flv::Tags>(settings, context),
        Container::Mp4 => opened::<mp4::Mp4>(settings, context),
        Container::Cmaf => opened::<cmaf::Cmaf>(settings, context),
    }
}

/// Opens the recording that left `saved`.
pub(crate) fn resume(context: &Context, saved: &Saved) -> Option<(Settings, Box<dyn Output>)> {
    match saved::fresh(saved)?.settings.container {
        Container::M3u8 => resumed::<hls::Slices>(context, saved),
        Container::Flv => resumed::<flv::Tags>(context, saved),
        Container::Mp4 => resumed::<mp4::Mp4>(context, saved),
        Container::Cmaf => resumed::<cmaf::Cmaf>(context, saved),
    }
}

fn opened<F: Format + 'static>(settings: &Settings, context: &Context) -> Box<dyn Output> {
    Box::new(Recording::<F>::new(settings.clone(), context))
}

fn resumed<F: Format + 'static>(context: &Context, saved: &Saved) -> Option<(Settings, Box<dyn Output>)> {
    let recording = Recording::<F>::resume(context, saved)?;
    Some((recording.settings().clone(), Box::new(recording)))
}

/// Where a packet begins and ends on the session's timeline, in microseconds; `None` if the run has no such track.
fn span(run: &Run, packet: &Packet) -> Option<(i64, i64)> {
    let track = run.track(packet.track)?;
    Some((track.timescale.micros(packet.dts), track.timescale.micros(packet.end())))
}

/// Wall time of `at` microseconds on the session's timeline, as `run` anchors it.
fn wall_at(run: &Run, at: i64) -> Wall {
    run.wall.plus_micros(at.saturating_sub(run.start))
}
