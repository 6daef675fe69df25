//! Sound that came before the run that can take it.

use std::collections::VecDeque;

use media::TrackId;

use crate::demux::Frame;

/// Most sound that waits for a key frame, in milliseconds: the longest GOP that is usual.
const MOST_MILLIS: i64 = 10_000;
/// Most bytes of it.
const MOST_BYTES: usize = 4 << 20;

/// Frames of a track that the current run does not have, until a key frame begins the next one. Beyond its bounds the
/// oldest go.
#[derive(Debug, Default)]
pub(crate) struct Early {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl Early {
    /// Takes a frame; answers how many had to go for it.
    pub(crate) fn push(&mut self, frame: Frame) -> u64 {
        let earliest = frame.millis - MOST_MILLIS;
        self.bytes += frame.data.len();
        self.frames.push_back(frame);
        let mut gone = 0;
        while let Some(first) =
            self.frames.pop_front_if(|first| first.millis < earliest || self.bytes > MOST_BYTES)
        {
            self.bytes -= first.data.len();
            gone += 1;
        }
        gone
    }

    /// The sound of `track` has a new format: answers how many of its frames nothing can take any more.
    pub(crate) fn forget(&mut self, track: TrackId) -> u64 {
        let (gone, stay) = self.take().into_iter().partition::<VecDeque<_>, _>(|frame| frame.track == track);
        self.bytes = stay.iter().map(|frame| frame.data.len()).sum();
        self.frames = stay;
        gone.len() as u64
    }

    /// All that waits, in order of arrival.
    pub(crate) fn take(&mut self) -> VecDeque<Frame> {
        self.bytes = 0;
        std::mem::take(&mut self.frames)
    }
}
