//! What a lane writes down before it does it, so that a restart goes on where a crash, a power cut or a shutdown
//! interrupted it.
//!
//! A lane has a folder in common with the other lanes of its session, `spool/{session}`, and in it one journal
//! `{lane}.journal` and the files that the journal speaks of, `{lane}.*`. The journal is text: a line is a checksum
//! (CRC-32, 8 hex digits), a space, and a [`Record`] as JSON. Bytes of media are written before the line that counts
//! them in, so a crash of the process never leaves a line without its bytes; a power cut may, and is told by the
//! length of the file.
//!
//! A line also says how much of the journal was synced before. So a power cut, which takes what was not, is told from
//! damage: of a line that makes no sense though it was synced only what it said is lost.
//!
//! What a reader needs is the [`Book`], the sum of the lines. When the journal has grown to several times what its
//! book needs it is written anew.

mod book;
mod record;
mod replay;
#[cfg(test)]
mod tests;

pub(crate) use book::{Book, Outcome};
pub(crate) use record::{
    Cargo, Damage, Done, Header, Parcel, Record, Saving, Source, Transaction, What, decode, encode,
};
pub(crate) use replay::replay;
