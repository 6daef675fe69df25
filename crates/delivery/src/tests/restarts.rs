//! What a restart finds, and what becomes of it.

use super::*;

#[test]
fn what_was_saved_and_what_was_written_come_back_with_whose_it_is() {
    let house = House::new();
    runtime().block_on(async {
        let (delivery, recovered) = house.open();
        assert!(recovered.is_empty());
        let lane = lane(&delivery);
        let keep = |text: &'static str| LaneEffect::Save(Save::Keep(Bytes::from_static(text.as_bytes())));
        lane.accept(vec![fresh(), grow(0, "one "), keep("a")]);
        lane.accept(vec![
            grow(0, "two "),
            keep("b"),
            LaneEffect::Save(Save::Now(Bytes::from_static(b"\xff\x00"))),
        ]);
        drained(&delivery).await;
    });
    runtime().block_on(async {
        let (delivery, recovered) = house.open();
        let [recovered] = <[Recovered; 1]>::try_from(recovered).unwrap();
        let Recovered { stream, session, product, index, opened, saved, lane } = recovered;
        assert_eq!(
            (stream, session, &*product, index, opened),
            (super::stream(), SESSION, "record/flv", 0, Wall(5))
        );
        assert_eq!(saved.fresh.as_deref(), Some(&b"{\"spec\":1}"[..]));
        assert_eq!(saved.keep, ["a", "b"]);
        assert_eq!(saved.now.as_deref(), Some(&b"\xff\x00"[..]));
        let rest = [grow(0, "three"), seal(0, "a.flv")].into_iter().chain(recorded("a.flv"));
        lane.accept(rest.chain([LaneEffect::Save(Save::Done)]).collect());
        drop(lane);
        drained(&delivery).await;
    });
    assert_eq!(house.warehouse.text("a.flv"), "one two three");
    assert_eq!(house.diary.lines(), ["row a.flv 13", "told stored a.flv Some(13)"]);
}

#[test]
fn what_was_not_sent_is_sent_by_the_next_start_though_nobody_goes_on_with_it() {
    let house = House::new();
    *house.warehouse.away.lock().unwrap() = true;
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = delivery.lane(&stream(), SESSION, "snapshot", 3, Wall(5));
        let at = Wall(9);
        let notice = Notice::SnapshotStored { object: object("1.jpg"), at, overwrite: false };
        lane.accept(vec![
            put("1.jpg", "image/jpeg", "jpeg"),
            LaneEffect::Notice { notice, context: String::new() },
        ]);
        assert_eq!(delivery.drain(Duration::from_secs(5)).await.pending, 2);
    });
    *house.warehouse.away.lock().unwrap() = false;
    runtime().block_on(async {
        let (delivery, recovered) = house.open();
        assert!(recovered.is_empty());
        drained(&delivery).await;
    });
    assert_eq!(house.warehouse.text("1.jpg"), "jpeg");
    assert_eq!(house.diary.lines(), ["told picture 1.jpg Some(4)"]);
    let told = house.diary.told.lock().unwrap().values().next().unwrap().clone();
    assert_eq!((&*told.product, told.index, told.session), ("snapshot", 3, SESSION));
}

#[test]
fn an_output_that_cannot_go_on_leaves_dead_letters() {
    let house = House::new();
    runtime().block_on(async {
        let (delivery, _) = house.open();
        lane(&delivery).accept(vec![fresh(), grow(0, "half a recording")]);
        drained(&delivery).await;
    });
    runtime().block_on(async {
        let (delivery, mut recovered) = house.open();
        recovered.pop().unwrap().lane.abandon();
        drained(&delivery).await;
    });
    let letters = house.letters();
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert_eq!(fs::read_to_string(house.path("dead-letter").join(&letters[0])).unwrap(), "half a recording");
    runtime().block_on(async { assert!(house.open().1.is_empty()) });
    assert_eq!(house.spooled(), [""; 0]);
}

#[test]
fn what_is_open_and_not_saved_is_a_dead_letter_at_the_end_of_its_lane() {
    let house = House::new();
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        lane.accept(vec![grow(0, "half a recording")]);
        drop(lane);
        drained(&delivery).await;
        while !delivery.status(SESSION).is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
    });
    assert_eq!(house.letters().len(), 2);
    assert_eq!(house.spooled(), [""; 0]);
}

#[test]
fn what_an_older_version_left_is_kept() {
    let house = House::new();
    let folder = house.path("spool").join(SESSION.to_string());
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("record-flv-0-3-0.part"), "old").unwrap();
    fs::write(folder.join("record-flv-0-4.journal"), "half a line").unwrap();
    runtime().block_on(async {
        let (delivery, recovered) = house.open();
        assert!(recovered.is_empty());
        let lane = lane(&delivery);
        lane.accept(vec![put("a.flv", "x", "y")]);
        drop(lane);
        drained(&delivery).await;
        while !delivery.status(SESSION).is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
    });
    assert_eq!(house.spooled(), ["record-flv-0-3-0.part", "record-flv-0-4.journal"]);
}

