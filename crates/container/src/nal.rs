use codec::{h264, h265};

/// Which standard a NAL unit's header follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// ITU-T H.264 §7.3.1.
    H264,
    /// ITU-T H.265 §7.3.1.2.
    H265,
}

/// What a NAL unit is to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// An access unit delimiter, filler, or nothing: each container has its own way.
    Padding,
    /// VPS, SPS or PPS.
    ParameterSet,
    /// A slice of a picture that decoding can start at: IDR; in H.265 any IRAP (packaging-rules T-07).
    RandomAccess,
    /// Anything else.
    Other,
}

impl Syntax {
    /// The role of `nal`, by its header.
    pub(crate) fn role(self, nal: &[u8]) -> Role {
        match self {
            Self::H264 => match h264::nal_type(nal) {
                None | Some(h264::NAL_AUD | h264::NAL_FILLER) => Role::Padding,
                Some(h264::NAL_SPS | h264::NAL_PPS) => Role::ParameterSet,
                Some(h264::NAL_IDR) => Role::RandomAccess,
                Some(_) => Role::Other,
            },
            Self::H265 => match h265::nal_type(nal) {
                None | Some(h265::NAL_AUD | h265::NAL_FILLER) => Role::Padding,
                Some(h265::NAL_VPS | h265::NAL_SPS | h265::NAL_PPS) => Role::ParameterSet,
                // ITU-T H.265 table 7-1: BLA, IDR and CRA
                Some(16..=21) => Role::RandomAccess,
                Some(_) => Role::Other,
            },
        }
    }
}
