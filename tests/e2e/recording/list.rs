//! Playlists of recordings, and the files that they name.

use std::path::{Path, PathBuf};

/// A media playlist of the store.
pub struct List {
    path: PathBuf,
    pub text: String,
    /// EXT-X-MAP that holds, segment, and its EXTINF in seconds.
    entries: Vec<(Option<String>, String, f64)>,
}

/// Reads a media playlist.
#[track_caller]
pub fn read(path: &Path) -> List {
    let text = std::fs::read_to_string(path).unwrap();
    let (mut map, mut seconds, mut entries) = (None, 0.0, Vec::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("#EXT-X-MAP:") {
            map = quoted(rest, "URI");
        } else if let Some(rest) = line.strip_prefix("#EXTINF:") {
            seconds = rest.split(',').next().unwrap().parse().unwrap();
        } else if !line.starts_with('#') && !line.is_empty() {
            entries.push((map.clone(), line.to_owned(), seconds));
        }
    }
    List { path: path.to_owned(), text, entries }
}

impl List {
    /// The segments, in order.
    pub fn segments(&self) -> Vec<PathBuf> {
        self.entries.iter().map(|(_, segment, _)| self.beside(segment)).collect()
    }

    /// Sum of EXTINF in seconds.
    pub fn duration(&self) -> f64 {
        self.entries.iter().map(|(_, _, seconds)| seconds).sum()
    }

    /// How often decoding starts afresh.
    pub fn discontinuities(&self) -> usize {
        self.text.lines().filter(|line| *line == "#EXT-X-DISCONTINUITY").count()
    }

    /// Writes a file for each init segment with the segments that need it, in order: `{to}-0.mp4`, ….
    pub fn join(&self, to: &Path) -> Vec<PathBuf> {
        let (mut written, mut last) = (Vec::<PathBuf>::new(), None);
        for (map, segment, _) in &self.entries {
            let map = map.as_deref().expect("a CMAF segment has an init segment");
            if last != Some(map) {
                written.push(PathBuf::from(format!("{}-{}.mp4", to.display(), written.len())));
                std::fs::copy(self.beside(map), &written[written.len() - 1]).unwrap();
                last = Some(map);
            }
            let media = std::fs::read(self.beside(segment)).unwrap();
            let mut file =
                std::fs::OpenOptions::new().append(true).open(&written[written.len() - 1]).unwrap();
            std::io::Write::write_all(&mut file, &media).unwrap();
        }
        written
    }

    /// A reference of the playlist, beside it in the bucket.
    fn beside(&self, reference: &str) -> PathBuf {
        let reference = reference.replace("%3A", ":");
        self.path.with_file_name("").join(reference)
    }
}

/// The media playlists that a multivariant playlist of the store names: of variants first, each once.
#[track_caller]
pub fn renditions(path: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(path).unwrap();
    let variants = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned);
    let media = text.lines().filter_map(|line| quoted(line.strip_prefix("#EXT-X-MEDIA:")?, "URI"));
    let mut all: Vec<PathBuf> = Vec::new();
    for uri in variants.chain(media) {
        let path = path.with_file_name("").join(uri);
        if !all.contains(&path) {
            all.push(path);
        }
    }
    assert!(!all.is_empty(), "{} names nothing: {text}", path.display());
    all
}

fn quoted(line: &str, key: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!("{key}=\""))?;
    Some(rest.split('"').next()?.to_owned())
}
