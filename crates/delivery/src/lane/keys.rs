//! Objects whose key is taken: the next free one, and whoever names them.

use std::collections::HashMap;

use output::{Entry, Object, Part};

use crate::journal::Book;

/// Keys that are tried for an object.
pub(super) const TRIES: u32 = 1_000;

/// The `n`th key for an object, from 1: `name.ext`, `name~2.ext`, `name~3.ext` …
pub(super) fn numbered(key: &str, n: u32) -> String {
    if n < 2 {
        return key.to_owned();
    }
    let (folder, name) = key.rsplit_once('/').map_or(("", key), |(folder, name)| (folder, name));
    let (stem, extension) = name.rsplit_once('.').map_or((name, ""), |(stem, extension)| (stem, extension));
    let (slash, dot) =
        (if folder.is_empty() { "" } else { "/" }, if extension.is_empty() { "" } else { "." });
    format!("{folder}{slash}{stem}~{n}{dot}{extension}")
}

/// Puts the keys that the objects of `entry` have into it. What lies beside the main one and is not stored is left out:
/// its key may be another's.
pub(super) fn correct(entry: &mut Entry, book: &Book) {
    let bucket = entry.object.bucket.clone();
    let object = |key: &str| Object { bucket: bucket.clone(), key: key.to_owned() };
    let correct = |key: &mut String| {
        if let Some(renamed) = book.renamed.get(&object(key)) {
            renamed.clone_into(key);
        }
    };
    if let Some(beside) = &mut entry.beside {
        let failed = |key: &str| book.outcome(&object(key)).is_some_and(|outcome| outcome.failed.is_some());
        beside.retain(|key| !failed(key));
        beside.iter_mut().for_each(correct);
    }
    if let Part::Slice { init: Some(init), .. } = &mut entry.part {
        correct(init);
    }
    correct(&mut entry.object.key);
}

/// Whether objects of this type name others.
pub(super) fn names_others(content_type: &str) -> bool {
    matches!(
        content_type,
        "application/vnd.apple.mpegurl" | "application/x-mpegurl" | "audio/mpegurl" | "application/dash+xml"
    )
}

/// The text of the playlist `from` with the keys that the objects in it have. References are as
/// [`manifest::uri::relative`] makes them, between quotes, line ends or tags.
pub(super) fn correct_references(text: &str, from: &Object, renamed: &HashMap<Object, String>) -> String {
    let mut references: Vec<(String, String)> = renamed
        .iter()
        .filter(|(object, _)| object.bucket == from.bucket)
        .map(|(object, key)| {
            (manifest::uri::relative(&from.key, &object.key), manifest::uri::relative(&from.key, key))
        })
        .collect();
    references.sort();
    let ends = |c: char| matches!(c, '\n' | '\r' | '"' | '<' | '>' | '\'');
    let mut out = String::with_capacity(text.len());
    for token in text.split_inclusive(ends) {
        let (token, end) = match token.char_indices().next_back() {
            Some((at, c)) if ends(c) => token.split_at(at),
            _ => (token, ""),
        };
        let known = references.binary_search_by(|(old, _)| old.as_str().cmp(token));
        let new = known.ok().and_then(|at| references.get(at)).map_or(token, |(_, new)| new.as_str());
        out.push_str(new);
        out.push_str(end);
    }
    out
}

#[cfg(test)]
mod tests {
    use output::Bucket;

    use super::*;

    fn object(key: &str) -> Object {
        Object { bucket: Bucket { storage: "s".into(), name: "b".into() }, key: key.to_owned() }
    }

    #[test]
    fn the_number_comes_before_the_extension() {
        assert_eq!(numbered("a/b.c/0_1.ts", 1), "a/b.c/0_1.ts");
        assert_eq!(numbered("a/b.c/0_1.ts", 2), "a/b.c/0_1~2.ts");
        assert_eq!(numbered("a.b/c", 3), "a.b/c~3");
        assert_eq!(numbered("c.tar.gz", 10), "c.tar~10.gz");
    }

    #[test]
    fn a_playlist_names_its_slices_by_the_keys_they_have() {
        let renamed = HashMap::from([
            (object("r/a:1.ts"), "r/a:1~2.ts".to_owned()),
            (object("x/init.mp4"), "x/init~3.mp4".to_owned()),
        ]);
        let text =
            "#EXTM3U\n#EXT-X-MAP:URI=\"../x/init.mp4\"\n#EXTINF:2,\na%3A1.ts\n#EXTINF:2,\na%3A1.ts0\nb.ts";
        let corrected = correct_references(text, &object("r/list.m3u8"), &renamed);
        assert_eq!(
            corrected,
            "#EXTM3U\n#EXT-X-MAP:URI=\"../x/init~3.mp4\"\n#EXTINF:2,\na%3A1~2.ts\n#EXTINF:2,\na%3A1.ts0\nb.ts"
        );
        let mpd = "<SegmentURL media=\"a%3A1.ts\"/><BaseURL>a%3A1.ts</BaseURL>";
        assert_eq!(
            correct_references(mpd, &object("r/list.mpd"), &renamed),
            "<SegmentURL media=\"a%3A1~2.ts\"/><BaseURL>a%3A1~2.ts</BaseURL>"
        );
    }
}
