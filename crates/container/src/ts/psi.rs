use bytes::{BufMut, BytesMut};

use super::packet::Stream;
use super::{AUDIO_PID, VIDEO_PID};

const PAT_PID: u16 = 0;
const PMT_PID: u16 = 0x1000;
const PROGRAM: u16 = 1;
const STREAM_ID: u16 = 1;
/// stream_type of H.264 (ISO/IEC 13818-1 table 2-34).
const H264: u8 = 0x1B;
/// stream_type of AAC with ADTS headers.
const AAC: u8 = 0x0F;

/// PAT and PMT of one program (§2.4.4).
#[derive(Debug)]
pub(super) struct Tables {
    pat: Stream,
    pmt: Stream,
    video: bool,
    audio: bool,
    /// version_number of the PMT, 5 bits.
    version: u8,
}

impl Tables {
    pub(super) fn new(video: bool, audio: bool) -> Self {
        Self { pat: Stream::new(PAT_PID), pmt: Stream::new(PMT_PID), video, audio, version: 0 }
    }

    /// Other streams; the version goes up if they differ.
    pub(super) fn change(&mut self, video: bool, audio: bool) {
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
        let clock = if self.video { VIDEO_PID } else { AUDIO_PID };
        let mut body = Vec::new();
        body.put_u16(0xE000 | clock);
        body.put_u16(0xF000); // no program descriptors
        let streams = [(self.video, H264, VIDEO_PID), (self.audio, AAC, AUDIO_PID)];
        for (_, kind, pid) in streams.into_iter().filter(|&(present, ..)| present) {
            body.put_u8(kind);
            body.put_u16(0xE000 | pid);
            body.put_u16(0xF000); // no stream descriptors
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
