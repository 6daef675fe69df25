//! A list over slices of a recording that exist already: CreateLiveStreamRecordIndexFiles (reference §2.7).

use std::collections::BTreeSet;

use bytes::Bytes;
use manifest::multivariant::{self, Multivariant, Rendition, Variant, VideoRange};
use manifest::vod::{self, VodPlaylist, VodSegment};
use media::Wall;
use output::record::Container;
use output::{Entry, Object, Part};

use crate::recording::Recorded;

/// EXT-X-VERSION of playlists of TS, and of fMP4 (packaging-rules R-04).
const VERSION_TS: u16 = 3;
const VERSION_FMP4: u16 = 6;
/// GROUP-ID and NAME of the sound.
const AUDIO: &str = "audio";
const MICROS: u128 = 1_000_000;
/// The objects of a slice come into the index one after the other: so far back they are looked for.
const NEAR: usize = 4;

/// What lists over slices consist of, and what they say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    /// Objects to store in this order, by key; the last is the one to play.
    pub(crate) objects: Vec<(String, Bytes)>,
    pub(crate) format: Container,
    pub(crate) start: Wall,
    pub(crate) end: Wall,
    /// Media in it, in microseconds.
    pub(crate) duration: i64,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// A slice of a recording, as far as a list names it: its main picture and its main sound. TS has both in one object,
/// which counts as the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    picture: Option<Recorded>,
    sound: Option<Recorded>,
}

impl Moment {
    /// What tells its time.
    pub(crate) fn lead(&self) -> Option<&Recorded> {
        self.picture.as_ref().or(self.sound.as_ref())
    }
}

/// Slices of one format, in order of time, with the objects of each slice together. Further tracks than the main ones
/// are left out.
pub(crate) fn moments(slices: Vec<Recorded>) -> Vec<Moment> {
    let mut moments: Vec<(Option<String>, Moment)> = Vec::new();
    for slice in slices {
        let (stem, lane) = lane(&slice);
        if lane.is_some_and(|lane| lane.len() > 1) {
            continue;
        }
        let stem = stem.map(str::to_owned);
        let mut near = moments.iter_mut().rev().take(NEAR);
        let found =
            near.find(|(other, moment)| other.is_some() && *other == stem && moment.place(&slice).is_none());
        let moment = match found {
            Some((_, moment)) => moment,
            None => {
                moments.push((stem, Moment { picture: None, sound: None }));
                let Some((_, moment)) = moments.last_mut() else { continue };
                moment
            }
        };
        match is_audio(&slice) {
            true => moment.sound = Some(slice),
            false => moment.picture = Some(slice),
        }
    }
    moments.into_iter().map(|(_, moment)| moment).collect()
}

impl Moment {
    fn place(&self, slice: &Recorded) -> Option<&Recorded> {
        if is_audio(slice) { self.sound.as_ref() } else { self.picture.as_ref() }
    }
}

