use super::*;

const ANY: &[Variable] = Variable::ALL;

#[track_caller]
fn expands(template: &str, to: &str) {
    let stream = StreamId::parse("live.local", "live", "cam-1").unwrap();
    let values = Values {
        stream: &stream,
        unix: 1_489_000_186,
        sequence: 7,
        // 2017-03-08T15:09:46.9Z: the callback sample of the reference, 23:09:46 in UTC+8
        start: Wall(1_488_985_786_900_000),
        end: Wall(1_488_985_786_900_000 + 3_600_000_000),
        utc_offset: 8 * 3600,
    };
    assert_eq!(Name::parse(template, ANY).unwrap().expand(&values), to);
}

#[track_caller]
fn refused(template: &str, reason: &str) {
    let allowed = &[Variable::AppName, Variable::StreamName];
    assert_eq!(Name::parse(template, allowed).unwrap_err().to_string(), reason);
}

#[test]
fn names_of_the_seeds_expand() {
    expands("{AppName}/{StreamName}.jpg", "live/cam-1.jpg");
    expands("snapshot/{AppName}/{StreamName}/{UnixTimestamp}.jpg", "snapshot/live/cam-1/1489000186.jpg");
    expands("record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}", "record/live/cam-1/1489000186_7");
    expands("{Sequence}_{StartTime}_{EndTime}", "7_2017-03-08-23:09:46_2017-03-09-00:09:46");
    expands("{EscapedStartTime}_{EscapedEndTime}", "2017-03-08-23-09-46_2017-03-09-00-09-46");
    expands("{UnixMillis}", "1488985786900");
    expands("{Date}/{Hour}/{Minute}_{Second}", "2017-03-08/23/09_46");
    expands("{CompactTimeUtc}_{CompactTimeLocal}", "20170308150946_20170308230946");
    expands("{Sequence}{Sequence}", "77");
    expands("plain", "plain");
}

#[test]
fn what_could_leave_the_bucket_or_says_nothing_is_refused() {
    refused("", "is empty");
    refused("/a", "has a path component \"\"");
    refused("a/", "has a path component \"\"");
    refused("a//b", "has a path component \"\"");
    refused("a/../b", "has a path component \"..\"");
    refused("./{AppName}", "has a path component \".\"");
    refused("a\\b", "contains '\\\\'");
    refused("a\nb", "contains '\\n'");
    refused("a\0", "contains '\\0'");
}

#[test]
fn only_the_allowed_variables_are_taken() {
    refused("{UnixTimestamp}", "has an unknown variable {UnixTimestamp}");
    refused("{appname}", "has an unknown variable {appname}");
    refused("{}", "has an unknown variable {}");
    refused("{AppName}/{StreamName", "has an unmatched brace at byte 10");
    refused("{AppName}}", "has an unmatched brace at byte 9");
    refused("{{AppName}}", "has an unmatched brace at byte 0");
}

#[test]
fn a_name_has_less_than_256_bytes() {
    assert!(Name::parse(&"x".repeat(255), ANY).is_ok());
    refused(&"x".repeat(256), "has 256 bytes, more than 255");
    refused(&"é".repeat(128), "has 256 bytes, more than 255");
}

#[test]
fn a_name_knows_its_variables() {
    let name = Name::parse("{AppName}/{Sequence}", ANY).unwrap();
    assert!(name.contains(Variable::Sequence));
    assert!(!name.contains(Variable::UnixTimestamp));
    assert_eq!(name.as_str(), "{AppName}/{Sequence}");
}

#[test]
fn dots_beside_a_variable_never_become_a_parent_folder() {
    expands("..{Sequence}/x", "..7/x");
    expands("a/.{Sequence}", "a/.7");
}
