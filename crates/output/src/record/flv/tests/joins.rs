use super::*;

#[test]
fn a_run_that_begins_before_the_sound_of_the_last_one_ended_comes_after_it_at_its_own_pace() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    // 300 ms of sound more than of pictures.
    for (start, wall) in [(0, 0), (1_720_000, 5_000_000)] {
        let run = story::run(start, wall);
        let mut packets = story::frames(&run, 2, 1_000, 0);
        packets
            .retain(|packet| packet.track != TrackId::VIDEO || packet.dts.0 < (start + 1_720_000) * 9 / 100);
        let silent = if start == 0 { 0 } else { 300 * 48 };
        packets.retain(|packet| packet.track == TrackId::VIDEO || packet.dts.0 >= run_tick(&run) + silent);
        story::feed(&mut output, &run, &packets, &mut fx);
        output.on(Event::Gap(Gap::Jump, run.wall), &mut fx).unwrap();
    }
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let [file] = &stored(&fx)[..] else { panic!() };
    let times: Vec<u32> = file.frames(Kind::Video).into_iter().map(|(at, _)| at).collect();
    let steps: Vec<u32> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(steps.len(), 85);
    assert!(steps[..42].iter().chain(&steps[43..]).all(|step| *step == 40), "{steps:?}");
    assert!((320..=345).contains(&steps[42]), "{steps:?}");
    let sound = file.frames(Kind::Audio);
    assert!(sound.is_sorted_by(|a, b| a.0 < b.0));
    let later = sound.iter().find(|(at, _)| *at > 2_010).unwrap().0;
    assert!((300..=325).contains(&(later - times[43])), "sound of the second run keeps its distance");
    let said = file.number("duration");
    assert!((4.0..4.05).contains(&said), "{said}");
}

#[test]
fn a_run_that_breaks_off_amid_b_frames_is_shown_to_its_end_before_the_next_one() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    // I P B B: the last of three frames is shown before the one that was decoded before it.
    let cts = [1, 3, 0, 0].map(|frames| frames * 3_600);
    for (start, wall) in [(0, 0), (120_000, 5_000_000)] {
        let run = story::run(start, wall);
        let mut packets = story::frames(&run, 1, 1_000, 0);
        packets.retain(|packet| packet.track == TrackId::VIDEO);
        packets.truncate(3);
        packets.iter_mut().zip(cts).for_each(|(packet, cts)| packet.cts = cts);
        story::feed(&mut output, &run, &packets, &mut fx);
        output.on(Event::Gap(Gap::Dropped, run.wall), &mut fx).unwrap();
    }
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let files = stored(&fx);
    let shown: Vec<i32> = files[0]
        .units(Kind::Video)
        .filter_map(|(_, at, unit)| match unit.body {
            Body::Frame { cts_ms, .. } => Some(at as i32 + cts_ms),
            _ => None,
        })
        .collect();
    assert_eq!(shown, [40, 160, 80, 200, 320, 240]);
}

/// Where a run begins, in ticks of its sound.
fn run_tick(run: &Run) -> i64 {
    run.audio().unwrap().timescale.from_micros(run.start).0
}

#[test]
fn a_reconnect_within_delay_time_goes_on_in_the_file() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let first = story::run(0, 0);
    story::feed(&mut output, &first, &story::frames(&first, 4, 2_000, 0), &mut fx);
    let gone = story::EPOCH.plus_micros(4_000_000);
    output.on(Event::Gap(Gap::Dropped, gone), &mut fx).unwrap();
    assert_eq!(output.deadline(), Some(gone.plus_micros(180_000_000)));
    let second = story::run(4_030_000, 100_000_000);
    story::feed(&mut output, &second, &story::frames(&second, 4, 2_000, 0), &mut fx);
    assert_eq!(output.deadline(), None);
    output.on(Event::End(gone), &mut fx).unwrap();
    let files = stored(&fx);
    assert_eq!(files.len(), 1);
    let video: Vec<u32> = files[0].frames(Kind::Video).into_iter().map(|(at, _)| at).collect();
    assert_eq!(video[99..101], [3_960, 4_011], "where the sound ended");
    let headers = files[0].units(Kind::Video).filter(|(_, _, u)| matches!(u.body, Body::SequenceStart(_)));
    assert_eq!(headers.map(|(_, at, _)| at).collect::<Vec<_>>(), [0, 4_011]);
    assert_eq!(files[0].key, "cam/0_2024-01-01-08-00-00_2024-01-01-08-01-44.flv");
}

#[test]
fn the_file_closes_when_delay_time_is_over() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let run = story::run(0, 0);
    story::feed(&mut output, &run, &story::frames(&run, 4, 2_000, 0), &mut fx);
    output.on(Event::Gap(Gap::Unpublished, story::EPOCH), &mut fx).unwrap();
    let sealed = |fx: &Effects| fx.iter().filter(|e| matches!(e, Effect::Seal { .. })).count();
    output.on(Event::Tick(story::EPOCH.plus_micros(179_999_999)), &mut fx).unwrap();
    assert_eq!(sealed(&fx), 0);
    output.on(Event::Tick(story::EPOCH.plus_micros(180_000_000)), &mut fx).unwrap();
    assert_eq!((sealed(&fx), output.deadline()), (1, None));
    let late = story::run(4_000_000, 200_000_000);
    story::feed(&mut output, &late, &story::frames(&late, 1, 1_000, 0), &mut fx);
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let keys: Vec<String> = stored(&fx).into_iter().map(|file| file.key).collect();
    assert_eq!(keys[1], "cam/1_2024-01-01-08-03-20_2024-01-01-08-03-21.flv");
}

