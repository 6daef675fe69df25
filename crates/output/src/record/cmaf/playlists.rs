//! The playlists of a file (packaging-rules, H-21 to H-25).

use manifest::multivariant::{self, Multivariant, Rendition, Variant, VideoRange};
use manifest::uri;
use manifest::vod::{self, VodPlaylist, VodSegment};
use media::{Picture, Ratio};

use super::form::Form;
use super::slice::{self, Done, Span};
use crate::package::measure;
use crate::record::fragments::Lane;

/// MIME type of a playlist.
pub(super) const TYPE: &str = "application/vnd.apple.mpegurl";
/// EXT-X-VERSION of playlists of fMP4 (packaging-rules R-04).
const VERSION: u16 = 6;
/// GROUP-ID of the sound.
const GROUP: &str = "audio";

/// A file that is complete.
pub(super) struct Presentation<'a> {
    /// Its OssObjectPrefix, and so where its playlists are.
    pub prefix: &'a str,
    pub forms: &'a [Form],
    pub done: &'a [Done],
    /// Its tracks, pictures before sound.
    pub lanes: Vec<Lane>,
    /// The longest slice of any track, in microseconds.
    pub longest_us: i64,
}

/// Bits per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rate {
    pub peak: u64,
    pub average: u64,
}

impl<'a> Presentation<'a> {
    pub fn new(prefix: &'a str, forms: &'a [Form], done: &'a [Done]) -> Self {
        let mut lanes: Vec<Lane> = forms.iter().map(|form| form.lane).collect();
        lanes.sort();
        lanes.dedup();
        let mut presentation = Self { prefix, forms, done, lanes, longest_us: 0 };
        let spans = done.iter().flat_map(|done| &done.tracks);
        let longest = spans.map(|(span, _)| presentation.micros(span)).max();
        presentation.longest_us = longest.unwrap_or(0);
        presentation
    }

    /// Key and text of each track's playlist.
    pub fn media(&self) -> Vec<(String, String)> {
        let playlist = |&lane: &Lane| (self.key(lane), vod::render(&self.playlist(lane)));
        self.lanes.iter().map(playlist).collect()
    }

    fn key(&self, lane: Lane) -> String {
        format!("{}_{}.m3u8", self.prefix, lane.word())
    }

    fn playlist(&self, lane: Lane) -> VodPlaylist {
        let key = self.key(lane);
        let segments = self.done.iter().map(|done| self.segment(&key, lane, done)).collect();
        let independent = lane.audio || self.done.iter().all(|done| done.independent);
        VodPlaylist { version: VERSION, independent, longest_us: self.longest_us, segments }
    }

    /// Where a track has nothing in a slice its list has a gap, so that all lists have the same slices.
    fn segment(&self, playlist: &str, lane: Lane, done: &Done) -> VodSegment {
        let own = done.of(lane).and_then(|(span, _)| Some((span, self.forms.get(span.form)?)));
        let lead = done.tracks.first().map_or(0, |(span, _)| self.micros(span));
        let late = own.map_or(0, |(span, form)| span.start(form).saturating_sub(done.start));
        VodSegment {
            uri: uri::relative(playlist, &slice::key(&done.prefix, lane)),
            duration_us: own.map_or(lead, |(span, form)| span.micros(form)),
            discontinuity: done.discontinuity,
            program_date_time: Some(done.wall.plus_micros(late)),
            map: own.map(|(_, form)| uri::relative(playlist, &form.key)),
            gap: own.is_none(),
        }
    }

    /// The list that names the others.
    pub fn multivariant(&self) -> String {
        let (sound, pictures): (Vec<Lane>, Vec<Lane>) = self.lanes.iter().partition(|lane| lane.audio);
        let grouped = !pictures.is_empty() || sound.len() > 1;
        let beside = if pictures.is_empty() { Rate::default() } else { self.most(&sound) };
        let leads = if pictures.is_empty() { sound.iter().take(1) } else { pictures.iter().take(usize::MAX) };
        let variant = |&lane: &Lane| {
            let picture = self.largest(lane);
            let Rate { peak, average } = self.rate(lane);
            Variant {
                bandwidth: peak.saturating_add(beside.peak),
                average_bandwidth: Some(average.saturating_add(beside.average)),
                codecs: self.codecs(lane, &sound),
                resolution: picture.map(|picture| display_size(&picture)),
                frame_rate: picture.and_then(|_| self.frame_rate(lane, self.done)),
                video_range: VideoRange::of(picture.and_then(|picture| picture.colour).as_ref()),
                audio: (grouped && !sound.is_empty()).then(|| GROUP.to_owned()),
                uri: self.sibling(lane),
            }
        };
        let variants = leads.map(variant).collect();
        let rendition = |&lane: &Lane| Rendition {
            group: GROUP.to_owned(),
            name: if lane.index == 0 {
                "main".to_owned()
            } else {
                format!("audio {}", u16::from(lane.index) + 1)
            },
            language: "und".to_owned(),
            channels: self.forms_of(lane).last().and_then(|form| form.channels),
            default: sound.first() == Some(&lane),
            uri: self.sibling(lane),
        };
        let audio = sound.iter().filter(|_| grouped).map(rendition).collect();
        multivariant::render(&Multivariant { version: VERSION, audio, variants })
    }

