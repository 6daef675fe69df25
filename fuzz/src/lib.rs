//! Every parser of outside bytes as a plain function, and what drives them with mutated captures on stable Rust.
//!
//! [`ENTRIES`] is the list. An entry fails when it panics, when one input takes longer than
//! [`drive::MAX_TIME`] or when it holds more than [`drive::MAX_MEMORY`] at once. `tests/gate.rs` drives each for
//! 10 s; the binary does for as long as one likes and replays what failed. `regressions/ENTRY/` keeps what once
//! did.

pub mod dice;
pub mod drive;
mod entries;
pub mod memory;
mod mutate;
mod seeds;

/// A parser, and inputs that it takes.
pub struct Entry {
    /// Its name, as a folder of `regressions/`.
    pub name: &'static str,
    /// The parser with its invariants, which are asserted.
    pub run: fn(&[u8]),
    /// What mutants are made of.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them: if it is not in this list, it does not exist.
pub const ENTRIES: &[Entry] = &[
    Entry { name: "rtmp-handshake", run: entries::rtmp::handshake, seeds: seeds::handshakes },
    Entry { name: "rtmp-chunks", run: entries::rtmp::chunks, seeds: seeds::connections },
    Entry { name: "amf0", run: entries::amf0::amf0, seeds: seeds::amf0_messages },
    Entry { name: "flv", run: entries::flv::flv, seeds: seeds::flv },
    Entry { name: "progressive", run: entries::progressive::progressive, seeds: entries::progressive::files },
    Entry { name: "h264-sps", run: entries::h264::sps, seeds: seeds::sps },
    Entry { name: "h264-record", run: entries::h264::record, seeds: seeds::avc_records },
    Entry { name: "aac-config", run: entries::aac::config, seeds: seeds::aac_configs },
    Entry { name: "h265", run: entries::h265::h265, seeds: seeds::codecs::h265 },
    Entry { name: "av1", run: entries::av1::av1, seeds: seeds::codecs::av1 },
    Entry { name: "vp9", run: entries::vp9::vp9, seeds: seeds::codecs::vp9 },
    Entry { name: "mp3", run: entries::sound::mp3, seeds: seeds::codecs::mp3 },
    Entry { name: "opus", run: entries::sound::opus, seeds: seeds::codecs::opus },
    Entry { name: "flac", run: entries::sound::flac, seeds: seeds::codecs::flac },
    Entry { name: "ac3", run: entries::sound::ac3, seeds: seeds::codecs::ac3 },
    Entry { name: "object-name", run: entries::name::name, seeds: seeds::names },
    Entry { name: "config", run: entries::config::config, seeds: seeds::configs },
    Entry { name: "alibaba-call", run: entries::alibaba::call, seeds: seeds::calls::signed },
    Entry { name: "alibaba-operations", run: entries::alibaba::operations, seeds: seeds::calls::operations },
    Entry { name: "huawei-request", run: entries::huawei::request, seeds: seeds::calls::signed_huawei },
    Entry {
        name: "huawei-templates",
        run: entries::huawei::templates,
        seeds: seeds::calls::huawei_templates,
    },
    Entry { name: "policy", run: entries::policy::policy, seeds: seeds::calls::policies },
    Entry { name: "reload-directives", run: entries::reload::directives, seeds: seeds::queries },
    Entry { name: "recording", run: entries::recording::recording, seeds: entries::recording::stories },
    Entry { name: "session", run: entries::session::session, seeds: seeds::stories },
];

/// The entry of that name.
pub fn entry(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

/// The folder of the regressions: one folder for each entry that has some.
pub fn regressions() -> std::path::PathBuf {
    seeds::root().join("fuzz/regressions")
}
