//! What mutants are made of: what real encoders sent (`tests/data/`), and small things made by hand.

pub(crate) mod calls;
pub(crate) mod codecs;

use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use codec::h264;
use container::amf0::Value;
use container::flv::{self, Body, TagKind};
use media::{Gap, Kind};
use rml_rtmp::handshake::{Handshake, PeerType};
use rtmp::Limits;
use rtmp::chunk::{Format, Message, Reader, Writer, kind};
use rtmp::command::{encode, object};
use testkit::Clip;

use crate::entries::session::{self, Step};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Whole recorded connections, handshake left out.
fn captures() -> Vec<Vec<u8>> {
    let folder = std::fs::read_dir(root().join("tests/data"));
    let mut files: Vec<PathBuf> = folder.into_iter().flatten().flatten().map(|file| file.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rtmp"));
    files.sort();
    assert!(!files.is_empty(), "no captures in tests/data");
    files.iter().filter_map(|file| std::fs::read(file).ok()).collect()
}

/// Every message of a connection.
fn messages(capture: &[u8]) -> Vec<Message> {
    let (mut reader, mut buf) = (Reader::new(Limits::default()), BytesMut::from(capture));
    std::iter::from_fn(|| reader.next(&mut buf).ok().flatten()).collect()
}

fn all_messages() -> impl Iterator<Item = Message> {
    captures().into_iter().flat_map(|capture| messages(&capture))
}

/// C0, C1 and C2, simple and with digests, and the beginning of a connection.
pub(crate) fn handshakes() -> Vec<Vec<u8>> {
    let after: Vec<u8> = captures().first().map(|capture| capture[..1_000].to_vec()).unwrap_or_default();
    let digest = Handshake::new(PeerType::Client).generate_outbound_p0_and_p1().unwrap_or_default();
    let simple: Vec<u8> = [3].into_iter().chain([0; 8]).chain((0..1528).map(|i| i as u8)).collect();
    let whole = |c0_c1: Vec<u8>| [&c0_c1[..], &[7; 1536], &after].concat();
    vec![whole(simple), whole(digest), vec![6; 1537]]
}

/// Connections: as captured, and written anew in other chunk sizes without the bulk of the media.
pub(crate) fn connections() -> Vec<Vec<u8>> {
    let mut seeds = vec![by_hand()];
    for (at, capture) in captures().iter().enumerate() {
        seeds.extend([3_000, 24_000].map(|most| capture[..most.min(capture.len())].to_vec()));
        let mut small = messages(capture);
        small.retain(|message| message.payload.len() < 600);
        // The commands at both ends.
        let last = small.split_off(small.len().saturating_sub(6));
        small.truncate(60);
        small.extend(last);
        seeds.push(rewrite(&small, [128, 1, 4_096, 60_000, 30][at % 5]));
    }
    seeds
}

fn rewrite(messages: &[Message], chunk_size: u32) -> Vec<u8> {
    let (mut writer, mut out) = (Writer::new(), BytesMut::new());
    writer.set_chunk_size(chunk_size, &mut out);
    for message in messages {
        let csid = match message.kind {
            kind::AUDIO => 4,
            kind::VIDEO => 6,
            kind::DATA => 70,
            kind::COMMAND if message.stream > 0 => 400,
            _ => 3,
        };
        writer.write(csid, Format::Same, message, &mut out);
    }
    out.to_vec()
}

/// What captures lack: extended timestamps, an aggregate, an abort, a ping, an AMF3 command, two publishes.
fn by_hand() -> Vec<u8> {
    let message = |kind, stream, timestamp, payload: Bytes| Message { kind, stream, timestamp, payload };
    let command = |stream, values: &[Value]| message(kind::COMMAND, stream, 0, encode(values));
    let app = object([("app", "live?a=1&vhost=v.local".into()), ("tcUrl", "rtmp://h:1935/live".into())]);
    let publish =
        |number: f64| ["publish".into(), number.into(), Value::Null, "s?x=%20y".into(), "live".into()];
    let bytes = |bytes: &'static [u8]| Bytes::from_static(bytes);
    let inner = bytes(
        b"\x08\0\0\x02\0\0\0\0\0\0\0\xaf\x01\0\0\0\x0d\x09\0\0\x05\0\0\x10\0\0\0\0\x17\x02\0\0\0\0\0\0\x10",
    );
    let amf3: Bytes = [&[0], &encode(&["createStream".into(), 2.0.into(), Value::Null])[..]].concat().into();
    let script = encode(&["@setDataFrame".into(), "onMetaData".into(), object([("width", 1.0.into())])]);
    let all = [
        message(kind::WINDOW_ACK_SIZE, 0, 0, bytes(&[0, 0, 4, 0])),
        command(0, &["connect".into(), 1.0.into(), app]),
        message(kind::COMMAND_AMF3, 0, 0, amf3),
        command(1, &publish(3.0)),
        message(kind::DATA, 1, 0, script),
        message(kind::VIDEO, 1, 0xff_fff0, vec![0x27; 700].into()),
        message(kind::VIDEO, 1, 0x100_0000, vec![0x27; 300].into()),
        message(kind::VIDEO, 1, 0xffff_fff0, vec![0x27; 300].into()),
        message(kind::AGGREGATE, 1, 5, inner),
        message(kind::ABORT, 0, 0, bytes(&[0, 0, 0, 6])),
        message(kind::USER_CONTROL, 0, 0, bytes(&[0, 6, 1, 2, 3, 4])),
        command(0, &["FCUnpublish".into(), 4.0.into(), Value::Null, "s".into()]),
        command(1, &publish(5.0)),
        command(0, &["deleteStream".into(), 6.0.into(), Value::Null, 1.0.into()]),
        command(2, &["play".into(), 7.0.into(), Value::Null, "s".into()]),
    ];
    rewrite(&all, 100)
}

/// Commands and metadata as captured, and one value of every kind.
pub(crate) fn amf0_messages() -> Vec<Vec<u8>> {
    let every = [
        Value::Date(1e12),
        Value::Reference(1),
        Value::Xml("<a/>".to_owned()),
        Value::Unsupported,
        Value::Undefined,
        Value::StrictArray(vec![1.0.into(), Value::Boolean(true), Value::StrictArray(vec![Value::Null])]),
        Value::TypedObject { name: "T".to_owned(), properties: vec![("a".to_owned(), "b".into())] },
        Value::EcmaArray(vec![("é".to_owned(), object([("o", object([("i", Value::Null)]))]))]),
        Value::String("x".repeat(70_000)),
    ];
    let mut seeds: Vec<Vec<u8>> = vec![encode(&every[..8]).to_vec(), encode(&every[8..]).to_vec()];
    seeds.extend(
        all_messages().filter(|m| matches!(m.kind, kind::COMMAND | kind::DATA)).map(|m| m.payload.to_vec()),
    );
    seeds.sort();
    seeds.dedup();
    seeds
}

/// Payloads and files.
pub(crate) fn flv() -> Vec<Vec<u8>> {
    [media_payloads(), vec![colours()], flv_files()].concat()
}

/// The first media messages of every capture: sequence headers and small frames.
fn media_payloads() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = PAYLOADS.iter().map(|payload| payload.to_vec()).collect();
    for capture in captures() {
        let media = messages(&capture).into_iter().filter(|m| matches!(m.kind, kind::AUDIO | kind::VIDEO));
        seeds.extend(media.filter(|m| m.payload.len() < 2_000).take(40).map(|m| m.payload.to_vec()));
    }
    seeds
}

