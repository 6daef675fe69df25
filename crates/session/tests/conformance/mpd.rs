//! Someone who reads every MPD and holds it to `packaging-rules.md` §4.

use std::collections::BTreeMap;

use dash_mpd_core::{AdaptationSet, MPD, Period, SegmentTemplate, parse};
use output::Window;

/// What was seen so far.
#[derive(Default)]
pub struct Follower {
    /// What may not change, by Period.
    periods: BTreeMap<String, String>,
    /// Where each segment is on the timeline.
    segments: BTreeMap<String, (u64, u64)>,
    /// availabilityStartTime and publishTime, as long as the presentation goes on.
    start: Option<String>,
    published: Option<String>,
}

impl Follower {
    /// A window is there.
    pub fn read(&mut self, window: &Window) {
        let Some(resource) = &window.mpd else { return };
        let text = String::from_utf8(resource.body.concat()).unwrap();
        let mpd: MPD = parse(&text).unwrap();
        let start = format!("{:?}", mpd.availabilityStartTime.unwrap());
        assert_eq!(*self.start.get_or_insert(start.clone()), start, "D-05");
        let published = mpd.publishTime.map(|at| at.to_rfc3339());
        assert!(self.published <= published, "D-06: {:?}, {published:?}", self.published);
        self.published = published;
        assert_eq!(mpd.minimumUpdatePeriod.is_none(), window.ended, "D-22");
        assert!(mpd.suggestedPresentationDelay < mpd.timeShiftBufferDepth, "D-08");
        assert!(!mpd.periods.is_empty() && !mpd.UTCTiming.is_empty());
        check_starts(&mpd, &text);
        for period in &mpd.periods {
            let frozen = frozen(period);
            let said = self.periods.entry(period.id.clone().unwrap()).or_insert_with(|| frozen.clone());
            assert_eq!(*said, frozen, "D-05");
            period.adaptations.iter().for_each(|set| self.set(set, window));
        }
        if window.ended {
            (self.start, self.published) = (None, None);
        }
    }

    /// Everything listed is there and where it was; nothing is between segments (packaging-rules D-12, D-13).
    fn set(&mut self, set: &AdaptationSet, window: &Window) {
        let template = template(set);
        let there = |uri: &str| window.get(uri.strip_prefix("demo/").unwrap()).is_some();
        let init = template.initialization.as_ref().unwrap();
        assert!(there(init), "{init}");
        let Some(timeline) = &template.SegmentTimeline else {
            return assert!(template.duration.unwrap() > 0.0);
        };
        let mut at = None;
        for (n, s) in timeline.segments.iter().enumerate() {
            let time = s.t.or(at).unwrap();
            assert!(at.is_none_or(|at| at <= time), "D-12: overlap at {time}");
            let number = template.startNumber.unwrap_or(0) + n as u64;
            let uri = template.media.as_ref().unwrap();
            let uri = uri.replace("$Time$", &time.to_string()).replace("$Number$", &number.to_string());
            assert!(there(&uri), "{uri}");
            assert_eq!(*self.segments.entry(uri).or_insert((time, s.d)), (time, s.d), "D-13");
            at = Some(time + s.d);
        }
    }
}

/// A Period begins when the one before it is over (packaging-rules D-19).
fn check_starts(mpd: &MPD, text: &str) {
    for pair in mpd.periods.windows(2) {
        let end = pair[0].start.unwrap() + pair[0].duration.expect("a closed Period has a duration");
        assert!(pair[1].start.unwrap() + std::time::Duration::from_micros(1) >= end, "{text}");
    }
}

/// What may not change while a Period lives (packaging-rules D-05).
fn frozen(period: &Period) -> String {
    let sets = period.adaptations.iter().map(|set| {
        let (template, representation) = (template(set), &set.representations[0]);
        let offset = template.presentationTimeOffset;
        format!("{:?} {:?} {offset:?} {:?}", set.id, representation.id, template.initialization)
    });
    format!("{:?} {:?}", period.start, sets.collect::<Vec<_>>())
}

fn template(set: &AdaptationSet) -> &SegmentTemplate {
    set.SegmentTemplate.as_ref().unwrap()
}
