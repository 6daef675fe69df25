//! From a socket to a request.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use rtmp::{Event, Server, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::admission::Place;
use crate::listener::Incoming;
use crate::pace::Pace;
use crate::publisher::Publisher;

/// A client that has not finished its handshake by then is no RTMP client (design §10).
const HANDSHAKE: Duration = Duration::from_secs(5);
/// A client must publish or play by then (design §10).
const REQUEST: Duration = Duration::from_secs(10);
/// How long a refused client gets to read the refusal and close; a close from our side could overtake it.
const REFUSED: Duration = Duration::from_secs(1);
/// Longest a reply may stay unread (design §10).
pub(crate) const WRITE: Duration = Duration::from_secs(10);
/// Room for one read while the client has said little.
const READ: usize = 4 << 10;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client closed or the network failed.
    #[error("connection lost: {0}")]
    Io(#[from] io::Error),
    /// The client broke the protocol.
    #[error("protocol error: {0}")]
    Protocol(#[from] rtmp::Error),
    /// The client closed before it asked for anything.
    #[error("closed by the client")]
    Closed,
    /// A deadline passed.
    #[error("no {what} within {after:?}")]
    Late {
        /// What was awaited.
        what: &'static str,
        /// The deadline.
        after: Duration,
    },
}

/// What a client wants.
#[derive(Debug)]
pub enum Request {
    /// To publish.
    Publish(PublishRequest),
    /// To play.
    Play(PlayRequest),
}

/// A client waiting for leave to publish.
#[derive(Debug)]
pub struct PublishRequest {
    pub(crate) wire: Wire,
    publish: Box<rtmp::Publish>,
}

/// A client waiting for leave to play.
#[derive(Debug)]
pub struct PlayRequest {
    wire: Wire,
    play: Box<rtmp::Play>,
}

/// A socket and its protocol state.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) socket: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) place: Place,
    pub(crate) server: Server,
    pub(crate) buffer: BytesMut,
    pub(crate) events: Vec<Event>,
}

impl Incoming {
    /// The client's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Talks to the client until it asks to publish or play.
    ///
    /// # Errors
    /// When it breaks the protocol, takes too long or goes away.
    pub async fn request(self, limits: rtmp::Limits) -> Result<Request, Error> {
        let mut wire = Wire {
            socket: self.socket,
            peer: self.peer,
            place: self.place,
            server: Server::new(limits),
            buffer: BytesMut::new(),
            events: Vec::new(),
        };
        let start = Instant::now();
        loop {
            let (until, what, after) = match wire.server.stage() {
                Stage::Handshake => (start + HANDSHAKE, "handshake", HANDSHAKE),
                _ => (start + REQUEST, "publish or play", REQUEST),
            };
            let step = timeout_at(until, wire.step()).await;
            step.map_err(|_| Error::Late { what, after })??;
            let asks = |event: &Event| matches!(event, Event::Publish(_) | Event::Play(_));
            if let Some(at) = wire.events.iter().position(asks) {
                match wire.events.remove(at) {
                    Event::Publish(publish) => return Ok(Request::Publish(PublishRequest { wire, publish })),
                    Event::Play(play) => return Ok(Request::Play(PlayRequest { wire, play })),
                    Event::Media(_) | Event::Metadata(_) | Event::Unpublish => {}
                }
            }
            wire.events.clear();
        }
    }
}

impl Wire {
    /// Reads once, lets the protocol work, and answers.
    async fn step(&mut self) -> Result<(), Error> {
        self.buffer.reserve(READ);
        if self.socket.read_buf(&mut self.buffer).await? == 0 {
            return Err(Error::Closed);
        }
        let outcome = self.server.input(&mut self.buffer, &mut self.events);
        self.answer().await?;
        Ok(outcome?)
    }

    /// Sends what the protocol has to say.
    pub(crate) async fn answer(&mut self) -> Result<(), Error> {
        while let Some(bytes) = self.server.output() {
            let late = |_| Error::Late { what: "reader for our replies", after: WRITE };
            timeout(WRITE, self.socket.write_all(&bytes)).await.map_err(late)??;
        }
        Ok(())
    }

    /// Sends the refusal and waits for the client to close.
    async fn dismiss(mut self) {
        let goodbye = async {
            self.answer().await?;
            self.socket.shutdown().await?;
            let mut rest = [0; 4096];
            while self.socket.read(&mut rest).await? > 0 {}
            Ok::<(), Error>(())
        };
        if !matches!(timeout(REFUSED, goodbye).await, Ok(Ok(()))) {
            tracing::debug!(peer = %self.peer, "refused client did not close by itself");
        }
    }
}

impl PublishRequest {
    /// What it wants to publish.
    pub fn publish(&self) -> &rtmp::Publish {
        &self.publish
    }

    /// The client's address.
    pub fn peer(&self) -> SocketAddr {
        self.wire.peer
    }

    /// Lets it publish.
    ///
    /// # Errors
    /// When the client is gone.
    pub async fn accept(mut self, pace: &Pace) -> Result<Publisher, Error> {
        self.wire.place.accepted();
        self.wire.server.accept_publish(&mut self.wire.events)?;
        self.wire.answer().await?;
        Ok(Publisher::new(self.wire, pace))
    }

    /// Turns it away: `NetStream.Publish.BadName` with `reason`, then close.
    pub async fn refuse(mut self, reason: &str) {
        self.wire.server.refuse_publish(reason);
        self.wire.dismiss().await;
    }
}

impl PlayRequest {
    /// What it wants to play.
    pub fn play(&self) -> &rtmp::Play {
        &self.play
    }

    /// The client's address.
    pub fn peer(&self) -> SocketAddr {
        self.wire.peer
    }

    /// Turns it away: `NetStream.Play.StreamNotFound` with `reason`, then close.
    pub async fn refuse(mut self, reason: &str) {
        self.wire.server.refuse_play(reason);
        self.wire.dismiss().await;
    }
}
