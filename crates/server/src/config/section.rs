//! Reads a section key by key and reports whatever is left.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::error::{Problem, Problems};
use super::tree::{At, Node, Table, Value};
use super::value::{self, Secret};

/// A section or an item of a list of sections. Every getter remembers its key; [`Section::finish`] reports the
/// keys that nobody asked for. A wrong value is reported and read as absent.
pub(super) struct Section<'a> {
    path: String,
    at: &'a At,
    table: Option<&'a Table>,
    asked: RefCell<Vec<&'static str>>,
    problems: &'a Problems,
}

/// Most letters that a suggested key may differ in.
const NEAR: usize = 3;

impl<'a> Section<'a> {
    /// The whole config.
    pub(super) fn root(table: &'a Table, problems: &'a Problems) -> Self {
        Self::new(String::new(), &At::Nowhere, Some(table), problems)
    }

    fn new(path: String, at: &'a At, table: Option<&'a Table>, problems: &'a Problems) -> Self {
        Self { path, at, table, asked: RefCell::default(), problems }
    }

    /// Where this section is, for faults of the whole.
    pub(super) fn at(&self) -> &'a At {
        self.at
    }

    /// Where `key` is, or the section without it.
    pub(super) fn at_key(&self, key: &str) -> &'a At {
        self.table.and_then(|table| table.get(key)).map_or(self.at, |node| &node.at)
    }

    fn node(&self, key: &'static str) -> Option<&'a Node> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        self.table.and_then(|table| table.get(key))
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Reports `message` about `key`, at the key if it is there and at the section otherwise.
    pub(super) fn wrong(&self, key: &str, message: impl Into<String>) {
        let at = self.at_key(key);
        self.problems.add(Problem { at: at.clone(), key: self.key(key), message: message.into() });
    }

    /// Whether `key` is there.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.node(key).is_some()
    }

    fn read<T>(
        &self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let node = self.node(key)?;
        let value = read(&node.value);
        if value.is_none() {
            let found = match &node.value {
                Value::Text(text) | Value::String(text) => format!("{text:?}"),
                Value::Integer(number) => number.to_string(),
                other => other.kind().to_owned(),
            };
            self.wrong(key, format!("expected {wanted}, found {found}"));
        }
        value
    }

    pub(super) fn string(&self, key: &'static str) -> Option<String> {
        self.read(key, "a string", |value| text(value).map(str::to_owned))
    }

    /// A string whose text no message repeats.
    pub(super) fn secret(&self, key: &'static str) -> Option<Secret> {
        let node = self.node(key)?;
        let secret = text(&node.value).filter(|text| !text.is_empty());
        if secret.is_none() {
            self.wrong(key, "expected a string that is not empty");
        }
        secret.map(|text| Secret::new(text.to_owned()))
    }

    /// The text of a [`Section::secret`].
    pub(super) fn hidden(&self, key: &'static str) -> Option<String> {
        self.secret(key).map(|secret| secret.expose().to_owned())
    }

    /// A string that must be there and not be empty.
    pub(super) fn required(&self, key: &'static str) -> Option<String> {
        match self.string(key) {
            Some(text) if !text.is_empty() => Some(text),
            _ => {
                let wrong_type =
                    self.table.and_then(|table| table.get(key)).is_some_and(|n| text(&n.value).is_none());
                if !wrong_type {
                    self.wrong(key, "is missing");
                }
                None
            }
        }
    }

    /// A number of any size.
    pub(super) fn integer(&self, key: &'static str) -> Option<i64> {
        self.read(key, "a number", integer)
    }

    /// A number within `range`.
    pub(super) fn within(&self, key: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
        let wanted = format!("a number from {} to {}", range.start(), range.end());
        self.read(key, &wanted, |value| integer(value).filter(|number| range.contains(number)))
    }

    pub(super) fn boolean(&self, key: &'static str) -> Option<bool> {
        self.read(key, "true or false", |value| match value {
            Value::Boolean(value) => Some(*value),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        })
    }

    /// A duration within `range`.
    pub(super) fn duration(&self, key: &'static str, range: RangeInclusive<Duration>) -> Option<Duration> {
        let show = value::show_duration;
        let wanted =
            format!("a duration such as \"10s\", {} to {}", show(*range.start()), show(*range.end()));
        self.read(key, &wanted, |value| value::duration(text(value)?).filter(|value| range.contains(value)))
    }

    /// A number of bytes: a plain number, or a string with a unit.
    pub(super) fn size(&self, key: &'static str) -> Option<u64> {
        self.read(key, "a size such as \"512MiB\"", |value| match integer(value) {
            Some(number) => u64::try_from(number).ok(),
            None => value::size(text(value)?),
        })
    }

    pub(super) fn address(&self, key: &'static str) -> Option<SocketAddr> {
        self.read(key, "an address and a port such as \"0.0.0.0:8080\"", |value| text(value)?.parse().ok())
    }

    /// One of `words`.
    pub(super) fn word(&self, key: &'static str, words: &[&'static str]) -> Option<&'static str> {
        let wanted = words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" or ");
        self.read(key, &wanted, |value| {
            let text = text(value)?;
            words.iter().copied().find(|word| *word == text)
        })
    }

    /// A list of strings; from the environment, with commas between them.
    pub(super) fn strings(&self, key: &'static str) -> Option<Vec<String>> {
        self.read(key, "a list of strings", |value| match value {
            Value::Array(items) => items.iter().map(|item| text(&item.value).map(str::to_owned)).collect(),
            Value::Text(text) => Some(
                text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect(),
            ),
            _ => None,
        })
    }

    /// The section `[key]`; an empty one when it is not there.
    pub(super) fn section(&self, key: &'static str) -> Section<'a> {
        let node = self.node(key);
        let table = self.read_table(key, node);
        Self::new(self.key(key), node.map_or(self.at, |node| &node.at), table, self.problems)
    }

    fn read_table(&self, key: &'static str, node: Option<&'a Node>) -> Option<&'a Table> {
        match node.map(|node| &node.value) {
            None => None,
            Some(Value::Table(table)) => Some(table),
            Some(other) => {
                self.wrong(key, format!("expected a section [{}], found {}", self.key(key), other.kind()));
                None
            }
        }
    }

    /// The sections `[[key]]`, or a list of inline tables.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let items = match self.node(key).map(|node| &node.value) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                let path = self.key(key);
                self.wrong(key, format!("expected sections [[{path}]], found {}", other.kind()));
                return Vec::new();
            }
        };
        let mut sections = Vec::new();
        for item in items {
            let Value::Table(table) = &item.value else {
                let message = format!("expected a section, found {}", item.value.kind());
                self.problems.add(Problem { at: item.at.clone(), key: self.key(key), message });
                continue;
            };
            sections.push(Self::new(self.key(key), &item.at, Some(table), self.problems));
        }
        sections
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for (key, node) in self.table.into_iter().flat_map(Table::iter) {
            if asked.contains(&key) {
                continue;
            }
            let nearest = asked.iter().map(|known| (distance(key, known), *known)).min();
            let message = match nearest {
                Some((by, known)) if by <= NEAR.min(known.len() / 2) => {
                    format!("unknown key, did you mean {known:?}?")
                }
                _ => format!("unknown key; known here: {}", asked.join(", ")),
            };
            self.problems.add(Problem { at: node.at.clone(), key: self.key(key), message });
        }
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) | Value::String(text) => Some(text),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// Letters to add, drop or change to get from `a` to `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    // Nobody mistypes a key of hundreds of letters: what is longer differs in at least the rest.
    let a: Vec<char> = a.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (index, letter) in b.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        let mut next = vec![left];
        for (other, above) in a.iter().zip(row.iter().skip(1)) {
            let change = diagonal + usize::from(*other != letter);
            diagonal = *above;
            left = change.min(left + 1).min(above + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
