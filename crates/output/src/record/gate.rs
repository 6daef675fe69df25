use std::collections::VecDeque;

use media::{Packet, Run, TrackId, Wall};

use super::format::Frame;
use super::{Settings, Start as Kind};
use crate::{Answer, Inquiry, Refusal};

/// Media after which the OnDemandUrl is asked, in microseconds: by then the rate is known that it is told.
const ASK_MICROS: i64 = 1_000_000;
/// What waits for an answer at most, in microseconds of media and in bytes; beyond it the oldest GOPs go.
const HELD_MICROS: i64 = 10_000_000;
const HELD_BYTES: usize = 32 << 20;

/// Whether frames are recorded: by the publish, an answer or a command, and between StartTime and EndTime.
pub(super) struct Gate {
    kind: Kind,
    not_before: Option<Wall>,
    not_after: Option<Wall>,
    /// An operator stopped it, until a command or the next publish.
    stopped: bool,
    /// An operator started it, until the source breaks.
    ordered: bool,
    reply: Reply,
    /// EndTime is over.
    over: bool,
    pub held: Held,
}

/// What is known of the OnDemandUrl's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Unasked,
    Asked,
    Yes,
    No,
}

/// What becomes of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// They are recorded.
    Open,
    /// They wait for an answer.
    Asking,
    /// They are not recorded.
    Closed,
}

impl Gate {
    pub fn new(settings: &Settings) -> Self {
        Self {
            kind: settings.start,
            not_before: settings.not_before,
            not_after: settings.not_after,
            stopped: false,
            ordered: false,
            reply: Reply::Unasked,
            over: false,
            held: Held::default(),
        }
    }

    /// Of a recording that had begun: who was asked has agreed, and what was ordered ended with the source.
    pub fn begun(settings: &Settings) -> Self {
        Self { reply: Reply::Yes, ..Self::new(settings) }
    }

    pub fn way(&self) -> Way {
        let agreed = match self.kind {
            Kind::Publish => true,
            Kind::Command => false,
            Kind::Answer => self.reply == Reply::Yes,
        };
        match () {
            () if self.over || self.stopped => Way::Closed,
            () if agreed || self.ordered => Way::Open,
            () if self.kind == Kind::Answer && self.reply != Reply::No => Way::Asking,
            () => Way::Closed,
        }
    }

    pub fn is_open(&self) -> bool {
        self.way() == Way::Open
    }

    /// Somebody publishes again: nothing that was said of the publish before holds.
    pub fn published(&mut self) {
        self.stopped = false;
        if self.reply == Reply::No {
            self.reply = Reply::Unasked;
        }
    }

    /// Frames stop coming: those that wait for an answer can no longer be read.
    pub fn broke(&mut self) {
        self.held = Held::default();
        if self.reply == Reply::Asked {
            self.reply = Reply::Unasked;
        }
    }

    /// The source is gone: a recording that an operator started does not go on by itself.
    pub fn gone(&mut self) {
        self.broke();
        self.ordered = false;
    }

    /// Whether StartTime is over at `at`.
    pub fn begins(&self, at: Wall) -> bool {
        self.not_before.is_none_or(|from| from <= at)
    }

    /// Whether EndTime is over at `at`: then for good.
    pub fn ends(&mut self, at: Wall) -> bool {
        self.over |= self.not_after.is_some_and(|until| until <= at);
        self.over
    }

    pub fn start(&mut self) -> Result<(), Refusal> {
        if self.is_open() {
            return Err(Refusal::AlreadyStarted);
        }
        self.restart();
        Ok(())
    }

    pub fn restart(&mut self) {
        (self.stopped, self.ordered) = (false, true);
    }

    pub fn stop(&mut self) {
        (self.stopped, self.ordered) = (true, false);
        self.broke();
    }

    /// Takes a frame that waits. Answers the question when it is time to ask it.
    pub fn hold(&mut self, frame: &Frame<'_>, lead: Option<TrackId>) -> Option<Inquiry> {
        self.held.push(frame, lead);
        let due = self.reply == Reply::Unasked
            && frame.end.saturating_sub(self.held.first_at.unwrap_or(frame.at)) >= ASK_MICROS;
        due.then(|| {
            self.reply = Reply::Asked;
            self.held.inquiry(frame.run)
        })
    }

    /// The OnDemandUrl answered; whether frames are recorded from now on that were not.
    pub fn answer(&mut self, answer: &Answer, settings: &Settings) -> bool {
        if self.reply != Reply::Asked {
            return false;
        }
        let named = |formats: &Vec<_>| formats.contains(&settings.container);
        let yes = answer.record && answer.formats.as_ref().is_none_or(named);
        self.reply = if yes { Reply::Yes } else { Reply::No };
        if !yes {
            self.held = Held::default();
        }
        yes && self.is_open()
    }
}

/// Frames that wait for an answer, from one of the lead track on at which decoding can start, and what was seen since the run began.
#[derive(Default)]
pub(super) struct Held {
    frames: VecDeque<(i64, Packet)>,
    bytes: usize,
    first_at: Option<i64>,
    last_end: i64,
    video_bytes: u64,
}

impl Held {
    fn push(&mut self, frame: &Frame<'_>, lead: Option<TrackId>) {
        self.first_at.get_or_insert(frame.at);
        self.last_end = self.last_end.max(frame.end);
        if frame.track.is_video() {
            self.video_bytes = self.video_bytes.saturating_add(frame.packet.data.len() as u64);
        }
        if self.frames.is_empty() && !is_lead_entry(frame.packet, lead) {
            return;
        }
        self.bytes += frame.packet.data.len();
        self.frames.push_back((frame.at, frame.packet.clone()));
        let since = |held: &Self| held.frames.front().map_or(0, |(at, _)| frame.end.saturating_sub(*at));
        while self.bytes > HELD_BYTES || since(self) > HELD_MICROS {
            self.drop_gop(lead);
        }
    }

    fn drop_gop(&mut self, lead: Option<TrackId>) {
        let mut first = true;
        while self.frames.front().is_some_and(|(_, packet)| first || !is_lead_entry(packet, lead)) {
            first = false;
            self.bytes -= self.frames.pop_front().map_or(0, |(_, packet)| packet.data.len());
        }
    }

    fn inquiry(&self, run: &Run) -> Inquiry {
        let hevc = run.video().is_some_and(|track| matches!(track.codec, media::Codec::H265(_)));
        let millis = self.last_end.saturating_sub(self.first_at.unwrap_or(self.last_end)) / 1_000;
        let kbps = self.video_bytes.saturating_mul(8) / u64::try_from(millis.max(1)).unwrap_or(1);
        Inquiry { hevc, kbps: u32::try_from(kbps).unwrap_or(u32::MAX) }
    }

    /// Takes all of them out.
    pub fn take(&mut self) -> VecDeque<(i64, Packet)> {
        self.bytes = 0;
        std::mem::take(&mut self.frames)
    }
}

fn is_lead_entry(packet: &Packet, lead: Option<TrackId>) -> bool {
    packet.is_entry() && Some(packet.track) == lead
}
