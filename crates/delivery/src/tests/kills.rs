//! A recording that is killed at any point, again and again, is whole in the end.

use std::io;

use super::*;

/// Frames of the recording, and frames of a file.
const FRAMES: u64 = 24;
const PER_FILE: u64 = 6;

/// Records frames, each with its number in it, and saves where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Recorder {
    frame: u64,
    file: u64,
    len: u64,
}

impl Recorder {
    fn of(recovered: &Recovered) -> Self {
        let now = recovered.saved.now.as_ref().unwrap();
        let numbers: Vec<u64> = serde_json::from_slice(now).unwrap();
        Self { frame: numbers[0], file: numbers[1], len: numbers[2] }
    }

    fn is_done(self) -> bool {
        self.frame == FRAMES
    }

    fn next(&mut self) -> Vec<LaneEffect> {
        let text = format!("{:04} ", self.frame);
        let mut effects = Vec::new();
        if self.len == 0 {
            effects.push(fresh());
        }
        effects.push(grow(self.file, &text));
        self.frame += 1;
        self.len += text.len() as u64;
        if self.frame.is_multiple_of(PER_FILE) {
            let key = format!("{}.flv", self.file);
            effects.push(LaneEffect::Seal {
                file: FileId(self.file),
                to: object(&key),
                content_type: "video/x-flv",
                finish: finish(self.file),
            });
            effects.extend(recorded(&key));
            (self.file, self.len) = (self.file + 1, 0);
        }
        let now = serde_json::to_vec(&[self.frame, self.file, self.len]).unwrap();
        effects.push(LaneEffect::Save(Save::Now(now.into())));
        if self.is_done() {
            effects.push(LaneEffect::Save(Save::Done));
        }
        effects
    }
}

/// Every other file gets a new beginning.
fn finish(file: u64) -> Finish {
    match file % 2 {
        0 => Finish::AsIs,
        _ => Finish::Head { head: Bytes::from_static(b"HEAD "), skip: 5 },
    }
}

fn expected(file: u64) -> String {
    let frames = (file * PER_FILE..(file + 1) * PER_FILE).map(|frame| format!("{frame:04} "));
    let whole: String = frames.collect();
    if file.is_multiple_of(2) { whole } else { format!("HEAD {}", &whole[5..]) }
}

/// One life of the server: killed when its disk has done `writes` things, if that is given. Whether all was done.
async fn live(house: &House, begun: &mut bool, writes: Option<u64>) -> bool {
    let (delivery, recovered) = house.open();
    // What is there was written anew, and synced.
    *house.synced.lock().unwrap() = lengths(house);
    let after = writes.map(|left| (left, io::ErrorKind::Other));
    *delivery.totals.disk.faults.after.lock().unwrap() = after;
    let (mut recorder, lane) = match recovered.into_iter().next() {
        Some(recovered) => {
            let recorder = Recorder::of(&recovered);
            assert_fits(house, recorder);
            (recorder, Some(recovered.lane))
        }
        None if !*begun => (Recorder::default(), Some(lane(&delivery))),
        None => (Recorder { frame: FRAMES, ..Recorder::default() }, None),
    };
    if let Some(lane) = lane {
        while !recorder.is_done() {
            lane.accept(recorder.next());
            sleep(Duration::from_millis(200)).await;
            *begun |= has_begun(house);
        }
    }
    let left = delivery.drain(Duration::from_secs(if writes.is_some() { 20 } else { 36_000 })).await;
    house.synced.lock().unwrap().append(&mut delivery.totals.disk.faults.synced.lock().unwrap());
    left == Left::default()
}

/// Whether a journal has more than its first line.
fn has_begun(house: &House) -> bool {
    let folder = house.path("spool").join(SESSION.to_string());
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut journals = entries.filter(|path| path.extension().is_some_and(|e| e == "journal"));
    journals.any(|path| fs::read_to_string(path).unwrap().lines().count() > 1)
}

