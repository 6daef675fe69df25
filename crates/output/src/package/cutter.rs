//! Where segments end (design §8). Sees times of the leading track only: video, or audio when it is alone.

/// How far before SegmentDuration a key frame still counts as being at it, in microseconds: RTMP rounds both
/// ends of the span to milliseconds, and a 2 s GOP must not become 4 s segments for that.
const ROUNDING_US: i64 = 2_000;
/// Longest wait for the second key frame before something is published, in microseconds (design §8). Then the
/// GOP is taken to be this long, which is OBS's default of 250 frames at 25 fps.
const FIRST_WAIT_US: i64 = 10_000_000;
/// Most that one frame adds to the target duration, in microseconds: a stall must not count as a frame.
const LONGEST_FRAME_US: i64 = 200_000;

/// A place to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Where the segment that ends here began, in microseconds on the session's timeline.
    pub from: i64,
    /// Where to cut, on the same timeline.
    pub at: i64,
    /// Whether no key frame is there, though the leading track has frames.
    pub forced: bool,
}

/// Decides the cuts of one list and its target duration.
#[derive(Clone, Debug)]
pub(super) struct Cutter {
    segment_us: i64,
    target_s: Option<u64>,
    start: i64,
    /// When the frame at `start` is shown.
    start_shown: i64,
    last_key: i64,
    last_key_shown: i64,
    gop: i64,
    frame: i64,
    waited: bool,
    looks_back: bool,
}

impl Cutter {
    /// For a list with this SegmentDuration.
    pub(super) fn new(segment_duration_s: u32) -> Self {
        let segment_us = i64::from(segment_duration_s.max(1)) * 1_000_000;
        Self {
            segment_us,
            target_s: None,
            start: 0,
            start_shown: 0,
            last_key: 0,
            last_key_shown: 0,
            gop: 0,
            frame: 0,
            waited: false,
            looks_back: true,
        }
    }

    /// Cuts at the next frame at the earliest: what is before it may be published.
    pub(super) fn onward(self) -> Self {
        Self { looks_back: false, ..self }
    }

    /// A run begins with a key frame at `at`. What is known of earlier GOPs stays.
    pub(super) fn begin(&mut self, at: i64) {
        (self.start, self.start_shown) = (at, at);
        (self.last_key, self.last_key_shown) = (at, at);
    }

    /// Where the open segment begins.
    pub(super) fn start(&self) -> i64 {
        self.start
    }

    /// TARGETDURATION once it is fixed.
    pub(super) fn target_s(&self) -> Option<u64> {
        self.target_s
    }

    /// A frame from `at` to `end` is next, `shown` is its presentation time if decoding can start at it: where to
    /// cut before it. Ask again until the answer is `None`.
    ///
    /// Key frames are as far apart as they are shown: that of an open GOP is decoded earlier than an IDR would be,
    /// before the pictures that lead to it.
    pub(super) fn before(&mut self, at: i64, end: i64, shown: Option<i64>) -> Option<Cut> {
        self.frame = (end - at).min(LONGEST_FRAME_US);
        if self.outgrown(at) {
            return Some(self.lapse());
        }
        if let Some(shown) = shown {
            let due = self.due(at, shown);
            // One that is too early to cut at is a place to come back to if the next is too late.
            self.gop = self.gop.max(shown - self.last_key_shown);
            (self.last_key, self.last_key_shown) = (at, shown);
            if due {
                return Some(self.cut(at, shown, false));
            }
        }
        if self.outgrown(end) { self.last_resort(at) } else { None }
    }

    /// A key frame that is decoded at `at` and shown at `shown` has come, but not yet how long it lasts: where to cut
    /// before it. Whether it calls for anything else [`Self::before`] says once that is known.
    pub(super) fn before_key(&mut self, at: i64, shown: i64) -> Option<Cut> {
        if self.outgrown(at) || !self.due(at, shown) {
            return None;
        }
        self.gop = self.gop.max(shown - self.last_key_shown);
        (self.last_key, self.last_key_shown) = (at, shown);
        Some(self.cut(at, shown, false))
    }

    /// Whether a segment ends at a key frame.
    fn due(&self, at: i64, shown: i64) -> bool {
        at > self.start && shown - self.start_shown + ROUNDING_US >= self.segment_us
    }

    /// The leading track has nothing where the segment must end: cut there, or at its last key frame.
    pub(super) fn lapse(&mut self) -> Cut {
        self.waited |= self.target_s.is_none();
        if self.may_return() {
            return self.cut(self.last_key, self.last_key_shown, false);
        }
        let at = self.start + self.limit();
        self.cut(at, at, false)
    }

    /// Cuts at `at` though nothing there calls for it.
    pub(super) fn force(&mut self, at: i64) -> Cut {
        self.cut(at, at, true)
    }

    /// Whether a segment that ends at `end` is longer than the target duration allows.
    pub(super) fn outgrown(&self, end: i64) -> bool {
        end - self.start > self.limit()
    }

    /// The longest segment, in microseconds. Until the target duration is fixed there is time to see a GOP.
    pub(super) fn limit(&self) -> i64 {
        match self.target_s {
            Some(s) => i64::try_from(s).unwrap_or(i64::MAX / 1_000_000).saturating_mul(1_000_000),
            None => micros(self.target_of(self.gop)).max(FIRST_WAIT_US),
        }
    }

    /// Fixes the target duration, now that segments are published of which the longest lasts `longest` us. It
    /// is the longest GOP times the GOPs of a segment plus a frame, rounded up (packaging-rules Q1, H-12).
    pub(super) fn freeze(&mut self, longest: i64) -> u64 {
        let gop = match (self.waited, self.gop) {
            (true, gop) => gop.max(FIRST_WAIT_US),
            (false, 0) => longest,
            (false, gop) => gop,
        };
        let formula = self.target_of(gop);
        *self.target_s.get_or_insert(formula.max(whole_seconds(longest)).max(1))
    }

    /// The frame does not fit any more: cut at the last key frame, else at the frame itself.
    fn last_resort(&mut self, at: i64) -> Option<Cut> {
        if self.may_return() {
            return Some(self.lapse());
        }
        self.waited |= self.target_s.is_none();
        (at > self.start).then(|| self.cut(at, at, true))
    }

    /// Whether there is a key frame to come back to.
    fn may_return(&self) -> bool {
        self.looks_back && self.last_key > self.start
    }

    fn cut(&mut self, at: i64, shown: i64, forced: bool) -> Cut {
        self.start_shown = shown;
        let from = std::mem::replace(&mut self.start, at);
        Cut { from, at, forced }
    }

    fn target_of(&self, gop: i64) -> u64 {
        if gop <= 0 {
            return 0;
        }
        let gops = (self.segment_us - ROUNDING_US).div_euclid(gop)
            + i64::from((self.segment_us - ROUNDING_US).rem_euclid(gop) > 0);
        whole_seconds(gop.saturating_mul(gops.max(1)).saturating_add(self.frame))
    }
}

fn whole_seconds(us: i64) -> u64 {
    u64::try_from(us).map_or(0, |us| us.div_ceil(1_000_000))
}

fn micros(s: u64) -> i64 {
    i64::try_from(s.saturating_mul(1_000_000)).unwrap_or(i64::MAX)
}
