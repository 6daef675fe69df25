//! As much of a list as says what time it covers.

use chrono::DateTime;

/// Times are in seconds since the first frame of the stream.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Date of the stream's first frame in microseconds; of the first one listed unless it is set.
    pub origin: i64,
    pub first_number: u64,
    pub segments: Vec<Span>,
    /// All that are listed, the newest one last.
    pub parts: Vec<Span>,
    open_parts: u64,
    name: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Span {
    pub number: u64,
    pub start: f64,
    pub duration: f64,
}

impl List {
    /// Reads it with the first segment's date as the origin.
    pub fn read(text: &str) -> List {
        Self::since(text, None)
    }

    /// Reads it with a date of the stream's first frame.
    pub fn since(text: &str, origin: Option<i64>) -> List {
        let (mut list, mut at, mut duration) = (List::default(), 0.0, 0.0);
        let mut part_at = 0.0;
        list.origin = origin.unwrap_or_default();
        for line in text.lines() {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            match name {
                "#EXT-X-MEDIA-SEQUENCE" => list.first_number = value.parse().unwrap(),
                "#EXT-X-PROGRAM-DATE-TIME" => {
                    let date = DateTime::parse_from_rfc3339(value).unwrap().timestamp_micros();
                    if list.origin == 0 {
                        list.origin = date;
                    }
                    at = (date - list.origin) as f64 / 1e6;
                    (part_at, list.open_parts) = (at, 0);
                }
                "#EXT-X-PART" => {
                    let length = seconds(value.strip_prefix("DURATION=").unwrap());
                    list.parts.push(Span { number: 0, start: part_at, duration: length });
                    part_at += length;
                    list.open_parts += 1;
                }
                "#EXTINF" => duration = seconds(value),
                _ if !line.starts_with('#') => {
                    let number = list.first_number + list.segments.len() as u64;
                    list.segments.push(Span { number, start: at, duration });
                    list.open_parts = 0;
                    list.name = line.replace(&number.to_string(), "{}");
                }
                _ => {}
            }
        }
        list
    }

    /// Up to where it goes.
    pub fn end(&self) -> f64 {
        let ends = [self.parts.last(), self.segments.last()].map(|s| s.map_or(0.0, |s| s.start + s.duration));
        ends[0].max(ends[1])
    }

    /// What to ask for to get the next part.
    pub fn next(&self) -> (u64, u64) {
        (self.first_number + self.segments.len() as u64, self.open_parts)
    }

    pub fn next_query(&self) -> String {
        let (number, part) = self.next();
        format!("?_HLS_msn={number}&_HLS_part={part}")
    }

    /// Name of a segment, with `{}` for its number.
    pub fn name_of_segment(&self) -> String {
        self.name.clone()
    }
}

fn seconds(text: &str) -> f64 {
    text.split(',').next().unwrap().parse().unwrap()
}
