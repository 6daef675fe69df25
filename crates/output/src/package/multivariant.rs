//! The multivariant playlist of a run (packaging-rules H-21 to H-25).

use std::collections::BTreeMap;

use manifest::multivariant::{self, Multivariant, Variant, VideoRange};
use media::{Picture, Ratio, StreamId, Track, TrackId};

use super::measure::Rates;
use super::naming::playlist_name;
use super::rendition::Rendition;
use super::window::playlist;
use crate::Resource;

/// GROUP-ID of the audio.
const AUDIO_GROUP: &str = "audio";

/// What the playlist is of.
pub(super) struct Run<'a> {
    /// Whose.
    pub stream: &'a StreamId,
    /// EXT-X-VERSION of the media playlists.
    pub version: u16,
    /// The renditions, the leading one first.
    pub renditions: Vec<&'a Rendition>,
    /// A track that is in the segments of the leading rendition, beside its own.
    pub muxed: Option<&'a Track>,
    /// Bit rates of the renditions.
    pub rates: &'a BTreeMap<TrackId, Rates>,
}

/// The playlist for the tracks of a run: a variant for each video track, or one of the first audio track where
/// there is none; with one group of all audio tracks if there is a choice beside the variant itself.
pub(super) fn render(run: &Run<'_>) -> Resource {
    let Run { stream, rates, .. } = run;
    let (videos, audios): (Vec<_>, Vec<_>) =
        run.renditions.iter().copied().partition(|r| r.track().is_video());
    let grouped = !videos.is_empty() || audios.len() > 1;
    let uri = |id| format!("{}/{}", stream.stream(), playlist_name(id));
    let rate = |r: &Rendition| rates.get(&r.id()).map(Rates::bandwidth).unwrap_or_default();
    let sound = if videos.is_empty() { None } else { audios.iter().map(|r| rate(r)).max_by_key(|r| r.peak) };
    let variant = |r: &Rendition| {
        let picture = r.track().picture();
        let bandwidth = rate(r).with(sound);
        Variant {
            bandwidth: bandwidth.peak,
            average_bandwidth: Some(bandwidth.average),
            codecs: codecs(r, &audios, run.muxed),
            resolution: picture.map(display_size),
            frame_rate: r.frame_rate(),
            video_range: VideoRange::of(picture.and_then(|p| p.colour.as_ref())),
            audio: (grouped && !audios.is_empty()).then(|| AUDIO_GROUP.to_owned()),
            uri: uri(r.id()),
        }
    };
    let main = audios.first().map(|r| r.id());
    let audio = audios.iter().filter(|_| grouped).map(|r| multivariant::Rendition {
        group: AUDIO_GROUP.to_owned(),
        name: name(r.id()),
        language: "und".to_owned(),
        channels: r.track().codec.channels(),
        default: main == Some(r.id()),
        uri: uri(r.id()),
    });
    let audio = audio.collect();
    let variants = match videos.is_empty() {
        true => audios.first().map(|r| variant(r)).into_iter().collect(),
        false => videos.iter().map(|r| variant(r)).collect(),
    };
    playlist(multivariant::render(&Multivariant { version: run.version, audio, variants }))
}

/// CODECS of the variant `lead`: its own and those of every audio rendition, each once (packaging-rules H-22).
fn codecs(lead: &Rendition, audios: &[&Rendition], muxed: Option<&Track>) -> Vec<String> {
    let mut codecs = Vec::new();
    for track in [lead].iter().chain(audios).map(|rendition| rendition.track()).chain(muxed) {
        let codec = codec::rfc6381(&track.codec);
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
    }
    codecs
}

/// NAME of an audio rendition.
fn name(id: TrackId) -> String {
    match id.index {
        0 => "main".to_owned(),
        index => format!("audio {}", u16::from(index) + 1),
    }
}

/// Width and height in square samples.
fn display_size(picture: &Picture) -> (u32, u32) {
    let Ratio { num, den } = picture.sample_aspect;
    let width = u64::from(picture.width) * u64::from(num.max(1)) / u64::from(den.max(1));
    (u32::try_from(width).unwrap_or(picture.width), picture.height)
}
