use std::collections::BTreeMap;

use serde::Deserialize;

use super::condition::Condition;
use super::glob::matches;
use super::{Access, Denied, PolicyError, StatementFault};

/// Longest document in bytes: ten times RAM's own limit for a custom policy.
pub const MAX_DOCUMENT: usize = 64 << 10;

/// A RAM policy document, Version "1".
#[derive(Clone, Debug, PartialEq)]
pub struct Document(Vec<Statement>);

#[derive(Clone, Debug, PartialEq)]
struct Statement {
    effect: Effect,
    action: Actions,
    /// Patterns of ARNs.
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq)]
enum Actions {
    /// These patterns.
    Of(Vec<String>),
    /// All but these patterns.
    AllBut(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > MAX_DOCUMENT {
            return Err(PolicyError::TooLong { bytes: text.len() });
        }
        let raw: RawDocument =
            serde_json::from_str(text).map_err(|error| PolicyError::Json(error.to_string()))?;
        if raw.version != "1" {
            return Err(PolicyError::Version(raw.version));
        }
        let statements = raw.statement.into_vec().into_iter().enumerate();
        let statement = |(at, raw): (usize, RawStatement)| {
            Statement::read(raw)
                .map_err(|fault| PolicyError::Statement { index: at.saturating_add(1), fault })
        };
        statements.map(statement).collect::<Result<_, _>>().map(Self)
    }

    /// Deny in any matching statement, else Allow in one for every resource, else denied (`wire.md` §4).
    pub(super) fn check(&self, access: &Access<'_>) -> Result<(), Denied> {
        let applying: Vec<&Statement> = self.0.iter().filter(|statement| statement.applies(access)).collect();
        let touches = |effect: Effect, resource: &String| {
            applying.iter().any(|statement| statement.effect == effect && statement.covers(resource))
        };
        if access.resources.iter().any(|resource| touches(Effect::Deny, resource)) {
            return Err(Denied::Explicitly);
        }
        let allowed = access.resources.iter().all(|resource| touches(Effect::Allow, resource));
        match allowed && !access.resources.is_empty() {
            true => Ok(()),
            false => Err(Denied::Implicitly),
        }
    }
}

impl Statement {
    fn read(raw: RawStatement) -> Result<Self, StatementFault> {
        let action = match (raw.action, raw.not_action) {
            (Some(action), None) => Actions::Of(patterns("Action", action)?),
            (None, Some(action)) => Actions::AllBut(patterns("NotAction", action)?),
            _ => return Err(StatementFault::Action),
        };
        let mut conditions = Vec::new();
        for (operator, keys) in raw.condition {
            for (key, values) in keys {
                let values = values.into_vec().into_iter().map(Scalar::into_text).collect();
                conditions.push(Condition::read(&operator, &key, values)?);
            }
        }
        Ok(Self { effect: raw.effect, action, resources: patterns("Resource", raw.resource)?, conditions })
    }

    fn applies(&self, access: &Access<'_>) -> bool {
        let named = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, access.action));
        let action = match &self.action {
            Actions::Of(patterns) => named(patterns),
            Actions::AllBut(patterns) => !named(patterns),
        };
        action && self.conditions.iter().all(|condition| condition.holds(access.circumstances))
    }

    fn covers(&self, resource: &str) -> bool {
        self.resources.iter().any(|pattern| matches(pattern, resource))
    }
}

fn patterns(element: &'static str, raw: OneOrMany<String>) -> Result<Vec<String>, StatementFault> {
    let patterns = raw.into_vec();
    match patterns.is_empty() {
        true => Err(StatementFault::Empty(element)),
        false => Ok(patterns),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawDocument {
    version: String,
    statement: OneOrMany<RawStatement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawStatement {
    effect: Effect,
    #[serde(default)]
    action: Option<OneOrMany<String>>,
    #[serde(default)]
    not_action: Option<OneOrMany<String>>,
    resource: OneOrMany<String>,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, OneOrMany<Scalar>>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::Many(items) => items,
            Self::One(item) => vec![item],
        }
    }
}

/// A condition's value; numbers and booleans may stand without quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Bool(bool),
    Number(serde_json::Number),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}
