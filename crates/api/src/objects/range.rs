//! Which bytes a Range field means (RFC 9110 §14).

/// Which bytes are wanted of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    All,
    /// From here, so many.
    Part(u64, u64),
    /// None of those that there are.
    Beyond,
}

/// One range of bytes of an object of `length` (RFC 9110 §14.1.2). What is none, and several, mean everything.
pub(super) fn wanted(range: &str, length: u64) -> Wanted {
    let Some((unit, range)) = range.trim().split_once('=') else { return Wanted::All };
    let Some((first, last)) = range.split_once('-').filter(|_| unit.eq_ignore_ascii_case("bytes")) else {
        return Wanted::All;
    };
    let (from, end) = match (number(first), number(last), first.trim(), last.trim()) {
        (Some(from), Some(last), ..) if from <= last => (from, last.saturating_add(1).min(length)),
        (Some(from), None, _, "") => (from, length),
        (None, Some(0), "", _) => return Wanted::Beyond,
        (None, Some(count), "", _) => (length.saturating_sub(count), length),
        _ => return Wanted::All,
    };
    match from < end {
        true => Wanted::Part(from, end - from),
        false => Wanted::Beyond,
    }
}

/// A decimal number; one that is too large is the largest, which is beyond every object, too.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood() {
        for (range, expect) in [
            ("bytes=0-0", Wanted::Part(0, 1)),
            ("bytes=2-5", Wanted::Part(2, 4)),
            ("bytes=2-99", Wanted::Part(2, 8)),
            ("bytes=2-", Wanted::Part(2, 8)),
            ("bytes=-3", Wanted::Part(7, 3)),
            ("bytes=-99", Wanted::Part(0, 10)),
            ("Bytes=2-5", Wanted::Part(2, 4)),
            ("bytes=2-99999999999999999999", Wanted::Part(2, 8)),
            ("bytes=-99999999999999999999", Wanted::Part(0, 10)),
            ("bytes=99999999999999999999-", Wanted::Beyond),
            ("bytes=10-", Wanted::Beyond),
            ("bytes=-0", Wanted::Beyond),
            ("bytes=5-2", Wanted::All),
            ("bytes=0-1,3-4", Wanted::All),
            ("bytes=-", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("items=0-1", Wanted::All),
        ] {
            assert_eq!(wanted(range, 10), expect, "{range}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Beyond);
    }
}
