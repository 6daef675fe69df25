//! What strangers may send: anything, of any length, in bounded time and without a panic.

use super::super::{MAX_PARAMETERS, OPERATIONS, v1};
use super::*;

/// A generator of the same bytes every time (xorshift).
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound
    }

    /// A text made of what parsers look for, and of what they do not expect.
    fn text(&mut self, pieces: usize) -> String {
        const PIECES: [&str; 30] = [
            "&",
            "=",
            "%",
            "%2",
            "%41",
            "%ff",
            "%00",
            "+",
            ".",
            "1",
            "99999999999999999999",
            "-",
            ";",
            ",",
            " ",
            "RecordFormat",
            "RecordFormat.1.Format",
            "TranscodeTemplates.1",
            "Format",
            "Action",
            "Signature",
            "Credential=",
            "SignedHeaders=",
            "ACS3-HMAC-SHA256 ",
            "[{\"a\":",
            "中",
            "\u{0}",
            "\u{feff}",
            "true",
            "a",
        ];
        (0..self.below(pieces)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}

#[test]
fn no_request_makes_reading_or_verifying_panic() {
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    for _ in 0..4_000 {
        let mut request = get(&noise.text(60));
        request.body = noise.text(60).into();
        for name in ["Authorization", "x-acs-action", "x-acs-date", "host", "content-type"] {
            let prefix =
                if name == "Authorization" && noise.below(2) == 0 { "ACS3-HMAC-SHA256 " } else { "" };
            request.headers.push((name.to_owned(), prefix.to_owned() + &noise.text(20)));
        }
        let call = Call::read(&request);
        let refusal = call.authenticate(&request, &test_key(), Wall(0)).unwrap_err();
        assert!((400..500).contains(&refusal.status), "{refusal:?}");
        let response = call.answer(Err(refusal), "ID");
        assert!(!response.body.is_empty());
        for name in ["RecordFormat", "TranscodeTemplates", "Format"] {
            let _ = (call.params().items(name), call.params().strings(name));
            let _ = (call.params().integer(name), call.params().boolean(name));
        }
    }
}

#[test]
fn canonicalisation_does_not_depend_on_order_or_on_how_a_client_encodes() {
    let mut noise = Noise(7);
    for _ in 0..2_000 {
        let query = noise.text(40);
        let call = Call::read(&get(&query));
        let mut pairs = call.params().pairs().to_vec();
        pairs.reverse();
        let again: Vec<_> =
            pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let again = Call::read(&get(&again.join("&")));
        let signed = |call: &Call| v1::string_to_sign("GET", call.params());
        assert_eq!(signed(&call), signed(&again), "{query:?}");
    }
}

#[test]
fn more_parameters_than_any_operation_has_are_refused() {
    let query = "a=1&".repeat(MAX_PARAMETERS + 1);
    let refusal = authenticate(&get(&query), &test_key(), Wall(0)).unwrap_err();
    assert_eq!((refusal.status, &*refusal.code), (400, "InvalidParameter"));
    assert!(Call::read(&get(&query)).params().pairs().len() <= MAX_PARAMETERS);
}

#[test]
fn deeply_nested_json_is_no_list() {
    let mut request = get("");
    request.query = format!("RecordFormat={}", "[".repeat(30_000));
    assert!(Call::read(&request).params().items("RecordFormat").is_empty());
}

#[test]
fn no_parameters_make_an_operation_panic() {
    let mut noise = Noise(0xDEAD_BEEF);
    let mut world = World::new();
    let names =
        ["DomainName", "AppName", "StreamName", "Format", "PageNum", "PageSize", "ResumeTime", "Protocol"];
    for round in 0..400 {
        for operation in OPERATIONS {
            let mut pairs = vec![("DomainName".to_owned(), "live.local".to_owned())];
            pairs.extend((0..noise.below(8)).map(|_| (noise.text(4), noise.text(4))));
            pairs.extend(names.iter().map(|name| ((*name).to_owned(), noise.text(3))));
            // With and without the good domain in front.
            let pairs = pairs.split_off(round % 2);
            let borrowed: Vec<_> =
                pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            if let Err(refusal) = world.call(operation.name, &borrowed) {
                assert!((400..500).contains(&refusal.status), "{pairs:?}: {refusal:?}");
                assert!(!refusal.code.is_empty() && !refusal.message.is_empty());
            }
        }
    }
}
