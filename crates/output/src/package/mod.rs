//! package

use crate::{Context, Effects, Error, Event, Output};

/// What the template asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How it is packaged.
    pub protocol: Protocol,
    /// SegmentNum: segments in the playlist, 3 to 10.
    pub segment_count: u32,
    /// SegmentDuration in seconds.
    pub segment_duration_s: u32,
    /// Seconds after which a source that is gone stays gone.
    pub reconnect_window_s: u32,
}

/// The output.
pub struct Package {}

impl Package {
    /// Opens it for a session.
    pub fn new(_settings: Settings, _context: &Context) -> Self {
        Self {}
    }
}

impl Output for Package {
    fn on(&mut self, _event: Event<'_>, _fx: &mut Effects) -> Result<(), Error> {
        Ok(())
    }
}

/// Seed `004_0006f455261b9fff.txt`, Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HLS over CMAF.
    HlsCmaf,
}