#[test]
fn a_journal_stays_small_however_long_a_recording_is() {
    let house = House::new();
    let len = || {
        let folder = house.path("spool").join(SESSION.to_string());
        let journal = fs::read_dir(folder).unwrap().map(|e| e.unwrap());
        let journal = journal.filter(|e| e.file_name().to_str().unwrap().ends_with(".journal"));
        journal.map(|e| e.metadata().unwrap().len()).sum::<u64>()
    };
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        lane.accept(vec![fresh()]);
        for n in 0..3_000 {
            let now = Bytes::from(format!("{n:0300}"));
            lane.accept(vec![grow(0, "x"), LaneEffect::Save(Save::Now(now))]);
            if n % 100 == 0 {
                drained(&delivery).await;
            }
        }
        drained(&delivery).await;
        assert!(len() < 300_000, "{}", len());
    });
    runtime().block_on(async {
        let (_delivery, recovered) = house.open();
        assert_eq!(recovered[0].saved.now.as_deref(), Some(format!("{:0300}", 2_999).as_bytes()));
        assert!(len() < 1_000, "{}", len());
    });
}

#[test]
fn nothing_is_sent_before_it_is_synced_and_all_is_synced_within_half_a_second() {
    let house = House::new();
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lanes: Vec<Lane> =
            (0..20).map(|n| delivery.lane(&stream(), SESSION, "record/flv", n, Wall(0))).collect();
        let begin = Instant::now();
        for (n, lane) in lanes.iter().enumerate() {
            lane.accept(vec![put(&format!("{n}.ts"), "video/mp2t", "slice")]);
        }
        sleep(Duration::from_millis(300)).await;
        assert_eq!(house.warehouse.keys().len(), 0);
        while house.warehouse.keys().len() < 20 {
            sleep(Duration::from_millis(1)).await;
        }
        assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    });
}

/// The only journal of the session.
fn journal(house: &House) -> PathBuf {
    let folder = fs::read_dir(house.path("spool").join(SESSION.to_string())).unwrap();
    let mut journals = folder.map(|entry| entry.unwrap().path());
    journals.find(|path| path.extension().is_some_and(|extension| extension == "journal")).unwrap()
}

#[test]
fn a_start_on_a_disk_that_is_full_goes_on_when_there_is_room() {
    let house = House::new();
    *house.warehouse.away.lock().unwrap() = true;
    runtime().block_on(async {
        let (delivery, _) = house.open();
        lane(&delivery).accept(vec![put("a", "x", "waits"), fresh(), grow(0, "one ")]);
        delivery.drain(Duration::from_secs(5)).await;
    });
    *house.warehouse.away.lock().unwrap() = false;
    // What the journal is written anew to cannot be written.
    let in_the_way = journal(&house).with_extension("next");
    fs::create_dir(&in_the_way).unwrap();
    for _ in 0..2 {
        runtime().block_on(async {
            let (delivery, recovered) = house.open();
            recovered[0].lane.accept(vec![grow(0, "never ")]);
            delivery.drain(Duration::from_secs(30)).await;
            assert!(recovered[0].lane.is_blocked());
        });
        assert_eq!(house.warehouse.text("a"), "waits");
    }
    runtime().block_on(async {
        let (delivery, mut recovered) = house.open();
        let lane = recovered.pop().unwrap().lane;
        lane.accept(vec![grow(0, "two"), seal(0, "b"), LaneEffect::Save(Save::Done)]);
        sleep(Duration::from_secs(30)).await;
        fs::remove_dir(&in_the_way).unwrap();
        drained(&delivery).await;
    });
    assert_eq!(house.warehouse.text("b"), "one two");
}

/// Slices that wait for a store that is away, then a moment for the syncer; the journal with its lines.
fn waiting(house: &House) -> (PathBuf, Vec<String>) {
    *house.warehouse.away.lock().unwrap() = true;
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        for n in 0..6 {
            lane.accept(vec![fresh(), put(&n.to_string(), "x", &format!("slice {n}"))]);
            delivery.drain(Duration::from_secs(2)).await;
        }
    });
    *house.warehouse.away.lock().unwrap() = false;
    let path = journal(house);
    let lines = fs::read_to_string(&path).unwrap().split_inclusive('\n').map(str::to_owned).collect();
    (path, lines)
}

#[test]
fn a_flipped_bit_in_a_journal_costs_what_its_line_said_and_no_bytes() {
    let house = House::new();
    let (path, mut lines) = waiting(&house);
    lines[2].replace_range(20..21, "~");
    fs::write(path, lines.concat()).unwrap();
    runtime().block_on(async { drained(&house.open().0).await });
    assert_eq!(house.warehouse.keys(), ["0", "2", "3", "4", "5"]);
    let letters = house.letters();
    let kept = letters.iter().find(|name| !name.ends_with(".json")).unwrap();
    assert_eq!(fs::read_to_string(house.path("dead-letter").join(kept)).unwrap(), "slice 1");
}

#[test]
fn a_slice_that_somebody_took_out_of_the_spool_is_missed_alone_and_told() {
    let house = House::new();
    let (path, _) = waiting(&house);
    let slices = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let second = slices.into_iter().find(|path| fs::read(path).unwrap() == b"slice 1").unwrap();
    fs::remove_file(second).unwrap();
    runtime().block_on(async { drained(&house.open().0).await });
    assert_eq!(house.warehouse.keys(), ["0", "2", "3", "4", "5"]);
}

#[test]
fn media_whose_journal_the_file_system_lost_is_kept() {
    let house = House::new();
    let (path, _) = waiting(&house);
    fs::write(path, "").unwrap();
    runtime().block_on(async { assert_eq!(house.open().1.len(), 0) });
    assert_eq!(house.letters().len(), 12, "six slices and their notes");
    assert_eq!(house.spooled(), [""; 0]);
}
