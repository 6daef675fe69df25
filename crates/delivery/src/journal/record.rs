use bytes::Bytes;
use media::{SessionId, StreamId, Wall};
use output::{Entry, FileId, Notice, Object, Save, Saved};
use serde::{Deserialize, Serialize};

use super::book::Outcome;

/// The layout that this version writes and reads. A journal of another is left alone.
pub(crate) const VERSION: u32 = 1;
/// Characters of a line before its JSON: the checksum and a space.
const PREFIX: usize = 9;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// The first line: whose journal this is.
    Lane(Header),
    /// The second line of a journal that was written anew: everything that the lines before it said.
    Book(Box<Snapshot>),
    /// What one event caused.
    Did(Transaction),
    /// A parcel is dealt with.
    Done(Done),
}

/// Whose lane it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    version: u32,
    domain: String,
    app: String,
    stream: String,
    session: String,
    pub product: String,
    pub index: u32,
    pub opened: Wall,
}

impl Header {
    pub fn new(stream: &StreamId, session: SessionId, product: &str, index: u32, opened: Wall) -> Self {
        Self {
            version: VERSION,
            domain: stream.domain().to_owned(),
            app: stream.app().to_owned(),
            stream: stream.stream().to_owned(),
            session: session.to_string(),
            product: product.to_owned(),
            index,
            opened,
        }
    }

    /// Whose it is; `None` if it is of another layout or makes no sense.
    pub fn owner(&self) -> Option<(StreamId, SessionId)> {
        let stream = StreamId::parse(&self.domain, &self.app, &self.stream).ok()?;
        let session = SessionId(u128::from_str_radix(&self.session, 16).ok()?);
        (self.version == VERSION).then_some((stream, session))
    }
}

/// What one event of an output caused: all of it happened, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Transaction {
    /// Files that grew, and how long they are now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grown: Vec<(FileId, u64)>,
    /// Files that lack something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<(FileId, Damage)>,
    /// Files that are open no longer: a parcel has them, or the dead letters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<FileId>,
    /// What is to be sent now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<Parcel>,
    /// What the output saved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub saves: Vec<Saving>,
    /// So many bytes of the journal, and the files that they speak of, were synced before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub synced: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a file lacks because batches of it were dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Damage {
    #[default]
    None,
    /// A batch after the first: positions in an index are wrong.
    Gap,
    /// The first batch, and with it what a head would replace.
    Beginning,
}

/// Something for the sender. Numbers count up within the lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parcel {
    pub n: u64,
    pub what: What,
}

/// What the sender does with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    Object(Cargo),
    Index(Box<Entry>),
    Notice {
        notice: Notice,
        context: String,
    },
    /// An object that there was nothing to make of.
    Nothing {
        to: Object,
        why: String,
    },
}

impl What {
    /// Bytes of the object.
    pub fn size(&self) -> u64 {
        match self {
            Self::Object(cargo) => cargo.source.size(),
            _ => 0,
        }
    }

    /// Bytes that it has in the spool.
    pub fn spooled(&self) -> u64 {
        match self {
            Self::Object(cargo) => cargo.source.files().iter().map(|(_, len)| len).sum(),
            _ => 0,
        }
    }
}

/// An object on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cargo {
    pub to: Object,
    pub content_type: String,
    /// Whether it may take the place of another object.
    pub replace: bool,
    pub source: Source,
}

/// Files of the spool that an object is made of, by their names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// The file as it is.
    File { name: String, len: u64 },
    /// The first, then the second from a byte on.
    Join { head: String, head_len: u64, name: String, len: u64, skip: u64 },
    /// A progressive MP4 is to be made of this fragmented one.
    Progressive { name: String, len: u64 },
}

impl Source {
    /// The files and their lengths.
    pub fn files(&self) -> Vec<(&str, u64)> {
        match self {
            Self::File { name, len } | Self::Progressive { name, len } => vec![(name, *len)],
            Self::Join { head, head_len, name, len, .. } => vec![(head, *head_len), (name, *len)],
        }
    }

