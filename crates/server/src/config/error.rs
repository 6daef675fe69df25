use std::cell::RefCell;
use std::fmt;

use super::tree::At;

/// Something wrong with the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) at: At,
    /// Path of the key, such as `record.record_format.slice_duration`; empty where the file is no TOML.
    pub(super) key: String,
    pub(super) message: String,
}

/// What was found so far; shared by all who read a part of the config.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    pub(super) fn add(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    pub(super) fn take(&self) -> Vec<Problem> {
        self.0.take()
    }
}

impl Problem {
    /// `file:line: key: message`, or `VARIABLE: key: message`.
    pub(super) fn show(&self, file: &str) -> String {
        let place = match &self.at {
            At::Line(line) => format!("{file}:{line}"),
            At::Variable(name) => name.clone(),
            At::Nowhere => file.to_owned(),
        };
        match self.key.as_str() {
            "" => format!("{place}: {}", self.message),
            key => format!("{place}: {key}: {}", self.message),
        }
    }
}

/// Why there is no config: every fault that was found, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    pub(super) fn new(file: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| match problem.at {
            At::Line(line) => (0, line),
            At::Nowhere => (1, 0),
            At::Variable(_) => (2, 0),
        });
        Self(problems.iter().map(|problem| problem.show(file)).collect())
    }

    pub(super) fn unreadable(file: &str, error: &std::io::Error) -> Self {
        Self(vec![format!("{file}: {error}")])
    }

    /// One line per fault: `file:line: key: what is wrong`.
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}
