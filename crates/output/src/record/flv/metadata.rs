use std::collections::BTreeMap;

use bytes::Bytes;
use container::amf0::{self, Value};
use container::flv::{self, TagKind};
use media::{Codec, Kind, Track, TrackId};

use crate::Error;

/// Key frames in the index; beyond it every second one leaves, so that a day at one a second costs a player
/// 295 KB at most and seeks stay within a few seconds.
const MAX_KEYFRAMES: usize = 16_384;

/// What onMetaData says of a finished file (packaging-rules R-13).
#[derive(Debug)]
pub(super) struct Metadata {
    /// From the file's beginning to its end, in microseconds.
    pub duration: i64,
    /// Of the last tag, in milliseconds.
    pub last_timestamp: u32,
    /// Those that sequence headers were written of, the newest of each, main ones before others.
    tracks: BTreeMap<TrackId, Codec>,
    video_frames: u64,
    ends_with_key: bool,
    /// Time in milliseconds and offset in the growing file.
    keyframes: Vec<(u32, u64)>,
    last_keyframe: Option<u32>,
    /// Every how many-th key frame is in the index, and how many were skipped since the last.
    stride: u32,
    skipped: u32,
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            duration: 0,
            last_timestamp: 0,
            tracks: BTreeMap::new(),
            video_frames: 0,
            ends_with_key: false,
            keyframes: Vec::new(),
            last_keyframe: None,
            stride: 1,
            skipped: 0,
        }
    }
}

impl Metadata {
    /// A sequence header was written: the last one of a track is what the file tells of it.
    pub fn track(&mut self, track: &Track) {
        self.tracks.insert(track.id, track.codec.clone());
    }

    /// A tag of the main video track was written at `position` of the growing file.
    pub fn video_frame(&mut self, key: bool, timestamp: u32, position: u64) {
        self.video_frames += 1;
        self.ends_with_key = key;
        if key {
            self.last_keyframe = Some(timestamp);
            self.index(timestamp, position);
        }
    }

    fn index(&mut self, timestamp: u32, position: u64) {
        if self.skipped + 1 < self.stride {
            self.skipped += 1;
            return;
        }
        self.skipped = 0;
        if self.keyframes.len() >= MAX_KEYFRAMES {
            let mut keep = false;
            self.keyframes.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride = self.stride.saturating_mul(2);
        }
        self.keyframes.push((timestamp, position));
    }

    /// The finished file's beginning, up to its first sequence header, in place of the first `placeholder`
    /// bytes of a file that has `len`.
    pub fn head(&self, placeholder: u64, len: u64) -> Result<Bytes, Error> {
        // A number has 9 bytes whatever its value, so the head is as long with the real positions as with none.
        let (audio, video) = (self.main(Kind::Audio).is_some(), self.main(Kind::Video).is_some());
        let size = head(audio, video, &self.value(0, 0, 0))?.len() as u64;
        let value = self.value(size, placeholder, len);
        Ok(Bytes::from(head(audio, video, &value)?))
    }

