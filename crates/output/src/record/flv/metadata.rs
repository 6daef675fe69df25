use bytes::Bytes;
use container::amf0::{self, Value};
use container::flv::{self, TagKind};
use media::{Codec, Kind, Track};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Key frames in the index; beyond it every second one leaves, so that a day at one a second costs a player
/// 295 KB at most and seeks stay within a few seconds.
const MAX_KEYFRAMES: usize = 16_384;

/// A key frame: its time in milliseconds and its offset in the growing file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Key(pub u32, pub u64);

/// What onMetaData says of a finished file (packaging-rules R-13).
#[derive(Debug)]
pub(super) struct Metadata {
    pub totals: Totals,
    keyframes: Vec<Key>,
    /// Every how many-th key frame is in the index, and how many were skipped since the last.
    stride: u32,
    skipped: u32,
}

/// All of it but the index.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Totals {
    /// Of the last tag, in milliseconds.
    pub last_timestamp: u32,
    /// Of the last tag with a picture of the main video track, in milliseconds.
    #[serde(default)]
    pub last_picture: Option<u32>,
    /// Those that sequence headers were written of, video before audio, main ones before others.
    tracks: Vec<Facts>,
    video_frames: u64,
    ends_with_key: bool,
    last_keyframe: Option<u32>,
}

/// What the newest sequence header of a track says.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Facts {
    video: bool,
    index: u8,
    codec_id: f64,
    /// Pixels.
    size: Option<(u32, u32)>,
    /// Frames a second, if the stream states it.
    rate: Option<f64>,
    sample_rate: Option<u32>,
    channels: Option<u32>,
    bits: u32,
}

impl Facts {
    fn of(track: &Track) -> Self {
        let codec = &track.codec;
        let rate = codec.picture().and_then(|picture| picture.frame_rate);
        Self {
            video: track.is_video(),
            index: track.id.index,
            codec_id: flv::metadata_codec_id(codec),
            size: codec.picture().map(|picture| (picture.width, picture.height)),
            rate: rate.map(|rate| f64::from(rate.num) / f64::from(rate.den.max(1))),
            sample_rate: codec.sample_rate(),
            channels: codec.channels().map(u32::from),
            bits: if let Codec::Flac(flac) = codec { flac.bits_per_sample.into() } else { 16 },
        }
    }

    fn size_fields(&self) -> Vec<(String, Value)> {
        let Some((width, height)) = self.size else { return Vec::new() };
        vec![field("width", number(width.into())), field("height", number(height.into()))]
    }

    fn sound_fields(&self) -> Vec<(String, Value)> {
        let rate = self.sample_rate.map(|rate| field("samplerate", number(rate.into())));
        let channels = self.channels.map(|channels| field("channels", number(channels.into())));
        channels.into_iter().chain(rate).collect()
    }
}

impl Default for Metadata {
    fn default() -> Self {
        Self { totals: Totals::default(), keyframes: Vec::new(), stride: 1, skipped: 0 }
    }
}

impl Metadata {
    /// As it was after the key frames `kept`.
    pub fn resume(totals: Totals, kept: Vec<Key>) -> Self {
        let mut metadata = Self { totals, ..Self::default() };
        kept.into_iter().for_each(|key| metadata.index(key));
        metadata
    }

    /// Whether a track of the file can go on with this one: it has the same codec, or is new.
    pub fn takes(&self, track: &Track) -> bool {
        let own = self.totals.tracks.iter();
        let mut own = own.filter(|facts| (facts.video, facts.index) == (track.is_video(), track.id.index));
        own.all(|facts| facts.codec_id.to_bits() == flv::metadata_codec_id(&track.codec).to_bits())
    }

    /// A sequence header was written: the last one of a track is what the file tells of it.
    pub fn track(&mut self, track: &Track) {
        let facts = Facts::of(track);
        let place = |facts: &Facts| (!facts.video, facts.index);
        match self.totals.tracks.binary_search_by_key(&place(&facts), place) {
            Ok(at) => self.totals.tracks.splice(at..=at, [facts]).for_each(drop),
            Err(at) => self.totals.tracks.insert(at, facts),
        }
    }

    /// A tag was written at `place`; `indexed`: of the main video track. Answers the place if it is in the index.
    pub fn frame(&mut self, indexed: bool, key: bool, place: Key) -> Option<Key> {
        if !indexed {
            return None;
        }
        self.totals.video_frames += 1;
        self.totals.ends_with_key = key;
        if !key {
            return None;
        }
        self.totals.last_keyframe = Some(place.0);
        self.index(place);
        Some(place)
    }

