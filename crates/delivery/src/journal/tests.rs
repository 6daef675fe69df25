use std::collections::HashMap;

use bytes::Bytes;
use media::{SessionId, StreamId, Wall};
use output::{Bucket, FileId, Object, Save};

use super::book::OpenFile;
use super::record::Lines;
use super::*;

fn header() -> Header {
    let stream = StreamId::parse("live.local", "live", "cam").unwrap();
    Header::new(&stream, SessionId(7), "record/flv", 2, Wall(5))
}

fn object(key: &str) -> Object {
    Object { bucket: Bucket { storage: "s".into(), name: "b".into() }, key: key.to_owned() }
}

fn cargo(key: &str, source: Source, replace: bool) -> What {
    What::Object(Cargo { to: object(key), content_type: "x".to_owned(), replace, source })
}

fn file(name: &str, len: u64) -> Source {
    Source::File { name: name.to_owned(), len }
}

fn grew(id: u64, len: u64) -> Record {
    Record::Did(Transaction { grown: vec![(FileId(id), len)], ..Transaction::default() })
}

fn sent(n: u64, what: What) -> Record {
    Record::Did(Transaction { parcels: vec![Parcel { n, what }], ..Transaction::default() })
}

fn part(id: FileId) -> String {
    format!("{}.part", id.0)
}

/// The book of `records` when the spool has `files`.
fn book(records: &[Record], files: &[(&str, u64)]) -> Book {
    let lengths: HashMap<&str, u64> = files.iter().copied().collect();
    let records: Vec<Record> = [Record::Lane(header())].into_iter().chain(records.iter().cloned()).collect();
    replay(&unsynced(records), |name| lengths.get(name).copied(), part).unwrap().1
}

/// Records that a power cut may have undone.
fn unsynced(records: Vec<Record>) -> Lines {
    Lines { records: records.into_iter().map(|record| (record, false)).collect(), damaged: 0 }
}

/// The records of a journal.
fn read(journal: &[u8]) -> Vec<Record> {
    decode(journal).records.into_iter().map(|(record, _)| record).collect()
}

fn numbers(book: &Book) -> Vec<u64> {
    book.pending.keys().copied().collect()
}

#[test]
fn of_a_torn_journal_every_whole_line_counts() {
    let saves = vec![Saving::from(&Save::Keep(Bytes::from_static(b"\xff"))), Saving::Done];
    let records = [
        Record::Lane(header()),
        Record::Did(Transaction { saves, damaged: vec![(FileId(1), Damage::Gap)], ..Transaction::default() }),
        sent(0, cargo("k", Source::Progressive { name: "0.part".to_owned(), len: 9 }, false)),
        Record::Done(Done { n: 0, object: None }),
    ];
    let lines: Vec<String> = records.iter().map(|record| encode(record).unwrap()).collect();
    let whole = lines.concat();
    for len in 0..=whole.len() {
        let mut end = 0;
        let expected = lines
            .iter()
            .take_while(|line| {
                end += line.len();
                end <= len
            })
            .count();
        let torn = &whole.as_bytes()[..len];
        assert_eq!(read(torn), records[..expected], "{len}");
        // A hole, or what was there before, is no line either.
        assert_eq!(read(&[torn, &[0; 40]].concat()), records[..expected]);
    }
    let mut flipped = whole.clone().into_bytes();
    flipped[lines[0].len() + 30] ^= 1;
    assert_eq!(decode(&flipped), unsynced(records[..1].to_vec()));
}

#[test]
fn a_journal_of_another_version_makes_no_sense() {
    assert!(replay(&Lines::default(), |_| None, part).is_none());
    assert!(replay(&unsynced(vec![grew(0, 1)]), |_| None, part).is_none());
    let mut json = serde_json::to_value(Record::Lane(header())).unwrap();
    json["lane"]["version"] = 2.into();
    assert!(replay(&unsynced(vec![serde_json::from_value(json).unwrap()]), |_| None, part).is_none());
    let (stream, session) = header().owner().unwrap();
    assert_eq!((stream.to_string().as_str(), session), ("live.local/live/cam", SessionId(7)));
}

#[test]
fn what_a_power_cut_took_ends_what_was_done() {
    let records = [grew(0, 10), grew(1, 5), grew(0, 20), grew(1, 7), grew(0, 30)];
    let whole = book(&records, &[("0.part", 30), ("1.part", 99)]);
    assert_eq!(whole.open[&FileId(0)], OpenFile { len: 30, damage: Damage::None });
    let cut = book(&records, &[("0.part", 19), ("1.part", 99)]);
    assert_eq!((cut.open[&FileId(0)].len, cut.open[&FileId(1)].len), (10, 5));
    let nothing = book(&records, &[("1.part", 99)]);
    assert!(nothing.open.is_empty());
}

