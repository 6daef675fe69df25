//! An accepted publisher: bytes in, media out.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf, Bytes};
use rtmp::{Event, Message};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::connection::{Error, READ, WRITE, Wire};
use crate::pace::{Pace, Paced};

/// A publisher that sends nothing for this long is gone (design §10).
const SILENT: Duration = Duration::from_secs(30);

/// A client that publishes.
#[derive(Debug)]
pub struct Publisher {
    wire: Wire,
    paced: Paced,
    /// When the next read may happen.
    not_before: Option<Instant>,
    /// A reply that the socket has not taken whole yet.
    reply: Option<Bytes>,
    heard: Instant,
    /// One timer for both deadlines, moved only when it fires: re-arming it at every read would cost more than
    /// the read.
    watchdog: Pin<Box<Sleep>>,
    pause: Pin<Box<Sleep>>,
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Perhaps media; more may follow.
    Media,
    /// The publisher said that it is done.
    Unpublished,
    /// The connection is closed.
    Closed,
}

impl Publisher {
    pub(crate) fn new(wire: Wire, pace: &Pace) -> Self {
        let now = Instant::now();
        Self {
            wire,
            paced: pace.join(),
            not_before: None,
            reply: None,
            heard: now,
            watchdog: Box::pin(sleep_until(now + SILENT)),
            pause: Box::pin(sleep_until(now)),
        }
    }

    /// The client's address.
    pub fn peer(&self) -> SocketAddr {
        self.wire.peer
    }

    /// Waits for bytes and appends the media in them to `media`. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the connection fails, the client breaks the protocol or falls silent. Media before the fault is in
    /// `media` all the same.
    pub async fn read(&mut self, media: &mut Vec<Message>) -> Result<Received, Error> {
        if !self.wire.events.is_empty() {
            return Ok(self.hand_out(media));
        }
        self.send_replies().await?;
        if let Some(at) = self.not_before {
            self.pause.as_mut().reset(at);
            self.pause.as_mut().await;
            self.not_before = None;
        }
        if !self.fill().await? {
            return Ok(Received::Closed);
        }
        let outcome = self.wire.server.input(&mut self.wire.buffer, &mut self.wire.events);
        let received = self.hand_out(media);
        outcome?;
        Ok(received)
    }

    /// Reads what the socket has; `false` at its end.
    async fn fill(&mut self) -> Result<bool, Error> {
        loop {
            tokio::select! {
                biased;
                ready = self.wire.socket.readable() => ready?,
                () = self.watchdog.as_mut() => self.check_silence()?,
            }
            if self.wire.buffer.capacity() - self.wire.buffer.len() < READ / 4 {
                self.wire.buffer.reserve(READ);
            }
            let room = self.wire.buffer.capacity() - self.wire.buffer.len();
            match self.wire.socket.try_read_buf(&mut self.wire.buffer) {
                Ok(0) => return Ok(false),
                Ok(read) => {
                    self.heard = Instant::now();
                    // A full buffer means that there is more: no pause before that.
                    self.not_before = if read < room { self.paced.next(self.heard) } else { None };
                    return Ok(true);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn check_silence(&mut self) -> Result<(), Error> {
        let until = self.heard + SILENT;
        if Instant::now() >= until {
            return Err(Error::Late { what: "media", after: SILENT });
        }
        self.watchdog.as_mut().reset(until);
        Ok(())
    }

    fn hand_out(&mut self, media: &mut Vec<Message>) -> Received {
        let mut received = Received::Media;
        for event in self.wire.events.drain(..) {
            match event {
                Event::Media(message) if received == Received::Media => media.push(message),
                Event::Unpublish => received = Received::Unpublished,
                // Metadata is not trusted; a second publish or a play on a publishing connection is not served.
                Event::Media(_) | Event::Metadata(_) | Event::Publish(_) | Event::Play(_) => {}
            }
        }
        received
    }

    /// Sends acknowledgements and pongs; keeps its place when dropped half way.
    async fn send_replies(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + WRITE;
        loop {
            if self.reply.is_none() {
                self.reply = self.wire.server.output();
            }
            let Some(reply) = self.reply.as_mut() else { return Ok(()) };
            match self.wire.socket.try_write(reply) {
                Ok(sent) if sent == reply.len() => self.reply = None,
                Ok(sent) => reply.advance(sent),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    let late = Error::Late { what: "reader for our replies", after: WRITE };
                    tokio::time::timeout_at(deadline, self.wire.socket.writable())
                        .await
                        .map_err(|_| late)??;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