/// Payloads that no capture has.
const PAYLOADS: &[&[u8]] = &[
    &[0x57, 0],
    &[0x17, 2],
    &[0xaf, 0, 0x12, 0x10],
    b"\x1c\x01\0\0\x28\0\0\0\x02\x26\x01",
    b"\x2d\x01\0\0\0\x12\0",
    b"\xd1\x01",
    b"\x90vvc1\0\0\0",
    // ModEx: nanoseconds, then data of a type to come with a long size
    b"\x97\x02\x0f\x42\x3f\x07\xff\x00\xff\x10\x03hvc1\0\0\0\x02\x26\x01",
    b"\x97\x02\0\0\x07\x05\x01Opus\x01\xf8",
    // Multitrack: several tracks of one codec, and of several
    b"\x96\x11hvc1\0\0\0\x09\0\0\0\0\0\0\x02\x26\x01\x02\0\0\x03\0\0\x28",
    b"\x95\x21mp4a\0\0\0\x01!Opus\x01\0\0\x02\xf8\xffzzzz\x02\0\0\0ec-3\x03\0\0\x02\x0b\x77",
    b"\x94Opus\x02\x02\0\x01",
];

/// A Metadata packet with every colour in it.
fn colours() -> Vec<u8> {
    let numbers = |names: &[&str], number: f64| {
        Value::Object(names.iter().map(|&name| (name.to_owned(), number.into())).collect())
    };
    let config =
        numbers(&["bitDepth", "colorPrimaries", "transferCharacteristics", "matrixCoefficients"], 9.0);
    let display = [
        "redX",
        "redY",
        "greenX",
        "greenY",
        "blueX",
        "blueY",
        "whitePointX",
        "whitePointY",
        "maxLuminance",
        "minLuminance",
    ];
    let light = numbers(&["maxFall", "maxCLL"], 400.0);
    let info = object([("colorConfig", config), ("hdrMdcv", numbers(&display, 0.3)), ("hdrCll", light)]);
    [&b"\xd4hvc1"[..], &encode(&["colorInfo".into(), info])].concat()
}

