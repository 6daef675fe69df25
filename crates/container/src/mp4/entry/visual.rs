use media::{Colour, ContentLight, MasteringDisplay, Picture};
use mp4_atom::{BufMut, Colr, Encode, FourCC, Pasp, Visual};

use super::put;
use crate::Error;

/// A VisualSampleEntry (ISO/IEC 14496-12 §12.1.3) with its decoder configuration, and what is known of the
/// picture.
pub(super) fn entry(
    kind: &[u8; 4],
    config: &[u8; 4],
    record: &[u8],
    picture: &Picture,
) -> Result<Vec<u8>, Error> {
    let visual = Visual {
        data_reference_index: 1,
        width: side(picture.width)?,
        height: side(picture.height)?,
        ..Visual::default()
    };
    let mut out = Vec::new();
    out.encode_atom(FourCC::new(kind), |out: &mut Vec<u8>| {
        visual.encode(out)?;
        put(config, record, out)?;
        if let Some(colour) = &picture.colour {
            colr(colour).encode(out)?;
        }
        let aspect = picture.sample_aspect;
        Pasp { h_spacing: aspect.num, v_spacing: aspect.den }.encode(out)?;
        if let Some(mastering) = &picture.mastering {
            put(b"mdcv", &mdcv(mastering), out)?;
        }
        match &picture.light {
            Some(light) => put(b"clli", &clli(light), out),
            None => Ok(()),
        }
    })?;
    Ok(out)
}

fn side(samples: u32) -> Result<u16, Error> {
    u16::try_from(samples).map_err(|_| Error::TooLarge {
        what: "picture side in samples",
        size: samples as usize,
        limit: usize::from(u16::MAX),
    })
}

fn colr(colour: &Colour) -> Colr {
    Colr::Nclx {
        colour_primaries: colour.primaries.into(),
        transfer_characteristics: colour.transfer.into(),
        matrix_coefficients: colour.matrix.into(),
        full_range_flag: colour.full_range,
    }
}

/// MasteringDisplayColourVolumeBox (ISO/IEC 14496-12 §12.1.6).
fn mdcv(mastering: &MasteringDisplay) -> Vec<u8> {
    let points = mastering.primaries.iter().chain([&mastering.white_point]);
    let chromaticities = points.flat_map(|&(x, y)| [x, y]).flat_map(u16::to_be_bytes);
    let luminances =
        [mastering.max_luminance, mastering.min_luminance].into_iter().flat_map(u32::to_be_bytes);
    chromaticities.chain(luminances).collect()
}

/// ContentLightLevelBox (ISO/IEC 14496-12 §12.1.6).
fn clli(light: &ContentLight) -> Vec<u8> {
    [light.max_content, light.max_frame_average].into_iter().flat_map(u16::to_be_bytes).collect()
}
