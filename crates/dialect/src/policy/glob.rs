/// Whether `text` matches `pattern`, in which `*` stands for any characters and `?` for one, ASCII letters of
/// either case: action names and domain names are compared that way. Takes pattern × text steps at most.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // The last `*`: what follows it, and what it has not swallowed yet.
    let mut star: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let before = text.clone();
        let fits = match (pattern.next(), text.next()) {
            (Some('*'), _) => {
                star = Some((pattern.clone(), before.clone()));
                text = before;
                continue;
            }
            (None, None) => return true,
            (Some('?'), Some(_)) => true,
            (Some(p), Some(t)) => p.eq_ignore_ascii_case(&t),
            (Some(_), None) => return false,
            (None, Some(_)) => false,
        };
        if fits {
            continue;
        }
        match &mut star {
            Some((after, left)) => {
                left.next();
                (pattern, text) = (after.clone(), left.clone());
            }
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards_stand_for_any_characters_or_one() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "live:AddLiveDomain"),
            ("live:*", "live:AddLiveDomain"),
            ("LIVE:addlive*", "live:AddLiveDomain"),
            ("live:*Config", "live:AddLiveAppSnapshotConfig"),
            ("live:*Live*Config", "live:AddLiveAppSnapshotConfig"),
            ("li?e:?dd*", "live:AddLiveDomain"),
            ("**a**", "bab"),
            ("acs:cdn:*:1:domain/*.example.com", "acs:cdn:*:1:domain/Live.Example.com"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "x"),
            ("?", ""),
            ("a*b", "a"),
            ("live:Add", "live:AddLiveDomain"),
            ("live:*Config?", "live:AddLiveAppSnapshotConfig"),
            ("acs:cdn:*:1:domain/example.com", "acs:cdn:*:1:domain/an-example.com"),
            ("acs:cdn:*:1:domain/example.com", "acs:cdn:*:2:domain/example.com"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_stars_does_not_take_exponential_time() {
        let pattern = "*a".repeat(1_000) + "b";
        assert!(!matches(&pattern, &"a".repeat(4_000)));
    }
}
