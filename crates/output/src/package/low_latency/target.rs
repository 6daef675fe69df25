//! PART-TARGET: how long the parts of a rendition are (packaging-rules Q5, Q6).

use super::super::measure;
use super::super::rendition::Rendition;

/// Bytes of `styp`-less chunk boxes that do not depend on its frames: moof, mfhd, traf, tfhd, tfdt, trun and the header
/// of mdat.
const CHUNK_BYTES: usize = 104;
/// Bytes of a chunk for each frame: its size in trun.
const FRAME_BYTES: usize = 4;
/// Longest part that is made for the sake of its overhead, in microseconds.
const LONGEST_FOR_OVERHEAD_US: i64 = 500_000;
/// Most that an unsteady source may lengthen PART-TARGET, in percent of its exact value: more would not be reached by
/// 85 % in steady parts.
const UNSTEADY_PERCENT: i64 = 110;

/// PART-TARGET of a rendition in microseconds, by the frames of it that wait: as many whole frames as fit into
/// `part_us`, exactly, rounded up to the next millisecond because RTMP rounds to them; `at_most` if that is given.
/// Parts of sound are longer where boxes would be a tenth of them (packaging-rules C-19).
pub(super) fn part_target(feed: &Rendition, part_us: i64, at_most: Option<i64>) -> i64 {
    let limit = at_most.unwrap_or(i64::MAX);
    let target = match feed.track().is_video() {
        true => pictures(feed, part_us.min(limit)),
        false => sound(feed, part_us, limit),
    };
    target.unwrap_or(part_us).min(limit).max(1_000)
}

fn pictures(feed: &Rendition, part_us: i64) -> Option<i64> {
    let (_, ticks, frames) = feed.waiting();
    let rate = measure::frame_rate(frames, feed.micros(ticks)).filter(|_| frames > 1)?;
    let (num, den) = (i64::from(rate.num), i64::from(rate.den));
    let count = (part_us.saturating_mul(num) / (den * 1_000_000)).max(1);
    let exact = (count * den * 1_000_000 + num - 1) / num;
    let longest = feed.longest_stretch(usize::try_from(count).unwrap_or(1));
    Some(whole_millis(exact.max(longest.min(exact * UNSTEADY_PERCENT / 100))))
}

fn sound(feed: &Rendition, part_us: i64, limit: i64) -> Option<i64> {
    let (bytes, _, frames) = feed.waiting();
    let frame = feed.shortest().filter(|&ticks| ticks > 0)?;
    let fit = |us: i64| (us.saturating_mul(1_000) / feed.micros(frame.saturating_mul(1_000)).max(1)).max(1);
    let cheap = cheap_count(bytes / frames.max(1)).min(fit(LONGEST_FOR_OVERHEAD_US));
    let count = fit(part_us).max(cheap).min(fit(limit.min(10_000_000)));
    Some(whole_millis(feed.micros(frame * count)))
}

/// How many frames of `bytes` a chunk needs for its boxes to be less than a tenth of it.
fn cheap_count(bytes: usize) -> i64 {
    let payload = bytes.saturating_sub(9 * FRAME_BYTES);
    match payload {
        0 => i64::MAX,
        payload => i64::try_from((9 * CHUNK_BYTES).div_ceil(payload) + 1).unwrap_or(i64::MAX),
    }
}

fn whole_millis(us: i64) -> i64 {
    us.saturating_add(999) / 1_000 * 1_000
}
