//! A disk that fails or is full blocks who fills it, and nothing is lost that was accepted.

use std::io::ErrorKind as Io;

use super::*;

async fn until(condition: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if condition() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("it never happens");
}

#[test]
fn a_full_disk_blocks_its_lanes_until_there_is_room_and_what_was_accepted_is_kept() {
    let house = House::new();
    runtime().block_on(async {
        let (delivery, _) = house.open();
        let lane = lane(&delivery);
        lane.accept(vec![fresh(), grow(0, "one ")]);
        drained(&delivery).await;
        let quiet = delivery.incidents();
        assert!(!lane.is_blocked());
        *delivery.totals.disk.faults.after.lock().unwrap() = Some((0, Io::StorageFull));
        lane.accept(vec![grow(0, "two ")]);
        lane.accept(vec![grow(0, "three")]);
        until(|| lane.is_blocked()).await;
        assert!(lane.status().blocked && lane.status().last_error.is_some());
        let blocked = delivery.incidents();
        assert_ne!(quiet, blocked);
        *delivery.totals.disk.faults.after.lock().unwrap() = None;
        until(|| !lane.is_blocked()).await;
        assert_ne!(blocked, delivery.incidents());
        lane.accept(vec![seal(0, "a.flv")]);
        drained(&delivery).await;
    });
    assert_eq!(house.warehouse.text("a.flv"), "one two three");
}

#[test]
fn a_spool_that_has_used_up_its_share_blocks_until_its_store_is_back() {
    let house = House::new();
    *house.warehouse.away.lock().unwrap() = true;
    runtime().block_on(async {
        let (delivery, _) = house.open_with(Settings { spool_bytes: Some(1_000), ..house.settings() });
        let lane = lane(&delivery);
        for n in 0..11 {
            lane.accept(vec![put(&format!("{n:02}"), "x", &"y".repeat(100))]);
        }
        until(|| lane.is_blocked()).await;
        *house.warehouse.away.lock().unwrap() = false;
        until(|| !lane.is_blocked()).await;
        drained(&delivery).await;
    });
    assert_eq!(house.warehouse.keys().len(), 11);
}

#[test]
fn what_a_restart_finds_in_the_spool_counts() {
    let house = House::new();
    *house.warehouse.away.lock().unwrap() = true;
    runtime().block_on(async {
        let (delivery, _) = house.open();
        lane(&delivery).accept(vec![
            fresh(),
            grow(0, &"x".repeat(600)),
            put("a", "x", "y"),
            put("b", "x", &"y".repeat(1_000)),
        ]);
        delivery.drain(Duration::from_secs(5)).await;
    });
    runtime().block_on(async {
        let (_delivery, recovered) =
            house.open_with(Settings { spool_bytes: Some(1_000), ..house.settings() });
        assert!(recovered[0].lane.is_blocked());
    });
}

#[test]
fn a_disk_with_nothing_left_blocks_and_is_looked_at_again() {
    let house = House::new();
    runtime().block_on(async {
        let (delivery, _) = house.open_with(Settings { spool_free_bytes: 1_000, ..house.settings() });
        let lane = lane(&delivery);
        let free = |bytes| *delivery.totals.disk.faults.free.lock().unwrap() = Some(bytes);
        free(1_500);
        lane.accept(vec![grow(0, "x")]);
        until(|| delivery.totals.disk.is_tight()).await;
        assert!(!lane.is_blocked());
        free(900);
        until(|| lane.is_blocked()).await;
        // A picture is shed, and nobody is told of it; recordings are closed all the same.
        let (done, body) = tokio::sync::oneshot::channel();
        done.send(Some(Bytes::from_static(b"jpeg"))).unwrap();
        let notice = Notice::SnapshotStored { object: object("1.jpg"), at: Wall(0), overwrite: false };
        lane.accept(vec![
            LaneEffect::Later { to: object("1.jpg"), content_type: "image/jpeg", body },
            LaneEffect::Notice { notice, context: String::new() },
            seal(0, "a.flv"),
        ]);
        drained(&delivery).await;
        assert_eq!((house.warehouse.keys(), house.diary.lines()), (vec!["a.flv".to_owned()], Vec::new()));
        free(10_000);
        until(|| !lane.is_blocked()).await;
    });
}

#[test]
fn memory_that_is_half_used_up_blocks_before_anything_is_dropped() {
    let house = House::new();
    runtime().block_on(async {
        let (delivery, _) = house.open_with(Settings { memory_bytes: 1_000, ..house.settings() });
        let lane = lane(&delivery);
        lane.accept(vec![grow(0, &"x".repeat(600))]);
        assert!(lane.is_blocked());
        assert_eq!(lane.status().dropped_batches, 0);
        until(|| !lane.is_blocked()).await;
    });
}

