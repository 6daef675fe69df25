use bytes::Bytes;
use media::Aac;

use super::{PS, SAMPLE_RATES, SBR};
use crate::Error;
use crate::bits::Bits;

const WHAT: &str = "AudioSpecificConfig";
/// syncExtensionType of SBR.
const SYNC_SBR: u32 = 0x2B7;
/// syncExtensionType of PS.
const SYNC_PS: u32 = 0x548;

/// Reads an AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1): SBR and PS signalled explicitly or by the
/// backward-compatible extension at its end. The config is copied, so that it doesn't pin the buffer it was
/// read into.
///
/// # Errors
/// Bytes that end too early, a core other than AAC Main, LC, SSR or LTP, a reserved sampling frequency index,
/// rate 0 or a reserved channel configuration.
pub fn config(asc: &Bytes) -> Result<Aac, Error> {
    let mut bits = Bits::plain(WHAT, asc);
    let mut object_type = object_type(&mut bits)?;
    let sample_rate = sample_rate(&mut bits)?;
    let channels = bits.u(4)? as u8;
    if !matches!(channels, 0..=7 | 11..=14) {
        return Err(bits.invalid());
    }
    let explicit = matches!(object_type, SBR | PS).then_some(object_type);
    if explicit.is_some() {
        self::sample_rate(&mut bits)?; // extensionSamplingFrequency
        object_type = self::object_type(&mut bits)?;
    }
    if !(1..=4).contains(&object_type) {
        return Err(bits.invalid());
    }
    let frame_samples = ga_specific_config(&mut bits, channels)?;
    let extension = match explicit {
        Some(explicit) => Some(explicit),
        // Old encoders pad the config with anything; only a whole extension counts.
        None => sync_extension(&mut bits).unwrap_or(None),
    };
    Ok(Aac {
        config: Bytes::copy_from_slice(asc),
        object_type: extension.unwrap_or(object_type),
        sample_rate,
        channels,
        frame_samples,
    })
}

/// GetAudioObjectType(), §1.6.2.1: 31 is an escape.
fn object_type(bits: &mut Bits<'_>) -> Result<u8, Error> {
    match bits.u(5)? as u8 {
        31 => Ok(32 + bits.u(6)? as u8),
        object_type => Ok(object_type),
    }
}

fn sample_rate(bits: &mut Bits<'_>) -> Result<u32, Error> {
    let rate = match bits.u(4)? {
        15 => bits.u(24)?,
        index => SAMPLE_RATES.get(index as usize).copied().unwrap_or(0),
    };
    if rate == 0 { Err(bits.invalid()) } else { Ok(rate) }
}

/// GASpecificConfig(), §4.4.1; the answer is the samples of a frame.
fn ga_specific_config(bits: &mut Bits<'_>, channels: u8) -> Result<u32, Error> {
    let frame_samples = if bits.flag()? { 960 } else { 1024 };
    if bits.flag()? {
        bits.skip(14)?; // coreCoderDelay
    }
    let extension = bits.flag()?;
    if channels == 0 {
        skip_program_config(bits)?;
    }
    if extension {
        bits.skip(1)?; // extensionFlag3
    }
    Ok(frame_samples)
}

/// program_config_element(), §4.5.1.2.
fn skip_program_config(bits: &mut Bits<'_>) -> Result<(), Error> {
    bits.skip(4 + 2 + 4)?; // instance tag, object type, sampling frequency index
    let (front, side, back) = (bits.u(4)?, bits.u(4)?, bits.u(4)?);
    let (lfe, data, coupling) = (bits.u(2)?, bits.u(3)?, bits.u(4)?);
    for mixdown in [4, 4, 3] {
        if bits.flag()? {
            bits.skip(mixdown)?;
        }
    }
    bits.skip((front + side + back + coupling) * 5 + (lfe + data) * 4)?;
    bits.align();
    let comment = bits.u(8)?;
    bits.skip(comment * 8)
}

/// The backward-compatible extension, §1.6.2.1: the object type it raises the core to.
fn sync_extension(bits: &mut Bits<'_>) -> Result<Option<u8>, Error> {
    if bits.u(11)? != SYNC_SBR || object_type(bits)? != SBR || !bits.flag()? {
        return Ok(None);
    }
    sample_rate(bits)?; // extensionSamplingFrequency
    let ps = bits.u(11).is_ok_and(|sync| sync == SYNC_PS) && bits.flag()?;
    Ok(Some(if ps { PS } else { SBR }))
}
