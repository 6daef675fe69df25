use super::*;

#[test]
fn another_codec_is_another_file_and_another_track_is_not() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let mp3 = Codec::Mp3(media::Mp3 { sample_rate: 48_000, channels: 2, frame_samples: 1_152 });
    let both = story::run(0, 0).tracks;
    let other = vec![both[0].clone(), Track { codec: mp3, ..both[1].clone() }];
    for (at, tracks) in [vec![both[0].clone()], both.clone(), other.clone(), vec![other[1].clone()], both]
        .into_iter()
        .enumerate()
    {
        let run = Run { tracks, ..story::run(at as i64 * 1_000_000, at as i64 * 1_000_000) };
        story::feed(&mut output, &run, &story::frames(&run, 1, 1_000, 0), &mut fx);
    }
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let lasts: Vec<f64> = stored(&fx).iter().map(|file| file.number("duration").round()).collect();
    assert_eq!(lasts, [2.0, 2.0, 1.0]);
}

#[test]
fn a_recording_of_sound_alone_has_no_key_frame_index() {
    let mut run = story::run(0, 0);
    run.tracks = vec![story::audio()];
    let packets = story::frames(&run, 3, 1_000, 0);
    let files = stored(&record(&run, &packets, 2));
    assert_eq!(files.len(), 2);
    assert_eq!(files[0].bytes[4], 4, "audio only");
    assert_eq!(find(&files[0].metadata, "hasKeyframes"), &Value::Boolean(false));
    assert!(files[0].metadata.iter().all(|(name, _)| name != "width"));
}

/// Two of each kind.
fn multitrack() -> Run {
    let mut run = story::run(0, 0);
    let further = |mut track: Track| {
        track.id.index = 1;
        track
    };
    run.tracks = vec![story::video(), further(story::video()), story::audio(), further(story::audio())];
    *run.tracks[1].codec.picture_mut().unwrap() = media::Picture::of_size(320, 180);
    run
}

/// Frames of the main tracks, and of each further one the same with other data.
fn doubled(run: &Run) -> Vec<Packet> {
    let further = |packet: &Packet| {
        let data = [&packet.data[..], b"1"].concat().into();
        Packet { track: TrackId { index: 1, ..packet.track }, data, ..packet.clone() }
    };
    story::frames(run, 5, 1_000, 0).iter().flat_map(|p| [p.clone(), further(p)]).collect()
}

#[test]
fn every_frame_of_every_track_is_in_the_file_once() {
    let run = multitrack();
    let packets = doubled(&run);
    let file = &stored(&record(&run, &packets, 3_600))[0];
    for track in &run.tracks {
        let sent: Vec<Bytes> =
            packets.iter().filter(|p| p.track == track.id).map(|p| p.data.clone()).collect();
        let written: Vec<Bytes> = file.frames_of(track.id).into_iter().map(|(_, data)| data).collect();
        assert_eq!(written, sent, "{:?}", track.id);
    }
    let times: Vec<u32> = file.tags.iter().map(|(_, tag)| tag.timestamp).collect();
    assert!(times.is_sorted());
}

