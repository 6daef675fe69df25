use media::{Codec, Gap, Packet, Run, Ticks, TrackId, Wall};

use crate::{Answer, Effects, Order, Refusal};

/// One product made of one session. Called inline by whoever owns the session.
pub trait Output: Send {
    /// Takes the next event and appends everything that it causes to `fx`.
    ///
    /// # Errors
    /// An error ends this output: it is dropped with a warning, its siblings go on.
    fn on(&mut self, event: Event<'_>, fx: &mut Effects) -> Result<(), Error>;

    /// When this output wants an [`Event::Tick`] though no media comes. After [`Gap::source_gone`] an output
    /// without a deadline has nothing left to wait for; the session ends when no output has one.
    fn deadline(&self) -> Option<Wall> {
        None
    }

    /// An operator's order at this moment; `None` if it is nothing that this product obeys.
    fn order(&mut self, order: Order, at: Wall, fx: &mut Effects) -> Option<Result<(), Refusal>> {
        let _ = (order, at, fx);
        None
    }

    /// Where its media ends on the session's timeline, in microseconds, if it was resumed: the next run begins there
    /// at the earliest.
    fn reached(&self) -> i64 {
        0
    }
}

/// What happens to a session, in order. A run's packets come between its `Run` and the next `Run`, `Gap` or `End`.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A run begins; for all but the first this is a discontinuity.
    Run(&'a Run),
    /// An access unit of the current run. Per track in DTS order; tracks may run up to a second apart. Sound
    /// that the run before had no place for comes first, from up to ten seconds before [`Run::start`].
    Packet(&'a Packet),
    /// A key frame of a video track came. The packet of the track that comes next is the last one before it, unless
    /// that is here already. It becomes a packet itself as soon as the frame after it tells how long it lasts.
    KeyFrame {
        /// Whose frame.
        track: TrackId,
        /// Decode time, in ticks of the track's timescale.
        dts: Ticks,
        /// Presentation time, in ticks of the track's timescale.
        pts: Ticks,
    },
    /// The current run ended. After [`Gap::source_gone`] a publisher may come back with a new `Run`, or not.
    Gap(Gap, Wall),
    /// Time passed; sent when a deadline is reached.
    Tick(Wall),
    /// What the operator's OnDemandUrl answered to [`crate::Effect::Ask`].
    Answer(&'a Answer),
    /// What this output writes cannot be kept at the moment: its disk or its share of it is full. Frames until
    /// [`Event::Unblocked`] are lost to it.
    Blocked(Wall),
    /// It can be kept again.
    Unblocked(Wall),
    /// The server ends and will start again: what is open is written and saved, not closed.
    Suspend(Wall),
    /// Nothing follows: close what is open.
    End(Wall),
}

/// Why an output gave up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The product's container has no place for this codec.
    #[error("{product} cannot carry {codec}")]
    Unsupported {
        /// Product name as in the config, such as `m3u8`.
        product: &'static str,
        /// RFC 6381 string of the codec.
        codec: String,
    },
    /// Media that its container cannot express.
    #[error(transparent)]
    Container(#[from] container::Error),
    /// Media whose framing is broken.
    #[error(transparent)]
    Codec(#[from] codec::Error),
}

impl Error {
    /// `product` has no place for `codec`.
    pub fn unsupported(product: &'static str, codec: &Codec) -> Self {
        Self::Unsupported { product, codec: codec::rfc6381(codec) }
    }
}
