use bytes::BytesMut;

use super::MS;
use super::packet::{Field, PACKET, Stream};

/// How far the clock runs before decode times: what a decoder may buffer (packaging-rules T-03).
const LEAD: i64 = 200 * MS;
/// The most it does when audio lags behind video: T-03's upper bound.
const MAX_LEAD: i64 = 700 * MS;
/// Longest time between two PCRs (T-02).
const INTERVAL: i64 = 40 * MS;
/// Longest part of a frame over which the clock runs ahead of its decode time, so that it stays before audio
/// that comes after a very long frame.
const MAX_SPREAD: i64 = LEAD - INTERVAL;
/// A longer silence is not filled with PCRs: they would be more than 47 kB at once.
const MAX_FILL: i64 = 10_000 * MS;

/// The program clock: which PCR comes next. Times are 90 kHz ticks of the wire, before they wrap.
#[derive(Debug, Default)]
pub(super) struct Clock {
    last: Option<i64>,
    /// Where the next audio frame begins, as far as known.
    audio: Option<i64>,
    /// Where the first audio frame begins that is held back.
    held: Option<i64>,
    discontinuity: bool,
}

/// The clock over one PES packet: at its first and after its last byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    from: i64,
    to: i64,
}

impl Clock {
    /// A new timeline: the next PCR says so (T-11).
    pub(super) fn restart(&mut self) {
        *self = Self { discontinuity: true, ..Self::default() };
    }

    /// Audio of this run may begin at `start`, unless it is known already.
    pub(super) fn expect_audio(&mut self, start: i64) {
        self.audio.get_or_insert(start);
    }

    /// Audio is known up to `end`.
    pub(super) fn audio_reaches(&mut self, end: i64) {
        self.audio = Some(end);
    }

    /// Audio that begins at `start` comes later than its time.
    pub(super) fn hold(&mut self, start: i64) {
        self.held.get_or_insert(start);
    }

    /// Nothing is held back any more.
    pub(super) fn release(&mut self) {
        self.held = None;
    }

    /// The pace over a PES packet that is decoded from `start` to `end`.
    pub(super) fn pace(&self, start: i64, end: i64) -> Pace {
        let from = self.at(start);
        Pace { from, to: self.at(end.min(start + MAX_SPREAD)).max(from) }
    }

    /// What the packet of `stream` that begins at byte `sent` of `len` says of the clock: a PCR if it is the
    /// first, or if the next one would be late. If this one is late already, packets that hold nothing but a
    /// PCR go before it.
    pub(super) fn stamp(
        &mut self,
        pace: &Pace,
        sent: usize,
        len: usize,
        stream: &mut Stream,
        out: &mut BytesMut,
    ) -> Field {
        let now = pace.at(sent, len);
        let Some(last) = self.fill(now, stream, out) else { return self.tick(now) };
        let due = sent == 0 || pace.at((sent + PACKET).min(len), len) - last > INTERVAL;
        if due && now > last { self.tick(now) } else { Field::default() }
    }

    /// Audio that begins at `start` is next, in packets without PCR: what it needs of the clock goes before it, in
    /// packets of `stream` that hold nothing else. While pictures come they have said it already.
    pub(super) fn reach(&mut self, start: i64, stream: &mut Stream, out: &mut BytesMut) {
        let now = self.at(start);
        if self.fill(now, stream, out).is_none_or(|last| now - last > INTERVAL) {
            let field = self.tick(now);
            stream.field_only(field, out);
        }
    }

    /// PCRs until the next one is not late at `now`, unless the silence was too long. The answer is the last one
    /// so far.
    fn fill(&mut self, now: i64, stream: &mut Stream, out: &mut BytesMut) -> Option<i64> {
        let mut last = self.last?;
        if now - last <= MAX_FILL {
            while now - last > INTERVAL {
                last += INTERVAL;
                let field = self.tick(last);
                stream.field_only(field, out);
            }
        }
        Some(last)
    }

    /// The clock when what decodes at `at` is sent: before it, before the next audio frame, never backwards.
    fn at(&self, at: i64) -> i64 {
        let audio = self.audio.map_or(i64::MAX, |audio| audio.max(at - MAX_LEAD));
        let held = self.held.map_or(i64::MAX, |start| start - LEAD);
        (at - LEAD).min(audio).min(held).max(self.last.unwrap_or(i64::MIN))
    }

    fn tick(&mut self, now: i64) -> Field {
        self.last = Some(now);
        Field { discontinuity: std::mem::take(&mut self.discontinuity), pcr: Some(now), ..Field::default() }
    }
}

impl Pace {
    /// The clock at byte `sent` of `len`.
    fn at(&self, sent: usize, len: usize) -> i64 {
        let part = i128::from(self.to - self.from) * sent as i128 / len.max(1) as i128;
        self.from + part as i64
    }
}
