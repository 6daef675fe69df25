use bytes::Bytes;
use container::amf0::Value;

use crate::{Play, Publish};

/// What the client asks for or sends.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// It wants to publish: answer with [`crate::Server::accept_publish`] or [`crate::Server::refuse_publish`]. There is no
    /// second one before the first ended.
    Publish(Box<Publish>),
    /// It wants to play: answer with [`crate::Server::refuse_play`].
    Play(Box<Play>),
    /// Media of the accepted publish.
    Media(Message),
    /// onMetaData of the accepted publish: the values after that name, as a rule one object or ECMA array. Of a
    /// message with a fault, what stands before it.
    Metadata(Vec<Value>),
    /// The client ended its accepted publish in words. Once for every `Publish`.
    Unpublish,
}

/// What a [`Message`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An FLV audio payload (`container::flv::audio`).
    Audio,
    /// An FLV video payload (`container::flv::video`).
    Video,
    /// AMF0 values other than metadata: a name (onTextData, onCuePoint) and what belongs to it.
    Data,
}

/// A media message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it holds.
    pub kind: Kind,
    /// Milliseconds; wraps.
    pub timestamp: u32,
    /// Its bytes. From 2 KiB on they may share the read buffer.
    pub payload: Bytes,
}

/// How far a connection is: which deadline of design §10 applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// C2 did not come yet.
    Handshake,
    /// Nothing is published; a request may wait for its answer.
    Connected,
    /// A publish was accepted and not ended.
    Publishing,
    /// A play request waits for its answer.
    Playing,
    /// A request was refused or the client broke the protocol: send [`crate::Server::output`] and close.
    Closed,
}
