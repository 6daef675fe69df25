//! Someone who follows a playlist with parts from window to window (packaging-rules §2).

use std::collections::{BTreeMap, BTreeSet};

use output::{Playlist, Window};

/// What was seen of a playlist so far.
#[derive(Default)]
pub struct Follower {
    /// The lines of each segment by number, without those of its parts.
    segments: BTreeMap<u64, String>,
    /// What must never change.
    terms: Option<String>,
    /// Every part so far: how many, and what the newest one is called.
    newest: Option<String>,
    hint: Option<String>,
    /// Segments that are their parts.
    compared: BTreeSet<String>,
}

/// A playlist by lines.
struct Read<'a> {
    text: &'a str,
    first: u64,
    /// Complete segments and what follows them, each with the lines before its URI.
    blocks: Vec<&'a str>,
}

/// A line EXT-X-PART.
struct Part<'a> {
    uri: &'a str,
    micros: i64,
    independent: bool,
    gap: bool,
}

impl Follower {
    /// The playlist `name` is there anew.
    pub fn read(&mut self, name: &str, playlist: &Playlist, window: &Window) {
        let text = String::from_utf8(playlist.full.body.concat()).unwrap();
        let Some(target) = value(&text, "PART-TARGET=").map(micros) else { return };
        let list = Read::new(&text);
        let terms: String =
            text.lines().filter(|l| l.starts_with("#EXT-X-SERVER") || l.contains("PART-INF")).collect();
        let said = self.terms.get_or_insert_with(|| terms.clone());
        assert_eq!(*said, terms, "{name}");
        list.check_parts(name, target, window, &mut self.compared);
        list.check_edge(name, playlist);
        self.check_hint(name, &list, window);
        self.check_delta(name, &list, playlist);
        if window.ended {
            *self = Self::default();
        }
    }

    /// The next part is called as it was hinted, whatever comes (packaging-rules L-11, L-12).
    fn check_hint(&mut self, name: &str, list: &Read<'_>, window: &Window) {
        let parts: Vec<&str> = list.text.lines().filter_map(part).map(|part| part.uri).collect();
        let known = self.newest.as_deref().and_then(|newest| parts.iter().position(|uri| *uri == newest));
        if let (Some(at), Some(hint)) = (known, &self.hint) {
            assert!(
                parts.get(at + 1).is_none_or(|next| next == hint),
                "{name}: {hint} was hinted: {}",
                list.text
            );
        }
        self.newest = parts.last().map(|uri| uri.to_string()).or(self.newest.take());
        let hint = value(list.text, "PRELOAD-HINT:TYPE=PART,URI=\"")
            .map(|rest| rest.trim_end_matches('"').to_owned());
        assert_eq!(hint.is_none(), window.ended, "{name}");
        if let Some(hint) = &hint {
            assert!(window.get(hint).is_none(), "{name}: {hint} is there already");
            assert!(window.hints.iter().any(|h| **h == **hint), "{name}: {hint} is not waited for");
        }
        self.hint = hint;
    }

    /// What a player knew and the delta update together are the whole list (packaging-rules L-20).
    fn check_delta(&mut self, name: &str, list: &Read<'_>, playlist: &Playlist) {
        for delta in playlist.delta.iter().flat_map(|delta| [&delta.yes, &delta.v2]) {
            let text = String::from_utf8(delta.body.concat()).unwrap();
            let skipped: usize =
                value(&text, "SKIPPED-SEGMENTS=").unwrap().split(',').next().unwrap().parse().unwrap();
            let update = Read::new(&text);
            assert_eq!(update.first, list.first, "{name}");
            for (number, block) in (list.first..).zip(&list.blocks).take(skipped) {
                assert_eq!(
                    self.segments.get(&number),
                    Some(&without_parts(block)),
                    "{name}: {number} is not known"
                );
            }
            let rest: Vec<_> = list.blocks.iter().skip(skipped).map(|block| without_map(block)).collect();
            let got: Vec<_> = update.blocks.iter().map(|block| without_map(block)).collect();
            assert_eq!(got, rest, "{name}");
        }
        for (number, block) in (list.first..).zip(&list.blocks) {
            self.segments.insert(number, without_parts(block));
        }
    }
}

