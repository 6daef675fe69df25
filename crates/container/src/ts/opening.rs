use super::MS;
use super::audio::Frame;

/// How long sound waits after the first picture, in 90 kHz ticks: what waits longer would reach a decoder too late
/// (the clock leads by at most 700 ms, packaging-rules T-03).
const PATIENCE: i64 = 500 * MS;

/// The first pictures of a slice, and sound that waits for them.
///
/// FFmpeg takes the DTS of the first frame that its parsers hand out as the time at which a playlist begins, and seeks
/// by it. Its parser of pictures hands one out only when it has met the next, that of sound at once: sound that came
/// between the two would be first, and seeking would leave out each key frame that is earlier than that sound.
#[derive(Debug, Default)]
pub(super) struct Opening {
    pictures: usize,
    /// Sound that ends here or later waits no longer; not known before the first picture.
    until: Option<i64>,
    waiting: Vec<Frame>,
}

impl Opening {
    /// A picture comes that is decoded at `dts`.
    pub(super) fn expect_picture(&mut self, dts: i64) {
        self.until.get_or_insert(dts + PATIENCE);
    }

    /// A picture was written. True if a reader can have the first one now: when the next is there whole, which it
    /// knows by its length or, if none was stated, by the one after that.
    pub(super) fn is_over(&mut self, length_stated: bool) -> bool {
        self.pictures += 1;
        self.pictures > if length_stated { 1 } else { 2 }
    }

    /// Whether `frame` has to wait.
    pub(super) fn holds(&self, frame: &Frame) -> bool {
        self.until.is_none_or(|until| frame.end() < until)
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.waiting.push(frame);
    }

    /// Bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.iter().map(Frame::len).sum()
    }

    pub(super) fn into_frames(self) -> Vec<Frame> {
        self.waiting
    }
}
