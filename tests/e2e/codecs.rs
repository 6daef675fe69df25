//! Every codec that an encoder sends, pushed by an FFmpeg that knows Enhanced RTMP and accounted for in every product
//! that takes it. The products are read by that FFmpeg, not by our own code.

use std::path::{Path, PathBuf};

use crate::enhanced::{self, Material, Take};
use crate::live::Follower;
use crate::machine::{EVERYTHING, Server, wait_for};

/// What one push must come out as.
struct Case {
    name: &'static str,
    material: Material,
    /// Which tracks the TS recording takes, by kind; `None`: it says that it can take none.
    ts: Option<(&'static [usize], &'static [usize])>,
    /// Codec strings begin so, video before audio.
    codecs: &'static [&'static str],
}

const HEVC: &[&str] =
    &["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=30:bframes=3:log-level=error"];
const H264: &[&str] = &["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "30"];
const AV1: &[&str] = &["-c:v", "libsvtav1", "-preset", "12", "-g", "30", "-svtav1-params", "lp=1"];
const VP9: &[&str] = &["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "30"];
const AAC: &[&str] = &["-c:a", "aac"];
const OPUS: &[&str] = &["-c:a", "libopus"];

impl Case {
    #[track_caller]
    fn hold(self) {
        let folder = tempfile::tempdir().unwrap();
        let source = self.material.encode(folder.path());
        let mut server = Server::start(EVERYTHING);
        let push = enhanced::push(&source, &server.publish_url("live", "s"));
        let follower = Follower::start(&server, "/live/s.m3u8", folder.path());
        wait_for("the recording to be told of", || {
            server.api_stream("s").to_string().contains("record").then_some(())
        });
        push.succeed();
        self.check_told(&server);
        let followed = follower.finish();
        self.check_multivariant(&followed.multivariant);
        self.check_live(&source, &followed.renditions);
        server.close_recordings("live", "s");
        assert!(server.terminate().success());
        self.check_flv(&source, &server);
        self.check_ts(&source, &server);
        self.check_pictures(&server);
    }

    fn takes(&self) -> impl Iterator<Item = Take> + '_ {
        let video = (0..self.material.video.len()).map(Take::video);
        video.chain((0..self.material.audio.len()).map(Take::audio))
    }

    /// Each rendition that was published holds its track, whole but for sound from before the first picture.
    fn check_live(&self, source: &Path, followed: &[PathBuf]) {
        assert_eq!(followed.len(), self.takes().count(), "{}: {followed:?}", self.name);
        for (take, file) in self.takes().zip(followed) {
            if take.is_video() {
                enhanced::assert_same(&format!("{} live", self.name), (source, take), (file, take.alone()));
                continue;
            }
            let (sent, found) = (take.hashes(source), take.alone().hashes(file));
            let missing = sent.len() - found.len();
            assert!(
                sent.ends_with(&found) && missing <= 10,
                "{} live {take:?}: {missing} missing",
                self.name
            );
        }
    }

    fn check_multivariant(&self, text: &str) {
        for codec in self.codecs {
            assert!(text.contains(codec), "{}: {codec} in {text}", self.name);
        }
    }

    fn check_flv(&self, source: &Path, server: &Server) {
        let recording = only(server, ".flv");
        for take in self.takes() {
            enhanced::assert_same(&format!("{} FLV", self.name), (source, take), (&recording, take));
        }
    }

    fn check_ts(&self, source: &Path, server: &Server) {
        let Some((video, audio)) = self.ts else {
            assert_eq!(server.objects("record/live/s", ".m3u8"), [] as [PathBuf; 0]);
            return;
        };
        let recording = only(server, ".m3u8");
        let takes = video.iter().copied().map(Take::video).chain(audio.iter().copied().map(Take::audio));
        for take in takes {
            let name = format!("{} m3u8", self.name);
            enhanced::assert_same(&name, (source, take), (&recording, take.alone()));
        }
    }

    /// What a product cannot carry is said: in the log and in `/api/streams`.
    fn check_told(&self, server: &Server) {
        let log = server.log().join("\n");
        let stream = server.api_stream("s");
        let outputs = stream["outputs"].as_array().unwrap();
        let recording = outputs.iter().find(|output| output["product"] == "record/m3u8").unwrap();
        let left = recording["left_out"].as_array().map_or(0, Vec::len);
        match self.ts {
            None => {
                assert!(log.contains("m3u8 cannot carry"), "{log}");
                assert!(recording["error"].as_str().unwrap().contains("m3u8 cannot carry"), "{recording}");
            }
            Some((video, audio)) => {
                let missing = self.takes().count() - video.len() - audio.len();
                assert_eq!(left, missing, "{recording}");
                assert_eq!(log.contains("record/m3u8 leaves out"), missing > 0, "{log}");
            }
        }
    }

    fn check_pictures(&self, server: &Server) {
        let pictures = server.objects("snapshot/live/s", ".jpg");
        assert_eq!(pictures.is_empty(), self.material.video.is_empty(), "{}: {:#?}", self.name, server.log());
        for picture in pictures {
            let size = image::image_dimensions(&picture).unwrap();
            assert_eq!(size, (320, 180), "{}", picture.display());
        }
    }
}

#[track_caller]
fn only(server: &Server, suffix: &str) -> PathBuf {
    match &server.objects("record/live/s", suffix)[..] {
        [one] => one.clone(),
        many => panic!("one {suffix} expected, found {many:?}: {:#?}", server.log()),
    }
}

#[test]
fn h265_with_b_frames_and_open_gops_is_whole_in_every_product() {
    let material = Material { video: &[HEVC], audio: &[AAC] };
    let ts = Some((&[0][..], &[0][..]));
    Case { name: "H.265", material, ts, codecs: &["hvc1.1.", "mp4a.40.2"] }.hold();
}

#[test]
#[ignore = "cargo xtask accept codecs"]
fn av1_and_opus_are_whole_in_every_product_that_takes_them() {
    let material = Material { video: &[AV1], audio: &[OPUS] };
    Case { name: "AV1", material, ts: None, codecs: &["av01.0.", "Opus"] }.hold();
}

#[test]
#[ignore = "cargo xtask accept codecs"]
fn vp9_and_flac_are_whole_in_every_product_that_takes_them() {
    let material = Material { video: &[VP9], audio: &[&["-c:a", "flac"]] };
    Case { name: "VP9", material, ts: None, codecs: &["vp09.00.", "fLaC"] }.hold();
}

#[test]
#[ignore = "cargo xtask accept codecs"]
fn h264_and_ac3_are_whole_in_every_product() {
    let material = Material { video: &[H264], audio: &[&["-c:a", "ac3"]] };
    let ts = Some((&[0][..], &[0][..]));
    Case { name: "AC-3", material, ts, codecs: &["avc1.", "ac-3"] }.hold();
}

#[test]
#[ignore = "cargo xtask accept codecs"]
fn h264_and_enhanced_ac3_are_whole_in_every_product() {
    let material = Material { video: &[H264], audio: &[&["-c:a", "eac3"]] };
    let ts = Some((&[0][..], &[0][..]));
    Case { name: "E-AC-3", material, ts, codecs: &["avc1.", "ec-3"] }.hold();
}

#[test]
#[ignore = "cargo xtask accept codecs"]
fn h264_and_mp3_are_whole_in_every_product() {
    let material = Material { video: &[H264], audio: &[&["-c:a", "libmp3lame"]] };
    let ts = Some((&[0][..], &[0][..]));
    Case { name: "MP3", material, ts, codecs: &["avc1.", "mp4a.6b"] }.hold();
}

#[test]
#[ignore = "cargo xtask accept codecs"]
fn two_pictures_and_two_sounds_are_whole_in_every_product_that_takes_them() {
    let material = Material { video: &[H264, HEVC], audio: &[AAC, OPUS] };
    let ts = Some((&[0][..], &[0][..]));
    Case { name: "multitrack", material, ts, codecs: &["avc1.", "hvc1.", "mp4a.40.2", "Opus"] }.hold();
}

/// High dynamic range: ten bits, and what the mastering display was.
#[test]
#[ignore = "cargo xtask accept codecs"]
fn h265_of_high_dynamic_range_is_whole_and_said_to_be() {
    const HDR: &[&str] = &[
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p10le",
        "-x265-params",
        "keyint=30:log-level=error:hdr10=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:\
         master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400",
    ];
    let material = Material { video: &[HDR], audio: &[&["-c:a", "libopus", "-ac", "6"]] };
    // The picture and nothing else: TS has no Opus.
    let ts = Some((&[0][..], &[][..]));
    Case { name: "HDR", material, ts, codecs: &["hvc1.2.4.", "Opus", "VIDEO-RANGE=PQ", "CHANNELS=\"6\""] }
        .hold();
}

/// FFmpeg with libaom announces its track twice, the first time with nothing in it.
#[test]
#[ignore = "cargo xtask accept codecs"]
fn av1_of_another_encoder_and_surround_sound_are_whole() {
    const AOM: &[&str] = &["-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-g", "30"];
    let material = Material { video: &[AOM], audio: &[&["-c:a", "ac3", "-ac", "6"]] };
    let ts = Some((&[][..], &[0][..]));
    Case { name: "libaom", material, ts, codecs: &["av01.0.", "ac-3", "CHANNELS=\"6\""] }.hold();
}

#[test]
#[ignore = "cargo xtask accept codecs"]
fn lossless_sound_alone_is_whole() {
    const FLAC: &[&str] =
        &["-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24", "-ar", "96000"];
    let material = Material { video: &[], audio: &[FLAC] };
    Case { name: "FLAC", material, ts: None, codecs: &["fLaC"] }.hold();
}

#[test]
#[ignore = "cargo xtask accept codecs"]
fn mp3_of_low_rate_alone_is_whole() {
    let material = Material { video: &[], audio: &[&["-c:a", "libmp3lame", "-ac", "1", "-ar", "22050"]] };
    Case { name: "MPEG-2 audio", material, ts: Some((&[], &[0])), codecs: &["mp4a.69"] }.hold();
}

#[test]
#[ignore = "cargo xtask accept codecs"]
fn vp9_of_ten_bits_alone_is_whole() {
    const TEN: &[&str] = &[
        "-c:v",
        "libvpx-vp9",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-g",
        "30",
        "-pix_fmt",
        "yuv420p10le",
        "-profile:v",
        "2",
    ];
    let material = Material { video: &[TEN], audio: &[] };
    Case { name: "VP9 profile 2", material, ts: None, codecs: &["vp09.02."] }.hold();
}
