//! What the publisher said of its tracks last.

use std::collections::BTreeMap;

use container::flv::ColourInfo;
use media::{Codec, Track, TrackId};

/// Most tracks of one publish; what a sender announces beyond is left out.
pub(crate) const MAX_TRACKS: usize = 16;

/// Decoder configurations by track.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configs(BTreeMap<TrackId, Config>);

#[derive(Clone, Debug, Default)]
struct Config {
    /// As the stream states it.
    stated: Option<Codec>,
    colour: Option<ColourInfo>,
    /// With those colours; `None` as long as nothing says how large pictures are.
    codec: Option<Codec>,
}

impl Configs {
    /// The configuration in force for `track`.
    pub(crate) fn get(&self, track: TrackId) -> Option<&Codec> {
        self.0.get(&track)?.codec.as_ref()
    }

    /// The same without what the sender said of its colours beside.
    pub(crate) fn stated(&self, track: TrackId) -> Option<&Codec> {
        self.0.get(&track)?.stated.as_ref()
    }

    /// Tracks that have one, in order.
    pub(crate) fn tracks(&self) -> impl Iterator<Item = TrackId> {
        self.0.iter().filter(|(_, config)| config.codec.is_some()).map(|(&track, _)| track)
    }

    /// Whether there is room for `track`.
    pub(crate) fn takes(&self, track: TrackId) -> bool {
        self.0.len() < MAX_TRACKS || self.0.contains_key(&track)
    }

    /// A new configuration, as the stream states it.
    pub(crate) fn set(&mut self, track: TrackId, codec: Codec) {
        let config = self.0.entry(track).or_default();
        config.stated = Some(codec);
        config.describe();
    }

    /// What the sender says of the colours of a track, for later configurations, too.
    pub(crate) fn set_colour(&mut self, track: TrackId, colour: ColourInfo) {
        let config = self.0.entry(track).or_default();
        config.colour = Some(colour);
        config.describe();
    }

    /// The track with its configuration; `None` without one.
    pub(crate) fn track(&self, id: TrackId) -> Option<Track> {
        let codec = self.get(id)?.clone();
        Some(Track { id, timescale: codec.timescale()?, codec })
    }
}

impl Config {
    fn describe(&mut self) {
        let has_size = |codec: &Codec| codec.picture().is_none_or(|picture| picture.width > 0);
        self.codec = self.stated.clone().filter(has_size);
        if let (Some(picture), Some(colour)) =
            (self.codec.as_mut().and_then(Codec::picture_mut), &self.colour)
        {
            colour.apply(picture);
        }
    }
}
