use super::BLOCK;
use crate::Error;
use crate::bits::Bits;

pub(super) const WHAT: &str = "AC-3 syncframe";
const SYNC_WORD: u32 = 0x0B77;
/// fscod 0 to 2.
const SAMPLE_RATES: [u32; 3] = [48_000, 44_100, 32_000];
/// kbit/s of frmsizecod divided by 2 (table 4.13).
const BIT_RATES: [u32; 19] =
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
/// bsid of AC-3; 9 and 10 are the same at a half and a quarter of the sampling rate.
const AC3_BSID: u8 = 8;
const LAST_AC3_BSID: u8 = 10;
/// bsid of E-AC-3; decoders also take those down to 11.
const LAST_EAC3_BSID: u8 = 16;
/// strmtyp of a dependent substream.
const DEPENDENT: u32 = 1;

/// What the header of a syncframe says; the names are the specification's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Syncframe {
    /// Bytes of it.
    pub(super) size: usize,
    pub(super) sample_rate: u32,
    /// Audio blocks of 256 samples.
    pub(super) blocks: u32,
    /// Whether it has the syntax of annex E.
    pub(super) enhanced: bool,
    pub(super) dependent: bool,
    pub(super) substreamid: u8,
    pub(super) fscod: u8,
    pub(super) bsid: u8,
    pub(super) bsmod: u8,
    pub(super) acmod: u8,
    pub(super) lfeon: bool,
    /// AC-3 only.
    pub(super) frmsizecod: u8,
    /// Which channels a dependent substream carries, most significant bit first; 0 if it doesn't say.
    pub(super) chanmap: u16,
    /// complexity_index_type_a of the extension for joint object coding (ETSI TS 103 420 §8.3).
    pub(super) joc: Option<u8>,
}

impl Syncframe {
    /// The frame that `bytes` begin with; `at` is where they are, for errors.
    pub(super) fn read(bytes: &[u8], at: usize) -> Result<Self, Error> {
        // Both syntaxes have bsid in the same place.
        let bsid = match bytes.get(5) {
            Some(byte) => byte >> 3,
            None => return Err(Error::Truncated { what: WHAT, at: at + bytes.len() }),
        };
        let mut bits = Bits::plain(WHAT, bytes);
        let frame = match (bits.u(16), bsid) {
            (Ok(SYNC_WORD), ..=LAST_AC3_BSID) => ac3(&mut bits),
            (Ok(SYNC_WORD), ..=LAST_EAC3_BSID) => eac3(&mut bits),
            _ => return Err(Error::Invalid { what: WHAT, at }),
        };
        let frame = frame.map_err(|error| error.after(at))?;
        if frame.size > bytes.len() {
            return Err(Error::Truncated { what: WHAT, at: at + bytes.len() });
        }
        Ok(frame)
    }

    /// Whether it belongs to independent substream 0, the programme that every decoder plays.
    pub(super) fn is_main(&self) -> bool {
        !self.dependent && self.substreamid == 0
    }

    /// Channels of acmod (table 4.3) and lfeon.
    pub(super) fn channels(&self) -> u8 {
        let full = match self.acmod {
            1 => 1,
            0 | 2 => 2,
            3 | 4 => 3,
            5 | 6 => 4,
            _ => 5,
        };
        full + u8::from(self.lfeon)
    }
}

/// The syncframes of an access unit, one behind another. The first fault is the last item.
pub(super) struct Syncframes<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Syncframes<'a> {
    pub(super) fn of(unit: &'a [u8]) -> Self {
        Self { rest: unit, at: 0 }
    }
}

impl Iterator for Syncframes<'_> {
    type Item = Result<Syncframe, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let frame = Syncframe::read(self.rest, self.at);
        let size = frame.as_ref().map_or(usize::MAX, |frame| frame.size);
        self.rest = self.rest.get(size..).unwrap_or_default();
        self.at = self.at.saturating_add(size);
        Some(frame)
    }
}

/// syncinfo() behind the sync word and the beginning of bsi() (§4.3.1, §4.3.2).
fn ac3(bits: &mut Bits<'_>) -> Result<Syncframe, Error> {
    bits.skip(16)?; // crc1
    let (fscod, frmsizecod) = (bits.u(2)? as u8, bits.u(6)? as u8);
    let (bsid, bsmod, acmod) = (bits.u(5)? as u8, bits.u(3)? as u8, bits.u(3)? as u8);
    if acmod & 1 == 1 && acmod != 1 {
        bits.skip(2)?; // cmixlev
    }
    if acmod & 4 == 4 {
        bits.skip(2)?; // surmixlev
    }
    if acmod == 2 {
        bits.skip(2)?; // dsurmod
    }
    let lfeon = bits.flag()?;
    let rate = SAMPLE_RATES.get(usize::from(fscod)).copied().ok_or(bits.invalid())?;
    let kilobits = BIT_RATES.get(usize::from(frmsizecod >> 1)).copied().ok_or(bits.invalid())?;
    // Words of 16 bits in 1,536 samples (table 4.13); at 44.1 kHz every other frame has one more.
    let words = kilobits * 1000 / 16 * 6 * BLOCK / rate + u32::from(fscod == 1 && frmsizecod & 1 == 1);
    Ok(Syncframe {
        size: 2 * words as usize,
        sample_rate: rate >> bsid.saturating_sub(AC3_BSID),
        blocks: 6,
        fscod,
        bsid,
        bsmod,
        acmod,
        lfeon,
        frmsizecod,
        ..Syncframe::default()
    })
}

