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
    held: Option<Packet>,
    pub waiting: Waiting,
}

/// What the fragments of a run build on.
struct Head {
    init: Bytes,
    /// Which of the file's init segments it is, once that is stored or about to be.
    form: Option<usize>,
    /// How far pictures are decoded later than the encoder said: by the composition time of the first one, so that this
    /// is shown at its decode time (packaging-rules C-07) …
    shift: i64,
    /// … which its composition offset says a second time: the init segment's edit list takes it off again.
    ahead: u32,
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
        self.release(Some(packet.dts.0), slice, book);
        match self.track.is_video() {
            true => self.held = Some(packet.clone()),
            false => self.put(packet, slice, book),
        }
        Ok(())
    }

    /// Writes the picture that is held back. It is shown until `next`, where its successor is decoded, if that is known.
    pub fn release(&mut self, next: Option<i64>, slice: &mut Slice, book: &mut Book) {
        let Some(mut packet) = self.held.take() else { return };
        let until = next.map_or(0, |next| next.saturating_sub(packet.dts.0));
        packet.duration = u32::try_from(until).ok().filter(|&until| until > 0).unwrap_or(packet.duration);
        self.put(&packet, slice, book);
    }

    fn put(&mut self, packet: &Packet, slice: &mut Slice, book: &mut Book) {
        let Some(Head { shift, ahead, form: Some(form), .. }) = self.head else { return };
        let dts = packet.dts.0.saturating_add(shift);
        let offset = i64::from(packet.cts).saturating_sub(shift).saturating_add(ahead.into());
        self.waiting.push(dts, offset, packet);
        let (lane, end) = (self.lane(), dts.saturating_add(packet.duration.into()));
        match slice.parts.iter_mut().find(|part| part.span.lane == lane) {
            Some(part) => (part.span.to, part.span.frames) = (end, part.span.frames + 1),
            None => {
                let span = Span { lane, from: dts, to: end, frames: 1, form };
                slice.parts.push(Part { file: book.id(), bytes: 0, fragments: 0, span });
            }
        }
    }

    /// With the first frame of a run, and of a file: which init segment it needs; if it is a new one it will be the one
    /// after the first `forms`.
    fn begin(&mut self, packet: &Packet, forms: usize) -> Result<(), container::Error> {
        if self.head.is_none() {
            let ahead = u32::try_from(packet.cts).unwrap_or(0);
            let init = mp4::init_ahead(&self.track, ahead)?;
            let before = self.before.take().filter(|before| before.init == init);
            let form = before.and_then(|before| before.form);
            self.head = Some(Head { init, form, shift: packet.cts.into(), ahead });
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