/// The file that is open is as long as was saved.
fn assert_fits(house: &House, recorder: Recorder) {
    let open = fs::read_dir(house.path("spool").join(SESSION.to_string())).unwrap();
    let suffix = format!(".{}.part", recorder.file);
    let lens =
        open.map(|entry| entry.unwrap()).filter(|e| e.file_name().to_str().unwrap().ends_with(&suffix));
    let lens: Vec<u64> = lens.map(|entry| entry.metadata().unwrap().len()).collect();
    assert_eq!(lens.first().copied().unwrap_or(0), recorder.len, "{recorder:?}");
}

fn assert_whole(house: &House) {
    let files = FRAMES / PER_FILE;
    let keys: Vec<String> = (0..files).map(|file| format!("{file}.flv")).collect();
    assert_eq!(house.warehouse.keys(), keys);
    let mut lines = Vec::new();
    for (file, key) in (0..files).zip(&keys) {
        let text = expected(file);
        assert_eq!(house.warehouse.text(key), text);
        lines.push(format!("row {key} {}", text.len()));
        lines.push(format!("told stored {key} Some({})", text.len()));
    }
    assert_eq!(house.diary.lines(), lines);
    assert_eq!(house.letters(), [""; 0]);
    assert_eq!(house.spooled(), [""; 0]);
}

#[test]
fn a_recording_that_is_killed_anywhere_again_and_again_is_whole_in_the_end() {
    for seed in 0..60 {
        let mut dice = StdRng::seed_from_u64(seed);
        let house = House::new();
        *house.warehouse.dice.lock().unwrap() = Some(StdRng::seed_from_u64(seed + 1_000));
        let mut begun = false;
        for _ in 0..dice.random_range(1..6) {
            let writes = dice.random_range(0..60);
            runtime().block_on(live(&house, &mut begun, Some(writes)));
        }
        *house.diary.failures.lock().unwrap() = dice.random_range(0..4);
        assert!(runtime().block_on(live(&house, &mut begun, None)), "seed {seed}");
        // The lane ends a moment after the last parcel; the next start finds nothing at the latest.
        runtime().block_on(async { assert_eq!(house.open().1.len(), 0, "seed {seed}") });
        assert_whole(&house);
    }
}

/// The files of the session and their lengths.
fn lengths(house: &House) -> BTreeMap<PathBuf, u64> {
    let folder = house.path("spool").join(SESSION.to_string());
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.path(), entry.metadata().unwrap().len())).collect()
}

/// Bytes of the first two lines.
fn first_lines(journal: &Path) -> u64 {
    let text = fs::read_to_string(journal).unwrap();
    text.split_inclusive('\n').take(2).map(|line| line.len() as u64).sum()
}

/// What a power cut may do while the store is away: nothing needs to be there that was not synced, but the first
/// transaction.
fn cut_power(house: &House, dice: &mut StdRng) {
    for (path, len) in lengths(house) {
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        let name = path.to_str().unwrap();
        let first = match name.ends_with(".journal") {
            true => first_lines(&path),
            false if name.ends_with(".0.part") => 5,
            false => 0,
        };
        let synced = house.synced.lock().unwrap().get(&path).copied().unwrap_or(0);
        if dice.random_bool(0.7) {
            file.set_len(dice.random_range(first.max(synced).min(len)..=len)).unwrap();
        }
    }
}

#[test]
fn a_recording_whose_power_is_cut_is_whole_in_the_end() {
    for seed in 0..60 {
        let mut dice = StdRng::seed_from_u64(seed);
        let house = House::new();
        let mut begun = false;
        *house.warehouse.away.lock().unwrap() = true;
        for _ in 0..dice.random_range(1..4) {
            let writes = dice.random_range(5..60);
            runtime().block_on(live(&house, &mut begun, Some(writes)));
            cut_power(&house, &mut dice);
        }
        *house.warehouse.away.lock().unwrap() = false;
        runtime().block_on(async {
            if !live(&house, &mut begun, None).await {
                panic!("seed {seed}");
            }
        });
        runtime().block_on(async { drop(house.open()) });
        assert_whole(&house);
    }
}
