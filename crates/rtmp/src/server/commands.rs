use std::collections::VecDeque;

use container::amf0::Value;

use super::{Phase, Server, WINDOW, reply};
use crate::chunk;
use crate::command::{Command, object};
use crate::request::Connect;
use crate::{Error, Event, Play, Publish};

impl Server {
    /// Obeys a command, or answers it as encoders expect it. One without a name is dropped, but counts.
    pub(super) fn command(&mut self, message: &chunk::Message, events: &mut Vec<Event>) -> Result<(), Error> {
        self.count_command()?;
        let Some(command) = Command::read(&message.payload)? else { return Ok(()) };
        if command.name == "connect" {
            self.connect(&command);
            return Ok(());
        }
        let Some(connect) = &self.connect else { return Err(Error::NotConnected) };
        let name = command.args.first().and_then(Value::as_str).unwrap_or_default();
        let stream = message.stream;
        match command.name.as_str() {
            "createStream" => return self.create_stream(&command),
            // ActionScript's NetStream.publish(false) ends a publish
            "publish" if command.args.first() == Some(&Value::Boolean(false)) => {
                self.end(Some(stream), events)
            }
            "publish" => {
                let request = connect.request(name);
                self.publish(stream, request, events);
            }
            "play" => {
                let request = connect.request(name);
                self.play(stream, request, events);
            }
            "deleteStream" => {
                let id = command.args.first().and_then(Value::as_number);
                self.delete_stream(id.map_or(stream, |id| id as u32), events);
            }
            "closeStream" => {
                let id = command.args.first().and_then(Value::as_number);
                let id = id.map_or(stream, |id| id as u32);
                self.end((id != 0).then_some(id), events);
            }
            "FCUnpublish" => {
                self.replies.result(&command, Value::Undefined);
                self.replies.call("onFCUnpublish", &status("NetStream.Unpublish.Success", name));
                self.end(None, events);
            }
            "FCPublish" => {
                self.replies.result(&command, Value::Undefined);
                self.replies.call("onFCPublish", &status("NetStream.Publish.Start", name));
            }
            "FCSubscribe" => {
                self.replies.result(&command, Value::Undefined);
                self.replies.call("onFCSubscribe", &status("NetStream.Play.Start", name));
            }
            "getStreamLength" => self.replies.result(&command, Value::Number(0.0)),
            // answers and notices are not to be answered
            "_result" | "_error" => {}
            notice if notice.starts_with("on") => {}
            // releaseStream, _checkbw and whatever else waits for an answer: it gets none it could use
            _ => self.replies.result(&command, Value::Undefined),
        }
        Ok(())
    }

    fn count_command(&mut self) -> Result<(), Error> {
        if matches!(self.phase, Phase::Publishing { .. }) {
            return Ok(());
        }
        self.commands += 1;
        let limit = self.limits.max_commands;
        if self.commands > limit { Err(Error::Commands { limit }) } else { Ok(()) }
    }

    /// A second connect is dropped.
    fn connect(&mut self, command: &Command) {
        if self.connect.is_none() {
            let connect = Connect::new(&command.object);
            self.replies.connected(command, WINDOW, connect.is_enhanced());
            self.connect = Some(connect);
        }
    }

    fn create_stream(&mut self, command: &Command) -> Result<(), Error> {
        let limit = self.limits.max_streams;
        if self.streams.len() >= limit {
            return Err(Error::Streams { limit });
        }
        let id = (1..=u32::MAX).find(|id| !self.streams.contains(id)).unwrap_or(u32::MAX);
        self.streams.push(id);
        self.replies.result(command, Value::Number(id.into()));
        Ok(())
    }

    /// The kind of publish (live, record, append, in any case of letters, or none) makes no difference: what is
    /// recorded is decided here.
    fn publish(&mut self, stream: u32, request: Publish, events: &mut Vec<Event>) {
        if !matches!(self.phase, Phase::Idle) {
            return self.busy(stream, "NetStream.Publish.BadName");
        }
        self.phase = Phase::Pending { stream, queue: VecDeque::new(), queued: 0, ended: false };
        events.push(Event::Publish(Box::new(request)));
    }

    fn play(&mut self, stream: u32, request: Play, events: &mut Vec<Event>) {
        if !matches!(self.phase, Phase::Idle) {
            return self.busy(stream, "NetStream.Play.Failed");
        }
        self.phase = Phase::Playing { stream };
        events.push(Event::Play(Box::new(request)));
    }

    /// A second request while there is one is refused, and the first goes on.
    fn busy(&mut self, stream: u32, code: &'static str) {
        self.replies.status(stream, "error", code, "This connection already publishes or plays a stream.");
    }

    fn delete_stream(&mut self, id: u32, events: &mut Vec<Event>) {
        self.streams.retain(|stream| *stream != id);
        self.end(Some(id), events);
    }

    /// Ends the publish or play on message stream `id`, of any if `None`. A publish that waits for its answer
    /// ends after it: a short one may lie in one segment from connect to deleteStream.
    pub(super) fn end(&mut self, id: Option<u32>, events: &mut Vec<Event>) {
        let at = match self.phase {
            Phase::Pending { stream, .. } | Phase::Publishing { stream } | Phase::Playing { stream } => {
                stream
            }
            _ => return,
        };
        if id.is_some_and(|id| id != at) {
            return;
        }
        match &mut self.phase {
            Phase::Pending { ended, .. } => *ended = true,
            Phase::Publishing { .. } => {
                self.replies.status(at, "status", reply::UNPUBLISHED, "No longer published.");
                events.push(Event::Unpublish);
                self.phase = Phase::Idle;
                self.commands = 0;
            }
            _ => self.phase = Phase::Idle,
        }
    }
}

/// The information object of the FC* notices, as Flash Media Live Encoder knows them.
fn status(code: &str, description: &str) -> Value {
    object([("level", "status".into()), ("code", code.into()), ("description", description.into())])
}