/// Name of a CMAF slice without its track, and the track: `v`, `a`, and with a number for all but the main ones. That
/// its key was taken, which delivery says with `~2` behind the track, is no matter.
pub(crate) fn lane(slice: &Recorded) -> (Option<&str>, Option<&str>) {
    let named = slice.entry.object.key.strip_suffix(".m4s").and_then(|name| name.rsplit_once('_'));
    let named = named.map(|(stem, lane)| (stem, lane.split_once('~').map_or(lane, |(lane, _)| lane)));
    let named = named.filter(|(_, lane)| {
        let number = lane.strip_prefix(['v', 'a']);
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    named.unzip()
}

/// What lies beside the playlist `key` of a recording whose slices have these tracks, by its usual name.
pub(crate) fn beside(key: &str, slices: &[Recorded]) -> BTreeSet<String> {
    let stem = key.strip_suffix(".m3u8").unwrap_or(key);
    let lanes = slices.iter().filter_map(|slice| lane(slice).1).chain(["v", "a"]);
    let word = |lane: &str| match lane.split_at_checked(1) {
        Some(("a", number)) => format!("{stem}_audio{number}.m3u8"),
        Some((_, number)) => format!("{stem}_video{number}.m3u8"),
        None => format!("{stem}.mpd"),
    };
    lanes.map(word).chain([format!("{stem}.mpd")]).collect()
}

/// Where the playlists of the pictures and of the sound of the list `key` are.
pub(crate) fn tracks(key: &str) -> [String; 2] {
    let stem = key.strip_suffix(".m3u8").unwrap_or(key);
    ["video", "audio"].map(|word| format!("{stem}_{word}.m3u8"))
}

/// The list that will be stored as `to`. `link` makes the URI of an object in another bucket; `None` when it has none,
/// and nothing comes of the list then. Neither does anything of no slices.
pub(crate) fn list(
    to: &Object,
    moments: &[Moment],
    link: &dyn Fn(&Object) -> Option<String>,
) -> Option<List> {
    let leads: Vec<_> = moments.iter().filter_map(Moment::lead).collect();
    let (first, last) = (&leads.first()?.entry, &leads.last()?.entry);
    let lists = Tracks { to, moments, link };
    let picture = moments.iter().any(|moment| moment.picture.is_some());
    let sound = moments.iter().any(|moment| moment.sound.is_some());
    let mut objects = Vec::new();
    if picture && sound {
        let [video, audio] = tracks(&to.key);
        objects.push((video.clone(), lists.playlist(&video, false)?));
        objects.push((audio.clone(), lists.playlist(&audio, true)?));
        objects.push((to.key.clone(), lists.both(&video, &audio, last)));
    } else {
        objects.push((to.key.clone(), lists.playlist(&to.key, sound)?));
    }
    Some(List {
        objects,
        format: first.format,
        start: first.start,
        end: leads.iter().map(|slice| slice.entry.end).max().unwrap_or(last.end),
        duration: leads.iter().map(|slice| slice.entry.duration).sum(),
        width: last.width,
        height: last.height,
    })
}

fn is_audio(slice: &Recorded) -> bool {
    matches!(slice.entry.part, Part::Slice { audio: true, .. })
}

/// Whether `after` goes on where `before` ended: the next of the same recording, and the recording did not pause. A new
/// init segment alone is no break: every file has its own.
fn joins(before: &Recorded, after: &Recorded) -> bool {
    let paused = matches!(after.entry.part, Part::Slice { discontinuity: true, .. });
    !paused && before.entry.sequence.checked_add(1) == Some(after.entry.sequence)
}

fn init(slice: &Recorded) -> Option<&str> {
    match &slice.entry.part {
        Part::Slice { init, .. } => init.as_deref(),
        Part::File => None,
    }
}

/// What the playlists of a list have in common.
struct Tracks<'a> {
    to: &'a Object,
    moments: &'a [Moment],
    link: &'a dyn Fn(&Object) -> Option<String>,
}

impl Tracks<'_> {
    /// The playlist of the pictures or of the sound, stored as `key`.
    fn playlist(&self, key: &str, audio: bool) -> Option<Bytes> {
        let mut segments = Vec::with_capacity(self.moments.len());
        let mut before: Option<&Recorded> = None;
        for moment in self.moments {
            let lead = moment.lead()?;
            let discontinuity = before.is_some_and(|before| !joins(before, lead));
            segments.push(self.segment(key, moment, lead, audio, discontinuity)?);
            before = Some(lead);
        }
        let fragmented = segments.iter().any(|segment| segment.map.is_some());
        let version = if fragmented { VERSION_FMP4 } else { VERSION_TS };
        let all = self.moments.iter().flat_map(|moment| [&moment.picture, &moment.sound]).flatten();
        let longest_us = all.map(|slice| slice.entry.duration).max().unwrap_or_default();
        // Whether every slice begins with a key frame is not in the index.
        Some(vod::render(&VodPlaylist { version, independent: false, longest_us, segments }).into())
    }

    /// Where a track has nothing in a slice its list has a gap, so that both lists have the same slices.
    fn segment(
        &self,
        key: &str,
        moment: &Moment,
        lead: &Recorded,
        audio: bool,
        discontinuity: bool,
    ) -> Option<VodSegment> {
        let own = if audio { &moment.sound } else { &moment.picture };
        let shown = own.as_ref().unwrap_or(lead);
        let bucket = &shown.entry.object.bucket;
        let object = |key: &str| Object { bucket: bucket.clone(), key: key.to_owned() };
        let uri = match (own, lane(lead).0) {
            (None, Some(stem)) => format!("{stem}_{}.m4s", if audio { "a" } else { "v" }),
            _ => shown.entry.object.key.clone(),
        };
        let map = own.as_ref().and_then(|slice| init(slice));
        Some(VodSegment {
            uri: self.uri(key, &object(&uri))?,
            duration_us: shown.entry.duration,
            discontinuity,
            program_date_time: Some(shown.entry.start),
            map: match map {
                Some(init) => Some(self.uri(key, &object(init))?),
                None => None,
            },
            gap: own.is_none(),
        })
    }

    fn uri(&self, from: &str, object: &Object) -> Option<String> {
        match object.bucket == self.to.bucket {
            true => Some(manifest::uri::relative(from, &object.key)),
            // The cloud does the same: "the paths to the TS files in the m3u8 file are in HTTP format".
            false => (self.link)(object),
        }
    }

    /// The list that names both. Codecs are not in the index: players find them in the media.
    fn both(&self, video: &str, audio: &str, shown: &Entry) -> Bytes {
        let key = &self.to.key;
        let peak = |of: fn(&Moment) -> Option<&Recorded>| peak(self.moments.iter().filter_map(of));
        let resolution = Some((shown.width, shown.height));
        let list = Multivariant {
            version: VERSION_FMP4,
            audio: vec![Rendition {
                group: AUDIO.to_owned(),
                name: AUDIO.to_owned(),
                language: "und".to_owned(),
                channels: None,
                default: true,
                uri: manifest::uri::relative(key, audio),
            }],
            variants: vec![Variant {
                bandwidth: peak(|moment| moment.picture.as_ref())
                    .saturating_add(peak(|moment| moment.sound.as_ref())),
                average_bandwidth: None,
                codecs: Vec::new(),
                resolution: resolution.filter(|&(width, height)| width > 0 && height > 0),
                frame_rate: None,
                video_range: VideoRange::Sdr,
                audio: Some(AUDIO.to_owned()),
                uri: manifest::uri::relative(key, video),
            }],
        };
        multivariant::render(&list).into()
    }
}

/// The most bits that a second of one of them has.
fn peak<'a>(slices: impl Iterator<Item = &'a Recorded>) -> u64 {
    let rate = |slice: &Recorded| {
        let micros = u128::try_from(slice.entry.duration).unwrap_or(1).max(1);
        u64::try_from(u128::from(slice.size).saturating_mul(8 * MICROS) / micros).unwrap_or(u64::MAX)
    };
    slices.map(rate).max().unwrap_or_default()
}
