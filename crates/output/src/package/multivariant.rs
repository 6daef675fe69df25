//! The multivariant playlist of a run (packaging-rules H-21 to H-25).

use manifest::multivariant::{self, Multivariant, Rendition, Variant, VideoRange};
use media::{Kind, Picture, Ratio, StreamId, Track};

use super::live::Live;
use super::measure::Rates;
use super::window::{VERSION, playlist, playlist_name};
use crate::Resource;

/// GROUP-ID of the audio.
const AUDIO_GROUP: &str = "audio";

/// The playlist for the tracks of `live`.
pub(super) fn render(stream: &StreamId, live: &Live, frame_rate: Option<Ratio>, rates: &Rates) -> Resource {
    let uri = |kind| format!("{}/{}", stream.stream(), playlist_name(kind));
    let video = live.video.as_ref().map(|r| r.track());
    let audio = live.audio.as_ref().map(|r| r.track());
    let picture = video.and_then(Track::picture);
    let variant = Variant {
        bandwidth: rates.bandwidth(),
        average_bandwidth: Some(rates.average()),
        codecs: video.iter().chain(&audio).map(|track| codec::rfc6381(&track.codec)).collect(),
        resolution: picture.map(display_size),
        frame_rate: video.and(frame_rate),
        video_range: VideoRange::of(picture.and_then(|p| p.colour.as_ref())),
        audio: video.and(audio).map(|_| AUDIO_GROUP.to_owned()),
        uri: uri(if video.is_some() { Kind::Video } else { Kind::Audio }),
    };
    let rendition = |track: &Track| Rendition {
        group: AUDIO_GROUP.to_owned(),
        name: "main".to_owned(),
        language: "und".to_owned(),
        channels: track.codec.channels(),
        default: true,
        uri: uri(Kind::Audio),
    };
    let audio = video.and(audio).map(rendition).into_iter().collect();
    playlist(multivariant::render(&Multivariant { version: VERSION, audio, variants: vec![variant] }))
}

/// Width and height in square samples.
fn display_size(picture: &Picture) -> (u32, u32) {
    let Ratio { num, den } = picture.sample_aspect;
    let width = u64::from(picture.width) * u64::from(num.max(1)) / u64::from(den.max(1));
    (u32::try_from(width).unwrap_or(picture.width), picture.height)
}
