//! Which version of an object there is, and what follows for a request that knows one (RFC 9110 §13).

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use chrono::{DateTime, NaiveDateTime};

/// RFC 9110 §5.6.7
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// A version of an object.
pub(super) struct Version {
    /// ETag
    pub tag: String,
    /// When it was stored, in seconds since 1970.
    modified: i64,
}

/// What follows from the conditions of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The object is wanted.
    Send,
    /// Whoever asks has it.
    NotModified,
    /// Another version is wanted.
    Failed,
}

impl Version {
    /// Of an object of `length` bytes that was stored so many microseconds after 1970.
    pub fn new(length: u64, micros: u128) -> Self {
        let modified = i64::try_from(micros / 1_000_000).unwrap_or_default();
        Self { tag: format!("\"{length:x}-{micros:x}\""), modified }
    }

    /// Last-Modified
    pub fn date(&self) -> String {
        DateTime::from_timestamp(self.modified, 0).unwrap_or_default().format(HTTP_DATE).to_string()
    }

    /// The conditions in the order of RFC 9110 §13.2.2: a field with tags counts before one with a date.
    pub fn check(&self, headers: &HeaderMap) -> Verdict {
        let failed = match (text(headers, header::IF_MATCH), date(headers, header::IF_UNMODIFIED_SINCE)) {
            (Some(tags), _) => !self.is_one_of(&tags, false),
            (None, Some(date)) => self.modified > date,
            (None, None) => false,
        };
        let known = match (text(headers, header::IF_NONE_MATCH), date(headers, header::IF_MODIFIED_SINCE)) {
            (Some(tags), _) => self.is_one_of(&tags, true),
            (None, Some(date)) => self.modified <= date,
            (None, None) => false,
        };
        match () {
            () if failed => Verdict::Failed,
            () if known => Verdict::NotModified,
            () => Verdict::Send,
        }
    }

    /// Whether a range is of this version: one of another is no use to whoever has parts of it (RFC 9110 §13.1.5).
    pub fn has_range(&self, headers: &HeaderMap) -> bool {
        text(headers, header::IF_RANGE).is_none_or(|known| known == self.tag || known == self.date())
    }

    /// Whether a list of tags has this one. Weak ones are equal to it only where it is not about bytes (§8.8.3.2).
    fn is_one_of(&self, tags: &str, weakly: bool) -> bool {
        let is = |tag: &str| match tag.strip_prefix("W/") {
            Some(tag) => weakly && tag == self.tag,
            None => tag == self.tag,
        };
        tags.trim() == "*" || tags.split(',').any(|tag| is(tag.trim()))
    }
}

/// What all fields of that name say together.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let fields: Vec<_> =
        headers.get_all(name).iter().map(HeaderValue::to_str).filter_map(Result::ok).collect();
    (!fields.is_empty()).then(|| fields.join(","))
}

/// A date in seconds since 1970; a field that is none does not count.
fn date(headers: &HeaderMap, name: HeaderName) -> Option<i64> {
    let date = NaiveDateTime::parse_from_str(text(headers, name)?.trim(), HTTP_DATE).ok()?;
    Some(date.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAME: &str = "Fri, 20 Nov 2026 00:00:00 GMT";
    const BEFORE: &str = "Thu, 19 Nov 2026 23:59:59 GMT";

    fn version() -> Version {
        Version::new(255, 1_795_132_800_500_000)
    }

    fn fields(fields: &[(&'static str, &str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in fields.iter().map(field) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn conditions_are_about_this_version() {
        let tag = version().tag;
        assert_eq!(version().date(), SAME);
        let weak = format!("W/{tag}");
        let list = format!("\"other\", {weak}");
        for (given, expect) in [
            (&[][..], Verdict::Send),
            (&[("if-none-match", tag.as_str())], Verdict::NotModified),
            (&[("if-none-match", list.as_str())], Verdict::NotModified),
            (&[("if-none-match", "\"other\""), ("if-none-match", tag.as_str())], Verdict::NotModified),
            (&[("if-none-match", "*")], Verdict::NotModified),
            (&[("if-none-match", "\"other\"")], Verdict::Send),
            (&[("if-modified-since", SAME)], Verdict::NotModified),
            (&[("if-modified-since", BEFORE)], Verdict::Send),
            (&[("if-modified-since", "yesterday")], Verdict::Send),
            (&[("if-none-match", "\"other\""), ("if-modified-since", SAME)], Verdict::Send),
            (&[("if-match", tag.as_str())], Verdict::Send),
            (&[("if-match", "*")], Verdict::Send),
            (&[("if-match", weak.as_str())], Verdict::Failed),
            (&[("if-match", "\"other\"")], Verdict::Failed),
            (&[("if-match", "\"other\""), ("if-none-match", tag.as_str())], Verdict::Failed),
            (&[("if-unmodified-since", SAME)], Verdict::Send),
            (&[("if-unmodified-since", BEFORE)], Verdict::Failed),
            (&[("if-match", tag.as_str()), ("if-unmodified-since", BEFORE)], Verdict::Send),
        ] {
            assert_eq!(version().check(&fields(given)), expect, "{given:?}");
        }
    }

    #[test]
    fn a_range_is_of_the_version_that_was_known() {
        let tag = version().tag;
        let has = |known: &str| version().has_range(&fields(&[("if-range", known)]));
        assert!(version().has_range(&HeaderMap::new()));
        assert!(has(&tag) && has(SAME));
        assert!(!has("\"other\"") && !has(&format!("W/{tag}")) && !has(BEFORE));
    }
}
