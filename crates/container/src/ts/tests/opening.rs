//! How slices begin, and the clock where sound has to carry it on.

use super::*;

/// The PES packets of a slice of `packets`: `v`, or `a` and its frames.
fn order(packets: &[Packet]) -> String {
    let read = read(&slice(packets));
    let letter = |pes: &read::Pes| match pes.pid {
        0x100 => "v".to_owned(),
        _ => format!("a{}", pes.data.len() / 100),
    };
    read.pes.iter().map(letter).collect()
}

fn slice(packets: &[Packet]) -> BytesMut {
    let mut out = BytesMut::new();
    let mut muxer = Muxer::new(&[video(), audio()]).unwrap();
    muxer.slice(&mut out);
    packets.iter().for_each(|packet| drop(muxer.write(packet, &mut out)));
    muxer.flush(&mut out).unwrap();
    out
}

fn picture(at: i64) -> Packet {
    frame(at, &[&[0x65, 1]])
}

fn sounds(which: std::ops::Range<i64>) -> Vec<Packet> {
    which.map(|index| sound(index, &[0x21; 93])).collect()
}

#[test]
fn sound_waits_for_the_second_picture_of_a_slice_if_its_length_is_stated() {
    let hole = [sounds(0..1), sounds(5..7)].concat();
    assert_eq!(order(&[vec![picture(0)], hole.clone(), vec![picture(3000)]].concat()), "vva1a2");
    let long = frame(3000, &[&[0x41; 65_536]]);
    let after = [vec![picture(0)], sounds(0..1), vec![long.clone()], hole[1..].to_vec()].concat();
    assert_eq!(order(&[after, vec![picture(6000)]].concat()), "vvva1a2");
    assert_eq!(order(&[&[picture(0), long][..], &hole].concat()), "vva1a2", "or for the end");
}

#[test]
fn sound_from_before_the_first_picture_waits_too_and_the_clock_is_before_it() {
    let packets = [sounds(0..84), vec![picture(162_000), picture(165_000)]].concat();
    let read = read(&slice(&packets));
    assert_eq!(read.pes.iter().take(3).map(|pes| pes.pid).collect::<Vec<_>>(), [0x100, 0x100, 0x101]);
    assert_eq!(read.pcrs[0].1, ORIGIN - 18_000);
    for pair in read.pcrs.windows(2) {
        assert!(pair[1].1 - pair[0].1 <= 3600, "{pair:?}");
    }
    for (_, pcr, _, before) in read.pcrs {
        assert!(read.pes[before..].iter().all(|pes| pes.dts >= pcr));
    }
}

#[test]
fn sound_waits_half_a_second_at_most() {
    let packets = |count| [vec![picture(0)], sounds(0..count)].concat();
    for (count, expect) in [(23, true), (24, false)] {
        let (mut muxer, mut out) = (Muxer::new(&[video(), audio()]).unwrap(), BytesMut::new());
        muxer.slice(&mut out);
        packets(count).iter().for_each(|packet| muxer.write(packet, &mut out).unwrap());
        assert_eq!((muxer.is_opening(), read(&out).pes.len() == 1), (expect, expect));
        assert!(!expect || muxer.waiting() == 2300);
    }
    assert_eq!(order(&[packets(24), vec![picture(60_000)]].concat()), "va9a9a6v");
}

#[test]
fn a_first_picture_that_is_broken_does_not_make_sound_wait_for_ever() {
    let broken = Packet { data: Bytes::from_static(&[0, 0, 0, 9, 0x65]), ..picture(0) };
    let all = [vec![broken], sounds(0..40), vec![picture(90_000)]].concat();
    assert_eq!(order(&all), "a9a9a9a9a4v");
}

#[test]
fn where_one_track_is_alone_nothing_waits() {
    for track in [video(), audio()] {
        let mut muxer = Muxer::new(&[track]).unwrap();
        muxer.slice(&mut BytesMut::new());
        assert!(!muxer.is_opening());
    }
}

#[test]
fn sound_carries_the_clock_on_while_no_picture_comes() {
    let pictures = |range: std::ops::Range<i64>| range.map(|n| picture(n * 3000)).collect::<Vec<_>>();
    let away = [pictures(0..30), sounds(47..470), pictures(300..330)].concat();
    let before = [sounds(0..100), pictures(70..100)].concat();
    for packets in [away, before] {
        let read = read(&muxed(&[video(), audio()], &packets));
        check_clock(&read, 0x100);
    }
}

#[test]
fn an_interruption_marks_the_next_clock() {
    let (mut muxer, mut out) = (Muxer::new(&[video()]).unwrap(), BytesMut::new());
    muxer.tables(&mut out);
    for at in 0..4 {
        if at == 2 {
            muxer.interrupt();
        }
        muxer.write(&picture(at * 3000), &mut out).unwrap();
    }
    let marks: Vec<_> = read(&out).pcrs.iter().map(|pcr| pcr.2).collect();
    assert_eq!(marks, [false, false, true, false]);
}