    fn value(&self, size: u64, placeholder: u64, len: u64) -> Value {
        let moved = |position: u64| position.saturating_sub(placeholder).saturating_add(size);
        let mut fields = vec![field("duration", number(self.duration as f64 / 1e6))];
        fields.extend(self.video_fields());
        fields.extend(self.audio_fields());
        fields.extend(self.further_fields(Kind::Video, "videoTrackIdInfoMap"));
        fields.extend(self.further_fields(Kind::Audio, "audioTrackIdInfoMap"));
        fields.push(field("filesize", number(moved(len) as f64)));
        fields.push(field("lasttimestamp", seconds(self.last_timestamp)));
        if let Some(at) = self.last_keyframe {
            fields.push(field("lastkeyframetimestamp", seconds(at)));
        }
        fields.push(field("canSeekToEnd", Value::Boolean(self.ends_with_key)));
        fields.push(field("hasKeyframes", Value::Boolean(!self.keyframes.is_empty())));
        if !self.keyframes.is_empty() {
            let times = self.keyframes.iter().map(|&(at, _)| seconds(at)).collect();
            let positions = self.keyframes.iter().map(|&(_, at)| number(moved(at) as f64)).collect();
            let times = field("times", Value::StrictArray(times));
            let positions = field("filepositions", Value::StrictArray(positions));
            fields.push(field("keyframes", Value::Object(vec![positions, times])));
        }
        Value::EcmaArray(fields)
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = (u8, &Codec)> {
        let tracks = self.tracks.iter().filter(move |(id, _)| id.kind == kind);
        tracks.map(|(id, codec)| (id.index, codec))
    }

    fn main(&self, kind: Kind) -> Option<(u8, &Codec)> {
        self.of(kind).next()
    }

    fn video_fields(&self) -> Vec<(String, Value)> {
        let Some((_, codec)) = self.main(Kind::Video) else { return Vec::new() };
        let stated = codec.picture().and_then(|picture| picture.frame_rate);
        let stated = stated.map(|rate| f64::from(rate.num) / f64::from(rate.den.max(1)));
        let measured = self.video_frames as f64 * 1e6 / self.duration.max(1) as f64;
        let mut fields = size_fields(codec);
        fields.push(field("framerate", number(stated.unwrap_or(measured))));
        fields.push(field("videocodecid", number(flv::metadata_codec_id(codec))));
        fields
    }

    fn audio_fields(&self) -> Vec<(String, Value)> {
        let Some((_, codec)) = self.main(Kind::Audio) else { return Vec::new() };
        let bits = if let Codec::Flac(flac) = codec { flac.bits_per_sample } else { 16 };
        vec![
            field("audiosamplerate", number(codec.sample_rate().unwrap_or(0).into())),
            field("audiosamplesize", number(bits.into())),
            field("stereo", Value::Boolean(codec.channels() != Some(1))),
            field("audiocodecid", number(flv::metadata_codec_id(codec))),
        ]
    }

    /// Tracks beside the main one, by index (enhanced-rtmp-v2, "Enhancing onMetaData").
    fn further_fields(&self, kind: Kind, name: &str) -> Option<(String, Value)> {
        let main = self.main(kind)?.0;
        let further = self.of(kind).filter(|&(index, _)| index != main);
        let tracks: Vec<_> = further
            .map(|(index, codec)| {
                let mut fields = match kind {
                    Kind::Video => size_fields(codec),
                    Kind::Audio => sound_fields(codec),
                };
                let id = if kind == Kind::Video { "videocodecid" } else { "audiocodecid" };
                fields.push(field(id, number(flv::metadata_codec_id(codec))));
                (index.to_string(), Value::Object(fields))
            })
            .collect();
        (!tracks.is_empty()).then(|| field(name, Value::Object(tracks)))
    }
}

fn size_fields(codec: &Codec) -> Vec<(String, Value)> {
    let Some(picture) = codec.picture() else { return Vec::new() };
    vec![field("width", number(picture.width.into())), field("height", number(picture.height.into()))]
}

fn sound_fields(codec: &Codec) -> Vec<(String, Value)> {
    let rate = codec.sample_rate().map(|rate| field("samplerate", number(rate.into())));
    let channels = codec.channels().map(|channels| field("channels", number(channels.into())));
    channels.into_iter().chain(rate).collect()
}

/// Appends what a file begins with while it grows; returns its bytes.
pub(super) fn placeholder(audio: bool, video: bool, out: &mut Vec<Bytes>) -> Result<usize, Error> {
    let value = Value::EcmaArray(vec![field("duration", number(0.0))]);
    let bytes = Bytes::from(head(audio, video, &value)?);
    let len = bytes.len();
    out.push(bytes);
    Ok(len)
}

/// File header and onMetaData tag.
fn head(audio: bool, video: bool, value: &Value) -> Result<Vec<u8>, Error> {
    let mut payload = Vec::new();
    amf0::encode(&Value::String("onMetaData".to_owned()), &mut payload);
    amf0::encode(value, &mut payload);
    let mut tag = Vec::new();
    flv::write_tag(TagKind::Script, 0, &[], &Bytes::from(payload), &mut tag)?;
    let mut head = flv::header(audio, video).to_vec();
    tag.iter().for_each(|piece| head.extend_from_slice(piece));
    Ok(head)
}

fn field(name: &str, value: Value) -> (String, Value) {
    (name.to_owned(), value)
}

fn number(value: f64) -> Value {
    Value::Number(value)
}

fn seconds(millis: u32) -> Value {
    number(f64::from(millis) / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_is_full_keeps_every_second_key_frame_from_the_first_on() {
        let mut metadata = Metadata::default();
        for n in 0..100_000u32 {
            metadata.video_frame(true, n, u64::from(n));
        }
        let times: Vec<u32> = metadata.keyframes.iter().map(|&(at, _)| at).collect();
        assert!(times.len() <= MAX_KEYFRAMES && times.len() >= MAX_KEYFRAMES / 2);
        let step = times[1] - times[0];
        assert_eq!((times[0], step), (0, 8));
        assert!(times.windows(2).all(|w| w[1] - w[0] == step), "even gaps");
    }
}
