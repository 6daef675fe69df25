//! Decoder configurations, and what is asked of each unit: once per sequence start and once per packet.

use bytes::Bytes;
use codec::{aac, ac3, av1, flac, h264, h265, mp3, opus, vp9};
use media::Codec;

use crate::{Error, Row};

/// Times that one is read in a round, for one alone is too short to time.
const TIMES: usize = 1_000;

/// x264: High, 320x180.
const H264: &str =
    "0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000568ebecb22cfdf8f800";
/// x265: Main 10 with HDR, 1918x1078.
const H265: &str = "01022000000090000000000078f000fcfdfafa00000f03a00001001840010c01ffff02200000030090000003000003007895\
     9409a10001002e420101022000000300900000030000030078a003c08011075336595952930bc05a84880482000007d20000\
     bb8010a2000100064401c073c189";
/// SVT-AV1: 10 bit.
const AV1: &str = "81014c000a0f0200000d26281b4805f0a040412080";
/// libvpx: key frame and record.
const VP9: &str = "010000000215a20910090000";
const VP9_KEY: &str = "924983425014080b4b031c120e0c";
/// FFmpeg: FLAC with a block size at the end of its header.
const FLAC: &str = "040004000000fc00018b0bb802f0000232800e9d7dce5ba2b3c21e0da827578eebfe";
const FLAC_FRAME: &str = "fff87a881701bf634af8";
const OPUS: &str = "4f707573486561640102380180bb0000000000";

pub(crate) fn run() -> Result<Vec<Row>, Error> {
    let record = |text| hex(text).map(Bytes::from);
    let av1_unit = record("12000a0b0200000521e7f66257c80232021008")?;
    let (vp9_unit, flac_unit) = (record(VP9_KEY)?, record(FLAC_FRAME)?);
    let mut ac3_unit = hex("0b77017f3487c8e744000410842107")?;
    ac3_unit.resize(768, 0);
    let ac3_unit = Bytes::from(ac3_unit);
    let (av1, vp9) = (av1::config(&record(AV1)?)?, vp9::config(&record(VP9)?)?);
    let av1_codec = Codec::Av1(av1.clone());
    let flac = flac::config(&record(FLAC)?)?;
    Ok(vec![
        row("H.264 record", record(H264)?, |bytes| h264::config(bytes).is_ok())?,
        row("H.265 record", record(H265)?, |bytes| h265::config(bytes).is_ok())?,
        row("AV1 record", record(AV1)?, |bytes| av1::config(bytes).is_ok())?,
        row("VP9 record", record(VP9)?, |bytes| vp9::config(bytes).is_ok())?,
        row("AAC configuration", record("11900856e500")?, |bytes| aac::config(bytes).is_ok())?,
        row("MP3 header", record("fffb9064")?, |bytes| mp3::config(bytes).is_ok())?,
        row("Opus head", record(OPUS)?, |bytes| opus::config(bytes).is_ok())?,
        row("FLAC STREAMINFO", record(FLAC)?, |bytes| flac::config(bytes).is_ok())?,
        row("E-AC-3 configuration", ac3_unit.clone(), |unit| ac3::config(unit, true).is_ok())?,
        row("AV1 key unit: is it one?", av1_unit.clone(), |unit| codec::is_key(&av1_codec, unit))?,
        row("AV1 key unit: its picture", av1_unit, |unit| av1::with_picture(&av1, unit).is_ok())?,
        row("VP9 key frame: its picture", vp9_unit, |unit| vp9::with_picture(&vp9, unit).is_ok())?,
        row("FLAC frame: samples", flac_unit, |unit| flac::samples(&flac, unit).is_some())?,
        row("E-AC-3 unit: samples", ac3_unit, |unit| ac3::samples(unit).is_some())?,
    ])
}

/// The same bytes read again and again. An error if they are not taken.
fn row(what: &str, bytes: Bytes, read: impl Fn(&Bytes) -> bool) -> Result<Row, Error> {
    if !read(&bytes) {
        return Err(format!("{what}: not taken").into());
    }
    let pieces = vec![&bytes[..]; TIMES];
    let work = |()| (0..TIMES).filter(|_| read(std::hint::black_box(&bytes))).count();
    Ok(Row::measure(what, ("read", TIMES), &pieces, || (), work))
}

fn hex(text: &str) -> Result<Vec<u8>, Error> {
    let pair = |at| Ok(u8::from_str_radix(text.get(at..at + 2).unwrap_or_default(), 16)?);
    (0..text.len()).step_by(2).map(pair).collect()
}
