use std::time::Duration;

use chrono::{DateTime, NaiveDateTime};
use media::Wall;

use crate::{Fault, Param};

/// "The specified time must be within 7 days from the actual stream start time" (seed, StartTime); a longer
/// window is cut to it (EndTime).
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// `yyyy-MM-ddTHH:mm:ssZ` of the seed.
const FORMAT: &str = "%Y-%m-%dT%H:%M:%SZ";

/// When a stream-level template records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From this moment; `None`: from the publish.
    pub start: Option<Wall>,
    /// To this moment; `None`: to the end.
    pub end: Option<Wall>,
}

impl Window {
    /// StartTime and EndTime; `None` when neither is given.
    pub(super) fn check(
        start: Option<&str>,
        end: Option<&str>,
        now: Option<Wall>,
    ) -> Result<Option<Self>, Fault> {
        let start = moment(Param::StartTime, start)?;
        let end = moment(Param::EndTime, end)?;
        if let (Some(start), Some(now)) = (start, now)
            && (start > now.plus(WEEK) || now > start.plus(WEEK))
        {
            let message = "Specified StartTime does not math the current time.";
            let detail = "is more than 7 days from now".to_owned();
            return Err(Fault::new("InvalidStartTime.Mismatch", message, Param::StartTime, detail));
        }
        if let Some(end) = end
            && (start.is_some_and(|start| end <= start) || now.is_some_and(|now| end <= now))
        {
            let message = "Specified EndTime does not math the specified StartTime or current time.";
            let detail = "is not after StartTime, or is past".to_owned();
            return Err(Fault::new("InvalidEndTime.Mismatch", message, Param::EndTime, detail));
        }
        let end = end.map(|end| start.map_or(end, |start| end.min(start.plus(WEEK))));
        Ok((start.is_some() || end.is_some()).then_some(Self { start, end }))
    }
}

/// `moment` as StartTime and EndTime are written.
pub fn show_moment(moment: Wall) -> String {
    DateTime::from_timestamp(moment.unix_seconds(), 0).unwrap_or_default().format(FORMAT).to_string()
}

/// `yyyy-MM-ddTHH:mm:ssZ`; empty counts as absent.
pub(crate) fn moment(param: Param, text: Option<&str>) -> Result<Option<Wall>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    match NaiveDateTime::parse_from_str(text, FORMAT) {
        Ok(time) if text.len() == "2018-04-10T09:57:21Z".len() => {
            Ok(Some(Wall(time.and_utc().timestamp_micros())))
        }
        _ => Err(Fault::malformed(param, format!("is {text:?}, not like 2018-04-10T09:57:21Z"))),
    }
}