    /// Bytes of the object, as far as they are known before it is made.
    pub fn size(&self) -> u64 {
        match self {
            Self::File { len, .. } | Self::Progressive { len, .. } => *len,
            Self::Join { head_len, len, skip, .. } => head_len + len.saturating_sub(*skip),
        }
    }
}

/// A parcel that is dealt with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Done {
    pub n: u64,
    /// What became of it, if it was an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Outcome>,
}

/// The sum of a journal's lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub open: Vec<(FileId, u64, Damage)>,
    pub next: u64,
    pub pending: Vec<Parcel>,
    pub saved: Vec<Saving>,
    pub renamed: Vec<(Object, String)>,
    pub recent: Vec<Outcome>,
}

/// [`Save`] as a journal has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Saving {
    Fresh(Text),
    Keep(Text),
    Now(Text),
    Done,
}

/// Bytes that are text, as a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Text {
    Plain(String),
    Bytes { bytes: Bytes },
}

impl From<&Bytes> for Text {
    fn from(bytes: &Bytes) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Plain(text.to_owned()),
            Err(_) => Self::Bytes { bytes: bytes.clone() },
        }
    }
}

impl From<&Text> for Bytes {
    fn from(text: &Text) -> Self {
        match text {
            Text::Plain(text) => Bytes::copy_from_slice(text.as_bytes()),
            Text::Bytes { bytes } => bytes.clone(),
        }
    }
}

impl From<&Save> for Saving {
    fn from(save: &Save) -> Self {
        match save {
            Save::Fresh(bytes) => Self::Fresh(bytes.into()),
            Save::Keep(bytes) => Self::Keep(bytes.into()),
            Save::Now(bytes) => Self::Now(bytes.into()),
            Save::Done => Self::Done,
        }
    }
}

impl Saving {
    pub fn save(&self) -> Save {
        match self {
            Self::Fresh(text) => Save::Fresh(text.into()),
            Self::Keep(text) => Save::Keep(text.into()),
            Self::Now(text) => Save::Now(text.into()),
            Self::Done => Save::Done,
        }
    }

    /// The shortest way to the same [`Saved`].
    pub fn all(saved: &Saved) -> Vec<Self> {
        let fresh = saved.fresh.iter().map(|bytes| Self::Fresh(bytes.into()));
        let keep = saved.keep.iter().map(|bytes| Self::Keep(bytes.into()));
        let now = saved.now.iter().map(|bytes| Self::Now(bytes.into()));
        fresh.chain(keep).chain(now).collect()
    }
}

/// A record as a line.
pub(crate) fn encode(record: &Record) -> serde_json::Result<String> {
    let json = serde_json::to_string(record)?;
    Ok(format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())))
}

/// What a journal says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lines {
    /// Each record, and whether no power cut can have undone what it says.
    pub records: Vec<(Record, bool)>,
    /// Lines that were synced and make no sense now.
    pub damaged: usize,
}

/// Reads a journal up to where a crash or a power cut tore it: the first line that makes no sense and was not synced
/// for all we know. One that was synced is damaged, and those after it count.
pub(crate) fn decode(journal: &[u8]) -> Lines {
    let mut at = 0;
    let lines = journal.split_inclusive(|&byte| byte == b'\n').map(|line| {
        at += line.len() as u64;
        (at, line.strip_suffix(b"\n").and_then(decode_line))
    });
    let lines: Vec<(u64, Option<Record>)> = lines.collect();
    let synced = lines.iter().filter_map(|(_, record)| match record {
        Some(Record::Did(transaction)) => Some(transaction.synced),
        _ => None,
    });
    let synced = synced.max().unwrap_or(0);
    let mut read = Lines::default();
    for (end, record) in lines {
        match record {
            Some(record) => read.records.push((record, end <= synced)),
            None if end <= synced => read.damaged += 1,
            None => break,
        }
    }
    read
}

fn decode_line(line: &[u8]) -> Option<Record> {
    let (prefix, json) = line.split_at_checked(PREFIX)?;
    let sum = std::str::from_utf8(prefix.strip_suffix(b" ")?).ok()?;
    let sum = u32::from_str_radix(sum, 16).ok()?;
    (sum == crc32fast::hash(json)).then(|| serde_json::from_slice(json).ok())?
}
