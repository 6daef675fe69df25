//! Lists that operators have made of slices.

use super::*;
use crate::control::LISTS;

/// Each has its slices in memory, so a crowd must not have theirs at the same time.
#[tokio::test]
async fn a_list_is_made_when_it_is_its_turn() {
    let archive = Archive::new().await;
    archive.recording("r/a.m3u8", 0, 6).await;
    let turns = archive.control.lists().acquire_many(u32::try_from(LISTS).unwrap()).await.unwrap();
    let soon = std::time::Duration::from_millis(100);
    assert!(tokio::time::timeout(soon, archive.list("l.m3u8", 0, 30, false)).await.is_err());
    drop(turns);
    assert!(archive.list("l.m3u8", 0, 30, false).await.is_ok());
}

#[tokio::test]
async fn a_list_names_the_slices_that_end_in_time() {
    let archive = Archive::new().await;
    archive.recording("r/a.m3u8", 0, 6).await;
    let made = archive.list("cut/a.m3u8", 5, 23, false).await.unwrap();
    assert_eq!((made.entry.start, made.entry.end, made.entry.duration), (after(5), after(20), 15 * SECOND));
    assert_eq!(
        (made.entry.width, made.kind, made.entry.template.as_str()),
        (1_280, Kind::List, "{Date}.m3u8")
    );
    let uris =
        |text: &str| text.lines().filter(|line| line.ends_with(".ts")).map(str::to_owned).collect::<Vec<_>>();
    let text = archive.text("cut/a.m3u8");
    assert_eq!(uris(&text), ["../s/1.ts", "../s/2.ts", "../s/3.ts"]);
    assert!(text.contains("#EXT-X-PLAYLIST-TYPE:VOD") && !text.contains("DISCONTINUITY\n"), "{text}");
    // The one in which the time ends, too; the list is made anew, and is the same record.
    let again = archive.list("cut/a.m3u8", 5, 23, true).await.unwrap();
    assert_eq!((again.entry.end, again.id), (after(25), made.id));
    assert_eq!(uris(&archive.text("cut/a.m3u8")).len(), 4);
}

#[tokio::test]
async fn a_list_says_where_slices_do_not_join() {
    let archive = Archive::new().await;
    for number in [0, 1, 3] {
        archive.store(&slice(number)).await;
    }
    let paused = Entry { part: Part::Slice { discontinuity: true, init: None, audio: false }, ..slice(4) };
    archive.store(&paused).await;
    archive.list("a.m3u8", 0, 100, false).await.unwrap();
    let text = archive.text("a.m3u8");
    let marked: Vec<_> = text
        .split("#EXT-X-DISCONTINUITY\n")
        .map(|part| part.lines().filter(|line| line.ends_with(".ts")).count())
        .collect();
    assert_eq!(marked, [2, 1, 1], "{text}");
}

/// Not everything in a bucket is in the index: the playlists of a recording's tracks are not, nor what others put there.
#[tokio::test]
async fn a_list_takes_the_place_of_no_other_object() {
    let archive = Archive::new().await;
    for number in 0..2 {
        archive.store(&cmaf(number, false, "c/v_init.mp4")).await;
        archive.store(&cmaf(number, true, "c/a_init.mp4")).await;
    }
    let before = archive.keys();
    let foreign = Bytes::from_static(b"x");
    let put = |key: &str| archive.objects.lock().unwrap().insert(key.to_owned(), foreign.clone());
    for key in ["cut.m3u8", "cut_audio.m3u8"] {
        put(key);
        assert!(matches!(archive.list("cut.m3u8", 0, 100, false).await, Err(Unlisted::Taken)), "{key}");
        assert_eq!(archive.objects.lock().unwrap().remove(key), Some(foreign.clone()));
        assert_eq!(archive.keys(), before, "nothing is left of it");
    }
    let made = archive.list("cut.m3u8", 0, 5, false).await.unwrap();
    assert_eq!(archive.list("cut.m3u8", 0, 100, false).await.unwrap().id, made.id, "it may replace itself");
    assert_eq!(archive.text("cut_video.m3u8").matches("_v.m4s").count(), 2);
}

