/// Longest PES_packet_length; 0 instead is allowed for video only (ISO/IEC 13818-1 §2.4.3.7).
pub(super) const MAX_LENGTH: usize = 0xFFFF;
/// Bytes of the optional header that count in PES_packet_length, with a PTS.
pub(super) const OPTIONAL: usize = 3 + 5;

const VIDEO_ID: u8 = 0xE0;
/// stream_id of MPEG audio, AAC included (§2.4.3.7).
pub(super) const AUDIO_ID: u8 = 0xC0;
/// stream_id of private_stream_1: AC-3 and E-AC-3 (packaging-rules §6).
pub(super) const PRIVATE_ID: u8 = 0xBD;
const PTS_ONLY: u8 = 0b10;
const PTS_AND_DTS: u8 = 0b11;

/// A PES packet header (§2.4.3.6).
pub(super) struct Header {
    bytes: [u8; 19],
    len: usize,
}

impl Header {
    /// Of one access unit with `payload` bytes. A DTS after the PTS, which the format excludes, is written as the
    /// PTS.
    pub(super) fn video(pts: i64, dts: i64, payload: usize) -> Self {
        let dts = (dts < pts).then_some(dts);
        let length = payload + OPTIONAL + if dts.is_some() { 5 } else { 0 };
        Self::new(VIDEO_ID, pts, dts, u16::try_from(length).unwrap_or(0))
    }

    /// Of frames with `payload` bytes in all, at most `MAX_LENGTH - OPTIONAL`.
    pub(super) fn audio(id: u8, pts: i64, payload: usize) -> Self {
        Self::new(id, pts, None, u16::try_from(payload + OPTIONAL).unwrap_or(0))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }

    /// Whether it says how long the packet is.
    pub(super) fn states_length(&self) -> bool {
        self.bytes.get(4..6).is_some_and(|length| length != [0, 0])
    }

    fn new(id: u8, pts: i64, dts: Option<i64>, length: u16) -> Self {
        let [high, low] = length.to_be_bytes();
        let code = if dts.is_some() { PTS_AND_DTS } else { PTS_ONLY };
        let [p0, p1, p2, p3, p4] = timestamp(code, pts);
        let [d0, d1, d2, d3, d4] = timestamp(0b01, dts.unwrap_or(0));
        let optional = if dts.is_some() { 10 } else { 5 };
        // 0x84: no scrambling, data_alignment_indicator
        let start = [0, 0, 1, id, high, low, 0x84, code << 6, optional];
        let [s0, s1, s2, s3, s4, s5, s6, s7, s8] = start;
        let bytes = [s0, s1, s2, s3, s4, s5, s6, s7, s8, p0, p1, p2, p3, p4, d0, d1, d2, d3, d4];
        Self { bytes, len: start.len() + usize::from(optional) }
    }
}

/// 33 bits of `at` between marker bits, after a 4-bit `code`.
fn timestamp(code: u8, at: i64) -> [u8; 5] {
    let byte = |shift: u32| (at >> shift) as u8;
    [code << 4 | (byte(30) & 7) << 1 | 1, byte(22), byte(15) << 1 | 1, byte(7), byte(0) << 1 | 1]
}
