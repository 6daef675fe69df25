use media::{Colour, ContentLight, MasteringDisplay, Picture};

use crate::amf0::{self, Value};
use crate::flv::ColourInfo;
use crate::flv::colour::{read, write};

fn object(fields: &[(&str, f64)]) -> Value {
    Value::Object(fields.iter().map(|&(name, number)| (name.to_owned(), number.into())).collect())
}

fn body(parts: &[(&str, Value)]) -> Vec<u8> {
    let parts = parts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut out = Vec::new();
    amf0::encode(&"colorInfo".into(), &mut out);
    amf0::encode(&Value::Object(parts), &mut out);
    out
}

/// BT.2020 primaries, D65, 1,000 cd/m².
fn display() -> [(&'static str, f64); 10] {
    [
        ("redX", 0.708),
        ("redY", 0.292),
        ("greenX", 0.17),
        ("greenY", 0.797),
        ("blueX", 0.131),
        ("blueY", 0.046),
        ("whitePointX", 0.3127),
        ("whitePointY", 0.329),
        ("maxLuminance", 1_000.0),
        ("minLuminance", 0.0001),
    ]
}

fn everything() -> ColourInfo {
    ColourInfo {
        colour: Some(Colour { primaries: 9, transfer: 16, matrix: 9, full_range: false }),
        mastering: Some(MasteringDisplay {
            primaries: [(8_500, 39_850), (6_550, 2_300), (35_400, 14_600)],
            white_point: (15_635, 16_450),
            max_luminance: 10_000_000,
            min_luminance: 1,
        }),
        light: Some(ContentLight { max_content: 1_000, max_frame_average: 400 }),
    }
}

#[test]
fn colours_are_read_in_the_units_of_boxes() {
    let config = [
        ("bitDepth", 10.0),
        ("colorPrimaries", 9.0),
        ("transferCharacteristics", 16.0),
        ("matrixCoefficients", 9.0),
    ];
    let body = body(&[
        ("colorConfig", object(&config)),
        ("hdrCll", object(&[("maxFall", 400.0), ("maxCLL", 1_000.0)])),
        ("hdrMdcv", object(&display())),
    ]);
    assert_eq!(read(&body).unwrap(), Some(everything()));
}

#[test]
fn what_is_written_reads_back() {
    assert_eq!(read(&write(&everything())).unwrap(), Some(everything()));
    assert_eq!(read(&write(&ColourInfo::default())).unwrap(), Some(ColourInfo::default()));
}

#[test]
fn what_is_missing_or_out_of_range_is_not_stated() {
    let mut display = display();
    display[0].1 = 1.4;
    let body = body(&[
        ("colorConfig", object(&[("colorPrimaries", 9.0), ("transferCharacteristics", 16.0)])),
        ("hdrCll", object(&[("maxFall", f64::NAN), ("maxCLL", 70_000.0)])),
        ("hdrMdcv", object(&display)),
    ]);
    assert_eq!(read(&body).unwrap(), Some(ColourInfo::default()));
}

#[test]
fn undefined_takes_back_what_was_said() {
    let mut body = Vec::new();
    amf0::encode(&"colorInfo".into(), &mut body);
    amf0::encode(&Value::Undefined, &mut body);
    assert_eq!(read(&body).unwrap(), Some(ColourInfo::default()));
}

#[test]
fn other_metadata_says_nothing_of_colours() {
    let mut body = Vec::new();
    amf0::encode(&"futureInfo".into(), &mut body);
    amf0::encode(&Value::Null, &mut body);
    assert_eq!(read(&body).unwrap(), None);
    assert_eq!(read(&[]).unwrap(), None);
    amf0::encode(&"colorInfo".into(), &mut body);
    assert_eq!(read(&body).unwrap(), None, "a name without a value");
    assert!(read(&[0xff]).is_err());
}

#[test]
fn what_a_sender_states_is_added_to_what_the_bit_stream_says() {
    let mut picture = Picture::of_size(320, 180);
    let full = Colour { primaries: 1, transfer: 1, matrix: 1, full_range: true };
    picture.colour = Some(full);
    ColourInfo::default().apply(&mut picture);
    assert_eq!(ColourInfo::of(&picture), ColourInfo { colour: Some(full), ..ColourInfo::default() });
    everything().apply(&mut picture);
    let stated = everything().colour.map(|colour| Colour { full_range: true, ..colour });
    assert_eq!(ColourInfo::of(&picture), ColourInfo { colour: stated, ..everything() });
}