    fn index(&mut self, place: Key) {
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
        self.keyframes.push(place);
    }

    /// The beginning of a finished file of `duration` microseconds, up to its first sequence header, in place of
    /// the first `placeholder` bytes of a file that has `len`.
    pub fn head(&self, duration: i64, placeholder: u64, len: u64) -> Result<Bytes, Error> {
        // A number has 9 bytes whatever its value, so the head is as long with the real positions as with none.
        let (audio, video) = (self.main(Kind::Audio).is_some(), self.main(Kind::Video).is_some());
        let size = head(audio, video, &self.value(duration, 0, 0, 0))?.len() as u64;
        let value = self.value(duration, size, placeholder, len);
        Ok(Bytes::from(head(audio, video, &value)?))
    }

    fn value(&self, duration: i64, size: u64, placeholder: u64, len: u64) -> Value {
        let moved = |position: u64| position.saturating_sub(placeholder).saturating_add(size);
        let mut fields = vec![field("duration", number(duration as f64 / 1e6))];
        fields.extend(self.video_fields(duration));
        fields.extend(self.audio_fields());
        fields.extend(self.further_fields(Kind::Video, "videoTrackIdInfoMap"));
        fields.extend(self.further_fields(Kind::Audio, "audioTrackIdInfoMap"));
        fields.push(field("filesize", number(moved(len) as f64)));
        fields.push(field("lasttimestamp", seconds(self.totals.last_timestamp)));
        if let Some(at) = self.totals.last_keyframe {
            fields.push(field("lastkeyframetimestamp", seconds(at)));
        }
        fields.push(field("canSeekToEnd", Value::Boolean(self.totals.ends_with_key)));
        fields.push(field("hasKeyframes", Value::Boolean(!self.keyframes.is_empty())));
        if !self.keyframes.is_empty() {
            let times = self.keyframes.iter().map(|key| seconds(key.0)).collect();
            let positions = self.keyframes.iter().map(|key| number(moved(key.1) as f64)).collect();
            let times = field("times", Value::StrictArray(times));
            let positions = field("filepositions", Value::StrictArray(positions));
            fields.push(field("keyframes", Value::Object(vec![positions, times])));
        }
        Value::EcmaArray(fields)
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Facts> {
        self.totals.tracks.iter().filter(move |facts| facts.video == (kind == Kind::Video))
    }

    fn main(&self, kind: Kind) -> Option<&Facts> {
        self.of(kind).next()
    }

    fn video_fields(&self, duration: i64) -> Vec<(String, Value)> {
        let Some(facts) = self.main(Kind::Video) else { return Vec::new() };
        let measured = self.totals.video_frames as f64 * 1e6 / duration.max(1) as f64;
        let mut fields = facts.size_fields();
        fields.push(field("framerate", number(facts.rate.unwrap_or(measured))));
        fields.push(field("videocodecid", number(facts.codec_id)));
        fields
    }

    fn audio_fields(&self) -> Vec<(String, Value)> {
        let Some(facts) = self.main(Kind::Audio) else { return Vec::new() };
        vec![
            field("audiosamplerate", number(facts.sample_rate.unwrap_or(0).into())),
            field("audiosamplesize", number(facts.bits.into())),
            field("stereo", Value::Boolean(facts.channels != Some(1))),
            field("audiocodecid", number(facts.codec_id)),
        ]
    }

    /// Tracks beside the main one, by index (enhanced-rtmp-v2, "Enhancing onMetaData").
    fn further_fields(&self, kind: Kind, name: &str) -> Option<(String, Value)> {
        let tracks: Vec<_> = self
            .of(kind)
            .skip(1)
            .map(|facts| {
                let (mut fields, id) = match kind {
                    Kind::Video => (facts.size_fields(), "videocodecid"),
                    Kind::Audio => (facts.sound_fields(), "audiocodecid"),
                };
                fields.push(field(id, number(facts.codec_id)));
                (facts.index.to_string(), Value::Object(fields))
            })
            .collect();
        (!tracks.is_empty()).then(|| field(name, Value::Object(tracks)))
    }
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
            metadata.frame(true, true, Key(n, u64::from(n)));
        }
        let times: Vec<u32> = metadata.keyframes.iter().map(|key| key.0).collect();
        assert!(times.len() <= MAX_KEYFRAMES && times.len() >= MAX_KEYFRAMES / 2);
        let step = times[1] - times[0];
        assert_eq!((times[0], step), (0, 8));
        assert!(times.windows(2).all(|w| w[1] - w[0] == step), "even gaps");
    }
}
