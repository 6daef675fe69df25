//! The text of an MPD.

use std::fmt;

use ::media::{Colour, Kind as Media, Ratio};

use super::xml::Document;
use super::{
    AdaptationSet, Addressing, Audio, Clock, Content, Follows, Kind, Live, Mpd, Period, ProducerReference,
    Segments, Span, Video,
};
use crate::tag::{self, Seconds};

const NAMESPACE: &str = "urn:mpeg:dash:schema:mpd:2011";
/// Segments by template (packaging-rules D-10).
const LIVE_PROFILE: &str = "urn:mpeg:dash:profile:isoff-live:2011";
/// Segments by list, which the live profile does not have (ISO/IEC 23009-1 §8.5).
const MAIN_PROFILE: &str = "urn:mpeg:dash:profile:isoff-main:2011";
const ROLE: &str = "urn:mpeg:dash:role:2011";
const CHANNELS: &str = "urn:mpeg:mpegB:cicp:ChannelConfiguration";
/// PlaybackRate at which nobody hears the difference (packaging-rules D-29).
const PLAYBACK_RATE: (&str, &str) = ("0.96", "1.04");

/// The MPD's text, elements in the order of its schema (ISO/IEC 23009-1 annex B).
pub fn render(mpd: &Mpd) -> String {
    let clocks = match &mpd.kind {
        Kind::Live(live) => live.clocks.as_slice(),
        Kind::Recorded => &[],
    };
    let mut out = Document::new();
    out.open("MPD").attr("xmlns", NAMESPACE).attr("profiles", profile(mpd));
    match &mpd.kind {
        Kind::Live(live) => live.attrs(mpd, &mut out),
        Kind::Recorded => {
            out.attr("type", "static").maybe("mediaPresentationDuration", end(mpd));
        }
    }
    out.attr("minBufferTime", Duration(mpd.min_buffer_time_us));
    out.attr("maxSegmentDuration", Duration(mpd.max_segment_duration_us));
    service_description(mpd, &mut out);
    for period in &mpd.periods {
        period.write(clocks, &mut out);
    }
    for clock in clocks {
        clock.write(&mut out);
    }
    out.finish()
}

fn profile(mpd: &Mpd) -> &'static str {
    let mut sets = mpd.periods.iter().flat_map(|period| &period.sets);
    match sets.any(|set| matches!(set.segments.addressing, Addressing::List(_))) {
        true => MAIN_PROFILE,
        false => LIVE_PROFILE,
    }
}

/// The end of the last Period, if that is known.
fn end(mpd: &Mpd) -> Option<Duration> {
    let last = mpd.periods.last()?;
    last.duration_us.map(|duration| Duration(last.start_us.saturating_add(duration)))
}

impl Live {
    fn attrs(&self, mpd: &Mpd, out: &mut Document) {
        out.attr("type", "dynamic");
        out.maybe("availabilityStartTime", tag::date(self.availability_start));
        out.maybe("publishTime", tag::date(self.publish_time));
        match self.minimum_update_period_us {
            Some(us) => out.attr("minimumUpdatePeriod", Duration(us)),
            None => out.maybe("mediaPresentationDuration", end(mpd)),
        };
        out.attr("timeShiftBufferDepth", Duration(self.time_shift_buffer_depth_us));
        out.attr("suggestedPresentationDelay", Duration(self.suggested_presentation_delay_us));
    }
}

fn service_description(mpd: &Mpd, out: &mut Document) {
    let Some(latency) = mpd.latency else { return };
    let reference = mpd.periods.iter().flat_map(|period| &period.sets).find_map(|set| set.reference);
    out.open("ServiceDescription").attr("id", 0);
    out.open("Latency").maybe("referenceId", reference.map(|reference| reference.id));
    out.attr("target", latency.target_ms).attr("min", latency.min_ms).attr("max", latency.max_ms).close();
    let (min, max) = PLAYBACK_RATE;
    out.open("PlaybackRate").attr("min", min).attr("max", max).close();
    out.close();
}

