use super::BLOCK;
use super::syncframe::{Syncframe, Syncframes, WHAT};
use crate::Error;

/// An independent substream and what depends on it.
struct Substream {
    frame: Syncframe,
    /// A bit for each substreamid of its dependent substreams.
    dependents: u8,
    /// chan_loc, bit 0 the least significant (table F.6.1).
    locations: u16,
}

/// EC3SpecificBox (annex F.6) of the substreams in an access unit.
pub(super) fn payload(unit: &[u8]) -> Result<Vec<u8>, Error> {
    let substreams = substreams(unit)?;
    let count = u16::try_from(substreams.len().saturating_sub(1)).unwrap_or(0);
    let mut payload = (data_rate(unit)? << 3 | count & 7).to_be_bytes().to_vec();
    for substream in &substreams {
        substream.write(&mut payload);
    }
    if let Some(complexity) = substreams.first().and_then(|substream| substream.frame.joc) {
        payload.extend([1, complexity]); // flag_ec3_extension_type_a (ETSI TS 103 420 §C.3)
    }
    Ok(payload)
}

/// In their order; a substream comes again for each syncframe of fewer than six blocks.
fn substreams(unit: &[u8]) -> Result<Vec<Substream>, Error> {
    let mut found: Vec<Substream> = Vec::new();
    let mut current = 0;
    for frame in Syncframes::of(unit) {
        let frame = frame?;
        if !frame.dependent {
            let known = found.iter().position(|known| known.frame.substreamid == frame.substreamid);
            current = known.unwrap_or(found.len());
            if known.is_none() {
                found.push(Substream { frame, dependents: 0, locations: 0 });
            }
        } else if let Some(parent) = found.get_mut(current) {
            parent.dependents |= 1 << (frame.substreamid & 7);
            parent.locations |= locations(frame.chanmap);
        }
    }
    Ok(found)
}

/// chan_loc of a chanmap (table E.1.5): the pairs from Lc/Rc to Cvh, and the second low-frequency channel.
fn locations(chanmap: u16) -> u16 {
    // bit n of chanmap counts from the left, chan_loc's from the right
    (0..9)
        .filter(|location| {
            let bit = if *location == 8 { 14 } else { 5 + location };
            chanmap << bit & 0x8000 != 0
        })
        .fold(0, |all, location| all | 1 << location)
}

/// kbit/s of the whole unit, to the nearest.
fn data_rate(unit: &[u8]) -> Result<u16, Error> {
    let (mut samples, mut sample_rate) = (0_u64, 0_u64);
    for frame in Syncframes::of(unit) {
        let frame = frame?;
        if frame.is_main() {
            samples += u64::from(frame.blocks * BLOCK);
            sample_rate = u64::from(frame.sample_rate);
        }
    }
    let bits = 8 * unit.len() as u64 * sample_rate;
    let thousand = samples * 1000;
    let rate = (bits + thousand / 2).checked_div(thousand);
    Ok(rate.ok_or(Error::Invalid { what: WHAT, at: 0 })?.min(0x1FFF) as u16)
}

impl Substream {
    fn write(&self, payload: &mut Vec<u8>) {
        let frame = &self.frame;
        let bits = u32::from(frame.fscod) << 22
            | u32::from(frame.bsid) << 17
            | u32::from(frame.bsmod) << 12
            | u32::from(frame.acmod) << 9
            | u32::from(frame.lfeon) << 8
            | self.dependents.count_ones() << 1;
        let [_, high, middle, low] = bits.to_be_bytes();
        if self.dependents == 0 {
            payload.extend([high, middle, low]);
        } else {
            let [upper, lower] = self.locations.to_be_bytes();
            payload.extend([high, middle, low | upper & 1, lower]);
        }
    }
}