    /// The playlist of a track, as the multivariant one names it.
    fn sibling(&self, lane: Lane) -> String {
        uri::relative(self.prefix, &self.key(lane))
    }

    fn forms_of(&self, lane: Lane) -> impl Iterator<Item = &'a Form> {
        self.forms.iter().filter(move |form| form.lane == lane)
    }

    /// Of all its init segments, and of all sound, each once (packaging-rules H-22).
    fn codecs(&self, lane: Lane, sound: &[Lane]) -> Vec<String> {
        let mut codecs: Vec<String> = Vec::new();
        let beside = sound.iter().filter(|other| **other != lane);
        for form in [lane].iter().chain(beside).flat_map(|&lane| self.forms_of(lane)) {
            if !codecs.contains(&form.codec) {
                codecs.push(form.codec.clone());
            }
        }
        codecs
    }

    fn largest(&self, lane: Lane) -> Option<Picture> {
        let pictures = self.forms_of(lane).filter_map(Form::picture);
        pictures.max_by_key(|picture| u64::from(picture.width) * u64::from(picture.height))
    }

    fn most(&self, lanes: &[Lane]) -> Rate {
        lanes.iter().map(|&lane| self.rate(lane)).max_by_key(|rate| rate.peak).unwrap_or_default()
    }

    /// As it was, not as it may become (packaging-rules R-02).
    pub fn rate(&self, lane: Lane) -> Rate {
        let own = self.done.iter().filter_map(|done| done.of(lane));
        let slices: Vec<_> = own.map(|(span, bytes)| (bytes, self.micros(&span))).collect();
        rate(&slices, self.longest_us)
    }

    /// Of a track in `done`, as measured.
    pub fn frame_rate(&self, lane: Lane, done: &[Done]) -> Option<Ratio> {
        let own = || done.iter().filter_map(|done| done.of(lane));
        let frames = own().map(|(span, _)| span.frames as usize).sum();
        measure::frame_rate(frames, own().map(|(span, _)| self.micros(&span)).sum())
    }

    fn micros(&self, span: &Span) -> i64 {
        self.forms.get(span.form).map_or(0, |form| span.micros(form))
    }
}

/// Of slices as (bytes, microseconds). The peak is that of any run of slices that lasts half to one and a half times
/// the target duration, and of a slice in no such run that of the shortest run that lasts half of it (H-21).
pub(super) fn rate(slices: &[(u64, i64)], target_us: i64) -> Rate {
    let total = slices.iter().fold((0, 0), |sum, slice| (sum.0 + slice.0, sum.1 + slice.1));
    let average = bits_per_second(total);
    let mut peak = 0;
    for first in 0..slices.len() {
        let mut run = (0, 0);
        for slice in slices.iter().skip(first) {
            let longer = (run.0 + slice.0, run.1 + slice.1);
            let fits = longer.1.saturating_mul(2) <= target_us.saturating_mul(3);
            if !fits && run.1.saturating_mul(2) >= target_us {
                break;
            }
            run = longer;
            if run.1.saturating_mul(2) >= target_us {
                peak = peak.max(bits_per_second(run));
            }
        }
    }
    Rate { peak: peak.max(average), average }
}

fn bits_per_second((bytes, micros): (u64, i64)) -> u64 {
    let bits = u128::from(bytes) * 8 * 1_000_000;
    u64::try_from(bits.div_ceil(u128::try_from(micros).unwrap_or(0).max(1))).unwrap_or(u64::MAX).max(1)
}

/// Width and height in square samples.
fn display_size(picture: &Picture) -> (u32, u32) {
    let Ratio { num, den } = picture.sample_aspect;
    let width = u64::from(picture.width) * u64::from(num.max(1)) / u64::from(den.max(1));
    (u32::try_from(width).unwrap_or(picture.width), picture.height)
}
