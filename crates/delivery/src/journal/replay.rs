use std::collections::HashSet;

use output::FileId;

use super::book::Book;
use super::record::{Header, Lines, Parcel, Record, Transaction, What};

/// The book of a journal's records, with `len_of` a file of the spool by its name, and `name_of` an open file.
///
/// A power cut may leave records whose bytes are not there. What was done until then is the longest run of
/// transactions whose files are as long as they say. What was synced before always counts: if its files are not there,
/// somebody took them away.
///
/// `None`: no header, or of another version.
pub(crate) fn replay(
    lines: &Lines,
    len_of: impl Fn(&str) -> Option<u64>,
    name_of: impl Fn(FileId) -> String,
) -> Option<(Header, Book)> {
    let (first, rest) = lines.records.split_first()?;
    let (Record::Lane(header), _) = first else { return None };
    header.owner()?;
    let freed = freed(rest, &name_of);
    let there = |name: &str, len: u64| freed.contains(name) || len_of(name).is_some_and(|found| found >= len);
    let mut book = Book::default();
    let mut cut = false;
    for (record, synced) in rest {
        match record {
            Record::Lane(_) => return None,
            Record::Book(snapshot) => book = Book::of(snapshot),
            Record::Did(transaction) => {
                cut = cut || !(*synced || is_there(transaction, there, &name_of));
                if !cut {
                    book.did(transaction);
                }
            }
            Record::Done(done) => drop(book.done(done)),
        }
    }
    for (&id, file) in &mut book.open {
        // Only a damaged file system makes a difference here: the rest was synced.
        file.len = file.len.min(len_of(&name_of(id)).unwrap_or(0));
    }
    Some((header.clone(), book))
}

/// Files that may be gone: their parcels were dealt with, or they were closed without one, and went to the dead letters.
fn freed(lines: &[(Record, bool)], name_of: impl Fn(FileId) -> String) -> HashSet<String> {
    let records = || lines.iter().map(|(record, _)| record);
    let done: HashSet<u64> = records().filter_map(number).collect();
    let (mut freed, mut sent) = (HashSet::new(), HashSet::new());
    for parcel in records().flat_map(parcels) {
        let What::Object(cargo) = &parcel.what else { continue };
        let names = || cargo.source.files().into_iter().map(|(name, _)| name.to_owned());
        sent.extend(names());
        if done.contains(&parcel.n) {
            freed.extend(names());
        }
    }
    let closed = records().flat_map(|record| match record {
        Record::Did(transaction) => transaction.closed.as_slice(),
        _ => &[],
    });
    freed.extend(closed.map(|&id| name_of(id)).filter(|name| !sent.contains(name)));
    freed
}

fn number(record: &Record) -> Option<u64> {
    match record {
        Record::Done(done) => Some(done.n),
        _ => None,
    }
}

fn parcels(record: &Record) -> &[Parcel] {
    match record {
        Record::Did(transaction) => &transaction.parcels,
        Record::Book(snapshot) => &snapshot.pending,
        _ => &[],
    }
}

fn is_there(
    transaction: &Transaction,
    there: impl Fn(&str, u64) -> bool,
    name_of: impl Fn(FileId) -> String,
) -> bool {
    let grown = transaction.grown.iter().all(|&(id, len)| there(&name_of(id), len));
    let sent = transaction.parcels.iter().all(|parcel| match &parcel.what {
        What::Object(cargo) => cargo.source.files().iter().all(|(name, len)| there(name, *len)),
        _ => true,
    });
    grown && sent
}
