use std::hint::black_box;
use std::time::{Duration, Instant};

/// Time for each case and as much for its memcpy at most, so that everything together stays under a minute.
const BUDGET: Duration = Duration::from_millis(1_500);
/// Rounds at least, however long one takes.
const FEWEST: usize = 5;
/// Rounds at most.
const MOST: usize = 500;

/// A line of the table.
pub struct Row {
    what: String,
    /// What a unit is: a message, a fragment.
    unit: &'static str,
    bytes: usize,
    units: usize,
    time: Duration,
    memcpy: Duration,
    /// What else there is to say, such as percentiles.
    note: String,
}

impl Row {
    /// `work` on what `setup` makes, beside a copy of `pieces`: medians of rounds that take turns. `units` is how
    /// many there are in one round. Neither making the input nor dropping the result counts.
    pub(crate) fn measure<T, R>(
        what: impl Into<String>,
        (unit, units): (&'static str, usize),
        pieces: &[&[u8]],
        mut setup: impl FnMut() -> T,
        mut work: impl FnMut(T) -> R,
    ) -> Row {
        let bytes = pieces.iter().map(|piece| piece.len()).sum();
        let mut target = vec![1u8; bytes];
        let (mut times, mut copies) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        while times.len() < FEWEST || (begun.elapsed() < 2 * BUDGET && times.len() < MOST) {
            let input = setup();
            let since = Instant::now();
            let result = black_box(work(black_box(input)));
            times.push(since.elapsed());
            drop(result);
            copies.push(memcpy(pieces, &mut target));
        }
        let (time, memcpy) = (percentile(&mut times, 500), percentile(&mut copies, 500));
        Row { what: what.into(), unit, bytes, units, time, memcpy, note: String::new() }
    }

    /// Calls that were timed one by one, beside a copy of `pieces`.
    pub(crate) fn of_calls(what: impl Into<String>, mut calls: Vec<Duration>, pieces: &[&[u8]]) -> Row {
        let bytes = pieces.iter().map(|piece| piece.len()).sum();
        let mut target = vec![1u8; bytes];
        let mut copies: Vec<Duration> = (0..FEWEST).map(|_| memcpy(pieces, &mut target)).collect();
        let rounds = (calls.len() / pieces.len().max(1)).max(1) as u32;
        let time = calls.iter().sum::<Duration>() / rounds;
        let found = [500, 990, 999, 1_000].map(|share| micros(percentile(&mut calls, share)));
        let [median, p99, p999, most] = found;
        let note = format!("median {median}, p99 {p99}, p99.9 {p999}, longest {most}");
        let memcpy = percentile(&mut copies, 500);
        Row { what: what.into(), unit: "packet", bytes, units: pieces.len(), time, memcpy, note }
    }

    /// The same row with something to say.
    pub(crate) fn note(self, note: impl Into<String>) -> Row {
        Row { note: note.into(), ..self }
    }
}

/// Copies every piece to where it belongs in `target`.
fn memcpy(pieces: &[&[u8]], target: &mut [u8]) -> Duration {
    let since = Instant::now();
    let mut rest = &mut target[..];
    for piece in pieces {
        let (here, after) = rest.split_at_mut(piece.len());
        here.copy_from_slice(black_box(piece));
        rest = after;
    }
    let time = since.elapsed();
    black_box(target);
    time
}

/// The time that `share` thousandths of all do not exceed.
fn percentile(times: &mut [Duration], share: usize) -> Duration {
    times.sort_unstable();
    let at = (times.len() * share).div_ceil(1_000).saturating_sub(1);
    times.get(at).copied().unwrap_or_default()
}

fn micros(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 100.0 { format!("{micros:.2} µs") } else { format!("{micros:.0} µs") }
}

/// The rows as Markdown.
pub fn table(rows: &[Row]) -> String {
    let head =
        "| what | MB/s | time per | memcpy MB/s | memcpy per | ratio | |\n|---|--:|--:|--:|--:|--:|---|";
    rows.iter().fold(head.to_owned(), |text, row| text + "\n" + &line(row))
}

fn line(row: &Row) -> String {
    let speed = |time: Duration| row.bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9);
    let each = |time: Duration| micros(time.div_f64(row.units.max(1) as f64));
    let ratio = row.time.as_secs_f64() / row.memcpy.as_secs_f64().max(1e-9);
    format!(
        "| {} | {:.0} | {}: {} | {:.0} | {} | {ratio:.2} | {} |",
        row.what,
        speed(row.time),
        row.unit,
        each(row.time),
        speed(row.memcpy),
        each(row.memcpy),
        row.note
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(numbers: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        numbers.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let mut times = millis((1..=200).rev());
        let found = [500, 990, 1_000].map(|share| percentile(&mut times, share));
        assert_eq!(found.to_vec(), millis([100, 198, 200]));
        assert_eq!(percentile(&mut [], 500), Duration::ZERO);
    }

    #[test]
    fn a_row_says_speed_time_of_a_unit_and_ratio() {
        let row = Row {
            what: "thing".into(),
            unit: "message",
            bytes: 2_000_000,
            units: 10,
            time: Duration::from_millis(4),
            memcpy: Duration::from_millis(1),
            note: "so".into(),
        };
        let text = table(&[row]);
        let last = text.lines().last().unwrap();
        assert_eq!(last, "| thing | 500 | message: 400 µs | 2000 | 100 µs | 4.00 | so |");
    }
}