#[tokio::test]
async fn a_list_of_sound_and_picture_is_three_playlists() {
    let archive = Archive::new().await;
    for number in 0..2 {
        archive.store(&cmaf(number, false, "c/v_init.mp4")).await;
        archive.store(&cmaf(number, true, "c/a_init.mp4")).await;
    }
    let made = archive.list("cut.m3u8", 0, 100, false).await.unwrap();
    assert_eq!((made.entry.format, made.entry.duration), (Container::Cmaf, 10 * SECOND));
    let main = archive.text("cut.m3u8");
    assert!(main.contains("BANDWIDTH=3200,RESOLUTION=1280x720,AUDIO=\"audio\"\ncut_video.m3u8\n"), "{main}");
    assert!(main.contains("URI=\"cut_audio.m3u8\""), "{main}");
    let audio = archive.text("cut_audio.m3u8");
    assert!(audio.contains("#EXT-X-MAP:URI=\"c/a_init.mp4\"") && audio.contains("c/1_a.m4s"), "{audio}");
    assert_eq!(archive.text("cut_video.m3u8").matches("_v.m4s").count(), 2);
    // It goes as a whole.
    assert_eq!(archive.remove(&made.id).await, Removal::Done);
    let left = ["c/0_a.m4s", "c/0_v.m4s", "c/1_a.m4s", "c/1_v.m4s"];
    assert_eq!(archive.keys(), left, "the recording is still open");
}

#[tokio::test]
async fn slices_whose_keys_were_taken_have_their_tracks_all_the_same() {
    let archive = Archive::new().await;
    for (lane, audio) in [("v", false), ("a", true), ("a1", true)] {
        let key = object(&format!("c/0_{lane}~2.m4s"));
        archive.store(&Entry { object: key, ..cmaf(0, audio, "c/init.mp4") }).await;
    }
    let made = archive.list("cut.m3u8", 0, 5, false).await.unwrap();
    assert_eq!(made.entry.duration, 5 * SECOND);
    let (video, audio) = (archive.text("cut_video.m3u8"), archive.text("cut_audio.m3u8"));
    assert!(video.contains("\nc/0_v~2.m4s\n") && !video.contains("GAP"), "{video}");
    assert!(audio.contains("\nc/0_a~2.m4s\n") && !audio.contains("GAP"), "{audio}");
}

/// What is called like the playlists of a list's tracks may be anybody's.
#[tokio::test]
async fn only_what_was_stored_with_a_list_is_replaced_and_goes_with_it() {
    let archive = Archive::new().await;
    archive.store(&cmaf(0, false, "c/v_init.mp4")).await;
    archive.store(&cmaf(1, false, "c/v_init.mp4")).await;
    archive.store(&cmaf(1, true, "c/a_init.mp4")).await;
    let foreign = ["cut.mpd", "cut_audio.m3u8"];
    for key in foreign {
        archive.objects.lock().unwrap().insert(key.to_owned(), Bytes::new());
    }
    let pictures = archive.list("cut.m3u8", 0, 5, false).await.unwrap();
    assert_eq!(pictures.entry.beside, Some(Vec::new()));
    assert!(matches!(archive.list("cut.m3u8", 0, 10, false).await, Err(Unlisted::Taken)));
    assert_eq!(archive.remove(&pictures.id).await, Removal::Done);
    let left: Vec<_> = archive.keys().into_iter().filter(|key| key.starts_with("cut")).collect();
    assert_eq!(left, foreign);
    // What a list no longer needs still is its.
    archive.objects.lock().unwrap().remove("cut_audio.m3u8");
    archive.list("cut.m3u8", 0, 10, false).await.unwrap();
    let again = archive.list("cut.m3u8", 0, 5, false).await.unwrap();
    assert_eq!(archive.remove(&again.id).await, Removal::Done);
    let left: Vec<_> = archive.keys().into_iter().filter(|key| key.starts_with("cut")).collect();
    assert_eq!(left, ["cut.mpd"]);
}

#[tokio::test]
async fn a_list_whose_row_does_not_say_what_lies_beside_it_has_the_usual_names() {
    let archive = Archive::new().await;
    archive.store(&cmaf(0, false, "c/v_init.mp4")).await;
    archive.store(&cmaf(0, true, "c/a_init.mp4")).await;
    let forget = async || {
        let sql = "UPDATE recording SET beside = NULL WHERE kind = 'list'";
        sqlx::query(sql).execute(&archive.database().pool).await.unwrap();
    };
    archive.list("cut.m3u8", 0, 5, false).await.unwrap();
    forget().await;
    let made = archive.list("cut.m3u8", 0, 5, false).await.unwrap();
    assert_eq!(made.entry.beside, Some(["cut_audio.m3u8", "cut_video.m3u8"].map(str::to_owned).to_vec()));
    forget().await;
    assert_eq!(archive.remove(&made.id).await, Removal::Done);
    assert_eq!(archive.keys(), ["c/0_a.m4s", "c/0_v.m4s"]);
}

