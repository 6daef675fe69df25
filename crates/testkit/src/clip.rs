use bytes::Bytes;
use media::{Kind, Wall};

use crate::sps::sps;

/// Wall time at which every clip begins: 2023-11-14T22:13:20Z.
pub const START: Wall = Wall(1_700_000_000_000_000);

/// What stands before a decoder configuration and a frame in an FLV tag (annex E.4). Written out here, so that no
/// fault of the code under test is in what it is tested with.
const H264_SEQUENCE_HEADER: [u8; 5] = [0x17, 0, 0, 0, 0];
const AAC_SEQUENCE_HEADER: [u8; 2] = [0xaf, 0];
const AAC_FRAME: [u8; 2] = [0xaf, 1];

/// Supplemental information that a picture is right though it is no IDR picture (ITU-T H.264 §D.1.8), as x264 writes it.
const RECOVERY_POINT: &[u8] = &[0, 0, 0, 5, 0x06, 0x06, 0x01, 0xc4, 0x80];

/// A media message of a publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Video or audio.
    pub kind: Kind,
    /// RTMP timestamp in milliseconds.
    pub timestamp: u32,
    /// FLV tag body.
    pub payload: Bytes,
    /// When it arrives.
    pub received: Wall,
}

/// A synthetic stream. Each video frame is one slice that holds its number, each audio frame its own.
#[derive(Clone, Copy, Debug)]
pub struct Clip {
    /// Frames per second; 0 for no video.
    pub fps: u32,
    /// Frames from one IDR to the next; 0: only the first is one.
    pub gop: u32,
    /// Whether the first IDR is the only one: the others become recovery points, heads of open GOPs.
    pub open: bool,
    /// Whether two of three frames are B frames.
    pub b_frames: bool,
    /// Width and height of the picture, multiples of 16.
    pub size: (u32, u32),
    /// Samples per second; 0 for no audio.
    pub rate: u32,
    /// Length in milliseconds.
    pub millis: u32,
    /// Bytes of a video frame; an IDR has eight times as many.
    pub frame_bytes: usize,
    /// RTMP timestamp of the first frame.
    pub first_timestamp: u32,
    /// Number of the first video and audio frame.
    pub first_number: u32,
}

impl Default for Clip {
    fn default() -> Self {
        Self {
            fps: 30,
            gop: 30,
            open: false,
            b_frames: false,
            size: (640, 352),
            rate: 48_000,
            millis: 5_000,
            frame_bytes: 64,
            first_timestamp: 0,
            first_number: 0,
        }
    }
}

impl Clip {
    /// The clip without sound.
    pub fn video_only(self) -> Self {
        Self { rate: 0, ..self }
    }

    /// The clip without pictures.
    pub fn audio_only(self) -> Self {
        Self { fps: 0, ..self }
    }

    /// Sequence headers, then frames in order of decode time, arriving in real time from [`START`] on.
    pub fn messages(&self) -> Vec<Message> {
        let mut frames = self.video_frames();
        frames.extend(self.audio_frames());
        frames.sort_by_key(|message| message.received);
        let mut all = self.headers();
        all.append(&mut frames);
        all
    }

    /// The sequence headers alone.
    pub fn headers(&self) -> Vec<Message> {
        let mut headers = Vec::new();
        if self.fps > 0 {
            headers.push(self.message(Kind::Video, 0, tag(&H264_SEQUENCE_HEADER, &self.avc_record())));
        }
        if self.rate > 0 {
            headers.push(self.message(Kind::Audio, 0, tag(&AAC_SEQUENCE_HEADER, &self.audio_config())));
        }
        headers
    }

    /// AVCDecoderConfigurationRecord of the video.
    pub fn avc_record(&self) -> Vec<u8> {
        let sps = sps(self.size.0, self.size.1);
        let pps = [0x68, 0xce, 0x3c, 0x80];
        let mut record = vec![1, sps[1], sps[2], sps[3], 0xff, 0xe1];
        record.extend((sps.len() as u16).to_be_bytes());
        record.extend(&sps);
        record.push(1);
        record.extend((pps.len() as u16).to_be_bytes());
        record.extend(pps);
        record
    }

    /// AudioSpecificConfig of the audio: AAC LC, stereo.
    pub fn audio_config(&self) -> Vec<u8> {
        let rates = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000];
        let index = rates.iter().position(|&rate| rate == self.rate).unwrap_or(3) as u16;
        (2u16 << 11 | index << 7 | 2 << 3).to_be_bytes().to_vec()
    }

    fn video_frames(&self) -> Vec<Message> {
        let count = self.fps * self.millis / 1_000;
        (0..count).map(|n| self.video_frame(n)).collect()
    }

    fn video_frame(&self, n: u32) -> Message {
        let key = if self.gop == 0 { n == 0 } else { n.is_multiple_of(self.gop) };
        // Decode order I P B B P B B …: a reference is shown three frames after it is decoded.
        let frame_millis = |frames: i64| (frames * 1_000 / i64::from(self.fps)) as i32;
        let cts = match (self.b_frames, key, n % 3) {
            (false, ..) => 0,
            (true, true, _) => frame_millis(1),
            (true, false, 1) => frame_millis(3),
            (true, false, _) => 0,
        };
        let number = self.first_number + n;
        let size = if key { self.frame_bytes * 8 } else { self.frame_bytes };
        let recovery = if key && self.open && n > 0 { RECOVERY_POINT } else { &[] };
        let header = if key && recovery.is_empty() { 0x65 } else { 0x41 };
        let units = [recovery, &unit(header, number, size)].concat();
        self.message(Kind::Video, n * 1_000 / self.fps, tag(&h264_header(key, cts), &units))
    }

    fn audio_frames(&self) -> Vec<Message> {
        let count = u64::from(self.rate) * u64::from(self.millis) / 1_024_000;
        (0..count).map(|n| self.audio_frame(n)).collect()
    }

    fn audio_frame(&self, n: u64) -> Message {
        let number = self.first_number + n as u32;
        let mut data = vec![0x21];
        data.extend(number.to_be_bytes());
        data.resize(32, number as u8);
        self.message(Kind::Audio, (n * 1_024_000 / u64::from(self.rate)) as u32, tag(&AAC_FRAME, &data))
    }

    fn message(&self, kind: Kind, millis: u32, payload: Bytes) -> Message {
        Message {
            kind,
            timestamp: self.first_timestamp.wrapping_add(millis),
            payload,
            received: START.plus_micros(i64::from(millis) * 1_000),
        }
    }
}

/// One length-prefixed slice that holds a number and no emulation of a start code.
fn unit(header: u8, number: u32, size: usize) -> Vec<u8> {
    let mut nal = vec![header];
    nal.extend(number.to_be_bytes().map(|byte| byte >> 4 | 0x80));
    nal.extend(number.to_be_bytes().map(|byte| byte & 15 | 0x80));
    nal.resize(size.max(16), 0xaa);
    let mut unit = (nal.len() as u32).to_be_bytes().to_vec();
    unit.extend(nal);
    unit
}

fn h264_header(key: bool, cts_millis: i32) -> [u8; 5] {
    let [_, a, b, c] = cts_millis.to_be_bytes();
    [if key { 0x17 } else { 0x27 }, 1, a, b, c]
}

fn tag(header: &[u8], body: &[u8]) -> Bytes {
    [header, body].concat().into()
}
