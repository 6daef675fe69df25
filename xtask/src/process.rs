//! A program in the background whose words can be waited for, and which never outlives us.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Result;
use crate::shell::{command, spell, succeeds};

/// A running program. What it says (stdout and stderr together) is kept and also written to a file.
pub struct Process {
    name: String,
    pid: u32,
    seen: Arc<Seen>,
}

/// What its two watcher threads saw so far; the condition fires at each change.
#[derive(Default)]
struct Seen {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    /// Nothing more will be said.
    silent: bool,
    ended: Option<ExitStatus>,
}

impl Seen {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done` or the time is over, and returns the state then.
    fn wait(&self, limit: Duration, done: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let outcome = self.changed.wait_timeout_while(self.state(), limit, |state| !done(state));
        outcome.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Process {
    /// Starts it; `log` gets what it says.
    pub fn start(mut command: Command, log: &Path) -> Result<Process> {
        let name = spell(&command);
        let (reader, writer) = std::io::pipe()?;
        let file = std::fs::File::create(log)?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let child = command.spawn().map_err(|e| format!("{name}: {e}"))?;
        drop(command); // with its ends of the pipe, so that the reader sees the end
        let process = Process { name, pid: child.id(), seen: Arc::default() };
        let (seen, saw) = (process.seen.clone(), process.seen.clone());
        std::thread::spawn(move || keep_lines(reader, file, &seen));
        std::thread::spawn(move || await_end(child, &saw));
        Ok(process)
    }

    /// The first line that holds `word`, waiting for it until the program ends or `limit` is over.
    pub fn line_with(&self, word: &str, limit: Duration) -> Result<String> {
        self.line_which(|line| line.contains(word), &format!("{word:?}"), limit)
    }

    /// The first line that `fits`; `what` it is says the error.
    pub fn line_which(&self, fits: impl Fn(&str) -> bool, what: &str, limit: Duration) -> Result<String> {
        let find = |state: &State| state.lines.iter().find(|line| fits(line)).cloned();
        let state = self.seen.wait(limit, |state| find(state).is_some() || state.silent);
        find(&state).ok_or_else(|| format!("{} did not say {what} within {limit:?}", self.name).into())
    }

    /// How it ended, waiting up to `limit`; `None` when it still runs.
    pub fn ended_within(&self, limit: Duration) -> Option<ExitStatus> {
        self.seen.wait(limit, |state| state.ended.is_some()).ended
    }

    /// Sends `signal` (`INT`, `TERM`) and waits for the end.
    pub fn end_with(&self, signal: &str, limit: Duration) -> Result<ExitStatus> {
        self.signal(signal);
        self.ended_within(limit)
            .ok_or_else(|| format!("{} still runs {limit:?} after SIG{signal}", self.name).into())
    }

    fn signal(&self, signal: &str) {
        if self.seen.state().ended.is_none() {
            succeeds(command("sh").args(["-c", &format!("kill -{signal} {}", self.pid)]));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal("KILL");
        self.ended_within(Duration::from_secs(5));
    }
}

fn keep_lines(from: impl std::io::Read, mut file: std::fs::File, seen: &Seen) {
    for line in BufReader::new(from).split(b'\n').map_while(std::result::Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        // A full disk must not end the watch; the lines are still in memory.
        let _ = writeln!(file, "{line}");
        seen.state().lines.push(line);
        seen.changed.notify_all();
    }
    seen.state().silent = true;
    seen.changed.notify_all();
}

fn await_end(mut child: Child, seen: &Seen) {
    let ended = child.wait();
    seen.state().ended = ended.ok();
    seen.changed.notify_all();
}

/// A TCP port of the loopback that nobody uses at the moment.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
