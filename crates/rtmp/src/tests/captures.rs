use bytes::BytesMut;

use crate::{Event, Kind, Limits, Message, Server, Stage};

pub(super) fn capture(name: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/data/{name}.rtmp", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

/// What a connection says, its publish accepted at once.
#[derive(PartialEq, Default)]
pub(super) struct Told {
    publishes: Vec<String>,
    pub media: Vec<Message>,
    metadata: usize,
    unpublished: usize,
}

impl Told {
    fn count(&self, kind: Kind) -> usize {
        self.media.iter().filter(|message| message.kind == kind).count()
    }
}

pub(super) fn tell(bytes: &[u8], piece: usize) -> (Told, Server) {
    let mut server = Server::after_handshake(Limits::default());
    let (mut told, mut buf, mut events) = (Told::default(), BytesMut::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        buf.extend_from_slice(piece);
        server.input(&mut buf, &mut events).unwrap();
        server.accept_publish(&mut events).unwrap();
        server.output();
        for event in events.drain(..) {
            match event {
                Event::Publish(publish) => told.publishes.push(format!("{}/{}", publish.app, publish.stream)),
                Event::Media(message) => told.media.push(message),
                Event::Metadata(_) => told.metadata += 1,
                Event::Unpublish => told.unpublished += 1,
                Event::Play(play) => panic!("{play:?}"),
            }
        }
    }
    (told, server)
}

#[track_caller]
fn check(name: &str, video: usize, audio: usize) {
    let bytes = capture(name);
    let (whole, server) = tell(&bytes, usize::MAX);
    assert_eq!((whole.count(Kind::Video), whole.count(Kind::Audio)), (video, audio), "{name}");
    assert_eq!((whole.publishes.len(), whole.unpublished), (1, 1), "{name}");
    // GStreamer sends it again and again
    assert!(whole.metadata >= 1, "{name}");
    assert_eq!(server.stage(), Stage::Connected);
    same_in_pieces(&bytes, &whole);
}

#[track_caller]
fn same_in_pieces(bytes: &[u8], whole: &Told) {
    for piece in [1, 7, 131, 1448] {
        let (pieces, _) = tell(bytes, piece);
        assert!(pieces == *whole, "differs in pieces of {piece}");
    }
}

#[test]
fn ffmpeg_5_with_b_frames() {
    check("ffmpeg5-h264-bframes-aac", 92, 143);
}

#[test]
fn ffmpeg_5_with_audio_only() {
    check("ffmpeg5-audio-only-aac", 0, 132);
}

#[test]
fn ffmpeg_5_with_mp3() {
    check("ffmpeg5-h264-mp3", 92, 116);
}

#[test]
fn ffmpeg_9_with_h265() {
    check("ffmpeg9-hevc-aac", 92, 143);
}

#[test]
fn ffmpeg_9_with_av1_and_opus() {
    check("ffmpeg9-av1-opus", 92, 153);
}

#[test]
fn ffmpeg_9_with_vp9_and_flac() {
    check("ffmpeg9-vp9-flac", 92, 146);
}

#[test]
fn ffmpeg_9_with_ac3() {
    check("ffmpeg9-h264-ac3", 92, 96);
}

#[test]
fn ffmpeg_9_with_several_tracks() {
    check("ffmpeg9-multitrack-h264-aac", 184, 287);
}

#[test]
fn gstreamer_with_chunks_of_128_bytes() {
    check("gstreamer-h264-aac", 92, 142);
}

#[test]
fn obs_with_audio_and_video_on_one_chunk_stream_cut_inside_of_a_message() {
    let bytes = capture("obs29-h264-aac");
    let (whole, server) = tell(&bytes, usize::MAX);
    assert!(whole.count(Kind::Video) > 50 && whole.count(Kind::Audio) > 50);
    assert_eq!((whole.unpublished, server.stage()), (0, Stage::Publishing));
    same_in_pieces(&bytes, &whole);
}

#[test]
fn the_query_of_a_stream_name_is_told_as_arguments() {
    let bytes = capture("ffmpeg5-h264-bframes-aac");
    let mut server = Server::after_handshake(Limits::default());
    let (mut buf, mut events) = (BytesMut::from(&bytes[..]), Vec::new());
    server.input(&mut buf, &mut events).unwrap();
    let Some(Event::Publish(publish)) = events.first() else { panic!("{events:?}") };
    assert_eq!(publish.args, [("auth_key".to_owned(), "1-2-3-4".to_owned())]);
    assert!(!publish.stream.contains('?') && publish.tc_host.is_some(), "{publish:?}");
    assert!(publish.client.contains("Lavf") || publish.client.contains("FMLE"), "{publish:?}");
}

/// xorshift64: the same mutants every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }

    /// Flips, overwrites, cuts, repeats or inserts a few times.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.roll(6) {
            let at = self.roll(bytes.len());
            let end = (at + 1 + self.roll(40)).min(bytes.len());
            match self.roll(5) {
                0 => bytes[at] ^= 1 << self.roll(8),
                1 => bytes[at] = [0, 1, 2, 3, 0x14, 0x7f, 0x80, 0xff][self.roll(8)],
                2 => drop(bytes.drain(at..end)),
                3 => bytes.extend_from_within(at..end),
                _ => bytes.splice(at..at, [self.roll(256) as u8, self.roll(256) as u8]).for_each(drop),
            }
            if bytes.is_empty() {
                return;
            }
        }
    }
}

#[test]
fn mutated_captures_neither_panic_nor_grow() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let names = ["ffmpeg5-h264-bframes-aac", "gstreamer-h264-aac", "obs29-h264-aac"];
    let captures = names.map(capture);
    let (mut faults, mut media) = (0, 0);
    for round in 0..4000 {
        // commands are at the beginning; now and then much media behind them
        let most = if round % 20 == 0 { 40_000 } else { 3_000 };
        let mut bytes = captures[round % 3][..most].to_vec();
        dice.mutate(&mut bytes);
        let mut server = Server::after_handshake(Limits::default());
        let (mut buf, mut events, piece) = (BytesMut::new(), Vec::new(), 1 + dice.roll(4000));
        for piece in bytes.chunks(piece) {
            buf.extend_from_slice(piece);
            let result = server.input(&mut buf, &mut events).and(server.accept_publish(&mut events));
            server.assert_bounded();
            assert!(server.output().is_none_or(|out| out.len() < 64 << 10));
            if result.is_err() {
                assert_eq!(server.stage(), Stage::Closed);
                faults += 1;
                break;
            }
        }
        media += events.len();
    }
    assert!(faults > 400 && media > 4000, "the mutants say nothing: {faults} faults, {media} events");
}