#[test]
fn a_file_that_was_dealt_with_may_be_gone() {
    let records = [
        grew(0, 10),
        sent(0, cargo("a", file("0.part", 10), false)),
        sent(1, cargo("b", file("b.put", 3), false)),
        Record::Done(Done { n: 0, object: None }),
        grew(1, 4),
        Record::Did(Transaction { closed: vec![FileId(1)], ..Transaction::default() }),
        grew(2, 6),
    ];
    let book = book(&records, &[("b.put", 3), ("2.part", 6)]);
    assert_eq!(numbers(&book), [1]);
    assert_eq!((book.open[&FileId(2)].len, book.next), (6, 2));
    assert!(!book.open.contains_key(&FileId(1)));
    assert!(numbers(&super::tests::book(&records, &[("2.part", 6)])).is_empty());
}

#[test]
fn a_book_is_the_same_after_it_was_written_anew() {
    let saves = [Save::Fresh("f".into()), Save::Keep("k".into()), Save::Now("n".into())];
    let outcome = Outcome { to: object("a"), key: Some("a~2".to_owned()), size: 3, failed: None };
    let records = [
        Record::Did(Transaction {
            grown: vec![(FileId(4), 9)],
            damaged: vec![(FileId(4), Damage::Beginning)],
            saves: saves.iter().map(Saving::from).collect(),
            ..Transaction::default()
        }),
        sent(0, cargo("a", file("a", 3), true)),
        sent(1, cargo("a", file("b", 3), true)),
        sent(2, cargo("a", file("c", 3), true)),
        Record::Done(Done { n: 0, object: Some(outcome.clone()) }),
    ];
    let files = [("4.part", 9), ("a", 3), ("b", 3), ("c", 3)];
    let before = book(&records, &files);
    let snapshot = before.snapshot();
    let after = book(&[Record::Book(Box::new(snapshot.clone()))], &files);
    assert_eq!(after.snapshot(), snapshot);
    assert_eq!((after.bytes(), after.next), (15, 3));
    assert_eq!(after.saved, before.saved);
    assert_eq!(after.outcome(&object("a")), Some(&outcome));
    assert_eq!(after.renamed[&object("a")], "a~2");
    let (n, _, superseded) = after.first().unwrap();
    assert_eq!((n, superseded), (1, true), "a newer version waits");
}

#[test]
fn a_version_that_somebody_is_told_of_is_not_left_out() {
    let told = What::Notice { notice: output::Notice::RecordStarted, context: String::new() };
    let records =
        [sent(0, cargo("a", file("a", 3), true)), sent(1, told), sent(2, cargo("a", file("b", 3), true))];
    let book = book(&records, &[("a", 3), ("b", 3)]);
    let (n, _, superseded) = book.first().unwrap();
    assert_eq!((n, superseded), (0, false));
}

#[test]
fn of_a_line_that_was_synced_and_is_damaged_only_what_it_said_is_lost() {
    let slice = |n: u64| cargo(&n.to_string(), file(&format!("{n}.put"), 3), false);
    let records = [Record::Lane(header()), sent(0, slice(0)), sent(1, slice(1)), sent(2, slice(2))];
    let lines: Vec<String> = records.iter().map(|record| encode(record).unwrap()).collect();
    let synced = lines[..3].concat().len() as u64;
    let last = Record::Did(Transaction { grown: vec![(FileId(9), 4)], synced, ..Transaction::default() });
    let journal = lines.concat() + &encode(&last).unwrap();
    let damaged = |line: usize| {
        let mut bytes = journal.clone().into_bytes();
        bytes[lines[..line].concat().len() + 40] ^= 8;
        let read = decode(&bytes);
        // Somebody took the second slice away, too.
        let len_of = |name: &str| (name != "1.put").then_some(4);
        (read.damaged, replay(&read, len_of, part).map(|(_, book)| numbers(&book)))
    };
    assert_eq!(damaged(1), (1, Some(vec![1, 2])));
    assert_eq!(damaged(2), (1, Some(vec![0, 2])));
    // That one was not synced for all we know: it may be the end of what was.
    assert_eq!(damaged(3), (0, Some(vec![0, 1])));
    assert_eq!(damaged(0), (1, None));
}