#[test]
fn a_timestamp_jump_does_not_start_delay_time() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let run = story::run(0, 0);
    story::feed(&mut output, &run, &story::frames(&run, 1, 1_000, 0), &mut fx);
    output.on(Event::Gap(Gap::Jump, story::EPOCH), &mut fx).unwrap();
    assert_eq!(output.deadline(), None);
}

/// What was saved of a recording, and a new output that goes on from there.
fn resumed(fx: &Effects) -> Recording<Tags> {
    let mut saved = Saved::default();
    for effect in fx {
        if let Effect::Save(save) = effect {
            saved.take(save.clone());
        }
    }
    Recording::resume(&story::context(), &saved).unwrap()
}

#[test]
fn a_file_that_goes_on_after_a_restart_has_its_whole_index_and_its_true_size() {
    let (mut before, mut fx) = (output(3_600), Vec::new());
    let run = story::run(0, 0);
    story::feed(&mut before, &run, &story::frames(&run, 3, 1_000, 0), &mut fx);
    let mut after = resumed(&fx);
    let second = story::run(after.reached(), 10_000_000);
    story::feed(&mut after, &second, &story::frames(&second, 2, 1_000, 0), &mut fx);
    after.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let file = &stored(&fx)[0];
    assert_eq!(file.number("filesize"), file.bytes.len() as f64);
    let times: Vec<u32> = file.tags.iter().map(|(_, tag)| tag.timestamp).collect();
    assert!(times.is_sorted());
    let last = file.frames(Kind::Video).last().unwrap().0;
    assert!((file.number("duration") * 1e3 - f64::from(last)).abs() < 60.0);
    let Value::Object(index) = find(&file.metadata, "keyframes") else { panic!() };
    let Value::StrictArray(places) = find(index, "filepositions") else { panic!() };
    let keys = file.units(Kind::Video).filter(|(_, _, u)| matches!(u.body, Body::Frame { key: true, .. }));
    let keys: Vec<Value> = keys.map(|(at, _, _)| Value::Number(at as f64)).collect();
    assert_eq!((places.len(), places), (5, &keys));
    assert_eq!((file.number("width"), file.number("audiosamplerate")), (640.0, 48_000.0));
}

#[test]
fn a_pause_that_was_not_recorded_leaves_no_hole_in_the_times() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let run = story::run(0, 0);
    let packets = story::frames(&run, 6, 1_000, 0);
    let (first, rest) = packets.split_at(packets.iter().position(|p| p.dts.0 == 2 * 90_000).unwrap());
    story::feed(&mut output, &run, first, &mut fx);
    output.order(Order::Stop, story::EPOCH.plus_micros(2_000_000), &mut fx).unwrap().unwrap();
    for packet in rest {
        if packet.dts.0 == 4 * 90_000 {
            output.order(Order::Start, story::EPOCH.plus_micros(4_000_000), &mut fx).unwrap().unwrap();
        }
        output.on(Event::Packet(packet), &mut fx).unwrap();
    }
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let video: Vec<u32> = stored(&fx)[0].frames(Kind::Video).into_iter().map(|(at, _)| at).collect();
    assert_eq!(video.len(), 100);
    assert!(video.windows(2).all(|two| (40..70).contains(&(two[1] - two[0]))), "{video:?}");
}

/// Pictures from `start` on for a second, and sound from `since` on until then; both in seconds.
fn with_early_sound(start: i64, since: i64) -> (Run, Vec<Packet>) {
    let run = story::run(start * 1_000_000, start * 1_000_000);
    let sound = story::run(since * 1_000_000, since * 1_000_000);
    let mut packets = story::frames(&sound, start + 1 - since, 1_000, 0);
    packets.retain(|packet| packet.track == TrackId::AUDIO);
    packets
        .extend(story::frames(&run, 1, 1_000, 0).into_iter().filter(|packet| packet.track == TrackId::VIDEO));
    packets
        .sort_by_key(|packet| run.track(packet.track).unwrap().timescale.micros(packet.dts).max(run.start));
    (run, packets)
}

#[test]
fn sound_that_waited_for_its_run_comes_after_what_the_file_has_and_before_its_pictures() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let mut silent = story::run(0, 0);
    let mut packets = story::frames(&silent, 4, 1_000, 0);
    packets.retain(|packet| packet.track == TrackId::VIDEO);
    silent.tracks.truncate(1);
    story::feed(&mut output, &silent, &packets, &mut fx);
    output.on(Event::Gap(Gap::TracksChanged, silent.wall), &mut fx).unwrap();
    let (run, packets) = with_early_sound(4, 1);
    story::feed(&mut output, &run, &packets, &mut fx);
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let [file] = &stored(&fx)[..] else { panic!() };
    let (video, sound) = (file.frames(Kind::Video), file.frames(Kind::Audio));
    assert_eq!(sound.len(), packets.iter().filter(|packet| packet.track == TrackId::AUDIO).count());
    assert!((4_000..4_042).contains(&sound[0].0), "directly after the last picture: {}", sound[0].0);
    // 3 s of sound, then everything in step.
    assert!((6_998..=7_042).contains(&video[100].0), "{}", video[100].0);
    let steady =
        |frames: &[(u32, Bytes)], most: u32| frames.windows(2).all(|pair| pair[1].0 - pair[0].0 <= most);
    assert!(steady(&video[100..], 40) && steady(&sound, 22));
}

#[test]
fn a_file_that_begins_with_sound_that_waited_for_its_run_waits_for_the_first_picture() {
    let (mut output, mut fx) = (output(3), Vec::new());
    let (run, packets) = with_early_sound(5, 0);
    story::feed(&mut output, &run, &packets, &mut fx);
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    assert_eq!(stored(&fx).len(), 1, "a cycle of 3 s is not over");
}
