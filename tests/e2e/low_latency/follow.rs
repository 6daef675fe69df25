//! A player that believes nothing: it reloads a list as it is told to, asks for everything in several ways, and
//! compares.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::list::{List, Part};
use super::rules;
use crate::http::{self, Answer, ask, beside, get};
use crate::machine::{PATIENCE, pause};

/// Seconds of a target duration, for headers.
const SECOND: u64 = 1_000_000_000;
const GZIP: &str = "Accept-Encoding: gzip\r\n";

/// Newest part that any follower has seen in a list, by the list's path: what rendition reports are held against.
pub type Edges = Mutex<BTreeMap<String, (u64, u64)>>;

/// One list to follow.
pub struct Watch<'a> {
    pub address: SocketAddr,
    /// Of the list.
    pub path: String,
    pub is_audio: bool,
    /// How many other lists the stream has.
    pub others: usize,
    pub edges: &'a Edges,
}

/// What was seen until the source was gone.
#[derive(Default)]
pub struct Seen {
    /// Initialization section, if the format has one.
    pub init: Vec<u8>,
    /// Complete segments in order, each in its parts as listed with their bytes.
    pub segments: Vec<Vec<(Part, Vec<u8>)>>,
    /// Updates that were deltas, and were compared with the whole list.
    pub deltas: usize,
    /// How long each request for the next part waited.
    pub waits: Vec<Duration>,
    /// How much later than a hinted part the list came that names it, in milliseconds.
    pub lag_ms: Vec<i64>,
    /// Bytes of parts by URI.
    bytes: BTreeMap<String, Vec<u8>>,
    /// Everything that a list named, and when it last did.
    named: BTreeMap<String, Instant>,
}

/// What became of one request for the next part.
enum Turn {
    Next(List),
    Gone,
}

