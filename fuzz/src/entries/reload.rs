//! Query strings of playlist requests.

use origin::reload::{BadQuery, Directives, Skip};

/// What is read is what was written, whatever stands around it.
pub fn directives(input: &[u8]) {
    let query = String::from_utf8_lossy(input);
    let read = Directives::read(&query);
    assert_ne!(read, Err(BadQuery::TooFarAhead), "a query alone is never too far ahead");
    assert_eq!(
        Directives::read(&format!("{query}&token=x&_HLS_push=1")),
        read,
        "others' parameters change nothing"
    );
    if let Ok(directives) = read {
        assert_eq!(Directives::read(&written(&directives)), Ok(directives));
    }
}

fn written(directives: &Directives) -> String {
    let mut words = Vec::new();
    if let Some(until) = directives.until {
        words.push(format!("_HLS_msn={}", until.segment));
        words.extend(until.part.map(|part| format!("_HLS_part={part}")));
    }
    words.extend(directives.skip.map(|skip| match skip {
        Skip::Yes => "_HLS_skip=YES".to_owned(),
        Skip::V2 => "_HLS_skip=v2".to_owned(),
    }));
    words.join("&")
}
