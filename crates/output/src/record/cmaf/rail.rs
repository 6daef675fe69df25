use bytes::Bytes;
use container::mp4;
use media::{Packet, Track};

use super::form::Form;
use super::slice::{Part, Slice, Span};
use crate::record::book::Book;
use crate::record::fragments::{Lane, Waiting};

/// A track of the run, on its way into fragments.
pub(super) struct Rail {
    pub track: Track,
    /// Known with its first frame.
    head: Option<Head>,
    /// That of the run before.
    before: Option<Head>,
    /// The last picture: the next one says how long it is shown, which may be seconds when little moves.
    held: Option<Held>,
    pub waiting: Waiting,
}

/// A picture, and when it is decoded.
struct Held {
    at: i64,
    packet: Packet,
}

/// What the fragments of a run build on. Times are ticks of the track.
struct Head {
    init: Bytes,
    /// Which of the file's init segments it is, once that is stored or about to be.
    form: Option<usize>,
    /// How much later than it is decoded the first picture is shown: playlists speak of when pictures are shown.
    late: i64,
    /// Nothing is decoded before.
    floor: i64,
    /// The least between two pictures: this part of a second lets them apart in containers that count milliseconds.
    step: i64,
}

/// As in [`Head::step`].
const STEPS_A_SECOND: i64 = 500;

impl Head {
    /// When a picture is decoded. One that nothing is shown before it needs: when it is shown, so that a slice begins at its
    /// tfdt (packaging-rules C-07). Those after it: as soon as the encoder says, so that no composition offset is negative.
    /// hls.js wants the one, FFmpeg and GStreamer the other.
    fn place(&mut self, packet: &Packet) -> i64 {
        let closed = packet.key && packet.recovery.is_none();
        let due = packet.dts.0.saturating_add(self.late.min(0));
        let at = due.max(if closed { packet.pts().0 } else { due }).max(self.floor);
        self.floor = at.saturating_add(self.step);
        at
    }
}

impl Rail {
    /// Of a track that goes on after `before`, its rail of the run before.
    ///
    /// # Errors
    /// When the track fits no fragments.
    pub fn new(track: Track, before: Option<Self>) -> Result<Self, container::Error> {
        mp4::init(&track)?;
        let before = before.and_then(|before| before.head.or(before.before));
        Ok(Self { track, head: None, before, held: None, waiting: Waiting::default() })
    }

    pub fn lane(&self) -> Lane {
        self.track.id.into()
    }

    pub fn content_type(&self) -> &'static str {
        content_type(self.lane())
    }

    /// The init segment that its frames need, and which of the file's it is.
    pub fn init(&self) -> Option<(&Bytes, usize)> {
        self.head.as_ref().and_then(|head| Some((&head.init, head.form?)))
    }

    /// Another file begins: it has init segments of its own.
    pub fn leave_file(&mut self) {
        let heads = [&mut self.head, &mut self.before];
        heads.into_iter().flatten().for_each(|head| head.form = None);
    }

    /// Whether its init segment is still to be stored.
    pub fn is_new(&self, forms: &[Form]) -> bool {
        self.init().is_some_and(|(_, form)| form >= forms.len())
    }

    /// Takes the next frame of `slice`.
    ///
    /// # Errors
    /// When its init segment can't be made.
    pub fn take(
        &mut self,
        packet: &Packet,
        forms: usize,
        slice: &mut Slice,
        book: &mut Book,
    ) -> Result<(), container::Error> {
        self.begin(packet, forms)?;
        let Some(head) = &mut self.head else { return Ok(()) };
        let at = head.place(packet);
        self.release(Some((packet.dts.0, at)), slice, book);
        let held = Held { at, packet: packet.clone() };
        match self.track.is_video() {
            true => self.held = Some(held),
            false => self.put(held, None, slice, book),
        }
        Ok(())
    }

    /// Writes the picture that is held back. `next` is where its successor was to be decoded, and is, if that is known.
    fn release(&mut self, next: Option<(i64, i64)>, slice: &mut Slice, book: &mut Book) {
        if let Some(held) = self.held.take() {
            self.put(held, next, slice, book);
        }
    }

    /// As [`Rail::release`]; the successor is a key frame that was to be decoded at `cut`.
    pub fn release_until(&mut self, cut: Option<i64>, slice: &mut Slice, book: &mut Book) {
        let late = self.head.as_ref().map_or(0, |head| head.late);
        self.release(cut.map(|cut| (cut, cut.saturating_add(late))), slice, book);
    }

    fn put(&mut self, held: Held, next: Option<(i64, i64)>, slice: &mut Slice, book: &mut Book) {
        let Some(Head { form: Some(form), late, .. }) = self.head else { return };
        let Held { at, mut packet } = held;
        let lasts =
            |from: i64, until: i64| u32::try_from(until.saturating_sub(from)).ok().filter(|&ticks| ticks > 0);
        let usual = packet.duration;
        packet.duration = next.and_then(|(due, _)| lasts(packet.dts.0, due)).unwrap_or(usual);
        let (from, to) = (packet.dts.0.saturating_add(late), packet.end().0.saturating_add(late));
        packet.duration = next.and_then(|(_, next)| lasts(at, next)).unwrap_or(usual);
        self.waiting.push(at, packet.pts().0.saturating_sub(at), &packet);
        let lane = self.lane();
        match slice.parts.iter_mut().find(|part| part.span.lane == lane) {
            Some(part) => (part.span.to, part.span.frames) = (to, part.span.frames + 1),
            None => {
                let span = Span { lane, from, to, frames: 1, form };
                slice.parts.push(Part { file: book.id(), bytes: 0, fragments: 0, span });
            }
        }
    }

    /// With the first frame of a run, and of a file: which init segment it needs; if it is a new one it will be the one
    /// after the first `forms`.
    fn begin(&mut self, packet: &Packet, forms: usize) -> Result<(), container::Error> {
        if self.head.is_none() {
            let init = match packet.cts {
                0 => mp4::init(&self.track)?,
                _ => mp4::init_reordered(&self.track)?,
            };
            let before = self.before.take().filter(|before| before.init == init);
            let form = before.and_then(|before| before.form);
            let step = (i64::from(self.track.timescale.hz()) / STEPS_A_SECOND).max(1);
            self.head = Some(Head { init, form, late: packet.cts.into(), floor: i64::MIN, step });
        }
        if let Some(head) = &mut self.head {
            head.form.get_or_insert(forms);
        }
        Ok(())
    }
}

pub(super) fn content_type(lane: Lane) -> &'static str {
    if lane.audio { "audio/mp4" } else { "video/mp4" }
}
