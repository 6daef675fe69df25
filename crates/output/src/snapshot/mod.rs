//! Snapshots: a JPEG of the first key frame, then of the first key frame at or after each point of a grid; the first
//! picture of an open GOP counts as one.
//!
//! The grid is laid once, at the session's first key frame, and counts wall time as runs anchor it, so pauses
//! between runs pass on it like everything else. A capture that is late because key frames are rare does not
//! move the points after it, and points without a key frame of their own are skipped, never caught up. A wall
//! clock that was set back costs no picture: a point more than an interval ahead counts as reached.

use std::sync::Arc;

use media::{Packet, Run, StreamId, Wall};

use crate::name::{Name, Values};
use crate::{Bucket, Context, Effect, Effects, Error, Event, Keyframe, Object, Output};

#[cfg(test)]
mod tests;

/// What the template asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where pictures go.
    pub store: Bucket,
    /// TimeInterval in seconds.
    pub interval_s: u32,
    /// How objects are named.
    pub naming: Naming,
    /// Counter behind `{Sequence}` in [`crate::Memory`]: the number of the next picture.
    pub counter: Arc<str>,
    /// Offset of local times in names from UTC, in seconds.
    pub utc_offset: i32,
}

/// Seed `000_f7078a5cb00af4b6.txt`: one of the two.
#[derive(Clone, Debug, PartialEq)]
pub enum Naming {
    /// OverwriteOssObject: each picture replaces the one before.
    Overwrite(Name),
    /// SequenceOssObject: each picture is an object of its own.
    Sequence(Name),
}

/// The output.
pub struct Snapshot {
    settings: Settings,
    stream: StreamId,
    run: Option<Run>,
    sequence: u64,
    /// The earliest moment of the next picture; `None` before the first.
    next: Option<Wall>,
}

impl Snapshot {
    /// Opens it for a session.
    pub fn new(settings: Settings, context: &Context) -> Self {
        let sequence = context.memory.get(&settings.counter).copied().unwrap_or(0);
        Self { settings, stream: context.stream.clone(), run: None, sequence, next: None }
    }

    fn capture(&mut self, run: &Run, packet: &Packet, fx: &mut Effects) {
        let Some(track) = run.video().filter(|track| track.id == packet.track) else { return };
        let at = run.wall_at(packet.pts(), track.timescale);
        // The picture that an open GOP begins with stands alone as well as a key frame does.
        let alone = packet.key || packet.recovery == Some(0);
        if !alone || !self.is_due(at) {
            return;
        }
        self.next = Some(self.point_after(at));
        let frame = Keyframe { codec: track.codec.clone(), data: packet.data.clone() };
        let to = Object { bucket: self.settings.store.clone(), key: self.key(at) };
        let overwrite = matches!(self.settings.naming, Naming::Overwrite(_));
        fx.push(Effect::Picture { frame, to, at, overwrite });
        if let Naming::Sequence(_) = self.settings.naming {
            self.sequence += 1;
            let counter = self.settings.counter.clone();
            fx.push(Effect::Remember { counter, value: self.sequence });
        }
    }

    fn interval(&self) -> i64 {
        i64::from(self.settings.interval_s.max(1)) * 1_000_000
    }

    fn is_due(&self, at: Wall) -> bool {
        let left = self.next.map_or(0, |next| next.micros_since(at));
        left <= 0 || left > self.interval()
    }

    /// The first point of the grid after `at`.
    fn point_after(&self, at: Wall) -> Wall {
        let point = self.next.unwrap_or(at);
        let passed = at.micros_since(point).div_euclid(self.interval()).saturating_add(1);
        point.plus_micros(passed.saturating_mul(self.interval()))
    }

    fn key(&self, at: Wall) -> String {
        let (Naming::Overwrite(name) | Naming::Sequence(name)) = &self.settings.naming;
        name.expand(&Values {
            stream: &self.stream,
            unix: at.unix_seconds(),
            sequence: self.sequence,
            start: at,
            end: at,
            utc_offset: self.settings.utc_offset,
        })
    }
}

impl Output for Snapshot {
    fn on(&mut self, event: Event<'_>, fx: &mut Effects) -> Result<(), Error> {
        match event {
            Event::Run(run) => self.run = Some(run.clone()),
            Event::Packet(packet) => {
                if let Some(run) = self.run.take() {
                    self.capture(&run, packet, fx);
                    self.run = Some(run);
                }
            }
            Event::Gap(..) | Event::Suspend(_) | Event::End(_) => self.run = None,
            Event::KeyFrame { .. }
            | Event::Tick(_)
            | Event::Answer(_)
            | Event::Blocked(_)
            | Event::Unblocked(_) => {}
        }
        Ok(())
    }
}
