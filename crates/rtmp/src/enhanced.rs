//! What client and server tell each other of Enhanced RTMP (enhanced-rtmp-v2, "Enhancing NetConnection connect
//! Command").

use container::amf0::Value;
use container::flv::Format;

/// FourCcInfoMask: the peer can play it.
const CAN_DECODE: u32 = 1;
/// FourCcInfoMask: the peer can hand it on.
const CAN_FORWARD: u32 = 4;
/// Stands for every codec.
const ANY: &str = "*";
/// Properties that only clients of Enhanced RTMP have.
const PROPERTIES: [&str; 4] = ["fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"];

/// What a client says of Enhanced RTMP in `connect`. A publisher may say nothing and use it all the same: FFmpeg
/// does. What is sent to a player has to keep to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Codecs of ours that it can play or hand on, each once.
    pub formats: Vec<Format>,
    /// capsEx: the sum of the constants below; 0 if it doesn't say.
    pub extended: u32,
}

impl Capabilities {
    /// In `extended`: it obeys NetConnection.Connect.ReconnectRequest.
    pub const RECONNECT: u32 = 1;
    /// In `extended`: it reads Multitrack.
    pub const MULTITRACK: u32 = 2;
    /// In `extended`: it reads ModEx.
    pub const MOD_EX: u32 = 4;
    /// In `extended`: it reads TimestampOffsetNano.
    pub const NANO_OFFSET: u32 = 8;

    /// Reads the command object of `connect`; `None` if it says nothing of Enhanced RTMP.
    pub(crate) fn read(connect: &Value) -> Option<Self> {
        if PROPERTIES.iter().all(|name| connect.get(name).is_none()) {
            return None;
        }
        let extended = connect.get("capsEx").map_or(0, bits);
        let all = Format::VIDEO.iter().chain(Format::AUDIO);
        let formats = all.copied().filter(|format| takes(connect, *format)).collect();
        Some(Self { formats, extended })
    }

    /// What the server says of itself: properties of the information object that answers `connect`. It takes every
    /// codec it knows and hands it on; it neither decodes for players nor asks to reconnect.
    pub(crate) fn of_server() -> Vec<(String, Value)> {
        let names = |formats: &[Format]| formats.iter().copied().map(Format::name).collect::<Vec<_>>();
        let map = |formats| {
            let flags = names(formats).into_iter().map(|name| (name, f64::from(CAN_FORWARD).into()));
            Value::Object(flags.collect())
        };
        let list = [names(Format::VIDEO), names(Format::AUDIO)].concat();
        let extended = Self::MULTITRACK | Self::MOD_EX | Self::NANO_OFFSET;
        let list = Value::StrictArray(list.into_iter().map(Value::String).collect());
        let values = [list, map(Format::VIDEO), map(Format::AUDIO), f64::from(extended).into()];
        PROPERTIES.map(str::to_owned).into_iter().zip(values).collect()
    }
}

/// Whether the client can receive `format`, by any of the properties that say it.
fn takes(connect: &Value, format: Format) -> bool {
    let name = format.name();
    let is_it = |text: &str| text == ANY || text == name;
    let listed = match connect.get("fourCcList") {
        Some(Value::StrictArray(list)) => list.iter().filter_map(Value::as_str).any(is_it),
        // an array of ActionScript that was not dense
        Some(list) => list.properties().into_iter().flatten().filter_map(|(_, v)| v.as_str()).any(is_it),
        None => false,
    };
    let map = if Format::VIDEO.contains(&format) { "videoFourCcInfoMap" } else { "audioFourCcInfoMap" };
    let flags = connect.get(map).and_then(Value::properties).into_iter().flatten();
    let receives = |flags: &Value| bits(flags) & (CAN_DECODE | CAN_FORWARD) != 0;
    listed || flags.filter(|(name, _)| is_it(name)).any(|(_, flags)| receives(flags))
}

/// Flags in a number; none if it is not one.
fn bits(value: &Value) -> u32 {
    // a float that does not fit saturates, and NaN is 0
    value.as_number().map_or(0, |number| number as u32)
}