/// bsi() of annex E (§E.1.2.2).
fn eac3(bits: &mut Bits<'_>) -> Result<Syncframe, Error> {
    let strmtyp = bits.u(2)?;
    let substreamid = bits.u(3)? as u8;
    let size = (bits.u(11)? as usize + 1) * 2;
    let fscod = bits.u(2)? as u8;
    let code = bits.u(2)?; // fscod2 of reduced rates, which have 6 blocks, or numblkscod
    let (sample_rate, blocks) = match SAMPLE_RATES.get(usize::from(fscod)) {
        Some(rate) => (Some(*rate), [1, 2, 3, 6].get(code as usize).copied()),
        None => (SAMPLE_RATES.get(code as usize).map(|rate| rate / 2), Some(6)),
    };
    let (Some(sample_rate), Some(blocks)) = (sample_rate, blocks) else { return Err(bits.invalid()) };
    let acmod = bits.u(3)? as u8;
    let lfeon = bits.flag()?;
    let bsid = bits.u(5)? as u8;
    if strmtyp > 2 {
        return Err(bits.invalid());
    }
    let dependent = strmtyp == DEPENDENT;
    let mut frame = Syncframe {
        size,
        sample_rate,
        blocks,
        enhanced: true,
        dependent,
        substreamid,
        fscod,
        bsid,
        acmod,
        lfeon,
        ..Syncframe::default()
    };
    // What follows is of use but not needed: a fault leaves what was read so far.
    let _ = metadata(bits, strmtyp, &mut frame);
    Ok(frame)
}

/// From dialnorm to addbsi (§E.1.2.2): bsmod, chanmap and the extension for joint object coding.
fn metadata(bits: &mut Bits<'_>, strmtyp: u32, frame: &mut Syncframe) -> Result<(), Error> {
    let programmes = if frame.acmod == 0 { 2 } else { 1 };
    for _ in 0..programmes {
        bits.skip(5)?; // dialnorm
        skip_optional(bits, 8)?; // compr
    }
    if frame.dependent && bits.flag()? {
        frame.chanmap = bits.u(16)? as u16;
    }
    if bits.flag()? {
        mixing(bits, strmtyp, frame)?;
    }
    if bits.flag()? {
        information(bits, frame)?;
    }
    if strmtyp == 0 && frame.blocks != 6 {
        bits.skip(1)?; // convsync
    }
    if strmtyp == 2 && (frame.blocks == 6 || bits.flag()?) {
        bits.skip(6)?; // frmsizecod of the AC-3 frame it was
    }
    // addbsie, addbsil of two bytes or more, 7 reserved bits, flag_ec3_extension_type_a
    if bits.flag()? && bits.u(6)? > 0 && bits.u8()? & 1 == 1 {
        frame.joc = Some(bits.u8()?);
    }
    Ok(())
}

/// A flag, and as many bits as it promises.
fn skip_optional(bits: &mut Bits<'_>, count: u32) -> Result<(), Error> {
    if bits.flag()? { bits.skip(count) } else { Ok(()) }
}

/// Mixing metadata, behind mixmdate.
fn mixing(bits: &mut Bits<'_>, strmtyp: u32, frame: &Syncframe) -> Result<(), Error> {
    let acmod = frame.acmod;
    if acmod > 2 {
        bits.skip(2)?; // dmixmod
    }
    if acmod & 1 == 1 && acmod > 2 {
        bits.skip(6)?; // ltrtcmixlev, lorocmixlev
    }
    if acmod & 4 == 4 {
        bits.skip(6)?; // ltrtsurmixlev, lorosurmixlev
    }
    if frame.lfeon {
        skip_optional(bits, 5)?; // lfemixlevcod
    }
    if strmtyp == 0 { programme_mixing(bits, frame) } else { Ok(()) }
}

/// The mixing metadata of independent substreams.
fn programme_mixing(bits: &mut Bits<'_>, frame: &Syncframe) -> Result<(), Error> {
    let programmes = if frame.acmod == 0 { 2 } else { 1 };
    for _ in 0..programmes {
        skip_optional(bits, 6)?; // pgmscl
    }
    skip_optional(bits, 6)?; // extpgmscl
    match bits.u(2)? {
        0 => {}
        1 => bits.skip(5)?,
        2 => bits.skip(12)?,
        _ => {
            let bytes = bits.u(5)? + 2; // mixdeflen
            bits.skip(8 * bytes)?;
        }
    }
    if frame.acmod < 2 {
        for _ in 0..programmes {
            skip_optional(bits, 14)?; // paninfo
        }
    }
    if bits.flag()? {
        for _ in 0..frame.blocks {
            if frame.blocks == 1 {
                bits.skip(5)?; // blkmixcfginfo
            } else {
                skip_optional(bits, 5)?;
            }
        }
    }
    Ok(())
}

/// Informational metadata, behind infomdate.
fn information(bits: &mut Bits<'_>, frame: &mut Syncframe) -> Result<(), Error> {
    frame.bsmod = bits.u(3)? as u8;
    bits.skip(2)?; // copyrightb, origbs
    if frame.acmod == 2 {
        bits.skip(4)?; // dsurmod, dheadphonmod
    }
    if frame.acmod >= 6 {
        bits.skip(2)?; // dsurexmod
    }
    let programmes = if frame.acmod == 0 { 2 } else { 1 };
    for _ in 0..programmes {
        skip_optional(bits, 8)?; // mixlevel, roomtyp, adconvtyp
    }
    if frame.fscod < 3 {
        bits.skip(1)?; // sourcefscod
    }
    Ok(())
}
