//! A source of which every frame is unlike every other, so that what is missing is known by its place.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::Digest;

use crate::account::Account;

/// Pictures a second; a key frame each second.
pub const RATE: usize = 25;
/// AAC frames a second, about.
pub const AUDIO_RATE: f64 = 48_000.0 / 1024.0;

/// A source and where each of its frames is.
pub struct Material {
    pub file: PathBuf,
    pub sent: Account,
    video: HashMap<Digest, usize>,
    audio: HashMap<Digest, usize>,
}

impl Material {
    /// Encodes `seconds` of noise into `folder`; another `seed` is other noise.
    #[track_caller]
    pub fn encode(folder: &Path, seconds: u32, seed: u32) -> Self {
        let file = folder.join(format!("noise{seed}.flv"));
        let picture = format!(
            "testsrc2=size=192x108:rate={RATE}:duration={seconds},noise=alls=30:allf=t:all_seed={seed}"
        );
        let sound = format!("anoisesrc=sample_rate=48000:amplitude=0.2:duration={seconds}:seed={seed}");
        let done = Command::new("ffmpeg")
            .args([
                "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound,
            ])
            .args(["-c:v", "libx264", "-preset", "superfast", "-threads", "1", "-bf", "2", "-crf", "32"])
            .args(["-pix_fmt", "yuv420p", "-g", "25", "-keyint_min", "25", "-sc_threshold", "0"])
            .args(["-c:a", "aac", "-b:a", "48k", "-ac", "1", "-f", "flv"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let sent = Account::of(&file);
        let video = places(&sent.slices);
        let audio = places(&sent.aac);
        assert_eq!(sent.slices.len(), seconds as usize * RATE, "one slice for each picture");
        Self { file, sent, video, audio }
    }

    /// Where what was found stands in the source.
    ///
    /// Panics where a frame is not of the source, comes twice, or out of order.
    #[track_caller]
    pub fn find(&self, found: &Account, what: &str) -> Found {
        Found {
            video: increasing(&self.video, &found.slices, &format!("video of {what}")),
            audio: increasing(&self.audio, &found.aac, &format!("audio of {what}")),
            total: (self.sent.slices.len(), self.sent.aac.len()),
        }
    }

    /// Parts what was found into what is of this source and what follows it.
    pub fn split(&self, found: &Account) -> (Account, Account) {
        let video = found.slices.iter().take_while(|digest| self.video.contains_key(*digest)).count();
        let audio = found.aac.iter().take_while(|digest| self.audio.contains_key(*digest)).count();
        let (slices, aac) = (&found.slices, &found.aac);
        (
            Account { slices: slices[..video].to_vec(), aac: aac[..audio].to_vec() },
            Account { slices: slices[video..].to_vec(), aac: aac[audio..].to_vec() },
        )
    }
}

/// Frames of a source in a product, by their number in the source.
pub struct Found {
    pub video: Vec<usize>,
    pub audio: Vec<usize>,
    total: (usize, usize),
}

impl Found {
    /// Stretches of pictures that are missing.
    pub fn holes(&self) -> Vec<Range<usize>> {
        holes(&self.video, self.total.0)
    }

    /// Stretches of AAC frames that are missing.
    pub fn silences(&self) -> Vec<Range<usize>> {
        holes(&self.audio, self.total.1)
    }

    /// Checks that nothing is missing.
    #[track_caller]
    pub fn assert_whole(&self, what: &str) {
        assert_eq!((self.holes(), self.silences()), (vec![], vec![]), "missing in {what}");
    }
}

fn places(digests: &[Digest]) -> HashMap<Digest, usize> {
    let places: HashMap<Digest, usize> =
        digests.iter().enumerate().map(|(at, digest)| (*digest, at)).collect();
    assert_eq!(places.len(), digests.len(), "every frame of the source is unlike every other");
    places
}

#[track_caller]
fn increasing(places: &HashMap<Digest, usize>, found: &[Digest], what: &str) -> Vec<usize> {
    let mut out: Vec<usize> = Vec::new();
    for (at, digest) in found.iter().enumerate() {
        let place = places.get(digest);
        let place = *place.unwrap_or_else(|| panic!("{what}: frame {at} of {} was never sent", found.len()));
        let last = out.last().copied();
        assert!(
            last.is_none_or(|last| last < place),
            "{what}: frame {place} of the source comes after {last:?}"
        );
        out.push(place);
    }
    out
}

fn holes(found: &[usize], total: usize) -> Vec<Range<usize>> {
    let mut holes = Vec::new();
    let mut next = 0;
    for &place in found.iter().chain([&total]) {
        if place > next {
            holes.push(next..place);
        }
        next = place + 1;
    }
    holes
}
