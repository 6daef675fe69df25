//! A session with every output, fed with sequences of messages.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use media::{Gap, Kind, SessionId, StreamId, Wall};
use output::name::{Name, Variable};
use output::{Bucket, Effect, FileId, Spec, Warning, package, record, snapshot};
use session::{Input, Session, SlotEffects, SlotId};
use testkit::{Message, START};

/// What happens to the session next. An input is one byte that chooses the outputs' settings, then steps of
/// [`HEAD`] bytes and what they announce: what, milliseconds since the step before, RTMP timestamp, length.
pub(crate) enum Step {
    Media { kind: Kind, timestamp: u32, payload: Bytes },
    Gone(Gap),
    Publish,
    Tick,
}

const HEAD: usize = 9;
/// Why a publisher goes, by the step's timestamp.
const GAPS: [Gap; 4] = [Gap::Unpublished, Gap::Dropped, Gap::Kicked, Gap::Replaced];
/// A publisher that comes back too often says nothing new, and every time all outputs may open again.
const MAX_PUBLISHES: usize = 64;

/// The bytes of a story: steps, each with the milliseconds before it.
pub(crate) fn encode(choice: u8, steps: &[(i16, Step)]) -> Vec<u8> {
    let mut out = vec![choice];
    for (millis, step) in steps {
        let (what, timestamp, payload) = match step {
            Step::Media { kind: Kind::Video, timestamp, payload } => (0, *timestamp, payload.clone()),
            Step::Media { kind: Kind::Audio, timestamp, payload } => (1, *timestamp, payload.clone()),
            Step::Gone(why) => (2, GAPS.iter().position(|gap| gap == why).unwrap_or(0) as u32, Bytes::new()),
            Step::Publish => (3, 0, Bytes::new()),
            Step::Tick => (4, 0, Bytes::new()),
        };
        out.push(what);
        out.extend(millis.to_be_bytes());
        out.extend(timestamp.to_be_bytes());
        out.extend((payload.len() as u16).to_be_bytes());
        out.extend(&payload[..]);
    }
    out
}

/// Messages as the steps of a story.
pub(crate) fn steps(messages: &[Message]) -> Vec<(i16, Step)> {
    let mut last = messages.first().map_or(START, |message| message.received);
    let step = |message: &Message| {
        let millis = message.received.micros_since(last) / 1_000;
        last = message.received;
        let Message { kind, timestamp, payload, .. } = message.clone();
        (millis as i16, Step::Media { kind, timestamp, payload })
    };
    messages.iter().map(step).collect()
}

fn decode<'a>(rest: &mut &'a [u8]) -> Option<(i16, Step, &'a [u8])> {
    let (head, after) = rest.split_first_chunk::<HEAD>()?;
    let &[what, m1, m0, t3, t2, t1, t0, l1, l0] = head;
    let length = usize::from(u16::from_be_bytes([l1, l0])).min(after.len());
    let (payload, after) = after.split_at(length);
    *rest = after;
    let timestamp = u32::from_be_bytes([t3, t2, t1, t0]);
    let media = |kind| Step::Media { kind, timestamp, payload: Bytes::copy_from_slice(payload) };
    let step = match what % 5 {
        0 => media(Kind::Video),
        1 => media(Kind::Audio),
        2 => Step::Gone(GAPS[timestamp as usize % 4]),
        3 => Step::Publish,
        _ => Step::Tick,
    };
    Some((i16::from_be_bytes([m1, m0]), step, payload))
}

/// Plays a story to its end and looks at everything that the outputs want done.
pub fn session(input: &[u8]) {
    let Some((&choice, mut rest)) = input.split_first() else { return };
    let Ok(stream) = StreamId::parse("live.local", "live", "demo") else { return };
    let specs = specs(choice);
    let mut stage = Stage {
        session: Session::new(SessionId(1), stream, START, Default::default()),
        effects: SlotEffects::new(),
        open: BTreeSet::new(),
        now: START,
    };
    stage.session.publish(&specs, START, &mut stage.effects);
    let mut publishes = 0;
    while let Some((millis, step, _)) = decode(&mut rest) {
        stage.now = stage.now.plus_micros(i64::from(millis) * 1_000);
        stage.tick();
        let at = stage.now;
        match step {
            Step::Media { kind, timestamp, payload } => {
                stage.on(Input::Media { kind, timestamp, payload, received: at })
            }
            Step::Gone(why) => stage.on(Input::Gone(why, at)),
            Step::Publish if publishes < MAX_PUBLISHES => {
                publishes += 1;
                // Every other time with settings that end some outputs and open others.
                let specs = if publishes % 2 == 0 { specs.clone() } else { self::specs(choice ^ 1) };
                stage.session.publish(&specs, at, &mut stage.effects);
                stage.check();
            }
            Step::Publish => {}
            Step::Tick => stage.on(Input::Tick(at)),
        }
    }
    stage.on(Input::End(stage.now));
    assert!(stage.open.is_empty(), "files still open at the end: {:?}", stage.open);
    assert!(stage.session.finished());
    stage.session.report();
}

