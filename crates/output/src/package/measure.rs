//! What the multivariant playlist says of bit rate and frame rate, measured.

use media::Ratio;

/// Frame rates that streams have when their timestamps only say nearly so (packaging-rules §5).
const USUAL: [Ratio; 8] = [
    Ratio { num: 24_000, den: 1001 },
    Ratio { num: 24, den: 1 },
    Ratio { num: 25, den: 1 },
    Ratio { num: 30_000, den: 1001 },
    Ratio { num: 30, den: 1 },
    Ratio { num: 50, den: 1 },
    Ratio { num: 60_000, den: 1001 },
    Ratio { num: 60, den: 1 },
];

/// What a variant states, in bits per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bandwidth {
    /// BANDWIDTH.
    pub peak: u64,
    /// AVERAGE-BANDWIDTH.
    pub average: u64,
}

impl Bandwidth {
    /// Both together with those of what is played beside it.
    pub(super) fn with(self, other: Option<Self>) -> Self {
        let other = other.unwrap_or_default();
        Self {
            peak: self.peak.saturating_add(other.peak),
            average: self.average.saturating_add(other.average),
        }
    }
}

/// Bit rates of one rendition.
#[derive(Clone, Debug, Default)]
pub(super) struct Rates {
    bytes: u64,
    micros: u64,
    group_bytes: u64,
    group_micros: u64,
    peak: u64,
}

impl Rates {
    /// A segment: its bytes and microseconds. Segments shorter than half the target duration are measured
    /// together with the next ones (packaging-rules H-21).
    pub(super) fn add(&mut self, bytes: u64, micros: i64, target_s: u64) {
        let micros = u64::try_from(micros).unwrap_or(0);
        self.bytes += bytes;
        self.micros += micros;
        self.group_bytes += bytes;
        self.group_micros += micros;
        if self.group_micros >= target_s.saturating_mul(500_000) {
            self.peak = self.peak.max(bits_per_second(self.group_bytes, self.group_micros));
            (self.group_bytes, self.group_micros) = (0, 0);
        }
    }

    /// What it is so far. BANDWIDTH is the peak and a quarter, because players read it once (packaging-rules
    /// H-21).
    pub(super) fn bandwidth(&self) -> Bandwidth {
        let average = bits_per_second(self.bytes, self.micros).max(1);
        let peak = if self.peak == 0 { average } else { self.peak };
        Bandwidth { peak: peak.saturating_add(peak.div_ceil(4)), average }
    }
}

fn bits_per_second(bytes: u64, micros: u64) -> u64 {
    let bits = u128::from(bytes) * 8 * 1_000_000;
    u64::try_from(bits.div_ceil(u128::from(micros.max(1)))).unwrap_or(u64::MAX)
}

/// The frame rate of `frames` that last `micros`, snapped to a usual one within 0.5 % (packaging-rules §5).
pub(crate) fn frame_rate(frames: usize, micros: i64) -> Option<Ratio> {
    let micros = u128::try_from(micros).ok().filter(|&us| us > 0)?;
    let millihertz = (frames as u128 * 1_000_000_000 + micros / 2) / micros;
    let observed = Ratio { num: u32::try_from(millihertz).ok().filter(|&n| n > 0)?, den: 1000 };
    let nearest = USUAL.into_iter().map(|usual| (off(usual, observed), usual)).min_by_key(|(off, _)| *off);
    Some(nearest.filter(|&(off, _)| off <= 5_000).map_or(observed, |(_, usual)| usual))
}

/// Whether a frame rate that the stream states can be one: some encoders state their timescale.
pub(super) fn plausible(rate: Ratio) -> bool {
    rate.den > 0 && (1..=300).contains(&rate.num.div_ceil(rate.den))
}

/// How far `b` is off `a`, in millionths.
fn off(a: Ratio, b: Ratio) -> u64 {
    let (a, b) = (u64::from(a.num) * u64::from(b.den), u64::from(b.num) * u64::from(a.den));
    a.abs_diff(b).saturating_mul(1_000_000) / a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn snaps(frames: usize, micros: i64, num: u32, den: u32) {
        assert_eq!(frame_rate(frames, micros), Some(Ratio { num, den }));
    }

    #[test]
    fn frame_rates_snap_to_the_usual_ones() {
        snaps(50, 2_000_000, 25, 1);
        snaps(60, 2_002_000, 30_000, 1001);
        snaps(48, 2_002_000, 24_000, 1001);
        snaps(120, 2_002_000, 60_000, 1001);
        snaps(60, 2_000_100, 30, 1);
        snaps(30, 2_000_000, 15_000, 1000);
        assert_eq!(frame_rate(10, 0), None);
        assert_eq!(frame_rate(0, 1), None);
    }

    #[test]
    fn bandwidth_is_the_peak_and_a_quarter() {
        let mut rates = Rates::default();
        rates.add(250_000, 2_000_000, 3);
        assert_eq!(rates.bandwidth(), Bandwidth { peak: 1_250_000, average: 1_000_000 });
        rates.add(500_000, 2_000_000, 3);
        rates.add(250_000, 2_000_000, 3);
        assert_eq!(rates.bandwidth(), Bandwidth { peak: 2_500_000, average: 1_333_334 });
    }

    #[test]
    fn a_short_segment_is_measured_with_its_neighbours() {
        let mut rates = Rates::default();
        rates.add(100_000, 100_000, 4);
        assert_eq!(rates.bandwidth().peak, 10_000_000);
        rates.add(150_000, 1_900_000, 4);
        assert_eq!(rates.bandwidth().peak, 1_250_000);
    }
}
