use media::{Colour, ContentLight, MasteringDisplay, Picture};

use crate::Error;
use crate::amf0::{self, Properties, Value};

/// Name of the one property that a Metadata packet has.
const COLOR_INFO: &str = "colorInfo";
/// Chromaticities of `mdcv` in 1.
const CHROMATICITY: f64 = 50_000.0;
/// Luminances of `mdcv` in 1 cd/m².
const LUMINANCE: f64 = 10_000.0;
/// transfer_characteristics of PQ and HLG (ITU-T H.273 table 3).
const HIGH_DYNAMIC_RANGE: [u8; 2] = [16, 18];

/// What a sender says of colours beside the bit stream (enhanced-rtmp-v2, "Metadata Frame"). Everything `None`:
/// what the bit stream says holds again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColourInfo {
    /// Colour description. It cannot tell full range: [`ColourInfo::apply`] keeps the picture's.
    pub colour: Option<Colour>,
    /// The display it was mastered on.
    pub mastering: Option<MasteringDisplay>,
    /// How bright it gets.
    pub light: Option<ContentLight>,
}

impl ColourInfo {
    /// Adds it to what the bit stream says: what it states replaces that.
    pub fn apply(&self, picture: &mut Picture) {
        if let Some(colour) = self.colour {
            let full_range = picture.colour.is_some_and(|colour| colour.full_range);
            picture.colour = Some(Colour { full_range, ..colour });
        }
        picture.mastering = self.mastering.or(picture.mastering);
        picture.light = self.light.or(picture.light);
    }

    /// What `picture` is known to be, from wherever.
    pub fn of(picture: &Picture) -> Self {
        Self { colour: picture.colour, mastering: picture.mastering, light: picture.light }
    }

    /// Whether players need it: without, a picture of high dynamic range looks grey.
    pub(super) fn is_high_dynamic_range(&self) -> bool {
        let transfer = self.colour.is_some_and(|colour| HIGH_DYNAMIC_RANGE.contains(&colour.transfer));
        transfer || self.mastering.is_some() || self.light.is_some()
    }
}

/// Reads the body of a Metadata packet; `None` if it says nothing of colours. What is out of range is as if it was
/// not there.
///
/// Errors: it is not AMF0.
pub(super) fn read(body: &[u8]) -> Result<Option<ColourInfo>, Error> {
    let values = amf0::decode_all(body)?;
    let mut pairs = values.chunks_exact(2);
    let info = pairs.find_map(|pair| match pair {
        [name, info] if name.as_str() == Some(COLOR_INFO) => Some(info),
        _ => None,
    });
    Ok(info.map(|info| ColourInfo {
        colour: info.get("colorConfig").and_then(colour),
        mastering: info.get("hdrMdcv").and_then(mastering),
        light: info.get("hdrCll").and_then(light),
    }))
}

/// The body of a Metadata packet.
pub(super) fn write(info: &ColourInfo) -> Vec<u8> {
    let mut properties = Properties::new();
    let mut add = |name: &str, fields: &[(&str, f64)]| {
        let fields = fields.iter().map(|&(name, number)| (name.to_owned(), number.into())).collect();
        properties.push((name.to_owned(), Value::Object(fields)));
    };
    if let Some(Colour { primaries, transfer, matrix, .. }) = info.colour {
        let number = |code: u8| f64::from(code);
        add(
            "colorConfig",
            &[
                ("colorPrimaries", number(primaries)),
                ("transferCharacteristics", number(transfer)),
                ("matrixCoefficients", number(matrix)),
            ],
        );
    }
    if let Some(ContentLight { max_content, max_frame_average }) = info.light {
        add("hdrCll", &[("maxFall", max_frame_average.into()), ("maxCLL", max_content.into())]);
    }
    if let Some(MasteringDisplay { primaries, white_point, max_luminance, min_luminance }) = info.mastering {
        let [green, blue, red] = primaries;
        let share = |part: u16| f64::from(part) / CHROMATICITY;
        add(
            "hdrMdcv",
            &[
                ("redX", share(red.0)),
                ("redY", share(red.1)),
                ("greenX", share(green.0)),
                ("greenY", share(green.1)),
                ("blueX", share(blue.0)),
                ("blueY", share(blue.1)),
                ("whitePointX", share(white_point.0)),
                ("whitePointY", share(white_point.1)),
                ("maxLuminance", f64::from(max_luminance) / LUMINANCE),
                ("minLuminance", f64::from(min_luminance) / LUMINANCE),
            ],
        );
    }
    let mut body = Vec::new();
    amf0::encode(&COLOR_INFO.into(), &mut body);
    amf0::encode(&Value::Object(properties), &mut body);
    body
}

fn colour(config: &Value) -> Option<Colour> {
    let code = |name| within(config, name, 1.0, f64::from(u8::MAX)).map(|code| code as u8);
    Some(Colour {
        primaries: code("colorPrimaries")?,
        transfer: code("transferCharacteristics")?,
        matrix: code("matrixCoefficients")?,
        full_range: false,
    })
}

fn mastering(display: &Value) -> Option<MasteringDisplay> {
    let share = |name| within(display, name, CHROMATICITY, f64::from(u16::MAX)).map(|part| part as u16);
    let luminance = |name| within(display, name, LUMINANCE, f64::from(u32::MAX)).map(|part| part as u32);
    Some(MasteringDisplay {
        primaries: [
            (share("greenX")?, share("greenY")?),
            (share("blueX")?, share("blueY")?),
            (share("redX")?, share("redY")?),
        ],
        white_point: (share("whitePointX")?, share("whitePointY")?),
        max_luminance: luminance("maxLuminance")?,
        min_luminance: luminance("minLuminance")?,
    })
}

fn light(levels: &Value) -> Option<ContentLight> {
    let level = |name| within(levels, name, 1.0, f64::from(u16::MAX)).map(|level| level as u16);
    Some(ContentLight { max_content: level("maxCLL")?, max_frame_average: level("maxFall")? })
}

/// The number `name` in units of one `scale`th, rounded; `None` if it is missing or not within 0 to `most`.
fn within(object: &Value, name: &str, scale: f64, most: f64) -> Option<f64> {
    let number = (object.get(name)?.as_number()? * scale).round();
    (0.0..=most).contains(&number).then_some(number)
}