impl<'a> Read<'a> {
    fn new(text: &'a str) -> Self {
        let first = value(text, "#EXT-X-MEDIA-SEQUENCE:").unwrap().parse().unwrap();
        let (head, _) = text.split_once("#EXT-X-DISCONTINUITY-SEQUENCE").unwrap();
        let mut body = &text[head.len()..];
        body = body.split_once('\n').unwrap().1;
        if body.starts_with("#EXT-X-SKIP") {
            body = body.split_once('\n').unwrap().1;
        }
        let mut blocks = Vec::new();
        let mut from = 0;
        let mut at = 0;
        for line in body.split_inclusive('\n') {
            at += line.len();
            if !line.starts_with('#') {
                blocks.push(&body[from..at]);
                from = at;
            }
        }
        blocks.push(&body[from..]);
        Self { text, first, blocks }
    }

    /// Complete segments, without what follows them.
    fn complete(&self) -> &[&'a str] {
        &self.blocks[..self.blocks.len() - 1]
    }

    /// Durations, what can be fetched, and that a segment is its parts (packaging-rules L-02, L-04 to L-06).
    fn check_parts(&self, name: &str, target: i64, window: &Window, compared: &mut BTreeSet<String>) {
        for (at, block) in self.blocks.iter().enumerate() {
            let parts: Vec<Part<'_>> = block.lines().filter_map(part).collect();
            for (n, part) in parts.iter().enumerate() {
                assert!(part.micros <= target, "{name}: {} lasts {} of {target}", part.uri, part.micros);
                let last = n + 1 == parts.len();
                let excused = last || part.independent || part.gap || parts[n + 1].gap;
                assert!(
                    excused || part.micros * 100 >= target * 85 || !steady(&parts),
                    "{name}: {} lasts {} of {target}",
                    part.uri,
                    part.micros
                );
                assert_eq!(window.get(part.uri).is_none(), part.gap, "{name}: {}", part.uri);
            }
            let uri = block.lines().last().filter(|line| !line.starts_with('#'));
            let Some(uri) = uri.filter(|_| at + 1 < self.blocks.len() && !parts.is_empty()) else { continue };
            if !compared.insert(uri.to_owned()) {
                continue;
            }
            let bytes = |uri: &str| window.get(uri).map(|r| r.body.concat()).unwrap_or_default();
            let joined: Vec<u8> = parts.iter().flat_map(|part| bytes(part.uri)).collect();
            assert!(joined == bytes(uri), "{name}: {uri} is not its parts");
            let sum: i64 = parts.iter().map(|part| part.micros).sum();
            let extinf = micros(value(block, "#EXTINF:").unwrap().trim_end_matches(','));
            assert!((sum - extinf).abs() <= 5, "{name}: parts of {uri} last {sum} of {extinf}");
        }
    }

    /// What players are told to wait for is what the list has (packaging-rules L-16).
    fn check_edge(&self, name: &str, playlist: &Playlist) {
        let count = |block: &str| block.lines().filter_map(part).count() as u64;
        let Some(edge) = playlist.edge else {
            return assert!(self.text.ends_with("#EXT-X-ENDLIST\n"), "{name}");
        };
        assert_eq!(edge.segment + 1, self.first + self.complete().len() as u64, "{name}");
        assert_eq!(edge.parts, count(self.blocks[self.blocks.len() - 1]), "{name}");
        if let Some(last) = self.complete().last() {
            assert_eq!(edge.segment_parts, count(last), "{name}");
        }
    }
}

/// Whether no frame is so long that it makes parts short: none of the parts is over a frame off the others.
fn steady(parts: &[Part<'_>]) -> bool {
    let inner = parts.iter().take(parts.len() - 1).map(|part| part.micros);
    inner.clone().max().unwrap_or(0) - inner.min().unwrap_or(0) < 33_000
}

fn part(line: &str) -> Option<Part<'_>> {
    let (duration, rest) = line.strip_prefix("#EXT-X-PART:DURATION=")?.split_once(",URI=\"")?;
    let (uri, attributes) = rest.split_once('"')?;
    let has = |attribute| attributes.contains(attribute);
    Some(Part { uri, micros: micros(duration), independent: has("INDEPENDENT=YES"), gap: has("GAP=YES") })
}

fn micros(seconds: &str) -> i64 {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    format!("{whole}{fraction:0<6}").parse().unwrap()
}

/// What stands after `name` up to the end of its line.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split_once(name)?.1.lines().next()
}

fn without_parts(block: &str) -> String {
    block
        .lines()
        .filter(|line| !line.starts_with("#EXT-X-PART:") && !line.starts_with("#EXT-X-MAP:"))
        .collect()
}

fn without_map(block: &str) -> String {
    block.lines().filter(|line| !line.starts_with("#EXT-X-MAP:")).collect()
}