struct Stage {
    session: Session,
    effects: SlotEffects,
    open: BTreeSet<(Option<SlotId>, FileId)>,
    now: Wall,
}

impl Stage {
    /// Time passes, as the shell tells it.
    fn tick(&mut self) {
        if self.session.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.on(Input::Tick(self.now));
        }
    }

    fn on(&mut self, input: Input) {
        self.session.on(input, &mut self.effects);
        self.check();
    }

    fn check(&mut self) {
        for (slot, effect) in self.effects.drain(..) {
            match effect {
                Effect::Warn(Warning::OutputFailed { output, reason }) => {
                    // The session survives an output that panics; here it must not happen at all.
                    assert!(!reason.starts_with("panic:"), "output {output}: {reason}");
                }
                Effect::Grow { file, body } => {
                    assert!(body.iter().any(|piece| !piece.is_empty()), "a file grew by nothing");
                    self.open.insert((slot, file));
                }
                Effect::Seal { file, to, .. } => {
                    assert!(self.open.remove(&(slot, file)), "sealed {file:?}, which is not open");
                    super::name::path(&to.key);
                }
                Effect::Put { to, .. } | Effect::Replace { to, .. } | Effect::Picture { to, .. } => {
                    super::name::path(&to.key);
                }
                Effect::Window(Some(window)) => {
                    let sorted = window.resources.is_sorted_by(|(a, _), (b, _)| a < b);
                    assert!(sorted, "resources of a window out of order, or two of a name");
                }
                Effect::Index(entry) => super::name::path(&entry.object.key),
                Effect::Window(None)
                | Effect::Remember { .. }
                | Effect::Save(_)
                | Effect::Notify(_)
                | Effect::Ask(_)
                | Effect::Warn(_) => {}
            }
        }
    }
}

/// All outputs of the server; `choice` makes times short or long and leaves some out.
fn specs(choice: u8) -> Vec<Spec> {
    let bit = |at: u8| choice >> at & 1 == 1;
    let store = Bucket { storage: "oss-local".into(), name: "live-bucket".into() };
    let (Ok(slice_name), Ok(file_name), Ok(picture_name)) = (
        Name::parse("r/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}", Variable::RECORD_SLICE),
        Name::parse(
            "r/{AppName}/{StreamName}/{Sequence}{EscapedStartTime}{EscapedEndTime}",
            Variable::RECORD_FILE,
        ),
        Name::parse("s/{AppName}/{StreamName}/{UnixTimestamp}-{Sequence}.jpg", Variable::SEQUENCE_SNAPSHOT),
    ) else {
        return Vec::new();
    };
    let delay_s = if bit(0) { 15 } else { 180 };
    let cycle_duration_s = if bit(1) { 15 } else { 3_600 };
    let slice_duration_s = if bit(2) { 5 } else { 30 };
    let protocol = match choice & 3 | choice >> 5 & 4 {
        0 => package::Protocol::LlHlsTs,
        1 => package::Protocol::LlHlsCmaf,
        2 => package::Protocol::HlsDashCmaf,
        3 | 4 => package::Protocol::LlHlsDashCmaf,
        _ => package::Protocol::HlsCmaf,
    };
    let reconnect_window_s = Duration::from_secs(20).as_secs() as u32;
    let package = package::Settings {
        protocol,
        segment_count: 3,
        segment_duration_s: if bit(2) { 1 } else { 6 },
        part_duration_ms: Some(if bit(1) { 100 } else { 500 }),
        reconnect_window_s,
        put: None,
    };
    let recording = |container: record::Container| {
        let slice = record::Slice { duration_s: slice_duration_s, name: slice_name.clone() };
        Spec::Record(record::Settings {
            slice: Some(slice).filter(|_| container.is_sliced()),
            cycle_duration_s,
            delay_s,
            ..record::Settings::new(container, store.clone(), file_name.clone())
        })
    };
    let naming = snapshot::Naming::Sequence(picture_name);
    let counter = "snapshot".into();
    let snapshot =
        snapshot::Settings { store: store.clone(), interval_s: 5, naming, counter, utc_offset: 28_800 };
    let all = [
        vec![Spec::Package(package)],
        [record::Container::Flv, record::Container::Mp4].map(recording).to_vec(),
        [record::Container::M3u8, record::Container::Cmaf].map(recording).to_vec(),
        vec![Spec::Snapshot(snapshot)],
    ];
    all.into_iter().enumerate().filter(|(at, _)| !bit(3 + *at as u8)).flat_map(|(_, specs)| specs).collect()
}
