//! Frame accounting: every slice and every AAC frame of a source, found again in a product by its digest. The
//! products are taken apart by ffmpeg, not by our own code.

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use testkit::{Digest, aac_frames, h264_slices};

/// What a file holds.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Account {
    pub slices: Vec<Digest>,
    pub aac: Vec<Digest>,
}

impl Account {
    /// Takes a file or playlist apart.
    #[track_caller]
    pub fn of(file: &Path) -> Self {
        let video = elementary(file, "v", "h264");
        let audio = elementary(file, "a", "adts");
        Self { slices: h264_slices(annex_b(&video)), aac: aac_frames(&audio) }
    }

    /// Takes files apart and joins what they hold, in their order.
    #[track_caller]
    pub fn of_all<P: AsRef<Path>>(files: &[P]) -> Self {
        let mut all = Self::default();
        for file in files {
            let Self { slices, aac } = Self::of(file.as_ref());
            all.slices.extend(slices);
            all.aac.extend(aac);
        }
        all
    }

    /// Checks that `product` holds exactly this, in order.
    #[track_caller]
    pub fn assert_in(&self, product: &Path) {
        self.assert_same(&Self::of(product), &product.display().to_string());
    }

    /// Checks that what was found in `what` is exactly this, in order.
    #[track_caller]
    pub fn assert_same(&self, found: &Self, what: &str) {
        same("video", &self.slices, &found.slices, what);
        same("audio", &self.aac, &found.aac, what);
    }
}

#[track_caller]
fn same(kind: &str, sent: &[Digest], found: &[Digest], what: &str) {
    let differs = sent.iter().zip(found).position(|(a, b)| a != b);
    assert!(
        sent == found,
        "{kind} of {what}: {} sent, {} found, first difference at {differs:?}",
        sent.len(),
        found.len()
    );
}

/// The elementary stream of one kind, empty if the file has none.
#[track_caller]
fn elementary(file: &Path, kind: &str, format: &str) -> Bytes {
    let map = format!("0:{kind}?");
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args(["-map", &map, "-c", "copy"])
        // By itself ffmpeg takes the length of a first NAL unit of 256 to 511 bytes for a start code.
        .args(if format == "h264" { &["-bsf:v", "h264_mp4toannexb"][..] } else { &[] })
        .args(["-f", format, "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let said = without_rounding(&said);
    if !output.status.success() && said.contains("does not contain any stream") {
        return Bytes::new();
    }
    assert!(output.status.success() && said.is_empty(), "{}: {said}", file.display());
    output.stdout.into()
}

/// NAL units of an Annex B byte stream.
fn annex_b(stream: &Bytes) -> Vec<Bytes> {
    let mut starts: Vec<usize> =
        stream.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(at, _)| at).collect();
    starts.push(stream.len());
    let unit = |pair: &[usize]| {
        let unit = stream.slice(pair[0] + 3..pair[1]);
        let zeros = unit.iter().rev().take_while(|byte| **byte == 0).count();
        unit.slice(..unit.len() - zeros)
    };
    starts.windows(2).map(unit).collect()
}

/// What ffmpeg said beside its rounding, and how often it repeated that.
fn without_rounding(said: &str) -> String {
    let mut rounding = false;
    let other = said.lines().filter(|line| {
        rounding = is_rounding(line) || (rounding && line.trim_start().starts_with("Last message repeated"));
        !rounding
    });
    other.collect()
}

/// ffmpeg writes bare H.264 in ticks of 40 ms: two pictures that are closer, as after a jump or a key
/// frame of CMAF, become one tick.
fn is_rounding(said: &str) -> bool {
    let ticks = said.split_once("non monotonically increasing dts to muxer in stream 0: ");
    ticks
        .and_then(|(_, ticks)| ticks.split_once(" >= "))
        .is_some_and(|(last, next)| last.trim() == next.trim())
}