#[test]
fn the_head_tells_of_further_tracks_and_the_index_is_of_the_main_one() {
    let run = multitrack();
    let file = &stored(&record(&run, &doubled(&run), 3_600))[0];
    let of = |map: &str| match find(&file.metadata, map) {
        Value::Object(tracks) => match find(tracks, "1") {
            Value::Object(fields) => fields.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(find(&of("videoTrackIdInfoMap"), "width"), &Value::Number(320.0));
    let id = f64::from(u32::from_be_bytes(*b"avc1"));
    assert!(
        matches!(find(&of("videoTrackIdInfoMap"), "videocodecid"), Value::Number(n) if *n == 7.0 || *n == id)
    );
    assert_eq!(find(&of("audioTrackIdInfoMap"), "samplerate"), &Value::Number(48_000.0));
    assert_eq!(find(&of("audioTrackIdInfoMap"), "channels"), &Value::Number(2.0));
    assert_eq!(file.number("width"), 640.0);
    assert!((file.number("framerate") - 25.0).abs() < 0.2, "of the main track");
    let Value::Object(index) = find(&file.metadata, "keyframes") else { panic!() };
    let Value::StrictArray(times) = find(index, "times") else { panic!() };
    assert_eq!(times.len(), 5);
}

/// A run of one track of `codec`, for half a second.
fn sound(codec: Codec) -> (Run, Vec<Packet>) {
    let mut run = story::run(0, 0);
    let timescale = codec.timescale().unwrap();
    run.tracks = vec![Track { id: TrackId::AUDIO, timescale, codec }];
    let frames =
        (0..25).map(|n| story::frame(&run, TrackId::AUDIO, n * 20_000, 20_000, true, &[n as u8 + 1]));
    let frames = frames.collect();
    (run, frames)
}

#[test]
fn every_codec_of_sound_is_recorded_with_its_id() {
    let opus = media::Opus {
        head: Bytes::from_static(b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0"),
        channels: 2,
        pre_skip: 312,
    };
    let flac = media::Flac {
        stream_info: vec![0; 34].into(),
        sample_rate: 96_000,
        channels: 1,
        bits_per_sample: 24,
    };
    let mp3 = media::Mp3 { sample_rate: 44_100, channels: 2, frame_samples: 1152 };
    let ac3 = media::Ac3 {
        enhanced: false,
        record: Bytes::from_static(&[0x10, 0x3d, 0xe0]),
        sample_rate: 48_000,
        channels: 6,
    };
    let eac3 = media::Ac3 { enhanced: true, ..ac3.clone() };
    let fourcc = |name: &[u8; 4]| f64::from(u32::from_be_bytes(*name));
    for (codec, id, rate, headers) in [
        (Codec::Opus(opus), fourcc(b"Opus"), 48_000.0, 1),
        (Codec::Flac(flac), fourcc(b"fLaC"), 96_000.0, 1),
        (Codec::Mp3(mp3), 2.0, 44_100.0, 0),
        (Codec::Ac3(ac3), fourcc(b"ac-3"), 48_000.0, 1),
        (Codec::Ac3(eac3), fourcc(b"ec-3"), 48_000.0, 1),
    ] {
        let (run, packets) = sound(codec);
        let file = &stored(&record(&run, &packets, 3_600))[0];
        assert_eq!((file.number("audiocodecid"), file.number("audiosamplerate")), (id, rate));
        let written: Vec<Bytes> = file.frames(Kind::Audio).into_iter().map(|(_, data)| data).collect();
        assert_eq!(written, packets.iter().map(|p| p.data.clone()).collect::<Vec<_>>());
        let starts = file.units(Kind::Audio).filter(|(_, _, u)| matches!(u.body, Body::SequenceStart(_)));
        assert_eq!(starts.count(), headers);
    }
}

#[test]
fn colours_of_a_hdr_stream_follow_its_sequence_header() {
    let mut run = story::run(0, 0);
    let mut picture = media::Picture::of_size(640, 360);
    picture.colour = Some(media::Colour { primaries: 9, transfer: 16, matrix: 9, full_range: false });
    picture.light = Some(media::ContentLight { max_content: 1000, max_frame_average: 400 });
    let record_bytes = Bytes::from_static(&[1, 0, 0, 0, 0, 40, 0xa2, 9, 16, 9, 0, 0]);
    run.tracks[0].codec = Codec::Vp9(media::Vp9 { record: record_bytes.clone(), picture });
    let file = &stored(&record(&run, &story::frames(&run, 1, 1_000, 0), 3_600))[0];
    let bodies: Vec<Body> = file.units(Kind::Video).take(3).map(|(_, _, unit)| unit.body).collect();
    assert_eq!(bodies[0], Body::SequenceStart(record_bytes));
    let Body::Colour(info) = &bodies[1] else { panic!("{bodies:?}") };
    let mut read = media::Picture::of_size(640, 360);
    info.apply(&mut read);
    assert_eq!((read.colour.map(|c| c.transfer), read.light), (Some(16), picture.light));
    assert!(matches!(bodies[2], Body::Frame { key: true, .. }));
    assert_eq!(file.number("videocodecid"), f64::from(u32::from_be_bytes(*b"vp09")));
}