impl Watch<'_> {
    /// Follows until nobody sends any more and the list has ended.
    pub fn follow(&self) -> Seen {
        let mut seen = Seen::default();
        let mut list = self.plain();
        self.take(&mut seen, &list, true);
        self.refusals(&list);
        let begun = Instant::now();
        for turn in 0.. {
            assert!(begun.elapsed() < PATIENCE, "{}: it does not end", self.path);
            match self.turn(turn, &list, &mut seen) {
                Turn::Next(new) => {
                    rules::step(&list, &new);
                    list = new;
                    self.take(&mut seen, &list, false);
                }
                Turn::Gone => break,
            }
        }
        self.still_there(&seen, list.target);
        self.end(&list);
        seen
    }

    fn turn(&self, turn: usize, list: &List, seen: &mut Seen) -> Turn {
        let (number, part) = list.next();
        let skip = ["", "&_HLS_skip=YES", "&_HLS_skip=v2"][turn % 3];
        let coding = if turn.is_multiple_of(2) { GZIP } else { "" };
        let query = format!("{}?_HLS_msn={number}&_HLS_part={part}{skip}", self.path);
        let hinted = beside(&self.path, &list.hints[0].1);
        let before = self.edges.lock().unwrap().clone();
        let (answer, hint) = thread::scope(|scope| {
            let hint = scope.spawn(|| get(self.address, &hinted));
            (ask(self.address, &query, coding), hint.join().unwrap())
        });
        if answer.status == 503 {
            self.refused(&answer, 503);
            self.refused(&hint, 503);
            return Turn::Gone;
        }
        self.taken(&answer, &query, 6 * list.target / SECOND);
        let update = List::read(&answer.text());
        if update.ended {
            return Turn::Gone;
        }
        self.check_version(&update, turn);
        let new = update.merged(list);
        rules::alone(&new, self.is_audio);
        rules::full_length(&new);
        assert!(new.has((number, part)), "L-16: asked for {query}, got {new:?}");
        seen.waits.push(answer.done - answer.asked);
        self.hint_came_true(list, &new, &hint, &answer, seen);
        self.reports(&new, &before);
        if update.skip.is_some() {
            self.compare(&query, &new, seen);
        }
        Turn::Next(new)
    }

    /// A delta answer states the version that its tags need (packaging-rules H-02).
    fn check_version(&self, update: &List, turn: usize) {
        match (&update.skip, turn % 3) {
            (None, _) => {}
            (Some(_), 0) => panic!("L-19: a delta that nobody asked for"),
            (Some(skip), 1) => assert_eq!((update.version, &skip.removed_dates), (9, &None), "H-02"),
            (Some(skip), _) => {
                assert_eq!((update.version, skip.removed_dates.as_deref()), (10, Some("")), "H-02");
            }
        }
    }

    /// The bytes that came for the hint are those of the part that has its name now.
    fn hint_came_true(&self, old: &List, new: &List, hint: &Answer, list: &Answer, seen: &mut Seen) {
        let uri = &old.hints[0].1;
        assert_eq!(hint.status, 200, "L-13: {uri}: {}", String::from_utf8_lossy(&hint.body));
        assert!(hint.whole && !hint.header("content-length").is_empty(), "L-13: {uri} came in pieces");
        let (first, last) = (hint.pieces.first().unwrap(), hint.pieces.last().unwrap());
        assert!(last.0 - first.0 < Duration::from_secs(1), "L-13: {uri} was sent before it was whole");
        if new.parts().any(|part| &part.uri == uri) {
            let later = get(self.address, &beside(&self.path, uri));
            assert!(later.body == hint.body, "L-13: {uri} changed");
        }
        let lag = list.done.saturating_duration_since(hint.done).as_millis() as i64
            - hint.done.saturating_duration_since(list.done).as_millis() as i64;
        seen.lag_ms.push(lag);
    }

    /// They tell of every other list, and the truth (packaging-rules L-15).
    fn reports(&self, list: &List, before: &BTreeMap<String, (u64, u64)>) {
        assert_eq!(list.reports.len(), self.others, "L-15: {:?}", list.reports);
        for report in &list.reports {
            let path = beside(&self.path, &report.uri);
            let known = before.get(&path).copied().unwrap_or_default();
            assert!(report.newest >= known, "L-15: {path} had {known:?}, then {report:?}");
            let (status, text) = (get(self.address, &path).status, get(self.address, &path).text());
            assert_eq!(status, 200, "L-15: {path}");
            assert!(
                List::read(&text).newest() >= report.newest,
                "L-15: {report:?} tells of more than there is"
            );
        }
    }

    /// The whole list is what the delta makes of the one before (packaging-rules L-20).
    fn compare(&self, query: &str, merged: &List, seen: &mut Seen) {
        let (whole, _) = query.split_once("&_HLS_skip").unwrap();
        let full = List::read(&get(self.address, whole).text());
        assert!(full.skip.is_none() && full.newest() >= merged.newest(), "L-18: {full:?} after {merged:?}");
        // A segment may end after its last part, without another one.
        let state = |list: &List| (list.newest(), list.complete().count());
        if state(&full) == state(merged) && full.hints == merged.hints && full.reports == merged.reports {
            assert_eq!(&full, merged, "L-20");
            seen.deltas += 1;
        }
    }

    /// Fetches what is new in the list; on `first` sight everything.
    fn take(&self, seen: &mut Seen, list: &List, first: bool) {
        self.edges.lock().unwrap().insert(self.path.clone(), list.newest());
        let now = Instant::now();
        if let Some(map) = list.segments.iter().find_map(|segment| segment.map.as_ref())
            && seen.init.is_empty()
        {
            seen.init = self.fetched(map);
        }
        for segment in &list.segments {
            for part in segment.parts.iter().filter(|part| !part.gap) {
                if !seen.bytes.contains_key(&part.uri) {
                    let bytes = self.fetched(&part.uri);
                    seen.bytes.insert(part.uri.clone(), bytes);
                }
                seen.named.insert(part.uri.clone(), now);
            }
            let Some((_, uri)) = &segment.whole else { continue };
            if seen.named.insert(uri.clone(), now).is_none() {
                let whole = self.fetched(uri);
                if first && segment.parts.is_empty() {
                    continue;
                }
                let there = segment.parts.iter().filter(|part| !part.gap);
                let parts: Vec<_> = there.map(|part| (part.clone(), seen.bytes[&part.uri].clone())).collect();
                let sum: Vec<u8> = parts.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
                assert!(
                    sum == whole,
                    "L-02: {uri} is not its parts: {} and {} bytes",
                    whole.len(),
                    sum.len()
                );
                seen.segments.push(parts);
            }
        }
    }

    /// What a list names is there at once, and may be kept for ever (packaging-rules H-11, L-27).
    fn fetched(&self, uri: &str) -> Vec<u8> {
        let answer = get(self.address, &beside(&self.path, uri));
        assert_eq!(answer.status, 200, "H-11: {uri} is listed in {}", self.path);
        assert!(answer.whole && !answer.body.is_empty(), "H-11: {uri}");
        assert!(answer.header("cache-control").contains("immutable"), "L-27: {uri}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "L-27: {uri}");
        answer.body
    }

    /// The list without directives.
    fn plain(&self) -> List {
        let answer = get(self.address, &self.path);
        let list = List::read(&answer.text());
        self.taken(&answer, &self.path, list.target / SECOND / 2);
        assert!(list.skip.is_none(), "L-17");
        rules::alone(&list, self.is_audio);
        list
    }

    fn taken(&self, answer: &Answer, query: &str, max_age: u64) {
        assert_eq!(answer.status, 200, "{query}: {}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.header("content-type"), "application/vnd.apple.mpegurl", "H-03");
        assert_eq!(answer.max_age(), Some(max_age), "L-27: {query}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "L-27: {query}");
    }

    fn refused(&self, answer: &Answer, status: u16) {
        assert_eq!(answer.status, status, "{}: {}", self.path, String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.header("cache-control"), "no-store", "Q8");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "L-27");
    }

    /// What cannot be answered is refused at once (packaging-rules L-16, L-13).
    fn refusals(&self, list: &List) {
        let (number, part) = list.next();
        let complete = list.complete().last().unwrap().number;
        let limit = 3 * SECOND / list.part_target.min(SECOND) + 60;
        for query in [
            "_HLS_part=0".to_owned(),
            "_HLS_msn=x".to_owned(),
            format!("_HLS_msn={complete}&_HLS_part=-1"),
            format!("_HLS_msn={}", complete + 5),
            format!("_HLS_msn={number}&_HLS_part={}", part + limit),
        ] {
            self.refused(&get(self.address, &format!("{}?{query}", self.path)), 400);
        }
        let old = http::get(self.address, &format!("{}?_HLS_msn=1&_HLS_part=900&token=x", self.path));
        assert!(List::read(&old.text()).newest() >= list.newest(), "L-16: what is old is never refused");
        self.refused(&get(self.address, &beside(&self.path, &further(&list.hints[0].1, 50))), 404);
    }

    /// What left the list not long ago can still be fetched (packaging-rules H-10, L-08).
    fn still_there(&self, seen: &Seen, target: u64) {
        let life = Duration::from_nanos(3 * target);
        for (uri, _) in seen.named.iter().filter(|(_, named)| named.elapsed() < life) {
            self.fetched(uri);
        }
    }

    /// The list ends when the source stays gone, and then directives mean nothing (packaging-rules L-16, L-23).
    fn end(&self, before: &List) {
        let begun = Instant::now();
        let ended = loop {
            let list = List::read(&get(self.address, &self.path).text());
            if list.ended {
                break list;
            }
            assert!(begun.elapsed() < PATIENCE, "no ENDLIST");
            pause();
        };
        assert_eq!(ended.hints, [], "L-23");
        assert!(ended.segments.iter().all(|segment| segment.whole.is_some()), "L-23: {ended:?}");
        rules::step(before, &ended);
        let query = format!("{}?_HLS_msn=99999999999&_HLS_part=7&_HLS_skip=YES", self.path);
        assert_eq!(List::read(&get(self.address, &query).text()), ended, "L-16");
    }

    /// Asks for whole segments, one after the other, until the source is gone; says how many came.
    pub fn whole_segments(&self) -> usize {
        let mut next = self.plain().complete().last().unwrap().number + 2;
        for count in 0.. {
            let answer = get(self.address, &format!("{}?_HLS_msn={next}", self.path));
            if answer.status == 503 {
                return count;
            }
            let list = List::read(&answer.text());
            if list.ended {
                return count;
            }
            let newest = list.complete().last().unwrap().number;
            assert!(newest >= next, "L-16: {next} was asked for, {newest} is complete");
            next = newest + 1;
        }
        0
    }
}

/// `v_p17.m4s` and 50 → `v_p67.m4s`: a name that is to come, but not next.
fn further(uri: &str, by: u64) -> String {
    let (stem, extension) = uri.rsplit_once('.').unwrap();
    let digits = stem.len() - stem.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (name, number) = stem.split_at(stem.len() - digits);
    format!("{name}{}.{extension}", number.parse::<u64>().unwrap() + by)
}
