//! What becomes of a stream's recording is told once, though each of its formats says it: the call names no format
//! (`reference/api-callbacks.md` §2.2).

use std::collections::{HashMap, VecDeque};
use std::mem::{Discriminant, discriminant};
use std::sync::{Arc, Mutex, PoisonError};

use delivery::Told;
use media::SessionId;
use output::Notice;

/// Sessions that are remembered. Beyond it all are forgotten, and what goes on is told once more.
const MAX_SESSIONS: usize = 16_384;

/// What was told of each session.
#[derive(Default)]
pub(crate) struct Statuses {
    sessions: Mutex<HashMap<SessionId, Said>>,
}

/// Formats go through the same states one after the other, some sooner than others.
#[derive(Default)]
struct Said {
    /// The states that some format has still to come to, after the `base` ones that none has.
    states: VecDeque<Discriminant<Notice>>,
    base: usize,
    formats: HashMap<(Arc<str>, u32), Format>,
}

/// How far a format is.
#[derive(Default)]
struct Format {
    states: usize,
    ended: bool,
    /// The last answer, for a question that comes again.
    last: Option<(String, bool)>,
}

impl Statuses {
    /// Whether nobody was told of it yet. What is no state of a recording always is news. The same answer for the same
    /// [`Told::id`] that comes again.
    pub(crate) fn is_news(&self, told: &Told) -> bool {
        if !is_state(&told.notice) {
            return true;
        }
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MAX_SESSIONS && !sessions.contains_key(&told.session) {
            sessions.clear();
        }
        let said = sessions.entry(told.session).or_default();
        let news = said.is_news(told);
        if said.is_over() {
            sessions.remove(&told.session);
        }
        news
    }
}

impl Said {
    fn is_news(&mut self, told: &Told) -> bool {
        let format = self.formats.entry((Arc::clone(&told.product), told.index)).or_default();
        if let Some((_, news)) = format.last.as_ref().filter(|(id, _)| *id == told.id) {
            return *news;
        }
        let state = discriminant(&told.notice);
        let next = format.states.max(self.base);
        let news = self.states.get(next - self.base) != Some(&state);
        format.states = next + 1;
        if news {
            self.states.push_back(state);
            format.states = self.base + self.states.len();
        }
        format.ended = matches!(told.notice, Notice::RecordEnded);
        format.last = Some((told.id.clone(), news));
        self.forget();
        news
    }

    /// What all formats have come to is needed no longer.
    fn forget(&mut self) {
        let least = self.formats.values().map(|format| format.states).min().unwrap_or(0);
        // A format that comes late finds the first states all the same.
        while self.base < least && self.formats.values().all(|format| format.ended) {
            self.states.pop_front();
            self.base += 1;
        }
    }

    fn is_over(&self) -> bool {
        self.states.is_empty()
    }
}

fn is_state(notice: &Notice) -> bool {
    matches!(
        notice,
        Notice::RecordStarted | Notice::RecordPaused | Notice::RecordResumed | Notice::RecordEnded
    )
}

#[cfg(test)]
mod tests {
    use media::StreamId;

    use super::*;

    /// What each format says, in order; those that are news.
    fn news(said: &[(u32, Notice)]) -> Vec<String> {
        let statuses = Statuses::default();
        let all = said.iter().enumerate().filter(|(n, (index, notice))| {
            let told = told(&n.to_string(), *index, notice.clone());
            let news = statuses.is_news(&told);
            assert!(*notice == Notice::RecordEnded || statuses.is_news(&told) == news, "the same again");
            news
        });
        let news = all.map(|(_, (index, notice))| format!("{index} {notice:?}")).collect();
        let over = said.iter().filter(|(_, notice)| *notice == Notice::RecordEnded).count();
        assert!(
            over < 2 || statuses.sessions.lock().unwrap().is_empty(),
            "a session that is over is forgotten"
        );
        news
    }

    fn told(id: &str, index: u32, notice: Notice) -> Told {
        Told {
            id: id.to_owned(),
            stream: StreamId::parse("live.local", "live", "s").unwrap(),
            session: SessionId(1),
            product: "record".into(),
            index,
            notice,
            size: None,
            context: String::new(),
        }
    }

    use Notice::{
        RecordEnded as Ended, RecordPaused as Paused, RecordResumed as Resumed, RecordStarted as Started,
    };

    #[test]
    fn what_all_formats_say_is_told_once_by_the_first() {
        let said = [(0, Started), (1, Started), (1, Paused), (0, Paused), (0, Resumed), (1, Resumed)];
        assert_eq!(news(&said), ["0 RecordStarted", "1 RecordPaused", "0 RecordResumed"]);
    }

    #[test]
    fn a_format_whose_store_is_slow_says_nothing_new_later() {
        let quick = [(0, Started), (0, Paused), (0, Resumed), (0, Paused), (0, Ended)];
        let slow = quick.clone().map(|(_, notice)| (1, notice));
        let said: Vec<_> = [(1, Started)].into_iter().chain(quick).chain(slow.into_iter().skip(1)).collect();
        let told =
            ["1 RecordStarted", "0 RecordPaused", "0 RecordResumed", "0 RecordPaused", "0 RecordEnded"];
        assert_eq!(news(&said), told);
    }

    #[test]
    fn the_next_recording_of_the_session_is_news() {
        let said = [(0, Started), (0, Ended), (0, Started)];
        assert_eq!(news(&said).len(), 3);
    }

    #[test]
    fn files_and_failures_are_told_by_each_format() {
        let failed = || Notice::RecordFailed { reason: "no room".to_owned() };
        assert_eq!(news(&[(0, failed()), (1, failed())]).len(), 2);
    }
}
