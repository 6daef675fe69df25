mod commands;
mod reply;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use container::amf0::Value;

use crate::chunk::{self, Reader, kind};
use crate::command::{encode, read_values};
use crate::handshake::Handshake;
use crate::request::Connect;
use crate::{Error, Event, Kind, Limits, Message, Stage, aggregate};
use reply::Replies;

/// Bytes after which each side wants to hear from the other (SetPeerBandwidth, Window Acknowledgement Size).
const WINDOW: u32 = 2_500_000;

/// What a queued message costs beside its payload.
const QUEUED_OVERHEAD: usize = 64;

/// The server's side of one connection.
#[derive(Debug)]
pub struct Server {
    limits: Limits,
    phase: Phase,
    reader: Reader,
    replies: Replies,
    connect: Option<Connect>,
    /// Message streams the client created and did not delete.
    streams: Vec<u32>,
    /// Commands since the connection began or a publish ended.
    commands: usize,
    /// Bytes of the handshake: the acknowledgements count them.
    handshake: u64,
    /// Acknowledge after so many bytes. Only a peer that says after how many gets acknowledgements (Adobe RTMP 1.0
    /// §5.4.4): one that did not may never read them, and closing a socket with unread bytes makes its kernel
    /// throw away the last frames that it has not sent yet. FFmpeg is such a peer.
    window: Option<u64>,
    /// The total of the last acknowledgement.
    acknowledged: u64,
}

enum Phase {
    Handshake(Handshake),
    /// No request.
    Idle,
    /// A publish on message stream `stream` waits for its answer; media that came meanwhile, and whether the
    /// client ended it already.
    Pending {
        stream: u32,
        queue: VecDeque<chunk::Message>,
        queued: usize,
        ended: bool,
    },
    Publishing {
        stream: u32,
    },
    /// A play on message stream `stream` waits for its answer.
    Playing {
        stream: u32,
    },
    Closed,
}

impl std::fmt::Debug for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Handshake(_) => "Handshake",
            Self::Idle => "Idle",
            Self::Pending { .. } => "Pending",
            Self::Publishing { .. } => "Publishing",
            Self::Playing { .. } => "Playing",
            Self::Closed => "Closed",
        })
    }
}

impl Server {
    /// A connection of which nothing was read. `rml_rtmp`'s handshake, begun here, draws its own random bytes.
    pub fn new(limits: Limits) -> Self {
        Self { phase: Phase::Handshake(Handshake::new()), ..Self::after_handshake(limits) }
    }

    /// A connection whose handshake is done elsewhere: the next byte is the first chunk's. For recorded
    /// connections and tests.
    pub fn after_handshake(limits: Limits) -> Self {
        Self {
            reader: Reader::new(limits.clone()),
            limits,
            phase: Phase::Idle,
            replies: Replies::default(),
            connect: None,
            streams: Vec::new(),
            commands: 0,
            handshake: 0,
            window: None,
            acknowledged: 0,
        }
    }

    /// Takes what came: everything in `buf` but the beginning of a chunk's header. Appends what it means to
    /// `events` and what is to be answered to [`Server::output`].
    ///
    /// Media before a publish, or on another message stream than the publish, is dropped. Media between a publish
    /// and its answer is kept for [`Server::accept_publish`]. Everything after [`Stage::Closed`] is dropped.
    ///
    /// On an error the events so far are good, the connection is [`Stage::Closed`] and a publish is over as if
    /// the connection had dropped.
    pub fn input(&mut self, buf: &mut BytesMut, events: &mut Vec<Event>) -> Result<(), Error> {
        let result = self.take(buf, events);
        if result.is_err() {
            self.phase = Phase::Closed;
            buf.clear();
        }
        self.acknowledge();
        result
    }

    /// Bytes to send now, once. Send them before more is read: that bounds them by what was read.
    pub fn output(&mut self) -> Option<Bytes> {
        self.replies.take()
    }

    /// How far the connection is.
    pub fn stage(&self) -> Stage {
        match self.phase {
            Phase::Handshake(_) => Stage::Handshake,
            Phase::Idle | Phase::Pending { .. } => Stage::Connected,
            Phase::Publishing { .. } => Stage::Publishing,
            Phase::Playing { .. } => Stage::Playing,
            Phase::Closed => Stage::Closed,
        }
    }

    /// Lets the client publish; appends the media it already sent to `events`, and [`Event::Unpublish`] if it has
    /// ended since. Does nothing if no publish waits for its answer.
    ///
    /// Errors: as [`Server::input`], for media that was sent ahead.
    pub fn accept_publish(&mut self, events: &mut Vec<Event>) -> Result<(), Error> {
        let Phase::Pending { stream, queue, ended, .. } = &mut self.phase else { return Ok(()) };
        let (stream, queue, ended) = (*stream, std::mem::take(queue), *ended);
        self.phase = Phase::Publishing { stream };
        self.commands = 0;
        self.replies.stream_begin(stream);
        self.replies.status(stream, "status", "NetStream.Publish.Start", "Publishing.");
        let result = queue.into_iter().try_for_each(|message| media(message, events));
        if result.is_err() {
            self.phase = Phase::Closed;
        } else if ended {
            self.end(None, events);
        }
        result
    }

    /// Tells the client that it may not publish and why (onStatus NetStream.Publish.BadName: OBS, FFmpeg and
    /// GStreamer give up at once). Send the output, then close. Does nothing if no publish waits for its answer.
    pub fn refuse_publish(&mut self, reason: &str) {
        let Phase::Pending { stream, .. } = self.phase else { return };
        self.replies.status(stream, "error", "NetStream.Publish.BadName", reason);
        self.phase = Phase::Closed;
    }