#[tokio::test]
async fn a_track_that_has_nothing_in_a_slice_has_a_gap_in_its_list() {
    let archive = Archive::new().await;
    for number in 0..3 {
        archive.store(&cmaf(number, false, &format!("c/{number}_init.mp4"))).await;
        let second =
            Entry { object: object(&format!("c/{number}_a1.m4s")), ..cmaf(number, true, "c/a1_init.mp4") };
        archive.store(&second).await;
    }
    archive.store(&cmaf(1, true, "c/a_init.mp4")).await;
    archive.list("cut.m3u8", 0, 100, false).await.unwrap();
    let (video, audio) = (archive.text("cut_video.m3u8"), archive.text("cut_audio.m3u8"));
    assert_eq!(audio.matches("#EXT-X-GAP").count(), 2, "{audio}");
    assert!(audio.contains("\nc/0_a.m4s\n") && !audio.contains("_a1"), "{audio}");
    // Every file has init segments of its own: that is no break.
    assert_eq!(
        (video.matches("#EXT-X-MAP").count(), video.contains("DISCONTINUITY\n")),
        (3, false),
        "{video}"
    );
}

#[tokio::test]
async fn a_list_goes_to_a_bucket_that_there_is() {
    let archive = Archive::new().await;
    archive.recording("r.m3u8", 0, 2).await;
    for (bucket, expect) in [("lacking", Some("InvalidOssBucket.NotFound")), ("silent", None)] {
        let to = Object { bucket: Bucket { storage: "oss".into(), name: bucket.into() }, ..object("a.m3u8") };
        let of = ListOf { stream: cam(), to, template: String::new(), span: span(0, 10), end_included: true };
        let link = |object: &Object| Some(format!("http://h/{}", object.key));
        let Err(Unlisted::Bucket(refused)) = archive.control.make_list(&of, NOW, &link).await else {
            panic!("{bucket}")
        };
        let code = if let Refused::Fault(fault) = &refused { Some(fault.code) } else { None };
        assert_eq!(code, expect, "{bucket}");
        assert!(!archive.keys().contains(&"a.m3u8".to_owned()));
    }
}

#[tokio::test]
async fn there_is_no_list_of_what_is_not_there() {
    let archive = Archive::new().await;
    assert!(matches!(archive.list("a.m3u8", 0, 10, true).await, Err(Unlisted::NoStream)));
    archive.recording("r.m3u8", 0, 2).await;
    assert!(matches!(archive.list("a.m3u8", 0, 4, false).await, Err(Unlisted::NoContent)));
    assert!(matches!(archive.list("a.m3u8", 50, 60, true).await, Err(Unlisted::NoContent)));
    assert!(matches!(archive.list("r.m3u8", 0, 10, true).await, Err(Unlisted::Taken)));
    assert!(matches!(archive.list("s/1.ts", 0, 10, true).await, Err(Unlisted::Taken)));
    let elsewhere = Bucket { storage: "oss".into(), name: "other".into() };
    let moved = Entry { object: Object { bucket: elsewhere.clone(), key: "s/2.ts".to_owned() }, ..slice(2) };
    archive.store(&moved).await;
    assert!(matches!(archive.list("a.m3u8", 0, 100, true).await, Err(Unlisted::Scattered)));
    // All of them in another bucket than the list: by their URLs, if they have any.
    assert!(matches!(archive.list("a.m3u8", 12, 100, true).await, Err(Unlisted::Scattered)));
    let of = ListOf {
        stream: cam(),
        to: object("a.m3u8"),
        template: String::new(),
        span: span(12, 100),
        end_included: true,
    };
    let link = |object: &Object| Some(format!("http://h/{}", object.key));
    archive.control.make_list(&of, NOW, &link).await.unwrap();
    assert!(archive.text("a.m3u8").contains("\nhttp://h/s/2.ts\n"));
}
