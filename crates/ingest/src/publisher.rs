//! An accepted publisher: bytes in, media out.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use rtmp::{Event, Message, Server};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::admission::Place;
use crate::connection::{Error, WRITE, Wire};
use crate::link::Link;
use crate::pace::{Pace, Paced};

/// A publisher that sends nothing for this long is gone (design §10).
const SILENT: Duration = Duration::from_secs(30);
/// How long a publisher that is done gets to close.
const PARTING: Duration = Duration::from_secs(1);
/// How often a reply is tried again that a swept socket did not take.
const AGAIN: Duration = Duration::from_millis(10);

/// A client that publishes.
#[derive(Debug)]
pub struct Publisher {
    peer: SocketAddr,
    /// `None` after a failed move between the two ways of waiting.
    link: Option<Link>,
    server: Server,
    buffer: BytesMut,
    events: Vec<Event>,
    paced: Paced,
    /// Whether the socket may hold more than the last read took.
    more: bool,
    /// A reply that the socket has not taken whole yet.
    reply: Option<Bytes>,
    heard: Instant,
    /// Moved only when it fires: re-arming it at every read would cost more than the read.
    watchdog: Pin<Box<Sleep>>,
    pause: Pin<Box<Sleep>>,
    /// Given back when the publisher is gone.
    _place: Place,
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Perhaps media, perhaps nothing yet; more may follow.
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
            peer: wire.peer,
            link: Some(Link::Driven(wire.socket)),
            server: wire.server,
            buffer: wire.buffer,
            events: wire.events,
            paced: pace.join(),
            more: true,
            reply: None,
            heard: now,
            watchdog: Box::pin(sleep_until(now + SILENT)),
            pause: Box::pin(sleep_until(now)),
            _place: wire.place,
        }
    }

    /// The client's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Waits for bytes and appends the media in them to `media`. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the connection fails, the client breaks the protocol or falls silent. Media before the fault is in
    /// `media` all the same.
    pub async fn read(&mut self, media: &mut Vec<Message>) -> Result<Received, Error> {
        if !self.events.is_empty() {
            return Ok(self.hand_out(media));
        }
        self.send_replies().await?;
        if !self.fill().await? {
            return Ok(Received::Closed);
        }
        if self.buffer.is_empty() {
            return Ok(Received::Media);
        }
        let outcome = self.server.input(&mut self.buffer, &mut self.events);
        let received = self.hand_out(media);
        outcome?;
        Ok(received)
    }

    /// Lets a publisher that said it is done say the rest and close: it may still have a command to send, and a close
    /// from our side would make that an error to it.
    pub async fn part(mut self) {
        let goodbye = async {
            let mut unheard = Vec::new();
            while !matches!(self.read(&mut unheard).await, Ok(Received::Closed) | Err(_)) {
                unheard.clear();
            }
        };
        if timeout(PARTING, goodbye).await.is_err() {
            tracing::debug!(peer = %self.peer, "a publisher that is done did not close by itself");
        }
    }

    /// Whether [`Publisher::read`] returns at every tick, bytes or not, so that its caller need not be woken for
    /// anything else.
    pub fn swept(&self) -> bool {
        matches!(self.link, Some(Link::Swept(_)))
    }

    /// Waits, then reads what the socket has; `false` at its end.
    async fn fill(&mut self) -> Result<bool, Error> {
        match self.paced.next(Instant::now()) {
            None => self.wait_for_bytes().await?,
            Some(tick) => self.wait_for_tick(tick).await?,
        }
        let Some(link) = self.link.as_mut() else { return Ok(false) };
        match link.read(&mut self.buffer) {
            Ok((0, _)) => return Ok(false),
            Ok((_, all)) => {
                self.more = !all;
                self.heard = Instant::now();
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.more = false,
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }

    /// Few publishers: sleep until there are bytes.
    async fn wait_for_bytes(&mut self) -> Result<(), Error> {
        self.link = self.link.take().map(Link::driven).transpose()?;
        let Some(Link::Driven(socket)) = &self.link else { return Ok(()) };
        loop {
            tokio::select! {
                biased;
                ready = socket.readable() => return Ok(ready?),
                () = self.watchdog.as_mut() => {
                    self.heard_in_time()?;
                    self.watchdog.as_mut().reset(self.heard + SILENT);
                }
            }
        }
    }

    /// Many publishers: look at the socket at the next tick.
    async fn wait_for_tick(&mut self, tick: Instant) -> Result<(), Error> {
        self.link = self.link.take().map(Link::swept).transpose()?;
        if self.more {
            // The runtime does not know this socket, so it can't see that others wait for this thread.
            tokio::task::yield_now().await;
            return Ok(());
        }
        self.pause.as_mut().reset(tick);
        self.pause.as_mut().await;
        self.heard_in_time()
    }

    fn heard_in_time(&self) -> Result<(), Error> {
        match self.heard.elapsed() < SILENT {
            true => Ok(()),
            false => Err(Error::Late { what: "media", after: SILENT }),
        }
    }

    fn hand_out(&mut self, media: &mut Vec<Message>) -> Received {
        let mut received = Received::Media;
        for event in self.events.drain(..) {
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
        let mut deadline = None;
        loop {
            if self.reply.is_none() {
                self.reply = self.server.output();
            }
            let (Some(reply), Some(link)) = (self.reply.as_mut(), self.link.as_mut()) else { return Ok(()) };
            match link.write(reply) {
                Ok(sent) if sent == reply.len() => self.reply = None,
                Ok(sent) => reply.advance(sent),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + WRITE);
                    if Instant::now() >= deadline {
                        return Err(Error::Late { what: "reader for our replies", after: WRITE });
                    }
                    self.pause.as_mut().reset(Instant::now() + AGAIN);
                    self.pause.as_mut().await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
