use bytes::{BufMut, BytesMut};
use media::Codec;

use super::packet::Stream;
use super::{AUDIO_PID, VIDEO_PID};

const PAT_PID: u16 = 0;
const PMT_PID: u16 = 0x1000;
const PROGRAM: u16 = 1;
const STREAM_ID: u16 = 1;
/// descriptor_tag of a registration_descriptor (§2.6.8).
const REGISTRATION: u8 = 0x05;

/// PAT and PMT of one program (§2.4.4).
#[derive(Debug)]
pub(super) struct Tables {
    pat: Stream,
    pmt: Stream,
    video: Option<Signal>,
    audio: Option<Signal>,
    /// version_number of the PMT, 5 bits.
    version: u8,
}

/// How the PMT names an elementary stream (packaging-rules §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signal {
    stream_type: u8,
    /// format_identifier of a registration_descriptor, where the type alone could mean something else.
    registration: Option<&'static [u8; 4]>,
}

impl Signal {
    /// Of a codec that TS carries; `None` for the others.
    pub(super) fn of(codec: &Codec) -> Option<Self> {
        let (stream_type, registration) = match codec {
            Codec::H264(_) => (0x1B, None),
            Codec::H265(_) => (0x24, Some(b"HEVC")),
            Codec::Aac(_) => (0x0F, None),
            Codec::Mp3(mp3) if mp3.sample_rate >= 32_000 => (0x03, None),
            Codec::Mp3(_) => (0x04, None),
            Codec::Ac3(ac3) if ac3.enhanced => (0x87, Some(b"EAC3")),
            Codec::Ac3(_) => (0x81, Some(b"AC-3")),
            Codec::Av1(_) | Codec::Vp9(_) | Codec::Opus(_) | Codec::Flac(_) => return None,
        };
        Some(Self { stream_type, registration })
    }

    /// Appends the stream's part of the PMT.
    fn write(self, pid: u16, out: &mut Vec<u8>) {
        out.put_u8(self.stream_type);
        out.put_u16(0xE000 | pid);
        match self.registration {
            Some(identifier) => {
                out.put_u16(0xF000 | 6);
                out.put_slice(&[REGISTRATION, 4]);
                out.put_slice(identifier);
            }
            None => out.put_u16(0xF000),
        }
    }
}

impl Tables {
    pub(super) fn new(video: Option<Signal>, audio: Option<Signal>) -> Self {
        Self { pat: Stream::new(PAT_PID), pmt: Stream::new(PMT_PID), video, audio, version: 0 }
    }

    /// Other streams; the version goes up if they differ.
    pub(super) fn change(&mut self, video: Option<Signal>, audio: Option<Signal>) {
        if (self.video, self.audio) != (video, audio) {
            (self.video, self.audio) = (video, audio);
            self.version = (self.version + 1) & 0x1F;
        }
    }

    pub(super) fn write(&mut self, out: &mut BytesMut) {
        self.pat.section(&pat(), out);
        let pmt = self.pmt();
        self.pmt.section(&pmt, out);
    }

    fn pmt(&self) -> Vec<u8> {
        let clock = if self.video.is_some() { VIDEO_PID } else { AUDIO_PID };
        let mut body = Vec::new();
        body.put_u16(0xE000 | clock);
        body.put_u16(0xF000); // no program descriptors
        for (signal, pid) in [(self.video, VIDEO_PID), (self.audio, AUDIO_PID)] {
            if let Some(signal) = signal {
                signal.write(pid, &mut body);
            }
        }
        section(0x02, PROGRAM, self.version, &body)
    }
}

fn pat() -> Vec<u8> {
    let mut body = Vec::new();
    body.put_u16(PROGRAM);
    body.put_u16(0xE000 | PMT_PID);
    section(0x00, STREAM_ID, 0, &body)
}

/// A section of the long form, the only one of its table, in force now.
fn section(table: u8, id: u16, version: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_u8(table);
    out.put_u16(0xB000 | (5 + body.len() + 4) as u16);
    out.put_u16(id);
    out.put_slice(&[0xC1 | version << 1, 0, 0]);
    out.put_slice(body);
    out.put_u32(crc32(&out));
    out
}

/// CRC of ISO/IEC 13818-1 annex A: polynomial 0x04C11DB7, all ones at first, not reflected.
fn crc32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            if crc >> 31 == 1 { crc << 1 ^ 0x04C1_1DB7 } else { crc << 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_of_a_section_with_its_crc_is_zero() {
        assert_eq!(crc32(&pat()), 0);
        assert_eq!(crc32(b"123456789"), 0x0376_E6E7);
    }
}
