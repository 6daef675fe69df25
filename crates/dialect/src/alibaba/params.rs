//! Parameters of a call (wire reference §2): scalars, `Name.N`, `Name.N.Field`, and JSON text where a list is
//! expected.

use std::collections::BTreeMap;

use serde_json::Value;

/// The parameters of a call or of one item of a list, decoded, in the order they came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// A parameter whose text is not of its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{param} is not {expected}")]
pub struct NotA {
    /// Which parameter.
    pub param: String,
    /// Its type.
    pub expected: &'static str,
}

impl Params {
    /// These.
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// All pairs.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The text of `name` as it was sent, even when empty. Of a name that is there twice, the first counts.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The text of `name`; an empty one counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|text| !text.is_empty())
    }

    /// The same, owned.
    pub fn string(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// A decimal number.
    ///
    /// # Errors
    /// [`NotA`] for any other text.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, NotA> {
        self.parsed(name, "an integer", |text| text.parse().ok().filter(|_| !text.starts_with('+')))
    }

    /// `true` or `false`, in any case: SDKs differ.
    ///
    /// # Errors
    /// [`NotA`] for any other text.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, NotA> {
        self.parsed(name, "true or false", |text| match text {
            _ if text.eq_ignore_ascii_case("true") => Some(true),
            _ if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        })
    }

    /// The list of texts `name.1`, `name.2` …, or a JSON array. Gaps in the numbers do not count.
    pub fn strings(&self, name: &str) -> Vec<String> {
        let mut found = BTreeMap::new();
        for (key, value) in &self.0 {
            if let Some((number, "")) = index(key, name) {
                found.entry(number).or_insert_with(|| value.clone());
            }
        }
        match found.is_empty() {
            true => self.json_items(name).map(plain).collect(),
            false => found.into_values().collect(),
        }
    }

    /// The list of objects `name.1.Field`, `name.2.Field` …, or a JSON array. Gaps in the numbers do not count.
    pub fn items(&self, name: &str) -> Vec<Params> {
        let mut found: BTreeMap<u64, Params> = BTreeMap::new();
        for (key, value) in &self.0 {
            if let Some((number, field)) = index(key, name).filter(|(_, field)| !field.is_empty()) {
                found.entry(number).or_default().0.push((field.to_owned(), value.clone()));
            }
        }
        match found.is_empty() {
            true => self.json_items(name).map(fields).collect(),
            false => found.into_values().collect(),
        }
    }

    fn parsed<T>(
        &self,
        name: &str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, NotA> {
        let Some(text) = self.text(name) else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| NotA { param: name.to_owned(), expected })
    }

    fn json_items(&self, name: &str) -> impl Iterator<Item = Value> + use<> {
        let parsed = self.text(name).and_then(|text| serde_json::from_str(text).ok());
        match parsed {
            Some(Value::Array(items)) => items.into_iter(),
            _ => Vec::new().into_iter(),
        }
    }
}

/// N and what follows of `name.N` or `name.N.Field`.
fn index<'a>(key: &'a str, name: &str) -> Option<(u64, &'a str)> {
    let rest = key.strip_prefix(name)?.strip_prefix('.')?;
    let (number, field) = rest.split_once('.').unwrap_or((rest, ""));
    Some((number.parse().ok()?, field))
}

/// A JSON value as the text it would be as a parameter.
fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn fields(value: Value) -> Params {
    match value {
        Value::Object(fields) => {
            Params(fields.into_iter().map(|(name, value)| (name, plain(value))).collect())
        }
        _ => Params::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        Params::new(crate::percent::pairs(query).collect())
    }

    #[test]
    fn an_empty_text_counts_as_absent_and_the_first_of_two_counts() {
        let params = params("A=&B=1&B=2");
        assert_eq!((params.raw("A"), params.text("A")), (Some(""), None));
        assert_eq!(params.text("B"), Some("1"));
        assert_eq!(params.integer("A"), Ok(None));
    }

    #[test]
    fn booleans_are_taken_in_any_case_and_nothing_else_is() {
        let params = params("A=True&B=FALSE&C=true&D=yes&E=1");
        assert_eq!(["A", "B", "C"].map(|name| params.boolean(name).unwrap()), [true, false, true].map(Some));
        assert!(params.boolean("D").is_err());
        assert!(params.boolean("E").is_err());
    }

    #[test]
    fn integers_are_decimal() {
        let params = params("A=-5&B=5.0&C=0x5&D=99999999999999999999&E=%2B5");
        assert_eq!(params.integer("A"), Ok(Some(-5)));
        for name in ["B", "C", "D", "E"] {
            let expected = "an integer";
            assert_eq!(params.integer(name), Err(NotA { param: name.to_owned(), expected }));
        }
    }

    #[test]
    fn lists_go_by_number_whatever_the_order_and_the_gaps() {
        let params = params("T.10=c&T.2=b&T.1=a&T.x=d&T=e&TT.1=f&T.1.F=g");
        assert_eq!(params.strings("T"), ["a", "b", "c"]);
    }

    #[test]
    fn items_gather_their_fields() {
        let params = params("R.2.F=mp4&R.1.F=m3u8&R.1.D=30&R.1=x&RR.1.F=y");
        let items = params.items("R");
        assert_eq!(items.len(), 2);
        assert_eq!((items[0].text("F"), items[0].integer("D")), (Some("m3u8"), Ok(Some(30))));
        assert_eq!(items[1].pairs(), [("F".to_owned(), "mp4".to_owned())]);
    }

    #[test]
    fn json_text_is_taken_for_a_list() {
        let params = params("T=[\"a\",1,null]&R=[{\"F\":\"flv\",\"D\":30,\"I\":true},7]&B=[&O={}");
        assert_eq!(params.strings("T"), ["a", "1", ""]);
        let items = params.items("R");
        assert_eq!((items[0].text("F"), items[0].integer("D")), (Some("flv"), Ok(Some(30))));
        assert_eq!(items[0].boolean("I"), Ok(Some(true)));
        assert_eq!(items[1], Params::default());
        assert!(params.strings("B").is_empty() && params.items("O").is_empty());
    }
}
