//! What the catalog must hold, from what was answered.

use std::collections::BTreeMap;

use crate::Result;

/// A field of a template: family, app, field.
pub type Field = (&'static str, String, &'static str);

/// What the catalog was found to hold.
pub type Found = BTreeMap<Field, String>;

/// What each field may hold; `None` is no such template. A field has one writer, so that the last answer decides.
#[derive(Default)]
pub struct Expected(BTreeMap<Field, Vec<Option<String>>>);

impl Expected {
    /// The server answered that this is so.
    pub fn answered(&mut self, field: Field, value: Option<String>) {
        self.0.insert(field, vec![value]);
    }

    /// The server died before it answered: it may be so or as it was.
    pub fn unanswered(&mut self, field: Field, value: Option<String>) {
        self.0.entry(field).or_insert_with(|| vec![None]).push(value);
    }

    /// Takes over what another connection was answered.
    pub fn merge(&mut self, other: Expected) {
        self.0.extend(other.0);
    }

    /// How many fields must be there.
    pub fn len(&self) -> usize {
        self.0.values().filter(|allowed| !allowed.contains(&None)).count()
    }

    /// Compares with what was read back.
    ///
    /// # Errors
    /// Names what differs: an answered change that was lost, or something that nobody asked for.
    pub fn check(&self, found: &Found) -> Result<()> {
        let lost = self.0.iter().filter(|(field, allowed)| !allowed.contains(&found.get(*field).cloned()));
        let lost = lost
            .map(|(field, allowed)| format!("{field:?} is {:?}, answered was {allowed:?}", found.get(field)));
        let unasked = found.keys().filter(|field| !self.0.contains_key(*field));
        let differs: Vec<_> =
            lost.chain(unasked.map(|field| format!("{field:?} was never asked for"))).collect();
        match differs.as_slice() {
            [] => Ok(()),
            [first, ..] => Err(format!("{} fields differ, such as: {first}", differs.len()).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(app: &str) -> Field {
        ("record", app.to_owned(), "DelayTime")
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn lost_old_and_unasked_values_are_found() {
        let mut expected = Expected::default();
        expected.answered(field("a"), some("15"));
        expected.answered(field("a"), some("16"));
        expected.answered(field("b"), None);
        let found = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(app, value)| (field(app), (*value).to_owned())).collect::<Found>()
        };
        assert!(expected.check(&found(&[("a", "16")])).is_ok());
        assert!(expected.check(&found(&[("a", "15")])).is_err());
        assert!(expected.check(&found(&[])).is_err());
        assert!(expected.check(&found(&[("a", "16"), ("b", "15")])).is_err());
        assert!(expected.check(&found(&[("a", "16"), ("c", "15")])).is_err());
    }

    #[test]
    fn what_was_not_answered_may_be_made_or_not() {
        let mut expected = Expected::default();
        expected.answered(field("a"), some("15"));
        expected.unanswered(field("a"), some("16"));
        expected.unanswered(field("new"), some("20"));
        for (a, new) in [("15", None), ("16", Some("20"))] {
            let mut found = Found::from([(field("a"), a.to_owned())]);
            found.extend(new.map(|new| (field("new"), new.to_owned())));
            assert!(expected.check(&found).is_ok());
        }
        assert!(expected.check(&Found::from([(field("a"), "17".to_owned())])).is_err());
        assert_eq!(expected.len(), 1);
    }
}
