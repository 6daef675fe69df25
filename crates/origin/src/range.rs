//! Single byte ranges (RFC 9110 §14).

use std::ops::Range;

/// What a `Range` header asks of a body of a certain length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Everything: no range, one in another unit, several, or one that makes no sense. All may be answered with
    /// the whole body (RFC 9110 §14.2).
    Whole,
    /// These bytes.
    Part(Range<usize>),
    /// Bytes beyond the end.
    Beyond,
}

/// Reads the header's value for a body of `length` bytes.
pub(crate) fn asked(header: &str, length: usize) -> Asked {
    let Some((first, last)) = header.trim().strip_prefix("bytes=").and_then(|set| set.split_once('-')) else {
        return Asked::Whole;
    };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(last)) => from(first, last, length),
        (Some(None), Some(Some(suffix))) => match suffix.min(length) {
            0 => Asked::Beyond,
            suffix => Asked::Part(length - suffix..length),
        },
        _ => Asked::Whole,
    }
}

fn from(first: usize, last: Option<usize>, length: usize) -> Asked {
    let last = last.unwrap_or(usize::MAX);
    if last < first {
        Asked::Whole
    } else if first >= length {
        Asked::Beyond
    } else {
        Asked::Part(first..last.saturating_add(1).min(length))
    }
}

/// The number, no number (`Some(None)`), or `None` for something else. One that is too large counts as the
/// largest.
fn number(text: &str) -> Option<Option<usize>> {
    match text.trim() {
        "" => Some(None),
        text if text.bytes().all(|b| b.is_ascii_digit()) => Some(Some(text.parse().unwrap_or(usize::MAX))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, expect: Asked) {
        assert_eq!(asked(header, 10), expect, "{header}");
    }

    #[test]
    fn one_range_of_bytes_is_understood() {
        check("bytes=0-3", Asked::Part(0..4));
        check("bytes=4-", Asked::Part(4..10));
        check("bytes=4-400", Asked::Part(4..10));
        check("bytes=4-99999999999999999999999", Asked::Part(4..10));
        check("bytes=-3", Asked::Part(7..10));
        check("bytes=-30", Asked::Part(0..10));
        check("bytes=9-9", Asked::Part(9..10));
    }

    #[test]
    fn a_range_beyond_the_end_cannot_be_answered() {
        check("bytes=10-", Asked::Beyond);
        check("bytes=10-12", Asked::Beyond);
        check("bytes=-0", Asked::Beyond);
        assert_eq!(asked("bytes=0-", 0), Asked::Beyond);
        assert_eq!(asked("bytes=-1", 0), Asked::Beyond);
    }

    #[test]
    fn anything_else_means_the_whole() {
        for header in
            ["bytes=", "bytes=-", "bytes=3-1", "bytes=0-1,3-4", "bytes=a-b", "lines=0-1", "", "bytes=0"]
        {
            check(header, Asked::Whole);
        }
    }
}