/// Short files of a clip.
fn flv_files() -> Vec<Vec<u8>> {
    let clips = [clip(), clip().audio_only(), clip().video_only()];
    let file = |clip: &Clip| {
        let mut pieces = vec![Bytes::copy_from_slice(&flv::header(clip.rate > 0, clip.fps > 0))];
        let script = encode(&["onMetaData".into(), object([("duration", 1.0.into())])]);
        let _ = flv::write_tag(TagKind::Script, 0, &[], &script, &mut pieces);
        for message in clip.messages().iter().take(12) {
            let tag = if message.kind == Kind::Video { TagKind::Video } else { TagKind::Audio };
            let _ = flv::write_tag(tag, message.timestamp, &[], &message.payload, &mut pieces);
        }
        pieces.concat()
    };
    clips.iter().map(file).collect()
}

/// Decoder configurations as captured, and a clip's.
pub(crate) fn avc_records() -> Vec<Vec<u8>> {
    [vec![Clip::default().avc_record()], records(flv::Format::Avc)].concat()
}

/// The decoder configurations of a codec that the captures have.
fn records(format: flv::Format) -> Vec<Vec<u8>> {
    let units = all_messages().filter_map(|message| match message.kind {
        kind::VIDEO => flv::video(&message.payload).ok(),
        kind::AUDIO => flv::audio(&message.payload).ok(),
        _ => None,
    });
    let starts = units.flatten().flatten().filter_map(|unit| match unit.body {
        Body::SequenceStart(record) if unit.format == format => Some(record.to_vec()),
        _ => None,
    });
    starts.collect()
}

/// The parameter sets of those, and one with everything optional in it.
pub(crate) fn sps() -> Vec<Vec<u8>> {
    let sets = avc_records().into_iter().filter_map(|record| h264::parameter_sets(&record.into()).ok());
    let mut seeds: Vec<Vec<u8>> = sets.flat_map(|sets| sets.sps).map(|sps| sps.to_vec()).collect();
    // libx264: High, interlaced, cropped, VUI with a rare aspect ratio, colours, timing and HRD parameters.
    seeds.push(vec![
        0x67, 0x64, 0x00, 0x15, 0xac, 0xd9, 0x41, 0x53, 0x3c, 0xd2, 0x60, 0xad, 0xc0, 0x40, 0x40, 0x50, 0x00,
        0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x26, 0x04, 0x00, 0x0f, 0x42, 0x40, 0x01, 0xe8, 0x4a,
        0x4c, 0x30, 0x0f, 0x8a, 0x14, 0xcb,
    ]);
    seeds
}

/// AudioSpecificConfigs as captured, and those of rarer kinds.
pub(crate) fn aac_configs() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        vec![0x12, 0x10],                                     // LC, 44.1 kHz, stereo
        vec![0x2b, 0x92, 0x08, 0x00],                         // SBR, explicit
        vec![0xeb, 0x8a, 0x08, 0x00],                         // PS, explicit
        vec![0x13, 0x90, 0x56, 0xe5, 0xa5, 0x48, 0x80],       // SBR and PS, backward compatible
        vec![0x17, 0x80, 0x2e, 0xe0, 0x10],                   // explicit rate
        vec![0x11, 0x80, 0x04, 0xc4, 0x00, 0x00, 0x20, 0x00], // program config element
        vec![0xf8, 0xe8, 0x50, 0x00],                         // escaped object type, of no codec we take
    ];
    seeds.extend(records(flv::Format::Aac));
    seeds
}

