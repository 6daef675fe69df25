use std::num::NonZeroU32;
use std::time::Duration;

/// Wall clock: microseconds since 1970-01-01T00:00:00Z. A value; only shells read clocks.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Wall(pub i64);

impl Wall {
    /// Microseconds from `earlier` to this moment, negative when it is the other way round.
    pub fn micros_since(self, earlier: Wall) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment moved by `micros`, forward when positive.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Wall {
        Wall(self.0.saturating_add(micros))
    }

    /// This moment plus `d`.
    #[must_use]
    pub fn plus(self, d: Duration) -> Wall {
        self.plus_micros(i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
    }

    /// Whole seconds since 1970, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

/// A moment or a span of media time, in ticks of its track's [`Timescale`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(pub i64);

/// Ticks per second of a track. 90,000 for video, the sample rate for audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timescale(NonZeroU32);

impl Timescale {
    /// 90 kHz: every video track's.
    pub const VIDEO: Timescale = Timescale(NonZeroU32::new(90_000).unwrap());
    /// One tick a microsecond: for comparing tracks.
    pub const MICROS: Timescale = Timescale(NonZeroU32::new(1_000_000).unwrap());
    /// One tick a millisecond: RTMP's and FLV's.
    pub const MILLIS: Timescale = Timescale(NonZeroU32::new(1_000).unwrap());

    /// `hz` ticks a second; `None` for 0.
    pub fn new(hz: u32) -> Option<Self> {
        NonZeroU32::new(hz).map(Self)
    }

    /// Ticks per second.
    pub fn hz(self) -> u32 {
        self.0.get()
    }

    /// `ticks` of this timescale in ticks of `to`, rounded to the nearest, halves away from zero. What does not
    /// fit becomes the farthest moment that does.
    pub fn convert(self, ticks: Ticks, to: Timescale) -> Ticks {
        // Several times for every packet, and dividing 128 bits costs as much as the rest of it.
        let half = i64::from(self.hz() / 2);
        let scaled = ticks.0.checked_mul(i64::from(to.hz()));
        match scaled.and_then(|scaled| scaled.checked_add(if scaled < 0 { -half } else { half })) {
            Some(scaled) => Ticks(scaled / i64::from(self.hz())),
            None => self.convert_wide(ticks, to),
        }
    }

    #[cold]
    fn convert_wide(self, ticks: Ticks, to: Timescale) -> Ticks {
        let (from, to) = (i128::from(self.hz()), i128::from(to.hz()));
        let scaled = i128::from(ticks.0) * to;
        let half = if scaled < 0 { -(from / 2) } else { from / 2 };
        let farthest = if scaled < 0 { i64::MIN } else { i64::MAX };
        Ticks(i64::try_from((scaled + half) / from).unwrap_or(farthest))
    }

    /// `ticks` of this timescale in microseconds, rounded to the nearest.
    pub fn micros(self, ticks: Ticks) -> i64 {
        self.convert(ticks, Self::MICROS).0
    }

    /// The ticks of this timescale nearest to `micros` microseconds.
    pub fn from_micros(self, micros: i64) -> Ticks {
        Self::MICROS.convert(Ticks(micros), self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversion_rounds_to_the_nearest_tick() {
        let rate = Timescale::new(44_100).unwrap();
        assert_eq!(Timescale::MILLIS.convert(Ticks(1), rate), Ticks(44));
        assert_eq!(Timescale::MILLIS.convert(Ticks(-1), rate), Ticks(-44));
        assert_eq!(rate.convert(Ticks(1024), Timescale::VIDEO), Ticks(2090));
        assert_eq!(Timescale::VIDEO.micros(Ticks(90_000)), 1_000_000);
        assert_eq!(Timescale::VIDEO.from_micros(33_333), Ticks(3_000));
    }

    #[test]
    fn conversion_of_far_moments_is_exact_and_saturates() {
        let far = 1 << 62;
        assert_eq!(Timescale::MICROS.convert(Ticks(far), Timescale::VIDEO), Ticks(415_051_741_658_464_911));
        assert_eq!(Timescale::MICROS.convert(Ticks(-far), Timescale::VIDEO), Ticks(-415_051_741_658_464_911));
        assert_eq!(Timescale::VIDEO.convert(Ticks(i64::MAX), Timescale::VIDEO), Ticks(i64::MAX));
        assert_eq!(Timescale::VIDEO.micros(Ticks(far)), i64::MAX);
        assert_eq!(Timescale::VIDEO.micros(Ticks(-far)), i64::MIN);
    }

    #[test]
    fn seconds_of_a_moment_before_1970_round_down() {
        assert_eq!(Wall(-1).unix_seconds(), -1);
        assert_eq!(Wall(1_999_999).unix_seconds(), 1);
    }
}
