//! What the outside would hold after a recording's effects, as files, objects, rows and saves.

use std::collections::BTreeMap;

use container::flv::{self, TagKind};
use mpeg2ts::pes::{PesPacketReader, ReadPesPacket};
use mpeg2ts::ts::TsPacketReader;

use crate::record::Container;
use crate::{Effect, Effects, Entry, FileId, Finish, Inquiry, Notice, Part, Save, Saved, Warning};

#[derive(Clone, Default)]
pub struct Disk {
    pub open: BTreeMap<FileId, Vec<u8>>,
    pub objects: BTreeMap<String, Vec<u8>>,
    pub entries: Vec<Entry>,
    pub notices: Vec<Notice>,
    pub warnings: Vec<Warning>,
    pub asked: Vec<Inquiry>,
    pub saved: Saved,
    /// Those that wrote or saved something.
    pub transactions: usize,
}

impl Disk {
    /// What one event caused: it happens together.
    pub fn apply(&mut self, fx: Effects) {
        let lasting = |effect: &&Effect| {
            matches!(
                effect,
                Effect::Grow { .. } | Effect::Seal { .. } | Effect::Put { .. } | Effect::Index(_)
            )
        };
        let wrote = fx.iter().any(|effect| lasting(&effect));
        let saves = fx.iter().any(|effect| matches!(effect, Effect::Save(_)));
        if wrote {
            let last = fx.last();
            assert!(
                matches!(last, Some(Effect::Save(Save::Now(_) | Save::Done))),
                "what is written is saved in the same breath, not {last:?}"
            );
        }
        self.transactions += usize::from(wrote || saves);
        let mut just = None;
        for effect in fx {
            just = self.effect(effect, just);
        }
        if self.saved.fresh.is_none() {
            assert!(self.open.is_empty(), "files that nobody knows of: {:?}", self.open.keys());
        }
    }

    /// `just` is the key of the object that came directly before.
    fn effect(&mut self, effect: Effect, just: Option<String>) -> Option<String> {
        match effect {
            Effect::Grow { file, body } => {
                let bytes = self.open.entry(file).or_default();
                body.iter().for_each(|piece| bytes.extend_from_slice(piece));
            }
            Effect::Seal { file, to, finish, .. } => {
                let bytes = self.open.remove(&file).expect("an open file");
                let bytes = match finish {
                    Finish::Head { head, skip } => [&head[..], &bytes[skip as usize..]].concat(),
                    Finish::AsIs | Finish::Progressive => bytes,
                };
                return Some(self.store(to.key, bytes));
            }
            Effect::Put { to, body, .. } => return Some(self.store(to.key, body.concat())),
            Effect::Index(entry) => {
                assert_eq!(just, Some(entry.object.key.clone()), "a row follows its object");
                self.entries.push(*entry);
            }
            Effect::Save(save) => self.saved.take(save),
            Effect::Notify(notice) => self.notices.push(notice),
            Effect::Ask(inquiry) => self.asked.push(inquiry),
            Effect::Warn(warning) => self.warnings.push(warning),
            other => panic!("{other:?}"),
        }
        None
    }

    fn store(&mut self, key: String, bytes: Vec<u8>) -> String {
        let taken = self.objects.insert(key.clone(), bytes);
        assert!(taken.is_none(), "{key} is used twice");
        key
    }

    pub fn files(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.part == Part::File)
    }

    pub fn slices(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.part != Part::File)
    }

    /// Names of what was told, without what it was about.
    pub fn told(&self) -> Vec<&'static str> {
        let word = |notice: &Notice| match notice {
            Notice::RecordStarted => "started",
            Notice::RecordPaused => "paused",
            Notice::RecordResumed => "resumed",
            Notice::RecordFailed { .. } => "failed",
            Notice::RecordFileOpened => "opened",
            Notice::RecordFileStored(_) => "stored",
            Notice::RecordEnded => "ended",
            Notice::SnapshotStored { .. } => "snapshot",
        };
        self.notices.iter().map(word).collect()
    }

    /// Marks of the frames of each file, in the order in which a player meets them; each object is read by a reader of
    /// its container.
    pub fn frames(&self) -> Vec<Vec<String>> {
        self.files().map(|entry| self.frames_of(entry)).collect()
    }

    fn frames_of(&self, entry: &Entry) -> Vec<String> {
        let bytes = &self.objects[&entry.object.key];
        let slices = || self.named(entry).into_iter().map(|key| &self.objects[&key]);
        match entry.format {
            Container::Flv => of_flv(bytes),
            Container::M3u8 => slices().flat_map(|slice| of_ts(slice)).collect(),
            Container::Mp4 => of_mp4(bytes),
            Container::Cmaf => slices().flat_map(|slice| marks(slice)).collect(),
        }
    }

    /// Keys of the slices that are in a file.
    pub fn named(&self, entry: &Entry) -> Vec<String> {
        let key = &entry.object.key;
        match entry.format {
            Container::Flv | Container::Mp4 => Vec::new(),
            Container::M3u8 => self.listed(key),
            Container::Cmaf => {
                let (_, list) = m3u8_rs::parse_master_playlist(&self.objects[key]).unwrap();
                let others = list.alternatives.into_iter().filter_map(|other| other.uri);
                let lists = list.variants.into_iter().map(|variant| variant.uri).chain(others);
                lists.flat_map(|list| self.listed(&list)).collect()
            }
        }
    }

    /// The keys that a playlist names. The names of these tests are all in one folder.
    pub fn listed(&self, key: &str) -> Vec<String> {
        let segments = self.playlist(key).segments;
        let is_gap =
            |segment: &m3u8_rs::MediaSegment| segment.unknown_tags.iter().any(|tag| tag.tag == "X-GAP");
        segments.into_iter().filter(|segment| !is_gap(segment)).map(|segment| segment.uri).collect()
    }

    pub fn playlist(&self, key: &str) -> m3u8_rs::MediaPlaylist {
        let (rest, list) = m3u8_rs::parse_media_playlist(&self.objects[key]).unwrap();
        assert!(rest.is_empty() && list.end_list);
        list
    }
}

/// What stands between `<` and `>` in frames of these tests.
fn marks(bytes: &[u8]) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let mark = |rest: &[u8]| {
        let end = rest.iter().take(12).position(|&b| b == b'>')?;
        text(&rest[1..end]).filter(|mark| mark.starts_with(['v', 'a']))
    };
    let starts = bytes.iter().enumerate().filter(|(_, b)| **b == b'<');
    starts.filter_map(|(at, _)| mark(&bytes[at..])).collect()
}

fn of_flv(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes::Bytes::copy_from_slice(bytes);
    let mut last = 0;
    let mut out = Vec::new();
    for tag in flv::read(&bytes).unwrap().1 {
        let tag = tag.unwrap();
        assert!(tag.timestamp >= last, "tag times never fall");
        last = tag.timestamp;
        if tag.kind != TagKind::Script {
            out.extend(marks(&tag.payload));
        }
    }
    out
}

fn of_mp4(fragments: &[u8]) -> Vec<String> {
    let mut out = Vec::new();
    let file = container::mp4::progressive(&mut std::io::Cursor::new(fragments), &mut out).unwrap();
    assert_eq!(file.cut(), 0, "whole fragments");
    marks(&out)
}

fn of_ts(bytes: &[u8]) -> Vec<String> {
    assert_eq!(bytes.len() % 188, 0, "whole packets");
    let mut reader = PesPacketReader::new(TsPacketReader::new(bytes));
    let mut out = Vec::new();
    while let Some(pes) = reader.read_pes_packet().unwrap() {
        out.extend(marks(&pes.data));
    }
    out
}