    /// Tells the client that it cannot play and why (onStatus NetStream.Play.Failed). Send the output, then close.
    /// Does nothing if no play waits for its answer.
    pub fn refuse_play(&mut self, reason: &str) {
        let Phase::Playing { stream } = self.phase else { return };
        self.replies.status(stream, "error", "NetStream.Play.Failed", reason);
        self.phase = Phase::Closed;
    }

    fn take(&mut self, buf: &mut BytesMut, events: &mut Vec<Event>) -> Result<(), Error> {
        if let Phase::Handshake(handshake) = &mut self.phase {
            let before = buf.len();
            let done = handshake.input(buf, self.replies.raw());
            self.handshake += (before - buf.len()) as u64;
            if !done? {
                return Ok(());
            }
            self.phase = Phase::Idle;
        }
        while !matches!(self.phase, Phase::Closed) {
            let Some(message) = self.reader.next(buf)? else { return Ok(()) };
            self.message(message, events)?;
        }
        buf.clear();
        Ok(())
    }

    fn message(&mut self, message: chunk::Message, events: &mut Vec<Event>) -> Result<(), Error> {
        match message.kind {
            kind::AUDIO | kind::VIDEO | kind::DATA | kind::DATA_AMF3 | kind::AGGREGATE => {
                self.stream_message(message, events)
            }
            kind::COMMAND | kind::COMMAND_AMF3 => self.command(&message, events),
            kind::USER_CONTROL => {
                self.user_control(&message.payload);
                Ok(())
            }
            kind::WINDOW_ACK_SIZE => self.window_ack_size(&message),
            // acknowledgements, bandwidth and shared objects ask nothing of a server that receives
            _ => Ok(()),
        }
    }

    fn stream_message(&mut self, message: chunk::Message, events: &mut Vec<Event>) -> Result<(), Error> {
        match &mut self.phase {
            Phase::Publishing { stream } if *stream == message.stream => media(message, events),
            Phase::Pending { stream, queue, queued, ended: false } if *stream == message.stream => {
                *queued += message.payload.len() + QUEUED_OVERHEAD;
                if *queued > self.limits.max_queued_bytes {
                    return Err(Error::Queued { limit: self.limits.max_queued_bytes });
                }
                queue.push_back(message);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Answers a ping; every other event, known or not, asks nothing of a server.
    fn user_control(&mut self, payload: &Bytes) {
        if let Some(&[0, reply::PING_REQUEST, a, b, c, d]) = payload.first_chunk::<6>() {
            self.replies.ping_response([a, b, c, d]);
        }
    }

    fn window_ack_size(&mut self, message: &chunk::Message) -> Result<(), Error> {
        let &chunk::Message { kind, ref payload, .. } = message;
        let size = payload.first_chunk().copied().map(u32::from_be_bytes);
        match size.ok_or(Error::Control { kind, size: payload.len(), at: self.reader.at() })? {
            0 => {}
            size => self.window = Some(size.into()),
        }
        Ok(())
    }

    /// Tells the client the total received, at most once a call of `input`.
    fn acknowledge(&mut self) {
        let total = self.handshake + self.reader.at();
        if self.connect.is_some() && self.window.is_some_and(|window| total - self.acknowledged >= window) {
            self.acknowledged = total;
            self.replies.acknowledgement(total);
        }
    }
}

/// The events of a message of the accepted publish. Empty audio and video say nothing, and are dropped.
fn media(message: chunk::Message, events: &mut Vec<Event>) -> Result<(), Error> {
    let kind = match message.kind {
        kind::AUDIO => Kind::Audio,
        kind::VIDEO => Kind::Video,
        kind::DATA | kind::DATA_AMF3 => return data(message, events),
        kind::AGGREGATE => {
            let inside = aggregate::split(&message)?.into_iter();
            // an aggregate inside of an aggregate is dropped
            return inside.filter(|m| m.kind != kind::AGGREGATE).try_for_each(|m| media(m, events));
        }
        _ => return Ok(()),
    };
    let chunk::Message { timestamp, payload, .. } = message;
    if !payload.is_empty() {
        events.push(Event::Media(Message { kind, timestamp, payload }));
    }
    Ok(())
}

/// onMetaData, by itself or inside of @setDataFrame, or other data.
fn data(message: chunk::Message, events: &mut Vec<Event>) -> Result<(), Error> {
    let mut values = read_values(&message.payload)?;
    if values.first().and_then(Value::as_str) == Some("@setDataFrame") {
        values.remove(0);
    }
    match values.first().and_then(Value::as_str) {
        Some("onMetaData") => events.push(Event::Metadata(values.split_off(1))),
        None | Some("@clearDataFrame") => {}
        Some(_) => {
            let (timestamp, payload) = (message.timestamp, encode(&values));
            events.push(Event::Media(Message { kind: Kind::Data, timestamp, payload }));
        }
    }
    Ok(())
}

#[cfg(test)]
impl Server {
    /// Bytes received, handshake and all.
    pub(crate) fn received(&self) -> u64 {
        self.handshake + self.reader.at()
    }

    /// Asserts that everything held is within the limits.
    pub(crate) fn assert_bounded(&self) {
        let (streams, partials, reserved) = self.reader.holds();
        assert!(streams <= self.limits.max_chunk_streams && partials <= self.limits.max_partial_messages);
        assert!(reserved <= self.limits.max_partial_bytes && self.streams.len() <= self.limits.max_streams);
        if let Phase::Pending { queue, queued, .. } = &self.phase {
            let held: usize = queue.iter().map(|m| m.payload.len() + QUEUED_OVERHEAD).sum();
            assert!(held == *queued && held <= self.limits.max_queued_bytes);
        }
    }
}
