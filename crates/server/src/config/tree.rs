//! The config as a tree that remembers where each value came from.

use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::error::{Problem, Problems};

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// A line of the file, from 1.
    Line(usize),
    /// An environment variable.
    Variable(String),
    /// Nowhere: a section that is not there.
    Nowhere,
}

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: At,
    pub(super) value: Value,
}

/// What was written.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Text of an environment variable: of the type that its key wants.
    Text(String),
    String(String),
    Integer(i64),
    Boolean(bool),
    /// A float or a date: no key wants one.
    Other(&'static str),
    Array(Vec<Node>),
    Table(Table),
}

/// Entries in no particular order.
#[derive(Clone, Debug, Default)]
pub(super) struct Table(Vec<(String, Node)>);

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(name, node)| (name.as_str(), node))
    }

    /// Where `key` is; an empty section written at `at` when it was not there.
    fn position(&mut self, key: &str, at: &At) -> usize {
        self.0.iter().position(|(name, _)| name == key).unwrap_or_else(|| {
            let empty = Node { at: at.clone(), value: Value::Table(Table::default()) };
            self.0.push((key.to_owned(), empty));
            self.0.len() - 1
        })
    }

    /// Puts `node` where `path` leads; `Err` names the part of the path that is a value or a list already.
    pub(super) fn put<'p>(&mut self, path: &[&'p str], node: Node) -> Result<(), &'p str> {
        let Some((first, rest)) = path.split_first() else { return Ok(()) };
        let position = self.position(first, &node.at);
        let Some((_, here)) = self.0.get_mut(position) else { return Ok(()) };
        match (&mut here.value, rest) {
            (Value::Table(table), [_, ..]) => table.put(rest, node),
            (Value::Table(table), []) if !table.0.is_empty() => Err(first),
            (Value::Array(items), _) if items.iter().any(|item| matches!(item.value, Value::Table(_))) => {
                Err(first)
            }
            (_, []) => {
                *here = node;
                Ok(())
            }
            _ => Err(first),
        }
    }
}

impl Value {
    /// What it is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) | Value::String(_) => "a string",
            Value::Integer(_) => "a number",
            Value::Boolean(_) => "true or false",
            Value::Other(kind) => kind,
            Value::Array(_) => "a list",
            Value::Table(_) => "a section",
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Line(line) => write!(f, "{line}"),
            At::Variable(name) => f.write_str(name),
            At::Nowhere => Ok(()),
        }
    }
}

/// Reads TOML.
pub(super) fn parse(text: &str, problems: &Problems) -> Table {
    let lines = Lines::of(text);
    match DeTable::parse(text) {
        Ok(table) => lines.table(table.get_ref(), problems),
        Err(error) => {
            let at = error.span().map_or(At::Nowhere, |span| lines.at(&span));
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            problems.add(Problem { at, key: String::new(), message });
            Table::default()
        }
    }
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(after).collect())
    }

    fn at(&self, span: &Range<usize>) -> At {
        At::Line(self.0.partition_point(|&start| start <= span.start))
    }

    fn table(&self, table: &DeTable<'_>, problems: &Problems) -> Table {
        let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            // A section's own line is that of its key.
            let at = self.at(&key.span());
            (name.to_string(), Node { value: self.value(value, &at, problems), at })
        };
        Table(table.iter().map(entry).collect())
    }

    fn value(&self, value: &toml::Spanned<DeValue<'_>>, at: &At, problems: &Problems) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => {
                    let message = format!("{} is too large a number", number.as_str());
                    problems.add(Problem { at: at.clone(), key: String::new(), message });
                    Value::Integer(0)
                }
            },
            DeValue::Boolean(value) => Value::Boolean(*value),
            DeValue::Float(_) => Value::Other("a fraction"),
            DeValue::Datetime(_) => Value::Other("a date"),
            DeValue::Array(items) => {
                let item = |item: &toml::Spanned<DeValue<'_>>| {
                    let at = self.at(&item.span());
                    Node { value: self.value(item, &at, problems), at }
                };
                Value::Array(items.iter().map(item).collect())
            }
            DeValue::Table(table) => Value::Table(self.table(table, problems)),
        }
    }
}
