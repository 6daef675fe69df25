//! Keys that are taken, objects that are not what was sent, and what rows and notices say then.

use super::*;

#[test]
fn no_object_replaces_another_and_whoever_names_it_names_its_true_key() {
    let house = House::new();
    for key in ["r/0.ts", "r/0~2.ts", "r/list.m3u8"] {
        house.warehouse.objects.lock().unwrap().insert(key.to_owned(), b"another's".to_vec());
    }
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        let [row, _] = recorded("r/0.ts");
        lane.accept(vec![fresh(), grow(0, "slice"), seal(0, "r/0.ts"), row]);
        drained(&delivery).await;
    });
    // After a restart it is still known.
    runtime().block_on(async {
        let (delivery, recovered) = house.open();
        let lane = &recovered[0].lane;
        let list = put("r/list.m3u8", "application/vnd.apple.mpegurl", "#EXTM3U\n0.ts\n");
        lane.accept([list].into_iter().chain(recorded("r/list.m3u8")).collect());
        drained(&delivery).await;
    });
    assert_eq!(house.warehouse.text("r/0.ts"), "another's");
    assert_eq!(house.warehouse.text("r/0~3.ts"), "slice");
    assert_eq!(house.warehouse.text("r/list~2.m3u8"), "#EXTM3U\n0~3.ts\n");
    assert_eq!(
        house.diary.lines(),
        ["row r/0~3.ts 5", "row r/list~2.m3u8 15", "told stored r/list~2.m3u8 Some(15)"]
    );
}

#[test]
fn a_row_names_what_lies_beside_its_object_by_the_keys_that_it_has() {
    let house = House::new();
    let taken = (2..=1_000).map(|n| format!("r_audio~{n}.m3u8"));
    for key in ["r.m3u8", "r_video.m3u8", "r_audio.m3u8"].map(str::to_owned).into_iter().chain(taken) {
        house.warehouse.objects.lock().unwrap().insert(key, b"another's".to_vec());
    }
    let beside = ["r_video.m3u8", "r_audio.m3u8", "r.mpd"];
    let mut entry = entry("r.m3u8");
    entry.beside = Some(beside.map(str::to_owned).to_vec());
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        let objects = beside.into_iter().chain(["r.m3u8"]).map(|key| put(key, "x", key));
        lane.accept(objects.chain([LaneEffect::Index(entry)]).collect());
        drained(&delivery).await;
    });
    assert_eq!(house.diary.lines(), ["row r~2.m3u8 6"]);
    assert_eq!(house.warehouse.text("r_video~2.m3u8"), "r_video.m3u8");
    // The sound has no place at all: what has its name is another's.
    let expect = ["r_video~2.m3u8", "r.mpd"].map(str::to_owned).to_vec();
    assert_eq!(*house.diary.beside.lock().unwrap(), [Some(expect)]);
}

#[test]
fn a_key_that_was_taken_once_may_be_free_later() {
    let house = House::new();
    let objects = &house.warehouse.objects;
    objects.lock().unwrap().insert("a.flv".to_owned(), b"another's".to_vec());
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        for (file, text) in [(0, "one"), (1, "four")] {
            let [row, _] = recorded("a.flv");
            lane.accept(vec![grow(file, text), seal(file, "a.flv"), row]);
            drained(&delivery).await;
            objects.lock().unwrap().remove("a.flv");
        }
    });
    assert_eq!(house.diary.lines(), ["row a~2.flv 3", "row a.flv 4"]);
}

#[test]
fn a_stored_object_of_another_size_is_sent_again_before_anybody_is_told() {
    let house = House::new();
    *house.warehouse.lies.lock().unwrap() = 1;
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        let effects = [grow(0, "file"), seal(0, "a.flv")].into_iter().chain(recorded("a.flv"));
        lane.accept(effects.collect());
        sleep(Duration::from_secs(60)).await;
        assert_eq!(house.diary.lines(), [""; 0]);
        let error = lane.status().last_error.unwrap();
        assert_eq!(error, "the stored object has 5 bytes, 4 were sent");
        *house.warehouse.lies.lock().unwrap() = 0;
        drained(&delivery).await;
    });
    assert_eq!(house.diary.lines(), ["row a.flv 4", "told stored a.flv Some(4)"]);
}

#[test]
fn of_a_file_that_is_a_dead_letter_there_is_no_row_and_the_notice_says_that_it_failed() {
    let house = House::new();
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        lane.accept(vec![grow(0, "old media")]);
        let mut to = object("a.flv");
        to.bucket.storage = "nowhere".into();
        let finish = Finish::Head { head: Bytes::from_static(b"new"), skip: 3 };
        let seal = LaneEffect::Seal { file: FileId(0), to: to.clone(), content_type: "video/x-flv", finish };
        let recorded = recorded("a.flv").map(|effect| match effect {
            LaneEffect::Index(mut entry) => {
                entry.object = to.clone();
                LaneEffect::Index(entry)
            }
            LaneEffect::Notice { notice: Notice::RecordFileStored(mut entry), context } => {
                entry.object = to.clone();
                LaneEffect::Notice { notice: Notice::RecordFileStored(entry), context }
            }
            effect => effect,
        });
        lane.accept([seal].into_iter().chain(recorded).collect());
        lane.accept(
            [grow(1, "x"), super::seal(1, "b.flv")].into_iter().chain(super::recorded("b.flv")).collect(),
        );
        drained(&delivery).await;
    });
    assert_eq!(
        house.diary.lines(),
        [
            "told failed a.flv is not stored: no storage is named \"nowhere\"",
            "row b.flv 1",
            "told stored b.flv Some(1)"
        ]
    );
    assert_eq!(house.letters().len(), 4, "both its parts and their notes");
}

