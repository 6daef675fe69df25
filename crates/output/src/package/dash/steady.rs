//! The length that segments have while an encoder is steady, which the MPD states at low latency (packaging-rules D-32).

use media::Ratio;

use super::super::running::Running;
use super::period::{Constant, Period, Set};
use super::{Dash, Ended, Row};

/// A length that fails twice within so many segments is not stated again in the run.
const STEADY_ROWS: u64 = 20;
impl Dash {
    /// The first segment of a run has begun with media in all renditions, at `from` on the session's timeline. At low
    /// latency its Period begins at once if tracks are those of the one before it: an encoder that is back has its
    /// segments as long as before, or [`Self::goes_on`] finds out. Whether it does.
    pub(in crate::package) fn announce(&mut self, number: u64, from: i64, running: &Running) -> bool {
        let Some(before) = self.periods.back().filter(|before| before.run != running.run.index) else {
            return false;
        };
        let renditions = running.renditions();
        let tracks = renditions.iter().map(|rendition| rendition.track());
        if before.constant.is_none() || !before.sets.iter().map(|set| &set.track).eq(tracks) {
            return false;
        }
        let sets = renditions.iter().zip(&before.sets);
        let sets =
            sets.filter_map(|(rendition, before)| Some(Set::new(rendition, before.part_us)?.like(before)));
        let (sets, constant) = (sets.collect(), before.constant);
        self.begin(&Row { from, ..Row::new(number, running.run.index) }, sets, running, constant);
        true
    }

    /// The length that segments are expected to have, if they can be fetched early and are steady.
    pub(super) fn constant(&mut self, row: &Row, period: &Period) -> Option<Constant> {
        self.failed.retain(|&number| number + STEADY_ROWS > row.number);
        if !self.terms.low_latency || self.failed.len() > 1 {
            return None;
        }
        let lead = period.sets.first()?;
        let micros = u64::try_from(row.end - row.from).ok().filter(|&us| us > 0)?;
        let frames = u64::try_from(row.frames).unwrap_or(0);
        // What RTMP rounds to milliseconds is exact by the frame rate, which players count by for days.
        let exact = lead.frame_rate.map(|Ratio { num, den }| (frames * u64::from(den), u64::from(num)));
        let exact = exact.filter(|&(num, den)| den > 0 && (num * 1_000_000 / den).abs_diff(micros) <= 2_000);
        let ticks = row.tracks.iter().find(|(id, _)| *id == lead.track.id).and_then(|(_, ended)| *ended);
        let counted = ticks.and_then(|Ended { ticks: (from, end) }| u64::try_from(end - from).ok());
        let counted = counted.map(|ticks| (ticks, u64::from(lead.track.timescale.hz())));
        Some(Constant { seconds: exact.or(counted).unwrap_or((micros, 1_000_000)) })
    }
}