/// Names with every variable, and paths that want out.
pub(crate) fn names() -> Vec<Vec<u8>> {
    let texts = [
        "\0snapshot/{AppName}/{StreamName}.jpg",
        "\x01snapshot/{AppName}/{StreamName}/{UnixTimestamp}-{Sequence}.jpg",
        "\x02record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}",
        "\x03record/{AppName}/{StreamName}/{Sequence}{EscapedStartTime}{EscapedEndTime}{StartTime}{EndTime}",
        "\0../..//./{AppName}/.{StreamName}",
        "\0a\nb\n{}{{}}é\u{202e}",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// What players append to the URL of a playlist.
pub(crate) fn queries() -> Vec<Vec<u8>> {
    let texts = [
        "_HLS_msn=1732111200&_HLS_part=2&_HLS_skip=YES",
        "token=a%20b&_HLS_msn=18446744073709551615&_HLS_skip=v2",
        "_HLS_part=0",
        "_HLS_msn=+1&_HLS_msn=7",
        "_HLS_skip=no&_HLS_part=00012&_HLS_msn=0&&=&_HLS_msn",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// The config that we ship, whole, without its comments, and with the environment over it.
pub(crate) fn configs() -> Vec<Vec<u8>> {
    let shipped = std::fs::read_to_string(root().join("config/millrace.toml")).unwrap_or_default();
    let bare: Vec<&str> =
        shipped.lines().filter_map(|line| line.split('#').next()).map(str::trim_end).collect();
    let bare: String = bare.iter().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect();
    let key = "[[access_key]]\nid = \"LTAI\"\nsecret = \"0123456789abcdef0123\"\npolicy = \"read\"\n";
    let env = "MILLRACE__HTTP__LISTEN=0.0.0.0:80\nMILLRACE__LIMITS__WINDOW_BYTES=2GiB\nMILLRACE__LOG__LEVEL=debug\n";
    vec![shipped.into_bytes(), format!("{env}{bare}{key}").into_bytes(), bare.into_bytes()]
}

fn clip() -> Clip {
    Clip { frame_bytes: 16, millis: 4_000, ..Clip::default() }
}

/// Sessions as sequences of messages: clips of every kind, reconnects, and the beginnings of captures.
pub(crate) fn stories() -> Vec<Vec<u8>> {
    let clips = [
        clip(),
        Clip { b_frames: true, gop: 12, ..clip() },
        clip().audio_only(),
        clip().video_only(),
        Clip { first_timestamp: 0xffff_fff0, rate: 44_100, ..clip() },
        Clip { gop: 0, millis: 9_000, ..clip() },
    ];
    let mut seeds: Vec<Vec<u8>> = clips.iter().map(|clip| session::encode(0, &story(&[*clip]))).collect();
    let changes = [
        [clips[0], Clip { size: (320, 176), ..clips[0] }],
        [clips[0], Clip { rate: 44_100, first_timestamp: 4_000, ..clips[0] }],
        [clips[2], clips[0]],
        [clips[0], Clip { first_timestamp: 100_000, ..clips[0] }],
    ];
    for (at, change) in changes.iter().enumerate() {
        seeds.push(session::encode(at as u8, &story(change)));
        let mut steps = story(&change[..1]);
        steps.extend([(10, Step::Gone(Gap::Dropped)), (10_000, Step::Tick), (5_000, Step::Publish)]);
        steps.extend(story(&change[1..]));
        steps.extend([(5, Step::Gone(Gap::Unpublished)), (30_000, Step::Tick), (30_000, Step::Tick)]);
        seeds.push(session::encode(at as u8 + 4, &steps));
    }
    seeds.extend(captures().iter().map(|capture| session::encode(0, &captured(capture))));
    seeds
}

fn story(clips: &[Clip]) -> Vec<(i16, Step)> {
    clips.iter().flat_map(|clip| session::steps(&clip.messages())).collect()
}

/// The first media of a capture, arriving as its timestamps say.
fn captured(capture: &[u8]) -> Vec<(i16, Step)> {
    let mut last = 0;
    let step = |message: Message| {
        let kind = if message.kind == kind::VIDEO { Kind::Video } else { Kind::Audio };
        let millis = message.timestamp.wrapping_sub(last) as i16;
        last = message.timestamp;
        (millis, Step::Media { kind, timestamp: message.timestamp, payload: message.payload })
    };
    let media = messages(capture).into_iter().filter(|m| matches!(m.kind, kind::AUDIO | kind::VIDEO));
    media.filter(|message| message.payload.len() < 5_000).take(60).map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ENTRIES;

    #[test]
    fn every_entry_has_seeds_that_it_takes() {
        for entry in ENTRIES {
            let seeds = (entry.seeds)();
            assert!(seeds.len() >= 3, "{}: {} seeds", entry.name, seeds.len());
            seeds.iter().for_each(|seed| (entry.run)(seed));
        }
    }

    #[test]
    fn the_configurations_among_the_seeds_are_read() {
        let pictures = sps().iter().filter(|sps| h264::picture(sps).is_ok()).count();
        assert_eq!(pictures, sps().len(), "of the parameter sets");
        let records = avc_records().into_iter().filter(|record| h264::config(&record.clone().into()).is_ok());
        assert!(records.count() >= 5);
        for text in configs() {
            let (env, text) = crate::entries::config::split(&text);
            let config = server::config::Config::parse("seed", &text, env.into_iter());
            assert!(config.is_ok(), "{config:?}");
        }
        let configs = aac_configs();
        let bad: Vec<_> =
            configs.iter().filter(|c| codec::aac::config(&(*c).clone().into()).is_err()).collect();
        assert_eq!(bad, [&[0xf8, 0xe8, 0x50, 0x00]]);
    }
}
