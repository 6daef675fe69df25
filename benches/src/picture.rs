//! A JPEG of a real 1080p IDR.

use std::path::PathBuf;
use std::process::Command;

use bytes::Bytes;
use container::flv::{self, Body};
use media::Codec;

use crate::source::root;
use crate::{Error, Row};

/// Bytes of a 1080p picture in 4:2:0.
const SAMPLES: usize = 1920 * 1080 * 3 / 2;

pub(crate) fn run() -> Result<Vec<Row>, Error> {
    let (config, idr) = keyframe()?;
    let jpeg = ffmpeg::snapshot(&config, &idr)?.len();
    let samples = vec![3u8; SAMPLES];
    let work = |()| ffmpeg::snapshot(&config, &idr);
    let row = Row::measure("JPEG of a 1080p IDR", ("picture", 1), &[&samples], || (), work);
    let note = format!(
        "{} kB of H.264, {} kB of JPEG; bytes are those of the samples",
        idr.len() / 1000,
        jpeg / 1000
    );
    Ok(vec![row.note(note)])
}

/// The codec and the first access unit of a file that the ffmpeg program makes.
fn keyframe() -> Result<(Codec, Bytes), Error> {
    let file: Bytes = std::fs::read(source()?)?.into();
    let (_, tags) = flv::read(&file)?;
    let mut config = None;
    for tag in tags {
        let tag = tag?;
        if tag.kind != flv::TagKind::Video {
            continue;
        }
        for unit in flv::video(&tag.payload)? {
            match (unit?.body, config.take()) {
                (Body::SequenceStart(record), _) => {
                    config = Some(Codec::H264(codec::h264::config(&record)?));
                }
                (Body::Frame { data, .. }, Some(config)) => return Ok((config, data)),
                (_, before) => config = before,
            }
        }
    }
    Err("no key frame in the file".into())
}

fn source() -> Result<PathBuf, Error> {
    let folder = root().join("target/benches");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("1080p.flv");
    // Noise, for a plain pattern would cost less than a camera's picture.
    let pattern = "testsrc2=size=1920x1080:rate=30,noise=alls=12:allf=t,format=yuv420p";
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-y", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", pattern, "-frames:v", "1"]);
    ffmpeg.args(["-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-f", "flv"]).arg(&file);
    let status = ffmpeg.status().map_err(|error| format!("ffmpeg: {error}"))?;
    if status.success() { Ok(file) } else { Err(format!("ffmpeg ended with {status}").into()) }
}
