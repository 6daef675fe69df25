use super::read::{Head, Run, Sample};

/// What the index says of a track, as it comes together. What repeats is kept once: of most streams only the size of
/// each sample, 4 bytes, and the composition offset of each where there are B-frames, 8 bytes.
pub(super) struct Table {
    /// As the first `moov` has it, the picture's size as large as the largest.
    pub head: Head,
    /// Every different sample entry.
    pub descriptions: Vec<Vec<u8>>,
    /// 1 and up, as `stsc` counts: which of them is in force.
    pub description: u32,
    /// Sample durations, in ticks.
    pub durations: Lengths<u32>,
    /// Composition offsets, in ticks.
    pub offsets: Lengths<i32>,
    /// Sample sizes in bytes.
    pub sizes: Vec<u32>,
    /// Numbers of the sync samples of a video track, from 1 on.
    pub sync: Vec<u32>,
    /// Decode time of the first sample; `None` before it.
    pub start: Option<u64>,
    /// Decode time at which the last sample ends.
    end: u64,
    /// When the first picture is shown, from `start` on; may be negative.
    pub shown_from: i64,
    /// When the last one ends, on the same scale.
    pub shown_to: i64,
}

impl Table {
    pub fn new(head: Head) -> Self {
        let descriptions = vec![head.description.clone()];
        Self {
            head,
            descriptions,
            description: 1,
            durations: Lengths::default(),
            offsets: Lengths::default(),
            sizes: Vec::new(),
            sync: Vec::new(),
            start: None,
            end: 0,
            shown_from: i64::MAX,
            shown_to: i64::MIN,
        }
    }

    /// What a further `moov` says of the track. `false` if it cannot be the same one.
    pub fn describe(&mut self, head: Head) -> bool {
        if head.timescale != self.head.timescale || head.video != self.head.video {
            return false;
        }
        let known = self.descriptions.iter().position(|description| *description == head.description);
        let at = known.unwrap_or_else(|| {
            self.descriptions.push(head.description);
            self.descriptions.len() - 1
        });
        self.description = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let (size, other) = (&mut self.head.tkhd, head.tkhd);
        let pixels =
            |tkhd: &mp4_atom::Tkhd| u64::from(tkhd.width.integer()) * u64::from(tkhd.height.integer());
        if pixels(&other) > pixels(size) {
            (size.width, size.height) = (other.width, other.height);
        }
        true
    }

    /// Whether the samples of a fragment can follow: those before can fill the hole before it, if there is one, and times
    /// stay below 2^63.
    pub fn takes(&self, run: &Run) -> bool {
        let spans = run.samples.iter().map(|sample| u64::from(sample.duration)).sum();
        let end = self.end.max(run.base_dts).checked_add(spans).and_then(|end| i64::try_from(end).ok());
        let room = (self.sizes.len() as u64).saturating_mul(u32::MAX.into());
        end.is_some() && self.hole(run).saturating_add(self.end - self.start.unwrap_or(self.end)) <= room
    }

    /// Ticks between the last sample and a fragment. One that begins too early begins where the last sample ends.
    fn hole(&self, run: &Run) -> u64 {
        if self.start.is_some() { run.base_dts.saturating_sub(self.end) } else { 0 }
    }

    /// Takes the samples of a fragment. A hole before it makes the last sample longer.
    pub fn push(&mut self, run: &Run) {
        let hole = self.hole(run);
        self.end += hole;
        self.durations.lengthen(hole);
        if self.start.is_none() {
            (self.start, self.end) = (Some(run.base_dts), run.base_dts);
        }
        run.samples.iter().for_each(|sample| self.sample(sample));
    }

    fn sample(&mut self, sample: &Sample) {
        let shown = self.duration().saturating_add(sample.cts.into());
        self.shown_from = self.shown_from.min(shown);
        self.shown_to = self.shown_to.max(shown.saturating_add(sample.duration.into()));
        self.end = self.end.saturating_add(sample.duration.into());
        self.durations.push(sample.duration);
        self.offsets.push(sample.cts);
        self.sizes.push(sample.size);
        if sample.sync && self.head.video {
            self.sync.push(u32::try_from(self.sizes.len()).unwrap_or(u32::MAX));
        }
    }

    /// Of all samples together, in ticks.
    pub fn duration(&self) -> i64 {
        i64::try_from(self.end.saturating_sub(self.start.unwrap_or(self.end))).unwrap_or(i64::MAX)
    }
}

/// Values with how often each comes in a row.
pub(super) struct Lengths<T>(pub Vec<(u32, T)>);

impl<T> Default for Lengths<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Lengths<T> {
    pub fn push(&mut self, value: T) {
        match self.0.last_mut() {
            Some((count, last)) if *last == value => *count += 1,
            _ => self.0.push((1, value)),
        }
    }
}

impl Lengths<u32> {
    /// Makes the last value larger, and those before it where it can't be that large.
    fn lengthen(&mut self, mut by: u64) {
        let mut longer = Vec::new();
        while by > 0 {
            let Some(last) = self.pop() else { break };
            let more = u32::try_from(by).unwrap_or(u32::MAX).min(u32::MAX - last);
            longer.push(last + more);
            by -= u64::from(more);
        }
        longer.into_iter().rev().for_each(|value| self.push(value));
    }

    fn pop(&mut self) -> Option<u32> {
        let (count, last) = self.0.last_mut()?;
        let last = *last;
        *count -= 1;
        if *count == 0 {
            self.0.pop();
        }
        Some(last)
    }
}
