//! Delivery directives of playlist requests, and what becomes of a request (RFC 8216bis §6.2.5, packaging-rules
//! L-16 to L-19).

use output::Edge;

/// What the query of a playlist request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// `_HLS_msn` and `_HLS_part`: answer when these are listed.
    pub until: Option<Until>,
    /// `_HLS_skip`.
    pub skip: Option<Skip>,
}

/// `_HLS_msn`, `_HLS_part`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// Media sequence number.
    pub segment: u64,
    /// Part of that segment; `None`: the whole segment.
    pub part: Option<u64>,
}

/// `_HLS_skip`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// Old segments.
    Yes,
    /// Old segments and date ranges.
    V2,
}

/// A query that no server can answer: 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// A number that is none.
    #[error("{0} is no decimal integer")]
    NotANumber(&'static str),
    /// A part of no segment.
    #[error("_HLS_part needs _HLS_msn")]
    PartWithoutSegment,
    /// So far ahead that waiting is no use.
    #[error("_HLS_msn or _HLS_part is too far ahead")]
    TooFarAhead,
}

/// What to do with a request now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The playlist has what is asked for.
    Answer,
    /// It will have it.
    Wait,
}

impl Directives {
    /// Reads a query string, percent-encoded. Unknown names are others' business, also those that begin with `_HLS_`;
    /// of a name that comes twice the first counts.
    ///
    /// # Errors
    /// [`BadQuery`] for a number that is none, and a part without its segment.
    pub fn read(query: &str) -> Result<Self, BadQuery> {
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let segment = value("_HLS_msn").map(|text| number("_HLS_msn", text)).transpose()?;
        let part = value("_HLS_part").map(|text| number("_HLS_part", text)).transpose()?;
        let until = match (segment, part) {
            (None, Some(_)) => return Err(BadQuery::PartWithoutSegment),
            (segment, part) => segment.map(|segment| Until { segment, part }),
        };
        let skip = match value("_HLS_skip") {
            Some("YES") => Some(Skip::Yes),
            Some("v2") => Some(Skip::V2),
            _ => None,
        };
        Ok(Self { until, skip })
    }
}

fn number(name: &'static str, text: &str) -> Result<u64, BadQuery> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(BadQuery::NotANumber(name))
}

impl Until {
    /// What to do while the playlist ends at `edge` (packaging-rules L-16).
    ///
    /// # Errors
    /// [`BadQuery::TooFarAhead`].
    pub(crate) fn judge(self, edge: Edge) -> Result<Verdict, BadQuery> {
        if self.segment > edge.segment.saturating_add(2) {
            return Err(BadQuery::TooFarAhead);
        }
        let ready = match self.part {
            None => self.segment <= edge.segment,
            Some(part) => {
                let (segment, part) = self.place(part, edge);
                if part >= parts_of(segment, edge).saturating_add(edge.advance_parts)
                    && segment > edge.segment
                {
                    return Err(BadQuery::TooFarAhead);
                }
                segment <= edge.segment || part < parts_of(segment, edge)
            }
        };
        Ok(if ready { Verdict::Answer } else { Verdict::Wait })
    }

    /// A part beyond the last one of a complete segment is the first one of the next.
    fn place(self, part: u64, edge: Edge) -> (u64, u64) {
        match self.segment == edge.segment && part >= edge.segment_parts {
            true => (self.segment.saturating_add(1), 0),
            false => (self.segment, part),
        }
    }
}

/// Parts listed of `segment`, as far as that decides anything.
fn parts_of(segment: u64, edge: Edge) -> u64 {
    if segment == edge.segment.saturating_add(1) { edge.parts } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGE: Edge = Edge { segment: 100, segment_parts: 4, parts: 2, advance_parts: 3 };

    #[track_caller]
    fn judged(query: &str) -> Result<Verdict, BadQuery> {
        Directives::read(query).unwrap().until.unwrap().judge(EDGE)
    }

    #[test]
    fn a_whole_segment_is_waited_for_until_it_is_complete() {
        assert_eq!(judged("_HLS_msn=99"), Ok(Verdict::Answer));
        assert_eq!(judged("_HLS_msn=100"), Ok(Verdict::Answer));
        assert_eq!(judged("_HLS_msn=101"), Ok(Verdict::Wait));
        assert_eq!(judged("_HLS_msn=102"), Ok(Verdict::Wait));
        assert_eq!(judged("_HLS_msn=103"), Err(BadQuery::TooFarAhead));
    }

    #[test]
    fn a_part_is_waited_for_until_it_is_listed() {
        assert_eq!(judged("_HLS_msn=101&_HLS_part=1"), Ok(Verdict::Answer));
        assert_eq!(judged("_HLS_msn=101&_HLS_part=2"), Ok(Verdict::Wait));
        assert_eq!(judged("_HLS_msn=101&_HLS_part=4"), Ok(Verdict::Wait));
        assert_eq!(judged("_HLS_msn=101&_HLS_part=5"), Err(BadQuery::TooFarAhead));
        assert_eq!(judged("_HLS_msn=102&_HLS_part=0"), Ok(Verdict::Wait));
        assert_eq!(judged("_HLS_msn=102&_HLS_part=3"), Err(BadQuery::TooFarAhead));
    }

    #[test]
    fn a_part_beyond_a_complete_segment_is_the_first_of_the_next() {
        assert_eq!(judged("_HLS_msn=100&_HLS_part=3"), Ok(Verdict::Answer));
        assert_eq!(judged("_HLS_msn=100&_HLS_part=4"), Ok(Verdict::Answer), "part 0 of 101 is listed");
        let until = Until { segment: 100, part: Some(9) };
        assert_eq!(until.judge(Edge { parts: 0, ..EDGE }), Ok(Verdict::Wait));
        assert_eq!(judged("_HLS_msn=7&_HLS_part=900"), Ok(Verdict::Answer), "what is old is never refused");
    }

    #[test]
    fn only_decimal_integers_are_numbers() {
        for bad in ["", "-1", "+1", "1.0", "0x1", "%31", "99999999999999999999"] {
            assert_eq!(
                Directives::read(&format!("_HLS_msn={bad}")),
                Err(BadQuery::NotANumber("_HLS_msn")),
                "{bad}"
            );
        }
        assert_eq!(Directives::read("_HLS_part=1"), Err(BadQuery::PartWithoutSegment));
        assert_eq!(Directives::read("_HLS_msn=1&_HLS_part=x"), Err(BadQuery::NotANumber("_HLS_part")));
    }

    #[test]
    fn what_is_not_a_directive_is_left_alone() {
        let read =
            Directives::read("token=a_HLS_msn=5&_HLS_push=1&_HLS_skip=YES&x_HLS_msn=3&_HLS_msn=7").unwrap();
        assert_eq!(read.until, Some(Until { segment: 7, part: None }));
        assert_eq!(read.skip, Some(Skip::Yes));
        assert_eq!(Directives::read("_HLS_skip=v2").unwrap().skip, Some(Skip::V2));
        assert_eq!(Directives::read("_HLS_skip=no").unwrap(), Directives::default());
        assert_eq!(Directives::read("").unwrap(), Directives::default());
    }
}
