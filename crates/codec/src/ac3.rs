//! AC-3 and Enhanced AC-3: headers of syncframes (ETSI TS 102 366 §4.3, §4.4, annex E), the payloads of `dac3` and
//! `dec3` (annex F).

mod dec3;
mod syncframe;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use media::Ac3;

use crate::Error;
use syncframe::{Syncframe, Syncframes};

/// Samples of an audio block.
const BLOCK: u32 = 256;

/// What the syncframes of an access unit say, and the payload of `dac3` or `dec3` made of it. The data rate in a
/// `dec3` is that of this unit, so that the units of a stream with a variable rate make different ones.
///
/// # Errors
/// Bytes that are no syncframes, AC-3 in place of E-AC-3's independent substream 0 is allowed, the reverse is
/// not; an access unit of E-AC-3 that does not begin with independent substream 0.
pub fn config(unit: &[u8], enhanced: bool) -> Result<Ac3, Error> {
    let first = Syncframe::read(unit, 0)?;
    if !first.is_main() || (first.enhanced && !enhanced) {
        return Err(Error::Invalid { what: syncframe::WHAT, at: 0 });
    }
    let record = if enhanced { dec3::payload(unit)? } else { dac3(&first).to_vec() };
    let channels = first.channels();
    Ok(Ac3 { enhanced, record: Bytes::from(record), sample_rate: first.sample_rate, channels })
}

/// Samples of an access unit: 1,536 in each syncframe of AC-3, 256 in each block of independent substream 0 of
/// E-AC-3. `None` for bytes that are no syncframes.
pub fn samples(unit: &[u8]) -> Option<u32> {
    let mut samples = 0_u32;
    for frame in Syncframes::of(unit) {
        let frame = frame.ok()?;
        if frame.is_main() {
            samples = samples.checked_add(frame.blocks * BLOCK)?;
        }
    }
    (samples > 0).then_some(samples)
}

/// AC3SpecificBox (annex F.4).
fn dac3(frame: &Syncframe) -> [u8; 3] {
    let bits = u32::from(frame.fscod) << 22
        | u32::from(frame.bsid) << 17
        | u32::from(frame.bsmod) << 14
        | u32::from(frame.acmod) << 11
        | u32::from(frame.lfeon) << 10
        | u32::from(frame.frmsizecod >> 1) << 5;
    let [_, high, middle, low] = bits.to_be_bytes();
    [high, middle, low]
}