/// A store that never answers.
struct Hanging;

impl Store for Hanging {
    fn put<'a>(
        &'a self,
        _: &'a Object,
        _: &'a Body,
        _: Headers<'a>,
        _: Mode<'a>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(std::future::pending())
    }

    fn delete<'a>(&'a self, _: &'a Object) -> BoxFuture<'a, Result<(), StoreError>> {
        panic!("recordings are not deleted")
    }
}

/// The warehouse as `w`, and another store.
fn open_two(house: &House, other: Arc<dyn Store>, settings: Settings) -> Delivery {
    let stores = HashMap::from([
        ("w".to_owned(), Arc::clone(&house.warehouse) as Arc<dyn Store>),
        ("other".to_owned(), other),
    ]);
    Delivery::open(settings, stores, Arc::clone(&house.diary) as Arc<dyn Registry>).unwrap().0
}

fn elsewhere(key: &str, text: &str) -> LaneEffect {
    let to = Object { bucket: Bucket { storage: "other".into(), name: "b".into() }, key: key.to_owned() };
    LaneEffect::Put { to, content_type: "x", body: vec![Bytes::copy_from_slice(text.as_bytes())] }
}

#[test]
fn a_store_that_is_away_holds_up_no_lane_of_another() {
    let house = House::new();
    *house.warehouse.away.lock().unwrap() = true;
    let other = Arc::new(Warehouse::default());
    runtime().block_on(async {
        let delivery = open_two(&house, Arc::clone(&other) as Arc<dyn Store>, house.settings());
        let (stuck, free) = (lane(&delivery), lane(&delivery));
        stuck.accept(vec![put("a", "x", "y")]);
        free.accept(vec![elsewhere("b", "z")]);
        until(|| other.keys() == ["b"]).await;
        assert_eq!(stuck.status().stored, 0);
    });
}

#[test]
fn a_full_spool_blocks_the_lane_whose_store_is_away_or_hangs_and_no_other() {
    for hangs in [true, false] {
        let house = House::new();
        let other: Arc<dyn Store> = match hangs {
            true => Arc::new(Hanging),
            false => {
                let other = Warehouse::default();
                *other.away.lock().unwrap() = true;
                Arc::new(other)
            }
        };
        runtime().block_on(async {
            let settings = Settings { spool_bytes: Some(10_000), ..house.settings() };
            let delivery = open_two(&house, other, settings);
            let (stuck, works) = (lane(&delivery), lane(&delivery));
            // What is open or just being sent is not waiting: a file may be larger than all that may wait.
            works.accept(vec![grow(0, &"x".repeat(30_000))]);
            for n in 0..12 {
                stuck.accept(vec![elsewhere(&n.to_string(), &"y".repeat(1_000))]);
                until(|| stuck.status().pending == n + 1).await;
            }
            until(|| stuck.is_blocked()).await;
            // Hours later, and with more open than all that waits.
            for n in 1..20 {
                works.accept(vec![
                    grow(n, &"x".repeat(15_000)),
                    seal(n - 1, &n.to_string()),
                    grow(n, &"x".repeat(15_000)),
                ]);
                sleep(Duration::from_secs(600)).await;
                assert!(stuck.is_blocked() && !works.is_blocked(), "{n}, hangs: {hangs}");
            }
            assert_eq!(house.warehouse.keys().len(), 19);
            // Somebody who begins now has a share, too.
            let late = lane(&delivery);
            late.accept(vec![elsewhere("late", &"y".repeat(500))]);
            sleep(Duration::from_secs(60)).await;
            assert!(!late.is_blocked());
        });
    }
}

#[test]
fn a_disk_that_runs_short_blocks_the_largest_backlog_first() {
    let house = House::new();
    *house.warehouse.away.lock().unwrap() = true;
    let other = Arc::new(Warehouse::default());
    runtime().block_on(async {
        let settings = Settings { spool_free_bytes: 1_000, ..house.settings() };
        let delivery = open_two(&house, Arc::clone(&other) as Arc<dyn Store>, settings);
        let free = |bytes| *delivery.totals.disk.faults.free.lock().unwrap() = Some(bytes);
        let (stuck, works) = (lane(&delivery), lane(&delivery));
        stuck.accept(vec![put("a", "x", &"y".repeat(5_000))]);
        works.accept(vec![grow(0, "x")]);
        sleep(Duration::from_secs(1)).await;
        free(1_500);
        works.accept(vec![grow(0, "x")]);
        until(|| delivery.totals.disk.is_tight()).await;
        free(100);
        until(|| stuck.is_blocked()).await;
        works.accept(vec![grow(0, &"x".repeat(200))]);
        sleep(Duration::from_secs(10)).await;
        assert!(!works.is_blocked());
    });
}