impl Clock {
    fn write(&self, out: &mut Document) {
        let (scheme, url) = match self {
            Self::HttpIso(url) => ("urn:mpeg:dash:utc:http-iso:2014", url),
            Self::HttpHead(url) => ("urn:mpeg:dash:utc:http-head:2014", url),
        };
        descriptor(out, "UTCTiming", scheme, url);
    }
}

impl Period {
    fn write(&self, clocks: &[Clock], out: &mut Document) {
        out.open("Period").attr("id", &self.id).attr("start", Duration(self.start_us));
        out.maybe("duration", self.duration_us.map(Duration));
        for set in &self.sets {
            set.write(clocks, out);
        }
        out.close();
    }
}

impl AdaptationSet {
    fn write(&self, clocks: &[Clock], out: &mut Document) {
        let (content, mime) = match self.content.kind() {
            Media::Video => ("video", "video/mp4"),
            Media::Audio => ("audio", "audio/mp4"),
        };
        out.open("AdaptationSet").attr("id", self.id).attr("contentType", content).attr("mimeType", mime);
        out.maybe("lang", self.language.as_ref()).attr("segmentAlignment", true);
        out.maybe("startWithSAP", self.starts_with_sap.then_some(1));
        self.properties(out);
        if let Some(reference) = &self.reference {
            reference.write(clocks, out);
        }
        descriptor(out, "Role", ROLE, if self.main { "main" } else { "alternate" });
        // A list names the segments of one Representation; FFmpeg looks for it only there.
        let list = matches!(self.segments.addressing, Addressing::List(_)).then_some(&self.segments);
        if list.is_none() {
            self.segments.write(out);
        }
        self.content.write(list, out);
        out.close();
    }

    fn properties(&self, out: &mut Document) {
        if let Some(colour) = self.content.colour() {
            write_colour(colour, out);
        }
        let (scheme, period) = match &self.follows {
            Some(Follows::Connected(period)) => ("urn:mpeg:dash:period-connectivity:2015", period),
            Some(Follows::Continuous(period)) => ("urn:mpeg:dash:period-continuity:2015", period),
            None => return,
        };
        descriptor(out, "SupplementalProperty", scheme, period);
    }
}

/// What is neither BT.709, which an MPD without it means, nor unspecified (ITU-T H.273 §8). Supplemental: there is
/// nothing else to choose, so who does not know it should still play.
fn write_colour(colour: &Colour, out: &mut Document) {
    let points = [
        ("urn:mpeg:mpegB:cicp:ColourPrimaries", colour.primaries),
        ("urn:mpeg:mpegB:cicp:TransferCharacteristics", colour.transfer),
        ("urn:mpeg:mpegB:cicp:MatrixCoefficients", colour.matrix),
    ];
    for (scheme, point) in points.into_iter().filter(|&(_, point)| point != 1 && point != 2) {
        descriptor(out, "SupplementalProperty", scheme, point);
    }
}

impl ProducerReference {
    fn write(&self, clocks: &[Clock], out: &mut Document) {
        out.open("ProducerReferenceTime").attr("id", self.id).attr("type", "encoder");
        out.attr("inband", self.inband).maybe("wallClockTime", tag::date(self.wall));
        out.attr("presentationTime", self.time);
        if let Some(clock) = clocks.first() {
            clock.write(out);
        }
        out.close();
    }
}

impl Segments {
    fn write(&self, out: &mut Document) {
        let list = matches!(self.addressing, Addressing::List(_));
        out.open(if list { "SegmentList" } else { "SegmentTemplate" });
        out.attr("timescale", self.timescale.hz());
        out.attr("presentationTimeOffset", self.presentation_time_offset);
        if let Some(us) = self.available_early_us {
            out.attr("availabilityTimeOffset", Seconds(us)).attr("availabilityTimeComplete", false);
        }
        match list {
            true => out.open("Initialization").attr("sourceURL", &self.initialization).close(),
            false => {
                out.attr("initialization", &self.initialization);
            }
        }
        self.addressing.write(out);
        out.close();
    }
}

