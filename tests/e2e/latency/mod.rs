//! How soon what an encoder sent can be played: a publisher whose send times are known, and players that wait
//! (`cargo xtask accept latency` and `cost`, which takes the rows that these print; the server should be a release build,
//! `MILLRACE_TEST_BINARY`).

use std::thread;
use std::time::{Duration, Instant};

use crate::http::{Answer, get};
use crate::machine::{Server, wait_for};
use list::List;
use publisher::{Publisher, Sent};

mod crowd;
mod floor;
mod list;
pub mod processor;
mod publisher;

/// PartDuration of the parts that are waited for.
pub const PART_MS: u32 = 350;
/// Seconds that each case lasts.
const SECONDS: u32 = 30;
/// How many players wait at once.
const CROWD: usize = 500;
/// How many of them are told from what they cost.
const THOUSAND: usize = 1000;
/// How often a list without blocking reload is looked at.
const LOOK: Duration = Duration::from_millis(2);

fn server(protocol: &str) -> Server {
    let (segment, part) = match protocol.starts_with("LL") {
        true => (1, format!("part_duration = {PART_MS}\n")),
        false => (2, String::new()),
    };
    Server::start(&format!(
        "[[package]]\ndomain_name = \"live.local\"\napp_name = \"live\"\nstream_name = \"*\"\n\
         protocol = \"{protocol}\"\nsegment_num = 5\nsegment_duration = {segment}\n{part}"
    ))
}

/// Milliseconds from one moment to another, also back.
fn millis(from: Instant, to: Instant) -> f64 {
    let back = from.saturating_duration_since(to).as_secs_f64();
    (to.saturating_duration_since(from).as_secs_f64() - back) * 1e3
}

/// One row of the report: quantiles of milliseconds.
fn report(what: &str, mut figures: Vec<f64>) {
    assert!(figures.len() >= 5, "{what}: {} figures", figures.len());
    figures.sort_by(f64::total_cmp);
    let quantile = |q: f64| figures[((figures.len() - 1) as f64 * q).round() as usize];
    println!(
        "| {what} | {} | {:.1} | {:.1} | {:.1} | {:.1} |",
        figures.len(),
        quantile(0.5),
        quantile(0.95),
        quantile(0.99),
        quantile(1.0)
    );
}

/// Looks at the list until the stream ends; `ask` is the query for the list after this one.
fn follow(server: &Server, sent: &Sent, ask: impl Fn(&List) -> String, mut each: impl FnMut(&List, Instant)) {
    let mut list = first_list(server);
    while !sent.is_over() {
        let answer = get(server.http, &format!("{}{}", crowd::PATH, ask(&list)));
        if answer.status != 200 {
            break;
        }
        let new = List::since(&answer.text(), Some(list.origin));
        if new.end() != list.end() {
            each(&new, answer.done);
        } else {
            thread::park_timeout(LOOK);
        }
        list = new;
    }
}

#[test]
#[ignore = "cargo xtask accept latency"]
fn segments_of_hls() {
    let server = server("HLS_CMAF");
    let (publisher, sent) = Publisher::start(&server, SECONDS);
    let mut figures = Vec::new();
    follow(
        &server,
        &sent,
        |_| String::new(),
        |list, at| {
            let segment = list.segments.last().unwrap();
            figures.push(millis(sent.frame_at(segment.start), at));
        },
    );
    publisher.finish();
    report("HLS segment of 2 s, from its first frame", figures);
}

#[test]
#[ignore = "cargo xtask accept latency"]
fn parts_of_low_latency_hls() {
    let server = server("LLHLS_CMAF");
    let (publisher, sent) = Publisher::start(&server, SECONDS);
    let (mut whole, mut completed) = (Vec::new(), Vec::new());
    follow(&server, &sent, List::next_query, |list, at| {
        if let Some(part) = list.parts.last() {
            whole.push(millis(sent.frame_at(part.start), at));
            completed.push(millis(sent.frame_at(part.start + part.duration), at));
        }
    });
    publisher.finish();
    report("LL-HLS part of 334 ms, from its first frame", whole);
    report("the same, from its completion", completed);
}

#[test]
#[ignore = "cargo xtask accept latency"]
fn chunks_of_low_latency_dash() {
    let server = server("LLHLSDASH_CMAF");
    let (publisher, sent) = Publisher::start(&server, SECONDS);
    let first = first_list(&server);
    let (begin, name) = (first.first_number, first.name_of_segment());
    let mut number = first.segments.last().unwrap().number + 1;
    let (mut whole, mut completed) = (Vec::new(), Vec::new());
    while !sent.is_over() {
        let answer = get(server.http, &format!("/live/s/{}", name.replace("{}", &number.to_string())));
        if answer.status != 200 || !answer.whole {
            break;
        }
        // A segment is a GOP of a second.
        let start = f64::from(u32::try_from(number - begin).unwrap());
        for (from, to, at) in chunks(&answer) {
            whole.push(millis(sent.frame_at(start + from), at));
            completed.push(millis(sent.frame_at(start + to), at));
        }
        number += 1;
    }
    publisher.finish();
    report("LL-DASH chunk of 334 ms, from its first frame", whole);
    report("the same, from its completion", completed);
}

