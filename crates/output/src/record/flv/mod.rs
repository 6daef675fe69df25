//! record::flv

use crate::{Context, Effects, Error, Event, Output};

/// What the template asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where files go.
    pub store: crate::Bucket,
    /// CycleDuration in seconds.
    pub cycle_duration_s: u32,
    /// OssObjectPrefix.
    pub name: crate::name::Name,
    /// DelayTime in seconds.
    pub delay_s: u32,
    /// Offset of the times in names from UTC, in seconds.
    pub utc_offset: i32,
}

/// The output.
pub struct Flv {}

impl Flv {
    /// Opens it for a session.
    pub fn new(_settings: Settings, _context: &Context) -> Self {
        Self {}
    }
}

impl Output for Flv {
    fn on(&mut self, _event: Event<'_>, _fx: &mut Effects) -> Result<(), Error> {
        Ok(())
    }
}
