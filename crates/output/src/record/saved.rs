use bytes::Bytes;
use media::Wall;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Settings;
use super::book::{File, Numbers};
use crate::{Pause, Saved};

/// [`crate::Save::Fresh`]: what the recording is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Fresh {
    pub settings: Settings,
    /// CycleDuration in seconds, as it was answered.
    pub cycle_s: u32,
}

/// [`crate::Save::Keep`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Kept<K> {
    /// The file went on.
    #[serde(rename = "p")]
    Pause(Pause),
    /// Something of its format's.
    #[serde(rename = "f")]
    Format(K),
}

/// [`crate::Save::Now`]: how things stand.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Now<F> {
    pub file: Option<File>,
    pub format: F,
    pub numbers: Numbers,
    /// When DelayTime is over, if it runs.
    pub closes_at: Option<Wall>,
    /// When the last frame ended.
    pub last: Wall,
    /// Where it ended, in microseconds on the session's timeline.
    pub reached: i64,
    /// Whether it was told that the recording pauses.
    pub paused: bool,
    /// Whether an operator ordered a new file.
    pub cut: bool,
}

/// All of it, read back.
pub(super) struct Read<N, K> {
    pub fresh: Fresh,
    pub pauses: Vec<Pause>,
    pub kept: Vec<K>,
    pub now: Now<N>,
}

/// What kind of recording left `saved`.
pub(super) fn fresh(saved: &Saved) -> Option<Fresh> {
    read(saved.fresh.as_ref()?)
}

impl<N: DeserializeOwned, K: DeserializeOwned> Read<N, K> {
    /// `None` if it is not a recording that can go on, or one of another version of this program.
    pub fn of(saved: &Saved) -> Option<Self> {
        let (mut pauses, mut kept) = (Vec::new(), Vec::new());
        for one in &saved.keep {
            match read(one)? {
                Kept::Pause(pause) => pauses.push(pause),
                Kept::Format(keep) => kept.push(keep),
            }
        }
        Some(Self { fresh: fresh(saved)?, pauses, kept, now: read(saved.now.as_ref()?)? })
    }
}

fn read<T: DeserializeOwned>(bytes: &Bytes) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

/// What goes into a save. Values of our own, with text as keys: JSON has a form for all of them.
pub(super) fn write<T: Serialize>(value: &T) -> Bytes {
    serde_json::to_vec(value).map(Bytes::from).unwrap_or_default()
}
