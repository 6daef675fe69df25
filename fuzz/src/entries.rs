//! The entries: each feeds a parser the way the server does and asserts what must hold of whatever comes out.

pub(crate) mod aac;
pub(crate) mod alibaba;
pub(crate) mod amf0;
pub(crate) mod config;
pub(crate) mod flv;
pub(crate) mod h264;
pub(crate) mod huawei;
pub(crate) mod name;
pub(crate) mod policy;
pub(crate) mod rtmp;
pub(crate) mod session;

use container::{mp4, ts};
use media::Track;

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
