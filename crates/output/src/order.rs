use serde::{Deserialize, Serialize};

use crate::record::Container;

/// What an operator orders of a recording (RealTimeRecordCommand, `reference/api-alibaba-live.md` §2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Begin.
    Start,
    /// Pause; the file closes after DelayTime.
    Stop,
    /// Close the file and begin a new one.
    Restart,
    /// After [`Order::Stop`] or the end of the source: close the file at once.
    CancelDelay,
}

/// Why an [`Order`] was not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It runs already.
    #[error("the recording has already been started")]
    AlreadyStarted,
}

/// What an OnDemandUrl is asked about (`reference/api-callbacks.md` §2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// Whether the picture is H.265; else it counts as H.264.
    pub hevc: bool,
    /// Rate of the video, in kilobits a second.
    pub kbps: u32,
}

/// What it answered. Anything but a well-formed yes is a no.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether to record.
    pub record: bool,
    /// Formats to which the template's are limited; `None`: all.
    pub formats: Option<Vec<Container>>,
    /// CycleDuration in seconds, of the formats named.
    pub cycles: Vec<(Container, u32)>,
}
