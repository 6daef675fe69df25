use crate::MAX_SIDE;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The access unit or its decoder configuration is not what it should be.
    #[error(transparent)]
    Codec(#[from] codec::Error),
    /// The decoder or the scaler refused.
    #[error("FFmpeg: {0}")]
    Ffmpeg(#[from] ffmpeg_next::Error),
    /// This FFmpeg was built without the decoder.
    #[error("this FFmpeg has no {codec} decoder")]
    NoDecoder {
        /// Name of the codec.
        codec: &'static str,
    },
    /// The decoder took everything and gave nothing.
    #[error("no picture came out of the key frame")]
    NoPicture,
    /// A picture this large is refused: its buffers would be too.
    #[error("a picture of {width}x{height} is over the limit of {MAX_SIDE}x{MAX_SIDE}")]
    TooLarge {
        /// Width in luma samples.
        width: u32,
        /// Height in luma samples.
        height: u32,
    },
    /// The JPEG encoder refused.
    #[error("JPEG: {0}")]
    Jpeg(#[from] turbojpeg::Error),
    /// A defect of ours or of a library; the worker goes on with the next picture.
    #[error("the picture worker panicked")]
    Panicked,
}

/// The queue of pictures is full: this snapshot is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the picture queue is full")]
pub struct Busy;
