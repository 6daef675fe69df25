//! The entries: each feeds a parser the way the server does and asserts what must hold of whatever comes out.

pub(crate) mod aac;
pub(crate) mod alibaba;
pub(crate) mod amf0;
pub(crate) mod av1;
pub(crate) mod config;
pub(crate) mod flv;
pub(crate) mod h264;
pub(crate) mod h265;
pub(crate) mod huawei;
pub(crate) mod name;
pub(crate) mod policy;
pub(crate) mod progressive;
pub(crate) mod recording;
pub(crate) mod reload;
pub(crate) mod rtmp;
pub(crate) mod session;
pub(crate) mod sound;
pub(crate) mod vp9;

use container::{mp4, ts};
use media::{Codec, Kind, Picture, Track, TrackId};

/// A picture that was read from a stream.
fn picture(picture: &Picture) {
    assert!(picture.width > 0 && picture.height > 0, "{picture:?}");
    assert!(picture.sample_aspect.den > 0 && picture.sample_aspect.num > 0, "{picture:?}");
    assert!(picture.frame_rate.is_none_or(|rate| rate.den > 0), "{picture:?}");
}

/// A codec that was taken, as the main track of its kind.
fn codec(codec: Codec) {
    let id = if codec.kind() == Kind::Video { TrackId::VIDEO } else { TrackId::AUDIO };
    let timescale = codec.timescale();
    assert!(timescale.is_some(), "{codec:?}");
    if let Some(timescale) = timescale {
        contained(&Track { id, timescale, codec });
    }
}

/// A configuration that was taken goes into every container, or is refused as an error.
fn contained(track: &Track) {
    assert!(!codec::rfc6381(&track.codec).is_empty());
    if let Ok(init) = mp4::init(track) {
        assert!(!init.is_empty());
    }
    if let Ok(mut muxer) = ts::Muxer::new(std::slice::from_ref(track)) {
        let mut out = bytes::BytesMut::new();
        muxer.tables(&mut out);
        assert_eq!(out.len() % 188, 0, "TS packets are 188 bytes long");
    }
}