/// Start and end of each chunk in its segment in seconds, and when it had come. The last one's end is the segment's.
fn chunks(answer: &Answer) -> Vec<(f64, f64, Instant)> {
    let mut starts = Vec::new();
    let (mut at, mut ends) = (0, Vec::new());
    while at + 8 <= answer.body.len() {
        let size = u32::from_be_bytes(answer.body[at..at + 4].try_into().unwrap()) as usize;
        let (name, content) = (&answer.body[at + 4..at + 8], &answer.body[at..at + size]);
        if name == b"moof" {
            let tfdt = content.windows(4).position(|bytes| bytes == b"tfdt").unwrap() + 8;
            starts.push(u64::from_be_bytes(content[tfdt..tfdt + 8].try_into().unwrap()));
        }
        at += size;
        if name == b"mdat" {
            ends.push(answer.pieces.iter().find(|(_, had)| *had >= at).unwrap().0);
        }
    }
    let since = |ticks: u64| (ticks - starts[0]) as f64 / 90_000.0;
    let next = starts.iter().skip(1).map(|start| since(*start)).chain([1.0]);
    starts
        .iter()
        .map(|start| since(*start))
        .zip(next)
        .zip(ends)
        .map(|((from, to), at)| (from, to, at))
        .collect()
}

/// Waits for the first list.
fn first_list(server: &Server) -> List {
    wait_for("a list", || {
        let answer = get(server.http, crowd::PATH);
        (answer.status == 200).then(|| List::read(&answer.text()))
    })
}

#[test]
#[ignore = "cargo xtask accept latency"]
fn answers_to_500_waiting_players() {
    let server = server("LLHLS_CMAF");
    let (publisher, sent) = Publisher::start(&server, SECONDS);
    let mut rounds = Vec::new();
    crowd::wait(server.http, CROWD, &first_list(&server), &sent, |round| rounds.push(round));
    publisher.finish();
    let (mut all, mut last, mut spread) = (Vec::new(), Vec::new(), Vec::new());
    for round in &rounds {
        let completed = sent.frame_at(round.completed);
        let (first, end) = (round.came.iter().min().unwrap(), round.came.iter().max().unwrap());
        all.extend(round.came.iter().map(|at| millis(completed, *at)));
        last.push(millis(completed, *end));
        spread.extend(round.came.iter().map(|at| millis(*first, *at)));
    }
    let floor = floor::floor(CROWD, &rounds[0].answer);
    report(&format!("answer to {CROWD} waiting players, from the part's completion"), all);
    report("the same, from the first of them", spread);
    report("the last of them, from the part's completion", last);
    report("beside it: a loop that writes the same bytes to as many", floor.arrivals);
}

/// What answers to waiting players cost beside writing their bytes (`cargo xtask accept cost`).
#[test]
#[ignore = "cargo xtask accept cost"]
fn cost_of_1000_waiting_players() {
    let server = server("LLHLS_CMAF");
    let (publisher, sent) = Publisher::start(&server, SECONDS);
    let first = first_list(&server);
    // Taking in and packaging the stream costs the same without players.
    let (begun, spent) = (Instant::now(), server.processor_time());
    crowd::nap(Duration::from_secs(8));
    let alone = (server.processor_time() - spent).as_secs_f64() / begun.elapsed().as_secs_f64();
    let mut rounds = Vec::new();
    let list = List::since(&get(server.http, crowd::PATH).text(), Some(first.origin));
    crowd::wait(server.http, THOUSAND, &list, &sent, |round| {
        rounds.push((Instant::now(), server.processor_time(), round.answer));
    });
    publisher.finish();
    let (begun, spent, answer) = &rounds[0];
    let (ended, spent_then, _) = rounds.last().unwrap();
    let seconds = (*ended - *begun).as_secs_f64();
    let each_second = (rounds.len() - 1) as f64 * THOUSAND as f64 / seconds;
    let waiting = (*spent_then - *spent).as_secs_f64() / seconds - alone;
    let floor = floor::floor(THOUSAND, answer).write_us * each_second / 1e6;
    for (what, share) in [("1,000 waiting players", waiting), ("a loop that writes the same bytes", floor)] {
        let (ms, us) = (share * 1e3, share * 1e6 / each_second);
        println!("| {what} | {ms:.1} | {us:.1} | {:.2} |", share / floor);
    }
}