impl Addressing {
    fn write(&self, out: &mut Document) {
        match self {
            Self::Number { media, first, spans } => {
                out.attr("media", media).attr("startNumber", first);
                timeline(spans.iter().copied(), out);
            }
            Self::Time { media, spans } => {
                out.attr("media", media);
                timeline(spans.iter().copied(), out);
            }
            Self::Constant { media, first, duration } => {
                out.attr("media", media).attr("startNumber", first).attr("duration", duration);
            }
            Self::List(segments) => {
                timeline(segments.iter().map(|&(span, _)| span), out);
                for (_, uri) in segments {
                    out.open("SegmentURL").attr("media", uri).close();
                }
            }
        }
    }
}

/// SegmentTimeline. Each segment has an S of its own: one with @r could leave only when all that it stands for have
/// (packaging-rules D-13). @t stands on the first, and wherever a segment does not follow the one before.
fn timeline(spans: impl Iterator<Item = Span>, out: &mut Document) {
    out.open("SegmentTimeline");
    let mut expected = None;
    for span in spans {
        out.open("S").maybe("t", (expected != Some(span.time)).then_some(span.time));
        out.attr("d", span.duration).close();
        expected = span.time.checked_add(span.duration);
    }
    out.close();
}

impl Content {
    fn kind(&self) -> Media {
        match self {
            Self::Video(_) => Media::Video,
            Self::Audio(_) => Media::Audio,
        }
    }

    fn colour(&self) -> Option<&Colour> {
        match self {
            Self::Video(videos) => videos.first()?.picture.colour.as_ref(),
            Self::Audio(_) => None,
        }
    }

    fn write(&self, list: Option<&Segments>, out: &mut Document) {
        match self {
            Self::Video(videos) => videos.iter().for_each(|video| video.write(list, out)),
            Self::Audio(audios) => audios.iter().for_each(|audio| audio.write(list, out)),
        }
    }
}

impl Video {
    fn write(&self, list: Option<&Segments>, out: &mut Document) {
        representation(out, &self.id, &self.codecs, self.bandwidth);
        out.attr("width", self.picture.width).attr("height", self.picture.height);
        let Ratio { num, den } = self.picture.sample_aspect;
        out.attr("sar", format_args!("{num}:{den}"));
        out.maybe("frameRate", self.frame_rate.map(FrameRate));
        if let Some(list) = list {
            list.write(out);
        }
        out.close();
    }
}

impl Audio {
    fn write(&self, list: Option<&Segments>, out: &mut Document) {
        representation(out, &self.id, &self.codecs, self.bandwidth);
        out.attr("audioSamplingRate", self.sample_rate);
        if let Some(layout) = self.channels.and_then(channel_configuration) {
            descriptor(out, "AudioChannelConfiguration", CHANNELS, layout);
        }
        if let Some(list) = list {
            list.write(out);
        }
        out.close();
    }
}

/// Opens a Representation. The schema has 32 bits for @bandwidth.
fn representation(out: &mut Document, id: &str, codecs: &str, bandwidth: u64) {
    out.open("Representation").attr("id", id).attr("codecs", codecs);
    out.attr("bandwidth", bandwidth.min(u64::from(u32::MAX)));
}

/// The usual layout of so many speakers (ISO/IEC 23091-3 table 10); of 7 and 8 the one with back speakers.
fn channel_configuration(speakers: u8) -> Option<u8> {
    match speakers {
        1..=6 => Some(speakers),
        7 => Some(11),
        8 => Some(12),
        24 => Some(13),
        _ => None,
    }
}

/// An element of DescriptorType.
fn descriptor(out: &mut Document, name: &'static str, scheme: &str, value: impl fmt::Display) {
    out.open(name).attr("schemeIdUri", scheme).attr("value", value).close();
}

/// xs:duration, exact to the microsecond.
struct Duration(i64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PT{}S", Seconds(self.0))
    }
}

/// Frames per second as a fraction (packaging-rules D-16).
struct FrameRate(Ratio);

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Ratio { num, den: 1 } => write!(f, "{num}"),
            Ratio { num, den } => write!(f, "{num}/{den}"),
        }
    }
}