#[test]
fn what_no_store_takes_stays_in_the_spool_until_it_is_a_dead_letter() {
    let house = House::new();
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        fs::remove_dir(house.path("dead-letter")).unwrap();
        fs::write(house.path("dead-letter"), "in the way").unwrap();
        let mut to = object("a");
        to.bucket.storage = "nowhere".into();
        lane.accept(vec![LaneEffect::Put {
            to,
            content_type: "x",
            body: vec![Bytes::from_static(b"media")],
        }]);
        assert_eq!(delivery.drain(Duration::from_secs(60)).await.pending, 1);
        fs::remove_file(house.path("dead-letter")).unwrap();
        drained(&delivery).await;
    });
    let letters = house.letters();
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert_eq!(fs::read_to_string(house.path("dead-letter").join(&letters[0])).unwrap(), "media");
}

/// A fragmented MP4 of three fragments with 100,000 bytes each.
fn fragmented() -> Vec<Bytes> {
    let aac = codec::aac::config(&Bytes::from_static(&[0x12, 0x10])).unwrap();
    let timescale = media::Timescale::new(aac.sample_rate).unwrap();
    let track = media::Track { id: media::TrackId::AUDIO, timescale, codec: media::Codec::Aac(aac) };
    let mut pieces = vec![container::mp4::movie(std::slice::from_ref(&track)).unwrap()];
    for n in 0..3 {
        let data = Bytes::from(vec![n; 100_000]);
        let sample = container::mp4::Sample { duration: 1_024, cts: 0, key: true, open: false, data };
        let base = 1_024 * u64::from(n);
        pieces
            .extend(container::mp4::track_fragment(u32::from(n) + 1, (1, &track), base, &[sample]).unwrap());
    }
    pieces
}

#[test]
fn an_mp4_is_sent_from_where_it_was_recorded_and_written_only_once() {
    let house = House::new();
    *house.warehouse.away.lock().unwrap() = true;
    let body = fragmented();
    let whole = body.concat();
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        let (file, finish) = (FileId(0), Finish::Progressive);
        lane.accept(vec![LaneEffect::Grow { file, body }]);
        lane.accept(vec![LaneEffect::Seal { file, to: object("a.mp4"), content_type: "video/mp4", finish }]);
        delivery.drain(Duration::from_secs(600)).await;
        let folder = fs::read_dir(house.path("spool").join(SESSION.to_string())).unwrap();
        let bytes: u64 = folder.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
        assert!(bytes < whole.len() as u64 + 5_000, "{bytes} bytes for {}", whole.len());
        *house.warehouse.away.lock().unwrap() = false;
        drained(&delivery).await;
    });
    let mut expected = Vec::new();
    container::mp4::progressive(&mut std::io::Cursor::new(whole), &mut expected).unwrap();
    assert_eq!(house.warehouse.objects.lock().unwrap()["a.mp4"], expected);
}

#[test]
fn what_no_progressive_file_can_be_made_of_is_stored_as_it_is() {
    let house = House::new();
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        let finish = Finish::Progressive;
        lane.accept(vec![grow(0, "this is no MP4")]);
        let seal =
            LaneEffect::Seal { file: FileId(0), to: object("a.mp4"), content_type: "video/mp4", finish };
        lane.accept([seal].into_iter().chain(recorded("a.mp4")).collect());
        drained(&delivery).await;
    });
    assert_eq!(house.warehouse.text("a.mp4"), "this is no MP4");
    assert_eq!(house.diary.lines(), ["row a.mp4 14", "told stored a.mp4 Some(14)"]);
}

#[test]
fn rows_and_notices_are_tried_until_they_are_taken_and_stay_in_order() {
    let house = House::new();
    *house.diary.failures.lock().unwrap() = 5;
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        let begun = LaneEffect::Notice { notice: Notice::RecordStarted, context: "begun".to_owned() };
        lane.accept(vec![begun, grow(0, "file")]);
        lane.accept([seal(0, "a.flv")].into_iter().chain(recorded("a.flv")).collect());
        drained(&delivery).await;
        assert_eq!(lane.status().failures, 5);
    });
    assert_eq!(house.diary.lines(), ["told RecordStarted", "row a.flv 4", "told stored a.flv Some(4)"]);
    let told = house.diary.told.lock().unwrap();
    let contexts: Vec<&str> = told.values().map(|told| told.context.as_str()).collect();
    assert_eq!(contexts, ["begun", "urls"]);
}
